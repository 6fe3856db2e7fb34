"""The pure step: time, requests, outcomes, sightings, and each way through the table that a look decides."""

from __future__ import annotations

import attrs
import pytest

from bluegreen.core.commands import Attach, CopySetting, SetBounds, SetShares, SetSize, SetVersion
from bluegreen.core.gates import Alarm
from bluegreen.core.limits import Limits
from bluegreen.core.machine import NEVER, STAY, TRANSITIONS, initial, sight, step
from bluegreen.core.observation import (
    Delays,
    ErrorClass,
    GateReading,
    Health,
    Outcome,
    Reading,
    Request,
    Result,
    Shares,
    TargetHealth,
)
from bluegreen.core.signals import Signal, deadline
from bluegreen.core.state import Phase, Sighting
from bluegreen.strategies import all_at_once, canary, side_by_side
from tests.core.looks import BLUE, GREEN, SHARED, look, plan, state, targets

UP = targets("g", 2, 2)
BAKING = look(green=UP, share=10)


def decide(now, seen, **changes):
    """The step of the canary plan."""
    return step(plan(**changes), now, seen)


# ------------------------------------------------------------------------------------------- the table


def test_the_table_is_total() -> None:
    """Every phase answers every signal, if only with never."""
    assert set(TRANSITIONS) == set(Phase)
    assert all(set(row) == set(Signal) for row in TRANSITIONS.values())


def test_an_end_stays_an_end() -> None:
    """No cell of an end leads anywhere."""
    for phase in Phase:
        if phase.ended:
            assert set(TRANSITIONS[phase].values()) <= {STAY, NEVER}


def test_no_cell_leads_back_after_the_commit() -> None:
    """From drain and clean_up no cell leads to roll_back or to any phase before the commit."""
    for phase in (Phase.DRAIN, Phase.CLEAN_UP):
        onward = {cell for cell in TRANSITIONS[phase].values() if isinstance(cell, Phase)}
        assert onward <= {Phase.CLEAN_UP, Phase.PROMOTED, Phase.HALTED}


# ------------------------------------------------------------------------------------------- preflight


def test_preflight_records_who_is_blue_and_what_must_be_kept() -> None:
    """Colours, baseline, floor, need, source and the weights are noted when preflight is left."""
    begun = decide(initial("web-1", 100.0), look()).state
    assert (begun.phase, begun.blue, begun.green) == (Phase.SCALE_UP, BLUE, GREEN)
    assert (begun.baseline, begun.floor, begun.need, begun.source) == (2, 2, 2, 1)
    assert [(x.fleet, x.setting, x.before) for x in begun.ledger.loans] == [
        (BLUE, "min", 2),
        (BLUE, "max", 4),
        (GREEN, "min", 0),
        (GREEN, "max", 4),
        (BLUE, "weight", 100),
        (GREEN, "weight", 0),
    ]


def test_which_group_is_live_is_seen_not_said() -> None:
    """With the shares the other way round, the other group is blue."""
    seen = look(blue=(), green=targets("g", 2, 2), share=100)
    begun = decide(initial("web-1", 100.0), seen).state
    assert (begun.blue, begun.green, begun.source) == (GREEN, BLUE, 2)


def test_preflight_gives_every_reason_at_once() -> None:
    """A world that cannot carry the plan is refused with all that is wrong in one sentence each."""
    alarm = GateReading(name="5xx", reading=Reading.FAIL)
    seen = look(
        blue=targets("b", 1, 1, unhealthy=1),
        image=False,
        default_version=None,
        gates=(alarm,),
        green=targets("g", 1, 1),
    )
    refused = decide(initial("web-1", 100.0), seen, gates=(Alarm(name="5xx"),))
    assert refused.state.phase is Phase.REFUSED
    for words in ("web-template", "ami-2", "5xx", "floor is 2", "not at 0"):
        assert words in refused.reason


def test_two_live_groups_are_ambiguous() -> None:
    """If both groups serve, nobody can tell which is blue: refused."""
    refused = decide(initial("web-1", 100.0), look(green=UP, share=50))
    assert refused.state.phase is Phase.REFUSED
    assert "both live" in refused.reason


# ------------------------------------------------------------------------------------------------ time


def test_time_that_nobody_watched_does_not_count() -> None:
    """A look an hour late advances the clock to the last wake_at only."""
    now = state(Phase.BAKE)
    late = decide(now, attrs.evolve(BAKING, at=3700.0))
    assert late.state.clock == now.clock + 5.0
    assert late.state.phase is Phase.SHIFT, "a late look at finished work goes on"


STILL = (
    look(green=UP, share=10, green_max=2),
    look(green=UP, share=100),
    look(blue=(), green=UP, share=100),
    look(blue=targets("b", 1, 1), share=0),
)


@pytest.mark.parametrize("shown", STILL)
@pytest.mark.parametrize(
    "changes",
    [{"fleets": "replace", "retain_seconds": 100}, {"routing": SHARED, "keep_failed_green_seconds": 100}],
)
@pytest.mark.parametrize(
    "phase", [p for p in Phase if not p.ended and p not in (Phase.PREFLIGHT, Phase.HALTED)]
)
def test_looks_that_show_the_same_differ_by_the_clock_alone(phase, changes, shown) -> None:
    """What is remembered of a look decides nothing: when another was looked at in between it is the same."""
    wanted, other, now, passes = plan(**changes), plan(service="other", **changes), state(phase), []
    for at in range(100, 500, 5):
        seen = attrs.evolve(shown, at=at)
        passes.append((now, seen, step(wanted, now, seen)))
        now = passes[-1][-1].state
    for before, seen, decided in passes:
        step(other, before, seen)
        assert step(wanted, before, seen) == decided


@pytest.mark.parametrize("still", [{"paused": True}, {"awaiting": True}])
def test_the_clock_stands_still_while_only_a_person_can_help(still) -> None:
    """Paused, or with only an approval missing, no time passes for deadlines."""
    now = state(Phase.BAKE, since=90.0, **still)
    assert decide(now, BAKING).state.clock == now.clock


def test_a_pause_means_nothing_on_the_way_back_and_after_the_commit() -> None:
    """There the clock runs on, so that deadlines hold."""
    for now in (state(Phase.ROLL_BACK, paused=True), state(Phase.DRAIN, paused=True, committed=True)):
        assert decide(now, look(green=UP, share=100)).state.clock == now.clock + 5.0


def test_a_clock_that_runs_backwards_changes_nothing() -> None:
    """An observation from before the last one counts as no time."""
    now = state(Phase.SHIFT)
    assert decide(now, attrs.evolve(BAKING, at=1.0)).state.clock == now.clock


def test_the_next_look_is_when_a_watch_ends() -> None:
    """wake_at is the end of the bake if that is sooner than the next poll."""
    now = state(Phase.BAKE, since=43.0)  # 57 of 60 s baked once this look is folded in
    assert decide(now, BAKING).wake_at == 103.0


def test_reached_comes_before_expired() -> None:
    """Work that is done goes on, however late it was done."""
    now = state(Phase.SHIFT, since=-5000.0)
    assert decide(now, BAKING).state.phase is Phase.BAKE


def test_a_deadline_gives_up() -> None:
    """Past the deadline an unproven green is given up."""
    now = state(Phase.SCALE_UP, since=-5000.0, proven=0, version=None)
    assert decide(now, look(version=None)).state.phase is Phase.ROLL_BACK


# ------------------------------------------------------------------------------------------- operators


def asked(kind: str, seq: int = 7, rung: int | None = None):
    """One operator's request."""
    return (Request(seq=seq, kind=kind, by="alice", reason="because", rung=rung),)  # type: ignore[arg-type]


def test_an_approval_lets_its_own_rung_go_only() -> None:
    """Said of rung 1 it lets rung 1 go; said twice it approves nothing more."""
    wanted = plan(strategy=canary(10, 60, approval=True))
    waits = step(wanted, state(Phase.BAKE), BAKING)
    assert waits.state.awaiting
    assert waits.state.phase is Phase.BAKE
    goes = step(wanted, state(Phase.BAKE), attrs.evolve(BAKING, requests=asked("approve", rung=0)))
    assert goes.state.phase is Phase.SHIFT
    again = step(wanted, goes.state, attrs.evolve(BAKING, requests=asked("approve", seq=8, rung=0)))
    assert again.state.approved == 0


def test_a_request_counts_once() -> None:
    """A request whose sequence was seen before is not taken in again."""
    now = state(Phase.BAKE, seen=7)
    assert decide(now, attrs.evolve(BAKING, requests=asked("abort"))).state.abort is None


def test_an_abort_goes_back() -> None:
    """Before the commit, with a blue that carries, an abort leads to roll_back with its reason."""
    back = decide(state(Phase.BAKE), attrs.evolve(BAKING, requests=asked("abort")))
    assert back.state.phase is Phase.ROLL_BACK
    assert "because" in back.reason


def test_an_abort_never_flees_to_a_corpse() -> None:
    """With users on green and nobody healthy on blue, an abort halts."""
    seen = look(blue=targets("b", 1, unhealthy=2), green=UP, share=10, requests=asked("abort"))
    assert decide(state(Phase.BAKE), seen).state.phase is Phase.HALTED


def test_an_abort_without_users_on_green_always_goes_back() -> None:
    """In scale_up nobody moves, so a sick blue is no reason to stay."""
    seen = look(blue=targets("b", 1, unhealthy=2), requests=asked("abort"))
    assert decide(state(Phase.SCALE_UP), seen).state.phase is Phase.ROLL_BACK


def test_an_abort_after_the_commit_changes_nothing() -> None:
    """The commit is the last moment."""
    now = state(Phase.DRAIN, committed=True)
    seen = look(green=UP, share=100, requests=asked("abort"))
    assert decide(now, seen).state.phase is Phase.DRAIN


def test_a_pause_holds_forward_transitions_and_keeps_the_picture() -> None:
    """Nothing goes on, but a minimum that somebody lowered is put right."""
    seen = look(green=UP, share=10, green_min=0, requests=asked("pause"))
    held = decide(state(Phase.BAKE), seen)
    assert held.state.phase is Phase.BAKE
    assert any(isinstance(command, SetBounds) for command in held.commands)


def test_an_alarm_acts_while_paused() -> None:
    """A pause is no reason to keep users on a sick green."""
    seen = look(green=targets("g", 2, unhealthy=2), share=10)
    assert decide(state(Phase.BAKE, paused=True), seen).state.phase is Phase.ROLL_BACK


def test_a_resume_returns_with_a_fresh_deadline() -> None:
    """From halted the way leads to the phase it came from, as if it were entered now."""
    now = state(Phase.HALTED, came_from=Phase.BAKE, since=-9000.0, abort="old")
    back = decide(now, attrs.evolve(BAKING, requests=asked("resume"))).state
    assert (back.phase, back.since, back.abort, back.came_from) == (Phase.BAKE, back.clock, None, None)


def test_an_abort_in_halted_waits_until_the_way_back_is_safe() -> None:
    """It is remembered, and acted on once blue carries."""
    now = state(Phase.HALTED, came_from=Phase.BAKE)
    sick = look(blue=targets("b", 1, unhealthy=2), green=UP, share=10, requests=asked("abort"))
    waiting = decide(now, sick).state
    assert waiting.phase is Phase.HALTED
    assert decide(waiting, BAKING).state.phase is Phase.ROLL_BACK


def test_halted_after_the_commit_knows_no_way_back() -> None:
    """Committed is a field of its own: halted does not forget it."""
    now = state(Phase.HALTED, came_from=Phase.DRAIN, committed=True)
    assert decide(now, attrs.evolve(BAKING, requests=asked("abort"))).state.phase is Phase.HALTED


# ----------------------------------------------------------------------------------- blocked and blind


@pytest.mark.parametrize("error", list(ErrorClass))
def test_hopeless_errors_halt_and_others_are_tried_again(error) -> None:
    """Identity, conflict, bug and unclassified need a person; the rest come again from the difference."""
    outcome = Outcome(command=Attach(fleet=GREEN), result=Result.REFUSED, error=error, detail="no")
    then = decide(state(Phase.SHIFT), look(green=UP, outcomes=(outcome,))).state.phase
    assert then is (Phase.HALTED if error.hopeless else Phase.SHIFT)


def test_the_same_promise_withheld_twice_is_our_bug() -> None:
    """If the guard saw what the decision saw, and forbade it twice, a person must look."""
    outcome = Outcome(command=Attach(fleet=GREEN), result=Result.WITHHELD, invariant="S4", agreed=True)
    seen = look(green=UP, outcomes=(outcome,))
    once = decide(state(Phase.SHIFT), seen)
    assert once.state.phase is Phase.SHIFT
    assert decide(once.state, seen).state.phase is Phase.HALTED


def test_withheld_on_a_newer_look_is_no_bug() -> None:
    """A stale look is put right by the next one, as often as it takes."""
    outcome = Outcome(command=Attach(fleet=GREEN), result=Result.WITHHELD, invariant="S4", agreed=False)
    seen = look(green=UP, outcomes=(outcome,))
    assert decide(decide(state(Phase.SHIFT), seen).state, seen).state.phase is Phase.SHIFT


def test_weights_of_somebody_else_are_never_overwritten() -> None:
    """Shares that neither we nor the time before us wrote halt the deployment."""
    assert decide(state(Phase.SHIFT), look(green=UP, share=33)).state.phase is Phase.HALTED


def test_a_contested_setting_is_rewritten_a_few_times_and_then_a_person_is_asked() -> None:
    """A minimum that somebody lowers again and again is no tug-of-war without end."""
    now, rewritten = state(Phase.BAKE, since=90.0), 0
    for n in range(20):
        seen = look(green=UP, share=10, green_min=1, at=100.0 + 5 * n)
        decided = decide(now, seen, limits=Limits(rewrites=3))
        now = decided.state
        rewritten += any(isinstance(command, SetBounds) for command in decided.commands)
        if now.phase is Phase.HALTED:
            break
    assert (now.phase, rewritten) == (Phase.HALTED, 3)


def test_blind_moves_nothing_in_either_direction() -> None:
    """What could not be read gives no command and no transition, not even for an abort."""
    seen = look(green=UP, share=10, unread=("target health",), requests=asked("abort"))
    blind = decide(state(Phase.BAKE), seen)
    assert (blind.state.phase, blind.commands) == (Phase.BAKE, ())


def test_blind_past_deadline_and_grace_is_unsafe() -> None:
    """A world that stays dark is a person's business."""
    now = state(Phase.SHIFT, since=-5000.0)
    assert decide(now, look(green=UP, unread=("fleets",))).state.phase is Phase.HALTED


# ---------------------------------------------------------------------------------- health and sharing


def test_a_green_that_cannot_carry_its_share_is_an_alarm() -> None:
    """With weights, what is missing fails: a green below its part of the floor goes back."""
    seen = look(green=targets("g", 2, unhealthy=2), share=10)
    back = decide(state(Phase.BAKE), seen)
    assert (back.signal, back.state.phase) == ("alarm", Phase.ROLL_BACK)


def test_a_target_without_a_verdict_is_neither_healthy_nor_sick() -> None:
    """Behind a shared group, instances that were just attached are waited for, not fled from."""
    wanted = plan(routing=SHARED, strategy=side_by_side())
    seen = look(green=targets("g", 2, initial=2), share=None)
    waits = step(wanted, state(Phase.SHIFT, proven=0), seen)
    assert waits.signal == "wait"


def test_a_new_observer_starts_the_proof_again() -> None:
    """Attaching forgets what asking directly had proven."""
    wanted = plan(routing=SHARED, strategy=side_by_side())
    now = state(Phase.SHIFT, attached=False)
    after = step(wanted, now, look(green=UP, share=None, green_attached=True)).state
    assert [s.looks for s in after.sightings] == [1]


def test_instances_of_another_version_never_count() -> None:
    """Healthy instances of the old version do not prove green."""
    now = state(Phase.SCALE_UP, proven=0)
    waits = decide(now, look(green=targets("g", 1, 2)))
    assert waits.state.sightings == ()
    assert "another version" in waits.reason


@pytest.mark.parametrize("phase", [Phase.SCALE_UP, Phase.TEST_TRAFFIC, Phase.SHIFT])
def test_what_no_waiting_mends_is_not_waited_for(phase: Phase) -> None:
    """Launches that cannot come right give an unproven green up long before the deadline."""
    short = {"green": targets("g", 2, 1), "green_launch_error": "no such key", "share": 0}
    waited = decide(state(phase, proven=1), look(**short))
    assert waited.state.phase is phase
    given_up = decide(state(phase, proven=1), look(**short, green_launch_hopeless=True))
    assert given_up.state.phase is Phase.ROLL_BACK
    assert "waiting cannot help: 1 of 2" in given_up.reason
    assert "no such key" in given_up.reason


def test_a_green_that_is_whole_does_not_mind_a_hopeless_launch() -> None:
    """Who has enough proven instances goes on; nor is a sick blue left alone by giving up green."""
    whole = decide(state(Phase.SCALE_UP), look(green=UP, share=0, green_launch_hopeless=True))
    assert whole.state.phase is Phase.TEST_TRAFFIC
    sick = look(blue=targets("b", 1, 1, unhealthy=1), share=0, green_launch_hopeless=True, blue_desired=2)
    assert decide(state(Phase.SCALE_UP, proven=0), sick).state.phase is Phase.HALTED


def test_green_is_furnished_at_full_size() -> None:
    """What lets a group scale itself waits for the last rung where counts are shares, and users for it."""
    lacks = {"green_lacks": tuple(f"scaling policy {n}" for n in range(9))}
    sent = decide(state(Phase.SCALE_UP), look(green=UP, share=0, **lacks), fleets="replace").commands
    assert sent == tuple(
        CopySetting(fleet=GREEN, like=BLUE, setting=f"scaling policy {n}") for n in range(6)
    ), "as many as a pass may send"
    shared = {"fleets": "replace", "routing": SHARED, "strategy": canary(34, 60)}
    one = look(green=targets("g", 2, 1), share=None, green_attached=False, **lacks)
    assert decide(state(Phase.SCALE_UP, proven=1, attached=False), one, **shared).state.phase is (
        Phase.TEST_TRAFFIC
    )
    last = decide(state(Phase.SHIFT, rung=1), look(green=UP, share=None, **lacks), **shared)
    assert last.state.phase is Phase.SHIFT
    assert {type(command) for command in last.commands} == {CopySetting}


def test_green_grows_with_blue_and_never_shrinks() -> None:
    """need is a ratchet of what blue has wanted: it rises with blue and stays when blue falls."""
    more = decide(state(Phase.BAKE), look(green=UP, share=10, blue_desired=3)).state
    assert more.need == 3
    assert decide(more, look(green=UP, share=10, blue_desired=2)).state.need == 3


def test_blue_is_pinned_before_the_first_share_moves() -> None:
    """A live group whose minimum is lower than what it wants is pinned in scale_up."""
    commands = decide(state(Phase.SCALE_UP, proven=0), look(blue_min=1)).commands
    assert SetBounds(fleet=BLUE, min=2, max=4) in commands


def test_a_standing_group_is_pointed_before_it_grows() -> None:
    """Size waits until the version is read back."""
    now = state(Phase.SCALE_UP, proven=0)
    assert decide(now, look(green_version=1)).commands == (SetVersion(fleet=GREEN, version=2),)
    grown = decide(now, look()).commands
    assert grown == (SetSize(fleet=GREEN, size=2, min=2, max=4),)


def test_a_rung_is_reached_when_every_rule_shows_it() -> None:
    """A rule that lags behind is written again, forward and back, and holds the phase."""
    lagging = Shares(((BLUE, 90), (GREEN, 10)), others=(((BLUE, 100), (GREEN, 0)),))
    for shares in (lagging, Shares(lagging.others[0], others=(lagging.weights,))):
        onward = decide(state(Phase.SHIFT), attrs.evolve(look(green=UP), shares=shares))
        assert onward.state.phase is Phase.SHIFT
        assert onward.commands == (SetShares(weights=((BLUE, 90), (GREEN, 10))),)
        back = decide(state(Phase.ROLL_BACK), attrs.evolve(look(green=UP), shares=shares))
        assert back.state.phase is Phase.ROLL_BACK
        assert back.commands == (SetShares(weights=((BLUE, 100), (GREEN, 0))),)
    foreign = Shares(lagging.weights, others=(((BLUE, 60), (GREEN, 5)),))
    halted = decide(state(Phase.SHIFT), attrs.evolve(look(green=UP), shares=foreign))
    assert halted.state.phase is Phase.HALTED, (
        "lower weights of others are seen behind the higher ones of ours"
    )


def test_who_is_kept_on_a_group_finds_it_whole() -> None:
    """Blue is emptied when its cookies have ended, and a green that had users likewise; others at once."""
    slow = Delays(sticky_seconds=300)
    drains = state(Phase.DRAIN, committed=True, delays=slow)
    assert decide(drains, look(green=UP, share=100)).commands == ()
    assert decide(drains, look(green=UP, share=100)).state.phase is Phase.DRAIN
    later = decide(attrs.evolve(drains, since=-205.0), look(green=UP, share=100))
    assert later.commands == (SetSize(fleet=BLUE, size=0, min=0, max=4),)
    assert decide(state(Phase.DISCARD, delays=slow), look(green=UP)).commands == ()
    unseen = attrs.evolve(drains.ledger, loans=tuple(x for x in drains.ledger.loans if x.setting != "weight"))
    assert decide(state(Phase.DISCARD, delays=slow, ledger=unseen), look(green=UP)).commands != ()


def test_deadlines_begin_after_what_the_balancer_asks_for() -> None:
    """Draining, cookies, checks and slow start are added to the phases that wait for them."""
    slow = Delays(drain_seconds=70, sticky_seconds=300, warm_seconds=40)
    own = plan().deadlines
    found = {
        phase: deadline(plan(), state(phase, delays=slow))
        for phase in Phase
        if phase is not Phase.HALTED and not phase.ended
    }
    assert found[Phase.SCALE_UP] == own.scale_up_seconds + 40
    assert found[Phase.SHIFT] == own.shift_seconds + 40
    assert found[Phase.DRAIN] == own.drain_seconds + 370
    assert found[Phase.DISCARD] == own.discard_seconds + 370
    assert found[Phase.ROLL_BACK] == own.roll_back_seconds


def test_share_waits_for_proof() -> None:
    """No weight is written while green is not proven by enough looks."""
    waits = decide(state(Phase.SHIFT, proven=0), look(green=UP))
    assert not any(isinstance(command, SetShares) for command in waits.commands)


def test_roll_back_writes_the_weights_as_they_were() -> None:
    """The pre-image is restored exactly, whatever its scale."""
    ledger = state(Phase.ROLL_BACK).ledger
    loans = tuple(
        attrs.evolve(x, before=1) if x.fleet == BLUE and x.setting == "weight" else x for x in ledger.loans
    )
    now = state(Phase.ROLL_BACK, ledger=attrs.evolve(ledger, loans=loans))
    assert decide(now, BAKING).commands == (SetShares(weights=((BLUE, 1), (GREEN, 0))),)


def test_blue_is_not_emptied_while_green_falls_short() -> None:
    """Drain waits for a green that covers the floor; its deadline then halts instead of going on."""
    now = state(Phase.DRAIN, committed=True)
    seen = look(green=targets("g", 2, 1, initial=1), share=100)
    assert decide(now, seen).commands == ()
    assert decide(attrs.evolve(now, since=-9000.0), seen).state.phase is Phase.HALTED


def test_a_drain_that_hangs_at_size_0_goes_on() -> None:
    """Past the deadline, with nothing wanted of blue any more, clean_up follows."""
    now = state(Phase.DRAIN, committed=True, since=-9000.0)
    seen = look(blue=targets("b", 1, draining=2), green=UP, share=100)
    assert decide(now, seen).state.phase is Phase.CLEAN_UP


def test_what_cannot_be_given_back_is_listed() -> None:
    """Discard's deadline ends rolled_back with leftovers, not silently."""
    now = state(Phase.DISCARD, since=-9000.0)
    ended = decide(now, look(green=targets("g", 2, draining=1))).state
    assert ended.phase is Phase.ROLLED_BACK
    assert any("1 instance of web-b left" in words for words in ended.leftovers)


def test_a_setting_changed_by_others_is_left_alone_and_reported() -> None:
    """Three-way: what somebody else wrote after us is not overwritten on the way back."""
    now = state(Phase.DISCARD)
    decided = decide(now, look(green_min=0, green_max=9, green_version=1))
    assert decided.state.phase is Phase.ROLLED_BACK
    assert any("max of web-b is 9" in words for words in decided.state.leftovers)


def test_expedite_skips_the_bake_when_blue_is_sick() -> None:
    """With on_blue_sick = expedite a proven green goes on without waiting; by default it bakes."""
    seen = look(blue=targets("b", 1, 1, unhealthy=1), green=UP, share=10)
    now = state(Phase.BAKE, since=95.0)
    assert decide(now, seen, on_blue_sick="expedite").state.phase is Phase.SHIFT
    assert decide(now, seen).state.phase is Phase.BAKE
    assert decide(now, seen, on_blue_sick="hold").state.phase is Phase.HALTED


def test_a_floor_of_zero_still_asks_for_somebody_alive() -> None:
    """min_healthy_percent = 0 allows no move to an empty colour."""
    now = state(Phase.BAKE, floor=0)
    seen = look(blue=targets("b", 1, unhealthy=2), green=UP, share=10, requests=asked("abort"))
    assert decide(now, seen, min_healthy_percent=0).state.phase is Phase.HALTED


# ------------------------------------------------------------------------------------------- sightings


def test_a_healthy_count_that_never_moves_is_not_a_proof() -> None:
    """One dies, its replacement passes its first check between two looks: the newcomer starts at one."""
    wanted = plan()
    first = sight((), frozenset({"i-1", "i-2"}), 0.0, wanted)
    second = sight(first, frozenset({"i-1", "i-3"}), 5.0, wanted)
    assert {(s.ids, s.looks) for s in second} == {(frozenset({"i-1"}), 2), (frozenset({"i-3"}), 1)}


def test_a_quiet_fleet_is_the_same_value_look_after_look() -> None:
    """Once proven, sightings neither grow nor move, whatever the size of the fleet."""
    wanted, healthy = plan(), frozenset(f"i-{n}" for n in range(2000))
    known: tuple[Sighting, ...] = ()
    for _ in range(5):
        known = sight(known, healthy, 5.0, wanted)
    assert known == sight(known, frozenset(healthy), 5.0, wanted) == (Sighting(healthy, 2, 5.0),)


def test_a_first_release_has_nobody_to_share_with() -> None:
    """When no group is live the plan's capacity is built and takes the last rung only."""
    empty = look(blue=(), green=(), share=100, version=None)
    begun = decide(initial("web-1", 100.0), empty, capacity=2, strategy=canary(10, 60)).state
    assert (begun.first_release, begun.need, begun.floor) == (True, 2, 0)
    assert (begun.blue, begun.green) == (GREEN, BLUE)


def test_a_first_release_is_built_where_no_request_leads() -> None:
    """Of two empty groups the one without a share becomes green; if both have one, nothing is begun."""
    empty = look(blue=(), green=(), share=0, version=None)
    begun = decide(initial("web-1", 100.0), empty, capacity=2)
    assert (begun.state.blue, begun.state.green) == (BLUE, GREEN)
    both = attrs.evolve(empty, shares=Shares(((BLUE, 1), (GREEN, 1))))
    refused = decide(initial("web-1", 100.0), both, capacity=2)
    assert refused.state.phase is Phase.REFUSED
    assert f"{GREEN} gets a share but has no instances" in refused.reason


def test_what_the_cloud_says_against_a_plan_refuses_it() -> None:
    """A problem of the surroundings is a reason to refuse, in the cloud's words, and later is nobody's."""
    against = look(version=None, problems=("target group t does not exist",))
    refused = decide(initial("web-1", 100.0), against)
    assert refused.state.phase is Phase.REFUSED
    assert refused.reason == "target group t does not exist"
    nothing_found = attrs.evolve(against, fleets=(), shares=None)
    assert decide(initial("web-1", 100.0), nothing_found).reason == "target group t does not exist"
    later = look(green=targets("g", 2, 2), problems=("target group t does not exist",))
    assert decide(state(Phase.SCALE_UP, proven=2), later).state.phase is Phase.TEST_TRAFFIC


def test_a_group_that_is_missing_from_a_look_is_not_reached() -> None:
    """After preflight a look without a group decides nothing, though it names nothing as unread."""
    for phase in Phase:
        if phase.ended or phase is Phase.PREFLIGHT:
            continue
        now = state(phase, came_from=Phase.BAKE if phase is Phase.HALTED else None)
        now = attrs.evolve(now, committed=phase in (Phase.DRAIN, Phase.CLEAN_UP))
        for gone in (BLUE, GREEN):
            whole = look(green=targets("g", 2, 2), share=100)
            partial = attrs.evolve(whole, fleets=tuple(f for f in whole.fleets if f.name != gone))
            taken = decide(now, partial)
            assert (taken.state.phase, taken.signal, taken.commands) == (phase, "blind", ())
            assert gone in taken.reason


def test_the_same_input_gives_the_same_step() -> None:
    """step is a function."""
    for phase in Phase:
        now = state(phase, came_from=Phase.BAKE if phase is Phase.HALTED else None)
        if phase in (Phase.DRAIN, Phase.CLEAN_UP):
            now = attrs.evolve(now, committed=True)
        assert decide(now, BAKING) == decide(now, BAKING)


def test_an_unhealthy_target_is_named_with_its_reason() -> None:
    """A sentence names the instance and the load balancer's own code."""
    sick = (*targets("g", 2, 1), TargetHealth("i-0a1", 2, Health.UNHEALTHY, "Target.FailedHealthChecks"))
    waits = decide(state(Phase.SCALE_UP, proven=1), look(green=sick))
    assert "1 of 2 green targets healthy" in waits.reason
    assert "i-0a1: Target.FailedHealthChecks" in waits.reason


def test_shares_are_exact() -> None:
    """A weight's part of the whole is a fraction, not a float."""
    assert Shares((("a", 1), ("b", 2))).share("b") * 3 == 2
    assert all_at_once().rungs[-1].percent == 100


def test_haste_never_brings_the_deadline_nearer() -> None:
    """Far into a long bake a sick blue skips the watch, and a blip of green is still waited for."""
    long = plan(strategy=canary(10, 3600), on_blue_sick="expedite")
    seen = look(blue=targets("b", 1, 1, unhealthy=1), green=targets("g", 2, 1, initial=1), share=10)
    waits = step(long, state(Phase.BAKE, since=-1905.0), seen)
    assert (waits.signal, waits.state.phase) == ("wait", Phase.BAKE)
