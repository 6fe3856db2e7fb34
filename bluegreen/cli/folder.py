"""The state folder of a service: its simulated world, its journal, and who may change them.

Two files tell one story, and one of them can be behind. The rule is that the world may never be *ahead*
of the journal: an intent is in the journal before the world obeys it, and the world is saved only after
the pass that changed it, so after a kill at any moment everything in ``world.json`` is known to the
journal. What the saved world lacks of the last pass is made good as after any crash: the deployment looks
again and asks again. The other way round would leave instances that no record speaks of.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from attrs import frozen

from bluegreen.core.errors import BlueGreenError, LockTaken
from bluegreen.core.plan import Plan
from bluegreen.journal import SqliteJournal


@frozen
class Folder:
    """Where a service's simulated world and its journal are kept.

    Args:
        path: The folder; it need not exist.
    """

    path: Path

    @classmethod
    def of(cls, file: Path | None, plan: Plan | None, state: Path | None) -> Folder:
        """The folder that was named, or else the one that belongs to a plan file."""
        if state is not None:
            return cls(state)
        assert file is not None, "the commands ask for one of them"
        assert plan is not None, "a file was read"
        return cls(file.parent / ".bluegreen" / plan.service)

    @property
    def world_path(self) -> Path:
        """The saved world."""
        return self.path / "world.json"

    @property
    def journal_path(self) -> Path:
        """The journal."""
        return self.path / "journal.sqlite"

    def journal(self) -> SqliteJournal:
        """The service's journal; reading makes no file."""
        # A simulated release that a power cut forgets together with its world is no loss: skip the fsyncs.
        return SqliteJournal(self.journal_path, durable=False)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the folder: the journal's lease guards its records, this guards the file beside them.

        Without it a second process could load the world before the first one's last pass, and save it
        over the result. SQLite's lock works everywhere and ends with the process, however that ends. It
        lies beside the folder, so that ``retire`` can move the folder away under it.

        Raises:
            LockTaken: If another process holds it.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lock = self.path.with_name(self.path.name + ".lock")
        with closing(sqlite3.connect(lock, timeout=0, isolation_level=None)) as held:
            try:
                held.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError as error:
                raise LockTaken(f"another simulation is at work in {self.path} ({error})") from error
            yield

    def retire(self) -> Path | None:
        """Move the folder away in one step; nothing is destroyed. Returns where it is now, if it was."""
        if not self.path.exists():
            return None
        free = (self.path.with_name(f"{self.path.name}.before-{n}") for n in count(1))
        place = next(path for path in free if not path.exists())
        self.path.rename(place)
        return place

    def load_world(self) -> dict[str, Any] | None:
        """The saved world; None when there is none yet.

        Raises:
            BlueGreenError: If it cannot be read, or is missing beside a journal. Then nothing is changed.
        """
        remedy = "put it back, or begin anew with --fresh"
        try:
            data = json.loads(self.world_path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            # The first world is saved before the journal's first record.
            if self.journal_path.exists():
                raise BlueGreenError(f"{self.world_path} is missing beside its journal: {remedy}") from None
            return None
        except ValueError as error:
            raise BlueGreenError(f"{self.world_path} is no saved world ({error}): {remedy}") from error
        if not isinstance(data, dict):
            raise BlueGreenError(f"{self.world_path} is no saved world: {remedy}")
        return data

    def save_world(self, world: dict[str, Any]) -> None:
        """Replace the saved world whole: who reads it, even after a kill, finds the old or the new one.

        No fsync, for the same reason as in ``journal``.
        """
        self.path.mkdir(mode=0o700, exist_ok=True)
        draft = self.world_path.with_name("world.json-draft")
        draft.write_text(json.dumps(world, sort_keys=True), encoding="utf-8")
        draft.replace(self.world_path)
