"""Least outstanding requests: whom to ask depends on who is busy, so each request is looked at."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from heapq import heappop, heappush, heapreplace
from typing import Generic, TypeVar

from attrs import frozen

K = TypeVar("K", bound=Hashable)

GONE = 1 << 60
"""Added to the unfinished requests of a target that does not serve, so that it never has the least."""


@frozen
class Sent(Generic[K]):
    """What became of requests, one by one.

    Args:
        versions: Whose target got it; None if there was no target.
        latencies: Seconds from its arrival to its end; 0 if there was no target.
    """

    versions: list[K | None]
    latencies: list[float]


class LeastOutstanding(Generic[K]):
    """Sends each request to the target with the fewest unfinished ones; of several, to the first that came.

    There is no closed form for it: a target that answers faster gets more, also one that fails fast. So this
    is a loop over requests, where ``Split`` needs none.

    Source: ALB user guide, "Target groups: routing algorithms" (least outstanding requests). Which of several
    equal targets is taken is an assumption.

    Args:
        workers: Requests that a target works on at once; further ones wait there, in order.

    Raises:
        ValueError: If there is no worker.
    """

    def __init__(self, *, workers: int = 1) -> None:
        """Begin without targets."""
        if workers < 1:
            raise ValueError(f"workers = {workers!r}: give 1 or more")
        self._workers = workers
        self._places: dict[str, int] = {}
        # By place, of everyone who ever came:
        self._versions: list[K] = []
        self._paces: list[float] = []
        self._unfinished: list[int] = []
        self._free_at: list[list[float]] = []  # a heap: when each worker is free
        self._ends: list[tuple[float, int]] = []  # a heap: when a request ends, and where
        self._sent: list[int] = []

    def join(self, target: str, version: K, *, pace: float = 1.0) -> None:
        """Let a target serve from now on.

        Args:
            target: Its name. One that served before takes its old place in the order.
            version: What its requests are counted under.
            pace: How long it takes for a second of work, in seconds: 0.05 fails fast.
        """
        place = self._places.setdefault(target, len(self._places))
        if place == len(self._versions):
            self._versions.append(version)
            self._unfinished.append(GONE)
            self._free_at.append([float("-inf")] * self._workers)
            self._sent.append(0)
            self._paces.append(pace)
        self._versions[place], self._paces[place] = version, pace
        self._unfinished[place] %= GONE

    def leave(self, target: str) -> None:
        """Let a target get no more requests; it finishes those that it has.

        Raises:
            ValueError: If it does not serve.
        """
        place = self._places.get(target)
        if place is None or self._unfinished[place] >= GONE:
            raise ValueError(
                f"target = {target!r}: it does not serve, so it cannot leave; let it join before"
            )
        self._unfinished[place] += GONE

    def serve(self, arrivals: Iterable[float], services: Iterable[float]) -> Sent[K]:
        """Let requests arrive, and tell what became of each.

        Args:
            arrivals: When each arrives, in seconds; never earlier than the one before.
            services: Seconds of work that each is, one for each arrival.
        """
        unfinished, free_at, ends = self._unfinished, self._free_at, self._ends
        paces, places, latencies = self._paces, list[int](), list[float]()
        for now, service in zip(arrivals, services, strict=True):
            while ends and ends[0][0] <= now:
                unfinished[heappop(ends)[1]] -= 1
            least = min(unfinished, default=GONE)
            if least >= GONE:
                places.append(-1)
                latencies.append(0.0)
                continue
            place = unfinished.index(least)
            unfinished[place] += 1
            workers = free_at[place]
            free = workers[0]
            end = (free if free > now else now) + service * paces[place]  # noqa: FURB136 - max() costs a call
            heapreplace(workers, end)
            heappush(ends, (end, place))
            places.append(place)
            latencies.append(end - now)
        return self._told(places, latencies)

    def per_target(self) -> dict[str, int]:
        """How many requests each target got, by name, also those that left."""
        return dict(sorted((name, self._sent[place]) for name, place in self._places.items()))

    def _told(self, places: list[int], latencies: list[float]) -> Sent[K]:
        for place in range(len(self._sent)):
            self._sent[place] += places.count(place)
        versions: list[K | None] = [*self._versions, None]  # the last one is that of -1
        return Sent([versions[place] for place in places], latencies)
