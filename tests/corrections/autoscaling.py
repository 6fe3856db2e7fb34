"""Auto Scaling: launching and leaving take looks, sizes have bounds, names are unique, failures are told.

What changes with the looks is moved on when DescribeAutoScalingGroups is asked, before it answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.autoscaling.models import (
    AutoScalingBackend,
    FakeAutoScalingGroup,
    InstanceState,
    TerminateInstanceActivity,
)
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import utcnow
from moto.ec2.exceptions import EC2ClientError

from tests.corrections.balancing import leaving
from tests.corrections.table import Script, correct, spent

ASG_NAME_TAG = "aws:autoscaling:groupName"


# ------------------------------------------------------------------------------------------------- sizes


@correct(AutoScalingBackend, "create_auto_scaling_group")
def create(original: Callable[..., Any], script: Script, backend: Any, **wanted: Any) -> Any:
    """G1, C4: a taken name is refused; B1: sizes are in order; B3: no grace period means 0.

    An unknown target group leaves no group behind.
    """
    name = wanted["name"]
    if name in backend.autoscaling_groups:
        raise AutoscalingClientError(
            "AlreadyExists",
            f"AutoScalingGroup by this name already exists - A group with the name {name} already exists",
        )
    low, high = wanted["min_size"], wanted["max_size"]
    in_order(low, high, low if wanted["desired_capacity"] is None else wanted["desired_capacity"])
    known_target_groups(backend, wanted["target_group_arns"])
    known_version(backend, wanted["launch_template"])
    group = original(backend, **wanted)
    group.health_check_grace_period = wanted["health_check_period"] or 0
    settle(script, group)
    return group


@correct(AutoScalingBackend, "update_auto_scaling_group")
def update(original: Callable[..., Any], _script: Script, backend: Any, **wanted: Any) -> Any:
    """B1: the bounds move the wanted size when it is not named; sizes out of order change nothing."""
    known_version(backend, wanted["launch_template"])
    if group := backend.autoscaling_groups.get(wanted["name"]):
        low = group.min_size if wanted["min_size"] is None else wanted["min_size"]
        high = group.max_size if wanted["max_size"] is None else wanted["max_size"]
        if wanted["desired_capacity"] is None:
            wanted["desired_capacity"] = max(low, min(high, group.desired_capacity))
        in_order(low, high, wanted["desired_capacity"])
    return original(backend, **wanted)


@correct(AutoScalingBackend, "set_desired_capacity")
def set_desired(
    original: Callable[..., Any], _script: Script, backend: Any, group_name: str, desired_capacity: int
) -> None:
    """B1: a size beyond the bounds is refused in AWS's words."""
    group = named(backend, group_name)
    for beyond, bound, word in (
        (desired_capacity > group.max_size, group.max_size, "above max"),
        (desired_capacity < group.min_size, group.min_size, "below min"),
    ):
        if beyond:
            raise ValidationError(
                f"New SetDesiredCapacity value {desired_capacity} is {word} value {bound} for the "
                "AutoScalingGroup."
            )
    original(backend, group_name, desired_capacity)


def in_order(low: int, high: int, desired: int) -> None:
    """Refuse sizes that contradict each other."""
    if low > high:
        raise ValidationError(f"Max bound, {high}, must be greater than or equal to min bound, {low}")
    if not low <= desired <= high:
        raise ValidationError(
            f"Desired capacity:{desired} must be between the specified min size:{low} and max size:{high}"
        )


def named(backend: Any, name: str) -> Any:
    """The group of that name."""
    if name not in backend.autoscaling_groups:
        raise ValidationError(f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found")
    return backend.autoscaling_groups[name]


def known_target_groups(backend: Any, arns: list[str]) -> None:
    """Refuse target groups that are not there."""
    if any(arn not in backend.elbv2_backend.target_groups for arn in arns):
        raise ValidationError(
            "Provided Target Groups may not be valid. Please ensure they exist and try again."
        )


def known_version(backend: Any, template: dict[str, Any]) -> None:
    """Refuse a launch template, or a version of one, that is not there."""
    if not template:
        return
    try:
        backend.ec2_backend._get_template_from_args(template)
    except (EC2ClientError, IndexError) as error:
        raise ValidationError(f"You must use a valid fully-formed launch template. {error}") from error


# ------------------------------------------------------------------------------------- coming and going


@correct(FakeAutoScalingGroup, "set_desired_capacity")
def want(_original: Callable[..., Any], script: Script, group: Any, new_capacity: int | None) -> None:
    """G1 scale-in, B2: those who leave are Terminating while their targets drain, and end after that."""
    group.desired_capacity = group.min_size if new_capacity is None else new_capacity
    # A group that is being made is settled once it is known, so that a refused one launches nothing.
    if group.name in group.autoscaling_backend.autoscaling_groups:
        settle(script, group)


def settle(script: Script, group: Any) -> None:
    """Launch what is missing, and let go what is too much: the first in the list, unless protected."""
    staying = [state for state in group.instance_states if state.lifecycle_state != "Terminating"]
    if (missing := group.desired_capacity - len(staying)) > 0:
        launch(script, group, missing)
    unprotected = [state for state in staying if not state.protected_from_scale_in]
    for state in unprotected[: max(0, -missing)]:
        leave(group, state)


@correct(FakeAutoScalingGroup, "replace_autoscaling_group_instances")
def replace(
    _original: Callable[..., Any], _script: Script, group: Any, count_needed: int, propagated_tags: Any
) -> None:
    """G1, B7: an instance is launched with all of the version that its group is pinned to, and is Pending."""
    template = group.ec2_launch_template
    version = template.get_version(group.launch_template_version)
    reservation = group.ec2_backend.run_instances(
        version.image_id,
        count_needed,
        version.user_data,
        version.security_groups,
        instance_type=version.instance_type,
        is_instance_type_default=False,
        tags={"instance": propagated_tags | version.instance_tags | {ASG_NAME_TAG: group.name}},
        launch_template={"LaunchTemplateId": template.id, "Version": str(version.number)},
        subnet_id=(group.vpc_zone_identifier or "").split(",")[0] or None,
        placement=group.availability_zones[0],
    )
    for instance in reservation.instances:
        instance.autoscaling_group = group
        instance.launched_version = str(version.number)
        state = InstanceState(instance, "Pending", "Healthy", group.new_instances_protected_from_scale_in)
        group.instance_states.append(state)


def launch(script: Script, group: Any, count: int) -> None:
    """Launch instances, unless the script says that it fails: then only an activity tells (B8)."""
    if group.name not in script.launch_failures:
        group.replace_autoscaling_group_instances(count, group.get_propagated_tags())
        return
    short = (
        f"We currently do not have sufficient {group.instance_type} capacity in the Availability Zone you "
        f"requested ({group.availability_zones[0]}). Our system will be working on provisioning additional "
        "capacity"
    )
    why = script.launch_words or short
    words = f"Launching a new EC2 instance.  Status Reason: {why}. Launching EC2 instance failed."
    note(group, "Failed", words)


def leave(group: Any, state: Any) -> None:
    """Begin to terminate an instance of a group."""
    if state.lifecycle_state == "Pending":
        end(group, state)
        return
    state.lifecycle_state = "Terminating"
    state.looks_seen = 0
    for target_group in target_groups(group):
        target_group.deregister([{"Id": state.instance.id}])


def end(group: Any, state: Any) -> None:
    """Terminate an instance of a group; its targets are gone with it."""
    group.instance_states.remove(state)
    for target_group in target_groups(group):
        target_group.targets.pop(state.instance.id, None)
        leaving(target_group).pop(state.instance.id, None)
    if state.instance.state not in {"shutting-down", "terminated"}:
        group.ec2_backend.terminate_instances([state.instance.id])
    note(group, "Successful", f"Terminating EC2 instance: {state.instance.id}")


def target_groups(group: Any) -> Iterator[Any]:
    """Every target group; those that never knew the group's instances have nothing to forget."""
    yield from group.autoscaling_backend.elbv2_backend.target_groups.values()


# ------------------------------------------------------------------------------------------------- looks


@correct(AutoScalingResponse, "describe_auto_scaling_groups")
def describe_groups(original: Callable[..., Any], script: Script, response: Any) -> Any:
    """B2: Pending becomes InService and is registered; Terminating ends when nothing drains any more."""
    backend = response.autoscaling_backend
    for group in list(backend.autoscaling_groups.values()):
        move_on(script, group)
        if getattr(group, "status", None) and not group.instance_states:
            del backend.autoscaling_groups[group.name]
    return original(response)


def move_on(script: Script, group: Any) -> None:
    """One more look at a group."""
    if group.name in script.launch_failures:
        script.launch_failures[group.name] -= 1
        if script.launch_failures[group.name] < 0:
            del script.launch_failures[group.name]
    settle(script, group)
    for state in list(group.instance_states):
        if state.lifecycle_state == "Pending" and spent(state, script.looks.pending):
            state.lifecycle_state = "InService"
            note(group, "Successful", f"Launching a new EC2 instance: {state.instance.id}")
        elif state.lifecycle_state == "Terminating":
            drains = any(state.instance.id in leaving(each) for each in target_groups(group))
            # Somebody who never asks for target health sees the end as well, a look later than who does.
            if spent(state, script.looks.draining + 1 if drains else script.looks.terminating):
                end(group, state)
    group.autoscaling_backend.update_attached_target_groups(group.name)


@correct(AutoScalingBackend, "update_attached_target_groups")
def register(_original: Callable[..., Any], _script: Script, backend: Any, group_name: str) -> None:
    """B2: an instance is registered when it becomes InService, once."""
    group = backend.autoscaling_groups[group_name]
    for arn in group.target_group_arns:
        target_group = backend.elbv2_backend.target_groups.get(arn)
        if target_group is not None:
            fresh = [each.instance.id for each in group.active_instances() if each.instance.is_running()]
            target_group.register([{"Id": each} for each in fresh if each not in target_group.targets])


@correct(InstanceState, "launch_template")
def launched_from(original: Callable[..., Any], _script: Script, state: Any) -> Any:
    """G1: an instance's version is the one that it was launched from."""
    version = getattr(state.instance, "launched_version", None)
    return (original(state) or {}) | {"Version": version} if version else original(state)


# -------------------------------------------------------------------------------- attaching and ending


@correct(AutoScalingBackend, "attach_load_balancer_target_groups")
def attach(
    original: Callable[..., Any], _script: Script, backend: Any, group_name: str, target_group_arns: list[str]
) -> None:
    """G1: an unknown target group is refused, and not kept."""
    named(backend, group_name)
    known_target_groups(backend, target_group_arns)
    original(backend, group_name, target_group_arns)


@correct(AutoScalingBackend, "detach_load_balancer_target_groups")
def detach(
    _original: Callable[..., Any],
    _script: Script,
    backend: Any,
    group_name: str,
    target_group_arns: list[str],
) -> None:
    """G1, B5: instances drain and stay InService; to detach again is no error."""
    group = named(backend, group_name)
    group.target_group_arns = [arn for arn in group.target_group_arns if arn not in target_group_arns]
    for arn in target_group_arns:
        if arn in backend.elbv2_backend.target_groups:
            ids = [state.instance.id for state in group.instance_states]
            backend.elbv2_backend.deregister_targets(arn, [{"Id": each} for each in ids])


@correct(AutoScalingBackend, "terminate_instance")
def terminate(
    _original: Callable[..., Any], script: Script, backend: Any, instance_id: str, should_decrement: Any
) -> Any:
    """G1, B10: TerminateInstanceInAutoScalingGroup drains too, and keeps to the smallest size."""
    group, state = member(backend, instance_id)
    before = group.desired_capacity
    in_order(group.min_size, group.max_size, before - should_decrement)
    group.desired_capacity -= should_decrement
    leave(group, state)
    settle(script, group)
    return TerminateInstanceActivity(state.instance, before)


def member(backend: Any, instance_id: str) -> tuple[Any, Any]:
    """The group of an instance, and its state there."""
    for group in backend.autoscaling_groups.values():
        for state in group.instance_states:
            if state.instance.id == instance_id:
                return group, state
    raise ValidationError(f"Instance Id not found - No managed instance found for instance ID: {instance_id}")


@correct(AutoScalingBackend, "notify_terminate_instances")
def ended_elsewhere(
    _original: Callable[..., Any], script: Script, backend: Any, instance_ids: list[str]
) -> None:
    """G1, B3: what EC2 ended is replaced, and the replacement is registered."""
    for group in backend.autoscaling_groups.values():
        for state in [each for each in group.instance_states if each.instance.id in instance_ids]:
            end(group, state)
        settle(script, group)


@correct(AutoScalingResponse, "delete_auto_scaling_group")
def delete(original: Callable[..., Any], _script: Script, response: Any) -> Any:
    """G1, B10: refused while instances exist; by force, the name is taken until they have ended."""
    group = response.autoscaling_backend.autoscaling_groups.get(response._get_param("AutoScalingGroupName"))
    if group is None or not group.instance_states:
        return original(response)
    if not response._get_bool_param("ForceDelete"):
        raise AutoscalingClientError(
            "ResourceInUse",
            "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance "
            "request(s) still in the group.",
        )
    group.status = "Delete in progress"
    group.min_size = group.desired_capacity = 0
    for state in [each for each in group.instance_states if each.lifecycle_state != "Terminating"]:
        leave(group, state)
    return EmptyResult()


# -------------------------------------------------------------------------------------------- activities


def activities(group: Any) -> list[dict[str, Any]]:
    """What a group did, oldest first."""
    backend = group.autoscaling_backend
    if not hasattr(backend, "told"):
        backend.told = []
    return backend.told


def note(group: Any, status: str, message: str) -> dict[str, Any]:
    """Tell one more activity."""
    now = utcnow()
    told = {
        "ActivityId": str(UUID(int=len(activities(group)) + 1)),
        "AutoScalingGroupName": group.name,
        "Description": message.partition("  Status")[0],
        "Cause": "a difference between desired and actual capacity",
        "StartTime": now,
        "EndTime": now,
        "StatusCode": status,
        "StatusMessage": message if status == "Failed" else None,
        "Progress": 100,
        "Details": "{}",
        "AutoScalingGroupARN": group.arn,
    }
    activities(group).append(told)
    return told


@correct(AutoScalingResponse, "describe_scaling_activities")
def describe_activities(_original: Callable[..., Any], _script: Script, response: Any) -> ActionResult:
    """G1, B8: what a group did is told, newest first, by pages; failed launches are told nowhere else."""
    name = response._get_param("AutoScalingGroupName")
    told = [
        each
        for each in reversed(getattr(response.autoscaling_backend, "told", []))
        if name in {None, each["AutoScalingGroupName"]}
    ]
    start = int(response._get_param("NextToken") or 0)
    stop = start + response._get_int_param("MaxRecords", 100)
    return ActionResult({"Activities": told[start:stop], "NextToken": str(stop) if told[stop:] else None})


@correct(AutoScalingResponse, "describe_instance_refreshes")
def describe_refreshes(_original: Callable[..., Any], script: Script, response: Any) -> ActionResult:
    """Moto has no instance refreshes: those that the script tells of."""
    group = named(response.autoscaling_backend, response._get_param("AutoScalingGroupName"))
    told = [
        {"InstanceRefreshId": f"refresh-{number}", "AutoScalingGroupName": group.name, "Status": status}
        for number, status in enumerate(script.refreshes.get(group.name, ()))
    ]
    return ActionResult({"InstanceRefreshes": told, "NextToken": None})


# ------------------------------------------------------------------------------------------ notifications


@correct(AutoScalingResponse, "put_notification_configuration")
def put_notification(_original: Callable[..., Any], _script: Script, response: Any) -> ActionResult:
    """Moto has no notifications: one for each kind of event and topic."""
    group = named(response.autoscaling_backend, response._get_param("AutoScalingGroupName"))
    group.__dict__.setdefault("notifications", {})[response._get_param("TopicARN")] = response._get_param(
        "NotificationTypes"
    )
    return EmptyResult()


@correct(AutoScalingResponse, "describe_notification_configurations")
def describe_notifications(_original: Callable[..., Any], _script: Script, response: Any) -> ActionResult:
    """The same, of some groups or of all."""
    groups = response.autoscaling_backend.autoscaling_groups
    told = [
        {"AutoScalingGroupName": name, "TopicARN": topic, "NotificationType": kind}
        for name in response._get_param("AutoScalingGroupNames", None) or groups
        if name in groups
        for topic, kinds in getattr(groups[name], "notifications", {}).items()
        for kind in kinds
    ]
    return ActionResult({"NotificationConfigurations": told, "NextToken": None})


# --------------------------------------------------------------------------------- policies and schedules


@correct(AutoScalingBackend, "put_scaling_policy")
def put_policy(original: Callable[..., Any], _script: Script, backend: Any, **wanted: Any) -> Any:
    """Two groups may have a policy of one name; to moto the second takes the place of the first."""
    policy = original(backend, **wanted)
    backend.policies[wanted["as_name"] + " " + wanted["name"]] = backend.policies.pop(wanted["name"])
    return policy


@correct(AutoScalingBackend, "put_scheduled_update_group_action")
def put_schedule(original: Callable[..., Any], _script: Script, backend: Any, **wanted: Any) -> Any:
    """The same of scheduled actions."""
    name = wanted["scheduled_action_name"]
    action = original(backend, **wanted)
    backend.scheduled_actions[wanted["name"] + " " + name] = backend.scheduled_actions.pop(name)
    return action
