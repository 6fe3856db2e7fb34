"""Worlds behind HAProxy in which something is live, and what is seen when they have come to rest."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bluegreen import Health, Observation, Plan, WeightedTargetGroups
from bluegreen.core.state import Ledger
from tests.contract.providers import IMAGES, LIVE
from tests.e2e.haproxy.cloud import Clock, Group, HaproxyCloud
from tests.e2e.haproxy.proxy import Proxy

REST_SECONDS = 20


@contextmanager
def haproxy(
    plan: Plan,
    *,
    live: int | None = 0,
    capacity: int = 2,
    groups_exist: bool = True,
    speed: float = 1,
    **options: Any,
) -> Iterator[HaproxyCloud]:
    """A machine with HAProxy on which one of the plan's groups is live and well; with None, none is.

    Args:
        plan: Whose groups there are.
        live: Index of the live group.
        capacity: Its processes.
        groups_exist: Whether there are groups at all.
        speed: How many seconds of the cloud's clock pass in one of the wall's.
        options: More of ``HaproxyCloud``'s.
    """
    routing = plan.routing
    backends = routing.target_groups if isinstance(routing, WeightedTargetGroups) else (routing.target_group,)
    groups = {
        name: Group(
            1,
            low=capacity if index == live else 0,
            high=2 * capacity,
            size=capacity if index == live else 0,
            attached=not plan.shared or index == live,
        )
        for index, name in enumerate(plan.groups)
        if groups_exist
    }
    cloud = HaproxyCloud(
        plan=plan,
        proxy=Proxy(backends, share=100 if live == 1 else 0),
        images={*IMAGES},
        groups=groups,
        versions=[(LIVE, "")],
        clock=Clock(speed),
        **options,
    )
    try:
        rest(cloud)
        yield cloud
    finally:
        cloud.close()


def rest(cloud: HaproxyCloud, token: str = "") -> Observation:
    """What is seen when nothing starts, is judged or drains any more."""
    until = time.monotonic() + REST_SECONDS
    while not at_rest(look := cloud.observe(cloud.plan, Ledger(token))):
        assert time.monotonic() < until, f"no rest within {REST_SECONDS} s: {look}"
        time.sleep(0.02)
    return look


def at_rest(look: Observation) -> bool:
    """Whether all that exists is wanted, and has a verdict."""
    return not look.unread and all(
        fleet.running == fleet.desired
        and not any(target.health in (Health.INITIAL, Health.DRAINING) for target in fleet.targets)
        for fleet in look.fleets
    )
