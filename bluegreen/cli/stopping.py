"""SIGTERM and Ctrl-C: the pass in hand is finished first, a wait ends at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from bluegreen.clock import SystemClock

from .exits import Exit

SLICE_SECONDS = 0.2
"""How long a wait goes on after a signal, at the most."""

_CODES = {signal.SIGTERM: Exit.TERMINATED, signal.SIGINT: Exit.INTERRUPTED}


class Stopped(Exception):
    """Somebody asked to stop while nothing was to do but to wait."""


class Waking(SystemClock):
    """The system's clock; its sleep ends when somebody asks to stop.

    Args:
        stopped: What ``stopping`` gave.
    """

    def __init__(self, stopped: Callable[[], Exit | None]) -> None:
        """Keep whom to ask."""
        self._stopped = stopped

    def sleep(self, seconds: float) -> None:
        """Let ``seconds`` pass, in slices.

        Raises:
            Stopped: If somebody asked to stop.
        """
        while self._stopped() is None:
            if seconds <= 0:
                return
            super().sleep(min(seconds, SLICE_SECONDS))
            seconds -= SLICE_SECONDS
        raise Stopped


@contextmanager
def stopping() -> Iterator[Callable[[], Exit | None]]:
    """Note the first such signal instead of obeying it; the second one acts as it always did.

    Yields:
        Tells with which code to leave; None as long as nobody asked.
    """
    asked: list[Exit] = []
    if threading.current_thread() is not threading.main_thread():  # only that one may set handlers
        yield lambda: None
        return
    # A handler that was not set from Python is None, and cannot be set again.
    before = {number: signal.getsignal(number) or signal.SIG_DFL for number in _CODES}

    def note(number: int, _frame: FrameType | None) -> None:
        asked.append(_CODES[signal.Signals(number)])
        signal.signal(number, before[signal.Signals(number)])

    for number in _CODES:
        signal.signal(number, note)
    try:
        yield lambda: asked[0] if asked else None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
