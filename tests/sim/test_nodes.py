"""Nodes of the balancer: views of their own, zones, minimums, DNS, and changes that reach them late."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bluegreen
from bluegreen.core.commands import SetShares, SetSize
from bluegreen.core.plan import Plan, WeightedTargetGroups
from bluegreen_sim import During, Propagation, Settings, SimCloud, ZoneDown
from bluegreen_sim.balancing.balancer import change_targets, down, set_weights
from bluegreen_sim.balancing.checks import application_changed, proven
from bluegreen_sim.engine import strike
from bluegreen_sim.groups.membership import detach_instances
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
        groups.append(
            group.replaced(min=0, max=9, desired=size, suspended=("AZRebalance",), instances=tuple(instances))
        )
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


def _settings(more: int, zones: int, counts: tuple[int, int], **fields: object) -> Settings:
    fields |= {"minimum_healthy_count": counts[0], "dns_minimum_count": counts[1]}
    return Settings(zones=zones, nodes=zones + more, **fields)  # type: ignore[arg-type]


SETTINGS = st.builds(
    _settings,
    st.integers(0, 1),
    st.integers(1, 3),
    st.sampled_from(((1, 1), (1, 2), (2, 2), (2, 0))),
    first_check_seconds=st.integers(1, 12).map(lambda steps: steps / 2),
    check_interval_seconds=st.sampled_from((5, 7.5)),
    check_phases_seconds=PER_NODE,
    healthy_threshold=st.integers(2, 3),
    unhealthy_threshold=st.integers(2, 3),
    deregistration_seconds=HALVES,
    cross_zone=st.booleans(),
    minimum_healthy_percent=st.sampled_from((0, 60)),
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


# ------------------------------------------------------------------------------------------ nodes and zones


def test_each_enabled_zone_has_a_node() -> None:
    """One node a zone unless more are asked for, none in a zone that the balancer is not enabled in."""
    settings = Settings(zones=3, disabled_zones=(1,))
    assert settings.zone_of_node == (0, 2)
    assert Settings(zones=2, nodes=3).zone_of_node == (0, 1, 0)
    with pytest.raises(ValueError, match=r"disabled_zones = \(0,\): give some of 0 to 0, not all"):
        Settings(disabled_zones=(0,))


def test_with_cross_zone_all_targets_share_alike() -> None:
    """Two targets in one zone and eight in the other: each gets a tenth."""
    cloud = placed(Settings(zones=2), {"a": (0,) * 2 + (1,) * 8, "b": ()}, rate=100)
    cloud.clock.sleep(10)
    assert set(cloud.timeline.per_target().values()) == {100}


def test_without_cross_zone_each_zone_shares_its_own_half() -> None:
    """Two targets in one zone get a quarter each, the eight in the other a sixteenth."""
    settings = Settings(zones=2, cross_zone=False)
    cloud = placed(settings, {"a": (0,) * 2 + (1,) * 8, "b": ()}, rate=160)
    cloud.clock.sleep(10)
    assert sorted(cloud.timeline.per_target().values()) == [*[100] * 8, 400, 400]


def test_without_cross_zone_a_zone_without_targets_answers_503() -> None:
    """Half of the clients enter where the target group has no target: they are answered by nobody."""
    cloud = placed(Settings(zones=2, cross_zone=False), {"a": (0, 0), "b": ()}, rate=100)
    cloud.clock.sleep(10)
    assert cloud.timeline.failed_requests == 500
    assert sum(cloud.timeline.answers()["none"].nobody) == 500


def test_a_zone_whose_targets_are_all_sick_leaves_dns() -> None:
    """Once its only target is unhealthy, and clients have asked DNS again, nobody enters there."""
    settings = Settings(zones=2, cross_zone=False, dns_seconds=60)
    cloud = placed(settings, {"a": (0, 1), "b": ()}, rate=100)
    changed(cloud, lambda world: flip(world, "i-0001"))
    cloud.clock.sleep(200)
    failed = {row["second"] for row in cloud.timeline.counts() if row["failed"]}
    assert failed == set(range(20 + 60))  # checks at 10 s and 20 s fail, then a minute of old answers


def test_with_all_zones_sick_all_are_used() -> None:
    """When no zone is left, clients are led to all of them."""
    settings = Settings(zones=2, cross_zone=False, dns_seconds=0)
    cloud = placed(settings, {"a": (0, 1), "b": ()}, rate=100)
    for name in ("i-0001", "i-0002"):
        changed(cloud, lambda world, name=name: flip(world, name))
    cloud.clock.sleep(100)
    assert cloud.timeline.per_target() == {"i-0001": 5000, "i-0002": 5000}


@pytest.mark.parametrize(("failover", "entered"), [("any", 1), ("all", 2)])
def test_one_sick_target_group_takes_a_zone_out_or_not(failover: Literal["any", "all"], entered: int) -> None:
    """Green's only target in a zone is sick, blue's is not: AWS's pages disagree, so it is a setting."""
    settings = Settings(zones=2, cross_zone=False, dns_seconds=0, dns_failover=failover)
    cloud = placed(settings, {"a": (0, 1), "b": (0, 1)}, rate=100)
    for name in ("i-0003", "i-0004"):
        changed(cloud, lambda world, name=name: register(world, name))
    cloud.clock.sleep(30)
    changed(cloud, lambda world: flip(world, "i-0003"))
    cloud.clock.sleep(60)
    before = cloud.timeline.per_target()
    cloud.clock.sleep(10)
    after = cloud.timeline.per_target()
    assert sum(after[name] > before[name] for name in ("i-0001", "i-0002")) == entered


@pytest.mark.parametrize(
    "minimum", [{"dns_minimum_count": 2}, {"dns_minimum_percent": 60}, {"dns_minimum_count": 1}]
)
def test_dns_minimums_count_the_targets_of_a_zone(minimum: dict[str, int]) -> None:
    """One of two healthy is below a minimum of 2, or of 60 percent, and not below one of 1."""
    settings = Settings(zones=2, cross_zone=False, dns_seconds=0, **minimum)  # type: ignore[arg-type]
    cloud = placed(settings, {"a": (0, 0, 1, 1), "b": ()}, rate=100)
    changed(cloud, lambda world: flip(world, "i-0001"))
    cloud.clock.sleep(30)
    before = cloud.timeline.per_target()["i-0002"]
    cloud.clock.sleep(10)
    assert (cloud.timeline.per_target()["i-0002"] == before) == (minimum != {"dns_minimum_count": 1})


@pytest.mark.parametrize(
    ("minimum", "fails"),
    [
        ({"minimum_healthy_count": 3, "dns_minimum_count": 0}, True),
        ({"minimum_healthy_percent": 60}, True),
        ({"minimum_healthy_count": 2, "minimum_healthy_percent": 50, "dns_minimum_count": 0}, False),
    ],
)
def test_below_a_minimum_all_targets_get_requests(minimum: dict[str, int], fails: bool) -> None:  # noqa: FBT001 - a column of a table
    """Two healthy of four: below a count of 3 or 60 percent the sick ones get their part again."""
    cloud = placed(Settings(**minimum), {"a": (0,) * 4, "b": ()}, rate=100)  # type: ignore[arg-type]
    for name in ("i-0001", "i-0002"):
        changed(cloud, lambda world, name=name: flip(world, name))
    cloud.clock.sleep(60)
    before = cloud.timeline.failed_requests
    cloud.clock.sleep(10)
    assert cloud.timeline.failed_requests - before == (500 if fails else 0)


def test_targets_that_are_all_unhealthy_all_get_requests() -> None:
    """Nobody else is there."""
    cloud = placed(Settings(), {"a": (0, 0), "b": ()}, rate=100)
    for name in ("i-0001", "i-0002"):
        changed(cloud, lambda world, name=name: flip(world, name))
    cloud.clock.sleep(100)
    assert cloud.timeline.per_target() == {"i-0001": 5000, "i-0002": 5000}


# ---------------------------------------------------------------------------------------------- views, lags


def test_a_node_sends_nothing_to_a_target_that_it_has_not_found_healthy() -> None:
    """Two nodes check a new target ten seconds apart: between, half of the requests can reach it."""
    settings = Settings(nodes=2, check_phases_seconds=(0, 10), first_check_seconds=5)
    cloud = placed(settings, {"a": (0,), "b": (0,)}, rate=100)
    changed(cloud, lambda world: set_weights(world, (("tg-a", 0), ("tg-b", 100))))
    changed(cloud, lambda world: set_weights(world, (("tg-a", 50), ("tg-b", 50))))
    changed(cloud, lambda world: flip(world, "i-0002"))  # so that it is sick when it is first checked
    changed(cloud, lambda world: register(world, "i-0002"))
    cloud.clock.sleep(1)
    changed(cloud, lambda world: flip(world, "i-0002"))
    cloud.clock.sleep(5)
    group = cloud.world.group("b")
    assert group is not None
    assert [view.state for view in group.instances[0].views] == ["healthy", "initial"]
    assert group.instances[0].target == "healthy"


def test_one_node_that_passes_makes_a_target_healthy() -> None:
    """What DescribeTargetHealth says of views that differ: healthy, as soon as one is."""
    settings = Settings(nodes=3, check_phases_seconds=(8, 2, 4), first_check_seconds=5)
    cloud = placed(settings, {"a": (0,), "b": (0,)}, rate=0)
    changed(cloud, lambda world: register(world, "i-0002"))
    states = []
    for _ in range(9):
        cloud.clock.sleep(1)
        group = cloud.world.group("b")
        assert group is not None
        states.append(group.instances[0].target)
    assert states == ["initial"] * 6 + ["healthy"] * 3


def test_a_node_goes_on_with_a_target_that_was_taken_out() -> None:
    """Each node for its own while; then nobody sends to it, though it is shown as draining at once."""
    lag = Propagation(deregister_seconds=(4, 10))
    cloud = placed(Settings(nodes=2, propagation=lag), {"a": (0, 0), "b": ()}, rate=100)
    changed(cloud, lambda world: register(world, "i-0001", registered=False))
    sent = [0]
    for _ in range(12):
        cloud.clock.sleep(1)
        sent.append(cloud.timeline.per_target()["i-0001"])
    assert [after - before for before, after in pairwise(sent)] == [50] * 4 + [25] * 6 + [0] * 2


def test_a_delay_that_is_too_short_loses_requests_of_nodes_that_lag() -> None:
    """The instance is gone before every node knows: what these still send is not answered."""
    lag = Propagation(deregister_seconds=(10,))
    settings = Settings(react_seconds=0, deregistration_seconds=4, propagation=lag)
    cloud = placed(settings, {"a": (0, 0), "b": ()}, rate=100)
    cloud.apply(SetSize(fleet="a", size=1, min=1, max=4))
    cloud.clock.sleep(20)
    failed = {row["second"] for row in cloud.timeline.counts() if row["failed"]}
    assert failed == set(range(4, 10))


def test_weights_reach_each_node_in_its_own_time() -> None:
    """The API shows them at once; half of the requests follow after 2 s, the others after 5 s."""
    lag = Propagation(weights_seconds=(2, 5))
    cloud = placed(Settings(nodes=2, propagation=lag), {"a": (0,), "b": (0,)}, rate=100)
    changed(cloud, lambda world: register(world, "i-0002"))
    cloud.clock.sleep(20)
    cloud.apply(SetShares(weights=(("a", 0), ("b", 100))))
    assert cloud.world.rule == (("tg-a", 0), ("tg-b", 100))
    cloud.clock.sleep(7)
    assert [row["green"] for row in cloud.timeline.counts()[20:]] == [0, 0, 50, 50, 50, 100, 100]


def test_weights_act_on_the_next_request() -> None:
    """Without a lag nobody stays where the last request went."""
    cloud = placed(Settings(), {"a": (0,), "b": (0,)}, rate=100)
    changed(cloud, lambda world: register(world, "i-0002"))
    cloud.clock.sleep(20)
    cloud.apply(SetShares(weights=(("a", 0), ("b", 100))))
    cloud.clock.sleep(1)
    assert cloud.timeline.counts()[-1]["green"] == 100


def test_a_registration_reaches_each_node_in_its_own_time() -> None:
    """A node that knows of nobody answers 503; checks begin when it has learned of the target."""
    lag = Propagation(register_seconds=(0, 3))
    cloud = placed(Settings(nodes=2, first_check_seconds=2, propagation=lag), {"a": (), "b": (0,)}, rate=100)
    changed(cloud, lambda world: set_weights(world, (("tg-a", 0), ("tg-b", 1))))
    changed(cloud, lambda world: register(world, "i-0001"))
    cloud.clock.sleep(10)
    # From 2 s on the first node finds it healthy, so clients are led there after a minute only.
    assert [row["failed"] for row in cloud.timeline.counts()] == [50] * 3 + [0] * 7


def test_a_deployment_on_a_lagging_balancer_loses_nothing() -> None:
    """With times as users of AWS report them, two zones and two nodes, a whole release fails no request."""
    settings = Settings(zones=2, propagation=Propagation.observed(), check_phases_seconds=(0, 5))
    cloud = SimCloud(WEIGHTED, capacity=2, settings=settings)
    result = bluegreen.Deployment(WEIGHTED, cloud).run()
    assert result.ok
    assert cloud.timeline.failed_requests == 0


# ------------------------------------------------------------------------------------------ a zone that fails


def test_a_zone_that_fails_takes_its_instances_and_nodes_along() -> None:
    """Requests that enter there fail until DNS is asked again; the others fail until checks notice."""
    cloud = placed(Settings(zones=2, dns_seconds=30), {"a": (0, 1), "b": ()}, rate=100)
    changed(cloud, lambda world: strike(world, During(ZoneDown(0), 0, for_seconds=100), cloud.choices))
    cloud.clock.sleep(90)
    failed = [row["failed"] for row in cloud.timeline.counts()]
    assert failed[:20] == [75] * 20  # half meet a dead node, half of the others a dead target
    assert failed[20:30] == [50] * 10
    assert failed[30:] == [0] * 60
    assert down(cloud.world) == [0]
    cloud.clock.sleep(20)
    assert down(cloud.world) == []


def test_a_detached_instance_answers_nodes_that_lag() -> None:
    """It has left its group and runs on, so whoever still sends to it is answered."""
    lag = Propagation(deregister_seconds=(10,))
    settings = Settings(deregistration_seconds=4, propagation=lag)
    cloud = placed(settings, {"a": (0, 0), "b": ()}, rate=100)
    changed(cloud, lambda world: detach_instances(world, "a", ["i-0001"], lower=True))
    cloud.clock.sleep(20)
    assert cloud.timeline.failed_requests == 0
    assert cloud.timeline.per_target()["i-0001"] == 500


def test_who_asks_by_hand_takes_the_nodes_in_turn() -> None:
    """Each node sends to its own zone, so four requests in a row meet all four targets."""
    cloud = placed(Settings(zones=2, cross_zone=False), {"a": (0, 1, 1, 0), "b": ()})
    assert {cloud.fetch("http://balancer/")[1].split()[-1] for _ in range(4)} == {
        "i-0001",
        "i-0002",
        "i-0003",
        "i-0004",
    }
