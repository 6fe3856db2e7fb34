"""Throttling: a question waits for its turn, a wish waits for the next pass, and no deployment turns back."""

from __future__ import annotations

import boto3
import pytest
from attrs import define

from bluegreen import strategies
from bluegreen.aws.clients import READ_ATTEMPTS, THROTTLED_ATTEMPTS, Clients
from bluegreen_sim import BlindLook, Settings, SimCloud
from bluegreen_sim.endpoint import Limits, session
from bluegreen_sim.endpoint.server import serve
from tests.crowd import Counting, Routing, deployed, plan

QUICK = Settings(deregistration_seconds=30)
PLAN = plan(0, "weighted", strategies.all_at_once(10))


@define
class Stingy(Counting):
    """Refuses the first calls, so many of them."""

    first: int = 0

    def take(self, service: str, operation: str, now_ms: int, *, read: bool) -> bool:
        super().take(service, operation, now_ms, read=read)
        return self.asked.total() > self.first


def test_a_throttled_question_is_asked_for_longer() -> None:
    """It is asked again after pauses that grow, as often as was decided."""
    cloud, limits = SimCloud(PLAN), Stingy(first=THROTTLED_ATTEMPTS - 1)
    scaling = Clients(session(cloud, throttled=limits)).read.autoscaling
    assert scaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    assert limits.asked.total() == THROTTLED_ATTEMPTS
    assert cloud.clock.now() == 1 + 2 + 4 + 8 + 16


def test_patience_is_the_same_on_a_real_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore's own transport asks as often, after pauses drawn up to limits that double."""
    pauses: list[float] = []
    monkeypatch.setattr("botocore.endpoint.time.sleep", pauses.append)
    monkeypatch.setattr("random.uniform", lambda _low, high: high)
    limits = Stingy(first=THROTTLED_ATTEMPTS - 1)
    with serve(SimCloud(PLAN), throttled=limits) as server:
        clients = Clients(boto3.Session("a", "b", region_name="us-east-1"), endpoint_url=server.url)
        assert clients.read.elbv2.describe_target_groups()["TargetGroups"]
        clients.close()
    assert limits.asked.total() == THROTTLED_ATTEMPTS
    assert pauses == [2, 4, 8, 16, 20]


def test_a_question_that_stays_throttled_is_given_up() -> None:
    """After the last attempt the error is told, and the part of the look is unread."""
    limits = Stingy(first=99)
    scaling = Clients(session(SimCloud(PLAN), throttled=limits)).read.autoscaling
    with pytest.raises(scaling.exceptions.ClientError, match="Throttling"):
        scaling.describe_auto_scaling_groups()
    assert limits.asked.total() == THROTTLED_ATTEMPTS


def test_an_outage_is_noticed_sooner() -> None:
    """A service that is unavailable is asked as often as botocore's standard mode asks, and no longer."""
    cloud = SimCloud(PLAN, faults=[BlindLook(look) for look in range(1, 20)])
    scaling = Clients(session(cloud, throttled=(limits := Counting()))).read.autoscaling
    with pytest.raises(scaling.exceptions.ClientError, match="ServiceUnavailable"):
        scaling.describe_auto_scaling_groups()
    assert limits.asked.total() == READ_ATTEMPTS


def test_a_throttled_wish_is_sent_once() -> None:
    """What changes something is left to the next pass, which looks first."""
    limits = Stingy(first=99)
    scaling = Clients(session(SimCloud(PLAN), throttled=limits)).write.autoscaling
    with pytest.raises(scaling.exceptions.ClientError, match="Throttling"):
        scaling.set_desired_capacity(AutoScalingGroupName="s00-a", DesiredCapacity=3)
    assert limits.asked.total() == 1


def test_worlds_share_the_buckets_of_their_account() -> None:
    """What one service's calls take is missing for another's; a call from the past refills nothing."""
    limits = Limits()
    for now in (9_000, 0):
        taken = [limits.take("elbv2", "DescribeRules", now, read=True) for _ in range(41)]
        assert taken.count(True) == (40 if now else 0)
    assert [limits.take("elbv2", "DescribeRules", 9_100, read=True) for _ in range(2)] == [True, False]


@pytest.mark.slow
@pytest.mark.parametrize("routing", ["weighted", "shared"])
def test_fifty_deployments_at_once_are_all_promoted(routing: Routing) -> None:
    """With AWS's buckets for all of them, which every tenth call finds empty, none halts or turns back."""
    crowd = deployed(50, strategies.all_at_once(10), routings=[routing], settings=QUICK)
    assert {result.phase.value for result in crowd.results} == {"promoted"}
    phases = {step.state.phase.value for result in crowd.results for step in result.history}
    assert not phases & {"roll_back", "discard", "halted"}
    assert crowd.failed_requests == 0
    assert crowd.limits.refused.total() > crowd.limits.asked.total() / 10, (
        "the buckets were too large to matter"
    )
