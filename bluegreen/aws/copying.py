"""A group that is made like another one: what is copied, what is not and why, what stands against it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

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
    "DesiredCapacityType",
    "HealthCheckGracePeriod",
    "HealthCheckType",
    "AvailabilityZoneDistribution",
    "AvailabilityZoneImpairmentPolicy",
    "InstanceLifecyclePolicy",
    "InstanceMaintenancePolicy",
    "MaxInstanceLifetime",
    "PlacementGroup",
    "ServiceLinkedRoleARN",
    "TerminationPolicies",
    "VPCZoneIdentifier",
)
"""Members of CreateAutoScalingGroup that are taken over as DescribeAutoScalingGroups shows them."""

NOT_COPIED = {
    "AutoScalingGroupName": "the plan's",
    "AvailabilityZoneIds": "those of the subnets; without subnets the zones' names say the same",
    "DeletionProtection": "a group that has it is refused, for it could not be deleted",
    "DesiredCapacity": "the deployment's",
    "InstanceId": "a way to make a group from an instance; the template says it",
    "LaunchConfigurationName": "a group that launches from one is refused",
    "LaunchTemplate": "the plan's template, pinned to the new version",
    "LoadBalancerNames": "a group that is behind a classic balancer is refused",
    "MaxSize": "the deployment's",
    "MinSize": "the deployment's",
    "MixedInstancesPolicy": "a group that has one is refused",
    "NewInstancesProtectedFromScaleIn": "a group that has it is refused, for it could not be emptied",
    "Operator": "set by the AWS service that manages a group",
    "SkipZonalShiftValidation": "concerns the call, not the group",
    "TargetGroupARNs": "its own with weights; behind a shared one it is attached once it is proven",
    "TrafficSources": "as TargetGroupARNs",
}
"""Members that are not taken over, with the reason. ``AvailabilityZones``, ``Tags`` and
``LifecycleHookSpecificationList`` are made from what is shown: see ``settings``."""

_HOOK = (
    "LifecycleHookName",
    "LifecycleTransition",
    "NotificationMetadata",
    "HeartbeatTimeout",
    "DefaultResult",
    "NotificationTargetARN",
    "RoleARN",
)


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


def problems(read: Services, group: Raw) -> Iterator[str]:
    """What a group has that another one would not get, or that keeps it from deletion, one sentence each."""
    name = group["AutoScalingGroupName"]
    asg = read.autoscaling
    policies = [
        policy["PolicyName"]
        for page in asg.get_paginator("describe_policies").paginate(AutoScalingGroupName=name)
        for policy in page["ScalingPolicies"]
    ]
    if policies:
        some = ", ".join(policies[:3])
        yield f"group {name} has scaling policies ({some}), which are not copied: use fleets = 'standing'"
    actions = [
        action["ScheduledActionName"]
        for page in asg.get_paginator("describe_scheduled_actions").paginate(AutoScalingGroupName=name)
        for action in page["ScheduledUpdateGroupActions"]
    ]
    if actions:
        some = ", ".join(actions[:3])
        yield f"group {name} has scheduled actions ({some}), which are not copied: use fleets = 'standing'"
    if group.get("EnabledMetrics"):
        yield f"group {name} has its metrics enabled, which is not copied: use fleets = 'standing'"
    if group.get("DeletionProtection", "none") != "none":
        yield f"group {name} is protected from deletion: take that away, or use fleets = 'standing'"
