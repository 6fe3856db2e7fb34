"""What bluegreen asks of the world around it. Protocols only: nothing here does anything."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, Protocol

from attrs import frozen

from .core.commands import Command
from .core.evidence import Evidence
from .core.gates import MetricGate
from .core.observation import ErrorClass, GateReading, Observation, Outcome, Result
from .core.plan import Plan
from .core.state import Ledger, Step


class Clock(Protocol):
    """Time: real, or a simulator's."""

    def now(self) -> float:
        """Seconds since an epoch of the clock's own."""

    def sleep(self, seconds: float) -> None:
        """Let ``seconds`` pass; zero or less returns at once."""


class Cloud(Protocol):
    """Where the fleets are."""

    @property
    def clock(self) -> Clock:
        """The time that observations are stamped with."""

    def observe(self, plan: Plan, ledger: Ledger) -> Observation:
        """Look at all that the plan speaks of.

        What cannot be read is absent and named in ``Observation.unread``; nothing is raised for it. What
        makes the plan impossible here is a sentence in ``Observation.problems``, as long as the ledger has
        no loan: later nobody asks. ``requests``, ``outcomes`` and the readings of all gates but
        alarms are filled in by the loop.
        """

    def apply(self, command: Command) -> Outcome:
        """Carry out one command, at most once, and say what became of it; a look came before it.

        Every error is an ``Outcome`` of the closed set; nothing is raised but bugs. Asked for the same
        again, the world stays as it is.
        """


Series = tuple[float | None, ...]
"""Values of a metric by period, the newest first; None for a period without one."""

Measure = Callable[[Sequence[MetricGate], Sequence[str]], Mapping[tuple[str, str], Series]]
"""What a cloud may offer besides, as ``measure(gates, groups)``: each gate's values (``MetricGate.value``) by
(gate, group), of the newest ``periods`` whole periods; what it does not measure is left out. It may raise
anything."""


Witness = Callable[[str, Sequence[str], int], Evidence]
"""What a cloud may offer besides, as ``evidence(group, instances, lines)``: what it tells of a green that was
given up, before that is removed, and the last ``lines`` of these instances' consoles. It only reads; what it
cannot read it names in ``Evidence.unread``; ``targets`` is filled in by the loop. It may raise anything."""


class Gate(Protocol):
    """A check from outside: what a plan's ``Probe`` or ``Hook`` of the same name stands for."""

    def read(self, plan: Plan, observation: Observation) -> GateReading:
        """Judge now. An exception counts as ``NO_DATA``, never as a pass."""


class Listener(Protocol):
    """Somebody who wants to know. What it raises is logged and changes nothing."""

    def stepped(self, step: Step, observation: Observation) -> None:
        """Called after each pass, with what was decided and on what."""


@frozen(kw_only=True)
class Holder:
    """Who may write a service's deployments.

    Args:
        name: The holder, for people: host and process.
        fence: Strictly rising with every take-over.
        until: When the holder is presumed dead unless renewed, in seconds of the holder's clock.
        since: When it took over, likewise.
    """

    name: str
    fence: int
    until: float
    since: float = 0.0


@frozen(kw_only=True, slots=False)
class Record:
    """One entry of a journal, immutable once put.

    Args:
        seq: Its slot: 1, 2, 3 … without a gap.
        service: Whose log it is in.
        deployment_id: The deployment it belongs to.
        kind: ``lease``, ``started``, ``decision``, ``outcomes``, ``evidence`` or ``request``.
        body: What happened, as JSON-able data; its form by kind is in ``journal/codec.py``.
        fence: The holder's fence; 0 for an operator's request.
        writer: Writer and nonce, so that a writer can find its own record again.
    """

    seq: int
    service: str
    deployment_id: str
    kind: str
    body: dict[str, Any]
    fence: int
    writer: str


class Journal(Protocol):
    """One append-only log for one service; the log is its own arbiter.

    Taking over is a record too, with the next fence: a stale holder finds its next slot taken, reads,
    sees the higher fence and stops, whatever its clock says.
    """

    def put(self, seq: int, record: Record) -> None:
        """Put a record into an empty slot, durably.

        Raises:
            SlotTaken: If the slot holds a record already.
            JournalError: If it could not be written.
        """

    def records(self, after: int = 0) -> Iterable[Record]:
        """All records with ``seq > after``, in order.

        Raises:
            JournalDamaged: If any record is not what was written, or one is missing, slot ``after`` too.
            JournalTooNew: If the journal was written by a newer bluegreen.
        """

    def renew(self, holder: Holder) -> None:
        """Note a sign of life; ``until = 0`` releases. For liveness only: safety never depends on it.

        One with a lower fence than the last is a stale holder's, and is ignored.
        """

    def holder(self) -> Holder | None:
        """The last sign of life; None when there was none.

        Its ``until`` is 0 when the holder let go, or is known to be dead.
        """


# ------------------------------------------------------------------------------------------- image builds

InstanceState = Literal["pending", "running", "stopping", "stopped", "shutting-down", "terminated"]
ImageState = Literal["pending", "available", "failed"]
"""``failed`` stands for every state from which an image does not become available."""


@frozen(kw_only=True)
class CommandRun:
    """One shell command on a build instance, as it was seen.

    Args:
        exit_code: How it ended, 0 for well; None while it runs.
        output: What it wrote, at least the end of it.
    """

    exit_code: int | None = None
    output: str = ""


@frozen(kw_only=True)
class StartInstance:
    """Start the build instance from a launch template.

    ``token`` says whose it is: ``Builder.look`` finds it by that. ``request`` makes repeating harmless:
    the same request gives the same instance, even one that has ended.
    """

    service: str
    name: str
    launch_template: str
    version: int | None
    token: str
    request: str


@frozen(kw_only=True)
class RunCommand:
    """Run ``commands[index]`` of a build in the instance's shell; at most once, however often it is asked.

    It may take ``seconds``; what stops it then says so by an exit code other than 0.
    """

    instance: str
    token: str
    index: int
    text: str
    seconds: int


@frozen(kw_only=True)
class StopInstance:
    """Stop the build instance, so that the image is of a file system at rest.

    ``done`` commands have ended well on it, for a builder that cannot see that once it is stopped.
    """

    instance: str
    done: int


@frozen(kw_only=True)
class CreateImage:
    """Register an image of the stopped instance; ``token`` says whose it is."""

    service: str
    instance: str
    name: str
    token: str


@frozen(kw_only=True)
class TerminateInstance:
    """End the build instance."""

    instance: str


BuildCommand = StartInstance | RunCommand | StopInstance | CreateImage | TerminateInstance


@frozen(kw_only=True)
class BuildOutcome:
    """What became of one command of a build.

    Args:
        result: What became of it.
        error: Its class, when it was not applied.
        detail: The builder's own words, for people.
    """

    result: Result
    error: ErrorClass | None = None
    detail: str = ""


@frozen(kw_only=True)
class BuildLook:
    """All that one pass of an image build knows.

    Args:
        at: When it was seen, in seconds of the builder's clock.
        instance: The instance that bears the build's token: the one that lives, else the one that
            ended last and can still be seen; None when there is none.
        instance_state: Its state.
        ready: Whether it takes commands now.
        obstacle: Why it does not, for people; empty where that is not known.
        hopeless: Whether it will not however long it is waited for: the obstacle ends the build.
        runs: The build's commands begun on it, in order; ``runs[i]`` is of ``commands[i]``.
        image: The image of the build's name; None when there is none.
        image_state: Its state.
        foreign: Whether that image bears another token than the build's, or none.
        outcome: What became of the last pass's command; filled in by the loop.
        unread: Names of the parts that could not be read.
    """

    at: float
    instance: str | None = None
    instance_state: InstanceState | None = None
    ready: bool = False
    obstacle: str = ""
    hopeless: bool = False
    runs: tuple[CommandRun, ...] = ()
    image: str | None = None
    image_state: ImageState | None = None
    foreign: bool = False
    outcome: BuildOutcome | None = None
    unread: tuple[str, ...] = ()


class Builder(Protocol):
    """Where images are built."""

    @property
    def clock(self) -> Clock:
        """The time that looks are stamped with."""

    def look(self, token: str, name: str) -> BuildLook:
        """Look for the instance that bears the token, its commands, and the image of that name.

        What cannot be read is named in ``BuildLook.unread``; nothing is raised for it.
        """

    def apply(self, command: BuildCommand) -> BuildOutcome:
        """Carry out one command and say what became of it; begun is enough, the next look tells the rest.

        Asked for the same again, the world stays as it is. Every error is a ``BuildOutcome``; nothing is
        raised but bugs. An image name that is taken is ``CONFLICT`` only if that image was looked at and
        bears another token; if it cannot be seen yet, the outcome is ``UNKNOWN``.
        """
