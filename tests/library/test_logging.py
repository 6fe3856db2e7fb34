"""A library configures nothing and prints nothing; whoever listens gets fields, not prose."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest
import structlog

import bluegreen_sim
from bluegreen import Deployment

RUN = "import bluegreen, bluegreen_sim as sim; assert bluegreen.Deployment(*sim.tutorial()).run().ok"


@pytest.mark.process
def test_a_deployment_prints_nothing() -> None:
    """Neither on stdout nor on stderr, in a process that configured no logging."""
    ran = subprocess.run([sys.executable, "-c", RUN], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_steps_arrive_in_the_standard_logging_with_their_fields(caplog: pytest.LogCaptureFixture) -> None:
    """With logging set up, each step is a record whose fields are attributes."""
    with caplog.at_level(logging.INFO, logger="bluegreen"):
        Deployment(*bluegreen_sim.tutorial()).run()
    phases = [getattr(record, "phase", None) for record in caplog.records if record.name == "bluegreen"]
    assert phases[0] == "scale_up"
    assert phases[-1] == "promoted"


def test_steps_go_through_the_applications_structlog() -> None:
    """With structlog configured by the application, its pipeline gets the events."""
    structlog.configure()  # what an application does
    try:
        with structlog.testing.capture_logs() as events:
            Deployment(*bluegreen_sim.tutorial()).run()
    finally:
        structlog.reset_defaults()
    assert {event["service"] for event in events} == {"exercise"}
    assert events[-1]["phase"] == "promoted"


def test_a_listener_that_fails_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """What a listener raises is logged, and the deployment goes on."""

    class Broken:
        def stepped(self, *_: object) -> None:
            raise RuntimeError("no line to the chat")

    with caplog.at_level(logging.WARNING, logger="bluegreen"):
        assert Deployment(*bluegreen_sim.tutorial(), listeners=[Broken()]).run().ok
    assert "listener failed" in caplog.text
