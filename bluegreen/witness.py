"""Gathering what a green leaves behind, before it goes; whatever that meets, the way back goes on."""

from __future__ import annotations

import attrs

from .core.evidence import Evidence, asked_first, sick
from .core.observation import Observation
from .core.plan import Plan
from .core.state import State
from .core.text import escaped
from .logs import logger
from .ports import Witness

CONSOLES = 3
"""How many instances are asked for their console: equal instances fail alike."""


def gather(plan: Plan, state: State, turned: Observation, *, ask: Witness | None) -> Evidence:
    """What green leaves behind.

    Args:
        plan: Says how many lines of a console are kept.
        state: Where the deployment stands; no user is on green any more.
        turned: The look on which it turned back: behind a shared target group the balancer knows none of
            green's instances now, and an instance that was replaced since still has its console.
        ask: What the cloud tells; None where it tells nothing.
    """
    green = turned.fleet(state.green)
    found = Evidence(fleet=str(state.green))
    instances = asked_first(green)[:CONSOLES] if plan.console_lines else ()
    try:
        found = found if ask is None else ask(found.fleet, instances, plan.console_lines)
    except Exception as error:  # noqa: BLE001  (what only tells of a failure must not keep us from mending it)
        logger().warning("evidence failed", service=plan.service, error=str(error))
        found = attrs.evolve(found, unread=(escaped(f"{type(error).__name__}: {error}", 300),))
    return attrs.evolve(found, targets=sick(green))
