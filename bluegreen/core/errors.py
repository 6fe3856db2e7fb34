"""The errors of bluegreen.

BlueGreenError
├── PlanError            a plan, its file, or the checks given for it are wrong; every fault at once
├── JournalError
│   ├── SlotTaken        another writer put a record there first
│   ├── JournalDamaged   a record does not match its checksum, or one is missing
│   └── JournalTooNew    written by a newer version of bluegreen
├── LockTaken            somebody else is deploying this service now
├── NothingToLoad        the journal holds no deployment of this service
├── NothingToUndo        the journal tells of nothing else that was live
├── Unfinished           the service has a deployment that has not ended; load it
├── NotPromoted          Result.raise_unless_promoted() of a deployment that ended otherwise
├── BuildFailed          an image build ended without an image
└── MissingExtra         an optional dependency is not installed
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen


class BlueGreenError(Exception):
    """Root of every error that bluegreen raises on purpose."""


@frozen
class Fault:
    """One thing that is wrong with the input.

    Args:
        path: Where, as dotted names: ``strategy.rungs[1].percent``; empty for the whole.
        value: What was given.
        remedy: One sentence: what is wrong and what would be right.
    """

    path: str
    value: object
    remedy: str

    def __str__(self) -> str:
        """One line: path, value, remedy."""
        try:
            shown = repr(self.value)
        except Exception:  # noqa: BLE001  (a number of 5,000 digits has no repr; a fault must still be shown)
            shown = f"a {type(self.value).__name__}"
        shown = shown if len(shown) <= 80 else shown[:77] + "..."
        return f"{self.path}: {shown}: {self.remedy}" if self.path else self.remedy

    def under(self, parent: str) -> Fault:
        """The same fault seen from the object that holds this one as ``parent``."""
        joint = "" if not self.path or self.path.startswith("[") else "."
        return Fault(f"{parent}{joint}{self.path}", self.value, self.remedy)


class PlanError(BlueGreenError, ValueError):
    """A plan cannot be built, or not deployed with these checks. ``faults`` lists all that is wrong."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        """Keep the faults; the message is a line for each."""
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))

    def __reduce__(self) -> tuple[type[PlanError], tuple[object, ...]]:
        """What pickle needs, so that it comes home from another process."""
        return type(self), (self.faults,)


class JournalError(BlueGreenError):
    """A journal cannot be read or written as asked."""


class SlotTaken(JournalError):
    """``Journal.put`` found a record in the slot: somebody else wrote first."""


class JournalDamaged(JournalError):
    """A journal does not hold what was written into it. Nothing is repaired or overwritten."""


class JournalTooNew(JournalError):
    """A journal was written in a schema that this version of bluegreen does not know."""


class LockTaken(BlueGreenError):
    """Another holder is deploying the service, or took over from this one.

    Args:
        message: For people.
        by: Who holds it, where that is known.
        fence: With which fence.
        since: When it took over, in seconds since 1970.
        until: When it is presumed dead unless it shows life again, likewise.
    """

    def __init__(
        self,
        message: str,
        *,
        by: str | None = None,
        fence: int | None = None,
        since: float | None = None,
        until: float | None = None,
    ) -> None:
        """Keep who it is, for those that wait or unlock."""
        super().__init__(message)
        self.by, self.fence, self.since, self.until = by, fence, since, until


class NothingToLoad(BlueGreenError):
    """The journal has no deployment of the service."""


class NothingToUndo(BlueGreenError):
    """The journal tells of no other version that was live, or not of the one that was named."""


class Unfinished(BlueGreenError):
    """The service's last deployment has not ended; ``Deployment.load`` continues it."""


class NotPromoted(BlueGreenError):
    """A deployment ended other than promoted."""


class BuildFailed(BlueGreenError):
    """An image build ended without an image."""


class MissingExtra(BlueGreenError, ImportError):
    """An optional dependency is missing.

    Args:
        purpose: What it is needed for: ``"the HTML report"``.
        extra: The extra that brings it.
    """

    def __init__(self, purpose: str, extra: str) -> None:
        """Say which extra to install."""
        super().__init__(f"{purpose} needs the extra {extra!r}: pip install 'bluegreen[{extra}]'")
        self.purpose, self.extra = purpose, extra

    def __reduce__(self) -> tuple[type[MissingExtra], tuple[str, str]]:
        """What pickle needs, so that it comes home from another process."""
        return type(self), (self.purpose, self.extra)
