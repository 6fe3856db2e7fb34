"""Bugs that deployers really had (reliability 1.2), as substitutions by name in our own core.

Each names the place, and fails loudly when the place is gone. A function is replaced wherever it was bound,
so that no caller keeps the real one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import attrs
from attrs import field, frozen

from bluegreen.core.gates import Alarm, Hook
from bluegreen.core.machine import TRANSITIONS
from bluegreen.core.observation import Fleet, Observation
from bluegreen.core.plan import Plan
from bluegreen.core.signals import Signal
from bluegreen.core.state import Phase, State
from bluegreen.strategies import canary, linear
from bluegreen_sim import AlarmOk, Budget, RefusedCall, Rescale, World
from bluegreen_sim.faults import Fault
from tests.explore.small import QUICK, SHARED, WEIGHTED, small_plan, small_world

Make = Callable[[Callable[..., Any]], Callable[..., Any]]
"""Makes the wrong function of the real one."""


@frozen
class Bug:
    """One defect, and a small plan in which it can show.

    Args:
        id: Its number in the ledger of defects.
        what: What went wrong, and where.
        where: ``module:function`` or ``module:Class.method`` below ``bluegreen.``.
        make: The wrong function.
        plan: What is deployed.
        faults: What else goes wrong, at any moment.
        also: More places and wrong functions, where one alone is masked by the next line of defence.
        instances: Instances a colour.
        lasting: What else goes wrong at its own times.
        cell: Instead of a function: a cell of the table, and its wrong value.
    """

    id: str
    what: str
    where: str = ""
    make: Make = field(default=lambda real: real)
    plan: Plan = field(factory=lambda: small_plan(WEIGHTED))
    faults: Budget = field(factory=lambda: Budget.any(1))
    also: tuple[tuple[str, Make], ...] = ()
    instances: int = 1
    lasting: tuple[Fault, ...] = ()
    cell: tuple[Phase, Signal, Phase] | None = None

    @property
    def world(self) -> World:
        """The world in which it can show."""
        settings = attrs.evolve(QUICK, termination="each")
        world = small_world(self.plan, self.faults, self.lasting, settings, capacity=self.instances)
        if any(gate.name == SILENT for gate in self.plan.gates):
            world = world.replaced(alarms=((SILENT, "no-data"),))
        return world

    @contextmanager
    def planted(self) -> Iterator[None]:
        """With the bug in the product."""
        with ExitStack() as planted:
            if self.cell is not None:
                planted.enter_context(_cell(*self.cell))
            for where, make in ((self.where, self.make), *self.also):
                if where:
                    planted.enter_context(substituted(where, make))
            yield


@contextmanager
def _cell(phase: Phase, signal: Signal, wrong: Phase) -> Iterator[None]:
    row = TRANSITIONS[phase]
    real = row[signal]
    row[signal] = wrong
    try:
        yield
    finally:
        row[signal] = real


@contextmanager
def substituted(where: str, make: Make) -> Iterator[None]:
    """With another function in the place of one, wherever that is bound."""
    real, places = bindings(where)
    wrong = make(real)
    for owner, name, bound in places:
        new = tuple([wrong if f is real else f for f in bound]) if isinstance(bound, tuple) else wrong
        setattr(owner, name, new)
    try:
        yield
    finally:
        for owner, name, bound in places:
            setattr(owner, name, bound)


def bindings(where: str) -> tuple[Any, list[tuple[Any, str, Any]]]:
    """A function, and every place in which it is bound, alone or in a tuple; an error when there is none."""
    module, path = where.split(":")
    *outer, name = path.split(".")
    owner: Any = sys.modules[f"bluegreen.{module}"]
    for part in outer:
        owner = vars(owner)[part]
    real = vars(owner)[name]
    if outer:
        return real, [(owner, name, real)]
    return real, [
        (found, bound_as, value)
        for loaded, found in list(sys.modules.items())
        if loaded.partition(".")[0] in ("bluegreen", "bluegreen_sim")
        for bound_as, value in list(vars(found).items())
        if value is real or (isinstance(value, tuple) and any(f is real for f in value))
    ]


def ready(real: Callable[..., Any]) -> Callable[..., Any]:
    """The wishes of a stage, whatever they should wait for."""
    return lambda scene: ((command, True) for command, _ in real(scene))


def _instances_forgotten(real: Callable[..., Any]) -> Callable[..., Any]:
    def wrong(*args: Any) -> Any:
        target = real(*args)
        return attrs.evolve(target, green=attrs.evolve(target.green, size=None), gone=None)

    return wrong


def shares(change: Callable[[int], int]) -> Make:
    """Weights for another share than the rung's."""
    return lambda real: lambda plan, state, share: real(plan, state, change(share))


def _blind_to_blindness(real: Callable[..., Any]) -> Callable[..., Any]:
    def wrong(plan: Plan, state: State, look: Observation) -> Any:
        if look.unread:
            nothing = tuple(map(Fleet.absent, plan.groups))
            look = attrs.evolve(look, unread=(), fleets=nothing)
        return real(plan, state, look)

    return wrong


def _waits_for_green(real: Callable[..., Any]) -> Callable[..., Any]:
    return lambda plan, state, look, sick: real(plan, state, look, sick) if state.sightings else None


def _colours_swapped(real: Callable[..., Any]) -> Callable[..., Any]:
    def wrong(*args: Any) -> Any:
        found = real(*args)
        return attrs.evolve(found, blue=found.green, green=found.blue)

    return wrong


def _another_token(real: Callable[..., Any]) -> Callable[..., Any]:
    return lambda scene: (
        (attrs.evolve(command, token=f"{command.token}-{scene.state.elapsed:g}"), ready)
        for command, ready in real(scene)
    )


def _serving_by_health(_: Callable[..., Any]) -> Callable[..., Any]:
    return lambda _plan, state, look: any(f.healthy for f in look.fleets if f.name == state.green)


def _unpinned(real: Callable[..., Any]) -> Callable[..., Any]:
    def wrong(plan: Plan, state: Any, green: Any, *args: Any, **options: Any) -> Any:
        return attrs.evolve(real(plan, state, green, *args, **options), min=green.min)

    return wrong


def _rounded(_: Callable[..., Any]) -> Callable[..., Any]:
    return lambda plan, baseline: round(plan.min_healthy_percent * baseline / 100)


def _own_cache(real: Callable[..., Any]) -> Callable[..., Any]:
    def wrong(plan: Plan, state: Any, look: Any, commands: Any, cloud: Any, **options: Any) -> Any:
        class Cached:
            clock = None
            apply = staticmethod(cloud.apply)
            observe = staticmethod(lambda *_: look)

        return real(plan, state, look, commands, Cached, **options)

    return wrong


def _runs_while_paused(real: Callable[..., Any]) -> Callable[..., Any]:
    def wrong(plan: Plan, state: Any, look: Any) -> Any:
        now, resumed = real(plan, state.replaced(paused=False), look)
        told = any(request.kind in ("pause", "resume") for request in look.requests)
        return (now if told else now.replaced(paused=state.paused)), resumed

    return wrong


def _leaves_the_target_group(real: Callable[..., Any]) -> Callable[..., Any]:
    def wrong(plan: Plan, state: Any, blue: Any) -> Any:
        switched = False if state.phase is Phase.KEEP_BLUE else None
        return attrs.evolve(real(plan, state, blue), attached=switched)

    return wrong


SILENT = "silent"
HOOKED = small_plan(WEIGHTED, gates=(Hook(name="smoke", phases=("test_traffic", "bake")),))

BUGS = (
    Bug("M1", "0 of 0 is healthy", "core.view:proven", lambda _: lambda *_: 99),
    Bug(
        "M2",
        "goes on although it never became healthy",
        faults=Budget(sick=2),
        cell=(Phase.SCALE_UP, Signal.EXPIRED, Phase.TEST_TRAFFIC),
    ),
    Bug("M3", "what was pinned is never given back", "core.targets:_given_back", lambda _: lambda *_: None),
    Bug("M4", "the wrong group is taken for the live one", "core.preflight:survey", _colours_swapped),
    Bug(
        "M5",
        "the way back leads to the wrong group",
        "core.targets:_before",
        lambda real: lambda state: tuple((name, 100 - weight) for name, weight in real(state)),
    ),
    Bug("M6", "a failed lookup is taken for an answer", "core.machine:step", _blind_to_blindness),
    Bug(
        "M7",
        "whether users reach a group is judged from its health",
        "core.view:green_serves",
        _serving_by_health,
        faults=Budget(sick=2),
    ),
    Bug(
        "M8",
        "no longer pinned while it is scaled up",
        "core.targets:_grown",
        _unpinned,
        faults=Budget(),
        lasting=tuple(Rescale("b", -1, at) for at in range(5, 300, 5)),
    ),
    Bug(
        "M9",
        "a floor that is rounded, not a ceiling",
        "core.plan:Plan.floor",
        _rounded,
        small_plan(WEIGHTED, min_healthy_percent=70),
        faults=Budget(sick=1, acts=1),
        instances=2,
    ),
    Bug(
        "M10",
        "who may not is told to wait",
        "core.signals:blockage",
        lambda _: lambda *_: None,
        faults=Budget(acts=1),
        lasting=(RefusedCall(3, "identity"),),
    ),
    Bug("M11", "another try, another token", "core.difference:_prepare", _another_token),
    Bug(
        "M12",
        "a gate that does not pass is passed",
        "core.difference:gates_not_passed",
        lambda _: lambda *_: iter(()),
        HOOKED,
    ),
    Bug(
        "M13",
        "users before the capacity for them",
        "core.difference:_share",
        ready,
        faults=Budget(sick=1, lost=2),
    ),
    Bug(
        "M14",
        "green ends before its users are back",
        cell=(Phase.BAKE, Signal.ABORT, Phase.DISCARD),
    ),
    Bug("M15", "an abort waits for green", "core.signals:_reason_to_go_back", _waits_for_green),
    Bug("M16", "a larger share than the rung's", "core.targets:_divided", shares(lambda n: min(100, n + 30))),
    Bug("M17", "a weight below zero", "core.targets:_divided", shares(lambda n: n + 10)),
    Bug(
        "M18",
        "size and version changed together",
        "core.difference:_pin_and_grow",
        ready,
        faults=Budget(),
    ),
    Bug(
        "M19",
        "acts on its own stale cache",
        "deployment:carry_out",
        _own_cache,
        small_plan(SHARED),
        faults=Budget(stale=1, dies=1),
    ),
    Bug(
        "M21",
        "deadlines run while a person has paused",
        "core.machine:fold",
        _runs_while_paused,
        faults=Budget(acts=1),
    ),
    Bug(
        "M22",
        "users are switched by who is in the target group",
        "core.targets:_pinned",
        _leaves_the_target_group,
        small_plan(SHARED, strategy=canary(50, 5, keep_blue_seconds=10)),
        also=(("core.difference:_detach", ready),),
    ),
    Bug(
        "M23",
        "flees to a corpse",
        "core.view:blue_carries",
        lambda _: lambda *_: True,
        faults=Budget(sick=1, acts=1),
    ),
    Bug(
        "M24",
        "the share falls on the way forward",
        "core.view:percent",
        lambda real: lambda plan, state: 0 if state.phase is Phase.KEEP_BLUE else real(plan, state),
        small_plan(WEIGHTED, strategy=canary(50, 5, keep_blue_seconds=5)),
    ),
    Bug(
        "M25",
        "what is absent is not waited for",
        "core.preflight:_pending",
        lambda _: lambda *_: iter(()),
        small_plan(WEIGHTED, gates=(Alarm(name=SILENT),)),
        faults=Budget(),
        lasting=(AlarmOk(SILENT, 10),),
    ),
    Bug(
        "M26",
        "a ladder that never reaches its end",
        "core.view:last_rung",
        lambda _: lambda *_: False,
        small_plan(WEIGHTED, strategy=linear(50, 5)),
    ),
    Bug(
        "M27", "a green without its instance keeps users", "core.verdict:shortfall", lambda _: lambda *_: None
    ),
    Bug(
        "M28",
        "a failed release leaves its instances",
        "core.targets:_discarded",
        _instances_forgotten,
        faults=Budget(sick=1),
    ),
    Bug(
        "M29",
        "a failed release leaves both",
        cell=(Phase.ROLL_BACK, Signal.REACHED, Phase.ROLLED_BACK),
    ),
    Bug(
        "M30",
        "the live group gets the new size",
        "core.targets:_pinned",
        lambda real: lambda plan, state, blue: attrs.evolve(real(plan, state, blue), size=state.need + 1),
    ),
    Bug(
        "M32",
        "the old group goes on the word of an old look",
        "core.invariants:broken_by_command",
        lambda _: lambda *_: None,
        faults=Budget(sick=1, stale=1, blind=1),
    ),
)
