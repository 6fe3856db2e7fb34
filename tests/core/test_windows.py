"""When windows are open: days, hours, zones, freezes, and when they open next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluegreen.core.errors import PlanError
from bluegreen.core.gates import DAYS, Window
from bluegreen.core.observation import Reading
from bluegreen.windows import read

OFFICE = Window(
    name="office",
    days=("mon", "tue", "wed", "thu"),
    opens="09:00",
    closes="16:30",
    time_zone="Europe/Berlin",
    freezes=("2026-12-24/2027-01-03", "2026-07-14"),
)
NIGHT = Window(name="night", days=("fri",), opens="22:00", closes="04:00")


def at(text: str) -> float:
    """Unix seconds of a moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("window", "moment", "words"),
    [
        (OFFICE, "2026-07-13T06:59", "it is mon 2026-07-13 08:59 Europe/Berlin, opens mon 2026-07-13 09:00"),
        (OFFICE, "2026-07-13T07:00", None),
        (OFFICE, "2026-07-13T14:29", None),
        (OFFICE, "2026-07-13T14:30", "opens wed 2026-07-15 09:00"),  # a freeze lies between
        (OFFICE, "2026-07-16T15:00", "opens mon 2026-07-20 09:00"),
        (OFFICE, "2026-01-12T07:59", "it is mon 2026-01-12 08:59"),  # winter time
        (OFFICE, "2026-01-12T08:00", None),
        (OFFICE, "2026-12-24T10:00", "opens mon 2027-01-04 09:00"),
        (NIGHT, "2026-07-17T21:59", "opens fri 2026-07-17 22:00"),
        (NIGHT, "2026-07-17T22:00", None),
        (NIGHT, "2026-07-18T03:59", None),
        (NIGHT, "2026-07-18T04:00", "opens fri 2026-07-24 22:00"),
        (Window(name="always"), "2026-07-18T04:00", None),
        (Window(name="frozen", freezes=("2026-07-18",)), "2026-07-18T23:59", "opens sun 2026-07-19 00:00"),
        (Window(name="frozen", freezes=("2026-07-18/2028-07-18",)), "2026-07-18T01:00", "does not open"),
    ],
)
def test_a_window_is_open_on_its_days_and_hours(window: Window, moment: str, words: str | None) -> None:
    """Inside it passes; outside it is pending, and says when it opens next, in its own zone."""
    reading = read(window, at(moment))
    assert reading.name == window.name
    if words is None:
        assert reading.reading is Reading.PASS
    else:
        assert reading.reading is Reading.PENDING
        assert words in reading.detail


def test_a_zone_that_nobody_knows_is_red() -> None:
    """Nothing may begin by a clock that was not meant."""
    reading = read(Window(name="w", time_zone="Europe/Atlantis"), 0)
    assert reading.reading is Reading.FAIL
    assert "correct time_zone" in reading.detail


MINUTES = st.integers(0, 7 * 24 * 60 - 1)


@given(
    days=st.sets(st.sampled_from(DAYS), min_size=1),
    opens=st.integers(0, 23),
    hours=st.integers(1, 23),
    minute=MINUTES,
)
def test_a_window_is_open_as_long_as_it_says(days: set[str], opens: int, hours: int, minute: int) -> None:
    """In a week it is open for so many hours on so many days, wherever the week begins."""
    closes = f"{(opens + hours) % 24:02}:00"
    window = Window(name="w", days=tuple(days), opens=f"{opens:02}:00", closes=closes)
    start = datetime(2026, 3, 2, tzinfo=UTC) + timedelta(minutes=minute)
    moments = [start + timedelta(hours=hour) for hour in range(7 * 24)]
    passed = sum(read(window, moment.timestamp()).reading is Reading.PASS for moment in moments)
    assert passed == hours * len(days)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"days": ()}, "days"),
        ({"days": ("mon", "mon")}, "days"),
        ({"days": ("monday",)}, "days"),
        ({"opens": "9:00"}, "opens"),
        ({"closes": "24:01"}, "closes"),
        ({"opens": "09:00", "closes": "09:00"}, "closes"),
        ({"opens": "24:00"}, "closes"),
        ({"time_zone": "../etc"}, "time_zone"),
        ({"freezes": ("24.12.2026",)}, "freezes"),
        ({"freezes": ("2026-12-24/2026-12-23",)}, "freezes"),
    ],
)
def test_a_window_that_makes_no_sense_is_a_fault(changes: dict[str, Any], field: str) -> None:
    """Each fault names its field."""
    with pytest.raises(PlanError) as caught:
        Window(name="w", **changes)
    assert caught.value.faults[0].path.startswith(field)
