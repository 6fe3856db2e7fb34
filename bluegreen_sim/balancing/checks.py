"""A target as the balancer knows it: registered, checked by arithmetic, draining; its state and the reason.

Rules are those of the ALB user guide ("Health checks for your target groups", "Registered targets",
"Deregistration delay"). No check is an event: only the first one after a change of the application is looked
at, and from it follows the moment at which the verdict changes.
"""

from __future__ import annotations

from functools import cache

from attrs import evolve

from ..settings import Settings
from ..world import NEVER, Group, Instance, World, ms
from .target_faults import HealthAnswer, InternalError, LuckyProbe, StuckDrain
from .view import TargetState, View

OK = 200
"""What an application answers to a health check, unless a fault says otherwise."""


def register(instance: Instance, now: int, settings: Settings, *, used: bool = True) -> Instance:
    """The instance, newly registered: what was known of it is forgotten; without use it is not checked."""
    if not used or instance.ended or instance.zone in settings.disabled_zones:
        return instance.replaced(target="unused", seen=-1, run_from=NEVER, target_at=NEVER, views=())
    first = now + ms(settings.first_check_seconds)
    if settings.views:
        return _folded(instance, _new_views(now, settings))
    return instance.replaced(target="initial", seen=-1, run_from=first, target_at=first)


def _new_views(now: int, settings: Settings) -> tuple[View, ...]:
    """What the nodes know of a target that is registered now: nothing, until each has learned of it."""
    delays, phases = settings.propagation.register_seconds, settings.check_phases_seconds
    learned = [now + ms(delays[node % len(delays)]) for node in range(settings.views)]
    firsts = [ms(settings.first_check_seconds + phases[node % len(phases)]) for node in range(settings.views)]
    return tuple(
        View("", -1, at + first, at) if at > now else View("initial", -1, at + first, at + first)
        for at, first in zip(learned, firsts, strict=True)
    )


def proven(instance: Instance, settings: Settings) -> Instance:
    """The instance as a target that has been healthy since the beginning of time."""
    if instance.zone in settings.disabled_zones:
        return register(instance, 0, settings)
    phases = [ms(phase) for phase in settings.check_phases_seconds]
    views = tuple(View("healthy", 1, phases[node % len(phases)], None) for node in range(settings.views))
    return instance.replaced(target="healthy", seen=1, run_from=NEVER if views else 0, views=views)


def deregister(instance: Instance, now: int, settings: Settings) -> Instance:
    """The instance, draining for the whole delay, whether or not requests are in flight."""
    if not instance.checked:
        return instance.replaced(target="") if instance.target == "unused" else instance
    over = now + ms(settings.deregistration_seconds)
    return instance.replaced(target="draining", seen=-1, run_from=NEVER, target_at=over, views=())


# -------------------------------------------------------------------------------------------- health checks


def application_changed(instance: Instance, now: int, settings: Settings, *, answers: bool) -> Instance:
    """The instance after its application started or stopped to answer.

    A check at this very moment still sees what was before.
    """
    changed = instance.replaced(answers=answers, answered=instance.answered or answers, app_at=NEVER)
    return rechecked(changed, now, settings)


def rechecked(instance: Instance, now: int, settings: Settings) -> Instance:
    """The instance, with its next check, or each node's, one that may change something."""
    if not instance.checked:
        return instance
    interval = ms(settings.check_interval_seconds)
    if instance.views:
        views = [
            evolve(view, at=_check_after(now, view.run_from, interval)) if view.state else view
            for view in instance.views
        ]
        return _folded(instance, tuple(views))
    return instance.replaced(target_at=_check_after(now, instance.run_from, interval))


def checked_again(world: World) -> World:
    """The world in which checks may find something else from now on, and drains may end."""
    for group in world.groups:
        instances = tuple(
            each.replaced(target_at=world.now)
            if each.target == "draining" and each.target_at == NEVER
            else rechecked(each, world.now, world.settings)
            for each in group.instances
        )
        world = world.with_group(group.replaced(instances=instances))
    return world


def with_settings(world: World, settings: Settings) -> World:
    """The world with other settings of checks, draining and sending; how many nodes there are stays.

    Checks go on at the moment at which the next one was due, with those in a row that were made.
    """
    old, new = ms(world.settings.check_interval_seconds), ms(settings.check_interval_seconds)

    def anchored(run_from: int, seen: int) -> int:
        following = _check_after(world.now, run_from, old)
        return run_from if seen < 0 else following - (following - run_from) // old * new

    def moved(instance: Instance) -> Instance:
        views = tuple(
            evolve(view, run_from=anchored(view.run_from, view.seen)) if view.state else view
            for view in instance.views
        )
        if not views and instance.checked:
            return instance.replaced(run_from=anchored(instance.run_from, instance.seen))
        return instance.replaced(views=views)

    for group in world.groups:
        world = world.with_group(group.replaced(instances=tuple(map(moved, group.instances))))
    return checked_again(world.replaced(settings=settings))


def _check_after(now: int, run_from: int, interval: int) -> int:
    """The first check after a moment, of those that go on from ``run_from``."""
    if now < run_from:
        return run_from
    return run_from + ((now - run_from) // interval + 1) * interval


def check(instance: Instance, settings: Settings) -> Instance:
    """The instance after the health check that was due, or after those of the nodes whose were."""
    at, passed = instance.target_at, int(instance.answers and not instance.why)
    if instance.views:
        views = [_viewed(view, passed, at, settings) if view.at == at else view for view in instance.views]
        checked = _folded(instance, tuple(views))
    else:
        run_from = instance.run_from if passed == instance.seen else at
        state, due = _verdict(instance.target, passed, run_from, at, settings)
        checked = instance.replaced(target=state, seen=passed, run_from=run_from, target_at=due)
    if instance.ended and checked.target == "unhealthy":
        return register(checked, at, settings, used=False)
    return checked


def _viewed(view: View, passed: int, at: int, settings: Settings) -> View:
    """What a node knows after its check, or once it has learned of the target."""
    if not view.state:
        return evolve(view, state="initial", at=view.run_from)
    run_from = view.run_from if passed == view.seen else at
    state, due = _verdict(view.state, passed, run_from, at, settings)
    return View(state, passed, run_from, None if due == NEVER else due)


def _verdict(
    state: TargetState, passed: int, run_from: int, at: int, settings: Settings
) -> tuple[TargetState, int]:
    """The state after a check, the latest in a row from ``run_from`` on; and the next one that may matter."""
    needed = _checks_needed(state, passed, settings)
    if needed is None:
        return state, NEVER
    verdict_at = run_from + (needed - 1) * ms(settings.check_interval_seconds)
    if verdict_at > at:
        return state, verdict_at
    return "healthy" if passed else "unhealthy", NEVER


def _checks_needed(state: TargetState, passed: int, settings: Settings) -> int | None:
    """Checks in a row with this result that change the verdict; None when it agrees already."""
    if passed:
        return {"initial": 1, "unhealthy": settings.healthy_threshold}.get(state)
    return None if state == "unhealthy" else settings.unhealthy_threshold


def _folded(instance: Instance, views: tuple[View, ...]) -> Instance:
    """The instance with these views, and what the balancer says of it as a whole.

    How AWS makes one verdict of many is not documented. Here one node that finds a target healthy is enough;
    without one, any that finds it unhealthy.
    """
    states = {view.state for view in views}
    target: TargetState = next((s for s in ("healthy", "unhealthy") if s in states), "initial")
    return instance.replaced(
        target=target,
        seen=max(view.seen for view in views),
        run_from=NEVER,
        target_at=min([view.at for view in views if view.at is not None], default=NEVER),
        views=views,
    )


def target_due(instance: Instance, world: World, group: Group) -> Instance:
    """The instance after what was due of it as a target, other than that its draining is over."""
    why = why_checks_fail(world, instance, group)
    if why != instance.why:
        instance = instance.replaced(why=why)
    checked = check(instance, world.settings)
    if instance.seen != 1 and checked.seen == 1 and _lucky(world, instance):
        return application_changed(checked, world.now, world.settings, answers=False)
    return checked


def why_checks_fail(world: World, instance: Instance, group: Group) -> str:
    """Why a check fails although the application answers; empty when it passes."""
    code, seconds = OK, 0.0
    for fault in world.faults:
        if isinstance(fault, InternalError) and fault.group in (None, group.name):
            return "internal"
        if isinstance(fault, HealthAnswer) and fault.image == _image(world, instance):
            code, seconds = fault.code, fault.seconds
    if seconds > world.settings.check_timeout_seconds:
        return "timeout"
    return "" if matches(code, world.settings.matcher) else str(code)


@cache
def matches(code: int, matcher: str) -> bool:
    """Whether a status code passes: ``200``, ``200,202`` or ``200-299`` (API reference, Matcher)."""
    ranges = [part.partition("-") for part in matcher.split(",")]
    return any(int(low) <= code <= int(high or low) for low, _, high in ranges)


def _image(world: World, instance: Instance) -> str | None:
    version = world.version(instance.version)
    return version.image if version else None


def _lucky(world: World, instance: Instance) -> bool:
    return any(isinstance(f, LuckyProbe) and f.image == _image(world, instance) for f in world.faults)


def drain_sticks(world: World, group: Group) -> bool:
    """Whether targets of a group drain for ever."""
    return any(isinstance(f, StuckDrain) and f.group in (None, group.name) for f in world.faults)


def reason(instance: Instance) -> str | None:
    """The reason code of a target's state (ALB user guide, "Target health status"); none when healthy."""
    match instance.target:
        case "initial":
            return "Elb.RegistrationInProgress" if instance.seen < 0 else "Elb.InitialHealthChecking"
        case "unhealthy":
            return _unhealthy(instance)
        case "draining":
            return "Target.DeregistrationInProgress"
        case "unused":
            return "Target.InvalidState" if instance.ended else "Target.NotInUse"
    return None


def _unhealthy(instance: Instance) -> str:
    """Nobody answers on a dead instance; one whose application is down refuses the connection."""
    if instance.dead or (instance.answers and instance.why == "timeout"):
        return "Target.Timeout"
    if instance.why == "internal":
        return "Elb.InternalError"
    return "Target.ResponseCodeMismatch" if instance.answers and instance.why else "Target.FailedHealthChecks"
