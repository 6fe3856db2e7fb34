"""What can go wrong between the load balancer and its targets, and what a deployment makes of it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from attrs import evolve

import bluegreen
from bluegreen.core.limits import Limits
from bluegreen.core.plan import Plan
from bluegreen.core.state import Phase
from bluegreen_sim import (
    AtPhase,
    During,
    Fault,
    Flaps,
    HealthAnswer,
    InternalError,
    LuckyProbe,
    Over,
    Settings,
    Sick,
    SimCloud,
    StuckDrain,
    ZoneDown,
    parse,
    world_from_dict,
    world_to_dict,
)
from bluegreen_sim.search.canonical import canonical
from bluegreen_sim.settings import Propagation
from tests.sim.wired import SHARED, WEIGHTED

PLAN = evolve(WEIGHTED, gates=())
PATIENT = evolve(PLAN, limits=Limits(proof_looks=5, proof_seconds=30))


def ended(plan: Plan, *faults: Fault, **settings: Any) -> tuple[Phase, SimCloud, bluegreen.Result]:
    """How a deployment ends in a world with these faults."""
    cloud = SimCloud(plan, faults=faults, settings=Settings(**settings))
    result = bluegreen.Deployment(plan, cloud).run()
    return result.phase, cloud, result


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("health-answer:ami-1:503", HealthAnswer("ami-1", 503)),
        ("lucky-probe:ami-1", LuckyProbe("ami-1")),
        ("internal-error:green", InternalError("green")),
        ("stuck-drain:blue", StuckDrain("blue")),
        ("flaps:green:3:90", Flaps("green", 90, 3)),
    ],
)
def test_faults_of_targets_are_read_from_short_texts(text: str, fault: Fault) -> None:
    """On the command line and in scripts."""
    assert parse(text) == fault


def test_an_application_that_flaps_is_away_and_back_so_often() -> None:
    """Away for two seconds and back for two, three times; the shape of it is what users see."""
    cloud = SimCloud(SHARED, capacity=1, faults=[Flaps("blue", 10, 2, times=3)])
    cloud.clock.sleep(30)
    failed = {row["second"] for row in cloud.timeline.counts() if row["failed"]}
    assert failed == {10, 11, 14, 15, 18, 19}


def test_flapping_does_not_make_a_deployment_waver() -> None:
    """A green that comes and goes sooner than it could be proven is given up, once."""
    flaps = AtPhase("scale_up", Flaps("green", 40, 30, times=40, count=2))
    phase, _, result = ended(PATIENT, flaps, check_interval_seconds=5, boot_seconds=(5,))
    phases = [step.state.phase for step in result.history]
    assert phase is Phase.ROLLED_BACK
    assert sum(b is Phase.ROLL_BACK and a is not b for a, b in pairwise(phases)) == 1


def test_when_both_are_sick_a_deployment_halts() -> None:
    """The load balancer fails open, and that is no health: nothing is moved any more."""
    both = [AtPhase("bake", Sick(name, 1, count=2)) for name in ("blue", "green")]
    plan = evolve(PLAN, strategy=bluegreen.strategies.canary(50, bake_seconds=120))
    phase, cloud, _ = ended(plan, *both)
    assert phase is Phase.HALTED
    assert cloud.world.rule == (("tg-a", 50), ("tg-b", 50))
    assert {each.target for group in cloud.world.groups for each in group.instances} == {"unhealthy"}


@pytest.mark.parametrize(("floor", "end"), [(100, Phase.HALTED), (50, Phase.PROMOTED)])
def test_a_zone_that_fails_during_the_shift_is_held_or_outlived(floor: int, end: Phase) -> None:
    """One of two instances of both colours dies: below the floor a person decides, above it goes on."""
    outage = AtPhase("shift", During(ZoneDown(0), 1, for_seconds=300))
    phase, cloud, result = ended(evolve(PATIENT, min_healthy_percent=floor), outage, zones=3)
    assert phase is end, result.reason
    failed = [row["second"] for row in cloud.timeline.counts() if row["failed"]]
    assert 0 < len(failed) <= 60  # until clients ask DNS again


def test_a_green_that_fails_its_checks_is_never_given_traffic() -> None:
    """Its users would be answered, but the load balancer is asked, and says no."""
    phase, cloud, result = ended(PLAN, HealthAnswer("ami-new", 503))
    assert phase is Phase.ROLLED_BACK
    assert any("Target.ResponseCodeMismatch" in step.reason for step in result.history)
    assert cloud.timeline.failed_requests == 0
    assert cloud.world.rule == (("tg-a", 100), ("tg-b", 0))


def test_a_lucky_probe_is_not_a_proof() -> None:
    """Green is healthy for one look or two, and then is not: a proof that lasts longer is not passed."""
    phase, cloud, _ = ended(PATIENT, LuckyProbe("ami-new"), boot_seconds=(0,))
    assert phase is Phase.ROLLED_BACK
    assert cloud.timeline.failed_requests == 0


def test_a_drain_that_never_ends_is_named_when_the_deployment_ends() -> None:
    """After the deadline it goes on, and says what still drains."""
    phase, cloud, result = ended(PLAN, StuckDrain("blue"), deregistration_seconds=30)
    assert phase is Phase.PROMOTED
    assert "2 draining" in result.reason
    assert cloud.timeline.failed_requests == 0


@pytest.mark.parametrize("fault", [HealthAnswer("ami-0alpha", 503), InternalError()])
def test_what_hinders_checks_is_over_when_it_is_over(fault: Any) -> None:
    """Targets that were healthy are found sick from then on, and well again afterwards."""
    cloud = SimCloud(SHARED, faults=[During(fault, 20), Over(fault, 100)])
    seen = []
    for _ in range(4):
        cloud.clock.sleep(50)
        seen.append({each.target for each in cloud.world.groups[0].instances})
    assert seen == [{"unhealthy"}, {"unhealthy"}, {"healthy"}, {"healthy"}]


def grown(settings: Settings) -> SimCloud:
    """A world in the middle of things: a new target, a sick one, one on its way out."""
    cloud = SimCloud(WEIGHTED, capacity=3, faults=[Sick("blue", 0)], settings=settings, traffic=0)
    cloud.apply(bluegreen.core.commands.SetSize(fleet="b", size=2, min=0, max=4))
    cloud.clock.sleep(24)
    return cloud


LAGGING = Settings(zones=2, propagation=Propagation.observed(), check_phases_seconds=(0, 4), react_seconds=0)


@pytest.mark.parametrize(
    "same",
    [
        lambda world: world_from_dict(world_to_dict(world)),
        lambda world: canonical(world)[0],
    ],
    ids=["saved", "canonical"],
)
def test_what_each_node_knows_is_part_of_the_world(same: Callable[[Any], Any]) -> None:
    """A world that is saved and loaded, or made canonical, goes on as the one that it was made of."""
    one = grown(LAGGING).world
    other = SimCloud(WEIGHTED, world=same(one), traffic=0)
    cloud = SimCloud(WEIGHTED, world=one, traffic=0)
    for _ in range(60):
        assert other.world.key() == cloud.world.key()
        states = [sorted(each.target for g in c.world.groups for each in g.instances) for c in (cloud, other)]
        assert states[0] == states[1]
        cloud.clock.sleep(1.5)
        other.clock.sleep(1.5)


def test_worlds_differ_by_what_a_single_node_knows() -> None:
    """One view that is another makes another key."""
    world = grown(LAGGING).world
    group = world.groups[1]
    keys = {world.key()}
    for changes in ({"state": "unhealthy"}, {"seen": 1}, {"run_from": 7}, {"at": 7}):
        first = group.instances[0]
        views = (evolve(first.views[0], **changes), *first.views[1:])
        instances = (first.replaced(views=views), *group.instances[1:])
        keys.add(world.with_group(group.replaced(instances=instances)).key())
    assert len(keys) == 5
