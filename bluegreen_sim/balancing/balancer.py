"""The load balancer: who is registered where, the rule, and to whom each node sends requests.

Rules are those of the ALB user guide ("Registered targets", "Target groups: routing", "Target group health",
"Cross-zone load balancing for target groups").
"""

from __future__ import annotations

from collections import Counter
from functools import partial

from ..faults import ZoneDown
from ..users.traffic import Pool, Target
from ..users.watching import wrong_percents
from ..world import Group, Instance, World
from .checks import deregister, register
from .view import TargetState

HIGHEST_WEIGHT = 999
"""ALB user guide, "Rule actions": weights are 0 to 999."""


def used(world: World, group: Group) -> bool:
    """Whether a rule leads to the group's target group, with whatever weight."""
    return world.home(group.name) in dict(world.rule)


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
    percents = wrong_percents(world)
    return tuple([(each.id, group, each.answers, percents.get(each.version, 0)) for each, group, _ in chosen])


def below(healthy: int, registered: int, count: int, percent: int) -> bool:
    """Whether healthy targets are fewer than a minimum, given as a count and in percent; either is enough."""
    return healthy < count or healthy * 100 < percent * registered


def down(world: World) -> list[int]:
    """The zones that have failed."""
    return [fault.zone for fault in world.faults if isinstance(fault, ZoneDown)]


def in_dns(world: World) -> tuple[bool, ...]:
    """Of each node, whether DNS leads clients to it: all of them when none should be.

    A node leaves when a target group has fewer healthy targets in its zone than the minimum (of all zones
    with cross-zone load balancing). A zone without targets stays, and answers 503 (ALB user guide,
    "Cross-zone load balancing for target groups").
    """
    settings = world.settings
    if not down(world) and not settings.views and (settings.cross_zone or len(settings.enabled) == 1):
        return (True,) * settings.node_count  # all nodes count the same, so all stay, or all should leave
    found = tuple([_fit(world, node) for node in range(settings.node_count)])
    return found if any(found) else (True,) * settings.node_count


def _fit(world: World, node: int) -> bool:
    settings = world.settings
    zone = settings.zone_of_node[node]
    if zone in down(world):
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
            len([1 for instance in group.instances if instance.target == "healthy" and instance.answers])
            if weights.get(world.home(group.name) or "")
            else 0,
        )
        for group in world.groups
    )


def states(world: World) -> tuple[tuple[str, tuple[tuple[str, int], ...]], ...]:
    """(group, (state, targets in it)) of all that are registered or drain, states in alphabetical order."""
    return tuple(
        (group.name, tuple(sorted(Counter([i.target for i in group.instances if i.target]).items())))
        for group in world.groups
    )
