"""The plans that are measured, and the loop without a journal."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import evolve, frozen

import bluegreen
from bluegreen.core.machine import initial, step
from bluegreen.core.observation import Observation, Outcome
from bluegreen.deployment import carry_out
from bluegreen_sim import SimCloud

SEED = 1


def canary() -> bluegreen.Plan:
    """A canary of 10 % by weights, with the default times."""
    return bluegreen.Plan(
        service="exercise",
        image="ami-0beta",
        launch_template="exercise-launch-template",
        groups=("exercise-group-blue", "exercise-group-green"),
        routing=bluegreen.WeightedTargetGroups("exercise-blue", "exercise-green"),
        strategy=bluegreen.strategies.canary(10),
    )


@frozen
class Pass:
    """One pass: the state before, the look, the decision."""

    state: bluegreen.State
    look: Observation
    step: bluegreen.Step


def passes(plan: bluegreen.Plan, cloud: SimCloud) -> Iterator[Pass]:
    """A whole deployment as ``step`` and ``carry_out`` make it: no journal, nothing logged."""
    state = initial("bench-1", cloud.clock.now())
    outcomes: tuple[Outcome, ...] = ()
    while True:
        look = evolve(cloud.observe(plan, state.ledger), outcomes=outcomes)
        decided = step(plan, state, look)
        yield Pass(state, look, decided)
        state = decided.state
        if state.phase.ended or state.phase is bluegreen.Phase.HALTED:
            return
        outcomes = carry_out(plan, state, look, decided.commands, cloud)
        cloud.clock.sleep(decided.wake_at - cloud.clock.now())
