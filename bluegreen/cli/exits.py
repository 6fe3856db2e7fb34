"""Exit codes: what each means, and which one a phase or an error gets."""

from __future__ import annotations

from enum import IntEnum

from bluegreen.core.errors import (
    BlueGreenError,
    JournalDamaged,
    JournalError,
    JournalTooNew,
    LockTaken,
    MissingExtra,
    NothingToLoad,
    NothingToUndo,
    PlanError,
    Unfinished,
)
from bluegreen.core.state import Phase


class Exit(IntEnum):
    """What the process says when it ends. Usage is 64, not click's 2: a typo must not look like an answer."""

    DONE = 0
    ERROR = 1
    ROLLED_BACK = 3
    IN_PROGRESS = 4
    REFUSED = 5
    LOCKED = 6
    HALTED = 7
    USAGE = 64
    INTERRUPTED = 130
    TERMINATED = 143

    @property
    def meaning(self) -> str:
        """In words, for ``--help``."""
        return _MEANINGS[self]


_MEANINGS = {
    Exit.DONE: "done; of a deployment: promoted",
    Exit.ERROR: "error",
    Exit.ROLLED_BACK: "rolled back",
    Exit.IN_PROGRESS: "still in progress: awaits an approval, or is paused",
    Exit.REFUSED: "refused or unsafe: nothing was changed",
    Exit.LOCKED: "somebody else is deploying the service",
    Exit.HALTED: "halted: a person must decide",
    Exit.USAGE: "wrong usage, or a fault in the plan file",
    Exit.INTERRUPTED: "interrupted (Ctrl-C)",
    Exit.TERMINATED: "terminated (SIGTERM); the same command goes on",
}

OF_A_DEPLOYMENT = (
    Exit.ROLLED_BACK,
    Exit.IN_PROGRESS,
    Exit.REFUSED,
    Exit.LOCKED,
    Exit.HALTED,
    Exit.TERMINATED,
)
"""What carrying a deployment out can end with, besides what every command can."""

_ENDS = {
    Phase.PROMOTED: Exit.DONE,
    Phase.ROLLED_BACK: Exit.ROLLED_BACK,
    Phase.REFUSED: Exit.REFUSED,
    Phase.HALTED: Exit.HALTED,
}

# The first row that fits: an error's own row stands above that of its parent.
_ERRORS: tuple[tuple[type[BlueGreenError], Exit, str], ...] = (
    (PlanError, Exit.USAGE, "plan"),
    (LockTaken, Exit.LOCKED, "lock"),
    (Unfinished, Exit.ERROR, "unfinished"),
    (NothingToLoad, Exit.ERROR, "nothing"),
    (NothingToUndo, Exit.ERROR, "nothing"),
    (JournalTooNew, Exit.ERROR, "journal-too-new"),
    (JournalDamaged, Exit.ERROR, "journal-damaged"),
    (JournalError, Exit.ERROR, "journal"),
    (MissingExtra, Exit.ERROR, "extra"),
    (BlueGreenError, Exit.ERROR, "error"),
)


def of_phase(phase: Phase) -> Exit:
    """The code of a deployment that was left in this phase."""
    return _ENDS.get(phase, Exit.IN_PROGRESS)


def of_error(error: Exception) -> tuple[Exit, str]:
    """The code of an error, and the word for it in JSON."""
    return next(
        ((code, word) for cls, code, word in _ERRORS if isinstance(error, cls)), (Exit.ERROR, "error")
    )
