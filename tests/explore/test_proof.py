"""Every order of events in small worlds: no promise broken, every end as it says, no way without an end."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, product

import attrs
import pytest

from bluegreen.core.commands import PrepareVersion
from bluegreen.core.gates import Hook, MetricGate, Window
from bluegreen.core.limits import Deadlines
from bluegreen.core.observation import Observation
from bluegreen.core.plan import Plan, Rung, Strategy
from bluegreen.core.state import State, Step
from bluegreen.strategies import all_at_once, canary, linear, side_by_side
from bluegreen_sim import Budget, Exploration, explore, replay
from bluegreen_sim.faults import KINDS as KINDS_OF_FAULT
from tests.explore.properties import EVERY_PASS, Pass
from tests.explore.small import QUICK, ROUTINGS, SHARED, WEIGHTED, small_plan, small_world

LADDERS = {
    "all at once": (all_at_once(5), all_at_once(5)),
    "canary": (canary(34, 5, last_bake_seconds=5), canary(34, 5, last_bake_seconds=5)),
    "linear": (
        linear(34, 5, keep_blue_seconds=5),
        # Of shares between 50 and 100 a shared target group can show none.
        Strategy(
            tuple(Rung(percent=p, bake_seconds=5) for p in (25, 50, 100)), keep_blue_seconds=5, name="linear"
        ),
    ),
    "side by side": (side_by_side(5), side_by_side(5)),
}
TESTED = small_plan(
    test_rules=("test",),
    gates=(Hook(name="smoke"),),
    limits=attrs.evolve(small_plan().limits, settle_seconds=5),
)
"""Green is reached by a rule of its own before users come."""

KINDS = ("lost", "refused", "stale", "blind", "crashes", "rescales", "acts")
"""What strikes beside one more sick instance than there are of a colour."""

MOST = 400_000
"""States after which a search that does not end is stopped."""

TOLERABLE = Budget(blind=1, stale=1, lost=1, refused=1, crashes=1)


def general(plan: Plan, before: State, look: Observation, step: Step) -> bool:
    """All that holds of every pass, whatever the plan."""
    seen = Pass(plan, before, look, step)
    return all(holds(seen) for holds in EVERY_PASS)


def right(found: Exploration) -> None:
    """Nothing is wrong, and it was a search to the end."""
    assert found.complete, found.verdict
    assert not found.violations, "\n\n".join(map(str, found.violations))


def scenarios() -> list[Plan]:
    """Both routings, both kinds of fleet, every strategy by name."""
    return [
        small_plan(routing, fleets=fleets, strategy=LADDERS[name][routing is SHARED])
        for routing, fleets, name in product(ROUTINGS, ("standing", "replace"), LADDERS)
    ]


def counted(found: Exploration) -> str:
    """A search in a line."""
    rest = "" if found.complete else f", {found.waiting:,} of them in the frontier"
    return f"{found.states:,} states{rest}, {found.edges:,} passes, depth {found.depth}: {found.verdict}"


def named(plan: Plan) -> str:
    """A scenario in three words."""
    tested = " tested" if plan.test_rules else ""
    return f"{plan.routing.kind} {plan.fleets} {plan.strategy.name}{tested}"


IN_PROOF = ("all-at-once", "linear")
"""Of these ladders the search of any two faults waits for `make proof`: others have their rungs, too."""


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "plan",
    [
        pytest.param(plan, marks=pytest.mark.proof if plan.strategy.name in IN_PROOF else ())
        for plan in (*scenarios(), TESTED)
    ],
    ids=named,
)
def test_no_two_faults_break_anything(plan: Plan) -> None:
    """Any two faults of ten kinds, at any moment, one instance a colour: searched to the end."""
    found = explore(plan, 1, 2, shrink=False)
    right(found)
    assert set(found.ends) == {"promoted", "rolled_back", "refused"}


@pytest.mark.exhaustive
@pytest.mark.parametrize("plan", [*scenarios(), TESTED], ids=named)
def test_no_fault_breaks_anything_with_two_instances(plan: Plan) -> None:
    """Any fault, at any moment, two instances a colour: all general properties hold of every pass."""
    right(explore(plan, 2, 1, shrink=False, checks=[general]))


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("instances", "healing"),
    [
        pytest.param(1, True, id="1"),
        pytest.param(2, False, id="2"),
        # What becomes of it once all is well again doubles the states.
        pytest.param(2, True, id="2-healing", marks=pytest.mark.proof),
    ],
)
@pytest.mark.parametrize("plan", scenarios(), ids=named)
def test_more_sick_than_there_are_and_another_fault_break_nothing(
    plan: Plan, instances: int, *, healing: bool, show: Callable[[str], None]
) -> None:
    """One more sick than there are of a colour, beside each other kind of fault: to a fixed point."""
    words = []
    for kind in KINDS:
        budget = Budget(sick=instances + 1, **{kind: 1})
        found = explore(plan, instances, budget, shrink=False, checks=[general], healing=healing)
        right(found)
        words.append(f"{kind} {found.states:,}")
    show(
        f"{named(plan)}, {instances} a colour, sick {instances + 1} and 1 of each, states: {', '.join(words)}"
    )


@pytest.mark.proof
@pytest.mark.parametrize("instances", [1, 2])
@pytest.mark.parametrize("routing", ROUTINGS, ids=lambda routing: routing.kind)
def test_three_kinds_of_fault_break_nothing(
    routing: object, instances: int, show: Callable[[str], None]
) -> None:
    """More sick than there are, beside each pair of other kinds: to a fixed point."""
    for pair in combinations(KINDS, 2):
        if instances == 2 and "rescales" in pair:
            continue  # of these a search of its own, below
        budget = Budget(sick=instances + 1, **dict.fromkeys(pair, 1))
        found = explore(small_plan(routing), instances, budget, shrink=False, checks=[general])
        right(found)
        words = f"{routing.kind}, {instances} a colour, sick {instances + 1}, {' and '.join(pair)}"
        show(f"{words}: {counted(found)}")


@pytest.mark.proof
@pytest.mark.parametrize("routing", ROUTINGS, ids=lambda routing: routing.kind)
def test_all_kinds_of_fault_together_break_nothing(routing: object, show: Callable[[str], None]) -> None:
    """One of each of ten kinds, and a late request, at 1 instance: as far as it comes, nothing is wrong."""
    every = Budget(**dict.fromkeys(KINDS_OF_FAULT, 1))
    found = explore(small_plan(routing), 1, every, shrink=False, checks=[general], most=MOST)
    show(f"{routing.kind}, all kinds at once: {counted(found)}")
    assert not found.violations, found.verdict


@pytest.mark.proof
@pytest.mark.parametrize("budget", [Budget(sick=4), Budget.any(2)], ids=["sick", "any two"])
@pytest.mark.parametrize("routing", ROUTINGS, ids=lambda routing: routing.kind)
def test_three_instances_break_nothing(routing: object, budget: Budget, show: Callable[[str], None]) -> None:
    """Three instances a colour: as far as it comes, nothing is wrong."""
    found = explore(small_plan(routing), 3, budget, shrink=False, checks=[general], most=MOST)
    show(f"{routing.kind}, 3 a colour, {budget}: {counted(found)}")
    assert not found.violations, found.verdict


@pytest.mark.proof
@pytest.mark.parametrize("plan", [*scenarios(), TESTED], ids=named)
def test_no_two_faults_break_anything_with_two_instances(plan: Plan, show: Callable[[str], None]) -> None:
    """Any two faults, at any moment, two instances a colour: all general properties hold of every pass."""
    found = explore(plan, 2, 2, shrink=False, checks=[general])
    show(f"{named(plan)}, 2 a colour, any two: {counted(found)}")
    right(found)


@pytest.mark.proof
@pytest.mark.parametrize("routing", ROUTINGS, ids=lambda routing: routing.kind)
def test_no_three_faults_break_anything(routing: object, show: Callable[[str], None]) -> None:
    """Any three faults of ten kinds, at any moment, one instance a colour."""
    found = explore(small_plan(routing), 1, 3, shrink=False)
    show(f"{routing.kind}, any three: {counted(found)}")
    right(found)


@pytest.mark.exhaustive
@pytest.mark.parametrize("plan", scenarios(), ids=named)
def test_a_request_of_a_superseded_process_breaks_nothing(plan: Plan) -> None:
    """S12: it arrives at any moment and an operator acts at any: every promise holds, every end is right."""
    found = explore(plan, 1, Budget(late=1, acts=1), shrink=False, checks=[general])
    right(found)
    assert set(found.ends) == {"promoted", "rolled_back", "refused"}


@pytest.mark.proof
@pytest.mark.parametrize("plan", scenarios(), ids=named)
def test_a_second_deployer_and_any_other_fault_break_nothing(plan: Plan, show: Callable[[str], None]) -> None:
    """S12: a late request of a superseded process and any other fault, at any moments, to a fixed point."""
    found = explore(plan, 1, Budget.any(2, late=1), shrink=False, checks=[general])
    show(f"{named(plan)}, a late request and any other fault: {counted(found)}")
    right(found)


@pytest.mark.exhaustive
@pytest.mark.parametrize("routing", ROUTINGS, ids=lambda routing: routing.kind)
def test_tolerable_faults_never_cause_a_retreat(routing: object) -> None:
    """L8: blind and stale looks, lost answers, refused calls and crashes, all at once: always promoted."""
    patient = Deadlines(**{field.name: 120 for field in attrs.fields(Deadlines)})
    found = explore(small_plan(routing, deadlines=patient), 1, TOLERABLE, shrink=False, healing=False)
    right(found)
    assert set(found.ends) == {"promoted"}


@pytest.mark.exhaustive
@pytest.mark.parametrize("budget", [Budget(stale=2), Budget(lost=1, blind=1)], ids=["stale", "lost+blind"])
def test_newcomers_of_a_rung_are_waited_for(budget: Budget) -> None:
    """A ladder behind a shared group, two instances, the second joins later and boots slowly: promoted."""
    patient = Deadlines(shift_seconds=90)
    plan = small_plan(SHARED, strategy=canary(34, 5, last_bake_seconds=5), deadlines=patient)
    slow = attrs.evolve(QUICK, boot_seconds=(20,), healthy_threshold=2)
    found = explore(plan, 2, budget, settings=slow, shrink=False, checks=[general])
    right(found)
    assert set(found.ends) == {"promoted"}


@pytest.mark.exhaustive
@pytest.mark.parametrize("routing", ROUTINGS, ids=lambda routing: routing.kind)
def test_an_abort_always_finds_a_way_back(routing: object) -> None:
    """L4: with a healthy blue, operators' acts and a lost answer at any moment never end halted."""
    halted = []
    found = explore(
        small_plan(routing),
        1,
        Budget(acts=1, lost=1),
        shrink=False,
        healing=False,
        visit=lambda _before, _edge, after: (
            halted.append(after) if after.mind.state.phase.value == "halted" else None
        ),
    )
    right(found)
    assert not halted
    assert set(found.ends) == {"promoted", "rolled_back", "refused"}


@pytest.mark.exhaustive
@pytest.mark.parametrize("routing", ROUTINGS, ids=lambda routing: routing.kind)
def test_a_version_made_by_others_is_checked_too(routing: object) -> None:
    """A plan that names a version: any two faults, and every promise holds; no version is made."""

    def makes_none(_plan: Plan, _state: State, _look: Observation, commands: tuple[object, ...]) -> bool:
        return not any(isinstance(command, PrepareVersion) for command in commands)

    found = explore(small_plan(routing).with_version(7), 1, 2, shrink=False, invariants=(makes_none,))
    right(found)
    assert set(found.ends) == {"promoted", "rolled_back", "refused"}


@pytest.mark.exhaustive
@pytest.mark.parametrize("routing", ROUTINGS, ids=lambda routing: routing.kind)
def test_a_green_that_is_kept_breaks_nothing(routing: object) -> None:
    """A failed green is kept for a time: any two faults, operators included, and every promise holds."""
    found = explore(small_plan(routing, keep_failed_green_seconds=10), 1, 2, shrink=False)
    right(found)
    assert set(found.ends) == {"promoted", "rolled_back", "refused"}


@pytest.mark.exhaustive
def test_a_first_release_is_checked_too() -> None:
    """No group is live: any two faults, and it ends or halts, should all be well again from any state on."""
    found = explore(small_plan(WEIGHTED, capacity=1), 1, 2, shrink=False, live=None)
    right(found)
    assert found.ends["promoted"]
    assert "what becomes of a first release that halts" in found.bounds.uncovered


def test_a_promise_of_the_users_own_that_does_not_hold_is_a_story_that_can_be_replayed() -> None:
    """That green never stands alone is refuted by a shortest way, told on a screen, replayed from a line."""

    def blue_stays(plan: Plan, state: State, look: Observation, commands: tuple[object, ...]) -> bool:
        del plan, look
        return not any(getattr(c, "fleet", "") == state.blue and getattr(c, "size", 1) == 0 for c in commands)

    plan = small_plan(WEIGHTED)
    found = explore(plan, 1, 1, shrink=False, invariants=[blue_stays])
    assert not found.ok
    (violation,) = found.violations
    assert violation.name == "blue_stays"
    text = str(violation)
    assert len(text.splitlines()) < 50
    assert "size of a to 0" in text.splitlines()[-4]
    assert "✗ blue_stays" in text.splitlines()[-1]
    again = replay(plan, violation.script, 1, 1, shrink=False, invariants=[blue_stays])
    assert str(again) == str(violation.story)


def test_a_search_that_was_stopped_is_no_proof() -> None:
    """Stopped at N states it is not ok, and the verdict says so."""
    found = explore(small_plan(WEIGHTED), 1, 1, most=100)
    assert not found.ok
    assert not found.complete
    assert not found.violations
    assert "not a proof" in found.verdict


def test_the_bounds_say_what_was_not_covered() -> None:
    """A plan whose times were shortened says so in words, beside what was covered."""
    plan = small_plan(WEIGHTED, strategy=canary(10, 3_600), deadlines=Deadlines())
    words = str(explore(plan, 1, 0).bounds)
    assert "bakes 3600, 60 → 5, 5 s" in words
    assert "scale_up 900 → 60" in words
    assert "Not covered" in words
    assert "Smaller" not in str(explore(small_plan(WEIGHTED), 1, 0, shrink=False).bounds)


@pytest.mark.exhaustive
def test_the_number_of_states_is_pinned() -> None:
    """A change of the core, the world or the search that changes what can happen shows as a number."""
    counts = {}
    for routing in ROUTINGS:
        found = explore(small_plan(routing), 1, 1, shrink=False, healing=False)
        counts[routing.kind] = (found.states, found.edges)
    assert counts == {"weighted": (1228, 1660), "shared": (894, 1259)}


def test_the_beginning_may_be_any_world() -> None:
    """A world of one's own is where the search begins; its budget is what may go wrong."""
    plan = small_plan(SHARED)
    found = explore(plan, world=small_world(plan, Budget(lost=1)), shrink=False)
    right(found)
    assert set(found.ends) == {"promoted"}


def test_every_kind_of_gate_is_searched() -> None:
    """Metrics, windows and hooks that fail, or cannot say yet, in any pass: no promise is broken by that."""
    gates = (
        Window(name="office"),
        MetricGate(name="errors", metric="RequestCount", threshold=1),
        Hook(name="before", phases=("PRE_SCALE_UP",)),
        Hook(name="while", phases=("PRODUCTION_TRAFFIC_SHIFT",)),
    )
    plan = small_plan(strategy=all_at_once(5), gates=gates)
    found = explore(plan, instances=1, faults=Budget(reds=1))
    assert found.ok, found.violations
    assert found.states > 100
