"""The deployment as a pure function: ``step(plan, state, observation) -> Step``.

Two rules hold this file together. Everything that changes a phase stands in ``TRANSITIONS``; nothing
else does. And a pass that changes the phase sends nothing: one record, one transition, one sentence;
the next pass looks again at once.
"""

from __future__ import annotations

from typing import Any, Final

from .commands import Command, describe
from .difference import owed
from .ledger import borrow, forgive, pre_image
from .observation import Observation, Result
from .plan import Plan
from .preflight import survey
from .signals import Reply, Signal, deadline, read
from .state import Ledger, Phase, Sighting, State, Step
from .text import plain
from .verdict import SICK_LOOKS, falls_short, last_reds

P, S = Phase, Signal


class Stay:
    """The cell of a pair that changes nothing."""


class Never:
    """The cell of a pair that cannot occur."""


class CameFrom:
    """The cell of ``halted`` and ``resume``: the phase that was left, with a fresh deadline."""


STAY: Final = Stay()
NEVER: Final = Never()
CAME_FROM: Final = CameFrom()
Cell = Phase | Stay | Never | CameFrom

_FORWARD: Final[dict[Signal, Cell]] = {
    S.RESUME: NEVER,
    S.BLOCKED: P.HALTED,
    S.BLIND: STAY,
    S.ABORT: P.ROLL_BACK,
    S.UNSAFE: P.HALTED,
    S.ALARM: P.ROLL_BACK,
    S.PAUSED: STAY,
    S.LAST: NEVER,
    S.EXPIRED: P.ROLL_BACK,
    S.WAIT: STAY,
}
_BOUND: Final[dict[Signal, Cell]] = {  # after the commit and on the way back: only on, or halted
    S.RESUME: NEVER,
    S.BLOCKED: P.HALTED,
    S.BLIND: STAY,
    S.ABORT: NEVER,
    S.UNSAFE: P.HALTED,
    S.ALARM: NEVER,
    S.PAUSED: NEVER,
    S.LAST: NEVER,
    S.WAIT: STAY,
}
_END: Final[dict[Signal, Cell]] = {**dict.fromkeys(Signal, NEVER), S.WAIT: STAY}

TRANSITIONS: Final[dict[Phase, dict[Signal, Cell]]] = {
    P.PREFLIGHT: {
        **_FORWARD,
        S.BLOCKED: NEVER,  # nothing was sent yet, nothing borrowed
        S.ABORT: P.REFUSED,
        S.UNSAFE: P.REFUSED,
        S.ALARM: NEVER,
        S.REACHED: P.SCALE_UP,
        S.EXPIRED: P.REFUSED,
    },
    P.SCALE_UP: {**_FORWARD, S.REACHED: P.TEST_TRAFFIC},
    P.TEST_TRAFFIC: {**_FORWARD, S.REACHED: P.SHIFT},
    P.SHIFT: {**_FORWARD, S.REACHED: P.BAKE},
    P.BAKE: {**_FORWARD, S.REACHED: P.SHIFT, S.LAST: P.KEEP_BLUE},  # shift again: the next rung
    P.KEEP_BLUE: {**_FORWARD, S.REACHED: P.DRAIN},  # the commit
    P.DRAIN: {**_BOUND, S.REACHED: P.CLEAN_UP, S.EXPIRED: P.CLEAN_UP},
    P.CLEAN_UP: {**_BOUND, S.REACHED: P.PROMOTED, S.EXPIRED: P.PROMOTED},
    P.ROLL_BACK: {**_BOUND, S.REACHED: P.DISCARD, S.EXPIRED: P.HALTED},
    P.DISCARD: {**_BOUND, S.REACHED: P.ROLLED_BACK, S.EXPIRED: P.ROLLED_BACK},
    P.HALTED: {**_END, S.RESUME: CAME_FROM, S.ABORT: P.ROLL_BACK, S.UNSAFE: STAY, S.BLIND: STAY},
    P.PROMOTED: _END,
    P.ROLLED_BACK: _END,
    P.REFUSED: _END,
}


def initial(deployment_id: str, at: float) -> State:
    """The state before the first look.

    Args:
        deployment_id: Names and tokens of everything that is made are functions of it.
        at: The time, in seconds of the clock that observations are stamped with.
    """
    return State(ledger=Ledger(deployment_id), at=at, wake_at=at)


def step(plan: Plan, state: State, observation: Observation) -> Step:
    """One pass: fold the look in, read one signal, look the table up, name what is missing.

    A function: no clock, no network, no randomness, no logging. The same arguments give the same step.

    Args:
        plan: What is wanted.
        state: Where the deployment stood after the last pass.
        observation: What is seen now, with requests and outcomes.
    """
    now, resumed = fold(plan, state, observation)
    if not observation.unread:
        short = min(now.short + 1, SICK_LOOKS) if falls_short(plan, now, observation) else 0
        now = now if short == now.short else now.replaced(short=short)
    reply = read(plan, now, observation, resumed=resumed)
    cell = TRANSITIONS[now.phase][reply.signal]
    if isinstance(cell, Never):
        message = f"{now.phase.value} never answers {reply.signal.value}: {reply.why}"
        raise AssertionError(message)  # noqa: TRY004  (a bug of ours, not a wrong type)
    if isinstance(cell, Stay):
        return _stay(plan, now, observation, reply)
    phase = now.came_from if isinstance(cell, CameFrom) else cell
    assert phase is not None, "halted is entered from a phase"
    entered = _enter(plan, now, phase, reply, observation)
    return Step(entered, (), reply.why, now.at, reply.signal.value)


def _stay(plan: Plan, state: State, observation: Observation, reply: Reply) -> Step:
    commands = reply.commands
    for command in commands:
        state = state.replaced(ledger=borrow(state.ledger, command, observation))
    wait = float(plan.limits.poll_seconds)
    if reply.target is not None and not commands:
        # Wake at the end of a watch, or at the deadline, if that is sooner than the next poll.
        left = deadline(plan, state) - state.elapsed if reply.left is None else reply.left
        for due in (reply.target.seconds - state.elapsed, left):
            if due > 0:
                wait = min(wait, due)
    wake_at = state.at if state.phase.ended else state.at + wait
    reason = _sentence(commands, reply)
    if (state.awaiting, state.closed, state.wake_at) != (reply.awaiting, reply.closed, wake_at):
        state = state.replaced(awaiting=reply.awaiting, closed=reply.closed, wake_at=wake_at)
    return Step(state, commands, reason, wake_at, reply.signal.value)


def _sentence(commands: tuple[Command, ...], reply: Reply) -> str:
    """What is asked for, what is missing, and how long that may take."""
    asked = ", ".join(map(describe, commands))
    parts = [part for part in (asked, reply.why) if part] or ["waiting for the settings to be read back"]
    left = "" if reply.left is None or reply.awaiting or reply.closed else f", {plain(reply.left)} s left"
    return "; ".join(parts) + left


def _enter(plan: Plan, state: State, phase: Phase, reply: Reply, observation: Observation) -> State:
    """The state at the first moment of ``phase``."""
    left = state.phase
    changes: dict[str, Any] = {
        "phase": phase,
        "since": state.clock,
        "awaiting": False,
        "closed": False,
        "withheld": None,
        "withheld_twice": False,
        "wake_at": state.at,
    }
    if left is P.PREFLIGHT and phase is P.SCALE_UP:
        found = survey(plan, observation)
        changes |= {
            "blue": found.blue,
            "green": found.green,
            "first_release": found.first_release,
            "source": found.source,
            "baseline": found.baseline,
            "floor": plan.floor(found.baseline),
            "need": found.need,
            "ledger": pre_image(state.ledger, observation),
            "reds": last_reds(observation),
            "delays": observation.delays,
        }
    elif left is P.BAKE and phase is P.SHIFT:
        changes["rung"] = state.rung + 1
    elif left is P.KEEP_BLUE and phase is P.DRAIN:
        changes["committed"] = True
    elif left is P.HALTED:
        changes |= {"came_from": None, "paused": False}
        if reply.signal is S.RESUME:
            # A person has looked: what was contested may be written again, and an alarm that was red is over.
            changes |= {"abort": None, "ledger": forgive(state.ledger), "reds": last_reds(observation)}
    if phase is P.HALTED:
        changes["came_from"] = left
    if phase in (P.PROMOTED, P.ROLLED_BACK):
        changes["leftovers"] = owed(plan, state, observation)
    return state.replaced(**changes)


# ------------------------------------------------------------------------------------------------ fold


def fold(plan: Plan, state: State, observation: Observation) -> tuple[State, bool]:
    """Take a look in: time, requests, outcomes, and what must be remembered of the fleets.

    Returns:
        The state, and whether a resume came with this look.
    """
    seen_for = max(0.0, min(observation.at, state.wake_at) - state.at)
    held = state.paused and (state.phase.forward or state.phase is P.PREFLIGHT)
    changes: dict[str, Any] = {
        "at": max(observation.at, state.at),
        "clock": state.clock if held or state.awaiting or state.closed else state.clock + seen_for,
    }
    resumed = _requests(plan, state, observation, changes)
    if observation.outcomes or state.withheld:
        withheld = next(
            (o.invariant for o in observation.outcomes if o.result is Result.WITHHELD and o.agreed), None
        )
        changes["withheld"] = withheld
        changes["withheld_twice"] = withheld is not None and withheld == state.withheld
    if not observation.unread:
        _remember(plan, state, observation, seen_for, changes)
    return state.replaced(**changes), resumed


def _requests(plan: Plan, state: State, observation: Observation, changes: dict[str, Any]) -> bool:
    resumed = False
    for request in observation.requests:
        if request.seq <= state.seen:
            continue
        changes["seen"] = request.seq
        match request.kind:
            case "approve":
                named = state.rung if request.rung is None else request.rung
                changes["approved"] = max(state.approved, named)
            case "pause":
                changes["paused"] = True
            case "resume":
                changes["paused"] = False
                resumed = state.phase is P.HALTED
            case "abort":
                changes["abort"] = request.reason or f"by {request.by or 'an operator'}"
                changes["let_go"] = state.phase is P.DISCARD and plan.keep_failed_green_seconds > 0
                resumed = False
    return resumed


def _remember(
    plan: Plan, state: State, observation: Observation, seen_for: float, changes: dict[str, Any]
) -> None:
    if state.phase is P.PREFLIGHT or state.phase.ended:
        return
    if state.version is None and observation.version is not None:
        changes["version"] = observation.version
    blue, green = observation.fleet(state.blue), observation.fleet(state.green)
    if blue is not None and not state.committed and not state.first_release:
        # A ratchet: green must reach the largest size that blue has wanted, whatever scales blue in since.
        changes["need"] = max(state.need, blue.desired)
    version = changes.get("version", state.version)
    if green is None or not isinstance(version, int):
        return
    known = state.sightings
    if green.attached != state.attached:
        # Another observer speaks from now on: health is proven once by each.
        changes["attached"], known = green.attached, ()
    changes["sightings"] = sight(known, green.healthy_of(version), seen_for, plan)


def sight(
    known: tuple[Sighting, ...], healthy: frozenset[str], seconds: float, plan: Plan
) -> tuple[Sighting, ...]:
    """Sightings after one more look: ids that are healthy again gain a look, the others are forgotten.

    Ids that became healthy together are kept together, and counts stop at what proof asks for, so a
    quiet fleet costs the same whatever its size.

    Args:
        known: The sightings so far.
        healthy: Ids seen healthy now.
        seconds: Time since the last look.
        plan: Its limits say what proof asks for.
    """
    looks, span = plan.limits.proof_looks, float(plan.limits.proof_seconds)
    if len(known) == 1 and (known[0].ids, known[0].looks, known[0].span) == (healthy, looks, span):
        return known
    grown: dict[tuple[int, float], frozenset[str]] = {}
    new = healthy
    for sighting in known:
        still = healthy if sighting.ids is healthy or sighting.ids == healthy else sighting.ids & healthy
        if still:
            mark = (min(sighting.looks + 1, looks), min(sighting.span + seconds, span))
            grown[mark] = grown[mark] | still if mark in grown else still
            new = frozenset() if still is healthy else new - still
    if new:
        mark = (1, 0.0)
        grown[mark] = grown[mark] | new if mark in grown else new
    return tuple(Sighting(ids, *mark) for mark, ids in sorted(grown.items()))
