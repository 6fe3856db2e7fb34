"""What EC2 Auto Scaling shows of the world.

Sources: API reference of EC2 Auto Scaling, version 2011-01-01, and the user guide.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from bluegreen_sim import autoscaling
from bluegreen_sim.world import Group, Instance, World

from .. import names
from ..asking import Given, NotSimulated, Read, page, paged, passing, tag_values
from ..notes import note, tags
from ..times import moment

OWN_SCALING = {"AlarmNotification", "ScheduledActions"}
"""What ``Group.frozen`` stands for."""
SETTINGS = {
    "DefaultCooldown",
    "HealthCheckGracePeriod",
    "NewInstancesProtectedFromScaleIn",
    "TerminationPolicies",
    "VPCZoneIdentifier",
    "AvailabilityZones",
    "DefaultInstanceWarmup",
    "CapacityRebalance",
    "ServiceLinkedRoleARN",
}
"""What is kept of a group and shown, and changes nothing here: there is one zone, and no grace period."""
LIFE = {"pending": "Pending", "running": "InService", "leaving": "Terminating"}


def find_group(world: World, name: str) -> Group:
    """The group of that name.

    Raises:
        Refused: If there is none.
    """
    return autoscaling.existing(world, name)


def group_tag(name: str) -> str:
    """Where the tags of a group are noted."""
    return f"group {name}"


# ------------------------------------------------------------------------------------------ what there is


def _describe_auto_scaling_groups(world: World, given: Given) -> Given:
    wanted = given.get("AutoScalingGroupNames")
    found = [group for group in world.groups if not wanted or group.name in wanted]
    found = passing(found, given.get("Filters", ()), partial(_filtered, world))
    some, following = page(found, given, "MaxRecords", "NextToken", 50)
    with_instances = given.get("IncludeInstances", True)
    shown = [show_group(world, group, with_instances=with_instances) for group in some]
    return paged("AutoScalingGroups", shown, "NextToken", following)


def _filtered(world: World, group: Group, name: str) -> Iterable[str] | None:
    kept = tags(world, group_tag(group.name))
    if name == "tag-value":
        return kept.values()
    return tag_values(kept, name)


def show_group(world: World, group: Group, *, with_instances: bool = True) -> Given:
    """A group as DescribeAutoScalingGroups shows it."""
    kept = note(world, f"settings {group.name}", {})
    arns = [names.target_group_arn(home)] if group.attached and (home := world.home(group.name)) else []
    return {
        "AutoScalingGroupName": group.name,
        "AutoScalingGroupARN": names.group_arn(group.name, group.token),
        "LaunchTemplate": _template(world, group.version),
        "MinSize": group.min,
        "MaxSize": group.max,
        "DesiredCapacity": group.desired,
        "DefaultCooldown": 300,
        "AvailabilityZones": [names.ZONE],
        "LoadBalancerNames": [],
        "TargetGroupARNs": arns,
        "TrafficSources": [{"Identifier": arn, "Type": "elbv2"} for arn in arns],
        "HealthCheckType": "ELB" if world.settings.replace_unhealthy else "EC2",
        "HealthCheckGracePeriod": 0,
        "Instances": [_instance(world, each) for each in group.instances] if with_instances else [],
        "CreatedTime": moment(kept.get("created", 0)),
        "SuspendedProcesses": [
            {"ProcessName": name, "SuspensionReason": "User suspended"}
            for name in sorted(suspended(world, group))
        ],
        "VPCZoneIdentifier": names.SUBNET,
        "EnabledMetrics": [],
        "Tags": _tags(world, group.name),
        "TerminationPolicies": ["Default"],
        "NewInstancesProtectedFromScaleIn": False,
        **{name: value for name, value in kept.items() if name in SETTINGS},
    }


def _template(world: World, version: int) -> Given:
    return {
        "LaunchTemplateId": names.template_id(world.template),
        "LaunchTemplateName": world.template,
        "Version": str(version),
    }


def _instance(world: World, instance: Instance) -> Given:
    return {
        "InstanceId": instance.id,
        "InstanceType": names.INSTANCE_TYPE,
        "AvailabilityZone": names.ZONE,
        "LifecycleState": LIFE[instance.life],
        "HealthStatus": "Healthy",
        "LaunchTemplate": _template(world, instance.version),
        "ProtectedFromScaleIn": False,
    }


def suspended(world: World, group: Group) -> set[str]:
    """The processes of a group that are suspended."""
    kept = set(note(world, f"suspended {group.name}", ()))
    return kept | OWN_SCALING if group.frozen else kept


def _tags(world: World, name: str) -> list[Given]:
    kept, at_launch = tags(world, group_tag(name)), note(world, f"propagated {name}", {})
    return [
        {
            "ResourceId": name,
            "ResourceType": "auto-scaling-group",
            "Key": key,
            "Value": kept[key],
            "PropagateAtLaunch": at_launch.get(key, False),
        }
        for key in sorted(kept)
    ]


def _describe_auto_scaling_instances(world: World, given: Given) -> Given:
    wanted = given.get("InstanceIds")
    found = [
        (group, instance)
        for group in world.groups
        for instance in group.instances
        if not wanted or instance.id in wanted
    ]
    some, following = page(found, given, "MaxRecords", "NextToken", 50)
    shown = []
    for group, instance in some:
        about = _instance(world, instance) | {"AutoScalingGroupName": group.name, "HealthStatus": "HEALTHY"}
        shown.append(about)
    return paged("AutoScalingInstances", shown, "NextToken", following)


def _describe_load_balancer_target_groups(world: World, given: Given) -> Given:
    return {
        "LoadBalancerTargetGroups": [
            {"LoadBalancerTargetGroupARN": arn, "State": state}
            for arn, state in _attachments(world, find_group(world, given["AutoScalingGroupName"]))
        ]
    }


def _describe_traffic_sources(world: World, given: Given) -> Given:
    return {
        "TrafficSources": [
            {"Identifier": arn, "TrafficSource": arn, "State": state, "Type": "elbv2"}
            for arn, state in _attachments(world, find_group(world, given["AutoScalingGroupName"]))
        ]
    }


def _attachments(world: World, group: Group) -> list[tuple[str, str]]:
    """(ARN, state) of the target group, while instances are in it (DescribeLoadBalancerTargetGroups)."""
    home = world.home(group.name)
    targets = {instance.target for instance in group.instances if instance.life == "running"}
    if home is None or not (group.attached or "draining" in targets):
        return []
    if not group.attached:
        state = "Removing"
    elif "healthy" in targets or note(world, f"settings {group.name}", {}).get("attached at creation"):
        state = "InService"
    else:
        state = "Added"
    return [(names.target_group_arn(home), state)]


def _describe_scaling_activities(world: World, given: Given) -> Given:
    """The newest first: the launch that failed last, and those that brought the instances that exist."""
    wanted = given.get("AutoScalingGroupName")
    groups = [find_group(world, wanted)] if wanted else world.groups
    found = [activity for group in groups for activity in _activities(group)]
    found.sort(key=lambda activity: int(activity["StartTime"]), reverse=True)
    some, following = page(found, given, "MaxRecords", "NextToken", 100)
    return paged("Activities", some, "NextToken", following)


def _activities(group: Group) -> list[Given]:
    said = {"AutoScalingGroupName": group.name, "Progress": 100, "Details": "{}"}
    cause = "an instance was started in response to a difference between desired and actual capacity"
    found: list[Given] = []
    if group.failures:
        at = moment(group.failed_at)
        found.append(
            said
            | {
                "ActivityId": names.digest(f"{group.name} {at}", 32),
                "Description": "Launching a new EC2 instance",
                "Cause": cause,
                "StartTime": at,
                "EndTime": at,
                "StatusCode": "Failed",
                "StatusMessage": str(group.launch_error),
            }
        )
    for instance in reversed(group.instances):
        pending = instance.life == "pending"
        found.append(
            said
            | {
                "ActivityId": names.digest(instance.id, 32),
                "Description": f"Launching a new EC2 instance: {instance.id}",
                "Cause": cause,
                "StartTime": moment(instance.launched_at),
                "StatusCode": "InProgress" if pending else "Successful",
                "Progress": 50 if pending else 100,
            }
        )
    return found


def _describe_tags(world: World, given: Given) -> Given:
    found = [tag for group in world.groups for tag in _tags(world, group.name)]
    under = {"auto-scaling-group": "ResourceId", "key": "Key", "value": "Value"}
    for wanted in given.get("Filters", ()):
        if wanted["Name"] == "propagate-at-launch":
            raise NotSimulated("the filter 'propagate-at-launch' is not simulated")
        found = [tag for tag in found if tag[under[wanted["Name"]]] in wanted["Values"]]
    some, following = page(found, given, "MaxRecords", "NextToken", 50)
    return paged("Tags", some, "NextToken", following)


def _none(name: str) -> Read:
    """Answers that there are none of what this world does not have."""

    def answer(world: World, given: Given) -> Given:
        if "AutoScalingGroupName" in given:
            find_group(world, given["AutoScalingGroupName"])
        return {name: []}

    return answer


READS: dict[str, Read] = {
    "DescribeAutoScalingGroups": _describe_auto_scaling_groups,
    "DescribeAutoScalingInstances": _describe_auto_scaling_instances,
    "DescribeInstanceRefreshes": _none("InstanceRefreshes"),
    "DescribeLifecycleHooks": _none("LifecycleHooks"),
    "DescribeLoadBalancerTargetGroups": _describe_load_balancer_target_groups,
    "DescribeNotificationConfigurations": _none("NotificationConfigurations"),
    "DescribePolicies": _none("ScalingPolicies"),
    "DescribeScalingActivities": _describe_scaling_activities,
    "DescribeScheduledActions": _none("ScheduledUpdateGroupActions"),
    "DescribeTags": _describe_tags,
    "DescribeTrafficSources": _describe_traffic_sources,
    "DescribeWarmPool": _none("Instances"),
}
