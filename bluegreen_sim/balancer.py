"""The load balancer: registration, health checks by arithmetic, draining, the rule, who gets requests.

Rules are those of the ALB user guide ("Health checks for your target groups", "Registered targets",
"Deregistration delay", "Target groups: routing"). No check is an event: only the first one after a change
of the application is looked at, and from it follows the moment at which the verdict changes.
"""

from __future__ import annotations

from collections import Counter
from functools import partial

from .faults import Errors, HealthAnswer, InternalError, LuckyProbe, StuckDrain
from .settings import Settings
from .traffic import Pool, Target
from .world import NEVER, Group, Instance, TargetState, View, World, ms

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
    views = tuple(View("healthy", 1, phases[node % len(phases)], NEVER) for node in range(settings.views))
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
            view.replaced(at=_check_after(now, view.run_from, interval)) if view.state else view
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


def _check_after(now: int, run_from: int, interval: int) -> int:
    """The first check after a moment, of those that go on from ``run_from``."""
    if now < run_from:
        return run_from
    return run_from + ((now - run_from) // interval + 1) * interval


def check(instance: Instance, settings: Settings) -> Instance:
    """The instance after the health check that was due, or after those of the nodes whose were."""
    at, passed = instance.target_at, int(instance.answers and not instance.why)
    if instance.views:
        views = tuple(
            _view_after(view, passed, settings) if view.at == at else view for view in instance.views
        )
        checked = _folded(instance, views)
    else:
        view = View(instance.target, instance.seen, instance.run_from, at)
        view = _view_after(view, passed, settings)
        checked = instance.replaced(
            target=view.state, seen=view.seen, run_from=view.run_from, target_at=view.at
        )
    if instance.ended and checked.target == "unhealthy":
        return register(checked, at, settings, used=False)
    return checked


def _view_after(view: View, passed: int, settings: Settings) -> View:
    """What a node knows after its check, or once it has learned of the target."""
    if not view.state:
        return view.replaced(state="initial", at=view.run_from)
    at, run_from = view.at, view.run_from if passed == view.seen else view.at
    needed = _checks_needed(view.state, passed, settings)
    if needed is None:
        return View(view.state, passed, run_from, NEVER)
    verdict_at = run_from + (needed - 1) * ms(settings.check_interval_seconds)
    if verdict_at > at:
        return View(view.state, passed, run_from, verdict_at)
    return View("healthy" if passed else "unhealthy", passed, run_from, NEVER)


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
        target_at=min(view.at for view in views),
        views=views,
    )


def target_due(instance: Instance, world: World, group: Group) -> Instance:
    """The instance after what was due of it as a target, other than that its draining is over."""
    why = why_checks_fail(world, instance, group)
    if why != instance.why:
        instance = instance.replaced(why=why)
    checked = check(instance, world.settings)
    if (instance.target, checked.target) == ("initial", "healthy") and _lucky(world, instance):
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


def used(world: World, group: Group) -> bool:
    """Whether a rule leads to the group's target group, with whatever weight."""
    return world.home(group.name) in dict(world.rule)


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
        if instance.target not in ("", "draining") or instance.ended:
            return instance
        return register(instance, world.now, world.settings, used=used(world, group))

    return world.with_group(group.replaced(instances=tuple(map(change, group.instances))))


# ------------------------------------------------------------------------------------------ who gets requests


Known = tuple[Instance, str, TargetState]
"""A target as a node knows it: the instance, its group, what the node says of it."""


def known(world: World, target_group: str, node: int = 0) -> list[Known]:
    """The targets of a target group that a node knows of."""
    return [
        (instance, group.name, state)
        for group in world.groups
        if world.home(group.name) == target_group
        for instance in group.instances
        if instance.checked and (state := instance.views[node].state if instance.views else instance.target)
    ]


def pools(world: World, node: int = 0) -> tuple[Pool, ...]:
    """The targets of each target group in the rule, as a node sends requests to them when it is up to date.

    No failover between weighted target groups.
    """
    return tuple(
        Pool(name, weight, serving(world, known(world, name, node), node)) for name, weight in world.rule
    )


def serving(world: World, targets: list[Known], node: int) -> tuple[Target, ...]:
    """Whom a node sends requests to, of the targets that it knows of.

    With too few healthy ones the target group fails open: all its targets get requests, those without a
    verdict too (ALB user guide, "Target group health").
    """
    settings = world.settings
    if not settings.cross_zone:
        targets = [each for each in targets if each[0].zone == settings.zone_of_node[node]]
    good = [each for each in targets if each[2] == "healthy"]
    few = below(len(good), len(targets), settings.minimum_healthy_count, settings.minimum_healthy_percent)
    # Without a healthy target there is nobody but the others, however low the minimum.
    chosen = targets if few or not good else good
    wrong = {fault.image: fault.percent for fault in world.faults if isinstance(fault, Errors)}
    percents = {version.number: wrong.get(version.image, 0) for version in world.versions}
    return tuple([(each.id, group, each.answers, percents.get(each.version, 0)) for each, group, _ in chosen])


def below(healthy: int, registered: int, count: int, percent: int) -> bool:
    """Whether healthy targets are fewer than a minimum, given as a count and in percent; either is enough."""
    return healthy < count or healthy * 100 < percent * registered


def in_dns(world: World) -> tuple[bool, ...]:
    """Of each node, whether DNS leads clients to it: all of them when none should be.

    A node leaves when a target group has fewer healthy targets in its zone than the minimum (of all zones
    with cross-zone load balancing). A zone without targets stays, and answers 503 (ALB user guide,
    "Cross-zone load balancing for target groups").
    """
    settings = world.settings
    if not world.down and (settings.cross_zone or len(settings.enabled) == 1):
        return (True,) * settings.nodes  # all nodes count the same targets, so all stay or none would
    found = tuple([_fit(world, node) for node in range(settings.nodes)])
    return found if any(found) else (True,) * settings.nodes


def _fit(world: World, node: int) -> bool:
    settings = world.settings
    zone = settings.zone_of_node[node]
    if zone in world.down:
        return False
    bad = []
    for name, _ in world.rule:
        targets = [e for e in known(world, name, node) if settings.cross_zone or e[0].zone == zone]
        if targets:
            good = sum(state == "healthy" for _, _, state in targets)
            bad.append(below(good, len(targets), settings.dns_minimum_count, settings.dns_minimum_percent))
    return not (any(bad) if settings.dns_failover == "any" else bad and all(bad))


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
