"""One look, one answer: the signal and the sentence that people read, word for word."""

from __future__ import annotations

import attrs
import pytest

from bluegreen.core.commands import Attach, SetBounds
from bluegreen.core.gates import Alarm, Hook, Window
from bluegreen.core.limits import Limits
from bluegreen.core.observation import (
    Delays,
    ErrorClass,
    GateReading,
    Observation,
    Outcome,
    Reading,
    Result,
    Shares,
)
from bluegreen.core.signals import Reply, Signal, read
from bluegreen.core.state import Ledger, Loan, Phase, State
from bluegreen.core.targets import want
from bluegreen.strategies import canary, side_by_side
from tests.core.looks import BLUE, GREEN, SHARED, look, plan, state, targets

S = Signal
UP, HALF, SICK = targets("g", 2, 2), targets("g", 2, 1, initial=1), targets("g", 2, unhealthy=2)
CORPSE, LAME = targets("b", 1, unhealthy=2), targets("b", 1, 1, unhealthy=1)
SEEN = look(green=UP, share=10)
WHOLE = look(green=UP, share=100)
DARK = {"unread": ("fleets", "weights")}
SIDE = {"routing": SHARED, "strategy": side_by_side()}
ALARM, HOOK, WINDOW = Alarm(name="5xx"), Hook(name="smoke"), Window(name="office")
OFFICE = {"gates": (WINDOW,)}
ASKS = {"strategy": canary(10, 60, approval=True)}
CANNOT = "green cannot carry its share: 0 healthy, 2 unhealthy (i-g0: unhealthy, i-g1: unhealthy)"


def says(name: str, reading: Reading, detail: str = "") -> GateReading:
    """What a gate says."""
    return GateReading(name=name, reading=reading, detail=detail)


def begun(**changes: object) -> State:
    """Before anything was changed, at the first look."""
    fresh: dict[str, object] = {
        "clock": 0.0,
        "since": 0.0,
        "blue": None,
        "green": None,
        "ledger": Ledger("web-1"),
    }
    return state(Phase.PREFLIGHT, **(fresh | changes))  # type: ignore[arg-type]


def outcome(result: Result = Result.REFUSED, error: ErrorClass | None = ErrorClass.IDENTITY) -> Outcome:
    """What became of an Attach."""
    return Outcome(command=Attach(fleet=GREEN), result=result, error=error, detail="no")


HALTED = state(Phase.HALTED, came_from=Phase.BAKE)
ABORTED = {"abort": "by alice"}
NO_WAY = "; but blue has 0 healthy, the floor is 2, green 2: no safe way back"

ENDS_AND_HALTED = [
    ("promoted", {}, state(Phase.PROMOTED), look(**DARK), S.WAIT, "the deployment has ended"),
    ("rolled back", {}, state(Phase.ROLLED_BACK), look(**DARK), S.WAIT, "the deployment has ended"),
    ("refused", {}, state(Phase.REFUSED), look(**DARK), S.WAIT, "the deployment has ended"),
    ("halted", {}, HALTED, SEEN, S.WAIT, "halted: an operator must resume or abort"),
    ("halted, dark", {}, HALTED, look(**DARK), S.BLIND, "cannot read fleets, weights"),
    ("halted, aborted", {}, attrs.evolve(HALTED, **ABORTED), SEEN, S.ABORT, "aborted: by alice"),
    (
        "halted, aborted, no way back",
        {},
        attrs.evolve(HALTED, **ABORTED),
        look(blue=CORPSE, green=UP, share=10),
        S.UNSAFE,
        "aborted: by alice" + NO_WAY,
    ),
    (
        "halted after the commit",
        {},
        state(Phase.HALTED, came_from=Phase.DRAIN, committed=True, abort="late"),
        WHOLE,
        S.WAIT,
        "halted: an operator must resume or abort",
    ),
    (
        "halted on the way back",
        {},
        state(Phase.HALTED, came_from=Phase.ROLL_BACK, abort="again"),
        SEEN,
        S.WAIT,
        "halted: an operator must resume or abort",
    ),
]

UNSEEN, NEITHER = "cannot read group web-b", "cannot read group web-a, group web-b"
AGAINST = ("target group t does not exist", "listener l does not exist")
PREFLIGHT = [
    ("ready", {}, begun(), look(), S.REACHED, "web-a is live with 2, the floor is 2; web-b becomes green"),
    (
        "half a floor",
        {"min_healthy_percent": 50},
        begun(),
        look(),
        S.REACHED,
        "web-a is live with 2, the floor is 1; web-b becomes green",
    ),
    (
        "nobody live",
        {"capacity": 3},
        begun(),
        look(blue=()),
        S.REACHED,
        "no group is live: first release, web-b to 3",
    ),
    ("dark", {}, begun(), look(**DARK), S.BLIND, "cannot read fleets, weights"),
    ("dark, in grace", {}, begun(clock=239.0), look(**DARK), S.BLIND, "cannot read fleets, weights"),
    (
        "dark too long",
        {},
        begun(clock=240.0),
        look(**DARK),
        S.UNSAFE,
        "cannot read fleets, weights, 240 s long: the deadline and the grace are over",
    ),
    ("a group missing", {}, begun(), attrs.evolve(look(), fleets=look().fleets[:1]), S.BLIND, UNSEEN),
    ("a group missing, and called off", {}, begun(**ABORTED), Observation(at=100.0), S.BLIND, NEITHER),
    ("aborted", {}, begun(**ABORTED), look(problems=AGAINST), S.ABORT, "aborted: by alice"),
    ("against it", {}, begun(), look(problems=AGAINST), S.UNSAFE, "; ".join(AGAINST)),
    (
        "against it, and nothing found",
        {},
        begun(),
        Observation(at=100.0, problems=AGAINST),
        S.UNSAFE,
        "; ".join(AGAINST),
    ),
    (
        "against it, and more that is wrong",
        {},
        begun(),
        look(problems=AGAINST, image=False),
        S.UNSAFE,
        "; ".join((*AGAINST, "image ami-2 cannot be found: build it first, or correct image")),
    ),
    ("paused", {}, begun(paused=True), look(), S.PAUSED, "paused by an operator"),
    (
        "not yet known",
        {"gates": (ALARM, HOOK, Hook(name="db", phases=("preflight",)))},
        begun(clock=119.0),
        look(),
        S.WAIT,
        "alarm 5xx has no data; hook db has no data",
    ),
    (
        "not known in time",
        {"gates": (ALARM, Hook(name="db", phases=("preflight",)))},
        begun(clock=120.0),
        look(),
        S.EXPIRED,
        "alarm 5xx has no data; hook db has no data",
    ),
]

FOREIGN = attrs.evolve(SEEN, shares=Shares(((BLUE, 90), (GREEN, 33))))
UNWRITTEN = Ledger("web-1", (Loan(BLUE, "weight", 90), Loan(GREEN, "weight", 10)))
CONTESTED = Ledger("web-1", (Loan(GREEN, "min", 0, (2,), rewrites=3),))
LOWERED = look(green=UP, share=10, green_min=1)
NEITHER = [
    (
        "refused",
        {},
        state(Phase.SHIFT),
        look(outcomes=(outcome(),), **DARK),
        S.BLOCKED,
        "Attach was refused (identity): no",
    ),
    (
        "refused, and told of the one that no retry mends",
        {},
        state(Phase.BAKE, since=90.0),
        attrs.evolve(SEEN, outcomes=(outcome(error=ErrorClass.ABSENT), outcome(error=ErrorClass.BUG))),
        S.BLOCKED,
        "Attach was refused (bug): no",
    ),
    (
        "refused for a while",
        {},
        state(Phase.BAKE, since=90.0),
        attrs.evolve(SEEN, outcomes=(outcome(error=ErrorClass.IN_USE), outcome(error=None))),
        S.WAIT,
        "55 s of the watch left",
    ),
    (
        "not applied",
        {},
        state(Phase.BAKE, since=90.0),
        attrs.evolve(SEEN, outcomes=(outcome(Result.NOT_APPLIED),)),
        S.WAIT,
        "55 s of the watch left",
    ),
    (
        "our bug",
        {},
        state(Phase.SHIFT, withheld="S4", withheld_twice=True),
        SEEN,
        S.BLOCKED,
        "the guard withheld a command twice for S4, seeing what we saw: a bug in bluegreen",
    ),
    (
        "foreign weight",
        {},
        state(Phase.BAKE),
        FOREIGN,
        S.BLOCKED,
        "the weight of web-b is 33, set by others; ours is 100",
    ),
    (
        "foreign weight before ours",
        {},
        state(Phase.SCALE_UP, ledger=UNWRITTEN),
        FOREIGN,
        S.BLOCKED,
        "the weight of web-b is 33, set by others; ours is 10",
    ),
    (
        "contested",
        {},
        state(Phase.BAKE, ledger=CONTESTED),
        LOWERED,
        S.BLOCKED,
        "min of web-b is changed by others again and again, after 3 rewrites of ours",
    ),
    (
        "contested, with a rewrite left",
        {},
        state(Phase.BAKE, since=90.0, ledger=Ledger("web-1", (Loan(GREEN, "min", 0, (2,), rewrites=2),))),
        LOWERED,
        S.WAIT,
        "55 s of the watch left",
    ),
    ("dark", {}, state(Phase.BAKE), look(**DARK), S.BLIND, "cannot read fleets, weights"),
    (
        "dark, in grace",
        {},
        state(Phase.BAKE, since=-384.0),
        look(**DARK),
        S.BLIND,
        "cannot read fleets, weights",
    ),
    (
        "dark too long",
        {},
        state(Phase.BAKE, since=-385.0),
        look(**DARK),
        S.UNSAFE,
        "cannot read fleets, weights, 480 s long: the deadline and the grace are over",
    ),
    (
        "a group is missing, and why",
        {},
        state(Phase.BAKE),
        attrs.evolve(SEEN, fleets=SEEN.fleets[:1], problems=("throttled",)),
        S.BLIND,
        "cannot read group web-b, throttled",
    ),
    (
        "committed on a green that breaks",
        {},
        state(Phase.DRAIN, committed=True),
        look(green=SICK, share=100),
        S.UNSAFE,
        f"committed, but {CANNOT} and blue still stands",
    ),
    ("paused", {}, state(Phase.BAKE, paused=True), SEEN, S.PAUSED, "paused by an operator"),
]

BACK = [
    ("aborted", {}, state(Phase.BAKE, **ABORTED), SEEN, S.ABORT, "aborted: by alice"),
    (
        "aborted, no way back",
        {},
        state(Phase.BAKE, **ABORTED),
        look(blue=CORPSE, green=UP, share=10),
        S.UNSAFE,
        "aborted: by alice" + NO_WAY,
    ),
    (
        "red",
        {"gates": (ALARM,)},
        state(Phase.BAKE),
        attrs.evolve(SEEN, gates=(says("5xx", Reading.FAIL),)),
        S.ALARM,
        "gate red: 5xx",
    ),
    (
        "red for a reason, and another",
        {"gates": (ALARM, HOOK)},
        state(Phase.BAKE),
        attrs.evolve(SEEN, gates=(says("5xx", Reading.FAIL, "0.3 > 0.1"), says("smoke", Reading.FAIL))),
        S.ALARM,
        "gate red: 5xx (0.3 > 0.1), smoke",
    ),
    (
        "red between two looks",
        {"gates": (ALARM,)},
        state(Phase.BAKE, reds=(("5xx", 40.0),)),
        attrs.evolve(SEEN, gates=(GateReading(name="5xx", reading=Reading.PASS, last_red=41.0),)),
        S.ALARM,
        "gate red: 5xx (red between two looks, now pass)",
    ),
    (
        "red as long ago as at the start",
        {"gates": (ALARM,)},
        state(Phase.BAKE),
        attrs.evolve(SEEN, gates=(GateReading(name="5xx", reading=Reading.PASS, last_red=41.0),)),
        S.REACHED,
        "rung 1 held for 60 s, 2 green targets healthy",
    ),
    (
        "a gate of somebody else is red",
        {},
        state(Phase.BAKE),
        attrs.evolve(SEEN, gates=(says("another", Reading.FAIL),)),
        S.REACHED,
        "rung 1 held for 60 s, 2 green targets healthy",
    ),
    ("sick", {}, state(Phase.BAKE), look(green=SICK, share=10), S.ALARM, CANNOT),
    (
        "held on a sick blue",
        {"on_blue_sick": "hold"},
        state(Phase.BAKE),
        look(blue=LAME, green=UP, share=10),
        S.UNSAFE,
        "blue has 1 healthy, the floor is 2",
    ),
    (
        "a blue at the floor is not held on",
        {"on_blue_sick": "hold"},
        state(Phase.BAKE),
        SEEN,
        S.REACHED,
        "rung 1 held for 60 s, 2 green targets healthy",
    ),
    (
        "nor the one that a first release has not",
        {"on_blue_sick": "hold"},
        state(Phase.BAKE, first_release=True),
        look(blue=(), green=UP, share=100),
        S.LAST,
        "rung 1 held for 60 s, 2 green targets healthy",
    ),
]

REACHED = [
    ("scale_up", {}, state(Phase.SCALE_UP), look(green=UP), "2 green targets of version 2 healthy, 2 proven"),
    ("test_traffic", {}, state(Phase.TEST_TRAFFIC), look(green=UP), "2 green targets answer"),
    (
        "test_traffic of one",
        {},
        state(Phase.TEST_TRAFFIC, need=1),
        look(green=targets("g", 2, 1)),
        "1 green target answers",
    ),
    ("shift", {}, state(Phase.SHIFT), SEEN, "rung 1: 10 % of requests go to 2 green targets"),
    (
        "the next shift",
        {},
        state(Phase.SHIFT, rung=1),
        WHOLE,
        "rung 2: 100 % of requests go to 2 green targets",
    ),
    (
        "shift by counts",
        {"routing": SHARED, "strategy": canary(34, 60)},
        state(Phase.SHIFT),
        look(green=targets("g", 2, 1), share=None),
        "rung 1: 33.3 % of requests go to 1 green target",
    ),
    (
        "first shift",
        {},
        state(Phase.SHIFT, first_release=True),
        look(blue=(), green=UP, share=100),
        "all requests go to 2 green targets",
    ),
    ("bake", {}, state(Phase.BAKE), SEEN, "rung 1 held for 60 s, 2 green targets healthy"),
    (
        "keep_blue",
        {},
        state(Phase.KEEP_BLUE, rung=1),
        WHOLE,
        "2 of 2 green targets healthy, 60 s beside a whole blue: commit",
    ),
    (
        "drain",
        {},
        state(Phase.DRAIN, committed=True),
        look(blue=(), green=UP, share=100),
        "web-a has no instance left, 2 green targets healthy",
    ),
    (
        "clean_up",
        {},
        state(Phase.CLEAN_UP, committed=True),
        look(blue=(), green=UP, share=100),
        "web-b is live with 2 healthy targets, everything borrowed is given back",
    ),
    ("roll_back", {}, state(Phase.ROLL_BACK), look(green=UP), "no request leads to web-b any more"),
    (
        "discard",
        {},
        state(Phase.DISCARD),
        look(green_version=1),
        "web-b is gone, everything borrowed is given back",
    ),
]

STARVED = {"green": HALF, "green_launch_error": "no such key"}
OWED = "1 of 2 green targets healthy, 1 proven"
LATE = [
    (
        "late on the way up",
        {},
        state(Phase.SCALE_UP, proven=1, since=-805.0),
        look(green=HALF),
        S.EXPIRED,
        f"deadline of 900 s passed: {OWED}",
    ),
    (
        "late, and blue is sick",
        {},
        state(Phase.SCALE_UP, proven=1, since=-805.0),
        look(blue=LAME, green=HALF),
        S.UNSAFE,
        f"deadline of 900 s passed: {OWED}; and blue is below the floor of 2",
    ),
    (
        "late, and there is no blue",
        {},
        state(Phase.TEST_TRAFFIC, proven=1, since=-805.0, first_release=True),
        look(blue=(), green=HALF, share=0),
        S.EXPIRED,
        f"deadline of 300 s passed: {OWED}",
    ),
    (
        "late with a green that is proven",
        {"gates": (HOOK,)},
        state(Phase.TEST_TRAFFIC, since=-205.0),
        look(blue=LAME, green=UP),
        S.EXPIRED,
        "deadline of 300 s passed: gate smoke was not read",
    ),
    (
        "late, and users cannot go back",
        {"gates": (ALARM,)},
        state(Phase.BAKE, since=-265.0),
        look(blue=CORPSE, green=UP, share=10),
        S.UNSAFE,
        "deadline of 360 s passed: gate 5xx was not read" + NO_WAY,
    ),
    (
        "late with settings only",
        {},
        state(Phase.SHIFT, since=-505.0),
        look(green=UP),
        S.EXPIRED,
        "deadline of 600 s passed: settings not read back",
    ),
    (
        "late with two things",
        {"gates": (ALARM,)},
        state(Phase.BAKE, proven=1, since=-265.0),
        look(green=HALF, share=10),
        S.EXPIRED,
        f"deadline of 360 s passed: {OWED}; gate 5xx was not read",
    ),
    (
        "hopeless",
        {},
        state(Phase.SCALE_UP, proven=1),
        look(green_launch_hopeless=True, **STARVED),
        S.EXPIRED,
        f"waiting cannot help: {OWED} (launch failed: no such key)",
    ),
    (
        "late in drain with blue still standing",
        {},
        state(Phase.DRAIN, committed=True, floor=1, since=-1705.0),
        look(green=HALF, share=100, blue=targets("b", 1, 1)),
        S.UNSAFE,
        (
            "deadline of 1800 s passed: 1 instance of web-a left; "
            "green could not take over and blue still stands"
        ),
    ),
    (
        "late in drain with blue on its way out",
        {},
        state(Phase.DRAIN, committed=True, since=-1705.0),
        look(green=UP, share=100, blue=targets("b", 1, draining=1)),
        S.EXPIRED,
        "deadline of 1800 s passed: 1 instance of web-a left, 1 draining",
    ),
    (
        "late on the way back",
        {},
        state(Phase.ROLL_BACK, since=-805.0),
        look(blue=CORPSE, green=UP, share=10),
        S.EXPIRED,
        "deadline of 900 s passed: settings not read back",
    ),
]

ANSWERS = (
    ENDS_AND_HALTED
    + PREFLIGHT
    + NEITHER
    + BACK
    + LATE
    + [
        (*row[:4], S.LAST if row[2].phase is Phase.BAKE and row[2].rung else S.REACHED, row[4])
        for row in REACHED
    ]
)


@pytest.mark.parametrize(
    ("wanted", "now", "seen", "signal", "why"),
    [row[1:] for row in ANSWERS],
    ids=[f"{row[2].phase.value} {row[0]}" for row in ANSWERS],
)
def test_an_answer_and_its_sentence(
    wanted: dict[str, object], now: State, seen: Observation, signal: Signal, why: str
) -> None:
    """Each case is answered by this signal, and told in these words."""
    reply = read(plan(**wanted), now, seen)
    assert (reply.signal, reply.why) == (signal, why)


def test_a_resume_is_answered_before_anything_else() -> None:
    """Even a world that cannot be read sends a halted deployment back to where it came from."""
    reply = read(plan(), HALTED, look(**DARK), resumed=True)
    assert reply == Reply(S.RESUME, "resumed by an operator")


# -------------------------------------------------------------------------------- what a wait waits for

BAKED = state(Phase.BAKE)
CLOSED = says("office", Reading.PENDING, "opens mon")
SHUT = "window office is closed (opens mon)"
APPROVAL = "rung 1 (10 %) waits for approval"

# (what is missing, plan, state, look, sentence, only a person?, only a window?, own seconds left)
WAITS = [
    ("a person", ASKS, BAKED, SEEN, APPROVAL, True, False, 300.0),
    ("a window", OFFICE, BAKED, attrs.evolve(SEEN, gates=(CLOSED,)), SHUT, False, True, 300.0),
    (
        "a window, past the deadline",
        OFFICE,
        state(Phase.BAKE, since=-900.0),
        attrs.evolve(SEEN, gates=(CLOSED,)),
        SHUT,
        False,
        True,
        -635.0,
    ),
    (
        "a window and a person",
        OFFICE | ASKS,
        BAKED,
        attrs.evolve(SEEN, gates=(CLOSED,)),
        f"{SHUT}; {APPROVAL}",
        False,
        True,
        300.0,
    ),
    (
        "a person, and the watch is not over",
        ASKS,
        state(Phase.BAKE, since=43.0),
        SEEN,
        f"8 s of the watch left; {APPROVAL}",
        False,
        False,
        308.0,
    ),
    (
        "a window, and the watch is not over",
        OFFICE,
        state(Phase.BAKE, since=43.0),
        attrs.evolve(SEEN, gates=(CLOSED,)),
        f"8 s of the watch left; {SHUT}",
        False,
        False,
        308.0,
    ),
    (
        "a window that cannot be read",
        OFFICE,
        BAKED,
        attrs.evolve(SEEN, gates=(says("office", Reading.NO_DATA),)),
        "gate office: no-data",
        False,
        False,
        300.0,
    ),
    (
        "a check of ours",
        {"gates": (HOOK,)},
        state(Phase.TEST_TRAFFIC),
        look(green=UP, gates=(says("smoke", Reading.PENDING, "2 of 9"),)),
        "gate smoke: pending (2 of 9)",
        False,
        False,
        240.0,
    ),
    (
        "a check of ours, and launches that nobody waits for cannot come right",
        {"gates": (HOOK,)},
        state(Phase.TEST_TRAFFIC),
        look(green=UP, green_launch_hopeless=True),
        "gate smoke was not read",
        False,
        False,
        240.0,
    ),
    (
        "a gate, a moment before the deadline",
        {"gates": (ALARM,)},
        state(Phase.BAKE, since=-264.875),
        SEEN,
        "gate 5xx was not read",
        False,
        False,
        0.125,
    ),
    (
        "a check that speaks of an approval",
        {"gates": (Hook(name="cab-approval", phases=("bake",)),)} | ASKS,
        state(Phase.BAKE, approved=0),
        attrs.evolve(SEEN, gates=(says("cab-approval", Reading.PENDING, "waits for approval"),)),
        "gate cab-approval: pending (waits for approval)",
        False,
        False,
        300.0,
    ),
    (
        "a check that speaks of windows and approvals, and a window",
        {"gates": (Hook(name="cab", phases=("bake",)), WINDOW)} | ASKS,
        state(Phase.BAKE, approved=0),
        attrs.evolve(SEEN, gates=(says("cab", Reading.PENDING, "window waits for approval"), CLOSED)),
        f"gate cab: pending (window waits for approval); {SHUT}",
        False,
        False,
        300.0,
    ),
    ("instances", {}, state(Phase.SCALE_UP, proven=1), look(green=HALF), OWED, False, False, 840.0),
    (
        "the balancer's own times come on top",
        {},
        state(Phase.SCALE_UP, proven=1, delays=Delays(warm_seconds=40)),
        look(green=HALF),
        OWED,
        False,
        False,
        880.0,
    ),
    (
        "a green that was created and is not seen",
        {"fleets": "replace"},
        state(Phase.DISCARD, since=88.0, ledger=Ledger("web-1", (Loan(GREEN, "exists", 0, (1,)),))),
        look(green_exists=False),
        "web-b was created and is not seen: looked for 8 s more",
        False,
        False,
        1808.0,
    ),
    (
        "a green that is kept to be looked at",
        {"keep_failed_green_seconds": 100},
        state(Phase.DISCARD, ledger=Ledger("web-1")),
        look(green=UP, green_min=0),
        "2 instances of web-b left; web-b is kept for 40 s more, to be looked at",
        False,
        False,
        1840.0,
    ),
    (
        "a green that users may still be led to",
        {"limits": Limits(settle_seconds=100)},
        state(Phase.DISCARD),
        look(green=UP, green_min=0),
        "2 instances of web-b left; web-b is kept for 40 s more: users may still be led to it",
        False,
        False,
        1840.0,
    ),
    (
        "a green that somebody has looked at, and users may still be led to",
        {"keep_failed_green_seconds": 200, "limits": Limits(settle_seconds=100)},
        state(Phase.DISCARD, let_go=True),
        look(green=UP, green_min=0),
        "2 instances of web-b left; web-b is kept for 40 s more: users may still be led to it",
        False,
        False,
        1840.0,
    ),
]


@pytest.mark.parametrize(
    ("wanted", "now", "seen", "why", "person", "window", "left"),
    [row[1:] for row in WAITS],
    ids=[row[0] for row in WAITS],
)
def test_a_wait_says_for_what_and_for_whom(
    wanted: dict[str, object],
    now: State,
    seen: Observation,
    why: str,
    person: bool,  # noqa: FBT001
    window: bool,  # noqa: FBT001
    left: float,
) -> None:
    """Nothing is sent, and whether only a person or a window is missing is told apart."""
    picture = want(plan(**wanted), now, seen)
    expected = Reply(S.WAIT, why, picture, awaiting=person, closed=window, left=left)
    assert read(plan(**wanted), now, seen) == expected


@pytest.mark.parametrize("rung", [0, 1])
def test_what_is_reached_is_shown_with_its_picture(rung: int) -> None:
    """The answer holds the picture that the look was compared with, and sends nothing."""
    now, seen = state(Phase.BAKE, rung=rung), (SEEN, WHOLE)[rung]
    answer = (S.REACHED, S.LAST)[rung]
    why = f"rung {rung + 1} held for 60 s, 2 green targets healthy"
    assert read(plan(), now, seen) == Reply(answer, why, want(plan(), now, seen))


def test_a_wait_and_a_pause_send_what_is_missing() -> None:
    """What the picture lacks is asked for, also while an operator holds the way forward."""
    seen = look(green=UP, share=10, green_min=0)
    mends = (SetBounds(fleet=GREEN, min=2, max=4),)
    baking = read(plan(), state(Phase.BAKE, since=90.0), seen)
    assert (baking.signal, baking.commands) == (S.WAIT, mends)
    held = read(plan(), state(Phase.BAKE, paused=True), seen)
    assert held == Reply(S.PAUSED, "paused by an operator", want(plan(), state(Phase.BAKE), seen), mends)
