"""How long answers take: menus of times, and whole numbers out of them without looking at each request.

Which request takes how long is not drawn: the k-th of a row of requests has the place ``k * stride mod
total`` among the menu's weights, a sequence that visits them as evenly as a golden angle turns. So how many
of some thousand requests take longer than a second is a sum of floors, found in a few steps, and a loop over
single requests counts the very same.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from itertools import accumulate, pairwise

from attrs import field, frozen

FINE = 1 << 20
"""Weights of a menu that stands for a continuous distribution: its tail reaches to one in a million."""


LONGEST = 10**9
"""Seconds."""


class Shared:
    """A frozen value: a copy of what holds it holds the very same one."""

    __slots__ = ()

    def __deepcopy__(self, memo: object) -> Shared:
        """Itself."""
        return self


def _rising(bands: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    found: dict[int, int] = {}
    for microseconds, weight in bands:
        found[microseconds] = found.get(microseconds, 0) + weight
    return tuple(sorted(found.items()))


@frozen(cache_hash=True)
class Latency(Shared):
    """How long an application takes to answer when it is idle: a menu of times.

    Made by ``constant``, ``menu``, ``exponential`` or ``lognormal``. The last two are cut into bands, each
    with the time at its middle: 64 for the quicker half, and 8 for each half of what is left, up to one in a
    million.

    Args:
        bands: (microseconds, weight), weights being whole numbers; they rise by time.

    Raises:
        ValueError: If there is none, or a time or weight is below 1.
    """

    bands: tuple[tuple[int, int], ...] = field(converter=_rising)

    @bands.validator
    def _check(self, _: object, bands: tuple[tuple[int, int], ...]) -> None:
        if not bands or min(map(min, bands)) < 1:
            raise ValueError(f"bands = {bands!r}: give one or more, times and weights of 1 or more")

    # ------------------------------------------------------------------------------------------------ kinds

    @classmethod
    def constant(cls, seconds: float) -> Latency:
        """Every answer takes the same time."""
        return cls.menu({seconds: 1})

    @classmethod
    def menu(cls, weights: Mapping[float, int]) -> Latency:
        """Some times, in seconds, each for so many of the requests.

        Args:
            weights: ``{0.05: 999, 40: 1}``: of a thousand, one takes 40 s.

        Raises:
            ValueError: If there is none, a time is not above 0, or a weight is below 1.
        """
        return cls((_microseconds(seconds), weight) for seconds, weight in weights.items())

    @classmethod
    def exponential(cls, mean_seconds: float) -> Latency:
        """As of a memoryless service.

        Raises:
            ValueError: If the mean is not above 0.
        """
        _above_0("mean_seconds", mean_seconds)
        return cls(_cut(lambda part: -mean_seconds * math.log1p(-part)))

    @classmethod
    def lognormal(cls, median_seconds: float, p99_seconds: float) -> Latency:
        """As most services: half of the answers within the median, one in a hundred later than the p99.

        Raises:
            ValueError: If the median is not above 0, or the p99 is below it.
        """
        from statistics import NormalDist

        _above_0("median_seconds", median_seconds)
        if not median_seconds <= p99_seconds <= LONGEST:
            raise ValueError(f"p99_seconds = {p99_seconds!r}: give {median_seconds!r} (the median) or more")
        normal = NormalDist()
        spread = math.log(p99_seconds / median_seconds) / normal.inv_cdf(0.99)
        return cls(_cut(lambda part: median_seconds * math.exp(spread * normal.inv_cdf(part))))

    # -------------------------------------------------------------------------------------------- questions

    @cached_property
    def edges(self) -> list[int]:
        """The places at which the bands begin; at the end, the sum of all weights."""
        return list(accumulate((weight for _, weight in self.bands), initial=0))

    @property
    def total(self) -> int:
        """The sum of all weights."""
        return self.edges[-1]

    @cached_property
    def sum_us(self) -> int:
        """Microseconds that as many requests take as there are weights."""
        return sum(microseconds * weight for microseconds, weight in self.bands)

    @cached_property
    def stride(self) -> int:
        """From a request's place to that of the next one: near the golden ratio, without a common factor."""
        step = max(1, self.total * 618_033_989 // 1_000_000_000)
        while math.gcd(step, self.total) != 1:
            step += 1
        return step

    def of(self, k: int) -> int:
        """Microseconds that the k-th request takes."""
        place = k * self.stride % self.total
        return self.bands[bisect_right(self.edges, place) - 1][0]

    def between(self, first: int, last: int, low: int, high: int) -> int:
        """How many of the requests from ``first`` to before ``last`` have a place from low to below high."""
        if first >= last or low >= high:
            return 0
        # floor((k * stride + total - x) / total) exceeds floor(k * stride / total) by one where the place is
        # x or more; those from `low` on, without those from `high` on.
        return sum(
            sign * floor_sum(count, self.total, self.stride, self.total - edge)
            for count, edge, sign in ((last, low, 1), (last, high, -1), (first, low, -1), (first, high, 1))
        )


def _above_0(name: str, seconds: float) -> None:
    if not 0 < seconds <= LONGEST:
        raise ValueError(f"{name} = {seconds!r}: give more than 0, up to {LONGEST}")


def _microseconds(seconds: float) -> int:
    return max(1, round(seconds * 1_000_000)) if 0 < seconds <= LONGEST else 0


def _cut(quantile: Callable[[float], float]) -> list[tuple[int, int]]:
    """The bands of a continuous distribution."""
    edges = list(range(0, FINE // 2, FINE // 128))
    left = FINE // 2
    while left > 1:
        edges += range(FINE - left, FINE - left // 2, max(1, left // 16))
        left //= 2
    edges += [FINE - 1, FINE]
    return [
        (max(1, _microseconds(quantile((low + high) / (2 * FINE)))), high - low)
        for low, high in pairwise(edges)
    ]


def floor_sum(count: int, divisor: int, step: int, start: int) -> int:
    """The sum of ``(step * i + start) // divisor`` for i from 0 to below ``count``, as Euclid would find it.

    Args:
        count: How many terms.
        divisor: 1 or more.
        step: 0 or more.
        start: 0 or more.
    """
    total = 0
    while True:
        total += count * (count - 1) // 2 * (step // divisor) + count * (start // divisor)
        step, start = step % divisor, start % divisor
        most = step * count + start
        if most < divisor:
            return total
        count, start = divmod(most, divisor)
        divisor, step = step, divisor


def percentile(parts: Mapping[tuple[Latency, int, int], int], percent: int) -> int:
    """The time within which so many percent are answered, in microseconds: the order statistic of a mixture.

    Args:
        parts: How many requests were answered by each (latency, and by what it is stretched: a numerator and
            a denominator).
        percent: 1 to 100.

    Raises:
        ValueError: If there is no request.
    """
    scale = math.lcm(*(latency.total for latency, _, _ in parts))
    steps = sorted(
        (microseconds * numerator // denominator, weight * count * (scale // latency.total))
        for (latency, numerator, denominator), count in parts.items()
        if count
        for microseconds, weight in latency.bands
    )
    sums = list(accumulate(weight for _, weight in steps))
    if not sums:
        raise ValueError("parts: no request was answered; ask only where one was")
    return steps[bisect_right(sums, (sums[-1] * percent - 1) // 100)][0]


def mean(parts: Mapping[tuple[Latency, int, int], int]) -> float:
    """Their mean, in microseconds, of one request or more."""
    spent = sum(
        latency.sum_us * numerator * number / (denominator * latency.total)
        for (latency, numerator, denominator), number in parts.items()
    )
    return spent / sum(parts.values())


INSTANT = Latency.menu({0.000_001: 1})
"""As good as no time: of an answer that costs no work."""
