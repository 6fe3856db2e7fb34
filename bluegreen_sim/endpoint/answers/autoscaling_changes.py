"""What EC2 Auto Scaling can be asked to do to the world.

Sources: API reference of EC2 Auto Scaling, version 2011-01-01, and the user guide.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import evolve

from bluegreen_sim.groups import autoscaling
from bluegreen_sim.groups.launching import POLICIES
from bluegreen_sim.groups.scaling import PLAIN, PROCESSES
from bluegreen_sim.world import Group, Resolved, World

from .. import names
from ..asking import Change, Given, NotSimulated, owner
from ..notes import note, noted, tagged
from ..wire import AwsError
from .autoscaling_hooks import with_hook
from .autoscaling_reads import SETTINGS, find_group, group_tag
from .ec2_templates import pointed
from .elbv2_groups import find_target_group

SIZES = ("LaunchTemplate", "MinSize", "MaxSize", "DesiredCapacity")
AT_CREATION = (*SIZES, "Tags", "TargetGroupARNs", "TrafficSources", "LifecycleHookSpecificationList")
GROUPS = 10
"""Target groups that can be attached or detached in one call (user guide, "Quotas")."""


def _suspend(world: World, given: Given) -> tuple[World, Given]:
    """Without a list, all of them (API reference, SuspendProcesses)."""
    return autoscaling.suspend(world, given["AutoScalingGroupName"], _processes(given), suspended=True), {}


def _resume(world: World, given: Given) -> tuple[World, Given]:
    return autoscaling.suspend(world, given["AutoScalingGroupName"], _processes(given), suspended=False), {}


def _processes(given: Given) -> list[str]:
    asked: list[str] = given.get("ScalingProcesses") or list(PROCESSES)
    if unknown := sorted(set(asked) - set(PROCESSES)):
        said = f"Invalid process(es): {', '.join(unknown)}; valid are {', '.join(PROCESSES)}"
        raise AwsError("ValidationError", said)
    return asked


def _update_auto_scaling_group(world: World, given: Given) -> tuple[World, Given]:
    """Only what is named changes; bounds move the wanted size when it is not named (API reference)."""
    name = given["AutoScalingGroupName"]
    group = autoscaling.changeable(world, name)
    world = _told(world, group, given, SIZES)
    if "LaunchTemplate" in given:
        world = autoscaling.set_version(world, name, _pointed(world, given["LaunchTemplate"]))
    low, high = given.get("MinSize", group.min), given.get("MaxSize", group.max)
    if "DesiredCapacity" in given:
        return autoscaling.set_size(world, name, given["DesiredCapacity"], low, high), {}
    return autoscaling.set_bounds(world, name, low, high), {}


def _pointed(world: World, template: Given) -> int | Resolved:
    try:
        return pointed(world, template)
    except AwsError as error:
        said = f"You must use a valid fully-formed launch template. {error.message}"
        raise AwsError("ValidationError", said) from error


def _told(world: World, group: Group, given: Given, handled: tuple[str, ...]) -> World:
    """The world with a group told the rest; what would change something else is not simulated."""
    name, rest = group.name, dict(given)
    for key in (*handled, "AutoScalingGroupName"):
        rest.pop(key, None)
    changes: Given = {
        field: made(rest.pop(parameter)) for parameter, (field, made) in TOLD.items() if parameter in rest
    }
    if "checks" in changes and changes["checks"] not in ("EC2", "ELB"):
        raise NotSimulated(f"health checks of type {changes['checks']} are not simulated: EC2 and ELB are")
    if unknown := sorted(set(changes.get("termination", ())) - set(POLICIES)):
        raise NotSimulated(f"the termination policies {', '.join(unknown)} are not simulated")
    changes |= _zones(world, group, rest)
    if unknown := sorted(rest.keys() - SETTINGS):
        raise NotSimulated(f"of a group, {', '.join(unknown)} is not simulated")
    if rest:
        world = noted(world, f"settings {name}", note(world, f"settings {name}", {}) | rest)
    if not changes:
        return world
    group = group.replaced(scaling=evolve(group.scaling, **changes))
    if world.elb_checked(group) and "checks" in changes:
        group = group.replaced(armed=note(world, f"settings {name}", {}).get("attached at creation", False))
    return autoscaling.tidied(world, group)[0]


def _zones(world: World, group: Group, rest: Given) -> Given:
    """The zones that are named, by themselves or by their subnets; other names are kept and mean all."""
    every = range(world.settings.zones)
    zones = {names.zone(zone): zone for zone in every} | {names.subnet(zone): zone for zone in every}
    named = [*rest.get("AvailabilityZones", ()), *rest.get("VPCZoneIdentifier", "").split(",")]
    known = tuple(sorted({zones[name] for name in named if name in zones}))
    wanted = known if len(known) < len(every) else ()
    return {"zones": wanted} if any(named) and wanted != group.scaling.zones else {}


def _maintenance(policy: Given) -> tuple[int, int] | None:
    least, most = policy["MinHealthyPercentage"], policy["MaxHealthyPercentage"]
    return None if least == -1 else (least, most)


TOLD: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "HealthCheckType": ("checks", str),
    "HealthCheckGracePeriod": ("grace_seconds", int),
    "DefaultInstanceWarmup": ("warmup_seconds", lambda seconds: None if seconds == -1 else seconds),
    "DefaultCooldown": ("cooldown_seconds", int),
    "NewInstancesProtectedFromScaleIn": ("protects_new", bool),
    "TerminationPolicies": ("termination", lambda policies: tuple(policies) or PLAIN.termination),
    "InstanceMaintenancePolicy": ("healthy_percent", _maintenance),
    "DeletionProtection": ("deletion", str),
}
"""Parameters of a group, the field of ``Scaling`` that each sets, and what makes its value."""


def _set_desired_capacity(world: World, given: Given) -> tuple[World, Given]:
    name, size = given["AutoScalingGroupName"], given["DesiredCapacity"]
    group = find_group(world, name)
    _within(group, size)
    if given.get("HonorCooldown"):
        return autoscaling.calmly(world, name, size), {}
    return autoscaling.set_size(world, name, size, group.min, group.max), {}


def _within(group: Group, size: int) -> None:
    for bound, wrong, word in (
        (group.max, size > group.max, "above max"),
        (group.min, size < group.min, "below min"),
    ):
        if wrong:
            said = f"New SetDesiredCapacity value {size} is {word} value {bound} for the AutoScalingGroup."
            raise AwsError("ValidationError", said)


def _create_auto_scaling_group(world: World, given: Given) -> tuple[World, Given]:
    """AlreadyExists when the name is taken, whoever asks (API reference, CreateAutoScalingGroup)."""
    name = given["AutoScalingGroupName"]
    if "LaunchTemplate" not in given:
        raise NotSimulated("groups are started from a launch template")
    sources = _identifiers(given.get("TrafficSources", ()))
    arns = [*given.get("TargetGroupARNs", ()), *sources]
    listed = given.get("Tags", [])
    low: int = given["MinSize"]
    group = Group(
        name=name,
        min=low,
        max=given["MaxSize"],
        desired=given.get("DesiredCapacity", low),
        version=_pointed(world, given["LaunchTemplate"]),
        token=owner({tag["Key"]: tag.get("Value", "") for tag in listed}),
    )
    world = autoscaling.add_group(world, group)
    created: Given = {"created": world.now, "attached at creation": bool(arns)}
    world = noted(world, f"settings {name}", created)
    # It may be slow to show, so from here on it is not looked up by its name.
    world = _attached(world, world.groups[-1], arns, by_source=bool(sources))
    world = _told(world, world.groups[-1], given, AT_CREATION)
    for hook in given.get("LifecycleHookSpecificationList", ()):
        world = with_hook(world, world.groups[-1], hook)
    group = world.groups[-1]
    world = world.with_group(group.replaced(armed=bool(arns) and world.elb_checked(group)))
    return _with_tags(world, name, listed), {}


def _identifiers(sources: Any) -> list[str]:
    return [source["Identifier"] for source in sources]


def _delete_auto_scaling_group(world: World, given: Given) -> tuple[World, Given]:
    name = given["AutoScalingGroupName"]
    find_group(world, name)
    world = autoscaling.delete_group(world, name, force=given.get("ForceDelete", False))
    for about in (f"tags {group_tag(name)}", f"propagated {name}", f"settings {name}"):
        world = noted(world, about, None)
    return world, {}


def _attach(world: World, given: Given) -> tuple[World, Given]:
    group = autoscaling.changeable(world, given["AutoScalingGroupName"])
    return _attached(world, group, given["TargetGroupARNs"], by_source=False), {}


def _attach_traffic_sources(world: World, given: Given) -> tuple[World, Given]:
    arns = _identifiers(given["TrafficSources"])
    group = autoscaling.changeable(world, given["AutoScalingGroupName"])
    return _attached(world, group, arns, by_source=True), {}


def _attached(world: World, group: Group, arns: list[str], *, by_source: bool) -> World:
    if len(arns) > GROUPS:
        raise AwsError("ValidationError", f"at most {GROUPS} target groups in one call, not {len(arns)}")
    wanted = {find_target_group(world, arn) for arn in arns}
    if not wanted:
        return world
    name, home = group.name, world.home(group.name)
    draining = any(instance.target == "draining" for instance in group.instances)
    if len(wanted) > 1 or (home not in (None, *wanted) and (group.attached or draining)):
        raise NotSimulated(f"a group can be behind one target group at a time; {name} is behind {home}")
    homes = tuple((other, where) for other, where in world.homes if other != name)
    if home not in wanted:
        world = world.replaced(homes=(*homes, (name, wanted.pop())))
    return autoscaling.attach(world, group, by_source=by_source)


def _detach(world: World, given: Given) -> tuple[World, Given]:
    """What was attached as a traffic source stays (API reference, DetachLoadBalancerTargetGroups)."""
    name = given["AutoScalingGroupName"]
    seen = not find_group(world, name).by_source
    return _detached(world, name, given["TargetGroupARNs"]) if seen else world, {}


def _detach_traffic_sources(world: World, given: Given) -> tuple[World, Given]:
    return _detached(world, given["AutoScalingGroupName"], _identifiers(given["TrafficSources"])), {}


def _detached(world: World, name: str, arns: list[str]) -> World:
    group = autoscaling.changeable(world, name)
    behind = {find_target_group(world, arn) for arn in arns}
    home = world.home(name)
    if home not in behind or not group.attached:
        return world
    created = note(world, f"settings {name}", {})
    world = noted(world, f"settings {name}", created | {"attached at creation": False})
    return autoscaling.detach(world, group)


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
    "SuspendProcesses": _suspend,
    "UpdateAutoScalingGroup": _update_auto_scaling_group,
}
