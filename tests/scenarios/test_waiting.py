"""Stories in which the deployment waits: for a person, for a gate, for a drain that takes its time."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bluegreen import Deadlines, Deployment, Hook, HookGate, PlanError, Rung, Strategy, strategies
from bluegreen.core.state import Phase
from bluegreen_sim import Dies, Settings
from bluegreen_sim.faults import AlarmOk
from tests.scenarios.story import FLEETS, QUICK, ROUTINGS, Story, plan

APPROVED = strategies.canary(10, 60, approval=True)


# ------------------------------------------------------------------------------------------------- persons


@pytest.mark.parametrize("routing", ROUTINGS)
def test_a_pause_holds_the_way_forward_until_the_resume(routing: str) -> None:
    """Paused beyond its deadline, the bake is neither over nor late; resumed, it ends promoted."""
    story = Story(plan(routing)).until(Phase.BAKE)
    story.operator.pause("lunch")
    story.pass_by(700).ends(Phase.BAKE, "paused by an operator")
    story.operator.resume()
    story.to_the_end().ends(Phase.PROMOTED).green_serves_alone()
    assert story.failed_requests == 0


def test_a_paused_bake_does_not_count() -> None:
    """What a bake still lacked before the pause it lacks after it."""
    story = Story(plan(strategy=strategies.all_at_once(300))).until(Phase.BAKE).pass_by(100)
    story.operator.pause()
    story.pass_by(1000).operator.resume()
    story.pass_by(150)
    assert story.phase is Phase.BAKE
    story.to_the_end().ends(Phase.PROMOTED)


def test_a_paused_deployment_keeps_its_picture() -> None:
    """A pause stops the way, not the care: a green instance that dies meanwhile is replaced."""
    story = Story(plan(min_healthy_percent=50)).until(Phase.BAKE)
    story.operator.pause()
    story.happens(Dies("green", 5)).pass_by(900)
    assert (story.phase, story.size("green")) == (Phase.BAKE, 2)
    story.operator.resume()
    story.to_the_end().ends(Phase.PROMOTED).green_serves_alone()


def test_a_pause_after_the_commit_changes_nothing() -> None:
    """From the commit on there is nothing to hold."""
    story = Story(plan()).until(Phase.DRAIN)
    story.operator.pause("wait!")
    story.to_the_end().ends(Phase.PROMOTED).green_serves_alone()


def test_a_pause_on_the_way_back_changes_nothing() -> None:
    """Nor on the way back."""
    story = Story(plan()).until(Phase.BAKE)
    story.operator.abort("wrong image")
    story.until(Phase.ROLL_BACK).operator.pause("wait!")
    story.to_the_end().ends(Phase.ROLLED_BACK).everything_borrowed_is_back()


@pytest.mark.parametrize("routing", ROUTINGS)
def test_an_approval_is_waited_for_without_a_deadline(routing: str) -> None:
    """A rung that asks for approval waits as long as it takes, and says for what."""
    ladder = strategies.canary(50, 60, approval=True)
    story = Story(plan(routing, strategy=ladder)).to_the_end()
    story.ends(Phase.BAKE, "rung 1 (50 %) waits for approval")
    story.pass_by(700).ends(Phase.BAKE)
    story.operator.approve("looks good")
    story.to_the_end().ends(Phase.PROMOTED).green_serves_alone()
    assert story.failed_requests == 0


def test_an_approval_names_its_rung() -> None:
    """Said twice at the first rung, it approves nothing more: the second rung waits for its own."""
    rungs = (Rung(percent=10, approval=True), Rung(percent=50, approval=True), Rung(percent=100))
    story = Story(plan(strategy=Strategy(rungs))).to_the_end()
    story.operator.approve()
    story.operator.approve()
    story.to_the_end().ends(Phase.BAKE, "rung 2 (50 %) waits for approval")
    story.operator.approve()
    story.to_the_end().ends(Phase.PROMOTED).green_serves_alone()


def test_an_early_approval_does_not_shorten_the_bake() -> None:
    """Approved at once, the rung still bakes for its time."""
    story = Story(plan(strategy=APPROVED)).until(Phase.BAKE)
    story.operator.approve("I trust them")
    began = story.cloud.clock.now()
    story.until(Phase.SHIFT)
    assert story.cloud.clock.now() - began == 60
    story.to_the_end().ends(Phase.PROMOTED).green_serves_alone()


def test_who_asked_and_why_is_in_the_journal() -> None:
    """An operator's request is kept with its name and reason."""
    story = Story(plan(strategy=APPROVED)).to_the_end()
    story.operator.approve("the dashboards are green")
    story.to_the_end().ends(Phase.PROMOTED)
    (request,) = (r for r in story.journal.records() if r.kind == "request")
    assert (request.body["by"], request.body["reason"]) == ("alice", "the dashboards are green")


def test_another_process_goes_on_where_the_first_rested() -> None:
    """While a person was awaited the process ended; the next one loads the journal and goes on."""
    story = Story(plan(strategy=APPROVED)).to_the_end()
    story.operator.approve()
    story.deployment = Deployment.load("web", story.cloud, story.journal, listeners=[story])
    story.to_the_end().ends(Phase.PROMOTED).green_serves_alone()


# --------------------------------------------------------------------------------------------------- gates


def answers(*words: Any) -> Callable[..., Any]:
    """A check that gives these answers in turn, and the last one for ever."""

    def in_turn() -> Iterator[Any]:
        yield from words
        while True:
            yield words[-1]

    turns = in_turn()

    def check(*_: object) -> Any:
        word = next(turns)
        if isinstance(word, Exception):
            raise word
        return word

    return check


def with_hook(*words: Any, phase: str = "bake", **changes: Any) -> Story:
    """A release whose acceptance check gives these answers."""
    hook = Hook(name="acceptance", phases=(phase,))
    check = HookGate("acceptance", answers(*words))
    return Story(plan(gates=(hook,), **changes), checks={"acceptance": check})


@pytest.mark.parametrize("phase", ["test_traffic", "bake", "keep_blue"])
def test_a_hook_in_progress_is_waited_for(phase: str) -> None:
    """IN_PROGRESS is neither a pass nor a failure; SUCCEEDED goes on."""
    story = with_hook("IN_PROGRESS", "IN_PROGRESS", "SUCCEEDED", phase=phase).to_the_end()
    story.ends(Phase.PROMOTED).green_serves_alone()
    assert story.said("gate acceptance: pending")
    assert story.failed_requests == 0


@pytest.mark.parametrize("word", ["IN_PROGRESS", "PERHAPS", None, RuntimeError("no route")], ids=str)
def test_a_hook_that_never_passes_turns_back_at_the_deadline(word: object) -> None:
    """For ever in progress, an answer that nobody knows, an exception: never a pass."""
    story = with_hook(word, phase="test_traffic").to_the_end()
    story.ends(Phase.ROLLED_BACK).everything_borrowed_is_back()
    assert Phase.SHIFT not in story.phases
    assert story.said("deadline of 300 s passed")
    assert story.failed_requests == 0


def test_a_hook_called_after_an_approval_has_a_deadline_like_any_other() -> None:
    """What a check is called says nothing of persons: the rung is approved, and its deadline turns back."""
    hook = Hook(name="cab-approval", phases=("bake",))
    wanted = plan(strategy=strategies.canary(50, 60, approval=True), gates=(hook,))
    story = Story(wanted, checks={"cab-approval": HookGate("cab-approval", lambda *_: "IN_PROGRESS")})
    story.until(Phase.BAKE).operator.approve()
    story.to_the_end().ends(Phase.ROLLED_BACK, "gate cab-approval: pending (IN_PROGRESS)")


def test_a_hook_that_nobody_gave_is_told_before_anything_begins() -> None:
    """A plan names a check that the program did not bring: no deployment, and none that is loaded."""
    with pytest.raises(PlanError, match=r"gates\['acceptance'\]: None: must be given"):
        Story(plan(gates=(Hook(name="acceptance"),)))
    story = with_hook("IN_PROGRESS").until(Phase.TEST_TRAFFIC)
    with pytest.raises(PlanError, match=r"gates\['acceptance'\]: None: must be given"):
        Deployment.load("web", story.cloud, story.journal)


def test_an_alarm_that_loses_its_data_holds_the_bake() -> None:
    """No data is not a pass: the bake waits; data in time go on to the end."""
    story = Story(plan()).until(Phase.BAKE)
    story.cloud.world = story.cloud.world.replaced(alarms=(("errors", "no-data"),))
    story.pass_by(200).ends(Phase.BAKE, "gate errors: no-data")
    story.happens(AlarmOk("errors", 20)).to_the_end().ends(Phase.PROMOTED).green_serves_alone()


def test_an_alarm_without_data_for_good_turns_back() -> None:
    """Without data until the deadline, green is not trusted."""
    story = Story(plan()).until(Phase.BAKE)
    story.cloud.world = story.cloud.world.replaced(alarms=(("errors", "no-data"),))
    story.to_the_end().ends(Phase.ROLLED_BACK).everything_borrowed_is_back()
    assert story.failed_requests == 0


# --------------------------------------------------------------------------------------------------- drains


@pytest.mark.parametrize("fleets", FLEETS)
@pytest.mark.parametrize("routing", ROUTINGS)
def test_a_drain_that_hangs_is_left_behind_and_listed(routing: str, fleets: str) -> None:
    """Green is live; what still drains of blue at the deadlines is in the result, and nobody is hurt."""
    slow = Settings(deregistration_seconds=3600)
    deadlines = Deadlines(drain_seconds=300, clean_up_seconds=300)
    story = Story(plan(routing, fleets=fleets, deadlines=deadlines), settings=slow).to_the_end()
    story.ends(Phase.PROMOTED)
    blue = story.group("blue")
    assert blue is not None
    assert (blue.desired, story.size("blue")) == (0, 2)
    assert any("web-a" in left for left in story.result.leftovers)
    assert story.failed_requests == 0


@pytest.mark.parametrize("routing", ROUTINGS)
def test_a_drain_within_the_deadline_is_waited_for(routing: str) -> None:
    """The balancer's usual five minutes are no reason to hurry."""
    story = Story(plan(routing), settings=Settings(deregistration_seconds=300)).to_the_end()
    story.ends(Phase.PROMOTED).green_serves_alone()
    assert story.failed_requests == 0


@pytest.mark.parametrize("routing", ROUTINGS)
def test_a_drain_that_hangs_on_the_way_back_is_listed(routing: str) -> None:
    """Rolled back with green still draining at the deadline: its instances are in the result."""
    slow = Settings(deregistration_seconds=3600)
    story = Story(plan(routing, deadlines=Deadlines(discard_seconds=300)), settings=slow).until(Phase.BAKE)
    story.operator.abort("wrong image")
    story.to_the_end().ends(Phase.ROLLED_BACK)
    assert any("web-b" in left for left in story.result.leftovers)
    assert story.failed_requests == 0


def test_the_defaults_of_the_world_are_quick_enough() -> None:
    """With nothing set but a balancer that drains for half a minute the whole story takes minutes."""
    story = Story(plan(), settings=QUICK).to_the_end().ends(Phase.PROMOTED)
    assert story.result.ended - story.result.started < 600
