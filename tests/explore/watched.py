"""A simulated cloud that knows the truth: what each command could do to those who serve, and how it all ends.

Nothing here uses the core's own predicates: it reads the simulator's world.
"""

from __future__ import annotations

from typing import Any

from bluegreen.core.commands import Attach, Command, DeleteFleet, Detach, SetBounds, SetShares, SetSize
from bluegreen.core.observation import Observation, Outcome
from bluegreen.core.plan import Plan
from bluegreen.core.state import Ledger, Phase, State
from bluegreen_sim import SimCloud, World
from bluegreen_sim.world import Group


def healthy(group: Group) -> int:
    """Instances of a group that the balancer finds healthy."""
    return sum(i.target == "healthy" for i in group.instances)


def weights(world: World) -> dict[str, int]:
    """What each group gets: its weight, or anything at all where all share one target group."""
    rule = dict(world.rule)
    return {g.name: rule.get(world.home(g.name) or "", 0) if g.attached else 0 for g in world.groups}


def serving(world: World) -> int:
    """Healthy instances that users are sent to."""
    given = weights(world)
    return sum(healthy(g) for g in world.groups if given[g.name])


def at_worst(world: World, command: Command) -> int:
    """The same after a command, if the group ends its healthiest instances."""
    given, total = weights(world), 0
    if isinstance(command, SetShares):
        given |= dict(command.weights)
    for group in world.groups:
        left, named = healthy(group), getattr(command, "fleet", None) == group.name
        if named and isinstance(command, DeleteFleet | Detach):
            left = 0
        elif named and isinstance(command, SetSize | SetBounds):
            bounded = max(command.min, min(command.max, group.desired))
            size = command.size if isinstance(command, SetSize) else bounded
            # What somebody else has already asked to end is not this command's doing.
            left -= min(left, max(0, group.staying - size)) if size < group.desired else 0
        total += left if given[group.name] else 0
    return total


class Watched(SimCloud):
    """Notes every command of ours that could take the serving from the floor to below it.

    A command whose own look was stale may do so without a fault of ours: no logic removes that race. All
    others are in ``crossings``.
    """

    def __init__(self, plan: Plan, *args: Any, floor: int = 0, **options: Any) -> None:
        super().__init__(plan, *args, **options)
        self.start, self.floor, self.crossings, self.calls = self.world, floor, [], 0
        self._fresh = True

    def observe(self, plan: Plan, ledger: Ledger) -> Observation:
        seen = super().observe(plan, ledger)
        truth = self._looker.look(self.world, plan, ledger.deployment_id, self.clock.now())
        self._fresh = (seen.fleets, seen.shares) == (truth.fleets, truth.shares)
        return seen

    def apply(self, command: Command) -> Outcome:
        self.calls += 1
        now = serving(self.world)
        if self._fresh and now >= self.floor > at_worst(self.world, command):
            self.crossings.append(
                f"{command} at {self.clock.now():g}: {now} served, the floor is {self.floor}"
            )
        if isinstance(command, Attach) and not self._fresh:
            self.crossings.append(f"{command} on a look that was not fresh")
        return super().apply(command)


def settings(world: World) -> dict[str, object]:
    """All that can be borrowed, by group."""
    found: dict[str, object] = {
        g.name: (g.min, g.max, g.desired, g.version, g.attached, g.frozen) for g in world.groups
    }
    return found | {"rule": world.rule}


def wrong_end(plan: Plan, start: World, end: World, state: State, calls: int) -> list[str]:
    """What is not as the end says. Leftovers that the result lists are no fault of the end."""
    was, now, wrong = settings(start), settings(end), []
    green = end.group(state.green) if state.green else None
    if state.phase is Phase.REFUSED and calls:
        wrong.append(f"refused after {calls} calls")
    if state.phase is Phase.ROLLED_BACK and not state.leftovers:
        wrong += [
            f"{name} was {was.get(name)}, is {now.get(name)}"
            for name in was | now
            if was.get(name) != now.get(name)
        ]
        wrong += [f"{green.name} has instances left"] if green and green.instances else []
    if state.phase is Phase.PROMOTED:
        wrong += [] if state.committed else ["promoted without a commit"]
        blue = end.group(state.blue) if state.blue else None
        if not state.leftovers:
            wrong += ["blue is not at zero"] if blue and (blue.desired or blue.instances) else []
            wrong += ["blue stands"] if blue and plan.fleets == "replace" and not state.first_release else []
            before = start.group(state.blue or "")
            if (
                green
                and before
                and not state.first_release
                and (green.min, green.max) != (before.min, max(before.max, green.desired))
            ):
                wrong.append(
                    f"green has bounds {green.min} and {green.max}, blue had {before.min} and {before.max}"
                )
        wrong += [] if green and green.desired >= state.need else ["green is smaller than it must be"]
        given = weights(end)
        alone = not (blue and given[blue.name] and healthy(blue))
        wrong += [] if given.get(state.green or "") and alone else ["green is not alone"]
    mine = [v for v in end.versions if v.token == state.ledger.deployment_id]
    wrong += ["more than one template version"] if len(mine) > 1 else []
    return wrong
