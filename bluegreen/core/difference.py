"""A picture against a look: the commands that are missing, and the conditions that are not met."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

from attrs import frozen

from .commands import (
    Attach,
    Command,
    CopySetting,
    CreateFleet,
    DeleteFleet,
    Detach,
    Freeze,
    PrepareVersion,
    SetBounds,
    SetShares,
    SetSize,
    SetTestShares,
    SetVersion,
    describe,
)
from .gates import Window
from .observation import Fleet, Health, Observation, Reading, Shares
from .plan import Plan
from .state import Loan, Phase, State
from .targets import FleetTarget, Target, want
from .text import counted
from .view import blue_carries, gates_for, green_healthy, green_serves, proven, rung, strays


@frozen
class Difference:
    """The settings that differ, as commands, in the one order that holds for every phase.

    Args:
        commands: Those whose precondition is observed; the others wait, and these go.
        settled: Whether nothing differs, waiting commands included.
    """

    commands: tuple[Command, ...]
    settled: bool


def difference(plan: Plan, state: State, target: Target, observation: Observation) -> Difference:
    """What is missing to the picture."""
    wishes = list(_wishes(plan, state, target, observation))
    return Difference(tuple([command for command, ready in wishes if ready]), not wishes)


@frozen
class _Scene:
    """All that a wish looks at."""

    plan: Plan
    state: State
    target: Target
    observation: Observation
    blue: Fleet
    green: Fleet

    @property
    def sides(self) -> tuple[tuple[Fleet, FleetTarget], ...]:
        """Both groups that exist, each with what is wanted of it."""
        both = ((self.blue, self.target.blue), (self.green, self.target.green))
        return tuple(side for side in both if side[0].exists)


Wish = tuple[Command, bool]
"""A command that would bring a setting, and whether its precondition is observed."""


def _wishes(plan: Plan, state: State, target: Target, observation: Observation) -> Iterator[Wish]:
    blue, green = observation.fleet(state.blue), observation.fleet(state.green)
    if blue is None or green is None:
        return
    scene = _Scene(plan, state, target, observation, blue, green)
    for stage in _ORDER:
        yield from stage(scene)


def _prepare(scene: _Scene) -> Iterator[Wish]:
    plan, state = scene.plan, scene.state
    image, source = plan.image, state.source  # a version that somebody else made has no image of ours
    if scene.target.prepare and state.version is None and source is not None and image is not None:
        template, token = plan.launch_template, state.ledger.deployment_id
        yield PrepareVersion(template=template, source=source, image=image, token=token), True


def _create(scene: _Scene) -> Iterator[Wish]:
    if scene.target.green.exists and not scene.green.exists:
        state, size = scene.state, scene.target.green.size or 0
        create = CreateFleet(
            fleet=scene.green.name,
            like=None if state.first_release else scene.blue.name,
            version=state.version or 0,
            min=size,
            max=max(size, scene.blue.max),
            size=size,
            token=state.ledger.deployment_id,
        )
        yield create, state.version is not None


def _point(scene: _Scene) -> Iterator[Wish]:
    for fleet, wanted in scene.sides:
        if wanted.version is not None and wanted.version != fleet.version:
            yield SetVersion(fleet=fleet.name, version=wanted.version), True


def _pin_and_grow(scene: _Scene) -> Iterator[Wish]:
    for fleet, wanted in scene.sides:
        if wanted.frozen and not fleet.frozen:
            yield Freeze(fleet=fleet.name, frozen=True), True
        for command, grows in _sizes(fleet, wanted):
            if grows:
                # Instances are launched of the pinned version only, and unproven ones not among users.
                pinned = fleet.name == scene.state.blue or fleet.version == wanted.version is not None
                yield command, pinned and not (wanted.attached is False and fleet.attached)


COPIES_A_PASS = 6
"""A group may have more settings than a pass may have calls."""


def _copy(scene: _Scene) -> Iterator[Wish]:
    """What would let green scale itself is given to it at full size: before, its count may be its share."""
    green, wanted = scene.green, scene.target.green
    if wanted.exists and green.exists and (wanted.size or 0) >= scene.state.need:
        for setting in green.lacks[:COPIES_A_PASS]:
            yield CopySetting(fleet=green.name, like=scene.blue.name, setting=setting), True


def _attach(scene: _Scene) -> Iterator[Wish]:
    green = scene.green
    if scene.target.green.attached and not green.attached and green.exists:
        enough = proven(scene.plan, scene.state) >= max(1, scene.target.proven)
        # Its count is its share: a green that somebody else has grown is corrected first.
        fits = green.desired <= (scene.target.green.size or 0)
        yield Attach(fleet=green.name), fits and (green.running == 0 or enough)


def _share(scene: _Scene) -> Iterator[Wish]:
    shares, wanted = scene.observation.shares, scene.target.shares
    if shares is None or wanted is None or shares.show(wanted):
        return
    green = scene.state.green
    if Shares(wanted).share(green) > shares.least(green):
        yield SetShares(weights=wanted), proven(scene.plan, scene.state) >= max(1, scene.target.proven)
    else:
        yield SetShares(weights=wanted), blue_carries(scene.state, scene.observation)


def _test(scene: _Scene) -> Iterator[Wish]:
    shares, wanted = scene.observation.test_shares, scene.target.test_shares
    if shares is not None and wanted is not None and not shares.show(wanted):
        # No user comes by a test rule; on the way forward testers meet a green that is proven.
        enough = proven(scene.plan, scene.state) >= scene.target.proven
        yield SetTestShares(weights=wanted), enough


def _detach(scene: _Scene) -> Iterator[Wish]:
    for fleet, wanted in scene.sides:
        if wanted.attached is False and fleet.attached:
            back = fleet.name == scene.state.green and scene.state.phase.backward
            left = back and blue_carries(scene.state, scene.observation)
            yield Detach(fleet=fleet.name), fleet.running == 0 or left


def _shrink(scene: _Scene) -> Iterator[Wish]:
    for fleet, wanted in scene.sides:
        for command, grows in _sizes(fleet, wanted):
            if not grows:
                yield command, isinstance(command, SetBounds) or _may_shrink(scene, fleet)
        if wanted.frozen is False and fleet.frozen:
            yield Freeze(fleet=fleet.name, frozen=False), True


def _delete(scene: _Scene) -> Iterator[Wish]:
    for fleet, wanted in scene.sides:
        if wanted.exists is False:
            yield DeleteFleet(fleet=fleet.name), fleet.running == 0 and fleet.desired == 0


_ORDER: tuple[Callable[[_Scene], Iterator[Wish]], ...] = (
    _prepare,
    _create,
    _point,
    _pin_and_grow,
    _copy,
    _attach,
    _share,
    _test,
    _detach,
    _shrink,
    _delete,
)


def _sizes(fleet: Fleet, wanted: FleetTarget) -> Iterator[Wish]:
    """(the command that brings size and bounds, whether it grows the group or lifts its minimum)."""
    low = fleet.min if wanted.min is None else wanted.min
    high = fleet.max if wanted.max is None else wanted.max
    if wanted.size is not None and wanted.size != fleet.desired:
        size = wanted.size
        yield (
            SetSize(fleet=fleet.name, size=size, min=min(low, size), max=max(high, size)),
            size > fleet.desired,
        )
    elif (low, high) != (fleet.min, fleet.max):
        yield SetBounds(fleet=fleet.name, min=low, max=high), low > fleet.min


def _may_shrink(scene: _Scene, fleet: Fleet) -> bool:
    """Instances go only where no request leads any more, and never the last that could carry."""
    plan, state, observation = scene.plan, scene.state, scene.observation
    if fleet.running == 0:
        return True
    if fleet.name == state.blue:
        shares = observation.shares
        unused = plan.shared or (shares is not None and shares.weight(fleet.name) == 0)
        return unused and green_healthy(state, observation) >= max(1, state.floor)
    if state.phase.forward:
        # A share that the rungs still divide by counts: green is corrected to its rung, not removed, and
        # not while it stands in for a blue that falls short.
        above = fleet.desired > plan.green_size(rung(plan, state).percent, state.need)
        return plan.shared and above and (not fleet.attached or blue_carries(state, observation))
    drained = not plan.shared or fleet.draining == 0
    kept = blue_carries(state, observation) or state.first_release  # of a first release, back is to nothing
    return not green_serves(plan, state, observation) and drained and kept


def missing(plan: Plan, state: State, target: Target, observation: Observation) -> Iterator[str]:
    """What the world still owes to the picture: one clause each, with numbers."""
    if target.prepare and state.version is None:
        yield "the template version is not there yet"
    if target.proven and (count := proven(plan, state)) < target.proven:
        yield _proof(state, target, observation, count)
    if target.test_shares is not None and observation.test_shares is None:
        yield "the test rules are not there any more"
    if target.gone is not None:
        fleet = observation.fleet(target.gone)
        if fleet is not None and fleet.exists and fleet.running:
            draining = f", {fleet.draining} draining" if fleet.draining else ""
            yield f"{counted(fleet.running, 'instance')} of {fleet.name} left{draining}"


class Clause(NamedTuple):
    """One who does not yet agree to the picture.

    Args:
        kind: Who: a check, a window that is shut, or a person.
        words: The sentence for people. Checks have a say in it, so nothing is decided by it.
    """

    kind: Literal["gate", "window", "approval"]
    words: str


def asked(plan: Plan, state: State, target: Target, observation: Observation) -> Iterator[Clause]:
    """Which checks and persons do not yet agree to the picture: one clause each."""
    if target.gates:
        yield from gates_not_passed(plan, state, observation)
    if target.approval and state.approved < state.rung:
        yield Clause("approval", f"rung {state.rung + 1} ({rung(plan, state).percent} %) waits for approval")


def gates_not_passed(plan: Plan, state: State, observation: Observation) -> Iterator[Clause]:
    """The phase's gates that do not pass: absent, without data, pending or failed."""
    for gate in gates_for(plan, state.phase):
        reading = observation.reading(gate.name)
        if reading is None:
            yield Clause("gate", f"gate {gate.name} was not read")
        elif reading.reading is not Reading.PASS:
            shut = isinstance(gate, Window) and reading.reading is Reading.PENDING
            word = f"window {gate.name} is closed" if shut else f"gate {gate.name}: {reading.reading.value}"
            words = f"{word} ({reading.detail})" if reading.detail else word
            yield Clause("window" if shut else "gate", words)


def _proof(state: State, target: Target, observation: Observation, count: int) -> str:
    green = observation.fleet(state.green)
    healthy = green_healthy(state, observation)
    words = f"{healthy} of {target.proven} green targets healthy, {count} proven"
    if green is None or healthy >= target.proven:
        return words
    if green.launch_error:
        return f"{words} (launch failed: {green.launch_error})"
    if strange := strays(state, green):
        return f"{words} ({strange} of another version)"
    sick = next((t for t in green.targets if t.health is Health.UNHEALTHY), None)
    return f"{words} ({sick.id}: {sick.reason or 'unhealthy'})" if sick else words


def owed(plan: Plan, state: State, observation: Observation) -> tuple[str, ...]:
    """What the picture of ``clean_up`` or ``discard`` still lacks, and what others changed after us."""
    target = want(plan, state, observation)
    left = [describe(command) for command, _ in _wishes(plan, state, target, observation)]
    left += missing(plan, state, target, observation)
    left += _changed_by_others(state, observation)
    return tuple(left)


def _changed_by_others(state: State, observation: Observation) -> Iterator[str]:
    for loan in state.ledger.loans:
        if loan.setting == "test_weight" and loan.written:
            yield from _test_changed_by_others(loan, observation)
        if state.phase is not Phase.DISCARD:
            continue
        fleet = observation.fleet(loan.fleet)
        if fleet is None or not fleet.exists or loan.setting not in ("min", "max", "version"):
            continue
        now = getattr(fleet, loan.setting)
        if loan.foreign(now):
            yield f"{loan.setting} of {loan.fleet} is {now}, was {loan.before}: changed by others, left alone"


def _test_changed_by_others(loan: Loan, observation: Observation) -> Iterator[str]:
    shown = observation.test_shares
    if shown is None:
        yield f"the test rules are gone, weight of {loan.fleet} was {loan.before}"
    elif foreign := [weight for weight in shown.seen(loan.fleet) if loan.foreign(weight)]:
        now = f"test weight of {loan.fleet} is {foreign[0]}, was {loan.before}"
        yield f"{now}: changed by others, left alone"
