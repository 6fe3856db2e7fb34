"""Health checks, draining, attaching, and who gets requests."""

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from bluegreen.core.commands import Attach, Detach, SetShares, SetSize
from bluegreen.core.observation import Health, TargetHealth
from bluegreen.core.plan import Plan, SharedTargetGroup, WeightedTargetGroups
from bluegreen.core.state import Ledger
from bluegreen_sim import Dies, NeverHealthy, Settings, Sick, SimCloud
from bluegreen_sim.balancing.checks import application_changed, check, register
from bluegreen_sim.world import NEVER, Instance

SHARED = Plan(
    service="s", image="ami-new", launch_template="tpl", groups=("a", "b"), routing=SharedTargetGroup("tg")
)
WEIGHTED = evolve(SHARED, routing=WeightedTargetGroups("tg-a", "tg-b"))
LEDGER = Ledger("d")


def targets(cloud: SimCloud, group: str) -> tuple[TargetHealth, ...]:
    """The targets of a group, as a look shows them."""
    fleet = cloud.observe(cloud.plan, LEDGER).fleet(group)
    assert fleet is not None
    return fleet.targets


def healths(cloud: SimCloud, group: str) -> list[str]:
    """What a look says of each instance of a group."""
    return [target.health.value for target in targets(cloud, group)]


def when(cloud: SimCloud, group: str, health: str) -> float:
    """The second at which all instances of a group are first seen so."""
    for _ in range(1000):
        if (seen := healths(cloud, group)) and set(seen) == {health}:
            return cloud.clock.now()
        cloud.clock.sleep(1)
    raise AssertionError(f"{group} is never {health}: {seen}")


def checked_one_by_one(flips: list[int], settings: Settings, end: int) -> list[tuple[int, str]]:
    """Every check in its turn: the moments (in ms) at which the verdict changes."""
    verdict, run, last, found = "initial", 0, None, []
    step, first = int(settings.check_interval_seconds * 1000), int(settings.first_check_seconds * 1000)
    for at in range(first, end, step):
        # A check at the very moment of a change still sees what was before.
        passed = sum(flip < at for flip in flips) % 2 == 1
        run, last = (run + 1 if passed == last else 1), passed
        needed = (
            {"initial": 1, "unhealthy": settings.healthy_threshold}.get(verdict)
            if passed
            else {"unhealthy": None}.get(verdict, settings.unhealthy_threshold)
        )
        if needed and run >= needed:
            verdict = "healthy" if passed else "unhealthy"
            found.append((at, verdict))
    return found


@pytest.mark.property
@given(
    st.lists(st.integers(0, 200_000), unique=True, max_size=8).map(sorted),
    st.builds(
        Settings,
        first_check_seconds=st.sampled_from([0, 5, 7.5]),
        check_interval_seconds=st.sampled_from([5, 10, 30]),
        healthy_threshold=st.integers(1, 5),
        unhealthy_threshold=st.integers(1, 4),
    ),
)
def test_computed_verdicts_are_those_of_single_checks(flips: list[int], settings: Settings) -> None:
    """However the application comes and goes, each verdict changes at the very check that changes it."""
    end = 400_000
    instance, found = register(Instance("i", 1, "running"), 0, settings), []
    left = [*flips, end]
    while instance.target_at < end or left[0] < end:
        if instance.target_at <= left[0]:
            before, at = instance.target, instance.target_at
            instance = check(instance, settings)
            if instance.target != before:
                found.append((at, instance.target))
        else:
            instance = application_changed(instance, left[0], settings, answers=not instance.answers)
            left.pop(0)
    assert found == checked_one_by_one(flips, settings, end)


def test_quiet_checks_are_no_events() -> None:
    """A healthy target whose application goes on answering is never looked at again."""
    instance = register(Instance("i", 1, "running", answers=True), 0, Settings())
    assert check(instance, Settings()).due == NEVER


def test_one_passing_check_makes_a_new_target_healthy() -> None:
    """A new target does not need the healthy threshold."""
    settings = Settings(boot_seconds=(0,), pending_seconds=0, react_seconds=0, healthy_threshold=9)
    cloud = SimCloud(WEIGHTED, settings=settings)
    cloud.apply(SetSize(fleet="b", size=1, min=0, max=4))
    assert when(cloud, "b", "healthy") == settings.first_check_seconds


def test_a_slow_booter_needs_the_healthy_threshold() -> None:
    """A target that failed its first checks becomes unhealthy, and healthy after so many passes in a row."""
    cloud = SimCloud(WEIGHTED, settings=Settings(boot_seconds=(30,), pending_seconds=0, react_seconds=0))
    cloud.apply(SetSize(fleet="b", size=1, min=0, max=4))
    assert when(cloud, "b", "unhealthy") == 5 + 10
    assert when(cloud, "b", "healthy") == 35 + 4 * 10


def test_a_silent_target_is_found_at_the_unhealthy_threshold() -> None:
    """A healthy target fails requests until enough checks have failed, then gets none."""
    cloud = SimCloud(WEIGHTED, faults=[Sick("a", at_seconds=12)])
    cloud.clock.sleep(29)
    assert healths(cloud, "a") == ["healthy", "healthy"]
    cloud.clock.sleep(1)
    assert sorted(healths(cloud, "a")) == ["healthy", "unhealthy"]
    cloud.clock.sleep(30)
    failed = {row["second"] for row in cloud.timeline.counts() if row["failed"]}
    assert failed == set(range(12, 30))


def test_draining_lasts_the_whole_delay() -> None:
    """An idle target too is shown as draining until the delay is over, gets nothing, and is then gone."""
    cloud = SimCloud(SHARED, settings=Settings(react_seconds=0, deregistration_seconds=300))
    cloud.apply(SetSize(fleet="a", size=1, min=1, max=4))
    cloud.clock.sleep(299.9)
    assert healths(cloud, "a") == ["draining", "healthy"]
    sent = cloud.timeline.per_target()
    assert sent["i-0002"] > sent.get("i-0001", 0) == 0
    cloud.clock.sleep(0.1)
    assert healths(cloud, "a") == ["healthy"]
    assert cloud.timeline.failed_requests == 0


def test_a_target_group_without_healthy_targets_fails_open() -> None:
    """Targets without a verdict get requests when there is no healthy one, and only then."""
    cloud = SimCloud(WEIGHTED, traffic=10, settings=Settings(boot_seconds=(60,)))
    cloud.apply(SetSize(fleet="b", size=1, min=0, max=4))
    cloud.clock.sleep(20)
    assert healths(cloud, "b") == ["initial"]
    assert "i-0003" not in cloud.timeline.per_target()
    cloud.apply(SetShares(weights=(("a", 50), ("b", 50))))
    cloud.clock.sleep(10)
    assert cloud.timeline.per_target()["i-0003"] == 50
    assert cloud.timeline.failed_requests == 50


def test_weighted_target_groups_do_not_fail_over() -> None:
    """An empty group's share is answered with 503 although the other group is healthy."""
    cloud = SimCloud(WEIGHTED)
    cloud.apply(SetShares(weights=(("a", 90), ("b", 10))))
    cloud.clock.sleep(2)
    assert cloud.timeline.shares()[0] == {"second": 0, "blue": 90, "green": 0, "errors": 10}
    assert {cloud.fetch("http://balancer/")[0] for _ in range(10)} == {200, 503}


def test_attaching_restarts_the_verdict() -> None:
    """An instance that answered when asked directly is initial again for the balancer."""
    cloud = SimCloud(SHARED)
    cloud.apply(SetSize(fleet="b", size=2, min=0, max=4))
    when(cloud, "b", "healthy")
    cloud.apply(Attach(fleet="b"))
    assert [(t.health, t.reason) for t in targets(cloud, "b")] == [
        (Health.INITIAL, "Elb.RegistrationInProgress")
    ] * 2
    cloud.clock.sleep(5)
    assert healths(cloud, "b") == ["healthy", "healthy"]
    cloud.apply(Attach(fleet="b"))
    assert healths(cloud, "b") == ["healthy", "healthy"]


def test_detached_instances_drain_and_go_on_running() -> None:
    """After the delay they are asked directly again."""
    cloud = SimCloud(SHARED, settings=Settings(deregistration_seconds=30))
    cloud.apply(SetSize(fleet="b", size=1, min=0, max=4))
    cloud.apply(Attach(fleet="b"))
    when(cloud, "b", "healthy")
    cloud.apply(Detach(fleet="b"))
    start = cloud.clock.now()
    assert healths(cloud, "b") == ["draining"]
    assert when(cloud, "b", "healthy") == start + 30
    assert len(cloud.instances("b")) == 1
    assert cloud.timeline.failed_requests == 0


def test_an_instance_behind_no_balancer_is_judged_by_asking_it() -> None:
    """Initial until it answers, healthy while it does, unhealthy once it no longer does."""
    cloud = SimCloud(SHARED, faults=[Sick("green", 60, for_seconds=10), Dies("green", 80)])
    cloud.apply(SetSize(fleet="b", size=1, min=0, max=4))
    seen = []
    for _ in range(9):
        cloud.clock.sleep(10)
        seen.append(healths(cloud, "b")[0])
    assert seen == [*["initial"] * 4, "healthy", "unhealthy", "healthy", "unhealthy", "unhealthy"]


def test_a_target_that_never_answers_is_never_healthy() -> None:
    """It goes from initial, with both of its reasons, to unhealthy."""
    cloud = SimCloud(WEIGHTED, faults=[NeverHealthy("green")])
    cloud.apply(SetSize(fleet="b", size=1, min=0, max=4))
    reasons = []
    for _ in range(60):
        cloud.clock.sleep(1)
        reasons += [target.reason for target in targets(cloud, "b")]
    assert list(dict.fromkeys(reasons)) == [
        None,
        "Elb.RegistrationInProgress",
        "Elb.InitialHealthChecking",
        "Target.FailedHealthChecks",
    ]


def test_nobody_is_asked_twice_for_one_request() -> None:
    """A request to a dead target fails; it is not sent to another one."""
    cloud = SimCloud(SHARED, faults=[Dies("blue", 0)])
    cloud.clock.sleep(10)
    assert cloud.timeline.failed_requests == 500
    assert cloud.fetch("http://i-0001/")[0] + cloud.fetch("http://i-0002/")[0] == 200 + 504
