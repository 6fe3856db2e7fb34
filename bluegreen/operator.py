"""Acting on a deployment from outside: approve, pause, resume, abort, unlock."""

from __future__ import annotations

from .core.errors import NothingToLoad
from .core.observation import RequestKind
from .ports import Journal


class Operator:
    """Acts on a running deployment from outside, from any process, by a record in its journal.

    Args:
        journal: The deployment's journal.
        service: The service's name.
        by: Who acts, for the record.
    """

    def __init__(self, journal: Journal, service: str, *, by: str = "") -> None:
        from .journal.log import Log

        self._journal = journal
        self._log = Log(journal, service, name=by or None)
        self._by = by

    def approve(self, reason: str = "") -> None:
        """Let the rung that is baking now be left. Names the rung: said twice, it approves nothing more.

        Raises:
            NothingToLoad: If the service has no deployment.
        """
        self._request("approve", reason)

    def pause(self, reason: str = "") -> None:
        """Hold forward transitions; alarms and aborts still act. Changes nothing after the commit."""
        self._request("pause", reason)

    def resume(self, reason: str = "") -> None:
        """End a pause, or send a halted deployment back to where it came from."""
        self._request("resume", reason)

    def abort(self, reason: str = "") -> None:
        """Call it off: back to blue, before the commit only, and only if blue can carry the users."""
        self._request("abort", reason)

    def unlock(self, fence: int) -> None:
        """Take the service away from whoever holds it with ``fence``; the next one may begin at once.

        Should that process still live, it loses its next append to the journal and stops. What it began is
        not called off: go on with it by ``Deployment.load``.

        Raises:
            LockTaken: If the fence is another one by now: somebody took over, so look again.
        """
        from .journal.log import Log

        Log(self._journal, self._log.service, name=self._by or None).unlock(fence)

    def _request(self, kind: RequestKind, reason: str) -> None:
        from .journal import codec
        from .journal.history import last

        story = last(self._journal, self._log.service)
        if story is None or story.state.phase.ended:
            raise NothingToLoad(f"no deployment of {self._log.service} is under way")
        body = codec.request(kind=kind, by=self._by, reason=reason, rung=story.state.rung)
        self._log.append("request", body, story.state.ledger.deployment_id)
