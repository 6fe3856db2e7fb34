"""HAProxy keeps the promises of the ``Cloud`` port: the contract suite, asked of real processes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
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


def promises(argument: str) -> dict[str, Callable[..., None]]:
    """The suite's tests with an argument of this name."""
    return {
        name: promise
        for name, promise in vars(test_cloud).items()
        if name.startswith("test_") and argument in inspect.signature(promise).parameters
    }


# Every promise that the suite asks of a `place` is asked of this one: pytest collects what it finds here.
globals().update(promises("place"))


@frozen
class RealPlace(Place):
    """A place where time is real, so that rest is waited for and no longer than it takes."""

    def rest(self) -> Observation:
        """What is seen when all that is under way has come to its end."""
        assert isinstance(self.cloud, HaproxyCloud)
        return rest(self.cloud, "exercise-1-00000000")


@contextmanager
def placed(
    name: str,
    routing: str,
    moto: None = None,
    *,
    live: int | None = 0,
    groups_exist: bool = True,
    **changes: Any,
) -> Iterator[RealPlace]:
    """The suite's function of this name, for the one provider that is here."""
    del moto
    plan = plan_for(routing, **in_short(routing), **changes)
    with haproxy(plan, speed=SPEED, live=live, groups_exist=groups_exist) as cloud:
        yield RealPlace(name, plan, cloud, cloud.broken.add)


@pytest.fixture(params=ROUTINGS)
def place(request: pytest.FixtureRequest) -> Iterator[RealPlace]:
    """The suite's fixture of this name, for this module."""
    with placed("haproxy", request.param) as found:
        yield found


@pytest.mark.parametrize("routing", ROUTINGS)
@pytest.mark.parametrize("promise", promises("where").values(), ids=lambda promise: promise.__name__)
def test_other_worlds(
    promise: Callable[..., None],
    routing: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the suite asks of worlds that it makes itself holds in those that are made here."""
    monkeypatch.setattr(test_cloud, "placed", placed)
    promise(("haproxy", routing), request)


def test_the_whole_suite_is_asked() -> None:
    """No promise of the suite is left out: the one that compares its own providers is asked below."""
    asked = {*promises("place"), *promises("where"), "test_every_cloud_is_deployed_to_alike"}
    assert {name for name in vars(test_cloud) if name.startswith("test_")} == asked


@pytest.mark.parametrize("spoiled", [None, NEXT], ids=["sound", "broken"])
@pytest.mark.parametrize("routing", ROUTINGS)
def test_it_is_deployed_to_like_the_simulator(routing: str, spoiled: str | None) -> None:
    """The same plan enters the same phases for the same kinds of reasons as on the simulator."""
    courses = []
    with (
        placed_elsewhere("simulator", routing, None, **in_short(routing)) as simulated,
        placed("haproxy", routing) as real,
    ):
        for found in (simulated, real):
            if spoiled:
                found.spoil(spoiled)
            courses.append(Course.of(found.deployment()).entered)
    assert courses[0][-1][0] == ("rolled_back" if spoiled else "promoted")
    assert courses[1] == courses[0]
