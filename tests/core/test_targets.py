"""What each phase wants to see: whole pictures, so that no setting is asked for too much or too little."""

from __future__ import annotations

import attrs
import pytest

from bluegreen.core.observation import Delays, Observation, Shares
from bluegreen.core.plan import Rung, Strategy
from bluegreen.core.state import Ledger, Loan, Phase, State
from bluegreen.core.targets import NOTHING, FleetTarget, Target, want
from bluegreen.strategies import canary
from tests.core.looks import BLUE, GREEN, SHARED, look, plan, state, targets

LADDER = Strategy((Rung(percent=20), Rung(percent=50, bake_seconds=60), Rung(percent=100, bake_seconds=4)))
WEIGHTED_PLAN = {"strategy": canary(10, 60, keep_blue_seconds=30)}
SHARED_PLAN = {"routing": SHARED, "strategy": canary(34, 60, keep_blue_seconds=30)}
"""Of 4 beside 4, 34 % are 2."""

BORROWED = (
    Loan(BLUE, "min", 3, (4,)),
    Loan(BLUE, "max", 9),
    Loan(GREEN, "min", 0, (4,)),
    Loan(GREEN, "max", 7),
    Loan(BLUE, "weight", 100, (90, 0)),
    Loan(GREEN, "weight", 0, (10, 100)),
    Loan(GREEN, "version", 1, (2,)),
    Loan(GREEN, "size", 0, (4,)),
)
CREATED = Ledger("web-1", (Loan(GREEN, "exists", 0, (1,)),))
TOLD = Ledger("web-1", (*CREATED.loans, Loan(GREEN, "size", 4, (0,))))
UP = targets("g", 2, 4)
WHOLE = {"green": UP, "green_min": 4, "green_max": 7}


def seen(**changes: object) -> Observation:
    """Blue with four of three to nine, green idle with none of none to seven, unless changed."""
    shown: dict[str, object] = {
        "blue": targets("b", 1, 4),
        "blue_min": 3,
        "blue_max": 9,
        "green_min": 0,
        "green_max": 7,
    }
    return look(**(shown | changes))  # type: ignore[arg-type]


def at(phase: Phase, *more: Loan, **changes: object) -> State:
    """A minute into a phase of a deployment of four, which borrowed what it must and ``more``."""
    base: dict[str, object] = {
        "need": 4,
        "floor": 4,
        "baseline": 4,
        "ledger": Ledger("web-1", BORROWED + more),
    }
    return state(phase, **(base | changes))  # type: ignore[arg-type]


PINNED = FleetTarget(min=4, max=9)
GROWN = FleetTarget(exists=True, version=2, size=4, min=4, max=7)
BEFORE = ((BLUE, 100), (GREEN, 0))
PROBED = Target(prepare=True, blue=PINNED, green=GROWN, shares=BEFORE, proven=4)
RUNG = Target(blue=PINNED, green=GROWN, shares=((BLUE, 90), (GREEN, 10)), proven=4, gates=True)
SHARED_GROWN = FleetTarget(exists=True, version=2, size=2, min=2, max=7, attached=True)
SHARED_RUNG = Target(blue=PINNED, green=SHARED_GROWN, proven=2, gates=True)
FULL = ((BLUE, 0), (GREEN, 100))
DRAINED = Target(blue=FleetTarget(size=0, min=0, max=9), green=GROWN, shares=FULL, gone=BLUE)
EMPTIED = FleetTarget(size=0, min=0, max=7)
LIVE = FleetTarget(min=3, max=9)
DONE = Target(blue=EMPTIED, green=LIVE, shares=FULL, gone=BLUE)
RETURNED = FleetTarget(min=3, max=9)
IDLE = FleetTarget(size=0, min=0, max=7, version=1)
GONE = Target(blue=RETURNED, green=IDLE, shares=BEFORE, gone=GREEN, seconds=15)
"""Green had a share: who was led there may still come for the 15 s that weights take to settle."""

FORWARD = [
    ("green comes up beside the traffic", WEIGHTED_PLAN, at(Phase.SCALE_UP), seen(), PROBED),
    (
        "green is asked before users are",
        WEIGHTED_PLAN,
        at(Phase.TEST_TRAFFIC),
        seen(**WHOLE),
        attrs.evolve(PROBED, gates=True),
    ),
    (
        "a shared target group's first rung comes up outside of it",
        SHARED_PLAN,
        at(Phase.SCALE_UP),
        seen(share=None),
        Target(
            prepare=True,
            blue=PINNED,
            green=attrs.evolve(SHARED_GROWN, attached=False),
            proven=2,
        ),
    ),
    ("the first rung's share", WEIGHTED_PLAN, at(Phase.SHIFT), seen(**WHOLE), RUNG),
    (
        "the first rung's watch",
        WEIGHTED_PLAN,
        at(Phase.BAKE),
        seen(**WHOLE),
        attrs.evolve(RUNG, seconds=60),
    ),
    (
        "a rung that a person must let go",
        {"strategy": canary(10, 60, approval=True)},
        at(Phase.BAKE),
        seen(**WHOLE),
        attrs.evolve(RUNG, seconds=60, approval=True),
    ),
    (
        "nobody is asked before the share is there",
        {"strategy": canary(10, 60, approval=True)},
        at(Phase.SHIFT),
        seen(**WHOLE),
        RUNG,
    ),
    (
        "the last rung's share",
        WEIGHTED_PLAN,
        at(Phase.SHIFT, rung=1),
        seen(**WHOLE),
        attrs.evolve(RUNG, shares=FULL),
    ),
    (
        "the last watch",
        WEIGHTED_PLAN,
        at(Phase.KEEP_BLUE, rung=1),
        seen(**WHOLE),
        attrs.evolve(RUNG, shares=FULL, seconds=30),
    ),
    ("the count is the share", SHARED_PLAN, at(Phase.SHIFT), seen(share=None), SHARED_RUNG),
    (
        "a green that somebody else has grown is put back to its share",
        SHARED_PLAN,
        at(Phase.SHIFT),
        seen(share=None, **WHOLE),
        SHARED_RUNG,
    ),
    (
        "the last rung's count is the whole, and may be more",
        SHARED_PLAN,
        at(Phase.SHIFT, rung=1),
        seen(share=None, green=targets("g", 2, 6), green_min=5),
        Target(
            blue=PINNED,
            green=attrs.evolve(SHARED_GROWN, size=6, min=5),
            proven=4,
            gates=True,
        ),
    ),
    (
        "a green that is larger than needed keeps its size, and is pinned at what is needed",
        WEIGHTED_PLAN,
        at(Phase.SHIFT),
        seen(green=targets("g", 2, 6), green_min=1),
        attrs.evolve(RUNG, green=attrs.evolve(GROWN, size=6)),
    ),
    (
        "what is needed lifts bounds that are too narrow",
        WEIGHTED_PLAN,
        at(Phase.SHIFT, need=12),
        seen(),
        attrs.evolve(
            RUNG,
            blue=FleetTarget(min=12, max=12),
            green=FleetTarget(exists=True, version=2, size=12, min=12, max=12),
            proven=12,
        ),
    ),
    (
        "both groups' own scaling is suspended where that is asked",
        WEIGHTED_PLAN | {"freeze_scaling": True},
        at(Phase.SHIFT),
        seen(**WHOLE),
        attrs.evolve(
            RUNG,
            blue=attrs.evolve(PINNED, frozen=True),
            green=attrs.evolve(GROWN, frozen=True),
        ),
    ),
    (
        "a blue below the floor makes haste, if that is asked",
        WEIGHTED_PLAN | {"on_blue_sick": "expedite"},
        at(Phase.BAKE),
        seen(blue=targets("b", 1, 3, unhealthy=1), **WHOLE),
        RUNG,
    ),
    (
        "a blue at the floor makes no haste",
        WEIGHTED_PLAN | {"on_blue_sick": "expedite"},
        at(Phase.BAKE),
        seen(**WHOLE),
        attrs.evolve(RUNG, seconds=60),
    ),
    (
        "a first release takes the last rung at once, and touches nothing of the other group",
        WEIGHTED_PLAN,
        at(Phase.SHIFT, first_release=True),
        seen(blue=(), **WHOLE),
        attrs.evolve(RUNG, blue=NOTHING, shares=FULL),
    ),
]

ONWARD = [
    ("blue is emptied", WEIGHTED_PLAN, at(Phase.DRAIN, committed=True), seen(**WHOLE), DRAINED),
    (
        "blue is emptied when the weights have had their time",
        {"strategy": canary(10, 60, last_bake_seconds=4, keep_blue_seconds=3)},
        at(Phase.DRAIN, committed=True, since=88.0),
        seen(**WHOLE),
        attrs.evolve(DRAINED, blue=NOTHING, seconds=8),
    ),
    (
        "the second at which they have had it counts",
        {"strategy": canary(10, 60, last_bake_seconds=4, keep_blue_seconds=3)},
        at(Phase.DRAIN, committed=True, since=87.0),
        seen(**WHOLE),
        attrs.evolve(DRAINED, seconds=8),
    ),
    (
        "what the last rung has watched counts, and no other",
        {"strategy": LADDER},
        at(Phase.DRAIN, committed=True, since=88.0),
        seen(**WHOLE),
        attrs.evolve(DRAINED, blue=NOTHING, seconds=11),
    ),
    (
        "no weights, nothing to wait for; green stays behind the balancer",
        {"routing": SHARED, "strategy": canary(34, 60, last_bake_seconds=0)},
        at(Phase.DRAIN, committed=True),
        seen(share=None, **WHOLE),
        attrs.evolve(DRAINED, green=attrs.evolve(GROWN, attached=True), shares=None),
    ),
    (
        "the other group of a first release was never ours",
        WEIGHTED_PLAN,
        at(Phase.DRAIN, committed=True, first_release=True),
        seen(blue=(), **WHOLE),
        attrs.evolve(DRAINED, blue=NOTHING, gone=None),
    ),
    ("roles swap with their bounds", WEIGHTED_PLAN, at(Phase.CLEAN_UP, committed=True), seen(**WHOLE), DONE),
    (
        "bounds that are given back still hold the green that is there",
        WEIGHTED_PLAN,
        at(Phase.CLEAN_UP, committed=True),
        seen(green=targets("g", 2, 2), green_max=7),
        attrs.evolve(DONE, green=FleetTarget(min=2, max=9)),
    ),
    (
        "or a green that has grown beyond them",
        WEIGHTED_PLAN,
        at(Phase.CLEAN_UP, committed=True),
        seen(green=targets("g", 2, 11), green_max=11),
        attrs.evolve(DONE, green=FleetTarget(min=3, max=11)),
    ),
    (
        "bounds that were never noted are not ours to say",
        WEIGHTED_PLAN,
        at(Phase.CLEAN_UP, committed=True, ledger=Ledger("web-1")),
        seen(**WHOLE),
        attrs.evolve(DONE, blue=FleetTarget(size=0, min=0, max=9), green=NOTHING),
    ),
    (
        "a standing blue is not kept, for it stays",
        WEIGHTED_PLAN | {"retain_seconds": 66},
        at(Phase.CLEAN_UP, committed=True),
        seen(**WHOLE),
        DONE,
    ),
    (
        "an emptied blue that is replaced is kept for a while",
        WEIGHTED_PLAN | {"fleets": "replace", "retain_seconds": 66},
        at(Phase.CLEAN_UP, committed=True),
        seen(**WHOLE),
        attrs.evolve(DONE, blue=FleetTarget(size=0, min=0, max=9), seconds=66),
    ),
    (
        "and deleted then",
        WEIGHTED_PLAN | {"fleets": "replace", "retain_seconds": 60},
        at(Phase.CLEAN_UP, committed=True),
        seen(**WHOLE),
        attrs.evolve(DONE, blue=FleetTarget(exists=False, size=0, min=0, max=9), seconds=60),
    ),
    (
        "an emptied blue leaves a shared target group",
        SHARED_PLAN,
        at(Phase.CLEAN_UP, committed=True),
        seen(share=None, **WHOLE),
        attrs.evolve(DONE, blue=attrs.evolve(EMPTIED, attached=False), shares=None),
    ),
    (
        "scaling that we suspended goes on, of both",
        WEIGHTED_PLAN,
        at(Phase.CLEAN_UP, Loan(BLUE, "frozen", 0, (1,)), Loan(GREEN, "frozen", 0, (1,)), committed=True),
        seen(blue_frozen=True, green_frozen=True, **WHOLE),
        attrs.evolve(DONE, blue=attrs.evolve(EMPTIED, frozen=False), green=attrs.evolve(LIVE, frozen=False)),
    ),
    (
        "a green that was made like a blue whose owner had suspended its scaling stays as it is",
        WEIGHTED_PLAN,
        at(Phase.CLEAN_UP, Loan(GREEN, "exists", 0, (1,)), Loan(GREEN, "frozen", 0, (1,)), committed=True),
        seen(green_frozen=True, **WHOLE),
        DONE,
    ),
    (
        "one that was made like a blue of which we suspended it does not",
        WEIGHTED_PLAN,
        at(
            Phase.CLEAN_UP,
            Loan(GREEN, "exists", 0, (1,)),
            Loan(GREEN, "frozen", 0, (1,)),
            Loan(BLUE, "frozen", 0, (1,)),
            committed=True,
        ),
        seen(green_frozen=True, **WHOLE),
        attrs.evolve(DONE, blue=attrs.evolve(EMPTIED, frozen=False), green=attrs.evolve(LIVE, frozen=False)),
    ),
    (
        "of a first release nothing is given back but green's scaling",
        WEIGHTED_PLAN,
        at(Phase.CLEAN_UP, Loan(GREEN, "frozen", 0, (1,)), committed=True, first_release=True),
        seen(blue=(), green_frozen=True, **WHOLE),
        Target(green=FleetTarget(frozen=False), shares=FULL),
    ),
]

BACKWARD = [
    (
        "users return to a blue that is pinned",
        WEIGHTED_PLAN,
        at(Phase.ROLL_BACK),
        seen(**WHOLE),
        Target(blue=PINNED, shares=BEFORE),
    ),
    (
        "green leaves a shared target group",
        SHARED_PLAN,
        at(Phase.ROLL_BACK),
        seen(share=None, **WHOLE),
        Target(blue=PINNED, green=FleetTarget(attached=False)),
    ),
    ("everything is as it was", WEIGHTED_PLAN, at(Phase.DISCARD), seen(**WHOLE), GONE),
    (
        "a green that is kept to be looked at keeps all it has",
        WEIGHTED_PLAN | {"keep_failed_green_seconds": 66},
        at(Phase.DISCARD),
        seen(**WHOLE),
        attrs.evolve(GONE, green=NOTHING, seconds=66),
    ),
    (
        "and goes in the second at which that is over",
        WEIGHTED_PLAN | {"keep_failed_green_seconds": 60},
        at(Phase.DISCARD),
        seen(**WHOLE),
        attrs.evolve(GONE, seconds=60),
    ),
    (
        "or when an operator lets it go",
        WEIGHTED_PLAN | {"keep_failed_green_seconds": 66},
        at(Phase.DISCARD, let_go=True),
        seen(**WHOLE),
        GONE,
    ),
    (
        "at once, when it never had users",
        WEIGHTED_PLAN | {"keep_failed_green_seconds": 66},
        at(Phase.DISCARD, let_go=True, ledger=Ledger("web-1")),
        seen(**WHOLE),
        Target(green=FleetTarget(size=0), shares=(), gone=GREEN),
    ),
    (
        "behind a shared target group there are no weights",
        SHARED_PLAN,
        at(Phase.DISCARD, Loan(GREEN, "attached", 0, (1,))),
        seen(share=None, **WHOLE),
        attrs.evolve(GONE, green=attrs.evolve(IDLE, attached=False), shares=None),
    ),
    (
        "what others changed after us is theirs",
        WEIGHTED_PLAN,
        at(Phase.DISCARD),
        seen(green=UP, blue_min=1, blue_max=10, green_min=1, green_max=8, green_version=5),
        attrs.evolve(GONE, blue=NOTHING, green=FleetTarget(size=0)),
    ),
    (
        "a group that somebody has pointed at no number stays there",
        WEIGHTED_PLAN,
        at(Phase.DISCARD),
        seen(green_version=None, **WHOLE),
        attrs.evolve(GONE, green=attrs.evolve(IDLE, version=None)),
    ),
    (
        "a group that we made goes whole, whoever changed it",
        WEIGHTED_PLAN | {"fleets": "replace"},
        at(Phase.DISCARD, *(Loan(GREEN, name, 0, (1,)) for name in ("exists", "attached", "frozen"))),
        seen(green=UP, green_min=1, green_frozen=True),
        attrs.evolve(GONE, green=FleetTarget(exists=False, size=0, min=0)),
    ),
    (
        "a group that was created and is not seen yet is looked for",
        WEIGHTED_PLAN | {"fleets": "replace"},
        at(Phase.DISCARD, ledger=CREATED),
        seen(green_exists=False),
        Target(green=FleetTarget(exists=False, min=0), shares=(), gone=GREEN, seconds=15),
    ),
    (
        "one that was seen, and so told its size, is not",
        WEIGHTED_PLAN | {"fleets": "replace"},
        at(Phase.DISCARD, ledger=TOLD),
        seen(green_exists=False),
        Target(green=FleetTarget(exists=False, min=0), shares=(), gone=GREEN),
    ),
    (
        "nor is one that is seen now",
        WEIGHTED_PLAN | {"fleets": "replace"},
        at(Phase.DISCARD, ledger=CREATED),
        seen(**WHOLE),
        Target(green=FleetTarget(exists=False, size=0, min=0), shares=(), gone=GREEN),
    ),
    (
        "a group that is not there wants no size and no place",
        WEIGHTED_PLAN,
        at(Phase.DISCARD, Loan(GREEN, "attached", 0, (1,))),
        seen(green_exists=False, green_attached=False),
        attrs.evolve(GONE, green=FleetTarget(min=0, max=7, version=1)),
    ),
    (
        "scaling goes on where we suspended it",
        WEIGHTED_PLAN,
        at(Phase.DISCARD, Loan(BLUE, "frozen", 0, (1,)), Loan(GREEN, "frozen", 0, (1,))),
        seen(blue_frozen=True, green_frozen=True, **WHOLE),
        attrs.evolve(GONE, blue=attrs.evolve(RETURNED, frozen=False), green=attrs.evolve(IDLE, frozen=False)),
    ),
    (
        "and stays suspended where it was",
        WEIGHTED_PLAN,
        at(Phase.DISCARD, Loan(BLUE, "frozen", 1, (0,)), Loan(GREEN, "frozen", 1, (0,))),
        seen(blue_frozen=True, green_frozen=True, **WHOLE),
        attrs.evolve(GONE, blue=attrs.evolve(RETURNED, frozen=True), green=attrs.evolve(IDLE, frozen=True)),
    ),
    (
        "who is kept on green by a cookie finds it whole",
        WEIGHTED_PLAN,
        at(Phase.DISCARD, delays=Delays(sticky_seconds=300)),
        seen(**WHOLE),
        attrs.evolve(GONE, green=NOTHING, seconds=300),
    ),
]

TESTED = WEIGHTED_PLAN | {"test_rules": ("test",)}
AT_BLUE, AT_GREEN = Shares(((BLUE, 1), (GREEN, 0))), Shares(((BLUE, 0), (GREEN, 100)))
NOTED = (Loan(BLUE, "test_weight", 1, (0,)), Loan(GREEN, "test_weight", 0, (100,)))
THEIRS = Shares(((BLUE, 1), (GREEN, 3)))

TESTERS = [
    (
        "testers are led to green while it comes up",
        TESTED,
        at(Phase.SCALE_UP),
        seen(test_shares=AT_BLUE),
        attrs.evolve(PROBED, test_shares=FULL),
    ),
    (
        "and tests wait until every node knows",
        TESTED,
        at(Phase.TEST_TRAFFIC),
        seen(test_shares=AT_GREEN, **WHOLE),
        attrs.evolve(PROBED, gates=True, seconds=15, test_shares=FULL),
    ),
    (
        "and while users come",
        TESTED,
        at(Phase.BAKE),
        seen(test_shares=AT_GREEN, **WHOLE),
        attrs.evolve(RUNG, seconds=60, test_shares=FULL),
    ),
    (
        "they are led back when green goes, and not before",
        TESTED | {"keep_failed_green_seconds": 60},
        at(Phase.DISCARD, *NOTED),
        seen(test_shares=AT_GREEN, **WHOLE),
        attrs.evolve(GONE, seconds=60, test_shares=AT_BLUE.weights),
    ),
    (
        "they go on coming to a green that is kept",
        TESTED | {"keep_failed_green_seconds": 66},
        at(Phase.DISCARD, *NOTED),
        seen(test_shares=AT_GREEN, **WHOLE),
        attrs.evolve(GONE, green=NOTHING, seconds=66),
    ),
    (
        "where others have led them since they stay",
        TESTED,
        at(Phase.DISCARD, *NOTED),
        seen(test_shares=THEIRS, **WHOLE),
        GONE,
    ),
    (
        "without their rules there is nothing to give back",
        TESTED,
        at(Phase.DISCARD, *NOTED),
        seen(**WHOLE),
        GONE,
    ),
    (
        "at the end they are led where they were",
        TESTED,
        at(Phase.CLEAN_UP, *NOTED, committed=True),
        seen(test_shares=AT_GREEN, **WHOLE),
        attrs.evolve(DONE, test_shares=AT_BLUE.weights),
    ),
    (
        "of a first release likewise",
        TESTED,
        at(Phase.CLEAN_UP, *NOTED, committed=True, first_release=True),
        seen(blue=(), test_shares=AT_GREEN, **WHOLE),
        Target(shares=FULL, test_shares=AT_BLUE.weights),
    ),
]

PICTURES = FORWARD + ONWARD + BACKWARD + TESTERS


@pytest.mark.parametrize(
    ("wanted", "now", "shown", "picture"), [row[1:] for row in PICTURES], ids=[row[0] for row in PICTURES]
)
def test_a_phase_wants_this_and_nothing_else(
    wanted: dict[str, object], now: State, shown: Observation, picture: Target
) -> None:
    """Each picture is the one that its sentence tells, in every setting and condition."""
    assert want(plan(**wanted), now, shown) == picture


@pytest.mark.parametrize(
    "phase", [Phase.PREFLIGHT, Phase.HALTED, Phase.PROMOTED, Phase.ROLLED_BACK, Phase.REFUSED]
)
def test_who_stands_still_wants_nothing(phase: Phase) -> None:
    """Before the start, at the end and while a person decides there is no picture."""
    assert want(plan(), at(phase), seen()) == Target()


@pytest.mark.parametrize(("version", "low"), [(2, 3), (None, 2)])
def test_instances_of_another_version_are_no_part_of_the_minimum(version: int | None, low: int) -> None:
    """Others may scale green in to what is needed and the strays: what goes then may be one of ours."""
    green = (*targets("g", 2, 2), *targets("s", 1, 1))
    now = look(green=green, green_desired=3, green_min=0)
    assert want(plan(), state(Phase.DRAIN, need=2, version=version), now).green.min == low
