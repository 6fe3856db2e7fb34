"""Each correction of moto does on the server what its line of aws-facts says."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from tests.moto_account import Account, lay_out, make_group
from tests.moto_server import MotoServer

pytestmark = pytest.mark.contract

BLUE, GREEN = 0, 1


def refused(code: str, text: str = "") -> Any:
    """A block that ends with AWS's refusal."""
    return pytest.raises(ClientError, match=rf"\({code}\).*{text}")


def group(moto: MotoServer, name: str) -> dict[str, Any]:
    """One look at a group; empty when there is none."""
    found = moto.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])
    return next(iter(found["AutoScalingGroups"]), {})


def lifecycle(moto: MotoServer, name: str) -> list[str]:
    """One look at the lifecycle states of a group's instances."""
    return [each["LifecycleState"] for each in group(moto, name).get("Instances", [])]


def health(moto: MotoServer, arn: str) -> list[tuple[str, str | None]]:
    """One look at the states and reasons of a target group's targets."""
    told = moto.client("elbv2").describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    return [(each["TargetHealth"]["State"], each["TargetHealth"].get("Reason")) for each in told]


def resize(moto: MotoServer, name: str, size: int) -> None:
    """A group's size, in one call."""
    moto.client("autoscaling").update_auto_scaling_group(
        AutoScalingGroupName=name, MinSize=size, MaxSize=max(size, 4), DesiredCapacity=size
    )


def instance_state(moto: MotoServer, instance: str) -> str:
    """One look at an instance."""
    told = moto.client("ec2").describe_instances(InstanceIds=[instance])
    return str(told["Reservations"][0]["Instances"][0]["State"]["Name"])


def start(moto: MotoServer, **more: Any) -> str:
    """An instance outside any group."""
    wanted = {"ImageId": "ami-0alpha", "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1} | more
    return str(moto.client("ec2").run_instances(**wanted)["Instances"][0]["InstanceId"])


# ------------------------------------------------------------------------------------------------ fleets


def test_an_account_is_laid_out_at_rest(moto: MotoServer) -> None:
    """After ``lay_out`` the live group is InService and healthy at the first look, and no call is counted."""
    account = lay_out(moto, "weighted", live=GREEN)
    assert moto.calls == []
    assert lifecycle(moto, account.groups[GREEN]) == ["InService"] * 2
    assert health(moto, account.target_group_arns[GREEN]) == [("healthy", None)] * 2
    assert lifecycle(moto, account.groups[BLUE]) == []
    assert moto.operations() == [
        "DescribeAutoScalingGroups",
        "DescribeTargetHealth",
        "DescribeAutoScalingGroups",
    ]


def test_a_new_instance_is_pending_then_registered_then_healthy(moto: MotoServer) -> None:
    """A2, B2: Pending, then InService and initial, then healthy, each for as many looks as scripted."""
    account = lay_out(moto)
    moto.script.looks.initial = 2
    resize(moto, account.groups[GREEN], 1)
    arn = account.target_group_arns[GREEN]
    assert health(moto, arn) == []
    assert lifecycle(moto, account.groups[GREEN]) == ["Pending"]
    assert health(moto, arn) == []
    assert lifecycle(moto, account.groups[GREEN]) == ["InService"]
    assert [health(moto, arn)[0] for _ in range(3)] == [
        ("initial", "Elb.RegistrationInProgress"),
        ("initial", "Elb.InitialHealthChecking"),
        ("healthy", None),
    ]


def test_a_broken_image_is_never_healthy(moto: MotoServer) -> None:
    """A6: targets started from a broken image are unhealthy after their first verdict, for ever."""
    account = lay_out(moto)
    moto.script.broken_images.add("ami-0alpha")
    resize(moto, account.groups[GREEN], 1)
    moto.settle()
    sick = [("unhealthy", "Target.FailedHealthChecks")]
    assert [health(moto, account.target_group_arns[GREEN]) for _ in range(3)] == [sick] * 3


def test_a_target_group_in_no_rule_is_not_checked(moto: MotoServer) -> None:
    """A3: its targets are unused."""
    account = lay_out(moto)
    moto.client("elbv2").modify_listener(
        ListenerArn=account.listener_arn,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": account.target_group_arns[GREEN]}],
    )
    assert health(moto, account.target_group_arns[BLUE]) == [("unused", "Target.NotInUse")] * 2


def test_scale_in_drains(moto: MotoServer) -> None:
    """G1 scale-in: who leaves drains and is Terminating, then its target, then the instance is gone."""
    account = lay_out(moto, capacity=1)
    name, arn = account.groups[BLUE], account.target_group_arns[BLUE]
    instance = group(moto, name)["Instances"][0]["InstanceId"]
    resize(moto, name, 0)
    draining = [("draining", "Target.DeregistrationInProgress")]
    assert [(lifecycle(moto, name), health(moto, arn)) for _ in range(4)] == [
        (["Terminating"], draining),
        (["Terminating"], draining),
        (["Terminating"], []),
        ([], []),
    ]
    assert instance_state(moto, instance) == "terminated"


def test_an_instance_behind_no_balancer_ends_sooner(moto: MotoServer) -> None:
    """B2: without a target group it is Terminating for as many looks as scripted."""
    account = lay_out(moto, "shared", live=None)
    resize(moto, account.groups[GREEN], 1)
    assert [lifecycle(moto, account.groups[GREEN]) for _ in range(2)] == [["Pending"], ["InService"]]
    resize(moto, account.groups[GREEN], 0)
    assert [lifecycle(moto, account.groups[GREEN]) for _ in range(2)] == [["Terminating"], []]


def test_detaching_drains_and_keeps_the_instances(moto: MotoServer) -> None:
    """B5: targets drain, instances stay InService; to detach once more is no error; to attach starts anew."""
    account = lay_out(moto, "shared", capacity=1)
    name, arn = account.groups[BLUE], account.target_group_arns[0]
    for _ in range(2):
        moto.client("autoscaling").detach_load_balancer_target_groups(
            AutoScalingGroupName=name, TargetGroupARNs=[arn]
        )
    assert [health(moto, arn) for _ in range(3)] == [
        [("draining", "Target.DeregistrationInProgress")]
    ] * 2 + [[]]
    assert lifecycle(moto, name) == ["InService"]
    moto.client("autoscaling").attach_load_balancer_target_groups(
        AutoScalingGroupName=name, TargetGroupARNs=[arn]
    )
    assert health(moto, arn) == [("initial", "Elb.RegistrationInProgress")]


def test_what_ec2_ends_is_replaced_and_registered(moto: MotoServer) -> None:
    """B3: the dead instance leaves group and target group, and its replacement comes as any other."""
    account = lay_out(moto, capacity=1)
    name = account.groups[BLUE]
    dead = group(moto, name)["Instances"][0]["InstanceId"]
    moto.client("ec2").terminate_instances(InstanceIds=[dead])
    assert health(moto, account.target_group_arns[BLUE]) == []
    assert [lifecycle(moto, name) for _ in range(2)] == [["Pending"], ["InService"]]
    assert health(moto, account.target_group_arns[BLUE]) == [("initial", "Elb.RegistrationInProgress")]


def test_one_instance_is_ended_with_draining(moto: MotoServer) -> None:
    """B10: TerminateInstanceInAutoScalingGroup drains, keeps to the smallest size, and is refused after."""
    account = lay_out(moto)
    name = account.groups[BLUE]
    first = group(moto, name)["Instances"][0]["InstanceId"]
    end = moto.client("autoscaling").terminate_instance_in_auto_scaling_group
    with refused("ValidationError", "min size"):
        end(InstanceId=first, ShouldDecrementDesiredCapacity=True)
    end(InstanceId=first, ShouldDecrementDesiredCapacity=False)
    assert sorted(lifecycle(moto, name)) == ["InService", "Pending", "Terminating"]
    assert ("draining", "Target.DeregistrationInProgress") in health(moto, account.target_group_arns[BLUE])
    with refused("ValidationError", "Instance Id not found"):
        end(InstanceId="i-0", ShouldDecrementDesiredCapacity=False)


def test_an_instance_has_the_version_that_it_was_launched_from(moto: MotoServer) -> None:
    """B7: a group that is pointed at another version launches all of that version, and keeps the old ones."""
    account = lay_out(moto, capacity=1)
    moto.client("ec2").create_launch_template_version(
        LaunchTemplateId=account.template_id,
        SourceVersion="1",
        LaunchTemplateData={"ImageId": "ami-0beta", "InstanceType": "t3.small"},
    )
    moto.client("autoscaling").update_auto_scaling_group(
        AutoScalingGroupName=account.groups[BLUE],
        LaunchTemplate={"LaunchTemplateId": account.template_id, "Version": "2"},
        MinSize=2,
    )
    seen = group(moto, account.groups[BLUE])
    assert seen["LaunchTemplate"]["Version"] == "2"
    assert [each["LaunchTemplate"]["Version"] for each in seen["Instances"]] == ["1", "2"]
    fresh = moto.client("ec2").describe_instances(InstanceIds=[seen["Instances"][1]["InstanceId"]])
    told = fresh["Reservations"][0]["Instances"][0]
    assert (told["ImageId"], told["InstanceType"]) == ("ami-0beta", "t3.small")
    tags = {tag["Key"]: tag["Value"] for tag in told["Tags"]}
    assert (tags["team"], tags["Name"], tags["aws:ec2launchtemplate:version"]) == (
        "exercise",
        "exercise",
        "2",
    )


# ------------------------------------------------------------------------------------- groups and sizes


def test_a_taken_name_is_refused(moto: MotoServer) -> None:
    """C4: CreateAutoScalingGroup of a taken name is AlreadyExists, and the group is as it was."""
    account = lay_out(moto)
    before = group(moto, account.groups[BLUE])
    with refused("AlreadyExists"):
        make_group(moto, account, BLUE, 3)
    assert group(moto, account.groups[BLUE]) == before


def test_an_unknown_target_group_or_version_leaves_no_group(moto: MotoServer) -> None:
    """G1: a group that cannot be made is not there afterwards, and launches nothing."""
    account = lay_out(moto, groups_exist=False, live=None)
    wanted: dict[str, Any] = {"AutoScalingGroupName": "new", "MinSize": 1, "MaxSize": 1}
    wanted["AvailabilityZones"] = ["us-east-1a"]
    good = {"LaunchTemplateId": account.template_id, "Version": "1"}
    create = moto.client("autoscaling").create_auto_scaling_group
    with refused("ValidationError", "Target Groups"):
        create(**wanted, LaunchTemplate=good, TargetGroupARNs=[account.target_group_arns[0] + "0"])
    with refused("ValidationError", "version"):
        create(**wanted, LaunchTemplate=good | {"Version": "7"})
    assert group(moto, "new") == {}
    assert moto.client("ec2").describe_instances()["Reservations"] == []


@pytest.mark.parametrize(
    ("sizes", "text"),
    [
        ({"MinSize": 3, "MaxSize": 2}, "Max bound"),
        ({"MinSize": 3}, "min size"),
        ({"MinSize": 0, "MaxSize": 1}, "max size"),
        ({"DesiredCapacity": 9}, "max size"),
    ],
)
def test_sizes_out_of_order_are_refused(moto: MotoServer, sizes: dict[str, int], text: str) -> None:
    """B1: min, desired and max that contradict each other are refused, in Update and Create."""
    account = lay_out(moto)
    name = account.groups[BLUE]
    before = group(moto, name)
    sizes = {"DesiredCapacity": 2} | sizes
    with refused("ValidationError", text):
        moto.client("autoscaling").update_auto_scaling_group(AutoScalingGroupName=name, **sizes)
    with refused("ValidationError", text):
        moto.client("autoscaling").create_auto_scaling_group(
            AutoScalingGroupName="new",
            LaunchTemplate={"LaunchTemplateId": account.template_id, "Version": "1"},
            AvailabilityZones=["us-east-1a"],
            **{"MinSize": 2, "MaxSize": 4} | sizes,
        )
    assert group(moto, name) == before


def test_bounds_move_the_wanted_size(moto: MotoServer) -> None:
    """B1: without DesiredCapacity a higher minimum raises it and a lower maximum lowers it."""
    account = lay_out(moto)
    update, name = moto.client("autoscaling").update_auto_scaling_group, account.groups[BLUE]
    update(AutoScalingGroupName=name, MinSize=3)
    assert group(moto, name)["DesiredCapacity"] == 3
    update(AutoScalingGroupName=name, MinSize=0, MaxSize=1)
    assert group(moto, name)["DesiredCapacity"] == 1


def test_set_desired_capacity_keeps_to_the_bounds(moto: MotoServer) -> None:
    """B1: a size beyond the bounds, or of no group, is a ValidationError in AWS's words."""
    account = lay_out(moto)
    desire = moto.client("autoscaling").set_desired_capacity
    with refused("ValidationError", "New SetDesiredCapacity value 5 is above max value 4"):
        desire(AutoScalingGroupName=account.groups[BLUE], DesiredCapacity=5)
    with refused("ValidationError", "New SetDesiredCapacity value 1 is below min value 2"):
        desire(AutoScalingGroupName=account.groups[BLUE], DesiredCapacity=1)
    with refused("ValidationError", "not found"):
        desire(AutoScalingGroupName="none", DesiredCapacity=1)


def test_no_grace_period_stays_none(moto: MotoServer) -> None:
    """B3: through the API the grace period is 0 unless it is given."""
    account = lay_out(moto, groups_exist=False, live=None)
    moto.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName="new",
        LaunchTemplate={"LaunchTemplateId": account.template_id, "Version": "1"},
        MinSize=0,
        MaxSize=1,
        AvailabilityZones=["us-east-1a"],
    )
    assert group(moto, "new")["HealthCheckGracePeriod"] == 0


def test_a_group_with_instances_is_not_deleted(moto: MotoServer) -> None:
    """B10: ResourceInUse while one is left, also a Terminating one; empty it goes; gone it is not found."""
    account = lay_out(moto, capacity=1)
    name, delete = account.groups[BLUE], moto.client("autoscaling").delete_auto_scaling_group
    with refused("ResourceInUse"):
        delete(AutoScalingGroupName=name)
    resize(moto, name, 0)
    with refused("ResourceInUse"):
        delete(AutoScalingGroupName=name)
    while lifecycle(moto, name):
        pass
    delete(AutoScalingGroupName=name)
    assert group(moto, name) == {}
    with refused("ValidationError", "not found"):
        delete(AutoScalingGroupName=name)


def test_a_forced_deletion_keeps_the_name_until_the_instances_have_ended(moto: MotoServer) -> None:
    """B10: the group is shown as being deleted, then it is gone, and its name is free."""
    account = lay_out(moto, capacity=1)
    name = account.groups[BLUE]
    moto.client("autoscaling").delete_auto_scaling_group(AutoScalingGroupName=name, ForceDelete=True)
    assert group(moto, name)["Status"] == "Delete in progress"
    with refused("AlreadyExists"):
        make_group(moto, account, BLUE, 1)
    while group(moto, name):
        pass
    make_group(moto, account, BLUE, 1)


def test_failed_launches_are_told_in_activities_alone(moto: MotoServer) -> None:
    """B8: nothing launches while launches fail; activities tell, newest first; afterwards it launches."""
    account = lay_out(moto)
    name = account.groups[GREEN]
    moto.script.fail_launches(name, looks=2)
    resize(moto, name, 1)

    def newest() -> dict[str, Any]:
        told = moto.client("autoscaling").describe_scaling_activities(AutoScalingGroupName=name, MaxRecords=1)
        return dict(told["Activities"][0])

    assert lifecycle(moto, name) == []
    assert newest()["StatusCode"] == "Failed"
    assert "We currently do not have sufficient t3.micro capacity" in newest()["StatusMessage"]
    assert [lifecycle(moto, name) for _ in range(3)] == [[], ["Pending"], ["InService"]]
    assert newest()["StatusCode"] == "Successful"


@pytest.mark.parametrize("way", ["default", "path"])
@pytest.mark.parametrize("fault", ["weight", "count", "unknown"])
def test_weights_have_bounds(moto: MotoServer, way: Any, fault: str) -> None:
    """A3: weights from 0 to 999, five target groups, all known; else the action is as it was."""
    account = lay_out(moto, rule=way)
    arns = account.target_group_arns
    shares = {
        "weight": [{"TargetGroupArn": arns[0], "Weight": 1000}],
        "count": [{"TargetGroupArn": arns[0], "Weight": 1}] * 6,
        "unknown": [{"TargetGroupArn": arns[0] + "0", "Weight": 1}],
    }[fault]
    elbv2, actions = moto.client("elbv2"), [{"Type": "forward", "ForwardConfig": {"TargetGroups": shares}}]
    before = elbv2.describe_rules(RuleArns=[account.rule_arn])["Rules"][0]["Actions"]
    with refused("TargetGroupNotFound" if fault == "unknown" else "ValidationError"):
        if way == "default":
            elbv2.modify_listener(ListenerArn=account.listener_arn, DefaultActions=actions)
        else:
            elbv2.modify_rule(RuleArn=account.rule_arn, Actions=actions)
    assert elbv2.describe_rules(RuleArns=[account.rule_arn])["Rules"][0]["Actions"] == before


# --------------------------------------------------------------------------------------------- templates


def versions(moto: MotoServer, account: Account) -> dict[int, dict[str, Any]]:
    """The template's versions."""
    told = moto.client("ec2").describe_launch_template_versions(LaunchTemplateId=account.template_id)
    return {each["VersionNumber"]: each for each in told["LaunchTemplateVersions"]}


def test_a_version_inherits_from_its_source(moto: MotoServer) -> None:
    """C3: all but what was sent, and the snapshots; the description is kept; the default stays."""
    account = lay_out(moto)
    create = moto.client("ec2").create_launch_template_version
    device = {"DeviceName": "/dev/sdb", "Ebs": {"SnapshotId": "snap-1", "VolumeSize": 8}}
    create(
        LaunchTemplateId=account.template_id,
        SourceVersion="1",
        LaunchTemplateData={"BlockDeviceMappings": [device]},
    )
    create(
        LaunchTemplateName=account.launch_template,
        SourceVersion="2",
        VersionDescription="exercise-1",
        LaunchTemplateData={"ImageId": "ami-0beta"},
    )
    found = versions(moto, account)
    data = [found[number]["LaunchTemplateData"] for number in (1, 2, 3)]
    assert {key for key in data[0] if data[1][key] != data[0][key]} == {"BlockDeviceMappings"}
    assert data[1]["BlockDeviceMappings"][0]["Ebs"] == {"SnapshotId": "snap-1", "VolumeSize": 8}
    assert data[2] == data[1] | {
        "ImageId": "ami-0beta",
        "BlockDeviceMappings": [{"DeviceName": "/dev/sdb", "Ebs": {"VolumeSize": 8}}],
    }
    assert found[3]["VersionDescription"] == "exercise-1"
    assert [number for number, each in found.items() if each["DefaultVersion"]] == [1]
    with refused("InvalidLaunchTemplateId.VersionNotFound"):
        create(
            LaunchTemplateId=account.template_id,
            SourceVersion="9",
            LaunchTemplateData={"ImageId": "ami-0beta"},
        )


def test_a_token_makes_one_version(moto: MotoServer) -> None:
    """C4: the same request with the same token gives the same version, another one is refused."""
    account = lay_out(moto)
    wanted = {"LaunchTemplateId": account.template_id, "SourceVersion": "1", "ClientToken": "exercise-1"}

    def create(image: str) -> int:
        made = moto.client("ec2").create_launch_template_version(
            **wanted, LaunchTemplateData={"ImageId": image}
        )
        return int(made["LaunchTemplateVersion"]["VersionNumber"])

    assert [create("ami-0beta"), create("ami-0beta")] == [2, 2]
    with refused("IdempotentParameterMismatch"):
        create("ami-0gamma")
    assert list(versions(moto, account)) == [1, 2]


def test_versions_can_be_deleted(moto: MotoServer) -> None:
    """G1: a deleted version is not found, its number not given again; the default one is kept, and told."""
    account = lay_out(moto)
    ec2 = moto.client("ec2")
    for image in ("ami-0beta", "ami-0gamma"):
        ec2.create_launch_template_version(
            LaunchTemplateId=account.template_id, SourceVersion="1", LaunchTemplateData={"ImageId": image}
        )
    told = ec2.delete_launch_template_versions(LaunchTemplateId=account.template_id, Versions=["1", "3", "8"])
    gone = told["SuccessfullyDeletedLaunchTemplateVersions"]
    kept = told["UnsuccessfullyDeletedLaunchTemplateVersions"]
    assert [each["VersionNumber"] for each in gone] == [3]
    assert [(each["VersionNumber"], each["ResponseError"]["Code"]) for each in kept] == [
        (1, "unexpectedError"),
        (8, "launchTemplateVersionDoesNotExist"),
    ]
    with refused("InvalidLaunchTemplateId.VersionNotFound"):
        ec2.describe_launch_template_versions(LaunchTemplateId=account.template_id, Versions=["3"])
    ec2.create_launch_template_version(
        LaunchTemplateId=account.template_id, SourceVersion="2", LaunchTemplateData={"ImageId": "ami-0beta"}
    )
    assert list(versions(moto, account)) == [1, 2, 4]


def test_templates_and_versions_come_by_pages(moto: MotoServer) -> None:
    """E3: every version and template is reached by pages, and versions can be asked for by image."""
    account, ec2 = lay_out(moto), moto.client("ec2")
    for _ in range(16):
        ec2.create_launch_template_version(
            LaunchTemplateId=account.template_id, LaunchTemplateData={"ImageId": "ami-0beta"}
        )
    for name in ("a-template", "b-template"):
        ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData={"ImageId": "ami-0beta"})

    def numbers(**asked: Any) -> list[int]:
        pages = ec2.get_paginator("describe_launch_template_versions").paginate(
            LaunchTemplateId=account.template_id, **asked
        )
        return [each["VersionNumber"] for page in pages for each in page["LaunchTemplateVersions"]]

    assert numbers() == numbers(PaginationConfig={"PageSize": 7}) == list(range(1, 18))
    assert numbers(Filters=[{"Name": "image-id", "Values": ["ami-0alpha"]}]) == [1]
    pages = ec2.get_paginator("describe_launch_templates").paginate(PaginationConfig={"PageSize": 2})
    assert [len(page["LaunchTemplates"]) for page in pages] == [2, 1]


# --------------------------------------------------------------------------------- instances and images


def test_a_token_starts_one_instance(moto: MotoServer) -> None:
    """C4: the same token gives the same instance, other parameters are refused, and so is one that ended."""
    lay_out(moto)
    first = start(moto, ClientToken="exercise-1")
    assert start(moto, ClientToken="exercise-1") == first
    with refused("IdempotentParameterMismatch"):
        start(moto, ClientToken="exercise-1", InstanceType="t3.small")
    moto.client("ec2").terminate_instances(InstanceIds=[first])
    with refused("IdempotentInstanceTerminated"):
        start(moto, ClientToken="exercise-1")


def test_an_instance_takes_its_time(moto: MotoServer) -> None:
    """C2: pending, running, stopping, stopped, shutting-down, terminated; to end it twice is harmless."""
    lay_out(moto)
    ec2, instance = moto.client("ec2"), start(moto)
    assert [instance_state(moto, instance) for _ in range(3)] == ["pending", "running", "running"]
    ec2.stop_instances(InstanceIds=[instance])
    assert [instance_state(moto, instance) for _ in range(2)] == ["stopping", "stopped"]
    for _ in range(2):
        ec2.terminate_instances(InstanceIds=[instance])
    assert [instance_state(moto, instance) for _ in range(2)] == ["shutting-down", "terminated"]
    ec2.terminate_instances(InstanceIds=[instance])
    ec2.stop_instances(InstanceIds=[instance])
    assert instance_state(moto, instance) == "terminated"


def test_an_instance_starts_from_a_template_version(moto: MotoServer) -> None:
    """C3: RunInstances with a launch template takes its image, type, key and tags."""
    account = lay_out(moto)
    template = {"LaunchTemplateId": account.template_id, "Version": "1"}
    started = moto.client("ec2").run_instances(LaunchTemplate=template, MinCount=1, MaxCount=1)["Instances"][
        0
    ]
    assert (started["ImageId"], started["InstanceType"], started["KeyName"]) == (
        "ami-0alpha",
        "t3.micro",
        "exercise-key",
    )
    assert {"Key": "team", "Value": "exercise"} in started["Tags"]


def test_status_checks_take_their_time(moto: MotoServer) -> None:
    """C2: initializing, then ok, or impaired for the images that the script names."""
    account = lay_out(moto)
    moto.script.impaired_images.add("ami-0beta")
    found = {image: start(moto, ImageId=image) for image in account.images[:2]}
    for _ in range(2):
        moto.client("ec2").describe_instances()

    def look() -> list[str]:
        told = moto.client("ec2").describe_instance_status(InstanceIds=list(found.values()))[
            "InstanceStatuses"
        ]
        states = {each["InstanceId"]: each["InstanceStatus"]["Status"] for each in told}
        return [states[instance] for instance in found.values()]

    assert [look() for _ in range(3)] == [["initializing"] * 2, ["ok", "impaired"], ["ok", "impaired"]]


def test_an_image_takes_its_time_and_has_its_name_alone(moto: MotoServer) -> None:
    """C1: pending, then available, or failed; the name is taken at once; image and snapshot are tagged."""
    lay_out(moto)
    ec2, instance = moto.client("ec2"), start(moto)
    tags = [{"Key": "bluegreen", "Value": "exercise"}]
    kinds = [{"ResourceType": kind, "Tags": tags} for kind in ("image", "snapshot")]
    image = ec2.create_image(InstanceId=instance, Name="exercise-v2", TagSpecifications=kinds)["ImageId"]
    with refused("InvalidAMIName.Duplicate", f"already in use by AMI {image}"):
        ec2.create_image(InstanceId=instance, Name="exercise-v2")

    def look(**asked: Any) -> list[tuple[str, str]]:
        return [(each["ImageId"], each["State"]) for each in ec2.describe_images(**asked)["Images"]]

    assert look(ImageIds=[image]) == [(image, "pending")]
    assert look(Filters=[{"Name": "name", "Values": ["exercise-v2"]}], Owners=["self"]) == [
        (image, "available")
    ]
    assert look(Filters=[{"Name": "tag:bluegreen", "Values": ["exercise"]}]) == [(image, "available")]
    snapshot = ec2.describe_images(ImageIds=[image])["Images"][0]["BlockDeviceMappings"][0]["Ebs"][
        "SnapshotId"
    ]
    assert ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]["Tags"] == tags
    moto.script.failing_images.add("exercise-v3")
    other = ec2.create_image(InstanceId=instance, Name="exercise-v3")["ImageId"]
    assert [look(ImageIds=[other]) for _ in range(2)] == [[(other, "pending")], [(other, "failed")]]


# ---------------------------------------------------------------------------------------------- commands


def online(moto: MotoServer) -> list[str]:
    """One look at the agents that are online."""
    told = moto.client("ssm").describe_instance_information()["InstanceInformationList"]
    return [each["InstanceId"] for each in told if each["PingStatus"] == "Online"]


def send(moto: MotoServer, instance: str, text: str, comment: str = "") -> str:
    """A shell command on an instance."""
    sent = moto.client("ssm").send_command(
        InstanceIds=[instance],
        DocumentName="AWS-RunShellScript",
        Parameters={"commands": [text]},
        Comment=comment,
    )
    return str(sent["Command"]["CommandId"])


def test_an_agent_is_online_only_after_a_while(moto: MotoServer) -> None:
    """C6: SendCommand to an instance whose agent is not online is InvalidInstanceId, and runs nowhere."""
    lay_out(moto, live=None)
    instance = start(moto)
    assert online(moto) == []
    for _ in range(2):
        instance_state(moto, instance)
    assert online(moto) == []
    moto.script.looks.agent = 2
    with refused("InvalidInstanceId"):
        send(moto, instance, "true")
    assert online(moto) == [instance]
    assert moto.script.commands == []


def test_a_command_runs_on_the_named_instance_once(moto: MotoServer) -> None:
    """G1, C6: nowhere else; Pending, InProgress, Success or Failed, with exit code, output and comment."""
    account = lay_out(moto)
    first, second = (each["InstanceId"] for each in group(moto, account.groups[BLUE])["Instances"])
    moto.script.run_command = lambda text: (3, "no such branch") if text == "git pull" else (0, "fine")
    send(moto, first, "make", comment="exercise-1/0")
    command = send(moto, first, "git pull", comment="exercise-1/1")
    assert moto.script.commands == [(first, "make"), (first, "git pull")]

    def look() -> list[tuple[str, str, int, str]]:
        told = moto.client("ssm").list_command_invocations(InstanceId=first, Details=True)[
            "CommandInvocations"
        ]
        return [
            (each["Comment"], each["Status"], plugin["ResponseCode"], plugin["Output"])
            for each in told
            for plugin in each["CommandPlugins"]
        ]

    assert look() == [("exercise-1/1", "Pending", -1, ""), ("exercise-1/0", "Pending", -1, "")]
    assert {status for _, status, _, _ in look()} == {"InProgress"}
    assert look() == [("exercise-1/1", "Failed", 3, "no such branch"), ("exercise-1/0", "Success", 0, "fine")]
    told = moto.client("ssm").get_command_invocation(CommandId=command, InstanceId=first)
    assert (told["Status"], told["ResponseCode"], told["StandardOutputContent"]) == (
        "Failed",
        3,
        "no such branch",
    )
    assert moto.client("ssm").list_command_invocations(InstanceId=second)["CommandInvocations"] == []


# -------------------------------------------------------------------------------------------- the server


@pytest.mark.process
def test_another_process_sees_the_same_account(moto: MotoServer) -> None:
    """A child with ``environment()`` and the URL talks to the same server, whose calls are counted."""
    account = lay_out(moto)
    code = """
import boto3, json, sys
told = boto3.client("autoscaling", endpoint_url=sys.argv[1]).describe_auto_scaling_groups()
print(json.dumps([each["AutoScalingGroupName"] for each in told["AutoScalingGroups"]]))
"""
    ran = subprocess.run(
        [sys.executable, "-c", code, moto.url],
        env=moto.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(ran.stdout) == list(account.groups)
    assert moto.calls == [("autoscaling", "DescribeAutoScalingGroups")]


def test_nothing_is_written_to_the_terminal(moto: MotoServer, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither starting nor answering prints anything."""
    lay_out(moto)
    assert capfd.readouterr() == ("", "")


def test_every_protocol_is_understood(moto: MotoServer) -> None:
    """Calls are named by the service as it signs and the operation, in each of the protocols."""
    moto.client("cloudwatch").describe_alarms()
    moto.client("ssm").list_commands()
    moto.client("sts").get_caller_identity()
    moto.client("ec2").describe_vpcs()
    assert moto.calls == [
        ("monitoring", "DescribeAlarms"),
        ("ssm", "ListCommands"),
        ("sts", "GetCallerIdentity"),
        ("ec2", "DescribeVpcs"),
    ]


def test_a_bug_of_moto_is_told_on_stderr(moto: MotoServer, capfd: pytest.CaptureFixture[str]) -> None:
    """What moto cannot do is a 500 for the client, and a traceback for the reader of the test."""
    with pytest.raises((ClientError, ResponseParserError)):
        moto.client("autoscaling").attach_traffic_sources(AutoScalingGroupName="none", TrafficSources=[])
    out, err = capfd.readouterr()
    assert (out, "NotImplementedError" in err) == ("", True)
