"""One representative of all worlds whose futures are the same: its clock at 0, its instances named by rank.

What the future depends on is kept, and nothing else: times are relative, instances that nobody can tell apart
are interchangeable, and of the past there is only what can still be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby

from attrs import evolve

from ..groups.scaling import NEW
from ..world import NEVER, Group, Image, Instance, World, ms

Names = Mapping[str, str]
"""New name of each instance that is there, by its old one."""


def canonical(world: World) -> tuple[World, Names]:
    """The representative of a world, and how its instances are called there.

    Budget and history are not part of it. With ``termination = "oldest-version"`` the order of launch would
    matter, and is lost: use it with ``"any"`` or ``"each"``.
    """
    now, interval = world.now, ms(world.settings.check_interval_seconds)
    groups: list[Group] = []
    names: dict[str, str] = {}
    for group in world.groups:
        ranked = sorted(group.instances, key=lambda instance: instance.key(now, interval))
        for instance in ranked:
            names[instance.id] = f"i-{len(names) + 1:04d}"
        instances = tuple([_rebased(instance, names[instance.id], now, interval) for instance in ranked])
        groups.append(
            group.replaced(
                instances=instances,
                react_at=_before(group.react_at, now),
                tend_at=_before(group.tend_at, now),
                added_at=max(0, group.added_at - now),
                quiet_until=max(0, group.quiet_until - now),
                shown_at=max(0, group.shown_at - now),
                log=(),
            )
        )
    found = world.replaced(
        now=0,
        groups=tuple(groups),
        images=tuple([_image(image, now) for image in world.images]),
        builds=tuple([evolve(build, state_at=_before(build.state_at, now)) for build in world.builds]),
        schedule=tuple([(at - now, fault) for at, fault in world.schedule]),
        turned=(),
        serial=len(names),
        history=(),
    )
    return found, names


def ties(world: World) -> tuple[tuple[str, ...], ...]:
    """Names of instances of a canonical world that it cannot tell apart, where there are several."""
    interval = ms(world.settings.check_interval_seconds)
    return tuple(
        names
        for group in world.groups
        for _, equal in groupby(group.instances, key=lambda instance: instance.key(0, interval))
        if len(names := tuple([instance.id for instance in equal])) > 1
    )


def _image(image: Image, now: int) -> Image:
    return evolve(image, available_at=max(0, image.available_at - now)) if image.available_at else image


def _before(at: int, now: int) -> int:
    return at if at == NEVER else at - now


def _rebased(instance: Instance, name: str, now: int, interval: int) -> Instance:
    run_from = _before(instance.run_from, now)
    if not instance.checked or instance.views:
        run_from = NEVER
    elif instance.settled:
        run_from = run_from % interval - interval
    return instance.replaced(
        id=name,
        launched_at=0,
        left_at=0,
        standing=instance.standing if instance.standing == NEW else instance.standing.rebased(now),
        life_at=_before(instance.life_at, now),
        app_at=_before(instance.app_at, now),
        target_at=_before(instance.target_at, now),
        run_from=run_from,
        views=tuple([view.rebased(now, interval) for view in instance.views]),
    )
