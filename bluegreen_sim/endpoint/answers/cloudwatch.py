"""CloudWatch's alarms, answered by the world: they are in the state that a fault or a call put them in.

Source: API reference of CloudWatch, version 2010-08-01.
"""

from __future__ import annotations

import json
from typing import Any

from bluegreen_sim import engine
from bluegreen_sim.world import World

from .. import names, times
from ..asking import Change, Given, Read, page
from ..notes import note, noted, tagged
from ..wire import AwsError

STATES = {"ok": "OK", "alarm": "ALARM", "no-data": "INSUFFICIENT_DATA"}
METRIC, COMPOSITE = "MetricAlarm", "CompositeAlarm"
DEFINITION: Given = {
    "Namespace": "AWS/ApplicationELB",
    "MetricName": "HTTPCode_Target_5XX_Count",
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 1.0,
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    "TreatMissingData": "notBreaching",
}
"""Of an alarm that the world was made with."""


def _describe_alarms(world: World, given: Given) -> Given:
    """Composite alarms only when they are asked for; unknown names are silently absent (API reference)."""
    kinds = given.get("AlarmTypes", [METRIC])
    found = []
    for name, state in world.alarms:
        kept = note(world, f"alarm {name}", {"kind": METRIC, "definition": DEFINITION})
        wanted = name in given.get("AlarmNames", [name]) and name.startswith(given.get("AlarmNamePrefix", ""))
        if wanted and kept["kind"] in kinds and STATES[state] == given.get("StateValue", STATES[state]):
            found.append((kept["kind"], _alarm(world, name, state, kept["definition"])))
    some, following = page(found, given, "MaxRecords", "NextToken", 50)
    shown: dict[str, Any] = {
        f"{kind}s": [alarm for alarm_kind, alarm in some if alarm_kind == kind]
        for kind in (METRIC, COMPOSITE)
    }
    return shown | ({"NextToken": following} if following else {})


def _alarm(world: World, name: str, state: str, definition: Given) -> Given:
    changed = max(0, _turned(world, name)[0])  # an alarm that never changed came with the world
    return {
        **definition,
        "AlarmName": name,
        "AlarmArn": names.alarm_arn(name),
        "StateValue": STATES[state],
        "StateReason": f"The simulated alarm is {state}",
        "StateUpdatedTimestamp": _moment(changed),
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
        for at, word in {(changed, state), (red, "alarm")}:
            if at >= 0:
                found.append((at, name, {"newState": {"stateValue": STATES[word]}}))
    found.sort(key=lambda item: item[0], reverse=given.get("ScanBy") != "TimestampAscending")
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
        return world if name in dict(world.alarms) else engine.set_alarm(world, name, "no-data"), {}

    return change


def _set_alarm_state(world: World, given: Given) -> tuple[World, Given]:
    """It stays so until somebody sets it anew: nothing is evaluated here."""
    name = given["AlarmName"]
    if name not in dict(world.alarms):
        raise AwsError("ResourceNotFound", f"Unknown alarm {name}")
    words = {value: word for word, value in STATES.items()}
    return engine.set_alarm(world, name, words[given["StateValue"]]), {}


def _delete_alarms(world: World, given: Given) -> tuple[World, Given]:
    if missing := set(given["AlarmNames"]) - set(dict(world.alarms)):
        raise AwsError("ResourceNotFound", f"Unknown alarms {', '.join(sorted(missing))}")
    for name in given["AlarmNames"]:
        world = noted(world, f"alarm {name}", None)
    return world.replaced(
        alarms=tuple(pair for pair in world.alarms if pair[0] not in given["AlarmNames"])
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
