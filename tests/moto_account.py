"""An account as the tutorial leaves it, laid out on a ``MotoServer`` and already at rest."""

from __future__ import annotations

from base64 import b64encode
from typing import Any, Literal

from attrs import frozen
from moto.ec2.models.amis import Ami

from tests.moto_server import MotoServer

GROUPS = ("exercise-group-blue", "exercise-group-green")
TEMPLATE = "exercise-launch-template"
IMAGES = ("ami-0alpha", "ami-0beta", "ami-0gamma")
TARGET_GROUPS = {"weighted": ("exercise-blue", "exercise-green"), "shared": ("exercise-target-group",)}


@frozen(kw_only=True)
class Account:
    """What was laid out, by name and by what AWS calls it.

    Args:
        routing: ``weighted`` or ``shared``.
        live: Index of the group that serves; None when none does.
        capacity: Its size.
        groups: The two groups' names, whether they exist or not.
        launch_template: The template's name.
        template_id: Its id; it has version 1, of the first image.
        images: Ids of images to deploy; the first is live.
        target_groups: Their names: two with weights, in the order of the groups, else one.
        target_group_arns: In the same order.
        load_balancer_arn: Of the balancer.
        listener_arn: Of its one listener, on port 80.
        rule_arn: Of the rule that leads to the target groups: the default one, or one of its own.
        subnets: Two, in two zones.
        security_group: Of the template.
    """

    routing: Literal["weighted", "shared"]
    live: int | None
    capacity: int
    groups: tuple[str, str]
    launch_template: str
    template_id: str
    images: tuple[str, ...]
    target_groups: tuple[str, ...]
    target_group_arns: tuple[str, ...]
    load_balancer_arn: str
    listener_arn: str
    rule_arn: str
    subnets: tuple[str, str]
    security_group: str

    def target_group_of(self, index: int) -> str:
        """The ARN of a group's target group."""
        return self.target_group_arns[min(index, len(self.target_group_arns) - 1)]


def lay_out(
    moto: MotoServer,
    routing: Literal["weighted", "shared"] = "weighted",
    *,
    capacity: int = 2,
    live: int | None = 0,
    groups_exist: bool = True,
    rule: Literal["default", "path"] = "default",
    images: tuple[str, ...] = IMAGES,
) -> Account:
    """Two groups behind a balancer, pinned to version 1 of a template; one of them live, or none.

    Instances and targets are at rest: InService, healthy, no look needed. ``rule="path"`` gives the
    service a rule of its own below ``/exercise/*`` in place of the listener's default action.
    """
    subnets, security_group = _network(moto)
    for image in images:
        ec2 = moto.backend("ec2")
        ec2.amis[image] = Ami(ec2, image, name=f"image {image}")
    template_id = _template(moto, images[0], security_group)
    names = TARGET_GROUPS[routing]
    arns = tuple(_target_group(moto, name) for name in names)
    balancer, listener, rule_arn = _balancer(moto, subnets, arns, live or 0, rule)
    account = Account(
        routing=routing,
        live=live,
        capacity=capacity,
        groups=GROUPS,
        launch_template=TEMPLATE,
        template_id=template_id,
        images=images,
        target_groups=names,
        target_group_arns=arns,
        load_balancer_arn=balancer,
        listener_arn=listener,
        rule_arn=rule_arn,
        subnets=subnets,
        security_group=security_group,
    )
    if groups_exist:
        for index in (0, 1):
            make_group(moto, account, index, capacity if index == live else 0)
    moto.settle()
    moto.calls.clear()
    return account


def make_group(moto: MotoServer, account: Account, index: int, size: int, version: int = 1) -> None:
    """One of the account's groups; behind the shared target group only if it is the live one."""
    behind = account.routing == "weighted" or index == account.live
    moto.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName=account.groups[index],
        LaunchTemplate={"LaunchTemplateId": account.template_id, "Version": str(version)},
        MinSize=size,
        MaxSize=max(size, 4),
        DesiredCapacity=size,
        VPCZoneIdentifier=",".join(account.subnets),
        TargetGroupARNs=[account.target_group_of(index)] if behind else [],
        HealthCheckType="ELB",
        HealthCheckGracePeriod=60,
        Tags=[{"Key": "Name", "Value": "exercise", "PropagateAtLaunch": True}],
    )


def _network(moto: MotoServer) -> tuple[tuple[str, str], str]:
    ec2 = moto.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    first, second = (
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{block}.0/20", AvailabilityZone=f"us-east-1{zone}")
        for block, zone in ((0, "a"), (16, "b"))
    )
    group = ec2.create_security_group(GroupName="exercise", Description="exercise", VpcId=vpc)["GroupId"]
    return (first["Subnet"]["SubnetId"], second["Subnet"]["SubnetId"]), group


def _template(moto: MotoServer, image: str, security_group: str) -> str:
    data: dict[str, Any] = {
        "ImageId": image,
        "InstanceType": "t3.micro",
        "KeyName": "exercise-key",
        "SecurityGroupIds": [security_group],
        "UserData": b64encode(b"#!/bin/sh\nsystemctl start exercise\n").decode(),
        "Monitoring": {"Enabled": True},
        "MetadataOptions": {"HttpTokens": "required"},
        "BlockDeviceMappings": [
            {
                "DeviceName": "/dev/xvda",
                "Ebs": {"VolumeSize": 16, "VolumeType": "gp3", "DeleteOnTermination": True},
            }
        ],
        "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "team", "Value": "exercise"}]}],
    }
    made = moto.client("ec2").create_launch_template(LaunchTemplateName=TEMPLATE, LaunchTemplateData=data)
    return str(made["LaunchTemplate"]["LaunchTemplateId"])


def _target_group(moto: MotoServer, name: str) -> str:
    vpcs = moto.client("ec2").describe_vpcs(Filters=[{"Name": "cidr", "Values": ["10.0.0.0/16"]}])["Vpcs"]
    made = moto.client("elbv2").create_target_group(
        Name=name,
        Protocol="HTTP",
        Port=80,
        VpcId=vpcs[0]["VpcId"],
        HealthCheckIntervalSeconds=10,
        HealthCheckTimeoutSeconds=5,
    )
    return str(made["TargetGroups"][0]["TargetGroupArn"])


def _balancer(
    moto: MotoServer, subnets: tuple[str, str], arns: tuple[str, ...], live: int, rule: str
) -> tuple[str, str, str]:
    elbv2 = moto.client("elbv2")
    made = elbv2.create_load_balancer(Name="exercise-load-balancer", Subnets=list(subnets))
    balancer = made["LoadBalancers"][0]["LoadBalancerArn"]
    forward: dict[str, Any] = {"Type": "forward", "TargetGroupArn": arns[0]}
    if len(arns) > 1:
        weights = [100 if index == live else 0 for index in range(len(arns))]
        shares = [
            {"TargetGroupArn": arn, "Weight": weight} for arn, weight in zip(arns, weights, strict=True)
        ]
        forward = {"Type": "forward", "ForwardConfig": {"TargetGroups": shares}}
    nothing = {
        "Type": "fixed-response",
        "FixedResponseConfig": {"StatusCode": "404", "ContentType": "text/plain"},
    }
    listener = elbv2.create_listener(
        LoadBalancerArn=balancer,
        Protocol="HTTP",
        Port=80,
        DefaultActions=[forward if rule == "default" else nothing],
    )["Listeners"][0]["ListenerArn"]
    if rule == "path":
        elbv2.create_rule(
            ListenerArn=listener,
            Priority=10,
            Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/exercise/*"]}}],
            Actions=[forward],
        )
    rules = elbv2.describe_rules(ListenerArn=listener)["Rules"]
    wanted = next(each for each in rules if each["IsDefault"] == (rule == "default"))
    return balancer, listener, wanted["RuleArn"]
