"""Moments on the wire: whole seconds since 1970, UTC, inside; whatever the protocol wants, outside."""

from __future__ import annotations

import datetime as dt
from email.utils import format_datetime, parsedate_to_datetime

EPOCH = 1_735_689_600
"""World time 0, 2025-01-01T00:00:00Z, so that the same world gives the same bytes in every year."""


def moment(milliseconds: int) -> int:
    """World time as seconds since 1970; a part of a second is cut."""
    return EPOCH + milliseconds // 1000


def iso(seconds: float) -> str:
    """``2025-01-01T00:00:00Z``, with a fraction only where there is one."""
    return _utc(seconds).isoformat().replace("+00:00", "Z")


def rfc822(seconds: float) -> str:
    """``Wed, 01 Jan 2025 00:00:00 GMT``."""
    return format_datetime(_utc(seconds).replace(microsecond=0), usegmt=True)


def from_text(text: str) -> float:
    """Seconds of any of the forms that clients send."""
    try:
        return plain(float(text))
    except ValueError:
        if text[:1].isalpha():
            return plain(parsedate_to_datetime(text).timestamp())
        at = dt.datetime.fromisoformat(text)
        return plain(at.replace(tzinfo=at.tzinfo or dt.UTC).timestamp())


def plain(seconds: float) -> float:
    """The same number, an int when it is whole."""
    return int(seconds) if seconds == int(seconds) else seconds


def _utc(seconds: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)
