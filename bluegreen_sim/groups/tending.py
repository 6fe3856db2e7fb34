"""How a group looks after its instances: who is unhealthy, who is replaced and when, balance between zones.

EC2 Auto Scaling user guide, "Health checks", "Instance distribution" and "Instance refresh". A group looks
after its instances whenever something has happened to them; what it does follows from what it sees.
"""

from __future__ import annotations

from collections import Counter

from attrs import evolve

from ..faults import ZoneDown
from ..world import NEVER, Group, Instance, World
from .launching import ended, gap, open_zones
from .lifecycle import can_replace, without
from .scaling import NEW, PLAIN


def tended(world: World, group: Group) -> bool:
    """Whether a group has anything to look after beyond its size."""
    return (
        group.scaling is not PLAIN
        or world.settings.zones > 1
        or world.elb_checked(group)
        or any(each.dead or each.standing is not NEW for each in group.instances)
    )


def tend(world: World, group: Group) -> Group:
    """The group after it has looked after its instances."""
    group = _armed(world, group)
    group = _marked(world, group)
    group = _replacing(world, group)
    group = _settled(group)
    group = _rebalancing(world, group)
    return group.replaced(tend_at=_next_look(world, group))


def _armed(world: World, group: Group) -> Group:
    """An attachment comes in service with the first instance that passes a check of the balancer."""
    if group.armed or not group.attached or not world.elb_checked(group):
        return group
    return group.replaced(armed=any(each.target == "healthy" for each in group.instances))


def judged(world: World, group: Group, instance: Instance) -> bool:
    """Whether EC2 or the balancer finds an instance unhealthy and the group heeds it."""
    if instance.life != "running" or "HealthCheck" in group.suspended:
        return False
    if instance.dead and instance.life_at == NEVER:
        return True
    heeded = instance.target == "unhealthy" and group.armed and world.elb_checked(group)
    return heeded and instance.standing.grace_until <= world.now


def _marked(world: World, group: Group) -> Group:
    if not any(judged(world, group, each) and not each.standing.unhealthy for each in group.instances):
        return group
    return group.replaced(
        instances=tuple(
            each.replaced(standing=evolve(each.standing, unhealthy=True))
            if judged(world, group, each)
            else each
            for each in group.instances
        )
    )


# ---------------------------------------------------------------------------------------------- replacement


def _replacing(world: World, group: Group) -> Group:
    """What is dead goes at once, the rest a few at a time, when those before are replaced and warm."""
    waiting = [each for each in group.instances if _replaceable(group, each)]
    if not waiting:
        return group
    gone = {each.id for each in waiting if each.dead and each.standing.unhealthy}
    group = without(group, gone, world.now) if gone else group
    rest = [each for each in waiting if each.id not in gone]
    most = group.scaling.healthy_percent[1] if group.scaling.healthy_percent else 100
    if most > 100:
        # Launched first: what is unhealthy is then the first that is too much.
        room = max(1, group.desired * (most - 100) // 100)
        return group.replaced(extra=max(group.extra, min(len(rest), room)))
    new = sum(
        each.life != "running" or each.standing.warm_at > world.now
        for each in group.instances
        if each.staying
    )
    free = pace(world, group) - new - max(0, gap(group))
    return ended(world, group, {each.id for each in rest[: max(0, free)]})


def _replaceable(group: Group, instance: Instance) -> bool:
    standing = instance.standing
    if instance.life != "running":
        return False
    if standing.unhealthy and can_replace(group):
        return True
    return (
        standing.stale
        and not standing.protected
        and not {"InstanceRefresh", "Terminate"} & set(group.suspended)
    )


def pace(world: World, group: Group) -> int:
    """How many instances may be missing at a time while others are replaced; at least one."""
    if group.scaling.healthy_percent:
        floor = -(-group.desired * group.scaling.healthy_percent[0] // 100)
        return max(1, group.desired - floor)
    return max(1, group.desired * world.settings.replace_percent // 100)


# ------------------------------------------------------------------------------------------------- balance


def _settled(group: Group) -> Group:
    """What was launched beyond the size has come in service: the others may go."""
    if not group.extra or group.staying < group.desired + group.extra:
        return group
    counted = [each for each in group.instances if each.staying]
    return group.replaced(extra=0) if all(each.life == "running" for each in counted) else group


def _rebalancing(world: World, group: Group) -> Group:
    """Launches come first, so a group may pass its largest size by a tenth or by one ("Rebalancing")."""
    zones = open_zones(world, group, {f.zone for f in world.faults if isinstance(f, ZoneDown)})
    if len(zones) < 2 or group.extra or {"AZRebalance", "Launch"} & set(group.suspended):
        return group
    counted = [each for each in group.instances if each.staying]
    if len(counted) != group.desired or any(each.life != "running" for each in counted):
        return group
    there = Counter(dict.fromkeys(zones, 0))
    there.update(each.zone for each in counted)
    uneven = max(there.values()) - min(there[zone] for zone in zones)
    room = group.max + max(1, group.max // 10) - group.desired
    return group.replaced(extra=min(uneven // 2, room))


def _next_look(world: World, group: Group) -> int:
    """When a grace period or a warm-up ends that something waits for."""
    waits = any(each.standing.unhealthy or each.standing.stale for each in group.instances)
    times = [each.standing.warm_at for each in group.instances if waits]
    times += [each.standing.grace_until for each in group.instances if each.target == "unhealthy"]
    return min((at for at in times if at > world.now), default=NEVER)
