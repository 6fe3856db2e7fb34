"""The promises, as values: a name, a sentence, and predicates that can be checked as they stand.

Each is used four times: as the guard on commands, in property tests, in exhaustive search over steps as
well as commands, and in the report. A promise about commands says nothing of what the world does by
itself: the world alone can kill every instance. It says that none of ours did it.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from . import predicates as p
from .commands import Command
from .observation import Observation
from .plan import Plan
from .state import State, Step

OfCommand = Callable[[Plan, State, Observation, Command], bool]
OfStep = Callable[[Plan, State, Observation, Step], bool]


def _always(*_: object) -> bool:
    return True


@frozen(kw_only=True)
class Invariant:
    """One promise.

    Args:
        id: Its number in ``docs/promises.md``.
        name: Two or three words.
        sentence: What is promised.
        command: Holds of a command about to be sent, in the given look.
        step: Holds of a decision: the state before, the look it was made on, the step.
    """

    id: str
    name: str
    sentence: str
    command: OfCommand = _always
    step: OfStep = _always


INVARIANTS: tuple[Invariant, ...] = (
    Invariant(
        id="S1",
        name="floor",
        sentence="No command takes the healthy serving instances from the floor to below it, whichever "
        "instances the cloud picks.",
        command=p.s1,
    ),
    Invariant(
        id="S2",
        name="proportional capacity",
        sentence="A colour that gains share has the healthy instances to carry it, or takes it from one "
        "that has none.",
        command=p.s2,
    ),
    Invariant(
        id="S3",
        name="allowance",
        sentence="The share asked for green never exceeds the current rung's.",
        command=p.s3,
    ),
    Invariant(
        id="S4",
        name="no vacuous gate",
        sentence="A gate phase is left forward only if enough distinct instances of the pinned version are "
        "proven, and every gate passes, in the very look of that step.",
        command=p.s4_attach,
        step=p.s4,
    ),
    Invariant(
        id="S5",
        name="blue is kept",
        sentence="Until the commit no command takes anything from blue; the commit asks for the last "
        "rung's picture, read back.",
        command=p.s5,
        step=p.s5_commit,
    ),
    Invariant(
        id="S6",
        name="never flee to a corpse",
        sentence="Nobody turns back while users are on green and blue cannot carry them; halted sends "
        "nothing.",
        step=p.s6,
    ),
    Invariant(
        id="S7",
        name="order",
        sentence="Instances are removed only where no request leads and the other colour covers the "
        "floor; a group is deleted only when empty.",
        command=p.s7,
    ),
    Invariant(
        id="S8",
        name="exact restoration",
        sentence="At the end every borrowed setting is back, or listed among the leftovers.",
        step=p.s8,
    ),
    Invariant(
        id="S9",
        name="one direction",
        sentence="The share asked for green never falls on the way forward and never rises on the way back; "
        "the way turns at most once.",
        command=p.s9,
        step=p.s9_phases,
    ),
    Invariant(
        id="S14",
        name="foreign state",
        sentence="A command names only what the plan names.",
        command=p.s14,
    ),
    Invariant(
        id="S15",
        name="bounds",
        sentence="Sizes, weights and calls a pass stay in their range; a pass that changes the phase sends "
        "nothing.",
        command=p.s15,
        step=p.s15_calls,
    ),
    Invariant(
        id="S17",
        name="closed to the unknown",
        sentence="What could not be read moves and removes nothing: missing is not zero, unknown is not "
        "healthy.",
        command=p.s17,
        step=p.s17_step,
    ),
)


def broken_by_command(
    plan: Plan, state: State, observation: Observation, command: Command
) -> Invariant | None:
    """The first promise that the command would break in this look; None when it may go."""
    return next((i for i in INVARIANTS if not i.command(plan, state, observation, command)), None)
