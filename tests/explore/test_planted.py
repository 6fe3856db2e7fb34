"""Real bugs, planted: the general checks of a search find each, and none was written for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bluegreen.core.observation import Observation
from bluegreen.core.plan import Plan
from bluegreen.core.state import State, Step
from bluegreen_sim import Exploration, explore
from tests.explore.planted import BUGS, Bug, bindings
from tests.explore.properties import EVERY_PASS, Pass


def named(holds: Callable[[Pass], bool]) -> Callable[[Plan, State, Observation, Step], bool]:
    """A property of a pass, as a check of ``explore``."""

    def check(plan: Plan, before: State, look: Observation, step: Step) -> bool:
        return holds(Pass(plan, before, look, step))

    check.__name__ = holds.__name__
    return check


PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "real-bugs.md"
CHECKS = [named(holds) for holds in EVERY_PASS]


def searched(bug: Bug, *, first_only: bool = False) -> Exploration:
    """The search in which the bug can show; a bug may make it endless."""
    return explore(bug.plan, world=bug.world, shrink=False, checks=CHECKS, most=20_000, first_only=first_only)


@pytest.mark.exhaustive
def test_without_a_bug_nothing_is_wrong() -> None:
    """In every plan in which a bug is planted, with the same faults, nothing is wrong without it."""
    for bug in {repr((bug.plan, bug.world)): bug for bug in BUGS}.values():
        found = searched(bug)
        assert found.ok, f"{bug.id}: {found.verdict}"


@pytest.mark.exhaustive
@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.id)
def test_a_planted_bug_is_caught(bug: Bug, show: Callable[[str], None]) -> None:
    """With the bug in the product something is wrong, and a story says what."""
    with bug.planted():
        found = searched(bug, first_only=True)
    show(
        f"| {bug.id} | {bug.what} | {'; '.join(v.name for v in found.violations)} | {found.states:,} states |"
    )
    assert found.violations


def test_every_real_bug_is_told_of() -> None:
    """The page of real bugs has a row for each of the 32, with the place where it is planted."""
    rows = {row.split(" | ")[0].strip("| "): row for row in PAGE.read_text().splitlines() if row[:3] == "| M"}
    assert list(rows) == [f"M{n}" for n in range(1, 33)]
    assert all(bug.where in rows[bug.id] and f"| {bug.what} |" in rows[bug.id] for bug in BUGS)


def test_a_place_that_is_gone_is_an_error() -> None:
    """A bug whose function was renamed does not pass for one that was caught."""
    with pytest.raises(KeyError):
        bindings("core.targets:no_such_function")
    with pytest.raises(KeyError):
        bindings("core.plan:Plan.no_such_method")
