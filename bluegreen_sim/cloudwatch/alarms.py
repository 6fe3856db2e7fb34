"""CloudWatch's alarms as values, and the rules by which data points become a state.

Sources: Amazon CloudWatch user guide, "Evaluating an alarm", "Configuring how CloudWatch alarms treat missing
data" and "Combining alarms"; API reference (``PutMetricAlarm``, ``PutCompositeAlarm``). Names and words of
arguments are those of the API.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from operator import ge, gt, le, lt
from typing import Literal, get_args

from attrs import frozen

from ..users.latency import Shared

MINUTE = 60
EXTRA = 2
"""Periods beyond the evaluation periods that are looked at where points are missing, as in AWS's example."""

State = Literal["ok", "alarm", "no-data"]
Comparison = Literal[
    "GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold", "LessThanOrEqualToThreshold"
]
Missing = Literal["missing", "ignore", "breaching", "notBreaching"]
COMPARISONS: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanOrEqualToThreshold": (ge, "greater than or equal to"),
    "GreaterThanThreshold": (gt, "greater than"),
    "LessThanThreshold": (lt, "less than"),
    "LessThanOrEqualToThreshold": (le, "less than or equal to"),
}


@frozen(kw_only=True)
class MetricAlarm(Shared):
    """An alarm on one of the load balancer's metrics.

    Args:
        name: Its name.
        metric: As CloudWatch calls it, such as ``HTTPCode_Target_5XX_Count``.
        target_group: The target group that it watches; ``"blue"`` or ``"green"``: that of the colour when
            the ``SimCloud`` starts; None: the load balancer as a whole.
        statistic: ``Sum``, ``Average``, ``Minimum``, ``Maximum``, ``SampleCount`` or a percentile as ``p99``.
        period_seconds: Of one data point; a multiple of 60.
        evaluation_periods: N: how many of the latest points are looked at.
        datapoints_to_alarm: M: how many of them must breach; None: all.
        threshold: What is compared with.
        comparison: How a point has to compare to breach.
        treat_missing_data: What a point that is missing counts as.

    Raises:
        ValueError: If a value is none of these; all faults at once.
    """

    name: str
    metric: str
    target_group: str | None = None
    statistic: str = "Sum"
    period_seconds: int = 60
    evaluation_periods: int = 1
    datapoints_to_alarm: int | None = None
    threshold: float
    comparison: Comparison = "GreaterThanOrEqualToThreshold"
    treat_missing_data: Missing = "missing"

    def __attrs_post_init__(self) -> None:
        """See that it can be evaluated."""
        faults = []
        if self.period_seconds < MINUTE or self.period_seconds % MINUTE:
            faults.append(f"period_seconds = {self.period_seconds!r}: give a multiple of 60")
        if self.evaluation_periods < 1:
            faults.append(f"evaluation_periods = {self.evaluation_periods!r}: give 1 or more")
        if not 1 <= self.needed <= max(1, self.evaluation_periods):
            faults.append(f"datapoints_to_alarm = {self.datapoints_to_alarm!r}: give 1 to evaluation_periods")
        if self.comparison not in COMPARISONS:
            faults.append(f"comparison = {self.comparison!r}: give one of {', '.join(COMPARISONS)}")
        if (missing := self.treat_missing_data) not in get_args(Missing):
            faults.append(f"treat_missing_data = {missing!r}: give one of {', '.join(get_args(Missing))}")
        if faults:
            raise ValueError("; ".join(faults))

    @property
    def needed(self) -> int:
        """M: points that must breach."""
        return self.evaluation_periods if self.datapoints_to_alarm is None else self.datapoints_to_alarm

    @property
    def looked_at(self) -> int:
        """Periods of the evaluation range."""
        return self.evaluation_periods + EXTRA


@frozen(kw_only=True)
class CompositeAlarm(Shared):
    """An alarm over other alarms.

    Args:
        name: Its name.
        rule: When it is in alarm: ``ALARM(name)``, ``OK(name)``, ``INSUFFICIENT_DATA(name)``, ``TRUE``,
            ``FALSE``, with ``AND``, ``OR``, ``NOT`` and parentheses; a name with blanks stands in quotes.

    Raises:
        ValueError: If the rule cannot be read.
    """

    name: str
    rule: str

    def __attrs_post_init__(self) -> None:
        """See that the rule can be read."""
        holds(self.rule, {})


@frozen
class Verdict(Shared):
    """What an evaluation said of an alarm.

    Args:
        name: The alarm's.
        reason: Why it is in its state.
        updated_ms: World time at which state or reason last changed.
    """

    name: str
    reason: str
    updated_ms: int


def evaluated(alarm: MetricAlarm, points: Sequence[float | None], state: State) -> tuple[State, str]:
    """The state that data points lead to, and why.

    Real points are preferred to what missing ones count as, also older ones. With too few of them, missing
    points count as the alarm says. As ``missing`` or ``ignore``, a breaching point that is at least M periods
    old decides if nothing but breaching ones are there.

    Args:
        alarm: The alarm.
        points: One for each period of ``alarm.looked_at``, the oldest first; None: there is none.
        state: The state so far.
    """
    breaches = COMPARISONS[alarm.comparison][0]
    real = [
        (age, breaches(point, alarm.threshold))
        for age, point in enumerate(reversed(points), 1)
        if point is not None
    ]
    used = [breach for _, breach in islice(real, alarm.evaluation_periods)]
    lacking = alarm.evaluation_periods - len(used)
    if lacking and alarm.treat_missing_data in ("breaching", "notBreaching"):
        used += [alarm.treat_missing_data == "breaching"] * lacking
    elif not used:
        return state if alarm.treat_missing_data == "ignore" else "no-data", _why(alarm, points)
    elif lacking and sum(used) < alarm.needed and all(used) and real[-1][0] >= alarm.needed:
        return state if alarm.treat_missing_data == "ignore" else "alarm", _why(alarm, points)
    return "alarm" if sum(used) >= alarm.needed else "ok", _why(alarm, points)


def _why(alarm: MetricAlarm, points: Sequence[float | None]) -> str:
    """A sentence such as CloudWatch's ``StateReason``."""
    real = [f"{point:g}" for point in reversed(points) if point is not None]
    if not real:
        return f"Insufficient Data: {alarm.evaluation_periods} datapoint(s) were unknown."
    real = real[: alarm.evaluation_periods]
    breaches, are = COMPARISONS[alarm.comparison]
    crossed = sum(breaches(float(point), alarm.threshold) for point in real)
    return (
        f"Threshold Crossed: {crossed} of the latest {len(real)} datapoint(s) [{', '.join(real)}] were {are} "
        f"the threshold ({alarm.threshold:g}); {alarm.needed} of {alarm.evaluation_periods} are needed."
    )


# ----------------------------------------------------------------------------------------- composite alarms

_WORD = re.compile(
    r"""\s*(?:(ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:"([^"]*)"|([^\s()"]+))\s*\)|(\w+|[()]))"""
)
_STATES = {"ALARM": "alarm", "OK": "ok", "INSUFFICIENT_DATA": "no-data"}


def holds(rule: str, states: Mapping[str, str]) -> bool:
    """Whether the rule of a composite alarm is true when other alarms are in these states.

    An alarm that is not there is in no state. ``NOT`` binds closer than ``AND``, and that closer than ``OR``.

    Raises:
        ValueError: If the rule cannot be read.
    """
    words: list[bool | str] = []
    at, end = 0, len(rule.rstrip())
    while at < end:
        found = _WORD.match(rule, at)
        if found is None:
            raise ValueError(f"rule = {rule!r}: not understood from {rule[at:].strip()[:20]!r} on")
        state, quoted, plain, other = found.groups()
        words.append(states.get(quoted or plain) == _STATES[state] if state else other)
        at = found.end()
    value, left = _either(words, rule)
    if left:
        raise ValueError(f"rule = {rule!r}: not understood from {left[0]!r} on")
    return value


def named_in(rule: str) -> tuple[str, ...]:
    """The alarms that the rule of a composite alarm names."""
    return tuple(quoted or plain for state, quoted, plain, _ in _WORD.findall(rule) if state)


def _either(words: list[bool | str], rule: str) -> tuple[bool, list[bool | str]]:
    value, words = _both(words, rule)
    while words[:1] == ["OR"]:
        other, words = _both(words[1:], rule)
        value = value or other
    return value, words


def _both(words: list[bool | str], rule: str) -> tuple[bool, list[bool | str]]:
    value, words = _one(words, rule)
    while words[:1] == ["AND"]:
        other, words = _one(words[1:], rule)
        value = value and other
    return value, words


def _one(words: list[bool | str], rule: str) -> tuple[bool, list[bool | str]]:
    first, *rest = words or [""]
    if isinstance(first, bool):
        return first, rest
    if first in ("TRUE", "FALSE"):
        return first == "TRUE", rest
    if first == "NOT":
        value, rest = _one(rest, rule)
        return not value, rest
    if first == "(":
        value, rest = _either(rest, rule)
        if rest[:1] == [")"]:
            return value, rest[1:]
    raise ValueError(
        f"rule = {rule!r}: expected a state, NOT or '(' in place of {first!r}, or a ')' is missing"
    )
