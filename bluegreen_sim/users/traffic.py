"""What arrives, and whom it may meet."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property, lru_cache
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

from attrs import Attribute, evolve, field, frozen

from .application import Manner
from .latency import Shared

Target = tuple[str, str, bool, int]
"""A target as requests meet it: id, group, whether it answers, percent of its answers that are wrong."""

Outcome = tuple[str, bool, int, Manner]
"""What becomes of a request: group, whether it answers, percent of wrong answers, how its instance is."""

DAY = 86_400


@frozen
class Pool(Shared):
    """One target group as the data plane sees it: its weight and the targets that get its requests."""

    name: str
    weight: int
    targets: tuple[Target, ...]


def whole(name: str, value: object, least: int = 0) -> int:
    """The value, if it is a whole number of at least ``least``.

    Raises:
        TypeError: If it is no int.
        ValueError: If it is too small.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} = {value!r}: give a whole number (int), {least} or more")
    if value < least:
        raise ValueError(f"{name} = {value!r}: give {least} or more")
    return value


def _is_whole(_: object, attribute: Attribute[Any], value: object) -> None:
    whole(attribute.name, value)


def _is_positive(_: object, attribute: Attribute[Any], value: object) -> None:
    whole(attribute.name, value, 1)


def _are_whole(_: object, attribute: Attribute[Any], values: tuple[object, ...]) -> None:
    for second, value in enumerate(values):
        if type(value) is not int or value < 0:
            whole(f"{attribute.name}[{second}]", value)


def _tuple(values: Iterable[int]) -> tuple[int, ...]:
    return tuple(values)


def _brief(counts: tuple[int, ...]) -> str:
    return repr(counts) if len(counts) <= 10 else f"<{len(counts)} seconds, {sum(counts)} requests>"


@frozen
class Sessions(Shared):
    """What the sessions of users are like, where a cookie binds them.

    Args:
        seconds: How long each lasts.
        requests: Requests of each, evenly over that time.

    Raises:
        TypeError: If a number is not whole.
        ValueError: If one is below 1.
    """

    seconds: int = field(validator=_is_positive)
    requests: int = field(validator=_is_positive)


@frozen
class Traffic(Shared):
    """How many requests arrive in each second; within a second they arrive evenly.

    ``Traffic(100)`` is 100 a second for ever. Other kinds: ``daily``, ``burst``, ``from_csv``,
    ``from_cloudwatch``, and ``poisson`` on top of each of them.

    Args:
        per_second: Requests a second, of every second that ``counts`` does not tell.
        counts: Requests of the first seconds, one by one.
        repeat: Whether ``counts`` begin anew after the last.
        sessions: What the sessions are like that the requests belong to; see ``with_sessions``.

    Raises:
        TypeError: If a count is not a whole number.
        ValueError: If a count is negative.
    """

    per_second: int = field(default=0, validator=_is_whole)
    counts: tuple[int, ...] = field(default=(), converter=_tuple, validator=_are_whole, repr=_brief)
    repeat: bool = False
    sessions: Sessions | None = None

    # ------------------------------------------------------------------------------------------------ kinds

    @classmethod
    def daily(cls, low: int, high: int, *, peak_hour: int = 14, first_hour: int = 0) -> Traffic:
        """Every day the same smooth curve, from the lowest rate up to the highest and back.

        Args:
            low: Requests a second at the quietest moment, twelve hours from the peak.
            high: Requests a second at the peak.
            peak_hour: Hour of the day at which the peak is, 0 to 23.
            first_hour: Hour of the day at which the traffic begins, 0 to 23.

        Raises:
            TypeError: If a number is not whole.
            ValueError: If ``high`` is below ``low``, or an hour is none.
        """
        whole("high", high, whole("low", low))
        for name, hour in (("peak_hour", peak_hour), ("first_hour", first_hour)):
            if not 0 <= whole(name, hour) < 24:
                raise ValueError(f"{name} = {hour!r}: give an hour of the day, 0 to 23")
        half = DAY // 2
        trough = (peak_hour * 3600 + half - first_hour * 3600) % DAY
        # 3x² - 2x³ rises from 0 to 1 much as a cosine does, in whole numbers that are the same everywhere.
        rise = [(high - low) * x * x * (3 * half - 2 * x) // half**3 for x in range(half + 1)]
        away = ((second - trough) % DAY for second in range(DAY))
        return cls(counts=tuple(low + rise[min(x, DAY - x)] for x in away), repeat=True)

    @classmethod
    def burst(cls, per_second: int, high: int, *, at_second: int, for_seconds: int) -> Traffic:
        """A constant rate with one burst.

        Args:
            per_second: Requests a second before and after.
            high: Requests a second within the burst.
            at_second: When it begins, in seconds from the start of the traffic.
            for_seconds: How long it lasts.

        Raises:
            TypeError: If a number is not whole.
            ValueError: If a number is negative.
        """
        whole("high", high)
        before = (whole("per_second", per_second),) * whole("at_second", at_second)
        return cls(per_second, before + (high,) * whole("for_seconds", for_seconds))

    @classmethod
    def from_csv(
        cls,
        source: str | Path | Iterable[str],
        *,
        column: str = "requests",
        period_seconds: int = 1,
        repeat: bool = False,
    ) -> Traffic:
        """The counts in one column of a CSV file with a header, one row for each period, in order.

        Args:
            source: The file's path, or its lines.
            column: Name of the column with the counts.
            period_seconds: Seconds that a row stands for; its requests are spread over them evenly.
            repeat: Whether the traffic begins anew after the last row; else there is no more.

        Raises:
            ValueError: If the column is missing or a count is not a whole number; the message has the line.
        """
        from .recorded import csv_counts

        return cls(counts=spread(csv_counts(source, column), period_seconds), repeat=repeat)

    @classmethod
    def from_cloudwatch(
        cls,
        answer: Mapping[str, Any],
        *,
        period_seconds: int = 60,
        query: str | None = None,
        repeat: bool = False,
    ) -> Traffic:
        """The metric ``RequestCount`` as CloudWatch tells it, from its first period to its last.

        A period without a value had no requests: CloudWatch does not report them (ELB user guide,
        "CloudWatch metrics for your Application Load Balancer").

        Args:
            answer: What ``get_metric_data`` or ``get_metric_statistics`` (statistic ``Sum``) answered, by
                boto3 or as JSON of the AWS CLI.
            period_seconds: The period that was asked for.
            query: Id of the result of ``get_metric_data`` to take; may be left out if there is one.
            repeat: Whether the traffic begins anew after the last period; else there is no more.

        Raises:
            ValueError: If the answer has not that shape, is not whole, or holds something else than counts.
        """
        from .recorded import cloudwatch_counts

        counts = cloudwatch_counts(answer, whole("period_seconds", period_seconds, 1), query)
        return cls(counts=spread(counts, period_seconds), repeat=repeat)

    def poisson(self, seed: int, *, seconds: int) -> Traffic:
        """The same traffic as independent users make it: each count drawn from a Poisson distribution.

        Args:
            seed: Of the draws; the same seed gives the same counts on every machine.
            seconds: How many seconds are drawn; afterwards the counts begin anew.

        Raises:
            TypeError: If a number is not whole.
            ValueError: If ``seconds`` is below 1.
        """
        draw = random.Random(whole("seed", seed)).random
        means = self.per_seconds(whole("seconds", seconds, 1))
        return evolve(self, per_second=0, counts=tuple(poisson(mean, draw()) for mean in means), repeat=True)

    def with_sessions(self, *, seconds: int, requests: int) -> Traffic:
        """The same requests, each of a session that a cookie may bind to a target group or to a target.

        Of the requests of each second an equal part comes from sessions of each age.

        Args:
            seconds: How long a session lasts.
            requests: Requests of each, evenly over that time.

        Raises:
            TypeError: If a number is not whole.
            ValueError: If one is below 1.
        """
        return evolve(self, sessions=Sessions(seconds, requests))

    # -------------------------------------------------------------------------------------------- questions

    @property
    def silent(self) -> bool:
        """Whether nothing ever arrives."""
        return not (any(self.counts) or (self.per_second and not (self.repeat and self.counts)))

    def arrived(self, elapsed_ms: int) -> int:
        """Requests that have arrived after so many milliseconds."""
        second, rest = divmod(elapsed_ms, 1000)
        before = self._before(second)
        return before + (self._before(second + 1) - before) * rest // 1000 if rest else before

    def per_seconds(self, seconds: int) -> list[int]:
        """The requests of each of the first seconds."""
        marks = [self._before(second) for second in range(seconds + 1)]
        return [after - before for before, after in pairwise(marks)]

    @cached_property
    def _sums(self) -> list[int]:
        return list(accumulate(self.counts, initial=0))

    def _before(self, second: int) -> int:
        """Requests before a second."""
        told = len(self.counts)
        if second <= told:
            return self._sums[second]
        if self.repeat and told:
            rounds, rest = divmod(second, told)
            return rounds * self._sums[-1] + self._sums[rest]
        return self._sums[-1] + (second - told) * self.per_second


def spread(counts: Sequence[int], period_seconds: int) -> tuple[int, ...]:
    """Counts of periods as counts of their seconds, as evenly as whole numbers allow."""
    seconds = range(whole("period_seconds", period_seconds, 1))
    return tuple(
        count * (second + 1) // period_seconds - count * second // period_seconds
        for count in counts
        for second in seconds
    )


def poisson(mean: int, uniform: float) -> int:
    """The number at which the Poisson distribution of a mean passes ``uniform``, from 0 to below 1.

    An inversion of our own, of multiplications and divisions only: the same on every machine.
    """
    low, sums = _poisson_sums(mean)
    return low + bisect_right(sums, uniform * sums[-1])


@lru_cache(maxsize=1024)
def _poisson_sums(mean: int) -> tuple[int, list[float]]:
    """The least number that is ever drawn; for it and each above, how likely it is to draw no higher one."""
    below, above = [1.0], [1.0]  # how likely a number is, relative to the mean
    while below[-1] > _NEVER and mean >= len(below):
        below.append(below[-1] * (mean - len(below) + 1) / mean)
    while above[-1] > _NEVER and mean:
        above.append(above[-1] * mean / (mean + len(above)))
    return mean - len(below) + 1, list(accumulate([*reversed(below), *above[1:]]))


_NEVER = 1e-18
"""A number that is so much rarer than the mean is never drawn: a float below 1 has no more digits."""
