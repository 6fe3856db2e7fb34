"""How long answers take and what is lost of them: the arithmetic against a loop over single requests."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from attrs import frozen

from bluegreen import Deployment
from bluegreen_sim import Application, Dies, Errors, Latency, Settings, Sick, SimCloud, Timeline, Traffic
from bluegreen_sim.users.application import USUAL, Manner
from bluegreen_sim.users.fine import Rules
from bluegreen_sim.users.traffic import Outcome, Pool, Target
from tests.sim.one_by_one import OneByOne
from tests.sim.plans import SHARED
from tests.sim.test_traffic import meet

SCHEDULES = 80
IDLE_MS = 5_000
CUT = 0
"""In place of a status: those whose connection was cut, whatever they got."""
SEEN = ("http_2xx", "http_500", "http_502", "http_503", "http_504")
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
        cuts = tuple(
            (name, 502 if dice.random() < 0.7 else 504) for name in sorted(before) if dice.random() < 0.5
        )
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
        kind = kind_of(target, story[one.scene])
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
        instances = sum(kind_of(t, story[scene]) == kind for p in story[scene].pools for t in p.targets)
        room = None if app.capacity is None else instances * app.capacity * length
        stretch = app.stretch(len(sent), room)
        whole = 0
        for request in sent:
            took = -(-app.latency.of(request.k) * stretch[0] // (stretch[1] * 1000))
            status = cut(story, request, min(took, IDLE_MS))
            whole += status is None
            if status:
                told[status] += 1
                told[CUT] += 1
        excess = 0 if room is None else min(whole, max(0, len(sent) - room // 1000))
        kept = whole - excess
        told[500] += excess
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


def kind_of(target: Target, scene: Scene) -> Outcome:
    """What becomes of a target's requests in general."""
    return (*target[1:], scene.manners.get(target[0], USUAL))


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
    """Cut off, overloaded, late, wrong, refused, lost: each second counts as many of each as one by one."""
    met: Counter[int] = Counter()
    for seed in range(SCHEDULES):
        dice = random.Random(seed)
        end = 2_000 + int(dice.random() * 5_000)
        story = scenes(dice, end)
        rate, nodes = int(dice.random() * 200), 1 + seed % 3
        truth = one_by_one(rate, nodes, story, end)
        timeline = by_arithmetic(rate, nodes, story, end)
        for second in truth:
            met.update(second)
            del second[CUT]
        assert told(timeline) == truth, seed
        assert timeline.failed_requests == sum(n for s in truth for status, n in s.items() if status != 200)
    assert min(met[status] for status in (200, 500, 502, 503, 504)) > 1000, met
    assert met[CUT] > 200


# ------------------------------------------------------------------------------------ in a whole deployment

SLOW = Latency.menu({0.05: 9, 40: 1})


def deployed(latency: Latency, delay: int, **options: Any) -> SimCloud:
    """Green joins blue's target group and takes over; blue drains for a delay."""
    applications = {"ami-0alpha": Application(latency=latency), "ami-new": Application(latency=latency)}
    settings = Settings(deregistration_seconds=delay, applications=applications, **options)
    cloud = SimCloud(SHARED, settings=settings)
    assert Deployment(SHARED, cloud).run().ok
    return cloud


def total(cloud: SimCloud, version: str, column: str) -> int:
    """A column of the timeline, summed up."""
    return sum(row[column] for row in cloud.timeline.to_dicts() if row["version"] == version)


def test_what_outlives_the_deregistration_delay_is_cut_off() -> None:
    """With a delay of 20 s each answer of 40 s that begins in the 20 s before blue drains gets a 502."""
    cloud = deployed(SLOW, 20)
    rows = [row for row in cloud.timeline.to_dicts() if row["version"] == "blue" and row["http_502"]]
    assert 95 <= sum(row["http_502"] for row in rows) <= 105  # a tenth of 20 s at 50 requests a second
    assert rows[-1]["second"] - rows[0]["second"] <= 20
    assert total(deployed(SLOW, 40), "blue", "http_502") == 0


def test_a_delay_of_nothing_is_not_harmless() -> None:
    """Without any delay even quick answers are cut off: those of the last moment."""
    assert total(deployed(Latency.constant(0.2), 0), "blue", "http_502") > 0
    assert total(deployed(Latency.constant(0.2), 1), "blue", "http_502") == 0


def test_nothing_is_waited_for_longer_than_the_idle_timeout() -> None:
    """Answers that take longer than the idle timeout are 504, and no more with a longer one."""
    for timeout, late in ((30, True), (60, False)):
        cloud = deployed(SLOW, 60, idle_timeout_seconds=timeout)
        lost = total(cloud, "blue", "http_504") + total(cloud, "green", "http_504")
        assert (lost > 0) == late
        assert lost in (0, cloud.timeline.failed_requests)


def test_a_dead_instance_loses_what_is_in_flight() -> None:
    """What it was working on never comes (504), like all that is sent to it until the balancer notices."""
    settings = Settings(applications={"ami-0alpha": Application(latency=Latency.constant(5))})
    cloud = SimCloud(SHARED, settings=settings, faults=[Dies("blue", 30)])
    cloud.clock.sleep(30)
    assert cloud.timeline.failed_requests == 5 * 50
    cloud.clock.sleep(30)
    rows = cloud.timeline.to_dicts()
    assert [row["http_504"] for row in rows if row["version"] == "blue"][24:31] == [0, 50, 50, 50, 50, 50, 50]
    assert total(cloud, "blue", "http_502") == 0


@pytest.mark.parametrize(("hangs", "column"), [(False, "http_502"), (True, "http_504")])
def test_a_closed_port_is_not_silence(*, hangs: bool, column: str) -> None:
    """A connection that is refused is a 502, one on which nothing is said a 504; also by hand."""
    settings = Settings(applications={"ami-0alpha": Application(hangs=hangs)})
    cloud = SimCloud(SHARED, settings=settings, faults=[Sick("blue", 0, count=2)])
    cloud.clock.sleep(10)
    assert total(cloud, "blue", column) == cloud.timeline.failed_requests == 1000
    assert cloud.fetch("http://exercise/")[0] == int(column[-3:])


def test_a_process_that_ends_resets_its_connections() -> None:
    """What an application was working on when it stopped is a 502, not only what comes after."""
    settings = Settings(applications={"ami-0alpha": Application(latency=Latency.constant(5))})
    cloud = SimCloud(SHARED, settings=settings, faults=[Sick("blue", 30)])
    cloud.clock.sleep(30)
    assert cloud.timeline.failed_requests == total(cloud, "blue", "http_502") == 5 * 50


def test_by_default_answers_take_no_time() -> None:
    """Without latencies nothing is in flight, and no percentile is told."""
    cloud = SimCloud(SHARED, faults=[Errors("ami-0alpha", 5)])
    cloud.clock.sleep(10)
    assert {row["p99_ms"] for row in cloud.timeline.to_dicts()} == {None}
