"""Lifecycle hooks of EC2 Auto Scaling.

Sources: API reference of EC2 Auto Scaling, version 2011-01-01, and the user guide, "Lifecycle hooks".
"""

from __future__ import annotations

from typing import Literal

from attrs import evolve

from bluegreen_sim.groups import autoscaling, lifecycle, membership
from bluegreen_sim.groups.scaling import Hook
from bluegreen_sim.world import Group, World

from .. import names
from ..asking import Change, Given, Read
from ..wire import AwsError
from .autoscaling_reads import find_group

LAUNCHING, TERMINATING = "autoscaling:EC2_INSTANCE_LAUNCHING", "autoscaling:EC2_INSTANCE_TERMINATING"
HOOKS = 50
"""Hooks of a group (user guide, "Quotas")."""


def with_hook(world: World, group: Group, given: Given) -> World:
    """The world with a hook of a group added or changed; instances that wait already are not concerned."""
    old = next((hook for hook in group.scaling.hooks if hook.name == given["LifecycleHookName"]), None)
    if old is None and "LifecycleTransition" not in given:
        raise AwsError("ValidationError", "a new lifecycle hook needs a LifecycleTransition")
    at: Literal["launch", "terminate"] = "launch"
    if given.get("LifecycleTransition") == TERMINATING or (old and old.at == "terminate"):
        at = "terminate"
    timeout = given.get("HeartbeatTimeout", old.timeout_seconds if old else 3600)
    if not 30 <= timeout <= 7200:
        raise AwsError(
            "ValidationError", f"Heartbeat timeout must be between 30 and 7200 seconds, not {timeout}"
        )
    result = given.get("DefaultResult", old.default if old else "ABANDON")
    if result not in ("ABANDON", "CONTINUE"):
        raise AwsError("ValidationError", f"DefaultResult is ABANDON or CONTINUE, not {result}")
    others = tuple(hook for hook in group.scaling.hooks if hook is not old)
    if len(others) >= HOOKS:
        raise AwsError("LimitExceeded", f"at most {HOOKS} lifecycle hooks for a group")
    hook = Hook(given["LifecycleHookName"], at, timeout, result)
    return world.with_group(group.replaced(scaling=evolve(group.scaling, hooks=(*others, hook))))


def _put_lifecycle_hook(world: World, given: Given) -> tuple[World, Given]:
    return with_hook(world, autoscaling.changeable(world, given["AutoScalingGroupName"]), given), {}


def _delete_lifecycle_hook(world: World, given: Given) -> tuple[World, Given]:
    """Who waits at it goes on: outstanding actions are completed, launches with ABANDON (API reference)."""
    name, hook = given["AutoScalingGroupName"], given["LifecycleHookName"]
    group = autoscaling.changeable(world, name)
    for instance in group.instances:
        if any(wait.hook == hook for wait in instance.standing.waits):
            result = "ABANDON" if instance.life == "pending:wait" else "CONTINUE"
            world = membership.complete(world, name, hook, instance.id, result)
    group = find_group(world, name)
    left = tuple(each for each in group.scaling.hooks if each.name != hook)
    return world.with_group(group.replaced(scaling=evolve(group.scaling, hooks=left))), {}


def _instance_of(world: World, given: Given) -> str:
    """The instance that is meant, by its id or by the token of its action."""
    if "InstanceId" in given:
        return str(given["InstanceId"])
    hook, token = given["LifecycleHookName"], given.get("LifecycleActionToken")
    for instance in find_group(world, given["AutoScalingGroupName"]).instances:
        if action_token(instance.id, hook) == token:
            return instance.id
    raise AwsError("ValidationError", f"No active Lifecycle Action found with token {token}")


def action_token(instance: str, hook: str) -> str:
    """The token by which a notification names the action."""
    digits = names.digest(f"{instance} {hook}", 32)
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _complete(world: World, given: Given) -> tuple[World, Given]:
    result = given["LifecycleActionResult"]
    if result not in ("ABANDON", "CONTINUE"):
        raise AwsError("ValidationError", f"LifecycleActionResult is ABANDON or CONTINUE, not {result}")
    name, hook = given["AutoScalingGroupName"], given["LifecycleHookName"]
    return membership.complete(world, name, hook, _instance_of(world, given), result), {}


def _heartbeat(world: World, given: Given) -> tuple[World, Given]:
    name, hook = given["AutoScalingGroupName"], given["LifecycleHookName"]
    return membership.heartbeat(world, name, hook, _instance_of(world, given)), {}


def _describe_lifecycle_hooks(world: World, given: Given) -> Given:
    group = find_group(world, given["AutoScalingGroupName"])
    wanted = given.get("LifecycleHookNames")
    return {
        "LifecycleHooks": [
            {
                "LifecycleHookName": hook.name,
                "AutoScalingGroupName": group.name,
                "LifecycleTransition": LAUNCHING if hook.at == "launch" else TERMINATING,
                "HeartbeatTimeout": int(hook.timeout_seconds),
                "GlobalTimeout": int(
                    min(lifecycle.HOOK_LIMIT_MS // 1000, lifecycle.HOOK_LIMIT_TIMEOUTS * hook.timeout_seconds)
                ),
                "DefaultResult": hook.default,
            }
            for hook in group.scaling.hooks
            if not wanted or hook.name in wanted
        ]
    }


def _describe_lifecycle_hook_types(world: World, given: Given) -> Given:  # noqa: ARG001 - the same for all
    return {"LifecycleHookTypes": [LAUNCHING, TERMINATING]}


READS: dict[str, Read] = {
    "DescribeLifecycleHooks": _describe_lifecycle_hooks,
    "DescribeLifecycleHookTypes": _describe_lifecycle_hook_types,
}
CHANGES: dict[str, Change] = {
    "CompleteLifecycleAction": _complete,
    "DeleteLifecycleHook": _delete_lifecycle_hook,
    "PutLifecycleHook": _put_lifecycle_hook,
    "RecordLifecycleActionHeartbeat": _heartbeat,
}
