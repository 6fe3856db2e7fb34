"""What both doors of a world show of groups that do more than keep a size."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from bluegreen.aws import AwsCloud
from bluegreen.core.state import Ledger
from bluegreen_sim import Hook, NeverHealthy, Scaling, SimCloud
from bluegreen_sim.endpoint import session
from bluegreen_sim.groups import autoscaling, membership
from tests.sim.grouped import QUICK, WEIGHTED, ask, cloud_of, group

BY_EC2 = evolve(QUICK, replace_unhealthy=False, boot_seconds=(0,))


def waiting() -> SimCloud:
    """An instance waits at a launch hook."""
    cloud = cloud_of(2, Scaling(hooks=(Hook("ready"),)), settings=BY_EC2)
    ask(cloud, autoscaling.set_size, "a", 3, 0, 4)
    cloud.clock.sleep(20)
    return cloud


def drained() -> SimCloud:
    """Another one waits at a termination hook, after it has drained."""
    cloud = cloud_of(2, Scaling(hooks=(Hook("logs", "terminate"),)), settings=BY_EC2)
    ask(cloud, autoscaling.set_size, "a", 1, 0, 4)
    cloud.clock.sleep(40)
    return cloud


def unregistered() -> SimCloud:
    """One was never registered."""
    cloud = cloud_of(2, settings=BY_EC2)
    ask(cloud, autoscaling.suspend, "a", ["AddToLoadBalancer"], suspended=True)
    ask(cloud, autoscaling.set_size, "a", 3, 0, 4)
    cloud.clock.sleep(60)
    return cloud


def given_up() -> SimCloud:
    """One is healthy, and its group has given it up."""
    cloud = cloud_of(2, settings=BY_EC2)
    ask(cloud, autoscaling.suspend, "a", ["ReplaceUnhealthy"], suspended=True)
    ask(cloud, membership.set_health, group(cloud), "i-0001", healthy=False, heed_grace=True)
    return cloud


def aside() -> SimCloud:
    """One is in standby, one on its way there, one on its way out of the group."""
    cloud = cloud_of(4, settings=BY_EC2)
    ask(cloud, membership.enter_standby, "a", ["i-0001"], lower=False)
    cloud.clock.sleep(31)
    ask(cloud, membership.enter_standby, "a", ["i-0002"], lower=False)
    ask(cloud, membership.detach_instances, "a", ["i-0003"], lower=False)
    return cloud


def unpinned() -> SimCloud:
    """A group is on the latest version, and its applications never answer."""
    cloud = cloud_of(2, settings=BY_EC2, faults=[NeverHealthy("blue")])
    ask(cloud, autoscaling.set_version, "a", "$Latest")
    ask(cloud, autoscaling.set_size, "a", 3, 0, 4)
    cloud.clock.sleep(60)
    return cloud


@pytest.mark.slow
@pytest.mark.parametrize("world", [waiting, drained, unregistered, given_up, aside, unpinned])
def test_both_doors_show_the_same_health(world: Any) -> None:
    """Whatever its group makes of an instance, the adapter sees what the simulator's own look sees."""
    cloud = world()
    seen = cloud.observe(WEIGHTED, Ledger("d")).fleet("a")
    through = AwsCloud(session=session(cloud), clock=cloud.clock).observe(WEIGHTED, Ledger("d")).fleet("a")
    assert seen is not None
    assert through is not None
    assert [(t.id, t.version, t.health) for t in through.targets] == [
        (t.id, t.version, t.health) for t in seen.targets
    ]
    assert (through.version, through.frozen, through.desired) == (seen.version, seen.frozen, seen.desired)
