"""What the simulated balancer counts for each group, as a cloud's metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bluegreen.core.gates import MetricGate
from bluegreen.ports import Series

from .cloudwatch.metrics import NAMES, STATISTICS, TIME, Metrics, Query
from .timeline import Timeline


def measured(gate: MetricGate) -> bool:
    """Whether the simulated world has what the gate asks for."""
    names = {gate.metric} | ({gate.divided_by} if gate.divided_by else set())
    known = gate.statistic in STATISTICS or (gate.statistic[1:].isdecimal() and gate.statistic != "p100")
    return gate.namespace == "AWS/ApplicationELB" and known and names <= set(NAMES)


def measure(
    timeline: Timeline, gates: Sequence[MetricGate], groups: Sequence[str]
) -> Mapping[tuple[str, str], Series]:
    """Each gate's values by (gate, group), the newest period first; see ``bluegreen.ports.Measure``.

    Args:
        timeline: What users saw.
        gates: What is asked for; a gate that is not ``measured`` is left out, and one on response times where
            no application has any.
        groups: Names of groups; each is measured by itself, also in a target group of both.
    """
    found: dict[tuple[str, str], Series] = {}
    end = int(timeline.end_seconds)
    metrics = Metrics(timeline, {group: group for group in groups}, 0)
    for gate in filter(measured, gates):
        if gate.metric == TIME and not metrics.timed:
            continue
        length = gate.period_seconds
        ends = [end - length * back for back in range(gate.periods) if end >= length * (back + 1)]
        for group in groups:
            query = Query(gate.metric, group, gate.statistic)
            divisor = Query(gate.divided_by, group) if gate.divided_by else None
            found[gate.name, group] = tuple(
                gate.value(
                    metrics.between(query, last - length, last),
                    metrics.between(divisor, last - length, last) if divisor else None,
                )
                for last in ends
            )
    return found
