"""Where launches go, why they fail, and from which version they are."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from random import Random

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from bluegreen.core.state import Ledger
from bluegreen_sim import During, EditVersion, Gone, LaunchFails, Scaling, Scarce, SimCloud, ZoneDown, engine
from bluegreen_sim.faults import Fault
from bluegreen_sim.groups import autoscaling, membership
from bluegreen_sim.groups.launching import REASONS
from bluegreen_sim.world import Image
from tests.sim.grouped import QUICK, WEIGHTED, ask, cloud_of, group, instance, lives, wanted

THREE = evolve(QUICK, zones=3, nodes=3, boot_seconds=(0,))


def zones(cloud: SimCloud, name: str = "a") -> dict[int, int]:
    """Instances that count for a group's size, by zone."""
    return dict(sorted(Counter(e.zone for e in group(cloud, name).instances if e.staying).items()))


# ------------------------------------------------------------------------------------------------------ zones


def test_launches_go_where_there_are_fewest() -> None:
    """A live group is spread evenly from the start, and stays so as it grows."""
    cloud = cloud_of(4, settings=THREE)
    assert zones(cloud) == {0: 2, 1: 1, 2: 1}
    ask(cloud, autoscaling.set_size, "a", 8, 0, 8)
    cloud.clock.sleep(1)
    assert zones(cloud) == {0: 3, 1: 3, 2: 2}


def test_a_group_may_use_some_zones_only() -> None:
    """Those that it was told."""
    cloud = cloud_of(4, Scaling(zones=(1, 2)), settings=THREE)
    assert zones(cloud) == {1: 2, 2: 2}


def test_a_launch_that_fails_in_one_zone_is_tried_in_another() -> None:
    """The size is reached at once, unevenly."""
    cloud = cloud_of(3, settings=THREE, faults=[LaunchFails(1, "blue", zone=2)])
    ask(cloud, autoscaling.set_size, "a", 6, 0, 8)
    cloud.clock.sleep(1)
    assert zones(cloud) == {0: 3, 1: 2, 2: 1}
    assert group(cloud).failures == 0


def test_the_zone_with_most_instances_loses_one_first() -> None:
    """Balance comes before the termination policy, among those that are not protected."""
    cloud = cloud_of(4, Scaling(termination=("NewestInstance",)), settings=THREE)
    ask(cloud, autoscaling.set_size, "a", 3, 0, 8)
    cloud.clock.sleep(1)
    assert zones(cloud) == {0: 1, 1: 1, 2: 1}
    cloud = cloud_of(4, settings=THREE)
    ask(cloud, membership.protect, "a", ["i-0001"], protected=True)
    ask(cloud, autoscaling.set_size, "a", 3, 0, 8)
    cloud.clock.sleep(1)
    assert wanted(cloud) == ["i-0001", "i-0002", "i-0003"]


def test_a_group_is_balanced_again_launching_first() -> None:
    """After a detach a zone is two short: it gets one more, past the maximum, before another one ends."""
    cloud = cloud_of(6, settings=THREE)
    ask(cloud, membership.detach_instances, "a", ["i-0003", "i-0006"], lower=False)
    ask(cloud, autoscaling.set_size, "a", 4, 0, 4)
    cloud.clock.sleep(1)
    assert (zones(cloud), len(wanted(cloud))) == ({0: 2, 1: 2, 2: 1}, 5)
    cloud.clock.sleep(11)
    assert zones(cloud) in ({0: 1, 1: 2, 2: 1}, {0: 2, 1: 1, 2: 1})
    ask(cloud, autoscaling.suspend, "a", ["AZRebalance"], suspended=True)
    cloud.clock.sleep(100)
    assert len(wanted(cloud)) == 4


@pytest.mark.parametrize(("process", "sizes"), [("AZRebalance", {4}), ("Terminate", {5}), ("", {4, 5})])
def test_rebalancing_can_be_suspended(process: str, sizes: set[int]) -> None:
    """Without AZRebalance nothing is launched for it; without Terminate the group stays too large."""
    cloud = cloud_of(6, settings=THREE)
    if process:
        ask(cloud, autoscaling.suspend, "a", [process], suspended=True)
    ask(cloud, membership.detach_instances, "a", ["i-0003", "i-0006"], lower=False)
    ask(cloud, autoscaling.set_size, "a", 4, 0, 4)
    seen = set()
    for _ in range(60):
        cloud.clock.sleep(1)
        seen.add(len(wanted(cloud)))
    assert seen == sizes
    assert (len(wanted(cloud)) == 5) == (process == "Terminate")


def test_a_zone_that_fails_is_left_and_used_again() -> None:
    """What is in it dies and is replaced elsewhere; once it is back, the group is balanced again."""
    down = During(ZoneDown(2), 10, 300)
    cloud = cloud_of(6, settings=THREE, faults=[down])
    cloud.clock.sleep(100)
    assert zones(cloud) == {0: 3, 1: 3}
    cloud.clock.sleep(250)
    assert zones(cloud) == {0: 2, 1: 2, 2: 2}


def test_a_group_none_of_whose_zones_is_open_waits() -> None:
    """It tries again after a pause, and says why."""
    cloud = cloud_of(2, Scaling(zones=(1,)), settings=THREE, faults=[During(ZoneDown(1), 0, 60)])
    ask(cloud, autoscaling.set_size, "a", 3, 0, 4)
    cloud.clock.sleep(30)
    assert "sufficient capacity" in (group(cloud).launch_error or "")
    cloud.clock.sleep(100)
    assert len(wanted(cloud)) == 3


# ----------------------------------------------------------------------------------------- what is lacking


def test_too_little_capacity_gives_a_part() -> None:
    """What there is comes, the rest is tried again with growing pauses, and each failure is an activity."""
    cloud = cloud_of(1, faults=[Scarce(2, "green")])
    ask(cloud, autoscaling.set_size, "b", 4, 0, 4)
    cloud.clock.sleep(600)
    assert len(wanted(cloud, "b")) == 2
    failed = [past.started_at // 1000 for past in group(cloud, "b").log if past.code == "Failed"]
    pauses = [later - sooner for sooner, later in pairwise(failed)]
    assert pauses == [15, 30, 60, 120, 240]


HINDRANCES = st.one_of(
    st.builds(Scarce, st.integers(0, 4), st.sampled_from(("blue", "green", None)), st.just("quota")),
    st.builds(LaunchFails, st.integers(1, 2), st.just("green")),
    st.builds(LaunchFails, st.integers(1, 2), st.just("green"), st.just("subnet"), st.integers(0, 1)),
    st.builds(ZoneDown, st.integers(0, 1)),
)


@given(st.lists(HINDRANCES, max_size=4), st.randoms(use_true_random=False))
def test_the_order_of_what_hinders_launches_does_not_matter(faults: list[Fault], die: Random) -> None:
    """Whichever fault is given first, the same instances come at the same times, for the same reasons."""
    seen = []
    for order in (faults, die.sample(faults, len(faults))):
        cloud = cloud_of(1, faults=order, settings=evolve(THREE, zones=2, nodes=2))
        ask(cloud, autoscaling.set_size, "b", 3, 0, 4)
        for _ in range(8):
            cloud.clock.sleep(15)
        log = [(past.started_at, past.code, past.said) for past in group(cloud, "b").log]
        seen.append((zones(cloud, "b"), log, group(cloud, "b").launch_error))
    assert seen[0] == seen[1]


def test_what_was_never_started_does_not_use_up_what_there_is() -> None:
    """While launches fail by another fault, and while all zones are closed, nothing is taken."""
    for other in (LaunchFails(1), During(ZoneDown(0), 0, 60)):
        settings = evolve(QUICK, boot_seconds=(0,))
        cloud = cloud_of(1, faults=[Scarce(2, "green"), other], settings=settings)
        cloud.clock.sleep(1)
        ask(cloud, autoscaling.set_size, "b", 2, 0, 4)
        cloud.clock.sleep(150)
        assert len(wanted(cloud, "b")) == 2


@pytest.mark.parametrize("why", sorted(set(REASONS) - {"hooks"}))
def test_each_reason_is_said_in_awss_words(why: str) -> None:
    """A failed launch says why, in the activity and in a look."""
    cloud = cloud_of(1, faults=[LaunchFails(9, "green", why)])  # type: ignore[arg-type]
    ask(cloud, autoscaling.set_size, "b", 1, 0, 4)
    cloud.clock.sleep(20)
    assert group(cloud, "b").launch_error == REASONS[why] == group(cloud, "b").log[-1].said


@pytest.mark.parametrize(
    ("gone", "words"),
    [("ami-0alpha", "image id '[ami-0alpha]' does not exist"), (2, "version 2 does not")],
)
def test_what_a_launch_needs_may_be_gone(gone: str | int, words: str) -> None:
    """An image or a version that somebody deleted: nothing can be launched from it, what runs goes on."""
    cloud = cloud_of(2, faults=[Gone(gone, 5)])
    cloud.world = cloud.world.replaced(
        versions=(*cloud.world.versions, evolve(cloud.world.versions[0], number=2))
    )
    ask(cloud, autoscaling.set_version, "a", 2)
    cloud.clock.sleep(10)
    ask(cloud, autoscaling.set_size, "a", 3, 0, 4)
    cloud.clock.sleep(30)
    assert words in (group(cloud).launch_error or "")
    assert lives(cloud) == {"i-0001": "running", "i-0002": "running"}


def test_the_default_version_cannot_be_deleted() -> None:
    """Somebody who tries it changes nothing: looks and launches find it."""
    cloud = cloud_of(2, faults=[Gone(1, 5)])
    cloud.clock.sleep(10)
    assert cloud.look(WEIGHTED, Ledger("d")).default_version == 1
    ask(cloud, autoscaling.set_size, "a", 3, 0, 4)
    cloud.clock.sleep(1)
    assert len(wanted(cloud)) == 3


# ------------------------------------------------------------------------------------------------- versions


def with_version(cloud: SimCloud, image: str = "ami-new") -> None:
    """Make version 2 of the template."""
    if cloud.world.image(image) is None:
        cloud.world = cloud.world.replaced(images=(*cloud.world.images, Image(image, image)))
    ask(cloud, autoscaling.prepare_version, "tpl", 1, image, "d")


@pytest.mark.parametrize(("pointed", "launched"), [("$Latest", 2), ("$Default", 1), (1, 1)])
def test_latest_and_default_are_resolved_at_each_launch(pointed: object, launched: int) -> None:
    """A group on ``$Latest`` launches what was made last, for whomever: green leaks into blue."""
    cloud = cloud_of(2, settings=evolve(QUICK, replace_unhealthy=False))
    ask(cloud, autoscaling.set_version, "a", pointed)
    with_version(cloud)
    cloud.world = engine.kill(cloud.world, group(cloud), "i-0001")
    cloud.clock.sleep(80)
    assert instance(cloud, "i-0003").version == launched


def test_a_group_that_is_pointed_elsewhere_keeps_its_instances() -> None:
    """Only later launches are of the new version, and each instance says its own."""
    cloud = cloud_of(2, faults=[EditVersion("blue", 2, 10)])
    with_version(cloud)
    cloud.clock.sleep(11)
    ask(cloud, autoscaling.set_size, "a", 3, 0, 4)
    cloud.clock.sleep(1)
    assert {each.id: each.version for each in group(cloud).instances} == {
        "i-0001": 1,
        "i-0002": 1,
        "i-0003": 2,
    }


def test_an_instance_refresh_replaces_all_a_tenth_at_a_time() -> None:
    """Those of the newest version too; protected ones stay; it can be cancelled half way."""
    cloud = cloud_of(4, settings=evolve(QUICK, boot_seconds=(0,)))
    ask(cloud, membership.protect, "a", ["i-0004"], protected=True)
    ask(cloud, membership.start_refresh, "a")
    most = 0
    for _ in range(60):
        cloud.clock.sleep(1)
        most = max(most, sum(life != "running" for life in lives(cloud).values() if life != "leaving"))
    assert most == 1
    assert set(wanted(cloud)) & {"i-0001", "i-0002", "i-0003", "i-0004"} == {"i-0004"}
    ask(cloud, membership.cancel_refresh, "a")
    ask(cloud, membership.protect, "a", ["i-0004"], protected=False)
    cloud.clock.sleep(60)
    assert "i-0004" in wanted(cloud)
