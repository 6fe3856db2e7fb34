"""What a green leaves behind that was given up: gathered once, before it goes, and never in the way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from attrs import define, evolve, field

from bluegreen import (
    Deadlines,
    Deployment,
    MemoryJournal,
    Plan,
    SharedTargetGroup,
    WeightedTargetGroups,
    strategies,
)
from bluegreen.core.evidence import Console, Evidence, asked_first, sick
from bluegreen.core.observation import Fleet, Health, TargetHealth
from bluegreen.core.state import Phase
from bluegreen.journal import codec
from bluegreen.journal.history import last
from bluegreen_sim import LaunchFails, NeverHealthy, SimCloud, SlowBoot
from bluegreen_sim.faults import BlindLook, Fault
from tests.scenarios.story import Story
from tests.scenarios.story import plan as wanted

WEIGHTED = WeightedTargetGroups("exercise-blue", "exercise-green")
SHARED = SharedTargetGroup("exercise-target-group")
PLAN = Plan(
    service="exercise",
    image="ami-0beta",
    launch_template="exercise-launch-template",
    groups=("exercise-group-blue", "exercise-group-green"),
    routing=WEIGHTED,
    strategy=strategies.all_at_once(0),
    deadlines=Deadlines(scale_up_seconds=120),
    console_lines=5,
)
GREEN = PLAN.groups[1]


@define
class Told:
    """Every question for evidence, with the green instances that there were then."""

    cloud: SimCloud
    asked: list[tuple[str, tuple[str, ...], int]] = field(factory=list)
    living: list[int] = field(factory=list)
    answers: Any = None

    def __call__(self, fleet: str, instances: Sequence[str], lines: int) -> Evidence:
        self.asked.append((fleet, tuple(instances), lines))
        self.living.append(len(self.cloud.instances(fleet)))
        if isinstance(self.answers, Exception):
            raise self.answers
        return Evidence(
            fleet=fleet, activities=("Failed: launching",), consoles=(Console("i-1", ("panic",)),)
        )


def failing(plan: Plan = PLAN, *faults: Fault) -> tuple[SimCloud, Told]:
    """A cloud on which the plan fails, and what it was asked for."""
    cloud = SimCloud(plan, traffic=0, faults=faults or (NeverHealthy("green"),))
    told = Told(cloud)
    cloud.evidence = told  # type: ignore[method-assign]
    return cloud, told


@pytest.mark.parametrize("routing", [WEIGHTED, SHARED], ids=["weighted", "shared"])
def test_what_a_failed_green_leaves_is_in_the_journal(routing: Any) -> None:
    """Asked once, while its instances live; the journal and the result have it, with each target's reason."""
    plan = evolve(PLAN, routing=routing)
    cloud, told = failing(plan)
    journal = MemoryJournal()
    result = Deployment(plan, cloud, journal=journal).run()
    assert result.phase is Phase.ROLLED_BACK
    (asked,) = told.asked
    assert asked[0] == GREEN
    assert asked[2] == 5
    assert told.living == [2]
    story = last(journal, "exercise")
    assert story is not None
    assert story.evidence == result.evidence
    assert result.evidence is not None
    assert result.evidence.activities == ("Failed: launching",)
    assert [line.partition(":")[0] for line in result.evidence.targets] == sorted(asked[1])
    assert all("unhealthy" in line or "initial" in line for line in result.evidence.targets)
    kinds = [record.kind for record in journal.records()]
    assert kinds.count("evidence") == 1


def test_a_promotion_leaves_no_evidence() -> None:
    """Where nothing was given up, nothing is asked for."""
    cloud, told = failing(PLAN, SlowBoot(20, "green"))
    result = Deployment(PLAN, cloud).run()
    assert (result.ok, result.evidence, told.asked) == (True, None, [])


def test_consoles_are_read_only_if_the_plan_says_so() -> None:
    """They may hold secrets: without ``console_lines`` no instance is named; the rest is asked for."""
    plan = evolve(PLAN, console_lines=0)
    cloud, told = failing(plan)
    Deployment(plan, cloud).run()
    assert told.asked == [(GREEN, (), 0)]


def test_evidence_that_cannot_be_had_keeps_nobody() -> None:
    """Whatever the question raises, green goes, and the evidence says why it is thin."""
    cloud, told = failing()
    told.answers = ValueError("no\nanswer")
    result = Deployment(PLAN, cloud).run()
    assert result.phase is Phase.ROLLED_BACK
    assert result.evidence is not None
    assert result.evidence.unread == (r"ValueError: no\nanswer",)
    assert len(result.evidence.targets) == 2


def test_a_cloud_that_tells_nothing_is_not_asked() -> None:
    """A provider without the offer still leaves the targets that its looks have shown."""
    cloud = SimCloud(PLAN, traffic=0, faults=[NeverHealthy("green")])

    class Plain:
        clock, observe, apply = cloud.clock, staticmethod(cloud.observe), staticmethod(cloud.apply)

    result = Deployment(PLAN, Plain()).run()
    assert result.evidence is not None
    assert (len(result.evidence.targets), result.evidence.activities) == (2, ())


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.crash
def test_killed_before_it_was_recorded_it_is_gathered_again() -> None:
    """A process that ends between decision and record leaves it to the next one, while green lives."""
    cloud, told = failing()
    journal = MemoryJournal()
    told.answers = Killed()

    def ends(*_: object) -> Evidence:
        raise Killed

    cloud.evidence = ends  # type: ignore[method-assign]
    with pytest.raises(Killed):
        Deployment(PLAN, cloud, journal=journal).run()
    told.answers = None
    cloud.evidence = told  # type: ignore[method-assign]
    result = Deployment.load("exercise", cloud, journal).run()
    assert result.phase is Phase.ROLLED_BACK
    assert told.living == [2]
    assert result.evidence is not None
    assert len(result.evidence.targets) == 2
    again = Deployment.load("exercise", cloud, journal)
    assert again.run().evidence == result.evidence
    assert len(told.asked) == 1


def test_one_that_turns_back_twice_tells_of_the_first_turn() -> None:
    """A process that ran all the time knows the look that gave green up, as one that loads it does."""
    story = Story(wanted()).until(Phase.BAKE)
    story.operator.abort("it is sick")
    story.until(Phase.ROLL_BACK).happens(*(BlindLook(n) for n in range(1, 120))).to_the_end()
    story.ends(Phase.HALTED, "cannot read")
    story.pass_by(200).operator.resume("the network is back")
    story.until(Phase.ROLL_BACK)
    assert story.phases.count(Phase.ROLL_BACK) == 2
    loaded = Deployment.load("web", story.cloud, story.journal)
    assert story.deployment._turned == loaded._turned
    story.to_the_end().ends(Phase.ROLLED_BACK).everything_borrowed_is_back()


def test_who_is_sick_is_asked_first() -> None:
    """Three consoles are read at most: those with a bad verdict first; who is healthy is no evidence."""
    fleet = Fleet(
        name="green",
        targets=(
            TargetHealth("i-1", 2, Health.HEALTHY),
            TargetHealth("i-2", 2, Health.INITIAL, "Elb.RegistrationInProgress"),
            TargetHealth("i-3", 2, Health.UNHEALTHY, "Target.FailedHealthChecks"),
            TargetHealth("i-4", 2, Health.UNKNOWN),
        ),
    )
    assert asked_first(fleet) == ("i-3", "i-2", "i-4", "i-1")
    assert sick(fleet) == (
        "i-2: initial (Elb.RegistrationInProgress)",
        "i-3: unhealthy (Target.FailedHealthChecks)",
        "i-4: unknown",
    )
    assert (asked_first(None), sick(None)) == ((), ())


def test_evidence_comes_back_as_it_was_written() -> None:
    """The record holds all of it."""
    found = Evidence(
        fleet="green",
        targets=("i-1: unhealthy",),
        activities=("Failed",),
        consoles=(Console("i-1", ("a", "b")),),
        unread=("activities (AccessDenied)",),
    )
    assert codec.read_evidence(codec.evidence(found)) == found


def test_the_simulator_tells_too() -> None:
    """SimCloud tells of failed launches in AWS's words, and a line for each instance that is asked for."""
    cloud = SimCloud(PLAN, traffic=0, faults=[LaunchFails(1000, "green")])
    result = Deployment(PLAN, cloud).run()
    assert result.evidence is not None
    assert "We currently do not have sufficient" in result.evidence.activities[0]
    cloud = SimCloud(PLAN, traffic=0, faults=[NeverHealthy("green")])
    result = Deployment(PLAN, cloud).run()
    assert result.evidence is not None
    assert [each.lines for each in result.evidence.consoles] == [("running, answers: false",)] * 2
