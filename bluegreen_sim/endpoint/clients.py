"""boto3 with another transport: all of botocore but the socket and the clock.

Each client of a session gets an endpoint that asks the door instead of the network. Serialisation, parsing,
typed exceptions, paginators, waiters and retries are botocore's own; what they wait is virtual, and what they
draw at random is not.
"""

from __future__ import annotations

import io
import itertools
import os
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore import UNSIGNED, xform_name
from botocore.awsrequest import AWSResponse, HeadersDict
from botocore.config import Config
from botocore.endpoint import Endpoint
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError
from botocore.hooks import first_non_none_response
from botocore.model import OperationModel
from botocore.utils import parse_timestamp
from botocore.waiter import NormalizedOperationMethod, Waiter

from bluegreen_sim.cloud import SimCloud

from . import models, names
from .answers import READS, elbv2
from .asking import NotSimulated
from .door import Door, Unanswered
from .limits import Limits

LONGEST_PAUSE_SECONDS = 20
"""botocore's own limit in its standard mode."""


def session(
    cloud: SimCloud, *, throttled: bool | Limits = False, rule_priority: int | None = None
) -> boto3.session.Session:
    """A boto3 session in which every client is answered by the world of ``cloud``.

    Nothing in it can reach a network, and it needs no credentials, region or configuration. Pauses of waiters
    and retries pass in the cloud's virtual time.

    Args:
        cloud: Whose world; several sessions may share it.
        throttled: Whether calls take tokens from buckets of the sizes that AWS documents; a ``Limits`` is
            an account's buckets, for worlds that share them.
        rule_priority: Priority of the rule that divides the traffic; None keeps what the world has, which is
            the listener's default rule as long as nobody said otherwise.

    Raises:
        NotSimulated: From ``session.client(name)`` for a service that is not simulated, and from a call for
            an operation that is not.
    """
    core = botocore.session.Session()
    core.register_component("data_loader", models.loader())
    core.session_var_map["profile"] = (None, None, None, None)
    for name in ("config_file", "credentials_file"):
        core.set_config_variable(name, os.devnull)
    core.set_config_variable("region", names.REGION)
    core.set_credentials("AKIASIMULATED", "simulated")
    # Nobody reads who asks; botocore would put its long answer together anew for every request.
    core.set_default_client_config(Config(signature_version=UNSIGNED, user_agent="bluegreen_sim"))
    core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_moment)
    if rule_priority is not None:
        cloud.world = elbv2.with_priority(cloud.world, rule_priority)
    door = Door(cloud, Limits() if throttled is True else throttled or None)
    base = type("VirtualClient", (VirtualClient,), {"_door": door})

    def creating(**event: Any) -> None:
        event["base_classes"].insert(0, base)

    def naming(**event: Any) -> None:
        for name in event["model"].idempotent_members:
            if name not in event["params"]:
                event["params"][name] = door.token()

    core.register("creating-client-class", creating)
    core.get_component("event_emitter").register_first("before-parameter-build", naming)
    return boto3.session.Session(botocore_session=core)


@lru_cache(maxsize=1024, typed=True)
def _moment(value: Any) -> datetime:
    """A moment as botocore reads it; the same few come in every answer about the same instances."""
    return parse_timestamp(value)


class VirtualClient:
    """What comes before ``BaseClient`` in the class of every client: its endpoint asks the door."""

    _door: Door
    _endpoint: Any
    meta: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Let botocore make the client, then exchange its transport."""
        super().__init__(*args, **kwargs)
        service = self.meta.service_model.service_name
        if service not in READS:
            raise NotSimulated(f"{service} is not simulated; these services are: {', '.join(READS)}")
        if self.meta.config.retries.get("mode") == "adaptive":
            raise NotSimulated("the retry mode 'adaptive' sleeps in real time; use 'standard' or 'legacy'")
        self._endpoint.__class__ = VirtualEndpoint
        self._endpoint.door = self._door
        self._endpoint.service = service

    def get_waiter(self, waiter_name: str) -> Waiter:
        """The same waiter, pausing in virtual time."""
        found: Waiter = super().get_waiter(waiter_name)  # type: ignore[misc]
        return VirtualWaiter(found, self, self._door)


class VirtualEndpoint(Endpoint):
    """An endpoint without a socket."""

    door: Door
    service: str
    _event_emitter: Any

    def _send(self, request: Any) -> AWSResponse:
        body = request.body or b""
        try:
            reply = self.door.handle(
                self.service,
                request.headers,
                body.encode() if isinstance(body, str) else body,
                urlsplit(request.url).path,
            )
        except Unanswered as lost:
            error = ConnectionClosedError if lost.sent else EndpointConnectionError
            raise error(endpoint_url=request.url) from lost
        raw: Any = _Raw(reply.body)
        headers: Any = HeadersDict(reply.headers)
        return AWSResponse(request.url, reply.status, headers, raw)

    def _needs_retry(
        self,
        attempts: int,
        operation_model: OperationModel,
        request_dict: dict[str, Any],
        response: Any = None,
        caught_exception: Exception | None = None,
    ) -> bool:
        """Whether botocore's handlers would try again; if so, after a pause of ours."""
        name = f"needs-retry.{operation_model.service_model.service_id.hyphenize()}.{operation_model.name}"
        answers = self._event_emitter.emit(
            name,
            response=response,
            endpoint=self,
            operation=operation_model,
            attempts=attempts,
            caught_exception=caught_exception,
            request_dict=request_dict,
        )
        pause = first_non_none_response(answers)
        if pause is None or pause is False:
            return False
        self.door.cloud.clock.sleep(min(2 ** (attempts - 1), LONGEST_PAUSE_SECONDS))
        return True


class _Raw(io.BytesIO):
    """A body as botocore reads it from a connection."""

    def stream(self) -> Any:
        """All of it in one piece."""
        yield self.read()


class VirtualWaiter(Waiter):
    """A waiter that looks as often as the one that it was made of, and pauses in virtual time."""

    config: Any  # the stubs take it for a dict

    def __init__(self, waiter: Waiter, client: Any, door: Door) -> None:
        """Ask what the other would ask."""
        config: Any = waiter.config
        self._look = NormalizedOperationMethod(getattr(client, xform_name(config.operation)))
        self._sleep = door.cloud.clock.sleep
        super().__init__(waiter.name, config, self._look)

    def wait(self, **kwargs: Any) -> None:
        """Look until it is so; see the waiter of the same name in boto3."""
        config = dict(kwargs.pop("WaiterConfig", {}))
        pauses = itertools.chain([0], itertools.repeat(config.get("Delay", self.config.delay)))

        def look(**asked: Any) -> Any:
            self._sleep(next(pauses))
            return self._look(**asked)

        Waiter(self.name, self.config, look).wait(**kwargs, WaiterConfig=config | {"Delay": 0})
