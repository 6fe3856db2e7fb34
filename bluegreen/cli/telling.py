"""A deployment in words: a line for each pass in which something happened, and what comes next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from attrs import define, frozen

from bluegreen.core.commands import describe
from bluegreen.core.observation import Observation, Request, Result
from bluegreen.core.plan import Plan
from bluegreen.core.state import Phase, State, Step

STYLES = {
    Phase.PROMOTED: "bold green",
    Phase.ROLL_BACK: "yellow",
    Phase.DISCARD: "yellow",
    Phase.ROLLED_BACK: "bold yellow",
    Phase.HALTED: "bold red",
    Phase.REFUSED: "bold red",
}


def clock(seconds: float) -> str:
    """Seconds as hours, minutes and seconds: ``0:01:35``."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


@define
class Watcher:
    """A listener that keeps the look of the last pass. It prints nothing: what a listener raises is lost."""

    look: Observation | None = None

    def stepped(self, step: Step, observation: Observation) -> None:
        """Keep what was seen."""
        del step
        self.look = observation


@frozen(kw_only=True)
class Told:
    """One pass of a deployment, ready to be told.

    Args:
        plan: Of the deployment.
        step: What was decided.
        look: What on.
        before: The state before; None before the first pass.
        origin: The time from which ``second`` is counted: where the timeline of users begins.
        started: When the deployment began, perhaps in an earlier process; lines count from there.
    """

    plan: Plan
    step: Step
    look: Observation
    before: State | None
    origin: float
    started: float

    @property
    def second(self) -> float:
        """When it was."""
        return self.step.state.at - self.origin

    @property
    def phase(self) -> Phase:
        """The phase after the pass."""
        return self.step.state.phase

    @property
    def happened(self) -> bool:
        """Whether it was more than another look: a new phase, commands, trouble, or a person's turn."""
        now, before = self.step.state, self.before
        return bool(
            self.step.commands
            or self.look.requests
            or any(self.trouble)
            or before is None
            or (now.phase, now.rung, now.awaiting) != (before.phase, before.rung, before.awaiting)
        )

    @property
    def trouble(self) -> Iterator[str]:
        """What went wrong with the commands of the pass before, one clause each."""
        for outcome in self.look.outcomes:
            if outcome.result is not Result.APPLIED:
                why = outcome.detail or (outcome.error.value if outcome.error else "")
                yield f"{describe(outcome.command)}: {outcome.result.value}{f' ({why})' if why else ''}"

    @property
    def text(self) -> str:
        """The sentence, with what operators asked for and what went wrong before it."""
        return "; ".join([*map(asked, self.look.requests), *self.trouble, self.step.reason])

    @property
    def commands(self) -> tuple[str, ...]:
        """What was asked of the cloud, as short clauses."""
        return tuple(map(describe, self.step.commands))

    @property
    def why(self) -> str:
        """The sentence without the commands that it begins with."""
        return self.text.replace(f"{', '.join(self.commands)}; ", "", 1) if self.commands else self.text

    @property
    def split(self) -> tuple[int, int] | None:
        """Percent of the requests that blue and green get by this look; None when it cannot be told."""
        return split(self.step.state, self.look)

    def __str__(self) -> str:
        """One line: time, phase, blue/green, reason."""
        shares = "{}/{}".format(*self.split) if self.split else "-"
        return f"{clock(self.step.state.at - self.started)}  {self.phase.value:<12}  {shares:>6}  {self.text}"

    def data(self) -> dict[str, Any]:
        """The same for programs."""
        return {
            "second": self.second,
            "phase": self.phase.value,
            "signal": self.step.signal,
            "reason": self.text,
            "commands": self.commands,
            "split": None if self.split is None else dict(zip(("blue", "green"), self.split, strict=True)),
        }


def asked(request: Request) -> str:
    """What a person asked for, as a clause."""
    return f"{request.kind} by {request.by or 'an operator'}" + (
        f" ({request.reason})" if request.reason else ""
    )


def split(state: State, look: Observation) -> tuple[int, int] | None:
    """Percent of the requests that blue and green get; with a shared target group healthy counts decide."""
    if state.blue is None or look.unread:
        return None
    if look.shares is not None:
        parts = [look.shares.weight(name) for name in (state.blue, state.green)]
    else:
        fleets = [look.fleet(name) for name in (state.blue, state.green)]
        parts = [fleet.healthy if fleet and fleet.attached else 0 for fleet in fleets]
    if not sum(parts):
        return None
    green = round(100 * parts[1] / sum(parts))
    return 100 - green, green


# ------------------------------------------------------------------------------------------ what comes next


def awaited(plan: Plan, state: State) -> str:
    """What the deployment waits for."""
    if state.phase.ended:
        return "nothing: it has ended"
    if state.phase is Phase.HALTED:
        return "a person: resume" if state.committed else "a person: resume or abort"
    if state.paused and (state.phase.forward or state.phase is Phase.PREFLIGHT):
        return "a person: resume (it is paused)"
    if state.awaiting:
        return f"a person: approve going on from rung {state.rung + 1} ({plan.rungs[state.rung].percent} %)"
    return "the next pass"


def rung(plan: Plan, state: State) -> str:
    """Where on the ladder the deployment stands; empty where that means nothing."""
    if state.phase not in (Phase.SHIFT, Phase.BAKE):
        return ""
    return f"rung {state.rung + 1} of {len(plan.rungs)} ({plan.rungs[state.rung].percent} %)"


def turned_back(steps: Sequence[Step]) -> str | None:
    """Why a deployment last left the way forward for the way back or a halt; None when it did not.

    The sentence of its end says what is so now; this one says what went wrong.
    """
    found, phase = None, Phase.PREFLIGHT
    for step in steps:
        left, phase = phase, step.state.phase
        if phase is not left and phase in (Phase.ROLL_BACK, Phase.HALTED) and not left.backward:
            found = step.reason
        elif phase.forward:
            found = None
    return found


# --------------------------------------------------------------------------------------- what users have seen


def plateaus(shares: Sequence[Mapping[str, float]], *, seconds: int = 3) -> list[tuple[int, int]]:
    """The splits that lasted, in order, as (blue, green) in whole percent: 100/0, 50/50, 0/100.

    Whole requests do not always divide evenly: seconds within 2 points of a run's first belong to it.
    """
    runs: list[list[Mapping[str, float]]] = []
    for row in shares:
        if runs and all(abs(row[key] - runs[-1][0][key]) <= 2 for key in ("blue", "green")):
            runs[-1].append(row)
        else:
            runs.append([row])
    means = [
        (_mean(run, "blue"), _mean(run, "green")) for run in runs if len(run) >= min(seconds, len(shares))
    ]
    return [pair for pair, _ in groupby(means)]


def _mean(rows: Sequence[Mapping[str, float]], key: str) -> int:
    return round(sum(row[key] for row in rows) / len(rows))


def seen_by_users(users: Mapping[str, Any]) -> str:
    """One sentence on requests, failures, response times and how the split went; see ``kept.seen``."""
    kinds = ", ".join(f"{count} × {status}" for status, count in users["failures"].items())
    parts = [f"{users['requests']} requests, {users['failed_requests']} failed" + f" ({kinds})" * bool(kinds)]
    if users["p99_ms"]:
        parts.append("p99 " + ", ".join(f"{colour} {time:g} ms" for colour, time in users["p99_ms"].items()))
    if way := " → ".join(f"{blue}/{green}" for blue, green in plateaus(users["shares"])):
        parts.append(f"blue/green {way}")
    return "; ".join(parts)
