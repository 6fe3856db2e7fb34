"""What instances do with their requests, read off a world and off what changed since the one before."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import evolve, frozen

from ..faults import Errors
from ..settings import Settings
from ..world import NEVER, Instance, World, ms
from .application import PLAIN, USUAL, Application, Manner
from .fine import Rules

Named = tuple[tuple[str, int], ...]
DEAD = Manner(dead=True)


def application(world: World, instance: Instance) -> Application:
    """What runs on an instance: what its image's application is like, with the errors that a fault adds."""
    version = world.version(instance.version)
    return application_of(world, version.image) if version else PLAIN


def application_of(world: World, image: str) -> Application:
    """What the application of an image is like."""
    found = dict(world.settings.applications).get(image, PLAIN)
    errors = [fault.percent for fault in world.faults if isinstance(fault, Errors) and fault.image == image]
    return evolve(found, wrong_percent=errors[-1]) if errors else found


def wrong_percents(world: World) -> dict[int, int]:
    """Percent of the answers of each template version that are wrong."""
    if not (world.settings.applications or world.faults):
        return {}
    return {version.number: application_of(world, version.image).wrong_percent for version in world.versions}


def fails_at(world: World, instance: Instance) -> int:
    """When the application of an instance that has just begun to answer stops to."""
    seconds = application(world, instance).fails_after_seconds if instance.answers else None
    return NEVER if seconds is None else world.now + ms(seconds)


def rules_of(settings: Settings, seed: int) -> Rules:
    """How the balancer divides requests."""
    return Rules(
        algorithm=settings.algorithm,
        cursor=settings.cursor,
        division=settings.division,
        slow_start_ms=ms(settings.slow_start_seconds),
        group_cookie_ms=ms(settings.group_stickiness_seconds),
        target_cookie_ms=ms(settings.stickiness_seconds),
        refreshed=settings.cookie_refreshed,
        idle_timeout_ms=ms(settings.idle_timeout_seconds),
        seed=seed,
    )


@frozen
class Seen:
    """What a timeline is told: see ``Timeline.behave``."""

    manners: tuple[tuple[str, Manner], ...]
    slow: Named
    cuts: Named


class Watch:
    """Looks at one world after the other, and remembers of the last one what matters."""

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self._last: dict[str, Instance] | None = None
        self._since: dict[str, int] = {}
        self._slow: dict[str, int] = {}
        self._told = Seen((), (), ())

    def look(self, world: World) -> Seen | None:
        """What instances do with their requests now, and whose are cut off; None: no news."""
        instances = [instance for group in world.groups for instance in group.instances]
        if not (world.settings.applications or world.settings.slow_start_seconds):
            return self._news(Seen(tuple([(each.id, DEAD) for each in instances if each.dead]), (), ()))
        now = {instance.id: instance for instance in instances}
        if self._last is not None:
            self._follow(world, now)
        cuts = tuple(self._cuts(world, now)) if world.settings.applications else ()
        manners = tuple(self._manners(world, now))
        self._last = now
        return self._news(Seen(manners, tuple(self._slow.items()), cuts))

    def _news(self, seen: Seen) -> Seen | None:
        if seen == self._told:
            return None
        self._told = evolve(seen, cuts=())
        return seen

    def _manners(self, world: World, now: dict[str, Instance]) -> Iterator[tuple[str, Manner]]:
        known: dict[int, Application] = {}
        for name, instance in now.items():
            if instance.version not in known:
                # Percents of wrong answers stand with the targets.
                known[instance.version] = evolve(application(world, instance), wrong_percent=0)
            app = known[instance.version]
            manner = Manner(app, self._since.get(name, 0) if app.leak_percent else 0, instance.dead)
            if manner != USUAL:
                yield name, manner

    def _cuts(self, world: World, now: dict[str, Instance]) -> Iterator[tuple[str, int]]:
        """Whose connections are cut: its delay is over, it has ended, or its application stopped."""
        for name, old in (self._last or {}).items():
            new = now.get(name)
            if new is old:
                continue
            if new is None or (old.target == "draining" and not new.target):
                yield name, 502
            elif old.answers and not new.answers:
                yield name, Manner(application(world, new), dead=new.dead).silence

    def _follow(self, world: World, now: dict[str, Instance]) -> None:
        """Note who began to answer, and who starts slowly."""
        last = self._last or {}
        for name, new in now.items():
            old = last.get(name)
            if new.answers and not (old and old.answers):
                self._since[name] = world.now
        if world.settings.slow_start_seconds:
            self._slow = _starting(world, last, now, self._slow)


def _starting(
    world: World, last: dict[str, Instance], now: dict[str, Instance], slow: dict[str, int]
) -> dict[str, int]:
    """Which targets start slowly, and since when.

    A target does from when it becomes healthy, if its target group has a healthy one that does not. It
    does no more when the time is over, or when it is not healthy (ALB user guide, "Slow start mode").
    """
    over = world.now - ms(world.settings.slow_start_seconds)
    found = {
        name: since for name, since in slow.items() if since > over and name in now and _healthy(now[name])
    }
    homes = {instance.id: world.home(group.name) for group in world.groups for instance in group.instances}
    whole = {
        homes[n]
        for n, old in last.items()
        if n in now and _healthy(old) and _healthy(now[n]) and n not in found
    }
    for name, new in now.items():
        if _healthy(new) and not (name in last and _healthy(last[name])) and homes[name] in whole:
            found[name] = world.now
    return found


def _healthy(instance: Instance) -> bool:
    return instance.target == "healthy"
