"""A pass costs the same calls whatever the size of the fleets, but for pages."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from bluegreen import Deployment
from bluegreen.aws import AwsCloud
from bluegreen.core.state import Phase
from bluegreen_sim import Settings, SimCloud
from bluegreen_sim.endpoint import session
from tests.contract.providers import plan_for

pytestmark = [pytest.mark.contract, pytest.mark.slow]

PAGED = {"DescribeInstanceStatus"}
"""What takes 100 instances a call, and is asked for before green is behind the shared target group."""
QUICK = Settings(boot_seconds=(5,), deregistration_seconds=10)


def calls(routing: str, size: int) -> tuple[dict[str, set[tuple[str, ...]]], int]:
    """By phase the calls that passes made, and the most pages that one look took."""
    plan = plan_for(routing)
    world = SimCloud(plan, capacity=size, traffic=0, settings=QUICK)
    made = session(world)
    cloud, asked = AwsCloud(made, clock=world.clock), Counter[str]()
    for services in (cloud.clients.read, cloud.clients.write):
        for service in ("autoscaling", "elbv2", "ec2", "cloudwatch"):
            events = getattr(services, service).meta.events
            events.register(f"before-call.{service_id(services, service)}", _counting(asked))
    found: dict[str, set[tuple[str, ...]]] = {}
    pages, phase = 0, Phase.PREFLIGHT.value
    try:
        for step in Deployment(plan, cloud).steps():
            pages = max(pages, *(asked[name] for name in PAGED))
            for name in PAGED & set(asked):
                asked[name] = 1
            found.setdefault(phase, set()).add(tuple(sorted(asked.elements())))
            phase = step.state.phase.value
            asked.clear()
    finally:
        cloud.close()
    assert phase == Phase.PROMOTED.value
    return found, pages


def service_id(services: Any, service: str) -> str:
    """What botocore's events call a service."""
    return str(getattr(services, service).meta.service_model.service_id.hyphenize())


def _counting(asked: Counter[str]) -> Any:
    def count(model: Any, **_: Any) -> None:
        asked[model.name] += 1

    return count


@pytest.mark.parametrize(("routing", "a_pass"), [("weighted", 4), ("shared", 2)])
def test_five_hundred_and_five_hundred_cost_what_two_and_two_cost(routing: str, a_pass: int) -> None:
    """A whole deployment of 500 instances onto 500 makes, phase by phase, the calls of one of 2."""
    small, _ = calls(routing, 2)
    large, pages = calls(routing, 500)
    assert large == small
    assert max(len(made) for made in large["bake"]) == a_pass
    assert (pages > 0) is (routing == "shared"), "with weights the balancer judges, whoever has a share"
    assert pages <= 2 * 5, "100 statuses a call, in the look and in the guard's"
