"""The crash matrix (L3): each phase × each kind of fault × each strategy, killed at every boundary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import attrs
import pytest

from bluegreen import Deployment, strategies
from bluegreen.core.state import FORWARD, Ledger, Phase, State
from bluegreen.journal.history import Story
from bluegreen_sim.faults import (
    AlarmRed,
    BlindLook,
    Dies,
    EditBounds,
    EditWeights,
    LaunchFails,
    LostAnswer,
    NeverHealthy,
    RefusedCall,
    Rescale,
    Sick,
    SlowBoot,
    StaleLook,
)
from tests.crash.boundaries import Case, End, Lives, telling, whole
from tests.explore.planted import substituted
from tests.scenarios.story import ALARM, FLEETS, ROUTINGS

pytestmark = pytest.mark.crash

STRIKES = {
    "nothing": (),
    "answer lost": (LostAnswer(1),),
    "call lost": (LostAnswer(1, applied=False),),
    "throttled": (RefusedCall(1),),
    "forbidden": tuple(RefusedCall(call, "identity") for call in range(1, 30)),
    "stale look": (StaleLook(1),),
    "blind look": (BlindLook(1),),
    "no capacity": (LaunchFails(2),),
    "slow boot": (SlowBoot(60),),
    "green is broken": (NeverHealthy("green"),),
    "green sick": (Sick("green", 0),),
    "green dies": (Dies("green", 0),),
    "blue sick": (Sick("blue", 0),),
    "blue dies": (Dies("blue", 0),),
    "scaled out": (Rescale("blue", 1, 0),),
    "bounds edited": (EditBounds("blue", 1, 5, 0),),
    "weights edited": (EditWeights((("blue", 60), ("green", 40)), 0),),
    "alarm": (AlarmRed(ALARM.name, 0),),
    "abort": ("abort",),
    "pause": ("pause",),
}
LADDERS = {
    "all at once": {"weighted": strategies.all_at_once(20), "shared": strategies.all_at_once(20)},
    "canary": {
        "weighted": strategies.canary(10, 20, last_bake_seconds=20),
        "shared": strategies.canary(34, 20, last_bake_seconds=20),
    },
    "linear": {
        "weighted": strategies.linear(34, 20, keep_blue_seconds=20),
        "shared": strategies.linear(50, 20, keep_blue_seconds=20),
    },
    "side by side": {"weighted": strategies.side_by_side(20), "shared": strategies.side_by_side(20)},
}
PHASES = (Phase.PREFLIGHT, *FORWARD, Phase.DRAIN, Phase.CLEAN_UP)
BACK = (Phase.ROLL_BACK, Phase.DISCARD)

FIRST = (("weighted", "standing", "canary"), ("shared", "replace", "side by side"))
"""What the test tier tries: one strategy for each routing, and not every boundary."""

EVERY = 12
"""Of the later boundaries the test tier takes one of so many, others in each case."""

A_PASS = 8
"""Boundaries of the pass after the strike; the test tier takes every other one."""

Matrix = Counter[tuple[Phase, str]]
"""How often a process died in a phase that was on record, beside a fault."""


def cases(routing: str, fleets: str, ladder: str) -> Iterator[tuple[str, Case]]:
    """Each fault in each phase: on the way to a promotion, and on the way back from a broken green."""
    plan: dict[str, Any] = {"strategy": LADDERS[ladder][routing]}
    if (routing, ladder) == ("weighted", "canary"):
        plan["test_rules"] = ("web-test",)
    for (name, strikes), phase in product(STRIKES.items(), (*PHASES, *BACK)):
        if name == "weights edited" and routing == "shared":
            continue
        broken = (NeverHealthy("green"),) if phase in BACK else ()
        yield (
            name,
            Case(routing=routing, fleets=fleets, faults=broken, at=phase, strikes=strikes, changes=plan),
        )


def survives(case: Case, name: str, matrix: Matrix, *, first: slice, later: slice) -> None:
    """Killed in the pass after the strike, or at a later boundary: the same end as without a crash."""
    unharmed = whole(case)
    assert unharmed.struck_at, f"{name} never struck in {case.at}"
    expected, struck, count = unharmed.end(), unharmed.struck_at, len(unharmed.boundaries)
    soon = range(struck + 1, min(struck + A_PASS, count) + 1)
    late = [n for n in telling(unharmed.boundaries) if n > struck + A_PASS]
    for n in (*soon[first], *late[later]):
        lives = Lives(case)
        assert not lives.live(n), "it died at a boundary that the run without a crash passed"
        assert lives.live()
        matrix[lives.died_in[0], name] += 1
        assert alike(lives.end(), expected), f"{name} in {case.at}, died {unharmed.boundaries[n - 1]} ({n})"


def alike(end: End, expected: End) -> bool:
    """Whether two ends are one. How far green had come when a person was called may differ by a command."""
    if expected.phase is not Phase.HALTED:
        return end == expected
    blue = [[group for group in e.groups if group[0] == "web-a"] for e in (end, expected)]
    return (end.phase, end.rule, blue[0]) == (expected.phase, expected.rule, blue[1])


def told(matrix: Matrix) -> str:
    """The matrix as a table: rows are phases, columns faults."""
    names = list(dict.fromkeys(name for _, name in matrix))
    head = f"{'died in':12} " + " ".join(f"{name:>15}" for name in names)
    rows = [
        f"{phase.value:12} " + " ".join(f"{matrix[phase, name]:15,}" for name in names)
        for phase in (*PHASES, *BACK)
    ]
    count = f"{sum(matrix.values()):,} crashes, each with the end of the run without one"
    return "\n".join([head, *rows, count])


def never(matrix: Matrix, routing: str) -> list[tuple[Phase, str]]:
    """The cells in which nothing ever died."""
    names = [name for name in STRIKES if name != "weights edited" or routing == "weighted"]
    return [cell for cell in product((*PHASES, *BACK), names) if not matrix[cell]]


@pytest.mark.slow
@pytest.mark.parametrize("kind", FIRST, ids="-".join)
def test_a_crash_beside_any_fault_in_any_phase_changes_nothing(
    kind: tuple[str, str, str], show: Callable[[str], None]
) -> None:
    """One strategy for each routing: every kind of fault in every phase, killed at some of the boundaries."""
    matrix = Matrix()
    for number, (name, case) in enumerate(cases(*kind)):
        some = slice(number % EVERY, None, EVERY)
        survives(case, name, matrix, first=slice(number % 2, None, 2), later=some)
    show(f"crash matrix, {', '.join(kind)}:\n{told(matrix)}")
    assert not never(matrix, kind[0])


@pytest.mark.proof
@pytest.mark.parametrize("kind", list(product(ROUTINGS, FLEETS, LADDERS)), ids="-".join)
def test_the_whole_crash_matrix(kind: tuple[str, str, str], show: Callable[[str], None]) -> None:
    """Every strategy, routing and kind of fleet: killed at each boundary after each fault in each phase."""
    matrix = Matrix()
    for name, case in cases(*kind):
        survives(case, name, matrix, first=slice(None), later=slice(None))
    show(f"crash matrix, {', '.join(kind)}:\n{told(matrix)}")
    assert not never(matrix, kind[0])


@pytest.mark.slow
@pytest.mark.parametrize("act", ["nothing", "abort"])
@pytest.mark.parametrize("kind", FIRST, ids="-".join)
def test_a_crash_in_recovery_changes_nothing(kind: tuple[str, str, str], act: str) -> None:
    """Killed, and killed again at each of the first boundaries of the process that takes over."""
    routing, fleets, ladder = kind
    plan = {"strategy": LADDERS[ladder][routing]}
    case = Case(routing=routing, fleets=fleets, at=Phase.BAKE, strikes=STRIKES[act], changes=plan)
    unharmed = whole(case)
    expected = unharmed.end()
    for first, second in product(telling(unharmed.boundaries)[::6], range(1, 9)):
        lives = Lives(case)
        assert not lives.live(first)
        assert lives.live(second) or lives.live()
        assert lives.end() == expected, (unharmed.boundaries[first - 1], first, second)


def test_a_process_that_forgets_what_was_borrowed_is_caught() -> None:
    """With a ledger that is lost when the next process loads the journal, some crash ends otherwise."""

    def make(real: Callable[..., State]) -> Callable[..., State]:
        def wrong(deployment: Deployment, story: Story) -> State:
            lost = Ledger(story.state.ledger.deployment_id)
            return real(deployment, attrs.evolve(story, state=story.state.replaced(ledger=lost)))

        return wrong

    case = Case(routing="weighted", fleets="standing", at=Phase.BAKE, strikes=("abort",))
    whole(case)
    with substituted("deployment:Deployment._go_on_from", make), pytest.raises(AssertionError, match="died"):
        survives(case, "abort", Matrix(), first=slice(None), later=slice(None))
