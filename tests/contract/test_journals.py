"""What every journal keeps, whatever it is made of: slots, order, arbitration, races."""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier
from typing import Any

import attrs
import pytest

from bluegreen.aws import S3Journal
from bluegreen.core.errors import JournalDamaged, JournalError, JournalTooNew, SlotTaken
from bluegreen.journal import MemoryJournal, SqliteJournal, records
from bluegreen.ports import Holder, Journal, Record

pytestmark = pytest.mark.contract

Made = MemoryJournal | SqliteJournal | S3Journal


def record(
    seq: int, *, fence: int = 1, writer: str = "w", service: str = "shop", kind: str = "outcomes"
) -> Record:
    """A record with something in its body that JSON must carry exactly."""
    body = {
        "text": 'é "\\ \u2028 \ud800',
        "numbers": [seq, 0.1, -(2**70), 1e300],
        "nothing": None,
        "yes": True,
    }
    return Record(
        seq=seq, service=service, deployment_id="shop-1", kind=kind, body=body, fence=fence, writer=writer
    )


def fields(whole: Record) -> dict[str, Any]:
    """All fields of a record but its body."""
    return {name: value for name, value in attrs.asdict(whole, recurse=False).items() if name != "body"}


def unwritten(whole: Record) -> records.Unwritten:
    """The record, its body still to be written."""
    return records.Unwritten(lambda: whole.body, **fields(whole))


def holder(fence: int, until: float = 60.0) -> Holder:
    """A holder of the given fence."""
    return Holder(name=f"host:{fence}", fence=fence, until=until)


@pytest.fixture(params=["memory", "sqlite", pytest.param("s3", marks=pytest.mark.slow)])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Made]:
    """An empty journal of each kind."""
    match request.param:
        case "memory":
            yield MemoryJournal()
        case "sqlite":
            yield SqliteJournal(tmp_path / "journal.db", durable=False)
        case _:
            moto = request.getfixturevalue("moto")
            moto.client("s3").create_bucket(Bucket="journals")
            at = {"session": moto.session(), "endpoint_url": moto.url}
            with closing(S3Journal("journals", "shop", **at)) as made:
                yield made


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    """Threads that give way after ten microseconds, so that a race happens also without a disk."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def fill(journal: Journal, count: int) -> list[Record]:
    """Put the first records."""
    written = [record(seq) for seq in range(1, count + 1)]
    for each in written:
        journal.put(each.seq, each)
    return written


def test_a_new_journal_is_empty(journal: Made) -> None:
    """Without a record there are no records, no last one and no holder."""
    assert list(journal.records()) == []
    assert journal.tail() is None
    assert journal.holder() is None


def test_records_come_back_in_order_and_equal(journal: Made) -> None:
    """What was put comes back equal, in the order of its slots; the tail is the last."""
    written = fill(journal, 5)
    assert list(journal.records()) == written
    assert journal.tail() == written[-1]


@pytest.mark.parametrize("after", range(6))
def test_records_after_a_slot(journal: Made, after: int) -> None:
    """``records(after)`` gives exactly the records with a greater seq."""
    written = fill(journal, 5)
    assert list(journal.records(after)) == written[after:]
    assert list(journal.records(after=after)) == written[after:]


def test_a_log_that_became_shorter_is_damaged(journal: Made) -> None:
    """Who has seen slot 6 and finds only 5 is told that records are missing."""
    fill(journal, 5)
    with pytest.raises(JournalDamaged, match="slot 6 is missing"):
        list(journal.records(6))


@pytest.mark.parametrize("seq", [1, 2, 3])
def test_a_taken_slot_stays_as_it_is(journal: Made, seq: int) -> None:
    """A put into a taken slot is SlotTaken and changes nothing, also for the very same record."""
    written = fill(journal, 3)
    for other in (record(seq, writer="other", fence=9), written[seq - 1]):
        with pytest.raises(SlotTaken, match=f"slot {seq} is taken"):
            journal.put(seq, other)
    assert list(journal.records()) == written


@pytest.mark.parametrize("seq", [5, 6, 100])
def test_a_gap_is_refused(journal: Made, seq: int) -> None:
    """A put beyond the next free slot is an error, and not SlotTaken, which would mean: try again."""
    written = fill(journal, 3)
    with pytest.raises(JournalError, match=f"slot {seq} would leave a gap: the log ends at 3") as caught:
        journal.put(seq, record(seq))
    assert not isinstance(caught.value, SlotTaken)
    assert list(journal.records()) == written


@pytest.mark.parametrize(("seq", "inside"), [(0, 0), (-1, -1), (1, 2)])
def test_a_record_goes_into_its_own_slot(journal: Made, seq: int, inside: int) -> None:
    """A slot below 1, or another one than the record names, is refused."""
    with pytest.raises(JournalError, match=f"record {inside} cannot be put into slot {seq}"):
        journal.put(seq, record(inside))
    assert list(journal.records()) == []


def test_one_journal_per_service(journal: Made) -> None:
    """A record of another service is refused by name."""
    written = fill(journal, 2)
    with pytest.raises(JournalError, match="is the log of service 'shop', not of 'bank'"):
        journal.put(3, record(3, service="bank"))
    assert list(journal.records()) == written


@pytest.mark.parametrize("body", [{"x": float("nan")}, {"x": float("inf")}, {"x": {1}}, {"x": object()}])
def test_what_is_no_json_is_refused(journal: Made, body: dict[str, object]) -> None:
    """A body without an exact JSON form is an error, and nothing is put."""
    with pytest.raises(JournalError, match="cannot be written as JSON"):
        journal.put(1, attrs.evolve(record(1), body=body))
    assert list(journal.records()) == []


def test_a_record_is_immutable_once_put(journal: Made) -> None:
    """Changing a body after it was put, or after it was read, does not reach the journal."""
    mine = record(1)
    journal.put(1, mine)
    mine.body["text"] = "changed"
    next(iter(journal.records())).body["text"] = "changed"
    assert list(journal.records()) == [record(1)]


@pytest.mark.parametrize("later", [{1}, {2, 3}, {1, 3}, {1, 2, 3}])
def test_a_body_that_is_written_later_is_the_same(journal: Made, later: set[int]) -> None:
    """Whether a body is given or still to be written, the log holds the same, beside any other record."""
    written = [record(seq) for seq in (1, 2, 3)]
    for each in written:
        journal.put(each.seq, unwritten(each) if each.seq in later else each)
    assert list(journal.records()) == written
    assert list(journal.records(2)) == written[2:]
    assert journal.tail() == written[-1]


@pytest.mark.parametrize("seq", [0, 1, 3])
def test_a_body_that_is_written_later_takes_its_slot_at_once(journal: Made, seq: int) -> None:
    """The slot is taken, and a wrong one refused, before anybody reads."""
    journal.put(1, unwritten(record(1)))
    with pytest.raises(SlotTaken if seq == 1 else JournalError):
        journal.put(seq, unwritten(record(seq)))
    with pytest.raises(JournalError, match="is the log of service 'shop', not of 'bank'"):
        journal.put(2, unwritten(record(2, service="bank")))
    assert list(journal.records()) == [record(1)]


def test_in_memory_a_body_is_written_when_it_is_read() -> None:
    """Nothing is written while nobody reads, and then once; what cannot be written is told to who reads."""
    journal, written = MemoryJournal(), []
    first = records.Unwritten(lambda: written.append(1) or {}, **fields(record(1)))
    journal.put(1, first)
    assert journal.records(1) == []
    assert written == []
    assert [each.body for each in (*journal.records(), *journal.records())] == [{}, {}]
    assert written == [1]
    journal.put(2, records.Unwritten(lambda: {"x": {1}}, **fields(record(2))))
    with pytest.raises(JournalError, match="cannot be written as JSON"):
        journal.records()
    with pytest.raises(JournalError, match="cannot be written as JSON"):
        journal.put(3, record(3))
    with pytest.raises(SlotTaken):
        journal.put(2, record(2))


def test_a_stale_holder_loses_its_next_slot(journal: Made) -> None:
    """Taking over is a record: the old holder's next put is SlotTaken, and the log tells it why."""
    fill(journal, 2)
    journal.put(3, record(3, kind="lease", fence=2, writer="new"))
    with pytest.raises(SlotTaken):
        journal.put(3, record(3, fence=1, writer="old"))
    (why,) = journal.records(2)
    assert (why.kind, why.fence, why.writer) == ("lease", 2, "new")


def test_the_last_sign_of_life_is_kept(journal: Made) -> None:
    """The holder is the one who renewed last; it can take its time back with an ``until`` of 0."""
    for sign in (holder(1), holder(1, 90.0), holder(2, 30.5), holder(2, 0.0)):
        journal.renew(sign)
        assert journal.holder() == sign
    assert list(journal.records()) == []


def test_a_stale_sign_of_life_is_ignored(journal: Made) -> None:
    """A holder with a lower fence cannot make itself look alive again."""
    journal.renew(holder(2))
    journal.renew(holder(1, 999.0))
    assert journal.holder() == holder(2)


def append(journal: Journal, writer: str, count: int, ready: Barrier) -> int:
    """Append with retry; how often the slot was lost to somebody else."""
    lost = 0
    for n in range(count):
        name, first = f"{writer}-{n}", True
        while True:
            last = journal.tail()
            seq = last.seq + 1 if last else 1
            if first:
                ready.wait(30)
                first = False
            try:
                journal.put(seq, record(seq, writer=name))
                break
            except SlotTaken:
                lost += 1
    return lost


@pytest.mark.usefixtures("hasty_threads")
def test_a_race_of_threads_loses_nothing(journal: Made) -> None:
    """Of 8 threads with many appends each, every record stands in one slot, and losers were told so."""
    threads, each = 8, 10 if isinstance(journal, S3Journal) else 50
    ready = Barrier(threads)
    with ThreadPoolExecutor(threads) as pool:
        running = [pool.submit(append, journal, f"t{n}", each, ready) for n in range(threads)]
        lost = sum(thread.result(120) for thread in running)
    written = list(journal.records())
    assert [one.seq for one in written] == list(range(1, threads * each + 1))
    assert {one.writer for one in written} == {f"t{n}-{k}" for n in range(threads) for k in range(each)}
    assert lost > 0.3 * (lost + threads * each), "a race in which nobody loses is no race"


# ------------------------------------------------------------------------------------------ sealed records


def sealed(count: int) -> list[records.Sealed]:
    """A chain as every journal stores it."""
    chain: list[records.Sealed] = []
    for seq in range(1, count + 1):
        chain.append(records.admit(seq, record(seq), chain[-1] if chain else None, "here"))
    return chain


def flips(data: bytes) -> Iterator[bytes]:
    """All that differ from ``data`` in one bit."""
    for place in range(len(data)):
        for bit in range(8):
            yield data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :]


def test_one_flipped_bit_of_a_sealed_record_is_found() -> None:
    """Whichever bit of a stored text, checksum or slot number flips: reading the log says so."""
    chain = sealed(3)
    tried = 0
    for place, stored in enumerate(chain):
        damaged = [
            *(attrs.evolve(stored, text=text) for text in flips(stored.text)),
            *(attrs.evolve(stored, checksum=check) for check in flips(stored.checksum)),
            *(attrs.evolve(stored, seq=stored.seq ^ 1 << bit) for bit in range(63)),
        ]
        for other in damaged:
            tried += 1
            with pytest.raises(JournalDamaged, match="here: slot"):
                records.verify([*chain[:place], other, *chain[place + 1 :]], 0, "here")
    assert tried > 3 * 8 * 300


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda chain: chain[1:], "slot 1 is missing"),
        (lambda chain: [*chain[:1], *chain[2:]], "slot 2 is missing"),
        (lambda chain: [chain[0], chain[2], chain[1]], "slot 2 is missing"),
        (lambda chain: [chain[0], chain[1], chain[1]], "slot 3 is missing"),
        (lambda chain: [chain[0], attrs.evolve(chain[2], seq=2), chain[2]], "slot 2: holds something else"),
    ],
)
def test_a_missing_or_moved_record_is_found(
    change: Callable[[list[records.Sealed]], list[records.Sealed]], message: str
) -> None:
    """A log with a record taken out, swapped, doubled or put elsewhere is damaged, by the slot's number."""
    with pytest.raises(JournalDamaged, match=message):
        records.verify(change(sealed(3)), 0, "here")


def test_a_foreign_record_is_found() -> None:
    """A record that is whole, but was sealed in another log, breaks the chain."""
    chain = sealed(3)
    other = records.admit(1, record(1, writer="elsewhere"), None, "there")
    foreign = records.admit(2, record(2), other, "there")
    with pytest.raises(JournalDamaged, match="slot 2 does not follow"):
        records.verify([chain[0], foreign, chain[2]], 0, "here")
    with pytest.raises(JournalDamaged, match="slot 3 does not follow"):
        records.verify([foreign, chain[2]], 2, "here")


def test_a_newer_schema_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A record of a newer schema is JournalTooNew, with both numbers."""
    with monkeypatch.context() as patch:
        patch.setattr(records, "SCHEMA", 7)
        chain = sealed(1)
    with pytest.raises(JournalTooNew, match=r"slot 1: written in schema 7; .* up to 1"):
        records.verify(chain, 0, "here")
