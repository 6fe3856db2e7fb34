"""Alarms evaluated from metrics, once a minute, and what a world remembers of it."""

from __future__ import annotations

from attrs import evolve

from .. import engine
from ..world import World
from .alarms import CompositeAlarm, MetricAlarm, State, Verdict, evaluated, holds
from .metrics import Metrics, Query


def query_of(alarm: MetricAlarm) -> Query:
    """The numbers that an alarm watches."""
    return Query(alarm.metric, alarm.target_group, alarm.statistic, alarm.period_seconds)


def with_alarms(
    world: World, alarms: tuple[MetricAlarm | CompositeAlarm, ...], colours: dict[str, str | None]
) -> World:
    """The world in which these alarms are evaluated; one that was not there before has no data yet.

    Args:
        world: The world.
        alarms: The alarms; one of the same name is replaced.
        colours: The target groups of blue and green.

    Raises:
        ValueError: If an alarm's metric or statistic is not simulated.
    """
    for given in alarms:
        alarm = given
        if isinstance(given, MetricAlarm):
            query_of(given)
            alarm = evolve(given, target_group=colours.get(given.target_group or "", given.target_group))
        others = tuple(each for each in world.evaluated if each.name != alarm.name)
        world = world.replaced(evaluated=(*others, alarm))
        if alarm.name not in dict(world.alarms):
            world = engine.set_alarm(world, alarm.name, "no-data")
    return world


def reach_ms(world: World) -> int:
    """How far back an evaluation may look."""
    return max(
        (
            1000 * alarm.looked_at * alarm.period_seconds
            for alarm in world.evaluated
            if isinstance(alarm, MetricAlarm)
        ),
        default=0,
    )


def by_metrics(world: World, metrics: Metrics) -> World:
    """The world after the evaluation of a minute: each alarm in the state that its data points lead to.

    So a state that somebody set by hand lasts until then.
    """
    for alarm in world.evaluated:
        if isinstance(alarm, MetricAlarm):
            points = metrics.latest(query_of(alarm), alarm.looked_at)
            state, reason = evaluated(alarm, points, _state(world, alarm.name))
            world = told(world, alarm.name, state, reason)
    return by_rules(world)


def by_rules(world: World) -> World:
    """The world with each composite alarm in the state that the others lead to."""
    composites = [alarm for alarm in world.evaluated if isinstance(alarm, CompositeAlarm)]
    for _ in composites:  # one may be over another
        for alarm in composites:
            state: State = "alarm" if holds(alarm.rule, dict(world.alarms)) else "ok"
            if state != _state(world, alarm.name):
                world = told(world, alarm.name, state, f"The rule {alarm.rule} is {state == 'alarm'}".lower())
    return world


def _state(world: World, name: str) -> State:
    state: State = dict(world.alarms)[name]  # type: ignore[assignment]
    return state


def told(world: World, name: str, state: State, reason: str) -> World:
    """The world with an alarm in a state, and why."""
    old = next((verdict for verdict in world.verdicts if verdict.name == name), None)
    if old and old.reason == reason and _state(world, name) == state:
        return world
    others = tuple(verdict for verdict in world.verdicts if verdict is not old)
    return engine.set_alarm(world, name, state).replaced(verdicts=(*others, Verdict(name, reason, world.now)))
