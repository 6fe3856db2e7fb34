"""A simulator that computes when a verdict changes decides as one in which every check is an event."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluegreen import Deployment, MemoryJournal, Plan, Step
from bluegreen_sim import Budget, Choices, Settings, SimCloud, engine, faults, testing
from bluegreen_sim.groups import launching
from bluegreen_sim.world import Instance, World
from tests.sim.every_check import EveryCheck

SETTINGS = st.builds(
    Settings,
    react_seconds=st.integers(0, 6),
    pending_seconds=st.integers(0, 30),
    boot_seconds=st.sampled_from(((0,), (30,), (10, 45), (1, 30, 120))),
    first_check_seconds=st.integers(1, 30),
    check_interval_seconds=st.sampled_from((1, 5, 10, 30)),
    healthy_threshold=st.integers(2, 10),
    unhealthy_threshold=st.integers(2, 10),
    deregistration_seconds=st.sampled_from((0, 30, 300)),
    stop_seconds=st.integers(0, 30),
    notice_seconds=st.sampled_from((0, 60, 120)),
    replace_unhealthy=st.booleans(),
)

KNOWN = (
    *(faults.AlarmOk, faults.AlarmRed, faults.BlindLook, faults.Dies, faults.EditBounds, faults.EditWeights),
    *(faults.Errors, faults.LaunchFails, faults.LostAnswer, faults.NeverHealthy, faults.RefusedCall),
    *(faults.Rescale, faults.Sick, faults.SlowBoot, faults.StaleLook),
)


def by_place(_: World, among: list[Instance], count: int, choices: Choices) -> list[Instance]:
    """Who is struck is drawn among all: what tells instances apart in a world's key is not in both worlds."""
    left = list(among)
    return [left.pop(choices.pick(range(len(left)))) for _ in range(min(count, len(left)))]


def steps(plan: Plan, cloud: SimCloud) -> list[Step]:
    """Every decision, with its state, its commands, its sentence and its time."""
    return list(Deployment(plan, cloud, journal=MemoryJournal()).steps())


@pytest.mark.slow
@pytest.mark.property
@given(data=st.data())
def test_computed_checks_decide_like_checks_one_by_one(data: st.DataObject) -> None:
    """Random plans, worlds, faults and choices: the same decisions at the same times, the same for users."""
    plan = data.draw(testing.plans())
    scene: dict[str, Any] = {
        "capacity": data.draw(st.integers(1, 4)),
        "traffic": 10,
        "live": data.draw(st.sampled_from((0, 1, None))),
        "faults": [fault for fault in data.draw(testing.faults(plan)) if isinstance(fault, KNOWN)],
        "budget": data.draw(st.builds(Budget, sick=st.integers(0, 2), dies=st.integers(0, 2))),
        "settings": data.draw(SETTINGS),
    }
    script = data.draw(st.binary(max_size=64))
    fast, slow = (kind(plan, choices=Choices.from_bytes(script), **scene) for kind in (SimCloud, EveryCheck))
    with pytest.MonkeyPatch.context() as patch:
        for module in (launching, engine):
            patch.setattr(module, "choose", by_place)
        assert steps(plan, fast) == steps(plan, slow)
    assert fast.timeline.counts() == slow.timeline.counts()
    assert fast.timeline.healthy() == slow.timeline.healthy()
