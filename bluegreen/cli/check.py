"""``bluegreen check``: the plan, tried in every order of events, before anybody runs it."""

from __future__ import annotations

import gc
import runpy
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import click
from attrs import frozen

from bluegreen import read_plan
from bluegreen.core.plan import Plan

from .exits import Exit
from .options import Command, image_option, json_option, plan_file, version_option
from .output import Output
from .wish import deployed

if TYPE_CHECKING:
    from bluegreen_sim import Exploration, Violation

Invariant = Callable[..., object]


def _invariant(text: str) -> Invariant:
    """The function that ``FILE.py:NAME`` names.

    Raises:
        BadParameter: If there is none.
    """
    path, _, name = text.rpartition(":")
    if not path or not Path(path).is_file():
        raise click.BadParameter(f"{text!r}: should be FILE.py:NAME, and the file must be there")
    try:
        found = runpy.run_path(path).get(name)
    except Exception as error:
        raise click.BadParameter(f"{path} cannot be run: {type(error).__name__}: {error}") from error
    if not callable(found):
        raise click.BadParameter(f"{path} has no function {name!r}")
    return found  # type: ignore[no-any-return]


@contextmanager
def _no_collector() -> Iterator[None]:
    """Without the garbage collector: almost nothing that a search makes is ever thrown away."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _invariants(context: click.Context, _: click.Parameter, texts: tuple[str, ...]) -> tuple[Invariant, ...]:
    context.meta["invariants"] = texts
    return tuple(map(_invariant, texts))


@click.command(cls=Command, codes=(Exit.REFUSED,), short_help="Try every order of events; do nothing.")
@plan_file
@image_option
@version_option
@click.option(
    "--instances",
    metavar="N",
    type=click.IntRange(1, 4),
    default=2,
    show_default=True,
    help="Instances of the live group.",
)
@click.option(
    "--faults",
    metavar="N",
    type=click.IntRange(0, 5),
    default=2,
    show_default=True,
    help="Faults in all, each of any kind, at any moment.",
)
@click.option("--first-release", is_flag=True, help="No group is live yet.")
@click.option(
    "--invariant",
    "invariants",
    metavar="FILE.py:NAME",
    multiple=True,
    callback=_invariants,
    help="A promise of your own: a function of plan, state, observation and commands that is true when it "
    "holds; may be given again.",
)
@click.option("--most", metavar="N", type=click.IntRange(1), help="Stop after so many states.")
@click.option("--replay", metavar="SCRIPT", help="Tell the story of a script that an earlier check printed.")
@json_option
@click.pass_obj
def check(
    output: Output,
    /,
    file: Path,
    image: str | None,
    version: int | None,
    *,
    instances: int,
    faults: int,
    first_release: bool,
    invariants: tuple[Invariant, ...],
    most: int | None,
    replay: str | None,
) -> int:
    """Try the plan in FILE in every order of events, with the production code, in a small world.

    Every interleaving of passes, of what the cloud does by itself and of faults: sick and dead instances of
    both colours, lost answers, throttled calls, stale and blind looks, scaling policies, red gates, acts of
    operators, crashes of the deploying process. Each promise is judged at every step, and every way must end.
    What breaks one is told as a story, with the line that tells it again.

    Bakes and deadlines are shortened to a few looks, so that the search ends; the answer says which.
    """
    plan = deployed(read_plan(file), image, version)
    asked = Asked(plan, instances, faults, invariants, first_release=first_release)
    if replay is not None:
        return asked.tell(replay, output)
    began = perf_counter()
    with _no_collector():
        found = asked.explore(most)
    answer = Answer(found, perf_counter() - began, click.get_current_context())
    for line, style in answer.lines():
        output.say(line, style)
    code = Exit.REFUSED if found.violations else Exit.DONE if found.complete else Exit.ERROR
    output.result("bluegreen.check/1", {"service": plan.service, **answer.data(), "exit_code": int(code)})
    return code


@frozen
class Asked:
    """What is to be checked.

    Args:
        plan: The plan.
        instances: Of the live group.
        faults: In all.
        invariants: Promises of the user's own.
        first_release: Whether nothing is live yet.
    """

    plan: Plan
    instances: int
    faults: int
    invariants: tuple[Invariant, ...]
    first_release: bool

    @property
    def options(self) -> dict[str, Any]:
        """The arguments that search and replay must share."""
        return {
            "instances": self.instances,
            "faults": self.faults,
            "invariants": self.invariants,
            "live": None if self.first_release else 0,
        }

    def explore(self, most: int | None) -> Exploration:
        """Search."""
        from bluegreen_sim import explore

        try:
            return explore(self.plan, most=most, **self.options)
        except ValueError as error:
            raise click.UsageError(str(error)) from None

    def tell(self, script: str, output: Output) -> int:
        """Tell a script's story."""
        from bluegreen_sim import replay

        try:
            story = replay(self.plan, script, **self.options)
        except ValueError as error:
            raise click.UsageError(f"--replay: {error}") from None
        lines = str(story).splitlines()
        for line in lines:
            output.say(line)
        output.result("bluegreen.check/1", {"service": self.plan.service, "script": script, "story": lines})
        return Exit.DONE


@frozen
class Answer:
    """What a search found, in words.

    Args:
        found: What it found.
        seconds: How long it took.
        context: The command as it was given.
    """

    found: Exploration
    seconds: float
    context: click.Context

    def lines(self) -> Iterator[tuple[str, str]]:
        """The answer: (line, style). The first broken promise as a story, the others by name."""
        found = self.found
        for number, violation in enumerate(found.violations):
            told = str(violation).splitlines()
            yield told[0], "bold red"
            if number == 0:
                yield from ((line, "") for line in told[1:])
            yield f"tell it again: {self.again(violation)}", ""
        style = "bold green" if found.ok else "bold red"
        yield f"{self.context.params['file']}: {found.verdict}", style
        for word, text in self._facts():
            yield f"{word:<12} {text}", ""

    def _facts(self) -> Iterator[tuple[str, str]]:
        """What stands beside the verdict: (word, text)."""
        found, bounds = self.found, self.found.bounds
        yield "tried", f"{found.states:,} states, {found.edges:,} passes, {self.seconds:.1f} s"
        yield "ends", self._ends()
        yield "covered", bounds.covered
        if bounds.shrunk:
            yield "shortened", "; ".join(bounds.shrunk)
        yield "not covered", bounds.uncovered
        rows = {
            phase: ", ".join(s for p, s in found.unused_cells if p == phase)
            for phase, _ in found.unused_cells
        }
        if rows:
            yield "never met", "; ".join(f"{phase}: {signals}" for phase, signals in rows.items())

    def again(self, violation: Violation) -> str:
        """The line that tells a violation's story again."""
        params = self.context.params
        words = ["bluegreen", "check", str(params["file"])]
        for option in self.context.command.params:
            value = params.get(option.name or "")
            if option.name in _SAID_ANEW or value is None or value is False or value == option.default:
                continue
            words += [option.opts[0]] if value is True else [option.opts[0], str(value)]
        for text in self.context.meta["invariants"]:
            words += ["--invariant", text]
        return shlex.join([*words, "--replay", violation.script])

    def _ends(self) -> str:
        return ", ".join(f"{phase} {n}" for phase, n in self.found.ends.items()) or "none"

    def data(self) -> dict[str, Any]:
        """The answer for programs."""
        found = self.found
        return {
            "ok": found.ok,
            "complete": found.complete,
            "verdict": found.verdict,
            "states": found.states,
            "edges": found.edges,
            "depth": found.depth,
            "seconds": round(self.seconds, 3),
            "ends": found.ends,
            "bounds": str(found.bounds),
            "shrunk": found.bounds.shrunk,
            "unused_cells": found.unused_cells,
            "violations": [
                {
                    "name": violation.name,
                    "kind": violation.kind,
                    "script": violation.script,
                    "story": str(violation.story).splitlines(),
                }
                for violation in found.violations
            ],
        }


_SAID_ANEW = ("file", "invariants", "most", "replay")
"""Parameters that the line that tells a story again does not take over as they are; it takes all others."""

COMMANDS = (check,)
