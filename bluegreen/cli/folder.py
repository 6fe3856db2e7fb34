"""The state folder of a service: its journal, what it is of, and who may change it.

Real deployments and the simulator never share a folder. A real one is named after the account and Region,
which stand in its ``account.json`` too; a simulator's holds its world, in ``world.json``.

There two files tell one story, and one of them can be behind. The rule is that the world may never be
*ahead* of the journal: an intent is in the journal before the world obeys it, and the world is saved only
after the pass that changed it, so after a kill at any moment everything in ``world.json`` is known to the
journal. What the saved world lacks of the last pass is made good as after any crash: the deployment looks
again and asks again. The other way round would leave instances that no record speaks of.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from attrs import frozen

from bluegreen.core.errors import BlueGreenError, LockTaken
from bluegreen.journal import SqliteJournal


@frozen
class Folder:
    """Where a service's journal is kept, and beside it the simulated world if it is of one.

    Args:
        path: The folder; it need not exist.
    """

    path: Path

    @classmethod
    def simulated(cls, file: Path, service: str, state: Path | None) -> Folder:
        """The simulator's folder: the one that was named, or else the one that belongs to a plan file.

        Raises:
            BlueGreenError: If real deployments are kept there, or the plan file.
        """
        if state is not None and file.resolve().is_relative_to(state):
            raise BlueGreenError(
                f"{file} is in {state}, which --fresh would move away with it: name another --state"
            )
        folder = cls(file.parent / ".bluegreen" / service if state is None else state)
        if folder.real:
            raise BlueGreenError(f"{folder.path} is the folder of real deployments: name another --state")
        return folder

    @classmethod
    def of_account(cls, file: Path, service: str, state: Path | None, *, account: str, region: str) -> Folder:
        """The folder of real deployments: the one that was named, or else that of plan file and account.

        Raises:
            BlueGreenError: If it is the simulator's, or another account's.
        """
        # No service's name has an @ in it, so this is never the simulator's folder of another service.
        folder = cls(file.parent / ".bluegreen" / f"{service}@{account}-{region}" if state is None else state)
        if folder.world_path.exists():
            raise BlueGreenError(f"{folder.path} is the simulator's folder: name another --state")
        if folder.real and (found := folder._account()) != (ours := {"account": account, "region": region}):
            raise BlueGreenError(
                f"the deployments in {folder.path} are of {_named(found)}, but the credentials lead to "
                f"{_named(ours)}. Nothing was done"
            )
        return folder

    @classmethod
    def beside(cls, file: Path, service: str) -> list[Folder]:
        """The folders that a plan file may speak of: those of real deployments, else the simulator's."""
        home = file.parent / ".bluegreen"
        found = [cls(path) for path in sorted(home.glob(f"{service}@*")) if path.is_dir()]
        return found or [cls(home / service)]

    @property
    def real(self) -> bool:
        """Whether real deployments are kept here."""
        return self.account_path.exists()

    @property
    def account_path(self) -> Path:
        """The note of whose deployments these are."""
        return self.path / "account.json"

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
        return SqliteJournal(self.journal_path, durable=self.real)

    def claim(self, account: str, region: str) -> None:
        """Note whose deployments are kept here, before the first one is."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self.real:
            _replace(self.account_path, {"account": account, "region": region}, durable=True)

    def _account(self) -> dict[str, Any]:
        return _read(self.account_path, "put it back, or name another --state")

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
            return _read(self.world_path, remedy)
        except FileNotFoundError:
            # The first world is saved before the journal's first record.
            if self.journal_path.exists():
                raise BlueGreenError(f"{self.world_path} is missing beside its journal: {remedy}") from None
            return None

    def save_world(self, world: dict[str, Any]) -> None:
        """Replace the saved world whole: who reads it, even after a kill, finds the old or the new one.

        No fsync, for the same reason as in ``journal``.
        """
        self.path.mkdir(mode=0o700, exist_ok=True)
        _replace(self.world_path, world)


def _replace(path: Path, data: dict[str, Any], *, durable: bool = False) -> None:
    draft = path.with_name(f"{path.name}-draft")
    with draft.open("w", encoding="utf-8") as file:
        json.dump(data, file, sort_keys=True)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    draft.replace(path)


def _read(path: Path, remedy: str) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BlueGreenError(f"{path} is not what was written ({error}): {remedy}") from error
    if not isinstance(data, dict):
        raise BlueGreenError(f"{path} is not what was written: {remedy}")
    return data


def _named(account: dict[str, Any]) -> str:
    return f"account {account.get('account')} in {account.get('region')}"
