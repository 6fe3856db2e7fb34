"""A listener that tells OpenTelemetry: a span for each deployment and phase, metrics for what passes bring.

Only the API is used (the extra ``otel``): what becomes of it is the application's choice of an SDK and
exporter; without one, nothing does. Attributes are names, states, counts and our own sentences, never what
others wrote.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .core.errors import MissingExtra
from .core.observation import Observation
from .core.state import Phase, State, Step

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import Span, TracerProvider

SCOPE = "bluegreen"
NANOSECONDS = 1_000_000_000


class OpenTelemetryListener:
    """Spans and metrics of deployments.

    ===================================  ============================================================
    span ``bluegreen.deployment``        from its first pass in this process to its end
    span ``bluegreen.phase``             one for each phase, child of that; a halt has status ERROR
    counter ``bluegreen.passes``         by phase and signal
    counter ``bluegreen.commands``       by kind and result of what was sent in the pass before
    histogram ``bluegreen.phase.time``   seconds in a phase, by phase
    gauge ``bluegreen.healthy``          healthy instances, by colour
    gauge ``bluegreen.share``            the weight of green, in percent of both; with weights only
    ===================================  ============================================================

    Args:
        tracer_provider: Where spans go; None takes the application's global one.
        meter_provider: Where metrics go; likewise.

    Raises:
        MissingExtra: If OpenTelemetry's API is not installed.
    """

    def __init__(
        self, *, tracer_provider: TracerProvider | None = None, meter_provider: MeterProvider | None = None
    ) -> None:
        """Make the instruments."""
        try:
            from opentelemetry import metrics, trace
        except ImportError as error:
            raise MissingExtra("telling OpenTelemetry", "otel") from error
        self._trace = trace
        self._tracer = trace.get_tracer(SCOPE, tracer_provider=tracer_provider)
        meter = metrics.get_meter(SCOPE, meter_provider=meter_provider)
        self._passes = meter.create_counter("bluegreen.passes", "{pass}", "Passes of deployments")
        self._commands = meter.create_counter("bluegreen.commands", "{command}", "Commands sent")
        self._seconds = meter.create_histogram("bluegreen.phase.time", "s", "Time in a phase")
        self._healthy = meter.create_gauge("bluegreen.healthy", "{instance}", "Healthy instances")
        self._share = meter.create_gauge("bluegreen.share", "%", "Weight of green, of both colours")
        self._deployment: Span | None = None
        self._phase: Span | None = None
        self._state: State | None = None
        self._entered = 0.0

    def stepped(self, step: Step, observation: Observation) -> None:
        """Tell of a pass; times are those of the look, so a simulator's spans have virtual times."""
        before, state = self._state, step.state
        if before is None or before.ledger.deployment_id != state.ledger.deployment_id:
            self._end(observation.at)
            self._deployment = self._begun("bluegreen.deployment", observation.at)
            before = None
        assert self._deployment is not None, "it was begun with the first pass"
        if before is None or state.phase is not before.phase:
            self._enter(step, before, observation.at)
        self._state = state
        self._count(step, observation)
        if state.phase.ended:
            self._deployment.set_attributes(
                {"bluegreen.end": state.phase.value, "bluegreen.reason": step.reason}
            )
            self._end(observation.at)

    def _begun(self, name: str, at: float, parent: Span | None = None) -> Span:
        context = self._trace.set_span_in_context(parent) if parent else None
        return self._tracer.start_span(name, context=context, start_time=int(at * NANOSECONDS))

    def _enter(self, step: Step, before: State | None, at: float) -> None:
        """End the span of the phase that is left, and begin that of the one that is entered."""
        if self._phase is not None and before is not None:
            self._phase.end(int(at * NANOSECONDS))
            self._seconds.record(at - self._entered, {"bluegreen.phase": before.phase.value})
        self._entered = at
        self._phase = self._begun("bluegreen.phase", at, self._deployment)
        self._phase.set_attributes(
            {
                "bluegreen.deployment_id": step.state.ledger.deployment_id,
                "bluegreen.phase": step.state.phase.value,
                "bluegreen.signal": step.signal,
                "bluegreen.reason": step.reason,
            }
        )
        if step.state.phase is Phase.HALTED:
            self._phase.set_status(self._trace.StatusCode.ERROR, step.reason)

    def _end(self, at: float) -> None:
        for span in (self._phase, self._deployment):
            if span is not None:
                span.end(int(at * NANOSECONDS))
        self._phase = self._deployment = self._state = None

    def _count(self, step: Step, observation: Observation) -> None:
        state = step.state
        self._passes.add(1, {"bluegreen.phase": state.phase.value, "bluegreen.signal": step.signal})
        for outcome in observation.outcomes:
            kind = {"bluegreen.command": type(outcome.command).__name__}
            self._commands.add(1, kind | {"bluegreen.result": outcome.result.value})
        for colour, name in (("blue", state.blue), ("green", state.green)):
            for fleet in observation.fleets:
                if name is not None and fleet.name == name:
                    self._healthy.set(fleet.healthy, {"bluegreen.colour": colour})
        if observation.shares is not None and state.green is not None:
            weights: dict[str, Any] = dict(observation.shares.weights)
            if total := sum(weights.values()):
                self._share.set(100 * weights[state.green] / total)
