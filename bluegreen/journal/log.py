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
from contextlib import suppress
from typing import Any

from ..core.errors import JournalError, LockTaken, SlotTaken
from ..ports import Holder, Journal, Record
from .records import Unwritten

Body = dict[str, Any]

LEASE_SECONDS = 60.0
SIGN_SECONDS = LEASE_SECONDS / 3
"""How old a sign of life becomes before the holder shows life again."""

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
        self._lease: Record | None = None
        self._unread: list[Record] = []
        self._since = self._renewed = 0.0

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
                self._lease = record
            elif record.fence and record.fence == self.fence:
                self.uncertain = True  # ours, given up and arrived late: what was decided since is void
            self._unread.append(record)

    def take(self) -> None:
        """Become the one who may deploy.

        Raises:
            LockTaken: If another holder shows signs of life.
        """
        self._look()
        holder, now = self._holder(), self._wall()
        if holder is not None and holder.until > now:
            raise LockTaken(
                f"{self.service} is being deployed by {holder.name} (fence {holder.fence}); "
                f"if that process is dead, its lock ends in {holder.until - now:.0f} s",
                by=holder.name,
                fence=holder.fence,
                since=holder.since,
                until=holder.until,
            )
        try:
            self._win(now + LEASE_SECONDS)
        except SlotTaken as error:
            raise LockTaken(f"{self.service} was taken by another process at the same moment") from error
        self.renew()

    def _holder(self) -> Holder | None:
        """Who holds the service, by the last sign of life; before there is one, by the lease itself."""
        sign, lease = self.journal.holder(), self._lease
        if lease is None or (sign is not None and sign.fence == lease.fence):
            return sign
        from .codec import read_lease

        # One of ours whose answer was lost keeps nobody out, us least of all.
        return None if lease.writer == self._writer else read_lease(lease.body)

    def _win(self, until: float) -> None:
        """Put a lease with the next fence into the next slot."""
        fence, now = self._highest_fence + 1, self._wall()
        body = {"holder": self.name, "fence": fence, "since": now, "until": until}
        record = self._record("lease", body, "", fence)
        self.journal.put(record.seq, record)
        self._seen, self._highest_fence, self.fence = record.seq, fence, fence
        self._lease, self._since = record, now

    def unlock(self, fence: int) -> None:
        """Take the lease away from whoever holds it with this fence, and let the next one in at once.

        It is a take-over: the one that held it loses its next append, should it still be alive.

        Raises:
            LockTaken: If the lease is not, or no longer, held with that fence.
            SlotTaken: If other writers were quicker again and again.
        """
        for _ in range(ATTEMPTS):
            self._look()
            if fence != self._highest_fence:
                raise LockTaken(
                    f"the lock of {self.service} has fence {self._highest_fence}, not {fence}: look again",
                    fence=self._highest_fence,
                )
            with suppress(SlotTaken):
                self._win(0.0)
                self.release()
                return
        raise self._contended()

    def renew(self) -> None:
        """A sign of life, when the last is old enough. For liveness only."""
        now = self._wall()
        if now >= self._renewed + SIGN_SECONDS:
            self._sign(now + LEASE_SECONDS)
            self._renewed = now

    def release(self) -> None:
        """Let the next one in at once."""
        if self.fence and self.fence == self._highest_fence:
            self._sign(0.0)
            self._renewed = 0.0  # the next pass, if there is one, shows life again

    def _sign(self, until: float) -> None:
        # Who cannot show life loses the lease to the next one, and learns it from its next append.
        with suppress(JournalError):
            self.journal.renew(Holder(name=self.name, fence=self.fence, since=self._since, until=until))

    def settle(self) -> None:
        """Note that the whole log is read again now, whatever became of a put that failed."""
        self._look()
        self.uncertain = False

    def check(self) -> None:
        """Show life, and make sure that nobody took over.

        Raises:
            LockTaken: If somebody did.
        """
        self.renew()  # before the look, which is to be the last thing before a command is sent
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
            JournalError: If a record of ours that was given up has arrived late.
            SlotTaken: If other writers were quicker again and again.
        """
        for _ in range(ATTEMPTS):
            if self.fence:
                self.check()
            else:
                self._look()
            if self.uncertain:
                raise JournalError(
                    f"the log of {self.service} holds a record that was given up: read it again"
                )
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
        raise self._contended()

    def _contended(self) -> SlotTaken:
        return SlotTaken(
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
