"""How requests are divided other than in turn: dice, the fewest outstanding, slow start."""

from __future__ import annotations

import random
import statistics
from collections import Counter
from typing import Any

import pytest
from attrs import evolve

from bluegreen import Deployment, Plan
from bluegreen_sim import Application, Latency, Rescale, Settings, Sick, SimCloud, Timeline, Traffic
from bluegreen_sim.balancing import balancer
from bluegreen_sim.users.application import Manner
from bluegreen_sim.users.cookies import UNIT
from bluegreen_sim.users.dicing import binomial, dice, multinomial
from bluegreen_sim.users.fine import Fewest, Rules, Shares, ramped
from bluegreen_sim.users.traffic import Outcome, Pool, Target
from tests.sim.plans import SHARED, WEIGHTED


def targets(group: str, count: int) -> tuple[Target, ...]:
    """Targets that answer rightly."""
    return tuple((f"{group}-{i}", group, True, 0) for i in range(count))


def timeline(
    rules: Rules, *scenes: tuple[int, tuple[Pool, ...]], rate: int = 100, end: int = 60_000
) -> Timeline:
    """What requests meet from each millisecond on."""
    made = Timeline(Traffic(rate), "blue", rules=rules)
    for at, pools in scenes:
        made.record(at, (pools,), ())
    made.extend(end)
    return made


# ----------------------------------------------------------------------------------------------------- dice


def test_a_binomial_has_its_mean_and_variance() -> None:
    """Over many draws both are those of independent trials, and the ends are certain."""
    bits = dice("test")
    drawn = [binomial(400, 3, 10, bits) for _ in range(4000)]
    assert statistics.fmean(drawn) == pytest.approx(120, abs=0.6)
    assert statistics.pvariance(drawn) == pytest.approx(84, rel=0.1)
    assert (binomial(9, 0, 5, bits), binomial(9, 5, 5, bits), binomial(0, 1, 2, bits)) == (0, 9, 0)


def test_a_binomial_of_few_trials_has_the_chances_of_a_die() -> None:
    """Three trials of one in four give 0 to 3 successes as often as arithmetic says."""
    bits = dice("few")
    found = Counter(binomial(3, 1, 4, bits) for _ in range(64_000))
    for successes, expected in enumerate((27, 27, 9, 1)):
        assert found[successes] == pytest.approx(1000 * expected, rel=0.12)


def test_all_trials_fall_somewhere() -> None:
    """The parts add up, and nobody without a weight gets any."""
    for seed in range(50):
        parts = multinomial(997, {"x": 1, "y": 0, "z": seed}, dice(seed))
        assert sum(parts.values()) == 997
        assert parts["y"] == 0


def test_weighted_random_divides_as_dice_do() -> None:
    """Targets get about the same, and as unequal from second to second as independent choices are."""
    rules = Rules(algorithm="weighted_random", seed=3)
    made = timeline(rules, (0, (Pool("tg", 1, (*targets("blue", 1), *targets("green", 3))),)), end=900_000)
    seconds = [row["green"] for row in made.counts()]
    assert statistics.fmean(seconds) == pytest.approx(75, abs=0.6)
    assert statistics.pvariance(seconds) == pytest.approx(18.75, rel=0.15)
    assert sum(made.per_target().values()) == made.requests


def test_weights_may_be_divided_by_a_die() -> None:
    """With ``division = "random"`` 10 % of 100 requests is 10 ± 3, by default exactly 10."""
    pools = (Pool("a", 90, targets("blue", 2)), Pool("b", 10, targets("green", 2)))
    exact = [row["green"] for row in timeline(Rules(), (0, pools)).counts()]
    thrown = [row["green"] for row in timeline(Rules(division="random"), (0, pools), end=900_000).counts()]
    assert set(exact) == {10}
    assert statistics.pstdev(thrown) == pytest.approx(3, rel=0.15)
    assert statistics.fmean(thrown) == pytest.approx(10, abs=0.4)


@pytest.mark.parametrize("rules", [Rules(algorithm="weighted_random"), Rules(division="random")])
def test_dice_fall_the_same_whatever_is_read_when(rules: Rules) -> None:
    """Reading in the middle, or twice, changes nothing; another seed changes the counts."""
    pools = (Pool("a", 1, targets("blue", 2)), Pool("b", 1, targets("green", 3)))
    once, often = timeline(rules, (0, pools), end=0), timeline(rules, (0, pools), end=0)
    for second in range(1, 200):
        often.extend(second * 1000)
        if second % 17 == 0:
            often.counts()
    once.extend(199_000)
    assert once.to_dicts() == often.to_dicts()
    assert once.failed_requests == 0
    other = timeline(evolve(rules, seed=1), (0, pools), end=199_000)
    assert other.per_target() != once.per_target()


# ------------------------------------------------------------------------------------------ in whole shares


def test_changing_shares_are_those_of_a_loop_over_single_requests() -> None:
    """Weights that change each second give everyone what a loop gives that asks each name in turn."""
    for seed in range(60):
        throw = random.Random(seed)
        shares, kept = Shares(), Counter[str]()
        for _ in range(30):
            weights = {name: int(throw.random() * 5) for name in "abcd"}
            requests = int(throw.random() * 90)
            truth = Counter[str]()
            for _ in range(requests):
                left = sum(weights.values())
                for name, weight in weights.items():
                    kept[name] += weight * UNIT // left if left else 0
                    left -= weight
                    if kept[name] >= UNIT:
                        kept[name] -= UNIT
                        truth[name] += 1
                        break
            found = shares.divide(requests, weights)
            assert +Counter(found) == truth
            assert sum(found.values()) == (requests if any(weights.values()) else 0)


# ----------------------------------------------------------------------------------------------- slow start


def test_a_share_rises_linearly() -> None:
    """A new target's share of the requests is its time over the duration, against one in full."""
    rules = Rules(slow_start_ms=100_000)
    made = Timeline(Traffic(1000), "blue", rules=rules)
    made.record(0, ((Pool("tg", 1, targets("blue", 1)),),), ())
    made.behave(10_000, (), slow=(("green-0", 10_000),))
    made.record(10_000, ((Pool("tg", 1, (*targets("blue", 1), *targets("green", 1))),),), ())
    made.extend(150_000)
    for row in made.counts():
        weight = max(0.01, min(1, (row["second"] - 10) / 100))
        expected = 1000 * weight / (1 + weight) if row["second"] >= 10 else 0
        assert row["green"] == pytest.approx(expected, abs=1.5)
    assert ramped(50_000, rules) * 2 == rules.slow_start_ms


def slowly(plan: Plan = SHARED, **options: Any) -> SimCloud:
    """A cloud in which targets start slowly; its blue group grows by one at 5 s."""
    options.setdefault("faults", [Rescale("blue", 1, 5)])
    settings = Settings(slow_start_seconds=60, **options.pop("settings", {}))
    return SimCloud(plan, settings=settings, **options)


def shares_of(cloud: SimCloud, name: str, upto: int) -> list[int]:
    """How many requests an instance has got by each second."""
    found = []
    for _ in range(upto):
        cloud.clock.sleep(1)
        found.append(cloud.timeline.per_target().get(name, 0))
    return found


def test_a_new_target_starts_slowly() -> None:
    """It gets less than its turn until the duration is over, then as much as the others."""
    got = shares_of(slowly(), "i-0003", 180)
    first = next(second for second, count in enumerate(got) if count)
    assert got[first + 10] - got[first] < 60  # its turn would be 333
    assert got[first + 75] - got[first + 65] == pytest.approx(333, abs=2)


def test_targets_that_were_healthy_before_are_not_slowed() -> None:
    """A newcomer's share rises against targets in full: those that were there when the world began."""
    got = shares_of(slowly(settings={"boot_seconds": (0,)}), "i-0003", 60)
    first = next(second for second, count in enumerate(got) if count)
    expected = sum(100 * (t / 60) / (2 + t / 60) for t in range(1, 21))
    assert got[first + 20] - got[first] == pytest.approx(expected, abs=8)


def test_a_whole_new_group_does_not_start_slowly() -> None:
    """Without a healthy target beside it that is not in slow start, green takes its whole share at once."""
    cloud = slowly(WEIGHTED, faults=())
    Deployment(WEIGHTED, cloud).run()
    rows = cloud.timeline.shares()
    assert 10 in {row["green"] for row in rows}
    assert not any(segment.slow for segment in cloud.timeline.segments)


def test_a_target_that_recovers_starts_slowly_again() -> None:
    """It leaves slow start when it turns unhealthy, and enters it again when it is healthy."""
    cloud = slowly(faults=[Sick("blue", 5, for_seconds=60)], settings={"healthy_threshold": 2})
    got = shares_of(cloud, "i-0001", 170)
    away = [second for second in range(30, 160) if got[second] == got[second - 1]]
    back = away[-1] + 1
    assert got[back + 5] - got[back] < 60
    assert got[back + 70] - got[back + 65] == pytest.approx(250, abs=3)


def test_a_target_that_is_registered_again_starts_slowly_again() -> None:
    """Deregistered it is out of slow start; registered anew it enters it, whatever it was before."""
    cloud = slowly(faults=(), settings={"deregistration_seconds": 0})
    for registered in (False, True):
        cloud.clock.sleep(10)
        group = cloud.world.groups[0]
        cloud.world = balancer.change_targets(cloud.world, group, {"i-0001"}, registered=registered)
    got = shares_of(cloud, "i-0001", 90)
    back = next(second for second in range(1, 90) if got[second] > got[second - 1])
    assert got[back + 5] - got[back] < 60
    assert got[back + 70] - got[back + 65] == pytest.approx(250, abs=3)


# --------------------------------------------------------------------------------------- fewest outstanding


def one_by_one(requests: list[int], kinds: dict[str, Outcome]) -> list[Counter[str]]:
    """Each request to the target with the fewest unfinished ones, all looked at again for each request."""
    names, sent = list(kinds), Counter[str]()
    running: list[tuple[int, str]] = []
    seconds, turn = [], 0
    for second, count in enumerate(requests):
        found: Counter[str] = Counter()
        for i in range(count):
            now = 1_000_000 * second + 1_000_000 * i // count
            running = [(end, name) for end, name in running if end > now]
            busy = Counter(name for _, name in running)
            order = names[turn:] + names[:turn]
            name = min(order, key=lambda name: busy[name])
            turn = (names.index(name) + 1) % len(names)
            latency = kinds[name][3].application.latency
            assert latency is not None
            running.append((now + latency.of(sent[name]), name))
            sent[name] += 1
            found[name] += 1
        seconds.append(found)
    return seconds


def test_the_fewest_outstanding_are_those_of_a_loop() -> None:
    """With latencies that differ each second counts what a loop counts that looks at all anew each time."""
    for seed in range(15):
        throw = random.Random(seed)
        kinds: dict[str, Outcome] = {}
        for i in range(1 + int(throw.random() * 5)):
            latency = Latency.menu({0.001 + throw.random(): 2, 0.001 + throw.random() / 10: 3})
            kinds[f"t{i}"] = ("g", True, 0, Manner(Application(latency=latency)))
        requests = [int(throw.random() * 50) for _ in range(6)]
        fewest = Fewest()
        found = [
            +Counter(fewest.divide(count, list(kinds), kinds, 1000 * second, 1000 * second + 1000))
            for second, count in enumerate(requests)
        ]
        assert found == one_by_one(requests, kinds)


def test_a_version_that_fails_fast_draws_the_traffic() -> None:
    """Under least outstanding requests a green that fails at once takes far more than its share."""
    applications = {
        "ami-0alpha": Application(latency=Latency.constant(0.2)),
        "ami-new": Application(latency=Latency.constant(0.001), wrong_percent=100),
    }
    failed = {}
    for algorithm in ("round_robin", "least_outstanding_requests"):
        settings = Settings(algorithm=algorithm, applications=applications)  # type: ignore[arg-type]
        cloud = SimCloud(SHARED, settings=settings)
        Deployment(SHARED, cloud).run()
        rows = cloud.timeline.counts()
        failed[algorithm] = max(row["failed"] for row in rows if row["blue"])
    assert failed["round_robin"] == 50
    assert failed["least_outstanding_requests"] >= 90


def test_equal_targets_take_turns_under_least_outstanding_requests() -> None:
    """Of several with as few the next in turn is taken, so equal targets get equal parts."""
    rules = Rules(algorithm="least_outstanding_requests")
    made = timeline(rules, (0, (Pool("tg", 1, targets("blue", 3)),)), end=3_000)
    assert made.per_target() == dict.fromkeys(("blue-0", "blue-1", "blue-2"), 100)
