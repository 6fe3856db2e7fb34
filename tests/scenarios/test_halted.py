"""Stories in which neither colour is safe, or something is not ours to mend: a person decides."""

import pytest

from bluegreen import Deadlines, strategies
from bluegreen.core.state import Phase
from bluegreen_sim import (
    BlindLook,
    Dies,
    EditBounds,
    EditWeights,
    NeverHealthy,
    RefusedCall,
    Rescale,
    Sick,
    SlowBoot,
)
from tests.scenarios.story import ROUTINGS, Story, plan, set_group

HASTY = Deadlines(scale_up_seconds=200)


# ----------------------------------------------------------------------------------------------- blue is sick


@pytest.mark.parametrize("routing", ROUTINGS)
def test_blue_sick_and_green_unproven_moves_nobody_and_halts_at_the_deadline(routing: str) -> None:
    """There is nothing good to go back to, so green is not given up: no traffic moves, a person decides."""
    faults = [NeverHealthy("green"), Sick("blue", 30)]
    story = Story(plan(routing, deadlines=HASTY), faults=faults).to_the_end()
    story.ends(Phase.HALTED, "blue is below the floor of 2")
    assert Phase.SHIFT not in story.phases
    assert not {"SetShares", "Attach", "DeleteFleet"} & set(story.commands)
    assert (story.size("blue"), story.size("green")) == (2, 2)


@pytest.mark.parametrize("routing", ROUTINGS)
def test_blue_sick_while_green_boots_slowly_is_waited_out(routing: str) -> None:
    """Green, the cure, goes on launching while blue is sick, and in the end takes the users."""
    story = Story(plan(routing), faults=[SlowBoot(300, "green"), Sick("blue", 30)]).to_the_end()
    story.ends(Phase.PROMOTED).green_serves_alone()


@pytest.mark.parametrize("fleets", ["standing", "replace"])
@pytest.mark.parametrize("routing", ROUTINGS)
def test_blue_sick_and_green_proven_goes_on(routing: str, fleets: str) -> None:
    """Do not hold the cure back: users leave the sick colour at the normal pace."""
    story = Story(plan(routing, fleets=fleets)).until(Phase.BAKE).happens(Sick("blue", 5, count=2))
    story.to_the_end().ends(Phase.PROMOTED).green_serves_alone()


def test_blue_sick_with_expedite_skips_the_bakes() -> None:
    """With on_blue_sick = expedite users leave the sick colour without the waiting times."""
    ladder = strategies.canary(10, 3600, last_bake_seconds=3600)
    story = Story(plan(on_blue_sick="expedite", strategy=ladder)).until(Phase.BAKE)
    story.happens(Sick("blue", 5, count=2)).to_the_end().ends(Phase.PROMOTED).green_serves_alone()
    assert story.cloud.clock.now() < 600


def test_blue_well_with_expedite_bakes_as_long_as_asked() -> None:
    """Haste is for a sick blue only."""
    story = Story(plan(on_blue_sick="expedite", strategy=strategies.all_at_once(3600))).to_the_end()
    story.ends(Phase.PROMOTED)
    assert story.cloud.clock.now() > 3600


@pytest.mark.parametrize("routing", ROUTINGS)
def test_blue_sick_with_hold_asks_a_person(routing: str) -> None:
    """With on_blue_sick = hold the deployment halts as it is; a resume once blue is well goes on."""
    story = Story(plan(routing, on_blue_sick="hold")).until(Phase.BAKE)
    story.happens(Sick("blue", 5, for_seconds=100)).to_the_end()
    story.ends(Phase.HALTED, "blue has 1 healthy, the floor is 2")
    story.pass_by(300).operator.resume("blue is well again")
    story.to_the_end().ends(Phase.PROMOTED).green_serves_alone()


# ---------------------------------------------------------------------------------------------- both are sick


def both_sick(routing: str, for_seconds: float | None) -> Story:
    """Halted in the first bake, with both colours silent."""
    story = Story(plan(routing)).until(Phase.BAKE)
    sick = (Sick(colour, 5, count=2, for_seconds=for_seconds) for colour in ("blue", "green"))
    story.happens(*sick).to_the_end()
    return story.ends(Phase.HALTED, "no safe way back")


@pytest.mark.parametrize("routing", ROUTINGS)
def test_both_sick_halts_and_touches_nothing(routing: str) -> None:
    """Fail-open is not health: with nobody to flee to, everything stays where it is."""
    story = both_sick(routing, None)
    sent, weights = len(story.commands), story.weights() if routing == "weighted" else None
    story.pass_by(1200).ends(Phase.HALTED)
    assert len(story.commands) == sent
    assert (story.size("blue"), story.size("green")) == (2, 2)
    assert weights is None or story.weights() == weights


@pytest.mark.parametrize("routing", ROUTINGS)
def test_halted_and_resumed_goes_on_where_it_was(routing: str) -> None:
    """Once both are well, a resume returns to the bake with a fresh deadline, and it ends promoted."""
    story = both_sick(routing, 120).pass_by(300)
    story.operator.resume("both are well")
    story.look()
    assert story.phase is Phase.BAKE
    story.to_the_end().ends(Phase.PROMOTED).green_serves_alone()


@pytest.mark.parametrize("routing", ROUTINGS)
def test_halted_and_aborted_goes_back(routing: str) -> None:
    """Once blue is well, an abort leads from halted to rolled back, with everything given back."""
    story = both_sick(routing, 120).pass_by(300)
    story.operator.abort("let us not")
    story.to_the_end().ends(Phase.ROLLED_BACK).everything_borrowed_is_back()


@pytest.mark.parametrize("routing", ROUTINGS)
def test_an_abort_from_halted_waits_until_it_is_safe(routing: str) -> None:
    """With half of blue well and half of green, an abort is kept in mind until blue can carry."""
    story = Story(plan(routing)).until(Phase.BAKE, rung=2)
    story.happens(Sick("blue", 5, for_seconds=400), Sick("green", 8, for_seconds=100)).to_the_end()
    story.ends(Phase.HALTED, "no safe way back")
    story.operator.abort("as soon as you can")
    story.pass_by(200).ends(Phase.HALTED)
    story.pass_by(1200).ends(Phase.ROLLED_BACK).everything_borrowed_is_back()


# --------------------------------------------------------------------------------------- other people's hands


def test_weights_that_somebody_else_edits_are_not_overwritten() -> None:
    """A third party moves the weights in the middle of a bake: we stop, say so, and leave them alone."""
    story = Story(plan()).until(Phase.BAKE)
    story.happens(EditWeights((("blue", 70), ("green", 30)), 5)).to_the_end()
    story.ends(Phase.HALTED, "the weight of web-a is 70, set by others; ours is 90")
    story.pass_by(1800)
    assert story.weights() == (70, 30)
    assert story.phase is Phase.HALTED


def test_weights_put_back_by_hand_let_it_resume() -> None:
    """When the hand that moved the weights has moved them back, a resume goes on to the end."""
    story = Story(plan()).until(Phase.BAKE)
    story.happens(EditWeights((("blue", 70), ("green", 30)), 5)).to_the_end().ends(Phase.HALTED)
    story.happens(EditWeights((("blue", 90), ("green", 10)), 0)).pass_by(30)
    story.operator.resume("my mistake")
    story.to_the_end().ends(Phase.PROMOTED).green_serves_alone()


def test_a_minimum_that_is_contested_again_and_again_is_given_to_a_person() -> None:
    """No tug-of-war: after a few rewrites of the same bound we stop and name both values."""
    story = Story(plan(strategy=strategies.all_at_once(900)), before=set_group(0, min=1)).until(Phase.BAKE)
    edits = [EditBounds("blue", min=0, max=4, at_seconds=5 + 30 * n) for n in range(10)]
    story.happens(*edits).to_the_end()
    story.ends(Phase.HALTED, "min of web-a is changed by others again and again")
    assert story.commands.count("SetBounds") == 1 + story.plan.limits.rewrites


def test_a_contest_that_is_over_can_be_resumed() -> None:
    """When the other hand has let go, an operator's resume goes on to the end."""
    story = Story(plan(strategy=strategies.all_at_once(900)), before=set_group(0, min=1)).until(Phase.BAKE)
    edits = [EditBounds("blue", min=0, max=4, at_seconds=5 + 30 * n) for n in range(4)]
    story.happens(*edits).to_the_end()
    assert story.phase is Phase.HALTED
    story.pass_by(300).operator.resume("the schedule is gone")
    story.to_the_end()
    assert story.phase is Phase.PROMOTED


@pytest.mark.parametrize("routing", ROUTINGS)
def test_blue_scaled_up_meanwhile_is_followed_by_green(routing: str) -> None:
    """Somebody needs three instances now: green becomes three before it is alone."""
    story = Story(plan(routing)).until(Phase.BAKE).happens(Rescale("blue", 1, 5))
    story.to_the_end().ends(Phase.PROMOTED).green_serves_alone()
    assert (story.size("green"), story.failed_requests) == (3, 0)


@pytest.mark.parametrize("routing", ROUTINGS)
def test_blue_scaled_up_while_green_grows_is_followed_too(routing: str) -> None:
    """The same while green is still growing."""
    story = Story(plan(routing)).until(Phase.SCALE_UP).happens(Rescale("blue", 2, 20))
    story.to_the_end().ends(Phase.PROMOTED).green_serves_alone()
    assert (story.size("green"), story.failed_requests) == (4, 0)


@pytest.mark.parametrize("routing", ROUTINGS)
def test_blue_cannot_be_scaled_in_meanwhile(routing: str) -> None:
    """Blue is pinned at the size that green was grown for: an instant way back stays one."""
    story = Story(plan(routing), capacity=4, before=set_group(0, min=1)).until(Phase.BAKE)
    story.happens(Rescale("blue", -2, 5)).pass_by(30)
    assert story.size("blue") == 4
    story.to_the_end().ends(Phase.PROMOTED).green_serves_alone()
    assert story.failed_requests == 0


# ------------------------------------------------------------------------------------------ green is replaced


@pytest.mark.parametrize("routing", ROUTINGS)
def test_a_green_instance_that_dies_in_the_bake_is_replaced(routing: str) -> None:
    """One of four dies: the others carry the rung, the group replaces it, and the bake goes on."""
    ladder = strategies.canary(10 if routing == "weighted" else 50, 300)
    story = Story(plan(routing, strategy=ladder, min_healthy_percent=50), capacity=4)
    story.until(Phase.BAKE).happens(Dies("green", 5)).to_the_end()
    story.ends(Phase.PROMOTED).green_serves_alone()
    assert story.said("3 of 4 green targets healthy")


@pytest.mark.parametrize("routing", ROUTINGS)
def test_a_green_instance_that_dies_while_growing_is_replaced(routing: str) -> None:
    """Before any user is there a dead instance costs only time."""
    story = Story(plan(routing)).until(Phase.SCALE_UP).happens(Dies("green", 55)).to_the_end()
    story.ends(Phase.PROMOTED).green_serves_alone()
    assert story.failed_requests == 0


@pytest.mark.parametrize("routing", ROUTINGS)
def test_a_blue_instance_that_dies_in_the_bake_is_replaced(routing: str) -> None:
    """Blue looks after itself meanwhile."""
    story = Story(plan(routing, strategy=strategies.canary(50, 300))).until(Phase.BAKE)
    story.happens(Dies("blue", 5)).to_the_end().ends(Phase.PROMOTED).green_serves_alone()


# -------------------------------------------------------------------------------------- what cannot be mended


@pytest.mark.parametrize("error", ["identity", "conflict", "bug", "unclassified"])
@pytest.mark.parametrize("routing", ROUTINGS)
def test_a_refusal_that_no_retry_can_mend_halts(routing: str, error: str) -> None:
    """No permission, a name that is somebody else's, an error that nobody knows: a person must look."""
    story = Story(plan(routing), faults=[RefusedCall(2, error)]).to_the_end()
    story.ends(Phase.HALTED, f"was refused ({error})")
    story.operator.resume("mended")
    story.to_the_end().ends(Phase.PROMOTED).green_serves_alone()


def test_a_world_that_cannot_be_read_for_long_halts() -> None:
    """Blind is neither a reason to go on nor to go back: past the deadline and a grace a person decides."""
    story = Story(plan()).until(Phase.BAKE).happens(*(BlindLook(n) for n in range(1, 60))).to_the_end()
    story.ends(Phase.HALTED, "cannot read fleets, shares, 480 s long")
    assert story.weights() == (90, 10)
    story.pass_by(200).operator.resume("the network is back")
    story.to_the_end().ends(Phase.PROMOTED).green_serves_alone()


@pytest.mark.parametrize("routing", ROUTINGS)
def test_green_sick_after_the_commit_halts_while_blue_still_stands(routing: str) -> None:
    """Committed, green falls sick before blue was asked to go: blue stays, and a person decides."""
    story = Story(plan(routing)).until(Phase.DRAIN).happens(Sick("green", 0, count=2, for_seconds=100))
    story.cloud.clock.sleep(40)  # nobody looks meanwhile
    story.to_the_end().ends(Phase.HALTED, "committed, but green cannot carry its share")
    assert story.size("blue") == 2
    story.pass_by(300).operator.resume("green is well again")
    story.to_the_end().ends(Phase.PROMOTED).green_serves_alone()


@pytest.mark.parametrize("routing", ROUTINGS)
def test_an_abort_from_halted_after_the_commit_changes_nothing(routing: str) -> None:
    """What is committed stays committed: halted in drain, an abort leads nowhere, a resume goes on."""
    story = Story(plan(routing)).until(Phase.DRAIN).happens(Sick("green", 0, count=2, for_seconds=100))
    story.cloud.clock.sleep(40)
    story.to_the_end().ends(Phase.HALTED).operator.abort("go back!")
    story.pass_by(300).ends(Phase.HALTED).operator.resume("so be it")
    story.to_the_end().ends(Phase.PROMOTED).green_serves_alone()
