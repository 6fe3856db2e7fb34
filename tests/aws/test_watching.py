"""CloudWatch behind the adapter: alarms between two looks, and metrics by colour."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from bluegreen import Alarm, Deployment, MetricGate
from bluegreen.aws import AwsCloud, watching
from bluegreen.core.observation import Observation, Reading
from bluegreen.core.state import Ledger, Loan, Phase
from bluegreen_sim import SimCloud
from bluegreen_sim.endpoint import session
from bluegreen_sim.engine import set_alarm, with_faults
from bluegreen_sim.faults import AlarmRed
from tests.aws.operations import models
from tests.contract.providers import Hands, plan_for
from tests.moto_account import Account, lay_out

if TYPE_CHECKING:
    from tests.moto_server import MotoServer

pytestmark = pytest.mark.contract

PLAN = plan_for("weighted", gates=(Alarm(name="errors"), Alarm(name="lag")))
BEFORE = Ledger("exercise-1-00000000")
UNDER_WAY = Ledger("exercise-1-00000000", (Loan("exercise-group-blue", "min", 2),))


class Wire:
    """A simulated world, and what the adapter asks of CloudWatch."""

    def __init__(self) -> None:
        self.world = SimCloud(PLAN, traffic=0)
        self.asked: list[str] = []

    @contextmanager
    def cloud(self) -> Iterator[AwsCloud]:
        """The adapter of a new process."""
        cloud = AwsCloud(session(self.world), clock=self.world.clock)
        events = cloud.clients.read.cloudwatch.meta.events
        events.register("before-call.cloudwatch", lambda model, **_: self.asked.append(model.name))
        try:
            yield cloud
        finally:
            cloud.close()

    def put(self, state: str, after: float = 1) -> None:
        """Let time pass, and an alarm be in a state."""
        self.world.clock.sleep(after)
        self.world.world = set_alarm(self.world.world, "errors", state)


def last_red(look: Observation) -> float:
    """Of the alarm that is moved."""
    reading = look.reading("errors")
    assert reading is not None
    assert reading.last_red is not None
    return reading.last_red


# --------------------------------------------------------------------------------------------------- alarms


def test_an_alarm_that_was_red_between_two_looks_is_seen_to_have_been() -> None:
    """Its time rises by a red that nobody saw, and by nothing else: not by data that was missing."""
    wire = Wire()
    with wire.cloud() as cloud:
        first = last_red(cloud.observe(PLAN, BEFORE))
        wire.put("no-data")
        wire.put("ok")
        assert last_red(cloud.observe(PLAN, UNDER_WAY)) == first
        wire.put("alarm")
        wire.put("ok")
        look = cloud.observe(PLAN, UNDER_WAY)
        risen = last_red(look)
        assert risen > first
        assert [reading.reading for reading in look.gates] == [Reading.PASS, Reading.PASS]
        wire.put("no-data")
        assert last_red(cloud.observe(PLAN, UNDER_WAY)) == risen


def test_another_process_sees_it_as_well() -> None:
    """A process that begins under way reads the history, so a crash between red and green hides nothing."""
    wire = Wire()
    wire.put("alarm")
    wire.put("ok")
    with wire.cloud() as cloud:
        first = last_red(cloud.observe(PLAN, BEFORE))
    with wire.cloud() as cloud:
        assert last_red(cloud.observe(PLAN, UNDER_WAY)) <= first
    wire.put("alarm")
    wire.put("ok")
    with wire.cloud() as cloud:
        assert last_red(cloud.observe(PLAN, UNDER_WAY)) > first


def test_a_history_is_read_only_when_an_alarm_has_changed() -> None:
    """A quiet pass asks one call for all alarms; each that changed and is not red asks one more."""
    wire = Wire()
    with wire.cloud() as cloud:
        cloud.observe(PLAN, BEFORE)
        cloud.observe(PLAN, UNDER_WAY)
        assert wire.asked == ["DescribeAlarms", "DescribeAlarms"]
        wire.asked.clear()
        wire.put("no-data")
        cloud.observe(PLAN, UNDER_WAY)
        cloud.observe(PLAN, UNDER_WAY)
        assert wire.asked == ["DescribeAlarms", "DescribeAlarmHistory", "DescribeAlarms"]
        wire.asked.clear()
        wire.put("alarm")
        cloud.observe(PLAN, UNDER_WAY)
        assert wire.asked == ["DescribeAlarms"]


def test_a_history_that_cannot_be_read_has_no_data() -> None:
    """What the alarm was meanwhile is unknown, so it does not pass; the next look asks again."""
    wire = Wire()
    with wire.cloud() as cloud:
        cloud.observe(PLAN, BEFORE)
        wire.put("alarm")
        wire.put("ok")
        refused = True

        def answer(parsed: Any, http_response: Any, **_: Any) -> None:
            if refused:
                http_response.status_code = 403
                parsed["Error"] = {"Code": "AccessDenied", "Message": "no"}

        events = cloud.clients.read.cloudwatch.meta.events
        events.register("after-call.cloudwatch.DescribeAlarmHistory", answer)
        reading = cloud.observe(PLAN, UNDER_WAY).reading("errors")
        assert reading is not None
        assert (reading.reading, reading.last_red) == (Reading.NO_DATA, None)
        assert "what it was cannot be read" in reading.detail
        refused = False
        assert last_red(cloud.observe(PLAN, UNDER_WAY)) > 0


def test_a_short_alarm_turns_a_deployment_back_through_boto3() -> None:
    """Red for a second between two looks of the adapter: rolled back, as with SimCloud itself."""
    wire = Wire()
    with wire.cloud() as cloud:
        deployment = Deployment(PLAN, cloud)
        for step in deployment.steps():
            if step.state.phase is Phase.BAKE:
                break
        wire.world.world = with_faults(wire.world.world, (AlarmRed("errors", 1, for_seconds=1),))
        result = deployment.run()
    assert result.phase is Phase.ROLLED_BACK
    assert "errors (red between two looks, now pass)" in result.reason


# -------------------------------------------------------------------------------------------------- metrics

NOW = datetime(2026, 7, 1, 12, 0, 30, tzinfo=UTC)
ERRORS = MetricGate(name="errors", metric="HTTPCode_Target_5XX_Count", threshold=5, periods=3, missing="zero")
SHARE = attrs.evolve(ERRORS, name="share", divided_by="RequestCount", threshold=0.1)
CPU = MetricGate(
    name="cpu", namespace="AWS/EC2", metric="CPUUtilization", statistic="Average", by="group", threshold=80
)


def put(moto: MotoServer, metric: str, minutes: int, value: float, **dimensions: str) -> None:
    """A value so many minutes before noon."""
    named = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    moto.client("cloudwatch").put_metric_data(
        Namespace="AWS/EC2" if metric == "CPUUtilization" else "AWS/ApplicationELB",
        MetricData=[
            {
                "MetricName": metric,
                "Dimensions": named,
                "Timestamp": NOW.replace(second=0) - timedelta(minutes=minutes),
                "Value": value,
            }
        ],
    )


def behind(account: Account, index: int) -> dict[str, str]:
    """The dimensions of a colour's target group, as the balancer publishes them."""
    return {
        "TargetGroup": account.target_group_arns[index].rpartition(":")[2],
        "LoadBalancer": account.load_balancer_arn.partition(":loadbalancer/")[2],
    }


def measured(moto: MotoServer, *gates: MetricGate) -> Any:
    """What the adapter measures of both groups."""
    clock = Hands()
    clock.second = NOW.timestamp()
    plan = plan_for("weighted", gates=gates)
    cloud = AwsCloud(moto.session(), endpoint_url=moto.url, clock=clock)
    try:
        cloud.observe(plan, BEFORE)
        moto.calls.clear()
        return cloud.measure(gates, plan.groups)
    finally:
        cloud.close()


def test_each_colour_is_measured_by_its_target_group(moto: MotoServer) -> None:
    """Sums of whole, settled minutes, the newest first; a minute without a value is zero where it may be."""
    account = lay_out(moto)
    for index, minutes, value in (
        (0, 3, 1.0),
        (1, 3, 7.0),
        (1, 3, 2.0),
        (1, 5, 4.0),
        (1, 1, 99.0),
        (1, 2, 98.0),
    ):
        put(moto, "HTTPCode_Target_5XX_Count", minutes, value, **behind(account, index))
    put(moto, "RequestCount", 3, 100.0, **behind(account, 1))
    found = measured(moto, ERRORS, SHARE)
    blue, green = account.groups
    assert found["errors", blue] == (1.0, 0.0, 0.0)
    assert found["errors", green] == (9.0, 0.0, 4.0)
    assert found["share", green] == (0.09, None, None)
    assert found["share", blue] == (None, None, None)
    assert moto.operations() == ["GetMetricData"]


def test_groups_can_be_measured_too(moto: MotoServer) -> None:
    """By group the dimension is the Auto Scaling group's name; no value is none."""
    account = lay_out(moto)
    put(moto, "CPUUtilization", 3, 55.0, AutoScalingGroupName=account.groups[1])
    found = measured(moto, CPU)
    assert found == {("cpu", account.groups[0]): (None,), ("cpu", account.groups[1]): (55.0,)}


def test_an_answer_that_is_not_complete_is_left_out(moto: MotoServer) -> None:
    """Half an answer would count as nothing where nothing counts as zero."""
    lay_out(moto)
    clock = Hands()
    clock.second = NOW.timestamp()
    plan = plan_for("weighted", gates=(ERRORS,))
    cloud = AwsCloud(moto.session(), endpoint_url=moto.url, clock=clock)

    def cut(parsed: Any, **_: Any) -> None:
        parsed["MetricDataResults"][0]["StatusCode"] = "PartialData"

    try:
        cloud.observe(plan, BEFORE)
        cloud.clients.read.cloudwatch.meta.events.register("after-call.cloudwatch.GetMetricData", cut)
        assert set(cloud.measure([ERRORS], plan.groups)) == {("errors", plan.groups[1])}
    finally:
        cloud.close()


def test_a_call_asks_no_more_than_it_may() -> None:
    """The numbers of queries and of alarms a call are the API's."""
    shape = models()["cloudwatch"].operation_model("DescribeAlarms").input_shape
    assert shape is not None
    assert shape.members["AlarmNames"].metadata["max"] == watching.ALARMS_A_CALL
    assert watching.QUERIES_A_CALL == 500
