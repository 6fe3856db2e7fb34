"""What a journal tells: deployments, read back and replayed."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import field, frozen

from ..core.errors import JournalError
from ..core.evidence import Evidence
from ..core.machine import step
from ..core.observation import Observation, Outcome
from ..core.observation import Result as Became
from ..core.plan import Plan
from ..core.state import Phase, State, Step
from ..ports import Journal, Record
from . import codec


@frozen(kw_only=True)
class Story:
    """One deployment as its journal tells it.

    Args:
        number: Which deployment of the service it is, from 1.
        plan: What was wanted.
        started: When it began.
        first: The state before the first look.
        state: Where it stands.
        looks: What each decision was made on.
        steps: What was decided.
        outcomes: What became of the last pass's commands; unknown where a crash cut the record off.
        requests: Operators' requests, as records.
        evidence: What green left behind when it was given up; None when it was not, or that is not known.
    """

    number: int
    plan: Plan
    started: float
    first: State
    state: State
    looks: tuple[Observation, ...] = ()
    steps: tuple[Step, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    requests: tuple[Record, ...] = field(default=())
    evidence: Evidence | None = None

    @property
    def turned(self) -> Observation | None:
        """The look on which the deployment turned back; None when it did not."""
        passes = zip(self.looks, self.steps, strict=True)
        return next((look for look, taken in passes if taken.state.phase is Phase.ROLL_BACK), None)


def stories(journal: Journal) -> Iterator[Story]:
    """All deployments of the journal's service, oldest first.

    Raises:
        JournalDamaged: If a record is not what was written.
        JournalTooNew: If a newer bluegreen wrote it.
    """
    for number, chapter in enumerate(_chapters(journal), start=1):
        yield _tell(chapter, number)


def _chapters(journal: Journal) -> Iterator[list[Record]]:
    """The records of each deployment, from its start on."""
    chapter: list[Record] = []
    for record in journal.records():
        if record.kind == "started":
            if chapter:
                yield chapter
            chapter = [record]
        elif chapter:
            chapter.append(record)
    if chapter:
        yield chapter


def last(journal: Journal, service: str) -> Story | None:
    """The last deployment of ``service``; None when the journal has none.

    Raises:
        JournalError: If the journal is another service's.
    """
    chapters = list(_chapters(journal))
    if not chapters:
        return None
    found = _tell(chapters[-1], len(chapters))
    if found.plan.service != service:
        raise JournalError(f"this is the journal of {found.plan.service}, not of {service}")
    return found


def _tell(chapter: list[Record], number: int) -> Story:
    plan, first = codec.read_started(chapter[0].body)
    state = first
    looks: list[Observation] = []
    steps: list[Step] = []
    outcomes: tuple[Outcome, ...] = ()
    requests = []
    evidence: Evidence | None = None
    for record in chapter[1:]:
        match record.kind:
            case "decision":
                before = (looks[-1], steps[-1]) if steps else None
                look, decided = codec.read_decision(record.body, before)
                looks.append(look)
                steps.append(decided)
                state = decided.state
                # Until their record says more, commands may or may not have been sent.
                outcomes = tuple(
                    Outcome(
                        command=command,
                        result=Became.UNKNOWN,
                        detail="the process ended before it was recorded",
                    )
                    for command in decided.commands
                )
            case "outcomes":
                outcomes = codec.read_outcomes(record.body)
            case "evidence":
                evidence = codec.read_evidence(record.body)
            case "request":
                requests.append(record)
    return Story(
        number=number,
        plan=plan,
        started=first.at,
        first=first,
        state=state,
        looks=tuple(looks),
        steps=tuple(steps),
        outcomes=outcomes,
        requests=tuple(requests),
        evidence=evidence,
    )


def replay(story: Story) -> Iterator[tuple[Step, Step]]:
    """(what was recorded, what the core decides now) for each decision.

    The two are equal, byte for byte in their recorded form, or this version of the core decides
    otherwise than the one that wrote the journal.
    """
    state = story.first
    for look, recorded in zip(story.looks, story.steps, strict=True):
        yield recorded, step(story.plan, state, look)
        state = recorded.state
