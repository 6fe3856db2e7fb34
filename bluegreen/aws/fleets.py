"""Auto Scaling groups and their instances, in the core's words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..core.observation import Fleet, Health, TargetHealth
from .routing import Raw

SCALING = ("AlarmNotification", "ScheduledActions")
"""By these processes a group scales itself (EC2 Auto Scaling user guide, "Suspend and resume processes")."""

NEEDED = ("AddToLoadBalancer", "HealthCheck", "Launch", "Terminate")
"""Processes without which a group does not do what it is asked for."""

# TargetHealth.State (ELB API reference). A state that is not here is UNKNOWN: not healthy.
_HEALTH = {
    "healthy": Health.HEALTHY,
    "initial": Health.INITIAL,
    "unhealthy": Health.UNHEALTHY,
    "draining": Health.DRAINING,
    "unhealthy.draining": Health.DRAINING,
}
_UNUSED = {
    "Target.NotRegistered": Health.INITIAL,  # shown for a moment after a registration too
    "Target.InvalidState": Health.UNHEALTHY,  # stopped or terminated
}


def fleet(
    group: Raw,
    target_group_arn: str,
    targets: Mapping[str, Raw],
    statuses: Mapping[str, Raw] | None = None,
    launch_error: str | None = None,
) -> Fleet:
    """A group as the core sees it.

    Args:
        group: As DescribeAutoScalingGroups shows it.
        target_group_arn: The target group that its instances belong behind.
        targets: What DescribeTargetHealth says of that target group, by instance.
        statuses: What DescribeInstanceStatus says, by instance, when EC2 is to judge and not the balancer:
            of a group that is not behind the shared target group yet.
        launch_error: Why the last launch failed, if it did.
    """
    return Fleet(
        name=group["AutoScalingGroupName"],
        min=group["MinSize"],
        max=group["MaxSize"],
        desired=group["DesiredCapacity"],
        version=pinned(group.get("LaunchTemplate")),
        attached=attached(group, target_group_arn),
        frozen=set(SCALING) <= suspended(group),
        targets=tuple(
            [_target(each, targets.get(each["InstanceId"]), statuses) for each in instances(group)]
        ),
        launch_error=launch_error,
    )


def instances(group: Raw) -> list[Raw]:
    """Every instance that the group still holds; one that has ended is listed for a moment longer."""
    return [each for each in group.get("Instances", ()) if each.get("LifecycleState") != "Terminated"]


def attached(group: Raw, target_group_arn: str) -> bool:
    """Whether the group's instances are put behind the target group, through either family of calls."""
    return target_group_arn in group.get("TargetGroupARNs", ()) or by_traffic_source(group, target_group_arn)


def by_traffic_source(group: Raw, target_group_arn: str) -> bool:
    """Whether the group was attached by AttachTrafficSources; only DetachTrafficSources detaches it then."""
    return target_group_arn not in group.get("TargetGroupARNs", ()) and any(
        source.get("Identifier") == target_group_arn for source in group.get("TrafficSources", ())
    )


def _others(group: Raw, target_group_arn: str) -> list[str]:
    """What else leads requests to the group's instances."""
    sources = [source.get("Identifier") for source in group.get("TrafficSources", ())]
    named = {*group.get("TargetGroupARNs", ()), *sources, *group.get("LoadBalancerNames", ())}
    return sorted(str(name) for name in named - {target_group_arn})


def suspended(group: Raw) -> set[str]:
    """The group's suspended processes."""
    return {process["ProcessName"] for process in group.get("SuspendedProcesses", ())}


def pinned(template: Raw | None) -> int | None:
    """The number of a template version; None when the next launch would resolve it anew."""
    version = str((template or {}).get("Version", ""))
    return int(version) if version.isdigit() else None


def fresh(group: Raw) -> Iterator[str]:
    """Ids of the instances in service, of a group whose instances are behind no balancer."""
    for instance in instances(group):
        if instance.get("LifecycleState") == "InService":
            yield instance["InstanceId"]


def _target(instance: Raw, target: Raw | None, statuses: Mapping[str, Raw] | None) -> TargetHealth:
    name, version = instance["InstanceId"], pinned(instance.get("LaunchTemplate"))
    shown = None if target is None else target["TargetHealth"]
    verdict = _life(str(instance.get("LifecycleState", "")), shown)
    if verdict is None:
        # InService means running and registered (user guide, "Lifecycle"), not healthy: another one judges.
        verdict = _judged(shown) if statuses is None else _outside(shown, statuses.get(name))
    state, reason = verdict
    if state is Health.HEALTHY and instance.get("HealthStatus") == "Unhealthy":
        # Auto Scaling has given it up and is about to replace it, whatever the others say.
        state, reason = Health.UNHEALTHY, "HealthStatus.Unhealthy"
    return TargetHealth(name, version, state, reason)


def _life(life: str, target: Raw | None) -> tuple[Health, str | None] | None:
    """What an instance's life alone says of it, and the reason; None while it is in service."""
    if life.startswith(("Terminating", "Detaching")):
        return Health.DRAINING, life
    if target is not None and target.get("State") == "draining":
        return Health.DRAINING, target.get("Reason")
    if life.startswith("Pending"):
        return Health.INITIAL, life
    return None if life == "InService" else (Health.UNKNOWN, life or None)


def _judged(target: Raw | None) -> tuple[Health, str | None]:
    if target is None:
        return Health.INITIAL, "Target.NotRegistered"
    state, reason = str(target.get("State", "")), target.get("Reason")
    if state == "unused":
        return _UNUSED.get(str(reason), Health.UNKNOWN), reason
    return _HEALTH.get(state, Health.UNKNOWN), reason


def _outside(target: Raw | None, status: Raw | None) -> tuple[Health, str | None]:
    """The verdict on an instance of a group that is not behind its target group.

    A detach takes its time: as long as the instance is a target it may get requests, and is on its way out.
    """
    if target is not None and target.get("State") != "unused":
        return Health.DRAINING, f"still a target, {target.get('State')}"
    return _status(status)


def _status(status: Raw | None) -> tuple[Health, str | None]:
    """EC2's own status checks, of an instance that no balancer checks (EC2 user guide, "Status checks")."""
    if status is None:
        return Health.INITIAL, "no status yet"
    said = [str(status.get(part, {}).get("Status", "")) for part in ("InstanceStatus", "SystemStatus")]
    if status.get("InstanceState", {}).get("Name") != "running":
        return Health.UNHEALTHY, f"state {status.get('InstanceState', {}).get('Name')}"
    if "impaired" in said:
        return Health.UNHEALTHY, "status impaired"
    if all(word in ("ok", "not-applicable") for word in said):
        return Health.HEALTHY, None
    return Health.INITIAL, f"status {'/'.join(said)}"


def launch_failure(activities: Iterable[Raw]) -> str | None:
    """Why the last launch failed, in AWS's words; None when it did not.

    Args:
        activities: As DescribeScalingActivities lists them, the newest first.
    """
    for activity in activities:
        if str(activity.get("Description", "")).startswith("Launching"):
            failed = activity.get("StatusCode") in ("Failed", "Cancelled")
            return str(activity.get("StatusMessage") or activity["StatusCode"]) if failed else None
    return None


def problems(
    group: Raw, template: str, target_group_arn: str, *, shared: bool, freezes: bool
) -> Iterator[str]:
    """What the group is that a deployment cannot work with, one sentence each.

    Args:
        group: As DescribeAutoScalingGroups shows it.
        template: Name of the plan's launch template.
        target_group_arn: The target group that its instances belong behind.
        shared: Whether both groups stand behind one target group.
        freezes: Whether the plan suspends the group's own scaling.
    """
    name = group["AutoScalingGroupName"]
    used: Any = group.get("LaunchTemplate")
    if group.get("Status"):
        yield f"group {name} is being deleted ({group['Status']}): wait until it is gone"
    if used is None:
        kind = "a mixed instances policy" if group.get("MixedInstancesPolicy") else "a launch configuration"
        yield f"group {name} launches from {kind}: give it the launch template {template}"
    elif used.get("LaunchTemplateName") != template:
        yield f"group {name} launches from template {used.get('LaunchTemplateName')}, not {template}"
    elif pinned(used) is None:
        yield (
            f"group {name} launches from {used.get('Version', '$Default')}, so a new version could leak into "
            "it: pin it to a number"
        )
    if not shared and not attached(group, target_group_arn):
        yield f"group {name} is not attached to its target group: attach it"
    if others := _others(group, target_group_arn):
        yield f"group {name} is behind {', '.join(others)} too, where nothing is shifted: detach it there"
    if stopped := suspended(group) & set(NEEDED):
        yield f"group {name} has {', '.join(sorted(stopped))} suspended: resume it"
    if freezes and len(suspended(group) & set(SCALING)) == 1:
        yield f"group {name} has one of {' and '.join(SCALING)} suspended: suspend both, or neither"
    if group.get("WarmPoolConfiguration"):
        yield f"group {name} has a warm pool, whose instances are of an older version: delete it"
    if any("Standby" in str(each.get("LifecycleState")) for each in instances(group)):
        yield f"group {name} has instances in Standby, which never leave by themselves: let them exit it"
    protected = any(each.get("ProtectedFromScaleIn") for each in instances(group))
    if protected or group.get("NewInstancesProtectedFromScaleIn"):
        yield f"group {name} protects instances from scale-in, so it would never end them: take that away"
