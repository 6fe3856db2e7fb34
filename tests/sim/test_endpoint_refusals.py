"""What AWS would refuse is refused under its code, and what the world cannot do is not passed over."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.model import ServiceModel

from bluegreen_sim import SimCloud
from bluegreen_sim.endpoint import NotSimulated, names, session, strict
from bluegreen_sim.endpoint.limits import Limits
from tests.sim.wired import ONCE, SHARED, TG, TG_A, TG_B, WEIGHTED, code, forward, pinned

ARN = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/none/0"
ONE = {"LaunchTemplate": pinned(1), "MinCount": 1, "MaxCount": 1}
A = {"AutoScalingGroupName": "a"}
LISTENER = {"ListenerArn": names.LISTENER_ARN}
SCRIPT = {"DocumentName": "AWS-RunShellScript", "Parameters": {"commands": ["true"]}}
STICKY = [{"Type": "forward", "ForwardConfig": {"TargetGroupStickinessConfig": {"Enabled": True}}}]
STICKY[0]["ForwardConfig"]["TargetGroups"] = [{"TargetGroupArn": TG_A}]  # type: ignore[index]

REFUSED = [
    ("autoscaling", "describe_load_balancer_target_groups", {"AutoScalingGroupName": "z"}, "ValidationError"),
    ("autoscaling", "delete_auto_scaling_group", {"AutoScalingGroupName": "z"}, "ValidationError"),
    ("autoscaling", "describe_policies", {"AutoScalingGroupName": "z"}, "ValidationError"),
    ("elbv2", "describe_load_balancers", {"Names": ["z"]}, "LoadBalancerNotFound"),
    ("elbv2", "describe_listeners", {"LoadBalancerArn": "z"}, "LoadBalancerNotFound"),
    ("elbv2", "describe_listeners", {"ListenerArns": ["z"]}, "ListenerNotFound"),
    ("elbv2", "describe_rules", {"RuleArns": ["z"]}, "RuleNotFound"),
    ("elbv2", "describe_target_health", {"TargetGroupArn": ARN}, "TargetGroupNotFound"),
    ("elbv2", "describe_target_groups", {"TargetGroupArns": ["z"]}, "TargetGroupNotFound"),
    (
        "ec2",
        "describe_launch_templates",
        {"LaunchTemplateNames": ["zzz"]},
        "InvalidLaunchTemplateName.NotFoundException",
    ),
    ("ec2", "describe_launch_templates", {"LaunchTemplateIds": ["z"]}, "InvalidLaunchTemplateId.NotFound"),
    ("ec2", "describe_launch_template_versions", {}, "MissingParameter"),
    ("ec2", "run_instances", {**ONE, "LaunchTemplate": pinned(9)}, "InvalidLaunchTemplateId.VersionNotFound"),
    ("ec2", "deregister_image", {"ImageId": "z"}, "InvalidAMIID.NotFound"),
    ("ec2", "describe_snapshots", {"SnapshotIds": ["z"]}, "InvalidSnapshot.NotFound"),
    ("ec2", "describe_volumes", {"VolumeIds": ["z"]}, "InvalidVolume.NotFound"),
    ("ec2", "describe_subnets", {"SubnetIds": ["z"]}, "InvalidSubnetID.NotFound"),
    ("ec2", "create_image", {"InstanceId": "i-0009", "Name": "web"}, "InvalidInstanceID.NotFound"),
    (
        "ec2",
        "create_tags",
        {"Resources": ["lt-0"], "Tags": [{"Key": "k", "Value": "v"}]},
        "InvalidLaunchTemplateId.NotFound",
    ),
    ("cloudwatch", "delete_alarms", {"AlarmNames": ["z"]}, "ResourceNotFound"),
    ("ssm", "send_command", {**SCRIPT, "DocumentName": "Mine", "InstanceIds": ["i-0001"]}, "InvalidDocument"),
]

CANNOT = [
    (
        "autoscaling",
        "create_auto_scaling_group",
        {"AutoScalingGroupName": "c", "MinSize": 0, "MaxSize": 1},
        "template",
    ),
    (
        "autoscaling",
        "update_auto_scaling_group",
        {**A, "HealthCheckType": "EC2,EBS"},
        "EC2 and ELB are",
    ),
    (
        "autoscaling",
        "update_auto_scaling_group",
        {**A, "MaxInstanceLifetime": 86_400},
        "MaxInst",
    ),
    (
        "autoscaling",
        "describe_tags",
        {"Filters": [{"Name": "propagate-at-launch", "Values": ["true"]}]},
        "propagate",
    ),
    ("elbv2", "modify_listener", {**LISTENER, "Port": 81}, "not Port"),
    ("elbv2", "modify_listener", {**LISTENER, "DefaultActions": STICKY}, "stickiness"),
    (
        "elbv2",
        "modify_listener",
        {**LISTENER, "DefaultActions": forward(tg_a=1) * 2},
        "last",
    ),
    ("ec2", "run_instances", {**ONE, "MaxCount": 2}, "one instance"),
    ("ec2", "run_instances", {**ONE, "InstanceType": "t3.large"}, "InstanceType"),
    ("autoscaling", "start_instance_refresh", {**A, "Strategy": "ReplaceRootVolume"}, "Rolling"),
    ("ec2", "create_image", {"InstanceId": "i-0001", "Name": "web"}, "stands in no group"),
    ("ec2", "deregister_image", {"ImageId": "ami-new", "DeleteAssociatedSnapshots": True}, "DeleteSnapshot"),
    (
        "ec2",
        "create_launch_template_version",
        {"LaunchTemplateName": "tpl", "LaunchTemplateData": {"ImageId": "ami-new"}},
        "SourceVersion",
    ),
    ("ssm", "send_command", {**SCRIPT, "InstanceIds": ["i-0001", "i-0002"]}, "one instance"),
    ("ssm", "list_commands", {"Filters": [{"key": "Status", "value": "Success"}]}, "filters"),
]


@pytest.mark.parametrize(("service", "call", "given", "expected"), REFUSED)
def test_what_aws_refuses_is_refused_under_its_code(
    service: str, call: str, given: dict[str, Any], expected: str
) -> None:
    """What is missing, or asked wrongly, is answered with the code that AWS documents for it."""
    client = session(SimCloud(WEIGHTED)).client(service, config=ONCE)
    with pytest.raises(ClientError) as failure:
        getattr(client, call)(**given)
    assert code(failure) == expected


@pytest.mark.parametrize(("service", "call", "given", "said"), CANNOT)
def test_what_the_world_cannot_do_is_said(service: str, call: str, given: dict[str, Any], said: str) -> None:
    """A request whose effect the world does not have raises an error that names it, and changes nothing."""
    cloud = SimCloud(WEIGHTED)
    before = cloud.world.key()
    with pytest.raises(NotSimulated, match=said):
        getattr(session(cloud).client(service, config=ONCE), call)(**given)
    assert cloud.world.key() == before


def test_two_groups_cannot_be_behind_what_is_not_theirs() -> None:
    """A group stands behind one target group at a time; a free one may be attached to another."""
    cloud = SimCloud(WEIGHTED)
    scaling = session(cloud).client("autoscaling", config=ONCE)
    with pytest.raises(NotSimulated, match="one target group at a time"):
        scaling.attach_load_balancer_target_groups(AutoScalingGroupName="b", TargetGroupARNs=[TG_A])
    scaling.detach_traffic_sources(AutoScalingGroupName="b", TrafficSources=[{"Identifier": TG_B}])
    scaling.attach_traffic_sources(AutoScalingGroupName="b", TrafficSources=[{"Identifier": TG_A}])
    shown = scaling.describe_traffic_sources(AutoScalingGroupName="b")["TrafficSources"]
    assert [each["Identifier"] for each in shown] == [TG_A]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([], "it must be a structure"),
        ({}, "TargetGroupArn is missing"),
        ({"TargetGroupArn": 7}, "TargetGroupArn must be of type string, not 7"),
        ({"TargetGroupArn": TG, "Targets": {}}, "Targets must be a list"),
        (
            {"TargetGroupArn": TG, "Targets": [{"Id": "i", "Port": True}]},
            "Targets.0.Port must be of type integer",
        ),
        (
            {"TargetGroupArn": TG, "Targets": [{"Id": "i", "Port": 0}]},
            "Targets.0.Port is 0; allowed are 1 to 65535",
        ),
        ({"TargetGroupArn": TG, "Target": []}, "Target is not known; allowed are TargetGroupArn"),
    ],
)
def test_a_fault_names_its_place_and_what_is_allowed(
    value: Any, said: str, elbv2_model: ServiceModel
) -> None:
    """Each thing that the model forbids is one sentence with the path to it."""
    shape = elbv2_model.operation_model("DescribeTargetHealth").input_shape
    [fault] = strict.faults(value, shape)
    assert fault.startswith(said)


@pytest.fixture(scope="module")
def elbv2_model() -> ServiceModel:
    from bluegreen_sim.endpoint.models import service_model

    return service_model("elbv2")


@pytest.mark.parametrize(
    ("service", "operation", "read", "at_once", "a_second"),
    [
        ("elbv2", "ModifyRule", False, 20, 3),
        ("elbv2", "RegisterTargets", False, 20, 4),
        ("elbv2", "DescribeRules", True, 40, 10),
        ("ec2", "RunInstances", False, 5, 2),
        ("ec2", "CreateImage", False, 50, 5),
        ("ec2", "DescribeImages", True, 100, 20),
        ("autoscaling", "DescribeAutoScalingGroups", True, 40, 10),
    ],
)
def test_buckets_have_the_documented_sizes(
    service: str, operation: str, *, read: bool, at_once: int, a_second: int
) -> None:
    """So many calls pass at once, and so many more a second later."""
    limits = Limits()
    for now, allowed in ((0, at_once), (1_000, a_second), (601_000, at_once)):
        taken = [limits.take(service, operation, now, read=read) for _ in range(allowed + 1)]
        assert taken == [True] * allowed + [False]


def test_other_services_are_not_limited() -> None:
    """Of services without documented figures nothing is held back."""
    limits = Limits()
    assert all(limits.take("cloudwatch", "DescribeAlarms", 0, read=True) for _ in range(1_000))


def test_snapshots_stay_behind_their_images() -> None:
    """An image's snapshot is listed with it and after it, with its tags, until it is deleted."""
    ec2 = session(SimCloud(SHARED)).client("ec2", config=ONCE)
    snapshot = names.snapshot_id("ami-new")
    ec2.create_tags(Resources=[snapshot], Tags=[{"Key": "k", "Value": "v"}])
    for _ in range(2):
        found = ec2.describe_snapshots(OwnerIds=["self"], Filters=[{"Name": "tag:k", "Values": ["v"]}])[
            "Snapshots"
        ]
        assert [each["SnapshotId"] for each in found] == [snapshot]
        if ec2.describe_images(Filters=[{"Name": "image-id", "Values": ["ami-new"]}])["Images"]:
            ec2.deregister_image(ImageId="ami-new")
    ec2.delete_snapshot(SnapshotId=snapshot)
    assert ec2.describe_snapshots(Filters=[{"Name": "snapshot-id", "Values": [snapshot]}])["Snapshots"] == []
