"""The arithmetic of requests against a loop over single requests."""

from collections import Counter
from collections.abc import Iterator

import pytest
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st

from bluegreen_sim.timeline import Timeline
from bluegreen_sim.users.traffic import Pool, Target, Traffic
from tests.sim.one_by_one import OneByOne


@frozen
class Change:
    """What requests meet from a millisecond on."""

    at: int
    pools: tuple[Pool, ...]


def one_by_one(
    rate: int, nodes: int, changes: list[Change], end: int
) -> tuple[Counter[str], list[Counter[str]]]:
    """Every request in its turn: how many each target got, and what became of them in each second."""
    per_target: Counter[str] = Counter()
    seconds = [Counter[str]() for _ in range(-(-end // 1000))]
    loop = OneByOne({pool.name: pool.weight for pool in changes[0].pools}, nodes, "kept")
    answers: Counter[str] = Counter()
    now: tuple[Pool, ...] = ()
    for at, pools in arrivals(rate, changes, end):
        if pools is not now:
            passed = [change.pools for change in changes if change.at <= at]
            for change in passed[passed.index(now) + 1 if now else 0 :]:
                meet(loop, change)
            now = pools
        name = loop.request()
        found = {target[0]: target for pool in pools for target in pool.targets}
        if name:
            per_target[name] += 1
        seconds[at // 1000][outcome(found[name], answers) if name else "failed"] += 1
    return per_target, seconds


def meet(loop: OneByOne, pools: tuple[Pool, ...]) -> None:
    """Let these targets serve, and no others."""
    loop.weigh({pool.name: pool.weight for pool in pools})
    for pool in pools:
        wanted = [target[0] for target in pool.targets]
        for name in loop.places[pool.name]:
            if name not in wanted:
                loop.leave(name, group=pool.name)
        for name in wanted:
            loop.join(name, name, group=pool.name)


def arrivals(rate: int, changes: list[Change], end: int) -> Iterator[tuple[int, tuple[Pool, ...]]]:
    """The millisecond in which each request arrives, and the pools that it meets."""
    for at in range(end):
        pools = next(change.pools for change in reversed(changes) if change.at <= at)
        for _ in range(rate * (at + 1) // 1000 - rate * at // 1000):
            yield at, pools


def outcome(target: Target, answers: Counter[str]) -> str:
    """Which colour answers; every so many answers of a group are wrong."""
    _, fleet, alive, percent = target
    if not alive:
        return "failed"
    k = answers[fleet]
    answers[fleet] += 1
    return "failed" if (k + 1) * percent // 100 > k * percent // 100 else fleet


@st.composite
def schedules(draw: st.DrawFn) -> tuple[int, int, list[Change], int]:
    """Targets that come, go, fall silent, and weights that change, at random times."""
    wrong = {"blue": draw(st.sampled_from([0, 7])), "green": draw(st.sampled_from([0, 50]))}
    times = draw(st.lists(st.integers(1, 2999), unique=True, max_size=6))

    def pool(name: str) -> Pool:
        targets = draw(
            st.lists(st.tuples(st.integers(0, 5), st.booleans()), unique_by=lambda t: t[0], max_size=5)
        )
        weight = draw(st.sampled_from([0, 1, 3, 10, 90, 100]))
        colour = ("blue", "green")
        found = ((f"{name}{i}", colour[i % 2], alive, wrong[colour[i % 2]]) for i, alive in targets)
        return Pool(name, weight, tuple(found))

    two = draw(st.booleans())
    changes = [Change(at, (pool("a"), pool("b")) if two else (pool("a"),)) for at in [0, *sorted(times)]]
    return draw(st.integers(0, 400)), draw(st.integers(1, 3)), changes, draw(st.integers(1, 3000))


def timeline(rate: int, nodes: int, changes: list[Change], end: int) -> Timeline:
    """The same schedule by arithmetic."""
    made = Timeline(Traffic(rate), "blue", nodes=nodes)
    for change in changes:
        if change.at < end:
            made.record(change.at, (change.pools,) * nodes, ())
    made.extend(end)
    return made


@pytest.mark.property
@given(schedules())
def test_arithmetic_counts_what_a_loop_counts(schedule: tuple[int, int, list[Change], int]) -> None:
    """Every target gets the same number of requests, and every second ends the same, as one by one."""
    by_arithmetic = timeline(*schedule)
    per_target, seconds = one_by_one(*schedule)
    assert by_arithmetic.per_target() == dict(sorted(per_target.items()))
    rows = by_arithmetic.counts()
    assert [{"blue": row["blue"], "green": row["green"], "failed": row["failed"]} for row in rows] == [
        {name: second[name] for name in ("blue", "green", "failed")} for second in seconds
    ]
    assert by_arithmetic.failed_requests == sum(second["failed"] for second in seconds)
    assert by_arithmetic.requests == sum(row["requests"] for row in rows)


def targets(*names: str, fleet: str = "blue", answers: bool = True) -> tuple[Target, ...]:
    """Plain targets of one group."""
    return tuple((name, fleet, answers, 0) for name in names)


def test_everybody_gets_an_equal_part() -> None:
    """Over a steady time no two targets differ by more than one request."""
    counts = timeline(997, 1, [Change(0, (Pool("a", 1, targets(*"uvwxyz")),))], 10_000).per_target().values()
    assert max(counts) - min(counts) <= 1


def test_an_empty_target_group_answers_503_and_its_neighbour_does_not_help() -> None:
    """The share of an empty group fails; the other group gets its own share and no more."""
    change = Change(0, (Pool("a", 25, ()), Pool("b", 75, targets("x", fleet="green"))))
    rows = timeline(100, 1, [change], 2000).shares()
    assert rows == [{"second": s, "blue": 0, "green": 75, "errors": 25} for s in (0, 1)]


def test_weights_that_are_all_zero_answer_503() -> None:
    """Nobody is asked when nobody has a share."""
    change = Change(0, (Pool("a", 0, targets("x")), Pool("b", 0, targets("y"))))
    assert timeline(10, 1, [change], 1000).failed_requests == 10


def test_the_cost_does_not_depend_on_the_rate() -> None:
    """A million million requests a second are counted as fast as a hundred, and exactly."""
    change = Change(0, (Pool("a", 1, targets("x", "y", "z")),))
    assert timeline(10**12, 1, [change], 3000).per_target() == dict.fromkeys("xyz", 10**12)


def test_the_same_picture_again_is_no_change() -> None:
    """Only changes are kept, and of several at one moment the last."""
    made = Timeline(Traffic(10), "blue")
    one, two = (Pool("a", 1, targets("x")),), (Pool("a", 1, targets("x", "y")),)
    for at, pools in ((0, one), (500, one), (700, two), (700, one), (900, two)):
        made.record(at, (pools,), ())
    made.extend(1000)
    assert [(s.start_ms, s.end_ms) for s in made.segments] == [(0, 900), (900, 1000)]


def test_a_rate_must_be_a_whole_number() -> None:
    """Half a request is no traffic, nor is a negative one."""
    with pytest.raises(TypeError):
        Traffic(0.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="per_second"):
        Traffic(-1)
