"""Whatever an account looked like before a deployment, it looks so again, but for what was deployed."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bluegreen import (
    Alarm,
    Deployment,
    Limits,
    MemoryJournal,
    Operator,
    Plan,
    SharedTargetGroup,
    WeightedTargetGroups,
    strategies,
)
from bluegreen.aws import AwsCloud
from bluegreen.core.state import FORWARD, Phase
from bluegreen_sim import Settings, SimCloud
from bluegreen_sim.endpoint import names, session
from bluegreen_sim.endpoint.answers.elbv2 import with_priority
from bluegreen_sim.faults import NeverHealthy

PROOF = int(os.environ.get("BLUEGREEN_PROOF", "1"))
PRE_IMAGES = 5_000

BLUE, GREEN = "web-a", "web-b"
QUICK = Settings(boot_seconds=(5,), deregistration_seconds=10)
OWN_SCALING = ("AlarmNotification", "ScheduledActions")
HARMLESS = ("AZRebalance", "InstanceRefresh")
OIDC = {
    "Type": "authenticate-oidc",
    "Order": 1,
    "AuthenticateOidcConfig": {
        "Issuer": "https://id.example",
        "AuthorizationEndpoint": "https://id.example/a",
        "TokenEndpoint": "https://id.example/t",
        "UserInfoEndpoint": "https://id.example/u",
        "ClientId": "c",
        "UseExistingClientSecret": True,
    },
}


@attrs.frozen(kw_only=True)
class PreImage:
    """What somebody may have set before.

    Args:
        size: Blue's wanted size.
        slack: How far blue's minimum is below it, and its maximum above.
        idle_max: The idle group's maximum.
        suspended: Of each group.
        frozen: Whether each group's own scaling is suspended.
        versions: Versions of the template, the first of them blue's.
        idle_version: The version that the idle group is pinned to.
        weight: Blue's.
        test_weights: Of the rule by which test requests come.
        rule: Whether the traffic is divided by a rule of its own, behind a login.
        settings: Of both groups.
    """

    size: int
    slack: tuple[int, int]
    idle_max: int
    suspended: tuple[tuple[str, ...], tuple[str, ...]]
    frozen: tuple[bool, bool]
    versions: int
    idle_version: int
    weight: int
    test_weights: tuple[int, int]
    rule: bool
    settings: dict[str, Any]


processes = st.lists(st.sampled_from(HARMLESS), unique=True).map(lambda found: tuple(sorted(found)))
pre_images = st.integers(1, 3).flatmap(
    lambda versions: st.builds(
        PreImage,
        size=st.integers(1, 3),
        slack=st.tuples(st.integers(0, 1), st.integers(0, 3)),
        idle_max=st.integers(0, 6),
        suspended=st.tuples(processes, processes),
        frozen=st.tuples(st.booleans(), st.booleans()),
        versions=st.just(versions),
        idle_version=st.integers(1, versions),
        weight=st.integers(1, 999),
        test_weights=st.tuples(st.integers(0, 999), st.integers(0, 999)),
        rule=st.booleans(),
        settings=st.fixed_dictionaries(
            {},
            optional={
                "DefaultCooldown": st.integers(0, 600),
                "TerminationPolicies": st.just(["OldestInstance", "Default"]),
                "DefaultInstanceWarmup": st.integers(0, 60),
                "CapacityRebalance": st.booleans(),
            },
        ),
    )
)


def planned(
    routing: SharedTargetGroup | WeightedTargetGroups, *, tested: bool = False, **fields: Any
) -> Plan:
    """A canary, watched by one alarm."""
    return Plan(
        service="web",
        image="ami-2",
        launch_template="tpl",
        groups=(BLUE, GREEN),
        routing=routing,
        test_rules=(names.TEST_LISTENER_ARN,) if tested and isinstance(routing, WeightedTargetGroups) else (),
        strategy=strategies.canary(34, 10, last_bake_seconds=10),
        gates=(Alarm(name="errors"),),
        limits=Limits(poll_seconds=10),
        **fields,
    )


plans = st.builds(
    planned,
    tested=st.booleans(),
    routing=st.sampled_from([WeightedTargetGroups("tg-a", "tg-b"), SharedTargetGroup("tg")]),
    fleets=st.sampled_from(["standing", "standing", "replace"]),
    freeze_scaling=st.booleans(),
)
endings = st.sampled_from([None, "never healthy", *FORWARD])
"""Promoted; turned back by a green that is never healthy; called off in a phase."""


def lay_out(cloud: SimCloud, plan: Plan, before: PreImage) -> Any:
    """Make the account so; returns a boto3 session for it."""
    made = session(cloud)
    asg, elbv2, ec2 = (made.client(name) for name in ("autoscaling", "elbv2", "ec2"))
    for number in range(1, before.versions):
        ec2.create_launch_template_version(
            LaunchTemplateName="tpl",
            SourceVersion="1",
            VersionDescription=f"by hand {number}",
            LaunchTemplateData={"ImageId": "ami-0alpha"},
        )
    low, high = before.slack
    sizes = {BLUE: (before.size - low, before.size + high), GREEN: (0, before.idle_max)}
    for index, name in enumerate(plan.groups[: 1 if plan.fleets == "replace" else 2]):
        asg.update_auto_scaling_group(
            AutoScalingGroupName=name,
            MinSize=sizes[name][0],
            MaxSize=sizes[name][1],
            DesiredCapacity=before.size if name == BLUE else 0,
            **before.settings,
        )
        stopped = [*before.suspended[index], *(OWN_SCALING if before.frozen[index] else ())]
        if stopped:
            asg.suspend_processes(AutoScalingGroupName=name, ScalingProcesses=stopped)
        asg.create_or_update_tags(
            Tags=[
                {
                    "ResourceId": name,
                    "ResourceType": "auto-scaling-group",
                    "Key": "team",
                    "Value": name,
                    "PropagateAtLaunch": True,
                }
            ]
        )
        if name == GREEN:
            pin = {"LaunchTemplateName": "tpl", "Version": str(before.idle_version)}
            asg.update_auto_scaling_group(AutoScalingGroupName=name, LaunchTemplate=pin)
    if not plan.shared:
        groups = [
            {"TargetGroupArn": names.target_group_arn(name), "Weight": weight}
            for name, weight in (("tg-a", before.weight), ("tg-b", 0))
        ]
        forward = {"Type": "forward", "Order": 2, "ForwardConfig": {"TargetGroups": groups}}
        if before.rule:
            cloud.world = with_priority(cloud.world, 7)
            conditions = [{"Field": "host-header", "HostHeaderConfig": {"Values": ["web.example"]}}]
            rule = names.rule_arn("7")
            elbv2.modify_rule(RuleArn=rule, Actions=[OIDC, forward], Conditions=conditions)
        else:
            elbv2.modify_listener(ListenerArn=names.LISTENER_ARN, DefaultActions=[forward])
    if plan.test_rules:
        weights = zip(("tg-a", "tg-b"), before.test_weights, strict=True)
        groups = [{"TargetGroupArn": names.target_group_arn(name), "Weight": part} for name, part in weights]
        forward = {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}
        elbv2.modify_listener(ListenerArn=names.TEST_LISTENER_ARN, DefaultActions=[forward])
    return made


def settings_of(made: Any) -> dict[str, Any]:
    """All that is set in the account, but the instances, which come and go."""
    asg, elbv2, ec2, watch = (made.client(name) for name in ("autoscaling", "elbv2", "ec2", "cloudwatch"))
    groups = asg.describe_auto_scaling_groups()["AutoScalingGroups"]
    targets = elbv2.describe_target_groups()["TargetGroups"]
    alarms = watch.describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    return {
        "groups": {
            group["AutoScalingGroupName"]: {key: value for key, value in group.items() if key != "Instances"}
            for group in groups
        },
        "rules": elbv2.describe_rules(ListenerArn=names.LISTENER_ARN)["Rules"],
        "listeners": elbv2.describe_listeners()["Listeners"],
        "targets": targets,
        "attributes": [
            elbv2.describe_target_group_attributes(TargetGroupArn=each["TargetGroupArn"])["Attributes"]
            for each in targets
        ],
        "default": ec2.describe_launch_templates()["LaunchTemplates"][0]["DefaultVersionNumber"],
        "alarms": alarms["MetricAlarms"] + alarms["CompositeAlarms"],
    }


def run(cloud: SimCloud, plan: Plan, ending: object, crash: int, *, wired: bool) -> Phase:
    """Deploy to the end; the process ends after so many passes, and another one goes on."""
    journal = MemoryJournal()

    def door() -> Any:
        return AwsCloud(session(cloud), clock=cloud.clock) if wired else cloud

    deployment = Deployment(plan, door(), journal=journal)
    passes, called_off = 0, False
    while True:
        step = deployment.advance()
        passes += 1
        if step.state.phase in (Phase.PROMOTED, Phase.ROLLED_BACK, Phase.REFUSED, Phase.HALTED):
            return step.state.phase
        if step.state.phase is ending and not called_off:
            Operator(journal, "web", by="alice").abort("the test says so")
            called_off = True
        if passes == crash:
            deployment.release()
            deployment = Deployment.load("web", door(), journal)
        cloud.clock.sleep(step.wake_at - cloud.clock.now())


def weightless(rules: Any) -> Any:
    """Rules and listeners without their weights."""
    if isinstance(rules, dict):
        return {key: weightless(value) for key, value in rules.items() if key != "Weight"}
    return [weightless(each) for each in rules] if isinstance(rules, list) else rules


SWAPPED = ("MinSize", "MaxSize", "DesiredCapacity", "LaunchTemplate", "TargetGroupARNs", "TrafficSources")


def campaign(accounts: int, *, wired: bool = True) -> Counter[str]:
    """So many accounts, deployed to through boto3 or by SimCloud itself; how often each end was reached."""
    ends: Counter[str] = Counter()

    @settings(max_examples=accounts, suppress_health_check=list(HealthCheck))
    @given(plan=plans, before=pre_images, ending=endings, crash=st.integers(1, 30))
    def deploy(plan: Plan, before: PreImage, ending: object, crash: int) -> None:
        faults = [NeverHealthy(image=plan.image)] if ending == "never healthy" else []
        cloud = SimCloud(plan, capacity=before.size, traffic=0, settings=QUICK, faults=faults)
        made = lay_out(cloud, plan, before)
        then = settings_of(made)
        end = run(cloud, plan, ending, crash, wired=wired)
        now = settings_of(made)
        ends[end.value] += 1
        if end is Phase.PROMOTED:
            promoted(plan, then, now, wired=wired)
        else:
            assert end is Phase.ROLLED_BACK
            assert now == then

    deploy()
    return ends


def promoted(plan: Plan, then: dict[str, Any], now: dict[str, Any], *, wired: bool) -> None:
    """Roles are swapped with their bounds; nothing else in the account is another than it was."""
    blue, green = then["groups"][BLUE], now["groups"][GREEN]
    assert (green["MinSize"], green["MaxSize"]) == (blue["MinSize"], blue["MaxSize"])
    assert green["DesiredCapacity"] == blue["DesiredCapacity"]
    for part in ("attributes", "default", "alarms", "targets"):
        assert now[part] == then[part], part
    assert now["listeners"][1:] == then["listeners"][1:], "test requests go where they went"
    for part in ("rules", "listeners"):
        assert weightless(now[part]) == weightless(then[part]), part
    if plan.fleets == "replace":
        assert set(now["groups"]) == {GREEN}
        own = {"AutoScalingGroupName", "AutoScalingGroupARN", "CreatedTime", "Tags", *SWAPPED}
        # What only AWS keeps of a group, only the adapter copies.
        assert not wired or {key for key in blue if green.get(key) != blue[key]} <= own
        return
    idle, was = now["groups"][BLUE], then["groups"][GREEN]
    assert (idle["MinSize"], idle["DesiredCapacity"]) == (was["MinSize"], 0)
    assert idle["MaxSize"] == was["MaxSize"]
    for name in plan.groups:
        left = {key: value for key, value in now["groups"][name].items() if key not in SWAPPED}
        assert left == {key: value for key, value in then["groups"][name].items() if key not in SWAPPED}


def test_a_green_that_is_frozen_on_the_way_gets_the_rest_of_blue_s_suspensions() -> None:
    """What this deployment suspends on a group that it made is not taken for what blue had suspended."""
    plan = planned(SharedTargetGroup("tg"), fleets="replace", freeze_scaling=True)
    before = PreImage(
        size=2,
        slack=(0, 0),
        idle_max=0,
        suspended=(("AZRebalance",), ()),
        frozen=(False, False),
        versions=1,
        idle_version=1,
        weight=1,
        test_weights=(0, 0),
        rule=False,
        settings={},
    )
    cloud = SimCloud(plan, capacity=2, traffic=0, settings=QUICK)
    made = lay_out(cloud, plan, before)
    then = settings_of(made)
    assert run(cloud, plan, None, 0, wired=True) is Phase.PROMOTED
    promoted(plan, then, settings_of(made), wired=True)


@pytest.mark.slow
@pytest.mark.property
def test_an_account_is_as_it_was() -> None:
    """Sizes, bounds, versions, suspensions, weights, rules: deployed or given up, nothing is left changed."""
    ends = campaign(int(os.environ.get("BLUEGREEN_EXAMPLES", "100")) // 2)
    assert set(ends) == {"promoted", "rolled_back"}


@pytest.mark.proof
def test_five_thousand_accounts_are_as_they_were() -> None:
    """The same of 5,000 accounts, one in ten through boto3: no difference in any."""
    ends = campaign(PRE_IMAGES * PROOF * 9 // 10, wired=False) + campaign(PRE_IMAGES * PROOF // 10)
    assert sum(ends.values()) >= PRE_IMAGES * PROOF
    assert min(ends["promoted"], ends["rolled_back"]) > 500
