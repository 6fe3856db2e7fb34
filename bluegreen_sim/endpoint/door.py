"""One world behind AWS's wire: request bytes in, response bytes out.

A request is read by botocore's model, checked, answered by the world and checked again. Whatever goes wrong
with calls and looks of a ``SimCloud`` goes wrong here, at the same count: a call is a request that changes
something, a look is all that is read at one moment.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import partial
from typing import Any

from attrs import evolve

from bluegreen_sim import engine
from bluegreen_sim.cloud import SimCloud
from bluegreen_sim.faults import BlindLook, LateCall, RefusedCall, StaleLook
from bluegreen_sim.groups import autoscaling
from bluegreen_sim.groups.autoscaling import Refused
from bluegreen_sim.world import World

from . import strict, wire
from .answers import CHANGES, MEASURES, READS
from .asking import Change, NotSimulated, Read
from .limits import Limits
from .models import service_model
from .notes import note, noted
from .refusals import invalid, refusal
from .wire import AwsError

BLIND = ("autoscaling", "elbv2")
"""The services that a blind look cannot read: those of groups and weights."""
PAGE_TOKENS = {"NextToken", "Marker"}
TOLD = ("refused by the simulator, as it was told", "not found, says the simulator, as it was told")
"""Auto Scaling's words tell what is missing; it has no code for it."""


class Unanswered(Exception):
    """The connection broke before an answer came; ``sent`` says whether the request had arrived."""

    def __init__(self, *, sent: bool) -> None:
        """Keep whether it had arrived."""
        super().__init__("no answer")
        self.sent = sent


class WrongAnswer(Exception):
    """An answer that AWS's model does not allow: a defect of the simulator, never of who asks."""


class Door:
    """Answers requests from the world of a ``SimCloud``, one at a time.

    Args:
        cloud: Whose world, clock and choices.
        limits: Buckets that calls take tokens from; None lets everybody call as often as they like.
    """

    def __init__(self, cloud: SimCloud, limits: Limits | None = None) -> None:
        """Begin with nothing asked."""
        self.cloud = cloud
        self._limits = limits
        self._served = 0
        self._lock = threading.RLock()
        # The look that goes on: the world at its moment, what it sees, which groups it asked for, its fault.
        self._moment: World | None = None
        self._seen = cloud.world
        self._groups_asked: list[dict[str, Any]] = []
        self._fate: StaleLook | BlindLook | None = None

    def handle(self, name: str, headers: Mapping[str, Any], body: bytes, path: str) -> wire.Reply:
        """The response to a request.

        Args:
            name: Of the service that is asked.
            headers: The request's headers.
            body: Its body, unpacked.
            path: Its path.

        Raises:
            Unanswered: If there is none.
            NotSimulated: If the world cannot do what is asked.
            WrongAnswer: If the answer would not be AWS's.
        """
        service = service_model(name)
        with self._lock:
            self._served += 1
            request_id = f"00000000-0000-0000-0000-{self._served:012x}"
            protocol: wire.Protocol = "query"
            try:
                request = wire.read(service, headers, body, path)
                protocol = request.protocol
                result = self._answer(name, request)
            except wire.Malformed as error:
                said = AwsError("MalformedQueryString", str(error))
                return wire.failed(service, protocol, said, request_id)
            except AwsError as error:
                return wire.failed(service, protocol, error, request_id)
            if faults := strict.faults(result, request.operation.output_shape):
                raise WrongAnswer(f"{request.operation.name}: {'; '.join(faults)}")
            reply = wire.answered(request, result, request_id)
            if request.operation.name in READS[name] and self._blind(name) == "garbled":
                return evolve(reply, body=reply.body[: len(reply.body) // 2])
            return reply

    def token(self) -> str:
        """A client token for who gave none; botocore would draw one at random."""
        with self._lock:
            number = note(self.cloud.world, "tokens", 0) + 1
            self.cloud.world = noted(self.cloud.world, "tokens", number)
            return f"simulated-{number}"

    def _answer(self, service: str, request: wire.Request) -> dict[str, Any]:
        operation, given = request.operation.name, request.parameters
        read, change = READS[service].get(operation), CHANGES[service].get(operation)
        measure = MEASURES.get(service, {}).get(operation)
        if read is None and change is None and measure is None:
            known = ", ".join(sorted([*READS[service], *CHANGES[service], *MEASURES.get(service, ())]))
            raise NotSimulated(f"{service} {operation} is not simulated; these operations are: {known}")
        now = self.cloud.world.now
        if self._limits and not self._limits.take(service, operation, now, read=change is None):
            raise refusal(service, "throttled", "")
        if faults := strict.faults(given, request.operation.input_shape):
            raise invalid(service, "; ".join(faults))
        if given.pop("DryRun", False):
            raise AwsError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)
        try:
            if change is not None:
                return self._change(service, operation, given)
            if measure is not None:
                return measure(self.cloud, given)
            assert read is not None
            return self._look(service, operation, read, given)
        except Refused as no:
            say = invalid if no.kind == "bug" else partial(refusal, kind=no.kind)
            raise say(service, detail=str(no)) from no

    def _change(self, service: str, operation: str, given: dict[str, Any]) -> dict[str, Any]:
        cloud, change = self.cloud, CHANGES[service][operation]
        cloud.world, fate = engine.before_call(cloud.world, cloud.choices)
        autoscaling.permitted(cloud.world, operation)
        if isinstance(fate, RefusedCall):
            if fate.error == "not-sent":
                raise Unanswered(sent=False)
            raise refusal(service, fate.error, TOLD[fate.error == "absent"])
        if fate is None:
            cloud.world, result = change(cloud.world, given)
            return result
        if isinstance(fate, LateCall):
            cloud.later(fate.seconds, partial(_unheard, change, given))
        elif fate.applied:
            cloud.world = _unheard(change, given, cloud.world)
        raise Unanswered(sent=True)

    def _look(self, service: str, operation: str, read: Read, given: dict[str, Any]) -> dict[str, Any]:
        groups = operation == "DescribeAutoScalingGroups"
        if self.cloud.world is not self._moment or (groups and given in self._groups_asked):
            self._begin_look()
        if groups:
            self._groups_asked.append(given)
        how = self._blind(service)
        if how == "unavailable" or (how == "cut-short" and given.keys() & PAGE_TOKENS):
            raise refusal(service, "unavailable", "the look is blind, as the simulator was told")
        return read(self._seen, given)

    def _blind(self, service: str) -> str | None:
        """How the look that goes on cannot read a service; None when it can."""
        return self._fate.how if isinstance(self._fate, BlindLook) and service in BLIND else None

    def _begin_look(self) -> None:
        """A look ends when time passes, when something changes, when the same groups are asked for again."""
        cloud = self.cloud
        before, self._fate = engine.before_look(cloud.world, cloud.choices)
        self._moment = cloud.world = engine.remembered(before)
        self._seen, self._groups_asked = before, []
        if isinstance(self._fate, StaleLook):
            self._seen = next(iter(before.history[-self._fate.age :]), before)


def _unheard(change: Change, given: dict[str, Any], world: World) -> World:
    """The world after a request whose answer nobody hears: refused on arrival, it changes nothing."""
    try:
        return change(world, given)[0]
    except (Refused, AwsError):
        return world
