"""What holds of every pass and every run, whatever the plan, the world and the faults.

None of these knows the transition table: they speak of looks, commands, phases in their order, and the
world at the end. They are checked on random runs, on every edge of the exhaustive search, and against
changed tables (``test_table.py``), which they must tell from the real one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from attrs import frozen

from bluegreen.core.invariants import INVARIANTS
from bluegreen.core.observation import Observation, Outcome, Reading, Result
from bluegreen.core.plan import Plan
from bluegreen.core.state import FORWARD, Phase, State, Step


@frozen
class Pass:
    """One pass: the state before, the look, the decision, what became of its commands."""

    plan: Plan
    before: State
    look: Observation
    step: Step
    outcomes: tuple[Outcome, ...] = ()

    @property
    def moved(self) -> bool:
        """Whether the phase changed."""
        return self.step.state.phase is not self.before.phase

    @property
    def onward(self) -> bool:
        """Whether it moved to a later phase on the way to a promotion."""
        return self.moved and ORDER.get(self.step.state.phase, -1) > ORDER.get(self.before.phase, 99)


LADDER = (Phase.PREFLIGHT, *FORWARD, Phase.DRAIN, Phase.CLEAN_UP, Phase.PROMOTED)
ORDER = {phase: n for n, phase in enumerate(LADDER)}
BACK = (Phase.ROLL_BACK, Phase.DISCARD, Phase.ROLLED_BACK)


# ------------------------------------------------------------------------ what a look says, told again


def green_healthy(p: Pass) -> int:
    """Healthy instances of the pinned version in green."""
    green = p.look.fleet(p.before.green)
    version = p.step.state.version
    return sum(t.health.value == "healthy" and t.version == version for t in green.targets) if green else 0


def blue_healthy(p: Pass) -> int:
    """Healthy instances of blue."""
    blue = p.look.fleet(p.before.blue)
    return sum(t.health.value == "healthy" for t in blue.targets) if blue else 0


def users_on_green(p: Pass) -> bool:
    """Whether requests lead to green."""
    green = p.look.fleet(p.before.green)
    if p.plan.shared:
        return bool(green and green.attached and green.targets)
    return bool(p.look.shares and dict(p.look.shares.weights).get(p.before.green))


def blue_can_take_them(p: Pass) -> bool:
    """Whether users are no worse off on blue."""
    blue, green = blue_healthy(p), green_healthy(p)
    return blue >= max(1, p.before.floor) or (green == 0 and (blue > 0 or p.before.first_release))


def red_gates(p: Pass) -> list[str]:
    """Gates of the plan that fail."""
    named, before = {gate.name for gate in p.plan.gates}, dict(p.before.reds)
    return [
        r.name
        for r in p.look.gates
        if r.name in named
        and (r.reading is Reading.FAIL or (r.last_red or 0) > before.get(r.name, r.last_red or 0))
    ]


def sick_green(p: Pass) -> bool:
    """Whether green has an instance with a bad verdict, or too few for the users that are on it."""
    green = p.look.fleet(p.before.green)
    bad = any(t.health.value == "unhealthy" for t in green.targets) if green else False
    short = not p.plan.shared and users_on_green(p) and green_healthy(p) < max(1, p.before.floor)
    return bad or short


def limit(p: Pass) -> float:
    """Own seconds that the phase may last."""
    before = p.before
    rung = p.plan.rungs[-1 if before.first_release else min(before.rung, len(p.plan.rungs) - 1)]
    watch = {Phase.BAKE: rung.bake_seconds, Phase.KEEP_BLUE: p.plan.strategy.keep_blue_seconds}
    if p.plan.fleets == "replace" and not before.first_release:
        watch[Phase.CLEAN_UP] = p.plan.retain_seconds
    slow = before.delays
    watch |= dict.fromkeys((Phase.SCALE_UP, Phase.SHIFT), slow.warm_seconds)
    settle = 0 if p.plan.shared else p.plan.limits.settle_seconds
    watch[Phase.TEST_TRAFFIC] = settle if p.plan.test_rules else 0
    watched = p.plan.rungs[-1].bake_seconds + p.plan.strategy.keep_blue_seconds
    led = 0 if before.first_release else max(slow.sticky_seconds, settle - watched)
    watch[Phase.DRAIN] = slow.drain_seconds + led
    weight = before.ledger.loan(before.green, "weight")
    led = max(slow.sticky_seconds, settle) if weight and any(weight.written) else 0
    kept = 0 if before.let_go else p.plan.keep_failed_green_seconds
    unseen = p.plan.limits.settle_seconds if before.ledger.loan(before.green, "exists") else 0
    watch[Phase.DISCARD] = slow.drain_seconds + max(led, kept) + unseen
    return getattr(p.plan.deadlines, f"{before.phase.value}_seconds", 1e9) + watch.get(before.phase, 0)


def cannot_launch(p: Pass) -> bool:
    """Whether green's launches fail for a reason that no waiting mends."""
    green = p.look.fleet(p.before.green)
    return bool(green and green.launch_hopeless)


def late(p: Pass) -> bool:
    """Whether the deadline has passed on the deployment's own clock."""
    return p.step.state.clock - p.before.since >= limit(p)


def dark_for_long(p: Pass) -> bool:
    """Whether the look is not whole, and the deadline and the grace have passed."""
    grace = p.plan.limits.blind_grace_seconds
    return bool(p.look.unread) and p.step.state.clock - p.before.since >= limit(p) + grace


def overloaded(p: Pass) -> bool:
    """Whether users with a share of their own meet fewer healthy instances than it needs."""
    if p.plan.shared or not users_on_green(p) or p.look.shares is None:
        return False
    weights = dict(p.look.shares.weights)
    return green_healthy(p) * sum(weights.values()) < max(1, weights[p.before.green] * p.before.floor)


def stuck(p: Pass) -> bool:
    """Whether a person must look: a hopeless answer, a promise withheld twice, or somebody else's weights."""
    hopeless = any(o.result is Result.REFUSED and o.error and o.error.hopeless for o in p.look.outcomes)
    weights = dict(p.look.shares.weights) if p.look.shares else {}
    foreign = any(
        loan.setting == "weight" and loan.fleet in weights and loan.foreign(weights[loan.fleet])
        for loan in p.before.ledger.loans
    )
    return hopeless or foreign or p.step.state.withheld_twice


def contested(p: Pass) -> bool:
    """Whether somebody else has changed a setting that we have written as often as we may."""
    for loan in p.before.ledger.loans:
        fleet = p.look.fleet(loan.fleet)
        name = "desired" if loan.setting == "size" else loan.setting
        if (
            fleet
            and loan.rewrites >= p.plan.limits.rewrites
            and loan.foreign(getattr(fleet, name, loan.before))
        ):
            return True
    return False


# -------------------------------------------------------------------------------- of every single pass


def keeps_every_promise(p: Pass) -> bool:
    """No decision and no applied command breaks one of the promises."""
    ok = all(i.step(p.plan, p.before, p.look, p.step) for i in INVARIANTS)
    return ok and (not p.moved or not p.step.commands)


def counts_only_what_was_watched(p: Pass) -> bool:
    """The own clock counts no time in which nobody looked, and none while a person holds or is awaited."""
    before, counted = p.before, p.step.state.clock - p.before.clock
    if before.awaiting or (before.paused and before.phase in (Phase.PREFLIGHT, *FORWARD)):
        return counted == 0
    return 0 <= counted <= max(0.0, min(p.look.at, before.wake_at) - before.at)


def goes_forward_one_by_one(p: Pass) -> bool:
    """On the way to a promotion no phase is left out, and only a next rung leads from bake to shift."""
    before, after = p.before.phase, p.step.state.phase
    if before is Phase.BAKE and after is Phase.SHIFT:
        return p.step.state.rung == p.before.rung + 1 < len(p.plan.rungs)
    if before in ORDER and after in ORDER and p.moved:
        return ORDER[after] == ORDER[before] + 1 and p.step.state.rung == p.before.rung
    return True


def turns_at_most_once(p: Pass) -> bool:
    """Back leads only further back or to a halt; the end of a way back is its own."""
    before, after = p.before.phase, p.step.state.phase
    if before in BACK:
        return after in (*BACK[BACK.index(before) :][:2], Phase.HALTED)
    if after in BACK:
        return after is Phase.ROLL_BACK or (before is Phase.HALTED and after is p.before.came_from)
    return True


def bakes_as_long_as_asked(p: Pass) -> bool:
    """A rung and the last watch are left forward only after their time, or in haste from a sick blue."""
    if not (p.onward or p.step.state.rung > p.before.rung) or p.before.phase not in (
        Phase.BAKE,
        Phase.KEEP_BLUE,
    ):
        return True
    rung = p.plan.rungs[-1 if p.before.first_release else p.before.rung]
    asked = rung.bake_seconds if p.before.phase is Phase.BAKE else p.plan.strategy.keep_blue_seconds
    haste = p.plan.on_blue_sick == "expedite" and blue_healthy(p) < p.before.floor
    return haste or p.step.state.clock - p.before.since >= asked


def visits_every_rung(p: Pass) -> bool:
    """The last watch begins after the last rung, and a rung that asks for approval has it."""
    left_bake = p.before.phase is Phase.BAKE and p.step.state.phase in (Phase.SHIFT, Phase.KEEP_BLUE)
    if not left_bake:
        return True
    last = p.before.first_release or p.before.rung == len(p.plan.rungs) - 1
    rung = p.plan.rungs[-1 if p.before.first_release else p.before.rung]
    approved = not rung.approval or p.step.state.approved >= p.before.rung
    return approved and (last == (p.step.state.phase is Phase.KEEP_BLUE))


def holds_while_paused_or_blind(p: Pass) -> bool:
    """Neither paused nor with a look that is not whole does anything go on."""
    held = p.step.state.paused and not p.before.committed and p.before.phase not in BACK
    return not (held or p.look.unread) or not p.onward


def moves_nowhere_blind(p: Pass) -> bool:
    """With a look that is not whole the phase stays, but for a halt and for a resume."""
    resumed = p.before.phase is Phase.HALTED and p.step.signal == "resume"
    return not p.look.unread or resumed or p.step.state.phase in (p.before.phase, Phase.HALTED, Phase.REFUSED)


def acts_on_an_abort(p: Pass) -> bool:
    """Before the commit an abort goes back at once where that is safe, and halts where it is not."""
    return _goes_back_when(p, reason=p.step.state.abort is not None)


def acts_on_an_alarm(p: Pass) -> bool:
    """A red gate, or a green too small for its users, goes back at once where that is safe, or halts."""
    return p.before.phase not in FORWARD or _goes_back_when(p, reason=bool(red_gates(p)) or overloaded(p))


def acts_on_a_deadline(p: Pass) -> bool:
    """Past its deadline, seen whole and not paused, no phase stays; it goes back where that is safe."""
    before, after = p.before.phase, p.step.state.phase
    held = p.step.state.paused and before not in (*BACK, Phase.DRAIN, Phase.CLEAN_UP)
    if (
        p.look.unread
        or held
        or before.ended
        or before is Phase.HALTED
        or p.step.state.awaiting
        or not late(p)
    ):
        return True
    if not p.moved:
        return False
    if before in FORWARD and not p.onward and after is not Phase.SHIFT and not stuck(p):
        kept = before in (Phase.SCALE_UP, Phase.TEST_TRAFFIC) and blue_healthy(p) < p.before.floor
        hold = p.plan.on_blue_sick == "hold" and blue_healthy(p) < p.before.floor
        safe = not users_on_green(p) or blue_can_take_them(p)
        return (
            (after is Phase.ROLL_BACK)
            if safe and not kept and not hold
            else after in (Phase.HALTED, Phase.ROLL_BACK)
        )
    return True


def _goes_back_when(p: Pass, *, reason: bool) -> bool:
    before, after = p.before.phase, p.step.state.phase
    if not reason or p.look.unread or p.before.committed:
        return True
    if before is Phase.PREFLIGHT:
        return after is Phase.REFUSED
    halted = before is Phase.HALTED and p.before.came_from not in BACK and p.before.came_from in FORWARD
    if before not in FORWARD and not (halted and p.step.signal != "resume"):
        return True
    if stuck(p) and before in FORWARD:
        return after is Phase.HALTED
    hold = p.plan.on_blue_sick == "hold" and blue_healthy(p) < p.before.floor
    safe = not users_on_green(p) or blue_can_take_them(p)
    return (after is Phase.ROLL_BACK or hold) if safe else after is Phase.HALTED


def halts_when_a_person_must_look(p: Pass) -> bool:
    """A hopeless answer stops everything: refused before any change, halted after."""
    if not stuck(p) or p.before.phase.ended or p.before.phase is Phase.HALTED:
        return True
    return p.step.state.phase is (Phase.REFUSED if p.before.phase is Phase.PREFLIGHT else Phase.HALTED)


def goes_back_only_with_a_cause(p: Pass) -> bool:
    """No needless retreat: turning back has an abort, a red gate, a sick instance or a deadline."""
    if not p.moved or p.step.state.phase is not Phase.ROLL_BACK or p.step.signal == "resume":
        return True
    return bool(
        p.step.state.abort is not None or red_gates(p) or sick_green(p) or late(p) or cannot_launch(p)
    )


def halts_only_with_a_cause(p: Pass) -> bool:
    """A person is called when nothing else helps: stuck, dark for long, or no safe way on or back."""
    before = p.before.phase
    if not p.moved or p.step.state.phase is not Phase.HALTED:
        return True
    if stuck(p) or dark_for_long(p) or contested(p):
        return True
    blue = p.look.fleet(p.before.blue)
    if before is Phase.DRAIN:
        return bool(blue and blue.desired) and (late(p) or sick_green(p))
    if before in FORWARD:
        short = blue_healthy(p) < p.before.floor
        unproven = late(p) and before in (Phase.SCALE_UP, Phase.TEST_TRAFFIC) and short
        cause = p.step.state.abort is not None or red_gates(p) or sick_green(p) or late(p)
        trapped = bool(cause) and users_on_green(p) and not blue_can_take_them(p)
        return trapped or unproven or (p.plan.on_blue_sick == "hold" and short)
    return before is Phase.ROLL_BACK and late(p)


def refuses_only_with_a_cause(p: Pass) -> bool:
    """Refused ends preflight alone: by an abort, a world that cannot carry the plan, or a deadline."""
    if not p.moved or p.step.state.phase is not Phase.REFUSED:
        return True
    return p.before.phase is Phase.PREFLIGHT and (
        p.step.state.abort is not None or cannot_begin(p) or late(p) or dark_for_long(p)
    )


def begins_only_where_it_can(p: Pass) -> bool:
    """Preflight is left for scale_up on a sound world with quiet alarms, and else for refused."""
    if p.before.phase is not Phase.PREFLIGHT or not p.moved:
        return True
    if p.step.state.phase is not Phase.SCALE_UP:
        return p.step.state.phase is Phase.REFUSED
    alarms = [gate.name for gate in p.plan.gates if gate.kind == "alarm"]
    read = {r.name: r.reading for r in p.look.gates}
    return not cannot_begin(p) and all(read.get(name) is Reading.PASS for name in alarms)


def cannot_begin(p: Pass) -> bool:
    """Whether the world, looked at whole, cannot carry the plan."""
    if p.look.unread:
        return False
    weights = dict(p.look.shares.weights) if p.look.shares else None
    live = [
        f
        for f in p.look.fleets
        if f.desired and (weights.get(f.name, 0) > 0 if weights is not None else f.attached)
    ]
    ours = [f for f in p.look.fleets if live or p.step.state.green in (None, f.name)]  # first: green alone
    idle = [f for f in ours if f not in live and (f.desired or f.targets)]
    short = any(
        sum(t.health.value == "healthy" for t in f.targets) * 100 < p.plan.min_healthy_percent * f.desired
        for f in live
    )
    missing = p.look.image is not True or p.look.default_version is None
    other = [f for f in p.look.fleets if f not in live]
    missing = missing or bool(p.plan.test_rules and p.look.test_shares is None)
    missing = missing or (bool(live) and any(f.exists != (p.plan.fleets == "standing") for f in other))
    sizeless = not live and p.plan.capacity is None
    shut = {gate.name for gate in p.plan.gates if gate.kind == "window"}
    closed = any(r.name in shut and r.reading is Reading.PENDING for r in p.look.gates)
    return bool(red_gates(p) or closed or missing or len(live) > 1 or idle or short or sizeless)


def stays_halted_until_told(p: Pass) -> bool:
    """Only an operator's resume or abort leaves halted; a resume returns to where it came from."""
    if p.before.phase is not Phase.HALTED or not p.moved:
        return True
    told = [r.kind for r in p.look.requests if r.seq > p.before.seen]
    if "resume" in told and p.step.state.phase is p.before.came_from:
        return True
    return p.step.state.abort is not None and p.step.state.phase is Phase.ROLL_BACK


def resumes_when_told(p: Pass) -> bool:
    """A resume leaves halted at once."""
    told = [r.kind for r in p.look.requests if r.seq > p.before.seen]
    if p.before.phase is not Phase.HALTED or told != ["resume"]:
        return True
    return p.step.state.phase is p.before.came_from


def ends_for_good(p: Pass) -> bool:
    """An end sends nothing and is never left."""
    return not p.before.phase.ended or (not p.moved and not p.step.commands)


def goes_on_when_done(p: Pass) -> bool:
    """A picture that is there is left in the same pass: availability is a promise too."""
    return p.step.signal not in ("reached", "last") or p.moved


def reads_its_share_back(p: Pass) -> bool:
    """A rung is baked only once the look itself shows its share."""
    if not (p.before.phase is Phase.SHIFT and p.step.state.phase is Phase.BAKE):
        return True
    green = p.look.fleet(p.before.green)
    if p.plan.shared or p.look.shares is None:
        return bool(green and green.attached)
    weights, rung = dict(p.look.shares.weights), p.plan.rungs[-1 if p.before.first_release else p.before.rung]
    return weights[p.before.green] * 100 == rung.percent * sum(weights.values())


def tests_green_and_nothing_else(p: Pass) -> bool:
    """Users come only once all test requests led to green, and had done so for as long as nodes may lag."""
    if not p.plan.test_rules or not (p.onward and p.before.phase in (Phase.SCALE_UP, Phase.TEST_TRAFFIC)):
        return True
    shown = p.look.test_shares
    led = shown is not None and dict(shown.weights) == {p.before.blue: 0, p.before.green: 100}
    settled = p.step.state.clock - p.before.since >= p.plan.limits.settle_seconds
    return led and not shown.others and (settled or p.before.phase is Phase.SCALE_UP)


def leaves_only_what_is_done(p: Pass) -> bool:
    """Drain is left when blue is gone, roll_back when nobody is on green; or at the deadline."""
    if not p.moved or p.step.state.phase is Phase.HALTED:
        return True
    blue = p.look.fleet(p.before.blue)
    if p.before.phase is Phase.DRAIN:
        left = bool(blue and blue.targets) and not p.before.first_release  # the idle group is not ours
        return not left or (late(p) and not (blue and blue.desired))
    return p.before.phase is not Phase.ROLL_BACK or not users_on_green(p)


def gives_up_only_late(p: Pass) -> bool:
    """An end with leftovers is reached at a deadline only, or because others changed what we borrowed."""
    left = [words for words in p.step.state.leftovers if "changed by others" not in words]
    return not p.moved or not left or late(p)


def does_not_stay_blind(p: Pass) -> bool:
    """A world that stays dark past the deadline and the grace is a person's business."""
    if not dark_for_long(p) or p.before.phase.ended or p.before.phase is Phase.HALTED or stuck(p):
        return True
    return p.step.state.phase is (Phase.REFUSED if p.before.phase is Phase.PREFLIGHT else Phase.HALTED)


def answers_for_the_last_watch(p: Pass) -> bool:
    """After the commit a green that falls short halts while blue still stands: nobody walks away."""
    blue = p.look.fleet(p.before.blue)
    if p.before.phase is not Phase.DRAIN or p.look.unread or not (blue and blue.desired) or not late(p):
        return True
    return p.step.state.phase is Phase.HALTED


def gates_before_users_bake_after(p: Pass) -> bool:
    """Users reach green in no phase before shift."""
    return (
        p.step.state.phase not in (Phase.SCALE_UP, Phase.TEST_TRAFFIC) or p.look.unread or not _moves_users(p)
    )


def _moves_users(p: Pass) -> bool:
    return any(type(command).__name__ in ("Attach", "SetShares") for command in p.step.commands)


EVERY_PASS: tuple[Callable[[Pass], bool], ...] = (
    keeps_every_promise,
    counts_only_what_was_watched,
    goes_forward_one_by_one,
    turns_at_most_once,
    bakes_as_long_as_asked,
    visits_every_rung,
    holds_while_paused_or_blind,
    moves_nowhere_blind,
    acts_on_an_abort,
    acts_on_an_alarm,
    acts_on_a_deadline,
    halts_when_a_person_must_look,
    goes_back_only_with_a_cause,
    halts_only_with_a_cause,
    refuses_only_with_a_cause,
    begins_only_where_it_can,
    stays_halted_until_told,
    resumes_when_told,
    ends_for_good,
    goes_on_when_done,
    reads_its_share_back,
    tests_green_and_nothing_else,
    leaves_only_what_is_done,
    gives_up_only_late,
    does_not_stay_blind,
    answers_for_the_last_watch,
    gates_before_users_bake_after,
)


def violations(passes: Iterable[Pass]) -> Iterator[str]:
    """What breaks, one line each: property, time, phases, reason."""
    for p in passes:
        for holds in EVERY_PASS:
            if not holds(p):
                way = f"{p.before.phase.value} -{p.step.signal}-> {p.step.state.phase.value}"
                yield f"{holds.__name__}: at {p.look.at:g}: {way}: {p.step.reason}"
