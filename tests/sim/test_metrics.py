"""CloudWatch's metrics of what users met: absent at zero, by minute and target group, also through boto3."""

from __future__ import annotations

import datetime as dt
import re
from contextlib import closing
from typing import Any

import pytest
from attrs import evolve

from bluegreen import Deployment, MemoryJournal, MetricGate
from bluegreen.aws import AwsCloud
from bluegreen_sim import (
    Application,
    Dies,
    Errors,
    Latency,
    Rescale,
    Settings,
    Sick,
    SimCloud,
    Traffic,
    engine,
)
from bluegreen_sim.cloudwatch.metrics import NAMES, Metrics, Query
from bluegreen_sim.endpoint import session
from bluegreen_sim.endpoint.asking import NotSimulated
from bluegreen_sim.endpoint.times import EPOCH
from tests.sim.plans import WEIGHTED

MENU = Latency.menu({0.010: 98, 0.900: 2})


def cloud_of(seconds: float = 180, **options: Any) -> SimCloud:
    """A cloud in which time passed, and blue served alone."""
    applications = {"ami-0alpha": Application(latency=MENU)}
    settings = Settings(applications=applications, **options.pop("settings", {}))
    cloud = SimCloud(WEIGHTED, settings=settings, **options)
    cloud.clock.sleep(seconds)
    return cloud


def test_what_did_not_happen_is_not_reported() -> None:
    """A healthy minute has no data point of any error, and a group without requests none at all."""
    cloud = cloud_of()
    assert cloud.metrics("RequestCount") == {0: 6000, 60: 6000, 120: 6000}
    errors = [name for name in NAMES if "5" in name]
    assert errors
    assert all(cloud.metrics(name) == {} for name in errors)
    assert cloud.metrics("RequestCount", "green") == cloud.metrics("TargetResponseTime", "green") == {}


def test_errors_of_targets_and_of_the_balancer_are_counted_apart() -> None:
    """Wrong answers pass through as the target's; refused and late requests are the load balancer's own."""
    faults = [Errors("ami-0alpha", 10), Sick("blue", 70), Dies("blue", 130)]
    cloud = cloud_of(240, faults=faults, settings={"check_interval_seconds": 300, "notice_seconds": 300})
    target, refused, late, own = (
        cloud.metrics(f"HTTPCode_{name}_Count") for name in ("Target_5XX", "ELB_502", "ELB_504", "ELB_5XX")
    )
    assert target[0] == 600
    assert refused == {60: pytest.approx(2500, abs=1), 120: 500}
    assert late == {120: 2500, 180: 3000}  # the sick one is dead now
    assert own == {minute: refused.get(minute, 0) + late.get(minute, 0) for minute in own}
    assert cloud.metrics("RequestCount")[180] == 6000
    assert cloud.metrics("HTTPCode_ELB_502_Count", "blue") == {}


def test_a_503_is_no_request_of_a_target() -> None:
    """``RequestCount`` has only what a target was chosen for; the rest shows as 503, of no target group."""
    cloud = cloud_of(0, live=None)
    cloud.clock.sleep(60)
    assert cloud.metrics("RequestCount") == {}
    assert cloud.metrics("HTTPCode_ELB_503_Count") == cloud.metrics("HTTPCode_ELB_5XX_Count") == {0: 6000}
    assert cloud.metrics("HTTPCode_ELB_503_Count", "green") == {}


def test_target_groups_are_told_apart() -> None:
    """The metrics of the target groups add up to those of the load balancer."""
    cloud = cloud_of(0)
    Deployment(WEIGHTED, cloud).run()
    whole, blue, green = (cloud.metrics("RequestCount", group) for group in (None, "blue", "tg-b"))
    assert min(len(blue), len(green)) > 3
    assert whole == {minute: blue.get(minute, 0) + green.get(minute, 0) for minute in whole}
    assert cloud.metrics("RequestCount", period_seconds=300)[0] == 30_000


def test_response_times_are_those_of_all_answers() -> None:
    """Average and percentiles, in seconds, of the answers of a minute."""
    cloud = cloud_of(60)
    found = {
        statistic: cloud.metrics("TargetResponseTime", "blue", statistic=statistic)[0]
        for statistic in ("Average", "p50", "p98", "p99", "Minimum", "Maximum", "SampleCount", "Sum")
    }
    average = 0.010 * 0.98 + 0.900 * 0.02
    assert found == pytest.approx(
        {"Average": average, "p50": 0.01, "p98": 0.01, "p99": 0.9, "Minimum": 0.01, "Maximum": 0.9}
        | {"SampleCount": 6000, "Sum": 6000 * average}
    )


def test_hosts_are_counted_by_their_health() -> None:
    """A sick target is unhealthy and no longer healthy; a deregistered one is neither."""
    cloud = cloud_of(240, faults=[Sick("blue", 30)])
    healthy, unhealthy = (
        cloud.metrics(name, "blue", statistic="Minimum")
        for name in ("HealthyHostCount", "UnHealthyHostCount")
    )
    assert (healthy[0], healthy[120]) == (1, 1)
    assert (unhealthy[0], unhealthy[120]) == (0, 1)
    assert cloud.metrics("HealthyHostCount", "blue", statistic="Maximum")[0] == 2
    assert cloud.metrics("HealthyHostCount", "blue", statistic="Average")[0] == pytest.approx(
        1 + 50 / 60, abs=0.2
    )
    silent = cloud_of(60, traffic=0)
    assert silent.metrics("HealthyHostCount", "blue") == {}


def test_deregistering_a_target_makes_it_neither_healthy_nor_unhealthy() -> None:
    """It leaves the count of the healthy ones, and adds to no other."""
    cloud = cloud_of(0, capacity=3)
    cloud.world = cloud.world.with_group(cloud.world.groups[0].replaced(min=2))
    cloud.world = engine.strike(cloud.world, Rescale("a", -1, 0), cloud.choices)
    cloud.clock.sleep(180)
    assert cloud.metrics("HealthyHostCount", "blue", statistic="Maximum")[120] == 2
    assert set(cloud.metrics("UnHealthyHostCount", "blue", statistic="Maximum").values()) == {0}


def test_requests_per_target_are_by_healthy_hosts() -> None:
    """Of a target group: its requests by its healthy targets; of the load balancer there is none."""
    cloud = cloud_of(60)
    assert cloud.metrics("RequestCountPerTarget", "blue") == {0: 3000}
    assert cloud.metrics("RequestCountPerTarget") == {}


def test_a_minute_is_told_when_it_is_over() -> None:
    """A part of a minute is no data point yet, and with a delay none is until that has passed."""
    assert cloud_of(119).metrics("RequestCount") == {0: 6000}
    assert cloud_of(119, settings={"metric_delay_seconds": 60}).metrics("RequestCount") == {}


def test_counts_have_other_statistics_too() -> None:
    """Each request reports itself once: the average of a count is 1, its samples are its sum."""
    cloud = cloud_of(60)
    assert cloud.metrics("RequestCount", statistic="Average") == {0: 1}
    assert cloud.metrics("RequestCount", statistic="SampleCount") == {0: 6000}


def test_the_metrics_are_those_of_the_timeline() -> None:
    """Minute by minute the counts are the sums of the timeline's rows, however often they were read."""
    cloud = cloud_of(
        0, faults=[Errors("ami-new", 7), Sick("green", 200, for_seconds=30)], traffic=Traffic(97)
    )
    for _ in Deployment(WEIGHTED, cloud).steps():
        cloud.metrics("RequestCount")
    rows = cloud.timeline.to_dicts()
    for metric, columns in {
        "HTTPCode_Target_2XX_Count": ("http_2xx",),
        "HTTPCode_Target_5XX_Count": ("http_500",),
        "HTTPCode_ELB_5XX_Count": ("http_502", "http_503", "http_504"),
    }.items():
        sums: dict[int, int] = {}
        for row in rows:
            minute = row["second"] // 60 * 60
            sums[minute] = sums.get(minute, 0) + sum(row[column] for column in columns)
        last = max(sums)
        assert cloud.metrics(metric) == {minute: n for minute, n in sums.items() if n and minute < last}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Query("Nonsense"), "metric = 'Nonsense': give one of RequestCount"),
        (lambda: Query("RequestCount", None, "p100"), "statistic = 'p100': give one of Sum"),
        (lambda: Query("RequestCount", None, "Sum", 90), "period_seconds = 90: give a multiple of 60"),
    ],
)
def test_a_wrong_query_is_named(call: Any, message: str) -> None:
    """The error names the argument, its value and what to give."""
    with pytest.raises(ValueError, match=re.escape(message)):
        call()


# -------------------------------------------------------------------------------------------- through boto3

START = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)


def stat(client: Any, metric: str, statistic: str = "Sum", period: int = 60) -> dict[str, Any]:
    """A query of green's metric."""
    listed = client.list_metrics(Namespace="AWS/ApplicationELB", MetricName=metric)["Metrics"]
    return {"MetricStat": {"Metric": listed[-1], "Period": period, "Stat": statistic}}


def test_boto3_reads_the_same_numbers() -> None:
    """GetMetricData and GetMetricStatistics tell what ``metrics`` tells, with CloudWatch's times."""
    cloud = cloud_of(0)
    Deployment(WEIGHTED, cloud).run()
    client = session(cloud).client("cloudwatch")
    asked = [{"Id": "m1", **stat(client, "RequestCount")}]
    within = {"StartTime": START, "EndTime": START + dt.timedelta(hours=1)}
    answer = client.get_metric_data(MetricDataQueries=asked, ScanBy="TimestampAscending", **within)
    told = answer["MetricDataResults"][0]
    expected = cloud.metrics("RequestCount", "green")
    assert [(at - START).total_seconds() for at in told["Timestamps"]] == list(expected)
    assert told["Values"] == list(expected.values())
    assert (
        client.get_metric_data(MetricDataQueries=asked, **within)["MetricDataResults"][0]["Values"]
        == list(expected.values())[::-1]
    )
    metric = asked[0]["MetricStat"]["Metric"]
    points = client.get_metric_statistics(
        **metric, **within, Period=60, Statistics=["Sum", "SampleCount"], ExtendedStatistics=["p99"]
    )["Datapoints"]
    assert [(p["Sum"], p["SampleCount"], p["ExtendedStatistics"]["p99"]) for p in points] == [
        (value, value, 1) for value in expected.values()
    ]
    assert Traffic.from_cloudwatch({"Datapoints": points}).per_seconds(1)


def test_only_times_that_were_asked_for_are_told() -> None:
    """From the start time to before the end time."""
    cloud = cloud_of(300)
    client = session(cloud).client("cloudwatch")
    minute = dt.timedelta(minutes=1)
    asked = [{"Id": "m1", **stat(client, "RequestCount")}]
    told = client.get_metric_data(
        MetricDataQueries=asked, StartTime=START + minute, EndTime=START + 3 * minute
    )
    assert told["MetricDataResults"][0]["Timestamps"] == [START + 2 * minute, START + minute]


def test_what_is_not_measured_is_said_so() -> None:
    """Another namespace or an expression is not answered wrongly; what AWS refuses is refused."""
    client = session(cloud_of(60)).client("cloudwatch")
    within = {"StartTime": START, "EndTime": START + dt.timedelta(hours=1)}
    foreign = {"Namespace": "AWS/EC2", "MetricName": "CPUUtilization"}
    for query in (
        {"MetricStat": {"Metric": foreign, "Period": 60, "Stat": "Sum"}},
        {"Expression": "m1 / m2"},
    ):
        with pytest.raises(NotSimulated):
            client.get_metric_data(MetricDataQueries=[{"Id": "m1", **query}], **within)
    metric = {"Namespace": "AWS/ApplicationELB", "MetricName": "RequestCount"}
    with pytest.raises(client.exceptions.InvalidParameterCombinationException):
        client.get_metric_statistics(**metric, **within, Period=60)
    with pytest.raises(client.exceptions.InvalidParameterValueException):
        client.get_metric_statistics(**metric, **within, Period=61, Statistics=["Sum"])
    assert client.list_metrics(Namespace="AWS/EC2")["Metrics"] == []


def test_a_world_that_goes_on_has_its_minutes_at_the_same_places() -> None:
    """A timeline that begins in the middle of a minute reports its first minute from there."""
    world = cloud_of(90).world
    cloud = SimCloud(WEIGHTED, world=world)
    cloud.clock.sleep(90)
    assert cloud.metrics("RequestCount") == {60: 3000, 120: 6000}
    metrics = Metrics(cloud.timeline, dict(world.homes), cloud.world.now)
    assert metrics.latest(Query("RequestCount"), 4) == [None, None, 3000, 6000]


@pytest.mark.parametrize("since", [0, 61, 180, 299, 300, 359])
def test_reading_the_latest_minutes_alone_tells_the_same(since: int) -> None:
    """Who looks back only so far reads the same points of what lies within."""
    cloud = cloud_of(360, faults=[Errors("ami-0alpha", 5), Sick("blue", 200)])
    homes, now = dict(cloud.world.homes), cloud.world.now
    whole, part = Metrics(cloud.timeline, homes, now), Metrics(cloud.timeline, homes, now, 1000 * since)
    back = (360 - since) // 60
    for name in NAMES:
        for target_group in (None, "tg-a"):
            statistic = "Average" if name in ("TargetResponseTime", "HealthyHostCount") else "Sum"
            query = Query(name, target_group, statistic)
            assert part.latest(query, back) == whole.latest(query, back), name


class Dated:
    """A virtual clock that tells the time as the endpoint dates it: in Unix seconds."""

    virtual = True

    def __init__(self, cloud: SimCloud) -> None:
        self._clock = cloud.clock

    def now(self) -> float:
        """Seconds since 1970."""
        return EPOCH + self._clock.now()

    def sleep(self, seconds: float) -> None:
        """Let virtual time pass."""
        self._clock.sleep(seconds)


@pytest.mark.parametrize(("wrong", "phase"), [(0, "promoted"), (5, "rolled_back")])
def test_the_aws_adapter_judges_a_release_by_the_simulated_metrics(wrong: int, phase: str) -> None:
    """Through boto3 a gate on green's errors per request sees what users met, and turns a bad one back."""
    shares = {"metric": "HTTPCode_Target_5XX_Count", "divided_by": "RequestCount", "missing": "zero"}
    gate = MetricGate(name="errors", threshold=0.02, **shares)
    plan = evolve(WEIGHTED, gates=(gate,))
    settings = Settings(applications={"ami-new": Application(wrong_percent=wrong)}, deregistration_seconds=30)
    cloud = SimCloud(plan, settings=settings)
    with closing(AwsCloud(session(cloud), clock=Dated(cloud))) as aws:
        result = Deployment(plan, aws, journal=MemoryJournal()).run()
    assert result.phase.value == phase, result.reason
