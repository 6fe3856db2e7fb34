"""Every promise has a trace on which it fires, and the sound trace next to it on which it does not."""

from __future__ import annotations

import attrs
import pytest

from bluegreen.core.commands import (
    Attach,
    CreateFleet,
    DeleteFleet,
    Detach,
    PrepareVersion,
    SetBounds,
    SetShares,
    SetSize,
    SetVersion,
)
from bluegreen.core.gates import Alarm
from bluegreen.core.invariants import INVARIANTS, Invariant
from bluegreen.core.state import Phase, Step
from tests.core.looks import BLUE, GREEN, SHARED, look, plan, state, targets

BY_ID = {invariant.id: invariant for invariant in INVARIANTS}
GREEN_UP = targets("g", 2, 2)
DRAIN = state(Phase.DRAIN, committed=True)


def shares(blue: int, green: int) -> SetShares:
    """Weights of both groups."""
    return SetShares(weights=((BLUE, blue), (GREEN, green)))


def size(fleet: str, count: int) -> SetSize:
    """A group's size with its bounds."""
    return SetSize(fleet=fleet, size=count, min=count, max=4)


# (promise, what is wrong, state, look, bad command, good command)
COMMANDS = [
    (
        "S1",
        "ends green, the only one serving",
        DRAIN,
        look(green=GREEN_UP, share=100),
        size(GREEN, 1),
        size(BLUE, 0),
    ),
    (
        "S1",
        "moves all users to a green that is one short",
        state(Phase.SHIFT, rung=1),
        look(green=targets("g", 2, 1, unhealthy=1), share=10),
        shares(0, 100),
        shares(50, 50),
    ),
    (
        "S2",
        "gives green a share although none of it is healthy",
        state(Phase.SHIFT),
        look(green=targets("g", 2, unhealthy=2)),
        shares(90, 10),
        shares(100, 0),
    ),
    (
        "S3",
        "asks for more than the rung allows",
        state(Phase.SHIFT),
        look(green=GREEN_UP),
        shares(80, 20),
        shares(90, 10),
    ),
    (
        "S4",
        "attaches instances that nobody has proven",
        state(Phase.SHIFT, proven=0),
        look(green=targets("g", 2, initial=2), green_attached=False),
        Attach(fleet=GREEN),
        size(GREEN, 2),
    ),
    (
        "S5",
        "lowers blue's minimum before the commit",
        state(Phase.BAKE),
        look(green=GREEN_UP, share=10),
        SetBounds(fleet=BLUE, min=1, max=4),
        SetBounds(fleet=BLUE, min=3, max=4),
    ),
    (
        "S7",
        "shrinks blue while requests still lead there",
        DRAIN,
        look(green=GREEN_UP, share=50),
        size(BLUE, 0),
        size(GREEN, 2),
    ),
    (
        "S7",
        "deletes a group that has instances",
        attrs.evolve(DRAIN, phase=Phase.CLEAN_UP),
        look(green=GREEN_UP, share=100),
        DeleteFleet(fleet=BLUE),
        SetBounds(fleet=BLUE, min=0, max=4),
    ),
    (
        "S9",
        "takes share from green on the way forward",
        state(Phase.SHIFT, rung=1),
        look(green=GREEN_UP, share=50),
        shares(90, 10),
        shares(0, 100),
    ),
    (
        "S9",
        "gives green share on the way back",
        state(Phase.ROLL_BACK),
        look(green=GREEN_UP, share=10),
        shares(50, 50),
        shares(100, 0),
    ),
    (
        "S14",
        "touches a group that the plan does not name",
        state(Phase.BAKE),
        look(green=GREEN_UP, share=10),
        SetVersion(fleet="somebody-else", version=2),
        SetVersion(fleet=GREEN, version=2),
    ),
    (
        "S14",
        "makes a version of another image",
        state(Phase.SCALE_UP),
        look(),
        PrepareVersion(template="web-template", source=1, image="ami-9", token="web-1"),
        PrepareVersion(template="web-template", source=1, image="ami-2", token="web-1"),
    ),
    (
        "S15",
        "gives every colour the weight 0",
        state(Phase.ROLL_BACK),
        look(green=targets("g", 2), share=10),
        shares(0, 0),
        shares(100, 0),
    ),
    (
        "S15",
        "wants more instances than blue ever wanted",
        state(Phase.SCALE_UP),
        look(),
        CreateFleet(fleet=GREEN, like=BLUE, version=2, min=9, max=9, size=9, token="web-1"),
        CreateFleet(fleet=GREEN, like=BLUE, version=2, min=2, max=4, size=2, token="web-1"),
    ),
    (
        "S17",
        "moves users on a look that is not whole",
        state(Phase.ROLL_BACK),
        look(green=targets("g", 2), share=10, unread=("target health",)),
        shares(100, 0),
        SetBounds(fleet=BLUE, min=2, max=4),
    ),
]


@pytest.mark.parametrize(
    ("name", "wrong", "now", "seen", "bad", "good"), COMMANDS, ids=[f"{c[0]} {c[1]}" for c in COMMANDS]
)
def test_a_promise_about_commands_fires_on_the_bad_one_only(name, wrong, now, seen, bad, good) -> None:
    """The promise forbids the bad command and allows the sound one in the same world."""
    del wrong
    assert not BY_ID[name].command(plan(), now, seen, bad)
    assert BY_ID[name].command(plan(), now, seen, good)


def test_detaching_the_last_that_serves_breaks_the_floor() -> None:
    """Behind a shared target group, taking blue out while green is not there crosses the floor."""
    seen = look(share=None)
    wanted = plan(routing=SHARED)
    assert not BY_ID["S1"].command(wanted, state(Phase.ROLL_BACK), seen, Detach(fleet=BLUE))
    assert BY_ID["S1"].command(wanted, state(Phase.ROLL_BACK), seen, Detach(fleet=GREEN))


def moved(before, phase: Phase, signal: str = "reached", **changes: object) -> Step:
    """A step into ``phase``."""
    return Step(attrs.evolve(before, phase=phase, **changes), (), "", 100.0, signal)


WHOLE = look(green=GREEN_UP, share=100)
KEEP = state(Phase.KEEP_BLUE, rung=1)

# (promise, what is wrong, state before, look, bad step, good look for the same step)
STEPS = [
    (
        "S4",
        "0 of 0 counted as proven",
        state(Phase.SCALE_UP, proven=0),
        look(),
        moved(state(Phase.SCALE_UP, proven=0), Phase.TEST_TRAFFIC),
        None,
    ),
    (
        "S4",
        "went on though the proven ones are gone from the look",
        state(Phase.BAKE),
        look(green=targets("g", 2, 1), share=10),
        moved(state(Phase.BAKE), Phase.SHIFT, rung=1),
        look(green=GREEN_UP, share=10),
    ),
    (
        "S4",
        "counted instances of another version",
        state(Phase.BAKE),
        look(green=targets("g", 1, 2), share=10),
        moved(state(Phase.BAKE), Phase.SHIFT, rung=1),
        look(green=GREEN_UP, share=10),
    ),
    (
        "S5",
        "committed at half the share",
        KEEP,
        look(green=GREEN_UP, share=50),
        moved(KEEP, Phase.DRAIN, committed=True),
        WHOLE,
    ),
    (
        "S5",
        "committed on a green below the floor",
        KEEP,
        look(green=targets("g", 2, 1), share=100),
        moved(KEEP, Phase.DRAIN, committed=True),
        WHOLE,
    ),
    (
        "S6",
        "turned back to a blue that is dead",
        state(Phase.BAKE),
        look(blue=targets("b", 1, unhealthy=2), green=GREEN_UP, share=10),
        moved(state(Phase.BAKE), Phase.ROLL_BACK, "alarm"),
        look(green=GREEN_UP, share=10),
    ),
    (
        "S8",
        "ended with green's minimum still pinned",
        state(Phase.DISCARD),
        look(green_min=2),
        moved(state(Phase.DISCARD), Phase.ROLLED_BACK),
        look(green_min=0, green_version=1),
    ),
    ("S9", "went back after the commit", DRAIN, WHOLE, moved(DRAIN, Phase.ROLL_BACK, "abort"), None),
    (
        "S9",
        "went forward again after turning back",
        state(Phase.ROLL_BACK),
        WHOLE,
        moved(state(Phase.ROLL_BACK), Phase.SHIFT),
        None,
    ),
    (
        "S17",
        "went on blind",
        state(Phase.BAKE),
        look(green=GREEN_UP, share=10, unread=("fleets",)),
        moved(state(Phase.BAKE), Phase.SHIFT, rung=1),
        look(green=GREEN_UP, share=10),
    ),
]


@pytest.mark.parametrize(
    ("name", "wrong", "before", "seen", "step", "sound"), STEPS, ids=[f"{s[0]} {s[1]}" for s in STEPS]
)
def test_a_promise_about_steps_fires_on_the_bad_one_only(name, wrong, before, seen, step, sound) -> None:
    """The promise forbids the step on the bad look and allows it on the sound one."""
    del wrong
    assert not BY_ID[name].step(plan(), before, seen, step)
    assert sound is None or BY_ID[name].step(plan(), before, sound, step)


def test_a_red_or_missing_gate_is_no_pass() -> None:
    """S4 counts neither a missing reading nor one without data as a pass."""
    wanted = plan(gates=(Alarm(name="5xx"),))
    before = state(Phase.BAKE)
    seen = look(green=GREEN_UP, share=10)
    assert not BY_ID["S4"].step(wanted, before, seen, moved(before, Phase.SHIFT, rung=1))


def test_halted_sends_nothing() -> None:
    """S6: a deployment that is halted keeps everything as it is."""
    before = state(Phase.HALTED, came_from=Phase.BAKE)
    loud = Step(before, (DeleteFleet(fleet=GREEN),), "", 100.0, "wait")
    assert not BY_ID["S6"].step(plan(), before, look(), loud)
    assert BY_ID["S6"].step(plan(), before, look(), attrs.evolve(loud, commands=()))


def test_a_pass_that_moves_sends_nothing() -> None:
    """S15: one record, one transition, one sentence."""
    before = state(Phase.SHIFT)
    loud = attrs.evolve(moved(before, Phase.BAKE), commands=(shares(90, 10),))
    assert not BY_ID["S15"].step(plan(), before, look(), loud)


def test_every_promise_fires_somewhere_here() -> None:
    """No promise of the table is without a trace on which it fires."""
    assert {invariant.id for invariant in INVARIANTS} == {c[0] for c in COMMANDS} | {s[0] for s in STEPS}
    assert all(
        isinstance(invariant, Invariant) and invariant.sentence.endswith(".") for invariant in INVARIANTS
    )
