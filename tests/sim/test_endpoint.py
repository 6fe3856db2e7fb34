"""boto3 against the world: what clients see, how they wait, and what they never reach."""

from __future__ import annotations

import inspect
import socket
from collections.abc import Callable
from typing import Any

import botocore.endpoint
import botocore.waiter
import pytest
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    ParamValidationError,
    WaiterError,
)
from botocore.parsers import ResponseParserError

from bluegreen_sim import (
    BlindLook,
    Dies,
    LostAnswer,
    NeverHealthy,
    RefusedCall,
    Settings,
    SimCloud,
    StaleLook,
    world_from_dict,
    world_to_dict,
)
from bluegreen_sim.endpoint import NotSimulated, clients, names, session
from bluegreen_sim.endpoint.answers import CHANGES, READS
from tests.sim.wired import ONCE, SHARED, TG, code, forward

TEMPLATE = {"LaunchTemplateName": "tpl", "Version": "1"}


def health(elb: Any, arn: str) -> list[tuple[str, str, str | None]]:
    shown = elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    return [
        (each["Target"]["Id"], each["TargetHealth"]["State"], each["TargetHealth"].get("Reason"))
        for each in shown
    ]


# --------------------------------------------------------------------------------------- the transport itself


def test_no_client_can_reach_a_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every service answers with sockets forbidden, and without credentials, region or configuration."""

    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("somebody wants a socket")

    for variable in ("AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_PROFILE", "of-somebody-else")
    monkeypatch.setattr(socket, "socket", forbidden)
    monkeypatch.setattr(socket, "create_connection", forbidden)
    aws = session(SimCloud(SHARED))
    assert aws.client("sts").get_caller_identity()["Account"] == names.ACCOUNT
    assert len(aws.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]) == 2
    assert health(aws.client("elbv2"), TG)
    assert aws.client("ec2").describe_images()["Images"]
    assert aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert aws.client("ssm").describe_instance_information()["InstanceInformationList"]
    assert aws.resource("ec2").Instance("i-0001").state["Name"] == "running"


def test_other_services_fail_when_the_client_is_made() -> None:
    """A service that is not simulated is refused by name, before anything is asked of it."""
    with pytest.raises(NotSimulated, match="s3 is not simulated; these services are: autoscaling"):
        session(SimCloud(SHARED)).client("s3")


def test_other_operations_are_refused_by_name() -> None:
    """An operation that is not simulated raises one error that names it and those that are."""
    with pytest.raises(NotSimulated, match=r"ec2 CreateVpc is not simulated.*DescribeImages"):
        session(SimCloud(SHARED)).client("ec2").create_vpc(CidrBlock="10.0.0.0/16")


def test_every_answer_belongs_to_an_operation_of_the_model() -> None:
    """What is answered is spelt as botocore spells it, and is either a question or a call."""
    for service in READS:
        model = session(SimCloud(SHARED)).client(service).meta.service_model
        assert {*READS[service], *CHANGES[service]} <= set(model.operation_names)
        assert not READS[service].keys() & CHANGES[service].keys()


def test_adaptive_retries_are_refused() -> None:
    """The one retry mode that would sleep in real time is refused when the client is made."""
    with pytest.raises(NotSimulated, match="adaptive"):
        session(SimCloud(SHARED)).client("sts", config=Config(retries={"mode": "adaptive"}))


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (botocore.endpoint.Endpoint._send, clients.VirtualEndpoint._send),
        (botocore.endpoint.Endpoint._needs_retry, clients.VirtualEndpoint._needs_retry),
    ],
)
def test_botocores_private_methods_are_as_they_were(
    theirs: Callable[..., object], ours: Callable[..., object]
) -> None:
    """The two private methods that are replaced still have the parameters that ours have."""
    assert list(inspect.signature(theirs).parameters) == list(inspect.signature(ours).parameters), (
        f"botocore changed {theirs.__qualname__}: read botocore/endpoint.py, then change endpoint/clients.py"
    )


def test_botocores_waiter_still_takes_its_pause_from_the_configuration() -> None:
    """The waiter reads ``Delay`` where ours puts a 0, so that it never sleeps for real."""
    assert "config.get('Delay', self.config.delay)" in inspect.getsource(botocore.waiter.Waiter.wait)


def test_the_same_seed_gives_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs of the same calls get the same responses, ids and request ids included, and end alike."""

    def run() -> tuple[list[bytes], object]:
        cloud, seen = SimCloud(SHARED, seed=7, faults=[Dies("blue", 40)]), []
        aws = session(cloud)
        send = clients.VirtualEndpoint._send
        monkeypatch.setattr(
            clients.VirtualEndpoint, "_send", lambda self, r: seen.append(got := send(self, r)) or got
        )
        ec2 = aws.client("ec2")
        ec2.create_launch_template_version(
            LaunchTemplateName="tpl", SourceVersion="1", LaunchTemplateData={"ImageId": "ami-new"}
        )
        ec2.run_instances(LaunchTemplate=TEMPLATE, MinCount=1, MaxCount=1)
        aws.client("autoscaling").set_desired_capacity(AutoScalingGroupName="a", DesiredCapacity=4)
        cloud.clock.sleep(90)
        health(aws.client("elbv2"), TG)
        monkeypatch.setattr(clients.VirtualEndpoint, "_send", send)
        return [reply.content for reply in seen], world_to_dict(cloud.world)

    assert run() == run()


def test_the_world_keeps_what_the_account_knows() -> None:
    """A world that is saved and read back has its tags, descriptions and tokens."""
    cloud = SimCloud(SHARED)
    ec2 = session(cloud).client("ec2")
    ec2.create_tags(Resources=["ami-new"], Tags=[{"Key": "k", "Value": "v"}])
    again = SimCloud(SHARED, world=world_from_dict(world_to_dict(cloud.world)))
    assert (
        session(again).client("ec2").describe_images(Filters=[{"Name": "tag:k", "Values": ["v"]}])["Images"]
    )


# --------------------------------------------------------------------------------------------- botocore's own


def test_exceptions_are_typed() -> None:
    """Errors arrive as the exceptions of their service, with AWS's code, on each protocol."""
    aws = session(SimCloud(SHARED))
    scaling, elb, watch, ssm = (aws.client(name) for name in ("autoscaling", "elbv2", "cloudwatch", "ssm"))
    with pytest.raises(scaling.exceptions.AlreadyExistsFault):
        scaling.create_auto_scaling_group(
            AutoScalingGroupName="a", MinSize=0, MaxSize=1, LaunchTemplate=TEMPLATE
        )
    with pytest.raises(scaling.exceptions.ResourceInUseFault):
        scaling.delete_auto_scaling_group(AutoScalingGroupName="a")
    with pytest.raises(elb.exceptions.TargetGroupNotFoundException):
        elb.describe_target_groups(Names=["nobody"])
    with pytest.raises(elb.exceptions.RuleNotFoundException):
        elb.modify_rule(RuleArn=names.rule_arn("7"), Actions=forward(tg=1))
    with pytest.raises(watch.exceptions.ResourceNotFound):
        watch.set_alarm_state(AlarmName="nobody", StateValue="OK", StateReason="r")
    with pytest.raises(ssm.exceptions.InvalidInstanceId):
        ssm.send_command(
            InstanceIds=["i-0001"], DocumentName="AWS-RunShellScript", Parameters={"commands": ["true"]}
        )
    with pytest.raises(ssm.exceptions.InvocationDoesNotExist):
        ssm.get_command_invocation(CommandId="0" * 36, InstanceId="i-0001")


def test_paginators_walk_all_pages() -> None:
    """A paginator gets every instance once, whatever the size of a page."""
    scaling = session(SimCloud(SHARED, capacity=120)).client("autoscaling")
    pages = list(scaling.get_paginator("describe_auto_scaling_instances").paginate())
    assert [len(page["AutoScalingInstances"]) for page in pages] == [50, 50, 20]
    ids = [each["InstanceId"] for page in pages for each in page["AutoScalingInstances"]]
    assert len(set(ids)) == 120


def test_a_foreign_token_of_a_page_is_refused() -> None:
    """A token that no page gave is an error of the caller."""
    with pytest.raises(ClientError) as failure:
        session(SimCloud(SHARED)).client("autoscaling").describe_auto_scaling_groups(NextToken="next")
    assert code(failure) == "ValidationError"


def test_waiters_pause_in_virtual_time() -> None:
    """A waiter looks at its own pace of world time, and the world moves on meanwhile."""
    cloud = SimCloud(SHARED, settings=Settings(boot_seconds=(8,)))
    aws = session(cloud)
    aws.client("autoscaling").set_desired_capacity(AutoScalingGroupName="a", DesiredCapacity=3)
    aws.client("elbv2").get_waiter("target_in_service").wait(
        TargetGroupArn=TG, Targets=[{"Id": "i-0003"}], WaiterConfig={"Delay": 10}
    )
    assert cloud.clock.now() == 40  # 3 to react, 15 pending, 8 to boot; checked at 23 and 33


def test_a_waiter_that_gives_up_has_waited_in_virtual_time() -> None:
    """A waiter with too few attempts raises botocore's own error at the time of its last look."""
    cloud = SimCloud(SHARED, faults=[NeverHealthy("a")])
    aws = session(cloud)
    aws.client("autoscaling").set_desired_capacity(AutoScalingGroupName="a", DesiredCapacity=3)
    with pytest.raises(WaiterError, match="Max attempts exceeded"):
        aws.client("elbv2").get_waiter("target_in_service").wait(
            TargetGroupArn=TG, Targets=[{"Id": "i-0003"}], WaiterConfig={"MaxAttempts": 5}
        )
    assert cloud.clock.now() == 4 * 15


@pytest.mark.parametrize(
    ("config", "sends", "seconds"),
    [
        (Config(retries={"mode": "legacy"}), 5, 1 + 2 + 4 + 8),
        (Config(retries={"mode": "standard"}), 3, 1 + 2),
        (ONCE, 1, 0),
    ],
)
def test_botocore_retries_as_its_mode_says(config: Config, sends: int, seconds: int) -> None:
    """Each mode sends as often as botocore's documentation says, with pauses of virtual time."""
    faults = [RefusedCall(number) for number in range(1, sends + 1)]
    cloud = SimCloud(SHARED, faults=faults)
    scaling = session(cloud).client("autoscaling", config=config)
    with pytest.raises(ClientError) as failure:
        scaling.set_desired_capacity(AutoScalingGroupName="a", DesiredCapacity=3)
    assert code(failure) == "Throttling"
    assert failure.value.response["ResponseMetadata"]["RetryAttempts"] == sends - 1
    assert cloud.clock.now() == seconds
    assert not cloud.world.faults


# ----------------------------------------------------------------------------------------------------- strict


@pytest.mark.parametrize(
    ("service", "call", "given", "said"),
    [
        (
            "autoscaling",
            "set_desired_capacity",
            {"AutoScalingGroupName": "a" * 300, "DesiredCapacity": 1},
            "255",
        ),
        ("ssm", "send_command", {"DocumentName": "no name"}, "must match"),
        ("cloudwatch", "describe_alarms", {"AlarmNames": ["n"] * 101}, "101 items"),
        ("cloudwatch", "describe_alarms", {"StateValue": "GREEN"}, "allowed are ALARM"),
        ("elbv2", "describe_target_health", {"TargetGroupArn": TG, "Include": ["x"]}, "Include.0 is 'x'"),
        ("ssm", "get_command_invocation", {"CommandId": "x" * 37, "InstanceId": "i-0001"}, "37 characters"),
    ],
)
def test_what_botocore_lets_through_is_refused(
    service: str, call: str, given: dict[str, Any], said: str
) -> None:
    """Enumerations, maxima and patterns of the models are held against requests, in words that help."""
    client = session(SimCloud(SHARED)).client(service, config=ONCE)
    with pytest.raises(ClientError, match=said):
        getattr(client, call)(**given)


def test_botocore_still_validates_first() -> None:
    """What botocore itself refuses never reaches the world."""
    with pytest.raises(ParamValidationError):
        session(SimCloud(SHARED)).client("autoscaling").set_desired_capacity(AutoScalingGroupName="a")


def test_a_dry_run_changes_nothing() -> None:
    """EC2's DryRun is answered with its own error and leaves the world alone."""
    cloud = SimCloud(SHARED)
    before = cloud.world.key()
    with pytest.raises(ClientError) as failure:
        session(cloud).client("ec2").terminate_instances(InstanceIds=["i-0001"], DryRun=True)
    assert code(failure) == "DryRunOperation"
    assert cloud.world.key() == before


# ----------------------------------------------------------------------------------------------------- faults


def test_a_lost_answer_is_applied_once_by_who_sends_once() -> None:
    """The call is carried out and the connection closes: one attempt applies it, and nobody knows."""
    cloud = SimCloud(SHARED, faults=[LostAnswer(1)])
    scaling = session(cloud).client("autoscaling", config=ONCE)
    with pytest.raises(ConnectionClosedError):
        scaling.set_desired_capacity(AutoScalingGroupName="a", DesiredCapacity=3)
    assert cloud.world.groups[0].desired == 3


def test_a_lost_answer_is_applied_twice_by_legacy_retries() -> None:
    """botocore's default sends again after a closed connection: what is no wish but an act happens twice."""
    cloud = SimCloud(SHARED, faults=[LostAnswer(1)])
    group = session(cloud).client("autoscaling", config=Config(retries={"mode": "legacy"}))
    with pytest.raises(ClientError) as failure:
        group.create_auto_scaling_group(
            AutoScalingGroupName="new", MinSize=0, MaxSize=1, LaunchTemplate=TEMPLATE
        )
    assert code(failure) == "AlreadyExists"


def test_a_lost_request_changes_nothing() -> None:
    """With ``applied = False`` the connection closes before anything was done."""
    cloud = SimCloud(SHARED, faults=[LostAnswer(1, applied=False)])
    with pytest.raises(ConnectionClosedError):
        session(cloud).client("autoscaling", config=ONCE).set_desired_capacity(
            AutoScalingGroupName="a", DesiredCapacity=3
        )
    assert cloud.world.groups[0].desired == 2


@pytest.mark.parametrize(
    ("kind", "service", "call", "given", "expected"),
    [
        ("throttled", "elbv2", "modify_listener", {"ListenerArn": names.LISTENER_ARN}, "ThrottlingException"),
        ("throttled", "ec2", "deregister_image", {"ImageId": "ami-new"}, "RequestLimitExceeded"),
        (
            "busy",
            "autoscaling",
            "resume_processes",
            {"AutoScalingGroupName": "a"},
            "ScalingActivityInProgress",
        ),
        ("identity", "autoscaling", "resume_processes", {"AutoScalingGroupName": "a"}, "AccessDenied"),
        ("lost", "elbv2", "modify_listener", {"ListenerArn": names.LISTENER_ARN}, "InternalFailure"),
        ("unclassified", "elbv2", "modify_listener", {"ListenerArn": names.LISTENER_ARN}, "SomethingElse"),
    ],
)
def test_a_refused_call_speaks_its_services_language(
    kind: str, service: str, call: str, given: dict[str, Any], expected: str
) -> None:
    """A refusal of a kind arrives under the code by which the service says it."""
    client = session(SimCloud(SHARED, faults=[RefusedCall(1, kind)])).client(service, config=ONCE)
    with pytest.raises(ClientError) as failure:
        getattr(client, call)(**given)
    assert code(failure) == expected


def test_a_call_that_was_not_sent_says_so() -> None:
    """The kind ``not-sent`` is no answer at all, and nothing was done."""
    cloud = SimCloud(SHARED, faults=[RefusedCall(1, "not-sent")])
    with pytest.raises(EndpointConnectionError):
        session(cloud).client("autoscaling", config=ONCE).set_desired_capacity(
            AutoScalingGroupName="a", DesiredCapacity=3
        )
    assert cloud.world.groups[0].desired == 2


def test_a_blind_look_reads_neither_groups_nor_weights() -> None:
    """All reads of one moment are one look; when it is blind, two services answer 503 and others answer."""
    cloud = SimCloud(SHARED, faults=[BlindLook(1)])
    aws = session(cloud)
    elb, scaling = (aws.client(name, config=ONCE) for name in ("elbv2", "autoscaling"))
    for ask in (elb.describe_rules, scaling.describe_auto_scaling_groups):
        with pytest.raises(ClientError) as failure:
            ask(**({"ListenerArn": names.LISTENER_ARN} if ask == elb.describe_rules else {}))
        assert code(failure) == "ServiceUnavailable"
    assert aws.client("ec2").describe_images()["Images"]
    cloud.clock.sleep(5)
    assert scaling.describe_auto_scaling_groups()["AutoScalingGroups"]


@pytest.mark.parametrize(("how", "pages"), [("garbled", 0), ("cut-short", 1)])
def test_a_blind_look_can_show_in_other_ways(how: Any, pages: int) -> None:
    """Bodies are cut off, or a list breaks after its first page: what was read so far is not the whole."""
    cloud = SimCloud(SHARED, faults=[BlindLook(1, how)])
    scaling = session(cloud).client("autoscaling", config=ONCE)
    paginator, seen = scaling.get_paginator("describe_auto_scaling_groups"), []
    with pytest.raises((ClientError, ResponseParserError)):
        seen.extend(paginator.paginate(PaginationConfig={"PageSize": 1}))
    assert len(seen) <= pages
    cloud.clock.sleep(1)
    assert len(list(paginator.paginate(PaginationConfig={"PageSize": 1}))) == 2


def test_the_groups_asked_for_again_are_another_look() -> None:
    """Looks are counted as ``observe`` counts them: to ask for the same groups again begins the next."""
    cloud = SimCloud(SHARED, faults=[BlindLook(2)])
    scaling = session(cloud).client("autoscaling", config=ONCE)
    scaling.describe_auto_scaling_groups()
    for _ in range(2):
        scaling.describe_policies()
    with pytest.raises(ClientError):
        scaling.describe_auto_scaling_groups()


def test_a_stale_look_shows_what_the_look_before_showed() -> None:
    """A stale look answers from the past, tags included."""
    cloud = SimCloud(SHARED, faults=[StaleLook(2)])
    scaling = session(cloud).client("autoscaling")

    def seen() -> tuple[int, int]:
        group = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=["a"])["AutoScalingGroups"][0]
        return group["DesiredCapacity"], len(group["Tags"])

    assert seen() == (2, 0)
    scaling.set_desired_capacity(AutoScalingGroupName="a", DesiredCapacity=3)
    scaling.create_or_update_tags(
        Tags=[{"ResourceId": "a", "ResourceType": "auto-scaling-group", "Key": "k", "Value": "v"}]
    )
    assert seen() == (2, 0)
    assert seen() == (3, 1)


def test_buckets_throttle_and_fill_again() -> None:
    """Forty questions at once empty ELB's bucket, and ten more are allowed each second."""
    cloud = SimCloud(SHARED)
    elb = session(cloud, throttled=True).client("elbv2", config=ONCE)
    for _ in range(40):
        elb.describe_load_balancers()
    with pytest.raises(ClientError) as failure:
        elb.describe_load_balancers()
    assert code(failure) == "ThrottlingException"
    cloud.clock.sleep(1)
    for _ in range(10):
        elb.describe_load_balancers()
    with pytest.raises(ClientError):
        elb.describe_load_balancers()
