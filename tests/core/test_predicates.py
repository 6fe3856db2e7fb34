"""Where each promise begins and where it ends: both sides of every bound that a predicate has."""

from __future__ import annotations

import attrs
import pytest

from bluegreen.core.commands import (
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
    SetVersion,
)
from bluegreen.core.gates import Alarm
from bluegreen.core.invariants import INVARIANTS, broken_by_command
from bluegreen.core.observation import GateReading, Observation, Reading, Shares
from bluegreen.core.predicates import guarded, serving, serving_after
from bluegreen.core.state import Ledger, Loan, Phase, Sighting, State, Step
from bluegreen.strategies import canary
from tests.core.looks import BLUE, GREEN, SHARED, look, plan, state, targets

BY_ID = {invariant.id: invariant for invariant in INVARIANTS}
ONE, UP, SICK = targets("g", 2, 1), targets("g", 2, 2), targets("g", 2, unhealthy=2)
CORPSE, LAME = targets("b", 1, unhealthy=2), targets("b", 1, 1, unhealthy=1)
SHIFT, BAKE, KEEP = state(Phase.SHIFT), state(Phase.BAKE), state(Phase.KEEP_BLUE, rung=1)
BACK, DRAIN = state(Phase.ROLL_BACK), state(Phase.DRAIN, committed=True)
SHARED_PLAN = {"routing": SHARED, "strategy": canary(34, 60)}
"""Of 4 beside 4, 34 % are 2."""


def shares(blue: int, green: int) -> SetShares:
    """Weights of both groups."""
    return SetShares(weights=((BLUE, blue), (GREEN, green)))


def size(fleet: str, count: int, low: int = 0, high: int = 9) -> SetSize:
    """A group's size, with wide bounds."""
    return SetSize(fleet=fleet, size=count, min=low, max=high)


def bounds(fleet: str, low: int, high: int) -> SetBounds:
    """A group's bounds."""
    return SetBounds(fleet=fleet, min=low, max=high)


def created(count: int) -> CreateFleet:
    """Green made like blue."""
    return CreateFleet(fleet=GREEN, like=BLUE, version=2, min=count, max=9, size=count, token="web-1")


def without(fleet: str, seen: Observation) -> Observation:
    """A look that does not know a group."""
    return attrs.evolve(seen, fleets=tuple(f for f in seen.fleets if f.name != fleet))


ATTACH, DETACH, DELETE = Attach(fleet=GREEN), Detach(fleet=GREEN), DeleteFleet(fleet=GREEN)
POINT = SetVersion(fleet=GREEN, version=2)

# ------------------------------------------------------------------------------------ who serves

MIXED = look(blue=targets("b", 1, 3, unhealthy=1), green=targets("g", 2, 2, draining=1), share=50)

AFTER = [
    (shares(50, 50), 5),
    (shares(99, 1), 5),
    (shares(1, 99), 5),
    (shares(0, 100), 2),
    (shares(100, 0), 3),
    (size(BLUE, 4), 5),
    (size(BLUE, 3), 4),
    (size(BLUE, 0), 2),
    (size(GREEN, 5), 5),
    (size(GREEN, 2), 5),
    (size(GREEN, 1), 4),
    (bounds(BLUE, 0, 9), 5),
    (bounds(BLUE, 0, 4), 5),
    (bounds(BLUE, 0, 3), 4),
    (bounds(BLUE, 0, 0), 2),
    (bounds(GREEN, 0, 1), 4),
    (DeleteFleet(fleet=BLUE), 2),
    (Detach(fleet=BLUE), 2),
    (DETACH, 3),
    (ATTACH, 5),
]


@pytest.mark.parametrize(("command", "left"), AFTER, ids=[str(row[0]) for row in AFTER])
def test_the_worst_instances_are_thought_to_go(command: Command, left: int) -> None:
    """Of three and two that serve, so many are left if the cloud takes healthy ones wherever it can."""
    assert serving(plan(), MIXED) == 5
    assert serving_after(plan(), MIXED, command) == left


def test_who_serves_is_told_by_weights_or_by_attachment() -> None:
    """Weights count where there are some, attachment where all stand behind one target group."""
    shared = plan(**SHARED_PLAN)
    apart = attrs.evolve(MIXED, shares=None)
    assert (serving(shared, apart), serving(plan(), apart)) == (5, 0)
    assert serving_after(shared, apart, shares(0, 100)) == 5
    detached = look(green=UP, share=None, blue_attached=False)
    assert serving(shared, detached) == serving_after(shared, detached, DeleteFleet(fleet=BLUE)) == 2
    assert serving(plan(), look(green=UP, share=0)) == 2
    assert serving(plan(), look(green=UP, share=1)) == 4
    assert serving_after(plan(), look(green=UP, share=0), DELETE) == 2


@pytest.mark.parametrize(
    ("command", "looked"),
    [
        (shares(50, 50), True),
        (ATTACH, True),
        (DETACH, True),
        (DELETE, True),
        (size(BLUE, 1), True),
        (size(BLUE, 2), False),
        (bounds(BLUE, 1, 4), False),
        (POINT, False),
    ],
    ids=str,
)
def test_the_guard_looks_before_what_moves_or_removes(command: Command, looked: bool) -> None:  # noqa: FBT001
    """What only adds needs no second look."""
    assert guarded(command, look()) is looked


# ----------------------------------------------------------------------------------- of commands

FOUR = {"need": 4, "floor": 4}
HUNDRED = {"need": 100, "floor": 100}
GROWING = look(green=UP, share=None)
LAGGING = attrs.evolve(
    look(green=SICK), shares=Shares(((BLUE, 90), (GREEN, 10)), others=(((BLUE, 100), (GREEN, 0)),))
)
HAD_SHARE = Ledger("web-1", (Loan(BLUE, "weight", 80), Loan(GREEN, "weight", 20)))
WAS_NARROW = Ledger("web-1", (Loan(BLUE, "min", 1), Loan(BLUE, "max", 3)))
WAS_WIDE = Ledger("web-1", (Loan(BLUE, "min", 3), Loan(BLUE, "max", 5)))
UNKNOWN = Ledger("web-1", (Loan(BLUE, "min", None), Loan(BLUE, "max", None)))
FREE = state(Phase.BAKE, ledger=Ledger("web-1"))
OVERGROWN = look(green=targets("g", 2, 4), share=100)

# (promise, plan, state, look, command, whether it may go)
COMMANDS = [
    ("S1", {}, BAKE, look(), size(BLUE, 2), True),
    ("S1", {}, BAKE, look(), size(BLUE, 1), False),
    ("S1", {}, BAKE, look(blue=LAME), size(BLUE, 0), True),
    ("S2", {}, SHIFT, look(green=UP, share=10), shares(0, 100), True),
    ("S2", {}, SHIFT, look(green=ONE, share=10), shares(50, 50), True),
    ("S2", {}, SHIFT, look(green=ONE, share=10), shares(49, 51), False),
    ("S2", {}, state(Phase.SHIFT, floor=0), look(green=SICK), shares(90, 10), False),
    ("S2", {}, SHIFT, look(blue=CORPSE, green=ONE, share=10), shares(0, 100), True),
    ("S2", {}, SHIFT, look(blue=LAME, green=ONE, share=10), shares(0, 100), False),
    ("S2", {}, SHIFT, look(blue=CORPSE, green=SICK, share=10), shares(0, 100), False),
    ("S2", {}, state(Phase.SHIFT, first_release=True), look(blue=(), share=0), shares(0, 100), True),
    ("S2", {}, SHIFT, look(blue=CORPSE, green=UP, share=10), shares(50, 50), True),
    ("S2", {}, BACK, look(green=SICK, share=50), shares(100, 0), True),
    ("S2", {}, BACK, look(blue=CORPSE, green=UP, share=50), shares(100, 0), False),
    ("S2", {}, BACK, look(blue=LAME, green=SICK, share=50), shares(100, 0), True),
    ("S2", {}, BACK, without(BLUE, look(green=UP, share=50)), shares(100, 0), False),
    ("S2", {}, attrs.evolve(BACK, floor=1), without(BLUE, look(green=UP, share=50)), shares(100, 0), False),
    ("S2", {}, SHIFT, LAGGING, shares(90, 10), False),
    ("S2", {}, SHIFT, look(green=SICK, share=None), shares(90, 10), True),
    ("S2", {}, SHIFT, look(green=SICK), POINT, True),
    ("S3", {}, SHIFT, look(green=UP), shares(90, 10), True),
    ("S3", {}, SHIFT, look(green=UP), shares(89, 11), False),
    ("S3", {}, state(Phase.SHIFT, ledger=HAD_SHARE), look(green=UP), shares(80, 20), True),
    ("S3", {}, state(Phase.SHIFT, ledger=HAD_SHARE), look(green=UP), shares(79, 21), False),
    ("S3", {}, BACK, look(green=UP, share=10), shares(100, 0), True),
    ("S3", {}, BACK, look(green=UP, share=10), shares(100, 1), False),
    ("S3", SHARED_PLAN, state(Phase.SHIFT, **FOUR), GROWING, ATTACH, True),
    (
        "S3",
        SHARED_PLAN,
        state(Phase.SHIFT, **FOUR),
        look(green=targets("g", 2, 3), share=None),
        ATTACH,
        False,
    ),
    ("S3", SHARED_PLAN, state(Phase.SHIFT, **FOUR, rung=1), look(green=targets("g", 2, 5)), ATTACH, True),
    ("S3", SHARED_PLAN, state(Phase.SCALE_UP, **FOUR), look(green=ONE, share=None), ATTACH, False),
    (
        "S3",
        {"routing": SHARED, "strategy": canary(1)},
        state(Phase.SHIFT, **FOUR),
        look(green=ONE),
        ATTACH,
        True,
    ),
    ("S3", SHARED_PLAN, BACK, GROWING, ATTACH, True),
    ("S3", SHARED_PLAN, state(Phase.SHIFT, **FOUR), look(blue=targets("b", 1, 4)), Attach(fleet=BLUE), True),
    ("S3", SHARED_PLAN, SHIFT, without(GREEN, GROWING), ATTACH, False),
    ("S3", SHARED_PLAN, state(Phase.SHIFT, **FOUR), GROWING, size(GREEN, 2), True),
    ("S3", SHARED_PLAN, state(Phase.SHIFT, **FOUR), GROWING, size(GREEN, 3), False),
    (
        "S3",
        SHARED_PLAN,
        state(Phase.SHIFT, **FOUR),
        look(green=UP, green_attached=False),
        size(GREEN, 4),
        True,
    ),
    ("S3", SHARED_PLAN, state(Phase.SHIFT, **FOUR, rung=1), GROWING, size(GREEN, 6), True),
    ("S3", SHARED_PLAN, state(Phase.SCALE_UP, **HUNDRED), look(green=ONE), size(GREEN, 1), True),
    ("S3", SHARED_PLAN, state(Phase.SCALE_UP, **HUNDRED), look(green=ONE), size(GREEN, 2), False),
    ("S3", SHARED_PLAN, state(Phase.SCALE_UP, **HUNDRED), GROWING, size(GREEN, 2), True),
    ("S3", SHARED_PLAN, state(Phase.SCALE_UP, **HUNDRED), GROWING, size(GREEN, 3), False),
    ("S3", SHARED_PLAN, state(Phase.SHIFT, **FOUR), GROWING, size(BLUE, 9), True),
    ("S3", SHARED_PLAN, state(Phase.ROLL_BACK, **FOUR), GROWING, size(GREEN, 9), True),
    ("S3", SHARED_PLAN, state(Phase.SHIFT, **FOUR), without(GREEN, GROWING), size(GREEN, 4), True),
    ("S3", {}, SHIFT, look(green=UP), size(GREEN, 9), True),
    ("S3", {}, SHIFT, look(green=UP), POINT, True),
    ("S4", SHARED_PLAN, state(Phase.SHIFT, proven=0), look(share=None), ATTACH, True),
    ("S4", SHARED_PLAN, state(Phase.SHIFT, proven=1), look(green=ONE, share=None), ATTACH, True),
    ("S4", SHARED_PLAN, state(Phase.SHIFT, proven=1), look(green=SICK, share=None), ATTACH, False),
    ("S4", SHARED_PLAN, state(Phase.SHIFT, proven=0), GROWING, ATTACH, False),
    ("S4", SHARED_PLAN, SHIFT, without(GREEN, GROWING), ATTACH, False),
    ("S4", SHARED_PLAN, state(Phase.SHIFT, proven=0), GROWING, POINT, True),
    ("S5", {}, FREE, look(), size(BLUE, 4), False),
    ("S5", {}, attrs.evolve(FREE, committed=True), look(), size(BLUE, 4), True),
    ("S5", {}, attrs.evolve(FREE, first_release=True), look(), size(BLUE, 4), True),
    ("S5", {}, FREE, look(), size(GREEN, 4), True),
    ("S5", {}, FREE, look(), shares(100, 0), True),
    ("S5", {}, FREE, without(BLUE, look()), bounds(BLUE, 2, 4), False),
    ("S5", {}, FREE, look(), bounds(BLUE, 2, 4), True),
    ("S5", {}, FREE, look(), bounds(BLUE, 1, 4), False),
    ("S5", {}, FREE, look(), bounds(BLUE, 2, 3), False),
    ("S5", {}, state(Phase.BAKE, ledger=UNKNOWN), look(), bounds(BLUE, 2, 4), True),
    ("S5", {}, state(Phase.BAKE, ledger=UNKNOWN), look(), bounds(BLUE, 1, 4), False),
    ("S5", {}, state(Phase.BAKE, ledger=WAS_NARROW), look(), bounds(BLUE, 1, 3), True),
    ("S5", {}, state(Phase.BAKE, ledger=WAS_NARROW), look(), bounds(BLUE, 0, 3), False),
    ("S5", {}, state(Phase.BAKE, ledger=WAS_NARROW), look(), bounds(BLUE, 1, 2), False),
    ("S5", {}, state(Phase.BAKE, ledger=WAS_WIDE), look(), bounds(BLUE, 2, 4), True),
    ("S5", {}, FREE, look(), Detach(fleet=BLUE), False),
    ("S5", {}, FREE, look(), DeleteFleet(fleet=BLUE), False),
    ("S5", {}, FREE, look(), attrs.evolve(created(2), fleet=BLUE), False),
    ("S5", {}, FREE, look(), Attach(fleet=BLUE), True),
    ("S7", {}, BAKE, look(), DELETE, True),
    ("S7", {}, BAKE, look(green=ONE, green_desired=0), DELETE, False),
    ("S7", {}, BAKE, look(green_desired=1), DELETE, False),
    ("S7", {}, BAKE, without(GREEN, look()), DELETE, False),
    ("S7", {}, BAKE, look(), size(BLUE, 2), True),
    ("S7", {}, BAKE, look(), size(BLUE, 1), False),
    ("S7", {}, BAKE, look(blue=(), blue_desired=2), size(BLUE, 0), True),
    ("S7", {}, BAKE, look(blue=targets("b", 1, 1)), size(BLUE, 0), False),
    ("S7", {}, BAKE, without(BLUE, look()), size(BLUE, 2), False),
    ("S7", {}, DRAIN, look(green=UP, share=100), size(BLUE, 0), True),
    ("S7", {}, KEEP, look(green=UP, share=100), size(BLUE, 0), False),
    ("S7", {}, DRAIN, look(green=UP, share=99), size(BLUE, 0), False),
    ("S7", {}, DRAIN, look(green=UP, share=None), size(BLUE, 0), False),
    ("S7", SHARED_PLAN, DRAIN, look(green=UP, share=None), size(BLUE, 0), True),
    ("S7", {}, DRAIN, look(green=ONE, share=100), size(BLUE, 0), False),
    ("S7", {}, attrs.evolve(DRAIN, floor=1), look(green=ONE, share=100), size(BLUE, 0), True),
    ("S7", {}, attrs.evolve(DRAIN, floor=0), look(green=SICK, share=100), size(BLUE, 0), False),
    ("S7", SHARED_PLAN, BACK, look(green=UP, share=None, green_attached=False), size(GREEN, 0), True),
    ("S7", SHARED_PLAN, BACK, GROWING, size(GREEN, 1), False),
    ("S7", SHARED_PLAN, SHIFT, GROWING, size(GREEN, 1), True),
    ("S7", SHARED_PLAN, SHIFT, GROWING, size(GREEN, 0), False),
    ("S7", {}, BACK, look(green=UP, share=0), size(GREEN, 0), True),
    ("S7", {}, SHIFT, OVERGROWN, size(GREEN, 2), True),
    ("S7", {}, SHIFT, OVERGROWN, size(GREEN, 1), False),
    ("S7", {}, BACK, look(green=UP, share=None), size(GREEN, 0), False),
    ("S7", SHARED_PLAN, SHIFT, look(share=None), DETACH, True),
    ("S7", SHARED_PLAN, SHIFT, GROWING, DETACH, False),
    ("S7", SHARED_PLAN, BACK, GROWING, DETACH, True),
    ("S7", SHARED_PLAN, BACK, GROWING, Detach(fleet=BLUE), False),
    ("S7", SHARED_PLAN, BACK, without(GREEN, GROWING), DETACH, False),
    ("S7", {}, BAKE, look(), POINT, True),
    ("S9", {}, SHIFT, look(green=UP, share=10), shares(90, 10), True),
    ("S9", {}, SHIFT, look(green=UP, share=10), shares(91, 9), False),
    ("S9", {}, BACK, look(green=UP, share=10), shares(90, 10), True),
    ("S9", {}, BACK, look(green=UP, share=10), shares(89, 11), False),
    ("S9", {}, SHIFT, look(green=UP, share=None), shares(100, 0), True),
    ("S9", {}, SHIFT, look(green=UP, share=10), POINT, True),
    ("S14", {}, BAKE, look(), shares(90, 10), True),
    ("S14", {}, BAKE, look(), SetShares(weights=((BLUE, 1),)), False),
    ("S14", {}, BAKE, look(), SetShares(weights=((BLUE, 1), (GREEN, 1), ("another", 1))), False),
    ("S15", {}, BAKE, look(), shares(0, 999), True),
    ("S15", {}, BAKE, look(), shares(0, 1000), False),
    ("S15", {}, BAKE, look(), shares(-1, 10), False),
    ("S15", {}, BAKE, look(), shares(1, 0), True),
    ("S15", {}, BAKE, look(), SetTestShares(weights=((BLUE, 0), (GREEN, 999))), True),
    ("S15", {}, BAKE, look(), SetTestShares(weights=((BLUE, 0), (GREEN, 0))), True),
    ("S15", {}, BAKE, look(), SetTestShares(weights=((BLUE, 0), (GREEN, 1000))), False),
    ("S15", {}, BAKE, look(), SetTestShares(weights=((BLUE, -1), (GREEN, 1))), False),
    ("S15", {}, BAKE, without(GREEN, look()), created(2), True),
    ("S15", {}, BAKE, without(GREEN, look()), created(3), False),
    ("S15", {}, state(Phase.BAKE, need=0), without(GREEN, look()), created(1), False),
    ("S15", {}, BAKE, look(green_desired=5), size(GREEN, 5), True),
    ("S15", {}, BAKE, look(green_desired=5), size(GREEN, 6), False),
    ("S15", {}, BAKE, look(), size(GREEN, 0), True),
    ("S15", {}, BAKE, look(), size(GREEN, 1, low=2), False),
    ("S15", {}, BAKE, look(), size(GREEN, 2, low=2, high=2), True),
    ("S15", {}, BAKE, look(), size(GREEN, 2, high=1), False),
    ("S15", {}, BAKE, look(), bounds(GREEN, 0, 0), True),
    ("S15", {}, BAKE, look(), bounds(GREEN, -1, 0), False),
    ("S15", {}, BAKE, look(), bounds(GREEN, 1, 0), False),
    ("S15", {}, BAKE, look(), POINT, True),
    ("S17", {}, BAKE, look(unread=("weights",)), size(BLUE, 1), False),
    ("S17", {}, BAKE, look(unread=("weights",)), size(BLUE, 2), True),
    ("S17", {}, BAKE, look(), size(BLUE, 1), True),
]


@pytest.mark.parametrize(
    ("promise", "wanted", "now", "seen", "command", "may"),
    COMMANDS,
    ids=[f"{row[0]} {row[4]}" for row in COMMANDS],
)
def test_a_command_may_go_up_to_the_bound(
    promise: str,
    wanted: dict[str, object],
    now: State,
    seen: Observation,
    command: Command,
    may: bool,  # noqa: FBT001
) -> None:
    """The promise says yes or no, and nothing between, on each side of its bounds."""
    assert BY_ID[promise].command(plan(**wanted), now, seen, command) is may


def test_the_first_promise_that_a_command_breaks_is_named() -> None:
    """The guard's answer is the promise itself, or none."""
    assert broken_by_command(plan(), BAKE, look(), size(BLUE, 1)) is BY_ID["S1"]
    assert broken_by_command(plan(), BAKE, look(), POINT) is None


def test_a_promise_that_says_nothing_of_commands_or_steps_holds_of_all() -> None:
    """S8 is about steps only, and S1 about commands only."""
    assert BY_ID["S8"].command(plan(), BAKE, look(), DELETE)
    assert BY_ID["S1"].step(plan(), BAKE, look(), Step(BAKE, (DELETE,), "", 100.0, "wait"))


# -------------------------------------------------------------------------------------- of steps


def to(before: State, phase: Phase, *commands: Command, signal: str = "reached", **changes: object) -> Step:
    """A step into ``phase``."""
    return Step(attrs.evolve(before, phase=phase, **changes), commands, "", 100.0, signal)


WHOLE = look(green=UP, share=100)
BAKED = look(green=UP, share=10)
UNSEEN = {"unread": ("weights",)}
KEPT = {"strategy": canary(10, 60, keep_blue_seconds=60)}
LONGER = {"strategy": canary(10, 60, keep_blue_seconds=61)}
APART = (Sighting(frozenset({"i-g0"}), 2, 5.0), Sighting(frozenset({"i-g1"}), 2, 6.0))
YOUNG = (Sighting(frozenset({"i-g0"}), 2, 5.0), Sighting(frozenset({"i-g1"}), 1, 5.0))
BRIEF = (Sighting(frozenset({"i-g0"}), 2, 5.0), Sighting(frozenset({"i-g1"}), 2, 4.0))
GATED = {"gates": (Alarm(name="5xx"),)}
PASSED = attrs.evolve(BAKED, gates=(GateReading(name="5xx", reading=Reading.PASS),))
FAILED = attrs.evolve(BAKED, gates=(GateReading(name="5xx", reading=Reading.NO_DATA),))
ONLY = state(Phase.BAKE, need=1, floor=1)
HALTED, HALTED_BACK = (
    state(Phase.HALTED, came_from=Phase.BAKE),
    state(Phase.HALTED, came_from=Phase.ROLL_BACK),
)
DISCARD = state(Phase.DISCARD)
SHARED_UP = state(Phase.SCALE_UP, need=4, proven=1)

# (promise, plan, state before, look, step, whether it may be taken)
STEPS = [
    ("S4", {}, BACK, look(), to(BACK, Phase.DISCARD), True),
    ("S4", {}, BAKE, BAKED, to(BAKE, Phase.ROLL_BACK), True),
    ("S4", {}, BAKE, BAKED, to(BAKE, Phase.SHIFT), True),
    ("S4", {}, BAKE, attrs.evolve(BAKED, **UNSEEN), to(BAKE, Phase.SHIFT), False),
    ("S4", {}, BAKE, without(GREEN, BAKED), to(BAKE, Phase.SHIFT), False),
    ("S4", {}, ONLY, look(green=ONE, share=10), to(ONLY, Phase.SHIFT), True),
    ("S4", {}, attrs.evolve(BAKE, need=0), BAKED, to(BAKE, Phase.SHIFT, need=0), False),
    ("S4", {}, BAKE, BAKED, to(BAKE, Phase.SHIFT, sightings=APART), True),
    ("S4", {}, BAKE, BAKED, to(BAKE, Phase.SHIFT, sightings=YOUNG), False),
    ("S4", {}, BAKE, BAKED, to(BAKE, Phase.SHIFT, sightings=BRIEF), False),
    ("S4", SHARED_PLAN, SHARED_UP, look(green=UP), to(SHARED_UP, Phase.TEST_TRAFFIC), False),
    ("S4", GATED, BAKE, PASSED, to(BAKE, Phase.SHIFT), True),
    ("S4", GATED, BAKE, FAILED, to(BAKE, Phase.SHIFT), False),
    ("S5", KEPT, KEEP, WHOLE, to(KEEP, Phase.DRAIN, committed=True), True),
    ("S5", LONGER, KEEP, WHOLE, to(KEEP, Phase.DRAIN, committed=True), False),
    ("S5", LONGER | {"on_blue_sick": "expedite"}, KEEP, WHOLE, to(KEEP, Phase.DRAIN, committed=True), True),
    ("S5", LONGER, DRAIN, look(), to(DRAIN, Phase.DRAIN), True),
    ("S5", LONGER, KEEP, look(), to(KEEP, Phase.ROLL_BACK), True),
    ("S5", {}, KEEP, attrs.evolve(WHOLE, **UNSEEN), to(KEEP, Phase.DRAIN, committed=True), False),
    ("S5", {}, KEEP, without(GREEN, WHOLE), to(KEEP, Phase.DRAIN, committed=True), False),
    ("S5", {}, BAKE, WHOLE, to(BAKE, Phase.DRAIN, committed=True), False),
    ("S5", {}, KEEP, look(green=UP, share=None), to(KEEP, Phase.DRAIN, committed=True), False),
    ("S5", SHARED_PLAN, KEEP, look(green=UP, share=None), to(KEEP, Phase.DRAIN, committed=True), True),
    (
        "S5",
        SHARED_PLAN,
        KEEP,
        look(green=UP, share=None, green_attached=False),
        to(KEEP, Phase.DRAIN, committed=True),
        False,
    ),
    ("S5", {}, KEEP, WHOLE, to(KEEP, Phase.DRAIN, committed=True, need=3), False),
    (
        "S5",
        {},
        attrs.evolve(KEEP, floor=1),
        look(green=ONE, share=100),
        to(KEEP, Phase.DRAIN, committed=True, need=1),
        True,
    ),
    ("S5", {}, KEEP, look(green=ONE, share=100), to(KEEP, Phase.DRAIN, committed=True, need=1), False),
    (
        "S5",
        {},
        attrs.evolve(KEEP, floor=0),
        look(green=SICK, share=100),
        to(KEEP, Phase.DRAIN, committed=True, need=0),
        False,
    ),
    ("S6", {}, BAKE, look(blue=CORPSE, green=UP, share=0), to(BAKE, Phase.ROLL_BACK), True),
    ("S6", {}, BAKE, look(blue=CORPSE, green=UP, share=1), to(BAKE, Phase.ROLL_BACK, signal="resume"), False),
    (
        "S6",
        {},
        HALTED,
        look(blue=CORPSE, green=UP, share=1),
        to(HALTED, Phase.ROLL_BACK, signal="abort"),
        False,
    ),
    (
        "S6",
        {},
        HALTED_BACK,
        look(blue=CORPSE, green=UP, share=1),
        to(HALTED, Phase.ROLL_BACK, signal="resume"),
        True,
    ),
    ("S6", {}, BACK, look(blue=CORPSE, green=UP, share=1), to(BACK, Phase.ROLL_BACK), True),
    ("S8", {}, DISCARD, look(green_version=1), to(DISCARD, Phase.ROLLED_BACK), True),
    ("S8", {}, DISCARD, look(green=UP), to(DISCARD, Phase.ROLLED_BACK, leftovers=("web-b",)), True),
    ("S8", {}, DISCARD, look(green=UP), to(DISCARD, Phase.ROLLED_BACK), False),
    ("S8", {}, DISCARD, look(green=UP), to(DISCARD, Phase.DISCARD), True),
    ("S8", {}, state(Phase.ROLLED_BACK), look(green=UP), to(DISCARD, Phase.ROLLED_BACK), True),
    ("S9", {}, BAKE, BAKED, to(BAKE, Phase.SHIFT), True),
    ("S9", {}, BAKE, BAKED, to(BAKE, Phase.ROLL_BACK), True),
    ("S9", {}, BACK, BAKED, to(BACK, Phase.DISCARD), True),
    ("S9", {}, BACK, BAKED, to(BACK, Phase.DRAIN, committed=True), False),
    ("S9", {}, HALTED, BAKED, to(HALTED, Phase.BAKE), True),
    ("S9", {}, HALTED, BAKED, to(HALTED, Phase.SHIFT), False),
    ("S9", {}, HALTED, BAKED, to(HALTED, Phase.ROLL_BACK), True),
    ("S9", {}, HALTED_BACK, BAKED, to(HALTED, Phase.ROLL_BACK), True),
    ("S9", {}, HALTED_BACK, BAKED, to(HALTED, Phase.SHIFT), False),
    ("S9", {}, HALTED_BACK, BAKED, to(HALTED, Phase.DRAIN, committed=True), False),
    ("S9", {}, DRAIN, WHOLE, to(DRAIN, Phase.CLEAN_UP), True),
    ("S9", {}, DRAIN, WHOLE, to(DRAIN, Phase.CLEAN_UP, committed=False), False),
    ("S9", {}, DRAIN, WHOLE, to(DRAIN, Phase.BAKE), False),
    ("S15", {}, BAKE, BAKED, to(BAKE, Phase.BAKE, *[POINT] * 12), True),
    ("S15", {}, BAKE, BAKED, to(BAKE, Phase.BAKE, *[POINT] * 13), False),
    ("S15", {}, BAKE, BAKED, to(BAKE, Phase.SHIFT), True),
    ("S17", {}, BAKE, look(**UNSEEN), to(BAKE, Phase.BAKE), True),
    ("S17", {}, BAKE, look(**UNSEEN), to(BAKE, Phase.BAKE, POINT), False),
    ("S17", {}, BAKE, look(**UNSEEN), to(BAKE, Phase.HALTED), True),
    ("S17", {}, state(Phase.PREFLIGHT), look(**UNSEEN), to(BAKE, Phase.REFUSED), True),
    ("S17", {}, HALTED, look(**UNSEEN), to(HALTED, Phase.BAKE), True),
    ("S17", {}, BAKE, look(**UNSEEN), to(BAKE, Phase.ROLL_BACK), False),
    ("S17", {}, BAKE, BAKED, to(BAKE, Phase.ROLL_BACK, POINT), True),
]


@pytest.mark.parametrize(
    ("promise", "wanted", "before", "seen", "step", "may"),
    STEPS,
    ids=[f"{row[0]} {row[2].phase.value} to {row[4].state.phase.value}" for row in STEPS],
)
def test_a_step_may_be_taken_up_to_the_bound(
    promise: str,
    wanted: dict[str, object],
    before: State,
    seen: Observation,
    step: Step,
    may: bool,  # noqa: FBT001
) -> None:
    """The promise says yes or no on each side of its bounds."""
    assert bool(BY_ID[promise].step(plan(**wanted), before, seen, step)) is may


def test_a_version_is_made_of_the_plan_and_for_this_deployment() -> None:
    """S14: the template, the image and the token are told apart from all others."""
    sound = PrepareVersion(template="web-template", source=1, image="ami-2", token="web-1")
    assert BY_ID["S14"].command(plan(), BAKE, look(), sound)
    for change in ({"template": "another"}, {"image": "ami-3"}, {"token": "web-2"}):
        assert not BY_ID["S14"].command(plan(), BAKE, look(), attrs.evolve(sound, **change))
