"""Random plans in random worlds with random faults: nothing is promised that one of them can break."""

from __future__ import annotations

import os
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bluegreen.core.limits import Deadlines
from bluegreen.core.observation import Request
from bluegreen.core.plan import Plan
from bluegreen.core.state import Phase, State
from bluegreen_sim import (
    Busy,
    Denied,
    During,
    EditBounds,
    EditVersion,
    EditWeights,
    Gone,
    LateCall,
    MadeAnew,
    Refreshes,
    Rescale,
    ScheduledAction,
    SimCloud,
    SlowToShow,
    testing,
)
from bluegreen_sim.faults import Fault
from bluegreen_sim.oracle import floor, wrong_end
from tests.explore.harness import play
from tests.explore.properties import Pass, violations
from tests.explore.watched import Watched

PROOF = int(os.environ.get("BLUEGREEN_PROOF", "1"))
MOST = 20_000  # a look a second through every deadline

OTHERS = (
    EditBounds,
    EditVersion,
    EditWeights,
    Gone,
    LateCall,
    MadeAnew,
    Refreshes,
    Rescale,
    ScheduledAction,
    Busy,
    Denied,
    During,
)
"""Faults by which others change settings, or keep us from it."""


def watched(cloud: SimCloud) -> Watched:
    """The same world, seen by somebody who knows the truth."""
    group = cloud.world.group(cloud.blue)
    least = floor(cloud.plan, group.desired) if group else 0
    return Watched(cloud.plan, traffic=0, world=cloud.world, choices=cloud.choices, floor=least)


def lived(cloud: Watched, passes: list[Pass], faults: list[Fault]) -> None:
    """Nothing that was seen on the way, and nothing at the end, is wrong."""
    wrong = [*violations(passes), *cloud.crossings]
    state = passes[-1].step.state
    if state.phase.ended and not any(hidden(cloud.plan, fault) for fault in faults):
        wrong += wrong_end(cloud.plan, cloud.start, cloud.world, state, calls=cloud.calls)
    assert not wrong, "\n".join(wrong[:5])


def hidden(plan: Plan, fault: Fault) -> bool:
    """Whether an end need not show what was before: others act, or a group hides for too long."""
    late = isinstance(fault, SlowToShow) and fault.seconds > plan.limits.settle_seconds
    return late or isinstance(fault, OTHERS)


def faults_in(cloud: SimCloud) -> list[Fault]:
    """What is scheduled and what lasts."""
    return [*cloud.world.faults, *(fault for _, fault in cloud.world.schedule)]


def campaign(runs: int) -> Counter[str]:
    """So many random deployments; how often each end was reached."""
    ends: Counter[str] = Counter()

    @settings(max_examples=runs, suppress_health_check=list(HealthCheck))
    @given(
        testing.worlds(
            testing.plans(), traffic=0, settings=testing.settings(), live=st.sampled_from((0, 1, None))
        )
    )
    def deploy(drawn: SimCloud) -> None:
        cloud, faults = watched(drawn), faults_in(drawn)
        passes = list(play(drawn.plan, cloud, most=MOST))
        lived(cloud, passes, faults)
        ends[passes[-1].step.state.phase.value] += 1

    deploy()
    return ends


@pytest.mark.property
@pytest.mark.slow
def test_a_thousand_random_worlds_break_no_promise() -> None:
    """No command of ours crosses the floor, every run ends or halts, and every end is as it says."""
    ends = campaign(1_000)
    assert set(ends) == {"promoted", "rolled_back", "halted", "refused"}, ends


@pytest.mark.proof
def test_ten_thousand_random_worlds_break_no_promise() -> None:
    """The same, 10,000 times."""
    ends = campaign(10_000 * PROOF)
    print(f"\n{sum(ends.values())} deployments, 0 violations: {dict(ends)}")
    assert set(ends) == {"promoted", "rolled_back", "halted", "refused"}, ends


@pytest.mark.property
@given(
    world=testing.worlds(
        testing.plans(deadlines=st.just(Deadlines()), on_blue_sick="continue", gates=()),
        traffic=0,
        faults=testing.tolerable(),
        settings=testing.settings(quick=True),
    ),
    pause=st.none() | st.tuples(st.integers(0, 60), st.integers(1, 60)),
)
def test_no_needless_retreat(world: SimCloud, pause: tuple[int, int] | None) -> None:
    """L8: with tolerable faults and a pause, in a world quicker than the deadlines, every run is promoted."""
    cloud, passes = watched(world), []

    def operators(state: State, _: object) -> tuple[Request, ...]:
        if pause is None:
            return ()
        first, length = pause
        asked = {first: "pause", first + length: "resume"}.get(len(passes))
        return (Request(seq=state.seen + 1, kind=asked),) if asked else ()  # type: ignore[arg-type]

    for p in play(world.plan, cloud, operators=operators, most=MOST):
        passes.append(p)
        if p.step.state.phase is Phase.HALTED:
            break
    lived(cloud, passes, [])
    assert passes[-1].step.state.phase is Phase.PROMOTED, passes[-1].step.reason
