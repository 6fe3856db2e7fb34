"""When a ``Window`` of a plan is open: the only place that knows calendars."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from .core.gates import DAYS, Window
from .core.observation import GateReading, Reading

AHEAD_DAYS = 400
"""How far ahead the next opening is looked for."""


def read(window: Window, unix_seconds: float) -> GateReading:
    """Whether the window is open: ``PASS``, or ``PENDING`` and when it opens next.

    A time zone that this machine does not know fails: nothing may begin by a clock that is not meant.

    Args:
        window: The plan's.
        unix_seconds: The moment, in seconds since 1970-01-01 UTC.
    """
    try:
        zone = _zone(window.time_zone)
    except (KeyError, ValueError, OSError):
        remedy = f"no time zone {window.time_zone!r} is known here: correct time_zone, or install tzdata"
        return GateReading(name=window.name, reading=Reading.FAIL, detail=remedy)
    now = datetime.fromtimestamp(unix_seconds, UTC).astimezone(zone)
    if _open(window, now, zone):
        return GateReading(name=window.name, reading=Reading.PASS, detail=f"it is {_told(now)}")
    opening = _next(window, now, zone)
    when = f"opens {_told(opening)}" if opening else f"does not open within {AHEAD_DAYS} days"
    return GateReading(
        name=window.name, reading=Reading.PENDING, detail=f"it is {_told(now)} {window.time_zone}, {when}"
    )


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _told(moment: datetime) -> str:
    return f"{DAYS[moment.weekday()]} {moment:%Y-%m-%d %H:%M}"


def _hours(window: Window, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """From when to when the window that opens on a day is open, freezes aside."""
    closes_next_day = window.closes <= window.opens
    last = day + timedelta(days=1) if closes_next_day or window.closes == "24:00" else day
    closes = "00:00" if window.closes == "24:00" else window.closes
    return _at(day, window.opens, zone), _at(last, closes, zone)


def _at(day: date, clock: str, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), zone)


def _frozen(window: Window, day: date) -> bool:
    spans = (freeze.partition("/") for freeze in window.freezes)
    return any(first <= day.isoformat() <= (last or first) for first, _, last in spans)


def _open(window: Window, now: datetime, zone: ZoneInfo) -> bool:
    if _frozen(window, now.date()):
        return False
    return any(
        DAYS[day.weekday()] in window.days and opens <= now < closes
        for day in (now.date() - timedelta(days=1), now.date())
        for opens, closes in [_hours(window, day, zone)]
    )


def _next(window: Window, now: datetime, zone: ZoneInfo) -> datetime | None:
    """The next moment at which it is open: an opening, or the end of a freeze."""
    for ahead in range(AHEAD_DAYS):
        day = now.date() + timedelta(days=ahead)
        for moment in (_at(day, "00:00", zone), _at(day, window.opens, zone)):
            if moment > now and _open(window, moment, zone):
                return moment
    return None
