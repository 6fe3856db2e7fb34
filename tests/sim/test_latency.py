"""How long answers take: menus that stand for distributions, and whole numbers out of them."""

from __future__ import annotations

import math
import random
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluegreen import Deployment
from bluegreen_sim import (
    Application,
    Latency,
    Settings,
    SimCloud,
    Traffic,
    tutorial,
    world_from_dict,
    world_to_dict,
)
from bluegreen_sim.users.application import parse_application
from bluegreen_sim.users.latency import FINE, floor_sum, mean, percentile

menus = st.dictionaries(st.integers(1, 10**7).map(lambda us: us / 10**6), st.integers(1, 30), min_size=1).map(
    Latency.menu
)


@given(st.integers(0, 60), st.integers(1, 40), st.integers(0, 99), st.integers(0, 99))
def test_a_sum_of_floors_is_that_of_a_loop(count: int, divisor: int, step: int, start: int) -> None:
    """The few steps of Euclid's algorithm and the loop give the same number."""
    assert floor_sum(count, divisor, step, start) == sum((step * i + start) // divisor for i in range(count))


@given(menus, st.integers(0, 300), st.integers(0, 300), st.data())
def test_requests_are_counted_as_one_by_one(
    latency: Latency, first: int, more: int, data: st.DataObject
) -> None:
    """How many of some requests fall between two places is what a loop over them counts."""
    low, high = (data.draw(st.integers(0, latency.total)) for _ in range(2))
    places = [k * latency.stride % latency.total for k in range(first, first + more)]
    assert latency.between(first, first + more, low, high) == sum(low <= place < high for place in places)


@given(menus, st.integers(0, 1000))
def test_latencies_are_spread_evenly(latency: Latency, first: int) -> None:
    """Of as many requests as there are weights, each time is taken exactly as often as its weight says."""
    found = Counter(latency.of(k) for k in range(first, first + latency.total))
    assert found == dict(latency.bands)


@given(menus, st.integers(1, 5), st.integers(1, 99))
def test_a_percentile_is_the_order_statistic_of_the_answers(latency: Latency, rounds: int, part: int) -> None:
    """It is the very value at that rank among all answers, sorted."""
    answers = sorted(latency.of(k) for k in range(rounds * latency.total))
    found = percentile({(latency, 1, 1): rounds * latency.total}, part)
    assert found == answers[(len(answers) * part - 1) // 100]


@given(menus, menus, st.integers(1, 9), st.integers(1, 9))
def test_a_mixture_is_sorted_as_a_whole(one: Latency, other: Latency, few: int, many: int) -> None:
    """The percentile of two applications is that of all their answers together, one of them stretched."""
    parts = {(one, 1, 1): few * one.total * other.total, (other, 3, 2): many * one.total * other.total}
    answers = [us for us, weight in one.bands for _ in range(weight * few * other.total)]
    answers += [us * 3 // 2 for us, weight in other.bands for _ in range(weight * many * one.total)]
    for part in (50, 99):
        assert percentile(parts, part) == sorted(answers)[(len(answers) * part - 1) // 100]


@pytest.mark.parametrize("part", [1, 10, 50, 90, 99])
@pytest.mark.parametrize(
    ("latency", "cdf"),
    [
        (Latency.exponential(0.2), lambda x: 1 - math.exp(-x / 0.2)),
        (
            Latency.lognormal(0.1, 1.5),
            lambda x: 0.5 + 0.5 * math.erf(math.log(x / 0.1) * 2.3263479 / math.log(15) / 2**0.5),
        ),
    ],
)
def test_bands_follow_their_distribution(latency: Latency, cdf: Callable[[float], float], part: int) -> None:
    """A percentile of the bands is one of the distribution, to within half a band."""
    found = percentile({(latency, 1, 1): FINE}, part) / 1e6
    assert cdf(found) == pytest.approx(part / 100, abs=1 / 250)


def test_the_tail_reaches_to_one_in_a_million() -> None:
    """The last band of an exponential stands where fewer than three of a million answers are later."""
    last, weight = Latency.exponential(1).bands[-1]
    assert weight <= 4
    assert math.exp(-last / 1e6) < 3e-6
    assert mean({(Latency.exponential(1), 1, 1): 1}) == pytest.approx(1e6, rel=0.01)


def test_the_timeline_tells_percentiles_of_each_version() -> None:
    """A row has the p50 and p99 of the answers of its version in its second, in milliseconds."""
    plan, _ = tutorial()
    menu = Latency.menu({0.010: 98, 0.900: 2})
    cloud = SimCloud(plan, settings=Settings(applications={"ami-0alpha": Application(latency=menu)}))
    cloud.clock.sleep(2)
    blue, green = cloud.timeline.to_dicts()[:2]
    assert (blue["p50_ms"], blue["p99_ms"]) == (10, 900)
    assert (green["p50_ms"], green["p99_ms"]) == (None, None)


# ----------------------------------------------------------------------------------------------------- load


def loaded(per_second: int, **options: Any) -> list[dict[str, Any]]:
    """Blue's rows under a load on two instances that can do 100 a second each."""
    plan, _ = tutorial()
    app = Application(latency=Latency.constant(0.01), capacity=100, **options)
    cloud = SimCloud(plan, traffic=per_second, settings=Settings(applications={"ami-0alpha": app}))
    cloud.clock.sleep(3)
    return [row for row in cloud.timeline.to_dicts() if row["version"] == "blue"]


@pytest.mark.parametrize(("per_second", "times"), [(0, None), (20, 10 / 9), (100, 2), (180, 10)])
def test_answers_take_longer_under_load(per_second: int, times: float | None) -> None:
    """At utilisation u an answer takes 1 / (1 - u) as long, as under processor sharing."""
    for row in loaded(per_second):
        assert row["p50_ms"] == (times and pytest.approx(10 * times, rel=0.001))
        assert row["http_2xx"] == per_second


def test_what_exceeds_the_capacity_is_answered_wrongly() -> None:
    """Of 300 a second for two instances of 100 each, 100 fail, and no more are worked on than at once."""
    for row in loaded(300, concurrency=50):
        assert (row["http_2xx"], row["http_500"]) == (200, 100)
        assert row["p99_ms"] == 500  # 50 at once, 100 a second: Little's law


def test_processor_sharing_is_what_a_queue_does() -> None:
    """A shared processor, simulated job by job, is as slow as the formula says."""
    dice = random.Random(1)
    load, work = 0.6, 0.01
    left: list[list[float]] = []
    now, spent, count = 0.0, 0.0, 0
    for _ in range(40_000):
        pause = -math.log(1 - dice.random()) * work / load
        while left and (least := min(job[0] for job in left)) * len(left) <= pause:
            now, pause = now + least * len(left), pause - least * len(left)
            for job in left:
                job[0] -= least
            spent += sum(now - job[1] for job in left if job[0] < 1e-12)
            count += sum(job[0] < 1e-12 for job in left)
            left = [job for job in left if job[0] >= 1e-12]
        for job in left:
            job[0] -= pause / len(left)
        now += pause
        left.append([work, now])
    app = Application(latency=Latency.constant(work), capacity=100, concurrency=10**6)
    top, bottom = app.stretch(60, app.room(1, 1000, 0))
    assert spent / count / work == pytest.approx(top / bottom, rel=0.05)


def test_a_leak_takes_capacity_away() -> None:
    """An instance that loses half of its capacity an hour answers half as much after its first hour."""
    app = Application(capacity=100, leak_percent=50)
    assert [app.room(1, 1000, 1_800_000 * halves) for halves in range(6)] == [
        100_000,
        75_000,
        50_000,
        25_000,
        0,
        0,
    ]
    plan, _ = tutorial()
    settings = Settings(applications={"ami-0alpha": app})
    cloud = SimCloud(plan, traffic=Traffic(150), settings=settings)
    cloud.clock.sleep(5400)
    failed = [row["failed"] for row in cloud.timeline.counts()]
    assert failed[1000] == 0
    assert failed[3600] == pytest.approx(50, abs=1)
    assert failed[5399] == pytest.approx(100, abs=1)


def test_a_version_that_fails_late_fails_in_the_balancers_eyes_too() -> None:
    """An application that stops after some time is found unhealthy, each instance by its own clock."""
    plan, _ = tutorial()
    settings = Settings(applications={plan.image: Application(fails_after_seconds=60)}, boot_seconds=(30,))
    cloud = SimCloud(plan, settings=settings)
    result = Deployment(plan, cloud).run()
    assert not result.ok
    assert cloud.timeline.failed_requests > 0


@pytest.mark.parametrize("image", ["ami-0alpha", "ami-0beta"])
def test_what_serves_at_the_start_stops_in_its_time(image: str) -> None:
    """Told by settings or as an argument, for a new world or one that goes on; other images go on."""
    plan, tired = tutorial()[0], {image: Application(fails_after_seconds=60)}
    for cloud in (
        SimCloud(plan, settings=Settings(applications=tired)),
        SimCloud(plan, applications=tired),
        SimCloud(plan, world=SimCloud(plan).world, applications=tired),
    ):
        cloud.clock.sleep(59)
        assert cloud.timeline.failed_requests == 0
        again = SimCloud(plan, world=cloud.world)
        again.clock.sleep(2)
        assert again.timeline.failed_requests == (100 if image == "ami-0alpha" else 0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Latency.menu({}), "bands = (): give one or more"),
        (lambda: Latency.menu({0: 1}), "bands = ((0, 1),): give one or more, times and weights of 1 or more"),
        (lambda: Latency.lognormal(2, 1), "p99_seconds = 1: give 2 (the median) or more"),
        (lambda: Latency.lognormal(0, 1), "median_seconds = 0: give more than 0"),
        (lambda: Latency.exponential(-1), "mean_seconds = -1: give more than 0"),
        (lambda: percentile({}, 50), "no request was answered"),
        (
            lambda: Settings(slow_start_seconds=30, stickiness_seconds=5, algorithm="weighted_random"),
            "only with round robin; stickiness_seconds: not with algorithm = 'weighted_random'",
        ),
        (
            lambda: Settings(stickiness_seconds=5, cross_zone=False),
            "stickiness_seconds: not with cross_zone = False",
        ),
        (
            lambda: Application(wrong_percent=101, leak_percent=5),
            "wrong_percent = 101: give a whole number, 0 to 100; leak_percent = 5: give a capacity too",
        ),
        (
            lambda: Settings(slow_start_seconds=20, algorithm="weighted_random", stickiness_seconds=5),
            "slow_start_seconds = 20: give 0, or 30 to 900; slow_start_seconds: not with algorithm",
        ),
    ],
)
def test_a_wrong_argument_is_named(call: Any, message: str) -> None:
    """The error names what is wrong, its value, and what to give; of several all."""
    with pytest.raises(ValueError, match=re.escape(message)):
        call()


def test_a_world_keeps_its_applications() -> None:
    """Saved and read again, they are the same."""
    plan, _ = tutorial()
    app = Application(latency=Latency.exponential(0.1), capacity=50, hangs=True)
    world = SimCloud(plan, settings=Settings(applications={"ami-0alpha": app})).world
    assert world_from_dict(world_to_dict(world)) == world


@pytest.mark.parametrize(
    ("text", "image", "expected"),
    [
        ("ami-1:latency=0.2", "ami-1", Application(latency=Latency.constant(0.2))),
        ("ami-1:mean=0.2,capacity=9", "ami-1", Application(latency=Latency.exponential(0.2), capacity=9)),
        ("a:b:p99=3,median=1", "a:b", Application(latency=Latency.lognormal(1, 3))),
        (
            "x:wrong=5,hangs=yes,fails-after=9",
            "x",
            Application(wrong_percent=5, hangs=True, fails_after_seconds=9),
        ),
    ],
)
def test_an_application_can_be_given_as_text(text: str, image: str, expected: Application) -> None:
    """An image and what its application is like, as the command line takes it."""
    assert parse_application(text) == (image, expected)


@pytest.mark.parametrize(
    "text", ["ami-1", "ami-1:median=1", "ami-1:speed=3", ":wrong=5", "x:wrong=101", "x:hangs=5"]
)
def test_a_text_that_is_no_application_is_told_what_is_one(text: str) -> None:
    """The message has the text and all keys."""
    with pytest.raises(
        ValueError, match=re.escape(repr(text)) + ".*it should be IMAGE: and some of latency=S"
    ):
        parse_application(text)
