"""What EC2 Auto Scaling shows of the world.

Sources: API reference of EC2 Auto Scaling, version 2011-01-01, and the user guide.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from bluegreen_sim.groups import autoscaling
from bluegreen_sim.world import Group, Instance, World

from .. import names
from ..asking import Given, NotSimulated, Read, page, paged, passing, tag_values
from ..notes import note, tags
from ..times import moment

SETTINGS = {"VPCZoneIdentifier", "AvailabilityZones", "CapacityRebalance", "ServiceLinkedRoleARN"}
"""What is kept of a group and shown as it was given."""
LIFE = {
    "pending": "Pending",
    "pending:wait": "Pending:Wait",
    "running": "InService",
    "entering": "EnteringStandby",
    "standby": "Standby",
    "detaching": "Detaching",
    "leaving": "Terminating",
    "leaving:wait": "Terminating:Wait",
}
"""Instance lifecycle (user guide). ``Pending:Proceed`` lasts no time here, and what is gone is not shown."""


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
    found = [group for group in autoscaling.visible(world) if not wanted or group.name in wanted]
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
    zones = group.scaling.zones or range(world.settings.zones)
    shown = {
        "AutoScalingGroupName": group.name,
        "AutoScalingGroupARN": names.group_arn(group.name, group.token),
        "LaunchTemplate": _template(world, group.version),
        "MinSize": group.min,
        "MaxSize": group.max,
        "DesiredCapacity": group.desired,
        "AvailabilityZones": [names.zone(zone) for zone in zones],
        "LoadBalancerNames": [],
        "TargetGroupARNs": [] if group.by_source else arns,
        "TrafficSources": [{"Identifier": arn, "Type": "elbv2"} for arn in arns],
        "Instances": [_instance(world, group, each) for each in group.instances] if with_instances else [],
        "CreatedTime": moment(kept.get("created", 0)),
        "SuspendedProcesses": [
            {"ProcessName": name, "SuspensionReason": "User suspended"} for name in group.suspended
        ],
        "VPCZoneIdentifier": ",".join(names.subnet(zone) for zone in zones),
        "EnabledMetrics": [],
        "Tags": _tags(world, group.name),
        **_told(world, group),
        **{name: value for name, value in kept.items() if name in SETTINGS},
    }
    return shown | ({"Status": "Delete in progress"} if group.deleting else {})


def _told(world: World, group: Group) -> Given:
    """What a group was told besides its sizes."""
    scaling = group.scaling
    told: Given = {
        "DefaultCooldown": int(scaling.cooldown_seconds),
        "HealthCheckType": "ELB" if world.elb_checked(group) else "EC2",
        "HealthCheckGracePeriod": int(scaling.grace_seconds),
        "TerminationPolicies": list(scaling.termination),
        "NewInstancesProtectedFromScaleIn": scaling.protects_new,
        "DeletionProtection": scaling.deletion,
    }
    if scaling.warmup_seconds is not None:
        told["DefaultInstanceWarmup"] = int(scaling.warmup_seconds)
    if scaling.healthy_percent is not None:
        least, most = scaling.healthy_percent
        told["InstanceMaintenancePolicy"] = {"MinHealthyPercentage": least, "MaxHealthyPercentage": most}
    return told


def _template(world: World, version: int | str) -> Given:
    return {
        "LaunchTemplateId": names.template_id(world.template),
        "LaunchTemplateName": world.template,
        "Version": str(version),
    }


def _instance(world: World, group: Group, instance: Instance) -> Given:
    life = LIFE[instance.life]
    if life == "Terminating" and not instance.target and group.scaling.hooked("terminate"):
        life = "Terminating:Proceed"
    return {
        "InstanceId": instance.id,
        "InstanceType": names.INSTANCE_TYPE,
        "AvailabilityZone": names.zone(instance.zone),
        "LifecycleState": life,
        "HealthStatus": "Unhealthy" if instance.standing.unhealthy else "Healthy",
        "LaunchTemplate": _template(world, instance.version),
        "ProtectedFromScaleIn": instance.standing.protected,
    }


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
        for group in autoscaling.visible(world)
        for instance in group.instances
        if not wanted or instance.id in wanted
    ]
    some, following = page(found, given, "MaxRecords", "NextToken", 50)
    shown = []
    for group, instance in some:
        about = _instance(world, group, instance)
        health = about["HealthStatus"].upper()
        shown.append(about | {"AutoScalingGroupName": group.name, "HealthStatus": health})
    return paged("AutoScalingInstances", shown, "NextToken", following)


def _describe_load_balancer_target_groups(world: World, given: Given) -> Given:
    """What was attached as a traffic source is not seen by this one (API reference)."""
    group = find_group(world, given["AutoScalingGroupName"])
    return {
        "LoadBalancerTargetGroups": [
            {"LoadBalancerTargetGroupARN": arn, "State": state}
            for arn, state in _attachments(world, group)
            if not group.by_source
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
    """(ARN, state) of the target group, while instances are in it (DescribeLoadBalancerTargetGroups).

    A group that was created behind its target group shows it as in service from the start.
    """
    home = world.home(group.name)
    targets = {instance.target for instance in group.instances if instance.life == "running"}
    if home is None or not (group.attached or "draining" in targets):
        return []
    if not group.attached:
        state = "Removing"
    elif group.armed or note(world, f"settings {group.name}", {}).get("attached at creation"):
        state = "InService"
    else:
        state = "Added" if group.added_at <= world.now else "Adding"
    return [(names.target_group_arn(home), state)]


def _describe_tags(world: World, given: Given) -> Given:
    found = [tag for group in autoscaling.visible(world) for tag in _tags(world, group.name)]
    under = {"auto-scaling-group": "ResourceId", "key": "Key", "value": "Value"}
    for wanted in given.get("Filters", ()):
        if wanted["Name"] == "propagate-at-launch":
            raise NotSimulated("the filter 'propagate-at-launch' is not simulated")
        found = [tag for tag in found if tag[under[wanted["Name"]]] in wanted["Values"]]
    some, following = page(found, given, "MaxRecords", "NextToken", 50)
    return paged("Tags", some, "NextToken", following)


def _describe_notification_configurations(world: World, given: Given) -> Given:
    """There are none."""
    for name in given.get("AutoScalingGroupNames", ()):
        find_group(world, name)
    return {"NotificationConfigurations": []}


def _describe_warm_pool(world: World, given: Given) -> Given:
    find_group(world, given["AutoScalingGroupName"])
    return {"Instances": []}


READS: dict[str, Read] = {
    "DescribeAutoScalingGroups": _describe_auto_scaling_groups,
    "DescribeAutoScalingInstances": _describe_auto_scaling_instances,
    "DescribeLoadBalancerTargetGroups": _describe_load_balancer_target_groups,
    "DescribeNotificationConfigurations": _describe_notification_configurations,
    "DescribeTags": _describe_tags,
    "DescribeTrafficSources": _describe_traffic_sources,
    "DescribeWarmPool": _describe_warm_pool,
}
