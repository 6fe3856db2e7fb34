"""Scaling policies: how a group's own size follows the load, minute by minute.

EC2 Auto Scaling user guide, "Target tracking scaling policies" and "Step and simple scaling policies". The
load of a minute is counted when it is over, and nothing acts within it: between two whole minutes requests
are divided by arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from ..world import Group, World, ms
from .edits import resized
from .scaling import StepScaling, TargetTracking

TOLERANCE = 0.9
"""A group gets smaller only when its metric is a tenth below the target (CloudWatch alarms that AWS makes for
target tracking: AlarmLow stands below the target)."""
LOW_MINUTES = 15
"""AlarmLow wants 15 minutes in a row, AlarmHigh three; both are AWS's own and not to be edited."""
HIGH_MINUTES = 3


def steered(world: World, loads: Mapping[str, tuple[float, ...]]) -> World:
    """The world after its groups' policies have looked at the load.

    Args:
        world: At a whole minute.
        loads: Requests in each of the last minutes, by group, the latest last.
    """
    for group in world.groups:
        if group.scaling.policies and "AlarmNotification" not in group.suspended:
            world = _steered(world, group, loads.get(group.name, ()))
    return world


def _steered(world: World, group: Group, loads: tuple[float, ...]) -> World:
    """Of several policies the one that wants most instances decides (user guide)."""
    if group.quiet_until > world.now:
        return world
    there = sum(each.life == "running" and each.standing.warm_at <= world.now for each in group.instances)
    if not there or not loads:
        return world
    wishes = [_wish(policy, group, there, loads) for policy in group.scaling.policies]
    size = max((wish for wish in wishes if wish is not None), default=group.desired)
    if size == group.desired:
        return world
    world = resized(world, group, size)
    if group.scaling.warmup_seconds is not None:
        return world
    # Without a warm-up, policies wait for the default cooldown instead.
    moved = world.group(group.name)
    assert moved is not None
    return world.with_group(moved.replaced(quiet_until=world.now + ms(group.scaling.cooldown_seconds)))


def _wish(
    policy: TargetTracking | StepScaling, group: Group, there: int, loads: tuple[float, ...]
) -> int | None:
    """The size that a policy wants; None while it wants nothing."""
    values = [_metric(policy, load, there) for load in loads]
    if isinstance(policy, StepScaling):
        beyond = values[-1] - policy.threshold if policy.above else policy.threshold - values[-1]
        steps = [change for start, change in policy.steps if beyond >= start]
        return group.desired + steps[-1] if steps and beyond > 0 else None
    high, low = values[-HIGH_MINUTES:], values[-LOW_MINUTES:]
    if len(high) == HIGH_MINUTES and min(high) > policy.target:
        return max(group.desired, math.ceil(there * high[-1] / policy.target))
    if policy.scales_in and len(low) == LOW_MINUTES and max(low) < policy.target * TOLERANCE:
        return min(group.desired, math.ceil(there * low[-1] / policy.target))
    return None


def _metric(policy: TargetTracking | StepScaling, load: float, there: int) -> float:
    each = load / there
    return each if policy.metric == "requests" else 100 * each / 60 / policy.requests_at_full
