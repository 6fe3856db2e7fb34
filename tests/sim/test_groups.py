"""Sizes, health and replacement, processes, and whom a group ends."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

import pytest
from attrs import evolve

from bluegreen.core.commands import SetSize
from bluegreen_sim import (
    Budget,
    Busy,
    Dies,
    During,
    EditBounds,
    EditVersion,
    Hook,
    NeverHealthy,
    Refreshes,
    Rescale,
    Scaling,
    ScheduledAction,
    Settings,
    Sick,
    SimCloud,
    TargetTracking,
    ZoneDown,
    engine,
)
from bluegreen_sim.faults import Fault
from bluegreen_sim.groups import autoscaling, membership
from bluegreen_sim.groups.scaling import PROCESSES
from bluegreen_sim.world import Image
from tests.sim.grouped import QUICK, SHARED, ask, cloud_of, group, instance, lives, refused, wanted

AT_ONCE = evolve(QUICK, boot_seconds=(0,))
BY_EC2 = evolve(AT_ONCE, replace_unhealthy=False)


# ------------------------------------------------------------------------------------------------------ sizes


def test_sizes_that_contradict_each_other_are_refused_in_awss_words() -> None:
    """A wanted size outside the bounds, a minimum above the maximum."""
    cloud = cloud_of(2)
    said = refused(cloud, autoscaling.set_size, "a", 5, 0, 4)
    assert said == "Desired capacity:5 must be between the specified min size:0 and max size:4"
    said = refused(cloud, autoscaling.set_bounds, "a", 3, 2)
    assert said == "Max bound, 2, must be greater than or equal to min bound, 3"


def test_a_size_is_a_wish() -> None:
    """The call returns at once; the group has what was asked for later, or never."""
    cloud = cloud_of(2, settings=evolve(QUICK, react_seconds=3))
    ask(cloud, autoscaling.set_size, "a", 4, 0, 4)
    assert (group(cloud).desired, len(wanted(cloud))) == (4, 2)
    cloud.clock.sleep(3)
    assert len(wanted(cloud)) == 4


def test_bounds_hold_for_everybody() -> None:
    """What policies and schedules ask for is cut to the bounds, as what people ask for is refused."""
    cloud = cloud_of(2, faults=[Rescale("blue", 9, 1), ScheduledAction("blue", 5, desired=9)])
    cloud.clock.sleep(2)
    assert group(cloud).desired == 4
    cloud.clock.sleep(5)
    assert group(cloud).desired == 4


def test_a_cooldown_binds_only_who_honours_it() -> None:
    """SetDesiredCapacity with HonorCooldown waits for its end; without, it does not; it is 300 s."""
    cloud = cloud_of(2)
    ask(cloud, autoscaling.calmly, "a", 3)
    assert "Scaling activity is in progress" in refused(cloud, autoscaling.calmly, "a", 4)
    ask(cloud, autoscaling.set_size, "a", 4, 2, 4)
    cloud.clock.sleep(300)
    ask(cloud, autoscaling.calmly, "a", 3)
    assert group(cloud).desired == 3


# ------------------------------------------------------------------------------------- health and replacement


def test_an_instance_that_does_not_run_is_replaced_in_its_grace_period_too() -> None:
    """EC2's verdict is always heeded, and nobody waits for others to be replaced."""
    cloud = cloud_of(4, Scaling(grace_seconds=3600), settings=BY_EC2, faults=[Dies("blue", 1, count=3)])
    cloud.clock.sleep(61)
    assert len(lives(cloud)) == 4
    assert Counter(lives(cloud).values()) == {"running": 1, "pending": 3}


def test_the_balancer_is_heeded_only_once_the_attachment_is_in_service() -> None:
    """A group that is attached later and never healthy keeps what it has; a created one churns at once."""
    ended = {}
    for attached in (True, False):
        cloud = cloud_of(1, plan=SHARED, faults=[NeverHealthy("green")])
        green = group(cloud, "b").replaced(attached=attached, armed=attached)
        cloud.world = cloud.world.with_group(green)
        ask(cloud, autoscaling.set_size, "b", 1, 0, 4)
        cloud.clock.sleep(20)
        if not attached:
            ask(cloud, autoscaling.attach, group(cloud, "b"))
        cloud.clock.sleep(60)
        ended[attached] = "leaving" in lives(cloud, "b").values()
    assert ended == {True: True, False: False}


def test_one_healthy_instance_arms_an_attachment() -> None:
    """From then on whoever is unhealthy is replaced."""
    cloud = cloud_of(2, plan=SHARED, settings=AT_ONCE)
    ask(cloud, autoscaling.detach, group(cloud))
    cloud.clock.sleep(31)
    ask(cloud, autoscaling.attach, group(cloud))
    assert not group(cloud).armed
    cloud.clock.sleep(6)
    assert group(cloud).armed
    cloud.world = engine.strike(cloud.world, Sick("a", 0), cloud.choices)
    cloud.clock.sleep(30)
    assert "leaving" in lives(cloud).values()


def test_replacement_honours_the_deregistration_delay() -> None:
    """Who is unhealthy drains before it ends, and its successor is launched meanwhile."""
    cloud = cloud_of(2, settings=AT_ONCE, faults=[Sick("blue", 0)])
    cloud.clock.sleep(25)
    sick = instance(cloud, "i-0001")
    assert (sick.life, sick.target) == ("leaving", "draining")
    assert len(wanted(cloud)) == 2


@pytest.mark.parametrize(("size", "at_once"), [(4, 1), (20, 2), (30, 3)])
def test_a_tenth_is_replaced_at_a_time(size: int, at_once: int) -> None:
    """At least one; the next ones go when their predecessors' successors are in service."""
    cloud = cloud_of(size, settings=AT_ONCE, faults=[Sick("blue", 0, count=size)])
    most = 0
    for _ in range(60):
        cloud.clock.sleep(1)
        running = sum(life == "running" for life in lives(cloud).values())
        most = max(most, size - running)
    assert most == at_once


def test_a_warm_up_slows_replacement_down() -> None:
    """The next one goes only when the successor of the last is warm."""
    left = {}
    for warmup in (None, 100):
        cloud = cloud_of(
            4, Scaling(warmup_seconds=warmup), settings=AT_ONCE, faults=[Sick("blue", 0, count=4)]
        )
        cloud.clock.sleep(100)
        left[warmup] = sum(not each.answers for each in group(cloud).instances if each.life == "running")
    assert left == {None: 0, 100: 3}


def test_a_maintenance_policy_changes_the_pace() -> None:
    """A floor of half lets half go at a time; more than 100 percent launches the successors first."""
    for percent, ready in (((50, 100), 2), ((90, 150), 4)):
        cloud = cloud_of(4, Scaling(healthy_percent=percent), settings=AT_ONCE)
        for name in list(cloud.instances("a")):
            ask(cloud, membership.set_health, group(cloud), name, healthy=False, heed_grace=True)
        fewest = 4
        for _ in range(100):
            cloud.clock.sleep(1)
            fewest = min(fewest, sum(life == "running" for life in lives(cloud).values()))
        assert fewest == ready
        assert not {"i-0001", "i-0002", "i-0003", "i-0004"} & set(wanted(cloud))


def test_a_broken_group_churns_for_ever() -> None:
    """With health check type ELB and no grace, an application that never answers is replaced and replaced."""
    cloud = cloud_of(1, faults=[NeverHealthy("green")])
    ask(cloud, autoscaling.set_size, "b", 1, 0, 4)
    cloud.clock.sleep(600)
    assert cloud.world.serial > 10
    assert not any(each.answers for each in group(cloud, "b").instances)


def test_who_is_said_to_be_unhealthy_is_replaced() -> None:
    """SetInstanceHealth; within its grace period only when that is not to be heeded."""
    cloud = cloud_of(2, Scaling(grace_seconds=100), settings=AT_ONCE)
    ask(cloud, autoscaling.set_size, "a", 3, 0, 4)
    cloud.clock.sleep(11)
    for heed, life in ((True, "running"), (False, "leaving")):
        ask(cloud, membership.set_health, group(cloud), "i-0003", healthy=False, heed_grace=heed)
        assert lives(cloud)["i-0003"] == life


def test_neither_protection_nor_a_cooldown_keeps_the_unhealthy() -> None:
    """Nor does the termination policy; what keeps them is a suspended process."""
    policies = Scaling(protects_new=True, cooldown_seconds=3600, termination=("NewestInstance",))
    cloud = cloud_of(2, policies, settings=AT_ONCE)
    cloud.world = cloud.world.with_group(group(cloud).replaced(quiet_until=10**9))
    ask(cloud, membership.set_health, group(cloud), "i-0001", healthy=False, heed_grace=True)
    assert lives(cloud)["i-0001"] == "leaving"


def test_an_instance_ended_by_name_is_replaced_unless_the_size_goes_down() -> None:
    """TerminateInstanceInAutoScalingGroup drains it, waits at hooks, and heeds no protection."""
    cloud = cloud_of(2, Scaling(protects_new=True, hooks=(Hook("logs", "terminate"),)), settings=AT_ONCE)
    ask(cloud, membership.end_instance, group(cloud), "i-0001", lower=0)
    assert instance(cloud, "i-0001").target == "draining"
    cloud.clock.sleep(30)
    assert lives(cloud) == {"i-0001": "leaving:wait", "i-0002": "running", "i-0003": "running"}
    ask(cloud, autoscaling.set_bounds, "a", 0, 4)
    ask(cloud, membership.end_instance, group(cloud), "i-0002", lower=1)
    cloud.clock.sleep(1)
    assert (group(cloud).desired, wanted(cloud)) == (1, ["i-0003"])


def test_ec2_ends_an_instance_past_hooks_and_protection() -> None:
    """It is gone at once, without draining, and its group notices after a minute or two."""
    cloud = cloud_of(2, Scaling(protects_new=True, hooks=(Hook("logs", "terminate"),)), settings=BY_EC2)
    cloud.world = engine.kill(cloud.world, group(cloud), "i-0001")
    cloud.clock.sleep(59)
    assert "i-0001" in lives(cloud)
    cloud.clock.sleep(1)
    assert "i-0001" not in lives(cloud)
    assert QUICK.notice_seconds == 60


# -------------------------------------------------------------------------------------------- whom it ends


def aged(termination: tuple[str, ...]) -> list[str]:
    """Who is left of four, two old and two new, of which the third is of an older version."""
    cloud = cloud_of(2, Scaling(termination=termination), settings=BY_EC2)
    cloud.clock.sleep(600)
    cloud.world = cloud.world.replaced(images=(*cloud.world.images, Image("ami-3", "ami-3")))
    ask(cloud, autoscaling.prepare_version, "tpl", 1, "ami-3", "t")
    ask(cloud, autoscaling.set_size, "a", 3, 0, 4)
    cloud.clock.sleep(20)
    ask(cloud, autoscaling.set_version, "a", 2)
    ask(cloud, autoscaling.set_size, "a", 4, 0, 4)
    cloud.clock.sleep(20)
    for name in ("i-0001", "i-0002"):
        old = instance(cloud, name)
        found = tuple(old.replaced(version=2) if e.id == name else e for e in group(cloud).instances)
        cloud.world = cloud.world.with_group(group(cloud).replaced(instances=found))
    ask(cloud, autoscaling.set_size, "a", 3, 0, 4)
    cloud.clock.sleep(1)
    return wanted(cloud)


@pytest.mark.parametrize(
    ("policy", "ended"),
    [
        ("Default", "i-0003"),
        ("OldestInstance", "i-0001"),
        ("NewestInstance", "i-0004"),
        ("OldestLaunchTemplate", "i-0003"),
        ("ClosestToNextInstanceHour", "i-0001"),
        ("OldestLaunchConfiguration", "i-0001"),
        ("AllocationStrategy", "i-0001"),
    ],
)
def test_each_termination_policy_ends_another_instance(policy: str, ended: str) -> None:
    """Of two old ones, one of an older version and the newest; whom none tells apart goes in order."""
    assert set(aged((policy,))) == {"i-0001", "i-0002", "i-0003", "i-0004"} - {ended}


def test_termination_policies_are_asked_in_turn() -> None:
    """The second decides where the first makes no difference."""
    assert "i-0004" not in aged(("AllocationStrategy", "NewestInstance"))


def test_the_unhealthy_go_before_any_policy_is_asked() -> None:
    """A smaller group ends first whom it holds for unhealthy."""
    cloud = cloud_of(4, Scaling(termination=("OldestInstance",)), settings=AT_ONCE)
    ask(cloud, autoscaling.suspend, "a", ["ReplaceUnhealthy"], suspended=True)
    ask(cloud, membership.set_health, group(cloud), "i-0003", healthy=False, heed_grace=True)
    ask(cloud, autoscaling.set_size, "a", 3, 0, 4)
    cloud.clock.sleep(1)
    assert wanted(cloud) == ["i-0001", "i-0002", "i-0004"]


def test_protected_instances_stay_while_the_size_goes_down() -> None:
    """Nothing ends, the activity says why, and only new instances are protected by the group's setting."""
    cloud = cloud_of(2)
    ask(cloud, membership.protect, "a", ["i-0001", "i-0002"], protected=True)
    ask(cloud, autoscaling.set_size, "a", 0, 0, 4)
    cloud.clock.sleep(60)
    assert (group(cloud).desired, len(wanted(cloud))) == (0, 2)
    assert group(cloud).log[-1].said == (
        "Could not scale to desired capacity because all remaining instances are protected from scale in."
    )
    ask(cloud, membership.protect, "a", ["i-0001"], protected=False)
    cloud.clock.sleep(1)
    assert wanted(cloud) == ["i-0002"]


def test_protection_is_for_new_instances_and_for_fifty_a_call() -> None:
    """NewInstancesProtectedFromScaleIn says nothing of those that are there."""
    cloud = cloud_of(60, settings=AT_ONCE)
    cloud.world = cloud.world.with_group(group(cloud).replaced(scaling=Scaling(protects_new=True)))
    ask(cloud, autoscaling.set_size, "a", 61, 0, 70)
    cloud.clock.sleep(11)
    assert [each.id for each in group(cloud).instances if each.standing.protected] == ["i-0061"]
    ids = list(cloud.instances("a"))[:51]
    assert "at most 50" in refused(cloud, membership.protect, "a", ids, protected=True)
    assert "not part of" in refused(cloud, membership.protect, "a", ["i-9999"], protected=True)


# --------------------------------------------------------------------------------------------- processes


def test_without_launch_nothing_new_comes() -> None:
    """Not for a larger size, not in place of the unhealthy, which end all the same; nor out of standby."""
    cloud = cloud_of(3, settings=AT_ONCE)
    ask(cloud, membership.enter_standby, "a", ["i-0003"], lower=False)
    ask(cloud, autoscaling.suspend, "a", ["Launch"], suspended=True)
    ask(cloud, autoscaling.set_size, "a", 4, 0, 4)
    ask(cloud, membership.set_health, group(cloud), "i-0001", healthy=False, heed_grace=True)
    cloud.clock.sleep(60)
    assert lives(cloud) == {"i-0002": "running", "i-0003": "standby"}
    assert "Launch is suspended" in refused(cloud, membership.exit_standby, "a", ["i-0003"])
    ask(cloud, autoscaling.suspend, "a", ["Launch"], suspended=False)
    cloud.clock.sleep(1)
    assert len(wanted(cloud)) == 4


def test_without_terminate_nothing_ends_until_it_is_resumed() -> None:
    """A smaller size waits, and so do the unhealthy."""
    cloud = cloud_of(3, settings=AT_ONCE)
    ask(cloud, autoscaling.suspend, "a", ["Terminate"], suspended=True)
    ask(cloud, autoscaling.set_size, "a", 2, 0, 4)
    ask(cloud, membership.set_health, group(cloud), "i-0003", healthy=False, heed_grace=True)
    cloud.clock.sleep(60)
    assert set(lives(cloud).values()) == {"running"}
    ask(cloud, autoscaling.suspend, "a", ["Terminate"], suspended=False)
    cloud.clock.sleep(1)
    assert lives(cloud)["i-0003"] == "leaving"


@pytest.mark.parametrize("process", ["HealthCheck", "ReplaceUnhealthy", "Terminate"])
def test_replacement_stops_with_any_of_three_processes(process: str) -> None:
    """Neither the dead nor the sick are replaced; once it is resumed they are."""
    cloud = cloud_of(4, settings=AT_ONCE, faults=[Sick("blue", 1), Dies("blue", 2)])
    ask(cloud, autoscaling.suspend, "a", [process], suspended=True)
    cloud.clock.sleep(120)
    assert cloud.world.serial == 4
    assert set(lives(cloud).values()) == {"running"}
    ask(cloud, autoscaling.suspend, "a", [process], suspended=False)
    cloud.clock.sleep(120)
    assert all(each.answers for each in group(cloud).instances if each.staying)


def test_what_was_not_registered_at_launch_never_is() -> None:
    """Without AddToLoadBalancer an instance is in service and no target, after a resume too."""
    cloud = cloud_of(2, settings=AT_ONCE)
    ask(cloud, autoscaling.suspend, "a", ["AddToLoadBalancer"], suspended=True)
    cloud.apply(SetSize(fleet="a", size=3, min=0, max=4))
    cloud.clock.sleep(20)
    ask(cloud, autoscaling.suspend, "a", ["AddToLoadBalancer"], suspended=False)
    cloud.clock.sleep(60)
    assert (lives(cloud)["i-0003"], instance(cloud, "i-0003").target) == ("running", "")


def test_a_missed_schedule_is_missed_and_a_suspended_policy_does_not_act() -> None:
    """Neither moves the size, not even when its process is resumed."""
    told = [ScheduledAction("blue", 10, desired=4), Rescale("blue", 1, 20)]
    cloud = cloud_of(2, faults=told)
    ask(cloud, autoscaling.suspend, "a", ["ScheduledActions", "AlarmNotification"], suspended=True)
    cloud.clock.sleep(30)
    ask(cloud, autoscaling.suspend, "a", list(PROCESSES), suspended=False)
    cloud.clock.sleep(30)
    assert group(cloud).desired == 2
    cloud = cloud_of(2, faults=told)
    cloud.clock.sleep(30)
    assert group(cloud).desired == 4


# --------------------------------------------------------------------------------------------------- deletion


def test_a_group_deleted_by_force_goes_without_draining_and_its_name_stays_taken() -> None:
    """Whoever is in it ends at once; until all have, the name cannot be used, nor the group be changed."""
    cloud = cloud_of(2)
    ask(cloud, autoscaling.delete_group, "a", force=True)
    assert [(each.life, each.target) for each in group(cloud).instances] == [("leaving", "")] * 2
    assert "pending delete" in refused(cloud, autoscaling.add_group, group(cloud))
    assert "pending delete" in refused(cloud, autoscaling.set_size, "a", 1, 0, 4)
    cloud.clock.sleep(Settings().stop_seconds)
    assert cloud.world.group("a") is None


@pytest.mark.parametrize(
    ("protection", "force", "plain"),
    [("none", True, True), ("prevent-force-deletion", False, True), ("prevent-all-deletion", False, False)],
)
def test_deletion_protection_refuses_what_it_says(protection: str, *, force: bool, plain: bool) -> None:
    """An empty group, with and without force."""
    for forced, allowed in ((True, force), (False, plain)):
        cloud = cloud_of(2)
        empty = group(cloud, "b").replaced(scaling=Scaling(deletion=protection))  # type: ignore[arg-type]
        cloud.world = cloud.world.with_group(empty)
        if allowed:
            ask(cloud, autoscaling.delete_group, "b", force=forced)
            assert cloud.world.group("b") is None
        else:
            assert protection in refused(cloud, autoscaling.delete_group, "b", force=forced)


def test_a_deletion_takes_its_time_where_it_was_told_to() -> None:
    """An empty group is still there, being deleted, for a while."""
    cloud = cloud_of(2, settings=evolve(QUICK, delete_seconds=120))
    ask(cloud, autoscaling.delete_group, "b")
    assert group(cloud, "b").deleting
    cloud.clock.sleep(119)
    assert cloud.world.group("b") is not None
    cloud.clock.sleep(1)
    assert cloud.world.group("b") is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Scaling(termination=("Oldest",)), "termination = ('Oldest',): give a tuple"),
        (lambda: Scaling(checks="elb", zones=(-1,)), "checks = 'elb': give 'EC2' or 'ELB' or None; zones = "),
        (lambda: Hook("ready", at="launching"), "at = 'launching': give 'launch' or 'terminate'"),
        (lambda: Hook("ready", timeout_seconds=0), "timeout_seconds = 0: give 30 to 7200"),
        (lambda: TargetTracking("half", "load", 0), "metric = 'load': give 'requests' or 'cpu'; target = 0"),
    ],
)
def test_what_a_group_cannot_be_told_is_named(call: Callable[[], object], message: str) -> None:
    """The error has the field, its value and what to give, of each that is wrong."""
    with pytest.raises(ValueError, match=re.escape(message)):
        call()


@pytest.mark.parametrize(
    "fault",
    [
        Rescale("green", 1, 5),
        EditBounds("green", 1, 4, 5),
        EditVersion("green", 1, 5),
        ScheduledAction("green", 5, min=1, desired=2),
        Refreshes("green", 5),
        Dies("green", 5),
        During(Busy("blue"), 5, 10),
        During(ZoneDown(1), 5, 10),
    ],
)
@pytest.mark.parametrize("process", ["", "AZRebalance", "Launch"])
def test_a_group_that_goes_is_gone_at_its_time(fault: Fault, process: str) -> None:
    """Whatever happens meanwhile to it or to others, and whatever is suspended: nothing comes back."""
    cloud = cloud_of(2, settings=evolve(QUICK, zones=2, delete_seconds=120), faults=[fault])
    ask(cloud, autoscaling.delete_group, "b")
    for suspended in (True, False) if process else ():
        ask(cloud, autoscaling.suspend, "b", [process], suspended=suspended)
    cloud.clock.sleep(119)
    assert (group(cloud, "b").desired, group(cloud, "b").instances) == (0, ())
    cloud.clock.sleep(1)
    assert cloud.world.group("b") is None


def test_what_goes_is_not_rescaled_by_a_budget() -> None:
    """There is nothing that could strike it, so no choice."""
    cloud = cloud_of(2, settings=evolve(QUICK, delete_seconds=120), budget=Budget(rescales=1))
    ask(cloud, autoscaling.freeze, "a", frozen=True)
    ask(cloud, autoscaling.delete_group, "b")
    cloud.clock.sleep(5)
    assert not cloud.choices.widths


def test_only_the_groups_of_the_plan_can_be_told_something() -> None:
    """A name that is none of them is an error that says which there are."""
    with pytest.raises(ValueError, match="groups names c: give a, b, blue or green"):
        SimCloud(SHARED, groups={"c": Scaling()})
