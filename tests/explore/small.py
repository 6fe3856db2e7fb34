"""Worlds small and quick enough to be searched to the end."""

from __future__ import annotations

from collections.abc import Iterator

import attrs
from attrs import frozen

from bluegreen.core.gates import Alarm, Hook
from bluegreen.core.plan import (
    Deadlines,
    Limits,
    Plan,
    Rung,
    SharedTargetGroup,
    Strategy,
    WeightedTargetGroups,
)
from bluegreen.strategies import canary
from bluegreen_sim import (
    AlarmRed,
    BlindLook,
    Budget,
    EditWeights,
    LaunchFails,
    NeverHealthy,
    RefusedCall,
    Settings,
    Sick,
    SimCloud,
    World,
)
from bluegreen_sim.faults import Fault

WEIGHTED, SHARED = WeightedTargetGroups("ta", "tb"), SharedTargetGroup("tg")
ROUTINGS = (WEIGHTED, SHARED)

QUICK = Settings(
    react_seconds=0,
    pending_seconds=5,
    boot_seconds=(5, 10),
    first_check_seconds=5,
    check_interval_seconds=5,
    healthy_threshold=2,
    unhealthy_threshold=2,
    deregistration_seconds=5,
    stop_seconds=5,
    notice_seconds=5,
    termination="any",
)


def small_plan(routing: object = WEIGHTED, **changes: object) -> Plan:
    """Two rungs of 5 s, and deadlines of a few looks."""
    wanted: dict[str, object] = {
        "service": "web",
        "image": "ami-2",
        "launch_template": "tpl",
        "groups": ("a", "b"),
        "routing": routing,
        "strategy": canary(50, 5, last_bake_seconds=5),
        "limits": Limits(poll_seconds=5, proof_looks=2, proof_seconds=5, blind_grace_seconds=10),
        "deadlines": Deadlines(
            preflight_seconds=20,
            scale_up_seconds=60,
            test_traffic_seconds=20,
            shift_seconds=30,
            bake_seconds=20,
            keep_blue_seconds=20,
            drain_seconds=30,
            clean_up_seconds=20,
            roll_back_seconds=20,
            discard_seconds=30,
        ),
    }
    return Plan(**(wanted | changes))  # type: ignore[arg-type]


def small_world(
    plan: Plan,
    budget: Budget | None = None,
    faults: tuple[Fault, ...] = (),
    settings: Settings = QUICK,
    live: int | None = 0,
    capacity: int = 1,
) -> World:
    """One instance a colour, unless asked for more."""
    return SimCloud(
        plan, capacity=capacity, traffic=0, budget=budget, faults=faults, settings=settings, live=live
    ).world


@frozen
class Case:
    """A search: plan and world."""

    name: str
    plan: Plan
    world: World


PAIRS = (
    Budget(sick=2),
    Budget(dies=2),
    Budget(lost=2),
    Budget(refused=2),
    Budget(stale=2),
    Budget(blind=2),
    Budget(sick=1, dies=1),
    Budget(sick=1, lost=1),
    Budget(sick=1, refused=1),
    Budget(sick=1, stale=1),
    Budget(sick=1, blind=1),
    Budget(dies=1, lost=1),
    Budget(dies=1, refused=1),
    Budget(dies=1, stale=1),
    Budget(dies=1, blind=1),
    Budget(lost=1, refused=1),
    Budget(lost=1, stale=1),
    Budget(lost=1, blind=1),
    Budget(refused=1, stale=1),
    Budget(refused=1, blind=1),
    Budget(stale=1, blind=1),
    # One look that is stale and a next one that sees nothing: here only the guard's check keeps the floor.
    Budget(sick=1, stale=1, blind=1),
)


def pairs() -> Iterator[Case]:
    """Every pair of fault kinds and one triple, both routings."""
    for routing in ROUTINGS:
        plan = small_plan(routing)
        for budget in PAIRS:
            kinds = [
                kind
                for kind in ("sick", "dies", "lost", "refused", "stale", "blind")
                if getattr(budget, kind)
            ]
            yield Case(f"{routing.kind} {'+'.join(kinds)}", plan, small_world(plan, budget))


def corners() -> Iterator[Case]:
    """Worlds that lead to every cell of the table: operators, alarms, deadlines, other people's hands."""
    for routing in ROUTINGS:
        yield from _people(routing)
        yield from _bad_luck(routing)
        yield from _darkness_and_refusals(routing)


def _people(routing: object) -> Iterator[Case]:
    plan = small_plan(routing)
    yield Case("two acts", plan, small_world(plan, Budget(sick=2, acts=2)))
    asks = Strategy(
        (Rung(percent=50, bake_seconds=5, approval=True), Rung(percent=100)), keep_blue_seconds=10
    )
    approved = small_plan(routing, strategy=asks)
    yield Case("approval", approved, small_world(approved, Budget(sick=1)))
    for haste in ("expedite", "hold"):
        hasty = small_plan(routing, on_blue_sick=haste, strategy=asks)
        yield Case(haste, hasty, small_world(hasty, Budget(sick=1)))
    first = small_plan(routing, capacity=1)
    yield Case("first release", first, small_world(first, Budget(sick=1, acts=1), live=None))
    if not approved.shared:
        limits = attrs.evolve(approved.limits, settle_seconds=5)
        tested = small_plan(routing, test_rules=("test",), gates=(Hook(name="smoke"),), limits=limits)
        yield Case("test rules", tested, small_world(tested, Budget(sick=1, acts=1, lost=1, reds=1)))
    replacing = small_plan(routing, fleets="replace", retain_seconds=5)
    yield Case("replace", replacing, small_world(replacing, Budget(sick=1, acts=1)))


def _bad_luck(routing: object) -> Iterator[Case]:
    plan = small_plan(routing)
    alarmed = small_plan(routing, gates=(Alarm(name="5xx"),), strategy=canary(50, 5, keep_blue_seconds=10))
    for at in range(0, 80, 10):
        for also in ((), (Sick("a", at),)):
            world = small_world(alarmed, Budget(acts=2), faults=(AlarmRed("5xx", at), *also))
            yield Case(f"alarm at {at}", alarmed, world)
        yield Case(f"blue sick at {at}", plan, small_world(plan, faults=(Sick("a", at),)))
        both = (Sick("a", at), Sick("b", at))
        yield Case(f"both sick at {at}", plan, small_world(plan, Budget(acts=2), faults=both))
    never = NeverHealthy("b")
    yield Case("never healthy", plan, small_world(plan, faults=(never,)))
    yield Case("never launched", plan, small_world(plan, faults=(LaunchFails(99, "b"),)))
    yield Case("and blue sick", plan, small_world(plan, Budget(acts=1), faults=(never, Sick("a", 30))))
    # A hook that cannot say yet: test_traffic waits, and other things happen meanwhile.
    tested = small_plan(routing, gates=(Hook(name="smoke"), Alarm(name="5xx")))
    for at in (30, 35, 40):
        yield Case(
            "alarm in test", tested, small_world(tested, Budget(reds=1), faults=(AlarmRed("5xx", at),))
        )
        if not plan.shared:
            edit = EditWeights((("a", 70), ("b", 30)), at)
            yield Case(
                "weights of others in test", tested, small_world(tested, Budget(reds=1), faults=(edit,))
            )
    silent = small_plan(routing, gates=(Alarm(name="silent"),))
    mute = small_world(silent)
    mute = mute.replaced(alarms=(("silent", "no-data"),))
    yield Case("alarm without data", silent, mute)
    slow = attrs.evolve(QUICK, deregistration_seconds=200)
    yield Case("drains for ever", plan, small_world(plan, Budget(sick=1, acts=1), settings=slow))


def _darkness_and_refusals(routing: object) -> Iterator[Case]:
    plan = small_plan(routing)
    for first in range(1, 26, 3):
        dark = tuple(BlindLook(n) for n in range(first, first + 60))
        yield Case(f"dark from look {first}", plan, small_world(plan, Budget(acts=1), faults=dark))
        sick = (Sick("b", 5 * first), *(BlindLook(n) for n in range(first + 4, first + 64)))
        yield Case(f"sick, then dark from look {first}", plan, small_world(plan, faults=sick))
    for call in range(1, 10):
        for error in ("identity", "in-use", "throttled"):
            no = tuple(RefusedCall(n, error) for n in range(call, call + 60))
            yield Case(f"{error} from call {call}", plan, small_world(plan, Budget(acts=1), faults=no))
            back = (NeverHealthy("b"), *no)
            yield Case(f"{error} on the way back", plan, small_world(plan, faults=back))
            late = (Sick("b", 40), *no)
            yield Case(f"{error}, sick late", plan, small_world(plan, faults=late))
    if plan.shared:
        return
    kept = small_plan(routing, strategy=canary(50, 5, last_bake_seconds=5, keep_blue_seconds=10))
    for at in range(10, 90, 5):
        edit = EditWeights((("a", 70), ("b", 30)), at)
        yield Case("weights of others", kept, small_world(kept, Budget(acts=1), faults=(edit,)))
