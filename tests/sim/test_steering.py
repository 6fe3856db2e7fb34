"""Groups that scale themselves on the load, and a deployment that shifts the load away from one of them."""

from __future__ import annotations

import pytest
from attrs import evolve

import bluegreen
from bluegreen import Deployment, strategies
from bluegreen_sim import Scaling, Settings, StepScaling, TargetTracking, Traffic
from bluegreen_sim.groups import autoscaling, steering
from tests.sim.grouped import WEIGHTED, ask, cloud_of, group

QUICK = Settings(react_seconds=0, pending_seconds=10, boot_seconds=(0,), deregistration_seconds=30)
PER_TARGET = Scaling(policies=(TargetTracking("half", "requests", 1500),), warmup_seconds=60)


def sizes(minutes: int, scaling: Scaling, **more: object) -> list[int]:
    """The wanted size of a group of four at the end of each minute."""
    cloud = cloud_of(4, scaling, settings=QUICK, **more)
    found = []
    for _ in range(minutes):
        cloud.clock.sleep(60)
        found.append(group(cloud).desired)
    return found


def test_a_group_grows_to_its_target_within_minutes() -> None:
    """Three minutes above it, then as many instances as the load needs, in one go, within the maximum."""
    # 6000 a minute are 1500 for each of 4; 9000 need 6.
    assert sizes(4, PER_TARGET, traffic=Traffic.burst(100, 150, at_second=0, for_seconds=600)) == [4, 4, 6, 6]
    assert sizes(4, PER_TARGET, traffic=500)[-1] == 8


def test_a_group_shrinks_slowly_and_only_where_it_may() -> None:
    """Fifteen minutes well below the target, down to the minimum, unless scaling in is disabled."""
    cloud = cloud_of(4, PER_TARGET, settings=QUICK, traffic=40)
    ask(cloud, autoscaling.set_bounds, "a", 1, 8)
    cloud.clock.sleep(14 * 60)
    assert group(cloud).desired == 4
    cloud.clock.sleep(60)
    assert group(cloud).desired == 2
    kept = Scaling(policies=(TargetTracking("half", "requests", 1500, scales_in=False),))
    cloud = cloud_of(4, kept, settings=QUICK, traffic=40)
    ask(cloud, autoscaling.set_bounds, "a", 1, 8)
    cloud.clock.sleep(1200)
    assert group(cloud).desired == 4


def test_the_load_may_be_what_an_instance_can_do() -> None:
    """CPU is the requests of an instance as a part of those that keep it busy."""
    half = Scaling(policies=(TargetTracking("cpu", "cpu", 50, requests_at_full=50),), warmup_seconds=60)
    assert sizes(4, half, traffic=150) == [4, 4, 6, 6]


def test_steps_are_taken_by_how_far_the_alarm_is_exceeded() -> None:
    """The highest step that is reached decides; below the threshold none."""
    steps = StepScaling("steps", "requests", 1500, steps=((0, 1), (1500, 3)))
    scaling = Scaling(policies=(steps,), warmup_seconds=60)
    assert [sizes(1, scaling, traffic=rate)[0] for rate in (90, 110, 250)] == [4, 5, 7]


def test_of_several_policies_the_one_that_wants_most_decides() -> None:
    """Scaling in waits for all of them."""
    up, down = StepScaling("up", steps=((0, 2),)), StepScaling("down", above=False, steps=((0, -1),))
    both = Scaling(policies=(evolve(down, threshold=9000), up), warmup_seconds=60)
    assert sizes(1, both, traffic=100) == [6]


@pytest.mark.parametrize(("warmup", "seen"), [(None, [5, 5, 5, 5, 5, 6]), (0, [5, 6, 7, 8, 8, 8])])
def test_without_a_warm_up_policies_wait_for_the_cooldown(warmup: float | None, seen: list[int]) -> None:
    """300 s by default; with one they act as soon as new instances count."""
    steps = Scaling(policies=(StepScaling("steps", "requests", 100),), warmup_seconds=warmup)
    assert sizes(6, steps, traffic=100) == seen


def test_alarms_in_breach_act_when_they_are_resumed() -> None:
    """Suspended they do nothing; the first whole minute after a resume they do."""
    cloud = cloud_of(4, PER_TARGET, settings=QUICK, traffic=150)
    ask(cloud, autoscaling.suspend, "a", ["AlarmNotification"], suspended=True)
    cloud.clock.sleep(600)
    assert group(cloud).desired == 4
    ask(cloud, autoscaling.suspend, "a", ["AlarmNotification"], suspended=False)
    cloud.clock.sleep(60)
    assert group(cloud).desired == 6


def test_a_group_without_policies_is_never_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the load: who has none pays nothing."""
    monkeypatch.setattr(steering, "steered", None)
    cloud_of(2, settings=QUICK, traffic=1000).clock.sleep(600)


CANARY = evolve(WEIGHTED, strategy=strategies.canary(50, 1800, keep_blue_seconds=1800), freeze_scaling=False)


def test_blue_sees_its_load_fall_and_would_scale_in() -> None:
    """By hand: half of the requests go elsewhere for a while, and half of blue is gone."""
    cloud = cloud_of(4, PER_TARGET, settings=QUICK, traffic=100, plan=CANARY)
    ask(cloud, autoscaling.set_bounds, "a", 1, 8)
    ask(cloud, autoscaling.set_size, "b", 4, 0, 8)
    cloud.clock.sleep(60)
    cloud.world = cloud.world.replaced(rule=(("tg-a", 50), ("tg-b", 50)))
    cloud.clock.sleep(16 * 60)
    assert group(cloud).desired == 2


def test_a_deployment_keeps_blue_as_large_as_it_was() -> None:
    """It pins blue's minimum before the first request moves, so the same policy cannot take the way back."""
    cloud = cloud_of(4, PER_TARGET, settings=QUICK, traffic=100, plan=CANARY)
    ask(cloud, autoscaling.set_bounds, "a", 1, 8)
    seen = set()
    for step in Deployment(CANARY, cloud).steps():
        if step.state.phase.value in ("shift", "bake", "keep_blue"):
            seen.add(group(cloud).desired)
    assert seen == {4}
    assert step.state.phase is bluegreen.core.state.Phase.PROMOTED
