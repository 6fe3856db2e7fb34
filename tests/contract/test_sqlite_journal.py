"""What a SQLite journal keeps beyond the contract: on disk, under damage, between processes, when killed."""

import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from bluegreen.core.errors import JournalDamaged, JournalError, JournalTooNew
from bluegreen.journal import SqliteJournal
from bluegreen.ports import Holder, Record

ROOT = Path(__file__).parents[2]


def record(seq: int, writer: str = "w") -> Record:
    """A record of some length."""
    body = {"reason": "3 of 4 green targets healthy " * 3, "wake_at": seq * 5.125}
    return Record(
        seq=seq, service="shop", deployment_id="shop-1", kind="decision", body=body, fence=1, writer=writer
    )


ME = Holder(name="me", fence=1, until=60.0)
SIX = [record(seq) for seq in range(1, 7)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of a journal with six records and a sign of life."""
    path = tmp_path / "journal.db"
    journal = SqliteJournal(path, durable=False)
    for one in SIX:
        journal.put(one.seq, one)
    journal.renew(ME)
    return path


def seal_of(path: Path) -> Path:
    """The journal's second file."""
    return path.with_name(path.name + "-seal")


def edit(path: Path, *statements: str) -> None:
    """Change the database behind the journal's back."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for statement in statements:
            db.execute(statement)


@contextmanager
def flipped(path: Path, place: int, bit: int) -> Iterator[None]:
    """The file with one bit flipped; whole again afterwards."""
    with path.open("r+b", buffering=0) as file:
        file.seek(place)
        (byte,) = file.read(1)
        file.seek(place)
        file.write(bytes([byte ^ 1 << bit]))
        yield
        file.seek(place)
        file.write(bytes([byte]))


def found(journal: SqliteJournal) -> bool:
    """Whether reading says that something is wrong. If it does not, it reads what was written."""
    try:
        read = journal.records()
    except JournalError:
        return True
    assert read == SIX
    return False


def silent_flips(
    path: Path, places: Iterable[int], bits: Callable[[], Iterable[int]]
) -> list[tuple[int, int]]:
    """Flips, one at a time, that reading does not find."""
    journal = SqliteJournal(path)
    silent = []
    for place in places:
        for bit in bits():
            with flipped(path, place, bit):
                if not found(journal):
                    silent.append((place, bit))
    return silent


# -------------------------------------------------------------------------------------------- flipped bits


def test_a_flipped_bit_is_found(path: Path) -> None:
    """A bit flipped in every third byte of a journal at rest, or any bit of its seal, is found."""
    draw = random.Random(1)
    assert silent_flips(path, range(0, path.stat().st_size, 3), lambda: [draw.getrandbits(3)]) == []
    journal, seal = SqliteJournal(path), seal_of(path)
    for place in range(seal.stat().st_size):
        for bit in range(8):
            with flipped(seal, place, bit):
                assert found(journal), place
    assert not found(journal)


@pytest.mark.exhaustive
def test_every_flipped_bit_is_found(path: Path) -> None:
    """No single bit of a journal at rest can flip without being found."""
    assert path.stat().st_size >= 4096
    assert silent_flips(path, range(path.stat().st_size), lambda: range(8)) == []


def test_truncation_is_found(path: Path) -> None:
    """A journal cut off anywhere is found, down to an empty file; and so is one that is gone."""
    journal, whole = SqliteJournal(path), path.read_bytes()
    for size in [*range(0, len(whole), 101), *range(0, len(whole), 4096), len(whole) - 1]:
        path.write_bytes(whole[:size])
        assert found(journal), size
    path.unlink()
    with pytest.raises(JournalDamaged, match=r"is gone, but its seal journal\.db-seal is there"):
        SqliteJournal(path)


@pytest.mark.parametrize("step", [7, pytest.param(1, marks=pytest.mark.exhaustive)])
def test_without_its_seal_no_flip_changes_what_is_read(path: Path, step: int) -> None:
    """A flip in a journal whose seal was cut off by a kill is found, or nothing that is read differs."""
    seal_of(path).unlink()
    draw, journal = random.Random(2), SqliteJournal(path)
    places = range(0, path.stat().st_size, step)
    silent = silent_flips(path, places, lambda: [draw.getrandbits(3)])
    assert 0 < len(silent) < len(places), "if none is silent, the seal is needless: take it out"
    for place in places:
        with flipped(path, place, draw.getrandbits(3)), suppress(JournalError):
            assert (journal.tail(), journal.holder()) == (SIX[-1], ME)


def test_nothing_is_written_into_a_damaged_journal(path: Path) -> None:
    """A put or a renewal after a flip in unused bytes is refused, and not a byte of the file changes."""
    unused = path.read_bytes().index(bytes(64), 100)
    journal = SqliteJournal(path)
    with flipped(path, unused, 3):
        before, seal = path.read_bytes(), seal_of(path).read_bytes()
        with pytest.raises(JournalDamaged, match="does not match its seal"):
            journal.put(7, record(7))
        with pytest.raises(JournalDamaged, match="does not match its seal"):
            journal.renew(Holder(name="me", fence=2, until=60.0))
        assert (path.read_bytes(), seal_of(path).read_bytes()) == (before, seal)


def test_an_older_copy_is_found(path: Path) -> None:
    """A journal that was replaced by its own copy of before is refused: its seal is newer."""
    copy = path.read_bytes()
    SqliteJournal(path).put(7, record(7))
    path.write_bytes(copy)
    with pytest.raises(JournalDamaged, match="older than its seal"):
        SqliteJournal(path).records()


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            "UPDATE records SET text = replace(text, '3 of 4', '4 of 4') WHERE seq = 4",
            "slot 4: .* its checksum",
        ),
        ("UPDATE records SET checksum = 'x' WHERE seq = 2", "slot 2: .* its checksum"),
        ("UPDATE records SET text = 7 WHERE seq = 2", "slot 2: .* its checksum"),
        ("UPDATE records SET text = x'ff00' WHERE seq = 6", "slot 6: .* its checksum"),
        ("DELETE FROM records WHERE seq = 3", "slot 3 is missing"),
        ("UPDATE records SET seq = seq + 1 WHERE seq = 6", "slot 7: holds something else"),
        ("DROP TABLE records", "its tables are not"),
    ],
)
def test_an_edited_record_is_named(path: Path, statement: str, message: str) -> None:
    """A change made with SQLite itself, which no seal covers, is found and named by file and slot."""
    edit(path, statement)
    with pytest.raises(JournalDamaged, match=rf"journal\.db: {message}"):
        SqliteJournal(path).records()


def test_an_edited_sign_of_life_is_found(path: Path) -> None:
    """A holder that does not match its checksum is damage."""
    edit(path, "UPDATE holder SET text = replace(text, '60', '99')")
    with pytest.raises(JournalDamaged, match="sign of life"):
        SqliteJournal(path).holder()


def test_a_write_seals_again_what_a_kill_left_unsealed(path: Path) -> None:
    """After a kill between commit and seal the journal reads and takes records, which seal it again."""
    old = seal_of(path).read_bytes()
    journal = SqliteJournal(path)
    journal.put(7, record(7))
    seal_of(path).write_bytes(old)
    assert journal.records() == [*SIX, record(7)]
    journal.put(8, record(8))
    assert int(seal_of(path).read_bytes().split()[0]) == int(old.split()[0]) + 2


# ----------------------------------------------------------------------------------------- files that refuse


def test_a_newer_journal_is_refused(path: Path) -> None:
    """A file of a newer schema is JournalTooNew, with both numbers."""
    edit(path, "PRAGMA user_version = 5")
    with pytest.raises(JournalTooNew, match=r"journal\.db: written in schema 5; .* up to 1"):
        SqliteJournal(path)


@pytest.mark.parametrize("content", [b"", b"no database", b"x" * 5000])
def test_what_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    """Another file is refused and left alone."""
    path = tmp_path / "journal.db"
    path.write_bytes(content)
    with pytest.raises(JournalDamaged, match=r"journal\.db"):
        SqliteJournal(path)
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_a_foreign_database_is_refused(tmp_path: Path) -> None:
    """Somebody else's SQLite database is refused and left alone."""
    path = tmp_path / "journal.db"
    edit(path, "CREATE TABLE records (seq)", "PRAGMA application_id = 7")
    before = path.read_bytes()
    with pytest.raises(JournalDamaged, match=r"no journal of bluegreen \(application id 7\)"):
        SqliteJournal(path)
    assert path.read_bytes() == before


def test_only_regular_files_are_opened(path: Path, tmp_path: Path) -> None:
    """A symbolic link, also to a journal, and a folder are refused."""
    link = tmp_path / "link.db"
    link.symlink_to(path)
    for wrong in (link, tmp_path):
        with pytest.raises(JournalError, match="no regular file"):
            SqliteJournal(wrong)


def test_a_folder_that_cannot_be_made_is_a_journal_error(path: Path) -> None:
    """What the machine refuses is a JournalError with the machine's own error as its cause."""
    with pytest.raises(JournalError) as caught:
        SqliteJournal(path / "below" / "journal.db")
    assert isinstance(caught.value.__cause__, NotADirectoryError)


def test_a_lock_that_is_never_given_back_is_a_journal_error(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer that waits in vain is told so; the file is not called damaged."""
    monkeypatch.setattr("bluegreen.journal.sqlite.BUSY_SECONDS", 0.05)
    journal = SqliteJournal(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalError, match="locked") as caught:
            journal.put(7, record(7))
        assert not isinstance(caught.value, JournalDamaged)
        assert journal.records() == SIX, "a reader does not wait for a writer that has not begun to commit"
    journal.put(7, record(7))


def test_reading_makes_nothing(tmp_path: Path) -> None:
    """To look for a journal that is not there leaves no trace."""
    journal = SqliteJournal(tmp_path / "state" / "journal.db")
    assert (journal.records(), journal.tail(), journal.holder()) == ([], None, None)
    assert list(tmp_path.iterdir()) == []


def test_files_are_for_their_owner_only(tmp_path: Path) -> None:
    """The folder has mode 0700, every file in it 0600, and no draft is left behind."""
    folder = tmp_path / "state"
    SqliteJournal(folder / "a?b #c%.db").put(1, record(1))
    assert folder.stat().st_mode & 0o777 == 0o700
    names = {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()}
    assert names == dict.fromkeys(["a?b #c%.db", "a?b #c%.db-seal", "a?b #c%.db-journal"], 0o600)


# ------------------------------------------------------------------------------------------------ processes


def python(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Another Python that can import bluegreen and this file."""
    lines = f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(Path(__file__).parent)!r}]\n{code}"
    return subprocess.Popen(
        [sys.executable, "-c", lines, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


APPEND = """
from pathlib import Path
from test_sqlite_journal import *
from bluegreen.core.errors import SlotTaken
path, writer, count = sys.argv[1:]
journal, lost = SqliteJournal(path, durable=False), 0
print("ready", flush=True)
sys.stdin.readline()
for n in range(int(count)):
    while True:
        last = journal.tail()
        seq = last.seq + 1 if last else 1
        try:
            journal.put(seq, record(seq, f"{writer}-{n}"))
            break
        except SlotTaken:
            lost += 1
    print(seq, flush=True)
print(lost, flush=True)
"""


@pytest.mark.process
def test_a_race_of_processes_loses_nothing(tmp_path: Path) -> None:
    """Of 4 processes with 50 appends each, every record stands in one slot; losers were told so."""
    path, names = tmp_path / "journal.db", "abcd"
    running = [python(APPEND, path, name, 50) for name in names]
    for process in running:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    lost = [process.communicate("go\n", timeout=120)[0].split()[-1] for process in starting_together(running)]
    written = SqliteJournal(path).records()
    assert [one.seq for one in written] == list(range(1, 201))
    assert {one.writer for one in written} == {f"{name}-{n}" for name in names for n in range(50)}
    assert sum(map(int, lost)) > 0, "a race in which nobody loses is no race"


def starting_together(processes: list[subprocess.Popen[str]]) -> list[subprocess.Popen[str]]:
    """Let all begin at once, before anybody waits for the first to end."""
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    return processes


@pytest.mark.process
def test_a_killed_writer_loses_nothing_that_it_was_told(tmp_path: Path) -> None:
    """After each of five SIGKILLs every acknowledged record is there, and the chain holds."""
    path, draw = tmp_path / "journal.db", random.Random(3)
    told = 0
    for life in range(5):
        process = python(APPEND, path, f"life{life}", 100_000)
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        starting_together([process])
        time.sleep(0.05 + draw.random() / 4)
        process.send_signal(signal.SIGKILL)
        answers = process.communicate(timeout=30)[0].split()
        written = SqliteJournal(path).records()
        told = int(answers[-1]) if answers else told
        assert told <= len(written) <= told + 1, "at most the record under way is there beyond the told ones"
        assert all(one == record(one.seq, one.writer) for one in written)
    assert told > 20


@pytest.mark.process
def test_a_dead_process_is_no_holder(path: Path) -> None:
    """The sign of life of a process that is gone is void on its own host, and counts on any other."""
    journal = SqliteJournal(path)
    code = """
from test_sqlite_journal import *
SqliteJournal(sys.argv[1]).renew(Holder(name="other", fence=2, until=1e12))
print("renewed", flush=True)
sys.stdin.read()
"""
    process = python(code, path)
    assert process.stdout
    assert process.stdout.readline() == "renewed\n"
    assert journal.holder() == Holder(name="other", fence=2, until=1e12)
    process.kill()
    process.communicate()
    assert journal.holder() == Holder(name="other", fence=2, until=0.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bluegreen.journal.sqlite._host", lambda: "elsewhere")
        assert journal.holder() == Holder(name="other", fence=2, until=1e12)


@pytest.mark.process
def test_a_full_disk_is_a_journal_error(path: Path) -> None:
    """A record that does not fit is a JournalError with the cause, and the log stays as it was."""
    code = """
import resource
from test_sqlite_journal import *
journal, size = SqliteJournal(sys.argv[1]), Path(sys.argv[1]).stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
try:
    journal.put(7, record(7, "x" * 20_000))
except JournalError as error:
    print(type(error).__name__, isinstance(error.__cause__, sqlite3.Error), journal.records() == SIX)
"""
    assert python(code, path).communicate(timeout=30)[0] == "JournalError True True\n"
    assert SqliteJournal(path).records() == SIX
    SqliteJournal(path).put(7, record(7))
