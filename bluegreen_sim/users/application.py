"""What a version's application is like: how fast, how much at once, how wrong, and how long it goes well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import frozen

from ..ranges import out_of_range
from .latency import Latency, Shared

HOUR_MS = 3_600_000
MOST_PERCENT = 100
_RANGES = {"capacity": (1, 10**9), "concurrency": (1, 10**9), "leak_percent": (0, 10**9)}

Stretch = tuple[int, int]
"""By what answers take longer than on an idle instance: a numerator and a denominator."""


@frozen(kw_only=True, cache_hash=True)
class Application(Shared):
    """What the application on instances of an image is like; by default it answers rightly and at once.

    An instance shares its processor among its requests, so an answer that takes x when the instance is idle
    takes x / (1 - u) at utilisation u (the mean of M/G/1 processor sharing, whatever the distribution:
    L. Kleinrock, "Queueing Systems", vol. 2, 1976, §4.4), and no longer than ``concurrency`` lets it by
    Little's law. What exceeds the capacity is answered wrongly, at once.

    Args:
        latency: How long an answer takes on an idle instance; None: no time, and no percentiles.
        wrong_percent: Of the answers, so many percent are wrong; ``Errors`` says the same of an image later.
        capacity: Requests a second that one instance can answer; None: any number.
        concurrency: Requests that an instance works on at once.
        leak_percent: Percent of its first capacity that an instance loses in each hour that it answers.
        fails_after_seconds: When an instance that answers stops to, for good; None: never.
        hangs: How it is when it does not answer: it takes connections and says nothing (504), or its
            port is closed (502).

    Raises:
        ValueError: If a number is out of its range, or a capacity is missing; all faults at once.
    """

    latency: Latency | None = None
    wrong_percent: int = 0
    capacity: int | None = None
    concurrency: int = 100
    leak_percent: int = 0
    fails_after_seconds: float | None = None
    hangs: bool = False

    def __attrs_post_init__(self) -> None:
        """See that it can be."""
        faults = list(out_of_range(self, _RANGES))
        if self.leak_percent and self.capacity is None:
            faults.append(f"leak_percent = {self.leak_percent!r}: give a capacity too, of which it is a part")
        if faults:
            raise ValueError("; ".join(faults))

    def room(self, instances: int, milliseconds: int, age_ms: int) -> int | None:
        """A thousand times the requests that so many instances can answer in a time; None: any number."""
        if self.capacity is None:
            return None
        left = max(0, MOST_PERCENT * HOUR_MS - self.leak_percent * age_ms)
        return instances * self.capacity * milliseconds * left // (MOST_PERCENT * HOUR_MS)

    def stretch(self, requests: int, room: int | None) -> Stretch:
        """By what answers take longer when so many requests meet this room."""
        if room is None or self.latency is None or self.capacity is None:
            return 1, 1
        load = min(1000 * requests, room)
        top, bottom = room, room - 1000 * requests
        # At most `concurrency` at once: their number is the rate times the time that each takes.
        most = self.concurrency * self.latency.total * 1_000_000 * room
        least = self.capacity * self.latency.sum_us * load
        if bottom <= 0 or top * least > bottom * most:
            top, bottom = max(most, least), least
        return (top, bottom) if bottom else (1, 1)


FORMS = (
    "latency=S, mean=S, median=S with p99=S, wrong=%, capacity=N, concurrency=N, leak=%, "
    "fails-after=S, hangs=yes"
)


def parse_application(text: str) -> tuple[str, Application]:
    """An image and its application, from a text such as ``ami-0beta:median=0.05,p99=0.5,wrong=5``.

    Args:
        text: ``IMAGE:KEY=VALUE,…``. Times in seconds: ``latency`` is constant, ``mean`` of an exponential,
            ``median`` and ``p99`` of a lognormal distribution.

    Raises:
        ValueError: If it is none; the message names what is allowed.
    """
    image, _, rest = text.rpartition(":")
    pairs = dict(part.partition("=")[::2] for part in rest.split(","))
    try:
        times = {
            name: float(pairs.pop(name)) for name in ("latency", "mean", "median", "p99") if name in pairs
        }
        given = {name: read(pairs.pop(key)) for key, (name, read) in _KEYS.items() if key in pairs}
        if times:
            given["latency"] = _LATENCIES[tuple(times)](*times.values())
        found = Application(**given)
    except (KeyError, ValueError) as error:
        raise _no_application(text, f" ({error})" if isinstance(error, ValueError) else "") from None
    if pairs or not image:
        raise _no_application(text)
    return image, found


def _no_application(text: str, why: str = "") -> ValueError:
    return ValueError(f"{text!r} is no application{why}; it should be IMAGE: and some of {FORMS}")


_LATENCIES: dict[tuple[str, ...], Callable[..., Latency]] = {
    ("latency",): Latency.constant,
    ("mean",): Latency.exponential,
    ("median", "p99"): Latency.lognormal,
}
_KEYS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "wrong": ("wrong_percent", int),
    "capacity": ("capacity", int),
    "concurrency": ("concurrency", int),
    "leak": ("leak_percent", int),
    "fails-after": ("fails_after_seconds", float),
    "hangs": ("hangs", {"yes": True, "no": False}.__getitem__),
}

PLAIN = Application()


@frozen(cache_hash=True)
class Manner(Shared):
    """How one instance deals with its requests.

    Args:
        application: What runs on it.
        since_ms: Since when it answers, where that matters.
        dead: Whether the whole instance has failed: nobody is there to refuse a connection.
    """

    application: Application = PLAIN
    since_ms: int = 0
    dead: bool = False

    @property
    def silence(self) -> int:
        """The status of a request that it does not answer.

        502 when the connection is refused or reset; 504 when none comes about within 10 s, or no answer
        within the idle timeout (ALB user guide, "Troubleshoot your Application Load Balancers").
        """
        return 504 if self.dead or self.application.hangs else 502


USUAL = Manner()
