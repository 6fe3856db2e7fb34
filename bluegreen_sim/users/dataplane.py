"""Requests by arithmetic: who gets how many, at a cost that does not depend on how many there are.

Round robin has a closed form: of k requests to n targets everyone gets ``k // n``, and the ``k % n`` targets
from the cursor on get one more. So requests are only added up, and counted when a target comes or goes. Even
then no target is visited: what everyone got stands in one counter, and who got one more, as the two ends of
an arc, in a tree over the places of the targets.

AWS documents neither the order of a rotation nor what becomes of the cursor when targets come and go. Here
targets follow each other in the order in which they first came, one that comes back takes its old place, and
what the cursor does is a parameter. Weighted target groups are divided exactly, not at random.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from itertools import accumulate, compress, islice
from operator import add, sub
from typing import Generic, Literal, TypeVar, get_args

from .fenwick import Fenwick

K = TypeVar("K", bound=Hashable)

CursorRule = Literal["kept", "next", "reset"]
"""What becomes of a cursor when a target comes or goes. ``"kept"``: request k, counted from the first one on,
goes to place k modulo the number of targets. ``"next"``: whose turn it was has it still, and after it has
gone, the one that follows. ``"reset"``: the first target has it."""


class Rotation(Generic[K]):
    """The targets of one target group taking turns, for each node of the balancer by a cursor of its own.

    Args:
        nodes: Nodes of the balancer.
        rule: What becomes of the cursors when a target comes or goes.
    """

    def __init__(self, nodes: int, rule: CursorRule) -> None:
        """Begin without targets."""
        self.size = 0
        self._rule = rule
        self._cursors = [0] * nodes
        self._waiting = [0] * nodes  # requests that were taken and not yet counted
        self._places: dict[str, int] = {}
        # By place, of everyone who ever came:
        self._kinds: list[K] = []
        self._serving = bytearray()
        self._settled: list[int] = []  # the count; while the target serves, it is this plus `_got`
        self._present = Fenwick()
        self._arcs = Fenwick()
        self._turns = 0
        self._known: dict[K, list[int]] | None = None

    def join(self, name: str, kind: K) -> None:
        """Let a target serve; one that serves already is of another kind from now on."""
        place = self._places.setdefault(name, len(self._kinds))
        if place == len(self._kinds):
            self._kinds.append(kind)
            self._serving.append(0)
            self._settled.append(0)
            self._present.append(0)
            self._arcs.append(0)
        if self._kinds[place] != kind:
            self._kinds[place], self._known = kind, None
        if not self._serving[place]:
            self._change(place, joins=True)

    def leave(self, name: str) -> None:
        """Let a target serve no more; its count is kept.

        Raises:
            ValueError: If it does not serve.
        """
        if not self.serves(name):
            raise ValueError(f"target = {name!r}: it does not serve, so it cannot leave; let it join before")
        self._change(self._places[name], joins=False)

    def serves(self, name: str) -> bool:
        """Whether a target serves now."""
        place = self._places.get(name)
        return place is not None and self._serving[place] == 1

    def serving(self) -> list[str]:
        """The targets that serve now, in their order."""
        return list(compress(self._places, self._serving))

    def take(self, node: int, requests: int) -> None:
        """Let a node send so many requests to the targets; without any target nothing happens."""
        if self.size:
            self._waiting[node] += requests

    def kinds(self, node: int, counts: Sequence[int]) -> dict[K, list[int]]:
        """Of each count of requests that a node will send, one after the other: how many go to each kind."""
        if self._known is None:
            self._known = self._prefixes()
        if len(self._known) == 1:
            return {kind: list(counts) for kind in self._known}
        size, found = self.size, {}
        marks = list(accumulate(counts, initial=(self._cursors[node] + self._waiting[node]) % size))
        for kind, prefix in self._known.items():
            turn = prefix[-1]
            upto = [mark // size * turn + prefix[mark % size] for mark in marks]
            found[kind] = _differences(upto)
        return found

    def course(self, name: str, node: int) -> Callable[[int], int]:
        """How many of the next k requests that a node sends here a target gets, as a function of k."""
        size, rank = self.size, self._present.before(self._places[name])
        start = (self._cursors[node] + self._waiting[node]) % size
        before = start > rank

        def upto(requests: int) -> int:
            turns, place = divmod(start + requests, size)
            return turns + (place > rank) - before

        return upto

    def each(self, node: int, requests: int) -> dict[str, int]:
        """How many of the next requests that a node sends here each serving target gets."""
        size = self.size
        start = (self._cursors[node] + self._waiting[node]) % size
        turns, more = divmod(requests, size)
        return {name: turns + ((i - start) % size < more) for i, name in enumerate(self.serving())}

    def count(self, name: str) -> int:
        """How many requests a target got; 0 if it never served."""
        place = self._places.get(name)
        if place is None:
            return 0
        self._settle()
        return self._settled[place] + (self._got(place) if self._serving[place] else 0)

    def counts(self) -> Iterator[tuple[str, int]]:
        """How many requests each target got, also those that serve no more."""
        self._settle()
        for name, place in self._places.items():
            yield name, self._settled[place] + (self._got(place) if self._serving[place] else 0)

    def _got(self, place: int) -> int:
        """What a target would have got that served all the time, apart from a constant of its own."""
        return self._turns + self._arcs.before(place + 1)

    def _change(self, place: int, *, joins: bool) -> None:
        self._settle()
        self._move_cursors(place, joins=joins)
        sign = 1 if joins else -1
        self._settled[place] -= sign * self._got(place)
        self._serving[place] = joins
        self._present.add(place, sign)
        self.size += sign
        self._known = None

    def _settle(self) -> None:
        """Count what was taken since the last change."""
        for node, requests in enumerate(self._waiting):
            if requests:
                start = self._cursors[node] % self.size
                turns, end = divmod(start + requests, self.size)
                self._cursors[node] += requests
                self._waiting[node] = 0
                self._turns += turns
                if start != end:
                    # Everyone from `start` on is one turn ahead, everyone from `end` on is not.
                    self._arcs.add(self._present.place(start), 1)
                    self._arcs.add(self._present.place(end), -1)

    def _move_cursors(self, place: int, *, joins: bool) -> None:
        """Let the rule decide, right before a target at a place comes or goes."""
        if self._rule == "reset":
            self._cursors = [0] * len(self._cursors)
        elif self._rule == "next" and self.size:
            rank = self._present.before(place)
            at = [cursor % self.size for cursor in self._cursors]
            self._cursors = [i + (rank <= i) if joins else i - (rank < i) for i in at]

    def _prefixes(self) -> dict[K, list[int]]:
        """For each kind: how many of the first i targets are of it, for every i."""
        serving = list(compress(self._kinds, self._serving))
        return {
            kind: list(accumulate((other == kind for other in serving), initial=0))
            for kind in dict.fromkeys(serving)
        }


def by_node(counts: Sequence[int], nodes: int, before: int) -> list[Sequence[int]]:
    """Each node's part of counts of requests, when clients take the nodes in turn.

    Args:
        counts: Requests one time after the other.
        nodes: Nodes of the balancer.
        before: Requests that came before them.
    """
    if nodes == 1:
        return [counts]
    marks = list(accumulate(counts, initial=before))
    return [_differences([(mark - node - 1) // nodes for mark in marks]) for node in range(nodes)]


def divided(requests: int, weights: Sequence[int]) -> Iterator[int]:
    """How many of the first ``requests`` go to each target group: each gets its part of what is left."""
    total = sum(weights)
    for weight in weights:
        part = requests * weight // total if total else 0
        yield part
        requests -= part
        total -= weight


class Split(Generic[K]):
    """Divides requests among the targets of a load balancer, and counts them without looking at each one.

    Targets take turns within their target group; target groups share by weight, without failover between
    them; clients take the nodes of the balancer in turn, and each node has cursors of its own. Every count is
    exactly that of a loop over single requests. A target that joins or leaves costs O(log m) a node, where m
    is how many ever joined; requests cost nothing but an addition.

    Sources: ALB user guide, "Target groups: routing algorithms" (round robin) and "Action types for listener
    rules" (weights). What these leave open are assumptions; see ``bluegreen_sim.users.dataplane``.

    Args:
        weights: (target group: weight), of one or more target groups; a single one gets everything.
        nodes: Nodes of the balancer.
        cursor: What becomes of a cursor when a target comes or goes: ``"kept"`` (request k goes to place k
            modulo the number of targets), ``"next"`` (it points at the same target, or at the one that
            follows) or ``"reset"``.

    Attributes:
        unserved: Requests that met no target.

    Raises:
        ValueError: If an argument is none of these.
    """

    def __init__(
        self, weights: Mapping[str, int] | None = None, *, nodes: int = 1, cursor: CursorRule = "kept"
    ) -> None:
        """Begin without targets."""
        if cursor not in get_args(CursorRule):
            raise ValueError(f"cursor = {cursor!r}: give one of {', '.join(get_args(CursorRule))}")
        if nodes < 1:
            raise ValueError(f"nodes = {nodes!r}: give 1 or more")
        self.unserved = 0
        self._nodes = nodes
        self._rule: CursorRule = cursor
        self._arrived = 0
        self._turns = [0] * nodes
        self._rotations: dict[str, Rotation[K]] = {}
        self._weights: dict[str, int] = {}
        self.weigh({"targets": 1} if weights is None else weights)

    def weigh(self, weights: Mapping[str, int]) -> None:
        """Divide the requests from now on by these weights; new weights begin a new division.

        Args:
            weights: (target group: weight, 0 or more). A group that is not named gets nothing from now on.

        Raises:
            ValueError: If there is none, or a weight is negative.
        """
        for group, weight in weights.items():
            if weight < 0:
                raise ValueError(f"weights[{group!r}] = {weight!r}: give 0 or more")
        if not weights:
            raise ValueError("weights = {}: name one target group or more")
        if list(weights.items()) != list(self._weights.items()):
            self._turns = [0] * self._nodes
        self._weights = dict(weights)
        for group in weights:
            if group not in self._rotations:
                self._rotations[group] = Rotation(self._nodes, self._rule)

    def join(self, target: str, version: K, *, group: str | None = None) -> None:
        """Let a target serve from now on.

        Args:
            target: Its name. One that served before takes its old place in the order; one that serves now
                keeps it, and is of this version from now on.
            version: What its requests are counted under.
            group: Its target group; may be left out where there is only one.

        Raises:
            ValueError: If there is no such target group.
        """
        self._rotation(group).join(target, version)

    def leave(self, target: str, *, group: str | None = None) -> None:
        """Let a target get no more requests; its count is kept.

        Raises:
            ValueError: If it does not serve.
        """
        self._rotation(group).leave(target)

    def serving(self, group: str | None = None) -> list[str]:
        """The targets that serve now, of one target group, in the order of their places."""
        return self._rotation(group).serving()

    def course(self, target: str, *, group: str | None = None, node: int = 0) -> Callable[[int], int]:
        """How many of the next k requests at a node go to a target that serves, as a function of k.

        It holds as long as nothing joins, leaves or is weighed anew, also after the requests have arrived.
        """
        rotation = self._rotation(group)
        within, so_far = rotation.course(target, node), self._turns[node]
        weights = list(self._weights.values())
        if len(weights) == 1:
            return within if weights[0] else lambda _: 0
        place = [self._rotations[name] for name in self._weights].index(rotation)

        def of_group(requests: int) -> int:
            return next(islice(divided(requests, weights), place, None))

        before = of_group(so_far)
        return lambda requests: within(of_group(so_far + requests) - before)

    def count(self, target: str, *, group: str | None = None) -> int:
        """How many requests a target got so far."""
        return self._rotation(group).count(target)

    def send(self, requests: int) -> None:
        """Let requests arrive."""
        for node, of_node in enumerate(self._of_nodes([requests])):
            for rotation, part in self._of_groups(node, of_node):
                self._take(rotation, node, part[0])

    def serve(self, counts: Sequence[int]) -> dict[K | None, list[int]]:
        """Let requests arrive, and tell how many of each count went to each version.

        Args:
            counts: Requests one time after the other, such as those of each second.

        Returns:
            For each version that serves, numbers beside ``counts``; under None, if there are any, those of
            requests that met no target.
        """
        found: dict[K | None, list[int]] = {}
        for node, of_node in enumerate(self._of_nodes(counts)):
            for rotation, part in self._of_groups(node, of_node):
                served = rotation.kinds(node, part) if rotation and rotation.size else {None: part}
                for kind, row in served.items():
                    found[kind] = list(map(add, found[kind], row)) if kind in found else list(row)
                self._take(rotation, node, sum(part))
        if None in found and not any(found[None]):
            del found[None]
        return found

    def per_target(self) -> dict[str, int]:
        """How many requests each target got, by name, also those that left."""
        found: Counter[str] = Counter()
        for rotation in self._rotations.values():
            for name, count in rotation.counts():
                found[name] += count
        return dict(sorted(found.items()))

    def _rotation(self, group: str | None) -> Rotation[K]:
        if group is None and len(self._rotations) == 1:
            return next(iter(self._rotations.values()))
        if group not in self._rotations:
            raise ValueError(f"group = {group!r}: give one of {', '.join(self._rotations)}")
        return self._rotations[group]

    def _take(self, rotation: Rotation[K] | None, node: int, requests: int) -> None:
        if rotation and rotation.size:
            rotation.take(node, requests)
        else:
            self.unserved += requests

    def _of_nodes(self, counts: Sequence[int]) -> list[Sequence[int]]:
        """Each node's part of counts of requests; clients take the nodes in turn."""
        before = self._arrived
        self._arrived += sum(counts)
        return by_node(counts, self._nodes, before)

    def _of_groups(
        self, node: int, counts: Sequence[int]
    ) -> Iterator[tuple[Rotation[K] | None, Sequence[int]]]:
        """Each target group's part of a node's counts; with no weight at all, nobody's."""
        weights = list(self._weights.values())
        if not any(weights):
            yield None, counts
            return
        rotations = [self._rotations[group] for group in self._weights]
        if len(rotations) == 1:
            yield rotations[0], counts
            return
        marks = list(accumulate(counts, initial=self._turns[node]))
        self._turns[node] = marks[-1]
        parts = zip(*(divided(mark, weights) for mark in marks), strict=True)
        for rotation, part in zip(rotations, parts, strict=True):
            yield rotation, _differences(part)


def _differences(numbers: Sequence[int]) -> list[int]:
    return list(map(sub, numbers[1:], numbers))
