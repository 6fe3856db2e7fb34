"""A world that can carry a plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from attrs import evolve

from bluegreen.core.gates import Alarm
from bluegreen.core.plan import Plan, WeightedTargetGroups

from .balancing.checks import proven
from .faults import Budget
from .groups.scaling import NEW, PLAIN, Scaling, Standing
from .settings import Settings
from .users.application import Application
from .users.watching import fails_at
from .world import NEVER, Group, Image, Instance, Version, World

ALL = 100


def found(
    plan: Plan,
    *,
    capacity: int,
    live: int | None,
    live_image: str,
    settings: Settings,
    budget: Budget,
    groups: Mapping[str, Scaling] | None = None,
) -> World:
    """A world in which the plan's live group serves in peace.

    Args:
        plan: Whose groups, target groups, template, image and alarms are there.
        capacity: Instances of the live group, all healthy.
        live: Index of the live group in the plan; None when nothing is live.
        live_image: Image of the template's first version, which the live group runs.
        settings: How the world behaves.
        budget: What may go wrong.
        groups: What groups are told besides their sizes, by name.

    Raises:
        ValueError: If targets are sticky and their weighted target groups are not, which AWS refuses.
    """
    if settings.stickiness_seconds and not (plan.shared or settings.group_stickiness_seconds):
        raise ValueError(
            f"stickiness_seconds = {settings.stickiness_seconds!r}: with weighted target groups give "
            "group_stickiness_seconds too"
        )
    told = groups or {}
    made = [_group(plan, i, capacity, is_live=i == live) for i in range(2)]
    if plan.fleets == "replace":
        made = [group for i, group in enumerate(made) if i == live]
    made = [_told(group, told.get(group.name, PLAIN), settings) for group in made]
    return World(
        settings=settings,
        groups=tuple(made),
        homes=homes(plan),
        rule=_rule(plan, live),
        test_rule=_rule(plan, live) if plan.test_rules else (),
        template=plan.launch_template,
        versions=(first := Version(1, 0, live_image), *new_versions(plan, (first,))),
        images=tuple(Image(name, name) for name in dict.fromkeys((live_image, *new_images(plan, (first,))))),
        alarms=_alarms(plan),
        serial=0 if live is None else capacity,
        budget=budget,
    )


def _alarms(plan: Plan) -> tuple[tuple[str, str], ...]:
    return tuple((gate.name, "ok") for gate in plan.gates if isinstance(gate, Alarm))


def _told(group: Group, scaling: Scaling, settings: Settings) -> Group:
    """The group with this told: its instances are spread over its zones, and were there for long."""
    zones = scaling.zones or range(settings.zones)
    instances = tuple(
        proven(
            each.replaced(
                zone=zones[n % len(zones)],
                standing=Standing(protected=True) if scaling.protects_new else NEW,
            ),
            settings,
        )
        for n, each in enumerate(group.instances)
    )
    # Only what was created, or has been healthy, behind its target group heeds the balancer.
    elb = scaling.checks == "ELB" or (scaling.checks is None and settings.replace_unhealthy)
    return group.replaced(instances=instances, scaling=scaling, armed=group.attached and elb)


def carried_on(world: World, plan: Plan, budget: Budget | None, *, add_image: bool) -> World:
    """A world that goes on: with another budget, with what the plan names and, where asked for, deploys.

    Raises:
        ValueError: If the plan has other target groups for groups that are there.
    """
    if changed := list(moved(world, plan)):
        raise ValueError(f"{'; '.join(changed)}: change the plan, or begin a world of its own")
    changes: dict[str, object] = {}
    if budget is not None:
        changes["budget"] = budget
    if new := tuple(pair for pair in homes(plan) if pair not in world.homes):
        changes["homes"] = (*world.homes, *new)
    if fresh := tuple(alarm for alarm in _alarms(plan) if alarm[0] not in dict(world.alarms)):
        changes["alarms"] = (*world.alarms, *fresh)
    if plan.test_rules and not world.test_rule:
        changes["test_rule"] = world.rule
    if add_image:
        images = [name for name in new_images(plan, world.versions) if world.image(name) is None]
        changes["images"] = (*world.images, *(Image(name, name) for name in images))
        changes["versions"] = (*world.versions, *new_versions(plan, world.versions))
    return world.replaced(**changes) if changes else world


def moved(world: World, plan: Plan) -> Iterator[str]:
    """Which groups of a plan stand behind other target groups in a world."""
    for group, home in homes(plan):
        if (there := world.home(group)) not in (None, home):
            yield f"target_group = {home!r}: {group} is behind {there}"


def new_versions(plan: Plan, there: tuple[Version, ...]) -> tuple[Version, ...]:
    """The version that a plan names, made by somebody else, unless it is there."""
    if plan.number is None or any(version.number == plan.number for version in there):
        return ()
    return (Version(plan.number, 0, f"ami-0version{plan.number}"),)


def new_images(plan: Plan, there: tuple[Version, ...]) -> tuple[str, ...]:
    """What a plan's new instances are started from."""
    return (plan.image,) if plan.image else tuple(version.image for version in new_versions(plan, there))


def homes(plan: Plan) -> tuple[tuple[str, str], ...]:
    """(group, target group) of both groups of a plan."""
    return tuple(zip(plan.groups, target_groups(plan), strict=True))


def target_groups(plan: Plan) -> tuple[str, str]:
    """The target group of each group of a plan."""
    if isinstance(plan.routing, WeightedTargetGroups):
        return plan.routing.target_groups
    return (plan.routing.target_group, plan.routing.target_group)


def _rule(plan: Plan, live: int | None) -> tuple[tuple[str, int], ...]:
    if plan.shared:
        return ((target_groups(plan)[0], ALL),)
    # Weights cannot all be 0. Before a first release they lead to the second group, which stays empty.
    serving = 1 if live is None else live
    return tuple((name, ALL if i == serving else 0) for i, name in enumerate(target_groups(plan)))


def _group(plan: Plan, index: int, capacity: int, *, is_live: bool) -> Group:
    name, high = plan.groups[index], 2 * max(1, capacity)
    if not is_live:
        return Group(name=name, max=high, attached=not plan.shared)
    instances = tuple(
        Instance(f"i-{n:04d}", 1, "running", answers=True, answered=True) for n in range(1, capacity + 1)
    )
    return Group(
        name=name, min=capacity, max=high, desired=capacity, version=1, attached=True, instances=instances
    )


def named(plan: Plan, live: int | None, told: Mapping[str, Scaling]) -> dict[str, Scaling]:
    """What groups are told, by name; ``blue`` is the live one, or the second when none is."""
    blue = plan.groups[1 if live is None else live]
    green = next(name for name in plan.groups if name != blue)
    return {{"blue": blue, "green": green}.get(name, name): scaling for name, scaling in told.items()}


def colours_of(plan: Plan, world: World) -> tuple[str, str]:
    """Blue, the group that users are sent to, and green. With none: the second group, and the first."""
    weights = dict(world.rule)
    for name in plan.groups:
        group = world.group(name)
        if group and group.desired and group.attached and weights.get(world.home(name) or ""):
            return name, next(other for other in plan.groups if other != name)
    return plan.groups[1], plan.groups[0]


def with_applications(world: World, applications: Mapping[str, Application]) -> World:
    """The world in which images run these applications, besides those that it knows of.

    What answers already, and stops after a time, has that time ahead of it.
    """
    if applications:
        known = dict(world.settings.applications) | dict(applications)
        world = world.replaced(settings=evolve(world.settings, applications=known))
    if all(app.fails_after_seconds is None for _, app in world.settings.applications):
        return world
    groups = (
        group.replaced(instances=tuple(_ageing(world, each) for each in group.instances))
        for group in world.groups
    )
    return world.replaced(groups=tuple(groups))


def _ageing(world: World, instance: Instance) -> Instance:
    if not instance.answers or instance.app_at != NEVER:
        return instance
    return instance.replaced(app_at=fails_at(world, instance))
