"""A journal in one SQLite file, shared by the processes of one machine.

What is promised of a file at rest:

* After every ``put`` or ``renew`` that returned, **one flipped bit anywhere** in the journal's file or in
  its seal, and every truncation of the file, is found by the next ``records()`` or ``put`` with an error.
  A put that follows damage writes nothing.
* The seal is a second, tiny file (``<journal>-seal``): SQLite's change counter and a checksum of the whole
  file, written under the lock of the write that it seals. It is needed because SQLite's pages have unused
  bytes that no record covers.
* A process killed between its commit and its seal (or whose seal could not be written) leaves a seal of a
  lower change counter. That is no damage: the file is then checked by SQLite's own ``quick_check``, by
  the checksum of every record and by their chain. So a flip in any record's bytes is still found; one in
  unused bytes need not be, and changes nothing that is read. The next write seals again. Without a seal
  file it is the same.
* A seal of a *higher* change counter means that the file was replaced by an older copy: damage.

So each write reads and hashes the whole file, before and after: 15 ms with a new file, 50 ms at 5 MB, 180
ms at 20 MB (a look that only waits is 1 kB). What this process itself wrote last is not spared: a time of
change and a size that are as they were say nothing of a bit that is not, and the new seal would cover it
up.

Nothing here repairs or overwrites. A commit that was cut off is undone by SQLite: it had never been
acknowledged. Write-ahead logging is left off on purpose: its recovery takes a flipped bit for the end of
the log and drops acknowledged records without a word. What is promised under SIGKILL holds with
``durable=False`` too; what is promised under power loss needs ``durable=True``, a local file system (no
NFS: SQLite's locks do not hold there) and a disk that does what ``fsync`` says.
"""

from __future__ import annotations

import json
import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from bluegreen.core.errors import JournalDamaged, JournalError
from bluegreen.ports import Holder, Record

from .codec import canonical
from .records import SCHEMA, Sealed, admit, check_schema, checksum, unseal, verify

BUSY_SECONDS = 10.0
"""How long a call waits for others to finish with the file."""

APPLICATION_ID = 0x62677264  # "bgrd", in SQLite's header: nobody else's database is taken for a journal

_TABLES = (
    "CREATE TABLE records (seq INTEGER PRIMARY KEY, text TEXT NOT NULL, checksum TEXT NOT NULL)",
    "CREATE TABLE holder (id INTEGER PRIMARY KEY CHECK (id = 1), text TEXT NOT NULL, checksum TEXT NOT NULL)",
)

# SQLite's codes for what the machine refuses. Every other error of a fixed statement is the file's.
_ENVIRONMENT = {
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_TOOBIG,
    sqlite3.SQLITE_NOLFS,
    sqlite3.SQLITE_AUTH,
}


class SqliteJournal:
    """One service's log in a SQLite file; safe to share between threads, processes and forks.

    The file is made by the first write, with mode 0600 in a folder of mode 0700; reading makes nothing.
    Every call opens the file anew, so there is nothing to close, and what is read is what the disk holds.

    Args:
        path: The file. A symbolic link, or anything but a regular file, is refused.
        durable: Whether a returned ``put`` survives a power loss (it always survives the process).

    Raises:
        JournalDamaged: If the file is there and holds no journal of bluegreen.
        JournalTooNew: If a newer bluegreen wrote it.
        JournalError: If it cannot be opened.
    """

    def __init__(self, path: str | os.PathLike[str], *, durable: bool = True) -> None:
        """Look at the file, if there is one."""
        self._path = Path(path).absolute()
        self._seal_path = self._path.with_name(self._path.name + "-seal")
        self._durable = durable
        self._where = str(self._path)
        self.tail()

    def put(self, seq: int, record: Record) -> None:
        """Put a record into an empty slot; see ``Journal.put``.

        Raises:
            SlotTaken: If the slot holds a record already.
            JournalDamaged: If the file is not what was written; nothing is put then.
            JournalError: If the record would leave a gap, is of another service, or could not be written;
                after an error of the disk the slot tells whether it was.
        """
        with self._writing() as db:
            sealed = admit(seq, record, _last(db), self._where)
            row = (sealed.seq, sealed.text.decode(), sealed.checksum.decode())
            db.execute("INSERT INTO records (seq, text, checksum) VALUES (?, ?, ?)", row)

    def records(self, after: int = 0) -> list[Record]:
        """All records with ``seq > after``, in order. ``records()`` checks the whole file as well.

        Raises:
            JournalDamaged: If any of them, or the one in slot ``after``, is not what was written, or one is
                missing.
            JournalTooNew: If the journal was written by a newer bluegreen.
            JournalError: If the file could not be read.
        """
        stored = []
        with self._reading() as db:
            if db and not after:
                self._check_file(db)
            if db:
                query = "SELECT seq, text, checksum FROM records WHERE seq >= ? ORDER BY seq"
                stored = [_stored(row) for row in db.execute(query, (after,))]
        return verify(stored, after, self._where)

    def tail(self) -> Record | None:
        """The last record, itself checked and nothing else; None when there is none."""
        with self._reading() as db:
            last = _last(db) if db else None
        return unseal(last, self._where)[0] if last else None

    def renew(self, holder: Holder) -> None:
        """Note a sign of life, with this host and process.

        One with a lower fence than the last is a stale holder's, and is ignored.

        Raises:
            JournalDamaged: If the file is not what was written.
            JournalError: If it could not be written.
        """
        note = {
            "name": holder.name,
            "fence": holder.fence,
            "since": holder.since,
            "until": holder.until,
            "host": _host(),
            "pid": os.getpid(),
        }
        with self._writing() as db:
            last = self._holder(db)
            if not last or holder.fence >= last["fence"]:
                text = canonical(note)
                row = (text.decode(), checksum(text))
                db.execute("INSERT OR REPLACE INTO holder (id, text, checksum) VALUES (1, ?, ?)", row)

    def holder(self) -> Holder | None:
        """The last sign of life; None when there was none. It is void when its process on this host is gone.

        Raises:
            JournalDamaged: If it is not what was written.
            JournalError: If the file could not be read.
        """
        with self._reading() as db:
            note = self._holder(db) if db else None
        if not note:
            return None
        gone = note["host"] == _host() and not _alive(note["pid"])
        until = 0.0 if gone else note["until"]
        return Holder(name=note["name"], fence=note["fence"], since=note["since"], until=until)

    def _holder(self, db: sqlite3.Connection) -> dict[str, Any] | None:
        row = db.execute("SELECT id, text, checksum FROM holder").fetchone()
        if not row:
            return None
        stored = _stored(row)
        # A sign from before there was ``since`` has none.
        note: dict[str, Any] = {"since": 0.0, **json.loads(stored.text)} if stored.intact else {}
        if note.keys() != {"name", "fence", "since", "until", "host", "pid"}:
            raise JournalDamaged(f"{self._where}: the holder's sign of life is not what was written")
        return note

    # -------------------------------------------------------------------------------------- the database

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection | None]:
        """A look at one moment of the log; None when there is no file."""
        with self._saying_why():
            if not self._exists():
                yield None
                return
            with self._database("BEGIN") as db:
                yield db

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Alone with the log; what is done inside is there as a whole afterwards, or not at all."""
        with self._saying_why():
            if not self._exists():
                self._create()
            with self._database("BEGIN IMMEDIATE") as db:
                self._check_file(db)
                db.execute("PRAGMA journal_mode = TRUNCATE")
                # Keep the lock until the file is closed: nobody writes between the commit and its seal.
                db.execute("PRAGMA locking_mode = EXCLUSIVE")
                yield db
                db.execute("COMMIT")
                # What was put is safe from here on; without its seal it is only checked less strictly.
                with suppress(OSError, sqlite3.Error):
                    self._seal(db.serialize())

    @contextmanager
    def _database(self, begin: str) -> Iterator[sqlite3.Connection]:
        uri = f"{self._path.as_uri()}?mode=rw"  # never creates; read only where the file is
        with closing(sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)) as db:
            db.text_factory = bytes  # damaged text need not be UTF-8
            db.execute(f"PRAGMA synchronous = {'FULL' if self._durable else 'NORMAL'}")
            db.execute(begin)
            self._check_identity(db)
            yield db

    def _check_identity(self, db: sqlite3.Connection) -> None:
        (found,) = db.execute("PRAGMA application_id").fetchone()
        if found != APPLICATION_ID:
            raise JournalDamaged(f"{self._where}: no journal of bluegreen (application id {found})")
        (schema,) = db.execute("PRAGMA user_version").fetchone()
        check_schema(schema, self._where)
        # One flipped bit in INTEGER, and ``seq`` is no longer the key: SQLite would find no record at all.
        tables = db.execute("SELECT sql FROM sqlite_master ORDER BY rowid").fetchall()
        if tables != [(table.encode(),) for table in _TABLES]:
            raise JournalDamaged(f"{self._where}: its tables are not those of a journal")

    @contextmanager
    def _saying_why(self) -> Iterator[None]:
        """Errors of SQLite and of the machine, as the journal's own."""
        try:
            yield
        except (sqlite3.Error, UnicodeDecodeError) as error:  # the latter when SQLite quotes damaged text
            code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
            kind = JournalError if code in _ENVIRONMENT else JournalDamaged
            raise kind(f"{self._where}: {error}") from error
        except OSError as error:
            raise JournalError(f"{self._where}: {error}") from error

    def _exists(self) -> bool:
        try:
            found = self._path.lstat()
        except FileNotFoundError:
            if self._seal_path.exists():
                raise JournalDamaged(
                    f"{self._where} is gone, but its seal {self._seal_path.name} is there: put the journal "
                    "back; or remove the seal as well, to start a new log on purpose"
                ) from None
            return False
        if not stat.S_ISREG(found.st_mode):
            raise JournalError(f"{self._where} is no regular file")
        if not found.st_size:
            raise JournalDamaged(f"{self._where} is empty; bluegreen never leaves an empty file")
        return True

    def _create(self) -> None:
        """Make the file under another name first: at its own, it is whole or absent."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self._path.with_name(f"{self._path.name}-{os.urandom(8).hex()}")
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        try:
            with closing(sqlite3.connect(draft, isolation_level=None)) as db:
                db.execute("BEGIN")
                db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                db.execute(f"PRAGMA user_version = {SCHEMA}")
                for table in _TABLES:
                    db.execute(table)
                db.execute("COMMIT")
            with suppress(FileExistsError):  # somebody else was faster; theirs is as good
                os.link(draft, self._path)
        finally:
            draft.unlink()
        if self._durable and hasattr(os, "O_DIRECTORY"):
            folder = os.open(self._path.parent, os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    # ------------------------------------------------------------------------------------------ the seal

    def _check_file(self, db: sqlite3.Connection) -> None:
        """Check every byte of the file against its seal or, where that is older, what SQLite can check."""
        image = db.serialize()  # opening the file ourselves would drop SQLite's locks when closing it
        changes = _changes(image)
        if changes != int.from_bytes(image[92:96], "big"):
            raise JournalDamaged(f"{self._where}: SQLite's change counter does not match its copy")
        seal = self._read_seal()
        sealed = int(seal.split()[0]) if seal else 0
        if sealed > changes:
            raise JournalDamaged(f"{self._where}: older than its seal: change {changes}, sealed at {sealed}")
        if sealed == changes and seal != _seal_of(image):
            raise JournalDamaged(f"{self._where}: the file does not match its seal")
        if sealed < changes and db.execute("PRAGMA quick_check").fetchall() != [(b"ok",)]:
            raise JournalDamaged(f"{self._where}: SQLite finds its structure damaged")

    def _read_seal(self) -> str | None:
        """The seal, itself checked; None when there is none."""
        try:
            data = self._seal_path.read_bytes()
        except FileNotFoundError:
            return None
        text, _, check = data.decode("ascii", "replace").rpartition(" ")
        if check != checksum(text.encode()):
            raise JournalDamaged(f"{self._where}: its seal does not match the seal's own checksum")
        return data.decode()

    def _seal(self, image: bytes) -> None:
        """Replace the seal, whole; under the lock, so that the draft's name needs no care."""
        draft = self._seal_path.with_name(self._seal_path.name + "-draft")
        flags = os.O_CREAT | os.O_WRONLY | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
        with os.fdopen(os.open(draft, flags, 0o600), "wb") as file:
            file.write(_seal_of(image).encode())
            file.flush()
            if self._durable:
                os.fsync(file.fileno())
        draft.replace(self._seal_path)


def _last(db: sqlite3.Connection) -> Sealed | None:
    row = db.execute("SELECT seq, text, checksum FROM records ORDER BY seq DESC LIMIT 1").fetchone()
    return _stored(row) if row else None


def _stored(row: tuple[int, Any, Any]) -> Sealed:
    seq, text, check = row  # a flipped bit can make a number or nothing of a text: no such text is intact
    return Sealed(seq, text if isinstance(text, bytes) else b"", check)


def _changes(image: bytes) -> int:
    """SQLite's change counter: rises with every transaction that changes the file."""
    return int.from_bytes(image[24:28], "big")


def _seal_of(image: bytes) -> str:
    text = f"{_changes(image)} {checksum(image)}"
    return f"{text} {checksum(text.encode())}"


def _host() -> str:
    """This host, and where Linux says so the container: a process id means nothing elsewhere."""
    import platform

    with suppress(OSError, AttributeError):
        return f"{platform.node()} {Path('/proc/self/ns/pid').readlink()}"
    return platform.node()


def _alive(pid: int) -> bool:
    """Whether a process of this host still runs; True where that cannot be told."""
    if os.name != "posix":  # elsewhere signal 0 is a signal
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's, so it runs
        return True
    return True
