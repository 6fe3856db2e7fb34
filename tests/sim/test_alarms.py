"""Alarms evaluated from data points: CloudWatch's tables, composite rules, a release that is rolled back."""

from __future__ import annotations

import re
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from bluegreen import Alarm, Deployment
from bluegreen_sim import (
    AlarmRed,
    Application,
    CompositeAlarm,
    Errors,
    MetricAlarm,
    Settings,
    SimCloud,
    world_from_dict,
    world_to_dict,
)
from bluegreen_sim.cloudwatch.alarms import State, evaluated, holds
from bluegreen_sim.endpoint import session
from tests.sim.plans import WEIGHTED

ERRORS = "HTTPCode_Target_5XX_Count"
PLAN = evolve(WEIGHTED, gates=(Alarm(name="green-errors"),))
BAD = Settings(applications={"ami-new": Application(wrong_percent=5)}, deregistration_seconds=30)


def alarm(**changes: Any) -> MetricAlarm:
    """An alarm on errors, with changes."""
    given_ = {"name": "green-errors", "metric": ERRORS, "target_group": "green", "threshold": 10} | changes
    return MetricAlarm(**given_)


# ------------------------------------------------------------------------------- what missing data count as

# Rows as in the user guide: five points, the latest last: 0 within the threshold, X breaching, - missing.
# Then what comes of it when missing data count as missing, ignored, breaching, not breaching.
ALL_OF_THREE = """
0-X-X ok      ok    ok    ok
----0 ok      ok    ok    ok
----- no-data keep  alarm ok
0XX-X alarm   alarm alarm alarm
--X-- alarm   keep  alarm ok
"""
TWO_OF_THREE = """
0-X-X alarm   alarm alarm alarm
00X0X alarm   alarm alarm alarm
0-X-- ok      ok    alarm ok
----0 ok      ok    alarm ok
---X- alarm   keep  alarm ok
"""
# And what its text adds: the latest point alone is too young to decide, unless it is the only one needed.
TOO_YOUNG = """
----X ok      ok    alarm ok
---X- ok      ok    alarm ok
---X0 ok      ok    ok    ok
"""
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")
TABLE = [
    (needed, row.split()[0], treatment, expected)
    for needed, rows in ((3, ALL_OF_THREE), (2, TWO_OF_THREE), (3, TOO_YOUNG))
    for row in rows.strip().splitlines()
    for treatment, expected in zip(TREATMENTS, row.split()[1:], strict=True)
]


def points(text: str) -> list[float | None]:
    """Data points as the tables write them."""
    return [{"0": 0.0, "X": 99.0, "-": None}[letter] for letter in text]


@pytest.mark.parametrize(("needed", "row", "treatment", "expected"), TABLE)
def test_missing_data_count_as_the_guide_says(needed: int, row: str, treatment: Any, expected: str) -> None:
    """Each row of the guide's tables of 3 out of 3 and 2 out of 3 comes out, whatever the state before."""
    one = alarm(evaluation_periods=3, datapoints_to_alarm=needed, treat_missing_data=treatment)
    before: State
    for before in ("ok", "alarm", "no-data"):
        state, _ = evaluated(one, points(row), before)
        assert state == (before if expected == "keep" else expected), (row, treatment)


@given(
    st.lists(st.sampled_from("0X"), min_size=7, max_size=7),
    st.integers(1, 5),
    st.integers(1, 5),
    st.sampled_from(TREATMENTS),
)
def test_without_missing_data_the_latest_points_decide(
    row: list[str], n: int, m: int, treatment: Any
) -> None:
    """M of the latest N points breach, or the alarm is OK; how missing ones count does not matter."""
    one = alarm(evaluation_periods=n, datapoints_to_alarm=min(m, n), treat_missing_data=treatment)
    state, reason = evaluated(one, points("".join(row))[-one.looked_at :], "no-data")
    assert state == ("alarm" if row[-n:].count("X") >= min(m, n) else "ok")
    assert f"{row[-n:].count('X')} of the latest {n} datapoint(s)" in reason


@pytest.mark.parametrize(
    ("comparison", "breaching"),
    [
        ("GreaterThanOrEqualToThreshold", [10, 11]),
        ("GreaterThanThreshold", [11]),
        ("LessThanThreshold", [9]),
        ("LessThanOrEqualToThreshold", [9, 10]),
    ],
)
def test_a_point_breaches_as_the_alarm_compares(comparison: Any, breaching: list[int]) -> None:
    """Each of the four comparisons, at, above and below the threshold."""
    one = alarm(comparison=comparison)
    assert [p for p in (9, 10, 11) if evaluated(one, [None, None, p], "ok")[0] == "alarm"] == breaching


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: alarm(period_seconds=90), "period_seconds = 90: give a multiple of 60"),
        (
            lambda: alarm(evaluation_periods=0),
            "evaluation_periods = 0: give 1 or more; datapoints_to_alarm =",
        ),
        (
            lambda: alarm(evaluation_periods=0, comparison="Above"),
            "comparison = 'Above': give one of Greater",
        ),
        (lambda: alarm(datapoints_to_alarm=2), "datapoints_to_alarm = 2: give 1 to evaluation_periods"),
        (
            lambda: alarm(treat_missing_data="zero"),
            "treat_missing_data = 'zero': give one of missing, ignore",
        ),
        (lambda: SimCloud(PLAN, alarms=[alarm(metric="Nonsense")]), "metric = 'Nonsense': give one of"),
        (
            lambda: CompositeAlarm(name="c", rule="ALARM(x) AND"),
            "expected a state, NOT or '(' in place of ''",
        ),
        (lambda: CompositeAlarm(name="c", rule="ALARM(x) OK(y)"), "not understood from False on"),
        (lambda: CompositeAlarm(name="c", rule="(ALARM(x)"), "or a ')' is missing"),
        (lambda: CompositeAlarm(name="c", rule="ALARM(x) & OK(y)"), "not understood from '& OK(y)' on"),
    ],
)
def test_a_wrong_alarm_is_named(call: Any, message: str) -> None:
    """The error names the argument, its value and what to give; of several all."""
    with pytest.raises(ValueError, match=re.escape(message)):
        call()


# ----------------------------------------------------------------------------------------- composite alarms


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("ALARM(red)", True),
        ('ALARM("red") AND OK(green)', True),
        ("ALARM(green) OR OK(red)", False),
        ("NOT ALARM(green) AND NOT OK(red)", True),
        ("ALARM(green) AND ALARM(green) OR ALARM(red)", True),
        ("ALARM(green) AND (ALARM(green) OR ALARM(red))", False),
        ("INSUFFICIENT_DATA(grey) AND TRUE", True),
        ("ALARM(nobody) OR OK(nobody) OR FALSE", False),
        ('OK("with blanks")', True),
    ],
)
def test_a_rule_is_true_or_not(rule: str, *, expected: bool) -> None:
    """States, AND before OR, NOT before both, parentheses; who is not there is in no state."""
    states = {"red": "alarm", "green": "ok", "grey": "no-data", "with blanks": "ok"}
    assert holds(rule, states) == expected


def test_a_composite_alarm_follows_those_below_it() -> None:
    """It changes with them, also over another composite one, and returns."""
    alarms = [
        CompositeAlarm(name="top", rule="ALARM(both)"),
        CompositeAlarm(name="both", rule="ALARM(x) AND NOT OK(y)"),
    ]
    faults = [AlarmRed("x", 10), AlarmRed("y", 20, for_seconds=10)]
    cloud = SimCloud(PLAN, alarms=alarms, faults=faults)
    seen = {}
    for second in (5, 15, 25, 35):
        cloud.clock.sleep(second - cloud.clock.now())
        seen[second] = dict(cloud.world.alarms)["top"]
    assert seen == {5: "ok", 15: "alarm", 25: "alarm", 35: "ok"}


# ----------------------------------------------------------------------------------------- in a whole world


def test_measured_errors_roll_a_release_back() -> None:
    """A canary whose green answers 5 % wrongly trips an alarm on its errors, and users are led back."""
    watched = SimCloud(PLAN, settings=BAD, alarms=[alarm(treat_missing_data="notBreaching")])
    result = Deployment(PLAN, watched).run()
    assert result.phase.value == "rolled_back"
    assert "green-errors" in next(step.reason for step in result.history if "gate red" in step.reason)
    unwatched = SimCloud(PLAN, settings=BAD)
    assert Deployment(PLAN, unwatched).run().ok
    assert watched.timeline.failed_requests < unwatched.timeline.failed_requests / 5


def test_a_good_release_passes_the_same_alarm() -> None:
    """Without errors nothing is reported, and an alarm that takes that for good stays OK."""
    cloud = SimCloud(PLAN, alarms=[alarm(treat_missing_data="notBreaching")])
    assert Deployment(PLAN, cloud).run().ok
    assert dict(cloud.world.alarms)["green-errors"] == "ok"


def test_an_error_alarm_without_data_knows_nothing_of_a_healthy_run() -> None:
    """With missing data as missing, the default, an alarm on a count that is absent at zero has no data."""
    cloud = SimCloud(PLAN, alarms=[alarm()])
    cloud.clock.sleep(300)
    assert dict(cloud.world.alarms)["green-errors"] == "no-data"


def test_alarms_are_evaluated_once_a_minute() -> None:
    """Errors from the first second on are seen at the end of the first minute, not before."""
    cloud = SimCloud(PLAN, faults=[Errors("ami-0alpha", 50)], alarms=[alarm(target_group="blue")])
    cloud.clock.sleep(59)
    assert dict(cloud.world.alarms)["green-errors"] == "ok"
    cloud.clock.sleep(1)
    assert dict(cloud.world.alarms)["green-errors"] == "alarm"


def test_a_window_slides_by_a_minute() -> None:
    """An alarm of five minutes is evaluated each minute; then older points stand in for missing ones."""
    one = alarm(target_group="blue", period_seconds=300, threshold=2000, treat_missing_data="notBreaching")
    cloud = SimCloud(PLAN, alarms=[one])
    states = []
    for minute in range(17):
        wrong = Errors("ami-0alpha", 40) if minute == 1 else Errors("ami-0alpha", 0)
        cloud.world = cloud.world.replaced(faults=(wrong,), rule=(*cloud.world.rule,))
        cloud.clock.sleep(60)
        states.append(dict(cloud.world.alarms)["green-errors"])
    assert states == ["ok", *["alarm"] * (5 + 2 * 5), "ok"]


def test_a_new_alarm_has_no_data() -> None:
    """One that was not there before begins without a state; one that was keeps its own."""
    alarms = [alarm(name="new"), alarm(name="green-errors")]
    assert SimCloud(PLAN, alarms=alarms).world.alarms == (("green-errors", "ok"), ("new", "no-data"))


def test_a_metric_that_is_late_makes_the_alarm_late() -> None:
    """With a delay of a minute the same errors are seen a minute later."""
    settings = Settings(metric_delay_seconds=60)
    one = alarm(target_group="blue", treat_missing_data="notBreaching")
    cloud = SimCloud(PLAN, faults=[Errors("ami-0alpha", 50)], alarms=[one], settings=settings)
    cloud.clock.sleep(60)
    assert dict(cloud.world.alarms)["green-errors"] == "ok"
    cloud.clock.sleep(60)
    assert dict(cloud.world.alarms)["green-errors"] == "alarm"


def test_a_world_keeps_its_alarms() -> None:
    """Saved and read again, they are evaluated on."""
    composite = CompositeAlarm(name="all", rule="ALARM(green-errors)")
    cloud = SimCloud(PLAN, alarms=[alarm(target_group="blue"), composite], faults=[Errors("ami-0alpha", 50)])
    cloud.clock.sleep(60)
    world = world_from_dict(world_to_dict(cloud.world))
    assert world == cloud.world
    later = SimCloud(PLAN, world=world)
    later.clock.sleep(60)
    assert dict(later.world.alarms) == {"green-errors": "alarm", "all": "alarm"}


# -------------------------------------------------------------------------------------------- through boto3


def put(client: Any, **changes: Any) -> None:
    """Make an alarm on blue's errors, with changes."""
    metric = {"Namespace": "AWS/ApplicationELB", "MetricName": ERRORS, "Statistic": "Sum", "Period": 60}
    place = {"Name": "TargetGroup", "Value": "targetgroup/tg-a/0"}
    compared = {"EvaluationPeriods": 1, "Threshold": 10, "ComparisonOperator": "GreaterThanThreshold"}
    client.put_metric_alarm(AlarmName="errors", **(metric | {"Dimensions": [place]} | compared | changes))


def shown(client: Any, name: str = "errors") -> dict[str, Any]:
    """What DescribeAlarms says of an alarm."""
    answer = client.describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    found: dict[str, Any] = [*answer["MetricAlarms"], *answer["CompositeAlarms"]][0]
    return found


def test_an_alarm_that_boto3_makes_is_evaluated() -> None:
    """PutMetricAlarm begins without data; a minute later state, reason and times tell of the errors."""
    cloud = SimCloud(PLAN, faults=[Errors("ami-0alpha", 50)])
    client = session(cloud).client("cloudwatch")
    put(client)
    assert shown(client)["StateValue"] == "INSUFFICIENT_DATA"
    cloud.clock.sleep(60)
    told = shown(client)
    assert told["StateValue"] == "ALARM"
    assert "1 of the latest 1 datapoint(s) [3000] were greater than the threshold (10)" in told["StateReason"]
    assert told["StateUpdatedTimestamp"] == told["StateTransitionedTimestamp"]
    assert told["Threshold"] == 10


def test_putting_an_alarm_again_keeps_its_state_and_replaces_the_rest() -> None:
    """The whole configuration is overwritten; the state stays until the next evaluation."""
    cloud = SimCloud(PLAN, faults=[Errors("ami-0alpha", 50)])
    client = session(cloud).client("cloudwatch")
    put(client, AlarmDescription="first")
    cloud.clock.sleep(60)
    put(client, Threshold=100_000)
    assert shown(client)["StateValue"] == "ALARM"
    assert "AlarmDescription" not in shown(client)
    cloud.clock.sleep(60)
    assert shown(client)["StateValue"] == "OK"


def test_a_state_set_by_hand_does_not_last() -> None:
    """SetAlarmState holds until the next evaluation; when that transition was is still to be seen."""
    cloud = SimCloud(PLAN)
    client = session(cloud).client("cloudwatch")
    put(client, TreatMissingData="notBreaching")
    cloud.clock.sleep(90)
    client.set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="a drill")
    assert (shown(client)["StateValue"], shown(client)["StateReason"]) == ("ALARM", "a drill")
    cloud.clock.sleep(30)
    told = shown(client)
    assert told["StateValue"] == "OK"
    assert told["StateTransitionedTimestamp"].minute == 2


def test_composite_alarms_are_shown_when_they_are_asked_for() -> None:
    """DescribeAlarms without AlarmTypes leaves them out, and names nobody knows as well."""
    cloud = SimCloud(PLAN, faults=[AlarmRed("green-errors", 5)])
    client = session(cloud).client("cloudwatch")
    client.put_composite_alarm(AlarmName="all", AlarmRule='ALARM("green-errors")')
    cloud.clock.sleep(10)
    names = [
        each["AlarmName"] for each in client.describe_alarms(AlarmNames=["all", "nobody"])["MetricAlarms"]
    ]
    assert (names, client.describe_alarms()["CompositeAlarms"]) == ([], [])
    assert (shown(client, "all")["StateValue"], shown(client, "all")["AlarmRule"]) == (
        "ALARM",
        'ALARM("green-errors")',
    )


def test_alarms_given_to_the_cloud_are_described_as_those_of_boto3() -> None:
    """Metric, dimensions, statistic and the rest are there; a percentile is an extended statistic."""
    late = alarm(name="late", metric="TargetResponseTime", statistic="p99", threshold=0.5)
    cloud = SimCloud(PLAN, alarms=[alarm(), late, CompositeAlarm(name="all", rule="ALARM(late)")])
    client = session(cloud).client("cloudwatch")
    assert shown(client, "green-errors")["Dimensions"][0]["Value"].startswith("targetgroup/tg-b/")
    assert (shown(client, "late")["ExtendedStatistic"], shown(client, "late")["DatapointsToAlarm"]) == (
        "p99",
        1,
    )
    assert shown(client, "all")["AlarmRule"] == "ALARM(late)"


def test_a_deleted_alarm_is_evaluated_no_more() -> None:
    """It is gone from the list and from what is evaluated."""
    cloud = SimCloud(PLAN)
    client = session(cloud).client("cloudwatch")
    put(client)
    client.delete_alarms(AlarmNames=["errors"])
    cloud.clock.sleep(120)
    assert dict(cloud.world.alarms) == {"green-errors": "ok"}
    assert cloud.world.evaluated == ()


def test_what_cannot_be_evaluated_is_refused_or_left_alone() -> None:
    """A rule that cannot be read is refused; an alarm on a metric of something else stays as it was put."""
    cloud = SimCloud(PLAN)
    client = session(cloud).client("cloudwatch")
    with pytest.raises(client.exceptions.ClientError, match="not understood"):
        client.put_composite_alarm(AlarmName="all", AlarmRule="ALARM(x) & OK(y)")
    with pytest.raises(client.exceptions.ClientError, match="multiple of 60"):
        put(client, Period=30)
    put(client, Namespace="AWS/EC2", MetricName="CPUUtilization")
    cloud.clock.sleep(120)
    assert shown(client)["StateValue"] == "INSUFFICIENT_DATA"
