"""Groups: sizes, launches, replacement, termination; template versions."""

import pytest
from attrs import evolve

from bluegreen.core.commands import (
    Attach,
    Command,
    CreateFleet,
    DeleteFleet,
    Detach,
    Freeze,
    PrepareVersion,
    SetBounds,
    SetShares,
    SetSize,
    SetVersion,
)
from bluegreen.core.observation import ErrorClass, Fleet, Result
from bluegreen.core.plan import Plan, SharedTargetGroup, WeightedTargetGroups
from bluegreen.core.state import Ledger
from bluegreen_sim import Choices, Dies, LaunchFails, Rescale, Settings, Sick, SimCloud, enumerate_runs

SHARED = Plan(
    service="s", image="ami-new", launch_template="tpl", groups=("a", "b"), routing=SharedTargetGroup("tg")
)
WEIGHTED = evolve(SHARED, routing=WeightedTargetGroups("tg-a", "tg-b"))
REPLACE = evolve(WEIGHTED, fleets="replace")


def fleet(cloud: SimCloud, name: str) -> Fleet:
    """A group, as a look shows it."""
    found = cloud.observe(cloud.plan, Ledger("d")).fleet(name)
    assert found is not None
    return found


def prepare(**changes: object) -> PrepareVersion:
    """Make version 2."""
    return evolve(PrepareVersion(template="tpl", source=1, image="ami-new", token="d"), **changes)  # type: ignore[arg-type]


def create(**changes: object) -> CreateFleet:
    """Create group b."""
    made = CreateFleet(fleet="b", like="a", version=1, min=0, max=4, size=1, token="d")
    return evolve(made, **changes)  # type: ignore[arg-type]


def answer(cloud: SimCloud, command: Command) -> ErrorClass | None:
    """Why a command was refused; None when it was applied."""
    outcome = cloud.apply(command)
    assert outcome.command is command
    assert (outcome.result is Result.APPLIED) == (outcome.error is None)
    return outcome.error


def test_capacity_follows_the_wanted_size() -> None:
    """A launch is seen after the group reacts, and the size is then what was wanted."""
    cloud = SimCloud(SHARED)
    assert answer(cloud, SetSize(fleet="b", size=3, min=1, max=4)) is None
    assert fleet(cloud, "b").running == 0
    cloud.clock.sleep(3)
    assert [target.health.value for target in fleet(cloud, "b").targets] == ["initial"] * 3


def test_size_zero_ends_every_instance() -> None:
    """Whatever state they are in, and however often the size changed before."""
    cloud = SimCloud(SHARED, capacity=3, faults=[Sick("blue", 1), Dies("blue", 2)])
    cloud.apply(SetSize(fleet="a", size=5, min=0, max=6))
    cloud.clock.sleep(10)
    cloud.apply(SetSize(fleet="a", size=0, min=0, max=6))
    cloud.clock.sleep(3)
    assert fleet(cloud, "a").draining == 5
    cloud.clock.sleep(300)
    assert fleet(cloud, "a").running == 0


@pytest.mark.parametrize(
    ("low", "high", "desired"),
    [(1, 4, 2), (3, 4, 3), (0, 1, 1), (0, 0, 0)],
    ids=["within", "up", "down", "zero"],
)
def test_bounds_move_the_wanted_size_only_where_they_must(low: int, high: int, desired: int) -> None:
    """UpdateAutoScalingGroup without a wanted size."""
    cloud = SimCloud(SHARED, capacity=2)
    assert answer(cloud, SetBounds(fleet="a", min=low, max=high)) is None
    seen = fleet(cloud, "a")
    assert (seen.min, seen.desired, seen.max) == (low, desired, high)


@pytest.mark.parametrize(
    ("plan", "command", "error"),
    [
        (SHARED, SetSize(fleet="a", size=5, min=0, max=4), ErrorClass.BUG),
        (SHARED, SetSize(fleet="a", size=0, min=1, max=4), ErrorClass.BUG),
        (SHARED, SetBounds(fleet="a", min=3, max=2), ErrorClass.BUG),
        (SHARED, SetSize(fleet="x", size=0, min=0, max=4), ErrorClass.ABSENT),
        (SHARED, SetVersion(fleet="a", version=7), ErrorClass.ABSENT),
        (SHARED, SetShares(weights=(("a", 1), ("b", 1))), ErrorClass.BUG),
        (WEIGHTED, SetShares(weights=(("a", 0), ("b", 0))), ErrorClass.BUG),
        (WEIGHTED, SetShares(weights=(("a", -1), ("b", 101))), ErrorClass.BUG),
        (WEIGHTED, SetShares(weights=(("a", 1000), ("b", 1))), ErrorClass.BUG),
        (WEIGHTED, SetShares(weights=(("a", 100),)), ErrorClass.ABSENT),
        (WEIGHTED, Attach(fleet="b"), ErrorClass.BUG),
        (WEIGHTED, Detach(fleet="b"), ErrorClass.BUG),
        (WEIGHTED, prepare(source=9), ErrorClass.ABSENT),
        (WEIGHTED, prepare(image="ami-none"), ErrorClass.ABSENT),
        (WEIGHTED, prepare(template="other"), ErrorClass.ABSENT),
        (WEIGHTED, create(), ErrorClass.CONFLICT),
        (REPLACE, create(like="x"), ErrorClass.ABSENT),
        (REPLACE, create(version=5), ErrorClass.ABSENT),
        (REPLACE, create(fleet="elsewhere"), ErrorClass.ABSENT),
        (REPLACE, create(size=9), ErrorClass.BUG),
        (WEIGHTED, DeleteFleet(fleet="a"), ErrorClass.IN_USE),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "__attrs_attrs__") else str(value),
)
def test_what_is_refused_changes_nothing(plan: Plan, command: Command, error: ErrorClass) -> None:
    """Each wrong command is answered with its class of error."""
    cloud = SimCloud(plan)
    before = cloud.world
    assert answer(cloud, command) is error
    assert cloud.world == before


@pytest.mark.parametrize(
    ("plan", "command"),
    [
        (WEIGHTED, prepare()),
        (REPLACE, create()),
        (SHARED, SetSize(fleet="b", size=2, min=1, max=4)),
        (SHARED, SetBounds(fleet="a", min=1, max=9)),
        (SHARED, SetVersion(fleet="b", version=1)),
        (SHARED, Attach(fleet="b")),
        (SHARED, Detach(fleet="a")),
        (SHARED, Freeze(fleet="a", frozen=True)),
        (WEIGHTED, SetShares(weights=(("a", 90), ("b", 10)))),
        (SHARED, DeleteFleet(fleet="b")),
    ],
    ids=lambda value: type(value).__name__,
)
def test_repeating_a_command_changes_nothing(plan: Plan, command: Command) -> None:
    """Commands are absolute, so the second time the world is as it was after the first."""
    cloud = SimCloud(plan)
    assert answer(cloud, command) is None
    once = cloud.world
    cloud.clock.sleep(1)
    assert answer(cloud, command) is None
    assert evolve(cloud.world, now=0) == once


def test_a_version_is_found_again_by_its_token() -> None:
    """The same token gives the same number; a look finds it by the deployment's id."""
    cloud = SimCloud(WEIGHTED)
    assert cloud.observe(WEIGHTED, Ledger("d")).version is None
    cloud.apply(prepare())
    cloud.apply(prepare())
    assert cloud.observe(WEIGHTED, Ledger("d")).version == 2
    assert cloud.observe(WEIGHTED, Ledger("other")).version is None
    assert answer(cloud, prepare(image="ami-0alpha")) is ErrorClass.CONFLICT


def test_a_new_version_reaches_only_later_launches() -> None:
    """Pointing a group at a version leaves its instances alone; the next one is of the new version."""
    cloud = SimCloud(WEIGHTED)
    cloud.apply(prepare())
    cloud.apply(SetVersion(fleet="a", version=2))
    cloud.apply(SetSize(fleet="a", size=3, min=2, max=4))
    cloud.clock.sleep(5)
    assert [target.version for target in fleet(cloud, "a").targets] == [1, 1, 2]


def test_the_oldest_version_ends_first_and_of_it_the_oldest() -> None:
    """The default termination policy in one zone."""
    cloud = SimCloud(WEIGHTED, settings=Settings(react_seconds=0))
    cloud.apply(prepare())
    cloud.apply(SetVersion(fleet="a", version=2))
    cloud.apply(SetSize(fleet="a", size=3, min=0, max=4))
    cloud.clock.sleep(1)
    for size, left in ((2, ["i-0002", "i-0003"]), (1, ["i-0003"])):
        cloud.apply(SetSize(fleet="a", size=size, min=0, max=4))
        cloud.clock.sleep(1)
        staying = [t.id for t in fleet(cloud, "a").targets if t.health.value != "draining"]
        assert staying == left


def test_termination_any_tries_every_kind_of_instance_once() -> None:
    """Instances that cannot be told apart are one option."""

    def run(choices: Choices) -> list[str]:
        settings = Settings(react_seconds=0, termination="any")
        cloud = SimCloud(WEIGHTED, capacity=3, settings=settings, choices=choices, faults=[Sick("blue", 0)])
        cloud.clock.sleep(30)
        cloud.apply(SetSize(fleet="a", size=2, min=0, max=4))
        cloud.clock.sleep(1)
        return sorted(target.health.value for target in fleet(cloud, "a").targets)

    assert sorted(enumerate_runs(run)) == [
        ["draining", "healthy", "healthy"],
        ["draining", "healthy", "unhealthy"],
    ]


def test_a_dead_instance_is_replaced_when_it_is_noticed() -> None:
    """Until then it stands in the way; then it is gone at once and another one is launched."""
    cloud = SimCloud(SHARED, faults=[Dies("blue", 10)])
    cloud.clock.sleep(69)
    assert cloud.instances("a") == ("i-0001", "i-0002")
    cloud.clock.sleep(5)
    assert len(cloud.instances("a")) == 2
    assert cloud.instances("a")[1] == "i-0003"
    cloud.clock.sleep(120)
    assert fleet(cloud, "a").healthy == 2


@pytest.mark.parametrize("replace", [False, True])
def test_a_sick_instance_is_replaced_only_where_that_is_asked_for(*, replace: bool) -> None:
    """Health check type EC2 leaves it, ELB drains and replaces it."""
    cloud = SimCloud(SHARED, settings=Settings(replace_unhealthy=replace), faults=[Sick("blue", 10)])
    cloud.clock.sleep(40)
    assert fleet(cloud, "a").draining == int(replace)
    assert len(cloud.instances("a")) == 2 + replace


def test_a_failed_launch_is_told_and_tried_again() -> None:
    """With growing pauses; a success clears the error."""
    cloud = SimCloud(SHARED, faults=[LaunchFails(2, "green")])
    cloud.apply(SetSize(fleet="b", size=1, min=0, max=4))
    cloud.clock.sleep(3 + 15 + 29)
    assert "capacity" in (fleet(cloud, "b").launch_error or "")
    assert fleet(cloud, "b").running == 0
    cloud.clock.sleep(1)
    assert fleet(cloud, "b").launch_error is None
    assert fleet(cloud, "b").running == 1


def test_a_frozen_group_is_not_rescaled() -> None:
    """A scaling policy moves the size within the bounds, unless the group's scaling is suspended."""
    cloud = SimCloud(SHARED, faults=[Rescale("blue", 9, 10), Rescale("blue", -9, 20)])
    cloud.clock.sleep(10)
    assert fleet(cloud, "a").desired == 4
    cloud.apply(Freeze(fleet="a", frozen=True))
    cloud.clock.sleep(10)
    assert fleet(cloud, "a").desired == 4


def test_only_an_empty_group_can_be_deleted() -> None:
    """Instances that still drain stand in the way; what is gone can be deleted again."""
    cloud = SimCloud(REPLACE)
    cloud.apply(SetSize(fleet="a", size=0, min=0, max=4))
    cloud.clock.sleep(100)
    assert answer(cloud, DeleteFleet(fleet="a")) is ErrorClass.IN_USE
    cloud.clock.sleep(300)
    assert answer(cloud, DeleteFleet(fleet="a")) is None
    assert answer(cloud, DeleteFleet(fleet="a")) is None
    assert fleet(cloud, "a").exists is False


def test_a_created_group_stands_where_its_routing_puts_it() -> None:
    """Behind its own target group at once; behind a shared one only when it is attached."""
    for plan, attached in ((REPLACE, True), (evolve(SHARED, fleets="replace"), False)):
        cloud = SimCloud(plan)
        assert answer(cloud, create()) is None
        assert fleet(cloud, "b").attached is attached
        cloud.clock.sleep(3)
        assert fleet(cloud, "b").running == 1
