"""The predicates behind the promises of ``invariants.py``: True when the promise holds.

Those of a command take the look it is about to be sent on; those of a step the state before it.
"""

from __future__ import annotations

from fractions import Fraction

from .commands import (
    Attach,
    Command,
    CreateFleet,
    DeleteFleet,
    Detach,
    PrepareVersion,
    SetBounds,
    SetShares,
    SetSize,
    SetTestShares,
)
from .difference import owed
from .observation import Fleet, Observation, Reading, Shares
from .plan import Plan
from .state import FORWARD, Phase, State, Step
from .view import blue_carries, gates_for, green_healthy, green_serves, percent, proven, rung


def guarded(command: Command, observation: Observation) -> bool:
    """Whether a command moves users or removes something: then the guard takes its own look first."""
    match command:
        case SetShares() | Attach() | Detach() | DeleteFleet():
            return True
        case SetSize(fleet=name, size=size):
            fleet = observation.fleet(name)
            return fleet is None or size < fleet.desired
        case _:
            return False


def _serving_share(plan: Plan, observation: Observation, fleet: Fleet) -> bool:
    if plan.shared:
        return fleet.attached
    return observation.shares is not None and observation.shares.weight(fleet.name) > 0


def serving(plan: Plan, observation: Observation) -> int:
    """Healthy instances that users are sent to."""
    return sum(f.healthy for f in observation.fleets if _serving_share(plan, observation, f))


def serving_after(plan: Plan, observation: Observation, command: Command) -> int:
    """The same after the command, if the cloud chooses the worst instances to end."""
    total = 0
    for fleet in observation.fleets:
        serves, healthy = _serving_share(plan, observation, fleet), fleet.healthy
        match command:
            case SetShares(weights=weights) if not plan.shared:
                serves = Shares(weights).weight(fleet.name) > 0
            case Detach(fleet=name) | DeleteFleet(fleet=name) if name == fleet.name:
                serves = False
            case SetSize(fleet=name, size=size) if name == fleet.name:
                healthy -= min(healthy, max(0, fleet.running - fleet.draining - size))
            case SetBounds(fleet=name, max=high) if name == fleet.name:
                healthy -= min(healthy, max(0, fleet.desired - high))
        total += healthy if serves else 0
    return total


def s1(plan: Plan, state: State, observation: Observation, command: Command) -> bool:
    before = serving(plan, observation)
    return before < state.floor or serving_after(plan, observation, command) >= state.floor


def s2(plan: Plan, state: State, observation: Observation, command: Command) -> bool:
    if not isinstance(command, SetShares) or observation.shares is None:
        return True
    after = Shares(command.weights)
    healthy = {state.green: green_healthy(state, observation)}
    blue = observation.fleet(state.blue)
    healthy[state.blue] = blue.healthy if blue else 0
    for name, other in ((state.green, state.blue), (state.blue, state.green)):
        if after.share(name) <= observation.shares.least(name):
            continue
        covers = healthy[name] >= 1 and healthy[name] >= after.share(name) * state.floor
        # From a colour that has nobody, any change is none for the worse.
        if not covers and not (healthy[other] == 0 and (healthy[name] > 0 or state.first_release)):
            return False
    return True


def s3(plan: Plan, state: State, observation: Observation, command: Command) -> bool:
    allowed = percent(plan, state)
    match command:
        case SetShares(weights=weights):
            if state.phase.backward:
                return Shares(weights).share(state.green) <= _pre_image(state).share(state.green)
            return Shares(weights).share(state.green) <= max(
                Fraction(allowed, 100), _pre_image(state).share(state.green)
            )
        case Attach(fleet=fleet) if fleet == state.green and state.phase in FORWARD:
            green = observation.fleet(fleet)
            if green is None or allowed == 0:
                return False
            return allowed == 100 or green.desired <= plan.green_size(allowed, state.need)
        case SetSize(fleet=fleet, size=size) if (
            fleet == state.green and plan.shared and state.phase in FORWARD
        ):
            green = observation.fleet(fleet)
            if green is None or not green.attached or allowed == 100:
                return True
            # Who shrinks asks for no share, however large the group was found.
            return size <= max(green.desired, plan.green_size(allowed or 1, state.need))
        case _:
            return True


def _pre_image(state: State) -> Shares:
    return Shares(tuple((x.fleet, x.before or 0) for x in state.ledger.loans if x.setting == "weight"))


ONWARD = {
    Phase.SCALE_UP: (Phase.TEST_TRAFFIC,),
    Phase.TEST_TRAFFIC: (Phase.SHIFT,),
    Phase.SHIFT: (Phase.BAKE,),
    Phase.BAKE: (Phase.SHIFT, Phase.KEEP_BLUE),
    Phase.KEEP_BLUE: (Phase.DRAIN,),
}


def s4(plan: Plan, before: State, observation: Observation, step: Step) -> bool:
    if step.state.phase not in ONWARD.get(before.phase, ()):
        return True
    state = step.state
    share = percent(plan, before) or rung(plan, before).percent
    size = plan.green_size(share, state.need)
    limits = plan.limits
    green = observation.fleet(state.green)
    if observation.unread or green is None or size < 1:
        return False
    now = green.healthy_of(state.version)
    steady: set[str] = set()
    for sighting in state.sightings:
        if sighting.looks >= limits.proof_looks and sighting.span >= limits.proof_seconds:
            steady |= sighting.ids & now
    readings = [observation.reading(gate.name) for gate in gates_for(plan, before.phase)]
    return len(steady) >= size and all(r is not None and r.reading is Reading.PASS for r in readings)


def s4_attach(plan: Plan, state: State, observation: Observation, command: Command) -> bool:
    """Nothing unproven is put before users."""
    if not isinstance(command, Attach):
        return True
    fleet = observation.fleet(command.fleet)
    return fleet is not None and (
        fleet.running == 0 or (proven(plan, state) > 0 and green_healthy(state, observation) > 0)
    )


def s5(plan: Plan, state: State, observation: Observation, command: Command) -> bool:
    if state.committed or getattr(command, "fleet", None) != state.blue or state.first_release:
        return True
    blue = observation.fleet(state.blue)
    if blue is None:
        return False
    low = state.ledger.loan(state.blue, "min")
    high = state.ledger.loan(state.blue, "max")
    match command:
        case SetSize():
            return False
        case SetBounds(min=least, max=most):
            kept_low = low.before if low and low.before is not None else blue.min
            kept_high = high.before if high and high.before is not None else blue.max
            return least >= min(kept_low, blue.min) and most >= min(kept_high, blue.max)
        case Detach() | DeleteFleet() | CreateFleet():
            return False
        case _:
            return True


def s5_commit(plan: Plan, before: State, observation: Observation, step: Step) -> bool:
    if before.committed or not step.state.committed:
        return True
    green = observation.fleet(before.green)
    if green is None or observation.unread or before.phase is not Phase.KEEP_BLUE:
        return False
    share = (
        green.attached
        if plan.shared
        else observation.shares is not None and observation.shares.least(before.green) == 1
    )
    healthy = green_healthy(step.state, observation)
    kept = step.state.clock - before.since >= plan.strategy.keep_blue_seconds
    expedited = plan.on_blue_sick == "expedite"
    return share and healthy >= max(1, step.state.need, before.floor) and (kept or expedited)


def s6(plan: Plan, before: State, observation: Observation, step: Step) -> bool:
    if step.state.phase is Phase.HALTED and step.commands:
        return False
    if step.state.phase is Phase.ROLL_BACK and before.phase is not Phase.ROLL_BACK:
        if before.phase is Phase.HALTED and step.signal == "resume":
            return True
        return not green_serves(plan, before, observation) or blue_carries(before, observation)
    return True


def s7(plan: Plan, state: State, observation: Observation, command: Command) -> bool:
    match command:
        case DeleteFleet(fleet=name):
            fleet = observation.fleet(name)
            return fleet is not None and fleet.running == 0 and fleet.desired == 0
        case SetSize(fleet=name, size=size):
            fleet = observation.fleet(name)
            if fleet is None:
                return False
            if size >= fleet.desired or fleet.running == 0:
                return True
            if name == state.blue:
                moved = plan.shared or (
                    observation.shares is not None and observation.shares.weight(name) == 0
                )
                return state.committed and moved and green_healthy(state, observation) >= max(1, state.floor)
            if plan.shared:
                # Inside a share that rungs still divide, green may only be corrected, not removed.
                return not fleet.attached or (state.phase in FORWARD and size > 0)
            return observation.shares is not None and (
                observation.shares.weight(name) == 0 or size >= state.need
            )
        case Detach(fleet=name):
            fleet = observation.fleet(name)
            return fleet is not None and (
                fleet.running == 0 or (name == state.green and state.phase.backward)
            )
        case _:
            return True


def s8(plan: Plan, before: State, observation: Observation, step: Step) -> bool:
    if step.state.phase not in (Phase.PROMOTED, Phase.ROLLED_BACK) or before.phase.ended:
        return True
    return not owed(plan, before, observation) or bool(step.state.leftovers)


def s9(plan: Plan, state: State, observation: Observation, command: Command) -> bool:
    if not isinstance(command, SetShares) or observation.shares is None:
        return True
    now, then = observation.shares.share(state.green), Shares(command.weights).share(state.green)
    return then <= now if state.phase.backward else then >= now


def s9_phases(plan: Plan, before: State, observation: Observation, step: Step) -> bool:
    onward = step.state.phase in FORWARD
    if before.committed:
        return step.state.committed and not onward and not step.state.phase.backward
    if before.phase.backward or (
        before.phase is Phase.HALTED and before.came_from and before.came_from.backward
    ):
        return not onward and not step.state.committed
    if before.phase is Phase.HALTED and onward:
        return step.state.phase is before.came_from
    return True


def s14(plan: Plan, state: State, observation: Observation, command: Command) -> bool:
    match command:
        case PrepareVersion(template=template, image=image, token=token):
            return (template, image, token) == (plan.launch_template, plan.image, state.ledger.deployment_id)
        case SetTestShares() if not plan.test_rules:
            return False
        case SetShares(weights=weights) | SetTestShares(weights=weights):
            return {name for name, _ in weights} == set(plan.groups)
        case _:
            return command.fleet in plan.groups


CALLS_PER_PASS = 12


def s15(plan: Plan, state: State, observation: Observation, command: Command) -> bool:
    match command:
        case SetShares(weights=weights):
            # ELB: a weight is 0 to 999; with all at 0 nobody is served (API reference, TargetGroupTuple).
            return (
                all(0 <= weight <= 999 for _, weight in weights) and sum(weight for _, weight in weights) > 0
            )
        case SetTestShares(weights=weights):  # at rest they may lead nowhere
            return all(0 <= weight <= 999 for _, weight in weights)
        case (
            SetSize(fleet=name, min=low, max=high, size=size)
            | CreateFleet(fleet=name, min=low, max=high, size=size)
        ):
            fleet = observation.fleet(name)
            now = fleet.desired if fleet else 0
            return 0 <= low <= size <= high and size <= max(now, state.need)
        case SetBounds(min=low, max=high):
            return 0 <= low <= high
        case _:
            return True


def s15_calls(plan: Plan, before: State, observation: Observation, step: Step) -> bool:
    return len(step.commands) <= CALLS_PER_PASS and not (
        step.commands and step.state.phase is not before.phase
    )


def s17(plan: Plan, state: State, observation: Observation, command: Command) -> bool:
    return not observation.unread or not guarded(command, observation)


def s17_step(plan: Plan, before: State, observation: Observation, step: Step) -> bool:
    if not observation.unread:
        return True
    return not step.commands and step.state.phase in (
        before.phase,
        Phase.HALTED,
        Phase.REFUSED,
        before.came_from,
    )
