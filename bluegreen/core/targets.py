"""A phase is a picture of the world: settings that commands make true, conditions that only the world can.

``want`` paints the picture; ``difference.py`` compares it with a look. Every pass can be repeated: what is
already so is not asked for again.
"""

from __future__ import annotations

from attrs import frozen

from .observation import Fleet, Observation
from .plan import Plan
from .state import Phase, State
from .view import percent, rung, strays, unseen_seconds, watch


@frozen(kw_only=True)
class FleetTarget:
    """Settings of one group; None is not ours to say."""

    exists: bool | None = None
    version: int | None = None
    size: int | None = None
    min: int | None = None
    max: int | None = None
    attached: bool | None = None
    frozen: bool | None = None


NOTHING = FleetTarget()


@frozen(kw_only=True)
class Target:
    """What a phase wants to see.

    Args:
        prepare: The new template version exists.
        blue: Blue's settings.
        green: Green's settings.
        shares: The weights, for both groups; None when they are not ours to say.
        test_shares: The same of the plan's test rules.
        proven: Instances of green that must be proven.
        gone: The group that must have no instance left.
        seconds: Own time that must have passed in the phase.
        gates: Whether the plan's gates for the phase must pass.
        approval: Whether a person must have approved the rung.
    """

    prepare: bool = False
    blue: FleetTarget = NOTHING
    green: FleetTarget = NOTHING
    shares: tuple[tuple[str, int], ...] | None = None
    test_shares: tuple[tuple[str, int], ...] | None = None
    proven: int = 0
    gone: str | None = None
    seconds: int = 0
    gates: bool = False
    approval: bool = False


def want(plan: Plan, state: State, observation: Observation) -> Target:
    """The picture that the state's phase wants to see.

    Args:
        plan: What is wanted in all.
        state: Where the deployment stands.
        observation: A complete look; ends and ``halted`` want nothing.
    """
    blue, green = observation.fleet(state.blue), observation.fleet(state.green)
    assert blue is not None, "a look without a group is blind, and compared with no picture"
    assert green is not None, "a look without a group is blind, and compared with no picture"
    match state.phase:
        case Phase.SCALE_UP | Phase.TEST_TRAFFIC:
            size = plan.green_size(rung(plan, state).percent, state.need)
            return Target(
                prepare=True,
                blue=_pinned(plan, state, blue),
                green=_grown(plan, state, green, size, attached=False),
                shares=_before(state) if not plan.shared else None,
                test_shares=_tested(plan, state),
                proven=size,
                seconds=watch(plan, state),
                gates=state.phase is Phase.TEST_TRAFFIC,
            )
        case Phase.SHIFT | Phase.BAKE | Phase.KEEP_BLUE:
            return _shifted(plan, state, blue, green)
        case Phase.DRAIN:
            seconds = watch(plan, state)
            stays = state.first_release or state.elapsed < seconds
            return Target(
                blue=NOTHING if stays else FleetTarget(size=0, min=0, max=blue.max),
                green=_grown(plan, state, green, state.need, attached=True),
                shares=_divided(plan, state, 100),
                gone=None if state.first_release else state.blue,  # the idle group was never ours
                seconds=seconds,
            )
        case Phase.CLEAN_UP:
            return _promoted(plan, state, observation, blue, green)
        case Phase.ROLL_BACK:
            return Target(
                blue=_pinned(plan, state, blue),
                green=FleetTarget(attached=False if plan.shared else None),
                shares=None if plan.shared else _before(state),
            )
        case Phase.DISCARD:
            return _discarded(plan, state, observation, blue, green)
        case _:
            return Target()


def _shifted(plan: Plan, state: State, blue: Fleet, green: Fleet) -> Target:
    share = percent(plan, state)
    size = plan.green_size(share, state.need)
    here = rung(plan, state)
    sick = blue.healthy < state.floor and plan.on_blue_sick == "expedite"
    return Target(
        blue=_pinned(plan, state, blue),
        green=_grown(plan, state, green, size, attached=True),
        shares=_divided(plan, state, share),
        test_shares=_tested(plan, state),
        proven=size,
        seconds=0 if sick else watch(plan, state),
        gates=True,
        approval=state.phase is Phase.BAKE and here.approval,
    )


def _pinned(plan: Plan, state: State, blue: Fleet) -> FleetTarget:
    """Blue whole, an instant way back: it may grow, not shrink."""
    if state.first_release:
        return NOTHING
    low = max(blue.min, state.need)
    return FleetTarget(min=low, max=max(blue.max, low), frozen=plan.freeze_scaling or None)


def _grown(plan: Plan, state: State, green: Fleet, size: int, *, attached: bool) -> FleetTarget:
    """Green at ``size``. Full-size it may be larger; behind a shared group its count is its share."""
    exact = plan.shared and state.phase.forward and percent(plan, state) < 100
    size = size if exact else max(size, green.desired)
    # Who scales in may end one of ours instead of a stray.
    needed = state.need if state.version is None else state.need + strays(state, green)
    low = size if exact else max(green.min, min(size, needed))
    return FleetTarget(
        exists=True,
        version=state.version,
        size=size,
        min=low,
        max=max(green.max, size),
        attached=attached if plan.shared else None,
        frozen=plan.freeze_scaling or None,
    )


def _divided(plan: Plan, state: State, share: int) -> tuple[tuple[str, int], ...] | None:
    if plan.shared:
        return None
    return tuple((name, share if name == state.green else 100 - share) for name in plan.groups)


def _tested(plan: Plan, state: State) -> tuple[tuple[str, int], ...] | None:
    """All test requests to green, before the first user comes and as long as there is a way back."""
    return _divided(plan, state, 100) if plan.test_rules else None


def _untested(state: State, observation: Observation) -> tuple[tuple[str, int], ...] | None:
    """Where test requests went before; None where they are not ours to say, or somebody else did after us."""
    shown = observation.test_shares
    loans = [loan for loan in state.ledger.loans if loan.setting == "test_weight"]
    if shown is None or any(loan.foreign(weight) for loan in loans for weight in shown.seen(loan.fleet)):
        return None
    return _before(state, "test_weight") or None


def _before(state: State, setting: str = "weight") -> tuple[tuple[str, int], ...]:
    return tuple((loan.fleet, loan.before or 0) for loan in state.ledger.loans if loan.setting == setting)


def _given_back(state: State, fleet: Fleet, setting: str, value: int) -> int | None:
    """The value before we changed it; None where we did not, or somebody else did after us."""
    loan = state.ledger.loan(fleet.name, setting)
    return None if loan is None or loan.foreign(value) else loan.before


def _thawed(state: State, fleet: Fleet) -> bool | None:
    before = _given_back(state, fleet, "frozen", int(fleet.frozen))
    return None if before is None else bool(before)


def _promoted(plan: Plan, state: State, observation: Observation, blue: Fleet, green: Fleet) -> Target:
    """Roles swap: green gets the bounds that blue had, blue those of the idle group."""
    shares, tested = _divided(plan, state, 100), _untested(state, observation)
    if state.first_release:
        thawed = FleetTarget(frozen=_thawed(state, green))
        return Target(green=thawed, shares=shares, test_shares=tested)
    replaced = plan.fleets == "replace"
    # A green that is made like a blue whose owner had suspended its scaling stays suspended as well.
    thaws = state.ledger.loan(green.name, "exists") is None or state.ledger.loan(blue.name, "frozen")
    low, high, idle_high = (
        loan.before if loan else None
        for loan in (
            state.ledger.loan(blue.name, "min"),
            state.ledger.loan(blue.name, "max"),
            state.ledger.loan(green.name, "max"),
        )
    )
    return Target(
        blue=FleetTarget(
            exists=False if replaced and state.elapsed >= plan.retain_seconds else None,
            size=0,
            min=0,
            max=blue.max if replaced or idle_high is None else idle_high,
            attached=False if plan.shared and not replaced else None,
            frozen=_thawed(state, blue),
        ),
        green=FleetTarget(
            min=None if low is None else min(low, green.desired),
            max=None if high is None else max(high, green.desired),
            frozen=_thawed(state, green) if thaws else None,
        ),
        shares=shares,
        test_shares=tested,
        gone=blue.name,
        seconds=watch(plan, state),
    )


def _discarded(plan: Plan, state: State, observation: Observation, blue: Fleet, green: Fleet) -> Target:
    """Everything as it was: green as we found it (or gone, if we made it), blue's bounds as they were."""
    made, seconds = state.ledger.loan(green.name, "exists"), watch(plan, state)
    attached = _given_back(state, green, "attached", int(green.attached))
    return Target(
        blue=FleetTarget(
            min=_given_back(state, blue, "min", blue.min),
            max=_given_back(state, blue, "max", blue.max),
            frozen=_thawed(state, blue),
        ),
        green=NOTHING
        if state.elapsed < seconds
        else FleetTarget(
            exists=False if made else None,
            size=0 if green.exists else None,
            min=0 if made else _given_back(state, green, "min", green.min),
            max=None if made else _given_back(state, green, "max", green.max),
            version=None if made else _given_back(state, green, "version", green.version or 0),
            attached=None if attached is None or made or not green.exists else bool(attached),
            frozen=None if made else _thawed(state, green),
        ),
        shares=None if plan.shared else _before(state),
        # Who looks at a green that is kept comes by them.
        test_shares=None if state.elapsed < seconds else _untested(state, observation),
        gone=green.name,
        seconds=seconds if green.exists else max(seconds, unseen_seconds(plan, state)),
    )
