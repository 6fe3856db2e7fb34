"""Things of ours, and of others, in an account laid out on a ``MotoServer``."""

from __future__ import annotations

import time
from functools import cache
from typing import Any

import boto3

from bluegreen.aws.builder import AwsBuilder
from bluegreen.aws.clients import Clients
from bluegreen.aws.names import description, tag_list
from bluegreen.core.observation import Result
from bluegreen.ports import CreateImage, StartInstance
from tests.moto_account import GROUPS, IMAGES, TEMPLATE, Account, lay_out
from tests.moto_server import MotoServer

SERVICE = "exercise"
FIRST, SECOND, OTHERS = "exercise-1-0000000a", "exercise-2-0000000b", "orders-1-0000000c"


class Instant:
    """A clock whose sleep takes no time, for moto counts looks."""

    virtual = False

    def __init__(self, *_: object) -> None:
        self._slept = 0.0

    def now(self) -> float:
        """Seconds since 1970, with what was slept."""
        return time.time() + self._slept

    def sleep(self, seconds: float) -> None:
        """Let ``seconds`` pass at once."""
        self._slept += seconds


@cache
def session() -> boto3.Session:
    """One session for all clients: each new one reads botocore's models again, which takes a second."""
    return MotoServer().session()


def clients_of(moto: MotoServer) -> Clients:
    """Clients of the account; close them."""
    return Clients(session(), endpoint_url=moto.url)


def version(moto: MotoServer, image: str, token: str, template: str = TEMPLATE) -> int:
    """A template version as a deployment makes it."""
    made = moto.client("ec2").create_launch_template_version(
        LaunchTemplateName=template,
        SourceVersion="1",
        VersionDescription=description(token),
        LaunchTemplateData={"ImageId": image},
    )
    return int(made["LaunchTemplateVersion"]["VersionNumber"])


def group(
    moto: MotoServer,
    account: Account,
    name: str,
    number: int,
    *,
    size: int = 2,
    token: str = FIRST,
    service: str = SERVICE,
    **more: Any,
) -> None:
    """A group as a first release makes it."""
    marks = {"ResourceId": name, "ResourceType": "auto-scaling-group", "PropagateAtLaunch": True}
    moto.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName=name,
        LaunchTemplate={"LaunchTemplateName": TEMPLATE, "Version": str(number)},
        MinSize=size,
        MaxSize=size,
        DesiredCapacity=size,
        VPCZoneIdentifier=",".join(account.subnets),
        TargetGroupARNs=[account.target_group_arns[0]],
        Tags=[marks | tag for tag in tag_list(service=service, deployment=token)],
        **more,
    )
    moto.settle()


def built(moto: MotoServer, *, service: str = SERVICE, token: str = "b1", image: str | None = None) -> str:
    """A build instance, running, and perhaps an image of it; gives the id of the last that was made."""
    builder = AwsBuilder(session(), endpoint_url=moto.url)
    ec2 = moto.client("ec2")
    start = StartInstance(
        service=service, name=f"of {token}", launch_template=TEMPLATE, version=1, token=token, request=token
    )
    try:
        assert builder.apply(start).result is Result.APPLIED
        instance = str(builder.look(token, "none").instance)
        ec2.describe_instances()
        if image is None:
            return instance
        create = CreateImage(service=service, instance=instance, name=image, token=token)
        assert builder.apply(create).result is Result.APPLIED
        ec2.terminate_instances(InstanceIds=[instance])
        for _ in range(3):
            ec2.describe_instances()
            ec2.describe_images()
        return str(builder.look(token, image).image)
    finally:
        builder.close()


def first_release(moto: MotoServer) -> Account:
    """The account after a first release: an image was built, our group serves version 2 with it."""
    account = lay_out(moto, "shared", groups_exist=False)
    image = built(moto, image="exercise 1")
    group(moto, account, GROUPS[0], version(moto, image, FIRST))
    return account


def standing(moto: MotoServer, *, tagged: bool) -> Account:
    """The user's two standing groups after two releases; the last one serves."""
    account = lay_out(moto, "weighted")
    for index, (token, name) in enumerate(((FIRST, "exercise 1"), (SECOND, "exercise 2"))):
        number = version(moto, built(moto, token=f"b{index}", image=name), token)
        moto.client("autoscaling").update_auto_scaling_group(
            AutoScalingGroupName=GROUPS[index],
            LaunchTemplate={"LaunchTemplateName": TEMPLATE, "Version": str(number)},
            MinSize=2 * index,
            MaxSize=4,
            DesiredCapacity=2 * index,
        )
        if tagged:
            tag(moto, GROUPS[index])
    moto.settle()
    return account


def tag(moto: MotoServer, name: str, service: str = SERVICE) -> None:
    """Tag a group as a user does who wants it to be ours."""
    moto.client("autoscaling").create_or_update_tags(
        Tags=[
            {
                "ResourceId": name,
                "ResourceType": "auto-scaling-group",
                "Key": "bluegreen:service",
                "Value": service,
                "PropagateAtLaunch": False,
            }
        ]
    )


def everything(moto: MotoServer) -> dict[str, list[str]]:
    """All that is in the account and that we could have made, by kind, ours or not."""
    ec2, asg = moto.client("ec2"), moto.client("autoscaling")
    reservations = ec2.describe_instances()["Reservations"]
    live = [i for r in reservations for i in r["Instances"] if i["State"]["Name"] != "terminated"]
    versions = ec2.describe_launch_template_versions(LaunchTemplateName=TEMPLATE)["LaunchTemplateVersions"]
    return {
        "groups": [
            g["AutoScalingGroupName"] for g in asg.describe_auto_scaling_groups()["AutoScalingGroups"]
        ],
        "instances": [i["InstanceId"] for i in live],
        "versions": [str(v["VersionNumber"]) for v in versions],
        "images": [i["ImageId"] for i in ec2.describe_images()["Images"] if i["ImageId"] not in IMAGES],
        "snapshots": [s["SnapshotId"] for s in ec2.describe_snapshots()["Snapshots"] if s.get("Tags")],
        "volumes": [v["VolumeId"] for v in ec2.describe_volumes()["Volumes"] if v.get("Tags")],
    }
