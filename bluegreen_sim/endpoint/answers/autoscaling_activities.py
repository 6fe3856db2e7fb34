"""What EC2 Auto Scaling tells of what its groups do: scaling activities.

Sources: API reference of EC2 Auto Scaling, version 2011-01-01, DescribeScalingActivities and
ScalingActivityStatusCode.
"""

from __future__ import annotations

from collections.abc import Iterator

from bluegreen_sim.groups import autoscaling
from bluegreen_sim.groups.scaling import Activity
from bluegreen_sim.world import Group, Instance, World

from .. import names
from ..asking import Given, Read, page, paged
from ..times import moment
from .autoscaling_reads import find_group

STARTED = "an instance was started in response to a difference between desired and actual capacity"
TAKEN_OUT = "an instance was taken out of service in response to a difference in capacity"
SIX_WEEKS_MS = 6 * 7 * 86_400_000
"""For so long activities are kept (API reference)."""


def _describe_scaling_activities(world: World, given: Given) -> Given:
    """The newest first."""
    wanted = given.get("AutoScalingGroupName")
    groups = [find_group(world, wanted)] if wanted else autoscaling.visible(world)
    found = [activity for group in groups for activity in activities(world, group)]
    if ids := given.get("ActivityIds"):
        found = [activity for activity in found if activity["ActivityId"] in ids]
    found.sort(key=lambda activity: int(activity["StartTime"]), reverse=True)
    some, following = page(found, given, "MaxRecords", "NextToken", 100)
    return paged("Activities", some, "NextToken", following)


def activities(world: World, group: Group) -> Iterator[Given]:
    """What a group has done in the last six weeks, and does."""
    for number, past in enumerate(group.log):
        if past.ended_at > world.now - SIX_WEEKS_MS:
            yield _past(group, number, past)
    for instance in reversed(group.instances):
        yield launch(group, instance)
        if instance.life.startswith("leaving"):
            yield ending(group, instance)


def _past(group: Group, number: int, past: Activity) -> Given:
    launched = past.kind == "launch"
    words = "Launching a new EC2 instance" if launched else "Terminating EC2 instance"
    if not past.instance and not launched:
        words = "Could not terminate EC2 instances"
    shown = {
        "ActivityId": _id(past.kind, past.instance or f"{group.name} {number}"),
        "AutoScalingGroupName": group.name,
        "Description": f"{words}: {past.instance}" if past.instance else words,
        "Cause": STARTED if launched else TAKEN_OUT,
        "StartTime": moment(past.started_at),
        "EndTime": moment(past.ended_at),
        "StatusCode": past.code,
        "Progress": 100,
        "Details": "{}",
    }
    return shown | ({"StatusMessage": past.said} if past.said else {})


def _id(kind: str, about: str) -> str:
    return names.digest(f"{kind} {about}", 32)


def launch(group: Group, instance: Instance) -> Given:
    """The launch of an instance that is there."""
    code = {"pending": "InProgress", "pending:wait": "MidLifecycleAction"}.get(instance.life, "Successful")
    return {
        "ActivityId": _id("launch", instance.id),
        "AutoScalingGroupName": group.name,
        "Description": f"Launching a new EC2 instance: {instance.id}",
        "Cause": STARTED,
        "StartTime": moment(instance.launched_at),
        "StatusCode": code,
        "Progress": 100 if code == "Successful" else 50,
        "Details": "{}",
    }


def ending(group: Group, instance: Instance, cause: str = TAKEN_OUT) -> Given:
    """The termination of an instance that is still there."""
    code = "MidLifecycleAction" if instance.life == "leaving:wait" else "InProgress"
    if instance.target == "draining":
        code = "WaitingForELBConnectionDraining"
    return {
        "ActivityId": _id("end", instance.id),
        "AutoScalingGroupName": group.name,
        "Description": f"Terminating EC2 instance: {instance.id}",
        "Cause": cause,
        "StartTime": moment(instance.left_at),
        "StatusCode": code,
        "Progress": 50,
        "Details": "{}",
    }


READS: dict[str, Read] = {"DescribeScalingActivities": _describe_scaling_activities}
