"""How a group comes to its size: launches, and whom it ends.

EC2 Auto Scaling user guide, "Availability Zone distribution" and "Termination policies".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from attrs import evolve

from ..choices import Choices
from ..faults import Lasting, LaunchFails, Scarce, ZoneDown
from ..world import NEVER, Group, Instance, World, ms
from .lifecycle import leave
from .scaling import PLAIN, Activity

RETRY_LIMIT_SECONDS = 300
PROTECTED = "Could not scale to desired capacity because all remaining instances are protected from scale in."
REASONS = {
    "capacity": "We currently do not have sufficient capacity in the Availability Zone you requested.",
    "quota": "You have requested more vCPU capacity than your current vCPU limit allows for the instance "
    "bucket that the specified instance type belongs to.",
    "subnet": "There are not enough free addresses in the subnet to satisfy the request.",
    "profile": "Invalid IAM Instance Profile name.",
    "key": "The key pair does not exist. Launching EC2 instance failed.",
    "security-group": "The security group does not exist. Launching EC2 instance failed.",
    "encryption": "Client.InternalError: Client error on launch.",
    "target-group": "One or more target groups not found. Validating load balancer configuration failed.",
    "hooks": "Instance failed to complete user's Lifecycle Action: it was abandoned.",
}
"""Why launches fail, in AWS's words ("Troubleshoot instance launch failures")."""


def gap(group: Group) -> int:
    """Instances that are missing (or, below 0, too many) and that the group may do something about."""
    missing = group.desired + group.extra - group.staying
    needed = "Launch" if missing > 0 else "Terminate"
    return 0 if needed in group.suspended else missing


def react(world: World, group: Group) -> Group:
    """The group, about to look at its size if that is not what it wants."""
    if group.react_at == NEVER and gap(group):
        return group.replaced(react_at=world.now + ms(world.settings.react_seconds))
    return group


def converge(world: World, group: Group, choices: Choices) -> World:
    """The group launches what is missing, or ends what is too much."""
    missing = gap(group)
    if missing > 0:
        return _launch(world, group, missing, choices)
    return world.with_group(_shrunk(world, group.replaced(react_at=NEVER), -missing, choices))


# ------------------------------------------------------------------------------------------------- launches


def _launch(world: World, group: Group, missing: int, choices: Choices) -> World:
    number = world.resolved(group.version)
    if why := _unlaunchable(world, number):
        return world.with_group(not_launched(world, group, why))
    room, closed, why = _scarcity(world, group, missing)
    zones = _places(world, group, room, closed)
    world = _used_up(world, group, len(zones))
    serial = world.serial
    launched = []
    for zone in zones:
        serial += 1
        running_at = world.now + ms(choices.pick(_menu(world.settings.pending_seconds)))
        name = f"i-{serial:04d}"
        launched.append(Instance(name, number, "pending", running_at, zone=zone, launched_at=world.now))
    group = group.replaced(instances=(*group.instances, *launched))
    if len(launched) < missing:
        return world.replaced(serial=serial).with_group(not_launched(world, group, why))
    failures = group.failures if group.scaling.hooks else 0
    group = group.replaced(react_at=NEVER, failures=failures, launch_error=None)
    return world.replaced(serial=serial).with_group(group)


def _menu(seconds: float | tuple[float, ...]) -> tuple[float, ...]:
    return seconds if isinstance(seconds, tuple) else (seconds,)


def _unlaunchable(world: World, number: int) -> str | None:
    """Why nothing can be started from a template version: it or its image is gone, or not there yet."""
    version = world.version(number)
    if version is None:
        return f"The specified launch template version {number} does not exist."
    image = world.image(version.image)
    if image is None:
        return f"The image id '[{version.image}]' does not exist"
    return None if image.available_at <= world.now else f"The image ID '{image.id}' is not available"


def _scarcity(world: World, group: Group, missing: int) -> tuple[int, set[int], str]:
    """What faults leave of a launch: (instances there is room for, closed zones, why no more)."""
    room, why = missing, REASONS["capacity"]
    closed = {fault.zone for fault in world.faults if isinstance(fault, ZoneDown)}
    for failing in _failing(world, group):
        why = REASONS[failing.why]
        if failing.zone is None:
            return 0, closed, why
        closed.add(failing.zone)
    for fault in world.faults:
        if isinstance(fault, Scarce) and fault.group in (None, group.name) and fault.left < room:
            room, why = fault.left, REASONS[fault.why]
    return room, closed, why


def _failing(world: World, group: Group) -> list[LaunchFails]:
    """What an attempt to launch fails by: one fault that concerns all zones, else all that concern one."""
    failing = [
        fault
        for fault in world.faults
        if isinstance(fault, LaunchFails) and fault.times and fault.group in (None, group.name)
    ]
    return [fault for fault in failing if fault.zone is None][:1] or failing


def _used_up(world: World, group: Group, started: int) -> World:
    """The world after an attempt to launch by which so many instances were started."""
    if not world.faults:
        return world
    failing = _failing(world, group)

    def left_of(fault: Lasting) -> Lasting:
        if isinstance(fault, Scarce) and fault.group in (None, group.name):
            return evolve(fault, left=fault.left - started)
        if isinstance(fault, LaunchFails) and any(fault is each for each in failing):
            return evolve(fault, times=fault.times - 1)
        return fault

    return world.replaced(faults=tuple(map(left_of, world.faults)))


def open_zones(world: World, group: Group, closed: set[int]) -> list[int]:
    """The zones in which a group can launch now."""
    zones = group.scaling.zones or range(world.settings.zones)
    return [zone for zone in zones if zone not in closed]


def _places(world: World, group: Group, count: int, closed: set[int]) -> list[int]:
    """The zone of each launch: one with fewest instances; when it is closed, another one is tried."""
    zones = open_zones(world, group, closed)
    if not zones:
        return []
    if len(zones) == 1:
        return zones * count
    there = Counter(dict.fromkeys(zones, 0))
    there.update(instance.zone for instance in group.instances if instance.staying and instance.zone in there)
    places = []
    for _ in range(count):
        places.append(min(zones, key=lambda zone: (there[zone], zone)))
        there[places[-1]] += 1
    return places


def not_launched(world: World, group: Group, why: str) -> Group:
    """The group after a failed launch: it tries again, after a pause that grows."""
    pause = min(world.settings.retry_seconds * 2 ** min(group.failures, 20), RETRY_LIMIT_SECONDS)
    return group.replaced(
        react_at=world.now + ms(pause),
        failures=group.failures + 1,
        launch_error=why,
        log=(*group.log, Activity("launch", "", world.now, world.now, "Failed", why)),
    )


# -------------------------------------------------------------------------------------------- whom it ends


def _shrunk(world: World, group: Group, surplus: int, choices: Choices) -> Group:
    if not surplus:
        return group
    victims = {victim.id for victim in _victims(world, group, surplus, choices)}
    if len(victims) < surplus and (not group.log or group.log[-1].said != PROTECTED):
        told = Activity("end", "", world.now, world.now, "Cancelled", PROTECTED)
        group = group.replaced(log=(*group.log, told))
    return ended(world, group, victims)


def ended(world: World, group: Group, ids: set[str]) -> Group:
    """The group with some of its instances on their way out."""
    hooks = group.scaling.hooked("terminate")
    return group.replaced(
        instances=tuple(
            [
                leave(each, world.now, world.settings, hooks) if each.id in ids else each
                for each in group.instances
            ]
        )
    )


def _victims(world: World, group: Group, surplus: int, choices: Choices) -> list[Instance]:
    staying = [each for each in group.instances if each.staying and not each.standing.protected]
    marked = any(each.standing.unhealthy for each in staying)
    if world.settings.zones == 1 and not marked:
        return _of_one_zone(world, group, staying, surplus, choices)
    chosen: list[Instance] = []
    there = Counter(each.zone for each in group.instances if each.staying)
    for _ in range(min(surplus, len(staying))):
        # What is unhealthy goes first, whatever zone and policies say; then the zone with most instances.
        sick = [each for each in staying if each.standing.unhealthy]
        most = max(there[each.zone] for each in staying)
        among = sick or [each for each in staying if there[each.zone] == most]
        chosen += _of_one_zone(world, group, among, 1, choices)
        staying.remove(chosen[-1])
        there[chosen[-1].zone] -= 1
    return chosen


def _of_one_zone(
    world: World, group: Group, among: list[Instance], count: int, choices: Choices
) -> list[Instance]:
    policies = group.scaling.termination
    if world.settings.termination != "oldest-version" and policies == PLAIN.termination:
        return choose(world, among, count, choices)
    # Stable: whom no policy tells apart goes in the order of launch.
    return sorted(among, key=lambda each: [POLICIES[policy](each, world.now) for policy in policies])[:count]


HOUR_MS = 3_600_000

POLICIES: dict[str, Callable[[Instance, int], int]] = {
    "Default": lambda instance, _: instance.version,
    "OldestInstance": lambda instance, _: instance.launched_at,
    "NewestInstance": lambda instance, _: -instance.launched_at,
    "OldestLaunchTemplate": lambda instance, _: instance.version,
    "OldestLaunchConfiguration": lambda *_: 0,
    "ClosestToNextInstanceHour": lambda instance, now: (instance.launched_at - now) % HOUR_MS,
    "AllocationStrategy": lambda *_: 0,
}
"""Termination policies, by what puts an instance first. No group here has launch configurations or several
purchase options, so two of them tell nobody apart, as at AWS in such a group."""


def choose(world: World, among: list[Instance], count: int, choices: Choices) -> list[Instance]:
    """``count`` instances; a choice only where instances can be told apart, here or by whoever asks."""
    left, chosen = list(among), []
    interval, each = ms(world.settings.check_interval_seconds), world.settings.termination == "each"
    for _ in range(min(count, len(left))):
        kinds = {
            (instance.key(world.now, interval), instance.id if each else ""): instance
            for instance in reversed(left)
        }
        chosen.append(choices.pick([kinds[key] for key in sorted(kinds)]))
        left.remove(chosen[-1])
    return chosen
