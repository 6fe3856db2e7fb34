"""How long answers take and what is lost of them: the arithmetic against a loop over single requests."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from attrs import frozen

from bluegreen import Deployment, Plan, SharedTargetGroup, strategies
from bluegreen_sim import Application, Dies, Errors, Latency, Settings, Sick, SimCloud, Timeline, Traffic
from bluegreen_sim.application import USUAL, Manner
from bluegreen_sim.fine import Rules
from bluegreen_sim.latency import percentile
from bluegreen_sim.traffic import Pool
from tests.sim.one_by_one import OneByOne
from tests.sim.test_traffic import meet

SCHEDULES = 150
IDLE_MS = 5_000
SHARED = Plan(
    service="s",
    image="ami-new",
    launch_template="exercise",
    groups=("a", "b"),
    routing=SharedTargetGroup("tg"),
    strategy=strategies.side_by_side(bake_seconds=60),
)
LATENCIES = (
    Latency.constant(0.004),
    Latency.menu({0.03: 5, 0.8: 3, 2.1: 2}),
    Latency.menu({0.001: 1, 4: 1, 9: 1}),
    Latency.exponential(0.4),
)


@frozen
class Scene:
    """What requests meet from a millisecond on, and whose connections are cut then."""

    at: int
    pools: tuple[Pool, ...]
    manners: dict[str, Manner]
    cuts: tuple[tuple[str, int], ...] = ()


@frozen
class Sent:
    """One request: when, to whom, and as which of its target's at that node."""

    at: int
    scene: int
    target: str
    k: int


def scenes(dice: random.Random, end: int) -> list[Scene]:
    """Targets that come, go, are cut off, fail or are overloaded, at random times."""
    apps = [
        Application(
            latency=LATENCIES[int(dice.random() * len(LATENCIES))],
            capacity=[None, 20, 60, 1000][int(dice.random() * 4)],
            concurrency=1 + int(dice.random() * 30),
            leak_percent=0,
        )
        for _ in range(2)
    ]
    wrong = [0, 7, 50][int(dice.random() * 3)]
    found: list[Scene] = []
    for at in sorted({0, *(int(dice.random() * end) for _ in range(6))}):
        pools, manners = [], {}
        for name in "ab":
            targets = []
            for i in range(4):
                if dice.random() < 0.6:
                    target = f"{name}{i}"
                    answers = dice.random() < 0.85
                    colour = "blue" if i % 2 else "green"
                    targets.append((target, colour, answers, wrong))
                    manners[target] = Manner(apps[i % 2], dead=not answers and dice.random() < 0.5)
            pools.append(Pool(name, [0, 1, 3, 10][int(dice.random() * 4)], tuple(targets)))
        before = {t[0] for pool in found[-1].pools for t in pool.targets} if found else set()
        cuts = tuple((name, 502 if dice.random() < 0.7 else 504) for name in sorted(before) if dice.random() < 0.5)
        found.append(Scene(at, tuple(pools), manners, cuts))
    return found


def by_arithmetic(rate: int, nodes: int, story: list[Scene], end: int) -> Timeline:
    """The timeline of a story."""
    made = Timeline(Traffic(rate), "blue", nodes=nodes, rules=Rules(idle_timeout_ms=IDLE_MS))
    for scene in story:
        made.behave(scene.at, tuple(scene.manners.items()), cuts=scene.cuts)
        made.record(scene.at, (scene.pools,) * nodes, ())
    made.extend(end)
    return made


def each(rate: int, nodes: int, story: list[Scene], end: int) -> Iterator[Sent | tuple[int, None]]:
    """Every request in its turn; with None, when nobody was there to send it to."""
    loop = OneByOne({pool.name: pool.weight for pool in story[0].pools}, nodes, "kept")
    counts: Counter[tuple[int, str]] = Counter()
    current = -1
    for at in range(end):
        while current + 1 < len(story) and story[current + 1].at <= at:
            current += 1
            meet(loop, story[current].pools)
        for _ in range(rate * (at + 1) // 1000 - rate * at // 1000):
            node = loop.arrived % nodes
            name = loop.request()
            if name is None:
                yield at, None
                continue
            yield Sent(at, current, name, counts[node, name])
            counts[node, name] += 1


def one_by_one(rate: int, nodes: int, story: list[Scene], end: int) -> list[Counter[int]]:
    """How many requests of each second ended with which status, each request looked at."""
    seconds = [Counter[int]() for _ in range(-(-end // 1000))]
    pieces: dict[Any, list[Sent]] = defaultdict(list)
    for one in each(rate, nodes, story, end):
        if not isinstance(one, Sent):
            seconds[one[0] // 1000][503] += 1
            continue
        target = next(t for pool in story[one.scene].pools for t in pool.targets if t[0] == one.target)
        kind = (*target[1:], story[one.scene].manners.get(one.target, USUAL))
        pieces[one.scene, one.at // 1000, kind].append(one)
    answered: Counter[Any] = Counter()
    late: Counter[Any] = Counter()
    for (scene, second, kind), sent in pieces.items():
        _, answers, wrong_percent, manner = kind
        told = seconds[second]
        if not answers:
            told[504 if manner.dead else 502] += len(sent)
            continue
        app = manner.application
        ends = [s.at for s in story[scene + 1 :][:1]] + [end]
        length = min(1000 * (second + 1), *ends) - max(1000 * second, story[scene].at)
        instances = sum(
            (*t[1:], story[scene].manners.get(t[0], USUAL)) == kind for p in story[scene].pools for t in p.targets
        )
        room = None if app.capacity is None else instances * app.capacity * length
        stretch = app.stretch(len(sent), room)
        whole: list[Sent] = []
        for request in sent:
            took = -(-app.latency.of(request.k) * stretch[0] // (stretch[1] * 1000))
            status = cut(story, request, min(took, IDLE_MS))
            if status:
                told[status] += 1
            else:
                whole.append(request)
        kept = len(whole) if room is None else min(len(whole), max(len(sent) - max(0, len(sent) - room // 1000), 0))
        if room is not None:
            kept = len(whole) - min(len(whole), max(0, len(sent) - room // 1000))
        told[500] += len(whole) - kept
        tail = sum(w for us, w in app.latency.bands if us * stretch[0] >= IDLE_MS * 1000 * stretch[1])
        for _ in range(kept):
            late[kind] += tail
            if late[kind] >= app.latency.total:
                late[kind] -= app.latency.total
                told[504] += 1
                continue
            k = answered[kind]
            answered[kind] += 1
            told[500 if (k + 1) * wrong_percent // 100 > k * wrong_percent // 100 else 200] += 1
    return seconds


def cut(story: list[Scene], request: Sent, took: int) -> int | None:
    """What a request gets whose target's connections are cut before it is answered."""
    for scene in story[request.scene + 1 :]:
        if request.target in dict(scene.cuts):
            return dict(scene.cuts)[request.target] if request.at + took > scene.at else None
    return None


def told(timeline: Timeline) -> list[Counter[int]]:
    """The same as a timeline tells it."""
    found = [Counter[int]() for _ in range(len(timeline.counts()))]
    columns = {"http_2xx": 200, "http_500": 500, "http_502": 502, "http_503": 503, "http_504": 504}
    for row in timeline.to_dicts():
        for column, status in columns.items():
            found[row["second"]][status] += row[column]
    return found


def test_statuses_are_those_of_a_loop_over_single_requests() -> None:
    """Cut off, overloaded, late, wrong, refused and lost: each second counts as many of each as one by one."""
    met: Counter[int] = Counter()
    for seed in range(SCHEDULES):
        dice = random.Random(seed)
        end = 2_000 + int(dice.random() * 5_000)
        story = scenes(dice, end)
        rate, nodes = int(dice.random() * 200), 1 + seed % 3
        truth = one_by_one(rate, nodes, story, end)
        timeline = by_arithmetic(rate, nodes, story, end)
        assert told(timeline) == truth, seed
        assert timeline.failed_requests == sum(n for s in truth for status, n in s.items() if status != 200)
        for second in truth:
            met.update(second)
    assert min(met[status] for status in (200, 500, 502, 503, 504)) > 1000, met
