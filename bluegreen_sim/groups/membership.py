"""What can be asked for single instances of a group: standby, detaching, protection, health, hooks.

EC2 Auto Scaling user guide, "Detach or attach instances", "Temporarily remove instances", "Use instance
scale-in protection"; API reference of the operations that are named here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from attrs import evolve

from ..balancing.checks import deregister
from ..world import Group, Instance, World
from .autoscaling import Refused, changeable, sized, tidied
from .launching import REASONS, ended, not_launched, open_zones
from .lifecycle import completed, in_service, prolonged
from .scaling import Hook

AT_MOST = {"attach": 20, "detach": 20, "standby": 20, "protect": 50}
"""Instances in one call (EC2 Auto Scaling user guide, "Quotas")."""


def _limited(ids: list[str], what: str) -> set[str]:
    if len(ids) > AT_MOST[what]:
        raise Refused("bug", f"at most {AT_MOST[what]} instances in one call, not {len(ids)}")
    return set(ids)


def _each(
    group: Group, ids: Iterable[str], lives: tuple[str, ...], change: Callable[[Instance], Instance]
) -> Group:
    """The group with some instances changed.

    Raises:
        Refused: If one is not in the group, or its life is none of these.
    """
    here = {each.id: each for each in group.instances}
    for name in sorted(ids):
        if name not in here:
            raise Refused("absent", f"The instance {name} is not part of Auto Scaling group {group.name}.")
        if here[name].life not in lives:
            raise Refused("bug", f"The instance {name} is not in {' or '.join(lives)}: {here[name].life}")
    return group.replaced(
        instances=tuple([change(each) if each.id in ids else each for each in group.instances])
    )


def _lowered(group: Group, count: int) -> Group:
    if group.desired - count < group.min:
        said = f"the size of {group.name} cannot go below {group.min}: lower its minimum first"
        raise Refused("bug", said)
    return group.replaced(desired=group.desired - count)


# ------------------------------------------------------------------------------------------- in, out, aside


def end_instance(world: World, group: Group, name: str, *, lower: int) -> World:
    """End one instance by name, the wanted size going down by ``lower`` (0 or 1).

    Protection from scale-in does not keep it (TerminateInstanceInAutoScalingGroup).
    """
    staying = {each.id for each in group.instances if not each.life.startswith("leaving")}
    gone = ended(world, _lowered(group, lower) if lower else group, {name} & staying)
    return tidied(world, gone)[0]


def detach_instances(world: World, name: str, ids: list[str], *, lower: bool) -> World:
    """Take instances out of a group; they drain, and run on (DetachInstances)."""
    wanted = _limited(ids, "detach")
    group = changeable(world, name)

    def out(instance: Instance) -> Instance:
        if instance.checked:
            return deregister(instance.replaced(life="detaching"), world.now, world.settings)
        return instance.replaced(life="detaching", target="", life_at=world.now)

    group = _each(group, wanted, ("running", "standby"), out)
    return tidied(world, _lowered(group, len(wanted)) if lower else group)[0]


def attach_instances(world: World, name: str, ids: list[str]) -> World:
    """Put running instances of no group into one; its wanted size rises with them (AttachInstances)."""
    wanted = _limited(ids, "attach")
    group = changeable(world, name)
    found = [each for each in world.loose if each.id in wanted]
    if strangers := sorted(wanted - {each.id for each in found}):
        raise Refused("absent", f"Invalid Instance ID(s): {strangers} must be running, and in no other group")
    if elsewhere := sorted({each.zone for each in found} - set(open_zones(world, group, set()))):
        raise Refused("bug", f"the group is not in the zone of the instances: {elsewhere}")
    sized(group.min, group.desired + len(found), group.max)
    group = group.replaced(
        desired=group.desired + len(found),
        instances=(*group.instances, *(in_service(each, world, group) for each in found)),
    )
    world = world.replaced(loose=tuple(each for each in world.loose if each.id not in wanted))
    return tidied(world, group)[0]


def enter_standby(world: World, name: str, ids: list[str], *, lower: bool) -> World:
    """Set instances aside: they drain, and nobody looks after their health (EnterStandby)."""
    wanted = _limited(ids, "standby")
    group = changeable(world, name)

    def aside(instance: Instance) -> Instance:
        if instance.checked:
            return deregister(instance.replaced(life="entering"), world.now, world.settings)
        return instance.replaced(life="standby", target="")

    group = _each(group, wanted, ("running",), aside)
    return tidied(world, _lowered(group, len(wanted)) if lower else group)[0]


def exit_standby(world: World, name: str, ids: list[str]) -> World:
    """Put instances back into service; the wanted size rises with them (ExitStandby)."""
    wanted = _limited(ids, "standby")
    group = changeable(world, name)
    if "Launch" in group.suspended:
        raise Refused("bug", "the process Launch is suspended: instances cannot leave standby")
    sized(group.min, group.desired + len(wanted), group.max)
    group = group.replaced(desired=group.desired + len(wanted))
    group = _each(group, wanted, ("standby",), lambda each: in_service(each, world, group))
    return tidied(world, group)[0]


# --------------------------------------------------------------------------------------- health, protection


def protect(world: World, name: str, ids: list[str], *, protected: bool) -> World:
    """Protect instances from scale-in, or no longer (SetInstanceProtection)."""
    wanted = _limited(ids, "protect")
    lives = ("pending", "pending:wait", "running", "entering", "standby", "detaching")
    group = _each(
        changeable(world, name),
        wanted,
        (*lives, "leaving", "leaving:wait"),
        lambda each: each.replaced(standing=evolve(each.standing, protected=protected)),
    )
    return tidied(world, group)[0]


def set_health(world: World, group: Group, name: str, *, healthy: bool, heed_grace: bool) -> World:
    """Say of an instance what its group should hold of it (SetInstanceHealth).

    Args:
        world: The world.
        group: Whose.
        name: The instance.
        healthy: What is said.
        heed_grace: Whether nothing is said of it while its grace period lasts.
    """

    def told(instance: Instance) -> Instance:
        if heed_grace and not healthy and instance.standing.grace_until > world.now:
            return instance
        return instance.replaced(standing=evolve(instance.standing, unhealthy=not healthy))

    return tidied(world, _each(group, {name}, ("running", "pending", "pending:wait"), told))[0]


# ---------------------------------------------------------------------------------------------------- hooks


def complete(world: World, name: str, hook: str, instance: str, result: str) -> World:
    """Say how an instance's wait at a hook ends (CompleteLifecycleAction)."""
    group = changeable(world, name)
    waiter = _waiter(group, hook, instance)
    after = completed(waiter, world, group, hook, result)
    instances = tuple([after if each is waiter else each for each in group.instances])
    group = group.replaced(instances=tuple(each for each in instances if each is not None))
    if waiter.life == "pending:wait" and result == "ABANDON":
        group = not_launched(world, group, REASONS["hooks"])
    return tidied(world, group)[0]


def heartbeat(world: World, name: str, hook: str, instance: str) -> World:
    """Let an instance wait on at a hook (RecordLifecycleActionHeartbeat)."""
    group = changeable(world, name)
    waiter = _waiter(group, hook, instance)
    after = prolonged(waiter, world.now, _hook(group, hook))
    return world.with_group(
        group.replaced(instances=tuple([after if each is waiter else each for each in group.instances]))
    )


def _hook(group: Group, name: str) -> Hook:
    found = next((hook for hook in group.scaling.hooks if hook.name == name), None)
    if found is None:
        raise Refused("absent", f"no lifecycle hook {name} in {group.name}")
    return found


def _waiter(group: Group, hook: str, instance: str) -> Instance:
    for each in group.instances:
        if each.id == instance and any(wait.hook == hook for wait in each.standing.waits):
            return each
    said = f"No active Lifecycle Action found with instance ID {instance}"
    raise Refused("absent", said)


# -------------------------------------------------------------------------------------------------- refresh


def start_refresh(world: World, name: str) -> World:
    """Replace every instance there is, those of the newest version too (StartInstanceRefresh)."""
    group = changeable(world, name)
    if refreshing(group):
        raise Refused("refreshing", f"An instance refresh is already in progress for {name}")
    return tidied(world, _stale(group, stale=True))[0]


def cancel_refresh(world: World, name: str) -> World:
    """Leave the instances that are not replaced yet as they are (CancelInstanceRefresh)."""
    group = changeable(world, name)
    if not refreshing(group):
        raise Refused("not-refreshing", f"No in progress or pending Instance Refresh found for {name}")
    return tidied(world, _stale(group, stale=False))[0]


def refreshing(group: Group) -> bool:
    """Whether an instance refresh has instances left to replace."""
    return any(each.standing.stale and each.staying for each in group.instances)


def _stale(group: Group, *, stale: bool) -> Group:
    return group.replaced(
        instances=tuple(
            each.replaced(standing=evolve(each.standing, stale=stale)) if each.staying else each
            for each in group.instances
        )
    )
