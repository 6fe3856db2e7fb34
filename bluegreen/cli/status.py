"""``bluegreen status`` and ``history``: what the journal of a service tells. Nothing is changed."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import click

from bluegreen import read_plan
from bluegreen.core.errors import NothingToLoad
from bluegreen.core.observation import Request
from bluegreen.core.state import Phase
from bluegreen.journal.codec import read_request
from bluegreen.journal.history import Story, stories
from bluegreen.ports import Holder, Journal

from .exits import Exit, of_phase
from .folder import Folder
from .options import Command, journal_options, json_option, optional_plan_file
from .output import Output
from .reporting import rows
from .shared import Home, Shared
from .telling import STYLES, Told, asked, awaited, clock, rung, turned_back


def home_of(
    output: Output, file: Path | None, state: Path | None, journal: str | None, **account: str | None
) -> Home:
    """Where the journal is that the command line names, by itself or through a plan file.

    Raises:
        UsageError: If it names neither, or the plan file leads to more than one.
    """
    if state is not None:
        return Folder(state)
    if file is None:
        raise click.UsageError("name a plan FILE, or the state folder with --state DIR")
    service = read_plan(file).service
    if journal is not None:
        return Shared.open(journal, service, account)
    found = Folder.beside(file, service)
    if len(found) > 1:
        choice = " or ".join(shlex.join(["--state", str(folder.path)]) for folder in found)
        raise click.UsageError(f"{service} is deployed to several accounts or Regions: say {choice}")
    simulated = found[0].path.with_name(service)
    if simulated.exists() and simulated != found[0].path:
        output.note(f"this is of {found[0].path}; for the simulator's say --state {simulated}")
    return found[0]


def latest(folder: Home) -> Story:
    """The service's last deployment.

    Raises:
        NothingToLoad: If there is none yet.
    """
    found = list(stories(folder.journal()))
    if not found:
        raise NothingToLoad(nothing(folder))
    return found[-1]


def nothing(folder: Home) -> str:
    """The sentence that says that there is nothing yet."""
    begins = "`bluegreen deploy FILE` or `bluegreen simulate FILE` begins one"
    return f"no deployment yet: there is no journal in {folder.path}; {begins}"


@click.command(
    cls=Command,
    codes=(Exit.ROLLED_BACK, Exit.IN_PROGRESS, Exit.REFUSED, Exit.HALTED),
    short_help="Say where the last deployment stands.",
)
@optional_plan_file
@journal_options
@json_option
@click.pass_obj
def status(output: Output, /, file: Path | None, **where: Any) -> int:
    """Say where the service's last deployment stands, and what it waits for."""
    folder = home_of(output, file, **where)
    story = latest(folder)
    data = _standing(story, folder.journal())
    for word, value in _words(story, data):
        output.say(f"{word:<11} {value}", STYLES.get(story.state.phase, "") if word == "phase" else "")
    output.result("bluegreen.status/1", data)
    return of_phase(story.state.phase)


def told(story: Story) -> list[Told]:
    """The passes of a deployment, as its journal has them."""
    befores = [story.first, *(step.state for step in story.steps)]
    return [
        Told(
            plan=story.plan,
            step=step,
            look=look,
            before=before,
            origin=story.started,
            started=story.started,
        )
        for step, look, before in zip(story.steps, story.looks, befores, strict=False)
    ]


def _standing(story: Story, journal: Journal) -> dict[str, Any]:
    """Where a deployment stands, as JSON-able data."""
    state = story.state
    entered = _entered(story)
    holder = journal.holder()
    held = holder is not None and holder.until > time.time()
    return {
        "service": story.plan.service,
        "deployment_id": state.ledger.deployment_id,
        "number": story.number,
        "image": story.plan.image,
        "version": story.plan.number,
        "phase": state.phase.value,
        "ok": state.phase is Phase.PROMOTED,
        "rung": state.rung + 1 if rung(story.plan, state) else None,
        "rungs": len(story.plan.rungs),
        "since": (entered.second if entered else 0),
        "elapsed": state.at - story.started,
        "reason": story.steps[-1].reason if story.steps and not state.phase.ended else _why(entered),
        "because": turned_back(story.steps),
        "blue": state.blue,
        "green": state.green,
        "committed": state.committed,
        "paused": state.paused,
        "awaits": awaited(story.plan, state),
        "requests": [{"kind": r.kind, "by": r.by, "reason": r.reason} for r in _unseen(story)],
        "lock": _lock(holder) if holder and held else None,
        "leftovers": state.leftovers,
        "evidence": None if story.evidence is None else attrs.asdict(story.evidence),
    }


def _lock(holder: Holder) -> dict[str, Any]:
    """Who deploys the service; times in seconds since 1970."""
    return {"holder": holder.name, "fence": holder.fence, "since": holder.since, "until": holder.until}


def _entered(story: Story) -> Told | None:
    """The pass in which the present phase, or rung, was entered."""
    found = None
    for one in told(story):
        assert one.before is not None
        if (one.phase, one.step.state.rung) != (one.before.phase, one.before.rung):
            found = one
    return found


def _unseen(story: Story) -> list[Request]:
    """What persons asked for that no pass has taken in yet."""
    return [
        read_request(record.seq, record.body) for record in story.requests if record.seq > story.state.seen
    ]


def _why(entered: Told | None) -> str:
    return entered.step.reason if entered else "not looked at yet"


def _words(story: Story, data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Where a deployment stands, as (word, value)."""
    where = rung(story.plan, story.state)
    yield "service", data["service"]
    yield "deployment", f"{data['deployment_id']}, {story.plan.what}"
    since = f"since {clock(data['since'])}, seen last at {clock(data['elapsed'])} after the start"
    yield "phase", ", ".join(filter(None, [data["phase"], where, since]))
    yield "reason", data["reason"]
    if data["because"] not in (None, data["reason"]):
        yield "because", data["because"]
    yield "blue", data["blue"] or "not known yet"
    yield "green", data["green"] or "not known yet"
    if data["committed"]:
        yield "commit", "done: no way back"
    elif not story.state.phase.ended:
        yield "commit", "not yet: every failure leads back to blue"
    lock = data["lock"]
    yield "lock", _held(**lock) if lock else "held by nobody"
    yield "awaits", data["awaits"]
    for request in _unseen(story):
        yield "asked", f"{asked(request)}; the next pass takes it in"
    for left in data["leftovers"]:
        yield "left over", left
    yield from rows(story.evidence)


def _held(holder: str, fence: int, since: float, until: float) -> str:
    """Who deploys the service, with how much life it has shown."""
    now = time.time()
    lasts = f"since {clock(max(0, now - since))} ago, " if since else ""
    return f"held by {holder} (fence {fence}), {lasts}for {until - now:.0f} s more unless it shows life"


@click.command(cls=Command, short_help="List all deployments and what they decided.")
@optional_plan_file
@journal_options
@click.option("--verbose", "-v", is_flag=True, help="Every pass, not only the changes.")
@json_option
@click.pass_obj
def history(output: Output, /, file: Path | None, *, verbose: bool, **where: Any) -> int:
    """List all deployments of the service, oldest first, with their decisions."""
    folder = home_of(output, file, **where)
    found = list(stories(folder.journal()))
    if not found:
        output.say(nothing(folder))
    deployments = []
    for story in found:
        phase = story.state.phase
        output.say(
            f"{story.state.ledger.deployment_id}  {phase.value}  {story.plan.what}  "
            f"after {clock(story.state.at - story.started)}",
            STYLES.get(phase, "bold"),
        )
        shown = [one for one in told(story) if verbose or _turning(one)]
        for one in shown:
            output.say(f"  {one}", STYLES.get(one.phase, ""))
        deployments.append(
            {
                "deployment_id": story.state.ledger.deployment_id,
                "number": story.number,
                "phase": phase.value,
                "ok": phase is Phase.PROMOTED,
                "image": story.plan.image,
                "version": story.plan.number,
                "blue": story.state.blue,
                "green": story.state.green,
                "started": story.started,
                "ended": story.state.at,
                "steps": [one.data() for one in shown],
            }
        )
    output.result("bluegreen.history/1", {"deployments": deployments})
    return Exit.DONE


def _turning(one: Told) -> bool:
    """Whether a pass changed the phase or the rung, or took in what a person asked for."""
    assert one.before is not None
    now = one.step.state
    return bool(one.look.requests) or (now.phase, now.rung) != (one.before.phase, one.before.rung)


COMMANDS = (status, history)
