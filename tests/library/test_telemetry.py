"""OpenTelemetry is told of a deployment by spans and metrics, through its API."""

from __future__ import annotations

import sys
from itertools import pairwise
from typing import Any

import attrs
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from bluegreen import Deployment, MissingExtra, OpenTelemetryListener
from bluegreen.core.state import Phase
from bluegreen_sim import SimCloud
from tests.crash.boundaries import Case

CASE = Case(routing="weighted", fleets="standing")


class Told:
    """A listener, and what it has told."""

    def __init__(self) -> None:
        self.spans, self.reader = InMemorySpanExporter(), InMemoryMetricReader()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self.spans))
        self.listener = OpenTelemetryListener(
            tracer_provider=provider, meter_provider=MeterProvider(metric_readers=[self.reader])
        )

    def metric(self, name: str) -> dict[tuple[Any, ...], Any]:
        """The points of a metric by their attributes' values."""
        data = self.reader.get_metrics_data()
        assert data is not None
        (scope,) = data.resource_metrics[0].scope_metrics
        points = next(metric.data.data_points for metric in scope.metrics if metric.name == name)
        return {tuple(point.attributes.values()): getattr(point, "value", None) or point for point in points}


@pytest.fixture
def told() -> Told:
    """A listener with the SDK behind it."""
    return Told()


def test_each_phase_is_a_span(told: Told) -> None:
    """A deployment is a span with a child for each phase entered, in order and without a gap."""
    cloud = SimCloud(CASE.plan, capacity=2, traffic=0)
    result = Deployment(CASE.plan, cloud, listeners=[told.listener]).run()
    *phases, whole = told.spans.get_finished_spans()
    assert whole.name == "bluegreen.deployment"
    assert whole.attributes is not None
    assert whole.attributes["bluegreen.end"] == "promoted"
    entered = [span.attributes["bluegreen.phase"] for span in phases if span.attributes]
    ways = [step.state.phase.value for step in result.history]
    assert entered == [phase for phase, before in zip(ways, [None, *ways], strict=False) if phase != before]
    for span, following in pairwise(phases):
        assert span.end_time == following.start_time
        assert span.parent is not None
        assert whole.context is not None
        assert span.parent.span_id == whole.context.span_id
    assert phases[-1].end_time == whole.end_time


def test_what_passes_bring_is_counted(told: Told) -> None:
    """Passes, commands and healthy instances are metrics; their numbers are those of the history."""
    cloud = SimCloud(CASE.plan, capacity=2, traffic=0)
    result = Deployment(CASE.plan, cloud, listeners=[told.listener]).run()
    assert sum(told.metric("bluegreen.passes").values()) == len(result.history)
    sent = sum(len(step.commands) for step in result.history)
    assert sum(told.metric("bluegreen.commands").values()) == sent
    assert told.metric("bluegreen.healthy")["green",] == 2
    assert told.metric("bluegreen.share")[()] == 100
    times = told.metric("bluegreen.phase.time")
    assert sum(point.sum for point in times.values()) == pytest.approx(result.ended - result.started)


def test_a_halt_is_an_error(told: Told) -> None:
    """The span of a halt has status ERROR, with the reason for it."""
    deployment = Deployment(CASE.plan, SimCloud(CASE.plan, capacity=2, traffic=0))
    step = deployment.advance()
    look = deployment.cloud.observe(CASE.plan, step.state.ledger)
    halted = attrs.evolve(step, state=step.state.replaced(phase=Phase.HALTED), reason="neither is safe")
    ended = attrs.evolve(step, state=step.state.replaced(phase=Phase.ROLLED_BACK))
    for each in (step, halted, ended):
        told.listener.stepped(each, look)
    spans = told.spans.get_finished_spans()
    errors = [span.status.description for span in spans if span.status.status_code is StatusCode.ERROR]
    assert errors == ["neither is safe"]


def test_without_an_sdk_nothing_happens() -> None:
    """With the API alone, as an application without telemetry has it, a deployment goes as ever."""
    cloud = SimCloud(CASE.plan, capacity=2, traffic=0)
    assert Deployment(CASE.plan, cloud, listeners=[OpenTelemetryListener()]).run().ok


def test_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without OpenTelemetry's API the error says which extra brings it."""
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(MissingExtra, match=r"pip install 'bluegreen\[otel\]'"):
        OpenTelemetryListener()
