"""Two doors, one world: what is asked through SimCloud and through boto3 comes to the same."""

from __future__ import annotations

import contextlib

import pytest
from attrs import evolve
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

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
from bluegreen.core.plan import Plan
from bluegreen.core.state import Ledger
from bluegreen_sim import Budget, Dies, Settings, SimCloud
from tests.sim.wired import SHARED, WEIGHTED, Aws

QUICK = Settings(deregistration_seconds=30)

VERSION = PrepareVersion(template="tpl", source=1, image="ami-new", token="d")
BY_COUNT: dict[int, list[Command]] = {
    0: [Freeze(fleet="a", frozen=True), VERSION, SetVersion(fleet="b", version=2)],
    1: [SetSize(fleet="b", size=2, min=2, max=4), SetBounds(fleet="a", min=2, max=4)],
    20: [Attach(fleet="b")],
    30: [SetSize(fleet="a", size=0, min=0, max=4), Detach(fleet="a")],
    50: [Freeze(fleet="a", frozen=False), DeleteFleet(fleet="a")],
}
BY_WEIGHT: dict[int, list[Command]] = {
    0: [VERSION, CreateFleet(fleet="b", like="a", version=2, min=2, max=4, size=2, token="d")],
    20: [SetShares(weights=(("a", 90), ("b", 10)))],
    25: [SetShares(weights=(("b", 100), ("a", 0)))],
    30: [SetSize(fleet="a", size=0, min=0, max=4)],
    50: [DeleteFleet(fleet="a")],
}


@pytest.mark.parametrize(
    ("plan", "orders"), [(SHARED, BY_COUNT), (evolve(WEIGHTED, fleets="replace"), BY_WEIGHT)]
)
def test_both_doors_lead_to_one_world(plan: Plan, orders: dict[int, list[Command]]) -> None:
    """The same orders through SimCloud and through boto3 give the same worlds, looks and users' minutes."""
    direct, wired = (SimCloud(plan, seed=3, settings=QUICK, faults=[Dies("blue", 33)]) for _ in range(2))
    aws = Aws(wired)
    for number in range(60):
        for command in orders.get(number, []):
            direct.apply(command)
            aws.carry_out(command)
        assert wired.world.key() == direct.world.key(), number
        assert wired.observe(plan, Ledger("d")) == direct.observe(plan, Ledger("d"))
        direct.clock.sleep(5)
        wired.clock.sleep(5)
    assert wired.timeline.shares() == direct.timeline.shares()
    assert wired.timeline.shares()[-1]["green"] == 100
    assert wired.world.group("a") is None


FLEETS, SIZES = st.sampled_from("ab"), st.integers(0, 5)
SECONDS = st.integers(1, 60)
EITHER = st.one_of(
    st.builds(
        PrepareVersion,
        template=st.just("tpl"),
        source=st.integers(1, 2),
        image=st.sampled_from(["ami-new", "ami-0alpha"]),
        token=st.sampled_from(["d", "e"]),
    ),
    st.builds(
        CreateFleet,
        fleet=FLEETS,
        like=st.none(),
        version=st.integers(1, 2),
        min=st.just(0),
        max=SIZES,
        size=SIZES,
        token=st.sampled_from(["d", "e"]),
    ),
    st.builds(SetVersion, fleet=FLEETS, version=st.integers(1, 3)),
    st.builds(SetBounds, fleet=FLEETS, min=SIZES, max=SIZES),
    st.builds(SetSize, fleet=FLEETS, size=SIZES, min=st.just(0), max=st.integers(2, 5)),
    st.builds(Freeze, fleet=FLEETS, frozen=st.booleans()),
    st.builds(DeleteFleet, fleet=FLEETS),
)
SHIFTS = {
    False: st.builds(Attach, fleet=FLEETS) | st.builds(Detach, fleet=FLEETS),
    True: st.builds(
        lambda a, b: SetShares(weights=(("a", a), ("b", b))), st.integers(0, 999), st.integers(1, 999)
    ),
}
HARSH = Settings(boot_seconds=(5, 60), termination="any", deregistration_seconds=20, stop_seconds=25)


@pytest.mark.property
@given(data=st.data(), weighted=st.booleans(), seed=st.integers(0, 99))
def test_whatever_is_asked_comes_to_the_same(data: st.DataObject, *, weighted: bool, seed: int) -> None:
    """Random orders, faults and times lead both doors through equal worlds."""
    plan = WEIGHTED if weighted else SHARED
    budget = Budget(sick=1, dies=1)
    direct, wired = (SimCloud(plan, seed=seed, settings=HARSH, budget=budget) for _ in range(2))
    aws = Aws(wired)
    for order in data.draw(st.lists(EITHER | SHIFTS[weighted] | SECONDS, max_size=25)):
        if isinstance(order, int):
            direct.clock.sleep(order)
            wired.clock.sleep(order)
        else:
            direct.apply(order)
            with contextlib.suppress(ClientError):
                aws.carry_out(order)
        assert wired.world.key() == direct.world.key(), order
        assert wired.observe(plan, Ledger("d")) == direct.observe(plan, Ledger("d"))
