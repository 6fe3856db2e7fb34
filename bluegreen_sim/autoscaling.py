"""Auto Scaling groups: sizes, launches, replacement, termination; and the launch template's versions.

Rules are those of the EC2 Auto Scaling user guide ("Scaling limits", "Lifecycle", "Health checks",
"Termination policies"). What is asked wrongly is answered with ``Refused`` and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from attrs import evolve

from .balancer import application_changed, check, deregister, register, used
from .choices import Choices
from .faults import LaunchFails, NeverHealthy, SlowBoot
from .settings import Settings
from .watching import fails_at
from .world import NEVER, Group, Instance, Version, World, ms

RETRY_LIMIT_SECONDS = 300
NO_CAPACITY = "We currently do not have sufficient capacity in the Availability Zone you requested."


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


# ----------------------------------------------------------------------------------------- life of instances


def progress(world: World, group: Group, choices: Choices) -> World:
    """The world after all that is due now in one group, launches and terminations included."""
    if group.due > world.now:
        return world
    if any(instance.due <= world.now for instance in group.instances):
        group = group.replaced(instances=tuple(_survivors(world, group, choices)))
        world = world.with_group(react(world, group))
    return _converge(world, group, choices) if group.react_at <= world.now else world


def react(world: World, group: Group) -> Group:
    """The group, about to look at its size if that is not what it wants."""
    if group.react_at == NEVER and group.staying != group.desired:
        return group.replaced(react_at=world.now + ms(world.settings.react_seconds))
    return group


def _survivors(world: World, group: Group, choices: Choices) -> Iterator[Instance]:
    now = world.now
    for instance in group.instances:
        lives: Instance | None = instance
        # A check sees what was before this moment, so it comes first.
        while lives and lives.due <= now:
            if lives.target_at <= now:
                lives = _target_due(lives, world)
            elif lives.app_at <= now:
                lives = application_changed(lives, now, world.settings, answers=not lives.answers)
                lives = lives.replaced(app_at=fails_at(world, lives))
            else:
                lives = _life_due(lives, world, group, choices)
        if lives:
            yield lives


def _target_due(instance: Instance, world: World) -> Instance | None:
    if instance.target == "draining":
        gone = instance.life == "leaving"
        return None if gone else instance.replaced(target="", run_from=NEVER, target_at=NEVER)
    checked = check(instance, world.settings)
    if checked.target == "unhealthy" and world.settings.replace_unhealthy and checked.life == "running":
        return leave(checked, world.now, world.settings)
    return checked


def _life_due(instance: Instance, world: World, group: Group, choices: Choices) -> Instance | None:
    if instance.life != "pending":
        return None
    boot = _boot_ms(world, group, instance, choices)
    app_at = NEVER if boot is None else world.now + boot
    instance = instance.replaced(life="running", life_at=NEVER, app_at=app_at)
    if not group.attached:
        return instance
    return register(instance, world.now, world.settings, used=used(world, group))


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


def leave(instance: Instance, now: int, settings: Settings) -> Instance:
    """The instance on its way out: it drains first if it is registered, and cannot come back."""
    if instance.checked:
        return deregister(instance, now, settings).replaced(life="leaving", life_at=NEVER)
    if instance.target == "draining":
        return instance.replaced(life="leaving", life_at=NEVER)
    return instance.replaced(target="", life="leaving", life_at=now + ms(settings.stop_seconds))


def _converge(world: World, group: Group, choices: Choices) -> World:
    """The group launches what is missing, or ends what is too much."""
    missing = group.desired - group.staying
    if missing <= 0:
        group = group.replaced(react_at=NEVER, instances=_shrunk(world, group, -missing, choices))
        return world.with_group(group)
    for fault in world.faults:
        if isinstance(fault, LaunchFails) and fault.times and fault.group in (None, group.name):
            spent = tuple(evolve(f, times=f.times - 1) if f is fault else f for f in world.faults)
            return world.replaced(faults=spent).with_group(_not_launched(world, group, NO_CAPACITY))
    if why := _unlaunchable(world, group.version):
        return world.with_group(_not_launched(world, group, why))
    running_at = world.now + ms(world.settings.pending_seconds)
    serials = range(world.serial + 1, world.serial + 1 + missing)
    launched = tuple(
        Instance(f"i-{n:04d}", group.version, "pending", running_at, launched_at=world.now) for n in serials
    )
    group = group.replaced(
        instances=group.instances + launched, react_at=NEVER, failures=0, launch_error=None
    )
    return world.replaced(serial=serials[-1]).with_group(group)


def _unlaunchable(world: World, number: int) -> str | None:
    """Why nothing can be started from a template version: it or its image is gone, or not there yet."""
    version = world.version(number)
    if version is None:
        return f"The specified launch template version {number} does not exist."
    image = world.image(version.image)
    if image is None:
        return f"The image id '[{version.image}]' does not exist"
    return None if image.available_at <= world.now else f"The image ID '{image.id}' is not available"


def _not_launched(world: World, group: Group, why: str) -> Group:
    pause = min(world.settings.retry_seconds * 2 ** min(group.failures, 20), RETRY_LIMIT_SECONDS)
    return group.replaced(
        react_at=world.now + ms(pause),
        failures=group.failures + 1,
        launch_error=why,
        failed_at=world.now,
    )


def _shrunk(world: World, group: Group, surplus: int, choices: Choices) -> tuple[Instance, ...]:
    if not surplus:
        return group.instances
    staying = [instance for instance in group.instances if instance.life != "leaving"]
    if world.settings.termination != "oldest-version":
        victims = {victim.id for victim in choose(world, staying, surplus, choices)}
    else:
        staying.sort(key=lambda instance: instance.version)  # stable: of equal versions the oldest first
        victims = {victim.id for victim in staying[:surplus]}
    out = partial(leave, now=world.now, settings=world.settings)
    return tuple(out(instance) if instance.id in victims else instance for instance in group.instances)


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


# -------------------------------------------------------------------------------------------- what is asked


def existing(world: World, name: str) -> Group:
    """The group of that name.

    Raises:
        Refused: If there is none.
    """
    group = world.group(name)
    if group is None:
        raise Refused("absent", f"AutoScalingGroup name not found - {name}")
    return group


def _sized(low: int, size: int, high: int) -> None:
    if not 0 <= low <= size <= high:
        raise Refused("bug", f"sizes must satisfy 0 <= min <= desired <= max, not {low}, {size}, {high}")


def _known(world: World, version: int) -> None:
    if world.version(version) is None:
        raise Refused("absent", f"no version {version} of launch template {world.template}")


def set_bounds(world: World, name: str, low: int, high: int) -> World:
    """Set a group's bounds; its wanted size stays unless they move it (UpdateAutoScalingGroup)."""
    group = existing(world, name)
    return set_size(world, name, min(max(group.desired, low), high), low, high)


def set_size(world: World, name: str, size: int, low: int, high: int) -> World:
    """Set a group's wanted size and bounds in one call. The call is a wish: the group converges later."""
    group = existing(world, name)
    _sized(low, size, high)
    group = group.replaced(min=low, max=high, desired=size)
    return world.with_group(react(world, group))


def set_version(world: World, name: str, version: int) -> World:
    """Point a group at a template version; only later launches heed it."""
    group = existing(world, name)
    _known(world, version)
    return world.with_group(group.replaced(version=version))


def freeze(world: World, name: str, *, frozen: bool) -> World:
    """Suspend or resume a group's own scaling (processes AlarmNotification and ScheduledActions)."""
    return world.with_group(existing(world, name).replaced(frozen=frozen))


def create_group(world: World, group: Group, like: str | None) -> World:
    """Create a group, with the settings of another. The same again by the same token is no error."""
    old = world.group(group.name)
    if old is not None and old.token and old.token == group.token:
        return world
    # A weighted group is behind its own target group from the start; a shared one is attached later.
    made = add_group(world, group.replaced(attached=world.weighted))
    if like is not None:
        existing(world, like)
    if world.home(group.name) is None:
        raise Refused("absent", f"no target group is known for {group.name}")
    return made


def add_group(world: World, group: Group) -> World:
    """Create a group as it is given (CreateAutoScalingGroup): twice is an error."""
    if world.group(group.name) is not None:
        raise Refused("conflict", f"AutoScalingGroup by this name already exists - {group.name}")
    _sized(group.min, group.desired, group.max)
    _known(world, group.version)
    return world.replaced(groups=(*world.groups, react(world, group)))


def end_instance(world: World, group: Group, name: str, *, lower: int) -> World:
    """End one instance by name, the wanted size going down by ``lower`` (0 or 1)."""
    instances = tuple(
        leave(each, world.now, world.settings) if each.id == name and each.life != "leaving" else each
        for each in group.instances
    )
    ended = group.replaced(desired=group.desired - lower, instances=instances)
    return world.with_group(react(world, ended))


def delete_group(world: World, name: str, *, force: bool = False) -> World:
    """Delete an empty group (DeleteAutoScalingGroup); an absent one is gone already.

    With ``force`` whatever is in it goes at once, without draining: "does not wait for the instances to
    terminate".
    """
    group = world.group(name)
    if group is None:
        return world
    if (group.instances or group.desired) and not force:
        raise Refused("in-use", "You cannot delete an AutoScalingGroup while there are instances in it.")
    return world.replaced(groups=tuple(other for other in world.groups if other is not group))


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


def next_version(world: World) -> int:
    """The number of the next template version."""
    return max(version.number for version in world.versions) + 1


def add_version(world: World, version: Version) -> World:
    """Make a template version; its image is not looked at before something is launched from it."""
    return world.replaced(versions=(*world.versions, version))
