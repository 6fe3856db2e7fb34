"""A group that is made like another one: what is copied, what is not and why, what stands against it.

Most of a group is given to it when it is created. What has calls of its own is given to it afterwards, one
request each, as soon as it is at full size: its *extras*, each under the word that the core knows it by.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from attrs import frozen

from . import fleets
from .names import DEPLOYMENT_TAG, SERVICE_TAG
from .routing import Raw

if TYPE_CHECKING:
    from .clients import Services

COPIED = (
    "CapacityRebalance",
    "CapacityReservationSpecification",
    "Context",
    "DefaultCooldown",
    "DefaultInstanceWarmup",
    "DeletionProtection",
    "DesiredCapacityType",
    "HealthCheckGracePeriod",
    "HealthCheckType",
    "AvailabilityZoneDistribution",
    "AvailabilityZoneImpairmentPolicy",
    "InstanceLifecyclePolicy",
    "InstanceMaintenancePolicy",
    "MaxInstanceLifetime",
    "NewInstancesProtectedFromScaleIn",
    "PlacementGroup",
    "ServiceLinkedRoleARN",
    "TerminationPolicies",
    "VPCZoneIdentifier",
)
"""Members of CreateAutoScalingGroup that are taken over as DescribeAutoScalingGroups shows them."""

MADE = {
    "AvailabilityZones": "where the group has no subnets",
    "LaunchTemplate": "the plan's template, pinned to the new version",
    "LifecycleHookSpecificationList": "from `DescribeLifecycleHooks`",
    "MixedInstancesPolicy": "with the plan's template in it, pinned to the new version",
    "Tags": "the group's own, beside ours",
}
"""Members that are made from what is shown, with how."""

NOT_COPIED = {
    "AutoScalingGroupName": "the plan's",
    "AvailabilityZoneIds": "those of the subnets; without subnets the zones' names say the same",
    "DesiredCapacity": "the deployment's",
    "InstanceId": "a way to make a group from an instance; the template says it",
    "LaunchConfigurationName": "a group that launches from one is refused",
    "LoadBalancerNames": "a group that is behind a classic balancer is refused",
    "MaxSize": "the deployment's",
    "MinSize": "the deployment's",
    "Operator": "set by the AWS service that manages a group",
    "SkipZonalShiftValidation": "concerns the call, not the group",
    "TargetGroupARNs": "its own with weights; behind a shared one it is attached once it is proven",
    "TrafficSources": "as TargetGroupARNs",
}
"""Members that are not taken over, with the reason."""

EXTRAS = {
    "scaling policy": "PutScalingPolicy",
    "scheduled action": "PutScheduledUpdateGroupAction",
    "notification": "PutNotificationConfiguration",
    "metrics": "EnableMetricsCollection",
    "warm pool": "PutWarmPool",
    "suspended process": "SuspendProcesses",
}
"""What is given by a call of its own, and by which."""

_HOOK = (
    "LifecycleHookName",
    "LifecycleTransition",
    "NotificationMetadata",
    "HeartbeatTimeout",
    "DefaultResult",
    "NotificationTargetARN",
    "RoleARN",
)
_SHOWN_ONLY = {
    "scaling policy": ("PolicyARN", "Alarms"),
    "scheduled action": ("ScheduledActionARN", "Time"),
    "warm pool": ("Status",),
}
"""What a description has and the call that makes the thing does not take."""


def settings(read: Services, group: Raw) -> dict[str, Any]:
    """What CreateAutoScalingGroup wants for another group like this one; tags come beside our own.

    Args:
        read: Clients that only read: hooks are not shown with the group.
        group: As DescribeAutoScalingGroups shows it.
    """
    made: dict[str, Any] = {name: group[name] for name in COPIED if group.get(name) not in (None, "", [])}
    if "VPCZoneIdentifier" not in made:
        made["AvailabilityZones"] = group["AvailabilityZones"]
    hooks: list[Any] = [
        {key: hook[key] for key in _HOOK if hook.get(key) is not None}  # type: ignore[literal-required]
        for hook in read.autoscaling.describe_lifecycle_hooks(
            AutoScalingGroupName=group["AutoScalingGroupName"]
        )["LifecycleHooks"]
    ]
    if hooks:
        made["LifecycleHookSpecificationList"] = hooks
    return made


def tags(group: Raw, fleet: str) -> list[Any]:
    """The group's own tags for another group; neither AWS's nor ours."""
    return [
        {**tag, "ResourceId": fleet}
        for tag in group.get("Tags", ())
        if not tag["Key"].startswith("aws:") and tag["Key"] not in (SERVICE_TAG, DEPLOYMENT_TAG)
    ]


# -------------------------------------------------------------------------------------------------- extras


@frozen
class Extra:
    """Something of a group that it is given by a call of its own.

    Args:
        kind: One of ``EXTRAS``.
        given: What that call takes besides the group's name.
        alarms: Of a scaling policy: the alarms that make it act.
    """

    kind: str
    given: Mapping[str, Any]
    alarms: tuple[str, ...] = ()


def extras(read: Services, group: Raw, ours: Iterable[str] = ()) -> dict[str, Extra]:
    """The group's extras, by the word for each.

    Args:
        read: Clients that only read.
        group: As DescribeAutoScalingGroups shows it.
        ours: Processes that this deployment has suspended.
    """
    name, asg = group["AutoScalingGroupName"], read.autoscaling
    found = {}
    for page in asg.get_paginator("describe_policies").paginate(AutoScalingGroupName=name):
        for policy in page["ScalingPolicies"]:
            alarms = tuple([alarm["AlarmName"] for alarm in policy.get("Alarms", ())])
            extra = Extra("scaling policy", _given("scaling policy", policy), alarms)
            found[f"scaling policy {policy['PolicyName']}"] = extra
    for actions in asg.get_paginator("describe_scheduled_actions").paginate(AutoScalingGroupName=name):
        for action in actions["ScheduledUpdateGroupActions"]:
            extra = Extra("scheduled action", _given("scheduled action", action))
            found[f"scheduled action {action['ScheduledActionName']}"] = extra
    topics: dict[str, list[str]] = {}
    pages = asg.get_paginator("describe_notification_configurations").paginate(AutoScalingGroupNames=[name])
    for configurations in pages:
        for each in configurations["NotificationConfigurations"]:
            topics.setdefault(each["TopicARN"], []).append(each["NotificationType"])
    for topic, kinds in topics.items():
        given = {"TopicARN": topic, "NotificationTypes": sorted(kinds)}
        found[f"notification {topic}"] = Extra("notification", given)
    return found | dict(_shown(group, set(ours)))


def _shown(group: Raw, ours: set[str]) -> Iterator[tuple[str, Extra]]:
    """The extras that are shown with the group itself."""
    if metrics := group.get("EnabledMetrics"):
        given = {"Metrics": sorted(each["Metric"] for each in metrics), "Granularity": "1Minute"}
        yield "metrics", Extra("metrics", given)
    if pool := group.get("WarmPoolConfiguration"):
        yield "warm pool", Extra("warm pool", _given("warm pool", pool))
    for process in sorted(fleets.suspended(group) - ours):
        # Each by itself: a green that was frozen on the way has some of them already, and not the others.
        yield f"suspended process {process}", Extra("suspended process", {"ScalingProcesses": [process]})


def _given(kind: str, shown: Raw) -> dict[str, Any]:
    dropped = {"AutoScalingGroupName", *_SHOWN_ONLY[kind]}
    given = {
        key: value for key, value in shown.items() if key not in dropped and value not in (None, "", [], {})
    }
    if kind == "scheduled action" and "Recurrence" in given:
        given.pop("StartTime", None)  # of one that recurs the next time is shown, which would be past soon
    return given


def give(write: Services, fleet: str, extra: Extra) -> None:
    """Give a group an extra: one request, harmless when it has it already."""
    asg, given = write.autoscaling, extra.given
    match extra.kind:
        case "scaling policy":
            asg.put_scaling_policy(AutoScalingGroupName=fleet, **given)
        case "scheduled action":
            asg.put_scheduled_update_group_action(AutoScalingGroupName=fleet, **given)
        case "notification":
            asg.put_notification_configuration(AutoScalingGroupName=fleet, **given)
        case "metrics":
            asg.enable_metrics_collection(AutoScalingGroupName=fleet, **given)
        case "warm pool":
            asg.put_warm_pool(AutoScalingGroupName=fleet, **given)
        case _:
            asg.suspend_processes(AutoScalingGroupName=fleet, **given)


def problems(read: Services, group: Raw) -> Iterator[str]:
    """What a group has that another one would not get, one sentence each."""
    name = group["AutoScalingGroupName"]
    for word, extra in extras(read, group).items():
        # A target tracking policy makes its alarms itself; those of others are somebody's own.
        if extra.alarms and extra.given.get("PolicyType") != "TargetTrackingScaling":
            some = ", ".join(extra.alarms[:3])
            yield (
                f"group {name} has the {word}, which acts by alarms that are not copied ({some}): use target "
                "tracking, or fleets = 'standing'"
            )
