"""Workloads W1 and W2: one balancer, 20 targets, 600 seconds; and both as idiomatic models in SimPy.

10 blue targets serve from the start. 10 green ones are registered at 55 s, pass the health check of 60 s and
serve from then on. Blue is deregistered at 300 s. 1,000 requests a second arrive as a Poisson process;
service takes 20 ms on average, exponentially distributed, with as many workers as needed. Round robin by a
counter that is kept. The answer: how many requests each version got in each second, 1,200 numbers.

W2 is the same by least outstanding requests, where each target has four workers and a queue.
"""

from __future__ import annotations

import math
import random
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate

import simpy

from bluegreen_sim import LeastOutstanding, Split

SECONDS, RATE, SERVICE_SECONDS, WORKERS = 600, 1_000, 0.020, 4
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
    env, table, latencies = simpy.Environment(), ([0] * SECONDS, [0] * SECONDS), list[float]()
    serving = _members(env)

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

    env.process(source())
    env.run()
    return table


def least_outstanding(gaps: Sequence[float], services: Sequence[float]) -> Table:
    """W2 through the public API."""
    balancer: LeastOutstanding[str] = LeastOutstanding(workers=WORKERS)
    arrivals, table = list(accumulate(gaps)), ([0] * SECONDS, [0] * SECONDS)
    for version, i in BLUE:
        balancer.join(f"{version}-{i}", version)
    healthy, gone = (bisect_left(arrivals, second) for second in (HEALTHY, GONE))
    versions = balancer.serve(arrivals[:healthy], services[:healthy]).versions
    for version, i in GREEN:
        balancer.join(f"{version}-{i}", version)
    versions += balancer.serve(arrivals[healthy:gone], services[healthy:gone]).versions
    for version, i in BLUE:
        balancer.leave(f"{version}-{i}")
    versions += balancer.serve(arrivals[gone:], services[gone:]).versions
    for version, arrival in zip(versions, arrivals, strict=True):
        table[version == "green"][int(arrival)] += 1
    return table


def least_outstanding_by_simpy(gaps: Sequence[float], services: Sequence[float]) -> Table:
    """W2 with a process for each request and a resource for each target."""
    env, table, latencies = simpy.Environment(), ([0] * SECONDS, [0] * SECONDS), list[float]()
    serving = _members(env)
    workers = {target: simpy.Resource(env, WORKERS) for target in (*BLUE, *GREEN)}
    unfinished = dict.fromkeys(workers, 0)

    def request(target: tuple[str, int], service: float) -> Iterator[simpy.Event]:
        arrived = env.now
        with workers[target].request() as turn:
            yield turn
            yield env.timeout(service)
        unfinished[target] -= 1
        latencies.append(env.now - arrived)

    def source() -> Iterator[simpy.Event]:
        for gap, service in zip(gaps, services, strict=True):
            yield env.timeout(gap)
            target = min(serving, key=unfinished.__getitem__)
            unfinished[target] += 1
            table[target[0] == "green"][int(env.now)] += 1
            env.process(request(target, service))

    env.process(source())
    env.run()
    return table


def _members(env: simpy.Environment) -> list[tuple[str, int]]:
    """The targets that serve, as an operator and the health checks change them in SimPy."""
    registered, serving = list(BLUE), list(BLUE)

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

    env.process(operator())
    env.process(health_checks())
    return serving
