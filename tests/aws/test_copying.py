"""A group that is made like another one has all of its settings, or is not made."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from bluegreen import Deployment
from bluegreen.aws import AwsCloud, copying, fleets
from bluegreen.core.commands import DeleteFleet
from bluegreen.core.observation import Result
from bluegreen.core.state import Ledger, Phase
from tests.aws.operations import models
from tests.contract.providers import Hands, plan_for
from tests.moto_account import Account, lay_out

if TYPE_CHECKING:
    from tests.moto_server import MotoServer

pytestmark = pytest.mark.contract


def test_every_member_is_copied_or_has_its_reason() -> None:
    """Of what CreateAutoScalingGroup takes, by botocore's model, nothing is forgotten or named twice."""
    shape = models()["autoscaling"].operation_model("CreateAutoScalingGroup").input_shape
    named = [*copying.COPIED, *copying.MADE, *copying.NOT_COPIED]
    assert sorted(named) == sorted(shape.members)
    assert all([*copying.NOT_COPIED.values(), *copying.MADE.values()])
    copied = set(copying.COPIED)
    shown = models()["autoscaling"].shape_for("AutoScalingGroup").members
    assert copied <= set(shown), "what is copied must be shown"


class Hooks:
    """A client that knows the hooks of one group."""

    def __init__(self, *hooks: dict[str, Any]) -> None:
        self.autoscaling = self
        self.hooks = hooks

    def describe_lifecycle_hooks(self, **_: str) -> dict[str, Any]:
        return {"LifecycleHooks": list(self.hooks)}


def test_settings_are_taken_as_they_are_shown() -> None:
    """Every setting that is shown is sent on, what is empty is not; hooks lose only what is the group's."""
    shown: dict[str, Any] = {name: f"of {name}" for name in copying.COPIED}
    shown |= {"AutoScalingGroupName": "a", "AvailabilityZones": ["z"], "MinSize": 3}
    hook = {
        "LifecycleHookName": "h",
        "LifecycleTransition": "t",
        "HeartbeatTimeout": 60,
        "DefaultResult": "ABANDON",
    }
    read: Any = Hooks({**hook, "AutoScalingGroupName": "a", "GlobalTimeout": 6000})
    made = copying.settings(read, shown)
    assert made == {name: f"of {name}" for name in copying.COPIED} | {
        "LifecycleHookSpecificationList": [hook]
    }
    bare: Any = Hooks()
    assert copying.settings(
        bare, {"AutoScalingGroupName": "a", "AvailabilityZones": ["z"], "PlacementGroup": ""}
    ) == {"AvailabilityZones": ["z"]}


def test_tags_are_the_owners() -> None:
    """A group's own tags go along with how they propagate; AWS's and those of ours do not."""

    def tag(key: str) -> dict[str, Any]:
        return {"Key": key, "Value": "v", "PropagateAtLaunch": True, "ResourceId": "a", "ResourceType": "x"}

    shown = {
        "Tags": [
            tag(key)
            for key in ("team", "aws:cloudformation:stack", "bluegreen:service", "bluegreen:deployment")
        ]
    }
    assert copying.tags(shown, "b") == [{**tag("team"), "ResourceId": "b"}]


def released(moto: MotoServer, account: Account, image: str) -> Deployment:
    """A deployment that replaces the live group, run to its end."""
    cloud = AwsCloud(moto.session(), endpoint_url=moto.url, clock=Hands())
    try:
        deployment = Deployment(plan_for(account.routing, image=image, fleets="replace"), cloud)
        deployment.run()
    finally:
        cloud.close()
    return deployment


def alone(moto: MotoServer, routing: Any) -> Account:
    """An account with the live group only."""
    account = lay_out(moto, routing)
    moto.client("autoscaling").delete_auto_scaling_group(AutoScalingGroupName=account.groups[1])
    return account


def group(moto: MotoServer) -> dict[str, Any]:
    """The one group of the account."""
    (found,) = moto.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("routing", ["weighted", "shared"])
def test_a_group_that_replaces_another_is_like_it(routing: Any, moto: MotoServer) -> None:
    """After a release that replaces, the new group differs in name, version and our tags alone."""
    account = alone(moto, routing)
    before = group(moto)
    assert released(moto, account, account.images[1]).result().ok
    after = group(moto)
    assert after["AutoScalingGroupName"] == account.groups[1]
    own = {
        "AutoScalingGroupName",
        "AutoScalingGroupARN",
        "CreatedTime",
        "Instances",
        "LaunchTemplate",
        "Tags",
    }
    own |= {"TargetGroupARNs"} if routing == "weighted" else set()
    differs = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    assert differs <= own, differs
    kept = [(tag["Key"], tag["Value"]) for tag in after["Tags"] if not tag["Key"].startswith("bluegreen:")]
    assert kept == [(tag["Key"], tag["Value"]) for tag in before["Tags"]]


def test_a_broken_green_that_was_made_is_deleted(moto: MotoServer) -> None:
    """A group that was made for a release that is given up is gone, and the live one as it was."""
    account = alone(moto, "weighted")
    before = group(moto)
    moto.script.broken_images.add(account.images[1])
    result = released(moto, account, account.images[1]).result()
    assert (result.phase, result.leftovers) == (Phase.ROLLED_BACK, ())
    assert group(moto) == before


def furnish(moto: MotoServer, name: str) -> None:
    """Give a group one of each thing that a group can have besides its settings."""
    asg = moto.client("autoscaling")
    asg.put_scaling_policy(
        AutoScalingGroupName=name,
        PolicyName="load",
        PolicyType="TargetTrackingScaling",
        TargetTrackingConfiguration={
            "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"},
            "TargetValue": 50.0,
        },
    )
    asg.put_scaling_policy(
        AutoScalingGroupName=name, PolicyName="more", AdjustmentType="ChangeInCapacity", ScalingAdjustment=1
    )
    asg.put_scheduled_update_group_action(
        AutoScalingGroupName=name, ScheduledActionName="nightly", Recurrence="0 0 * * *", MinSize=1
    )
    asg.put_notification_configuration(
        AutoScalingGroupName=name,
        TopicARN="arn:aws:sns:us-east-1:123456789012:told",
        NotificationTypes=["autoscaling:EC2_INSTANCE_LAUNCH_ERROR", "autoscaling:EC2_INSTANCE_TERMINATE"],
    )
    asg.enable_metrics_collection(
        AutoScalingGroupName=name, Metrics=["GroupMinSize", "GroupMaxSize"], Granularity="1Minute"
    )
    asg.suspend_processes(AutoScalingGroupName=name, ScalingProcesses=["AZRebalance"])
    asg.put_warm_pool(AutoScalingGroupName=name, MinSize=0, PoolState="Stopped")
    asg.update_auto_scaling_group(AutoScalingGroupName=name, NewInstancesProtectedFromScaleIn=True)
    ids = [
        each["InstanceId"]
        for each in asg.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"][0][
            "Instances"
        ]
    ]
    asg.set_instance_protection(AutoScalingGroupName=name, InstanceIds=ids, ProtectedFromScaleIn=True)


def extras(moto: MotoServer) -> dict[str, Any]:
    """Of the account's one group, what it is given by calls of its own."""
    read: Any = moto_reader(moto)
    return {word: extra.given for word, extra in copying.extras(read, group(moto)).items()}


@pytest.mark.parametrize("routing", ["weighted", "shared"])
def test_a_furnished_group_is_replaced_by_one_like_it(routing: Any, moto: MotoServer) -> None:
    """Policies, schedules, notifications, metrics, warm pool, suspensions and protection go along."""
    account = alone(moto, routing)
    furnish(moto, account.groups[0])
    before = extras(moto)
    assert {word.partition(" ")[0] for word in before} == {word.partition(" ")[0] for word in copying.EXTRAS}
    result = released(moto, account, account.images[1]).result()
    assert (result.phase, result.leftovers) == (Phase.PROMOTED, ()), result.reason
    assert group(moto)["AutoScalingGroupName"] == account.groups[1]
    assert extras(moto) == before
    assert group(moto)["NewInstancesProtectedFromScaleIn"]
    assert all(each["ProtectedFromScaleIn"] for each in group(moto)["Instances"])


def test_a_furnished_green_that_is_broken_leaves_blue_as_it_was(moto: MotoServer) -> None:
    """What was given to a group that is given up goes with it; the live one keeps all of its own."""
    account = alone(moto, "weighted")
    furnish(moto, account.groups[0])
    before, settings = extras(moto), group(moto)
    moto.script.broken_images.add(account.images[1])
    result = released(moto, account, account.images[1]).result()
    assert (result.phase, result.leftovers) == (Phase.ROLLED_BACK, ())
    assert (extras(moto), group(moto)) == (before, settings)


def test_a_mixed_instances_policy_goes_along_with_the_new_version(moto: MotoServer) -> None:
    """Green launches by blue's policy, in which the template alone is another version."""
    account = alone(moto, "weighted")
    policy = {
        "LaunchTemplate": {
            "LaunchTemplateSpecification": {"LaunchTemplateName": account.launch_template, "Version": "1"},
            "Overrides": [{"InstanceType": "t3.small"}, {"InstanceType": "t3.micro"}],
        },
        "InstancesDistribution": {"OnDemandBaseCapacity": 1, "SpotAllocationStrategy": "lowest-price"},
    }
    asg = moto.client("autoscaling")
    asg.update_auto_scaling_group(AutoScalingGroupName=account.groups[0], MixedInstancesPolicy=policy)
    shown = group(moto)
    assert fleets.pinned(fleets.template(shown)) == 1
    made = fleets.launching(shown, account.launch_template, 7)["MixedInstancesPolicy"]
    assert made["LaunchTemplate"]["LaunchTemplateSpecification"]["Version"] == "7"
    assert made["LaunchTemplate"]["Overrides"] == shown["MixedInstancesPolicy"]["LaunchTemplate"]["Overrides"]
    assert made["InstancesDistribution"] == shown["MixedInstancesPolicy"]["InstancesDistribution"]
    assert "LaunchTemplate" not in fleets.launching(shown, account.launch_template, 7)


def test_protection_from_deletion_goes_before_the_group_does(moto: MotoServer) -> None:
    """A replaced group that is protected loses that, then its warm pool, then goes: a request at a time."""
    account = alone(moto, "weighted")
    asg = moto.client("autoscaling")
    asg.update_auto_scaling_group(
        AutoScalingGroupName=account.groups[0], MinSize=0, MaxSize=0, DesiredCapacity=0
    )
    moto.settle()
    shown: dict[str, Any] = {
        "DeletionProtection": "prevent-all-deletion",
        "WarmPoolConfiguration": {"MinSize": 0},
    }
    cloud = AwsCloud(moto.session(), endpoint_url=moto.url, clock=Hands())

    def show(parsed: Any, **_: Any) -> None:
        for each in parsed["AutoScalingGroups"]:
            each.update(shown)

    cloud.clients.read.autoscaling.meta.events.register(
        "after-call.auto-scaling.DescribeAutoScalingGroups", show
    )
    sent = []
    try:
        for without in (None, "DeletionProtection", "WarmPoolConfiguration"):
            shown.pop(without, None)
            cloud.observe(plan_for("weighted", fleets="replace"), Ledger("t"))
            moto.calls.clear()
            outcome = cloud.apply(DeleteFleet(fleet=account.groups[0]))
            sent.append((*moto.operations(), outcome.result))
    finally:
        cloud.close()
    assert sent == [
        ("UpdateAutoScalingGroup", Result.NOT_APPLIED),
        ("DeleteWarmPool", Result.NOT_APPLIED),
        ("DeleteAutoScalingGroup", Result.APPLIED),
    ]


def test_what_would_be_lost_refuses_the_plan() -> None:
    """A policy that acts by somebody's own alarms would never act again: said, and nothing is made."""
    shown = {
        "PolicyName": "more",
        "AutoScalingGroupName": "g",
        "PolicyType": "StepScaling",
        "Alarms": [{"AlarmName": "busy"}],
    }
    tracking = shown | {"PolicyName": "load", "PolicyType": "TargetTrackingScaling"}

    def pages(operation: str) -> Any:
        found = {"describe_policies": {"ScalingPolicies": [shown, tracking]}}
        empty = {"ScheduledUpdateGroupActions": [], "NotificationConfigurations": []}
        return SimpleNamespace(paginate=lambda **_: [found.get(operation, empty)])

    read: Any = SimpleNamespace(autoscaling=SimpleNamespace(get_paginator=pages))
    (problem,) = copying.problems(read, {"AutoScalingGroupName": "g"})
    assert "the scaling policy more, which acts by alarms that are not copied (busy)" in problem


def test_what_has_a_call_of_its_own_is_sent_as_that_call_takes_it() -> None:
    """Of each extra, all members that its call takes and the description shows are sent; no other is."""
    service = models()["autoscaling"]
    shapes = {
        "scaling policy": "ScalingPolicy",
        "scheduled action": "ScheduledUpdateGroupAction",
        "warm pool": "WarmPoolConfiguration",
    }
    for kind, shape in shapes.items():
        shown = set(service.shape_for(shape).members)
        takes = set(service.operation_model(copying.EXTRAS[kind]).input_shape.members)
        kept = shown - set(copying._SHOWN_ONLY[kind])
        assert kept <= takes, kind
        assert takes - kept <= {"AutoScalingGroupName", "Time"}, kind


def moto_reader(moto: MotoServer) -> Any:
    """Something that reads as ``Services`` does."""
    return SimpleNamespace(autoscaling=moto.client("autoscaling"))
