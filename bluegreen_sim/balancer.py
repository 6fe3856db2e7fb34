"""The load balancer: registration, health checks by arithmetic, draining, the rule, who gets requests.

Rules are those of the ALB user guide ("Health checks for your target groups", "Registered targets",
"Deregistration delay", "Target groups: routing"). No check is an event: only the first one after a change
of the application is looked at, and from it follows the moment at which the verdict changes.
"""

from __future__ import annotations

from collections import Counter
from functools import partial

from .settings import Settings
from .traffic import Pool, Target
from .watching import wrong_percents
from .world import NEVER, Group, Instance, TargetState, World, ms


def register(instance: Instance, now: int, settings: Settings, *, used: bool = True) -> Instance:
    """The instance, newly registered: what was known of it is forgotten; without use it is not checked."""
    if not used:
        return instance.replaced(target="unused", seen=-1, run_from=NEVER, target_at=NEVER)
    first = now + ms(settings.first_check_seconds)
    return instance.replaced(target="initial", seen=-1, run_from=first, target_at=first)


def deregister(instance: Instance, now: int, settings: Settings) -> Instance:
    """The instance, draining for the whole delay, whether or not requests are in flight."""
    if not instance.checked:
        return instance.replaced(target="") if instance.target == "unused" else instance
    over = now + ms(settings.deregistration_seconds)
    return instance.replaced(target="draining", seen=-1, run_from=NEVER, target_at=over)


def application_changed(instance: Instance, now: int, settings: Settings, *, answers: bool) -> Instance:
    """The instance after its application started or stopped to answer.

    A check at this very moment still sees what was before.
    """
    target_at = instance.target_at
    if instance.checked:
        target_at = instance.run_from
        if now >= target_at:
            interval = ms(settings.check_interval_seconds)
            target_at += ((now - target_at) // interval + 1) * interval
    return instance.replaced(
        answers=answers, answered=instance.answered or answers, app_at=NEVER, target_at=target_at
    )


def check(instance: Instance, settings: Settings) -> Instance:
    """The instance after the health check that was due."""
    at, result = instance.target_at, int(instance.answers)
    run_from = instance.run_from if result == instance.seen else at
    needed = _checks_needed(instance, result, settings)
    if needed is None:
        return instance.replaced(seen=result, run_from=run_from, target_at=NEVER)
    verdict_at = run_from + (needed - 1) * ms(settings.check_interval_seconds)
    if verdict_at > at:
        return instance.replaced(seen=result, run_from=run_from, target_at=verdict_at)
    target: TargetState = "healthy" if result else "unhealthy"
    return instance.replaced(target=target, seen=result, run_from=run_from, target_at=NEVER)


def _checks_needed(instance: Instance, result: int, settings: Settings) -> int | None:
    """Checks in a row with this result that change the verdict; None when it agrees already."""
    if result:
        return {"initial": 1, "unhealthy": settings.healthy_threshold}.get(instance.target)
    return None if instance.target == "unhealthy" else settings.unhealthy_threshold


def used(world: World, group: Group) -> bool:
    """Whether a rule leads to the group's target group, with whatever weight."""
    return world.home(group.name) in dict(world.rule)


def reason(instance: Instance) -> str | None:
    """The reason code of a target's state (ALB user guide, "Target health status"); none when healthy."""
    match instance.target:
        case "initial":
            return "Elb.RegistrationInProgress" if instance.seen < 0 else "Elb.InitialHealthChecking"
        case "unhealthy":
            return "Target.Timeout" if instance.dead else "Target.FailedHealthChecks"
        case "draining":
            return "Target.DeregistrationInProgress"
        case "unused":
            return "Target.NotInUse"
    return None


# -------------------------------------------------------------------------------------------- what is asked


def attach(world: World, group: Group) -> World:
    """Register the group's instances with its target group, and all later ones at launch."""
    if group.attached:
        return world
    into = partial(register, now=world.now, settings=world.settings, used=used(world, group))
    instances = tuple(
        into(instance) if instance.life == "running" else instance for instance in group.instances
    )
    return world.with_group(group.replaced(attached=True, instances=instances))


def detach(world: World, group: Group) -> World:
    """Deregister the group's instances; they drain and go on running."""
    if not group.attached:
        return world
    instances = tuple(deregister(instance, world.now, world.settings) for instance in group.instances)
    return world.with_group(group.replaced(attached=False, instances=instances))


def set_weights(world: World, weights: tuple[tuple[str, int], ...]) -> World:
    """Replace the rule's whole list: (target group, weight).

    Targets of a group that the rule names no more are unused; those of one that it names newly are checked
    from the start (ALB user guide, "Health checks for your target groups").
    """
    changed = dict(world.rule).keys() ^ dict(weights).keys()
    world = world.replaced(rule=weights)
    for group in world.groups:
        if world.home(group.name) in changed:
            into = partial(register, now=world.now, settings=world.settings, used=used(world, group))
            instances = tuple(
                instance if instance.target in ("", "draining") else into(instance)
                for instance in group.instances
            )
            world = world.with_group(group.replaced(instances=instances))
    return world


def change_targets(world: World, group: Group, ids: set[str], *, registered: bool) -> World:
    """Register or deregister some of a group's instances by hand; what is so already stays."""

    def change(instance: Instance) -> Instance:
        if instance.id not in ids or instance.life != "running":
            return instance
        if not registered:
            return deregister(instance, world.now, world.settings)
        if instance.target not in ("", "draining"):
            return instance
        return register(instance, world.now, world.settings, used=used(world, group))

    return world.with_group(group.replaced(instances=tuple(map(change, group.instances))))


# ------------------------------------------------------------------------------------------ who gets requests


def pools(world: World) -> tuple[Pool, ...]:
    """The targets of each target group in the rule, as the data plane sees them now.

    No failover between weighted target groups. A target group without a healthy target fails open: all
    its registered targets get requests, those without a verdict too.
    """
    return tuple(
        Pool(
            name, weight, _serving(world, [group for group in world.groups if world.home(group.name) == name])
        )
        for name, weight in world.rule
    )


def _serving(world: World, groups: list[Group]) -> tuple[Target, ...]:
    percents = wrong_percents(world)
    healthy: list[Target] = []
    others: list[Target] = []
    for group in groups:
        for instance in group.instances:
            if instance.checked:
                into = healthy if instance.target == "healthy" else others
                percent = percents.get(instance.version, 0)
                into.append((instance.id, group.name, instance.answers, percent))
    return tuple(healthy or others)


def healthy(world: World) -> tuple[tuple[str, int], ...]:
    """(group, instances that are healthy, really answer, and stand where requests lead)."""
    weights = dict(world.rule)
    return tuple(
        (
            group.name,
            sum(instance.answers and instance.target == "healthy" for instance in group.instances)
            if weights.get(world.home(group.name) or "")
            else 0,
        )
        for group in world.groups
    )


def states(world: World) -> tuple[tuple[str, tuple[tuple[str, int], ...]], ...]:
    """(group, (state, targets in it)) of all that are registered or drain, states in alphabetical order."""
    return tuple(
        (group.name, tuple(sorted(Counter(i.target for i in group.instances if i.target).items())))
        for group in world.groups
    )
