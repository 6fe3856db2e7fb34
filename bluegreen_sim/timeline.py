"""What users saw, second by second. Only changes are kept; everything else is computed when asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from attrs import frozen

from .traffic import Node, Outcome, Pool, Spell, Traffic, of_node


@frozen
class Segment:
    """A time in which nothing changes that a request could meet.

    Args:
        start_ms: Its beginning, in milliseconds of the timeline.
        end_ms: Its end.
        pools: The target groups.
        healthy: (group, healthy serving instances).
    """

    start_ms: int
    end_ms: int
    pools: tuple[Pool, ...]
    healthy: tuple[tuple[str, int], ...]


class Timeline:
    """What became of the requests, by time.

    Args:
        traffic: How many arrive.
        blue: Name of the group that is shown as blue; every other is shown as green.
        nodes: Nodes of the balancer.
        start_ms: World time at which the timeline begins.
    """

    def __init__(self, traffic: Traffic, blue: str, *, nodes: int = 1, start_ms: int = 0) -> None:
        """Begin with nothing."""
        self.traffic = traffic
        self.blue = blue
        self.nodes = nodes
        self._start_ms = start_ms
        self._end_ms = 0
        self._changes: list[tuple[int, tuple[Pool, ...], tuple[tuple[str, int], ...]]] = []

    def record(self, at_ms: int, pools: tuple[Pool, ...], healthy: tuple[tuple[str, int], ...]) -> None:
        """Note what requests meet from a moment of world time on."""
        at = at_ms - self._start_ms
        self.extend(at_ms)
        if self._changes and self._changes[-1][0] == at:
            self._changes.pop()
        if not self._changes or self._changes[-1][1:] != (pools, healthy):
            self._changes.append((at, pools, healthy))

    def extend(self, to_ms: int) -> None:
        """Let the timeline reach to a moment of world time."""
        self._end_ms = max(self._end_ms, to_ms - self._start_ms)

    @property
    def end_seconds(self) -> float:
        """How long the timeline is."""
        return self._end_ms / 1000

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The times in which nothing changed, in order and without gaps."""
        ends = [change[0] for change in self._changes[1:]] + [self._end_ms]
        return tuple(
            Segment(start, end, pools, healthy)
            for (start, pools, healthy), end in zip(self._changes, ends, strict=True)
            if start < end
        )

    @property
    def requests(self) -> int:
        """Requests so far."""
        return self.traffic.arrived(self._end_ms)

    @property
    def failed_requests(self) -> int:
        """Requests that were answered wrongly, or not at all."""
        return self._failed(self._cumulated([self._end_ms])[0])

    def counts(self) -> list[dict[str, int]]:
        """Rows of second, requests, and how many of these blue and green answered and how many failed."""
        return list(self._rows())

    def shares(self) -> list[dict[str, float]]:
        """Rows of second, blue, green and errors, in percent of the requests of that second."""
        return [
            {
                "second": row["second"],
                "blue": _percent(row["blue"], row["requests"]),
                "green": _percent(row["green"], row["requests"]),
                "errors": _percent(row["failed"], row["requests"]),
            }
            for row in self._rows()
        ]

    def healthy(self) -> list[dict[str, int]]:
        """Rows of second and the healthy serving instances of blue and green when it began."""
        rows, segments = [], iter(self.segments)
        segment = next(segments, None)
        for second, start in enumerate(range(0, self._end_ms, 1000)):
            while segment and segment.end_ms <= start:
                segment = next(segments, None)
            counts = segment.healthy if segment else ()
            blue = sum(count for name, count in counts if name == self.blue)
            rows.append({"second": second, "blue": blue, "green": sum(n for _, n in counts) - blue})
        return rows

    def to_dicts(self) -> list[dict[str, Any]]:
        """Rows that hold all of ``counts`` and, as ``healthy_blue`` and ``healthy_green``, of ``healthy``."""
        return [
            {**counts, "healthy_blue": healthy["blue"], "healthy_green": healthy["green"]}
            for counts, healthy in zip(self._rows(), self.healthy(), strict=True)
        ]

    def per_target(self) -> dict[str, int]:
        """How many requests were sent to each instance, by id."""
        found: Counter[str] = Counter()
        for segment, spells in self._spells():
            for spell, requests in zip(spells, self._arrived(segment, segment.end_ms), strict=True):
                found += spell.per_target(requests)
        return dict(sorted(found.items()))

    def _rows(self) -> Iterator[dict[str, int]]:
        marks = [*range(0, self._end_ms, 1000), self._end_ms]
        for second, (before, after) in enumerate(pairwise(self._cumulated(marks))):
            failed = self._failed(after) - self._failed(before)
            requests = after.total() - before.total()
            blue = self._answered(after, blue=True) - self._answered(before, blue=True)
            yield {
                "second": second,
                "requests": requests,
                "blue": blue,
                "green": requests - failed - blue,
                "failed": failed,
            }

    def _answered(self, outcomes: Counter[Outcome], *, blue: bool) -> int:
        """Requests that a colour answered rightly; wrong ones are spread evenly."""
        return sum(
            count - count * percent // 100
            for (fleet, answers, percent), count in outcomes.items()
            if answers and (fleet == self.blue) == blue
        )

    def _failed(self, outcomes: Counter[Outcome]) -> int:
        right = self._answered(outcomes, blue=True) + self._answered(outcomes, blue=False)
        return outcomes.total() - right

    def _cumulated(self, marks: list[int]) -> list[Counter[Outcome]]:
        """What became of all requests up to each of some rising moments."""
        found: list[Counter[Outcome]] = []
        before: Counter[Outcome] = Counter()
        for segment, spells in self._spells():
            while len(found) < len(marks) and marks[len(found)] <= segment.end_ms:
                found.append(before + self._outcomes(segment, spells, marks[len(found)]))
            before = before + self._outcomes(segment, spells, segment.end_ms)
        return found + [before] * (len(marks) - len(found))

    def _outcomes(self, segment: Segment, spells: list[Spell], until_ms: int) -> Counter[Outcome]:
        found: Counter[Outcome] = Counter()
        for spell, requests in zip(spells, self._arrived(segment, until_ms), strict=True):
            for outcome, count in spell.outcomes(requests):
                found[outcome] += count
        return found

    def _arrived(self, segment: Segment, until_ms: int) -> list[int]:
        """Requests from the beginning of a segment on, for each node."""
        first, last = self.traffic.arrived(segment.start_ms), self.traffic.arrived(until_ms)
        return [of_node(last, i, self.nodes) - of_node(first, i, self.nodes) for i in range(self.nodes)]

    def _spells(self) -> Iterator[tuple[Segment, list[Spell]]]:
        nodes = [Node()] * self.nodes
        weights: tuple[int, ...] | None = None
        for segment in self.segments:
            now = tuple(pool.weight for pool in segment.pools)
            if now != weights:
                # New weights begin a new division.
                nodes = [Node(0, node.cursors) for node in nodes]
            weights = now
            spells = [Spell(segment.pools, node) for node in nodes]
            yield segment, spells
            arrived = self._arrived(segment, segment.end_ms)
            nodes = [spell.after(requests) for spell, requests in zip(spells, arrived, strict=True)]


def _percent(part: int, whole: int) -> float:
    if not whole or part * 100 % whole == 0:
        return part * 100 // whole if whole else 0
    return round(part * 100 / whole, 2)
