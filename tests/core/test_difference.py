"""A picture against a look: which commands are missing, which of them wait, and what else is owed."""

from __future__ import annotations

import attrs
import pytest

from bluegreen.core.commands import (
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
from bluegreen.core.difference import asked, difference, missing, owed
from bluegreen.core.evidence import asked_first, sick
from bluegreen.core.gates import Alarm, Window
from bluegreen.core.observation import Fleet, GateReading, Health, Observation, Reading, Shares, TargetHealth
from bluegreen.core.plan import TemplateVersion
from bluegreen.core.state import Ledger, Loan, Phase, State
from bluegreen.core.targets import FleetTarget, Target
from bluegreen.strategies import canary, side_by_side
from tests.core.looks import BLUE, GREEN, SHARED, look, plan, state, targets

ONE, UP, SICK = targets("g", 2, 1), targets("g", 2, 2), targets("g", 2, unhealthy=2)
LAME, CORPSE = targets("b", 1, 1, unhealthy=1), targets("b", 1, unhealthy=2)
SHIFT, BACK, DRAIN = state(Phase.SHIFT), state(Phase.ROLL_BACK), state(Phase.DRAIN, committed=True)
SIDE = {"routing": SHARED, "strategy": side_by_side()}
THIRD = {"routing": SHARED, "strategy": canary(34, 60)}
"""Of 4 beside 4, 34 % are 2."""

PREPARE = PrepareVersion(template="web-template", source=1, image="ami-2", token="web-1")
CREATE = CreateFleet(fleet=GREEN, like=BLUE, version=2, min=3, max=4, size=3, token="web-1")
GO, WAIT, NOTHING = "go", "wait", "nothing"
MADE, FOUR = Target(prepare=True), {"need": 4, "floor": 4}


def green(**settings: object) -> Target:
    """A picture that says something of green only."""
    return Target(green=FleetTarget(**settings))  # type: ignore[arg-type]


def blue(**settings: object) -> Target:
    """A picture that says something of blue only."""
    return Target(blue=FleetTarget(**settings))  # type: ignore[arg-type]


def weights(percent: int) -> tuple[tuple[str, int], ...]:
    """Green's weight of 100."""
    return ((BLUE, 100 - percent), (GREEN, percent))


def size(fleet: str, count: int, low: int, high: int = 4) -> SetSize:
    """A size with its bounds."""
    return SetSize(fleet=fleet, size=count, min=low, max=high)


def bounds(fleet: str, low: int, high: int = 4) -> SetBounds:
    """A group's bounds."""
    return SetBounds(fleet=fleet, min=low, max=high)


ATTACH, DETACH, DELETE = Attach(fleet=GREEN), Detach(fleet=GREEN), DeleteFleet(fleet=GREEN)
NO_GREEN = look(green_exists=False)
OUTSIDE = {"share": None, "green_attached": False}
EMPTY_BLUE = size(BLUE, 0, 0)
EMPTY_GREEN = size(GREEN, 0, 0)
OFF, BEHIND = green(size=0, min=0), green(attached=True, size=2)
JOIN = attrs.evolve(BEHIND, proven=2)

# (plan, state, picture, look, command, whether it goes, waits, or is not missing)
WISHES: list[tuple[dict[str, object], State, Target, Observation, Command, str]] = [
    ({}, attrs.evolve(SHIFT, version=None), MADE, look(), PREPARE, GO),
    ({}, SHIFT, MADE, look(), PREPARE, NOTHING),
    ({}, attrs.evolve(SHIFT, version=None), Target(), look(), PREPARE, NOTHING),
    ({}, attrs.evolve(SHIFT, version=None, source=None), MADE, look(), PREPARE, NOTHING),
    (
        {"image": None, "version": TemplateVersion(7)},
        attrs.evolve(SHIFT, version=None),
        MADE,
        look(),
        PREPARE,
        NOTHING,
    ),
    ({}, SHIFT, green(exists=True, size=3), NO_GREEN, CREATE, GO),
    ({}, SHIFT, green(exists=True, size=6), NO_GREEN, attrs.evolve(CREATE, min=6, max=6, size=6), GO),
    ({}, SHIFT, green(exists=True), NO_GREEN, attrs.evolve(CREATE, min=0, size=0), GO),
    (
        {},
        attrs.evolve(SHIFT, first_release=True),
        green(exists=True, size=3),
        NO_GREEN,
        attrs.evolve(CREATE, like=None),
        GO,
    ),
    ({}, attrs.evolve(SHIFT, version=None), green(exists=True, size=3), NO_GREEN, CREATE, WAIT),
    ({}, SHIFT, green(exists=True), look(), CREATE, NOTHING),
    ({}, SHIFT, green(size=0), NO_GREEN, CREATE, NOTHING),
    ({}, SHIFT, green(version=3), look(), SetVersion(fleet=GREEN, version=3), GO),
    ({}, SHIFT, blue(version=3), look(), SetVersion(fleet=BLUE, version=3), GO),
    ({}, SHIFT, green(version=2), look(), SetVersion(fleet=GREEN, version=2), NOTHING),
    ({}, SHIFT, green(version=3), NO_GREEN, SetVersion(fleet=GREEN, version=3), NOTHING),
    ({}, SHIFT, green(frozen=True), look(), Freeze(fleet=GREEN, frozen=True), GO),
    ({}, SHIFT, green(frozen=True), look(green_frozen=True), Freeze(fleet=GREEN, frozen=True), NOTHING),
    ({}, SHIFT, green(), look(green_frozen=True), Freeze(fleet=GREEN, frozen=False), NOTHING),
    ({}, SHIFT, green(frozen=False), look(green_frozen=True), Freeze(fleet=GREEN, frozen=False), GO),
    ({}, SHIFT, green(frozen=False), look(), Freeze(fleet=GREEN, frozen=False), NOTHING),
    ({}, SHIFT, green(version=2, size=2, min=2), look(), size(GREEN, 2, 2), GO),
    ({}, SHIFT, green(version=2, size=2), look(), size(GREEN, 2, 0), GO),
    ({}, SHIFT, green(version=2, size=2, min=3, max=1), look(), size(GREEN, 2, 2, 2), GO),
    ({}, SHIFT, green(version=2, size=5), look(), size(GREEN, 5, 0, 5), GO),
    ({}, SHIFT, green(version=2, size=2), look(green=UP), size(GREEN, 2, 2), NOTHING),
    ({}, SHIFT, green(version=3, size=2), look(), size(GREEN, 2, 0), WAIT),
    ({}, SHIFT, green(size=2), look(green_version=None), size(GREEN, 2, 0), WAIT),
    ({}, SHIFT, blue(size=3), look(), size(BLUE, 3, 2), GO),
    (SIDE, SHIFT, green(version=2, size=2, attached=False), look(share=None), size(GREEN, 2, 0), WAIT),
    (SIDE, SHIFT, green(version=2, size=2, attached=False), look(**OUTSIDE), size(GREEN, 2, 0), GO),
    (SIDE, SHIFT, green(version=2, size=2, attached=True), look(share=None), size(GREEN, 2, 0), GO),
    ({}, SHIFT, green(version=2, min=1), look(), bounds(GREEN, 1), GO),
    ({}, SHIFT, green(version=3, min=1), look(), bounds(GREEN, 1), WAIT),
    ({}, SHIFT, green(version=3, max=9), look(), bounds(GREEN, 0, 9), GO),
    ({}, SHIFT, blue(min=1), look(), bounds(BLUE, 1), GO),
    ({}, SHIFT, blue(min=2, max=4), look(), bounds(BLUE, 2), NOTHING),
    (SIDE, SHIFT, BEHIND, look(**OUTSIDE), ATTACH, GO),
    (SIDE, SHIFT, BEHIND, look(green=ONE, **OUTSIDE), ATTACH, GO),
    (SIDE, state(Phase.SHIFT, proven=1), BEHIND, look(green=ONE, **OUTSIDE), ATTACH, GO),
    (SIDE, state(Phase.SHIFT, proven=0), BEHIND, look(green=ONE, **OUTSIDE), ATTACH, WAIT),
    (SIDE, SHIFT, JOIN, look(green=UP, **OUTSIDE), ATTACH, GO),
    (SIDE, state(Phase.SHIFT, proven=1), JOIN, look(green=UP, **OUTSIDE), ATTACH, WAIT),
    (SIDE, SHIFT, JOIN, look(green=targets("g", 2, 3), **OUTSIDE), ATTACH, WAIT),
    (SIDE, SHIFT, green(attached=True), look(**OUTSIDE), ATTACH, GO),
    (SIDE, SHIFT, green(attached=True), look(green_desired=1, **OUTSIDE), ATTACH, WAIT),
    (SIDE, SHIFT, BEHIND, look(green=UP, share=None), ATTACH, NOTHING),
    (SIDE, SHIFT, BEHIND, look(green_exists=False, **OUTSIDE), ATTACH, NOTHING),
    (SIDE, SHIFT, green(), look(**OUTSIDE), ATTACH, NOTHING),
    ({}, SHIFT, Target(shares=weights(10)), look(green=UP), SetShares(weights=weights(10)), GO),
    (
        {},
        state(Phase.SHIFT, proven=1),
        Target(shares=weights(10)),
        look(green=UP),
        SetShares(weights=weights(10)),
        GO,
    ),
    (
        {},
        state(Phase.SHIFT, proven=0),
        Target(shares=weights(10)),
        look(green=UP),
        SetShares(weights=weights(10)),
        WAIT,
    ),
    (
        {},
        state(Phase.SHIFT, proven=1),
        Target(shares=weights(10), proven=2),
        look(green=UP),
        SetShares(weights=weights(10)),
        WAIT,
    ),
    ({}, SHIFT, Target(shares=weights(10)), look(share=10), SetShares(weights=weights(10)), NOTHING),
    ({}, SHIFT, Target(shares=weights(10)), look(share=None), SetShares(weights=weights(10)), NOTHING),
    ({}, SHIFT, Target(), look(share=10), SetShares(weights=weights(10)), NOTHING),
    (
        {},
        state(Phase.ROLL_BACK, proven=0),
        Target(shares=weights(0)),
        look(green=UP, share=10),
        SetShares(weights=weights(0)),
        GO,
    ),
    (
        {},
        BACK,
        Target(shares=weights(0)),
        look(blue=LAME, green=UP, share=10),
        SetShares(weights=weights(0)),
        WAIT,
    ),
    (
        {},
        state(Phase.SHIFT, proven=0),
        Target(shares=((BLUE, 9), (GREEN, 1))),
        look(green=UP, share=10),
        SetShares(weights=((BLUE, 9), (GREEN, 1))),
        GO,
    ),
    (SIDE, SHIFT, green(attached=False), look(share=None), DETACH, GO),
    (SIDE, SHIFT, green(attached=False), look(green=UP, share=None), DETACH, WAIT),
    (SIDE, BACK, green(attached=False), look(green=UP, share=None), DETACH, GO),
    (SIDE, BACK, green(attached=False), look(blue=LAME, green=UP, share=None), DETACH, WAIT),
    (SIDE, BACK, blue(attached=False), look(green=UP, share=None), Detach(fleet=BLUE), WAIT),
    (SIDE, BACK, green(attached=False), look(**OUTSIDE), DETACH, NOTHING),
    (SIDE, BACK, green(), look(share=None), DETACH, NOTHING),
    ({}, DRAIN, blue(size=0, min=0), look(green=UP, share=100), EMPTY_BLUE, GO),
    ({}, DRAIN, blue(size=0, min=0), look(green=UP, share=99), EMPTY_BLUE, WAIT),
    ({}, DRAIN, blue(size=0, min=0), look(green=UP, share=None), EMPTY_BLUE, WAIT),
    (SIDE, DRAIN, blue(size=0, min=0), look(green=UP, share=None), EMPTY_BLUE, GO),
    ({}, DRAIN, blue(size=0, min=0), look(green=ONE, share=100), EMPTY_BLUE, WAIT),
    ({}, attrs.evolve(DRAIN, floor=1), blue(size=0, min=0), look(green=ONE, share=100), EMPTY_BLUE, GO),
    ({}, attrs.evolve(DRAIN, floor=0), blue(size=0, min=0), look(green=SICK, share=100), EMPTY_BLUE, WAIT),
    ({}, DRAIN, blue(size=0, min=0), look(blue=(), blue_desired=1, share=100), EMPTY_BLUE, GO),
    ({}, DRAIN, blue(size=0, min=0), look(blue=(), share=100), EMPTY_BLUE, NOTHING),
    ({}, BACK, OFF, look(green=UP, share=0), EMPTY_GREEN, GO),
    ({}, BACK, OFF, look(green=UP, share=1), EMPTY_GREEN, WAIT),
    ({}, BACK, OFF, look(blue=LAME, green=UP, share=0), EMPTY_GREEN, WAIT),
    ({}, attrs.evolve(BACK, first_release=True), OFF, look(blue=(), green=UP, share=0), EMPTY_GREEN, GO),
    ({}, BACK, OFF, look(green=targets("g", 2, 1, draining=1), share=0), EMPTY_GREEN, GO),
    (SIDE, BACK, OFF, look(green=targets("g", 2, 1, draining=1), **OUTSIDE), EMPTY_GREEN, WAIT),
    (SIDE, BACK, OFF, look(green=UP, **OUTSIDE), EMPTY_GREEN, GO),
    (SIDE, BACK, OFF, look(green=UP, share=None), EMPTY_GREEN, WAIT),
    ({}, SHIFT, green(size=1), look(green=UP, share=0), size(GREEN, 1, 1), WAIT),
    (
        THIRD,
        attrs.evolve(SHIFT, **FOUR),
        green(size=2),
        look(green=targets("g", 2, 3), **OUTSIDE),
        size(GREEN, 2, 2),
        GO,
    ),
    (
        THIRD,
        attrs.evolve(SHIFT, **FOUR),
        green(size=1),
        look(green=UP, **OUTSIDE),
        size(GREEN, 1, 1),
        WAIT,
    ),
    (
        THIRD,
        attrs.evolve(SHIFT, **FOUR),
        green(size=2),
        look(blue=targets("b", 1, 4), green=targets("g", 2, 3), share=None),
        size(GREEN, 2, 2),
        GO,
    ),
    (
        THIRD,
        attrs.evolve(SHIFT, **FOUR),
        green(size=2),
        look(blue=targets("b", 1, 3), green=targets("g", 2, 3), share=None),
        size(GREEN, 2, 2),
        WAIT,
    ),
    ({}, SHIFT, green(min=0), look(green=UP), bounds(GREEN, 0), GO),
    ({}, BACK, green(exists=False), look(), DELETE, GO),
    ({}, BACK, green(exists=False), look(green=UP), DELETE, WAIT),
    ({}, BACK, green(exists=False), look(green=UP, green_desired=0), DELETE, WAIT),
    ({}, BACK, green(exists=False), look(green_desired=1), DELETE, WAIT),
    ({}, BACK, green(exists=False), NO_GREEN, DELETE, NOTHING),
    ({}, BACK, green(), look(), DELETE, NOTHING),
    ({}, BACK, blue(exists=False), look(blue=()), DeleteFleet(fleet=BLUE), GO),
]


@pytest.mark.parametrize(
    ("wanted", "now", "picture", "seen", "command", "then"),
    WISHES,
    ids=[f"{describe(row[4])}, {row[5]}" for row in WISHES],
)
def test_a_command_goes_waits_or_is_not_missing(
    wanted: dict[str, object], now: State, picture: Target, seen: Observation, command: Command, then: str
) -> None:
    """It goes when its precondition is seen; one that waits is not sent, and nothing is settled meanwhile."""
    found = difference(plan(**wanted), now, picture, seen)
    assert [sent for sent in found.commands if type(sent) is type(command)] == [command] * (then == GO)
    assert found.settled is (then == NOTHING)


def test_commands_come_in_one_order() -> None:
    """Prepare, create or point, pin and grow, furnish, shares, shrink, delete, whichever are missing."""
    picture = Target(
        prepare=True,
        blue=FleetTarget(version=3, size=3, min=0, frozen=False),
        green=FleetTarget(exists=True, version=2, size=1, frozen=True),
        shares=weights(10),
    )
    now = attrs.evolve(BACK, version=None, need=1)
    seen = look(blue_frozen=True, green_version=2, green_lacks=("tags", "hooks"))
    assert difference(plan(), now, picture, seen).commands == (
        PREPARE,
        SetVersion(fleet=BLUE, version=3),
        size(BLUE, 3, 0),
        Freeze(fleet=GREEN, frozen=True),
        size(GREEN, 1, 0),
        CopySetting(fleet=GREEN, like=BLUE, setting="tags"),
        CopySetting(fleet=GREEN, like=BLUE, setting="hooks"),
        SetShares(weights=weights(10)),
        Freeze(fleet=BLUE, frozen=False),
    )


def test_testers_meet_a_green_that_is_proven() -> None:
    """Their weights wait for all that must be proven; on the way back for nobody."""
    wanted = Target(test_shares=weights(100), proven=2)
    leads = (SetTestShares(weights=weights(100)),)
    elsewhere = look(green=UP, test_shares=look().shares)
    one = state(Phase.SCALE_UP, proven=1)
    none = state(Phase.DISCARD, proven=0)
    assert difference(plan(), SHIFT, wanted, elsewhere).commands == leads
    assert difference(plan(), one, wanted, elsewhere).commands == ()
    assert difference(plan(), none, attrs.evolve(wanted, proven=0), elsewhere).commands == leads
    assert difference(plan(), SHIFT, wanted, look(green=UP, test_shares=look(share=100).shares)).settled
    assert difference(plan(), SHIFT, wanted, look(green=UP)).settled
    assert list(missing(plan(), SHIFT, wanted, look(green=UP))) == ["the test rules are not there any more"]
    assert list(missing(plan(), SHIFT, wanted, elsewhere)) == []


def test_a_group_that_is_not_whole_is_not_furnished() -> None:
    """Copies wait for a group that is there, is wanted, and is wanted at all that is needed."""
    seen = look(green=UP, green_lacks=("tags",))
    copy = CopySetting(fleet=GREEN, like=BLUE, setting="tags")
    for wanted, shown, sent in (
        (green(exists=True, size=2), seen, (copy,)),
        (green(exists=True, size=3), look(green=targets("g", 2, 3), green_lacks=("tags",)), (copy,)),
        (green(size=2), seen, ()),
        (green(exists=True), seen, ()),
        (green(exists=True, size=1), look(green=ONE, green_lacks=("tags",)), ()),
    ):
        assert difference(plan(), SHIFT, wanted, shown).commands == sent
    assert difference(plan(), attrs.evolve(SHIFT, need=1), green(exists=True), seen).commands == ()


def test_a_look_without_a_group_has_no_commands() -> None:
    """What cannot be compared is not asked for."""
    for name in (BLUE, GREEN):
        seen = attrs.evolve(look(), fleets=tuple(f for f in look().fleets if f.name != name))
        assert difference(plan(), SHIFT, green(version=9), seen).commands == ()


# ---------------------------------------------------------------------------------------- what is owed

TWO = Target(proven=2)
CODE = TargetHealth("i-9", 2, Health.UNHEALTHY, "Target.Timeout")
BARE = TargetHealth("i-9", 2, Health.UNHEALTHY)

# (picture, state, look, the clauses)
OWED: list[tuple[Target, State, Observation, list[str]]] = [
    (MADE, attrs.evolve(SHIFT, version=None), look(), ["the template version is not there yet"]),
    (MADE, SHIFT, look(), []),
    (TWO, SHIFT, look(green=UP), []),
    (TWO, state(Phase.SHIFT, proven=1), look(green=UP), ["2 of 2 green targets healthy, 1 proven"]),
    (
        TWO,
        state(Phase.SHIFT, proven=1),
        look(green=UP, green_launch_error="quota"),
        ["2 of 2 green targets healthy, 1 proven"],
    ),
    (TWO, state(Phase.SHIFT, proven=1), look(green=ONE), ["1 of 2 green targets healthy, 1 proven"]),
    (
        TWO,
        state(Phase.SHIFT, proven=1),
        look(green=(*ONE, CODE), green_launch_error="quota"),
        ["1 of 2 green targets healthy, 1 proven (launch failed: quota)"],
    ),
    (
        TWO,
        state(Phase.SHIFT, proven=1),
        look(green=(*ONE, CODE)),
        ["1 of 2 green targets healthy, 1 proven (i-9: Target.Timeout)"],
    ),
    (
        TWO,
        state(Phase.SHIFT, proven=1),
        look(green=(*ONE, BARE)),
        ["1 of 2 green targets healthy, 1 proven (i-9: unhealthy)"],
    ),
    (
        TWO,
        state(Phase.SHIFT, proven=0),
        look(green=(*targets("g", 1, 2), CODE)),
        ["0 of 2 green targets healthy, 0 proven (2 of another version)"],
    ),
    (
        TWO,
        state(Phase.SHIFT, proven=0),
        attrs.evolve(look(), fleets=()),
        ["0 of 2 green targets healthy, 0 proven"],
    ),
    (Target(gone=BLUE), DRAIN, look(blue=targets("b", 1, 1)), ["1 instance of web-a left"]),
    (
        Target(gone=BLUE),
        DRAIN,
        look(blue=targets("b", 1, 1, draining=2)),
        ["3 instances of web-a left, 2 draining"],
    ),
    (Target(gone=BLUE), DRAIN, look(blue=()), []),
    (Target(gone=BLUE), DRAIN, look(blue_exists=False), []),
    (Target(gone="another"), DRAIN, look(), []),
    (
        Target(prepare=True, proven=1, gone=BLUE),
        state(Phase.SHIFT, version=None, proven=0),
        look(),
        [
            "the template version is not there yet",
            "0 of 1 green targets healthy, 0 proven",
            "2 instances of web-a left",
        ],
    ),
]


@pytest.mark.parametrize(("picture", "now", "seen", "clauses"), OWED)
def test_what_the_world_owes_is_told_with_numbers(
    picture: Target, now: State, seen: Observation, clauses: list[str]
) -> None:
    """One clause for each thing that is missing, and none for what is there."""
    assert list(missing(plan(), now, picture, seen)) == clauses


GATES = {"gates": (Alarm(name="5xx"), Window(name="office"))}
PASS, FAIL, PENDING, NO_DATA = Reading.PASS, Reading.FAIL, Reading.PENDING, Reading.NO_DATA


def says(*readings: Reading | None, detail: str = "") -> Observation:
    """A look in which the two gates say this, in the order of the plan."""
    named = zip(("5xx", "office"), readings, strict=True)
    return look(gates=tuple(GateReading(name=n, reading=r, detail=detail) for n, r in named if r is not None))


@pytest.mark.parametrize(
    ("phase", "seen", "clauses"),
    [
        (Phase.BAKE, says(PASS, PASS), []),
        (Phase.SHIFT, says(FAIL, FAIL), []),
        (Phase.BAKE, says(None, None), ["gate 5xx was not read", "gate office was not read"]),
        (Phase.BAKE, says(NO_DATA, NO_DATA), ["gate 5xx: no-data", "gate office: no-data"]),
        (Phase.BAKE, says(PENDING, PENDING), ["gate 5xx: pending", "window office is closed"]),
        (
            Phase.BAKE,
            says(FAIL, PENDING, detail="why"),
            ["gate 5xx: fail (why)", "window office is closed (why)"],
        ),
    ],
)
def test_a_gate_that_does_not_pass_is_told(phase: Phase, seen: Observation, clauses: list[str]) -> None:
    """Every gate of the phase that is absent, silent, pending or red has its clause."""
    expected = [(clause.split()[0], clause) for clause in clauses]
    assert list(asked(plan(**GATES), state(phase), Target(gates=True), seen)) == expected
    assert list(asked(plan(**GATES), state(phase), Target(), seen)) == []


@pytest.mark.parametrize(
    ("approved", "rung", "clauses"),
    [
        (-1, 0, ["rung 1 (10 %) waits for approval"]),
        (0, 0, []),
        (0, 1, ["rung 2 (100 %) waits for approval"]),
        (1, 0, []),
    ],
)
def test_a_rung_waits_for_its_own_approval(approved: int, rung: int, clauses: list[str]) -> None:
    """It is named by its number and its percent, and approved once that or a later one is."""
    now = state(Phase.BAKE, approved=approved, rung=rung)
    expected = [("approval", clause) for clause in clauses]
    assert list(asked(plan(), now, Target(approval=True), look())) == expected
    assert list(asked(plan(), now, Target(), look())) == []


def test_what_is_left_at_the_end_is_told_whole() -> None:
    """Commands that would still be sent or wait, what is left running, and what others changed."""
    loans = (
        Loan(GREEN, "min", 0, (2,)),
        Loan(GREEN, "max", 4),
        Loan(BLUE, "max", 3, (4,)),
        Loan(GREEN, "version", 1, (2,)),
        Loan(GREEN, "size", 0, (2,)),
    )
    now = state(Phase.DISCARD, ledger=Ledger("web-1", loans))
    seen = look(green=UP, green_min=1, green_max=9, green_version=5, blue_max=4)
    assert owed(plan(), now, seen) == (
        "keep web-a between 2 and 3",
        "size of web-b to 0",
        "2 instances of web-b left",
        "min of web-b is 1, was 0: changed by others, left alone",
        "max of web-b is 9, was 4: changed by others, left alone",
        "version of web-b is 5, was 1: changed by others, left alone",
    )
    gone = attrs.evolve(now, ledger=Ledger("web-1", (Loan(GREEN, "exists", 0, (1,)), *loans[:2])))
    assert owed(plan(), gone, look(green_exists=False, green_min=9)) == ()
    done = state(Phase.CLEAN_UP, committed=True, ledger=Ledger("web-1", (Loan(GREEN, "version", 1, (2,)),)))
    assert owed(plan(), done, look(blue=(), green=targets("g", 5, 2), green_version=5, share=100)) == ()


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        (Shares(((BLUE, 0), (GREEN, 100))), ["test weights web-a 1, web-b 0"]),
        (Shares(((BLUE, 1), (GREEN, 0))), []),
        (
            Shares(((BLUE, 1), (GREEN, 3))),
            ["test weight of web-b is 3, was 0: changed by others, left alone"],
        ),
        (
            None,
            [f"the test rules are gone, weight of {name} was {was}" for name, was in ((BLUE, 1), (GREEN, 0))],
        ),
    ],
)
@pytest.mark.parametrize("phase", [Phase.CLEAN_UP, Phase.DISCARD])
def test_what_is_left_of_the_test_rules_is_told(phase: Phase, shown: Shares | None, told: list[str]) -> None:
    """What is still to be given back, what others have set since, and a rule that is gone; else nothing."""
    noted = (Loan(BLUE, "test_weight", 1, (0,)), Loan(GREEN, "test_weight", 0, (100,)))
    now = state(phase, committed=phase is Phase.CLEAN_UP, ledger=Ledger("web-1", noted))
    seen = look(blue=(), blue_desired=0, share=100, test_shares=shown)
    left = owed(plan(test_rules=("test",)), now, seen)
    assert [clause for clause in left if "test" in clause] == told
    unwritten = attrs.evolve(now, ledger=Ledger("web-1", tuple(attrs.evolve(x, written=()) for x in noted)))
    assert shown is not None or not [c for c in owed(plan(), unwritten, seen) if "test" in c]


@pytest.mark.parametrize(
    ("command", "clause"),
    [
        (PREPARE, "make a version of web-template from 1 with image ami-2"),
        (CREATE, "create web-b with 3 instances of version 2"),
        (SetVersion(fleet=GREEN, version=2), "point web-b at version 2"),
        (bounds(BLUE, 1), "keep web-a between 1 and 4"),
        (size(BLUE, 3, 0), "size of web-a to 3"),
        (SetShares(weights=weights(10)), "weights web-a 90, web-b 10"),
        (SetTestShares(weights=weights(10)), "test weights web-a 90, web-b 10"),
        (ATTACH, "attach web-b"),
        (DETACH, "detach web-b"),
        (Freeze(fleet=BLUE, frozen=True), "suspend the scaling of web-a"),
        (Freeze(fleet=BLUE, frozen=False), "resume the scaling of web-a"),
        (CopySetting(fleet=GREEN, like=BLUE, setting="tags"), "give web-b the tags of web-a"),
        (DELETE, "delete web-b"),
    ],
)
def test_a_command_is_a_clause_for_people(command: Command, clause: str) -> None:
    """Each says what it does to which group."""
    assert describe(command) == clause


def test_what_a_failed_green_leaves_is_ordered_for_people() -> None:
    """All but the healthy are told, and those with a bad verdict are asked first."""
    word = {health: TargetHealth(health.value, 2, health) for health in Health}
    fleet = Fleet(name=GREEN, targets=(word[Health.HEALTHY], *word.values(), CODE))
    assert sick(fleet) == (
        "initial: initial",
        "unhealthy: unhealthy",
        "draining: draining",
        "unknown: unknown",
        "i-9: unhealthy (Target.Timeout)",
    )
    assert asked_first(fleet) == ("unhealthy", "i-9", "initial", "unknown", "draining", "healthy", "healthy")
    assert sick(None) == asked_first(None) == ()


def test_a_group_that_was_looked_for_is_not_there() -> None:
    """It has its name, and nothing else."""
    assert Fleet.absent(GREEN) == Fleet(name=GREEN, exists=False)
