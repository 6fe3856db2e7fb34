"""What users met as CloudWatch has it: the load balancer's metrics, minute by minute, absent at zero.

Source: ALB user guide, "CloudWatch metrics for your Application Load Balancer": data come in periods of 60 s
and only while requests flow; a metric without data is not reported.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from attrs import frozen

from ..timeline import Timeline
from ..users.latency import mean, percentile
from ..users.outcomes import Answers, Paces

MINUTE_MS = 60_000

Count = Callable[[Answers, int, int], int]


def _counted(*names: str) -> Count:
    return lambda answers, first, last: sum(sum(getattr(answers, name)[first:last]) for name in names)


PER_TARGET, TIME = "RequestCountPerTarget", "TargetResponseTime"
OF_ALL: dict[str, Count] = {
    "HTTPCode_ELB_5XX_Count": _counted("silent", "nobody", "late"),
    "HTTPCode_ELB_502_Count": _counted("silent"),
    "HTTPCode_ELB_503_Count": _counted("nobody"),
    "HTTPCode_ELB_504_Count": _counted("late"),
}
"""Of the load balancer alone: whether AWS attributes them to target groups was not established."""

COUNTS: dict[str, Count] = {
    # Only requests for which a target was chosen.
    "RequestCount": _counted("right", "wrong", "silent", "late"),
    PER_TARGET: _counted("right", "wrong", "silent", "late"),
    "HTTPCode_Target_2XX_Count": _counted("right"),
    "HTTPCode_Target_5XX_Count": _counted("wrong"),
}
HOSTS = {"HealthyHostCount": "healthy", "UnHealthyHostCount": "unhealthy"}
NAMES = (*COUNTS, *OF_ALL, *HOSTS, TIME)
STATISTICS = ("Sum", "Average", "Minimum", "Maximum", "SampleCount")
_PERCENTILE = re.compile(r"p(\d{1,2})")


@frozen
class Query:
    """Which numbers are wanted.

    Args:
        metric: Its name.
        target_group: Of a target group; None: of the load balancer.
        statistic: One of ``STATISTICS``, or a whole percentile: ``p50``.
        period_seconds: Seconds of a data point; a multiple of 60.

    Raises:
        ValueError: If there is no such metric, statistic or period.
    """

    metric: str
    target_group: str | None = None
    statistic: str = "Sum"
    period_seconds: int = 60

    def __attrs_post_init__(self) -> None:
        """See that it can be answered."""
        faults = []
        if self.metric not in NAMES:
            faults.append(f"metric = {self.metric!r}: give one of {', '.join(NAMES)}")
        if self.statistic not in STATISTICS and not _PERCENTILE.fullmatch(self.statistic):
            faults.append(
                f"statistic = {self.statistic!r}: give one of {', '.join(STATISTICS)}, or p1 to p99"
            )
        if self.period_seconds < 60 or self.period_seconds % 60:
            faults.append(f"period_seconds = {self.period_seconds!r}: give a multiple of 60")
        if faults:
            raise ValueError("; ".join(faults))


class Metrics:
    """The metrics of a timeline up to now.

    Args:
        timeline: What users met.
        homes: (group, target group).
        until_ms: World time from which on nothing is reported yet.
        since_ms: World time before which nobody asks.
    """

    def __init__(
        self, timeline: Timeline, homes: Mapping[str, str], until_ms: int, since_ms: int = 0
    ) -> None:
        """Read the timeline once."""
        self._timeline, self._homes = timeline, homes
        self._first = self._second(since_ms)
        self._answers = timeline.answers_by_group(self._first)
        self._minutes = range(timeline.start_ms // MINUTE_MS, until_ms // MINUTE_MS)

    @property
    def timed(self) -> bool:
        """Whether it is known of any answer how long it took."""
        return any(answers.paces for answers in self._answers.values())

    def points(self, query: Query) -> dict[int, float]:
        """The data points of all complete periods: (world time in seconds: value)."""
        size, minutes = query.period_seconds // 60, self._minutes
        starts = range(minutes.start // size * size, minutes.stop - size + 1, size)
        values = ((60 * start, self._value(query, start, start + size)) for start in starts)
        return {second: value for second, value in values if value is not None}

    def latest(self, query: Query, count: int) -> list[float | None]:
        """The data points of so many periods that end with the last minute, the oldest first; None: none."""
        size, stop = query.period_seconds // 60, self._minutes.stop
        starts = [stop - size * (count - i) for i in range(count)]
        return [
            self._value(query, start, start + size) if start + size > self._minutes.start else None
            for start in starts
        ]

    def between(self, query: Query, first: int, last: int) -> float | None:
        """The statistic of a time, from a second of the timeline to before another; None: nothing to report.

        Args:
            query: What is wanted; its period does not matter.
            first: The second at which the time begins.
            last: The second at which it ends.
        """
        if query.metric in HOSTS:
            return self._hosts(query, first, last)
        groups = [
            group
            for group in self._answers
            if query.target_group is None
            or (group is not None and self._homes.get(group) == query.target_group)
        ]
        asked = first, last
        first, last = max(0, first - self._first), max(0, last - self._first)
        if query.metric == TIME:
            return _time(query, [self._answers[group] for group in groups], first, last)
        count = {**COUNTS, **({} if query.target_group else OF_ALL)}.get(query.metric)
        total = sum(count(self._answers[group], first, last) for group in groups) if count else 0
        if not total or (query.metric == PER_TARGET and query.target_group is None):
            return None
        if query.statistic not in ("Sum", "SampleCount"):
            return 1  # each request reports itself
        if query.metric == PER_TARGET:
            targets = self.between(Query("HealthyHostCount", query.target_group, "Average"), *asked)
            return total / targets if targets else None
        return total

    # ---------------------------------------------------------------------------------------------- minutes

    def _value(self, query: Query, first: int, last: int) -> float | None:
        """The statistic of some minutes of world time."""
        return self.between(query, self._second(first * MINUTE_MS), self._second(last * MINUTE_MS))

    def _second(self, at_ms: int) -> int:
        """The second of the timeline at which a moment of world time is."""
        return max(0, -(-(at_ms - self._timeline.start_ms) // 1000))

    def _hosts(self, query: Query, first: int, last: int) -> float | None:
        """Targets of a state, second by second."""
        word = HOSTS[query.metric]
        counts = [
            sum(
                dict(states).get(word, 0)
                for group, states in segment.states
                if query.target_group in (None, self._homes.get(group))
            )
            for segment in self._timeline.of_seconds(first, last)
            if segment
        ]
        return _of(query.statistic, counts)


def _of(statistic: str, values: Sequence[float]) -> float | None:
    if not values:
        return None
    match statistic:
        case "Sum":
            return sum(values)
        case "SampleCount":
            return len(values)
        case "Average":
            return sum(values) / len(values)
        case "Minimum":
            return min(values)
        case "Maximum":
            return max(values)
    rank = (len(values) * int(statistic[1:]) - 1) // 100
    return sorted(values)[rank]


def _time(query: Query, answers: Sequence[Answers], first: int, last: int) -> float | None:
    """TargetResponseTime, in seconds."""
    paces: Paces = Counter()
    for each in answers:
        for second in range(first, last):
            paces.update(each.paces.get(second, ()))
    if not paces.total():
        return None
    match query.statistic:
        case "SampleCount":
            return paces.total()
        case "Average":
            return mean(paces) / 1e6
        case "Sum":
            return mean(paces) * paces.total() / 1e6
        case "Minimum":
            return percentile(paces, 0) / 1e6
        case "Maximum":
            return percentile(paces, 100) / 1e6
    return percentile(paces, int(query.statistic[1:])) / 1e6
