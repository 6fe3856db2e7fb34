"""Every order of events in worlds of one instance a colour: no promise broken, every end as it says."""

from __future__ import annotations

from collections import Counter

import attrs
import pytest

from bluegreen.core.plan import Deadlines
from bluegreen.core.state import Phase
from bluegreen.strategies import canary
from bluegreen_sim import Budget
from tests.explore.search import search
from tests.explore.small import QUICK, ROUTINGS, SHARED, Case, pairs, small_plan, small_world

pytestmark = pytest.mark.exhaustive


@pytest.mark.parametrize("case", [*pairs()], ids=lambda case: case.name)
def test_two_faults_at_any_moment_break_nothing(case: Case) -> None:
    """Two faults of any kinds, at any moment, both routings: searched to the end, nothing is wrong."""
    nodes, ends, wrong = search(case.plan, case.world, operator=case.operator)
    assert not wrong, "\n".join(sorted(set(wrong))[:5])
    assert ends["promoted"], f"nothing was ever promoted in {nodes} nodes: the search proves nothing"


@pytest.mark.parametrize("routing", ROUTINGS, ids=lambda routing: routing.kind)
def test_tolerable_faults_never_cause_a_retreat(routing: object) -> None:
    """Blind and stale looks, lost answers and refused calls, all at once, in any order: always promoted."""
    plan = small_plan(routing)
    _, ends, wrong = search(plan, small_world(plan, Budget(blind=1, stale=1, lost=1, refused=1)))
    assert not wrong
    assert set(ends) == {"promoted"}


@pytest.mark.parametrize("budget", [Budget(stale=2), Budget(lost=1, blind=1)], ids=["stale", "lost+blind"])
def test_newcomers_of_a_rung_are_waited_for(budget: Budget) -> None:
    """A ladder behind a shared group, two instances, the second joins later and boots slowly: promoted."""
    patient = Deadlines(shift_seconds=90)
    plan = small_plan(SHARED, strategy=canary(34, 5, last_bake_seconds=5), deadlines=patient)
    slow = attrs.evolve(QUICK, boot_seconds=(20,), healthy_threshold=2)
    _, ends, wrong = search(plan, small_world(plan, budget, settings=slow, capacity=2))
    assert not wrong
    assert set(ends) == {"promoted"}


@pytest.mark.parametrize("routing", ROUTINGS, ids=lambda routing: routing.kind)
def test_an_abort_always_finds_a_way_back(routing: object) -> None:
    """L4: with a healthy blue, an abort at any pass before the commit ends rolled back, and never halts."""
    plan = small_plan(routing)
    passes: Counter[Phase] = Counter()
    _, ends, wrong = search(
        plan,
        small_world(plan, Budget(lost=1)),
        operator=("abort",),
        seen=lambda p: passes.update([p.before.phase]),
    )
    assert not wrong
    assert set(ends) == {"promoted", "rolled_back", "refused"}
    assert {Phase.ROLL_BACK, Phase.DISCARD, Phase.DRAIN, Phase.CLEAN_UP} <= set(passes)
