"""EventBridge and SNS are told of each phase once, and what they do not take stops nothing."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from bluegreen import Deployment
from bluegreen.aws import EventBridgeListener, SnsListener
from bluegreen_sim import SimCloud
from tests.crash.boundaries import Case

if TYPE_CHECKING:
    from tests.moto_server import MotoServer

pytestmark = pytest.mark.contract

CASE = Case(routing="weighted", fleets="standing", changes={})


class Caught:
    """What a listener tells, as the queue behind a topic or a rule has it."""

    def __init__(self, moto: MotoServer) -> None:
        sqs, self.sns, events = moto.client("sqs"), moto.client("sns"), moto.client("events")
        self.queues = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("topic", "bus")}
        self.sqs = sqs
        arns = {name: f"arn:aws:sqs:us-east-1:123456789012:{name}" for name in self.queues}
        self.topic = self.sns.create_topic(Name="releases")["TopicArn"]
        self.sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=arns["topic"])
        events.create_event_bus(Name="releases")
        pattern = json.dumps({"source": ["bluegreen"]})
        events.put_rule(Name="all", EventBusName="releases", EventPattern=pattern)
        events.put_targets(Rule="all", EventBusName="releases", Targets=[{"Id": "q", "Arn": arns["bus"]}])

    def messages(self, name: str) -> list[dict[str, Any]]:
        """What arrived, in order."""
        found: list[dict[str, Any]] = []
        while some := self.sqs.receive_message(QueueUrl=self.queues[name], MaxNumberOfMessages=10).get(
            "Messages"
        ):
            found += [json.loads(each["Body"]) for each in some]
            for each in some:
                self.sqs.delete_message(QueueUrl=self.queues[name], ReceiptHandle=each["ReceiptHandle"])
        return found


@pytest.fixture
def caught(moto: MotoServer) -> Caught:
    """A topic and a bus, each with a queue behind it."""
    return Caught(moto)


@pytest.fixture
def listeners(moto: MotoServer, caught: Caught) -> Iterator[list[Any]]:
    """Both listeners."""
    at = {"session": moto.session(), "endpoint_url": moto.url}
    with (
        closing(SnsListener(caught.topic, **at)) as sns,
        closing(EventBridgeListener("releases", **at)) as bus,
    ):
        yield [sns, bus]


def entered(deployment: Deployment) -> list[str]:
    """The phases and rungs that a deployment entered."""
    ways = [(step.state.phase.value, step.state.rung) for step in deployment.history]
    return [now[0] for now, before in zip(ways, [None, *ways], strict=False) if now != before]


def test_each_phase_is_told_once(caught: Caught, listeners: list[Any]) -> None:
    """Both tell of each phase entered, in order, with the deployment, the reason and whether it ended."""
    deployment = Deployment(CASE.plan, SimCloud(CASE.plan, traffic=0), listeners=listeners)
    result = deployment.run()
    told = [json.loads(message["Message"]) for message in caught.messages("topic")]
    events = caught.messages("bus")
    assert [message["phase"] for message in told] == entered(deployment)
    assert [event["detail"] for event in events] == told
    assert {event["detail-type"] for event in events} == {"bluegreen deployment phase"}
    assert {message["deployment_id"] for message in told} == {result.deployment_id}
    assert (told[-1]["phase"], told[-1]["ended"], told[-1]["reason"]) == ("promoted", True, result.reason)
    assert not any(message["needs_a_person"] for message in told)


def test_who_waits_for_a_person_says_so(caught: Caught, listeners: list[Any]) -> None:
    """When an approval is awaited a message says that a person is needed, for topics to filter by."""
    from bluegreen import strategies

    plan = Case(
        routing="weighted", fleets="standing", changes={"strategy": strategies.canary(10, 20, approval=True)}
    ).plan
    Deployment(plan, SimCloud(plan, traffic=0), listeners=listeners).run()
    last = caught.messages("topic")[-1]
    assert json.loads(last["Message"])["needs_a_person"] is True
    assert last["MessageAttributes"]["needs_a_person"] == {"Type": "String", "Value": "true"}
    assert last["Subject"].endswith(": bake")


def test_what_is_not_taken_stops_nothing(
    moto: MotoServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A topic that is not there, and a bus that takes no event, are a line in the log each time."""
    at = {"session": moto.session(), "endpoint_url": moto.url}
    sns = SnsListener("arn:aws:sns:us-east-1:123456789012:nowhere", **at)
    bus = EventBridgeListener("releases", **at)
    refused = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]}
    monkeypatch.setattr(bus._clients.write.events, "put_events", lambda **_: refused)
    with closing(sns), closing(bus), caplog.at_level(logging.WARNING, logger="bluegreen"):
        assert Deployment(CASE.plan, SimCloud(CASE.plan, traffic=0), listeners=[sns, bus]).run().ok
    assert "listener failed" in caplog.text
    said = {record.error for record in caplog.records if hasattr(record, "error")}
    assert "EventBridge took no event: InternalFailure" in said
    assert any("NotFound" in text for text in said)
