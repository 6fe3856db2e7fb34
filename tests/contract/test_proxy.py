"""The loopback proxy loses, delays, garbles and refuses exactly what it is told to, and counts the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from botocore.parsers import ResponseParserError

from tests.moto_server import MotoServer
from tests.proxy import Action, Delay, Drop, Hook, Proxy, Refuse, Reset, Sent, Truncate, throttle

pytestmark = pytest.mark.contract

Clients = Callable[..., Any]
NAMES = {"ec2": "ec2", "autoscaling": "autoscaling", "elbv2": "elasticloadbalancing", "ssm": "ssm"}


@pytest.fixture
def proxy(moto: MotoServer) -> Iterator[Proxy]:
    """A proxy in front of an empty account."""
    with Proxy(moto.url) as running:
        yield running


@pytest.fixture
def client(moto: MotoServer, proxy: Proxy) -> Iterator[Clients]:
    """Makes clients of the proxy that send once, or as often as they are told to."""
    made = []

    def make(service: str, *, attempts: int = 1, patience: float = 10) -> Any:
        config = Config(
            retries={"mode": "standard", "total_max_attempts": attempts},
            read_timeout=patience,
            connect_timeout=5,
        )
        made.append(moto.session().client(service, endpoint_url=proxy.url, config=config))
        return made[-1]

    yield make
    for each in made:
        each.close()


def add(client: Any, name: str = "exercise") -> str:
    """One mutating request, CreateLaunchTemplate."""
    made = client.create_launch_template(
        LaunchTemplateName=name, LaunchTemplateData={"ImageId": "ami-0alpha"}
    )
    return str(made["LaunchTemplate"]["LaunchTemplateName"])


def added(moto: MotoServer) -> int:
    """How many such requests were applied."""
    return len(moto.client("ec2").describe_launch_templates()["LaunchTemplates"])


@pytest.mark.parametrize("service", sorted(NAMES))
def test_a_request_is_forwarded_and_named(client: Clients, proxy: Proxy, service: str) -> None:
    """Without a plan the answer is the server's, in each protocol; the log names service and operation."""
    asked = {
        "ec2": ("describe_vpcs", "Vpcs"),
        "autoscaling": ("describe_auto_scaling_groups", "AutoScalingGroups"),
        "elbv2": ("describe_target_groups", "TargetGroups"),
        "ssm": ("list_commands", "Commands"),
    }
    method, member = asked[service]
    told = getattr(client(service), method)()
    assert isinstance(told[member], list)
    [row] = proxy.log
    assert (row.call.service, row.operation.lower()) == (NAMES[service], method.replace("_", ""))
    assert (row.mutating, row.forwarded, row.action) == (False, True, None)


def test_cloudwatch_is_understood(client: Clients, proxy: Proxy) -> None:
    """CloudWatch's own protocol passes in both directions, and its operation is named."""
    assert client("cloudwatch").describe_alarms()["MetricAlarms"] == []
    assert [row.operation for row in proxy.log] == ["DescribeAlarms"]


def test_mutating_and_reading_requests_are_counted_apart(client: Clients, proxy: Proxy) -> None:
    """A plan can name the k-th mutating request, whatever is read between."""
    ec2 = client("ec2")
    for name in ("a", "b"):
        ec2.describe_vpcs()
        add(ec2, name)
    assert [(row.operation, row.call.number) for row in proxy.log] == [
        ("DescribeVpcs", 1),
        ("CreateLaunchTemplate", 1),
        ("DescribeVpcs", 2),
        ("CreateLaunchTemplate", 2),
    ]
    assert proxy.sent() == ["CreateLaunchTemplate"] * 2
    assert proxy.sent(mutating=False) == ["DescribeVpcs"] * 2


@pytest.mark.parametrize(
    ("action", "error"),
    [
        (Reset(), ConnectionClosedError),
        (Delay(5), ReadTimeoutError),
        (Truncate(), ResponseParserError),
        (Refuse("ServiceUnavailable", 503, forward=True), ClientError),
    ],
    ids=["reset", "delay", "truncate", "503"],
)
def test_applied_but_not_answered(
    moto: MotoServer, client: Clients, proxy: Proxy, action: Action, error: Any
) -> None:
    """The request reached the server once, and the client cannot know it."""
    proxy.plan = lambda call: action if call.mutating else None
    assert added(moto) == 0
    with pytest.raises(error):
        add(client("ec2", patience=0.5 if isinstance(action, Delay) else 10))
    assert added(moto) == 1
    assert [(row.operation, row.forwarded, row.action) for row in proxy.log] == [
        ("CreateLaunchTemplate", True, action)
    ]


def test_half_an_answer_in_json_is_an_empty_one_to_boto3(client: Clients, proxy: Proxy) -> None:
    """botocore raises for half an XML document, but takes half a JSON one for an answer without members."""
    ssm = client("ssm")
    assert ssm.list_commands()["Commands"] == []
    proxy.plan = lambda _: Truncate()
    assert set(ssm.list_commands()) == {"ResponseMetadata"}


@pytest.mark.parametrize("status", [500, 503])
def test_an_error_that_is_not_forwarded(moto: MotoServer, client: Clients, proxy: Proxy, status: int) -> None:
    """The client sees the status and the code; nothing reached the server."""
    proxy.plan = lambda _: Refuse("InternalError", status)
    with pytest.raises(ClientError) as caught:
        add(client("ec2"))
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert (caught.value.response["Error"]["Code"], added(moto), proxy.sent()) == ("InternalError", 0, [])


@pytest.mark.parametrize("service", sorted(NAMES))
def test_a_throttled_request_is_refused_in_its_own_protocol(
    moto: MotoServer, client: Clients, proxy: Proxy, service: str
) -> None:
    """The code is read from XML and JSON alike, and nothing reached the server."""
    proxy.plan = lambda _: throttle("ThrottlingException")
    asked: dict[str, Callable[[Any], Any]] = {
        "ec2": add,
        "autoscaling": lambda each: each.delete_auto_scaling_group(AutoScalingGroupName="none"),
        "elbv2": lambda each: each.delete_target_group(TargetGroupArn="arn:none"),
        "ssm": lambda each: each.send_command(
            DocumentName="AWS-RunShellScript", InstanceIds=["i-0123456789"]
        ),
    }
    with pytest.raises(ClientError) as caught:
        asked[service](client(service))
    error = caught.value.response["Error"]
    assert (error["Code"], error["Message"], moto.calls) == ("ThrottlingException", "Rate exceeded", [])


def test_hooks_see_the_world_before_and_after(moto: MotoServer, client: Clients, proxy: Proxy) -> None:
    """``before`` runs before the request is applied, ``after`` when it is, before the client knows."""
    seen: list[tuple[str, int]] = []
    hook = Hook(
        before=lambda: seen.append(("before", added(moto))), after=lambda: seen.append(("after", added(moto)))
    )
    proxy.plan = lambda call: hook if call.number == 1 else None
    assert add(client("ec2")) == "exercise"
    assert seen == [("before", 0), ("after", 1)]


def test_a_dropped_request_is_not_applied(moto: MotoServer, client: Clients, proxy: Proxy) -> None:
    """``Drop`` calls its hook and forwards nothing: a client killed there was killed before its request."""
    seen: list[int] = []
    proxy.plan = lambda _: Drop(before=lambda: seen.append(added(moto)))
    with pytest.raises(ConnectionClosedError):
        add(client("ec2"))
    assert (seen, added(moto), proxy.sent()) == ([0], 0, [])


def test_a_retrying_client_is_seen_twice(moto: MotoServer, client: Clients, proxy: Proxy) -> None:
    """A client that sends again by itself shows as two rows: what "one send per intent" is read from."""
    proxy.plan = lambda call: Reset() if call.number == 1 else None
    with pytest.raises(ClientError, match="AlreadyExists"):
        add(client("ec2", attempts=2))
    assert proxy.sent() == ["CreateLaunchTemplate"] * 2
    assert added(moto) == 1
    assert isinstance(proxy.log[0], Sent)
