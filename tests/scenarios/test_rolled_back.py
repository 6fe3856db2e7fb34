"""Stories that end with blue live as before, and everything borrowed given back."""

import pytest

from bluegreen import Deadlines, Hook, HookGate, Probe, strategies
from bluegreen.core.state import Phase
from bluegreen_sim import (
    AlarmRed,
    Dies,
    EditBounds,
    Errors,
    LaunchFails,
    NeverHealthy,
    Rescale,
    Sick,
    SlowBoot,
    SlowToShow,
)
from tests.scenarios.story import ALARM, FLEETS, ROUTINGS, Story, plan, set_group

FORWARD = (Phase.SCALE_UP, Phase.TEST_TRAFFIC, Phase.SHIFT, Phase.BAKE, Phase.KEEP_BLUE)
HASTY = Deadlines(scale_up_seconds=200)


@pytest.mark.parametrize("fleets", FLEETS)
@pytest.mark.parametrize("routing", ROUTINGS)
def test_a_green_that_never_answers_is_given_up_at_the_deadline(routing: str, fleets: str) -> None:
    """A broken image meets no user: at the deadline green goes, and every setting is what it was."""
    story = Story(plan(routing, fleets=fleets, deadlines=HASTY), faults=[NeverHealthy("green")])
    story.to_the_end().ends(Phase.ROLLED_BACK).everything_borrowed_is_back()
    assert story.said("deadline of 200 s passed: 0 of 2 green targets healthy")
    assert Phase.SHIFT not in story.phases
    assert story.failed_requests == 0


@pytest.mark.parametrize("fleets", FLEETS)
@pytest.mark.parametrize("routing", ROUTINGS)
def test_a_failed_green_is_kept_for_somebody_to_look_at(routing: str, fleets: str) -> None:
    """For the plan's time green stays as it is, without users, and blue is its own again; then it goes."""
    keeping = plan(routing, fleets=fleets, keep_failed_green_seconds=3600)
    story = Story(keeping, faults=[Errors("ami-2", 100), AlarmRed("errors", 100)]).until(Phase.DISCARD)
    began, instances = story.cloud.clock.now(), len(story.cloud.instances(story.green))
    story.pass_by(3_500)
    assert story.phase is Phase.DISCARD
    assert len(story.cloud.instances(story.green)) == instances > 0
    assert story.said(f"{story.green} is kept for")
    blue, before = story.group("blue"), story.start.group(story.blue)
    assert blue is not None
    assert before is not None
    assert (blue.min, blue.max) == (before.min, before.max)
    failed = story.failed_requests
    story.to_the_end().ends(Phase.ROLLED_BACK).everything_borrowed_is_back()
    assert story.cloud.clock.now() - began > 3_600
    assert story.failed_requests == failed


@pytest.mark.parametrize("seconds", [4, 12])
@pytest.mark.parametrize("routing", ROUTINGS)
def test_a_green_that_is_called_off_before_it_is_seen_is_looked_for(routing: str, seconds: int) -> None:
    """A group that was created is not there yet for some looks: called off meanwhile, it still goes."""
    story = Story(plan(routing, fleets="replace"), faults=[SlowToShow(seconds)])
    while "CreateFleet" not in story.commands:
        story.pass_by(1)
    story.operator.abort("too soon")
    story.to_the_end().ends(Phase.ROLLED_BACK).everything_borrowed_is_back()
    assert story.cloud.world.group(story.green) is None


@pytest.mark.parametrize("routing", ROUTINGS)
def test_a_kept_green_goes_when_an_operator_has_seen_enough(routing: str) -> None:
    """Called off once more while it is kept, a failed green goes at once; nothing else changes."""
    story = Story(
        plan(routing, keep_failed_green_seconds=3600, deadlines=HASTY), faults=[NeverHealthy("green")]
    )
    story.until(Phase.DISCARD).pass_by(100)
    assert story.phase is Phase.DISCARD
    began = story.cloud.clock.now()
    story.operator.abort("seen enough")
    story.to_the_end().ends(Phase.ROLLED_BACK).everything_borrowed_is_back()
    assert story.cloud.clock.now() - began < 300


@pytest.mark.parametrize("routing", ROUTINGS)
def test_a_boot_slower_than_the_deadline_is_given_up(routing: str) -> None:
    """Whether green would have answered some day does not matter: the deadline does."""
    story = Story(plan(routing, deadlines=HASTY), faults=[SlowBoot(500, "green")])
    story.to_the_end().ends(Phase.ROLLED_BACK).everything_borrowed_is_back()
    assert story.failed_requests == 0


@pytest.mark.parametrize("routing", ROUTINGS)
def test_a_slow_boot_within_the_deadline_is_waited_for(routing: str) -> None:
    """An application that needs minutes is not sick: it gets its time."""
    story = Story(plan(routing), faults=[SlowBoot(400, "green")]).to_the_end()
    story.ends(Phase.PROMOTED).green_serves_alone()
    assert story.failed_requests == 0


@pytest.mark.parametrize("routing", ROUTINGS)
def test_launches_that_go_on_failing_are_given_up(routing: str) -> None:
    """When the cloud never has capacity the deadline ends the waiting, and the reason names the cause."""
    story = Story(plan(routing, deadlines=HASTY), faults=[LaunchFails(1000, "green")])
    story.to_the_end().ends(Phase.ROLLED_BACK).everything_borrowed_is_back()
    assert story.said("launch failed: We currently do not have sufficient capacity")
    assert story.failed_requests == 0


@pytest.mark.parametrize("fleets", FLEETS)
@pytest.mark.parametrize("routing", ROUTINGS)
def test_an_alarm_that_goes_red_in_the_bake_turns_back(routing: str, fleets: str) -> None:
    """A red alarm ends the bake at the next look; users go back to blue without losing a request."""
    story = Story(plan(routing, fleets=fleets)).until(Phase.BAKE).happens(AlarmRed("errors", 25))
    story.to_the_end().ends(Phase.ROLLED_BACK).everything_borrowed_is_back()
    assert story.said("gate red: errors")
    assert story.failed_requests == 0


@pytest.mark.parametrize("phase", FORWARD, ids=lambda phase: phase.value)
@pytest.mark.parametrize("routing", ROUTINGS)
def test_an_alarm_turns_back_from_every_forward_phase(routing: str, phase: Phase) -> None:
    """Whatever the phase before the commit, a red alarm leads back."""
    story = Story(plan(routing, strategy=strategies.canary(50, 60, keep_blue_seconds=60)))
    story.until(phase).happens(AlarmRed("errors", 0))
    story.to_the_end().ends(Phase.ROLLED_BACK).everything_borrowed_is_back()
    assert story.failed_requests == 0


@pytest.mark.parametrize("phase", FORWARD, ids=lambda phase: phase.value)
@pytest.mark.parametrize("fleets", FLEETS)
@pytest.mark.parametrize("routing", ROUTINGS)
def test_an_abort_turns_back_from_every_forward_phase(routing: str, fleets: str, phase: Phase) -> None:
    """An operator may call it off at any time before the commit; nobody notices but the operator."""
    story = Story(plan(routing, fleets=fleets, strategy=strategies.canary(50, 60, keep_blue_seconds=60)))
    story.until(phase).operator.abort("wrong image")
    story.to_the_end().ends(Phase.ROLLED_BACK).everything_borrowed_is_back()
    assert story.said("aborted: wrong image")
    assert story.failed_requests == 0


@pytest.mark.parametrize("seconds", [1, 15, 25, 45])
@pytest.mark.parametrize("routing", ROUTINGS)
def test_an_abort_in_the_middle_of_growing_turns_back(routing: str, seconds: float) -> None:
    """Green is abandoned half-grown: what is pending, booting or starting to answer goes as well."""
    story = Story(plan(routing)).until(Phase.SCALE_UP).pass_by(seconds)
    story.operator.abort("changed my mind")
    story.to_the_end().ends(Phase.ROLLED_BACK).everything_borrowed_is_back()
    assert story.failed_requests == 0


@pytest.mark.parametrize("routing", ROUTINGS)
def test_an_abort_at_the_last_rung_turns_back(routing: str) -> None:
    """With all users on green (or half of them, shared) blue is still whole, and takes them again."""
    story = Story(plan(routing)).until(Phase.BAKE, rung=2)
    story.operator.abort("support is on the phone")
    story.to_the_end().ends(Phase.ROLLED_BACK).everything_borrowed_is_back()
    assert story.failed_requests == 0


@pytest.mark.parametrize("routing", ROUTINGS)
def test_an_abort_while_paused_is_heeded(routing: str) -> None:
    """A pause holds the way forward, not the way back."""
    story = Story(plan(routing)).until(Phase.BAKE)
    story.operator.pause()
    story.pass_by(100).operator.abort("enough")
    story.to_the_end().ends(Phase.ROLLED_BACK).everything_borrowed_is_back()


@pytest.mark.parametrize("routing", ROUTINGS)
def test_an_alarm_while_paused_is_heeded(routing: str) -> None:
    """Nor does a pause hold an alarm."""
    story = Story(plan(routing)).until(Phase.BAKE)
    story.operator.pause()
    story.pass_by(100).happens(AlarmRed("errors", 0))
    story.pass_by(200).ends(Phase.ROLLED_BACK).everything_borrowed_is_back()


def test_a_green_that_dies_under_all_users_turns_back() -> None:
    """At 100 % one dead instance of two is too few for the floor: blue, still whole, takes over."""
    story = Story(plan()).until(Phase.BAKE, rung=2).happens(Dies("green", 5))
    story.to_the_end().ends(Phase.ROLLED_BACK).everything_borrowed_is_back()
    assert story.said("green cannot carry its share: 1 healthy, 1 unhealthy")


@pytest.mark.parametrize("routing", ROUTINGS)
def test_a_green_that_dies_altogether_turns_back(routing: str) -> None:
    """All of green dies in the first bake: whatever its share, it cannot carry it."""
    story = Story(plan(routing)).until(Phase.BAKE, rung=1).happens(Dies("green", 5, count=2))
    story.to_the_end().ends(Phase.ROLLED_BACK).everything_borrowed_is_back()
    assert story.said("green cannot carry its share: 0 healthy, 2 unhealthy")


@pytest.mark.parametrize("routing", ROUTINGS)
def test_a_green_that_falls_sick_turns_back(routing: str) -> None:
    """The application stops answering while its instances run: the same."""
    story = Story(plan(routing)).until(Phase.BAKE, rung=2).happens(Sick("green", 5, count=2))
    story.to_the_end().ends(Phase.ROLLED_BACK).everything_borrowed_is_back()


def test_a_lucky_first_check_is_no_proof() -> None:
    """Green answers its first checks and falls silent before it is proven: it never meets a user."""
    story = Story(plan(deadlines=HASTY)).until(Phase.SCALE_UP).happens(Sick("green", 52, count=2))
    story.to_the_end().ends(Phase.ROLLED_BACK).everything_borrowed_is_back()
    assert Phase.SHIFT not in story.phases
    assert story.failed_requests == 0


@pytest.mark.parametrize("fleets", FLEETS)
@pytest.mark.parametrize("routing", ROUTINGS)
def test_a_first_release_that_fails_leaves_nothing_behind(routing: str, fleets: str) -> None:
    """With nothing to go back to, a broken first release ends with an empty service, as it began."""
    wanted = plan(routing, fleets=fleets, capacity=2, deadlines=HASTY)
    story = Story(wanted, live=None, faults=[NeverHealthy("green")])
    story.to_the_end().ends(Phase.ROLLED_BACK).everything_borrowed_is_back()


@pytest.mark.parametrize("fleets", FLEETS)
@pytest.mark.parametrize("routing", ROUTINGS)
def test_a_first_release_that_is_called_off_before_its_users_leaves_nothing(
    routing: str, fleets: str
) -> None:
    """The same for an abort while nobody is there yet."""
    story = Story(plan(routing, fleets=fleets, capacity=2), live=None).until(Phase.TEST_TRAFFIC)
    story.operator.abort("not yet")
    story.to_the_end().ends(Phase.ROLLED_BACK).everything_borrowed_is_back()


@pytest.mark.parametrize("routing", ROUTINGS)
def test_a_first_release_with_users_is_not_emptied_by_an_abort(routing: str) -> None:
    """Going back would leave its users with nothing: the abort halts, and a resume goes on."""
    story = Story(plan(routing, capacity=2), live=None).until(Phase.BAKE)
    story.operator.abort("not yet")
    story.to_the_end().ends(Phase.HALTED, "no safe way back")
    story.operator.resume("well then")
    story.to_the_end().ends(Phase.PROMOTED).green_serves_alone()


@pytest.mark.parametrize("routing", ROUTINGS)
def test_a_wrong_answer_fails_the_probe(routing: str) -> None:
    """Green is healthy to the balancer, but a probe that asks each instance finds it wrong."""
    probe = Probe(name="smoke", url="http://{instance}/")
    story = Story(plan(routing, gates=(ALARM, probe)), faults=[Errors("ami-2", 100)])
    story.to_the_end().ends(Phase.ROLLED_BACK).everything_borrowed_is_back()
    assert story.said("gate red: smoke")
    assert Phase.SHIFT not in story.phases
    assert story.failed_requests == 0


@pytest.mark.parametrize("phase", ["test_traffic", "bake", "keep_blue"])
def test_a_hook_that_fails_turns_back(phase: str) -> None:
    """The user's own check is asked in the phases it names, and FAILED leads back."""
    hook = Hook(name="acceptance", phases=(phase,))
    check = HookGate("acceptance", lambda *_: "FAILED")
    story = Story(plan(gates=(hook,)), checks={"acceptance": check}).to_the_end()
    story.ends(Phase.ROLLED_BACK).everything_borrowed_is_back()
    assert story.said("gate red: acceptance (FAILED)")
    assert story.phases[-4] is Phase(phase)
    assert story.failed_requests == 0


def test_scaling_that_was_frozen_is_thawed_on_the_way_back() -> None:
    """Suspended processes are borrowed too."""
    story = Story(plan(freeze_scaling=True)).until(Phase.BAKE)
    story.operator.abort()
    story.to_the_end().ends(Phase.ROLLED_BACK).everything_borrowed_is_back()


def test_a_pinned_minimum_is_given_back() -> None:
    """Blue's minimum, lifted so that nobody scales it in, is lowered to what it was."""
    story = Story(plan(), before=set_group(0, min=1, max=3)).until(Phase.BAKE)
    assert story.group("blue").min == 2  # type: ignore[union-attr]
    story.operator.abort()
    story.to_the_end().ends(Phase.ROLLED_BACK).everything_borrowed_is_back()


def test_a_raised_maximum_is_given_back() -> None:
    """An idle group that is too small for green is enlarged, and made as small again."""
    story = Story(plan(), before=set_group(1, max=1)).until(Phase.BAKE)
    assert story.group("green").max == 2  # type: ignore[union-attr]
    story.operator.abort()
    story.to_the_end().ends(Phase.ROLLED_BACK).everything_borrowed_is_back()


def test_bounds_that_somebody_else_edits_are_left_and_reported() -> None:
    """Three-way: what we wrote is given back, what others wrote after us stays and is in the result."""
    story = Story(plan(), before=set_group(0, min=1)).until(Phase.BAKE)
    story.happens(EditBounds("green", min=1, max=7, at_seconds=0), AlarmRed("errors", 30))
    story.to_the_end().ends(Phase.ROLLED_BACK)
    blue, green = story.group("blue"), story.group("green")
    assert (blue.min, blue.max) == (1, 4)  # type: ignore[union-attr]
    assert green.max == 7  # type: ignore[union-attr]
    assert any("max of web-b is 7, was 4: changed by others" in left for left in story.result.leftovers)


def test_bounds_of_blue_that_somebody_else_edits_are_left_and_reported() -> None:
    """A larger maximum that an operator gives blue on the way is not taken away by a roll-back."""
    story = Story(plan(), before=set_group(0, min=1)).until(Phase.BAKE)
    story.happens(EditBounds("blue", min=2, max=8, at_seconds=0), AlarmRed("errors", 30))
    story.to_the_end().ends(Phase.ROLLED_BACK)
    assert story.group("blue").max == 8  # type: ignore[union-attr]
    assert any("max of web-a is 8, was 4: changed by others" in left for left in story.result.leftovers)


def test_a_blue_that_grew_meanwhile_stays_as_large() -> None:
    """Size is the service's own: what a scaling policy added to blue is not taken away by us."""
    story = Story(plan()).until(Phase.BAKE).happens(Rescale("blue", 1, 5), AlarmRed("errors", 45))
    story.to_the_end().ends(Phase.ROLLED_BACK)
    blue = story.group("blue")
    assert (blue.min, blue.max, blue.desired) == (2, 4, 3)  # type: ignore[union-attr]
    assert story.size("green") == 0
    assert story.failed_requests == 0
