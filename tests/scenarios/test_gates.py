"""Gates of every kind in whole deployments: what they refuse, turn back, hold, and let go on."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from bluegreen import Deadlines, Hook, HookGate, MetricGate, PlanError, SharedTargetGroup, Window, strategies
from bluegreen.core.gates import LIFECYCLE
from bluegreen.core.observation import GateReading, Reading
from bluegreen.core.state import Phase
from bluegreen_sim import Application, Latency
from bluegreen_sim.faults import AlarmRed, BlindLook, Errors
from tests.scenarios.story import ALARM, QUICK, ROUTINGS, Story, plan

both_routings = pytest.mark.parametrize("routing", ROUTINGS)

# --------------------------------------------------------------------------------------------------- alarms


@both_routings
@pytest.mark.parametrize("phase", [Phase.SCALE_UP, Phase.BAKE, Phase.KEEP_BLUE])
def test_an_alarm_that_was_red_between_two_looks_turns_back(routing: str, phase: Phase) -> None:
    """Red for a second, and green again when anybody looks: it has been red."""
    wanted = plan(routing, strategy=strategies.canary(10, 60, keep_blue_seconds=60))
    story = Story(wanted).until(phase).happens(AlarmRed("errors", 1, for_seconds=1)).to_the_end()
    story.ends(Phase.ROLLED_BACK, "errors (red between two looks, now pass)").everything_borrowed_is_back()


def test_an_alarm_that_was_red_while_nobody_could_see_turns_back() -> None:
    """A blind look does not make the red one before it forgotten."""
    story = Story(plan()).until(Phase.BAKE)
    story.happens(AlarmRed("errors", 1, for_seconds=1), BlindLook(1), BlindLook(2), BlindLook(3)).to_the_end()
    story.ends(Phase.ROLLED_BACK, "red between two looks")


def test_what_was_red_before_the_start_is_forgiven() -> None:
    """An alarm that was red, and is not when the deployment begins, says nothing of green."""
    story = Story(plan()).happens(AlarmRed("errors", 1, for_seconds=1))
    story.cloud.clock.sleep(5)
    story.to_the_end().ends(Phase.PROMOTED).green_serves_alone()


# -------------------------------------------------------------------------------------------------- metrics

SHARE = MetricGate(
    name="green-errors",
    metric="HTTPCode_Target_5XX_Count",
    divided_by="RequestCount",
    threshold=0.02,
    missing="zero",
)


def watched(**changes: Any) -> Any:
    """A plan whose bakes are long enough to fill a period."""
    strategy = strategies.canary(10, 130, keep_blue_seconds=130)
    return plan("weighted", strategy=strategy, gates=(attrs.evolve(SHARE, **changes),))


def test_a_green_that_answers_wrongly_is_measured_and_turned_back() -> None:
    """Five percent of green's answers are wrong, two are allowed: the first rung is the last."""
    story = Story(watched(), faults=[Errors("ami-2", 5)]).to_the_end()
    story.ends(Phase.ROLLED_BACK, "green-errors (HTTPCode_Target_5XX_Count of green is 0.05")
    story.everything_borrowed_is_back()


def test_a_green_that_answers_rightly_is_promoted() -> None:
    """No error counted is no error, where the plan says so."""
    Story(watched()).to_the_end().ends(Phase.PROMOTED).green_serves_alone()


def test_what_both_versions_do_wrong_is_not_greens_fault() -> None:
    """Where blue is beyond the bound too, the bake waits, and its deadline decides."""
    faults = [Errors("ami-2", 5), Errors("ami-0alpha", 50)]
    story = Story(watched(), faults=faults).to_the_end()
    story.ends(Phase.ROLLED_BACK, "deadline of")
    assert story.said("so the new version is not the cause")


def test_a_metric_that_nobody_measures_never_passes() -> None:
    """No application here has a latency: the gate has no data, and no rung is left on it."""
    story = Story(watched(metric="TargetResponseTime", divided_by=None)).to_the_end()
    story.ends(Phase.ROLLED_BACK, "no-data")


def test_a_shared_target_group_is_not_measured_by_colour() -> None:
    """Both colours have its metrics in common, so the plan is refused with the remedy."""
    with pytest.raises(PlanError, match="use by = 'group'"):
        plan("shared", gates=(SHARE,))
    grouped = attrs.evolve(SHARE, namespace="AWS/EC2", metric="CPUUtilization", divided_by=None, by="group")
    assert isinstance(plan("shared", gates=(grouped,)).routing, SharedTargetGroup)


# --------------------------------------------------------------------------------------------------- hooks


@pytest.mark.parametrize("stage", LIFECYCLE)
def test_a_hook_is_asked_at_the_stage_that_ecs_names(stage: str) -> None:
    """``IN_PROGRESS`` holds the phase that waits for the stage; ``SUCCEEDED`` lets it go on."""
    answers = iter(["IN_PROGRESS", "IN_PROGRESS"])
    held: list[Phase] = []

    def answer(*_: object) -> str:
        word = next(answers, "SUCCEEDED")
        if word == "IN_PROGRESS":
            held.append(story.passes[-1].step.state.phase if story.passes else Phase.PREFLIGHT)
        return word

    hook = Hook(name="mine", phases=(stage,))
    story = Story(plan(gates=(hook,)), checks={"mine": HookGate("mine", answer)})
    story.to_the_end().ends(Phase.PROMOTED)
    assert {phase.value for phase in held} == {LIFECYCLE[stage][0]}
    assert len(held) == 2


@pytest.mark.parametrize("stage", LIFECYCLE)
def test_a_hook_that_fails_ends_the_deployment(stage: str) -> None:
    """``FAILED`` before anything is changed refuses; later it turns back."""
    hook = Hook(name="mine", phases=(stage,))
    story = Story(plan(gates=(hook,)), checks={"mine": HookGate("mine", lambda *_: "FAILED")}).to_the_end()
    if LIFECYCLE[stage] == ("preflight",):
        story.ends(Phase.REFUSED, "hook mine is red before anything was changed").nothing_was_changed()
    else:
        story.ends(Phase.ROLLED_BACK, "gate red: mine (FAILED)").everything_borrowed_is_back()


# ------------------------------------------------------------------------------------------------- windows

WINDOW = Window(name="office", opens="09:00", closes="17:00")


class Door:
    """A window that a test opens and shuts."""

    def __init__(self) -> None:
        self.shut = False

    def read(self, *_: object) -> GateReading:
        return GateReading(
            name="office", reading=Reading.PENDING if self.shut else Reading.PASS, detail="opens at nine"
        )


def test_outside_its_window_no_deployment_begins() -> None:
    """It is refused at once, with when it opens, and nothing is changed."""
    door = Door()
    door.shut = True
    story = Story(plan(gates=(WINDOW,)), checks={"office": door}).to_the_end()
    story.ends(Phase.REFUSED, "window office is closed (opens at nine): deploy when it is open")
    story.nothing_was_changed()


@both_routings
@pytest.mark.parametrize("phase", [Phase.TEST_TRAFFIC, Phase.BAKE, Phase.KEEP_BLUE])
def test_a_window_that_closes_holds_what_goes_forward(routing: str, phase: Phase) -> None:
    """Overnight the share stays, no deadline comes nearer; in the morning the deployment goes on."""
    door = Door()
    wanted = plan(
        routing,
        gates=(ALARM, WINDOW),
        deadlines=Deadlines(bake_seconds=30, test_traffic_seconds=30, keep_blue_seconds=30),
    )
    story = Story(wanted, checks={"office": door}).until(phase)
    door.shut = True
    story.pass_by(16 * 3600)
    assert story.phase is phase
    assert story.said("window office is closed (opens at nine)")
    assert story.state.elapsed < 120
    door.shut = False
    story.to_the_end().ends(Phase.PROMOTED).green_serves_alone()


def test_a_closed_window_does_not_keep_anybody_from_going_back() -> None:
    """An alarm turns back by night as by day."""
    door = Door()
    story = Story(plan(gates=(ALARM, WINDOW)), checks={"office": door}).until(Phase.BAKE)
    door.shut = True
    story.pass_by(3600)
    story.happens(AlarmRed("errors", 0)).to_the_end().ends(Phase.ROLLED_BACK).everything_borrowed_is_back()


def test_a_world_without_a_calendar_takes_windows_as_open() -> None:
    """World time has no date: a rehearsal does not depend on the day it is made."""
    Story(plan(gates=(WINDOW,))).to_the_end().ends(Phase.PROMOTED)


def test_a_green_that_answers_slowly_is_turned_back() -> None:
    """Where applications take time its percentiles are measured: a green ten times as slow fails its gate."""
    gate = {"metric": "TargetResponseTime", "divided_by": None, "statistic": "p99", "threshold": 1}
    latencies = {"ami-0alpha": Latency.constant(0.2), "ami-2": Latency.constant(2)}
    applications = tuple((image, Application(latency=each)) for image, each in latencies.items())
    slow = attrs.evolve(QUICK, applications=applications)
    story = Story(watched(**gate), settings=slow).to_the_end()
    story.ends(Phase.ROLLED_BACK, "(TargetResponseTime of green is 2")
