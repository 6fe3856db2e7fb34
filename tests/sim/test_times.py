"""How long things take: each by its setting, and all of them as on AWS."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from attrs import evolve

from bluegreen import Deployment
from bluegreen.core.commands import SetShares
from bluegreen_sim import Choices, Dies, Settings, Sick, SimCloud, enumerate_runs, times
from bluegreen_sim.groups import autoscaling
from bluegreen_sim.settings import Propagation
from tests.sim.grouped import SHARED, WEIGHTED, ask, cloud_of, group, instance, lives

PLAIN = Settings()


def until(cloud: SimCloud, holds: object) -> float:
    """Seconds until something holds."""
    start = cloud.clock.now()
    while not holds():  # type: ignore[operator]
        cloud.clock.sleep(1)
    return cloud.clock.now() - start


def one_more(settings: Settings, name: str = "b", **more: object) -> SimCloud:
    """A cloud in which a group was just asked for one instance more."""
    cloud = cloud_of(1, settings=settings, **more)
    ask(cloud, autoscaling.set_size, name, group(cloud, name).desired + 1, 0, 4)
    return cloud


@pytest.mark.parametrize("react", [0, 3, 6])
def test_a_group_reacts_after_a_while(react: float) -> None:
    """From the change of its size to the launch."""
    cloud = one_more(evolve(PLAIN, react_seconds=react))
    assert until(cloud, lambda: lives(cloud, "b")) == max(1, react)


def test_running_and_answering_take_what_the_menus_hold() -> None:
    """Each instance has one of the times from launch to running, and one from running to the first answer."""
    settings = evolve(PLAIN, react_seconds=0, pending_seconds=(5, 20), boot_seconds=(10, 80))

    def run(choices: Choices) -> tuple[float, float]:
        cloud = one_more(settings, choices=choices)
        running = until(cloud, lambda: "running" in lives(cloud, "b").values())
        return running, until(cloud, lambda: instance(cloud, "i-0002").answers)

    assert sorted(set(enumerate_runs(run))) == [(5, 10), (5, 80), (20, 10), (20, 80)]


def test_a_target_is_first_checked_after_a_while() -> None:
    """From its registration; then at the interval."""
    cloud = one_more(evolve(PLAIN, react_seconds=0, boot_seconds=(0,), first_check_seconds=7))
    until(cloud, lambda: "running" in lives(cloud, "b").values())
    assert until(cloud, lambda: instance(cloud, "i-0002").target == "healthy") == 7


def test_a_dead_target_is_found_after_two_checks_and_a_recovered_one_after_five() -> None:
    """With ALB's own interval of 30 s, counted from the first check that says so."""
    settings = evolve(PLAIN, check_interval_seconds=30)
    cloud = cloud_of(1, settings=settings, faults=[Sick("blue", 1, for_seconds=120)])
    found = until(cloud, lambda: instance(cloud, "i-0001").target == "unhealthy")
    assert 30 < found <= 61
    until(cloud, lambda: instance(cloud, "i-0001").answers)
    back = until(cloud, lambda: instance(cloud, "i-0001").target == "healthy")
    assert 4 * 30 <= back <= 5 * 30


def test_a_node_divides_by_new_weights_a_little_later() -> None:
    """What was written is read back at once, and users see it when the node does."""
    late = evolve(PLAIN, propagation=Propagation(weights_seconds=(10,)))
    cloud = cloud_of(2, settings=late, traffic=100)
    cloud.apply(SetShares(weights=(("a", 0), ("b", 100))))
    cloud.clock.sleep(20)
    failed = [row["errors"] for row in cloud.timeline.shares()]
    assert (failed[:10], failed[10:]) == ([0] * 10, [100] * 10)


def test_a_failed_instance_is_noticed_after_a_while() -> None:
    """A minute or two."""
    cloud = cloud_of(1, settings=evolve(PLAIN, notice_seconds=90), faults=[Dies("blue", 0)])
    assert until(cloud, lambda: "i-0001" not in lives(cloud)) == 90


def test_a_drain_lasts_as_long_as_the_delay() -> None:
    """300 s unless set, shown in full."""
    cloud = cloud_of(2, settings=evolve(PLAIN, react_seconds=0))
    ask(cloud, autoscaling.set_size, "a", 1, 0, 4)
    assert until(cloud, lambda: len(cloud.instances("a")) == 1) == 300


def test_a_deletion_takes_a_while() -> None:
    """A few minutes at AWS."""
    cloud = cloud_of(1, settings=evolve(PLAIN, delete_seconds=120))
    ask(cloud, autoscaling.delete_group, "b")
    assert until(cloud, lambda: cloud.world.group("b") is None) == 120


def test_a_lognormal_menu_has_the_median_and_the_tail_it_was_asked_for() -> None:
    """Its middle is the median, logarithms are even to both sides, and it stays below the slowest."""
    menu = times.lognormal(240, 1800)
    assert menu[2] == 240
    assert math.isclose(menu[0] * menu[4], 240**2, rel_tol=1e-3)
    assert menu[0] < menu[1] < menu[2] < menu[3] < menu[4] < 1800


def test_a_typical_boot_is_now_and_then_several_times_as_long() -> None:
    """The slowest of the menu is more than five times the fastest."""
    boots = times.typical().boot_seconds
    assert boots == tuple(sorted(boots))
    assert boots[-1] > 5 * boots[0]


def test_images_take_their_times_in_turn() -> None:
    """One after the other of a menu."""
    from bluegreen_sim.groups import builds

    cloud = SimCloud(SHARED, settings=evolve(PLAIN, image_seconds=(100, 900)))
    ask(cloud, builds.start_instance, "tpl", 1, "t", "r")
    for name in ("x", "y"):
        ask(cloud, builds.create_image, cloud.build_instances[0], name, name)
    assert [image.available_at // 1000 for image in cloud.world.images[-2:]] == [100, 900]


def test_a_typical_world_is_promoted_at_its_own_pace() -> None:
    """With the times of AWS, whatever the choices: boots differ, checks are rare, deletions are slow."""
    ends: Counter[str] = Counter()
    plan = evolve(WEIGHTED, fleets="replace")
    for seed in range(20):
        cloud = SimCloud(plan, seed=seed, settings=times.typical(), traffic=0)
        ends[Deployment(plan, cloud).run().phase.value] += 1
    assert ends == {"promoted": 20}
    assert times.typical(Settings(zones=3)).zones == 3
