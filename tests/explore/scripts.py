"""A whole simulated deployment out of one string of bytes: its plan, its world, and all that goes wrong.

For volume: there is nothing between the bytes and the run. The first bytes choose plan and world. The others
come in pairs, how many choices go well and which option the next one takes, so that a short string reaches to
the end of a deployment. Fewer and smaller bytes are a simpler run, and every string is one.
"""

from __future__ import annotations

import attrs
from attrs import frozen

from bluegreen.core.gates import Alarm, Hook
from bluegreen.core.limits import Limits
from bluegreen.core.machine import initial
from bluegreen.core.observation import ErrorClass
from bluegreen.core.plan import Plan, Rung, Strategy
from bluegreen.core.state import Phase, State
from bluegreen.strategies import all_at_once, canary, linear, side_by_side
from bluegreen_sim import Budget, Choices, RefusedCall, SimCloud
from bluegreen_sim.oracle import wrong_end
from bluegreen_sim.search.retelling import Plainly, Then
from bluegreen_sim.world import World
from tests.explore.properties import Pass, violations
from tests.explore.small import QUICK, SHARED, WEIGHTED, small_plan, small_world

MOST = 400
"""Passes after which a deployment that has not ended and does not rest goes in circles."""

PATIENCE = 8
"""Looks in a row after which nobody comes any more for what has halted."""

SCENE = 17
"""Bytes that choose plan and world."""

GAPS = 12
"""Between two choices that do not take the kind option there are fewer than so many that do."""

ASKS = Strategy((Rung(percent=50, bake_seconds=5, approval=True), Rung(percent=100)), keep_blue_seconds=10)
LADDERS = (all_at_once(5), canary(34, 5, last_bake_seconds=5), linear(50, 5, keep_blue_seconds=5), ASKS)


@frozen
class Run:
    """What became of a script.

    Args:
        state: The last state.
        passes: How many there were.
        wrong: What was wrong, one line each.
        seen: Words for what was reached: phases, commands, classes of errors.
    """

    state: State
    passes: int
    wrong: tuple[str, ...]
    seen: frozenset[str]


def unpacked(script: bytes) -> bytes:
    """One byte for each choice: so many times the kind option, then the other one."""
    return b"".join(
        bytes(gap % GAPS) + bytes([option]) for gap, option in zip(script[::2], script[1::2], strict=False)
    )


def scene(choices: Choices) -> tuple[Plan, World]:
    """The plan and the world that a script begins with."""
    routing = choices.pick((WEIGHTED, SHARED))
    ladder = choices.pick((*LADDERS, side_by_side(5)))
    plan = small_plan(
        routing,
        strategy=ladder,
        fleets=choices.pick(("standing", "replace")),
        min_healthy_percent=choices.pick((100, 50, 70)),
        on_blue_sick=choices.pick(("continue", "expedite", "hold")),
        gates=choices.pick(
            ((), (Alarm(name="5xx"),), (Hook(name="smoke", phases=("test_traffic", "bake")),))
        ),
        limits=choices.pick(
            (
                Limits(poll_seconds=5, proof_looks=2, proof_seconds=5, blind_grace_seconds=10),
                Limits(poll_seconds=5, proof_looks=1, proof_seconds=0, blind_grace_seconds=0, rewrites=1),
            )
        ),
        retain_seconds=choices.pick((0, 5)),
        freeze_scaling=choices.pick((False, True)),
        capacity=1,
        test_rules=() if routing is SHARED else choices.pick(((), ("test",))),
    )
    settings = attrs.evolve(QUICK, deregistration_seconds=choices.pick((5, 40)), termination="each")
    refused = choices.pick((None, *ErrorClass))
    faults = (RefusedCall(1 + choices.pick(range(12)), refused.value),) if refused else ()
    most = choices.pick((4, 0, 1, 2, 3))
    budget = Budget.any(most, late=min(most, choices.pick((0, 1))))
    live, capacity = choices.pick((0, 1, None)), choices.pick((2, 1, 3))
    return plan, small_world(plan, budget, faults, settings, live=live, capacity=capacity)


def run(script: bytes) -> Run:
    """Live a script through, with every pass held to every property, and its end to ground truth."""
    plan, world = scene(Choices.from_bytes(script[:SCENE]))
    choices = Choices.from_bytes(unpacked(script[SCENE:]))
    then = Then(world, initial("web-1", 0.0))
    wrong: list[str] = []
    seen: set[str] = set()
    cloud: SimCloud | None = None
    halted = 0
    passes = 0
    while passes < MOST:
        passes += 1
        passing = Plainly(plan, then, choices, cloud)
        cloud = passing.cloud
        passing.run()
        wrong += passing.broken
        if passing.step is not None and passing.look is not None:
            wrong += violations([Pass(plan, then.state, passing.look, passing.step)])
            seen.add(passing.step.state.phase.value)
            seen.update(type(command).__name__ for command in passing.step.commands)
            seen.update(outcome.error.value for outcome in passing.outcomes if outcome.error)
        then = then.after(passing)
        halted = halted + 1 if then.state.phase is Phase.HALTED else 0
        if wrong or halted > PATIENCE or then.state.phase.ended:
            break
    else:
        wrong.append(f"no end after {MOST} passes, in {then.state.phase.value}")
    resized = world.budget.rescales > 0
    wrong += wrong_end(plan, world, then.world, then.state, resized=resized)
    return Run(then.state, passes, tuple(wrong), frozenset(seen))
