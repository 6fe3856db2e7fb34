"""What users saw, second by second. Only changes are kept; everything else is computed when asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Any

from attrs import frozen

from .dataplane import CursorRule, Split, by_node
from .table import arrow, described, percent, rows, schema
from .traffic import Outcome, Pool, Traffic

Nodes = tuple[tuple[Pool, ...], ...]
"""Of each node of the balancer, the target groups as it sees them; of one that no client comes to, none."""

States = tuple[tuple[str, tuple[tuple[str, int], ...]], ...]
"""(group, (state, targets of the group in that state))."""


@frozen
class Segment:
    """A time in which nothing changes that a request could meet.

    Args:
        start_ms: Its beginning, in milliseconds of the timeline.
        end_ms: Its end.
        nodes: Of each node of the balancer, the target groups as it sees them.
        healthy: (group, healthy serving instances).
        states: How many targets of each group are in which state.
    """

    start_ms: int
    end_ms: int
    nodes: Nodes
    healthy: tuple[tuple[str, int], ...]
    states: States = ()


@frozen
class Answers:
    """What became of the requests that a colour got, second by second.

    Args:
        right: Answered rightly.
        wrong: Answered, but wrongly: 500.
        silent: Sent to a target that does not answer: 502.
        nobody: There was no target to send them to: 503.
    """

    right: list[int]
    wrong: list[int]
    silent: list[int]
    nobody: list[int]

    def requests(self) -> list[int]:
        """All of them."""
        return _sums([self.right, self.wrong, self.silent, self.nobody])


class Timeline:
    """What became of the requests, by time.

    It is a ``Listener`` too: ``Deployment(plan, cloud, listeners=[cloud.timeline])`` lets it know the phases.

    Args:
        traffic: How many arrive.
        blue: Name of the group that is shown as blue; every other is shown as green.
        nodes: Nodes of the balancer.
        start_ms: World time at which the timeline begins.
        cursor: What becomes of a node's cursor when targets come or go; see ``Split``.

    Attributes:
        phases: (milliseconds of the timeline, the deployment's phase from then on), as far as it was told.
        on_phase: Is told each phase when it begins.
    """

    def __init__(
        self,
        traffic: Traffic,
        blue: str,
        *,
        nodes: int = 1,
        start_ms: int = 0,
        cursor: CursorRule = "kept",
    ) -> None:
        """Begin with nothing."""
        self.traffic = traffic
        self.blue = blue
        self.nodes = nodes
        self.cursor: CursorRule = cursor
        self._start_ms = start_ms
        self._end_ms = 0
        self._changes: list[tuple[int, Nodes, tuple[tuple[str, int], ...], States]] = []
        self.phases: list[tuple[int, str]] = []
        self.on_phase: Callable[[str], None] | None = None

    def record(
        self,
        at_ms: int,
        nodes: Nodes,
        healthy: tuple[tuple[str, int], ...],
        states: States = (),
    ) -> None:
        """Note what requests meet from a moment of world time on, at each of the balancer's nodes."""
        at = at_ms - self._start_ms
        self.extend(at_ms)
        if self._changes and self._changes[-1][0] == at:
            self._changes.pop()
        if not self._changes or self._changes[-1][1:] != (nodes, healthy, states):
            self._changes.append((at, nodes, healthy, states))

    def extend(self, to_ms: int) -> None:
        """Let the timeline reach to a moment of world time."""
        self._end_ms = max(self._end_ms, to_ms - self._start_ms)

    def mark(self, at_seconds: float, phase: str) -> None:
        """Note the phase of a deployment from a moment of world time on; moments do not fall."""
        at = round(at_seconds * 1000) - self._start_ms
        if not self.phases or self.phases[-1][1] != phase:
            self.phases.append((at, phase))
            if self.on_phase is not None:
                self.on_phase(phase)

    def stepped(self, step: Any, observation: Any) -> None:
        """Note the phase that a pass ended in; called by the deployment that this listens to."""
        del observation
        self.mark(step.state.at, step.state.phase.value)

    @property
    def end_seconds(self) -> float:
        """How long the timeline is."""
        return self._end_ms / 1000

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The times in which nothing changed, in order and without gaps."""
        ends = [*(change[0] for change in self._changes), self._end_ms][1:]
        return tuple(
            Segment(start, end, nodes, healthy, states)
            for (start, nodes, healthy, states), end in zip(self._changes, ends, strict=True)
            if start < end
        )

    @property
    def requests(self) -> int:
        """Requests so far."""
        return self.traffic.arrived(self._end_ms)

    @property
    def failed_requests(self) -> int:
        """Requests that were answered wrongly, or not at all."""
        answers = self._answers([0, self._end_ms])
        return sum(sum(each.requests()) - sum(each.right) for each in answers.values())

    def counts(self) -> list[dict[str, int]]:
        """Rows of second, requests, and how many of these blue and green answered and how many failed."""
        answers = self.answers()
        blue, green = answers["blue"].right, answers["green"].right
        requests = _sums([each.requests() for each in answers.values()])
        return [
            {
                "second": second,
                "requests": requests[second],
                "blue": blue[second],
                "green": green[second],
                "failed": requests[second] - blue[second] - green[second],
            }
            for second in range(len(requests))
        ]

    def shares(self) -> list[dict[str, float]]:
        """Rows of second, blue, green and errors, in percent of the requests of that second."""
        return [
            {
                "second": row["second"],
                "blue": percent(row["blue"], row["requests"]),
                "green": percent(row["green"], row["requests"]),
                "errors": percent(row["failed"], row["requests"]),
            }
            for row in self.counts()
        ]

    def healthy(self) -> list[dict[str, int]]:
        """Rows of second and the healthy serving instances of blue and green when it began."""
        rows = []
        for second, segment in enumerate(self.segment_of_each_second()):
            counts = segment.healthy if segment else ()
            blue = sum(count for name, count in counts if name == self.blue)
            rows.append({"second": second, "blue": blue, "green": sum(n for _, n in counts) - blue})
        return rows

    def to_dicts(self) -> list[dict[str, Any]]:
        """Rows of one second and version each; the columns are fixed, see ``docs/timeline.md``."""
        return list(rows(self))

    @staticmethod
    def json_schema() -> dict[str, Any]:
        """The JSON schema of ``to_dicts()``."""
        return schema()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The rows of ``to_dicts()`` for any library that takes Arrow: ``polars.DataFrame(timeline)``.

        Args:
            requested_schema: Not followed, as the protocol allows.

        Raises:
            ImportError: If nanoarrow is not installed (``pip install 'bluegreen[arrow]'``).
        """
        del requested_schema
        return arrow(self)

    def describe(self) -> str:
        """A few lines for people: how long, how many requests, what became of them."""
        return "\n".join(described(self))

    def per_target(self) -> dict[str, int]:
        """How many requests were sent to each instance that got any, by id."""
        found: Counter[str] = Counter()
        for node, split in enumerate(self._splits()):
            for segment in self.segments:
                _meet(split, segment.nodes[node])
                before, after = self.traffic.arrived(segment.start_ms), self.traffic.arrived(segment.end_ms)
                split.send(sum(_entering([after - before], segment.nodes, before)[node]))
            found.update(split.per_target())
        return {name: found[name] for name in sorted(found) if found[name]}

    def answers(self) -> dict[str, Answers]:
        """What became of the requests of each second, by colour; under ``none``, of those nobody got."""
        return self._answers([*range(0, self._end_ms, 1000), self._end_ms])

    def segment_of_each_second(self) -> Iterator[Segment | None]:
        """What requests met when each second began; None before anything was noted."""
        segments = iter(self.segments)
        segment = next(segments, None)
        for start in range(0, self._end_ms, 1000):
            while segment and segment.end_ms <= start:
                segment = next(segments, None)
            yield segment if segment and segment.start_ms <= start else None

    def phase_of_each_second(self) -> Iterator[str | None]:
        """The deployment's phase when each second began; None where none is known."""
        phases, phase = iter([*self.phases, (self._end_ms, "")]), None
        ahead = next(phases)
        for start in range(0, self._end_ms, 1000):
            while ahead[0] <= start:
                phase, ahead = ahead[1], next(phases)
            yield phase

    # ------------------------------------------------------------------------------------------- arithmetic

    def _splits(self) -> list[Split[Outcome]]:
        """One for each node: they need not see the same targets."""
        return [Split({"": 0}, cursor=self.cursor) for _ in range(self.nodes)]

    def _answers(self, marks: list[int]) -> dict[str, Answers]:
        """The same for the times between some rising moments of the timeline."""
        width = len(marks) - 1
        found = {colour: Answers(*([0] * width for _ in range(4))) for colour in ("blue", "green", "none")}
        for outcome, requests in self._outcomes(marks).items():
            if outcome is None:
                _add(found["none"].nobody, requests)
                continue
            group, answers, wrong_percent = outcome
            into = found["blue" if group == self.blue else "green"]
            if not answers:
                _add(into.silent, requests)
                continue
            # Wrong answers are spread evenly over all that an outcome ever gave.
            marks_right = [sent - sent * wrong_percent // 100 for sent in accumulate(requests, initial=0)]
            right = [after - before for before, after in pairwise(marks_right)]
            _add(into.right, right)
            _add(into.wrong, [sent - good for sent, good in zip(requests, right, strict=True)])
        return found

    def _outcomes(self, marks: list[int]) -> dict[Outcome | None, list[int]]:
        """How many requests met each outcome between some rising moments; None: there was no target."""
        splits, found, last = self._splits(), dict[Outcome | None, list[int]](), 0
        for segment in self.segments:
            first = last
            while last < len(marks) - 1 and marks[last + 1] <= segment.end_ms:
                last += 1
            cuts = [segment.start_ms, *marks[first + 1 : last + 1], segment.end_ms]
            arrived = [self.traffic.arrived(cut) for cut in cuts]
            counts = [after - before for before, after in pairwise(arrived)]
            parts = _entering(counts, segment.nodes, arrived[0])
            for split, pools, part in zip(splits, segment.nodes, parts, strict=True):
                _meet(split, pools)
                for outcome, row in split.serve(part).items():
                    into = found.setdefault(outcome, [0] * (len(marks) - 1))
                    for i, count in enumerate(row, start=first):
                        if count:
                            into[i] += count
        return found


def _entering(counts: list[int], nodes: Nodes, before: int) -> list[Sequence[int]]:
    """Each node's part of counts of requests; clients take those in turn that they come to."""
    doors = [node for node, pools in enumerate(nodes) if pools] or [0]
    parts = dict(zip(doors, by_node(counts, len(doors), before), strict=True))
    return [parts.get(node, [0] * len(counts)) for node in range(len(nodes))]


def _meet(split: Split[Outcome], pools: tuple[Pool, ...]) -> None:
    """Let requests meet these target groups from now on."""
    split.weigh({pool.name: pool.weight for pool in pools} or {"": 0})
    for pool in pools:
        wanted = {target[0]: target[1:] for target in pool.targets}
        for name in split.serving(pool.name):
            if name not in wanted:
                split.leave(name, group=pool.name)
        for name, outcome in wanted.items():
            split.join(name, outcome, group=pool.name)


def _add(into: list[int], numbers: Sequence[int]) -> None:
    into[:] = [a + b for a, b in zip(into, numbers, strict=True)]


def _sums(rows: list[list[int]]) -> list[int]:
    return [sum(column) for column in zip(*rows, strict=True)]
