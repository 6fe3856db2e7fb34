"""The state of the simulated world, as one immutable value.

Times are whole milliseconds of world time; ``NEVER`` is later than any. Every value knows the moment of
its own next change, so that nothing has to be looked at before it is due, and no queue of events has to be
kept beside the state.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import cached_property
from operator import attrgetter
from typing import Any, Literal, Self, TypeVar

from attrs import Factory, frozen

from .balancing.view import TargetState, View
from .cloudwatch.alarms import CompositeAlarm, MetricAlarm, Verdict
from .faults import Budget, Lasting, StaleLook, Timed
from .groups.built import BuildInstance
from .groups.scaling import NEW, PLAIN, Activity, Scaling, Standing
from .settings import Settings

NEVER = 1 << 62
_new = object.__new__
_DUE = attrgetter("due")
T = TypeVar("T")


def ms(seconds: float) -> int:
    """Seconds as whole milliseconds."""
    return round(seconds * 1000)


class Copied:
    """A frozen value that is copied by its dict, at a quarter of the cost of ``attrs.evolve``."""

    def replaced(self, **changes: Any) -> Self:
        """The same with some parts replaced."""
        copy = _new(type(self))
        copy.__dict__.update(self.__dict__, **changes)
        copy.__dict__.pop("due", None)  # what was computed of the parts
        return copy


Resolved = Literal["$Latest", "$Default"]
"""What a group may be pointed at instead of a number."""
Life = Literal[
    "pending", "pending:wait", "running", "entering", "standby", "detaching", "leaving", "leaving:wait"
]
COUNTED = frozenset({"pending", "pending:wait", "running"})
"""Lives in which an instance is one of those that the group wants."""
_SETTLED = {0: "unhealthy", 1: "healthy"}


@frozen(slots=False)
class Instance(Copied):
    """One instance of a group.

    Args:
        id: Its id; ids rise in the order of launch.
        version: The template version it was launched from.
        life: Where it stands in its group.
        life_at: When that changes: it runs; it is found to have failed; it is gone.
        answers: Whether its application answers now.
        answered: Whether it ever did.
        app_at: When it starts to answer, or does again.
        dead: Whether the whole instance has failed.
        target: What the balancer says of it; ``""`` when it is not registered, ``unused`` when no rule leads
            to its target group.
        seen: Result of the last health check: 1 passed, 0 failed, -1 for none yet.
        run_from: The first of the checks in a row that had this result; before any, the first check.
        target_at: The next check that can change anything; with ``draining``: when that is over.
        zone: Number of its availability zone.
        standing: How it stands with its group.
        launched_at: When it was launched; only the order matters, so it is not part of the key.
        left_at: When it began to leave; nothing depends on it.
        views: What each node of the balancer knows of it, where they need not know the same; ``target`` is
            then what the balancer makes of it, and ``seen`` says no more than whether it was checked.
        why: Why a check of an application that answers fails: the status code, ``timeout`` or ``internal``.
        ended: Whether somebody ended it behind the group's back.
    """

    id: str
    version: int
    life: Life = "pending"
    life_at: int = NEVER
    answers: bool = False
    answered: bool = False
    app_at: int = NEVER
    dead: bool = False
    target: TargetState = ""
    seen: int = -1
    run_from: int = NEVER
    target_at: int = NEVER
    zone: int = 0
    standing: Standing = NEW
    launched_at: int = 0
    left_at: int = 0
    views: tuple[View, ...] = ()
    why: str = ""
    ended: bool = False

    @cached_property
    def due(self) -> int:
        """When any of it changes next."""
        return min(self.life_at, self.app_at, self.target_at)

    @property
    def staying(self) -> bool:
        """Whether it is one of those that the group wants: neither on its way out nor in standby."""
        return self.life in COUNTED

    @property
    def checked(self) -> bool:
        """Whether the balancer checks it now."""
        return self.target not in ("", "unused", "draining")

    @property
    def settled(self) -> bool:
        """Whether the last check said what the verdict says: then it does not matter how often it did."""
        return self.target == _SETTLED.get(self.seen)

    def key(self, now: int, interval: int) -> tuple[Hashable, ...]:
        """What the future depends on, with times relative to ``now``; the id is not part of it."""
        run = (self.run_from - now) % interval if self.settled else self.run_from - now
        return (
            self.version,
            self.life,
            self.life_at - now if self.life_at != NEVER else NEVER,
            self.answers,
            self.answered,
            self.app_at - now if self.app_at != NEVER else NEVER,
            self.dead,
            self.target,
            self.seen,
            run if self.checked and not self.views else 0,
            self.target_at - now if self.target_at != NEVER else NEVER,
            (self.zone, self.why, self.ended),
            () if self.standing is NEW or self.standing == NEW else self.standing.key(now),
            tuple([view.key(now, interval) for view in self.views]) if self.views else (),
        )


@frozen(kw_only=True, slots=False)
class Group(Copied):
    """One Auto Scaling group.

    Args:
        name: Its name.
        min: Its smallest size.
        max: Its largest size.
        desired: The size it wants.
        version: The template version of its next launch; ``$Latest`` and ``$Default`` are resolved then.
        attached: Whether its instances are registered with its target group.
        suspended: Its suspended processes, in alphabetical order.
        token: Who created it.
        instances: Every instance that still exists, in the order of launch.
        react_at: When it will look at its size.
        failures: Launches that failed in a row.
        launch_error: Why the last launch failed.
        scaling: What it was told besides.
        tend_at: When it will look after its instances; a group without cares never does.
        extra: Instances that it wants for a while beyond its size, until they have replaced others.
        armed: Whether its attachment is ``InService``, so that the balancer's verdicts count.
        added_at: When all of its instances are registered, after an attach.
        by_source: Whether it was attached as a traffic source.
        quiet_until: End of the cooldown that the last change of its size began.
        deleting: Whether it is being deleted, with what is still in it.
        shown_at: From when on looks and calls can see it.
        log: What it did and is over, the latest last; nothing depends on it, so it is not part of the key.
    """

    name: str
    min: int = 0
    max: int = 0
    desired: int = 0
    version: int | Resolved = 1
    attached: bool = False
    suspended: tuple[str, ...] = ()
    token: str = ""
    instances: tuple[Instance, ...] = ()
    react_at: int = NEVER
    failures: int = 0
    launch_error: str | None = None
    scaling: Scaling = PLAIN
    tend_at: int = NEVER
    extra: int = 0
    armed: bool = False
    added_at: int = 0
    by_source: bool = False
    quiet_until: int = 0
    deleting: bool = False
    shown_at: int = 0
    log: tuple[Activity, ...] = ()

    @cached_property
    def due(self) -> int:
        """When anything of it changes next."""
        first: int = min([self.react_at, self.tend_at, *map(_DUE, self.instances)])
        return first

    @property
    def staying(self) -> int:
        """Instances that count for its size: neither on their way out nor in standby."""
        return sum([instance.life in COUNTED for instance in self.instances])

    @property
    def frozen(self) -> bool:
        """Whether its own scaling is suspended."""
        return "AlarmNotification" in self.suspended and "ScheduledActions" in self.suspended

    def cares(self, now: int) -> tuple[Hashable, ...]:
        """What the future depends on besides sizes and instances; nothing where nothing was told."""
        flags = (self.armed, self.by_source, self.deleting, self.extra)
        latest = max(self.added_at, self.quiet_until, self.shown_at)
        plain = self.scaling is PLAIN or self.scaling == PLAIN
        if plain and self.tend_at == NEVER and latest <= now and not any(flags):
            return ()
        times = [max(0, at - now) for at in (self.added_at, self.quiet_until, self.shown_at)]
        tend_in = self.tend_at - now if self.tend_at != NEVER else NEVER
        return (self.scaling, *flags, *times, tend_in)


@frozen
class Version:
    """One version of the launch template, made from ``source`` with only the image changed."""

    number: int
    source: int
    image: str
    token: str = ""


@frozen
class Image:
    """A machine image; its label is what an application started from it says of itself."""

    id: str
    label: str
    token: str = ""
    available_at: int = 0


@frozen(kw_only=True, slots=False)
class World(Copied):
    """Everything that the future depends on, apart from the choices.

    Args:
        now: World time in milliseconds.
        settings: How the world behaves.
        groups: The groups that exist.
        homes: (group, target group): where a group's instances are registered, also before it exists.
        rule: (target group, weight): the balancer's rule; a single entry gets everything.
        test_rule: The same of the rule by which test requests come; empty without one.
        template: Name of the launch template.
        versions: Its versions; the first is the default one.
        images: The images.
        alarms: (name, ``ok`` | ``alarm`` | ``no-data``).
        reds: (alarm, how often it went red), of those that did.
        turned: (alarm, when it changed last, when it went red last), in milliseconds, -1 for never; who looks
            reads ``reds``, so it is not part of the key.
        evaluated: Those of them that are evaluated from metrics, and how. What users met stands beside the
            world, so its key says nothing of it.
        verdicts: What the last evaluation said; nothing depends on it.
        builds: Instances on which images are built.
        loose: Instances that were detached from a group and run on.
        serial: Instances started so far.
        schedule: (time, fault), in order of time.
        faults: What lasts, and what waits for a call or look, counted from now on: 1 is the next.
        budget: What may still happen.
        history: The world at earlier looks, the latest last, as far as a stale look may want it.
        notes: (about what, JSON text): what an account keeps of its things, such as tags, and what nothing
            that happens here depends on; so it is not part of the key.
    """

    now: int = 0
    settings: Settings = Factory(Settings)
    groups: tuple[Group, ...] = ()
    homes: tuple[tuple[str, str], ...] = ()
    rule: tuple[tuple[str, int], ...] = ()
    test_rule: tuple[tuple[str, int], ...] = ()
    template: str = ""
    versions: tuple[Version, ...] = ()
    images: tuple[Image, ...] = ()
    alarms: tuple[tuple[str, str], ...] = ()
    reds: tuple[tuple[str, int], ...] = ()
    turned: tuple[tuple[str, int, int], ...] = ()
    evaluated: tuple[MetricAlarm | CompositeAlarm, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    builds: tuple[BuildInstance, ...] = ()
    loose: tuple[Instance, ...] = ()
    serial: int = 0
    schedule: tuple[tuple[int, Timed], ...] = ()
    faults: tuple[Lasting, ...] = ()
    budget: Budget = Factory(Budget)
    history: tuple[World, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()

    @cached_property
    def due(self) -> int:
        """When anything changes next."""
        first = self.schedule[0][0] if self.schedule else NEVER
        for group in self.groups:
            first = min(first, group.due)
        for build in self.builds:
            first = min(first, build.state_at)
        return first

    @property
    def weighted(self) -> bool:
        """Whether each group has a target group of its own."""
        return len({target_group for _, target_group in self.homes}) > 1

    def group(self, name: str) -> Group | None:
        """The group of that name; None when there is none."""
        return _find(self.groups, "name", name)

    def home(self, name: str) -> str | None:
        """The target group of the group of that name."""
        return next((target_group for group, target_group in self.homes if group == name), None)

    def version(self, number: int) -> Version | None:
        """The template version of that number; None when there is none."""
        return _find(self.versions, "number", number)

    def image(self, name: str) -> Image | None:
        """The image of that id; None when there is none."""
        return _find(self.images, "id", name)

    def resolved(self, version: int | Resolved) -> int:
        """The number of the template version that a launch would use now."""
        if isinstance(version, int):
            return version
        return self.versions[-1 if version == "$Latest" else 0].number

    def elb_checked(self, group: Group) -> bool:
        """Whether the balancer's verdicts count for a group (health check type ELB)."""
        checks = group.scaling.checks
        return self.settings.replace_unhealthy if checks is None else checks == "ELB"

    def with_group(self, group: Group) -> World:
        """The world with a group of this name replaced by this one."""
        groups = tuple([group if old.name == group.name else old for old in self.groups])
        return self.replaced(groups=groups)

    def key(
        self, label: Callable[[str], Hashable] | None = None, *, horizon_seconds: float = 86_400
    ) -> tuple[Hashable, ...]:
        """Equal for worlds whose futures are the same: no ids, no counters, no absolute times.

        Exact unless ``termination`` is ``"oldest-version"``: then the order of launch matters too, and is
        not in it.

        Args:
            label: What the caller knows of an instance besides, by id; it must be orderable.
            horizon_seconds: Later than this is as good as never.
        """
        now, far = self.now, ms(horizon_seconds)
        interval = ms(self.settings.check_interval_seconds)
        groups = []
        for group in self.groups:
            classes = [instance.key(now, interval) for instance in group.instances]
            if label is not None:
                classes = [
                    (*known, label(instance.id))
                    for known, instance in zip(classes, group.instances, strict=True)
                ]
            classes.sort()
            groups.append(
                (
                    *(group.name, group.min, group.max, group.desired, group.version),
                    *(group.attached, group.suspended, group.failures, group.launch_error),
                    *(min(group.react_at - now, far), group.cares(now)),
                    tuple(classes),
                )
            )
        return (
            *(tuple(groups), self.rule, self.test_rule, self.versions),
            *(self.alarms, self.reds, self.faults, self.budget),
            tuple([(i.id, i.available_at <= now or i.available_at - now) for i in self.images]),
            tuple([(at - now, fault) for at, fault in self.schedule]),
            tuple([(build.state, min(build.state_at - now, far), build.runs) for build in self.builds]),
            tuple(sorted(instance.key(now, interval) for instance in self.loose)),
            tuple([past.key(label, horizon_seconds=horizon_seconds) for past in self.history]),
        )


def _find(values: tuple[T, ...], name: str, wanted: object) -> T | None:
    for value in values:
        if getattr(value, name) == wanted:
            return value
    return None


def history_wanted(world: World) -> int:
    """How many earlier looks a stale look may still want to see."""
    ages = [fault.age for fault in world.faults if isinstance(fault, StaleLook)]
    return max([*ages, int(world.budget.stale > 0)])
