"""The table of transitions, changed cell by cell: general properties tell every change from the real one.

None of the properties stores the table, its diagram, a trace or a count. Moments at which a cell decides are
collected by exploring small worlds; then the cell is changed to each other phase, and each moment is lived
through again with the changed table, to the end.
"""

from __future__ import annotations

from collections.abc import Iterator

import attrs
import pytest

from bluegreen.core import machine
from bluegreen.core.machine import NEVER, STAY, TRANSITIONS
from bluegreen.core.signals import Signal
from bluegreen.core.state import Phase
from bluegreen_sim import Budget, Choices, World, enumerate_runs, explore
from bluegreen_sim.oracle import wrong_end
from bluegreen_sim.search.nodes import Edge, Node
from bluegreen_sim.search.retelling import Plainly, Then
from tests.explore.harness import play
from tests.explore.properties import Pass, violations
from tests.explore.small import Case, corners, pairs
from tests.explore.watched import Watched

Cell = tuple[Phase, Signal]
Moment = tuple[Case, Then]

PER_CELL = 12
"""Moments kept of each cell, from as many different worlds as there are."""


def moments() -> dict[Cell, list[Moment]]:
    """For each cell that ever decides: some of the moments at which it does."""
    found: dict[Cell, list[Moment]] = {}
    for case in [*corners(), *pairs()]:
        mine: dict[Cell, Then] = {}

        def visit(node: Node, edge: Edge, _: Node, mine: dict[Cell, Then] = mine) -> None:
            if edge.decision is not None:
                state = node.mind.state
                cell = (state.phase, Signal(edge.decision.step.signal))
                if cell not in mine:
                    world = node.place.world.replaced(budget=node.purse.budget)
                    mine[cell] = Then(world, state, node.told.outcomes)

        explore(case.plan, world=case.world, shrink=False, healing=False, visit=visit)
        for cell, then in mine.items():
            kept = found.setdefault(cell, [])
            if len(kept) < PER_CELL:
                kept.append((case, then))
    return found


@pytest.fixture(scope="module")
def decided() -> dict[Cell, list[Moment]]:
    """The moments, searched once."""
    return moments()


def objections(case: Case, then: Then, cell: Cell) -> Iterator[str]:
    """What the properties say of this moment and of what follows from it."""

    def run(choices: Choices) -> Plainly:
        passing = Plainly(case.plan, then, choices)
        passing.run()
        return passing

    for passing in enumerate_runs(run):
        step, look = passing.step, passing.look
        if step is None or look is None or (then.state.phase, Signal(step.signal)) != cell:
            continue
        yield from violations([Pass(case.plan, then.state, look, step)])
        yield from passing.broken
        yield from aftermath(case, then.after(passing))


def aftermath(case: Case, then: Then) -> Iterator[str]:
    """The rest of the run, with nothing more going wrong, nobody pausing and everything approved."""
    state = attrs.evolve(then.state, paused=False, approved=99)
    quiet: World = then.world.replaced(budget=Budget())
    cloud = Watched(case.plan, traffic=0, world=quiet, choices=Choices.scripted(()), floor=state.floor)
    last = None
    for last in play(case.plan, cloud, state=state, outcomes=then.outcomes, most=200):
        yield from violations([last])
    yield from cloud.crossings
    assert last is not None
    if last.step.state.phase.ended:
        # Before the moment nothing is counted: of a refusal only that nothing was sent from here on.
        yield from wrong_end(case.plan, case.world, cloud.world, last.step.state, calls=cloud.calls)


def caught(case: Case, then: Then, cell: Cell) -> bool:
    """Whether anything objects; an assertion of the product's own, or a run without an end, does too."""
    try:
        return next(objections(case, then, cell), None) is not None
    except (AssertionError, ValueError, TypeError, KeyError):
        return True


@pytest.mark.exhaustive
def test_the_real_table_raises_no_objection(decided: dict[Cell, list[Moment]]) -> None:
    """At every collected moment, and to the end after it, nothing objects to the real table."""
    for cell, kept in decided.items():
        for case, then in kept:
            assert next(objections(case, then, cell), None) is None, (cell, case.name)


@pytest.mark.exhaustive
def test_every_live_cell_is_reached(decided: dict[Cell, list[Moment]]) -> None:
    """Each cell that is not NEVER decides somewhere in these worlds, and no cell that is."""
    live = {
        (phase, signal)
        for phase, row in TRANSITIONS.items()
        for signal, found in row.items()
        if found is not NEVER
    }
    ends = {cell for cell in live if cell[0].ended}
    assert live - ends == set(decided)


@pytest.mark.exhaustive
def test_changed_cells_are_caught(decided: dict[Cell, list[Moment]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each live cell, changed to each other value, is told from the real table by a general property."""
    tried, missed = 0, []
    for cell, kept in sorted(decided.items(), key=lambda item: (item[0][0].value, item[0][1].value)):
        phase, signal = cell
        real = TRANSITIONS[phase][signal]
        for other in (*Phase, STAY):
            same = other is real or (real is STAY and other is phase) or (other is STAY and real is phase)
            if same:
                continue
            tried += 1
            changed = {**TRANSITIONS, phase: {**TRANSITIONS[phase], signal: other}}
            monkeypatch.setattr(machine, "TRANSITIONS", changed)
            if not any(caught(case, then, cell) for case, then in kept):
                missed.append(
                    f"{phase.value} {signal.value} {other.value if isinstance(other, Phase) else '='}"
                )
            monkeypatch.setattr(machine, "TRANSITIONS", TRANSITIONS)
    print(f"\n{tried - len(missed)} of {tried} changed cells caught")
    assert tried > 600
    assert not missed
