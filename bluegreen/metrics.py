"""What the metrics of both colours say of green."""

from __future__ import annotations

from collections.abc import Sequence

from .core.gates import MetricGate
from .core.observation import GateReading, Reading
from .core.text import escaped
from .ports import Measure, Series

DETAIL_LIMIT = 500
"""Characters of a reading's detail; it is written into the journal."""


def no_data(name: str, detail: str) -> GateReading:
    """A reading that has nothing to judge by."""
    return GateReading(name=name, reading=Reading.NO_DATA, detail=escaped(detail, DETAIL_LIMIT))


def told(error: Exception) -> str:
    """An exception in a clause."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def measured(
    metrics: Sequence[MetricGate], green: str | None, blue: str | None, measure: Measure | None
) -> dict[str, GateReading]:
    """The readings of all metrics, measured at once."""
    if measure is None:
        return {gate.name: no_data(gate.name, "this cloud does not measure") for gate in metrics}
    try:
        series = measure(metrics, [group for group in (green, blue) if group is not None])
    except Exception as error:  # noqa: BLE001 - what cannot be measured says nothing, and stops nothing
        return {gate.name: no_data(gate.name, told(error)) for gate in metrics}
    return {
        gate.name: judged(gate, series.get((gate.name, green or "")), series.get((gate.name, blue or "")))
        for gate in metrics
    }


def judged(gate: MetricGate, green: Series | None, blue: Series | None) -> GateReading:
    """What a metric says of green.

    The gate fails when the newest ``gate.periods`` of green are all beyond the bound and blue's newest is
    not: what both colours show is not the new version's (``NO_DATA``, never a pass).

    Args:
        gate: The bound.
        green: Green's values, the newest first, None for a period without one; None when not measured.
        blue: Blue's, likewise.
    """
    if not green or green[0] is None:
        return no_data(gate.name, f"{gate.metric} of green has no value")
    beyond = 0
    for value in green[: gate.periods]:
        if value is None or gate.holds(value):
            break
        beyond += 1
    said = f"{gate.metric} of green is {green[0]:.6g}, wanted {gate.comparison} {gate.threshold:g}"
    if not beyond:
        return GateReading(name=gate.name, reading=Reading.PASS, detail=said)
    if beyond < gate.periods:
        said += f" ({beyond} of {gate.periods} periods)"
        return GateReading(name=gate.name, reading=Reading.PENDING, detail=said)
    if blue and blue[0] is not None and not gate.holds(blue[0]):
        return no_data(gate.name, f"{said}; but blue has {blue[0]:.6g}, so the new version is not the cause")
    return GateReading(name=gate.name, reading=Reading.FAIL, detail=said)
