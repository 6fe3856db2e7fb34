"""What becomes of a deployment when something goes wrong with its groups, and with calls about them."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from bluegreen import Deployment, Result, SharedTargetGroup, strategies
from bluegreen_sim import (
    AtPhase,
    Busy,
    Denied,
    Dies,
    During,
    EditVersion,
    Gone,
    Hook,
    LateCall,
    MadeAnew,
    Refreshes,
    Scaling,
    Scarce,
    ScheduledAction,
    Settings,
    SimCloud,
    SlowToShow,
    ZoneDown,
)
from bluegreen_sim.faults import Fault
from bluegreen_sim.groups import autoscaling
from bluegreen_sim.world import Image
from tests.sim.grouped import WEIGHTED, ask, group

PLAN = evolve(WEIGHTED, strategy=strategies.canary(10, 120, keep_blue_seconds=60))
SHARED = evolve(PLAN, routing=SharedTargetGroup("tg"), strategy=strategies.side_by_side(bake_seconds=60))
QUICK = Settings(deregistration_seconds=30)


def deployed(*faults: Fault, **more: Any) -> tuple[Result, SimCloud]:
    """The end of a deployment of three instances in such a world."""
    cloud = SimCloud(more.pop("plan", PLAN), 3, faults=faults, **{"settings": QUICK, **more})
    return Deployment(cloud.plan, cloud).run(), cloud


def highest(cloud: SimCloud) -> float:
    """The largest share that green ever had."""
    return max(float(row["green"]) for row in cloud.timeline.shares())


@pytest.mark.parametrize("colour", ["blue", "green"])
@pytest.mark.parametrize("phase", ["scale_up", "shift", "drain"])
def test_a_busy_group_is_asked_again(colour: str, phase: str) -> None:
    """F3: something goes on in it for a minute; that is no failure."""
    result, cloud = deployed(AtPhase(phase, During(Busy(colour), 0, 60)))
    assert (result.phase.value, cloud.timeline.failed_requests) == ("promoted", 0)


@pytest.mark.parametrize("call", range(1, 8))
def test_a_call_that_is_carried_out_late_does_no_harm(call: int) -> None:
    """F8: nothing is answered, and the change comes when it was asked for again already."""
    result, cloud = deployed(LateCall(call, 45))
    assert (result.phase.value, cloud.timeline.failed_requests) == ("promoted", 0)


@pytest.mark.parametrize(("seconds", "end"), [(45, "promoted"), (4000, "rolled_back")])
def test_a_new_group_may_be_slow_to_show(seconds: float, end: str) -> None:
    """F10: it is waited for within the deadline, and made once only."""
    result, cloud = deployed(SlowToShow(seconds), plan=evolve(PLAN, fleets="replace"))
    assert (result.phase.value, cloud.timeline.failed_requests) == (end, 0)


@pytest.mark.parametrize(
    ("action", "plan"), [("SetShares", PLAN), ("SetSize", PLAN), ("Attach", SHARED), ("SetVersion", PLAN)]
)
def test_what_is_denied_half_way_halts(action: str, plan: Any) -> None:
    """F16: nothing more is changed, and a person decides; users notice nothing."""
    result, cloud = deployed(Denied(action), plan=plan)
    assert (result.phase.value, cloud.timeline.failed_requests) == ("halted", 0)
    assert f"not authorized to perform this operation: {action}" in result.reason


def test_too_little_capacity_is_waited_for_and_then_given_up() -> None:
    """F17: no request moves before green is whole; the reason is AWS's own."""
    result, cloud = deployed(Scarce(1, "green"))
    assert (result.phase.value, highest(cloud)) == ("rolled_back", 0)
    assert "sufficient capacity" in result.reason
    result, cloud = deployed(During(Scarce(1, "green"), 0, 200))
    assert (result.phase.value, cloud.timeline.failed_requests) == ("promoted", 0)


def test_a_failing_zone_does_not_end_a_deployment() -> None:
    """F26: what dies in it is replaced elsewhere, and traffic moves on when green is whole again."""
    three = evolve(QUICK, zones=3, nodes=3)
    for plan in (PLAN, SHARED):
        result, cloud = deployed(AtPhase("bake", During(ZoneDown(1), 2, 300)), plan=plan, settings=three)
        assert result.phase.value == "promoted"
        assert len({each.zone for each in group(cloud, "b").instances}) > 1


def test_instances_that_were_never_registered_are_not_counted() -> None:
    """F28: in service and no targets, for AddToLoadBalancer was suspended: back at the deadline."""
    cloud = SimCloud(PLAN, 3, settings=QUICK)
    ask(cloud, autoscaling.suspend, "b", ["AddToLoadBalancer"], suspended=True)
    result = Deployment(PLAN, cloud).run()
    assert (result.phase.value, highest(cloud), cloud.timeline.failed_requests) == ("rolled_back", 0, 0)


def test_a_version_that_somebody_else_set_is_not_promoted() -> None:
    """F29: green is pointed back, and instances of another version do not count for it."""
    result, cloud = deployed(
        AtPhase("scale_up", EditVersion("green", 1, 6)), AtPhase("bake", Dies("green", 5))
    )
    assert result.phase.value == "promoted"
    assert {each.version for each in group(cloud, "b").instances} == {2}


def test_green_on_latest_leaks_into_blue() -> None:
    """F29 the other way round: refused beforehand; midway, blue replaces with green's version."""
    cloud = SimCloud(PLAN, 3)
    ask(cloud, autoscaling.set_version, "a", "$Latest")
    assert Deployment(PLAN, cloud).run().phase.value == "refused"
    midway = [AtPhase("shift", EditVersion("blue", "$Latest", 1)), AtPhase("bake", Dies("blue", 5))]
    cloud = SimCloud(PLAN, 3, settings=QUICK, faults=midway)
    versions = set()
    for step in Deployment(PLAN, cloud).steps():
        if not step.state.phase.ended:
            versions |= {each.version for each in group(cloud).instances}
    assert versions == {1, 2}


@pytest.mark.parametrize(
    ("hook", "end"),
    [
        (Hook("ready"), "rolled_back"),
        (Hook("ready", timeout_seconds=30), "rolled_back"),
        (Hook("ready", done_seconds=20), "promoted"),
        (Hook("ready", timeout_seconds=30, default="CONTINUE"), "promoted"),
    ],
)
def test_a_hook_that_holds_green_for_ever_ends_in_a_retreat(hook: Hook, end: str) -> None:
    """F32: stuck, or abandoned again and again; a hook that is answered in time does not matter."""
    result, cloud = deployed(groups={"green": Scaling(hooks=(hook,))})
    assert (result.phase.value, cloud.timeline.failed_requests) == (end, 0)


def test_a_schedule_that_makes_blue_larger_is_followed() -> None:
    """F33: green grows with blue until the commit."""
    result, cloud = deployed(AtPhase("bake", ScheduledAction("blue", 2, desired=5)))
    assert (result.phase.value, group(cloud, "b").desired) == ("promoted", 5)


def test_what_is_protected_is_left_over_and_said() -> None:
    """F36: blue's instances stay; the deployment is no failure for it."""
    result, cloud = deployed(groups={"blue": Scaling(protects_new=True)})
    assert (result.phase.value, len(group(cloud).instances)) == ("promoted", 3)
    assert "3 instances of a left" in result.reason


@pytest.mark.parametrize("gone", ["ami-new", 2])
def test_green_without_its_image_or_version_is_given_up(gone: str | int) -> None:
    """F37: the way back needs neither; what is gone before the start is refused."""
    result, cloud = deployed(AtPhase("scale_up", Gone(gone, 6)), AtPhase("bake", Dies("green", 1)))
    assert result.phase.value == "rolled_back"
    assert "does not exist" in result.reason
    assert len(group(cloud).instances) == 3
    cloud = SimCloud(PLAN, 3)
    cloud.world = cloud.world.replaced(images=(Image("ami-0alpha", "ami-0alpha"),))
    assert Deployment(PLAN, cloud).run().phase.value == "refused"


@pytest.mark.parametrize("phase", ["scale_up", "bake", "drain"])
def test_a_namesake_of_green_is_not_ours(phase: str) -> None:
    """F38: a group that was deleted and made anew by somebody else is not read, not changed, and halts us."""
    result, cloud = deployed(AtPhase(phase, MadeAnew("green", 2)))
    assert result.phase.value == "halted"
    assert "group b was deleted and made anew by somebody else" in result.reason
    assert group(cloud, "b").token == "somebody-else"


def test_an_instance_refresh_of_green_does_not_reach_users_unseen() -> None:
    """F40: it takes green's proven instances away during the watch, which is then no longer passed."""
    result, cloud = deployed(AtPhase("bake", Refreshes("green", 2)))
    assert result.phase.value == "rolled_back"
    assert "green cannot carry its share" in result.reason
    assert highest(cloud) == 10


def test_a_phase_strikes_once() -> None:
    """At the first time that a deployment comes to it, so many seconds later."""
    _, cloud = deployed(AtPhase("bake", Dies("blue", 7)))
    began = next(at for at, phase in cloud.timeline.phases if phase == "bake") / 1000
    died = next(row["second"] for row in cloud.timeline.healthy() if row["second"] > 1 and row["blue"] == 2)
    assert died == began + 7
