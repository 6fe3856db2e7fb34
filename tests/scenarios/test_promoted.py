"""Stories that end with green live."""

import re

import attrs
import pytest

from bluegreen import Deployment, Limits, Rung, Strategy, Unfinished, strategies
from bluegreen.core.state import Phase
from bluegreen_sim import AlarmRed, BlindLook, LaunchFails, LostAnswer, RefusedCall, Rescale, StaleLook
from tests.scenarios.story import FLEETS, ROUTINGS, Story, plan, set_group


@pytest.mark.parametrize("fleets", FLEETS)
@pytest.mark.parametrize("routing", ROUTINGS)
def test_a_release_is_promoted_without_a_failed_request(routing: str, fleets: str) -> None:
    """With either routing and either kind of fleet green ends live, alone, with blue's settings."""
    story = Story(plan(routing, fleets=fleets)).to_the_end()
    story.ends(Phase.PROMOTED).green_serves_alone()
    assert story.failed_requests == 0


@pytest.mark.parametrize("fleets", FLEETS)
@pytest.mark.parametrize("routing", ROUTINGS)
def test_one_is_told_in_the_singular(routing: str, fleets: str) -> None:
    """With one instance no decision's sentence speaks of 1 instances or targets, but of one of them."""
    story = Story(plan(routing, fleets=fleets), capacity=1).to_the_end().ends(Phase.PROMOTED)
    told = [one.step.reason for one in story.passes]
    assert not [words for words in told if re.search(r"(?<! of )\b1 (\w+ )?(instances|targets)\b", words)]
    assert any("1 green target answers" in words for words in told)
    assert any(f"1 instance of {story.blue} left" in words for words in told)


@pytest.mark.parametrize("fleets", FLEETS)
@pytest.mark.parametrize("routing", ROUTINGS)
def test_the_live_group_alternates_over_three_releases(routing: str, fleets: str) -> None:
    """Three releases of one plan in one world are promoted in turn, only the image changes."""
    story = Story(plan(routing, fleets=fleets))
    live = []
    for image in ("ami-3", "ami-4", None):
        story.to_the_end().ends(Phase.PROMOTED).green_serves_alone()
        assert story.failed_requests == 0
        live.append(story.green)
        story = story.next_release(image) if image else story
    assert live == ["web-b", "web-a", "web-b"]


@pytest.mark.parametrize("fleets", FLEETS)
@pytest.mark.parametrize("routing", ROUTINGS)
def test_a_first_release_needs_no_blue(routing: str, fleets: str) -> None:
    """When no group is live, green gets the plan's capacity and then all users, without a shift."""
    story = Story(plan(routing, fleets=fleets, capacity=3), live=None).to_the_end()
    story.ends(Phase.PROMOTED).green_serves_alone()
    assert story.size("green") == 3
    assert story.phases.count(Phase.SHIFT) == 1


@pytest.mark.parametrize("fleets", FLEETS)
@pytest.mark.parametrize("routing", ROUTINGS)
def test_the_second_release_follows_the_first(routing: str, fleets: str) -> None:
    """What a first release made live is blue to the next one."""
    first = Story(plan(routing, fleets=fleets, capacity=2), live=None).to_the_end()
    second = first.ends(Phase.PROMOTED).next_release("ami-3").to_the_end()
    second.ends(Phase.PROMOTED).green_serves_alone()
    assert (second.blue, second.failed_requests) == (first.green, 0)


@pytest.mark.parametrize("routing", ROUTINGS)
def test_all_at_once_takes_one_rung(routing: str) -> None:
    """The shortest strategy has one shift, and loses no request either."""
    story = Story(plan(routing, strategy=strategies.all_at_once(30))).to_the_end()
    story.ends(Phase.PROMOTED).green_serves_alone()
    assert (story.phases.count(Phase.SHIFT), story.failed_requests) == (1, 0)


def test_a_ladder_is_climbed_rung_by_rung() -> None:
    """With weights every rung's share is read back before its bake begins."""
    story = Story(plan(strategy=strategies.linear(25, 20)))
    for rung, green in ((1, 25), (2, 50), (3, 75), (4, 100)):
        story.until(Phase.BAKE, rung=rung)
        assert story.weights() == (100 - green, green)
    story.to_the_end().ends(Phase.PROMOTED).green_serves_alone()


def test_a_shared_group_shows_the_share_by_counts() -> None:
    """Behind one target group a rung of 25 % beside six blue instances is two green ones."""
    story = Story(plan("shared", strategy=strategies.canary(25, 30)), capacity=6)
    story.until(Phase.BAKE, rung=1)
    assert (story.size("blue"), story.size("green")) == (6, 2)
    story.until(Phase.BAKE, rung=2)
    assert (story.size("blue"), story.size("green")) == (6, 6)
    story.to_the_end().ends(Phase.PROMOTED).green_serves_alone()


def test_blue_is_kept_whole_for_a_last_watch() -> None:
    """After the last rung blue stays at full size without users for as long as the plan says."""
    story = Story(plan(strategy=strategies.all_at_once(30, keep_blue_seconds=600)))
    story.until(Phase.KEEP_BLUE).pass_by(590)
    assert (story.phase, story.size("blue"), story.weights()) == (Phase.KEEP_BLUE, 2, (0, 100))
    story.to_the_end().ends(Phase.PROMOTED).green_serves_alone()


def test_an_emptied_blue_group_is_retained_before_it_is_deleted() -> None:
    """With fleets that are replaced the old group stays, empty, for the retention time."""
    story = Story(plan(fleets="replace", retain_seconds=900))
    story.until(Phase.CLEAN_UP).pass_by(880)
    assert (story.phase, story.size("blue"), story.group("blue") is None) == (Phase.CLEAN_UP, 0, False)
    story.to_the_end().ends(Phase.PROMOTED).green_serves_alone()


def test_the_bounds_of_the_live_group_move_with_the_role() -> None:
    """Green ends with the bounds that blue had, and blue with those of the idle group."""
    story = Story(plan(), before=set_group(0, min=1, max=9)).to_the_end()
    story.ends(Phase.PROMOTED).green_serves_alone()
    green, blue = story.group("green"), story.group("blue")
    assert green is not None
    assert blue is not None
    assert (green.min, green.max, blue.min, blue.max) == (1, 9, 0, 4)


@pytest.mark.parametrize("routing", ROUTINGS)
def test_launches_that_fail_for_a_while_only_cost_time(routing: str) -> None:
    """When the cloud has no capacity at first, the deployment waits, says so, and goes on."""
    story = Story(plan(routing), faults=[LaunchFails(3, "green")]).to_the_end()
    story.ends(Phase.PROMOTED).green_serves_alone()
    assert story.said("sufficient capacity")
    assert story.failed_requests == 0


@pytest.mark.parametrize("fault", [BlindLook(5), StaleLook(6), LostAnswer(2), RefusedCall(2)], ids=str)
@pytest.mark.parametrize("routing", ROUTINGS)
def test_a_hiccup_of_the_cloud_is_no_reason_to_retreat(routing: str, fault: object) -> None:
    """A blind or stale look, a lost answer and a throttled call are lived through."""
    story = Story(plan(routing), faults=[fault]).to_the_end()
    story.ends(Phase.PROMOTED).green_serves_alone()
    assert story.failed_requests == 0


def test_scaling_is_frozen_on_the_way_and_thawed_at_the_end() -> None:
    """With freeze_scaling both groups' own scaling is suspended from scale_up to the end."""
    story = Story(plan(freeze_scaling=True)).until(Phase.BAKE)
    assert all(group.frozen for group in story.cloud.world.groups)
    story.to_the_end().ends(Phase.PROMOTED).green_serves_alone()
    assert not any(group.frozen for group in story.cloud.world.groups)


def test_scaling_that_was_suspended_before_stays_suspended() -> None:
    """What somebody else had frozen is not thawed by us."""
    story = Story(
        plan(freeze_scaling=True), before=set_group(0, suspended=("AlarmNotification", "ScheduledActions"))
    ).to_the_end()
    story.ends(Phase.PROMOTED)
    assert story.group("blue").frozen  # type: ignore[union-attr]
    assert not story.group("green").frozen  # type: ignore[union-attr]


def test_after_the_commit_an_abort_changes_nothing() -> None:
    """Once committed there is no automatic way back: an abort is recorded and the end is promoted."""
    story = Story(plan()).until(Phase.DRAIN)
    story.operator.abort("too late")
    story.to_the_end().ends(Phase.PROMOTED).green_serves_alone()


def test_after_the_commit_an_alarm_changes_nothing() -> None:
    """A red alarm after the commit is not a way back either."""
    story = Story(plan()).until(Phase.DRAIN).happens(AlarmRed("errors", 0))
    story.to_the_end().ends(Phase.PROMOTED).green_serves_alone()


def test_a_second_deployment_waits_for_the_first() -> None:
    """A service whose deployment has not ended cannot be given another one."""
    story = Story(plan()).until(Phase.BAKE)
    story.deployment._log.release()
    with pytest.raises(Unfinished, match="bake"):
        Deployment(plan(image="ami-3"), story.cloud, journal=story.journal).advance()


def test_a_late_look_at_finished_work_goes_on() -> None:
    """Nobody looked for a day: the deployment's clock stood still, and it goes on as if nothing was."""
    story = Story(plan()).until(Phase.BAKE)
    story.cloud.clock.sleep(86_400)
    story.to_the_end().ends(Phase.PROMOTED).green_serves_alone()
    assert story.failed_requests == 0


def test_a_hand_written_ladder_works_like_a_named_one() -> None:
    """A strategy is only data: any rungs that rise to 100 will do."""
    ladder = Strategy((Rung(percent=1, bake_seconds=10), Rung(percent=99), Rung(percent=100)))
    story = Story(plan(strategy=ladder, limits=Limits(poll_seconds=3)), capacity=3).to_the_end()
    story.ends(Phase.PROMOTED).green_serves_alone()
    assert story.failed_requests == 0


def test_every_step_says_in_one_sentence_why() -> None:
    """Each reason is a sentence of one line with something in it."""
    story = Story(plan()).to_the_end().ends(Phase.PROMOTED)
    reasons = [p.step.reason for p in story.passes]
    assert all(reason and "\n" not in reason for reason in reasons)
    assert attrs.fields_dict(type(story.result))["history"]
    assert [step.reason for step in story.result.history] == reasons


@pytest.mark.parametrize("fleets", FLEETS)
@pytest.mark.parametrize("routing", ROUTINGS)
def test_a_release_after_a_roll_back_is_promoted(routing: str, fleets: str) -> None:
    """A roll-back leaves nothing behind that stands in the next release's way."""
    story = Story(plan(routing, fleets=fleets)).until(Phase.BAKE)
    story.operator.abort("wrong image")
    story.to_the_end().ends(Phase.ROLLED_BACK).everything_borrowed_is_back()
    after = story.next_release("ami-3").to_the_end().ends(Phase.PROMOTED).green_serves_alone()
    assert (after.green, after.failed_requests) == (story.green, 0)


@pytest.mark.parametrize("routing", ROUTINGS)
def test_a_blue_that_somebody_scales_up_after_the_commit_goes_all_the_same(routing: str) -> None:
    """A scaling policy wakes the emptied group once more: it is emptied again before the end."""
    story = Story(plan(routing)).until(Phase.DRAIN).happens(Rescale("blue", 1, 15))
    story.to_the_end().ends(Phase.PROMOTED)
    story.cloud.clock.sleep(120)
    assert story.size("blue") == 0
    assert story.failed_requests == 0


@pytest.mark.parametrize("phase", [Phase.SHIFT, Phase.BAKE, Phase.KEEP_BLUE], ids=lambda phase: phase.value)
@pytest.mark.parametrize("routing", ROUTINGS)
def test_a_blue_that_grows_late_is_followed_before_the_commit(routing: str, phase: Phase) -> None:
    """Whenever blue grows before the commit, green is as large when it is alone."""
    ladder = strategies.canary(50, 60, keep_blue_seconds=60)
    story = Story(plan(routing, strategy=ladder), capacity=3).until(phase).happens(Rescale("blue", 2, 1))
    story.to_the_end().ends(Phase.PROMOTED).green_serves_alone()
    assert (story.size("green"), story.failed_requests) == (5, 0)


@pytest.mark.parametrize("routing", ROUTINGS)
def test_a_green_that_somebody_scales_up_keeps_the_share(routing: str) -> None:
    """A scaling policy adds to green in the bake: the share that users get stays the rung's."""
    story = Story(plan(routing, strategy=strategies.canary(50, 300)), capacity=3).until(Phase.BAKE)
    story.happens(Rescale("green", 1, 5)).pass_by(200)
    assert routing == "weighted" or story.size("green") == 3
    story.to_the_end().ends(Phase.PROMOTED)
    assert story.failed_requests == 0
