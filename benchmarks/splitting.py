"""What it costs to know who got how many requests, against engines that look at each one."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median

from attrs import frozen

from bluegreen.core.commands import SetSize
from bluegreen_sim import Settings, Sick, SimCloud, Split

from .measure import Section, Sections, cpu_seconds, medians, shown
from .workloads import (
    SECONDS,
    binned,
    by_arithmetic,
    by_simpy,
    least_outstanding,
    least_outstanding_by_simpy,
    streams,
)
from .worlds import SEED, canary

ROUNDS = 5
WARM_CALLS = 51
PEERS = Path(__file__).with_name("peers")
PEERS_PYTHON = "BLUEGREEN_PEERS_PYTHON"
"""The variable that names an interpreter with the libraries of benchmarks/peers/README.md."""

COLD = """
import json, sys
from time import process_time
from benchmarks.workloads import by_arithmetic
counts = json.load(sys.stdin)
start = process_time()
by_arithmetic(counts)
print(process_time() - start)
"""


def measure() -> Sections:
    """W1, a workload of thousands of millions, how the cost grows, and W2."""
    return Sections([_w1(), _many(), _growth(), _w2()])


# --------------------------------------------------------------------------------------------------- W1


def _w1() -> Section:
    gaps, services = streams(SEED)
    counts = binned(gaps)
    truth = by_arithmetic(counts)
    equal = {"SimPy, a process a request": by_simpy(gaps, services) == truth}
    subjects: dict[str, Callable[[], float]] = {
        "`Split`, warm": partial(_warm, counts),
        "`Split`, first call of a process": partial(_cold, counts),
        "counting the arrivals of each second, in Python": partial(cpu_seconds, partial(binned, gaps)),
        "SimPy, a process a request": partial(cpu_seconds, partial(by_simpy, gaps, services)),
    }
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "streams")
        file.write_bytes(gaps.tobytes() + services.tobytes())
        for name, peer in (("Cimba (C, model compiled by numba)", "cimba"), ("a loop in numba", "numba")):
            if python := os.environ.get(PEERS_PYTHON):
                found = _peer(python, peer, file)
                equal[name] = (found["blue"], found["green"]) == tuple(map(sum, truth))
                subjects[name] = partial(_peer_seconds, python, peer, file)
        found_seconds = medians(subjects, ROUNDS)
    simpy_seconds = found_seconds["SimPy, a process a request"]
    own_seconds = found_seconds["`Split`, warm"]
    rows = [
        [
            name,
            shown(each * 1e3),
            shown(simpy_seconds / each),
            shown(each / own_seconds),
            _agrees(equal.get(name)),
        ]
        for name, each in found_seconds.items()
    ]
    note = (
        f"W1 (`benchmarks/workloads.py`): {len(gaps):,} requests in {SECONDS} s to 10 blue and then 10 green "
        "targets; the same arrivals for all. `Split` is timed from counts of each second through the public "
        f"API, joins and leaves included; warm is the median of {WARM_CALLS} calls. *Agrees*: SimPy in every "
        "one of the 1,200 numbers, Cimba and numba in both totals; these two run where "
        f"`{PEERS_PYTHON}` says, which was {'set' if PEERS_PYTHON in os.environ else 'not set'}. "
        "Times are those of the process, so other work on the machine is not in them. "
        f"{ROUNDS} interleaved rounds, medians."
    )
    header = ["engine", "ms", "× faster than SimPy", "× `Split`, warm", "agrees"]
    return Section("Splitting W1", note, header, rows)


def _agrees(equal: bool | None) -> str:  # noqa: FBT001
    return "" if equal is None else "yes" if equal else "NO"


def _warm(counts: Sequence[int]) -> float:
    return median(cpu_seconds(lambda: by_arithmetic(counts)) for _ in range(WARM_CALLS))


def _cold(counts: Sequence[int]) -> float:
    command = [sys.executable, "-c", COLD]
    ran = subprocess.run(command, input=json.dumps(counts), capture_output=True, text=True, check=True)  # noqa: S603
    return float(ran.stdout)


def _peer(python: str, peer: str, file: Path) -> Mapping[str, float]:
    command = [python, str(PEERS / "w1_peers.py"), peer, "--streams", str(file)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    found: Mapping[str, float] = json.loads(ran.stdout.splitlines()[-1])
    return found


def _peer_seconds(python: str, peer: str, file: Path) -> float:
    return _peer(python, peer, file)["wall_s"]


# ------------------------------------------------------------------------------------------- many requests


@frozen
class Schedule:
    """Targets that come and go at random, one a time, and the requests in between.

    Args:
        targets: Targets at the start.
        changes: (target, whether it joins), one after the other.
        requests: Requests before each change, and after the last.
    """

    targets: int
    changes: tuple[tuple[int, bool], ...]
    requests: int

    @classmethod
    def drawn(cls, targets: int, changes: int, requests: int) -> Schedule:
        """As many leave as join, in turn; who left longest ago comes back."""
        gone: list[int] = []
        found = []
        for k in range(changes):
            if k % 2:
                found.append((gone.pop(0), True))
            else:
                gone.append(k * 7919 % targets)
                found.append((gone[-1], False))
        return cls(targets, tuple(found), requests)

    def play(self) -> Split[str]:
        """All of it through the public API."""
        split: Split[str] = Split()
        for target in range(self.targets):
            split.join(str(target), "blue")
        return self.change(split)

    def change(self, split: Split[str]) -> Split[str]:
        """The changes and requests alone."""
        for target, joins in self.changes:
            split.send(self.requests)
            if joins:
                split.join(str(target), "blue")
            else:
                split.leave(str(target))
        split.send(self.requests)
        return split

    def numbers(self) -> Iterator[int]:
        """The same for ``peers/loop.c``."""
        serving = set(range(self.targets))
        yield self.targets
        for target, joins in [*self.changes, (None, False)]:
            yield from (self.requests, len(serving), *sorted(serving))
            if target is not None:
                (serving.add if joins else serving.discard)(target)


def _many() -> Section:
    schedule = Schedule.drawn(1_000, 1_000, 3_600_000)
    total = schedule.requests * 1_001
    own = medians({"": lambda: cpu_seconds(lambda: schedule.play().per_target())}, ROUNDS)[""]
    rows = [["`Split`", shown(own * 1e3), "1", ""]]
    if compiler := shutil.which("cc"):
        loop, counts = _compiled(compiler, schedule)
        agrees = schedule.play().per_target() == {str(i): count for i, count in enumerate(counts)}
        rows.append(["a loop in C, `-O2`", shown(loop * 1e3), shown(loop / own), _agrees(agrees)])
    note = (
        f"{total:,} requests to 1,000 targets, with 1,000 changes: one leaves or joins. Reading all counts "
        "is included. *Agrees*: every target's count. The loop (`peers/loop.c`) only counts; "
        f"{'it was run once' if compiler else 'there is no C compiler here: not measured'}. "
        f"`Split`: median of {ROUNDS}."
    )
    return Section("Splitting thousands of millions", note, ["engine", "ms", "× `Split`", "agrees"], rows)


def _compiled(compiler: str, schedule: Schedule) -> tuple[float, list[int]]:
    with tempfile.TemporaryDirectory() as folder:
        program, data = Path(folder, "loop"), Path(folder, "data")
        data.write_bytes(array("I", schedule.numbers()).tobytes())
        subprocess.run([compiler, "-O2", "-o", program, PEERS / "loop.c"], check=True)  # noqa: S603
        ran = subprocess.run([program, data], capture_output=True, text=True, check=True)  # noqa: S603
    wall, *counts = ran.stdout.split()
    return float(wall), [int(count) for count in counts]


# ---------------------------------------------------------------------------------------------- growth


def _growth() -> Section:
    tables: dict[str, dict[float, Callable[[], float]]] = {
        "requests between two changes": {
            k: partial(_changing, Schedule.drawn(1_000, 500, k)) for k in (10**2, 10**4, 10**6, 10**8, 10**10)
        },
        "changes, at 1,000 targets": {
            n: partial(_changing, Schedule.drawn(1_000, n, 1_000_003)) for n in (250, 1_000, 4_000, 8_000)
        },
        "targets, at 500 changes, set up and read": {
            n: partial(_playing, Schedule.drawn(n, 500, 1_000_003)) for n in (100, 1_000, 10_000)
        },
        "health checks a minute, 100 instances, an hour": {
            60 / interval: partial(_checking, interval) for interval in (1, 5, 10, 30, 60)
        },
    }
    rows = []
    for name, subjects in tables.items():
        found = medians(subjects, ROUNDS)
        sizes, times = list(found), list(found.values())
        rows.append(
            [
                name,
                f"{min(sizes):,.0f} to {max(sizes):,.0f}",
                f"{shown(found[min(sizes)] * 1e3)} to {shown(found[max(sizes)] * 1e3)}",
                f"{_slope(sizes, times):.2f}",
            ]
        )
    note = (
        "The exponent is the slope of the logarithm of the time over that of the size, by least squares: 0 "
        "where the size does not matter, 1 where the time is proportional to it. The first three rows: "
        "`Split`; the last: `SimCloud` with traffic, where a second group of 100 comes up and a target falls "
        f"sick and recovers. {ROUNDS} interleaved rounds, medians."
    )
    return Section("How splitting grows", note, ["in", "from, to", "ms", "exponent"], rows)


def _changing(schedule: Schedule) -> float:
    split: Split[str] = Split()
    for target in range(schedule.targets):
        split.join(str(target), "blue")
    return cpu_seconds(lambda: schedule.change(split))


def _playing(schedule: Schedule) -> float:
    return cpu_seconds(lambda: schedule.play().per_target())


def _checking(interval: float) -> float:
    # Whatever the interval, the same happens: first checks that pass, one target that is sick for long.
    settings = Settings(check_interval_seconds=interval, first_check_seconds=40)
    cloud = SimCloud(
        canary(),
        capacity=100,
        traffic=1_000,
        seed=SEED,
        settings=settings,
        faults=[Sick("blue", 600, for_seconds=1_200)],
    )

    def hour() -> None:
        cloud.apply(SetSize(fleet="exercise-group-green", size=100, min=0, max=100))
        cloud.clock.sleep(3_600)
        assert 0 < cloud.timeline.failed_requests < 2_000

    return cpu_seconds(hour)


def _slope(sizes: Sequence[float], times: Sequence[float]) -> float:
    xs, ys = [math.log(size) for size in sizes], [math.log(time) for time in times]
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / sum((a - x) ** 2 for a in xs)


# --------------------------------------------------------------------------------------------------- W2


def _w2() -> Section:
    streamed = streams(SEED)
    engines = {"`LeastOutstanding`": least_outstanding, "SimPy with resources": least_outstanding_by_simpy}
    found = medians({name: partial(cpu_seconds, partial(run, *streamed)) for name, run in engines.items()}, 3)
    slowest = found["SimPy with resources"]
    equal = least_outstanding(*streamed) == least_outstanding_by_simpy(*streamed)
    rows = [[name, shown(each * 1e3), shown(slowest / each), _agrees(equal)] for name, each in found.items()]
    note = (
        "W2: the same arrivals, least outstanding requests, four workers and a queue a target. There is "
        "no closed form, so both look at each request. *Agrees*: each other, in all 1,200 numbers. "
        "Three interleaved rounds, medians."
    )
    header = ["engine", "ms", "× faster than SimPy", "agrees"]
    return Section("Least outstanding requests, W2", note, header, rows)
