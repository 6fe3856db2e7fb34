"""A group that is made like another one has all of its settings, or is not made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bluegreen import Deployment
from bluegreen.aws import AwsCloud, copying
from bluegreen.core.state import Phase
from tests.aws.operations import models
from tests.contract.providers import Hands, plan_for
from tests.moto_account import Account, lay_out

if TYPE_CHECKING:
    from tests.moto_server import MotoServer

pytestmark = pytest.mark.contract

MADE = {"AvailabilityZones", "LifecycleHookSpecificationList", "Tags"}


def test_every_member_is_copied_or_has_its_reason() -> None:
    """Of what CreateAutoScalingGroup takes, by botocore's model, nothing is forgotten or named twice."""
    shape = models()["autoscaling"].operation_model("CreateAutoScalingGroup").input_shape
    copied, left = set(copying.COPIED), set(copying.NOT_COPIED)
    assert copied | left | MADE == set(shape.members)
    assert not copied & left
    assert all(copying.NOT_COPIED.values())
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


def test_what_would_be_lost_refuses_the_plan(moto: MotoServer) -> None:
    """Scaling policies, scheduled actions, metrics, protection from deletion: said, and nothing is made."""
    account = alone(moto, "weighted")
    asg, live = moto.client("autoscaling"), account.groups[0]
    asg.put_scaling_policy(
        AutoScalingGroupName=live, PolicyName="more", AdjustmentType="ChangeInCapacity", ScalingAdjustment=1
    )
    asg.put_scheduled_update_group_action(
        AutoScalingGroupName=live, ScheduledActionName="nightly", Recurrence="0 0 * * *", MinSize=1
    )
    result = released(moto, account, account.images[1]).result()
    assert result.phase is Phase.REFUSED
    for said in ("scaling policies (more)", "scheduled actions (nightly)"):
        assert said in result.reason
    kept = {
        "AutoScalingGroupName": "g",
        "DeletionProtection": "prevent-all-deletion",
        "EnabledMetrics": [{"Metric": "GroupMinSize"}],
    }
    said = " / ".join(copying.problems(moto_reader(moto), kept))
    assert "group g has its metrics enabled" in said
    assert "group g is protected from deletion" in said


def moto_reader(moto: MotoServer) -> Any:
    """Something that reads as ``Services`` does."""

    class Reader:
        autoscaling = moto.client("autoscaling")

    return Reader()
