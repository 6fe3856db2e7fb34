"""How a group scales itself: policies and scheduled actions; and what an account may have.

Sources: API reference of EC2 Auto Scaling, version 2011-01-01, and the user guide, "Quotas".
"""

from __future__ import annotations

from attrs import evolve

from bluegreen_sim import engine
from bluegreen_sim.faults import ScheduledAction
from bluegreen_sim.groups import autoscaling
from bluegreen_sim.groups.launching import POLICIES
from bluegreen_sim.groups.scaling import PROCESSES, TargetTracking
from bluegreen_sim.world import World

from .. import names
from ..asking import Change, Given, NotSimulated, Read, page, paged
from ..times import EPOCH, moment
from ..wire import AwsError
from .autoscaling_reads import find_group

MOST = {"groups": 500, "policies": 50, "actions": 125}
METRICS = {"ASGAverageCPUUtilization": "cpu", "ALBRequestCountPerTarget": "requests"}


def _put_scaling_policy(world: World, given: Given) -> tuple[World, Given]:
    """Target tracking by one of two metrics; the alarms that AWS would make for it are not shown."""
    name, group = given["PolicyName"], autoscaling.changeable(world, given["AutoScalingGroupName"])
    asked = given.get("TargetTrackingConfiguration", {})
    metric = METRICS.get(asked.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType", ""))
    if given.get("PolicyType") != "TargetTrackingScaling" or metric is None:
        known = " or ".join(METRICS)
        raise NotSimulated(f"a policy is TargetTrackingScaling by {known}; others: Scaling(policies=...)")
    policy = TargetTracking(
        name,
        "cpu" if metric == "cpu" else "requests",
        asked["TargetValue"],
        scales_in=not asked.get("DisableScaleIn", False),
    )
    others = tuple(other for other in group.scaling.policies if other.name != name)
    if len(others) >= MOST["policies"]:
        raise AwsError("LimitExceeded", f"at most {MOST['policies']} scaling policies for a group")
    world = world.with_group(group.replaced(scaling=evolve(group.scaling, policies=(*others, policy))))
    return world, {"PolicyARN": _arn("scalingPolicy", group.name, "policyName", name), "Alarms": []}


def _arn(kind: str, group: str, word: str, name: str) -> str:
    return f"{names.group_arn(group).replace(':autoScalingGroup:', f':{kind}:')}:{word}/{name}"


def _delete_policy(world: World, given: Given) -> tuple[World, Given]:
    name = given["PolicyName"]
    groups = [find_group(world, given["AutoScalingGroupName"])] if "AutoScalingGroupName" in given else None
    for group in groups or world.groups:
        left = tuple(policy for policy in group.scaling.policies if policy.name != name)
        if left != group.scaling.policies:
            return world.with_group(group.replaced(scaling=evolve(group.scaling, policies=left))), {}
    raise AwsError("ValidationError", f"there is no scaling policy {name}")


def _describe_policies(world: World, given: Given) -> Given:
    wanted, types = given.get("PolicyNames"), given.get("PolicyTypes")
    groups = [find_group(world, given["AutoScalingGroupName"])] if "AutoScalingGroupName" in given else None
    found = []
    for group in groups or world.groups:
        for policy in group.scaling.policies:
            kind = "TargetTrackingScaling" if isinstance(policy, TargetTracking) else "StepScaling"
            if (wanted and policy.name not in wanted) or (types and kind not in types):
                continue
            shown: Given = {
                "AutoScalingGroupName": group.name,
                "PolicyName": policy.name,
                "PolicyARN": _arn("scalingPolicy", group.name, "policyName", policy.name),
                "PolicyType": kind,
                "Enabled": True,
                "Alarms": [],
            }
            if isinstance(policy, TargetTracking):
                metric = next(name for name, ours in METRICS.items() if ours == policy.metric)
                shown["TargetTrackingConfiguration"] = {
                    "PredefinedMetricSpecification": {"PredefinedMetricType": metric},
                    "TargetValue": float(policy.target),
                    "DisableScaleIn": not policy.scales_in,
                }
            found.append(shown)
    some, following = page(found, given, "MaxRecords", "NextToken", 50)
    return paged("ScalingPolicies", some, "NextToken", following)


# ------------------------------------------------------------------------------------------ scheduled actions


def _put_scheduled_action(world: World, given: Given) -> tuple[World, Given]:
    group, name = find_group(world, given["AutoScalingGroupName"]), given["ScheduledActionName"]
    if given.keys() & {"Recurrence", "EndTime", "TimeZone"} or not given.keys() & {"StartTime", "Time"}:
        raise NotSimulated("a scheduled action happens once here, at its StartTime")
    at = given[("Time", "StartTime")["StartTime" in given]] - EPOCH
    if at * 1000 <= world.now:
        raise AwsError("ValidationError", "Given start time is in the past")
    world = _without(world, group.name, name)
    action = ScheduledAction(
        group.name, at, given.get("MinSize"), given.get("MaxSize"), given.get("DesiredCapacity"), name
    )
    if len(_actions(world, group.name)) >= MOST["actions"]:
        raise AwsError("LimitExceeded", f"at most {MOST['actions']} scheduled actions for a group")
    return engine.schedule(world, action, round(at * 1000)), {}


def _actions(world: World, group: str | None) -> list[tuple[int, ScheduledAction]]:
    return [
        (at, event)
        for at, event in world.schedule
        if isinstance(event, ScheduledAction) and group in (None, event.group)
    ]


def _without(world: World, group: str, name: str) -> World:
    left = tuple(
        (at, event)
        for at, event in world.schedule
        if not (isinstance(event, ScheduledAction) and (event.group, event.name) == (group, name))
    )
    return world.replaced(schedule=left)


def _delete_scheduled_action(world: World, given: Given) -> tuple[World, Given]:
    group, name = find_group(world, given["AutoScalingGroupName"]), given["ScheduledActionName"]
    if not any(action.name == name for _, action in _actions(world, group.name)):
        raise AwsError("ValidationError", f"there is no scheduled action {name}")
    return _without(world, group.name, name), {}


def _describe_scheduled_actions(world: World, given: Given) -> Given:
    wanted = given.get("ScheduledActionNames")
    sizes = {"MinSize": "min", "MaxSize": "max", "DesiredCapacity": "desired"}
    shown = [
        {
            "AutoScalingGroupName": action.group,
            "ScheduledActionName": action.name,
            "ScheduledActionARN": _arn(
                "scheduledUpdateGroupAction", action.group, "scheduledActionName", action.name
            ),
            "StartTime": moment(at),
            "Time": moment(at),
        }
        | {key: size for key, field in sizes.items() if (size := getattr(action, field)) is not None}
        for at, action in _actions(world, given.get("AutoScalingGroupName"))
        if not wanted or action.name in wanted
    ]
    some, following = page(shown, given, "MaxRecords", "NextToken", 50)
    return paged("ScheduledUpdateGroupActions", some, "NextToken", following)


# ------------------------------------------------------------------------------------------------- account


def _describe_account_limits(world: World, given: Given) -> Given:  # noqa: ARG001 - the same for all
    return {
        "MaxNumberOfAutoScalingGroups": MOST["groups"],
        "MaxNumberOfLaunchConfigurations": 200,
        "NumberOfAutoScalingGroups": len(world.groups),
        "NumberOfLaunchConfigurations": 0,
    }


def _describe_scaling_process_types(world: World, given: Given) -> Given:  # noqa: ARG001 - the same for all
    return {"Processes": [{"ProcessName": name} for name in PROCESSES]}


def _describe_termination_policy_types(world: World, given: Given) -> Given:  # noqa: ARG001 - the same for all
    return {"TerminationPolicyTypes": sorted(POLICIES)}


READS: dict[str, Read] = {
    "DescribeAccountLimits": _describe_account_limits,
    "DescribePolicies": _describe_policies,
    "DescribeScalingProcessTypes": _describe_scaling_process_types,
    "DescribeScheduledActions": _describe_scheduled_actions,
    "DescribeTerminationPolicyTypes": _describe_termination_policy_types,
}
CHANGES: dict[str, Change] = {
    "DeletePolicy": _delete_policy,
    "DeleteScheduledAction": _delete_scheduled_action,
    "PutScalingPolicy": _put_scaling_policy,
    "PutScheduledUpdateGroupAction": _put_scheduled_action,
}
