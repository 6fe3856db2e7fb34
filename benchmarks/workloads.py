"""Workload W1: one balancer, 20 targets, 600 seconds; and the same as an idiomatic model in SimPy.

10 blue targets serve from the start. 10 green ones are registered at 55 s, pass the health check of 60 s and
serve from then on. Blue is deregistered at 300 s. 1,000 requests a second arrive as a Poisson process;
service takes 20 ms on average, exponentially distributed, with as many workers as needed. Round robin by a
counter that is kept. The answer: how many requests each version got in each second, 1,200 numbers.
"""

from __future__ import annotations

import math
import random
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate

import simpy

from bluegreen_sim import Split

SECONDS, RATE, SERVICE_SECONDS = 600, 1_000, 0.020
REGISTERED, HEALTHY, GONE, CHECK_SECONDS = 55, 60, 300, 10
BLUE = tuple(("blue", i) for i in range(10))
GREEN = tuple(("green", i) for i in range(10))

Table = tuple[list[int], list[int]]
"""Requests of each second: blue's, green's."""


def streams(seed: int) -> tuple[array[float], array[float]]:
    """Times between arrivals, and service times."""
    draw = random.Random(seed).random
    gaps: array[float] = array("d")
    gap, now = -math.log(1 - draw()) / RATE, 0.0
    while (now := now + gap) < SECONDS:
        gaps.append(gap)
        gap = -math.log(1 - draw()) / RATE
    return gaps, array("d", (-math.log(1 - draw()) * SERVICE_SECONDS for _ in gaps))


def binned(gaps: Sequence[float]) -> list[int]:
    """How many requests arrive in each second."""
    counts = Counter(map(int, accumulate(gaps)))
    return [counts[second] for second in range(SECONDS)]


def by_arithmetic(counts: Sequence[int]) -> Table:
    """W1 through the public API."""
    split: Split[str] = Split()
    for version, i in BLUE:
        split.join(f"{version}-{i}", version)
    before = split.serve(counts[:HEALTHY])
    for version, i in GREEN:
        split.join(f"{version}-{i}", version)
    both = split.serve(counts[HEALTHY:GONE])
    for version, i in BLUE:
        split.leave(f"{version}-{i}")
    after = split.serve(counts[GONE:])
    return (
        before["blue"] + both["blue"] + [0] * (SECONDS - GONE),
        [0] * HEALTHY + both["green"] + after["green"],
    )


def by_simpy(gaps: Sequence[float], services: Sequence[float]) -> Table:
    """W1 as SimPy's documentation teaches it: a process for each request."""
    env, table = simpy.Environment(), ([0] * SECONDS, [0] * SECONDS)
    registered, serving, latencies = list(BLUE), list(BLUE), list[float]()

    def request(service: float) -> Iterator[simpy.Event]:
        arrived = env.now
        yield env.timeout(service)
        latencies.append(env.now - arrived)

    def source() -> Iterator[simpy.Event]:
        for k, (gap, service) in enumerate(zip(gaps, services, strict=True)):
            yield env.timeout(gap)
            version, _ = serving[k % len(serving)]
            table[version == "green"][int(env.now)] += 1
            env.process(request(service))

    def operator() -> Iterator[simpy.Event]:
        yield env.timeout(REGISTERED)
        registered.extend(GREEN)
        yield env.timeout(GONE - REGISTERED)
        for target in BLUE:
            registered.remove(target)
            serving.remove(target)

    def health_checks() -> Iterator[simpy.Event]:
        for _ in range(SECONDS // CHECK_SECONDS):
            yield env.timeout(CHECK_SECONDS)
            serving.extend(target for target in registered if target not in serving)

    for process in (operator(), health_checks(), source()):
        env.process(process)
    env.run()
    return table
