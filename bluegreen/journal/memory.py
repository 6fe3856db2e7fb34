"""A journal that lives as long as its process: for simulations and tests."""

from __future__ import annotations

from collections import deque
from threading import Lock

from bluegreen.core.errors import JournalError
from bluegreen.ports import Holder, Record

from .records import Sealed, Unwritten, place, seal, unseal, verify

_WHERE = "memory journal"


class MemoryJournal:
    """One service's log in memory, sealed and verified like any other; safe to share between threads.

    What the loop records is kept as the values that it is made of, and written when somebody reads.
    """

    def __init__(self) -> None:
        """An empty log."""
        self._log: list[Sealed] = []
        self._unsealed: deque[Record] = deque()  # what follows
        self._held = 0  # records in both
        self._service: str | None = None
        self._holder: Holder | None = None
        self._lock = Lock()

    def put(self, seq: int, record: Record) -> None:
        """Put a record into an empty slot; see ``Journal.put``.

        Raises:
            SlotTaken: If the slot holds a record already.
            JournalError: If the record would leave a gap, is of another service, or cannot be written.
        """
        with self._lock:
            place(seq, record, self._held, self._service, _WHERE)
            self._unsealed.append(record)
            if not isinstance(record, Unwritten):  # it may be changed once it is put, and may be no JSON
                try:
                    self._seal()
                except JournalError:
                    self._unsealed.pop()
                    raise
            self._held, self._service = seq, record.service

    def records(self, after: int = 0) -> list[Record]:
        """All records with ``seq > after``, in order.

        Raises:
            JournalDamaged: If slot ``after`` holds no record.
        """
        with self._lock:
            if after and after == self._held:
                return []
            self._seal()
            stored = self._log[max(after - 1, 0) :]
        return verify(stored, after, _WHERE)

    def tail(self) -> Record | None:
        """The last record; None when there is none."""
        with self._lock:
            self._seal()
            last = self._log[-1] if self._log else None
        return unseal(last, _WHERE)[0] if last else None

    def _seal(self) -> None:
        while self._unsealed:
            self._log.append(seal(self._unsealed[0], self._log[-1] if self._log else None))
            self._unsealed.popleft()

    def renew(self, holder: Holder) -> None:
        """Note a sign of life. One with a lower fence than the last is a stale holder's, and is ignored."""
        with self._lock:
            if not self._holder or holder.fence >= self._holder.fence:
                self._holder = holder

    def holder(self) -> Holder | None:
        """The last sign of life; None when there was none."""
        with self._lock:
            return self._holder
