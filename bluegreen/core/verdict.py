"""What speaks against green: a gate that is red, or a green that cannot carry its share."""

from __future__ import annotations

from .observation import Observation, Reading
from .plan import Plan
from .state import Phase, State
from .view import green_healthy, green_serves, percent

SICK_LOOKS = 4
"""Bad looks in a row after which a green behind a shared target group counts as sick. The others serve in its
place meanwhile, and a stale look shows what up to three looks before it showed: none of them may turn back a
green that has been proven since."""


def red_gates(plan: Plan, state: State, observation: Observation) -> str | None:
    named, before = {gate.name for gate in plan.gates}, dict(state.reds)
    words = []
    for reading in observation.gates:
        was = before.get(reading.name)
        if reading.name not in named:
            continue
        if reading.reading is Reading.FAIL:
            words.append(f"{reading.name}{f' ({reading.detail})' if reading.detail else ''}")
        elif was is not None and reading.last_red is not None and reading.last_red > was:
            words.append(f"{reading.name} (red between two looks, now {reading.reading.value})")
    return f"gate red: {', '.join(words)}" if words else None


def last_reds(observation: Observation) -> tuple[tuple[str, float], ...]:
    """(alarm, when it was last red) of each alarm of which that is known."""
    return tuple([(r.name, r.last_red) for r in observation.gates if r.last_red is not None])


def falls_short(plan: Plan, state: State, observation: Observation) -> bool:
    """Whether this look shows a green behind the shared target group that cannot carry its share."""
    return plan.shared and shortfall(plan, state, observation) is not None


def shortfall(plan: Plan, state: State, observation: Observation) -> str | None:
    """Why green cannot carry its share, if it cannot.

    Behind its own target group (weights) the share does not fail over: what is missing fails. Behind a
    shared one the others take over: only a bad verdict counts, and only against the share that is held. On
    the way to a higher rung, newcomers that the balancer has never found healthy are unproven, not sick.
    """
    green = observation.fleet(state.green)
    if green is None or not green_serves(plan, state, observation):
        return None
    healthy = green_healthy(state, observation)
    if plan.shared:
        climbing = state.phase is Phase.SHIFT and state.rung > 0 and not state.first_release
        held = plan.rungs[state.rung - 1].percent if climbing else percent(plan, state)
        asked = min(plan.green_size(held, max(1, state.baseline)), -(-held * state.floor // 100))
        enough = green.unhealthy == 0 or healthy >= max(1, asked)
    else:
        assert observation.shares is not None
        share = observation.shares.share(state.green)
        enough = healthy > 0 and healthy >= share * state.floor
    if enough:
        return None
    ailing = ", ".join(
        f"{t.id}: {t.reason or 'unhealthy'}" for t in green.targets if t.health.value == "unhealthy"
    )
    return f"green cannot carry its share: {healthy} healthy, {green.unhealthy} unhealthy" + (
        f" ({ailing})" if ailing else ""
    )
