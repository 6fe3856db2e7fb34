"""The load balancer's nodes, weights, health checks and registration: A1, A3, A6, A7, A9."""

from __future__ import annotations

from .fact import Fact, Off

BALANCER: tuple[Fact, ...] = (
    Fact(
        id="A6.10",
        says="One passing check makes a new target healthy, whatever the threshold.",
        page="alb health checks",
        test="tests/sim/test_balancer.py::test_one_passing_check_makes_a_new_target_healthy",
        off=Off(
            "checks:_checks_needed",
            lambda real: (
                lambda state, passed, settings: (
                    settings.healthy_threshold
                    if passed and state == "initial"
                    else real(state, passed, settings)
                )
            ),
        ),
    ),
)
