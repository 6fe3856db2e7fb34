"""How a record is sealed, chained and put into a slot: the rules that every journal shares.

A sealed record is one text, the canonical JSON of the schema, all fields of the record and the checksum
of the record before it, and the checksum of that text (BLAKE2b, 128 bits). So a changed bit, a swapped,
missing or foreign record breaks the chain. A chain without a key detects accidents, not attackers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cached_property
from hashlib import blake2b
from typing import Any

import attrs
from attrs import field, frozen

from bluegreen.core.errors import JournalDamaged, JournalError, JournalTooNew, SlotTaken
from bluegreen.ports import Record

from .codec import canonical

SCHEMA = 1
"""Version of the form in which records are stored; rises when an older bluegreen could misread them."""

GENESIS = "0" * 32
"""Stands before the first record, where later ones have the checksum of the one before."""

_KEYS = {"previous", *(field.name for field in attrs.fields(Record))}


@frozen
class Sealed:
    """A record as it is stored.

    Args:
        seq: Its slot.
        text: Canonical JSON, ASCII.
        checksum: Of the text, hexadecimal ASCII.
        service: Whose log it is in, where that is known without reading the text.
    """

    seq: int
    text: bytes
    checksum: bytes
    service: str | None = field(default=None, eq=False)

    @property
    def intact(self) -> bool:
        """Whether the text is the one that the checksum was taken of."""
        return checksum(self.text).encode() == self.checksum


class Unwritten(Record):
    """A record whose body is not written before somebody reads it.

    Args:
        write: Writes it, of values that never change: so it says the same whenever it is written.
        fields: All other fields of the record.
    """

    def __init__(self, write: Callable[[], dict[str, Any]], **fields: Any) -> None:
        self.__dict__.update(fields, _write=write)

    @cached_property
    def body(self) -> dict[str, Any]:
        """What happened."""
        found: dict[str, Any] = self.__dict__["_write"]()
        return found


def checksum(text: bytes) -> str:
    """128 bits of BLAKE2b, hexadecimal."""
    return blake2b(text, digest_size=16).hexdigest()


def admit(seq: int, record: Record, last: Sealed | None, where: str) -> Sealed:
    """The sealed record for slot ``seq``, if it may follow ``last``, the last of the log.

    Raises:
        SlotTaken: If the slot holds a record already.
        JournalError: If the record would leave a gap, belongs to another service's log or slot, or
            cannot be written.
        JournalDamaged: If ``last`` is not what was written.
    """
    owner = (last.service or unseal(last, where)[0].service) if last else None
    place(seq, record, last.seq if last else 0, owner, where)
    return seal(record, last)


def place(seq: int, record: Record, held: int, owner: str | None, where: str) -> None:
    """Make sure that a record may be put into slot ``seq``.

    Args:
        seq: The slot.
        record: What shall stand there.
        held: The last slot that holds a record; 0 for none.
        owner: Whose log it is; None for an empty one.
        where: Names the journal in errors.

    Raises:
        SlotTaken: If the slot holds a record already.
        JournalError: If the record would leave a gap, or belongs to another service's log or slot.
    """
    if seq != record.seq or seq < 1:
        raise JournalError(f"{where}: record {record.seq} cannot be put into slot {seq}")
    if seq <= held:
        raise SlotTaken(f"{where}: slot {seq} is taken; the log ends at {held}")
    if seq > held + 1:
        raise JournalError(f"{where}: slot {seq} would leave a gap: the log ends at {held}")
    if owner is not None and record.service != owner:
        raise JournalError(
            f"{where} is the log of service {owner!r}, not of {record.service!r}: one journal per service"
        )


def seal(record: Record, last: Sealed | None) -> Sealed:
    """The record as it is stored after ``last``.

    Raises:
        JournalError: If it cannot be written.
    """
    previous = checksum(last.text) if last else GENESIS
    text = canonical({"schema": SCHEMA, "previous": previous, **attrs.asdict(record, recurse=False)})
    return Sealed(record.seq, text, checksum(text).encode(), record.service)


def unseal(sealed: Sealed, where: str) -> tuple[Record, str]:
    """The record, and the checksum that it names for the one before it.

    Raises:
        JournalDamaged: If the record is not what was written.
        JournalTooNew: If it was written in a schema that this bluegreen does not know.
    """
    slot = f"{where}: slot {sealed.seq}"
    if not sealed.intact:
        raise JournalDamaged(f"{slot}: the record does not match its checksum")
    data = json.loads(sealed.text)
    check_schema(data.pop("schema", 0), slot)
    if data.keys() != _KEYS or data["seq"] != sealed.seq:
        raise JournalDamaged(f"{slot}: holds something else than record {sealed.seq}")
    previous = data.pop("previous")
    return Record(**data), previous


def check_schema(schema: int, where: str) -> None:
    """Refuse what this version of bluegreen does not know.

    Raises:
        JournalTooNew: If the schema is newer.
        JournalDamaged: If it is one that never was.
    """
    if schema > SCHEMA:
        raise JournalTooNew(
            f"{where}: written in schema {schema}; this bluegreen knows them up to {SCHEMA}: use a newer one"
        )
    if schema != SCHEMA:
        raise JournalDamaged(f"{where}: says schema {schema}, which never was")


def verify(stored: Sequence[Sealed], after: int, where: str) -> list[Record]:
    """The records after slot ``after``, all of them checked, with the chain that links them.

    Args:
        stored: What the log holds from slot ``after`` on, that slot included, in order.
        after: 0 for the whole log.
        where: Names the journal in errors.

    Raises:
        JournalDamaged: If a record is not what was written, or one is missing; of slot ``after`` too.
        JournalTooNew: If one was written in a newer schema.
    """
    if after and not stored:
        raise JournalDamaged(f"{where}: slot {after} is missing: the log is shorter than it was")
    records = []
    chain = GENESIS
    for slot, sealed in enumerate(stored, start=max(after, 1)):
        if sealed.seq != slot:
            raise JournalDamaged(f"{where}: slot {slot} is missing")
        if slot > after:
            record, previous = unseal(sealed, where)
            if previous != chain:
                raise JournalDamaged(f"{where}: slot {slot} does not follow the record before it")
            records.append(record)
        elif not sealed.intact:  # known to the reader; only what follows it is read
            raise JournalDamaged(f"{where}: slot {slot}: the record does not match its checksum")
        chain = checksum(sealed.text)
    return records
