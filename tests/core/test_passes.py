"""What one pass leaves behind: whole states, the next look, the sentence, and what is remembered."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluegreen.core.commands import Attach
from bluegreen.core.gates import Alarm, Window
from bluegreen.core.limits import Limits
from bluegreen.core.machine import NEVER, TRANSITIONS, fold, initial, sight, step
from bluegreen.core.observation import (
    Delays,
    GateReading,
    Observation,
    Outcome,
    Reading,
    Request,
    Result,
)
from bluegreen.core.signals import Signal
from bluegreen.core.state import Ledger, Loan, Phase, Sighting, State
from bluegreen.strategies import canary, side_by_side
from tests.core.looks import BLUE, GREEN, SHARED, look, plan, state, targets

UP, SICK = targets("g", 2, 2), targets("g", 2, unhealthy=2)
SEEN, WHOLE = look(green=UP, share=10), look(green=UP, share=100)
EMPTIED = look(blue=(), blue_desired=0, green=UP, share=100)
RED = (
    GateReading(name="5xx", reading=Reading.PASS, last_red=7.0),
    GateReading(name="p", reading=Reading.PASS),
)
WITHHELD = Outcome(command=Attach(fleet=GREEN), result=Result.WITHHELD, invariant="S4", agreed=True)
GIVEN_BACK = look(green_version=1)
ABORT = Request(seq=9, kind="abort", by="alice")
RESUME = Request(seq=9, kind="resume", by="alice")
HALTED = state(
    Phase.HALTED,
    came_from=Phase.BAKE,
    paused=True,
    reds=(("5xx", 1.0),),
    ledger=Ledger("web-1", (Loan(GREEN, "min", 0, (2,), 3), Loan(GREEN, "max", 4, (), 1))),
)
FORGIVEN = Ledger("web-1", (Loan(GREEN, "min", 0, (2,)), Loan(GREEN, "max", 4)))
LOUD = {"awaiting": True, "closed": True, "withheld": "S4", "withheld_twice": False}


def seen_with(seen: Observation, **changes: Any) -> Observation:
    """A look with something more."""
    return attrs.evolve(seen, **changes)


# (way, plan, state, look, what has changed besides phase and time)
MOVES: list[tuple[str, dict[str, object], State, Observation, Phase, dict[str, object]]] = [
    ("up", {}, state(Phase.SCALE_UP), look(green=UP), Phase.TEST_TRAFFIC, {}),
    ("to users", {}, state(Phase.TEST_TRAFFIC), look(green=UP), Phase.SHIFT, {}),
    ("to the watch", {}, state(Phase.SHIFT), SEEN, Phase.BAKE, {}),
    ("to the next rung", {}, state(Phase.BAKE), SEEN, Phase.SHIFT, {"rung": 1}),
    ("to the last watch", {}, state(Phase.BAKE, rung=1), WHOLE, Phase.KEEP_BLUE, {}),
    ("to the commit", {}, state(Phase.KEEP_BLUE, rung=1), WHOLE, Phase.DRAIN, {"committed": True}),
    ("back from the last watch", {}, state(Phase.KEEP_BLUE, rung=1, abort="no"), WHOLE, Phase.ROLL_BACK, {}),
    ("on", {}, state(Phase.DRAIN, committed=True), EMPTIED, Phase.CLEAN_UP, {}),
    ("to the end", {}, state(Phase.CLEAN_UP, committed=True), EMPTIED, Phase.PROMOTED, {}),
    (
        "to the end, with a rest",
        {},
        state(Phase.CLEAN_UP, committed=True, since=-505.0),
        look(green=UP, share=100, blue=targets("b", 1, draining=1), blue_min=1),
        Phase.PROMOTED,
        {"leftovers": ("keep web-a between 0 and 4", "1 instance of web-a left, 1 draining")},
    ),
    ("back", {}, state(Phase.ROLL_BACK), look(green=UP), Phase.DISCARD, {}),
    ("back where it was", {}, state(Phase.DISCARD), GIVEN_BACK, Phase.ROLLED_BACK, {"sightings": ()}),
    (
        "back, with what others changed",
        {},
        state(Phase.DISCARD),
        look(green_version=9, green_min=1, green_max=5),
        Phase.ROLLED_BACK,
        {
            "sightings": (),
            "leftovers": (
                "min of web-b is 1, was 0: changed by others, left alone",
                "max of web-b is 5, was 4: changed by others, left alone",
                "version of web-b is 9, was 1: changed by others, left alone",
            ),
        },
    ),
    (
        "to a person",
        {},
        state(Phase.BAKE, abort="no"),
        look(blue=targets("b", 1, unhealthy=2), green=UP, share=10),
        Phase.HALTED,
        {"came_from": Phase.BAKE},
    ),
    (
        "from a person, on",
        {},
        attrs.evolve(HALTED, abort="no"),
        seen_with(SEEN, requests=(RESUME,), gates=RED),
        Phase.BAKE,
        {
            "came_from": None,
            "paused": False,
            "abort": None,
            "seen": 9,
            "ledger": FORGIVEN,
            "reds": (("5xx", 7.0),),
        },
    ),
    (
        "from a person, back",
        {},
        HALTED,
        seen_with(SEEN, requests=(ABORT,), gates=RED),
        Phase.ROLL_BACK,
        {"came_from": None, "paused": False, "abort": "by alice", "seen": 9},
    ),
    (
        "on, from a watch that was waited with",
        {},
        state(Phase.BAKE, since=30.0, **LOUD),
        seen_with(SEEN, outcomes=(attrs.evolve(WITHHELD, invariant="S1"),)),
        Phase.SHIFT,
        {"rung": 1, "awaiting": False, "closed": False, "withheld": None, "clock": 95.0, "since": 95.0},
    ),
    (
        "to a person, for a bug of ours",
        {},
        state(Phase.SHIFT, withheld="S4"),
        seen_with(look(green=UP), outcomes=(WITHHELD,)),
        Phase.HALTED,
        {"came_from": Phase.SHIFT, "withheld": None, "withheld_twice": False},
    ),
]


@pytest.mark.parametrize(
    ("wanted", "before", "seen", "phase", "changes"),
    [row[1:] for row in MOVES],
    ids=[row[0] for row in MOVES],
)
def test_a_move_changes_this_and_nothing_else(
    wanted: dict[str, object], before: State, seen: Observation, phase: Phase, changes: dict[str, object]
) -> None:
    """A pass that moves sends nothing, wakes at once, and leaves the state that its row tells."""
    taken = step(plan(**wanted), before, seen)
    told = {"phase": phase, "at": 100.0, "clock": 100.0, "since": 100.0, "wake_at": 100.0} | changes
    assert taken.state == attrs.evolve(before, **told)
    assert (taken.commands, taken.wake_at) == ((), 100.0)


def test_what_is_noted_when_preflight_is_left() -> None:
    """Colours, sizes, pre-image, the balancer's times and each alarm's last red, and nothing else."""
    slow = Delays(drain_seconds=1, sticky_seconds=2, warm_seconds=3)
    seen = look(delays=slow, gates=RED, blue_min=1, default_version=5)
    taken = step(plan(min_healthy_percent=50), initial("web-1", 100.0), seen)
    assert taken.state == State(
        ledger=Ledger(
            "web-1",
            (
                Loan(BLUE, "min", 1),
                Loan(BLUE, "max", 4),
                Loan(GREEN, "min", 0),
                Loan(GREEN, "max", 4),
                Loan(BLUE, "weight", 100),
                Loan(GREEN, "weight", 0),
            ),
        ),
        at=100.0,
        wake_at=100.0,
        phase=Phase.SCALE_UP,
        blue=BLUE,
        green=GREEN,
        source=1,
        baseline=2,
        floor=1,
        need=2,
        delays=slow,
        reds=(("5xx", 7.0),),
    )


def test_a_refusal_leaves_nothing_behind() -> None:
    """Nothing was borrowed, and nothing is left over."""
    before = initial("web-1", 95.0)
    taken = step(plan(), before, look(image=False))
    assert taken.state == attrs.evolve(before, phase=Phase.REFUSED, at=100.0, wake_at=100.0)


def test_a_group_that_is_not_there_is_not_noted() -> None:
    """What will be created has no bounds to be given back, and without weights none are noted."""
    seen = look(green_exists=False, share=None, green_attached=False)
    begun = step(
        plan(fleets="replace", routing=SHARED, strategy=side_by_side()), initial("web-1", 95.0), seen
    )
    assert begun.state.ledger == Ledger("web-1", (Loan(BLUE, "min", 2), Loan(BLUE, "max", 4)))


# ------------------------------------------------------------------------------ the next look, the sentence

WATCHING = state(Phase.BAKE, since=90.0)
LOWERED = look(green=UP, share=10, green_min=0)
ALARM, OFFICE = {"gates": (Alarm(name="5xx"),)}, {"gates": (Window(name="office"),)}
SHUT = seen_with(SEEN, gates=(GateReading(name="office", reading=Reading.PENDING),))
ASKS = {"strategy": canary(10, 60, approval=True)}

# (what is waited for, plan, state, look, next look, sentence)
STAYS = [
    ("a watch", {}, WATCHING, SEEN, 105.0, "50 s of the watch left, 350 s left"),
    (
        "the end of a watch",
        {},
        state(Phase.BAKE, since=44.0),
        SEEN,
        104.0,
        "4 s of the watch left, 304 s left",
    ),
    (
        "a watch as long as a poll",
        {},
        state(Phase.BAKE, since=45.0),
        SEEN,
        105.0,
        "5 s of the watch left, 305 s left",
    ),
    (
        "the last second of a watch",
        {},
        state(Phase.BAKE, since=40.5),
        SEEN,
        100.5,
        "0.5 s of the watch left, 300.5 s left",
    ),
    (
        "a watch of weeks",
        {"strategy": canary(10, 20 * 86_400)},
        state(Phase.BAKE, since=94.875),
        SEEN,
        105.0,
        "1727994.875 s of the watch left, 1728294.875 s left",
    ),
    (
        "settings",
        {},
        state(Phase.BAKE, since=44.0),
        LOWERED,
        105.0,
        "keep web-b between 2 and 4; 4 s of the watch left, 304 s left",
    ),
    (
        "a gate, and the deadline is near",
        ALARM,
        state(Phase.BAKE, since=-258.0),
        SEEN,
        102.0,
        "gate 5xx was not read, 2 s left",
    ),
    (
        "a gate, and the deadline is a poll away",
        ALARM,
        state(Phase.BAKE, since=-250.0),
        SEEN,
        105.0,
        "gate 5xx was not read, 10 s left",
    ),
    (
        "a gate, and the watch is over this very moment",
        ALARM,
        state(Phase.BAKE, since=40.0),
        SEEN,
        105.0,
        "gate 5xx was not read, 300 s left",
    ),
    ("a person", ASKS, state(Phase.BAKE), SEEN, 105.0, "rung 1 (10 %) waits for approval"),
    ("a window", OFFICE, state(Phase.BAKE), SHUT, 105.0, "window office is closed"),
    (
        "settings to be read back",
        {},
        state(Phase.SHIFT, proven=0),
        look(green=SICK),
        105.0,
        "0 of 2 green targets healthy, 0 proven (i-g0: unhealthy), 535 s left",
    ),
    (
        "others to go first",
        {},
        state(Phase.DRAIN, committed=True, floor=1),
        look(green=targets("g", 2, 1), share=10, blue=()),
        105.0,
        "size of web-b to 2, weights web-a 0, web-b 100, 1735 s left",
    ),
    ("a pause", {}, state(Phase.BAKE, paused=True, since=40.0), SEEN, 105.0, "paused by an operator"),
    (
        "a pause that holds the end of a watch",
        {},
        state(Phase.BAKE, paused=True, since=37.0),
        SEEN,
        102.0,
        "paused by an operator",
    ),
    (
        "a pause that holds a deadline",
        {},
        state(Phase.BAKE, paused=True, since=-262.0),
        SEEN,
        103.0,
        "paused by an operator",
    ),
    ("light", {}, state(Phase.BAKE), look(unread=("fleets",)), 105.0, "cannot read fleets"),
    ("nothing", {}, state(Phase.PROMOTED), SEEN, 100.0, "the deployment has ended"),
    ("a decision", {}, HALTED, SEEN, 105.0, "halted: an operator must resume or abort"),
]


@pytest.mark.parametrize(
    ("wanted", "before", "seen", "wake_at", "reason"),
    [row[1:] for row in STAYS],
    ids=[row[0] for row in STAYS],
)
def test_a_wait_says_for_what_and_when_to_look(
    wanted: dict[str, object], before: State, seen: Observation, wake_at: float, reason: str
) -> None:
    """The next look is a poll away, or at the end of a watch or a deadline that is nearer."""
    taken = step(plan(**wanted), before, seen)
    assert (taken.state.phase, taken.reason) == (before.phase, reason)
    assert taken.wake_at == taken.state.wake_at == wake_at


def test_a_wait_notes_whom_it_waits_for() -> None:
    """Own time stands still for a person and for a window, and runs on when neither is missing."""
    asks, office = plan(**ASKS), plan(**OFFICE)
    for wanted, seen, noted in ((asks, SEEN, (True, False)), (office, SHUT, (False, True))):
        first = step(wanted, state(Phase.BAKE), seen).state
        assert (first.awaiting, first.closed, first.clock) == (*noted, 100.0)
        second = step(wanted, first, seen_with(seen, at=105.0)).state
        assert (second.awaiting, second.closed, second.clock, second.at) == (*noted, 100.0, 105.0)
    goes_on = step(plan(), state(Phase.BAKE, since=90.0, awaiting=True, closed=True), SEEN).state
    assert (goes_on.awaiting, goes_on.closed) == (False, False)


def test_settings_that_are_not_read_back_yet_are_waited_for() -> None:
    """Where a command must wait and nothing else is missing, the sentence says so."""
    lame = look(blue=targets("b", 1, 1, unhealthy=1), green=UP, share=10)
    waits = step(plan(), state(Phase.ROLL_BACK), lame)
    assert (waits.commands, waits.reason) == ((), "waiting for the settings to be read back, 835 s left")


def test_what_can_never_be_answered_is_told_when_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cell that cannot occur names the phase, the answer and the numbers if a bug of ours gets there."""
    monkeypatch.setitem(TRANSITIONS[Phase.BAKE], Signal.REACHED, NEVER)
    with pytest.raises(AssertionError, match="bake never answers reached: rung 1 held for 65 s, 2 green"):
        step(plan(), state(Phase.BAKE), SEEN)


# ---------------------------------------------------------------------------------------- a look taken in


@pytest.mark.parametrize(
    ("before", "at", "clock", "noted"),
    [
        ({}, 100.0, 100.0, 100.0),
        ({}, 98.0, 98.0, 98.0),
        ({}, 3700.0, 100.0, 3700.0),
        ({}, 90.0, 95.0, 95.0),
        ({"wake_at": 90.0}, 100.0, 95.0, 100.0),
        ({"paused": True}, 100.0, 95.0, 100.0),
        ({"paused": True, "phase": Phase.PREFLIGHT}, 100.0, 95.0, 100.0),
        ({"paused": True, "phase": Phase.ROLL_BACK}, 100.0, 100.0, 100.0),
        ({"awaiting": True}, 100.0, 95.0, 100.0),
        ({"closed": True}, 100.0, 95.0, 100.0),
    ],
)
def test_own_time_is_what_was_watched(
    before: dict[str, object], at: float, clock: float, noted: float
) -> None:
    """It runs to the look or to when it was due, and not while a person holds it."""
    folded, resumed = fold(plan(), attrs.evolve(state(Phase.BAKE), **before), look(green=UP, at=at))
    assert (folded.clock, folded.at, resumed) == (clock, noted, False)


def request(kind: str, seq: int = 7, **fields: object) -> Request:
    """What an operator asks."""
    return Request(seq=seq, kind=kind, **fields)  # type: ignore[arg-type]


DISCARDING, RUNG_1 = {"phase": Phase.DISCARD}, {"rung": 1}
KEEPS = {"keep_failed_green_seconds": 60}

# (plan, what the state is before, requests, what it is after, whether it is resumed)
REQUESTS: list[tuple[dict[str, object], dict[str, object], tuple[Request, ...], dict[str, object], bool]] = [
    ({}, {}, (request("approve"),), {"approved": 0, "seen": 7}, False),
    ({}, RUNG_1, (request("approve"),), {"approved": 1, "seen": 7}, False),
    ({}, RUNG_1, (request("approve", rung=0),), {"approved": 0, "seen": 7}, False),
    ({}, {"approved": 1}, (request("approve", rung=0),), {"approved": 1, "seen": 7}, False),
    ({}, {}, (request("pause"),), {"paused": True, "seen": 7}, False),
    ({}, {"paused": True}, (request("resume"),), {"paused": False, "seen": 7}, False),
    ({}, {"phase": Phase.HALTED}, (request("resume"),), {"paused": False, "seen": 7}, True),
    (
        {},
        {"phase": Phase.HALTED},
        (request("resume"), request("abort", 8)),
        {"abort": "by an operator", "paused": False, "seen": 8},
        False,
    ),
    ({}, {}, (request("abort", by="alice"),), {"abort": "by alice", "seen": 7}, False),
    ({}, {}, (request("abort", by="alice", reason="slow"),), {"abort": "slow", "seen": 7}, False),
    (KEEPS, {}, (request("abort", by="al"),), {"abort": "by al", "let_go": False, "seen": 7}, False),
    (KEEPS, DISCARDING, (request("abort", by="al"),), {"abort": "by al", "let_go": True, "seen": 7}, False),
    (
        {"keep_failed_green_seconds": 1},
        DISCARDING,
        (request("abort", by="al"),),
        {"abort": "by al", "let_go": True, "seen": 7},
        False,
    ),
    ({}, DISCARDING, (request("abort", by="al"),), {"abort": "by al", "let_go": False, "seen": 7}, False),
    ({}, {"seen": 7}, (request("abort"),), {}, False),
    ({}, {"seen": 7}, (request("abort"), request("pause", 8)), {"paused": True, "seen": 8}, False),
]


@pytest.mark.parametrize(("wanted", "changed", "requests", "after", "resumed"), REQUESTS)
def test_a_request_is_taken_in_once(
    wanted: dict[str, object],
    changed: dict[str, object],
    requests: tuple[Request, ...],
    after: dict[str, object],
    resumed: bool,  # noqa: FBT001
) -> None:
    """Each is noted in the state with its number, in the order in which they came."""
    before = attrs.evolve(state(Phase.BAKE), **changed)
    folded = fold(plan(**wanted), before, look(green=UP, at=95.0, requests=requests))
    assert folded == (attrs.evolve(before, **after), resumed)


AGREED = WITHHELD
# (withheld before, outcomes, withheld after, whether twice)
GUARDED: list[tuple[str | None, tuple[Outcome, ...], str | None, bool]] = [
    (None, (), None, False),
    (None, (AGREED,), "S4", False),
    ("S4", (AGREED,), "S4", True),
    ("S1", (AGREED,), "S4", False),
    ("S4", (), None, False),
    ("S4", (attrs.evolve(AGREED, agreed=False),), None, False),
    ("S4", (attrs.evolve(AGREED, result=Result.APPLIED),), None, False),
    (None, (attrs.evolve(AGREED, result=Result.APPLIED), AGREED), "S4", False),
]


@pytest.mark.parametrize(("before", "outcomes", "after", "twice"), GUARDED)
def test_what_the_guard_withheld_is_remembered_for_one_pass(
    before: str | None,
    outcomes: tuple[Outcome, ...],
    after: str | None,
    twice: bool,  # noqa: FBT001
) -> None:
    """Only what it withheld on an agreeing look counts, and only the same promise twice in a row."""
    now = state(Phase.SHIFT, withheld=before, withheld_twice=before is not None)
    folded, _ = fold(plan(), now, look(green=UP, outcomes=outcomes))
    assert (folded.withheld, folded.withheld_twice) == (after, twice)


YOUNG = (Sighting(frozenset({"i-g0", "i-g1"}), 1, 0.0),)
GROWN = look(green=UP, blue_desired=3, version=5)

# (what the state is before, look, what of it is remembered)
REMEMBERED: list[tuple[dict[str, object], Observation, dict[str, object]]] = [
    ({}, GROWN, {"need": 3}),
    ({"need": 4}, GROWN, {}),
    ({"committed": True}, GROWN, {}),
    ({"first_release": True}, GROWN, {}),
    ({"phase": Phase.PREFLIGHT, "version": None}, GROWN, {}),
    ({"phase": Phase.PROMOTED, "version": None}, GROWN, {}),
    (
        {"version": None, "sightings": ()},
        look(green=targets("g", 5, 2), version=5),
        {"version": 5, "sightings": YOUNG},
    ),
    ({"version": None, "sightings": ()}, look(green=UP, version=None), {}),
    ({"sightings": ()}, look(green=UP, version=5), {"sightings": YOUNG}),
    ({}, look(green=UP, green_attached=False), {"attached": False, "sightings": YOUNG}),
    ({"attached": False}, look(green=UP), {"attached": True, "sightings": YOUNG}),
    ({}, look(green=UP, blue_desired=3, unread=("targets",)), {}),
    ({}, look(green=targets("g", 2, unhealthy=2)), {"sightings": ()}),
    ({}, look(green=targets("g", 3, 2)), {"sightings": ()}),
    ({}, seen_with(GROWN, fleets=GROWN.fleets[:1]), {"need": 3}),
    ({}, seen_with(GROWN, fleets=look(green=SICK, blue_desired=3).fleets[1:]), {"sightings": ()}),
]


@pytest.mark.parametrize(("changed", "seen", "remembered"), REMEMBERED)
def test_a_look_is_remembered_in_this(
    changed: dict[str, object], seen: Observation, remembered: dict[str, object]
) -> None:
    """What blue has wanted, the version once it is there, and who was seen healthy, as far as it was read."""
    before = state(Phase.SHIFT, wake_at=95.0)
    before = attrs.evolve(before, **changed)
    folded, _ = fold(plan(), before, seen_with(seen, at=95.0))
    assert folded == attrs.evolve(before, **remembered)


def test_a_shared_green_that_falls_short_is_counted_look_by_look() -> None:
    """Whole looks only, in a row, up to four; then it is an alarm."""
    wanted = plan(routing=SHARED, strategy=side_by_side())
    now, counts = state(Phase.BAKE, since=90.0), []
    for at in (100.0, 105.0, 110.0, 115.0):
        taken = step(wanted, now, look(green=SICK, share=None, at=at))
        now = taken.state
        counts.append((now.short, taken.signal))
    assert counts == [(1, "wait"), (2, "wait"), (3, "wait"), (4, "alarm")]
    falling = state(Phase.BAKE, since=90.0, short=2)
    assert step(wanted, falling, look(green=SICK, share=None, unread=("weights",))).state.short == 2
    assert step(wanted, falling, look(green=UP, share=None)).state.short == 0
    assert step(plan(), falling, look(green=SICK, share=10)).state.short == 0
    again = state(Phase.ROLL_BACK, short=4)
    assert step(wanted, again, look(green=SICK, share=None)).state.short == 4


# ------------------------------------------------------------------------------------------- sightings


def test_who_has_caught_up_stands_with_the_others() -> None:
    """Ids that became healthy one after the other are one sighting once all are proven."""
    known = tuple(Sighting(frozenset({name}), *mark) for name, mark in (("b", (1, 0.0)), ("a", (2, 5.0))))
    assert sight(known, frozenset("ab"), 5.0, plan()) == (Sighting(frozenset("ab"), 2, 5.0),)
    assert sight(known, frozenset("abc"), 5.0, plan())[0] == Sighting(frozenset("c"), 1, 0.0)


LOOKS = st.lists(
    st.tuples(st.frozensets(st.sampled_from("abcd")), st.sampled_from([0.0, 1.0, 2.5, 5.0])), max_size=8
)


@pytest.mark.property
@given(looks=LOOKS, asks=st.tuples(st.integers(1, 4), st.integers(0, 9)))
def test_kept_together_or_one_by_one_is_the_same(
    looks: list[tuple[frozenset[str], float]], asks: tuple[int, int]
) -> None:
    """Each id has the looks in a row and their span, up to what proof asks for, and equals stand together."""
    wanted = plan(limits=Limits(proof_looks=asks[0], proof_seconds=asks[1]))
    known: tuple[Sighting, ...] = ()
    each: dict[str, tuple[int, float]] = {}
    for healthy, seconds in looks:
        known = sight(known, healthy, seconds, wanted)
        each = {
            name: (min(each[name][0] + 1, asks[0]), min(each[name][1] + seconds, asks[1]))
            if name in each
            else (1, 0)
            for name in healthy
        }
        marks = sorted(set(each.values()))
        assert known == tuple(
            Sighting(frozenset(name for name, mark in each.items() if mark == found), *found)
            for found in marks
        )
