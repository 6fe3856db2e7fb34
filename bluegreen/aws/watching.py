"""What CloudWatch says: alarms, also of what they were between two looks, and metrics by colour."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from attrs import frozen

from ..core.gates import MetricGate
from ..core.observation import GateReading, Reading
from ..ports import Series
from .errors import AwsError, words
from .routing import Raw, TargetGroup

if TYPE_CHECKING:
    from .clients import Services

ALARMS_A_CALL = 100
"""CloudWatch API reference, DescribeAlarms: AlarmNames has at most 100 items."""
QUERIES_A_CALL = 500
"""CloudWatch API reference, GetMetricData: MetricDataQueries has at most 500 items."""
SETTLED_SECONDS = 120
"""How old a period must be to be judged: what is counted by the minute is published a while later, and until
then a period looks as if nothing had been counted (an assumption; no figure is documented)."""

KINDS: Any = ["MetricAlarm", "CompositeAlarm"]
"""Composite alarms are left out of an answer unless they are asked for (API reference, DescribeAlarms)."""

_READINGS = {"OK": Reading.PASS, "ALARM": Reading.FAIL, "INSUFFICIENT_DATA": Reading.NO_DATA}


# --------------------------------------------------------------------------------------------------- alarms


@frozen
class Turn:
    """What is remembered of an alarm.

    Args:
        changed: When it came into its present state.
        last_red: No later than this it was last red. Both in seconds of CloudWatch's own time.
    """

    changed: float
    last_red: float


def alarms(
    read: Services, names: Sequence[str], turns: dict[str, Turn], *, begun: bool
) -> Iterator[GateReading]:
    """A reading of each alarm.

    CloudWatch's own times are compared with each other, never with a clock of ours.

    Args:
        read: Clients that only read.
        names: The alarms.
        turns: What this process has seen of them; brought up to date.
        begun: Whether something was changed already. Before that it does not matter when an alarm was red.
    """
    left = iter(names)
    while some := list(islice(left, ALARMS_A_CALL)):
        try:
            answer = read.cloudwatch.describe_alarms(
                AlarmNames=some, AlarmTypes=KINDS, MaxRecords=ALARMS_A_CALL
            )
        except AwsError as error:
            yield from (GateReading(name=n, reading=Reading.NO_DATA, detail=words(error)) for n in some)
            continue
        # What is missing has no data, and never passes.
        found: list[Any] = [*answer.get("MetricAlarms", ()), *answer.get("CompositeAlarms", ())]
        shown: dict[str, Raw] = {alarm["AlarmName"]: alarm for alarm in found}
        for name in some:
            yield _reading(read, name, shown.get(name), turns, begun=begun)


def _reading(
    read: Services, name: str, alarm: Raw | None, turns: dict[str, Turn], *, begun: bool
) -> GateReading:
    if alarm is None:
        return GateReading(name=name, reading=Reading.NO_DATA, detail="there is no alarm of this name")
    state = str(alarm.get("StateValue"))
    try:
        turn = _turn(read, name, alarm, turns.get(name), begun=begun)
    except AwsError as error:
        detail = f"alarm is {state}, and what it was cannot be read ({words(error)})"
        return GateReading(name=name, reading=Reading.NO_DATA, detail=detail)
    if turn is not None:
        turns[name] = turn
    return GateReading(
        name=name,
        reading=_READINGS.get(state, Reading.NO_DATA),
        detail=f"alarm is {state}",
        last_red=None if turn is None else turn.last_red,
    )


def _turn(read: Services, name: str, alarm: Raw, known: Turn | None, *, begun: bool) -> Turn | None:
    """When the alarm was last red; its history is asked for when it has changed since it was looked at."""
    moment = alarm.get("StateTransitionedTimestamp") or alarm.get("StateUpdatedTimestamp")
    if moment is None:
        return None
    changed = moment.timestamp()
    if known is not None and known.changed == changed:
        return known
    if alarm.get("StateValue") == "ALARM" or not begun:
        return Turn(changed, changed)
    return Turn(changed, max(_last_red(read, name), known.last_red if known else 0.0))


def _last_red(read: Services, name: str) -> float:
    """When the alarm last went red, by its history of 30 days; 0 when it did not."""
    pages = read.cloudwatch.get_paginator("describe_alarm_history").paginate(
        AlarmName=name, AlarmTypes=KINDS, HistoryItemType="StateUpdate", ScanBy="TimestampDescending"
    )
    for page in pages:
        for item in page["AlarmHistoryItems"]:
            after = json.loads(item.get("HistoryData") or "{}").get("newState", {})
            if after.get("stateValue") == "ALARM":
                return item["Timestamp"].timestamp()
    return 0.0


# -------------------------------------------------------------------------------------------------- metrics


def measure(
    read: Services,
    gates: Sequence[MetricGate],
    groups: Sequence[str],
    target_group: Callable[[str], TargetGroup],
    now: float,
) -> Mapping[tuple[str, str], Series]:
    """Each gate's values by (gate, group); see ``bluegreen.ports.Measure``.

    Args:
        read: Clients that only read.
        gates: What is asked for.
        groups: Names of Auto Scaling groups.
        target_group: The target group of each.
        now: Unix time in seconds.

    Raises:
        AwsError: If CloudWatch cannot be asked.
    """
    queries: dict[str, Any] = {}
    for i, gate in enumerate(gates):
        for j, group in enumerate(groups):
            dimensions = _dimensions(gate, group, target_group)
            for part, metric in (("a", gate.metric), ("b", gate.divided_by)):
                if metric is not None:
                    queries[f"m{i}_{j}_{part}"] = _query(gate, metric, dimensions)
    found = _values(read, queries, _span(gates, now))
    series: dict[tuple[str, str], Series] = {}
    for i, gate in enumerate(gates):
        for j, group in enumerate(groups):
            counted, divisor = (found.get(f"m{i}_{j}_{part}") for part in "ab")
            if counted is None or (gate.divided_by is not None and divisor is None):
                continue
            starts = _starts(gate, now)
            series[gate.name, group] = tuple(
                [gate.value(counted.get(at), (divisor or {}).get(at)) for at in starts]
            )
    return series


def _dimensions(gate: MetricGate, group: str, target_group: Callable[[str], TargetGroup]) -> list[Any]:
    """What tells a colour's metric from the other's (ELB user guide, "CloudWatch metrics")."""
    if gate.by == "group":
        return [{"Name": "AutoScalingGroupName", "Value": group}]
    behind = target_group(group)
    balancers = [arn.partition(":loadbalancer/")[2] for arn in behind.balancers[:1]]
    return [{"Name": "TargetGroup", "Value": behind.arn.rpartition(":")[2]}] + [
        {"Name": "LoadBalancer", "Value": balancer} for balancer in balancers
    ]


def _query(gate: MetricGate, metric: str, dimensions: list[Any]) -> Any:
    named = {"Namespace": gate.namespace, "MetricName": metric, "Dimensions": dimensions}
    return {"MetricStat": {"Metric": named, "Period": gate.period_seconds, "Stat": gate.statistic}}


def _starts(gate: MetricGate, now: float) -> list[int]:
    """When the newest settled periods begin, the newest first, in Unix seconds."""
    length = gate.period_seconds
    end = int(now - SETTLED_SECONDS) // length * length
    return [end - length * back for back in range(1, gate.periods + 1)]


def _span(gates: Sequence[MetricGate], now: float) -> tuple[datetime, datetime]:
    """From when to when values are asked for: the periods of all gates."""
    starts = [(start, start + gate.period_seconds) for gate in gates for start in _starts(gate, now)]
    first, last = min(start for start, _ in starts), max(end for _, end in starts)
    return datetime.fromtimestamp(max(0, first), UTC), datetime.fromtimestamp(max(1, last), UTC)


def _values(
    read: Services, queries: Mapping[str, Any], span: tuple[datetime, datetime]
) -> dict[str, dict[int, float]]:
    """By query the values by the second in which their period begins; incomplete answers are left out."""
    found: dict[str, dict[int, float]] = {}
    complete: dict[str, bool] = {}
    left = iter(queries.items())
    while some := list(islice(left, QUERIES_A_CALL)):
        asked: list[Any] = [{"Id": name, **query} for name, query in some]
        pages = read.cloudwatch.get_paginator("get_metric_data").paginate(
            MetricDataQueries=asked,
            StartTime=span[0],
            EndTime=span[1],
        )
        for page in pages:
            for result in page["MetricDataResults"]:
                moments = (int(moment.timestamp()) for moment in result["Timestamps"])
                found.setdefault(result["Id"], {}).update(zip(moments, result["Values"], strict=True))
                complete[result["Id"]] = result.get("StatusCode") == "Complete"
    return {name: values for name, values in found.items() if complete[name]}
