"""What a look says of the two colours: the few numbers on which everything decides."""

from __future__ import annotations

from .gates import Alarm, Gate, Hook, MetricGate, Probe, Window
from .observation import Fleet, Observation
from .plan import Plan, Rung
from .state import Phase, State


def proven(plan: Plan, state: State) -> int:
    """Instances of green's pinned version with enough looks in a row, over enough time."""
    limits = plan.limits
    return sum(
        len(sighting.ids)
        for sighting in state.sightings
        if sighting.looks >= limits.proof_looks and sighting.span >= limits.proof_seconds
    )


def green_healthy(state: State, observation: Observation) -> int:
    """Healthy instances of green that run the pinned version; others never count."""
    green = observation.fleet(state.green)
    return len(green.healthy_of(state.version)) if green and state.version is not None else 0


def blue_healthy(state: State, observation: Observation) -> int:
    """Healthy instances of blue."""
    blue = observation.fleet(state.blue)
    return blue.healthy if blue else 0


def green_serves(plan: Plan, state: State, observation: Observation) -> bool:
    """Whether users reach green."""
    if plan.shared:
        green = observation.fleet(state.green)
        return bool(green and green.attached and green.running)
    return observation.shares is not None and observation.shares.weight(state.green) > 0


def blue_carries(state: State, observation: Observation) -> bool:
    """Whether users are better off on blue: it covers the floor, or green has nobody and blue somebody.

    Of a first release there is nothing to go back to but an empty service, which beats a dead one.
    """
    blue, green = blue_healthy(state, observation), green_healthy(state, observation)
    return blue >= max(state.floor, 1) or (green == 0 and (blue > 0 or state.first_release))


def percent(plan: Plan, state: State) -> int:
    """The share that green is allowed in the state's phase."""
    if state.phase in (Phase.SHIFT, Phase.BAKE):
        return rung(plan, state).percent
    if state.phase in (Phase.KEEP_BLUE, Phase.DRAIN, Phase.CLEAN_UP):
        return 100
    return 0


def last_rung(plan: Plan, state: State) -> bool:
    """Whether no rung is left. A first release has nobody to share with: it takes the last rung only."""
    return state.first_release or state.rung == len(plan.rungs) - 1


def rung(plan: Plan, state: State) -> Rung:
    """The current rung."""
    return plan.rungs[-1] if state.first_release else plan.rungs[state.rung]


def watch(plan: Plan, state: State) -> int:
    """Own seconds that strategy and balancer ask the phase to last."""
    match state.phase:
        case Phase.TEST_TRAFFIC if plan.test_rules:
            return plan.limits.settle_seconds
        case Phase.BAKE:
            return rung(plan, state).bake_seconds
        case Phase.KEEP_BLUE:
            return plan.strategy.keep_blue_seconds
        case Phase.DRAIN if not state.first_release:
            watched = plan.rungs[-1].bake_seconds + plan.strategy.keep_blue_seconds
            unsettled = 0 if plan.shared else plan.limits.settle_seconds - watched
            return max(state.delays.sticky_seconds, unsettled)
        case Phase.DISCARD:
            # Who came to green while it had a share may be kept there, or led there by a node that lags.
            loan = state.ledger.loan(state.green, "weight")
            users = max(state.delays.sticky_seconds, plan.limits.settle_seconds)
            kept = 0 if state.let_go else plan.keep_failed_green_seconds
            return max(kept, users if loan and any(loan.written) else 0)
        case Phase.CLEAN_UP if plan.fleets == "replace" and not state.first_release:
            return plan.retain_seconds
        case _:
            return 0


def strays(state: State, green: Fleet) -> int:
    """Instances of green that are of another version than the pinned one: others had launched them."""
    return sum([target.version != state.version for target in green.targets])


def unseen_seconds(plan: Plan, state: State) -> int:
    """For how long a green that is not seen may yet come into view: none but one that was just created.

    Once it was seen it has been told its size, on the way back at the latest.
    """
    created, told = (state.ledger.loan(state.green, setting) for setting in ("exists", "size"))
    return plan.limits.settle_seconds if created and not told else 0


def settling(plan: Plan, state: State) -> bool:
    """Whether test requests may still be led elsewhere by a node that lags: what they meet says nothing."""
    return state.phase is Phase.TEST_TRAFFIC and state.elapsed < watch(plan, state)


def gates_asked(plan: Plan, state: State) -> tuple[Gate, ...]:
    """The gates that are asked in the look after this state."""
    return () if settling(plan, state) else gates_for(plan, state.phase)


_WATCHED = (Phase.BAKE, Phase.KEEP_BLUE)
"""The phases in which gates watch what users get of green."""


def gates_for(plan: Plan, phase: Phase) -> tuple[Gate, ...]:
    """The gates that must pass before the phase is left forward."""
    return tuple(gate for gate in plan.gates if _asked(gate, phase))


def _asked(gate: Gate, phase: Phase) -> bool:
    match gate:
        case Alarm() | Window():
            return phase in (Phase.PREFLIGHT, Phase.TEST_TRAFFIC, *_WATCHED)
        case MetricGate():
            return phase in _WATCHED
        case Probe(url=url, test=test):
            # Before users are there, only asking each instance directly, or a test rule, reaches green.
            reaches = test or "{instance}" in url
            return phase in _WATCHED or (phase is Phase.TEST_TRAFFIC and reaches)
        case Hook():
            return gate.waits(phase.value)
