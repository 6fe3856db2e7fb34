"""The kinds of traffic: how many requests arrive in each second, and what is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluegreen import Deployment
from bluegreen_sim import SimCloud, Traffic, tutorial
from bluegreen_sim.users.traffic import poisson, spread

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
COUNTS = st.lists(st.integers(0, 500), max_size=6)


def minutes(*numbers: int) -> list[datetime]:
    """Moments after noon."""
    return [NOON + timedelta(minutes=number) for number in numbers]


@given(traffic=st.builds(Traffic, st.integers(0, 500), COUNTS, st.booleans()), at=st.integers(0, 15_000))
def test_what_arrived_is_the_sum_of_the_seconds(traffic: Traffic, at: int) -> None:
    """Whole seconds have their own counts, and a part of a second has an even part of its count."""
    seconds = traffic.per_seconds(at // 1000 + 1)
    assert traffic.arrived(at) == sum(seconds[:-1]) + seconds[-1] * (at % 1000) // 1000
    for second, count in enumerate(seconds):
        told = traffic.counts * (1 + traffic.repeat * 20)
        assert count == (told[second] if second < len(told) else traffic.per_second)
    assert traffic.silent == (not any(traffic.per_seconds(20)))


def test_a_day_rises_and_falls_once() -> None:
    """From the quietest moment to the peak twelve hours later and back, every day the same."""
    day = Traffic.daily(100, 1000, peak_hour=15, first_hour=9)
    counts = day.per_seconds(2 * 86_400)
    assert counts[:86_400] == counts[86_400:]
    assert (min(counts), max(counts)) == (100, 1000)
    assert (counts[6 * 3600], counts[18 * 3600]) == (1000, 100)
    assert counts[6 * 3600 : 18 * 3600] == sorted(counts[6 * 3600 : 18 * 3600], reverse=True)


def test_a_burst_is_over_after_its_time() -> None:
    """Before and after it the rate is constant."""
    burst = Traffic.burst(10, 500, at_second=2, for_seconds=3)
    assert burst.per_seconds(7) == [10, 10, 500, 500, 500, 10, 10]


def test_a_csv_file_is_read_by_its_header(tmp_path: Path) -> None:
    """The named column counts; what follows the last row is silence, or the first row again."""
    file = tmp_path / "counts.csv"
    file.write_text("second,requests,errors\n0,5,1\n1,7,0\n")
    assert Traffic.from_csv(file).per_seconds(4) == [5, 7, 0, 0]
    assert Traffic.from_csv(str(file), column="errors", repeat=True).per_seconds(4) == [1, 0, 1, 0]
    assert Traffic.from_csv(["requests", "7"], period_seconds=3).per_seconds(4) == [2, 2, 3, 0]


def test_metric_data_are_read_as_boto3_gives_them() -> None:
    """Newest first, floats, and a missing minute that had no request."""
    answer = {
        "MetricDataResults": [
            {
                "Id": "m1",
                "Label": "RequestCount",
                "Timestamps": minutes(3, 1, 0),
                "Values": [60.0, 120.0, 61.0],
                "StatusCode": "Complete",
            }
        ]
    }
    seconds = Traffic.from_cloudwatch(answer).per_seconds(241)
    assert [sum(seconds[i : i + 60]) for i in (0, 60, 120, 180, 240)] == [61, 120, 0, 60, 0]
    assert set(seconds[:60]) == {1, 2}


def test_metric_statistics_are_read_as_the_command_line_gives_them() -> None:
    """Through JSON, in any order, in their own period."""
    points = [{"Timestamp": when.isoformat(), "Sum": 600.0, "Unit": "Count"} for when in minutes(5, 0)]
    answer = json.loads(json.dumps({"Label": "RequestCount", "Datapoints": points}))
    traffic = Traffic.from_cloudwatch(answer, period_seconds=300, repeat=True)
    assert traffic.per_seconds(601) == [2] * 601


def test_no_value_at_all_is_silence() -> None:
    """CloudWatch reports nothing where nothing happened."""
    assert Traffic.from_cloudwatch({"Label": "RequestCount", "Datapoints": []}).silent


def data(**changes: Any) -> dict[str, Any]:
    """An answer of one value, with something changed."""
    result = {"Id": "m1", "Timestamps": minutes(0), "Values": [1.0], "StatusCode": "Complete"}
    return {"MetricDataResults": [result | changes]}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Traffic(0.5), "per_second = 0.5: give a whole number"),  # type: ignore[arg-type]
        (lambda: Traffic(per_second=True), "per_second = True: give a whole number"),
        (lambda: Traffic(-1), "per_second = -1: give 0 or more"),
        (lambda: Traffic(counts=(1, -2)), "counts[1] = -2: give 0 or more"),
        (lambda: Traffic.daily(10, 5), "high = 5: give 10 or more"),
        (lambda: Traffic.daily(1, 5, peak_hour=24), "peak_hour = 24: give an hour of the day, 0 to 23"),
        (lambda: Traffic.burst(1, 5, at_second=-1, for_seconds=1), "at_second = -1: give 0 or more"),
        (lambda: Traffic(1).poisson(1, seconds=0), "seconds = 0: give 1 or more"),
        (lambda: Traffic.from_csv(["a,b", "1,2"]), "column = 'requests': the header has a, b; name the"),
        (lambda: Traffic.from_csv([]), "column = 'requests': the header has nothing"),
        (lambda: Traffic.from_csv(["requests", "3", "x"]), "line 3, requests = 'x': give a whole number"),
        (lambda: Traffic.from_csv(["n,requests", "3"]), "line 2, requests = None: give a whole number"),
        (lambda: Traffic.from_csv(["requests"], period_seconds=0), "period_seconds = 0: give 1 or more"),
        (lambda: Traffic.from_cloudwatch({"Metrics": []}), "neither MetricDataResults nor Datapoints"),
        (lambda: Traffic.from_cloudwatch(data(), query="m2"), "query = 'm2': MetricDataResults has m1"),
        (lambda: Traffic.from_cloudwatch(data(StatusCode="PartialData")), "ask with NextToken again"),
        (lambda: Traffic.from_cloudwatch({**data(), "NextToken": "t"}), "ask with NextToken again"),
        (lambda: Traffic.from_cloudwatch(data(Values=[])), "Values = 0 for 1 Timestamps"),
        (lambda: Traffic.from_cloudwatch(data(Values=[1.5])), "= 1.5: give a whole number of requests"),
        (lambda: Traffic.from_cloudwatch(data(Values=["nan"])), "= 'nan': give a whole number of requests"),
        (lambda: Traffic.from_cloudwatch(data(Timestamps=["now"])), "Timestamp = 'now': give a time"),
        (
            lambda: Traffic.from_cloudwatch(data(Timestamps=minutes(0, 0), Values=[1, 2])),
            "it is there twice; give each period once",
        ),
        (
            lambda: Traffic.from_cloudwatch(
                data(Timestamps=minutes(0, 1), Values=[1, 2]), period_seconds=300
            ),
            "period_seconds = 300: values 60 s apart were told; give the Period",
        ),
        (
            lambda: Traffic.from_cloudwatch({"Datapoints": [{"Timestamp": NOON, "Average": 1}]}),
            "it has no Sum; ask for Statistics=['Sum']",
        ),
    ],
)
def test_what_is_no_traffic_is_refused(make: Any, message: str) -> None:
    """The error names the field, its value, and the remedy."""
    with pytest.raises((TypeError, ValueError)) as caught:
        make()
    assert message in str(caught.value)


@given(COUNTS, st.integers(1, 90))
def test_spreading_loses_nothing(counts: list[int], period: int) -> None:
    """A period's requests are all in its seconds, and no two of these differ by more than one."""
    seconds = spread(counts, period)
    for i, count in enumerate(counts):
        part = seconds[i * period : (i + 1) * period]
        assert sum(part) == count
        assert max(part) - min(part) <= 1


@pytest.mark.parametrize("mean", [1, 4, 1000])
def test_poisson_has_the_right_mean_and_variance(mean: int) -> None:
    """Over evenly spaced uniform numbers both are the mean, to within what the grid's tails leave out."""
    draws = [poisson(mean, (i + 0.5) / 20_000) for i in range(20_000)]
    average = sum(draws) / len(draws)
    assert average == pytest.approx(mean, rel=0.001)
    assert sum((draw - average) ** 2 for draw in draws) / len(draws) == pytest.approx(mean, rel=0.01)


def test_poisson_of_nothing_is_nothing() -> None:
    """No mean draws a negative number, whatever the uniform one."""
    assert poisson(0, 0.999) == 0
    assert poisson(1, 0.0) == 0
    assert poisson(5, 1 - 2**-53) < 50


def test_the_same_seed_draws_the_same_counts() -> None:
    """Another seed draws others, and the numbers are pinned: they are the same on every machine."""
    drawn = Traffic(1000).poisson(1, seconds=600)
    assert drawn == Traffic(1000).poisson(1, seconds=600) != Traffic(1000).poisson(2, seconds=600)
    assert drawn.per_seconds(5) == PINNED


PINNED = [965, 1032, 1023, 979, 999]


def test_a_cloud_takes_any_traffic() -> None:
    """Its timeline has the very counts of the traffic."""
    plan, _ = tutorial()
    traffic = Traffic.burst(10, 500, at_second=20, for_seconds=5).poisson(3, seconds=60)
    cloud = SimCloud(plan, traffic=traffic)
    Deployment(plan, cloud).run().raise_unless_promoted()
    counts = [row["requests"] for row in cloud.timeline.counts()]
    assert counts == traffic.per_seconds(len(counts))
    assert SimCloud(plan, traffic=Traffic(0)).timeline.segments == ()
