"""Time: the virtual clock, the order of events, and the moments at which faults strike.

Events are ordered by time, then by kind, then by place: instances group by group and in the order of
launch, scheduled faults, builds. So the same choices give the same world, byte for byte.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from attrs import evolve

from .balancing.balancer import set_weights
from .balancing.checks import application_changed, checked_again
from .balancing.target_faults import Flaps, OfTargets
from .choices import Choices
from .faults import (
    NO_FAULTS,
    AlarmOk,
    AlarmRed,
    AtPhase,
    BlindLook,
    Dies,
    During,
    EditBounds,
    EditVersion,
    EditWeights,
    Fault,
    Gone,
    Lasting,
    LateCall,
    LostAnswer,
    MadeAnew,
    Over,
    Refreshes,
    RefusedCall,
    Rescale,
    ScheduledAction,
    Sick,
    StaleLook,
    Timed,
    ZoneDown,
)
from .groups.autoscaling import progress, tidied
from .groups.builds import progress_builds
from .groups.edits import edited, resized
from .groups.launching import choose, react
from .groups.membership import end_instance
from .world import NEVER, Group, Instance, World, history_wanted, ms

AGAIN_MS = 1000
"""When a fault tries again that found nobody to strike."""


class VirtualClock:
    """A clock that stands still until somebody sleeps; sleeping costs no time.

    Args:
        now: Tells world time in milliseconds.
        elapse: Lets so many milliseconds of world time pass.
    """

    virtual = True

    def __init__(self, now: Callable[[], int], elapse: Callable[[int], None]) -> None:
        """Speak for a world."""
        self._now = now
        self._elapse = elapse

    def now(self) -> float:
        """Seconds of world time."""
        return self._now() / 1000

    def sleep(self, seconds: float) -> None:
        """Let ``seconds`` pass, rounded up to a millisecond; zero or less returns at once."""
        if seconds > 0:
            self._elapse(math.ceil(round(seconds * 1000, 6)))


def advance(
    world: World, until_ms: int, choices: Choices, watch: Callable[[World], None] | None = None
) -> World:
    """The world at a later time.

    Args:
        world: The world now.
        until_ms: Until when, in milliseconds of world time; what is due then happens.
        choices: Decide what is uncertain.
        watch: Is shown the world after each moment at which anything happened.
    """
    while (moment := world.due) <= until_ms:
        # What is overdue, after a command at the very moment, happens now: time never goes back.
        world = _happen(world.replaced(now=max(moment, world.now)), choices)
        if watch:
            watch(world)
    return world.replaced(now=until_ms) if until_ms > world.now else world


def _happen(world: World, choices: Choices) -> World:
    for group in world.groups:
        world = progress(world, group, choices)
    while world.schedule and world.schedule[0][0] <= world.now:
        fault = world.schedule[0][1]
        world = strike(world.replaced(schedule=world.schedule[1:]), fault, choices)
    return progress_builds(world)


# ------------------------------------------------------------------------------------------ scheduled faults


def with_faults(world: World, faults: tuple[Fault, ...]) -> World:
    """The world with these faults ahead; their times count from now."""
    for fault in faults:
        if isinstance(fault, Lasting):
            world = begun(world, fault)
        elif not isinstance(fault, AtPhase):
            world = schedule(world, fault, world.now + ms(fault.at_seconds))
    return world


def begun(world: World, fault: Lasting) -> World:
    """The world in which a fault of the kind that lasts begins now; what is in a failing zone dies."""
    world = world.replaced(faults=(*world.faults, fault))
    if isinstance(fault, ZoneDown):
        for group in world.groups:
            dying = Dies(group.name, 0)
            world = _stricken(
                world, group, [each for each in _victims(group, dying) if each.zone == fault.zone], dying
            )
    return checked_again(world) if isinstance(fault, OfTargets) else world


def schedule(world: World, fault: Timed, at: int) -> World:
    """The world with a fault to come at a time in milliseconds; of equal times, in the order given."""
    return world.replaced(
        schedule=tuple(sorted([*world.schedule, (at, fault)], key=lambda scheduled: scheduled[0]))
    )


def strike(world: World, fault: Timed, choices: Choices) -> World:
    """The world right after a fault of the kind that happens at a time."""
    match fault:
        case AlarmRed(name=name):
            if fault.for_seconds is not None:
                over = world.now + ms(fault.for_seconds)
                world = schedule(world, AlarmOk(name, over / 1000), over)
            return set_alarm(world, name, "alarm")
        case AlarmOk(name=name):
            return set_alarm(world, name, "ok")
        case EditWeights(weights=weights):
            given = Counter[str | None]()
            for group, weight in weights:
                given[world.home(group)] += weight  # groups behind one target group share its weight
            return set_weights(world, tuple((name, given.get(name, old)) for name, old in world.rule))
        case During():
            if fault.for_seconds is not None:
                over = world.now + ms(fault.for_seconds)
                world = schedule(world, Over(fault.fault, over / 1000), over)
            return begun(world, fault.fault)
        case Over():
            left = _left_of(world, fault.fault)
            world = _resettled(
                world.replaced(faults=tuple(each for each in world.faults if each is not left))
            )
            return checked_again(world) if isinstance(fault.fault, OfTargets) else world
        case EditVersion() | ScheduledAction() | Refreshes() | MadeAnew() | Gone():
            return edited(world, fault)
        case _:
            return _strike_group(world, fault, choices)


def _left_of(world: World, fault: Lasting) -> Lasting | None:
    """What a fault has become since it began: of several that it can be, the one that is used up least."""
    counted = [name for name in ("times", "left", "call", "look") if hasattr(fault, name)]

    def left(each: Lasting) -> list[int]:
        return [getattr(each, name) for name in counted]

    whole: dict[str, Any] = dict(zip(counted, left(fault), strict=True))
    same = [each for each in world.faults if type(each) is type(fault) and evolve(each, **whole) == fault]
    return max((each for each in same if left(each) <= left(fault)), key=left, default=None)


def _resettled(world: World) -> World:
    """The world after a zone has recovered: groups look whether they are balanced."""
    for group in world.groups:
        world = tidied(world, group)[0]
    return world


def _strike_group(world: World, fault: Dies | Sick | Flaps | Rescale | EditBounds, choices: Choices) -> World:
    group = world.group(fault.group)
    match fault:
        case Flaps():
            if fault.times > 1:
                again = evolve(fault, times=fault.times - 1)
                world = schedule(world, again, world.now + 2 * ms(fault.every_seconds))
            victims = choose(world, list(_victims(group, Sick(fault.group, 0))), fault.count, choices)
            away = Sick(fault.group, 0, for_seconds=fault.every_seconds)
            return _stricken(world, group, victims, away) if group else world
        case Rescale():
            if group is None or group.deleting or "AlarmNotification" in group.suspended:
                return world
            return resized(world, group, group.desired + fault.delta)
        case EditBounds():
            if group is None or group.deleting:
                return world
            desired = min(max(group.desired, fault.min), fault.max)
            edited = group.replaced(min=fault.min, max=fault.max, desired=desired)
            return world.with_group(react(world, edited))
        case _:
            victims = choose(world, list(_victims(group, fault)), fault.count, choices)
            if (left := fault.count - len(victims)) > 0:
                world = schedule(world, evolve(fault, count=left), world.now + AGAIN_MS)
            return _stricken(world, group, victims, fault) if group else world


def _victims(group: Group | None, fault: Dies | Sick) -> Iterator[Instance]:
    for instance in group.instances if group else ():
        if _can_fail(instance) and (instance.answers or isinstance(fault, Dies)):
            yield instance


def _can_fail(instance: Instance) -> bool:
    return instance.life == "running" and not instance.dead


def _stricken(world: World, group: Group, victims: list[Instance], fault: Dies | Sick) -> World:
    ids = {victim.id for victim in victims}
    instances = tuple(
        _struck(world, instance, fault) if instance.id in ids else instance for instance in group.instances
    )
    return world.with_group(group.replaced(instances=instances)) if ids else world


def _struck(world: World, instance: Instance, fault: Dies | Sick) -> Instance:
    silent = application_changed(instance, world.now, world.settings, answers=False)
    if isinstance(fault, Dies):
        return silent.replaced(dead=True, life_at=world.now + ms(world.settings.notice_seconds))
    back_at = NEVER if fault.for_seconds is None else world.now + ms(fault.for_seconds)
    return silent.replaced(app_at=back_at)


def kill(world: World, group: Group, name: str) -> World:
    """The world after somebody ended a group's instance behind the group's back.

    A running one fails altogether, and the group notices; one that does not run yet is missed at once.
    """
    victims = [each for each in group.instances if each.id == name and not each.life.startswith("leaving")]
    if victims and victims[0].life.startswith("pending"):
        return end_instance(world, group, name, lower=0)
    world = _stricken(world, group, [each for each in victims if not each.dead], Dies(group.name, 0))
    left = world.group(group.name)
    assert left is not None, "nobody deleted it"
    instances = tuple(each.replaced(ended=True) if each.id == name else each for each in left.instances)
    return world.with_group(left.replaced(instances=instances))


def set_alarm(world: World, name: str, state: str) -> World:
    """The world with an alarm in a state: ``ok``, ``alarm`` or ``no-data``."""
    alarms, reds = dict(world.alarms), dict(world.reds)
    if alarms.get(name) == state:
        return world
    turned = {alarm: (changed, red) for alarm, changed, red in world.turned}
    turned[name] = (world.now, world.now if state == "alarm" else turned.get(name, (-1, -1))[1])
    if state == "alarm":
        reds[name] = reds.get(name, 0) + 1
    return world.replaced(
        alarms=tuple((alarms | {name: state}).items()),
        reds=tuple(reds.items()),
        turned=tuple([(alarm, *times) for alarm, times in turned.items()]),
    )


def healed(world: World) -> World:
    """The world once everything that went wrong is over and nothing more will: what died stays dead."""
    hindered = any(isinstance(fault, OfTargets) for fault in world.faults)
    world = world.replaced(
        budget=NO_FAULTS,
        faults=(),
        schedule=(),
        history=(),
        alarms=tuple((name, "ok" if state == "alarm" else state) for name, state in world.alarms),
    )
    for group in world.groups:
        instances = tuple(
            application_changed(instance, world.now, world.settings, answers=True)
            if instance.life == "running" and not (instance.answers or instance.dead)
            else instance
            for instance in group.instances
        )
        world = world.with_group(group.replaced(instances=instances))
    return checked_again(world) if hindered else world


# ----------------------------------------------------------------------- opportunities: elapse, call and look


def before_elapse(world: World, choices: Choices) -> World:
    """The world after what the budget lets happen before time passes: at most one fault."""
    options: list[tuple[str, Timed] | None] = [None, *_strikes(world)]
    chosen = choices.pick(options)
    if chosen is None:
        return world
    return strike(world.replaced(budget=world.budget.spent(chosen[0])), chosen[1], choices)


def _strikes(world: World) -> Iterator[tuple[str, Timed]]:
    """(kind, fault) of all that could strike now, as far as the budget goes."""
    budget = world.budget
    for group in world.groups:
        if budget.sick and any(_victims(group, Sick(group.name, 0))):
            yield "sick", Sick(group.name, 0)
        if budget.dies and any(_victims(group, Dies(group.name, 0))):
            yield "dies", Dies(group.name, 0)
        if budget.rescales and not (group.frozen or group.deleting):
            deltas = ((1, group.desired < group.max), (-1, group.desired > group.min))
            yield from (("rescales", Rescale(group.name, delta, 0)) for delta, free in deltas if free)
    if budget.reds:
        yield from (("reds", AlarmRed(name, 0)) for name, state in world.alarms if state == "ok")


def before_call(world: World, choices: Choices) -> tuple[World, LostAnswer | RefusedCall | LateCall | None]:
    """The world with this call counted, and what will go wrong with it."""
    for fault in world.faults:
        if isinstance(fault, LostAnswer | RefusedCall | LateCall) and fault.call == 1:
            return _counted(world, "call"), fault
    world = _counted(world, "call")
    options: list[LostAnswer | RefusedCall | None] = [None]
    if world.budget.lost:
        options += [LostAnswer(1), LostAnswer(1, applied=False)]
    if world.budget.refused:
        options.append(RefusedCall(1))
    fate = choices.pick(options)
    if fate is None:
        return world, None
    kind = "lost" if isinstance(fate, LostAnswer) else "refused"
    return world.replaced(budget=world.budget.spent(kind)), fate


def before_look(world: World, choices: Choices) -> tuple[World, StaleLook | BlindLook | None]:
    """The world with this look counted, and what will go wrong with it."""
    for fault in world.faults:
        if isinstance(fault, StaleLook | BlindLook) and fault.look == 1:
            return _counted(world, "look"), fault
    world = _counted(world, "look")
    options: list[StaleLook | BlindLook | None] = [None]
    if world.budget.stale and world.history:
        options.append(StaleLook(1))
    if world.budget.blind:
        options.append(BlindLook(1))
    fate = choices.pick(options)
    if fate is None:
        return world, None
    kind = "stale" if isinstance(fate, StaleLook) else "blind"
    return world.replaced(budget=world.budget.spent(kind)), fate


def _counted(world: World, what: str) -> World:
    """The world with whatever waits for a call (or look) waiting for one less; what has had its turn goes."""
    waiting: tuple[Any, ...] = world.faults
    if not any(hasattr(fault, what) for fault in waiting):
        return world
    left: list[Any] = []
    for fault in waiting:
        number = getattr(fault, what, 0)
        if number != 1:
            left.append(evolve(fault, **{what: number - 1}) if number else fault)
    return world.replaced(faults=tuple(left))


def remembered(world: World) -> World:
    """The world after a look, with what it could see kept as far as a later stale look may want it."""
    wanted = history_wanted(world)
    if not wanted:
        return world.replaced(history=()) if world.history else world
    seen = world.replaced(history=(), schedule=(), faults=(), budget=NO_FAULTS)
    return world.replaced(history=(*world.history, seen)[-wanted:])
