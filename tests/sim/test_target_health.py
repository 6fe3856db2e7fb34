"""Every state of a target, with the reason and the words that DescribeTargetHealth gives for it."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from botocore.exceptions import ClientError

import bluegreen
from bluegreen.core.commands import SetShares, SetSize
from bluegreen.core.limits import Limits
from bluegreen.core.state import Ledger, Phase
from bluegreen_sim import (
    Dies,
    Fault,
    HealthAnswer,
    InternalError,
    LuckyProbe,
    NeverHealthy,
    Settings,
    Sick,
    SimCloud,
    StaleLook,
    StuckDrain,
)
from tests.sim.wired import SHARED, TG, TG_A, TG_B, WEIGHTED, Aws, code

GREEN = SetSize(fleet="b", size=1, min=0, max=4)
FAST = Settings(react_seconds=0, pending_seconds=0, boot_seconds=(0,))


def shown(aws: Aws, name: str, arn: str = TG_B) -> dict[str, Any]:
    """What is said of one target, by name."""
    found = aws.elbv2.describe_target_health(TargetGroupArn=arn, Targets=[{"Id": name}])
    health: dict[str, Any] = found["TargetHealthDescriptions"][0]["TargetHealth"]
    return health


def grown(*faults: Fault, settings: Settings = FAST, seconds: float = 60) -> tuple[SimCloud, Aws]:
    """A cloud in which a green instance was launched so long ago."""
    cloud = SimCloud(WEIGHTED, faults=faults, settings=settings)
    aws = Aws(cloud)
    aws.carry_out(GREEN)
    cloud.clock.sleep(seconds)
    return cloud, aws


def states(cloud: SimCloud, seconds: int) -> list[str]:
    """What is said of the green instance at the end of each second to come."""
    found = []
    for _ in range(seconds):
        cloud.clock.sleep(1)
        group = cloud.world.group("b")
        assert group is not None
        found.append(group.instances[0].target)
    return found


# --------------------------------------------------------------------------------------- states and reasons


def test_a_new_target_is_initial_before_and_after_its_first_check() -> None:
    """Registration in progress until it is checked, initial health checks until there is a verdict."""
    cloud, aws = grown(NeverHealthy(), seconds=1)
    assert shown(aws, "i-0003") == {
        "State": "initial",
        "Reason": "Elb.RegistrationInProgress",
        "Description": "Target registration is in progress",
    }
    cloud.clock.sleep(9)
    assert shown(aws, "i-0003") == {
        "State": "initial",
        "Reason": "Elb.InitialHealthChecking",
        "Description": "Initial health checks in progress",
    }


def test_a_healthy_target_has_no_reason() -> None:
    """The state is all there is."""
    _, aws = grown()
    assert shown(aws, "i-0003") == {"State": "healthy"}


def test_a_wrong_status_code_is_named() -> None:
    """The application answers its users, and health checks with a code that does not match."""
    cloud, aws = grown(HealthAnswer("ami-0alpha", 503))
    assert shown(aws, "i-0003") == {
        "State": "unhealthy",
        "Reason": "Target.ResponseCodeMismatch",
        "Description": "Health checks failed with these codes: [503]",
    }
    assert cloud.fetch("http://i-0003/")[0] == 200


def test_a_check_that_is_answered_too_late_has_timed_out() -> None:
    """Six seconds are too long for a timeout of five, and not for one of seven."""
    slow = HealthAnswer("ami-0alpha", seconds=6)
    _, aws = grown(slow)
    assert shown(aws, "i-0003") == {
        "State": "unhealthy",
        "Reason": "Target.Timeout",
        "Description": "Request timed out",
    }
    _, aws = grown(slow, settings=Settings(boot_seconds=(0,), check_timeout_seconds=7))
    assert shown(aws, "i-0003")["State"] == "healthy"


def test_an_application_that_is_down_fails_health_checks() -> None:
    """Nobody listens on the port."""
    cloud, aws = grown(Sick("green", 30))
    assert shown(aws, "i-0003") == {
        "State": "unhealthy",
        "Reason": "Target.FailedHealthChecks",
        "Description": "Health checks failed",
    }
    assert cloud.fetch("http://i-0003/")[0] == 502


def test_an_instance_that_fails_altogether_times_out() -> None:
    """Its address does not answer at all."""
    cloud, aws = grown(Dies("green", 20), seconds=50)
    assert shown(aws, "i-0003")["Reason"] == "Target.Timeout"
    assert cloud.fetch("http://i-0003/")[0] == 504


def test_an_error_of_the_load_balancers_own_is_told() -> None:
    """Then the application is well, and its target is not."""
    cloud, aws = grown(InternalError("green"))
    assert shown(aws, "i-0003") == {
        "State": "unhealthy",
        "Reason": "Elb.InternalError",
        "Description": "Health checks failed due to an internal error",
    }
    assert cloud.fetch("http://i-0003/")[0] == 200


def test_who_is_not_registered_is_unused() -> None:
    """A target that is asked for by name, and is none."""
    _, aws = grown()
    assert shown(aws, "i-0001") == {
        "State": "unused",
        "Reason": "Target.NotRegistered",
        "Description": "Target is not registered to the target group",
    }


def test_targets_of_a_group_in_no_rule_are_unused() -> None:
    """They are never checked, however long they are there."""
    cloud = SimCloud(WEIGHTED, settings=FAST)
    aws = Aws(cloud)
    aws.weights(tg_a=1)
    aws.carry_out(GREEN)
    cloud.clock.sleep(300)
    assert shown(aws, "i-0003") == {
        "State": "unused",
        "Reason": "Target.NotInUse",
        "Description": "Target group is not configured to receive traffic from the load balancer",
    }


def test_a_target_in_a_zone_without_a_node_is_unused() -> None:
    """Registered, in a zone that the load balancer is not enabled in: no check, no request."""
    cloud = SimCloud(SHARED, settings=Settings(zones=2, disabled_zones=(1,)))
    cloud.clock.sleep(60)
    assert shown(Aws(cloud), "i-0002", TG) == {
        "State": "unused",
        "Reason": "Target.NotInUse",
        "Description": "Target is in an Availability Zone that is not enabled for the load balancer",
    }
    assert cloud.timeline.per_target() == {"i-0001": 6000}
    fleet = cloud.observe(SHARED, Ledger("d")).fleet("a")
    assert fleet is not None
    assert fleet.healthy == 1


def test_an_instance_that_was_ended_fails_requests_and_is_then_unused() -> None:
    """Until checks have failed users meet it; then its state is invalid, and it gets none."""
    cloud = SimCloud(SHARED)
    aws = Aws(cloud)
    aws.ec2.terminate_instances(InstanceIds=["i-0001"])
    cloud.clock.sleep(30)
    assert shown(aws, "i-0001", TG) == {
        "State": "unused",
        "Reason": "Target.InvalidState",
        "Description": "Target is in the stopped or terminated state",
    }
    failed = {row["second"] for row in cloud.timeline.counts() if row["failed"]}
    assert failed == set(range(20))
    with pytest.raises(ClientError) as failure:
        aws.elbv2.register_targets(TargetGroupArn=TG, Targets=[{"Id": "i-0001"}])
    assert code(failure) == "InvalidTarget"


def test_a_draining_target_says_so() -> None:
    """For the whole delay; then it is not registered."""
    cloud = SimCloud(SHARED, settings=Settings(deregistration_seconds=120))
    aws = Aws(cloud)
    aws.elbv2.deregister_targets(TargetGroupArn=TG, Targets=[{"Id": "i-0001"}])
    cloud.clock.sleep(119)
    assert shown(aws, "i-0001", TG) == {
        "State": "draining",
        "Reason": "Target.DeregistrationInProgress",
        "Description": "Target deregistration is in progress",
    }
    assert "i-0001" not in cloud.timeline.per_target()
    cloud.clock.sleep(1)
    assert shown(aws, "i-0001", TG)["Reason"] == "Target.NotRegistered"


def test_a_target_is_described_with_its_port() -> None:
    """The port that requests go to, and the one that is checked."""
    _, aws = grown()
    found = aws.elbv2.describe_target_health(TargetGroupArn=TG_A)["TargetHealthDescriptions"][0]
    assert (found["Target"], found["HealthCheckPort"]) == ({"Id": "i-0001", "Port": 80}, "80")


def test_a_look_may_be_older_than_a_registration() -> None:
    """Then the target that was just registered is not registered yet."""
    cloud = SimCloud(SHARED, faults=[StaleLook(2)])
    aws = Aws(cloud)
    aws.elbv2.deregister_targets(TargetGroupArn=TG, Targets=[{"Id": "i-0001"}])
    cloud.clock.sleep(301)
    seen = [shown(aws, "i-0001", TG)["Reason"]]
    aws.elbv2.register_targets(TargetGroupArn=TG, Targets=[{"Id": "i-0001"}])
    for _ in range(2):
        seen.append(shown(aws, "i-0001", TG)["Reason"])
        cloud.clock.sleep(1)
    assert seen == ["Target.NotRegistered", "Target.NotRegistered", "Elb.RegistrationInProgress"]


# ------------------------------------------------------------------------------------------------- checks


def test_checks_come_at_the_interval() -> None:
    """The first after 5 s, every 30 s then: two that fail are over at 35 s."""
    settings = Settings(react_seconds=0, pending_seconds=0, check_interval_seconds=30)
    cloud, _ = grown(NeverHealthy("green"), settings=settings, seconds=0)
    assert states(cloud, 40).index("unhealthy") + 1 == 35


def test_slow_answers_do_not_move_later_checks() -> None:
    """An application that answers after four seconds recovers at checks that are still ten seconds apart."""
    slow = HealthAnswer("ami-0alpha", seconds=4)
    cloud, _ = grown(slow, Sick("green", 10, for_seconds=25), seconds=5)
    assert states(cloud, 80) == ["healthy"] * 19 + ["unhealthy"] * 60 + ["healthy"]


@pytest.mark.parametrize(("failed", "passed"), [(2, 2), (3, 4)])
def test_thresholds_are_counts_of_checks_in_a_row(failed: int, passed: int) -> None:
    """So many failed checks make a healthy target unhealthy, so many passed ones healthy again."""
    settings = Settings(boot_seconds=(0,), unhealthy_threshold=failed, healthy_threshold=passed)
    cloud, _ = grown(Sick("green", 60, for_seconds=60), settings=settings, seconds=60)
    found = states(cloud, 120)  # registered at 18 s, so checks are at 63 s, 73 s, ...
    assert found.index("unhealthy") + 61 == 63 + 10 * (failed - 1)
    assert found.index("healthy", 50) + 61 == 123 + 10 * (passed - 1)


def test_other_codes_pass_when_the_matcher_has_them() -> None:
    """Lists and ranges."""
    answer = HealthAnswer("ami-0alpha", 204)
    for matcher, state in (("200", "unhealthy"), ("200,204", "healthy"), ("201-299", "healthy")):
        _, aws = grown(answer, settings=Settings(boot_seconds=(0,), matcher=matcher))
        assert shown(aws, "i-0003")["State"] == state


def test_one_lucky_probe_puts_a_target_in_service() -> None:
    """It is healthy by a single check, gets requests, and answers none; a deployment does not fall for it."""
    cloud, _ = grown(LuckyProbe("ami-0alpha"), seconds=6)
    assert states(cloud, 1) == ["healthy"]
    cloud.apply(SetShares(weights=(("a", 0), ("b", 100))))
    cloud.clock.sleep(5)
    assert cloud.timeline.failed_requests == 500
    world = SimCloud(WEIGHTED, faults=[LuckyProbe("ami-new")], settings=FAST)
    # Two checks fail within 20 s; a proof that asks for less could be passed by luck.
    plan = evolve(WEIGHTED, gates=(), limits=Limits(proof_looks=5, proof_seconds=30))
    result = bluegreen.Deployment(plan, world).run()
    assert result.phase is Phase.ROLLED_BACK
    assert world.timeline.failed_requests == 0


def test_a_drain_that_never_ends_is_waited_for_and_told() -> None:
    """Blue is shown as draining for ever: the deployment ends, and says what is left over."""
    cloud = SimCloud(WEIGHTED, faults=[StuckDrain("blue")], settings=Settings(deregistration_seconds=30))
    result = bluegreen.Deployment(WEIGHTED, cloud).run()
    assert result.phase is Phase.PROMOTED
    assert cloud.timeline.failed_requests == 0
    assert "2 draining" in result.reason
