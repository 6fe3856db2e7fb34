"""What the adapter makes of AWS's documented behaviour, fact by fact; docs/aws.md names these tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import boto3
import pytest
from botocore.retries.standard import ThrottledRetryableChecker

from bluegreen import Alarm
from bluegreen.aws import AwsCloud, looking, remote, watching
from bluegreen.aws.clients import READ_ATTEMPTS, Clients
from bluegreen.aws.errors import of_code
from bluegreen.core import commands as c
from bluegreen.core.observation import ErrorClass, Health, Reading, Result
from bluegreen.core.state import Ledger
from tests.aws.operations import models
from tests.aws.test_fleets import seen
from tests.contract.providers import Hands, plan_for
from tests.moto_account import lay_out

if TYPE_CHECKING:
    from tests.moto_server import MotoServer

BEFORE = Ledger("exercise-1-00000000")


class Wires:
    """The adapter on the server, and what its clients send.

    Args:
        cloud: The adapter.

    Attributes:
        sent: (operation, parameters) of every call, in order.
    """

    def __init__(self, cloud: AwsCloud) -> None:
        self.cloud = cloud
        self.sent: list[tuple[str, dict[str, Any]]] = []

    def keep(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        self.sent.append((model.name, dict(params)))

    def of(self, operation: str) -> list[dict[str, Any]]:
        """The parameters of each call of an operation."""
        return [params for name, params in self.sent if name == operation]

    def changes(self, *commands: c.Command) -> list[tuple[str, dict[str, Any]]]:
        """What is sent for commands that are applied, but for what only reads."""
        self.sent.clear()
        for command in commands:
            outcome = self.cloud.apply(command)
            assert outcome.result is Result.APPLIED, outcome
        return [row for row in self.sent if not row[0].startswith("Describe")]


@contextmanager
def wired(
    moto: MotoServer, routing: Literal["weighted", "shared"] = "weighted", **changes: Any
) -> Iterator[Wires]:
    """The adapter on the server, after a first look."""
    cloud = AwsCloud(moto.session(), endpoint_url=moto.url, clock=Hands())
    wires, events = Wires(cloud), moto.session().events
    events.register("provide-client-params", wires.keep)  # clients take over what their session has
    try:
        cloud.observe(plan_for(routing, **changes), BEFORE)
        yield wires
    finally:
        events.unregister("provide-client-params", wires.keep)
        cloud.close()


def clients_of_nowhere() -> Clients:
    """Clients that are asked about themselves, and call nobody."""
    session = boto3.Session("testing", "testing", region_name="us-east-1")
    return Clients(session, endpoint_url="http://127.0.0.1:9")


# ------------------------------------------------------------------------------------------------ balancing


@pytest.mark.contract
@pytest.mark.parametrize(("rule", "operation"), [("default", "ModifyListener"), ("path", "ModifyRule")])
def test_weights_are_written_where_aws_keeps_them(rule: Any, operation: str, moto: MotoServer) -> None:
    """The default rule is changed through its listener, another one by itself; both weights are sent."""
    account = lay_out(moto, rule=rule)
    blue, green = account.groups
    with wired(moto) as wires:
        ((name, params),) = wires.changes(c.SetShares(weights=((blue, 90), (green, 10))))
    assert name == operation
    (action,) = params["DefaultActions" if rule == "default" else "Actions"]
    sent = {each["TargetGroupArn"]: each["Weight"] for each in action["ForwardConfig"]["TargetGroups"]}
    assert sent == dict(zip(account.target_group_arns, (90, 10), strict=True))


@pytest.mark.contract
def test_a_target_group_without_a_share_is_checked(moto: MotoServer) -> None:
    """At weight 0 green becomes healthy by the balancer's verdict: it stands in the rule all the time."""
    account = lay_out(moto)
    green = account.groups[1]
    with wired(moto) as wires:
        wires.changes(c.SetSize(fleet=green, size=1, min=0, max=4))
        for _ in range(10):
            look = wires.cloud.observe(plan_for("weighted"), BEFORE)
        assert look.shares is not None
        assert (look.shares.weight(green), [f.healthy for f in look.fleets]) == (0, [2, 1])
        assert wires.of("DescribeInstanceStatus") == []


@pytest.mark.parametrize("state", models()["elbv2"].shape_for("TargetHealthStateEnum").enum)
def test_one_state_of_a_target_is_healthy(state: str) -> None:
    """Of all states that the API declares, ``healthy`` alone counts."""
    assert (seen(state=state)[0] is Health.HEALTHY) is (state == "healthy")


def test_target_health_comes_whole() -> None:
    """DescribeTargetHealth has no pages, so one call shows every target; what has pages is read by pages."""
    clients = clients_of_nowhere()
    read = clients.read
    assert not read.elbv2.can_paginate("describe_target_health")
    for client, paged in (
        (read.autoscaling, "describe_auto_scaling_groups"),
        (read.elbv2, "describe_listeners"),
        (read.elbv2, "describe_rules"),
        (read.ec2, "describe_launch_template_versions"),
        (read.ec2, "describe_instances"),
        (read.ssm, "list_command_invocations"),
    ):
        assert client.can_paginate(paged)
    clients.close()


# --------------------------------------------------------------------------------------------------- groups


@pytest.mark.contract
def test_a_size_is_sent_with_its_bounds(moto: MotoServer) -> None:
    """Minimum, maximum and wanted size go in one call, for each alone could move another one."""
    account = lay_out(moto)
    with wired(moto) as wires:
        sent = wires.changes(c.SetSize(fleet=account.groups[1], size=3, min=2, max=5))
    sizes = {"MinSize": 2, "MaxSize": 5, "DesiredCapacity": 3}
    assert sent == [("UpdateAutoScalingGroup", {"AutoScalingGroupName": account.groups[1]} | sizes)]


@pytest.mark.parametrize("life", models()["autoscaling"].shape_for("LifecycleState").enum)
def test_one_state_of_a_life_can_be_healthy(life: str) -> None:
    """Of all states that the API declares, only an instance in service can count, if it is healthy."""
    if life == "Terminated":  # is no instance any more
        return
    assert (seen(life=life)[0] is Health.HEALTHY) is (life == "InService")
    assert seen(life=life, state="initial")[0] is not Health.HEALTHY


@pytest.mark.contract
def test_only_a_groups_own_scaling_is_suspended(moto: MotoServer) -> None:
    """The two processes are always named: a call that names none means all of them."""
    account = lay_out(moto)
    blue = account.groups[0]
    with wired(moto) as wires:
        sent = wires.changes(c.Freeze(fleet=blue, frozen=True), c.Freeze(fleet=blue, frozen=False))
    named = {"AutoScalingGroupName": blue, "ScalingProcesses": ["AlarmNotification", "ScheduledActions"]}
    assert sent == [("SuspendProcesses", named), ("ResumeProcesses", named)]


@pytest.mark.contract
def test_a_group_is_pinned_to_a_number(moto: MotoServer) -> None:
    """A group is created at and pointed at a number, never at a word that the next launch would resolve."""
    account = lay_out(moto, live=None, groups_exist=False)
    create = c.CreateFleet(fleet=account.groups[0], like=None, version=1, min=0, max=1, size=0, token="t")
    with wired(moto) as wires:
        sent = wires.changes(create, c.SetVersion(fleet=account.groups[0], version=1))
    assert [params["LaunchTemplate"]["Version"] for _, params in sent] == ["1", "1"]


@pytest.mark.contract
def test_a_created_group_leaves_replacing_to_ec2(moto: MotoServer) -> None:
    """A first release's group has no balancer's checks: with no grace period, it would replace what boots."""
    account = lay_out(moto, live=None, groups_exist=False)
    create = c.CreateFleet(fleet=account.groups[0], like=None, version=1, min=0, max=1, size=0, token="t")
    with wired(moto) as wires:
        ((_, params),) = wires.changes(create)
        assert not {"HealthCheckType", "HealthCheckGracePeriod"} & set(params)
        (made,) = moto.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    assert (made["HealthCheckType"], made["HealthCheckGracePeriod"]) == ("EC2", 0)


@pytest.mark.contract
def test_a_created_group_and_its_instances_say_whose_they_are(moto: MotoServer) -> None:
    """Service and deployment are tags of the group from the start, and of all that it launches."""
    account = lay_out(moto, live=None, groups_exist=False)
    name = account.groups[0]
    create = c.CreateFleet(fleet=name, like=None, version=1, min=0, max=1, size=0, token="t")
    with wired(moto) as wires:
        ((_, params),) = wires.changes(create)
    common = {"ResourceId": name, "ResourceType": "auto-scaling-group", "PropagateAtLaunch": True}
    assert params["Tags"] == [
        {**common, "Key": "bluegreen:service", "Value": "exercise"},
        {**common, "Key": "bluegreen:deployment", "Value": "t"},
    ]


@pytest.mark.contract
def test_nothing_is_deleted_by_force(moto: MotoServer) -> None:
    """A group is deleted without ForceDelete, which would end its instances without draining them."""
    account = lay_out(moto)
    with wired(moto) as wires:
        sent = wires.changes(c.DeleteFleet(fleet=account.groups[1]))
    assert sent == [("DeleteAutoScalingGroup", {"AutoScalingGroupName": account.groups[1]})]


@pytest.mark.contract
def test_a_traffic_source_is_detached_by_its_own_call(moto: MotoServer) -> None:
    """The older family of calls does not see what the newer one attached, so each detaches its own."""
    account = lay_out(moto, "shared")
    (arn,) = account.target_group_arns

    def by_source(parsed: dict[str, Any], **_: Any) -> None:
        for group in parsed["AutoScalingGroups"]:
            if group["TargetGroupARNs"]:
                group["TargetGroupARNs"], group["TrafficSources"] = [], [{"Identifier": arn, "Type": "elbv2"}]

    with wired(moto, "shared") as wires:
        clients = wires.cloud.clients
        read, write = clients.read.autoscaling.meta.events, clients.write.autoscaling.meta.events
        read.register("after-call.auto-scaling.DescribeAutoScalingGroups", by_source)
        write.register("before-call.auto-scaling.DetachTrafficSources", _answered({}))
        look = wires.cloud.observe(plan_for("shared"), BEFORE)
        assert [fleet.attached for fleet in look.fleets] == [True, False]
        sent = wires.changes(c.Detach(fleet=account.groups[0]))
    source = {"Identifier": arn, "Type": "elbv2"}
    named = {"AutoScalingGroupName": account.groups[0], "TrafficSources": [source]}
    assert sent == [("DetachTrafficSources", named)]


def _answered(parsed: dict[str, Any]) -> Any:
    """A handler that answers a call that moto does not have."""

    class Answer:
        status_code = 200

    return lambda **_: (Answer(), parsed)


# ------------------------------------------------------------------------------------ templates, instances


@pytest.mark.contract
def test_a_version_is_asked_for_by_what_makes_it_the_same(moto: MotoServer) -> None:
    """A version names its source, changes the image alone, and bears token and description."""
    account = lay_out(moto)
    token = BEFORE.deployment_id
    moto.client("ec2").create_launch_template_version(
        LaunchTemplateName=account.launch_template, SourceVersion="1", LaunchTemplateData={}
    )
    asked = c.PrepareVersion(template=account.launch_template, source=2, image="ami-0beta", token=token)
    with wired(moto) as wires:
        ((operation, params),) = wires.changes(asked)
    assert operation == "CreateLaunchTemplateVersion"
    assert params == {
        "LaunchTemplateName": account.launch_template,
        "SourceVersion": "2",
        "VersionDescription": f"bluegreen {token}",
        "ClientToken": token,
        "LaunchTemplateData": {"ImageId": "ami-0beta"},
    }


@pytest.mark.contract
def test_versions_are_asked_for_by_image(moto: MotoServer) -> None:
    """Of a template with ten thousand versions those of the image alone are listed."""
    lay_out(moto)
    with wired(moto) as wires:
        asked = wires.of("DescribeLaunchTemplateVersions")
    assert asked[0]["Filters"] == [{"Name": "image-id", "Values": [plan_for("weighted").image]}]


@pytest.mark.contract
def test_a_status_is_asked_for_whatever_the_state(moto: MotoServer) -> None:
    """EC2 shows running instances only, unless all are asked for, and takes 100 ids a call."""
    account = lay_out(moto, "shared")
    with wired(moto, "shared") as wires:
        wires.changes(c.SetSize(fleet=account.groups[1], size=1, min=0, max=4))
        for _ in range(5):
            wires.cloud.observe(plan_for("shared"), BEFORE)
        asked = wires.of("DescribeInstanceStatus")
    assert asked
    assert all(params["IncludeAllInstances"] for params in asked)
    assert looking.STATUSES_A_CALL == 100


def test_limits_are_those_of_the_api() -> None:
    """Names a call, the time to deliver a command and the length of its comment fit botocore's models."""
    alarms = models()["cloudwatch"].operation_model("DescribeAlarms").input_shape
    command = models()["ssm"].operation_model("SendCommand").input_shape
    assert alarms is not None
    assert command is not None
    assert alarms.members["AlarmNames"].metadata["max"] == watching.ALARMS_A_CALL
    bounds = command.members["TimeoutSeconds"].metadata
    assert bounds["min"] <= remote.DELIVERY_SECONDS <= bounds["max"]
    assert command.members["Comment"].metadata["max"] >= len(f"bluegreen-{24 * 'x'}:99")


# ----------------------------------------------------------------------------------------- alarms and errors


@pytest.mark.contract
def test_composite_alarms_are_asked_for(moto: MotoServer) -> None:
    """CloudWatch leaves composite alarms out unless both types are named; a red one fails."""
    lay_out(moto)
    red = {"AlarmName": "both", "StateValue": "ALARM"}
    plan = plan_for("weighted", gates=(Alarm(name="both"),))
    with wired(moto) as wires:
        events = wires.cloud.clients.read.cloudwatch.meta.events
        events.register(
            "before-call.cloudwatch.DescribeAlarms", _answered({"MetricAlarms": [], "CompositeAlarms": [red]})
        )
        (reading,) = wires.cloud.observe(plan, BEFORE).gates
        (params,) = wires.of("DescribeAlarms")
    assert reading.reading is Reading.FAIL
    assert params["AlarmTypes"] == ["MetricAlarm", "CompositeAlarm"]
    assert params["MaxRecords"] == watching.ALARMS_A_CALL, "or half of the alarms would be on another page"


def test_rate_exceeded_is_known_to_us_alone() -> None:
    """Auto Scaling's documentation names a code that botocore does not retry; here it is throttling."""
    known = ThrottledRetryableChecker._THROTTLED_ERROR_CODES
    assert "RateExceeded" not in known
    assert of_code("RateExceeded") is ErrorClass.THROTTLED


def test_only_reading_clients_send_again() -> None:
    """Mode and attempts are set, for botocore's default sends again whatever the request does."""
    clients = clients_of_nowhere()
    for services, attempts in ((clients.read, READ_ATTEMPTS), (clients.write, 1)):
        config = services.autoscaling.meta.config
        assert config.retries == {"mode": "standard", "total_max_attempts": attempts}
        assert (config.connect_timeout, config.read_timeout) == (5, 20)
    clients.close()


def test_an_endpoint_of_the_environment_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only an endpoint that was given leads elsewhere than to AWS."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    session = boto3.Session("testing", "testing", region_name="us-east-1")
    for given, found in ((None, "https://autoscaling.us-east-1.amazonaws.com"), ("http://a:1", "http://a:1")):
        clients = Clients(session, endpoint_url=given)
        for services in (clients.read, clients.write):
            assert services.autoscaling.meta.endpoint_url == found
        clients.close()
