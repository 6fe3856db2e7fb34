"""One pass of a deploying process, with everything that can happen to it drawn from one source of choice.

The decisions are the product's: ``step`` decides, ``carry_out`` guards and sends. What is added here are the
process and the people around it: it may end at any boundary of a pass, and operators may ask for anything.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TypeVar

from attrs import evolve, frozen

from bluegreen.core.commands import Command
from bluegreen.core.gates import Alarm, Window
from bluegreen.core.machine import step
from bluegreen.core.observation import (
    GateReading,
    Observation,
    Outcome,
    Reading,
    Request,
    RequestKind,
    Result,
)
from bluegreen.core.plan import Plan
from bluegreen.core.state import Ledger, Phase, State, Step
from bluegreen.core.view import gates_asked
from bluegreen.deployment import carry_out
from bluegreen.ports import Clock

from ..choices import Choices
from ..faults import Budget
from ..oracle import attaches, crossing, floor, moves
from ..world import NEVER, World

T = TypeVar("T")

Failing = tuple[str, Reading]
"""A gate that does not pass, and what it says."""

ABSENT_LOOKS = 3
"""After a crash the next process begins at once, or after the time of so many looks."""


class Crash(Exception):
    """The process ends here; another one begins after so many seconds."""

    def __init__(self, absent_seconds: float) -> None:
        """Keep how long nobody looks."""
        super().__init__(absent_seconds)
        self.absent_seconds = absent_seconds


@frozen
class Asked:
    """What an operator may ask for at a pass.

    Args:
        free: What people do of themselves, the usual first; None asks for nothing.
        bold: What comes out of the budget.
    """

    free: tuple[RequestKind | None, ...] = (None,)
    bold: tuple[RequestKind, ...] = ()


def asked(state: State) -> Asked:
    """What an operator may ask for. What waits for a person gets one, sooner or later."""
    if state.phase.ended:
        return Asked()
    if state.phase is Phase.HALTED:
        return Asked(bold=("resume", "abort"))
    if state.awaiting:
        return Asked(("approve", None), ("abort", "pause"))
    if held(state):
        return Asked(("resume", None), ("abort",))
    return Asked(bold=("abort", "pause"))


def held(state: State) -> bool:
    """Whether nothing goes on because an operator said so."""
    return state.paused and (state.phase.forward or state.phase is Phase.PREFLIGHT)


def at_rest(state: State) -> bool:
    """Whether the deployment has ended, or only a person can go on."""
    return state.phase.ended or state.phase is Phase.HALTED or state.awaiting or held(state)


def completed(
    look: Observation,
    plan: Plan,
    state: State,
    *,
    failing: Failing | None,
    request: Request | None,
    outcomes: tuple[Outcome, ...],
) -> Observation:
    """A look as the loop completes it: probes and hooks all pass but the one that does not."""
    exceptions = dict([failing] if failing else ())
    readings = tuple(
        GateReading(name=gate.name, reading=exceptions.get(gate.name, Reading.PASS))
        for gate in gates_asked(plan, state)
        if not isinstance(gate, Alarm)
    )
    requests = (request,) if request else ()
    return evolve(look, gates=look.gates + readings, requests=requests, outcomes=outcomes)


def decided(plan: Plan, state: State, look: Observation) -> Step:
    """What the core decides; should it fail instead, nothing, and the signal says ``BUG``."""
    try:
        return step(plan, state, look)
    except (AssertionError, LookupError, TypeError, ValueError) as error:
        why = f"the core failed: {type(error).__name__}: {error}"
        wake_at = look.at + plan.limits.poll_seconds
        return Step(state.replaced(at=look.at, wake_at=wake_at), (), why, wake_at, BUG)


BUG = "bug"
"""The signal of a decision in which the core failed."""


def forgotten(commands: Sequence[Command]) -> tuple[Outcome, ...]:
    """What a journal says of commands whose outcomes nobody recorded."""
    return tuple(
        Outcome(command=command, result=Result.UNKNOWN, detail="the process ended before it was recorded")
        for command in commands
    )


class Passing(ABC):
    """One pass; subclasses say what a look, a command and a sleep are.

    Args:
        plan: What is deployed.
        state: What the journal says.
        outcomes: What it says of the last pass's commands.
        choices: Decide what is uncertain.
        healing: Nothing goes wrong any more, and people do what they are asked for.

    Attributes:
        request: What an operator asked for.
        step: What was decided; None if the process ended before it could be recorded.
        outcomes: What the journal says of its commands.
        hand: What a superseded process may still send.
        kind: Whether nothing went wrong, and people did the usual.
        broken: Promises that were seen to be broken, by ground truth or by the guard.
        notes: What else there is to tell.
    """

    def __init__(
        self,
        plan: Plan,
        state: State,
        outcomes: tuple[Outcome, ...],
        choices: Choices,
        *,
        healing: bool = False,
    ) -> None:
        """Keep all; ``run`` does it."""
        self.plan, self.state, self.outcomes = plan, state, outcomes
        self.choices, self.healing = choices, healing
        self.request: Request | None = None
        self.step: Step | None = None
        self.kind = True
        self.broken: list[str] = []
        self.notes: list[str] = []
        self.fresh = True
        self.hand: Command | None = None
        self._looks = 0

    # ------------------------------------------------------------------------------ what subclasses say

    @property
    @abstractmethod
    def budget(self) -> Budget:
        """What may still go wrong."""

    @property
    @abstractmethod
    def world(self) -> World:
        """The world now."""

    @abstractmethod
    def spend(self, kind: str) -> None:
        """Take one fault of a kind out of the budget."""

    @abstractmethod
    def observe(self, plan: Plan, ledger: Ledger) -> Observation:
        """Look; sets ``fresh`` to whether the look shows the world as it is."""

    @abstractmethod
    def decide(self, look: Observation, failing: Failing | None) -> Step:
        """Call ``step`` on a look, with the request, the outcomes, and the gate that does not pass."""

    @abstractmethod
    def carried_out(self, command: Command) -> Outcome:
        """Carry out one command."""

    @abstractmethod
    def arrives(self, command: Command) -> None:
        """The world does what a superseded process has asked of it."""

    @abstractmethod
    def sleep(self, seconds: float) -> None:
        """Let time pass."""

    # ----------------------------------------------------------------------------------------- the pass

    def run(self) -> None:
        """Look, decide, record, send, record, sleep; or end somewhere in between."""
        patience = ABSENT_LOOKS * self.plan.limits.poll_seconds
        try:
            self.crash((patience,))
            self._ask()
            look = self.observe(self.plan, self.state.ledger)
            self.step = now = self.decide(look, self._failing())
            self._looks = 0
            self.outcomes = ()
            if now.commands:
                self.outcomes = forgotten(now.commands)
                sent = carry_out(self.plan, now.state, look, now.commands, self, permit=self._permit)
                self.crash((0, patience))
                self.outcomes = sent
                self.broken += [f"the guard agrees: {o.invariant}" for o in sent if o.invariant and o.agreed]
            self.sleep(now.wake_at - look.at)
        except Crash as crash:
            self.sleep(crash.absent_seconds)

    def crash(self, absences: tuple[float, ...]) -> None:
        """A boundary at which the process may end."""
        if self.budget.crashes:
            absent = self.choices.pick((None, *absences))
            if absent is not None:
                self.struck("crashes")
                raise Crash(absent)

    def struck(self, kind: str) -> None:
        """Something went wrong."""
        self.kind = False
        self.spend(kind)

    def apply(self, command: Command) -> Outcome:
        """Carry out one command of ``carry_out``, judged by what is really there."""
        assert self.step is not None, "nothing is sent before it is decided"
        if not self.fresh:
            if attaches(self.world, command):
                self.broken.append("nothing is attached on an old look")
        elif words := crossing(self.world, command, floor(self.plan, self.step.state.baseline)):
            self.broken.append("no command crosses the floor, on ground truth")
            self.notes.append(words)
        if moves(command) and not self._looks:
            self.broken.append("who moves users has looked right before")
        self._looks = 0
        self._superseded(command)
        return self.carried_out(command)

    def about_to_look(self) -> None:
        """Right before a look: perhaps the request of a superseded process arrives."""
        self._looks += 1
        if self.hand is not None and self.choices.pick((False, True)):
            self.arrives(self.hand)
            self.hand = None

    def _superseded(self, command: Command) -> None:
        """Between the check of the lease and the wire; who took over goes on at once, or later."""
        if self.budget.late and self.hand is None:
            absent = self.choices.pick((None, 0, ABSENT_LOOKS * self.plan.limits.poll_seconds))
            if absent is not None:
                self.struck("late")
                self.hand = command
                raise Crash(absent)

    @property
    def clock(self) -> Clock:
        """The world's; ``carry_out`` does not wait."""
        raise NotImplementedError

    def _permit(self) -> None:
        self.crash((0, ABSENT_LOOKS * self.plan.limits.poll_seconds))

    def _ask(self) -> None:
        may = asked(self.state)
        if self.healing:
            wanted = may.free[0]
            if self.state.phase is Phase.HALTED and self.world.due == NEVER:
                wanted = "resume"  # a person waits until nothing moves any more
        else:
            bold = may.bold if self.budget.acts else ()
            wanted = self.choices.pick((*may.free, *bold))
            if wanted in bold:
                self.struck("acts")
            elif wanted != may.free[0]:
                self.kind = False
        if wanted is not None:
            rung = self.state.rung if wanted == "approve" else None
            self.request = Request(seq=self.state.seen + 1, kind=wanted, rung=rung)

    def _failing(self) -> Failing | None:
        """The probe or hook that fails now, or cannot say yet, if one does; alarms are the world's."""
        if not self.budget.reds:
            return None
        gates = [g for g in gates_asked(self.plan, self.state) if not isinstance(g, Alarm)]
        bad = [
            (gate.name, reading)
            for gate in gates
            for reading in (Reading.FAIL, Reading.PENDING)
            if reading is Reading.PENDING or not isinstance(gate, Window)  # it is closed, and never red
        ]
        failing = self.choices.pick((None, *bad))
        if failing is not None:
            self.struck("reds")
        return failing
