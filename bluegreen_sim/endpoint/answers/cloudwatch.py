"""CloudWatch's alarms, answered by the world.

An alarm on a metric of the load balancer is evaluated once a minute, a composite one whenever time passes;
any other is in the state that a fault or a call put it in.

Source: API reference of CloudWatch, version 2010-08-01.
"""

from __future__ import annotations

import json
from typing import Any

from bluegreen_sim import engine
from bluegreen_sim.cloudwatch.alarms import CompositeAlarm, MetricAlarm
from bluegreen_sim.cloudwatch.evaluating import told, with_alarms
from bluegreen_sim.cloudwatch.metrics import NAMES, STATISTICS
from bluegreen_sim.world import World

from .. import names, times
from ..asking import Change, Given, Read, page
from ..notes import note, noted, tagged
from ..wire import AwsError
from .cloudwatch_metrics import NAMESPACE, dimensions_of, query_of

STATES = {"ok": "OK", "alarm": "ALARM", "no-data": "INSUFFICIENT_DATA"}
METRIC, COMPOSITE = "MetricAlarm", "CompositeAlarm"
GIVEN = MetricAlarm(
    name="given", metric="HTTPCode_Target_5XX_Count", threshold=1, treat_missing_data="notBreaching"
)
"""What an alarm looks like that the world was made with, and that nobody said more of."""


def _describe_alarms(world: World, given: Given) -> Given:
    """Composite alarms only when they are asked for; unknown names are silently absent (API reference)."""
    kinds = given.get("AlarmTypes", [METRIC])
    found = []
    for name, state in world.alarms:
        kind, definition = _definition(world, name)
        wanted = name in given.get("AlarmNames", [name]) and name.startswith(given.get("AlarmNamePrefix", ""))
        if wanted and kind in kinds and STATES[state] == given.get("StateValue", STATES[state]):
            found.append((kind, _alarm(world, name, state, definition)))
    some, following = page(found, given, "MaxRecords", "NextToken", 50)
    shown: dict[str, Any] = {
        f"{kind}s": [alarm for alarm_kind, alarm in some if alarm_kind == kind]
        for kind in (METRIC, COMPOSITE)
    }
    return shown | ({"NextToken": following} if following else {})


def _definition(world: World, name: str) -> tuple[str, Given]:
    """Of what kind an alarm is, and what is said of it besides."""
    if kept := note(world, f"alarm {name}"):
        return kept["kind"], kept["definition"]
    alarm = next((each for each in world.evaluated if each.name == name), GIVEN)
    if isinstance(alarm, CompositeAlarm):
        return COMPOSITE, {"AlarmRule": alarm.rule}
    statistic = "Statistic" if alarm.statistic in STATISTICS else "ExtendedStatistic"
    return METRIC, {
        "Namespace": NAMESPACE,
        "MetricName": alarm.metric,
        "Dimensions": dimensions_of(alarm.target_group),
        statistic: alarm.statistic,
        "Period": alarm.period_seconds,
        "EvaluationPeriods": alarm.evaluation_periods,
        "DatapointsToAlarm": alarm.needed,
        "Threshold": float(alarm.threshold),
        "ComparisonOperator": alarm.comparison,
        "TreatMissingData": alarm.treat_missing_data,
    }


def _alarm(world: World, name: str, state: str, definition: Given) -> Given:
    changed = max(0, _turned(world, name)[0])  # an alarm that never changed came with the world
    said = next((verdict for verdict in world.verdicts if verdict.name == name), None)
    return {
        **definition,
        "AlarmName": name,
        "AlarmArn": names.alarm_arn(name),
        "StateValue": STATES[state],
        "StateReason": said.reason if said else f"The simulated alarm is {state}",
        "StateUpdatedTimestamp": _moment(said.updated_ms if said else changed),
        "StateTransitionedTimestamp": _moment(changed),
        "ActionsEnabled": definition.get("ActionsEnabled", True),
        "OKActions": definition.get("OKActions", []),
        "AlarmActions": definition.get("AlarmActions", []),
        "InsufficientDataActions": definition.get("InsufficientDataActions", []),
    }


def _moment(milliseconds: int) -> float:
    """World time as CloudWatch tells it: to the millisecond."""
    return times.EPOCH + milliseconds / 1000


def _turned(world: World, name: str) -> tuple[int, int]:
    """When an alarm changed last, and when it went red last, in milliseconds; -1 for never."""
    return next(((changed, red) for alarm, changed, red in world.turned if alarm == name), (-1, -1))


def _describe_alarm_history(world: World, given: Given) -> Given:
    """Of an alarm's history the world keeps its last change and the last time that it went red."""
    found = []
    for name, state in world.alarms:
        if name != given.get("AlarmName", name):
            continue
        changed, red = _turned(world, name)
        for at, word in dict.fromkeys([(red, "alarm"), (changed, state)]):
            if at >= 0:
                found.append((at, name, {"newState": {"stateValue": STATES[word]}}))
    found.sort(key=lambda item: item[0])
    if given.get("ScanBy") != "TimestampAscending":
        found.reverse()
    items = [
        {
            "AlarmName": name,
            "Timestamp": _moment(at),
            "HistoryItemType": "StateUpdate",
            "HistoryData": json.dumps(data),
        }
        for at, name, data in found
    ]
    some, following = page(items, given, "MaxRecords", "NextToken", 50)
    return {"AlarmHistoryItems": some} | ({"NextToken": following} if following else {})


def _put(kind: str) -> Change:
    def change(world: World, given: Given) -> tuple[World, Given]:
        """A new alarm has no data yet; an old one keeps its state, and all else is overwritten."""
        name = given["AlarmName"]
        definition = {key: value for key, value in given.items() if key not in ("AlarmName", "Tags")}
        world = noted(world, f"alarm {name}", {"kind": kind, "definition": definition})
        listed = {tag["Key"]: tag["Value"] for tag in given.get("Tags", ())}
        world = tagged(world, names.alarm_arn(name), listed)
        if alarm := _evaluable(kind, given):
            return with_alarms(world, (alarm,), {}), {}
        world = world.replaced(evaluated=tuple(each for each in world.evaluated if each.name != name))
        return world if name in dict(world.alarms) else engine.set_alarm(world, name, "no-data"), {}

    return change


def _evaluable(kind: str, given: Given) -> MetricAlarm | CompositeAlarm | None:
    """The alarm, if its metric is measured here.

    Raises:
        AwsError: If AWS would refuse it.
    """
    if kind == METRIC and (given.get("Namespace") != NAMESPACE or given.get("MetricName") not in NAMES):
        return None
    try:
        if kind == COMPOSITE:
            return CompositeAlarm(name=given["AlarmName"], rule=given["AlarmRule"])
        statistic = given.get("Statistic") or given.get("ExtendedStatistic", "")
        query = query_of(given, statistic, given.get("Period", 0))
        return MetricAlarm(
            name=given["AlarmName"],
            metric=query.metric,
            target_group=query.target_group,
            statistic=statistic,
            period_seconds=query.period_seconds,
            evaluation_periods=given.get("EvaluationPeriods", 0),
            datapoints_to_alarm=given.get("DatapointsToAlarm"),
            threshold=given["Threshold"],
            comparison=given["ComparisonOperator"],
            treat_missing_data=given.get("TreatMissingData", "missing"),
        )
    except (ValueError, KeyError) as error:
        raise AwsError("ValidationError", str(error)) from error


def _set_alarm_state(world: World, given: Given) -> tuple[World, Given]:
    """An alarm that is evaluated returns to its own state with the next evaluation."""
    name = given["AlarmName"]
    if name not in dict(world.alarms):
        raise AwsError("ResourceNotFound", f"Unknown alarm {name}")
    words: dict[str, Any] = {value: word for word, value in STATES.items()}
    return told(world, name, words[given["StateValue"]], given["StateReason"]), {}


def _delete_alarms(world: World, given: Given) -> tuple[World, Given]:
    gone = given["AlarmNames"]
    if missing := set(gone) - set(dict(world.alarms)):
        raise AwsError("ResourceNotFound", f"Unknown alarms {', '.join(sorted(missing))}")
    for name in gone:
        world = noted(world, f"alarm {name}", None)
    return world.replaced(
        alarms=tuple(pair for pair in world.alarms if pair[0] not in gone),
        evaluated=tuple(alarm for alarm in world.evaluated if alarm.name not in gone),
        verdicts=tuple(verdict for verdict in world.verdicts if verdict.name not in gone),
    ), {}


READS: dict[str, Read] = {
    "DescribeAlarmHistory": _describe_alarm_history,
    "DescribeAlarms": _describe_alarms,
}
CHANGES: dict[str, Change] = {
    "DeleteAlarms": _delete_alarms,
    "PutCompositeAlarm": _put(COMPOSITE),
    "PutMetricAlarm": _put(METRIC),
    "SetAlarmState": _set_alarm_state,
}
