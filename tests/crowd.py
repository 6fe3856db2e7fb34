"""Many deployments at once in one account: a world each, one set of API buckets, one virtual time.

Each deployment has a thread, and one thread runs at a time: who sleeps, in the loop or in a retry of
botocore's, lets whoever is due first go on. So calls come in the order of virtual time, as the buckets need
it, and the same crowd makes the same calls.
"""

from __future__ import annotations

import heapq
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Literal

from attrs import Factory, define, frozen

from bluegreen import Deployment, MemoryJournal, Plan, Result, SharedTargetGroup, WeightedTargetGroups
from bluegreen.aws import AwsCloud
from bluegreen.core.plan import Strategy
from bluegreen.ports import Clock
from bluegreen_sim import Settings, SimCloud
from bluegreen_sim.endpoint import Limits, session

Routing = Literal["weighted", "shared"]


class Turns:
    """Lets jobs run one at a time, always the one that is due first."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, threading.Event]] = []
        self._entered = 0
        self._left = 0
        self._over = threading.Event()
        self._fault: BaseException | None = None

    def run(self, jobs: Sequence[Callable[[], object]]) -> None:
        """Run jobs until all have ended; raises what one of them raised."""
        self._left = len(jobs)
        for job in jobs:
            threading.Thread(target=self._run, args=(self._enter(0), job), daemon=True).start()
        self._hand_over()
        self._over.wait()
        if self._fault:
            raise self._fault

    def sleep_until(self, at: float) -> None:
        """Let all others go first that are due before a moment, or at it and have waited longer."""
        mine = self._enter(at)
        self._hand_over()
        mine.wait()

    def _run(self, mine: threading.Event, job: Callable[[], object]) -> None:
        mine.wait()
        try:
            job()
        except BaseException as fault:  # noqa: BLE001 - told to who waits for all
            self._fault = fault
        self._left -= 1
        if self._fault or not self._left:
            self._over.set()
        else:
            self._hand_over()

    def _enter(self, at: float) -> threading.Event:
        self._entered += 1
        mine = threading.Event()
        heapq.heappush(self._due, (at, self._entered, mine))
        return mine

    def _hand_over(self) -> None:
        heapq.heappop(self._due)[2].set()


@frozen
class TurnClock:
    """A world's clock whose sleep lets the others go first."""

    clock: Clock
    turns: Turns
    virtual = True

    def now(self) -> float:
        return self.clock.now()

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self.turns.sleep_until(self.now() + seconds)
            self.clock.sleep(seconds)


@define
class Counting(Limits):
    """Buckets that count what is asked of them and what they refuse, by operation."""

    asked: Counter[str] = Factory(Counter)
    refused: Counter[str] = Factory(Counter)
    now_ms: int = 0

    def take(self, service: str, operation: str, now_ms: int, *, read: bool) -> bool:
        assert now_ms >= self.now_ms, "calls come in the order of time"
        self.now_ms = now_ms
        taken = super().take(service, operation, now_ms, read=read)
        self.asked[operation] += 1
        self.refused[operation] += not taken
        return taken


class Plenty(Counting):
    """Buckets that are never empty: after each call they are as they were in the beginning."""

    def take(self, service: str, operation: str, now_ms: int, *, read: bool) -> bool:
        self._levels.clear()
        return super().take(service, operation, now_ms, read=read)


@frozen(kw_only=True)
class Crowd:
    """How a crowd fared.

    Args:
        results: Of each deployment.
        limits: The account's buckets, with what was asked and refused.
        failed_requests: Of all users of all services.
    """

    results: tuple[Result, ...]
    limits: Counting
    failed_requests: int


def plan(number: int, routing: Routing, strategy: Strategy) -> Plan:
    """The plan of one of many services in an account."""
    name = f"s{number:02}"
    return Plan(
        service=name,
        image="ami-0beta",
        launch_template=f"{name}-template",
        groups=(f"{name}-a", f"{name}-b"),
        routing=(
            WeightedTargetGroups(f"{name}-a", f"{name}-b")
            if routing == "weighted"
            else SharedTargetGroup(name)
        ),
        strategy=strategy,
    )


def deployed(
    count: int,
    strategy: Strategy,
    *,
    routings: Sequence[Routing] = ("weighted", "shared"),
    limits: Counting | None = None,
    settings: Settings | None = None,
) -> Crowd:
    """Deploy so many services in the same moment.

    Args:
        count: How many.
        strategy: Of all.
        routings: In turn.
        limits: The buckets; those that AWS documents by default.
        settings: How the worlds behave.
    """
    turns, limits = Turns(), limits or Counting()
    worlds, deployments = [], []
    for number in range(count):
        wanted = plan(number, routings[number % len(routings)], strategy)
        world = SimCloud(wanted, seed=number, settings=settings)
        world.clock = TurnClock(world.clock, turns)  # type: ignore[assignment]
        cloud = AwsCloud(session(world, throttled=limits), clock=world.clock)
        worlds.append(world)
        deployments.append(Deployment(wanted, cloud, journal=MemoryJournal()))
    turns.run([deployment.run for deployment in deployments])
    return Crowd(
        results=tuple(deployment.result() for deployment in deployments),
        limits=limits,
        failed_requests=sum(world.timeline.failed_requests for world in worlds),
    )
