"""Worlds in which groups do more than keep a size, and what their tests ask of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve

from bluegreen.core.plan import Plan, SharedTargetGroup, WeightedTargetGroups
from bluegreen_sim import Scaling, Settings, SimCloud
from bluegreen_sim.groups.autoscaling import Refused
from bluegreen_sim.world import Group, Instance, World

SHARED = Plan(
    service="s", image="ami-new", launch_template="tpl", groups=("a", "b"), routing=SharedTargetGroup("tg")
)
WEIGHTED = evolve(SHARED, routing=WeightedTargetGroups("tg-a", "tg-b"))
QUICK = Settings(react_seconds=0, pending_seconds=10, deregistration_seconds=30, replace_unhealthy=True)


def cloud_of(capacity: int = 2, scaling: Scaling | None = None, **more: Any) -> SimCloud:
    """A cloud whose live group ``a`` was told this."""
    told = {"a": scaling} if scaling else None
    return SimCloud(more.pop("plan", WEIGHTED), capacity, groups=told, **{"settings": QUICK, **more})


def group(cloud: SimCloud, name: str = "a") -> Group:
    """A group of the world as it is."""
    found = cloud.world.group(name)
    assert found is not None
    return found


def instance(cloud: SimCloud, name: str) -> Instance:
    """An instance of any group."""
    return next(each for g in cloud.world.groups for each in g.instances if each.id == name)


def lives(cloud: SimCloud, name: str = "a") -> dict[str, str]:
    """Where each instance of a group stands."""
    return {each.id: each.life for each in group(cloud, name).instances}


def wanted(cloud: SimCloud, name: str = "a") -> list[str]:
    """Ids of the instances that count for a group's size."""
    return [each.id for each in group(cloud, name).instances if each.staying]


def ask(cloud: SimCloud, what: Callable[..., World], *given: Any, **more: Any) -> None:
    """Ask the world for something."""
    cloud.world = what(cloud.world, *given, **more)


def refused(cloud: SimCloud, what: Callable[..., World], *given: Any, **more: Any) -> str:
    """Ask for something that the world refuses; its words. Nothing may have changed."""
    with pytest.raises(Refused) as no:
        what(cloud.world, *given, **more)
    return str(no.value)
