"""The one word in which an observation answers a phase: the only lossy step between world and table."""

from __future__ import annotations

from enum import Enum
from operator import attrgetter, is_

from attrs import fields, frozen

from .commands import Command
from .difference import Clause, Difference, asked, difference, missing
from .ledger import contested
from .observation import Observation, Outcome, Result
from .plan import Plan
from .preflight import survey
from .state import Phase, State
from .targets import NOTHING, Target, want
from .text import counted, plain
from .verdict import SICK_LOOKS, red_gates, shortfall
from .view import (
    blue_carries,
    blue_healthy,
    green_healthy,
    green_serves,
    last_rung,
    percent,
    proven,
    watch,
)


class Signal(Enum):
    """The alphabet of the transition table. The first that applies is the answer; see ``read``."""

    RESUME = "resume"
    """``halted`` only: an operator sends the deployment back to where it came from."""
    BLOCKED = "blocked"
    """Something that no retry can mend, or that is not ours to overwrite."""
    BLIND = "blind"
    """Part of the world could not be read: no move in either direction."""
    ABORT = "abort"
    """An operator calls it off, and the way back is safe."""
    UNSAFE = "unsafe"
    """A reason to go back, but blue could not carry the users."""
    ALARM = "alarm"
    """A gate is red, or green cannot carry its share."""
    PAUSED = "paused"
    """An operator holds forward transitions."""
    REACHED = "reached"
    """The picture is there."""
    LAST = "last"
    """The picture is there, and no rung is left."""
    EXPIRED = "expired"
    """The deadline has passed on the deployment's own clock, or what is missing cannot come."""
    WAIT = "wait"
    """None of these."""


@frozen
class Reply:
    """A signal and the sentence that explains it.

    Args:
        signal: The word.
        why: One sentence for people, with the numbers that decided.
        target: The picture that was compared; None where nothing was.
        commands: What to send if the phase stays.
        awaiting: Whether only a person's approval is missing.
        closed: Whether only a window, and perhaps an approval, is missing.
        left: Own seconds until the deadline, where one is waited for.
    """

    signal: Signal
    why: str
    target: Target | None = None
    commands: tuple[Command, ...] = ()
    awaiting: bool = False
    closed: bool = False
    left: float | None = None


def read(plan: Plan, state: State, observation: Observation, *, resumed: bool = False) -> Reply:
    """Answer the phase with one signal.

    The order is the rule: what cannot be mended, then what cannot be seen, then reasons to go back, then
    a pause, then success, and only then the deadline: a late look at finished work goes on.

    Args:
        plan: What is wanted.
        state: Where the deployment stands, with this observation already folded in.
        observation: What was seen.
        resumed: Whether an operator's resume came with this observation.
    """
    if state.phase.ended:
        return Reply(Signal.WAIT, "the deployment has ended")
    if state.phase is Phase.HALTED:
        return _halted(plan, state, observation, resumed=resumed)
    if state.phase is Phase.PREFLIGHT:
        return _preflight(plan, state, observation)
    found = _compared(plan, state, observation)
    if isinstance(found, Reply):
        return _blind(plan, state, found.why) if found.signal is Signal.BLIND else found
    target, differs = found.target, found.differs
    owed = [*found.missing, *_watched(plan, state, target)]
    unmet = [*owed, *(clause.words for clause in found.asked)]
    if not unmet and differs.settled:
        last = state.phase is Phase.BAKE and last_rung(plan, state)
        return Reply(Signal.LAST if last else Signal.REACHED, _reached(plan, state, observation), target)
    # Nothing but a person or an open window is missing: no world brings these.
    held = {clause.kind for clause in found.asked} if not owed else set()
    awaiting = held == {"approval"}
    closed = "window" in held and "gate" not in held
    left = found.limit - state.elapsed
    late = left <= 0 and not closed
    if late or found.hopeless:
        over = f"deadline of {plain(found.limit)} s passed" if late else "waiting cannot help"
        return _expired(plan, state, observation, target, f"{over}: {'; '.join(unmet) or UNREAD}")
    return Reply(Signal.WAIT, "; ".join(unmet), target, differs.commands, awaiting, closed, left)


UNREAD = "settings not read back"


@frozen
class Compared:
    """A look beside the picture, before the clock is asked.

    Args:
        target: The picture.
        differs: The settings that differ.
        missing: What else the world owes to the picture, one clause each.
        asked: Which checks and persons do not yet agree, likewise.
        limit: Own seconds that the phase may take.
        hopeless: Whether green's launches fail in a way that no waiting mends.
    """

    target: Target
    differs: Difference
    missing: tuple[str, ...]
    asked: tuple[Clause, ...]
    limit: float
    hopeless: bool


def _compare(plan: Plan, state: State, observation: Observation) -> Compared | Reply:
    """What a look comes to whatever time it is; a ``Reply`` where time has no say."""
    if stuck := blockage(state, observation):
        return Reply(Signal.BLOCKED, stuck)
    if hidden := unseen(plan, observation):
        return Reply(Signal.BLIND, f"cannot read {', '.join(hidden)}")
    target = want(plan, state, observation)
    sick = shortfall(plan, state, observation) if state.short >= SICK_LOOKS or not plan.shared else None
    if state.phase is Phase.DRAIN and sick and _stands(state, observation):
        return Reply(Signal.UNSAFE, f"committed, but {sick} and blue still stands")
    if state.phase.forward and (back := _reason_to_go_back(plan, state, observation, sick)):
        return back
    differs = difference(plan, state, target, observation)
    if loan := contested(state.ledger, differs.commands, observation, plan.limits.rewrites):
        why = f"{loan.setting} of {loan.fleet} is changed by others again and again"
        return Reply(Signal.BLOCKED, f"{why}, after {loan.rewrites} rewrites of ours")
    if state.phase.forward and state.paused:
        return Reply(Signal.PAUSED, "paused by an operator", target, differs.commands)
    return Compared(
        target,
        differs,
        tuple(missing(plan, state, target, observation)),
        tuple(asked(plan, state, target, observation)),
        deadline(plan, state),
        _hopeless(plan, state, observation, target),
    )


def _hopeless(plan: Plan, state: State, observation: Observation, target: Target) -> bool:
    green = observation.fleet(state.green)
    short = state.phase.forward and proven(plan, state) < target.proven
    return bool(short and green and green.launch_hopeless)


_standing = attrgetter(*[f.name for f in fields(State) if f.name not in ("at", "wake_at", "clock", "since")])
_shown = attrgetter(*[f.name for f in fields(Observation) if f.name != "at"])
_last: list[tuple[tuple[object, ...], Compared | Reply]] = [((), Reply(Signal.WAIT, ""))]


def _compared(plan: Plan, state: State, observation: Observation) -> Compared | Reply:
    """The same, by what is remembered: most passes see what the one before saw, only later.

    ``want`` asks for the time only to see whether a group that goes has been kept for long enough.
    """
    over = state.elapsed >= watch(plan, state)
    given = (plan, over, *_standing(state), *_shown(observation))
    known, found = _last[0]
    if len(known) != len(given) or not all(map(is_, known, given)):
        found = _compare(plan, state, observation)
        _last[0] = given, found
    return found


def _watched(plan: Plan, state: State, target: Target) -> tuple[str, ...]:
    """The clause on the watch, as long as it lasts."""
    if (seconds := target.seconds - state.elapsed) <= 0:
        return ()
    left = plain(seconds)
    if state.phase is not Phase.DISCARD:
        return (f"{left} s of the watch left",)
    if target.green is not NOTHING:
        return (f"{state.green} was created and is not seen: looked for {left} s more",)
    shown = not state.let_go and plan.keep_failed_green_seconds == watch(plan, state)
    why = ", to be looked at" if shown else ": users may still be led to it"
    return (f"{state.green} is kept for {left} s more{why}",)


def unseen(plan: Plan, observation: Observation) -> tuple[str, ...]:
    """What cannot be read; that includes a group that is missing from the look without a word."""
    if observation.unread:
        return observation.unread
    missing = [name for name in plan.groups if observation.fleet(name) is None]
    return tuple(f"group {name}" for name in missing) + observation.problems if missing else ()


def deadline(plan: Plan, state: State) -> float:
    """Own seconds that the phase may take: the plan's, after what strategy and balancer themselves ask for.

    Haste (``on_blue_sick = "expedite"``) skips a watch; it never brings the deadline nearer.
    """
    own: int = getattr(plan.deadlines, f"{state.phase.value}_seconds")
    match state.phase:
        case Phase.SCALE_UP | Phase.SHIFT:
            own += state.delays.warm_seconds
        case Phase.DRAIN:
            own += state.delays.drain_seconds
        case Phase.DISCARD:
            late = plan.limits.settle_seconds if state.ledger.loan(state.green, "exists") else 0
            own += state.delays.drain_seconds + late  # a green that was created may be slow to be seen
    return own + watch(plan, state)


# --------------------------------------------------------------------------------------------- blocked


def blockage(state: State, observation: Observation) -> str | None:
    """Why a person must look: no retry can mend it, or somebody else's value stands in the way."""
    for outcome in observation.outcomes:
        if outcome.result is Result.REFUSED and outcome.error is not None and outcome.error.hopeless:
            return f"{_named(outcome)} was refused ({outcome.error.value}): {outcome.detail}"
    if state.withheld_twice:
        return (
            f"the guard withheld a command twice for {state.withheld}, seeing what we saw: a bug in bluegreen"
        )
    for loan in state.ledger.loans:
        if loan.setting == "weight" and observation.shares is not None:
            for weight in filter(loan.foreign, observation.shares.seen(loan.fleet)):
                ours = (loan.written or (loan.before,))[-1]
                return f"the weight of {loan.fleet} is {weight}, set by others; ours is {ours}"
    return None


def _named(outcome: Outcome) -> str:
    return type(outcome.command).__name__


# ------------------------------------------------------------------------------------ one phase's ways


def _halted(plan: Plan, state: State, observation: Observation, *, resumed: bool) -> Reply:
    if resumed:
        return Reply(Signal.RESUME, "resumed by an operator")
    if hidden := unseen(plan, observation):
        return Reply(Signal.BLIND, f"cannot read {', '.join(hidden)}")
    if state.abort is not None and not state.committed and state.came_from and not state.came_from.backward:
        return _back(plan, state, observation, Signal.ABORT, f"aborted: {state.abort}")
    return Reply(Signal.WAIT, "halted: an operator must resume or abort")


def _blind(plan: Plan, state: State, why: str) -> Reply:
    limit = deadline(plan, state) + plan.limits.blind_grace_seconds
    if state.elapsed >= limit:
        return Reply(Signal.UNSAFE, f"{why}, {plain(limit)} s long: the deadline and the grace are over")
    return Reply(Signal.BLIND, why)


def _preflight(plan: Plan, state: State, observation: Observation) -> Reply:
    hidden = unseen(plan, observation)
    if hidden and (observation.unread or not observation.problems):
        return _blind(plan, state, f"cannot read {', '.join(hidden)}")
    if state.abort is not None:
        return Reply(Signal.ABORT, f"aborted: {state.abort}")
    if hidden:
        # What the plan says wrongly kept the groups from being found, so nothing more can be said of them.
        return Reply(Signal.UNSAFE, "; ".join(observation.problems))
    found = survey(plan, observation)
    if found.problems:
        return Reply(Signal.UNSAFE, "; ".join(found.problems))
    if state.paused:
        return Reply(Signal.PAUSED, "paused by an operator")
    if not found.pending:
        if found.first_release:
            return Reply(Signal.REACHED, f"no group is live: first release, {found.green} to {found.need}")
        return Reply(
            Signal.REACHED,
            f"{found.blue} is live with {found.baseline}, the floor is {plan.floor(found.baseline)}; "
            f"{found.green} becomes green",
        )
    if state.elapsed >= plan.deadlines.preflight_seconds:
        return Reply(Signal.EXPIRED, "; ".join(found.pending))
    return Reply(Signal.WAIT, "; ".join(found.pending))


# ---------------------------------------------------------------------------------- reasons to go back


def _reason_to_go_back(plan: Plan, state: State, observation: Observation, sick: str | None) -> Reply | None:
    if state.abort is not None:
        return _back(plan, state, observation, Signal.ABORT, f"aborted: {state.abort}")
    if (
        plan.on_blue_sick == "hold"
        and not state.first_release
        and blue_healthy(state, observation) < state.floor
    ):
        return Reply(
            Signal.UNSAFE, f"blue has {blue_healthy(state, observation)} healthy, the floor is {state.floor}"
        )
    if red := red_gates(plan, state, observation) or sick:
        return _back(plan, state, observation, Signal.ALARM, red)
    return None


def _back(plan: Plan, state: State, observation: Observation, signal: Signal, why: str) -> Reply:
    """A reason to go back, unless users would flee to a corpse (reliability 4.1: Flagger #1898)."""
    if green_serves(plan, state, observation) and not blue_carries(state, observation):
        return Reply(
            Signal.UNSAFE,
            f"{why}; but blue has {blue_healthy(state, observation)} healthy, the floor is {state.floor}, "
            f"green {green_healthy(state, observation)}: no safe way back",
        )
    return Reply(signal, why)


def _expired(plan: Plan, state: State, observation: Observation, target: Target, why: str) -> Reply:
    if state.phase is Phase.DRAIN and _stands(state, observation):
        return Reply(Signal.UNSAFE, f"{why}; green could not take over and blue still stands")
    if not state.phase.forward:
        return Reply(Signal.EXPIRED, why)
    unproven = state.phase in (Phase.SCALE_UP, Phase.TEST_TRAFFIC) and proven(plan, state) < target.proven
    if unproven and not state.first_release and blue_healthy(state, observation) < state.floor:
        # Giving green up would leave a sick blue alone: nothing good to go back to.
        return Reply(Signal.UNSAFE, f"{why}; and blue is below the floor of {state.floor}")
    return _back(plan, state, observation, Signal.EXPIRED, why)


def _stands(state: State, observation: Observation) -> bool:
    """Whether blue is still wanted at some size."""
    blue = observation.fleet(state.blue)
    return blue is not None and blue.exists and blue.desired > 0


def _reached(plan: Plan, state: State, observation: Observation) -> str:
    """What was reached, with the numbers."""
    healthy, size = green_healthy(state, observation), state.need
    targets = counted(healthy, "green target")
    match state.phase:
        case Phase.SCALE_UP:
            return f"{targets} of version {state.version} healthy, {proven(plan, state)} proven"
        case Phase.TEST_TRAFFIC:
            return f"{targets} answer{'s' * (healthy == 1)}"
        case Phase.SHIFT if state.first_release:
            return f"all requests go to {targets}"
        case Phase.SHIFT:
            real = float(100 * plan.real_share(percent(plan, state), size))
            return f"rung {state.rung + 1}: {real:.3g} % of requests go to {targets}"
        case Phase.BAKE:
            return f"rung {state.rung + 1} held for {plain(state.elapsed)} s, {targets} healthy"
        case Phase.KEEP_BLUE:
            beside = f"{plain(state.elapsed)} s beside a whole blue"
            return f"{healthy} of {size} green targets healthy, {beside}: commit"
        case Phase.DRAIN:
            return f"{state.blue} has no instance left, {targets} healthy"
        case Phase.CLEAN_UP:
            live = counted(healthy, "healthy target")
            return f"{state.green} is live with {live}, everything borrowed is given back"
        case Phase.ROLL_BACK:
            return f"no request leads to {state.green} any more"
        case _:
            return f"{state.green} is gone, everything borrowed is given back"
