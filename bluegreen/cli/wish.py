"""What was asked for on the command line, how to say it again, and what stands in its way."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Self

import attrs
import click
from attrs import frozen

from bluegreen import read_plan
from bluegreen.core.errors import BlueGreenError, Unfinished
from bluegreen.core.plan import Plan
from bluegreen.core.state import Phase, State
from bluegreen.journal.history import Story, last
from bluegreen.ports import Journal

from .folder import Folder
from .shared import Home, Shared


@frozen(kw_only=True)
class Wish:
    """A deployment that is asked for.

    Args:
        file: The plan file.
        written: What it says, with ``--set`` in it.
        image: What ``--image`` said.
        version: What ``--template-version`` said.
        sets: What ``--set`` said.
        state: What ``--state`` said.
        folder: Where it is kept.
    """

    verb: ClassVar[str]
    """The command that carries it out."""

    waits: ClassVar[bool] = True
    """Whether that command waits for a person, instead of leaving."""

    file: Path
    written: Plan
    image: str | None
    version: int | None
    sets: tuple[str, ...]
    state: Path | None
    folder: Home

    @property
    def plan(self) -> Plan:
        """What is wanted, all options considered."""
        return deployed(self.written, self.image, self.version)

    def options(self) -> Iterator[tuple[str, object]]:
        """The options that say what is wanted and where: (name, value); None was not said."""
        yield "--image", self.image
        yield "--template-version", self.version
        yield from (("--set", text) for text in self.sets)
        yield "--state", self.state

    def alike(self, plan: Plan) -> Iterator[Self]:
        """The same wish with the options that may make it one for this plan, the clearest first."""
        for image, version in ((plan.image, plan.number), (None, None)):
            yield attrs.evolve(self, image=image, version=version)

    # ------------------------------------------------------------------- commands to be pasted into a shell

    @property
    def again(self) -> str:
        """How to say the same once more."""
        said = [word for name, value in self.options() if value is not None for word in (name, str(value))]
        return shlex.join(["bluegreen", self.verb, str(self.file), *said])

    def operate(self, verb: str) -> str:
        """How a person says something to the deployment, by the plan file if that leads to it."""
        if isinstance(self.folder, Shared):
            where = self.folder.words(self.file)
        else:
            where = [str(self.file)] if self._found else ["--state", str(self.folder.path)]
        return shlex.join(["bluegreen", verb, *where])

    @property
    def _found(self) -> bool:
        try:
            return Folder.beside(self.file, read_plan(self.file).service) == [self.folder]
        except (BlueGreenError, OSError):
            return False

    def person(self, state: State) -> str:
        """What a person may say where the deployment stands; empty where it goes on by itself."""
        if state.phase is Phase.HALTED:
            abort = "" if state.committed else f" or {self.operate('abort')}"
            return f"say {self.operate('resume')}{abort}"
        if state.paused and (state.phase.forward or state.phase is Phase.PREFLIGHT):
            return f"say {self.operate('resume')}"
        if state.awaiting:
            return f"say {self.operate('approve')} (or {self.operate('abort')})"
        return ""

    def go_on(self, state: State) -> str:
        """How to go on with a deployment that has not ended."""
        said = self.person(state)
        return f"{said}, then go on: {self.again}" if said else f"go on: {self.again}"


def deployed(plan: Plan, image: str | None, version: int | None) -> Plan:
    """The plan with what ``--image`` or ``--template-version`` says in place of what it deploys.

    Raises:
        UsageError: If both are said.
    """
    if image is not None and version is not None:
        raise click.UsageError("say --image or --template-version, not both")
    if version is not None:
        return plan.with_version(version)
    return plan if image is None else plan.with_image(image)


def unfinished(wish: Wish, journal: Journal) -> Story | None:
    """The deployment that has not ended and is to be continued; None when there is none.

    Raises:
        Unfinished: If it was begun with another plan. Nothing is changed.
    """
    story = last(journal, wish.plan.service)
    if story is None or story.state.phase.ended:
        return None
    if story.plan != wish.plan:
        raise _another(wish, story)
    return story


def _another(wish: Wish, story: Story) -> Unfinished:
    """The one error that says which deployment stands in the way, and how to go on with it."""
    begun, state = story.plan, story.state
    names = [f.name for f in attrs.fields(Plan) if getattr(begun, f.name) != getattr(wish.plan, f.name)]
    way = next((other for other in wish.alike(begun) if other.plan == begun), None)
    go_on = f"Go on with that plan: {way.again}" if way else f"Put that plan back into {wish.file} to go on"
    return Unfinished(
        f"{state.ledger.deployment_id} ({begun.what}) has not ended: it is in {state.phase.value}. "
        f"It was begun with another plan; what differs: {', '.join(names)}. Nothing was done. "
        f"{go_on}; or call it off first: {wish.operate('abort')}"
    )
