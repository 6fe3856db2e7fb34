"""Target groups through boto3: their health checks, their attributes, what cannot be combined, quotas."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from botocore.exceptions import ClientError

from bluegreen.core.commands import SetShares, SetSize
from bluegreen.core.observation import ErrorClass
from bluegreen_sim import HealthAnswer, NeverHealthy, Settings, SimCloud
from bluegreen_sim.endpoint import NotSimulated, names
from tests.sim.wired import SHARED, TG, TG_A, TG_B, WEIGHTED, Aws, code, forward

COUNT = "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count"
PERCENT = "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage"
DNS_COUNT = "target_group_health.dns_failover.minimum_healthy_targets.count"
DNS_PERCENT = "target_group_health.dns_failover.minimum_healthy_targets.percentage"
DELAY = "deregistration_delay.timeout_seconds"
CROSS_ZONE = "load_balancing.cross_zone.enabled"


def attributes(aws: Aws, arn: str = TG) -> dict[str, str]:
    shown = aws.elbv2.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
    return {each["Key"]: each["Value"] for each in shown}


def modify(aws: Aws, given: dict[str, str]) -> None:
    listed = [{"Key": key, "Value": value} for key, value in given.items()]
    aws.elbv2.modify_target_group_attributes(TargetGroupArn=TG, Attributes=listed)


# ------------------------------------------------------------------------------------------- attributes


def test_attributes_have_awss_defaults() -> None:
    """Fourteen attributes, those of an Application Load Balancer's target group."""
    assert attributes(Aws(SimCloud(SHARED))) == {
        DELAY: "300",
        "load_balancing.algorithm.anomaly_mitigation": "off",
        "load_balancing.algorithm.type": "round_robin",
        CROSS_ZONE: "use_load_balancer_configuration",
        "slow_start.duration_seconds": "0",
        "stickiness.app_cookie.cookie_name": "",
        "stickiness.app_cookie.duration_seconds": "86400",
        "stickiness.enabled": "false",
        "stickiness.lb_cookie.duration_seconds": "86400",
        "stickiness.type": "lb_cookie",
        COUNT: "1",
        PERCENT: "off",
        DNS_COUNT: "1",
        DNS_PERCENT: "off",
    }


@pytest.mark.parametrize(
    ("key", "value", "field", "expected"),
    [
        (DELAY, "30", "deregistration_seconds", 30),
        (CROSS_ZONE, "false", "cross_zone", False),
        (COUNT, "2", "minimum_healthy_count", 2),
        (PERCENT, "40", "minimum_healthy_percent", 40),
        (DNS_COUNT, "3", "dns_minimum_count", 3),
        (DNS_PERCENT, "50", "dns_minimum_percent", 50),
        (DNS_PERCENT, "off", "dns_minimum_percent", 0),
    ],
)
def test_what_an_attribute_says_the_world_does(key: str, value: str, field: str, expected: Any) -> None:
    """It is written to the world's settings, and read back."""
    cloud = SimCloud(SHARED)
    aws = Aws(cloud)
    modify(aws, {DNS_COUNT: "3", key: value})
    assert getattr(cloud.world.settings, field) == expected
    assert attributes(aws)[key] == value


def test_a_shorter_delay_drains_faster() -> None:
    """Whoever is taken out after the change is gone after the new delay; it lies within an hour."""
    cloud = SimCloud(SHARED)
    aws = Aws(cloud)
    modify(aws, {DELAY: "10"})
    aws.elbv2.deregister_targets(TargetGroupArn=TG, Targets=[{"Id": "i-0001"}])
    cloud.clock.sleep(9)
    assert aws.health(TG)["i-0001"] == "draining"
    cloud.clock.sleep(1)
    assert "i-0001" not in aws.health(TG)
    with pytest.raises(ClientError) as failure:
        modify(aws, {DELAY: "3601"})
    assert code(failure) == "ValidationError"


@pytest.mark.parametrize(
    "together",
    [
        {"slow_start.duration_seconds": "30", "load_balancing.algorithm.type": "least_outstanding_requests"},
        {"slow_start.duration_seconds": "30", "load_balancing.algorithm.type": "weighted_random"},
        {"stickiness.enabled": "true", "load_balancing.algorithm.type": "weighted_random"},
        {"load_balancing.algorithm.anomaly_mitigation": "on"},
        {"stickiness.enabled": "true", CROSS_ZONE: "false"},
        {DNS_COUNT: "2", COUNT: "3"},
        {DNS_PERCENT: "20", PERCENT: "30"},
    ],
)
def test_what_cannot_be_combined_is_refused(together: dict[str, str]) -> None:
    """Algorithm, slow start, stickiness, zones, and minimums that contradict each other change nothing."""
    cloud = SimCloud(SHARED)
    settings = cloud.world.settings
    with pytest.raises(ClientError) as failure:
        modify(Aws(cloud), together)
    assert code(failure) == "InvalidConfigurationRequest"
    assert cloud.world.settings == settings


def test_stickiness_needs_cross_zone() -> None:
    """Where cross-zone load balancing is off, turning stickiness on fails."""
    aws = Aws(SimCloud(SHARED))
    modify(aws, {CROSS_ZONE: "false"})
    with pytest.raises(ClientError) as failure:
        modify(aws, {"stickiness.enabled": "true"})
    assert code(failure) == "InvalidConfigurationRequest"


@pytest.mark.parametrize(
    ("key", "value"),
    [("no.such.attribute", "1"), (CROSS_ZONE, "maybe"), ("slow_start.duration_seconds", "10")],
)
def test_an_attribute_that_there_is_not_is_refused(key: str, value: str) -> None:
    """So is a value outside its range."""
    with pytest.raises(ClientError) as failure:
        modify(Aws(SimCloud(SHARED)), {key: value})
    assert code(failure) == "ValidationError"


def test_cross_zone_cannot_be_turned_off_at_the_load_balancer() -> None:
    """Only a target group can; the load balancer shows it as on."""
    aws = Aws(SimCloud(SHARED))
    off = [{"Key": CROSS_ZONE, "Value": "false"}]
    with pytest.raises(ClientError) as failure:
        aws.elbv2.modify_load_balancer_attributes(LoadBalancerArn=names.BALANCER_ARN, Attributes=off)
    assert code(failure) == "InvalidConfigurationRequest"
    shown = aws.elbv2.describe_load_balancer_attributes(LoadBalancerArn=names.BALANCER_ARN)["Attributes"]
    assert {"Key": CROSS_ZONE, "Value": "true"} in shown
    with pytest.raises(NotSimulated, match="idle_timeout"):
        aws.elbv2.modify_load_balancer_attributes(
            LoadBalancerArn=names.BALANCER_ARN,
            Attributes=[{"Key": "idle_timeout.timeout_seconds", "Value": "5"}],
        )


def test_the_load_balancer_shows_the_idle_timeout_that_it_heeds() -> None:
    """That of the settings."""
    aws = Aws(SimCloud(SHARED, settings=Settings(idle_timeout_seconds=120)))
    shown = aws.elbv2.describe_load_balancer_attributes(LoadBalancerArn=names.BALANCER_ARN)["Attributes"]
    assert {"Key": "idle_timeout.timeout_seconds", "Value": "120"} in shown


def test_a_target_group_turns_cross_zone_off_for_itself() -> None:
    """Requests that enter in the other zone then meet nobody."""
    cloud = SimCloud(SHARED, capacity=1, settings=Settings(zones=2))
    aws = Aws(cloud)
    cloud.clock.sleep(10)
    assert cloud.timeline.failed_requests == 0
    modify(aws, {CROSS_ZONE: "false"})
    cloud.clock.sleep(10)
    assert cloud.timeline.failed_requests == 500
    zones = aws.elbv2.describe_load_balancers()["LoadBalancers"][0]["AvailabilityZones"]
    assert [zone["ZoneName"] for zone in zones] == ["us-east-1a", "us-east-1b"]


# ----------------------------------------------------------------------------------------- health checks


def test_health_checks_are_described_as_they_were_set() -> None:
    """Protocol, port and path are kept, the others are the world's."""
    aws = Aws(SimCloud(SHARED))
    wanted = {
        "HealthCheckProtocol": "HTTPS",
        "HealthCheckPort": "8443",
        "HealthCheckPath": "/health",
        "HealthCheckIntervalSeconds": 20,
        "HealthCheckTimeoutSeconds": 4,
        "HealthyThresholdCount": 3,
        "UnhealthyThresholdCount": 4,
        "Matcher": {"HttpCode": "200-299"},
    }
    shown = aws.elbv2.describe_target_groups()["TargetGroups"][0]
    assert [shown[key] for key in list(wanted)[:5]] == ["HTTP", "traffic-port", "/", 10, 5]
    aws.elbv2.modify_target_group(TargetGroupArn=TG, **wanted)
    shown = aws.elbv2.describe_target_groups()["TargetGroups"][0]
    assert {key: shown[key] for key in wanted} == wanted


def test_a_changed_interval_counts_from_the_next_check_on() -> None:
    """Checks in a row that were made count on; the next is where it was, later ones are farther apart."""
    cloud = SimCloud(
        WEIGHTED,
        faults=[NeverHealthy("green")],
        settings=Settings(react_seconds=0, pending_seconds=0, unhealthy_threshold=3),
    )
    aws = Aws(cloud)
    aws.carry_out(SetSize(fleet="b", size=1, min=0, max=4))
    cloud.clock.sleep(20)  # checks failed at 5 s and 15 s
    aws.elbv2.modify_target_group(
        TargetGroupArn=TG_B, HealthCheckIntervalSeconds=30, UnhealthyThresholdCount=4
    )
    cloud.clock.sleep(34)
    assert aws.health(TG_B) == {"i-0003": "initial"}  # the third failed at 25 s
    cloud.clock.sleep(1)
    assert aws.health(TG_B) == {"i-0003": "unhealthy"}


def test_a_changed_matcher_is_heard_by_targets_that_were_healthy() -> None:
    """An application that always said 204 is healthy while that matches, and no longer."""
    cloud = SimCloud(SHARED, faults=[HealthAnswer("ami-0alpha", 204)], settings=Settings(matcher="200,204"))
    aws = Aws(cloud)
    cloud.clock.sleep(60)
    assert set(aws.health(TG).values()) == {"healthy"}
    aws.elbv2.modify_target_group(TargetGroupArn=TG, Matcher={"HttpCode": "200"})
    cloud.clock.sleep(20)
    assert set(aws.health(TG).values()) == {"unhealthy"}


def test_checks_of_instances_cannot_be_turned_off() -> None:
    """Only those of Lambda functions can."""
    with pytest.raises(ClientError) as failure:
        Aws(SimCloud(SHARED)).elbv2.modify_target_group(TargetGroupArn=TG, HealthCheckEnabled=False)
    assert code(failure) == "InvalidConfigurationRequest"


@pytest.mark.parametrize(
    "given",
    [
        {"HealthCheckTimeoutSeconds": 10},
        {"HealthCheckIntervalSeconds": 301},
        {"HealthyThresholdCount": 11},
        {"Matcher": {"HttpCode": "199"}},
        {"Matcher": {"HttpCode": "200-"}},
    ],
)
def test_checks_outside_awss_ranges_are_refused(given: dict[str, Any]) -> None:
    """Numbers, codes, and a timeout that is not below the interval."""
    with pytest.raises(ClientError) as failure:
        Aws(SimCloud(SHARED)).elbv2.modify_target_group(TargetGroupArn=TG, **given)
    assert code(failure) == "ValidationError"


# ------------------------------------------------------------------------------------------ rules, quotas


def test_a_rule_is_replaced_as_a_whole() -> None:
    """A target group that is not named again is in no rule any more."""
    cloud = SimCloud(WEIGHTED)
    aws = Aws(cloud)
    aws.weights(tg_a=10, tg_b=90)
    aws.weights(tg_b=90)
    assert cloud.world.rule == (("tg-b", 90),)
    assert set(aws.health(TG_A).values()) == {"unused"}


def test_the_default_rule_is_changed_through_the_listener_only() -> None:
    """ModifyRule refuses it, ModifyListener takes it."""
    cloud = SimCloud(WEIGHTED)
    aws = Aws(cloud)
    rule = aws.elbv2.describe_rules(ListenerArn=names.LISTENER_ARN)["Rules"][0]
    assert (rule["Priority"], rule["Conditions"]) == ("default", [])
    with pytest.raises(ClientError) as failure:
        aws.elbv2.modify_rule(RuleArn=rule["RuleArn"], Actions=forward(tg_a=1, tg_b=1))
    assert code(failure) == "OperationNotPermitted"
    aws.weights(tg_a=1, tg_b=1)
    assert cloud.world.rule == (("tg-a", 1), ("tg-b", 1))


def test_a_forward_names_at_most_five_target_groups() -> None:
    """The quota cannot be raised."""
    six = [{"TargetGroupArn": TG_A, "Weight": 1}] * 6
    actions: Any = [{"Type": "forward", "ForwardConfig": {"TargetGroups": six}}]
    with pytest.raises(ClientError) as failure:
        Aws(SimCloud(WEIGHTED)).elbv2.modify_listener(ListenerArn=names.LISTENER_ARN, DefaultActions=actions)
    assert code(failure) == "TooManyTargetGroups"


@pytest.mark.parametrize(
    "actions",
    [
        forward(tg_a=1000, tg_b=0),
        [{"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": TG_A}] * 2}}],
    ],
)
def test_weights_are_needed_and_at_most_999(actions: list[Any]) -> None:
    """The service says so; botocore does not."""
    with pytest.raises(ClientError) as failure:
        Aws(SimCloud(WEIGHTED)).elbv2.modify_listener(ListenerArn=names.LISTENER_ARN, DefaultActions=actions)
    assert code(failure) == "InvalidLoadBalancerAction"


def test_a_forward_that_names_two_different_groups_is_refused() -> None:
    """TargetGroupArn and ForwardConfig may be given together for one and the same group."""
    both = {**forward(tg_a=1)[0], "TargetGroupArn": TG_A}
    aws = Aws(SimCloud(WEIGHTED))
    aws.elbv2.modify_listener(ListenerArn=names.LISTENER_ARN, DefaultActions=[both])
    with pytest.raises(ClientError) as failure:
        aws.elbv2.modify_listener(
            ListenerArn=names.LISTENER_ARN, DefaultActions=[{**both, "TargetGroupArn": TG_B}]
        )
    assert code(failure) == "InvalidLoadBalancerAction"


def test_without_any_weight_nobody_is_asked() -> None:
    """A rule whose weights are all 0 answers 503; a deployment's command cannot write one."""
    cloud = SimCloud(WEIGHTED)
    cloud.world = cloud.world.replaced(rule=(("tg-a", 0), ("tg-b", 0)))
    cloud.clock.sleep(2)
    assert cloud.timeline.shares()[0]["errors"] == 100
    assert cloud.apply(SetShares(weights=(("a", 0), ("b", 0)))).error is ErrorClass.BUG


def test_requests_are_divided_by_weight() -> None:
    """In proportion, exactly: 30 of 100 requests with weights 3 and 7."""
    cloud = SimCloud(WEIGHTED, settings=Settings(react_seconds=0, pending_seconds=0, boot_seconds=(0,)))
    cloud.apply(SetSize(fleet="b", size=1, min=0, max=4))
    cloud.clock.sleep(10)
    cloud.apply(SetShares(weights=(("a", 7), ("b", 3))))
    cloud.clock.sleep(5)
    assert [row["green"] for row in cloud.timeline.counts()[10:]] == [30] * 5


def test_a_target_group_at_weight_0_is_checked() -> None:
    """It is named in the rule, and so its targets become healthy before they get a request."""
    cloud = SimCloud(WEIGHTED)
    aws = Aws(cloud)
    aws.carry_out(SetSize(fleet="b", size=1, min=0, max=4))
    cloud.clock.sleep(120)
    assert aws.health(TG_B) == {"i-0003": "healthy"}
    assert "i-0003" not in cloud.timeline.per_target()


def test_a_target_group_in_use_cannot_be_deleted() -> None:
    """Not while an action names it."""
    aws = Aws(SimCloud(WEIGHTED))
    with pytest.raises(ClientError) as failure:
        aws.elbv2.delete_target_group(TargetGroupArn=TG_B)
    assert code(failure) == "ResourceInUse"
    aws.weights(tg_a=1)
    with pytest.raises(NotSimulated):
        aws.elbv2.delete_target_group(TargetGroupArn=TG_B)


def test_a_target_group_has_at_most_a_thousand_targets() -> None:
    """One more is refused."""
    cloud = SimCloud(SHARED, capacity=1000)
    cloud.apply(SetSize(fleet="b", size=1, min=0, max=4))
    cloud.clock.sleep(60)
    with pytest.raises(ClientError) as failure:
        Aws(cloud).elbv2.register_targets(TargetGroupArn=TG, Targets=[{"Id": "i-1001"}])
    assert code(failure) == "TooManyTargets"


def test_only_a_running_instance_can_be_registered() -> None:
    """One that is pending is refused, and so is an id that nobody has."""
    cloud = SimCloud(SHARED)
    aws = Aws(cloud)
    aws.carry_out(SetSize(fleet="b", size=1, min=0, max=4))
    cloud.clock.sleep(5)
    for name in ("i-0003", "i-0009"):
        with pytest.raises(ClientError) as failure:
            aws.elbv2.register_targets(TargetGroupArn=TG, Targets=[{"Id": name}])
        assert code(failure) == "InvalidTarget"


def test_a_target_has_one_port() -> None:
    """Registering on another port is refused; taking out what is not there is no error."""
    cloud = SimCloud(SHARED)
    aws = Aws(cloud)
    other = [{"Id": "i-0001", "Port": 8080}]
    with pytest.raises(NotSimulated, match="one port"):
        aws.elbv2.register_targets(TargetGroupArn=TG, Targets=other)
    aws.elbv2.deregister_targets(TargetGroupArn=TG, Targets=[*other, {"Id": "i-0099"}])
    assert set(aws.health(TG).values()) == {"healthy"}


def test_a_draining_target_can_be_registered_again_at_once() -> None:
    """It begins anew, as initial."""
    cloud = SimCloud(SHARED)
    aws = Aws(cloud)
    aws.elbv2.deregister_targets(TargetGroupArn=TG, Targets=[{"Id": "i-0001"}])
    assert aws.health(TG)["i-0001"] == "draining"
    aws.elbv2.register_targets(TargetGroupArn=TG, Targets=[{"Id": "i-0001"}])
    assert aws.health(TG)["i-0001"] == "initial"
    cloud.clock.sleep(10)
    assert aws.health(TG)["i-0001"] == "healthy"


def test_stopping_an_instance_before_it_has_drained_loses_requests() -> None:
    """Deregister, wait, and only then stop: the other way round users meet it."""
    lost = []
    for order in (("end", "drain"), ("drain", "end")):
        cloud = SimCloud(SHARED, settings=evolve(Settings(), deregistration_seconds=30))
        aws = Aws(cloud)
        for act in order:
            if act == "end":
                aws.ec2.terminate_instances(InstanceIds=["i-0001"])
            else:
                aws.elbv2.deregister_targets(TargetGroupArn=TG, Targets=[{"Id": "i-0001"}])
            cloud.clock.sleep(31)
        lost.append(cloud.timeline.failed_requests)
    assert lost[0] > 0 == lost[1]
