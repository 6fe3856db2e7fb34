"""The life of an instance in its group: hooks, grace, standby, detaching, the end."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import pytest
from attrs import evolve
from hypothesis import assume, given
from hypothesis import strategies as st

from bluegreen_sim import Hook, NeverHealthy, Scaling, Sick, engine
from bluegreen_sim.groups import autoscaling, membership
from tests.sim.grouped import QUICK, SHARED, ask, cloud_of, group, instance, lives, refused, wanted

LAUNCH = Hook("ready", "launch", timeout_seconds=60)
AT_ONCE = evolve(QUICK, boot_seconds=(0,))
END = Hook("logs", "terminate", timeout_seconds=60)


def test_a_launch_hook_holds_an_instance_before_it_is_registered() -> None:
    """Pending, then waiting while its application boots already, and a target only in service."""
    cloud = cloud_of(2, Scaling(hooks=(LAUNCH,)))
    ask(cloud, autoscaling.set_size, "a", 3, 0, 4)
    seen = []
    for seconds in (5, 10, 35):
        cloud.clock.sleep(seconds)
        new = instance(cloud, "i-0003")
        seen.append((new.life, new.target, new.answers))
    ask(cloud, membership.complete, "a", "ready", "i-0003", "CONTINUE")
    new = instance(cloud, "i-0003")
    seen.append((new.life, new.target, new.answers))
    assert seen == [
        ("pending", "", False),
        ("pending:wait", "", False),
        ("pending:wait", "", True),
        ("running", "initial", True),
    ]


@pytest.mark.parametrize(("default", "life"), [("ABANDON", None), ("CONTINUE", "running")])
def test_a_hook_that_nobody_answers_ends_as_it_was_told(default: str, life: str | None) -> None:
    """After the heartbeat timeout an instance is abandoned and replaced, or comes in service."""
    cloud = cloud_of(0 + 1, Scaling(hooks=(evolve(LAUNCH, default=default),)))
    ask(cloud, autoscaling.set_size, "a", 2, 0, 4)
    cloud.clock.sleep(10 + 59)
    assert lives(cloud)["i-0002"] == "pending:wait"
    cloud.clock.sleep(12)
    assert lives(cloud).get("i-0002") == life
    cloud.clock.sleep(60)
    assert (len(cloud.instances("a")), "i-0003" in cloud.instances("a")) == (2, life is None)


def test_the_default_of_a_hook_is_an_hour_and_to_abandon() -> None:
    """As PutLifecycleHook has it."""
    hook = Hook("h")
    assert (hook.timeout_seconds, hook.default) == (3600, "ABANDON")


def test_abandoned_launches_are_repeated_ever_more_slowly() -> None:
    """Each costs a longer pause, until one comes in service."""
    cloud = cloud_of(1, Scaling(hooks=(LAUNCH,)))
    ask(cloud, autoscaling.set_size, "a", 2, 0, 4)
    launches, seen = [], set(cloud.instances("a"))
    for second in range(600):
        for name in cloud.instances("a"):
            if name not in seen:
                seen.add(name)
                launches.append(second)
        cloud.clock.sleep(1)
    gaps = [later - sooner for sooner, later in pairwise(launches)]
    assert gaps == sorted(gaps)
    assert gaps[-1] > gaps[0] + 30


def test_a_heartbeat_prolongs_the_wait_up_to_the_limit() -> None:
    """Each begins the timeout anew; after 100 timeouts none helps."""
    cloud = cloud_of(1, Scaling(hooks=(evolve(LAUNCH, timeout_seconds=30),)))
    ask(cloud, autoscaling.set_size, "a", 2, 0, 4)
    cloud.clock.sleep(10)
    beats = 0
    while lives(cloud).get("i-0002") == "pending:wait":
        ask(cloud, membership.heartbeat, "a", "ready", "i-0002")
        beats += 1
        cloud.clock.sleep(25)
    assert beats * 25 == 100 * 30


def test_a_termination_hook_waits_until_the_instance_has_drained() -> None:
    """Deregistered first, then drained, then the hook, then the end; whatever the result."""
    for result in ("CONTINUE", "ABANDON"):
        cloud = cloud_of(2, Scaling(hooks=(END,)))
        ask(cloud, autoscaling.set_size, "a", 1, 0, 4)
        cloud.clock.sleep(29)
        old = instance(cloud, "i-0001")
        assert (old.life, old.target) == ("leaving", "draining")
        cloud.clock.sleep(1)
        old = instance(cloud, "i-0001")
        assert (old.life, old.target) == ("leaving:wait", "")
        ask(cloud, membership.complete, "a", "logs", "i-0001", result)
        cloud.clock.sleep(10)
        assert cloud.instances("a") == ("i-0002",)


def test_of_several_termination_hooks_one_abandoned_skips_the_rest() -> None:
    """CONTINUE waits for the others, ABANDON does not."""
    more = evolve(END, name="more")
    for result, life in (("CONTINUE", "leaving:wait"), ("ABANDON", "leaving")):
        cloud = cloud_of(2, Scaling(hooks=(END, more)))
        ask(cloud, autoscaling.set_size, "a", 1, 0, 4)
        cloud.clock.sleep(30)
        ask(cloud, membership.complete, "a", "logs", "i-0001", result)
        assert lives(cloud)["i-0001"] == life


def test_what_leaves_cannot_come_back() -> None:
    """A size raised again is met by new instances; those on their way out cannot be set aside either."""
    cloud = cloud_of(2)
    ask(cloud, autoscaling.set_size, "a", 1, 0, 4)
    cloud.clock.sleep(5)
    ask(cloud, autoscaling.set_size, "a", 2, 0, 4)
    cloud.clock.sleep(5)
    assert lives(cloud) == {"i-0001": "leaving", "i-0002": "running", "i-0003": "pending"}
    said = refused(cloud, membership.enter_standby, "a", ["i-0001"], lower=False)
    assert "leaving" in said


def test_in_service_is_not_healthy() -> None:
    """An instance whose application never answers is in service all the same."""
    cloud = cloud_of(2, settings=evolve(QUICK, replace_unhealthy=False), faults=[NeverHealthy("blue")])
    ask(cloud, autoscaling.set_size, "a", 3, 0, 4)
    cloud.clock.sleep(100)
    new = instance(cloud, "i-0003")
    assert (new.life, new.target) == ("running", "unhealthy")


def test_the_grace_period_counts_from_in_service() -> None:
    """The balancer's verdict counts when it is over, to the second; it is 0 unless set."""
    ended = {}
    for grace in (0, 300):
        cloud = cloud_of(1, Scaling(grace_seconds=grace), faults=[NeverHealthy("blue")])
        ask(cloud, autoscaling.set_size, "a", 2, 0, 4)
        while lives(cloud).get("i-0002") != "leaving":
            cloud.clock.sleep(1)
        ended[grace] = cloud.clock.now()
    # 10 s pending; checks after 5 s and 15 s.
    assert ended == {0: 10 + 15, 300: 10 + 300}
    assert Scaling().grace_seconds == 0


# ---------------------------------------------------------------------------------------- standby, detaching


def test_an_instance_in_standby_is_neither_a_target_nor_watched() -> None:
    """It drains, another takes its place unless the size goes down, and its health is nobody's concern."""
    cloud = cloud_of(2, settings=AT_ONCE, faults=[Sick("blue", 60, count=2)])
    ask(cloud, membership.enter_standby, "a", ["i-0001"], lower=False)
    assert (lives(cloud)["i-0001"], instance(cloud, "i-0001").target) == ("entering", "draining")
    cloud.clock.sleep(30)
    assert (lives(cloud)["i-0001"], instance(cloud, "i-0001").target) == ("standby", "")
    assert wanted(cloud) == ["i-0002", "i-0003"]
    cloud.clock.sleep(600)
    assert lives(cloud)["i-0001"] == "standby"
    ask(cloud, membership.exit_standby, "a", ["i-0001"])
    assert (group(cloud).desired, instance(cloud, "i-0001").target) == (3, "initial")


@pytest.mark.parametrize("was", ["new", "running", "leaving", "standby", "detaching"])
@given(
    hook=st.sampled_from((LAUNCH, END)).map(partial(evolve, timeout_seconds=600)), seconds=st.integers(0, 100)
)
def test_an_instance_that_ec2_ends_is_gone_whatever_its_life(was: str, hook: Hook, seconds: int) -> None:
    """New or old, at a hook or aside, on its way out: nothing is left of it, in the group or beside it."""
    name = "i-0003" if was == "new" else "i-0001"
    cloud = cloud_of(2, Scaling(hooks=(hook,)))
    ask(cloud, autoscaling.set_size, "a", 3 if was == "new" else 2, 0, 4)
    if was == "leaving":
        ask(cloud, membership.end_instance, group(cloud), name, lower=0)
    elif was == "standby":
        ask(cloud, membership.enter_standby, "a", [name], lower=False)
    elif was == "detaching":
        ask(cloud, membership.detach_instances, "a", [name], lower=False)
    cloud.clock.sleep(seconds)
    assume(name in lives(cloud))
    ask(cloud, engine.kill, group(cloud), name)
    cloud.clock.sleep(800)
    assert name not in [*lives(cloud), *(each.id for each in cloud.world.loose)]


def test_who_leaves_from_a_hook_no_longer_waits_at_it() -> None:
    """An answer that comes late does not bring it back."""
    cloud = cloud_of(1, Scaling(hooks=(Hook("ready"),)))
    ask(cloud, autoscaling.set_size, "a", 2, 0, 4)
    cloud.clock.sleep(11)
    ask(cloud, membership.end_instance, group(cloud), "i-0002", lower=1)
    assert "No active" in refused(cloud, membership.complete, "a", "ready", "i-0002", "CONTINUE")


def test_standby_keeps_the_bounds() -> None:
    """The size goes neither below the minimum on the way out nor above the maximum on the way back."""
    cloud = cloud_of(2)
    assert "cannot go below 2" in refused(cloud, membership.enter_standby, "a", ["i-0001"], lower=True)
    ask(cloud, membership.enter_standby, "a", ["i-0001"], lower=False)
    cloud.clock.sleep(30)
    ask(cloud, autoscaling.set_size, "a", 2, 0, 2)
    assert "max size:2" in refused(cloud, membership.exit_standby, "a", ["i-0001"])


def test_a_detached_instance_drains_and_runs_on() -> None:
    """It is replaced unless the size goes down with it, and can be attached again: the size then rises."""
    cloud = cloud_of(2, settings=AT_ONCE)
    ask(cloud, membership.detach_instances, "a", ["i-0001"], lower=False)
    assert (lives(cloud)["i-0001"], instance(cloud, "i-0001").target) == ("detaching", "draining")
    cloud.clock.sleep(30)
    assert cloud.instances("a") == ("i-0002", "i-0003")
    assert [each.id for each in cloud.world.loose] == ["i-0001"]
    ask(cloud, membership.attach_instances, "a", ["i-0001"])
    assert (group(cloud).desired, lives(cloud)["i-0001"]) == (3, "running")
    assert cloud.world.loose == ()


@pytest.mark.parametrize("what", ["attach_instances", "detach_instances", "enter_standby", "exit_standby"])
def test_twenty_instances_a_call(what: str) -> None:
    """More than that are refused, whichever way they go."""
    more = {"lower": False} if what in ("detach_instances", "enter_standby") else {}
    ids = [f"i-{n:04d}" for n in range(1, 22)]
    said = refused(cloud_of(30), getattr(membership, what), "a", ids, **more)
    assert said == "at most 20 instances in one call, not 21"


def test_a_detached_group_lets_its_instances_run() -> None:
    """Its targets drain; attached again they begin anew, as initial."""
    cloud = cloud_of(2, plan=SHARED)
    ask(cloud, autoscaling.detach, group(cloud))
    cloud.clock.sleep(31)
    assert [(each.life, each.target) for each in group(cloud).instances] == [("running", "")] * 2
    ask(cloud, autoscaling.attach, group(cloud))
    assert [each.target for each in group(cloud).instances] == ["initial"] * 2


def test_hooks_are_for_launches_and_terminations_only() -> None:
    """Not for standby, detaching, attaching, or a deletion by force."""
    cloud = cloud_of(3, Scaling(hooks=(LAUNCH, END)))
    ask(cloud, membership.enter_standby, "a", ["i-0001"], lower=False)
    ask(cloud, membership.detach_instances, "a", ["i-0002"], lower=False)
    cloud.clock.sleep(30)
    ask(cloud, autoscaling.set_size, "a", 2, 0, 6)
    ask(cloud, membership.exit_standby, "a", ["i-0001"])
    ask(cloud, membership.attach_instances, "a", ["i-0002"])
    assert (lives(cloud)["i-0001"], lives(cloud)["i-0002"]) == ("running", "running")
    ask(cloud, autoscaling.delete_group, "a", force=True)
    assert set(lives(cloud).values()) == {"leaving"}
    cloud.clock.sleep(11)
    assert cloud.world.group("a") is None
