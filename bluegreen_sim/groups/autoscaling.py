"""Auto Scaling groups as they are asked for: sizes, versions, processes; and how time passes in them.

Rules are those of the EC2 Auto Scaling user guide ("Scaling limits", "Suspend and resume processes", "Delete
your Auto Scaling group"). What is asked wrongly is answered with ``Refused`` and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import evolve

from ..balancing import balancer
from ..choices import Choices
from ..faults import Busy, Denied, SlowToShow
from ..world import NEVER, Group, Instance, Resolved, Version, World, ms
from .launching import REASONS, converge, not_launched, react
from .lifecycle import lived, loosened, without
from .scaling import OWN_SCALING, PLAIN, Scaling
from .tending import tend, tended


class Refused(Exception):
    """The world says no.

    Args:
        kind: ``absent``, ``conflict``, ``in-use``, ``bug`` or ``throttled``.
        detail: Its own words.
    """

    def __init__(self, kind: str, detail: str) -> None:
        """Keep the class of error and the words."""
        super().__init__(detail)
        self.kind = kind


# ------------------------------------------------------------------------------------------------ time passes


def progress(world: World, group: Group, choices: Choices) -> World:
    """The world after all that is due now in one group, launches and terminations included."""
    if group.due > world.now:
        return world
    looks = group.react_at <= world.now
    if group.tend_at <= world.now or any(instance.due <= world.now for instance in group.instances):
        world, group = _after(world, group.replaced(tend_at=NEVER), list(lived(world, group, choices)))
        if group.deleting and not group.instances:
            return world.replaced(groups=tuple(other for other in world.groups if other.name != group.name))
    return converge(world, group, choices) if looks else world


def _after(world: World, group: Group, lives: list[tuple[Instance, Instance | None]]) -> tuple[World, Group]:
    """World and group after this became of its instances."""
    gone = {before.id for before, now in lives if now is None}
    if gone:
        out = [each for each, now in lives if now is None and each.life == "detaching" and not each.dead]
        world = world.replaced(loose=(*world.loose, *map(loosened, out))) if out else world
        group = without(group, gone, world.now)
    group = group.replaced(instances=tuple([now for _, now in lives if now is not None]))
    if group.scaling.hooks:
        group = _hooked(world, group, lives)
    return tidied(world, group)


def _hooked(world: World, group: Group, lives: list[tuple[Instance, Instance | None]]) -> Group:
    """Instances abandoned at a launch are failed launches; one that comes in service ends the row of them."""
    became = {now.life for before, now in lives if now is not None and before.life.startswith("pending")}
    if "running" in became:
        group = group.replaced(failures=0)
    return not_launched(world, group, REASONS["hooks"]) if "leaving" in became else group


def tidied(world: World, group: Group) -> tuple[World, Group]:
    """World and group after it has looked after its instances and at its size; one that goes does not."""
    if not group.deleting:
        if tended(world, group):
            group = tend(world, group)
        group = react(world, group)
    return world.with_group(group), group


# -------------------------------------------------------------------------------------------- what is asked


def visible(world: World) -> tuple[Group, ...]:
    """The groups that can be seen yet."""
    return tuple([group for group in world.groups if group.shown_at <= world.now])


def existing(world: World, name: str) -> Group:
    """The group of that name, as far as it can be seen yet.

    Raises:
        Refused: If there is none.
    """
    found = next((group for group in visible(world) if group.name == name), None)
    if found is None:
        raise Refused("absent", f"AutoScalingGroup name not found - {name}")
    return found


def permitted(world: World, action: str) -> None:
    """See that an action is allowed.

    Raises:
        Refused: If it is denied.
    """
    if any(isinstance(fault, Denied) and fault.action == action for fault in world.faults):
        raise Refused("identity", f"You are not authorized to perform this operation: {action}")


def changeable(world: World, name: str) -> Group:
    """The group of that name, which takes changes now.

    Raises:
        Refused: If there is none, it is being deleted, or something else goes on in it.
    """
    group = existing(world, name)
    if group.deleting:
        raise Refused("bug", f"AutoScalingGroup {name} is pending delete")
    if any(isinstance(fault, Busy) and fault.group == name for fault in world.faults):
        raise Refused("busy", f"Scaling activity is in progress and blocks this action: {name}")
    return group


def sized(low: int, size: int, high: int) -> None:
    """See that sizes can be those of a group ("Scaling limits").

    Raises:
        Refused: If they cannot.
    """
    if low > high:
        raise Refused("bug", f"Max bound, {high}, must be greater than or equal to min bound, {low}")
    if not 0 <= low <= size <= high:
        said = f"Desired capacity:{size} must be between the specified min size:{low} and max size:{high}"
        raise Refused("bug", said)


def _known(world: World, version: int | Resolved) -> None:
    if world.version(world.resolved(version)) is None:
        raise Refused("absent", f"no version {version} of launch template {world.template}")


def set_bounds(world: World, name: str, low: int, high: int) -> World:
    """Set a group's bounds; its wanted size stays unless they move it (UpdateAutoScalingGroup)."""
    group = existing(world, name)
    return set_size(world, name, min(max(group.desired, low), high), low, high)


def set_size(world: World, name: str, size: int, low: int, high: int) -> World:
    """Set a group's wanted size and bounds in one call. The call is a wish: the group converges later."""
    group = changeable(world, name)
    sized(low, size, high)
    return tidied(world, group.replaced(min=low, max=high, desired=size))[0]


def calmly(world: World, name: str, size: int) -> World:
    """Set a group's wanted size unless a cooldown lasts; another one begins (``HonorCooldown``)."""
    group = changeable(world, name)
    if group.quiet_until > world.now:
        raise Refused("busy", f"Scaling activity is in progress and blocks this action: {name} cools down")
    quiet_until = world.now + ms(group.scaling.cooldown_seconds)
    quiet = world.with_group(group.replaced(quiet_until=quiet_until))
    return set_size(quiet, name, size, group.min, group.max)


def set_version(world: World, name: str, version: int | Resolved) -> World:
    """Point a group at a template version; only later launches heed it."""
    group = changeable(world, name)
    _known(world, version)
    return world.with_group(group.replaced(version=version))


def freeze(world: World, name: str, *, frozen: bool) -> World:
    """Suspend or resume a group's own scaling (processes AlarmNotification and ScheduledActions)."""
    return suspend(world, name, OWN_SCALING, suspended=frozen)


def suspend(world: World, name: str, processes: Iterable[str], *, suspended: bool) -> World:
    """Suspend processes of a group, or resume them: what was left undone is then looked at anew."""
    group = existing(world, name)
    now = set(group.suspended) | set(processes) if suspended else set(group.suspended) - set(processes)
    return tidied(world, group.replaced(suspended=tuple(sorted(now))))[0]


def attach(world: World, group: Group, *, by_source: bool = False) -> World:
    """Put a group behind its target group, through one family of calls or the other.

    With health check type ELB it heeds the balancer's verdicts once one of its instances is healthy.
    """
    if group.attached:
        return world
    added_at = world.now + ms(world.settings.attach_seconds) if world.settings.attach_seconds else 0
    return balancer.attach(world, group.replaced(armed=False, added_at=added_at, by_source=by_source))


def detach(world: World, group: Group) -> World:
    """Take a group out from behind its target group; its instances drain, and run on."""
    return balancer.detach(world, group.replaced(armed=False))


def create_group(world: World, group: Group, like: str | None) -> World:
    """Create a group, with the settings of another. The same again by the same token is no error."""
    old = world.group(group.name)
    if old is not None and old.token and old.token == group.token:
        return world
    # A weighted group is behind its own target group from the start; a shared one is attached later.
    scaling = existing(world, like).scaling if like is not None else PLAIN
    made = add_group(world, group.replaced(attached=world.weighted, scaling=copied(scaling)))
    if world.home(group.name) is None:
        raise Refused("absent", f"no target group is known for {group.name}")
    return made


def copied(scaling: Scaling) -> Scaling:
    """What another group is made like: scaling policies are a group's own."""
    return evolve(scaling, policies=()) if scaling.policies else scaling


def add_group(world: World, group: Group) -> World:
    """Create a group as it is given (CreateAutoScalingGroup): twice is an error.

    One that is created behind its target group is armed from the start: nothing has to pass a check first.
    """
    old = world.group(group.name)
    if old is not None:
        pending = " and is pending delete" if old.deleting else ""
        raise Refused("conflict", f"AutoScalingGroup by this name already exists{pending} - {group.name}")
    sized(group.min, group.desired, group.max)
    _known(world, group.version)
    slow = max([ms(fault.seconds) for fault in world.faults if isinstance(fault, SlowToShow)], default=0)
    group = group.replaced(
        armed=group.attached and world.elb_checked(group), shown_at=world.now + slow if slow else 0
    )
    return world.replaced(groups=(*world.groups, react(world, group)))


def delete_group(world: World, name: str, *, force: bool = False) -> World:
    """Delete an empty group (DeleteAutoScalingGroup); an absent one is gone already.

    With ``force`` whatever is in it ends at once, without draining or hooks: "does not wait for the
    instances to terminate". The name stays taken until they have.
    """
    group = world.group(name)
    if group is None or group.deleting:
        return world
    protection = group.scaling.deletion
    if protection == "prevent-all-deletion" or (force and protection == "prevent-force-deletion"):
        raise Refused("in-use", f"{name} has deletion protection ({protection}): take it away first")
    if not force:
        if group.instances or group.desired:
            said = "You cannot delete an AutoScalingGroup while there are instances in it."
            raise Refused("in-use", said)
        changeable(world, name)
    if not (group.instances or world.settings.delete_seconds):
        return world.replaced(groups=tuple(other for other in world.groups if other is not group))
    over = world.now + ms(world.settings.stop_seconds)
    ended = tuple(
        each.replaced(life="leaving", life_at=over, target="", target_at=NEVER, left_at=world.now)
        for each in group.instances
    )
    tend_at = world.now + ms(world.settings.delete_seconds)
    going = group.replaced(
        min=0, desired=0, extra=0, deleting=True, instances=ended, react_at=NEVER, tend_at=tend_at
    )
    return world.with_group(going)


def prepare_version(world: World, template: str, source: int, image: str, token: str) -> World:
    """Make a template version from ``source`` with only the image changed; once for each token."""
    for version in world.versions:
        if version.token == token:
            if version.image != image:
                raise Refused("conflict", f"token {token} was used for {version.image} before")
            return world
    if template != world.template:
        raise Refused("absent", f"no launch template {template}")
    _known(world, source)
    found = world.image(image)
    if found is None or found.available_at > world.now:
        raise Refused("absent", f"no image {image}")
    return add_version(world, Version(next_version(world), source, image, token))


def console(instance: Instance) -> str:
    """What an instance wrote on its console: here nothing but how it is."""
    return f"{instance.life}, answers: {str(instance.answers).lower()}"


def next_version(world: World) -> int:
    """The number of the next template version."""
    return max(version.number for version in world.versions) + 1


def add_version(world: World, version: Version) -> World:
    """Make a template version; its image is not looked at before something is launched from it."""
    return world.replaced(versions=(*world.versions, version))
