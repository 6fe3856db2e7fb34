"""The system's clock."""

from __future__ import annotations

import time


class SystemClock:
    """Wall time, so that journals of different processes can be compared."""

    virtual = False

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Let ``seconds`` pass; zero or less returns at once."""
        if seconds > 0:
            time.sleep(seconds)
