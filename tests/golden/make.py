"""Makes the golden journals: ``python -m tests.golden.make`` from the root of the project.

A golden journal is what a released version of bluegreen wrote; every later version must read it and
decide the same. So files are never made again for a schema that was released, only added: put the schema
into ``RELEASED`` with the release. Until then the files of the newest schema are made anew each time.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from bluegreen import Limits, SqliteJournal
from bluegreen.core.state import Phase
from bluegreen.journal import sqlite
from bluegreen.journal.records import SCHEMA
from bluegreen_sim import AlarmRed, EditWeights
from tests.scenarios.story import Story, plan, set_group

RELEASED: frozenset[int] = frozenset()
"""Schemas that a released version wrote."""

HERE = Path(__file__).parent
FOLDER = HERE / f"schema-{SCHEMA}"


def promoted_weighted(journal: SqliteJournal) -> None:
    """A canary with weights, and then everything."""
    told(journal).to_the_end()


def promoted_shared(journal: SqliteJournal) -> None:
    """Side by side behind one target group, the old group deleted at the end."""
    told(journal, "shared", fleets="replace").to_the_end()


def rolled_back(journal: SqliteJournal) -> None:
    """The alarm goes red in the bake; a pinned minimum is given back."""
    told(journal).until(Phase.BAKE).happens(AlarmRed("errors", 20)).to_the_end()


def halted(journal: SqliteJournal) -> None:
    """Somebody else moves the weights in the bake."""
    edit = EditWeights((("blue", 70), ("green", 30)), 20)
    told(journal).until(Phase.BAKE).happens(edit).to_the_end()


def refused(journal: SqliteJournal) -> None:
    """The alarm is red before anything is changed."""
    story = told(journal).happens(AlarmRed("errors", 0))
    story.cloud.clock.sleep(1)
    story.to_the_end()


def unfinished(journal: SqliteJournal) -> None:
    """Cut off in the first bake."""
    told(journal).until(Phase.BAKE)


ENDS: dict[Callable[[SqliteJournal], None], Phase] = {
    promoted_weighted: Phase.PROMOTED,
    promoted_shared: Phase.PROMOTED,
    rolled_back: Phase.ROLLED_BACK,
    halted: Phase.HALTED,
    refused: Phase.REFUSED,
    unfinished: Phase.BAKE,
}


def told(journal: SqliteJournal, routing: str = "weighted", **changes: Any) -> Story:
    """A story with few passes, a second after its world began."""
    wanted = plan(routing, limits=Limits(poll_seconds=60), **changes)
    story = Story(wanted, journal=journal, before=set_group(0, min=1))
    story.cloud.clock.sleep(1)
    return story


def make(folder: Path) -> None:
    """Make every journal that may be made, in a folder.

    Args:
        folder: Where; what is there of a released schema stays.
    """
    sqlite._host = lambda: "golden"  # the same file, whoever makes it
    for write in ENDS:
        path = folder / f"{write.__name__}.sqlite"
        seal = path.with_name(f"{path.name}-seal")
        if SCHEMA in RELEASED and path.exists():
            continue
        for old in (path, seal):
            old.unlink(missing_ok=True)
        write(SqliteJournal(path))
        path.with_name(f"{path.name}-journal").unlink(missing_ok=True)  # SQLite's own, empty
        path.chmod(0o644)
        seal.chmod(0o644)


if __name__ == "__main__":
    make(FOLDER)
    for made in sorted(FOLDER.glob("*.sqlite")):
        print(f"{made.relative_to(HERE)}: {made.stat().st_size} bytes")
