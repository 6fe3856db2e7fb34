"""What the simulated balancer counts for each group, as a cloud's metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bluegreen.core.gates import MetricGate
from bluegreen.ports import Series

from .timeline import Answers, Timeline

REQUESTS, ERRORS = "RequestCount", "HTTPCode_Target_5XX_Count"
"""Both are sums of ``AWS/ApplicationELB``; no answer at all is an error of the balancer's own."""


def measured(gate: MetricGate) -> bool:
    """Whether the simulated world has what the gate asks for."""
    names = {gate.metric} | ({gate.divided_by} if gate.divided_by else set())
    counted = (gate.namespace, gate.statistic) == ("AWS/ApplicationELB", "Sum")
    return counted and names <= {REQUESTS, ERRORS}


def measure(
    timeline: Timeline, gates: Sequence[MetricGate], groups: Sequence[str]
) -> Mapping[tuple[str, str], Series]:
    """Each gate's values by (gate, group), the newest period first; see ``bluegreen.ports.Measure``.

    Args:
        timeline: What users saw; it knows one group as blue and takes every other for green.
        gates: What is asked for; a gate that is not ``measured`` is left out.
        groups: Names of groups.
    """
    found: dict[tuple[str, str], Series] = {}
    for gate in gates:
        if not measured(gate):
            continue
        end, length = int(timeline.end_seconds), gate.period_seconds
        marks = [end - length * back for back in range(gate.periods, -1, -1) if end >= length * back]
        answers = timeline.between(marks)
        for group in groups:
            each = answers["blue" if group == timeline.blue else "green"]
            counted, divisor = _series(each, gate.metric), _series(each, gate.divided_by)
            values = [gate.value(*pair) for pair in zip(counted, divisor, strict=True)]
            found[gate.name, group] = tuple(reversed(values))
    return found


def _series(answers: Answers, metric: str | None) -> list[float | None]:
    """A count by period; as on AWS there is no value where nothing was counted."""
    counts = answers.wrong if metric == ERRORS else answers.requests()
    return [float(count) if count else None for count in counts]
