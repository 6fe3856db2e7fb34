"""boto3 clients, two for each service: one that only reads, one that changes things and sends once.

botocore sends a request that failed again by itself: up to five times in its default mode, also when the
first one was carried out and only its answer was lost. What creates or moves something is therefore sent
once, and the deployment's loop asks again after it has looked. Reading again is harmless.
"""

from __future__ import annotations

import random
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from ..core.observation import ErrorClass
from .errors import of_code

if TYPE_CHECKING:
    from types_boto3_autoscaling import AutoScalingClient
    from types_boto3_cloudwatch import CloudWatchClient
    from types_boto3_ec2 import EC2Client
    from types_boto3_elbv2 import ElasticLoadBalancingv2Client
    from types_boto3_events import EventBridgeClient
    from types_boto3_s3 import S3Client
    from types_boto3_sns import SNSClient
    from types_boto3_ssm import SSMClient
    from types_boto3_sts import STSClient

CONNECT_SECONDS = 5
USER_AGENT = "bluegreen"
"""Stands in the user agent of every call, so that CloudTrail tells ours from others of the same role."""
READ_ATTEMPTS = 3
THROTTLED_ATTEMPTS = 6
"""How often a question is asked that AWS answers with "too often". An account's deployments share its buckets
of calls: patience lets them take turns, while an outage is to be noticed after three attempts."""
LONGEST_PAUSE_SECONDS = 20


class Services:
    """One client for each service, made when it is first used.

    Args:
        session: Whose credentials and region are used.
        endpoint_url: Where all services are; None is AWS.
        attempts: How often a request is sent at the most.
        call_seconds: How long an answer may take.
    """

    def __init__(
        self, session: boto3.Session, *, endpoint_url: str | None, attempts: int, call_seconds: float
    ) -> None:
        self._session = session
        self._endpoint_url = endpoint_url
        self._attempts = attempts
        options: dict[str, Any] = {
            "retries": {"mode": "standard", "total_max_attempts": attempts},
            "connect_timeout": CONNECT_SECONDS,
            "user_agent_extra": USER_AGENT,
            "read_timeout": call_seconds,
            # An endpoint from the environment or a profile would send a deployment to where nobody looks.
            "ignore_configured_endpoint_urls": endpoint_url is None,
            # AWS has a host for each bucket; of other servers nobody knows whether they have.
            "s3": {"addressing_style": "auto" if endpoint_url is None else "path"},
        }
        self._config = Config(**options)

        self._made: list[Any] = []

    def _client(self, service: Any) -> Any:
        client = self._session.client(service, endpoint_url=self._endpoint_url, config=self._config)
        if self._attempts > 1:
            name = client.meta.service_model.service_id.hyphenize()
            client.meta.events.register_first(f"needs-retry.{name}", _patience)
        self._made.append(client)
        return client

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        for client in self._made:
            client.close()

    @cached_property
    def autoscaling(self) -> AutoScalingClient:
        """Amazon EC2 Auto Scaling."""
        return self._client("autoscaling")  # type: ignore[no-any-return]

    @cached_property
    def cloudwatch(self) -> CloudWatchClient:
        """Amazon CloudWatch."""
        return self._client("cloudwatch")  # type: ignore[no-any-return]

    @cached_property
    def ec2(self) -> EC2Client:
        """Amazon EC2."""
        return self._client("ec2")  # type: ignore[no-any-return]

    @cached_property
    def elbv2(self) -> ElasticLoadBalancingv2Client:
        """Elastic Load Balancing."""
        return self._client("elbv2")  # type: ignore[no-any-return]

    @cached_property
    def events(self) -> EventBridgeClient:
        """Amazon EventBridge."""
        return self._client("events")  # type: ignore[no-any-return]

    @cached_property
    def s3(self) -> S3Client:
        """Amazon S3."""
        return self._client("s3")  # type: ignore[no-any-return]

    @cached_property
    def sns(self) -> SNSClient:
        """Amazon SNS."""
        return self._client("sns")  # type: ignore[no-any-return]

    @cached_property
    def ssm(self) -> SSMClient:
        """AWS Systems Manager."""
        return self._client("ssm")  # type: ignore[no-any-return]

    @cached_property
    def sts(self) -> STSClient:
        """AWS Security Token Service."""
        return self._client("sts")  # type: ignore[no-any-return]


def _patience(response: Any, attempts: int, **_: Any) -> float | None:
    """How many seconds to wait until a throttled question is asked again; None leaves it to botocore.

    botocore would give up after ``READ_ATTEMPTS``, and sooner once its quota of retries is used up.
    """
    error = response[1].get("Error", {}) if response else {}
    throttled = of_code(str(error.get("Code", ""))) is ErrorClass.THROTTLED
    if not throttled or attempts >= THROTTLED_ATTEMPTS:
        return None
    # Drawn at random, so that those who were refused together do not come back together.
    return random.uniform(0, min(2**attempts, LONGEST_PAUSE_SECONDS))  # noqa: S311 - no secret


class Clients:
    """Both kinds of clients of one account and Region.

    Args:
        session: A boto3 session; None makes one from the environment.
        endpoint_url: Where all services are; None is AWS.
        call_seconds: How long one answer may take.

    Attributes:
        read: Clients that only read, and send again what failed.
        write: Clients that change things, and send once.
    """

    def __init__(
        self,
        session: boto3.Session | None = None,
        *,
        endpoint_url: str | None = None,
        call_seconds: float = 20,
    ) -> None:
        session = session or boto3.Session()

        def services(attempts: int) -> Services:
            return Services(session, endpoint_url=endpoint_url, attempts=attempts, call_seconds=call_seconds)

        self.session = session
        self.read = services(READ_ATTEMPTS)
        self.write = services(1)

    def close(self) -> None:
        """Close all connections; the next call opens new ones."""
        self.read.close()
        self.write.close()
