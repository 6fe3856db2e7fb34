"""What each node of the balancer divides requests by, as late as it learns of a change.

The world is what AWS's API shows. Its nodes lag behind: each goes on for a while with the weights that it
has, and with a target that was taken out; and clients go on with what DNS told them. None of this acts on the
world, so it is kept beside it, and a ``SimCloud`` that goes on from a world begins without any of it.
"""

from __future__ import annotations

from itertools import chain

from attrs import frozen

from ..timeline import Timeline
from ..users.outcomes import Nodes
from ..users.traffic import Pool
from ..users.watching import Watch
from ..world import Group, Instance, World, ms
from . import balancer
from .balancer import Known
from .view import TargetState

Rule = tuple[tuple[str, int], ...]

MET = ("groups", "rule", "faults", "settings")
"""The parts of a world that requests meet."""


@frozen
class Left:
    """A target that was taken out, and to which a node still sends requests.

    Args:
        until: Until then.
        node: Which node.
        target_group: Where it was registered.
        state: What the node said of it last.
        group: The group that it is of.
        instance: As it was last.
    """

    until: int
    node: int
    target_group: str
    state: TargetState
    group: str
    instance: Instance


class Routing:
    """Tells a timeline what requests meet at each node.

    Args:
        timeline: What is told.
    """

    def __init__(self, timeline: Timeline) -> None:
        """Begin with nodes that know everything."""
        self._timeline = timeline
        self._watch = Watch()
        self._world: World | None = None
        self._rules: list[tuple[int, int, Rule]] = []  # (until, node, what it still divides by)
        self._left: list[Left] = []
        self._doors: list[tuple[int, tuple[bool, ...]]] = []  # (from when on, whether clients come to a node)

    def record(self, world: World) -> None:
        """Note what requests meet from now on, if that can have changed."""
        last = self._world
        if last and all(getattr(last, part) is getattr(world, part) for part in MET):
            return
        self._reach(world.now - 1)
        if last and world.settings.views:
            self._note_what_lags(last, world)
        self._world = world
        if seen := self._watch.look(world):
            self._timeline.behave(world.now, seen.manners, seen.slow, seen.cuts)
        self._tell(world.now)

    def extend(self, to_ms: int) -> None:
        """Let the timeline reach to a moment of world time."""
        self._reach(to_ms)
        self._timeline.extend(to_ms)

    def _reach(self, to_ms: int) -> None:
        """Note what changes by itself up to a moment: a node learns of something, a client asks DNS again."""
        if not (self._rules or self._left or self._doors[1:]):
            return  # as nearly always
        while ahead := [at for at in self._moments() if at <= to_ms]:
            self._tell(min(ahead))

    def _moments(self) -> list[int]:
        doors = [at for at, _ in self._doors[1:]]
        return [*(until for until, _, _ in self._rules), *(left.until for left in self._left), *doors]

    def _note_what_lags(self, last: World, world: World) -> None:
        lag, nodes = world.settings.propagation, range(world.settings.node_count)
        if last.rule != world.rule:
            late = [ms(lag.weights_seconds[node % len(lag.weights_seconds)]) for node in nodes]
            self._rules += [(world.now + late[node], node, last.rule) for node in nodes if late[node]]
        late = [ms(lag.deregister_seconds[node % len(lag.deregister_seconds)]) for node in nodes]
        for group, instance in _taken_out(last, world):
            for node, view in enumerate(instance.views):
                if late[node] and view.state:
                    target_group = last.home(group.name) or ""
                    left = Left(world.now + late[node], node, target_group, view.state, group.name, instance)
                    self._left.append(left)

    def _tell(self, at: int) -> None:
        world = self._world
        assert world is not None, "something was recorded before"
        self._rules = [each for each in self._rules if each[0] > at]
        self._left = [left for left in self._left if left.until > at]
        doors = self._doors_at(at, world)
        self._timeline.record(at, self._nodes(world, doors), balancer.healthy(world), balancer.states(world))

    def _doors_at(self, at: int, world: World) -> tuple[bool, ...]:
        """To which nodes clients come: to those that DNS named so long ago as an answer lives."""
        now = balancer.in_dns(world)
        if not self._doors:
            self._doors.append((at, now))
        elif self._doors[-1][1] != now:
            self._doors.append((at + ms(world.settings.dns_seconds), now))
        while len(self._doors) > 1 and self._doors[1][0] <= at:
            self._doors.pop(0)
        return self._doors[0][1]

    def _nodes(self, world: World, doors: tuple[bool, ...]) -> Nodes:
        settings = world.settings
        if not settings.views and settings.cross_zone and all(doors) and not balancer.down(world):
            return (balancer.pools(world),) * settings.node_count
        return tuple(self._pools(world, node) if door else () for node, door in enumerate(doors))

    def _pools(self, world: World, node: int) -> tuple[Pool, ...]:
        rule = next((rule for _, late, rule in self._rules if late == node), world.rule)
        if world.settings.zone_of_node[node] in balancer.down(world):
            return tuple(Pool(name, weight, ()) for name, weight in rule)
        return tuple(
            Pool(name, weight, balancer.serving(world, self._known(world, name, node), node))
            for name, weight in rule
        )

    def _known(self, world: World, target_group: str, node: int) -> list[Known]:
        """The targets that a node knows of, with those that it has not yet learned to be gone."""
        known = balancer.known(world, target_group, node)
        if not self._left:
            return known
        there = {instance.id for instance, _, _ in known}
        for left in self._left:
            if (left.node, left.target_group) == (node, target_group) and left.instance.id not in there:
                known.append((_as_it_is(world, left), left.group, left.state))
                there.add(left.instance.id)
        return known


def _taken_out(last: World, world: World) -> list[tuple[Group, Instance]]:
    """The targets that were used before and are not now."""
    used = {each.id for group in world.groups for each in group.instances if each.checked}
    return [
        (group, each)
        for group in last.groups
        for each in group.instances
        if each.checked and each.id not in used
    ]


def _as_it_is(world: World, left: Left) -> Instance:
    """The instance now; once it is gone, nobody answers in its place."""
    there = chain(*(group.instances for group in world.groups), world.loose)
    gone = left.instance.replaced(answers=False)
    return next((instance for instance in there if instance.id == gone.id), gone)
