"""What users saw, second by second. Only changes are kept; everything else is computed when asked for."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any, TypeVar

from attrs import evolve, frozen

from .table import arrow, described, percent, rows, schema
from .users.application import Manner
from .users.fine import Rules
from .users.latency import percentile
from .users.outcomes import FAILURES, Answers, Nodes, Paces, Segment, States
from .users.reading import Reader
from .users.traffic import Traffic

T = TypeVar("T")
Named = tuple[tuple[str, T], ...]


@frozen
class Behaviour:
    """How instances deal with requests from a moment on; see ``Timeline.behave``."""

    at_ms: int
    manners: Named[Manner] = ()
    slow: Named[int] = ()
    cuts: Named[int] = ()


class Timeline:
    """What became of the requests, by time.

    It is a ``Listener`` too: a ``Deployment`` on its cloud lets it know the phases.

    Args:
        traffic: How many arrive.
        blue: Name of the group that is shown as blue; every other is shown as green.
        nodes: Nodes of the balancer.
        start_ms: World time at which the timeline begins.
        rules: How the balancer divides the requests.

    Attributes:
        start_ms: World time at which the timeline begins.
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
        rules: Rules | None = None,
    ) -> None:
        """Begin with nothing."""
        self.traffic = traffic
        self.blue = blue
        self.nodes = nodes
        self.rules = rules or Rules()
        self.start_ms = start_ms
        self._end_ms = 0
        self._changes: list[Segment] = []  # their ends are not known yet
        self._behaviour: list[Behaviour] = [Behaviour(0)]
        self._cuts: dict[str, list[tuple[int, int]]] = {}
        self.phases: list[tuple[int, str]] = []
        self.on_phase: Callable[[str], None] | None = None
        self._reader, self._settled = self._new_reader(), dict[str | None, Answers]()
        self._settled_ms = 0

    def record(
        self, at_ms: int, nodes: Nodes, healthy: tuple[tuple[str, int], ...], states: States = ()
    ) -> None:
        """Note what requests meet from a moment of world time on, at each of the balancer's nodes."""
        at = at_ms - self.start_ms
        self.extend(at_ms)
        if self._changes and self._changes[-1].start_ms == at:
            self._changes.pop()
        behaviour = next(each for each in reversed(self._behaviour) if each.at_ms <= at)
        now = Segment(at, at, nodes, healthy, states, behaviour.manners, behaviour.slow)
        cut = behaviour.cuts and behaviour.at_ms == at
        if not self._changes or cut or self._changes[-1].met != now.met:
            self._changes.append(now)

    def behave(
        self,
        at_ms: int,
        manners: Named[Manner],
        slow: Named[int] = (),
        cuts: Named[int] = (),
    ) -> None:
        """Note how instances deal with requests from a moment on; what is recorded of it comes afterwards.

        Args:
            at_ms: World time.
            manners: (instance, how it deals with them), of those that do not in the usual way.
            slow: (instance, world time since when its share rises): of those that start slowly.
            cuts: (instance, status): whose connections are cut now, and what those get who then wait.
        """
        at = at_ms - self.start_ms
        manners = tuple(
            (name, evolve(manner, since_ms=manner.since_ms - self.start_ms) if manner.since_ms else manner)
            for name, manner in manners
        )
        slow = tuple((name, since - self.start_ms) for name, since in slow)
        self._behaviour.append(Behaviour(at, manners, slow, cuts))
        for name, status in cuts:
            self._cuts.setdefault(name, []).append((at, status))

    def extend(self, to_ms: int) -> None:
        """Let the timeline reach to a moment of world time."""
        self._end_ms = max(self._end_ms, to_ms - self.start_ms)

    def mark(self, at_seconds: float, phase: str) -> None:
        """Note the phase of a deployment from a moment of world time on; moments do not fall."""
        at = round(at_seconds * 1000) - self.start_ms
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
        ends = [*(change.start_ms for change in self._changes), self._end_ms][1:]
        return tuple(
            evolve(change, end_ms=end)
            for change, end in zip(self._changes, ends, strict=True)
            if change.start_ms < end
        )

    @property
    def requests(self) -> int:
        """Requests so far."""
        return self.traffic.arrived(self._end_ms)

    @property
    def failed_requests(self) -> int:
        """Requests that were answered wrongly, or not at all."""
        answers = self._by_seconds() if self._rich else self._read([0, self._end_ms])
        return sum(sum(each.requests()) - sum(each.right) for each in answers.values())

    def failures(self) -> dict[int, int]:
        """How many requests failed with each status, of those that occurred."""
        counts = dict.fromkeys(FAILURES.values(), 0)
        for answers in self._by_seconds().values():
            for name, status in FAILURES.items():
                counts[status] += sum(getattr(answers, name))
        return {status: count for status, count in counts.items() if count}

    def percentile_ms(self, percent: int) -> dict[str, float]:
        """Within how many milliseconds so many percent of each colour's answers came, where that is known.

        Args:
            percent: 1 to 99.
        """
        found = {}
        for colour, answers in self.answers().items():
            paces = sum(answers.paces.values(), Paces())
            if paces:
                found[colour] = percentile(paces, percent) / 1000
        return found

    def counts(self) -> list[dict[str, int]]:
        """Rows of second, requests, and how many of these blue and green answered and how many failed."""
        answers = self.answers()
        blue, green = answers["blue"].right, answers["green"].right
        requests = [sum(each) for each in zip(*(each.requests() for each in answers.values()), strict=True)]
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
        reader = self._new_reader()
        reader.read(self.segments, self._seconds if self._rich else [0, self._end_ms])
        return reader.per_target()

    def answers(self) -> dict[str, Answers]:
        """What became of the requests of each second, by colour; under ``none``, of those nobody got."""
        width = len(self._seconds) - 1
        found = {colour: Answers.none(width) for colour in ("blue", "green", "none")}
        for group, answers in self._by_seconds().items():
            found["none" if group is None else "blue" if group == self.blue else "green"].add(answers)
        return found

    def answers_by_group(self, first: int = 0) -> dict[str | None, Answers]:
        """The same by group, from a second on."""
        return self._by_seconds(first)

    def of_seconds(self, first: int, last: int) -> list[Segment | None]:
        """What requests met when some seconds began; None before anything was noted."""
        starts = [change.start_ms for change in self._changes]
        places = (bisect_right(starts, 1000 * second) - 1 for second in range(first, last))
        return [self._changes[place] if place >= 0 else None for place in places]

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

    # ---------------------------------------------------------------------------------------------- reading

    @property
    def _seconds(self) -> list[int]:
        return [*range(0, self._end_ms, 1000), self._end_ms]

    @property
    def _rich(self) -> bool:
        """Whether what becomes of a request depends on more than its number."""
        return self.rules.fine(self.traffic.sessions) or any(change.manners for change in self._changes)

    def _new_reader(self) -> Reader:
        return Reader(self.traffic, self.rules, self.nodes, self._cuts)

    def _read(self, marks: list[int]) -> dict[str | None, Answers]:
        """What became of the requests between some rising moments, the first being 0."""
        return self._new_reader().read(self.segments, marks)

    def _by_seconds(self, first: int = 0) -> dict[str | None, Answers]:
        """What became of the requests of each second, by group; of those from a second on.

        What can change no more is read once: later than the idle timeout nothing is in flight.
        """
        settle = max(0, self._end_ms - self.rules.idle_timeout_ms) // 1000 * 1000
        if settle > self._settled_ms:
            marks = [*range(self._settled_ms, settle + 1, 1000)]
            more = self._reader.read(self._segments_from(self._settled_ms), marks)
            _append(self._settled, more, self._settled_ms // 1000, len(marks) - 1)
            self._settled_ms = settle
        marks = [*range(self._settled_ms, self._end_ms, 1000), self._end_ms]
        latest = deepcopy(self._reader).read(self._segments_from(self._settled_ms), marks)
        settled = self._settled_ms // 1000
        found = {group: answers.since(min(first, settled)) for group, answers in self._settled.items()}
        _append(found, latest, max(0, settled - first), len(marks) - 1)
        if first > settled:
            found = {group: answers.since(first - settled) for group, answers in found.items()}
        return found

    def _segments_from(self, start_ms: int) -> tuple[Segment, ...]:
        return tuple(segment for segment in self.segments if segment.end_ms > start_ms)


def _append(to: dict[str | None, Answers], more: dict[str | None, Answers], before: int, width: int) -> None:
    """Go on with what became of the requests of so many later seconds; before them there are so many."""
    for group in to.keys() | more.keys():
        to.setdefault(group, Answers.none(before)).extend(more.get(group) or Answers.none(width))
