"""The door behind HTTP: another process's boto3, and time that follows the wall."""

from __future__ import annotations

import gzip
import http.client
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from bluegreen_sim import LostAnswer, SimCloud, tutorial
from bluegreen_sim.endpoint import names
from bluegreen_sim.endpoint.server import Server, serve

ONCE = Config(retries={"total_max_attempts": 1}, ignore_configured_endpoint_urls=True)


class Wall:
    """A wall clock that is turned by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def cloud() -> SimCloud:
    return tutorial()[1]


@pytest.fixture
def server(cloud: SimCloud, wall: Wall) -> Iterator[Server]:
    with serve(cloud, speed=60, wall=wall) as running:
        yield running


def client(server: Server, name: str) -> Any:
    """An ordinary client, with credentials of its own, that is told another address."""
    return boto3.session.Session("AKIAOTHER", "secret", region_name="us-east-1").client(
        name, endpoint_url=server.url, config=ONCE
    )


def test_an_ordinary_client_reads_and_writes_over_http(server: Server, cloud: SimCloud) -> None:
    """Each service is found by what the request is signed for, and answers from the one world."""
    scaling = client(server, "autoscaling")
    scaling.set_desired_capacity(AutoScalingGroupName="exercise-group-blue", DesiredCapacity=3)
    assert cloud.world.groups[0].desired == 3
    arn = client(server, "elbv2").describe_target_groups()["TargetGroups"][0]["TargetGroupArn"]
    assert len(client(server, "elbv2").describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"])
    assert client(server, "ec2").describe_images()["Images"]
    assert client(server, "cloudwatch").describe_alarms()["MetricAlarms"] == []
    assert client(server, "ssm").describe_instance_information()["InstanceInformationList"]
    assert client(server, "sts").get_caller_identity()["Account"] == names.ACCOUNT


def test_world_time_follows_the_wall(server: Server, cloud: SimCloud, wall: Wall) -> None:
    """A minute of world time passes in each second of the wall, whoever asks then."""
    scaling = client(server, "autoscaling")
    scaling.set_desired_capacity(AutoScalingGroupName="exercise-group-blue", DesiredCapacity=3)
    wall.now = 1
    shown = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=["exercise-group-blue"])
    assert cloud.clock.now() == 60
    assert len(shown["AutoScalingGroups"][0]["Instances"]) == 3


def test_errors_are_typed_over_http_too(server: Server) -> None:
    """A modelled error, one that is not simulated and one that is not signed are told apart."""
    elb = client(server, "elbv2")
    with pytest.raises(elb.exceptions.TargetGroupNotFoundException):
        elb.describe_target_groups(Names=["nobody"])
    with pytest.raises(ClientError) as failure:
        client(server, "ec2").create_vpc(CidrBlock="10.0.0.0/16")
    assert failure.value.response["Error"]["Code"] == "NotSimulated"
    assert failure.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    with pytest.raises(ClientError, match="sign for one of"):
        client(server, "iam").list_users()


def test_a_lost_answer_closes_the_connection(wall: Wall) -> None:
    """The change is made and the connection ends without a response."""
    cloud = SimCloud(tutorial()[0], faults=[LostAnswer(1)])
    with serve(cloud, wall=wall) as server, pytest.raises(ConnectionClosedError):
        client(server, "autoscaling").set_desired_capacity(
            AutoScalingGroupName="exercise-group-blue", DesiredCapacity=3
        )
    assert cloud.world.groups[0].desired == 3


def test_packed_bodies_are_unpacked_and_huge_ones_refused(server: Server) -> None:
    """A body may be gzipped, and no more is read than a request can need."""
    signed = "AWS4-HMAC-SHA256 Credential=A/20250101/us-east-1/sts/aws4_request, SignedHeaders=a, Signature=b"
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    body = gzip.compress(b"Action=GetCallerIdentity&Version=2011-06-15")
    connection.request("POST", "/", body, {"Authorization": signed, "Content-Encoding": "gzip"})
    assert names.ACCOUNT.encode() in connection.getresponse().read()
    connection.putrequest("POST", "/")
    connection.putheader("Content-Length", str(1 << 30))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()
