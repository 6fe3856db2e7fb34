"""A service's log as one writer sees it: reading, appending, holding the lease.

The log is its own arbiter. Whoever wants to deploy appends a ``lease`` record with the next fence; a
stale holder finds its next slot taken, reads, sees the higher fence and stops, whatever its clock says.
"""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Callable
from typing import Any

from ..core.errors import JournalError, LockTaken, SlotTaken
from ..ports import Holder, Journal, Record
from .records import Unwritten

Body = dict[str, Any]

LEASE_SECONDS = 60.0
ATTEMPTS = 100  # appends lost in a row to other writers before giving up; operators are few


class Log:
    """One writer's view of one service's journal.

    Args:
        journal: Where the records are.
        service: Whose log it is.
        name: Who writes, for people; the host and process by default.
        wall: Seconds since 1970; leases compare processes, so they use no simulated time.
    """

    def __init__(
        self,
        journal: Journal,
        service: str,
        *,
        name: str | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.journal = journal
        self.service = service
        self.name = name or f"{socket.gethostname()}:{os.getpid()}"
        self.fence = 0
        self.uncertain = False
        """Whether a put failed that may have been stored all the same: read the log again before going on."""
        self._writer = f"{self.name}:{secrets.token_hex(8)}"
        self._wall = wall
        self._seen = 0
        self._highest_fence = 0
        self._unread: list[Record] = []
        self._renewed = 0.0

    def catch_up(self) -> list[Record]:
        """Records that this writer has not been given yet, its own left out."""
        self._look()
        fresh, self._unread = self._unread, []
        return fresh

    def _look(self) -> None:
        for record in self.journal.records(after=self._seen):
            self._seen = record.seq
            if record.kind == "lease":
                self._highest_fence = max(self._highest_fence, record.fence)
            self._unread.append(record)

    def take(self) -> None:
        """Become the one who may deploy.

        Raises:
            LockTaken: If another holder shows signs of life.
        """
        self._look()
        holder = self.journal.holder()
        now = self._wall()
        if holder is not None and holder.until > now and holder.fence == self._highest_fence:
            left = holder.until - now
            raise LockTaken(
                f"{self.service} is being deployed by {holder.name} (fence {holder.fence}); "
                f"if that process is dead, its lock ends in {left:.0f} s"
            )
        fence = self._highest_fence + 1
        body = {"holder": self.name, "fence": fence, "until": now + LEASE_SECONDS}
        record = self._record("lease", body, "", fence)
        try:
            self.journal.put(record.seq, record)
        except SlotTaken as error:
            raise LockTaken(f"{self.service} was taken by another process at the same moment") from error
        self._seen, self._highest_fence, self.fence = record.seq, fence, fence
        self.renew()

    def renew(self) -> None:
        """A sign of life, when the last is a third of a lease old. For liveness only."""
        now = self._wall()
        if now >= self._renewed + LEASE_SECONDS / 3:
            self.journal.renew(Holder(name=self.name, fence=self.fence, until=now + LEASE_SECONDS))
            self._renewed = now

    def release(self) -> None:
        """Let the next one in at once."""
        if self.fence and self.fence == self._highest_fence:
            self.journal.renew(Holder(name=self.name, fence=self.fence, until=0.0))
            self._renewed = 0.0  # the next pass, if there is one, shows life again

    def check(self) -> None:
        """Make sure that nobody took over.

        Raises:
            LockTaken: If somebody did.
        """
        self._look()
        if self._highest_fence > self.fence:
            raise LockTaken(f"{self.service} was taken over by a holder with fence {self._highest_fence}")

    def append(self, kind: str, body: Body | Callable[[], Body], deployment_id: str) -> Record:
        """Put a record into the next free slot.

        Args:
            kind: See ``Record``.
            body: What happened; or what writes it, of values that never change.
            deployment_id: The deployment it belongs to.

        Raises:
            LockTaken: If this writer holds the lease and somebody took over.
            SlotTaken: If other writers were quicker again and again.
        """
        for _ in range(ATTEMPTS):
            if self.fence:
                self.check()
            else:
                self._look()
            record = self._record(kind, body, deployment_id, self.fence)
            try:
                self.journal.put(record.seq, record)
            except SlotTaken:
                continue
            except JournalError:
                self.uncertain = True
                raise
            self._seen = record.seq
            return record
        raise SlotTaken(
            f"the log of {self.service} is contended: {ATTEMPTS} appends in a row lost their slot"
        )

    def _record(self, kind: str, body: Body | Callable[[], Body], deployment_id: str, fence: int) -> Record:
        fields: dict[str, Any] = {
            "seq": self._seen + 1,
            "service": self.service,
            "deployment_id": deployment_id,
            "kind": kind,
            "fence": fence,
            "writer": self._writer,
        }
        return Unwritten(body, **fields) if callable(body) else Record(body=body, **fields)
