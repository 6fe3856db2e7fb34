"""What AWS says of a group and its instances, in the core's words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bluegreen.aws import fleets
from bluegreen.core.observation import Health

H = Health
ARN = "arn:tg"


def seen(
    life: str = "InService",
    state: str | None = "healthy",
    reason: str | None = None,
    *,
    outside: bool = False,
    status: tuple[str, str, str] | None = None,
    verdict: str = "Healthy",
) -> tuple[Health, str | None]:
    """The verdict on one instance.

    Args:
        life: Its lifecycle state in the group.
        state: Its state as a target; None: it is no target.
        reason: The reason code beside it.
        outside: Whether the group is not behind the shared target group, so that EC2 judges.
        status: Instance state, instance status, system status; None: not shown yet.
        verdict: Auto Scaling's own.
    """
    instance = {
        "InstanceId": "i-1",
        "LifecycleState": life,
        "HealthStatus": verdict,
        "LaunchTemplate": {"Version": "7"},
    }
    group: dict[str, Any] = {
        "AutoScalingGroupName": "g",
        "MinSize": 1,
        "MaxSize": 2,
        "DesiredCapacity": 1,
        "TargetGroupARNs": [] if outside else [ARN],
        "Instances": [instance],
    }
    health = {"State": state} | ({"Reason": reason} if reason else {})
    targets = {"i-1": {"Target": {"Id": "i-1"}, "TargetHealth": health}} if state else {}
    statuses: dict[str, Any] | None = {} if outside else None
    if status:
        parts = zip(
            ("InstanceState", "InstanceStatus", "SystemStatus"),
            ("Name", "Status", "Status"),
            status,
            strict=True,
        )
        statuses = {"i-1": {part: {key: value} for part, key, value in parts}}
    (target,) = fleets.fleet(group, [ARN], targets, statuses).targets
    assert (target.id, target.version) == ("i-1", 7)
    return target.health, target.reason


@pytest.mark.parametrize(
    ("state", "reason", "health"),
    [
        ("healthy", None, H.HEALTHY),
        ("initial", "Elb.RegistrationInProgress", H.INITIAL),
        ("initial", "Elb.InitialHealthChecking", H.INITIAL),
        ("unhealthy", "Target.ResponseCodeMismatch", H.UNHEALTHY),
        ("unhealthy", "Target.Timeout", H.UNHEALTHY),
        ("unhealthy", "Target.FailedHealthChecks", H.UNHEALTHY),
        ("unhealthy", "Elb.InternalError", H.UNHEALTHY),
        ("unused", "Target.NotRegistered", H.INITIAL),
        ("unused", "Target.NotInUse", H.UNKNOWN),
        ("unused", "Target.InvalidState", H.UNHEALTHY),
        ("unused", "Target.IpUnusable", H.UNKNOWN),
        ("draining", "Target.DeregistrationInProgress", H.DRAINING),
        ("unhealthy.draining", None, H.DRAINING),
        ("unavailable", "Target.HealthCheckDisabled", H.UNKNOWN),
        ("zonal_hold", None, H.UNKNOWN),
    ],
)
def test_the_balancer_judges_who_is_behind_it(state: str, reason: str | None, health: Health) -> None:
    """Every state of a target that AWS documents has its word; one that nobody knows is not healthy."""
    assert seen(state=state, reason=reason) == (health, reason)


def test_of_several_target_groups_the_worst_speaks() -> None:
    """An instance is healthy when all say so, and not known before all know it."""

    def say(**states: str) -> dict[str, Any]:
        return {name: {"TargetHealth": {"State": state}} for name, state in states.items()}

    front, inner = say(a="healthy", b="healthy", c="healthy"), say(a="healthy", b="draining", d="healthy")
    found = fleets.worst([front, inner])
    assert {name: each["TargetHealth"]["State"] for name, each in found.items()} == {
        "a": "healthy",
        "b": "draining",
    }
    assert fleets.worst([inner, front]) == found
    assert fleets.worst([front]) == front


def test_in_service_is_not_healthy() -> None:
    """An instance in service that the balancer does not show yet has no verdict."""
    assert seen(state=None) == (H.INITIAL, "Target.NotRegistered")


@pytest.mark.parametrize(
    ("life", "health"),
    [
        ("Pending", H.INITIAL),
        ("Pending:Wait", H.INITIAL),
        ("Pending:Proceed", H.INITIAL),
        ("Terminating", H.DRAINING),
        ("Terminating:Wait", H.DRAINING),
        ("Detaching", H.DRAINING),
        ("Standby", H.UNKNOWN),
        ("Quarantined", H.UNKNOWN),
        ("ReplacingRootVolume", H.UNKNOWN),
        ("SomethingNew", H.UNKNOWN),
    ],
)
def test_a_life_outside_service_is_never_healthy(life: str, health: Health) -> None:
    """However well the balancer speaks of it, an instance counts only while it is in service."""
    assert seen(life=life)[0] is health


def test_an_instance_that_has_ended_is_no_instance() -> None:
    """A terminated instance is listed by its group for a while, and is not there."""
    assert fleets.instances({"Instances": [{"LifecycleState": "Terminated"}]}) == []


def test_what_auto_scaling_gave_up_is_not_healthy() -> None:
    """An instance that its group is about to replace is sick, though the balancer may not know yet."""
    assert seen(verdict="Unhealthy") == (H.UNHEALTHY, "HealthStatus.Unhealthy")
    assert seen(state="initial", reason="Elb.InitialHealthChecking", verdict="Unhealthy")[0] is H.INITIAL


@pytest.mark.parametrize(
    ("status", "health"),
    [
        (None, H.INITIAL),
        (("running", "initializing", "initializing"), H.INITIAL),
        (("running", "ok", "initializing"), H.INITIAL),
        (("running", "insufficient-data", "ok"), H.INITIAL),
        (("running", "ok", "ok"), H.HEALTHY),
        (("running", "ok", "not-applicable"), H.HEALTHY),
        (("running", "impaired", "ok"), H.UNHEALTHY),
        (("running", "ok", "impaired"), H.UNHEALTHY),
        (("stopped", "not-applicable", "not-applicable"), H.UNHEALTHY),
        (("shutting-down", "ok", "ok"), H.UNHEALTHY),
        (("running", "odd", "ok"), H.INITIAL),
    ],
)
def test_ec2_judges_who_is_behind_nothing(status: tuple[str, str, str] | None, health: Health) -> None:
    """Before a group is attached both of EC2's status checks decide; the rest is not passed."""
    assert seen(state=None, outside=True, status=status)[0] is health


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("draining", "Target.DeregistrationInProgress"),
        ("healthy", "still a target, healthy"),
        ("unhealthy", "still a target, unhealthy"),
        ("initial", "still a target, initial"),
    ],
)
def test_who_is_taken_out_is_on_its_way_as_long_as_it_is_a_target(state: str, reason: str) -> None:
    """After a detach an instance runs on; until the balancer shows it no more it may get requests."""
    said = "Target.DeregistrationInProgress" if state == "draining" else None
    well = ("running", "ok", "ok")
    assert seen(state=state, reason=said, outside=True, status=well) == (H.DRAINING, reason)
    assert seen(state="unused", reason="Target.NotRegistered", outside=True, status=well) == (H.HEALTHY, None)


@pytest.mark.parametrize("version", ["$Latest", "$Default", "", None])
def test_only_a_number_is_a_pinned_version(version: str | None) -> None:
    """What AWS resolves at each launch is no version that could be proven."""
    assert fleets.pinned({"Version": version}) is None
    assert fleets.pinned(None) is None
    assert fleets.pinned({"Version": "12"}) == 12


def activity(what: str, code: str, message: str | None = None) -> dict[str, Any]:
    """A scaling activity."""
    return {"Description": f"{what} a new EC2 instance: i-1", "StatusCode": code} | (
        {"StatusMessage": message} if message else {}
    )


def test_a_failed_launch_is_told_in_aws_words() -> None:
    """The newest launch decides: what failed before one that went well is over."""
    failed = activity("Launching", "Failed", "We currently do not have sufficient t3.micro capacity")
    assert told(failed) == "We currently do not have sufficient t3.micro capacity"
    assert told(activity("Terminating", "Failed"), failed) == failed["StatusMessage"]
    assert told(activity("Launching", "Successful"), failed) is None
    assert told(activity("Launching", "Cancelled")) == "Cancelled"
    assert told() is None


def told(*activities: dict[str, Any]) -> str | None:
    """The words of the failure that decides."""
    failure = fleets.launch_failure(activities)
    return failure.words if failure else None


NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("words", "hopeless"),
    [
        ("The image id '[ami-1]' does not exist", True),
        ("The security group 'sg-1' does not exist in VPC 'vpc-1'", True),
        ("The key pair 'k' does not exist", True),
        ("Client.InternalError: Client error on launch", True),
        ("You are not authorized to perform this operation", True),
        ("The requested configuration is currently not supported. Please check the documentation", True),
        (
            "Your requested instance type (m1.small) is not supported in your requested Availability Zone",
            True,
        ),
        (
            "We currently do not have sufficient t3.micro capacity in the Availability Zone you requested",
            False,
        ),
        ("You have requested more instances (9) than your current instance limit of 8 allows", False),
        (
            "Value (x) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name",
            False,
        ),
        ("Something that nobody has heard of", False),
    ],
)
def test_what_waiting_does_not_mend_is_told_apart(words: str, *, hopeless: bool) -> None:
    """What is missing, wrong or forbidden is hopeless, in a zone if it is the only one; the rest may come."""
    failed = activity("Launching", "Failed", words) | {"StartTime": NOON}
    found = fleets.launch_failure([failed], NOON)
    assert found == fleets.Failure(words, hopeless)
    assert fleets.launch_failure([failed], NOON + timedelta(seconds=1)) is None, "of an earlier version"
    assert fleets.launch_failure([failed]) == fleets.Failure(words, hopeless=False), "no version yet"
    elsewhere = fleets.launch_failure([failed], NOON, zones=3)
    assert elsewhere == fleets.Failure(words, hopeless and "Availability Zone" not in words)


def test_who_is_to_go_loses_protection_first() -> None:
    """As many as must go and are not free, 50 at a time; nobody when enough are free, or none is to go."""
    members = [
        {"InstanceId": f"i-{n}", "LifecycleState": "InService", "ProtectedFromScaleIn": n >= 2}
        for n in range(5)
    ]
    shown = group(Instances=members)
    assert fleets.protected(shown, 0) == ["i-2", "i-3", "i-4"]
    assert fleets.protected(shown, 2) == ["i-2"]
    assert fleets.protected(shown, 3) == fleets.protected(shown, 5) == fleets.protected(shown, 9) == []
    many = [{**members[4], "InstanceId": f"i-{n}"} for n in range(120)]
    assert len(fleets.protected(group(Instances=many), 0)) == fleets.PROTECTED_A_CALL == 50


def group(**changes: Any) -> dict[str, Any]:
    """A group that a deployment can work with, unless changed."""
    sound: dict[str, Any] = {
        "AutoScalingGroupName": "g",
        "DesiredCapacity": 2,
        "LaunchTemplate": {"LaunchTemplateName": "t", "Version": "3"},
        "TargetGroupARNs": [ARN],
    }
    return sound | changes


OWN = {"LaunchTemplateSpecification": {"LaunchTemplateName": "t", "Version": "3"}}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"Status": "Delete in progress"}, "is being deleted"),
        ({"LaunchTemplate": None, "LaunchConfigurationName": "l"}, "launches from a launch configuration"),
        (
            {"LaunchTemplate": None, "MixedInstancesPolicy": {"LaunchTemplate": {**OWN, "Overrides": [OWN]}}},
            "has overrides with a template of their own",
        ),
        ({"LaunchTemplate": {"LaunchTemplateName": "u", "Version": "3"}}, "launches from template u, not t"),
        ({"LaunchTemplate": {"LaunchTemplateName": "t", "Version": "$Latest"}}, "pin it to a number"),
        ({"TargetGroupARNs": []}, "is not attached to its target group"),
        *(
            ({"SuspendedProcesses": [{"ProcessName": name}]}, f"has {name} suspended")
            for name in ("AddToLoadBalancer", "HealthCheck", "Launch", "Terminate")
        ),
        ({"SuspendedProcesses": [{"ProcessName": "ScheduledActions"}]}, "suspend both, or neither"),
        ({"LaunchTemplate": {"LaunchTemplateName": "t"}, "DesiredCapacity": 0}, "launches from $Default"),
        ({"TargetGroupARNs": [ARN, "arn:other"]}, "is behind arn:other too"),
        ({"TrafficSources": [{"Identifier": "arn:lattice"}]}, "is behind arn:lattice too"),
        ({"LoadBalancerNames": ["classic"]}, "is behind classic too"),
        ({"WarmPoolConfiguration": {"MinSize": 1}}, "has a warm pool"),
        ({"Instances": [{"InstanceId": "i-1", "LifecycleState": "Standby"}]}, "has instances in Standby"),
    ],
)
def test_a_group_that_cannot_be_worked_with_is_named(changes: dict[str, Any], said: str) -> None:
    """What would make a deployment fail half-way is said before it begins: one sentence with the remedy."""
    (problem,) = fleets.problems(group(**changes), "t", [ARN], shared=False, freezes=True, replaces=False)
    assert said in problem
    assert problem.startswith("group g ")


def test_a_sound_group_has_no_problem() -> None:
    """A pinned and attached group is worked with; behind a shared target group it need not be attached."""
    assert not [*fleets.problems(group(), "t", [ARN], shared=False, freezes=True, replaces=False)]
    assert not [
        *fleets.problems(group(TargetGroupARNs=[]), "t", [ARN], shared=True, freezes=True, replaces=False)
    ]


@pytest.mark.parametrize(
    "suspended", [(), ("AlarmNotification",), fleets.SCALING, (*fleets.SCALING, "AZRebalance")]
)
def test_frozen_is_who_has_both_processes_suspended(suspended: tuple[str, ...]) -> None:
    """A group is frozen when neither alarms nor schedules size it; only who freezes minds the half."""
    shown = group(SuspendedProcesses=[{"ProcessName": name} for name in suspended], MinSize=0, MaxSize=4)
    assert fleets.fleet(shown, [ARN], {}).frozen is (set(fleets.SCALING) <= set(suspended))
    assert not [*fleets.problems(shown, "t", [ARN], shared=False, freezes=False, replaces=False)]
    half = suspended == ("AlarmNotification",)
    assert len([*fleets.problems(shown, "t", [ARN], shared=False, freezes=True, replaces=False)]) == half


def test_ec2_is_asked_of_who_is_in_service() -> None:
    """An instance that comes or goes has no status that would count, so none is asked for."""
    lives = ("Pending", "InService", "Terminating", "Standby", "Terminated")
    members = [{"InstanceId": f"i-{life}", "LifecycleState": life} for life in lives]
    assert [*fleets.fresh(group(Instances=members))] == ["i-InService"]


def test_an_attachment_is_seen_through_either_family_of_calls() -> None:
    """A group attached as a traffic source is attached, and needs the other call to be detached."""
    source = group(TargetGroupARNs=[], TrafficSources=[{"Identifier": ARN, "Type": "elbv2"}])
    assert fleets.attached(source, ARN)
    assert fleets.by_traffic_source(source, ARN)
    assert not fleets.by_traffic_source(group(TrafficSources=[{"Identifier": ARN}]), ARN)
