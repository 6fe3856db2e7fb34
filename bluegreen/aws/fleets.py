"""Auto Scaling groups and their instances, in the core's words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import frozen

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
    behind: Sequence[str],
    targets: Mapping[str, Raw],
    statuses: Mapping[str, Raw] | None = None,
    failure: Failure | None = None,
) -> Fleet:
    """A group as the core sees it.

    Args:
        group: As DescribeAutoScalingGroups shows it.
        behind: ARNs of the target groups that its instances belong behind.
        targets: What DescribeTargetHealth says of these target groups, by instance.
        statuses: What DescribeInstanceStatus says, by instance, when EC2 is to judge and not the balancer:
            of a group that is not behind the shared target group yet.
        failure: Why the last launch failed, if it did.
    """
    return Fleet(
        name=group["AutoScalingGroupName"],
        min=group["MinSize"],
        max=group["MaxSize"],
        desired=group["DesiredCapacity"],
        version=pinned(template(group)),
        attached=all(attached(group, arn) for arn in behind),
        frozen=set(SCALING) <= suspended(group),
        targets=tuple(
            [_target(each, targets.get(each["InstanceId"]), statuses) for each in instances(group)]
        ),
        launch_error=failure.words if failure else None,
        launch_hopeless=failure is not None and failure.hopeless,
    )


def worst(seen: Sequence[Mapping[str, Raw]]) -> Mapping[str, Raw]:
    """Of each instance that all target groups know, the target that is not healthy, if there is one."""
    first, *rest = seen
    if not rest:
        return first
    known = set(first).intersection(*rest)
    found = {}
    for name in known:
        targets = [each[name] for each in seen]
        ill = [each for each in targets if each["TargetHealth"].get("State") != "healthy"]
        found[name] = (ill or targets)[0]
    return found


def instances(group: Raw) -> list[Raw]:
    """Every instance that the group still holds; one that has ended is listed for a moment longer."""
    return [each for each in group.get("Instances", ()) if each.get("LifecycleState") != "Terminated"]


def behind(group: Raw) -> list[str]:
    """ARNs of the target groups, and of what else its instances are put behind, by either family of calls."""
    sources = [str(source.get("Identifier")) for source in group.get("TrafficSources", ())]
    return list(dict.fromkeys([*group.get("TargetGroupARNs", ()), *sources]))


REFRESHED = ("Cancelled", "Failed", "RollbackFailed", "RollbackSuccessful", "Successful")
"""How an instance refresh ends; in any other state it replaces instances (API reference, InstanceRefresh)."""


def refreshing(refreshes: Iterable[Raw]) -> bool:
    """Whether one of a group's instance refreshes has not ended."""
    return any(each.get("Status") not in REFRESHED for each in refreshes)


def attached(group: Raw, target_group_arn: str) -> bool:
    """Whether the group's instances are put behind the target group, through either family of calls."""
    return target_group_arn in behind(group)


def by_traffic_source(group: Raw, target_group_arn: str) -> bool:
    """Whether the group was attached by AttachTrafficSources; only DetachTrafficSources detaches it then."""
    return target_group_arn not in group.get("TargetGroupARNs", ()) and any(
        source.get("Identifier") == target_group_arn for source in group.get("TrafficSources", ())
    )


PROTECTED_A_CALL = 50
"""API reference, SetInstanceProtection: at most 50 instances."""

_PROTECTABLE = ("InService", "EnteringStandby", "Standby")
"""Where SetInstanceProtection is taken (API reference): before it is too early, afterwards too late."""


def protected(group: Raw, size: int) -> list[str]:
    """Whose protection from scale-in keeps the group from shrinking to ``size``; as many as a call takes."""
    staying = [each for each in instances(group) if each.get("LifecycleState") in _PROTECTABLE]
    kept = [each["InstanceId"] for each in staying if each.get("ProtectedFromScaleIn")]
    free = len(staying) - len(kept)
    return kept[: min(PROTECTED_A_CALL, max(0, len(staying) - size - free))]


def _others(group: Raw, known: Sequence[str]) -> list[str]:
    """What else leads requests to the group's instances."""
    return sorted({*behind(group), *group.get("LoadBalancerNames", ())} - set(known))


def suspended(group: Raw) -> set[str]:
    """The group's suspended processes."""
    return {process["ProcessName"] for process in group.get("SuspendedProcesses", ())}


def template(group: Raw) -> Raw | None:
    """What the group launches from: its template, or that of its mixed instances policy."""
    policy = group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
    found: Raw | None = group.get("LaunchTemplate") or policy.get("LaunchTemplateSpecification")
    return found


def launching(group: Raw | None, name: str, version: int) -> dict[str, Any]:
    """What a call is told so that a group launches from a version of a template.

    Args:
        group: As it is shown, or one that it is to be like; None for a new one.
        name: The template's.
        version: The number.
    """
    pin = {"LaunchTemplateName": name, "Version": str(version)}
    policy = (group or {}).get("MixedInstancesPolicy")
    if not policy:
        return {"LaunchTemplate": pin}
    # Sent whole: whether what is left out of a policy stays is documented nowhere.
    return {
        "MixedInstancesPolicy": {
            **policy,
            "LaunchTemplate": {**policy["LaunchTemplate"], "LaunchTemplateSpecification": pin},
        }
    }


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


_HOPELESS = re.compile(
    r"does not exist|do not exist|not found|is not valid|not supported|unsupported|not authorized"
    r"|UnauthorizedOperation|AccessDenied|Client\.InternalError|Client\.InvalidKMSKey|OptInRequired"
    r"|security group .* (?:and|are) .* different networks|must accept terms",
    re.IGNORECASE,
)
"""What waiting does not mend: things that are missing, wrong or forbidden (user guide, "Troubleshoot Amazon
EC2 Auto Scaling: EC2 instance launch failures"). Other words, known or not, are waited for: capacity comes,
limits are raised, and a new instance profile takes its time."""


@frozen
class Failure:
    """Why the last launch failed.

    Args:
        words: AWS's.
        hopeless: Whether no waiting mends it.
    """

    words: str
    hopeless: bool


def launch_failure(
    activities: Iterable[Raw], since: datetime | None = None, *, zones: int = 1
) -> Failure | None:
    """Why the last launch failed; None when it did not.

    Args:
        activities: As DescribeScalingActivities lists them, the newest first.
        since: What began before says nothing of the version that is launched now; None: all count.
        zones: How many the group has: what one of them does not have is tried in another.
    """
    for activity in activities:
        if since is not None and activity["StartTime"] < since:
            return None
        if str(activity.get("Description", "")).startswith("Launching"):
            if activity.get("StatusCode") not in ("Failed", "Cancelled"):
                return None
            words = str(activity.get("StatusMessage") or activity["StatusCode"])
            elsewhere = zones > 1 and "Availability Zone" in words
            return Failure(words, since is not None and not elsewhere and bool(_HOPELESS.search(words)))
    return None


def problems(
    group: Raw, name_of_template: str, behind: Sequence[str], *, shared: bool, freezes: bool, replaces: bool
) -> Iterator[str]:
    """What the group is that a deployment cannot work with, one sentence each.

    Args:
        group: As DescribeAutoScalingGroups shows it.
        name_of_template: The plan's.
        behind: ARNs of the target groups that its instances belong behind.
        shared: Whether both groups stand behind one target group.
        freezes: Whether the plan suspends the group's own scaling.
        replaces: Whether green is made like it, and it is deleted.
    """
    name = group["AutoScalingGroupName"]
    used: Any = template(group)
    if group.get("Status"):
        yield f"group {name} is being deleted ({group['Status']}): wait until it is gone"
    if used is None:
        remedy = f"give it the launch template {name_of_template}"
        yield f"group {name} launches from a launch configuration: {remedy}"
    elif used.get("LaunchTemplateName") != name_of_template:
        yield f"group {name} launches from template {used.get('LaunchTemplateName')}, not {name_of_template}"
    elif pinned(used) is None:
        yield (
            f"group {name} launches from {used.get('Version', '$Default')}, so a new version could leak into "
            "it: pin it to a number"
        )
    if not shared and not all(attached(group, arn) for arn in behind):
        yield f"group {name} is not attached to its target group: attach it"
    if others := _others(group, behind):
        yield f"group {name} is behind {', '.join(others)} too, where nothing is shifted: detach it there"
    if stopped := suspended(group) & set(NEEDED):
        yield f"group {name} has {', '.join(sorted(stopped))} suspended: resume it"
    if freezes and len(suspended(group) & set(SCALING)) == 1:
        yield f"group {name} has one of {' and '.join(SCALING)} suspended: suspend both, or neither"
    overrides = group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {}).get("Overrides", ())
    if any("LaunchTemplateSpecification" in each for each in overrides):
        yield f"group {name} has overrides with a template of their own, not pinned: take it out"
    if group.get("WarmPoolConfiguration") and not replaces:
        yield f"group {name} has a warm pool, whose instances are of an older version: delete it"
    if any("Standby" in str(each.get("LifecycleState")) for each in instances(group)):
        yield f"group {name} has instances in Standby, which never leave by themselves: let them exit it"
