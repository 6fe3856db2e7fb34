"""Ground truth: what each command could do to those who serve, and whether an end is as it says.

Nothing here comes from the core: it reads the simulator's world, and commands and states by the names of
their parts, so that it cannot share a mistake of the predicates that it checks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .world import Group, World


def floor(plan: Any, baseline: int) -> int:
    """How many must stay healthy and serving of so many: the percentage, rounded up, by exact division."""
    whole, rest = divmod(plan.min_healthy_percent * baseline, 100)
    return int(whole + (rest > 0))


def healthy(group: Group) -> int:
    """Instances of a group that the balancer finds healthy."""
    return sum(instance.target == "healthy" for instance in group.instances)


def weights(world: World) -> dict[str, int]:
    """What each group gets: its weight, or anything at all where all share one target group."""
    rule = dict(world.rule)
    return {g.name: rule.get(world.home(g.name) or "", 0) if g.attached else 0 for g in world.groups}


def serving(world: World) -> int:
    """Healthy instances that users are sent to."""
    given = weights(world)
    return sum(healthy(group) for group in world.groups if given[group.name])


def at_worst(world: World, command: Any) -> int:
    """The same after a command, if the groups end their healthiest instances."""
    given, total, kind = weights(world), 0, type(command).__name__
    if kind == "SetShares":
        given |= dict(command.weights)
    for group in world.groups:
        left, named = healthy(group), getattr(command, "fleet", None) == group.name
        if named and kind in ("DeleteFleet", "Detach"):
            left = 0
        elif named and kind in ("SetSize", "SetBounds"):
            bounded = max(command.min, min(command.max, group.desired))
            size = command.size if kind == "SetSize" else bounded
            # What somebody else has already asked to end is not this command's doing.
            left -= min(left, max(0, group.staying - size)) if size < group.desired else 0
        total += left if given[group.name] else 0
    return total


def crossing(world: World, command: Any, floor: int) -> str | None:
    """How a command could take those who serve from the floor to below it; None when it cannot."""
    now = serving(world)
    if now >= floor > (then := at_worst(world, command)):
        return f"{command}: {now} served, at worst {then} will; the floor is {floor}"
    return None


def attaches(world: World, command: Any) -> bool:
    """Whether a command puts a group among the users that is not there yet."""
    group = world.group(command.fleet) if type(command).__name__ == "Attach" else None
    return group is not None and not group.attached


def moves(command: Any) -> bool:
    """Whether a command leads users elsewhere, or ends a group for good."""
    return type(command).__name__ in ("SetShares", "Attach", "Detach", "DeleteFleet")


def settings(world: World, *, sizes: bool = True) -> dict[str, object]:
    """All that can be borrowed, by group; without the wanted sizes if these are nobody's."""
    found: dict[str, object] = {
        g.name: (g.min, g.max, g.desired if sizes else None, g.version, g.attached, g.frozen)
        for g in world.groups
    }
    return found | {"rule": world.rule, "test_rule": world.test_rule}


def wrong_end(
    plan: Any, start: World, end: World, state: Any, *, calls: int = 0, resized: bool = False
) -> Iterator[str]:
    """What is not as the end says. Leftovers that the state lists are no fault of the end.

    Args:
        plan: What was wanted.
        start: The world at the beginning.
        end: The world at the end.
        state: The last state of the deployment.
        calls: How often the world was asked to change.
        resized: Whether somebody else may have moved sizes; then they say nothing.
    """
    phase = state.phase.value
    if phase == "refused" and calls:
        yield f"refused after {calls} calls"
    elif phase == "rolled_back":
        yield from _not_as_before(start, end, state, resized=resized)
    elif phase == "promoted":
        yield from _not_promoted(plan, start, end, state, resized=resized)
    mine = [version for version in end.versions if version.token == state.ledger.deployment_id]
    if len(mine) > 1:
        yield "more than one template version"


def _not_as_before(start: World, end: World, state: Any, *, resized: bool) -> Iterator[str]:
    if state.leftovers:
        return
    was, now = settings(start, sizes=not resized), settings(end, sizes=not resized)
    green = end.group(state.green)
    for name in was | now:
        if was.get(name) != now.get(name):
            yield f"{name} was {was.get(name)}, is {now.get(name)}"
    if green and green.instances and not resized:
        yield f"{green.name} has instances left"


def _not_promoted(plan: Any, start: World, end: World, state: Any, *, resized: bool) -> Iterator[str]:
    blue, green, before = end.group(state.blue), end.group(state.green), start.group(state.blue)
    if not state.committed:
        yield "promoted without a commit"
    if not state.leftovers:
        if end.test_rule != start.test_rule:
            yield f"the test rule was {start.test_rule}, is {end.test_rule}"
        if blue and (blue.desired or blue.instances) and not resized:
            yield "blue is not at zero"
        if blue and plan.fleets == "replace" and not state.first_release:
            yield "blue stands"
        if green and before and not state.first_release:
            wanted = before.min, max(before.max, green.desired)
            if (green.min, green.max) != wanted:
                yield f"{green.name} has bounds {green.min} and {green.max}, should have {wanted}"
    if not green or (green.desired < state.need and not resized):
        yield "green is smaller than it must be"
    given = weights(end)
    if not given.get(state.green):
        yield "green is not served"
    if blue and given[blue.name] and healthy(blue) and not state.leftovers:
        yield "green is not alone"
