"""A journal in an S3 bucket, shared by all machines of a team.

Each record is an object of its own, put into its slot by one conditional write (``If-None-Match: *``; Amazon
S3 user guide, "Add preconditions to S3 operations with conditional requests"). Of all who want a slot one
gets it, whatever their clocks say. The sign of life is a second object, and nothing but liveness depends on
it: it is replaced only as it was read (``If-Match``).

An object is two lines: the sealed record, or the sign, as JSON, and its checksum. Nothing is ever replaced
or deleted but the sign. S3 reads what was written before ("strong read-after-write consistency").
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self, TypeVar

import attrs
from attrs import frozen

from ..clock import SystemClock
from ..core.errors import JournalDamaged, JournalError, SlotTaken
from ..core.observation import ErrorClass, Result
from ..journal.codec import canonical, from_json
from ..journal.records import Sealed, admit, checksum, unseal, verify
from ..ports import Holder, Record
from .clients import Clients
from .errors import AwsError, classify, code_of, words

if TYPE_CHECKING:
    import boto3

T = TypeVar("T")

ATTEMPTS = 5
"""How often one write is sent until it is known what became of it."""

READERS = 8
"""How many records are read at a time; botocore keeps ten connections."""

_LOST_RACES = {"ConditionalRequestConflict", "NoSuchKey", "PreconditionFailed"}
"""How S3 says that the object is no longer, or not yet, what the condition names."""

_ABSENT: Any = {"IfNoneMatch": "*"}
_NONCE = "nonce"
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX = re.compile(r"[\w.@=+-]+(/[\w.@=+-]+)*", re.ASCII)


def place(url: str) -> tuple[str, str]:
    """The bucket and the prefix of ``s3://bucket/prefix``.

    Raises:
        JournalError: If it is no such URL.
    """
    scheme, _, rest = url.partition("://")
    bucket, _, prefix = rest.rstrip("/").partition("/")
    if scheme != "s3":
        raise JournalError(f"{url!r} is no journal's URL: say s3://bucket/prefix")
    _check(bucket, prefix)
    return bucket, prefix


def _check(bucket: str, prefix: str) -> None:
    faults = []
    if not _BUCKET.fullmatch(bucket):
        faults.append(f"bucket: {bucket!r}: must be a bucket's name: 3 to 63 of a-z, 0-9, '.' and '-'")
    if len(prefix) > 900 or not _PREFIX.fullmatch(prefix):
        faults.append(f"prefix: {prefix!r}: must be names divided by '/', such as 'releases/shop'")
    if faults:
        raise JournalError("\n".join(faults))


@frozen
class _Object:
    """An object as it was read: its bytes, S3's tag for them, and the nonce of the put that made it."""

    body: bytes
    tag: str
    nonce: str | None


class S3Journal:
    """One service's log in a bucket; safe to share between threads, processes and machines.

    Args:
        bucket: The bucket's name. It must be there.
        prefix: Where in it, without a slash at its ends; of this service, account and Region alone.
        session: A boto3 session; None makes one from the environment.
        endpoint_url: Where S3 is, for tests and private clouds; None is AWS.
        owner: The account that the bucket must belong to; None does not ask.
        call_seconds: How long one answer may take.

    Raises:
        JournalError: If bucket or prefix can be none.
    """

    def __init__(
        self,
        bucket: str,
        prefix: str,
        *,
        session: boto3.Session | None = None,
        endpoint_url: str | None = None,
        owner: str | None = None,
        call_seconds: float = 20,
    ) -> None:
        """Make no call yet."""
        self._where = f"s3://{bucket}/{prefix}"
        _check(bucket, prefix)
        self._prefix = prefix
        self._place: dict[str, Any] = {"Bucket": bucket}
        if owner is not None:
            self._place["ExpectedBucketOwner"] = owner
        self._clients = Clients(session, endpoint_url=endpoint_url, call_seconds=call_seconds)
        self._last: Sealed | None = None

    @classmethod
    def at(cls, url: str, **options: Any) -> Self:
        """The journal at ``s3://bucket/prefix``.

        Args:
            url: Where.
            options: As for ``S3Journal``.

        Raises:
            JournalError: If it is no such URL.
        """
        return cls(*place(url), **options)

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        self._clients.close()

    def put(self, seq: int, record: Record) -> None:
        """Put a record into an empty slot; see ``Journal.put``.

        Raises:
            SlotTaken: If the slot holds a record already.
            JournalDamaged: If the record before it is not what was written.
            JournalError: If the record would leave a gap, is of another service, or it is not known whether
                it was written; the slot tells.
        """
        with self._saying_why():
            sealed = admit(seq, record, self._before(seq), self._where)
            if not self._claim(sealed):
                raise SlotTaken(f"{self._where}: slot {seq} is taken")
        self._last = sealed

    def records(self, after: int = 0) -> list[Record]:
        """All records with ``seq > after``, in order.

        Raises:
            JournalDamaged: If any of them, or the one in slot ``after``, is not what was written, or one is
                missing.
            JournalTooNew: If one was written by a newer bluegreen.
            JournalError: If the bucket could not be read.
        """
        with self._saying_why(), ThreadPoolExecutor(READERS) as readers:
            stored = list(readers.map(self._stored, self._slots(max(after, 1))))
        return verify(stored, after, self._where)

    def tail(self) -> Record | None:
        """The last record, itself checked and nothing else; None when there is none."""
        with self._saying_why():
            last = self._ending()
        return unseal(last, self._where)[0] if last else None

    def renew(self, holder: Holder) -> None:
        """Note a sign of life. One with a lower fence than the last is a stale holder's, and is ignored.

        Raises:
            JournalDamaged: If the last sign is not what was written.
            JournalError: If it could not be written.
        """
        body = _lines(canonical(attrs.asdict(holder)))

        def write() -> bool:
            last, tag = self._sign()
            if last and holder.fence < last.fence:
                return True
            self._clients.write.s3.put_object(
                Key=self._sign_key, Body=body, **self._place, **({"IfMatch": tag} if tag else _ABSENT)
            )
            return True

        with self._saying_why():
            self._insist(write)

    def holder(self) -> Holder | None:
        """The last sign of life; None when there was none.

        Raises:
            JournalDamaged: If it is not what was written.
            JournalError: If the bucket could not be read.
        """
        with self._saying_why():
            return self._sign()[0]

    # ------------------------------------------------------------------------------------------- the slots

    def _key(self, seq: int) -> str:
        return f"{self._prefix}/records/{seq:012d}.json"  # of one width, for S3 lists names in their order

    def _slots(self, first: int) -> list[int]:
        """The numbers of the slots that hold something, from ``first`` on."""
        pages = self._clients.read.s3.get_paginator("list_objects_v2").paginate(
            Prefix=f"{self._prefix}/records/", StartAfter=self._key(first - 1), **self._place
        )
        keys = [each["Key"] for page in pages for each in page.get("Contents", ())]
        return [seq for seq in map(_number, keys) if seq >= first]

    def _stored(self, seq: int) -> Sealed:
        """What a slot holds that was listed; gone meanwhile, it is no record."""
        return self._read(seq) or Sealed(seq, b"", b"")

    def _read(self, seq: int) -> Sealed | None:
        """What a slot holds; None when it is empty."""
        found = self._get(self._key(seq))
        return Sealed(seq, *_parted(found.body)) if found else None

    def _ending(self) -> Sealed | None:
        """The last record of the log."""
        known = self._last.seq if self._last else 1
        slots = self._slots(known)
        self._last = self._stored(slots[-1]) if slots else None
        return self._last

    def _before(self, seq: int) -> Sealed | None:
        """The record that slot ``seq`` would follow; if there is none, the last of the log."""
        if seq <= 1:
            return None
        if self._last is None or self._last.seq != seq - 1:
            self._last = self._read(seq - 1) or self._ending()
        return self._last

    def _claim(self, sealed: Sealed) -> bool:
        """Put a record into its slot; whether it is there.

        After an answer that does not tell, the slot is read back: the nonce says whose record it holds. As
        long as it is empty the same is sent again; should the first one arrive after all, the condition
        keeps the second one out.
        """
        key, nonce, sent = self._key(sealed.seq), secrets.token_hex(8), 0

        def write() -> bool:
            nonlocal sent
            sent += 1
            try:
                self._clients.write.s3.put_object(
                    Key=key, Body=_lines(sealed.text), Metadata={_NONCE: nonce}, **self._place, **_ABSENT
                )
            except AwsError as error:
                if code_of(error) == "PreconditionFailed" and sent == 1:
                    return False
                found = self._get(key)
                if found is None:
                    raise
                return found.nonce == nonce
            return True

        return self._insist(write)

    # ------------------------------------------------------------------------------------------- the calls

    @property
    def _sign_key(self) -> str:
        return f"{self._prefix}/holder.json"

    def _sign(self) -> tuple[Holder | None, str | None]:
        """The last sign of life, and the tag of the object that it is in."""
        found = self._get(self._sign_key)
        if found is None:
            return None, None
        text, check = _parted(found.body)
        if checksum(text).encode() != check:
            raise JournalDamaged(f"{self._where}: the holder's sign of life is not what was written")
        return from_json(Holder, json.loads(text)), found.tag

    def _get(self, key: str) -> _Object | None:
        """An object; None when it is not there."""

        def read() -> _Object | None:
            try:
                answer = self._clients.read.s3.get_object(Key=key, **self._place)
                return _Object(answer["Body"].read(), answer["ETag"], answer["Metadata"].get(_NONCE))
            except AwsError as error:
                if code_of(error) != "NoSuchKey":
                    raise
                return None

        return self._insist(read)

    def _insist(self, call: Callable[[], T]) -> T:
        """Call again what failed, unless S3 refuses it; botocore's patience ends with the answer's head."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return call()
            except AwsError as error:
                refused = classify(error).result is Result.REFUSED and code_of(error) not in _LOST_RACES
                if refused or attempt == ATTEMPTS:
                    raise
            SystemClock().sleep(secrets.randbelow(100 * 2**attempt) / 1000)
        raise AssertionError("the last attempt returns or raises")

    @contextmanager
    def _saying_why(self) -> Iterator[None]:
        """Errors of AWS as the journal's own."""
        try:
            yield
        except AwsError as error:
            remedy = ": create the bucket first" if classify(error) is ErrorClass.ABSENT else ""
            raise JournalError(f"{self._where}: {words(error)}{remedy}") from None


def _number(key: str) -> int:
    """The slot that an object's key names; 0 for another object's."""
    found = re.search(r"/records/(\d{12})\.json\Z", key)
    return int(found[1]) if found else 0


def _lines(text: bytes) -> bytes:
    """An object's body: the text and its checksum, a line each."""
    return b"%b\n%b\n" % (text, checksum(text).encode())


def _parted(body: bytes) -> tuple[bytes, bytes]:
    """Text and checksum of a body; of anything else a text without one."""
    text, *rest = body.split(b"\n")
    return (text, rest[0]) if rest[1:] == [b""] else (body, b"")
