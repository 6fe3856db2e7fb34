"""HAProxy keeps the promises of the ``Cloud`` port: the contract suite, asked of real processes."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from attrs import frozen

from bluegreen import Deadlines, Limits, Observation, strategies
from tests.contract import test_cloud
from tests.contract.providers import NEXT, ROUTINGS, Course, Place, plan_for
from tests.contract.providers import placed as placed_elsewhere
from tests.e2e.haproxy.cloud import HaproxyCloud
from tests.e2e.haproxy.places import haproxy, rest

SPEED = 30
"""Seconds of the cloud's clock in one of the wall's."""


def in_short(routing: str) -> dict[str, Any]:
    """The suite's plan with short waits; in 180 s, 6 on the wall, a process is up or never will be."""
    return {
        "strategy": strategies.canary(10 if routing == "weighted" else 34, 10, last_bake_seconds=10),
        "limits": Limits(poll_seconds=5),
        "deadlines": Deadlines(scale_up_seconds=180),
    }


# Every promise that the suite asks of a `place` is asked of this one: pytest collects what it finds here.
globals().update(
    {
        name: promise
        for name, promise in vars(test_cloud).items()
        if name.startswith("test_") and "place" in inspect.signature(promise).parameters
    }
)


@frozen
class RealPlace(Place):
    """A place where time is real, so that rest is waited for and no longer than it takes."""

    def rest(self) -> Observation:
        """What is seen when all that is under way has come to its end."""
        assert isinstance(self.cloud, HaproxyCloud)
        return rest(self.cloud, "exercise-1-00000000")


@contextmanager
def placed(routing: str, **world: Any) -> Iterator[RealPlace]:
    """HAProxy with two live processes, or what ``world`` says."""
    plan = plan_for(routing, **in_short(routing))
    with haproxy(plan, speed=SPEED, **world) as cloud:
        yield RealPlace("haproxy", plan, cloud, cloud.broken.add)


@pytest.fixture(params=ROUTINGS)
def place(request: pytest.FixtureRequest) -> Iterator[RealPlace]:
    """The suite's fixture of this name, for this module."""
    with placed(request.param) as found:
        yield found


def test_the_whole_suite_is_asked() -> None:
    """What is not asked of a place is asked below, so no promise of the suite is left out."""
    left_out = {name for name in vars(test_cloud) if name.startswith("test_")} - set(globals())
    assert left_out == {"test_every_cloud_is_deployed_to_alike"}


@pytest.mark.parametrize("spoiled", [None, NEXT], ids=["sound", "broken"])
@pytest.mark.parametrize("routing", ROUTINGS)
def test_it_is_deployed_to_like_the_simulator(routing: str, spoiled: str | None) -> None:
    """The same plan enters the same phases for the same kinds of reasons as on the simulator."""
    courses = []
    with (
        placed_elsewhere("simulator", routing, None, **in_short(routing)) as simulated,
        placed(routing) as real,
    ):
        for found in (simulated, real):
            if spoiled:
                found.spoil(spoiled)
            courses.append(Course.of(found.deployment()).entered)
    assert courses[0][-1][0] == ("rolled_back" if spoiled else "promoted")
    assert courses[1] == courses[0]


@pytest.mark.parametrize("routing", ROUTINGS)
def test_a_first_release_makes_its_group(routing: str) -> None:
    """Where there is no group yet, one is created, proven, and gets the traffic."""
    with placed(routing, live=None, groups_exist=False) as found:
        assert found.deployment().run().ok
        serving = [fleet for fleet in found.rest().fleets if fleet.exists]
        assert [(fleet.healthy, fleet.attached, fleet.version) for fleet in serving] == [(2, True, 2)]
