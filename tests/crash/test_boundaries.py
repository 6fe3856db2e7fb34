"""Killed at every boundary, loaded again: the same end as without a crash (L3, F41)."""

import os
import random

import attrs
import pytest

from bluegreen import Deadlines
from bluegreen.core.commands import COMMANDS
from bluegreen.core.state import FORWARD, Phase
from bluegreen_sim import BlindLook, LaunchFails, LostAnswer, NeverHealthy, RefusedCall, StaleLook
from tests.crash.boundaries import Case, End, Lives, telling, whole
from tests.scenarios.story import FLEETS, ROUTINGS, assert_replays

pytestmark = pytest.mark.crash

CASES = [Case(routing=routing, fleets=fleets) for routing in ROUTINGS for fleets in FLEETS]
LOST = (LostAnswer(2), LostAnswer(3, applied=False))
TOLERABLE = (*LOST, RefusedCall(2), StaleLook(8), BlindLook(8), LaunchFails(1))
PROOF = int(os.environ.get("BLUEGREEN_PROOF", "0"))


def sample(case: Case, boundaries: list[int], every: int = 2) -> list[int]:
    """Some of the boundaries, others for each case; the proof tier takes all."""
    return boundaries[CASES.index(attrs.evolve(case, at=None, strikes=())) % every :: every]


def dies_and_goes_on(case: Case, *deaths: int, downtime: float = 0) -> End:
    """One life for each death, then one to the end; the journal of all of them replays."""
    lives = Lives(case)
    for death in deaths:
        if lives.live(death, downtime=downtime):
            break
    else:
        assert lives.live()
    if PROOF or sum(deaths) % 4 == 0:
        assert_replays(lives.journal)
    return lives.end()


def green_is_live_once(case: Case, end: End) -> None:
    """Promoted: one green group of one version of ours, no instance of blue, nothing left over."""
    groups = {group[0]: group for group in end.groups}
    assert end.phase is Phase.PROMOTED
    assert end.versions == 1
    assert end.leftovers == ()
    assert [version for version, _, _ in groups["web-b"][-1]] == [2, 2]
    assert groups.get("web-a", ((),))[-1] == ()
    assert ("web-a" in groups) == (case.fleets == "standing")


def blue_is_live_as_before(end: End) -> None:
    """Rolled back: two instances of blue, none of green, nothing left over."""
    assert end.phase is Phase.ROLLED_BACK
    assert end.leftovers == ()
    assert [(group[0], len(group[-1])) for group in end.groups if group[-1]] == [("web-a", 2)]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_crash_at_any_boundary_changes_nothing(case: Case) -> None:
    """Wherever the process dies, the next one reaches the very end that a run without a crash reaches."""
    unharmed = whole(case)
    expected = unharmed.end()
    green_is_live_once(case, expected)
    for n in telling(unharmed.boundaries):
        assert dies_and_goes_on(case, n) == expected, f"died {unharmed.boundaries[n - 1]} ({n})"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_crash_and_a_long_outage_change_nothing(case: Case) -> None:
    """Nobody looked for an hour: longer than any deadline, and yet no reason to retreat."""
    unharmed = whole(case)
    for n in telling(unharmed.boundaries)[::7]:
        end = dies_and_goes_on(case, n, downtime=3600)
        assert end == unharmed.end(), f"died {unharmed.boundaries[n - 1]} ({n})"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_two_crashes_change_nothing(case: Case) -> None:
    """The process that takes over may die as well, soon after."""
    unharmed = whole(case)
    draw = random.Random(str(case))
    for _ in range(8):
        first, second = draw.choice(telling(unharmed.boundaries)), draw.randint(1, 12)
        assert dies_and_goes_on(case, first, second, downtime=7) == unharmed.end(), (first, second)


@pytest.mark.parametrize("phase", [Phase.SCALE_UP, Phase.BAKE], ids=lambda phase: phase.value)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_crash_on_the_way_back_changes_nothing(case: Case, phase: Phase) -> None:
    """Called off and killed during roll_back or discard: everything borrowed is given back all the same."""
    aborted = attrs.evolve(case, at=phase, strikes=("abort",))
    unharmed = whole(aborted)
    expected = unharmed.end()
    blue_is_live_as_before(expected)
    for n in sample(case, [n for n in telling(unharmed.boundaries) if n > unharmed.struck_at]):
        assert dies_and_goes_on(aborted, n) == expected, f"died {unharmed.boundaries[n - 1]} ({n})"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_crash_while_a_broken_green_is_given_up_changes_nothing(case: Case) -> None:
    """A green that never answers, and a process that dies while waiting for it or removing it."""
    deadlines = Deadlines(scale_up_seconds=100)
    broken = Case(
        routing=case.routing,
        fleets=case.fleets,
        faults=(NeverHealthy("green"),),
        changes={"deadlines": deadlines},
    )
    unharmed = whole(broken)
    expected = unharmed.end()
    blue_is_live_as_before(expected)
    for n in telling(unharmed.boundaries)[::4]:
        assert dies_and_goes_on(broken, n) == expected, f"died {unharmed.boundaries[n - 1]} ({n})"


def test_the_boundaries_are_those_of_every_kind_of_command() -> None:
    """What is killed around includes every command that a promotion and a retreat can send."""
    lives = [whole(case) for case in CASES]
    lives += [whole(attrs.evolve(c, at=Phase.BAKE, strikes=("abort",))) for c in CASES]
    for changes in ({"freeze_scaling": True}, {"test_rules": ("web-test",)}):
        lives.append(whole(Case(routing="weighted", fleets="standing", changes=changes)))
    passed = {boundary.split()[1] for life in lives for boundary in life.boundaries}
    missing = {command.__name__ for command in COMMANDS} - passed
    # Blue's minimum is its size here, so there is nothing to pin; and SimCloud makes a group like another one
    # in one call, with nothing left to copy: tests/crash/test_aws_kills.py kills around that.
    assert missing <= {"SetBounds", "CopySetting"}, missing


@pytest.mark.proof
@pytest.mark.parametrize("fault", [None, *TOLERABLE], ids=str)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_crash_with_every_tolerable_fault(case: Case, fault: object) -> None:
    """The whole matrix: every boundary, those of mere waiting too, beside each fault to be lived through."""
    faulty = Case(routing=case.routing, fleets=case.fleets, faults=(fault,) if fault else ())
    unharmed = whole(faulty)
    green_is_live_once(case, unharmed.end())
    for n in range(1, len(unharmed.boundaries) + 1):
        assert dies_and_goes_on(faulty, n) == unharmed.end(), f"died {unharmed.boundaries[n - 1]} ({n})"


@pytest.mark.proof
@pytest.mark.parametrize("phase", FORWARD, ids=lambda phase: phase.value)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_crash_around_an_abort(case: Case, phase: Phase) -> None:
    """Called off in each forward phase, and killed at every boundary before and after that."""
    aborted = attrs.evolve(case, at=phase, strikes=("abort",))
    unharmed = whole(aborted)
    blue_is_live_as_before(unharmed.end())
    for n in range(1, len(unharmed.boundaries) + 1):
        assert dies_and_goes_on(aborted, n) == unharmed.end(), f"died {unharmed.boundaries[n - 1]} ({n})"


@pytest.mark.proof
@pytest.mark.parametrize("case", CASES, ids=str)
def test_many_pairs_of_crashes(case: Case) -> None:
    """Two and three crashes at boundaries drawn at random, with outages between them."""
    unharmed = whole(case)
    draw = random.Random(f"{case} many")
    for _ in range(300 * max(1, PROOF)):
        later = (draw.randint(1, 40) for _ in range(draw.randint(1, 2)))
        deaths = [draw.randint(1, len(unharmed.boundaries)), *later]
        end = dies_and_goes_on(case, *deaths, downtime=draw.choice([0, 3, 30, 900]))
        assert end == unharmed.end(), deaths
