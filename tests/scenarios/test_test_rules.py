"""Whole deployments in which green is tested, by rules of its own, before users come."""

from __future__ import annotations

from typing import Any

import pytest

from bluegreen import Hook, HookGate, Probe
from bluegreen.core.state import Phase
from bluegreen_sim.faults import Errors
from bluegreen_sim.world import World
from tests.scenarios.story import FLEETS, Story, plan

URL = "http://web.example:8080/"
PREVIEW = Probe(name="preview", url=URL, body="^web ami-2 ", test=True)
USERS = "http://web.example/"


def with_tests(**changes: Any) -> Any:
    """A plan with a test rule, and a probe that comes by it and accepts nothing but the new version."""
    return plan("weighted", **({"test_rules": ("web-test",), "gates": (PREVIEW,)} | changes))


def leading(blue: int, green: int) -> Any:
    """Where the test rule leads before anybody looks."""

    def change(world: World) -> World:
        return world.replaced(test_rule=(("web-a-targets", blue), ("web-b-targets", green)))

    return change


@pytest.mark.parametrize("fleets", FLEETS)
@pytest.mark.parametrize("before", [(100, 0), (0, 1), (3, 4), (0, 0)])
def test_green_is_tested_before_users_come(fleets: str, before: tuple[int, int]) -> None:
    """By the test rule green answers while users meet blue alone; at the end it leads where it led before."""
    story = Story(with_tests(fleets=fleets), before=leading(*before)).until(Phase.SHIFT)
    assert "web ami-2 i-" in story.cloud.fetch(URL)[1]
    assert "web ami-0alpha i-" in story.cloud.fetch(USERS)[1]
    assert story.weights() == (100, 0)
    story.to_the_end().ends(Phase.PROMOTED).green_serves_alone()
    assert story.cloud.world.test_rule == story.start.test_rule
    assert story.failed_requests == 0


def test_a_green_that_fails_its_test_meets_no_user() -> None:
    """Half of its answers are wrong: found by test requests, with no user on it, and all is as before."""
    story = Story(with_tests(), faults=[Errors("ami-2", 50)], before=leading(1, 2)).to_the_end()
    story.ends(Phase.ROLLED_BACK, "preview").everything_borrowed_is_back()
    assert Phase.SHIFT not in story.phases
    assert story.cloud.world.test_rule == story.start.test_rule
    assert story.failed_requests == 0


def test_no_test_is_asked_of_blue() -> None:
    """A hook that comes by the test rule meets green from its first question on, after the nodes settled."""
    answers: list[tuple[float, str]] = []

    def smoke(*_: object) -> bool:
        answers.append((story.cloud.clock.now(), story.cloud.fetch(URL)[1]))
        return True

    wanted = with_tests(gates=(PREVIEW, Hook(name="smoke")))
    story = Story(wanted, checks={"smoke": HookGate("smoke", smoke)})
    story.until(Phase.TEST_TRAFFIC)
    entered = story.cloud.clock.now()
    story.to_the_end().ends(Phase.PROMOTED)
    assert answers
    assert all("ami-2" in body for _, body in answers)
    assert answers[0][0] >= entered + wanted.limits.settle_seconds


@pytest.mark.parametrize("release", [None, 0])
def test_the_next_release_is_tested_as_well(release: int | None) -> None:
    """Whether nothing was live before or something was, the same rule serves release after release."""
    story = Story(with_tests(capacity=2), live=release).to_the_end().ends(Phase.PROMOTED)
    again = story.next_release("ami-3").until(Phase.TEST_TRAFFIC)
    assert "web ami-3 i-" in again.cloud.fetch(URL)[1]
    again.to_the_end()
    assert again.phase is Phase.ROLLED_BACK, "the probe accepts ami-2 only"
    assert again.cloud.world.test_rule == story.start.test_rule


@pytest.mark.parametrize("phase", [Phase.TEST_TRAFFIC, Phase.BAKE, Phase.CLEAN_UP])
def test_an_edit_of_others(phase: Phase) -> None:
    """Up to the commit the rule is led to green again; at the end what others have set is left alone."""
    story = Story(with_tests(gates=())).until(phase)
    story.cloud.world = leading(6, 4)(story.cloud.world)
    story.to_the_end().ends(Phase.PROMOTED)
    if phase is Phase.CLEAN_UP:
        assert dict(story.cloud.world.test_rule) == {"web-a-targets": 6, "web-b-targets": 4}
        assert "test weight of web-a is 6, was 100: changed by others, left alone" in story.result.leftovers
    else:
        assert story.cloud.world.test_rule == story.start.test_rule


def test_a_rule_that_is_not_there_refuses() -> None:
    """Nothing is changed when the plan's test rule cannot be found."""
    story = Story(with_tests(), before=lambda world: world.replaced(test_rule=())).to_the_end()
    story.ends(Phase.REFUSED, "no test rule web-test was found: correct test_rules").nothing_was_changed()
