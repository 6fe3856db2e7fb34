"""What EC2 Auto Scaling can be asked to do to the world.

Sources: API reference of EC2 Auto Scaling, version 2011-01-01, and the user guide.
"""

from __future__ import annotations

from typing import Any

from bluegreen_sim import autoscaling, balancer
from bluegreen_sim.world import Group, World

from .. import names
from ..asking import Change, Given, NotSimulated, owner
from ..notes import note, noted, tagged
from ..times import moment
from ..wire import AwsError
from .autoscaling_reads import OWN_SCALING, SETTINGS, find_group, group_tag, suspended
from .ec2_templates import pinned
from .elbv2_groups import find_target_group

HARMLESS = {"AZRebalance", "InstanceRefresh"}
"""What never happens in this world, so that suspending it changes nothing."""


def _suspend(world: World, given: Given) -> tuple[World, Given]:
    group = find_group(world, given["AutoScalingGroupName"])
    asked = set(given.get("ScalingProcesses") or ())
    known = OWN_SCALING | HARMLESS
    if not asked <= known:
        raise NotSimulated(f"suspending {', '.join(sorted(asked - known))} is not simulated")
    if not asked:
        raise NotSimulated(
            f"suspending all processes is not simulated; these can be: {', '.join(sorted(known))}"
        )
    return _with_suspended(world, group, suspended(world, group) | asked), {}


def _resume(world: World, given: Given) -> tuple[World, Given]:
    group = find_group(world, given["AutoScalingGroupName"])
    now = suspended(world, group)
    return _with_suspended(world, group, now - set(given.get("ScalingProcesses") or now)), {}


def _with_suspended(world: World, group: Group, now: set[str]) -> World:
    frozen = now >= OWN_SCALING
    kept = sorted(now - OWN_SCALING if frozen else now)
    return autoscaling.freeze(
        noted(world, f"suspended {group.name}", kept or None), group.name, frozen=frozen
    )


def _update_auto_scaling_group(world: World, given: Given) -> tuple[World, Given]:
    """Only what is named changes; bounds move the wanted size when it is not named (API reference)."""
    name = given["AutoScalingGroupName"]
    group = find_group(world, name)
    world = _settings(world, name, given, ("LaunchTemplate", "MinSize", "MaxSize", "DesiredCapacity"))
    if "LaunchTemplate" in given:
        world = autoscaling.set_version(world, name, _pinned(world, given["LaunchTemplate"]))
    low, high = given.get("MinSize", group.min), given.get("MaxSize", group.max)
    if "DesiredCapacity" in given:
        return autoscaling.set_size(world, name, given["DesiredCapacity"], low, high), {}
    if low <= high:
        return autoscaling.set_bounds(world, name, low, high), {}
    raise AwsError("ValidationError", "Max bound must be greater than or equal to min bound")


def _pinned(world: World, template: Given) -> int:
    try:
        return pinned(world, template)
    except AwsError as error:
        said = f"You must use a valid fully-formed launch template. {error.message}"
        raise AwsError("ValidationError", said) from error


def _settings(world: World, name: str, given: Given, handled: tuple[str, ...]) -> World:
    """The world with the rest of a group's settings kept; what would change something is not simulated."""
    rest = {key: value for key, value in given.items() if key not in (*handled, "AutoScalingGroupName")}
    checks = "ELB" if world.settings.replace_unhealthy else "EC2"
    if rest.pop("HealthCheckType", checks) != checks:
        raise NotSimulated(f"all groups have the health check type {checks}: Settings(replace_unhealthy=...)")
    if rest.get("NewInstancesProtectedFromScaleIn"):
        raise NotSimulated("protection from scale-in is not simulated")
    if unknown := sorted(rest.keys() - SETTINGS):
        raise NotSimulated(f"of a group, {', '.join(unknown)} is not simulated")
    return noted(world, f"settings {name}", note(world, f"settings {name}", {}) | rest) if rest else world


def _set_desired_capacity(world: World, given: Given) -> tuple[World, Given]:
    name, size = given["AutoScalingGroupName"], given["DesiredCapacity"]
    group = find_group(world, name)
    for bound, wrong, word in (
        (group.max, size > group.max, "above max"),
        (group.min, size < group.min, "below min"),
    ):
        if wrong:
            said = f"New SetDesiredCapacity value {size} is {word} value {bound} for the AutoScalingGroup."
            raise AwsError("ValidationError", said)
    return autoscaling.set_size(world, name, size, group.min, group.max), {}


def _create_auto_scaling_group(world: World, given: Given) -> tuple[World, Given]:
    """AlreadyExists when the name is taken, whoever asks (API reference, CreateAutoScalingGroup)."""
    name = given["AutoScalingGroupName"]
    if "LaunchTemplate" not in given:
        raise NotSimulated("groups are started from a launch template")
    arns = [*given.get("TargetGroupARNs", ()), *_identifiers(given.get("TrafficSources", ()))]
    listed = given.get("Tags", [])
    low: int = given["MinSize"]
    group = Group(
        name=name,
        min=low,
        max=given["MaxSize"],
        desired=given.get("DesiredCapacity", low),
        version=_pinned(world, given["LaunchTemplate"]),
        token=owner({tag["Key"]: tag.get("Value", "") for tag in listed}),
    )
    world = autoscaling.add_group(world, group)
    created: Given = {"created": world.now, "attached at creation": bool(arns)}
    world = noted(world, f"settings {name}", created)
    handled = (
        "LaunchTemplate",
        "MinSize",
        "MaxSize",
        "DesiredCapacity",
        "Tags",
        "TargetGroupARNs",
        "TrafficSources",
    )
    world = _settings(world, name, given, handled)
    return _with_tags(_attached(world, name, arns), name, listed), {}


def _identifiers(sources: Any) -> list[str]:
    return [source["Identifier"] for source in sources]


def _delete_auto_scaling_group(world: World, given: Given) -> tuple[World, Given]:
    name = given["AutoScalingGroupName"]
    find_group(world, name)
    world = autoscaling.delete_group(world, name, force=given.get("ForceDelete", False))
    for about in (f"tags {group_tag(name)}", f"propagated {name}", f"settings {name}", f"suspended {name}"):
        world = noted(world, about, None)
    return world, {}


def _attach(world: World, given: Given) -> tuple[World, Given]:
    return _attached(world, given["AutoScalingGroupName"], given["TargetGroupARNs"]), {}


def _attach_traffic_sources(world: World, given: Given) -> tuple[World, Given]:
    return _attached(world, given["AutoScalingGroupName"], _identifiers(given["TrafficSources"])), {}


def _attached(world: World, name: str, arns: list[str]) -> World:
    group = find_group(world, name)
    wanted = {find_target_group(world, arn) for arn in arns}
    if not wanted:
        return world
    home = world.home(name)
    draining = any(instance.target == "draining" for instance in group.instances)
    if len(wanted) > 1 or (home not in (None, *wanted) and (group.attached or draining)):
        raise NotSimulated(f"a group can be behind one target group at a time; {name} is behind {home}")
    homes = tuple((other, where) for other, where in world.homes if other != name)
    if home not in wanted:
        world = world.replaced(homes=(*homes, (name, wanted.pop())))
    return balancer.attach(world, group)


def _detach(world: World, given: Given) -> tuple[World, Given]:
    return _detached(world, given["AutoScalingGroupName"], given["TargetGroupARNs"]), {}


def _detach_traffic_sources(world: World, given: Given) -> tuple[World, Given]:
    return _detached(world, given["AutoScalingGroupName"], _identifiers(given["TrafficSources"])), {}


def _detached(world: World, name: str, arns: list[str]) -> World:
    group = find_group(world, name)
    behind = {find_target_group(world, arn) for arn in arns}
    return balancer.detach(world, group) if world.home(name) in behind else world


def _create_or_update_tags(world: World, given: Given) -> tuple[World, Given]:
    for tag in given["Tags"]:
        find_group(world, tag["ResourceId"])
        world = _with_tags(world, tag["ResourceId"], [tag])
    return world, {}


def _with_tags(world: World, name: str, listed: list[Given]) -> World:
    if not listed:
        return world
    at_launch = {tag["Key"]: tag.get("PropagateAtLaunch", False) for tag in listed}
    world = noted(world, f"propagated {name}", note(world, f"propagated {name}", {}) | at_launch)
    return tagged(world, group_tag(name), {tag["Key"]: tag.get("Value", "") for tag in listed})


def _delete_tags(world: World, given: Given) -> tuple[World, Given]:
    for tag in given["Tags"]:
        world = tagged(world, group_tag(tag["ResourceId"]), {}, without=(tag["Key"],))
    return world, {}


def _set_instance_protection(world: World, given: Given) -> tuple[World, Given]:
    group = find_group(world, given["AutoScalingGroupName"])
    here = {instance.id for instance in group.instances}
    if strangers := [each for each in given["InstanceIds"] if each not in here]:
        said = f"The instance {strangers[0]} is not part of Auto Scaling group {group.name}."
        raise AwsError("ValidationError", said)
    if given["ProtectedFromScaleIn"]:
        raise NotSimulated("protection from scale-in is not simulated")
    return world, {}


def _terminate_instance(world: World, given: Given) -> tuple[World, Given]:
    """It drains first; unless the wanted size goes down with it, another takes its place (user guide)."""
    name = given["InstanceId"]
    group = next((g for g in world.groups if any(each.id == name for each in g.instances)), None)
    if group is None:
        raise AwsError("ValidationError", f"Instance Id not found - No managed instance found for {name}")
    lower = int(given["ShouldDecrementDesiredCapacity"])
    if group.desired - lower < group.min:
        raise AwsError("ValidationError", f"the size of {group.name} cannot go below {group.min}")
    world = autoscaling.end_instance(world, group, name, lower=lower)
    activity = {
        "ActivityId": names.digest(f"end {name}", 32),
        "AutoScalingGroupName": group.name,
        "Description": f"Terminating EC2 instance: {name}",
        "Cause": "instance was taken out of service in response to a user request",
        "StartTime": moment(world.now),
        "StatusCode": "InProgress",
        "Progress": 0,
        "Details": "{}",
    }
    return world, {"Activity": activity}


CHANGES: dict[str, Change] = {
    "AttachLoadBalancerTargetGroups": _attach,
    "AttachTrafficSources": _attach_traffic_sources,
    "CreateAutoScalingGroup": _create_auto_scaling_group,
    "CreateOrUpdateTags": _create_or_update_tags,
    "DeleteAutoScalingGroup": _delete_auto_scaling_group,
    "DeleteTags": _delete_tags,
    "DetachLoadBalancerTargetGroups": _detach,
    "DetachTrafficSources": _detach_traffic_sources,
    "ResumeProcesses": _resume,
    "SetDesiredCapacity": _set_desired_capacity,
    "SetInstanceProtection": _set_instance_protection,
    "SuspendProcesses": _suspend,
    "TerminateInstanceInAutoScalingGroup": _terminate_instance,
    "UpdateAutoScalingGroup": _update_auto_scaling_group,
}
