"""CloudWatch's alarms: D."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from .fact import Fact, Off

ALARMS_TEST = "tests/sim/test_alarms.py"


def _born_well(real: Any) -> Any:
    def with_alarms(world: Any, alarms: Any, colours: Any) -> Any:
        world = real(world, alarms, colours)
        return world.replaced(alarms=tuple((name, "ok") for name, _ in world.alarms))

    return with_alarms


def _born_anew(real: Any) -> Any:
    def with_alarms(world: Any, alarms: Any, colours: Any) -> Any:
        world = real(world, alarms, colours)
        return world.replaced(alarms=tuple((name, "no-data") for name, _ in world.alarms))

    return with_alarms


def _by_whole_periods(real: Any) -> Any:
    def latest(self: Any, query: Any, count: int) -> Any:
        minutes, size = self._minutes, query.period_seconds // 60
        self._minutes = range(minutes.start, minutes.stop // size * size)
        try:
            return real(self, query, count)
        finally:
            self._minutes = minutes

    return latest


def _never_too_early(real: Any) -> Any:
    def evaluated(alarm: Any, points: Any, state: Any) -> Any:
        there = [point for point in points if point is not None]
        if alarm.treat_missing_data == "missing" and 0 < len(there) < alarm.needed:
            return "ok", ""
        return real(alarm, points, state)

    return evaluated


def _nothing_is_well(real: Any) -> Any:
    def evaluated(*given: Any) -> Any:
        state, why = real(*given)
        return ("ok" if state == "no-data" else state), why

    return evaluated


ALARMS: tuple[Fact, ...] = (
    Fact(
        id="D1.1a",
        says="A new alarm begins in INSUFFICIENT_DATA.",
        page="alarm evaluation",
        test=f"{ALARMS_TEST}::test_a_new_alarm_has_no_data",
        off=Off("cloudwatch.evaluating:with_alarms", _born_well),
    ),
    Fact(
        id="D1.1b",
        says="Putting an alarm again keeps its state and overwrites everything else.",
        page="alarm evaluation",
        test=f"{ALARMS_TEST}::test_putting_an_alarm_again_keeps_its_state_and_replaces_the_rest",
        off=Off("cloudwatch.evaluating:with_alarms", _born_anew),
    ),
    Fact(
        id="D1.1c",
        says="An evaluation can be partial, erroneous, failed or warming up.",
        page="alarm evaluation",
        how="not modelled",
        why="These tell of Metrics Insights queries and of outages of CloudWatch; here it always works.",
    ),
    Fact(
        id="D1.2a",
        says="Alarms with a period of a minute or more are evaluated every minute.",
        page="alarm evaluation",
        test=f"{ALARMS_TEST}::test_alarms_are_evaluated_once_a_minute",
        off=Off("cloudwatch.metrics:MINUTE_MS", lambda _: 30_000),
    ),
    Fact(
        id="D1.2b",
        says="The window slides: a longer period is evaluated every minute too, up to now.",
        page="alarm evaluation",
        test=f"{ALARMS_TEST}::test_a_window_slides_by_a_minute",
        off=Off("cloudwatch.metrics:Metrics.latest", _by_whole_periods),
    ),
    Fact(
        id="D1.2c",
        says="M of the latest N points must breach.",
        page="alarm evaluation",
        test=f"{ALARMS_TEST}::test_without_missing_data_the_latest_points_decide",
        off=Off(
            "cloudwatch.alarms:MetricAlarm.needed", lambda _: property(lambda self: self.evaluation_periods)
        ),
    ),
    Fact(
        id="D1.2d",
        says="Periods of 10, 20 or 30 s are evaluated every 10 s, windows of more than a day hourly.",
        page="alarm evaluation",
        how="not modelled",
        why="The load balancer's metrics come once a minute, and no release is watched over a day's window.",
    ),
    Fact(
        id="D1.3a",
        says="Missing points count as missing, ignored, breaching or not breaching, as the alarm says.",
        page="missing data",
        test=f"{ALARMS_TEST}::test_missing_data_count_as_the_guide_says",
        off=Off(
            "cloudwatch.alarms:evaluated",
            lambda real: (
                lambda alarm, points, state: real(evolve(alarm, treat_missing_data="missing"), points, state)
            ),
        ),
    ),
    Fact(
        id="D1.3b",
        says="Older real points, beyond the evaluation periods, are used before missing ones are filled in.",
        page="missing data",
        why="How many is not documented; assumed: two more, as in the guide's example.",
        test=f"{ALARMS_TEST}::test_a_window_slides_by_a_minute",
        off=Off(
            "cloudwatch.alarms:MetricAlarm.looked_at",
            lambda _: property(lambda self: self.evaluation_periods),
        ),
    ),
    Fact(
        id="D1.3c",
        says="A breaching point that is at least M periods old raises the alarm if nothing else is known.",
        page="missing data",
        test=f"{ALARMS_TEST}::test_missing_data_count_as_the_guide_says",
        off=Off("cloudwatch.alarms:evaluated", _never_too_early),
    ),
    Fact(
        id="D1.4",
        says="An alarm on a count that is absent at zero has no data in a healthy run, by default.",
        page="missing data",
        test=f"{ALARMS_TEST}::test_an_error_alarm_without_data_knows_nothing_of_a_healthy_run",
        off=Off("cloudwatch.alarms:evaluated", _nothing_is_well),
    ),
    Fact(
        id="D1.5a",
        says="DescribeAlarms leaves out names that nobody knows, and composite alarms unless asked for.",
        page="alarm evaluation",
        test=f"{ALARMS_TEST}::test_composite_alarms_are_shown_when_they_are_asked_for",
        off=Off(
            "endpoint.answers.cloudwatch:_definition",
            lambda real: lambda world, name: ("MetricAlarm", real(world, name)[1]),
        ),
    ),
    Fact(
        id="D1.5b",
        says="DescribeAlarms takes at most 100 names.",
        page="alarm evaluation",
        test="tests/sim/test_endpoint.py::test_what_botocore_lets_through_is_refused",
        off=Off("endpoint.strict:faults", lambda _: lambda *_: []),
    ),
    Fact(
        id="D1.5c",
        says="Composite alarms need cloudwatch:DescribeAlarms on every resource.",
        page="alarm evaluation",
        how="not modelled",
        why="There are no permissions here.",
    ),
    Fact(
        id="D1.6",
        says="A state set by hand is gone with the next evaluation; when it changed stays to be seen.",
        page="alarm evaluation",
        test=f"{ALARMS_TEST}::test_a_state_set_by_hand_does_not_last",
        off=Off("cloudwatch.evaluating:by_metrics", lambda _: lambda world, _: world),
    ),
)
