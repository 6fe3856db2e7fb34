"""Listeners that tell AWS how a deployment goes: EventBridge events and SNS messages, one for each phase.

They tell of what a pass changed, not of every pass. What cannot be told is logged by the loop and stops
nothing; it is not told again.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..core.errors import BlueGreenError
from ..core.observation import Observation
from ..core.state import Phase, State, Step
from ..core.text import escaped
from .clients import Clients

if TYPE_CHECKING:
    import boto3

DETAIL_TYPE = "bluegreen deployment phase"
SUBJECT_LIMIT = 99
"""Amazon SNS API reference, Publish: a subject is ASCII, on one line, and shorter than 100 characters."""
CALL_SECONDS = 5


class _Teller(ABC):
    """What both listeners share: what is told, when, and by which clients."""

    def __init__(self, session: boto3.Session | None, endpoint_url: str | None) -> None:
        self._clients = Clients(session, endpoint_url=endpoint_url, call_seconds=CALL_SECONDS)
        self._before: tuple[Any, ...] | None = None

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        self._clients.close()

    def stepped(self, step: Step, observation: Observation) -> None:
        """Tell of a pass that entered a phase or a rung, or that waits for a person from now on."""
        del observation
        state = step.state
        now = (state.ledger.deployment_id, state.phase, state.rung, state.awaiting, state.paused)
        if now != self._before:
            self._before = now
            self._tell(_message(step))

    @abstractmethod
    def _tell(self, message: Mapping[str, Any]) -> None: ...


def _message(step: Step) -> dict[str, Any]:
    """What is told: names, counts and our own sentence, nothing that others wrote but what is in that."""
    state = step.state
    return {
        "deployment_id": state.ledger.deployment_id,
        "phase": state.phase.value,
        "signal": step.signal,
        "reason": step.reason,
        "blue": state.blue,
        "green": state.green,
        "rung": state.rung + 1 if state.phase in (Phase.SHIFT, Phase.BAKE) else None,
        "committed": state.committed,
        "needs_a_person": _needs_a_person(state),
        "ended": state.phase.ended,
    }


def _needs_a_person(state: State) -> bool:
    return state.phase is Phase.HALTED or state.awaiting or state.paused


class EventBridgeListener(_Teller):
    """Puts an event on a bus whenever a deployment enters a phase.

    Args:
        bus: The bus's name or ARN.
        session: A boto3 session; None makes one from the environment.
        source: What events say they come from; rules match it.
        endpoint_url: Where EventBridge is; None is AWS.
    """

    def __init__(
        self,
        bus: str = "default",
        *,
        session: boto3.Session | None = None,
        source: str = "bluegreen",
        endpoint_url: str | None = None,
    ) -> None:
        """Make no call yet."""
        super().__init__(session, endpoint_url)
        self._bus, self._source = bus, source

    def _tell(self, message: Mapping[str, Any]) -> None:
        entry: Any = {
            "EventBusName": self._bus,
            "Source": self._source,
            "DetailType": DETAIL_TYPE,
            "Detail": json.dumps(message),
        }
        answer = self._clients.write.events.put_events(Entries=[entry])
        if answer["FailedEntryCount"]:  # refused without an error (EventBridge API reference, PutEvents)
            raise BlueGreenError(f"EventBridge took no event: {answer['Entries'][0].get('ErrorCode')}")


class SnsListener(_Teller):
    """Publishes a message to a topic whenever a deployment enters a phase.

    Attributes of the message, for filters: ``phase``, ``needs_a_person`` and ``ended``.

    Args:
        topic_arn: The topic.
        session: A boto3 session; None makes one from the environment.
        endpoint_url: Where SNS is; None is AWS.
    """

    def __init__(
        self, topic_arn: str, *, session: boto3.Session | None = None, endpoint_url: str | None = None
    ) -> None:
        """Make no call yet."""
        super().__init__(session, endpoint_url)
        self._topic_arn = topic_arn

    def _tell(self, message: Mapping[str, Any]) -> None:
        subject = f"{message['deployment_id']}: {message['phase']}"
        self._clients.write.sns.publish(
            TopicArn=self._topic_arn,
            Subject=escaped(subject, SUBJECT_LIMIT),
            Message=json.dumps(message),
            MessageAttributes={
                name: {"DataType": "String", "StringValue": str(message[name]).lower()}
                for name in ("phase", "needs_a_person", "ended")
            },
        )
