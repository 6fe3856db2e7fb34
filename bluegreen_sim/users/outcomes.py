"""What a time is in which nothing changes, and what became of the requests of a second."""

from __future__ import annotations

from collections import Counter
from operator import add

from attrs import Factory, define, frozen

from .application import Manner
from .latency import Latency
from .traffic import Pool

Nodes = tuple[tuple[Pool, ...], ...]
"""Of each node of the balancer, the target groups as it sees them; of one that no client comes to, none."""

States = tuple[tuple[str, tuple[tuple[str, int], ...]], ...]
"""(group, (state, targets of the group in that state))."""

Paces = Counter[tuple[Latency, int, int]]
"""How many answers took how long: (latency, numerator and denominator of its stretch)."""


@frozen
class Segment:
    """A time in which nothing changes that a request could meet.

    Args:
        start_ms: Its beginning, in milliseconds of the timeline.
        end_ms: Its end.
        nodes: Of each node of the balancer, the target groups as it sees them.
        healthy: (group, healthy serving instances).
        states: How many targets of each group are in which state.
        manners: How instances deal with their requests, of those that do not do it in the usual way.
        slow: (instance, since when its share rises): of those that start slowly.
    """

    start_ms: int
    end_ms: int
    nodes: Nodes
    healthy: tuple[tuple[str, int], ...]
    states: States = ()
    manners: tuple[tuple[str, Manner], ...] = ()
    slow: tuple[tuple[str, int], ...] = ()

    @property
    def met(self) -> tuple[object, ...]:
        """All but the times."""
        return self.nodes, self.healthy, self.states, self.manners, self.slow


FAILURES = {"wrong": 500, "silent": 502, "nobody": 503, "late": 504}
"""The status of each way in which a request fails."""
COUNTS = ("right", *FAILURES)


@define
class Answers:
    """What became of the requests that a colour got, second by second.

    Args:
        right: Answered rightly.
        wrong: Answered, but wrongly: 500.
        silent: Refused by a target, or cut off: 502.
        nobody: There was no target to send them to: 503.
        late: Not answered within the idle timeout, or not even connected: 504.
        paces: By second: how long the answers took, of those of whom that is known.
    """

    right: list[int]
    wrong: list[int]
    silent: list[int]
    nobody: list[int]
    late: list[int]
    paces: dict[int, Paces] = Factory(dict)

    @classmethod
    def none(cls, width: int) -> Answers:
        """Nothing, of so many seconds."""
        return cls([0] * width, [0] * width, [0] * width, [0] * width, [0] * width)

    @property
    def width(self) -> int:
        """How many seconds."""
        return len(self.right)

    def since(self, first: int) -> Answers:
        """A copy of those from a second on, which is its first."""
        copy = Answers.none(0)
        for name in COUNTS:
            getattr(copy, name).extend(getattr(self, name)[first:])
        if self.paces:
            seconds = range(first, self.width)
            copy.paces = {at - first: self.paces[at] for at in seconds if at in self.paces}
        return copy

    def requests(self) -> list[int]:
        """All of them."""
        return [sum(each) for each in zip(*(getattr(self, name) for name in COUNTS), strict=True)]

    def add(self, other: Answers, first: int = 0) -> None:
        """Count others too, whose first second is this one here."""
        there = slice(first, first + other.width)
        for name in COUNTS:
            mine = getattr(self, name)
            mine[there] = map(add, mine[there], getattr(other, name))
        for second, paces in other.paces.items():
            self.paces[first + second] = self.paces.get(first + second, Counter()) + paces

    def extend(self, other: Answers) -> None:
        """Go on with others of later seconds."""
        for second, paces in other.paces.items():
            self.paces[self.width + second] = paces
        for name in COUNTS:
            getattr(self, name).extend(getattr(other, name))
