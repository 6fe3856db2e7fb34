"""``bluegreen approve``, ``pause``, ``resume``, ``abort``, ``unlock``: a person's word, for the journal."""

from __future__ import annotations

import getpass
import shlex
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from bluegreen import NothingToLoad, Operator
from bluegreen.core.observation import RequestKind
from bluegreen.core.plan import Plan
from bluegreen.core.state import Phase, State

from .exits import Exit
from .options import Command, journal_options, json_option, optional_plan_file
from .output import Output
from .shared import Home, Shared
from .status import home_of, latest, nothing


def user_name() -> str:
    """Who is at the keyboard, for the record; nobody in particular where the system does not know."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""


def _command(kind: RequestKind, short: str, words: str) -> click.Command:
    """One of the four commands; they differ in a word."""

    @click.command(kind, cls=Command, short_help=short, help=words)
    @optional_plan_file
    @click.option("--reason", metavar="TEXT", default="", help="Why, for the record.")
    @click.option("--by", metavar="NAME", help="Who asks, for the record.  [default: your user name]")
    @journal_options
    @json_option
    @click.pass_obj
    def command(output: Output, /, file: Path | None, reason: str, by: str | None, **where: Any) -> int:
        folder = home_of(output, file, **where)
        story = latest(folder)
        operator = Operator(folder.journal(), story.plan.service, by=user_name() if by is None else by)
        ask: Callable[[str], None] = getattr(operator, kind)
        ask(reason)
        will = _next(kind, story.plan, story.state)
        when = _when(folder, file, where["state"])
        output.say(f"{kind} noted for {story.state.ledger.deployment_id}: {will}. {when}")
        output.result(
            "bluegreen.request/1",
            {
                "service": story.plan.service,
                "deployment_id": story.state.ledger.deployment_id,
                "kind": kind,
                "phase": story.state.phase.value,
                "next": will,
            },
        )
        return Exit.DONE

    return command


def _when(folder: Home, file: Path | None, state: Path | None) -> str:
    """When the request is taken in."""
    holder = folder.journal().holder()
    if holder is not None and holder.until > time.time():
        return f"The deployment is run by {holder.name}, which takes it in at its next pass."
    return f"Nobody runs the deployment now; go on: {going_on(folder, file, state)}"


def going_on(folder: Home, file: Path | None, state: Path | None) -> str:
    """The command that goes on with a deployment, but for the options that say what is wanted."""
    words = folder.words(file) if isinstance(folder, Shared) else [str(file or "FILE")]
    words += ["--state", str(state)] if state else []
    return shlex.join(["bluegreen", "deploy" if folder.real else "simulate", *words])


def _next(kind: RequestKind, plan: Plan, state: State) -> str:
    """What the request will do where the deployment stands now."""
    bound = state.committed or state.phase.backward
    match kind:
        case "approve" if plan.rungs[state.rung].approval and not bound:
            bakes = "" if state.awaiting else " once its bake is over"
            return f"rung {state.rung + 1} ({plan.rungs[state.rung].percent} %) may be left{bakes}"
        case "approve":
            return "it changes nothing, for no approval is asked for here"
        case "resume" if state.phase is Phase.HALTED and state.came_from:
            return f"it returns to {state.came_from.value}, with a fresh deadline"
        case "resume":
            return "it goes on" if state.paused else "it changes nothing, for nothing is paused or halted"
        case "pause" if state.phase is Phase.HALTED:
            return "it changes nothing, for the deployment is halted already"
        case "abort" if state.phase is Phase.DISCARD and plan.keep_failed_green_seconds:
            return "a green that is kept goes now"
        case "pause" | "abort" if bound:
            why = "the commit is done" if state.committed else "it is on its way back already"
            return f"it changes nothing, for {why}"
        case "pause":
            return "forward steps are held; alarms and aborts still act"
        case _ if state.phase is Phase.PREFLIGHT:
            return "it is refused, and nothing was changed"
        case _ if state.phase is Phase.HALTED and state.came_from and state.came_from.backward:
            return "it changes nothing, for it was on its way back already: resume instead"
    else_ = "stays halted" if state.phase is Phase.HALTED else "halts"
    return f"it goes back to blue, if blue can carry the users; else it {else_}"


@click.command(cls=Command, codes=(Exit.LOCKED,), short_help="Take a service's lock from its holder.")
@optional_plan_file
@click.option(
    "--fence",
    metavar="N",
    type=click.IntRange(min=1),
    required=True,
    help="The holder's fence, as `status` tells it.",
)
@click.option("--by", metavar="NAME", help="Who asks, for the record.  [default: your user name]")
@journal_options
@json_option
@click.pass_obj
def unlock(output: Output, /, file: Path | None, fence: int, by: str | None, **where: Any) -> int:
    """Take a service's lock away from the process that holds it with fence N.

    A dead process loses its lock by itself within a minute. A process that still lives loses its next write
    to the journal, and stops before it sends anything more; one request that is on its way may still arrive.
    If somebody took over since you looked, the fence is another one, and nothing is done.
    """
    folder = home_of(output, file, **where)
    journal = folder.journal()
    last = journal.tail()
    if last is None:
        raise NothingToLoad(nothing(folder))
    Operator(journal, last.service, by=user_name() if by is None else by).unlock(fence)
    following = going_on(folder, file, where["state"])
    output.say(f"fence {fence} of {last.service} is void: its holder stops. Go on: {following}")
    output.result("bluegreen.unlock/1", {"service": last.service, "fence": fence, "next": following})
    return Exit.DONE


COMMANDS = (
    unlock,
    _command(
        "approve",
        "Let the rung that waits be left.",
        "Let the rung that is baking now be left. Said twice, it approves nothing more.",
    ),
    _command("pause", "Hold forward steps.", "Hold forward steps. Alarms and aborts still act."),
    _command(
        "resume",
        "End a pause, or a halt.",
        "End a pause, or send a halted deployment back to the phase it came from.",
    ),
    _command(
        "abort",
        "Call the deployment off.",
        "Call the deployment off: back to blue, before the commit only, and if blue can carry the users.",
    ),
)
