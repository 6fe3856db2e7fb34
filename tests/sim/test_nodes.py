"""Nodes of the balancer: views of their own, zones, minimums, DNS, and changes that reach them late."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluegreen.core.plan import Plan, WeightedTargetGroups
from bluegreen_sim import Propagation, Settings, SimCloud
from bluegreen_sim.balancer import change_targets, set_weights
from bluegreen_sim.checks import application_changed, proven
from bluegreen_sim.world import Group, Instance, World
from tests.sim.node_by_node import NEVER, STEP_MS, Box, Nodes

WEIGHTED = Plan(
    service="s",
    image="ami-new",
    launch_template="tpl",
    groups=("a", "b"),
    routing=WeightedTargetGroups("tg-a", "tg-b"),
)
RATE = 7

Act = tuple[int, str, int, int]
"""When (in steps), what, of which instance or with which weight, and another weight."""


def placed(settings: Settings, zones: dict[str, tuple[int, ...]], rate: int = RATE) -> SimCloud:
    """A cloud with these instances: of each group, the zones. Those of ``a`` are proven, of ``b`` new."""
    cloud = SimCloud(WEIGHTED, capacity=1, settings=settings, traffic=rate)
    groups, serial = [], 0
    for group in cloud.world.groups:
        instances = []
        for zone in zones[group.name]:
            serial += 1
            fresh = Instance(f"i-{serial:04d}", 1, "running", answers=True, answered=True, zone=zone)
            instances.append(proven(fresh, settings) if group.name == "a" else fresh)
        size = len(instances)
        groups.append(group.replaced(min=0, max=9, desired=size, instances=tuple(instances)))
    rule = (("tg-a", 100), ("tg-b", 0))
    return SimCloud(
        WEIGHTED, world=cloud.world.replaced(groups=tuple(groups), rule=rule, serial=serial), traffic=rate
    )


def changed(cloud: SimCloud, change: Callable[[World], World]) -> None:
    """Let something be done to the world now."""
    cloud.world = change(cloud.world)
    cloud._record(cloud.world)


def home(world: World, name: str) -> Group:
    return next(group for group in world.groups if any(each.id == name for each in group.instances))


def register(world: World, name: str, *, registered: bool = True) -> World:
    return change_targets(world, home(world, name), {name}, registered=registered)


def flip(world: World, name: str) -> World:
    group = home(world, name)
    instances = tuple(
        application_changed(each, world.now, world.settings, answers=not each.answers)
        if each.id == name
        else each
        for each in group.instances
    )
    return world.with_group(group.replaced(instances=instances))


def acted(cloud: SimCloud, nodes: Nodes, act: Act) -> None:
    """The same on both."""
    _, what, first, second = act
    name = sorted(nodes.boxes)[first % len(nodes.boxes)]
    box = nodes.boxes[name]
    if what == "flip":
        changed(cloud, lambda world: flip(world, name))
        box.answers = not box.answers
    elif what == "weigh":
        changed(cloud, lambda world: set_weights(world, (("tg-a", first), ("tg-b", second))))
        nodes.weigh({"tg-a": first, "tg-b": second})
    else:
        changed(cloud, lambda world: register(world, name, registered=what == "register"))
        (nodes.register if what == "register" else nodes.deregister)(box)


HALVES = st.integers(0, 12).map(lambda steps: steps / 2)
PER_NODE = st.lists(HALVES, min_size=1, max_size=3).map(tuple)


def _settings(more: int, zones: int, **fields: object) -> Settings:
    return Settings(zones=zones, nodes=zones + more, **fields)  # type: ignore[arg-type]


SETTINGS = st.builds(
    _settings,
    st.integers(0, 1),
    st.integers(1, 3),
    first_check_seconds=st.integers(1, 12).map(lambda steps: steps / 2),
    check_interval_seconds=st.sampled_from((5, 7.5)),
    check_phases_seconds=PER_NODE,
    healthy_threshold=st.integers(2, 3),
    unhealthy_threshold=st.integers(2, 3),
    deregistration_seconds=HALVES,
    cross_zone=st.booleans(),
    minimum_healthy_count=st.integers(1, 2),
    minimum_healthy_percent=st.sampled_from((0, 60)),
    dns_minimum_count=st.integers(1, 2),
    dns_minimum_percent=st.sampled_from((0, 60)),
    dns_failover=st.sampled_from(("any", "all")),
    dns_seconds=HALVES,
    propagation=st.just(Propagation())
    | st.builds(
        Propagation, register_seconds=PER_NODE, deregister_seconds=PER_NODE, weights_seconds=PER_NODE
    ),
    cursor=st.sampled_from(("kept", "next", "reset")),
)
ACTS = st.lists(
    st.tuples(
        st.integers(0, 100),
        st.sampled_from(("flip", "register", "deregister", "weigh")),
        st.integers(0, 5),
        st.integers(0, 5),
    ),
    max_size=12,
).map(sorted)
ZONES = st.lists(st.integers(0, 2), min_size=1, max_size=3)


@pytest.mark.property
@given(settings=SETTINGS, acts=ACTS, of_a=ZONES, of_b=ZONES)
def test_the_arithmetic_is_that_of_each_check_and_each_request(
    settings: Settings, acts: list[Act], of_a: list[int], of_b: list[int]
) -> None:
    """Whatever nodes, zones, minimums and delays: equal verdicts at each moment, equal requests a target."""
    zones = {name: tuple(z % settings.zones for z in of) for name, of in (("a", of_a), ("b", of_b))}
    cloud = placed(settings, zones)
    boxes = {
        each.id: Box(f"tg-{group.name}", each.zone)
        for group in cloud.world.groups
        for each in group.instances
    }
    nodes = Nodes(settings, boxes, {"tg-a": 100, "tg-b": 0}, RATE)
    for box in boxes.values():
        if box.target_group == "tg-a":
            nodes.start(box)
    nodes.name_nodes(-NEVER)
    for step in range(120):
        nodes.checks()
        for act in acts:
            if act[0] == step:
                acted(cloud, nodes, act)
        shown = {each.id: each.target for group in cloud.world.groups for each in group.instances}
        assert shown == {name: box.shown(nodes.now) for name, box in boxes.items()}, step
        nodes.pass_a_step()
        cloud.clock.sleep(STEP_MS / 1000)
    assert cloud.timeline.per_target() == dict(sorted(nodes.sent.items()))
    assert cloud.timeline.failed_requests == nodes.failed
