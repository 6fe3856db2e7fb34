"""What other people do to groups and to what they are launched from, at a time of their own."""

from __future__ import annotations

from ..faults import EditVersion, Gone, MadeAnew, Refreshes, ScheduledAction
from ..world import Group, World
from .autoscaling import Refused, add_group, delete_group, set_size, set_version
from .launching import react
from .membership import start_refresh

SOMEBODY = "somebody-else"
"""Who makes a group anew."""


def edited(world: World, fault: EditVersion | ScheduledAction | Refreshes | MadeAnew | Gone) -> World:
    """The world after somebody's act; what cannot be done is not done."""
    if isinstance(fault, Gone):
        return _without(world, fault.what)
    group = world.group(fault.group)
    if group is None:
        return world
    try:
        return _of_group(world, group, fault)
    except Refused:
        return world


def _of_group(
    world: World, group: Group, fault: EditVersion | ScheduledAction | Refreshes | MadeAnew
) -> World:
    match fault:
        case EditVersion():
            return set_version(world, group.name, fault.version)
        case Refreshes():
            return start_refresh(world, group.name)
        case ScheduledAction():
            # A missed action does not run when the process is resumed.
            return world if "ScheduledActions" in group.suspended else _scheduled(world, group, fault)
    gone = delete_group(world, group.name, force=True)
    gone = gone.replaced(groups=tuple(other for other in gone.groups if other.name != group.name))
    anew = Group(
        name=group.name,
        min=group.min,
        max=group.max,
        desired=group.desired,
        version=group.version,
        attached=group.attached,
        scaling=group.scaling,
        token=SOMEBODY,
    )
    made = add_group(gone, anew)
    places = [made.groups[-1] if old is group else old for old in world.groups]
    return made.replaced(groups=tuple(places))


def _scheduled(world: World, group: Group, action: ScheduledAction) -> World:
    low = group.min if action.min is None else action.min
    high = group.max if action.max is None else action.max
    wanted = group.desired if action.desired is None else action.desired
    return set_size(world, group.name, min(max(wanted, low), high), low, high)


def _without(world: World, what: str | int) -> World:
    """The world without an image or a template version; the default version cannot be deleted."""
    default, *others = world.versions
    return world.replaced(
        images=tuple(image for image in world.images if image.id != what),
        versions=(default, *(version for version in others if version.number != what)),
    )


def resized(world: World, group: Group, desired: int) -> World:
    """The world after a scaling policy moved a group's wanted size, within its bounds."""
    within = min(max(desired, group.min), group.max)
    return world.with_group(react(world, group.replaced(desired=within)))
