"""The world behind the Cloud port: what is seen, saved, told apart and fetched."""

import json
import random
from typing import get_args

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from bluegreen.core.commands import Attach, Command, PrepareVersion, SetShares, SetSize, SetVersion
from bluegreen.core.gates import Alarm
from bluegreen.core.observation import Observation
from bluegreen.core.plan import Plan, SharedTargetGroup, WeightedTargetGroups
from bluegreen.core.state import Ledger
from bluegreen.ports import BuildCommand, Cloud
from bluegreen_sim import (
    AlarmRed,
    Budget,
    Choices,
    Dies,
    Errors,
    LostAnswer,
    NeverHealthy,
    Settings,
    Sick,
    SimCloud,
    StaleLook,
    tutorial,
    world_from_dict,
    world_to_dict,
)

SHARED = Plan(
    service="s",
    image="ami-new",
    launch_template="tpl",
    groups=("a", "b"),
    routing=SharedTargetGroup("tg"),
    gates=(Alarm(name="errors"),),
)
WEIGHTED = evolve(SHARED, routing=WeightedTargetGroups("tg-a", "tg-b"))
LEDGER = Ledger("d")
SETTINGS = Settings(boot_seconds=(20, 35), deregistration_seconds=30)


def deploy(cloud: SimCloud, passes: int = 60) -> list[Observation]:
    """A naive deployment under a shared target group, with a look every five seconds."""
    orders: dict[int, list[Command]] = {
        0: [
            PrepareVersion(template="tpl", source=1, image="ami-new", token="d"),
            SetVersion(fleet="b", version=2),
            SetSize(fleet="b", size=2, min=2, max=4),
        ],
        20: [Attach(fleet="b")],
        30: [SetSize(fleet="a", size=0, min=0, max=4)],
    }
    seen = []
    for number in range(passes):
        for command in orders.get(number, []):
            cloud.apply(command)
        cloud.clock.sleep(5)
        seen.append(cloud.observe(cloud.plan, LEDGER))
    return seen


def test_it_is_a_cloud() -> None:
    """SimCloud has what the port asks for, and its clock is virtual."""
    cloud: Cloud = SimCloud(SHARED)
    assert getattr(cloud.clock, "virtual", False)
    assert get_args(Command)
    assert get_args(BuildCommand)


def test_the_start_is_a_live_group_in_peace() -> None:
    """Blue serves with healthy instances, green stands at zero, and all that the plan names is there."""
    seen = SimCloud(WEIGHTED, capacity=3).observe(WEIGHTED, LEDGER)
    blue, green = seen.fleets
    assert (blue.min, blue.desired, blue.max, blue.healthy) == (3, 3, 6, 3)
    assert (green.min, green.desired, green.max, green.running) == (0, 0, 6, 0)
    assert seen.shares is not None
    assert seen.shares.weights == (("a", 100), ("b", 0))
    assert (seen.version, seen.default_version, seen.image, seen.unread) == (None, 1, True, ())


@pytest.mark.parametrize("plan", [SHARED, WEIGHTED, evolve(WEIGHTED, fleets="replace")])
@pytest.mark.parametrize("live", [0, 1])
def test_either_group_may_be_live(plan: Plan, live: int) -> None:
    """Blue is the live group, whichever it is; with replaced fleets it is the only one."""
    cloud = SimCloud(plan, live=live)
    assert (cloud.blue, cloud.green) == (plan.groups[live], plan.groups[1 - live])
    cloud.clock.sleep(1)
    assert cloud.timeline.shares() == [{"second": 0, "blue": 100, "green": 0, "errors": 0}]
    idle = cloud.observe(plan, LEDGER).fleet(cloud.green)
    assert idle is not None
    assert idle.exists == (plan.fleets == "standing")


def test_before_a_first_release_nothing_answers() -> None:
    """No group is live, and every request fails."""
    for plan in (SHARED, WEIGHTED):
        cloud = SimCloud(plan, live=None)
        cloud.clock.sleep(1)
        assert cloud.timeline.failed_requests == 100
        assert [fleet.desired for fleet in cloud.observe(plan, LEDGER).fleets] == [0, 0]
        assert cloud.fetch("http://service/")[0] == 503


def test_a_quiet_look_reuses_what_was_seen() -> None:
    """A group that did not change is the very same object, so a quiet pass costs nothing."""
    cloud = SimCloud(SHARED, capacity=3)
    first = cloud.observe(SHARED, LEDGER)
    cloud.clock.sleep(60)
    second = cloud.observe(SHARED, LEDGER)
    assert all(old is new for old, new in zip(first.fleets, second.fleets, strict=True) if old.exists)


def test_the_same_seed_gives_the_same_world() -> None:
    """World, looks and timeline are equal; another seed's are not."""
    faults = (Sick("blue", 40), Dies("green", 130))

    def run(seed: int) -> tuple[object, ...]:
        cloud = SimCloud(SHARED, seed=seed, settings=SETTINGS, faults=faults)
        return deploy(cloud), cloud.world, cloud.timeline.to_dicts()

    assert run(1) == run(1)
    assert len({run(seed)[1] for seed in range(8)}) > 1


def test_the_key_ignores_ids_and_the_time_of_day() -> None:
    """The same situation an hour later, with other instances, has the same key."""
    early, late = SimCloud(SHARED), SimCloud(SHARED, faults=[Dies("blue", 10, count=2)])
    early.clock.sleep(100)
    late.clock.sleep(3603)  # so that the next health check is as far away as in the other
    assert early.world != late.world
    assert early.instances("a") != late.instances("a")
    assert early.world.key() == late.world.key()


def test_the_key_is_the_same_for_interchangeable_instances() -> None:
    """It does not matter which of two equal instances fell silent; it matters that one did."""
    keys = set()
    for index in range(2):
        cloud = SimCloud(SHARED)
        group = cloud.world.groups[0]
        silent = evolve(group.instances[index], answers=False)
        others = list(group.instances)
        others[index] = silent
        keys.add(cloud.world.with_group(evolve(group, instances=tuple(others))).key())
    assert len(keys) == 1
    assert SimCloud(SHARED).world.key() not in keys


def test_a_label_tells_instances_apart() -> None:
    """What the caller knows of an instance is part of its class."""
    world = SimCloud(SHARED).world
    assert world.key(lambda i: i == "i-0001") == world.key(lambda i: i == "i-0002")
    assert world.key(lambda i: i == "i-0001") != world.key(lambda _: False)


@given(st.binary(max_size=60))
@pytest.mark.property
def test_equal_keys_have_equal_futures(data: bytes) -> None:
    """A world rebuilt at another time with other ids goes on as the original does."""
    cloud = SimCloud(
        WEIGHTED,
        traffic=0,
        settings=SETTINGS,
        choices=Choices.from_bytes(data),
        budget=Budget(sick=2, dies=1),
    )
    deploy(cloud, passes=len(data) % 40)
    twin = SimCloud(WEIGHTED, traffic=0, world=_renamed(cloud, random.Random(len(data))))
    assert twin.world.key() == cloud.world.key()
    cloud.choices = twin.choices = Choices.scripted([])
    for _ in range(20):
        cloud.clock.sleep(5)
        twin.clock.sleep(5)
        assert twin.world.key() == cloud.world.key()


def _renamed(cloud: SimCloud, rng: random.Random) -> object:
    """The same world with other ids, and instances in another order."""
    world = cloud.world
    groups = []
    for group in world.groups:
        instances = [evolve(instance, id=f"x{instance.id}") for instance in group.instances]
        rng.shuffle(instances)
        groups.append(evolve(group, instances=tuple(instances)))
    return world.replaced(groups=tuple(groups), serial=world.serial + 100)


def test_a_saved_world_goes_on_where_it_stopped() -> None:
    """Through JSON and back it is equal, and so is its future."""
    faults = (
        Sick("blue", 250, for_seconds=20),
        LostAnswer(9),
        StaleLook(50),
        Errors("ami-new", 3),
        NeverHealthy(image="ami-0alpha"),
    )
    cloud = SimCloud(SHARED, settings=SETTINGS, faults=faults, budget=Budget(blind=1))
    deploy(cloud, passes=40)
    again = world_from_dict(json.loads(json.dumps(world_to_dict(cloud.world))))
    assert again == cloud.world
    twin = SimCloud(SHARED, world=again, choices=Choices.seeded(7))
    cloud.choices = Choices.seeded(7)
    for one in (cloud, twin):
        one.clock.sleep(200)
    assert twin.world == cloud.world


@pytest.mark.parametrize(
    "data", [{}, {"class": "World", "wings": 2}, {"class": "Nothing"}, {"class": "Sick"}]
)
def test_what_is_no_saved_world_is_refused(data: dict[str, object]) -> None:
    """With a ValueError that says what is wrong, and what was expected."""
    with pytest.raises(ValueError, match=r"^no saved world: .+, expected what world_to_dict gave$"):
        world_from_dict(data)


def test_a_second_release_finds_the_world_of_the_first() -> None:
    """Roles are as they are seen then, and the new image exists if that is asked for."""
    first = SimCloud(SHARED, settings=SETTINGS)
    deploy(first, passes=60)
    plan = SHARED.with_image("ami-newer")
    second = SimCloud(plan, world=first.world, add_image=True)
    assert (second.blue, second.green) == ("b", "a")
    assert second.clock.now() == first.clock.now() == 300
    assert second.observe(plan, LEDGER).image is True
    assert SimCloud(plan, world=first.world).observe(plan, LEDGER).image is False
    second.clock.sleep(2)
    assert [row["blue"] for row in second.timeline.shares()] == [100, 100]


def test_users_see_both_versions_and_then_the_new_one() -> None:
    """The tutorial by hand: alternating answers side by side, then only the new ones, and no failure."""
    cloud = SimCloud(SHARED, settings=SETTINGS)
    deploy(cloud, passes=25)
    bodies = [cloud.fetch("http://service/") for _ in range(8)]
    assert sorted({body.split()[1] for _, body in bodies}) == ["ami-0alpha", "ami-new"]
    deploy(cloud, passes=0)
    cloud.apply(SetSize(fleet="a", size=0, min=0, max=4))
    cloud.clock.sleep(60)
    assert {cloud.fetch("http://service/path?x=1") for _ in range(4)} == {
        (200, "s ami-new i-0003"),
        (200, "s ami-new i-0004"),
    }
    assert cloud.timeline.failed_requests == 0
    shares = cloud.timeline.shares()
    assert {"blue": 50, "green": 50, "errors": 0}.items() <= shares[110].items()
    assert {"blue": 0, "green": 100, "errors": 0}.items() <= shares[-1].items()
    assert cloud.timeline.healthy()[110] == {"second": 110, "blue": 2, "green": 2}
    assert sum(row["requests"] for row in cloud.timeline.to_dicts()) == cloud.timeline.requests


def test_fetching_does_not_disturb_the_counted_traffic() -> None:
    """Requests by hand are no part of the timeline."""
    alone, asked = SimCloud(SHARED), SimCloud(SHARED)
    for cloud in (alone, asked):
        cloud.clock.sleep(5)
    assert [asked.fetch("http://x/")[1].split()[-1] for _ in range(3)] == ["i-0001", "i-0002", "i-0001"]
    for cloud in (alone, asked):
        cloud.clock.sleep(5)
    assert alone.timeline.per_target() == asked.timeline.per_target()
    assert alone.world == asked.world


def test_an_instance_answers_for_itself() -> None:
    """Directly asked it answers whatever the balancer thinks of it; wrong answers are of its image."""
    cloud = SimCloud(SHARED, faults=[Errors("ami-0alpha", 50)])
    assert [cloud.fetch("http://i-0001:8080/")[0] for _ in range(4)] == [200, 500, 200, 500]


def test_an_instance_that_is_gone_answers_nobody() -> None:
    """Nobody is there to take the connection, and nobody else answers in its place."""
    cloud = SimCloud(WEIGHTED)
    cloud.apply(SetSize(fleet="a", size=1, min=0, max=4))
    cloud.clock.sleep(400)
    assert [cloud.fetch(f"http://{name}/")[0] for name in ("i-0001", "i-0002", "i-9999")] == [504, 200, 504]


def test_a_world_that_goes_on_has_what_the_next_plan_asks_for() -> None:
    """New alarms are there and ok, the old ones as they were; other target groups are another world's."""
    world = SimCloud(SHARED, faults=[AlarmRed("errors", 5)]).world
    plan = evolve(SHARED, gates=(*SHARED.gates, Alarm(name="slow")))
    cloud = SimCloud(plan, world=world)
    cloud.clock.sleep(10)
    assert cloud.world.alarms == (("errors", "alarm"), ("slow", "ok"))
    with pytest.raises(
        ValueError, match=r"target_group = 'other': a is behind tg; .* b is behind tg: change"
    ):
        SimCloud(evolve(plan, routing=SharedTargetGroup("other")), world=world)


def test_weights_divide_what_is_fetched() -> None:
    """One in ten goes to the group of weight ten."""
    cloud = SimCloud(WEIGHTED)
    cloud.apply(SetSize(fleet="b", size=1, min=0, max=4))
    cloud.clock.sleep(200)
    cloud.apply(SetShares(weights=(("a", 90), ("b", 10))))
    found = [cloud.fetch("http://x/")[1].split()[-1] for _ in range(100)]
    assert found.count("i-0003") == 10


def test_the_tutorial_is_ready_to_run() -> None:
    """Its names are those of the AWS tutorial."""
    plan, cloud = tutorial()
    assert plan.service == "exercise"
    assert cloud.instances("exercise-group-blue") == ("i-0001", "i-0002")
    assert cloud.fetch("http://exercise/") == (200, "exercise ami-0alpha i-0001")
