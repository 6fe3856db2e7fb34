"""What a metric of both colours says of green."""

from __future__ import annotations

from typing import Any

import pytest

from bluegreen.core.errors import PlanError
from bluegreen.core.gates import MetricGate
from bluegreen.core.observation import Reading
from bluegreen.metrics import judged, measured
from bluegreen.ports import Series

ERRORS = MetricGate(name="errors", metric="HTTPCode_Target_5XX_Count", threshold=5, periods=2, missing="zero")


@pytest.mark.parametrize(
    ("green", "blue", "reading", "words"),
    [
        ((5.0, 9.0), (0.0, 0.0), Reading.PASS, "of green is 5, wanted <= 5"),
        ((6.0, 5.0), (0.0, 0.0), Reading.PENDING, "1 of 2 periods"),
        ((6.0, None), None, Reading.PENDING, "1 of 2 periods"),
        ((6.0, 7.0, 0.0), (0.0, 9.0), Reading.FAIL, "of green is 6"),
        ((6.0, 7.0), None, Reading.FAIL, "of green is 6"),
        ((6.0, 7.0), (), Reading.FAIL, "of green is 6"),
        ((6.0, 7.0), (None, 8.0), Reading.FAIL, "of green is 6"),
        ((6.0, 7.0), (8.0, 0.0), Reading.NO_DATA, "blue has 8, so the new version is not the cause"),
        ((None, 9.0), (0.0, 0.0), Reading.NO_DATA, "has no value"),
        ((), (0.0, 0.0), Reading.NO_DATA, "has no value"),
        (None, None, Reading.NO_DATA, "has no value"),
    ],
)
def test_green_is_red_when_it_alone_is_beyond_the_bound(
    green: Series | None, blue: Series | None, reading: Reading, words: str
) -> None:
    """So many periods in a row are red; fewer are pending, none is no data, and so is what blue shows too."""
    found = judged(ERRORS, green, blue)
    assert (found.name, found.reading) == ("errors", reading)
    assert words in found.detail


@pytest.mark.parametrize(
    ("missing", "divided_by", "pair", "value"),
    [
        ("no-data", None, (None, None), None),
        ("zero", None, (None, None), 0.0),
        ("zero", None, (3.0, 7.0), 3.0),
        ("no-data", "RequestCount", (3.0, 6.0), 0.5),
        ("no-data", "RequestCount", (3.0, None), None),
        ("no-data", "RequestCount", (None, 6.0), None),
        ("zero", "RequestCount", (None, 6.0), 0.0),
        ("zero", "RequestCount", (None, None), None),
        ("zero", "RequestCount", (0.0, 0.0), None),
    ],
)
def test_a_quotient_needs_something_to_divide_by(
    missing: Any, divided_by: str | None, pair: tuple[float | None, float | None], value: float | None
) -> None:
    """Nothing counted may mean zero; without requests there is no share of them, whatever it may mean."""
    gate = MetricGate(name="m", metric="x", threshold=0, missing=missing, divided_by=divided_by)
    assert gate.value(*pair) == value


@pytest.mark.parametrize(
    ("comparison", "held"),
    [("<", {0}), ("<=", {0, 1}), (">", {2}), (">=", {1, 2})],
)
def test_each_comparison_holds_where_it_says(comparison: Any, held: set[int]) -> None:
    """The four comparisons differ below, at and above the threshold."""
    gate = MetricGate(name="m", metric="x", threshold=1, comparison=comparison)
    assert {value for value in range(3) if gate.holds(value)} == held


def test_what_cannot_be_measured_has_no_data() -> None:
    """No cloud that measures, one that raises, one that leaves it out: no data, never a pass."""

    def broken(*_: object) -> Any:
        raise RuntimeError("no\ncredentials")

    for measure, words in ((None, "does not measure"), (broken, r"RuntimeError: no\ncredentials")):
        reading = measured([ERRORS], "g", "b", measure)["errors"]
        assert reading.reading is Reading.NO_DATA
        assert words in reading.detail
    assert measured([ERRORS], "g", None, lambda *_: {})["errors"].reading is Reading.NO_DATA


def test_both_colours_are_measured_at_once() -> None:
    """All metrics and both groups are asked for in one go."""
    asked = []

    def measure(gates: Any, groups: Any) -> Any:
        asked.append(([gate.name for gate in gates], list(groups)))
        return {("errors", "g"): (9.0, 9.0), ("errors", "b"): (0.0, 0.0)}

    assert measured([ERRORS], "g", "b", measure)["errors"].reading is Reading.FAIL
    assert asked == [(["errors"], ["g", "b"])]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"threshold": float("nan")}, "threshold"),
        ({"threshold": True}, "threshold"),
        ({"threshold": "5"}, "threshold"),
        ({"metric": ""}, "metric"),
        ({"comparison": "=="}, "comparison"),
        ({"statistic": "Median"}, "statistic"),
        ({"statistic": "p99", "divided_by": "RequestCount"}, "statistic"),
        ({"by": "zone"}, "by"),
        ({"period_seconds": 90}, "period_seconds"),
        ({"period_seconds": 0}, "period_seconds"),
        ({"periods": 0}, "periods"),
        ({"missing": "pass"}, "missing"),
    ],
)
def test_a_metric_that_makes_no_sense_is_a_fault(changes: dict[str, Any], field: str) -> None:
    """Each fault names its field."""
    wanted: dict[str, Any] = {"name": "m", "metric": "x", "threshold": 1}
    with pytest.raises(PlanError) as caught:
        MetricGate(**(wanted | changes))
    assert [fault.path for fault in caught.value.faults] == [field]
