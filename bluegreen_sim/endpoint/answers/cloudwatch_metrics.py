"""CloudWatch's metrics of the load balancer, answered from what users met.

Source: API reference of CloudWatch, version 2010-08-01; ALB user guide, "CloudWatch metrics for your
Application Load Balancer".
"""

from __future__ import annotations

from collections.abc import Callable

from bluegreen_sim.cloud import SimCloud
from bluegreen_sim.cloudwatch.metrics import HOSTS, NAMES, STATISTICS, TIME, Query

from .. import names, times
from ..asking import Given, NotSimulated
from ..wire import AwsError

Measure = Callable[[SimCloud, Given], Given]
"""Answers a question about what users met: (cloud, parameters) -> result."""

NAMESPACE = "AWS/ApplicationELB"
UNITS = {TIME: "Seconds"}


def query_of(metric: Given, statistic: str, period: int) -> Query:
    """The numbers that a metric of the API, a statistic and a period stand for.

    Raises:
        NotSimulated: If it is a metric of something else.
        AwsError: If AWS would refuse it.
    """
    name, namespace = metric.get("MetricName", ""), metric.get("Namespace", "")
    if namespace != NAMESPACE or name not in NAMES:
        raise NotSimulated(
            f"{namespace} {name} is not measured; in {NAMESPACE} these are: {', '.join(NAMES)}"
        )
    dimensions = {each["Name"]: each["Value"] for each in metric.get("Dimensions", ())}
    place = dimensions.get("TargetGroup")
    try:
        return Query(name, place and place.split("/")[1], statistic, period)
    except (ValueError, IndexError) as error:
        raise AwsError("InvalidParameterValue", str(error)) from error


def dimensions_of(target_group: str | None) -> list[Given]:
    """The dimensions of a target group's metrics, or of the load balancer's."""
    balancer = {"Name": "LoadBalancer", "Value": names.BALANCER_ARN.rpartition("loadbalancer/")[2]}
    if target_group is None:
        return [balancer]
    place = names.target_group_arn(target_group).rpartition(":")[2]
    return [{"Name": "TargetGroup", "Value": place}, balancer]


def _between(cloud: SimCloud, query: Query, given: Given) -> list[tuple[float, float]]:
    """(seconds since 1970, value) of the data points from the start time to before the end time."""
    points = cloud.measured(query).items()
    found = [(times.moment(1000 * second), value) for second, value in points]
    return [(at, value) for at, value in found if given["StartTime"] <= at < given["EndTime"]]


def _get_metric_data(cloud: SimCloud, given: Given) -> Given:
    results = []
    for asked in given["MetricDataQueries"]:
        if "MetricStat" not in asked:
            raise NotSimulated(
                "MetricDataQueries with an Expression are not calculated; ask for a MetricStat"
            )
        stat = asked["MetricStat"]
        points = _between(cloud, query_of(stat["Metric"], stat["Stat"], stat["Period"]), given)
        if given.get("ScanBy", "TimestampDescending") == "TimestampDescending":
            points.reverse()
        if asked.get("ReturnData", True):
            results.append(
                {
                    "Id": asked["Id"],
                    "Label": asked.get("Label", stat["Metric"]["MetricName"]),
                    "Timestamps": [at for at, _ in points],
                    "Values": [value for _, value in points],
                    "StatusCode": "Complete",
                }
            )
    return {"MetricDataResults": results, "Messages": []}


def _get_metric_statistics(cloud: SimCloud, given: Given) -> Given:
    wanted = [*given.get("Statistics", ()), *given.get("ExtendedStatistics", ())]
    if not wanted:
        raise AwsError(
            "InvalidParameterCombination", "At least one of Statistics and ExtendedStatistics must be given"
        )
    found: dict[float, Given] = {}
    for statistic in wanted:
        for at, value in _between(cloud, query_of(given, statistic, given["Period"]), given):
            point = found.setdefault(at, {"Timestamp": at, "Unit": UNITS.get(given["MetricName"], "Count")})
            into = point if statistic in STATISTICS else point.setdefault("ExtendedStatistics", {})
            into[statistic] = value
    return {"Label": given["MetricName"], "Datapoints": [found[at] for at in sorted(found)]}


def _list_metrics(cloud: SimCloud, given: Given) -> Given:
    """The metrics that have a data point so far."""
    found = [
        {"Namespace": NAMESPACE, "MetricName": name, "Dimensions": dimensions_of(target_group)}
        for target_group in (None, *dict(cloud.world.rule))
        for name in NAMES
        if name == given.get("MetricName", name) and given.get("Namespace", NAMESPACE) == NAMESPACE
        if cloud.measured(Query(name, target_group, "Maximum" if name in HOSTS else "Sum"))
    ]
    return {"Metrics": found}


MEASURES: dict[str, Measure] = {
    "GetMetricData": _get_metric_data,
    "GetMetricStatistics": _get_metric_statistics,
    "ListMetrics": _list_metrics,
}
