"""Least outstanding requests against a model in which every moment is looked at."""

from __future__ import annotations

import math
import random

import pytest

from bluegreen_sim import LeastOutstanding
from bluegreen_sim.users.outstanding import Sent


class Slow:
    """The same by its definition: every request is kept, and counted anew for each that arrives."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.order: list[str] = []
        self.serving: dict[str, str] = {}
        self.ends: dict[str, list[float]] = {}

    def request(self, now: float, service: float) -> tuple[str | None, float]:
        """Who gets it, and how long it takes."""
        targets = [name for name in self.order if name in self.serving]
        if not targets:
            return None, 0.0
        target = min(targets, key=lambda name: sum(end > now for end in self.ends[name]))
        busy = sorted(self.ends[target])[-self.workers :]
        begins = max(now, busy[0]) if len(busy) == self.workers else now
        self.ends[target].append(begins + service)
        return target, begins + service - now


@pytest.mark.parametrize("seed", range(60))
def test_the_loop_does_what_the_definition_says(seed: int) -> None:
    """With targets that come, go and come back, each request goes where the definition sends it."""
    dice = random.Random(seed).random
    workers = 1 + int(dice() * 3)
    fast: LeastOutstanding[str] = LeastOutstanding(workers=workers)
    slow, now = Slow(workers), 0.0
    for _ in range(12):
        name = f"t{int(dice() * 4)}"
        if name in slow.serving:
            fast.leave(name)
            del slow.serving[name]
        else:
            fast.join(name, name)
            slow.serving[name] = name
            if name not in slow.order:
                slow.order.append(name)
                slow.ends[name] = []
        arrivals = [now := now + dice() for _ in range(int(dice() * 20))]
        services = [dice() * 4 for _ in arrivals]
        found = fast.serve(arrivals, services)
        wanted = [slow.request(*request) for request in zip(arrivals, services, strict=True)]
        assert list(zip(found.versions, found.latencies, strict=True)) == wanted
    assert fast.per_target() == {name: len(slow.ends[name]) for name in sorted(slow.order)}


def test_nobody_there_is_told_as_none() -> None:
    """A request without a target takes no time and belongs to no version."""
    assert LeastOutstanding[str]().serve([0.0, 1.0], [1.0, 1.0]) == Sent([None, None], [0.0, 0.0])


def test_a_busy_target_is_left_alone() -> None:
    """While one target works on a long request, all others go to the second."""
    balancer: LeastOutstanding[str] = LeastOutstanding()
    balancer.join("slow", "blue")
    balancer.join("fast", "green")
    sent = balancer.serve([0.0, 1.0, 2.0, 3.0], [100.0, 0.5, 0.5, 0.5])
    assert sent.versions == ["blue", "green", "green", "green"]


def test_a_target_that_fails_fast_is_a_black_hole() -> None:
    """One of 20 that fails quickly gets more than twice its part, though it comes last in every tie."""
    balancer: LeastOutstanding[str] = LeastOutstanding(workers=4)
    for i in range(19):
        balancer.join(f"b-{i}", "blue")
    balancer.join("g-0", "green", pace=0.05)
    draw = random.Random(1).random
    now, arrivals, services = 0.0, list[float](), list[float]()
    for _ in range(20_000):
        now += -math.log(1 - draw()) / 1_000
        arrivals.append(now)
        services.append(-math.log(1 - draw()) * 0.020)
    versions = balancer.serve(arrivals, services).versions
    assert versions.count("green") > 2 * len(versions) / 20


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: LeastOutstanding(workers=0), "workers = 0: give 1 or more"),
        (lambda: LeastOutstanding().leave("x"), "target = 'x': it does not serve"),
    ],
)
def test_a_wrong_argument_is_named(call: object, message: str) -> None:
    """The error names the argument, its value, and what to give instead."""
    assert callable(call)
    with pytest.raises(ValueError, match=message):
        call()
