"""The life of one instance in its group: it starts, waits at hooks, comes in service, leaves.

EC2 Auto Scaling user guide, "Instance lifecycle" and "How lifecycle hooks work": a launch hook holds an
instance before it is registered with the target group; a termination hook holds it after it has drained.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from attrs import evolve

from ..balancing.balancer import used
from ..balancing.checks import application_changed, deregister, drain_sticks, register, target_due
from ..choices import Choices
from ..faults import NeverHealthy, SlowBoot
from ..settings import Settings
from ..users.watching import fails_at
from ..world import NEVER, Group, Instance, Life, World, ms
from .scaling import NEW, Activity, Hook, Standing, Wait

HOOK_LIMIT_MS = 48 * 3_600_000
"""API reference, PutLifecycleHook: no heartbeat keeps an instance waiting for longer, nor ..."""
HOOK_LIMIT_TIMEOUTS = 100
"""... than so many timeouts, whichever is sooner."""


def lived(world: World, group: Group, choices: Choices) -> Iterator[tuple[Instance, Instance | None]]:
    """Each instance of a group, and what it is after all that is due now; None when it is there no more."""
    now = world.now
    for instance in group.instances:
        lives: Instance | None = instance
        # A check sees what was before this moment, so it comes first.
        while lives and lives.due <= now:
            if lives.target_at <= now:
                lives = _target_due(lives, world, group)
            elif lives.app_at <= now:
                lives = application_changed(lives, now, world.settings, answers=not lives.answers)
                lives = lives.replaced(app_at=fails_at(world, lives))
            else:
                lives = _life_due(lives, world, group, choices)
        yield instance, lives


def _target_due(instance: Instance, world: World, group: Group) -> Instance | None:
    if instance.target != "draining":
        return target_due(instance, world, group)
    if drain_sticks(world, group):
        return instance.replaced(target_at=NEVER)
    drained = instance.replaced(target="", run_from=NEVER, target_at=NEVER)
    match instance.life:
        case "leaving":
            hooks = group.scaling.hooked("terminate")
            return waiting(drained, world.now, hooks, "leaving:wait") if hooks else None
        case "detaching":
            return None
        case "entering":
            return drained.replaced(life="standby")
    return drained


def _life_due(instance: Instance, world: World, group: Group, choices: Choices) -> Instance | None:
    match instance.life:
        case "pending":
            boot = _boot_ms(world, group, instance, choices)
            instance = instance.replaced(app_at=NEVER if boot is None else world.now + boot)
            hooks = group.scaling.hooked("launch")
            if hooks:
                return waiting(instance, world.now, hooks, "pending:wait")
            return in_service(instance, world, group)
        case "pending:wait" | "leaving:wait":
            over = next(wait for wait in instance.standing.waits if wait.until <= world.now)
            return completed(instance, world, group, over.hook, over.result)
        case "running" if not can_replace(group):
            return instance.replaced(life_at=NEVER)
    return None


def can_replace(group: Group) -> bool:
    """Whether the group ends what it finds unhealthy ("How suspending processes affects others")."""
    return not {"HealthCheck", "ReplaceUnhealthy", "Terminate"} & set(group.suspended)


def _boot_ms(world: World, group: Group, instance: Instance, choices: Choices) -> int | None:
    """How long the application takes from now until it answers; None: for ever."""
    version = world.version(instance.version)
    boot = world.settings.boot_seconds
    for fault in world.faults:
        if isinstance(fault, NeverHealthy) and fault.group in (None, group.name):
            if fault.image is None or (version and version.image == fault.image):
                return None
        elif isinstance(fault, SlowBoot) and fault.group in (None, group.name):
            boot = (fault.seconds,)
    return ms(choices.pick(boot))


def in_service(instance: Instance, world: World, group: Group) -> Instance:
    """The instance in service: registered if its group is attached; its grace period begins."""
    scaling, now = group.scaling, world.now
    standing = NEW
    if scaling.grace_seconds or scaling.warmup_seconds or scaling.protects_new:
        standing = Standing(
            protected=scaling.protects_new,
            grace_until=now + ms(scaling.grace_seconds),
            warm_at=now + ms(scaling.warmup_seconds or 0),
        )
    instance = instance.replaced(life="running", life_at=NEVER, standing=standing)
    # Without AddToLoadBalancer it is not registered, and will not be when the process is resumed.
    if not group.attached or "AddToLoadBalancer" in group.suspended:
        return instance
    return register(instance, now, world.settings, used=used(world, group))


# -------------------------------------------------------------------------------------------------- the end


def leave(instance: Instance, now: int, settings: Settings, hooks: tuple[Hook, ...] = ()) -> Instance:
    """The instance on its way out, and it cannot come back.

    Args:
        instance: Which.
        now: World time.
        settings: How long it drains, if it is registered, or takes to stop.
        hooks: Termination hooks, at which it waits once it has drained.
    """
    out = partial(_held_no_more(instance).replaced, life="leaving", left_at=now)
    if instance.checked:
        return deregister(out(life_at=NEVER), now, settings)
    if instance.target == "draining":
        return out(life_at=NEVER)
    if hooks:
        return waiting(out(target=""), now, hooks, "leaving:wait")
    return out(target="", life_at=now + ms(settings.stop_seconds))


def without(group: Group, gone: set[str], now: int) -> Group:
    """The group without some instances, which it keeps in its log."""
    log = list(group.log)
    for each in group.instances:
        if each.id in gone:
            log.append(Activity("launch", each.id, each.launched_at, each.launched_at))
            log.append(Activity("end", each.id, each.left_at or now, now))
    staying = tuple([each for each in group.instances if each.id not in gone])
    return group.replaced(instances=staying, log=tuple(log))


# ---------------------------------------------------------------------------------------------------- hooks


def waiting(instance: Instance, now: int, hooks: tuple[Hook, ...], life: Life) -> Instance:
    """The instance, waiting at all of these hooks."""
    waits = tuple([_wait(hook, now) for hook in hooks])
    return _held(instance.replaced(life=life), waits)


def _wait(hook: Hook, now: int) -> Wait:
    timeout = ms(hook.timeout_seconds)
    latest = now + min(HOOK_LIMIT_MS, HOOK_LIMIT_TIMEOUTS * timeout)
    if hook.done_seconds is not None and ms(hook.done_seconds) <= timeout:
        return Wait(hook.name, now + ms(hook.done_seconds), latest, "CONTINUE")
    return Wait(hook.name, now + timeout, latest, hook.default)


def _held(instance: Instance, waits: tuple[Wait, ...]) -> Instance:
    return instance.replaced(
        life_at=min(wait.until for wait in waits), standing=evolve(instance.standing, waits=waits)
    )


def prolonged(instance: Instance, now: int, hook: Hook) -> Instance:
    """The instance after a heartbeat: its wait at the hook begins anew, up to the limit."""
    until = now + ms(hook.timeout_seconds)
    waits = tuple(
        evolve(wait, until=min(until, wait.latest)) if wait.hook == hook.name else wait
        for wait in instance.standing.waits
    )
    return _held(instance, waits)


def completed(instance: Instance, world: World, group: Group, hook: str, result: str) -> Instance | None:
    """The instance after its wait at a hook has this result; None when it has ended.

    At a launch ABANDON ends it. At a termination both end it, ABANDON without the hooks that are left.
    """
    left = tuple(wait for wait in instance.standing.waits if wait.hook != hook)
    if left and result == "CONTINUE":
        return _held(instance, left)
    free = _held_no_more(instance)
    if instance.life == "leaving:wait":
        return free.replaced(life="leaving", life_at=world.now + ms(world.settings.stop_seconds))
    if result == "ABANDON":
        return leave(free, world.now, world.settings)
    return in_service(free, world, group)


def _held_no_more(instance: Instance) -> Instance:
    """The instance, waiting at no hook."""
    waits = instance.standing.waits
    return instance.replaced(standing=evolve(instance.standing, waits=())) if waits else instance


def loosened(instance: Instance) -> Instance:
    """The instance outside of any group: it runs on, and nobody looks after it."""
    return instance.replaced(
        life="running", life_at=NEVER, target="", run_from=NEVER, target_at=NEVER, standing=NEW
    )
