"""Where deployments are written down: one append-only log for each service."""

from .memory import MemoryJournal
from .sqlite import SqliteJournal

__all__ = ["MemoryJournal", "SqliteJournal"]
