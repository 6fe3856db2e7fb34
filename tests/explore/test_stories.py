"""What is found is told, with no fault that says nothing to it, and in a line that tells it again."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluegreen.core.observation import Observation
from bluegreen.core.plan import Plan
from bluegreen.core.state import Phase, State, Step
from bluegreen_sim import Budget, Settings, SimCloud, explore, replay
from bluegreen_sim.search.bounds import Bounds
from bluegreen_sim.search.proof import ENDS, HEALS, PROMOTES
from bluegreen_sim.search.stories import Script
from tests.explore.planted import BUGS
from tests.explore.small import SHARED, WEIGHTED, small_plan, small_world

PLAN = small_plan(WEIGHTED)


def blue_stays(_plan: Plan, state: State, _look: Observation, commands: tuple[object, ...]) -> bool:
    """That blue keeps its instances: not so, without any fault."""
    return not any(getattr(c, "fleet", "") == state.blue and getattr(c, "size", 1) == 0 for c in commands)


def never_blind(_plan: Plan, state: State, look: Observation, _commands: object) -> bool:
    """That every look is whole: not so, with one fault."""
    return state.phase is not Phase.BAKE or not look.unread


@pytest.mark.parametrize("faults", [1, 2, Budget(crashes=2, blind=1)])
def test_a_story_has_no_fault_that_is_not_needed(faults: int | Budget) -> None:
    """However many faults there may be, what breaks without is told without, and what takes one with one."""
    found = explore(PLAN, 1, faults, invariants=[blue_stays, never_blind])
    stories = {violation.name: violation.story for violation in found.violations}
    wrong = {
        name: [words for moment in story.moments for words in moment.went_wrong]
        for name, story in stories.items()
    }
    assert wrong == {"blue_stays": [], "never_blind": ["a look sees nothing"]}
    assert "✗ never_blind" in str(stories["never_blind"])
    without = explore(PLAN, 1, 0, invariants=[blue_stays])
    assert str(stories["blue_stays"]) == str(without.violations[0].story)


@pytest.mark.parametrize("faults", [0, 1, 2])
def test_a_script_tells_the_same_story_within_its_bounds(faults: int) -> None:
    """Given what the search was given, a script tells what was found, word for word."""

    def commands_are_none(_plan: Plan, _before: State, _look: Observation, step: Step) -> bool:
        return not step.commands

    mine: dict[str, Any] = {"invariants": [blue_stays], "checks": [commands_are_none]}
    found = explore(PLAN, 1, faults, **mine)
    assert [violation.name for violation in found.violations] == ["commands_are_none", "blue_stays"]
    for violation in found.violations:
        again = replay(PLAN, violation.script, 1, faults, **mine)
        assert str(again) == str(violation.story)
        assert f"✗ {violation.name}" in str(again)


def test_a_story_is_judged_as_the_search_judged() -> None:
    """The look is at 0 for a promise of one's own wherever it is asked, so the story shows where it broke."""
    times = set()

    def not_at_once(_plan: Plan, state: State, look: Observation, _commands: object) -> bool:
        times.add(look.at)
        return state.phase is not Phase.SHIFT or look.at > 0

    (violation,) = explore(PLAN, 1, 0, invariants=[not_at_once]).violations
    assert "✗ not_at_once" in str(violation)
    assert times == {0}


def test_a_promise_that_raises_is_broken_there() -> None:
    """A mistake in a promise of one's own has a story like any other, under its name and its own words."""

    def of_green(_plan: Plan, state: State, look: Observation, _commands: object) -> bool:
        return bool({}[state.phase] if look.shares and state.phase is Phase.SHIFT else look)

    (violation,) = explore(PLAN, 1, 0, invariants=[of_green]).violations
    assert violation.name.startswith("of_green raised KeyError")
    assert "✗ of_green raised KeyError" in str(violation).splitlines()[-1]


def test_what_can_never_be_is_told_by_what_is_instead() -> None:
    """A first release without a size is never promoted; the story tells the refusal and why."""
    found = explore(small_plan(SHARED), faults=0, live=None)
    (violation,) = found.violations
    assert (violation.name, violation.kind) == (PROMOTES, "never")
    assert "set capacity" in str(violation)
    assert str(replay(small_plan(SHARED), violation.script, faults=0, live=None)) == str(violation.story)


def test_a_circle_is_told_as_one() -> None:
    """Of a way that never ends the story says from where on it repeats itself, and so does its script."""
    (bug,) = (bug for bug in BUGS if bug.what == "a ladder that never reaches its end")
    with bug.planted():
        found = explore(bug.plan, world=bug.world)
        circles = [violation for violation in found.violations if violation.kind == "cycle"]
        assert {violation.name for violation in circles} == {ENDS, HEALS}
        for violation in circles:
            lines = str(violation).splitlines()
            at = lines.index(f"{'':10}From here on the same happens again and again.")
            assert 0 < at < len(lines) - 1
            assert str(replay(bug.plan, violation.script, world=bug.world)) == str(violation.story)


NUMBERS = st.integers(0, 9_999)


@given(
    options=st.lists(st.integers(0, 99), max_size=20),
    passes=NUMBERS,
    marks=st.tuples(*[st.none() | NUMBERS] * 3),
)
def test_a_script_says_all_of_a_way(
    options: list[int], passes: int, marks: tuple[int | None, int | None, int | None]
) -> None:
    """What is written is read back; choices at the end that are the usual ones need not be said."""
    while options and not options[-1]:
        options.pop()
    script = Script(tuple(options), passes, *marks)
    assert Script.read(str(script)) == script


@pytest.mark.parametrize(
    "text", ["", "what", "-3", "0:-1,3", "0:9,3", "9999:1,3", "900", "1,2,3", "h1", "0:1,h-1,3", "1:2:3,4"]
)
def test_what_is_no_script_is_refused(text: str) -> None:
    """No text, a negative number, a choice that is not there or never made, a pass after the end."""
    with pytest.raises(ValueError, match="is no script"):
        replay(PLAN, text, 1, 0)


def test_what_cannot_be_checked_is_refused_all_at_once() -> None:
    """Numbers that are none, a group that is not there, promises that cannot be called: a line for each."""
    wrong: dict[str, Any] = {
        "instances": 0,
        "faults": -1,
        "live": 2,
        "most": 0,
        "invariants": [lambda plan: plan],
        "checks": ["mine"],
    }
    with pytest.raises(ValueError, match="must be") as refused:
        explore(PLAN, **wrong)
    lines = str(refused.value).splitlines()
    assert [line.split(": ")[0] for line in lines] == [
        *("instances", "faults", "live", "most", "invariants[0]", "checks[0]")
    ]


@pytest.mark.parametrize("count", [-1, 1.5, "1", True])
def test_a_budget_counts_faults(count: Any) -> None:
    """A number of faults is a whole number from 0; all that is not is told at once."""
    with pytest.raises(ValueError, match="whole number") as refused:
        Budget(sick=count, late=count, most=count)
    assert len(str(refused.value).splitlines()) == 3


def test_a_world_of_ones_own_has_its_own_numbers() -> None:
    """Beside a world instances and settings are refused, and the bounds tell what is in it."""
    world = small_world(PLAN, Budget(lost=1))
    with pytest.raises(ValueError, match="beside a world") as refused:
        explore(PLAN, 3, world=world, settings=Settings())
    assert len(str(refused.value).splitlines()) == 2
    assert "1 live instance, any 1 fault of these kinds: lost" in explore(PLAN, world=world).bounds.covered
    assert (
        "any 1 fault of these kinds: blind"
        in explore(PLAN, None, Budget(blind=1), world=world).bounds.covered
    )


def test_times_that_belong_to_a_world_are_not_cut() -> None:
    """With settings or a world of one's own the plan's times stay as they are, unless one asks otherwise."""
    plan = small_plan(SHARED, limits=PLAN.limits)
    for own in ({"settings": Settings()}, {"world": SimCloud(plan, capacity=1, traffic=0).world}):
        assert explore(plan, faults=0, most=10, **own).bounds.shrunk == ()
        assert explore(plan, faults=0, most=10, shrink=True, **own).bounds.shrunk


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        (Budget(), "no faults"),
        (Budget(sick=3, most=0), "no faults"),
        (Budget.any(1), "any 1 fault of these kinds: sick, dies,"),
        (Budget(sick=2, dies=3, most=2), "any 2 faults of these kinds: sick, dies"),
        (Budget(sick=2, lost=1), "at most sick 2, lost 1"),
        (Budget(sick=1, dies=1, most=5), "at most sick 1, dies 1"),
        (Budget(sick=2, crashes=1, most=2), "at most sick 2, crashes 1, and 2 in all"),
    ],
)
def test_the_bounds_say_no_more_than_was_tried(budget: Budget, words: str) -> None:
    """*Any N of these kinds* is said only where N of each were tried."""
    covered = Bounds(instances=1, budget=budget, settings=Settings()).covered
    assert f"1 live instance, {words}" in covered
    assert ("in all" in covered) == ("in all" in words)
