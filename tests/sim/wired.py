"""Plans, and boto3 clients that carry out bluegreen's commands: what the tests of the endpoint share."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from botocore.config import Config
from botocore.exceptions import ClientError

from bluegreen.core.commands import (
    Attach,
    Command,
    CreateFleet,
    DeleteFleet,
    Detach,
    Freeze,
    PrepareVersion,
    SetBounds,
    SetShares,
    SetSize,
    SetVersion,
)
from bluegreen.core.gates import Alarm
from bluegreen.core.plan import Plan, SharedTargetGroup, WeightedTargetGroups
from bluegreen_sim import SimCloud
from bluegreen_sim.endpoint import names, session

SHARED = Plan(
    service="s",
    image="ami-new",
    launch_template="tpl",
    groups=("a", "b"),
    routing=SharedTargetGroup("tg"),
    gates=(Alarm(name="errors"),),
)
WEIGHTED = evolve(SHARED, routing=WeightedTargetGroups("tg-a", "tg-b"))
TG, TG_A, TG_B = (names.target_group_arn(name) for name in ("tg", "tg-a", "tg-b"))
ONCE = Config(retries={"mode": "standard", "total_max_attempts": 1})


def code(failure: pytest.ExceptionInfo[ClientError]) -> str:
    return failure.value.response["Error"]["Code"]


class Aws:
    """The six clients of a cloud, each under its name."""

    def __init__(self, cloud: SimCloud) -> None:
        made = session(cloud)
        self.weighted = cloud.world.weighted
        self.autoscaling, self.elbv2, self.ec2 = (
            made.client(name, config=ONCE) for name in ("autoscaling", "elbv2", "ec2")
        )
        self.cloudwatch, self.ssm = (made.client(name, config=ONCE) for name in ("cloudwatch", "ssm"))

    def group(self, name: str) -> dict[str, Any]:
        return self.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])[
            "AutoScalingGroups"
        ][0]

    def weights(self, **weights: int) -> None:
        self.elbv2.modify_listener(ListenerArn=names.LISTENER_ARN, DefaultActions=forward(**weights))

    def health(self, arn: str) -> dict[str, str]:
        shown = self.elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        return {each["Target"]["Id"]: each["TargetHealth"]["State"] for each in shown}

    def new_version(self, image: str, token: str = "d", *, source: int = 1, **more: Any) -> int:
        made = self.ec2.create_launch_template_version(
            LaunchTemplateName="tpl",
            SourceVersion=str(source),
            ClientToken=token,
            LaunchTemplateData={"ImageId": image},
            **more,
        )
        return made["LaunchTemplateVersion"]["VersionNumber"]

    def carry_out(self, command: Command) -> None:
        """What an adapter would ask for."""
        scaling = self.autoscaling
        match command:
            case PrepareVersion(image=image, token=token, source=source):
                self.new_version(image, token, source=source)
            case SetVersion(fleet=fleet, version=version):
                scaling.update_auto_scaling_group(AutoScalingGroupName=fleet, LaunchTemplate=pinned(version))
            case SetBounds(fleet=fleet, min=low, max=high):
                scaling.update_auto_scaling_group(AutoScalingGroupName=fleet, MinSize=low, MaxSize=high)
            case SetSize(fleet=fleet, size=size, min=low, max=high):
                scaling.update_auto_scaling_group(
                    AutoScalingGroupName=fleet, MinSize=low, MaxSize=high, DesiredCapacity=size
                )
            case SetShares(weights=weights):
                self.weights(**{f"tg_{fleet}": weight for fleet, weight in weights})
            case Attach(fleet=fleet):
                scaling.attach_load_balancer_target_groups(AutoScalingGroupName=fleet, TargetGroupARNs=[TG])
            case Detach(fleet=fleet):
                scaling.detach_load_balancer_target_groups(AutoScalingGroupName=fleet, TargetGroupARNs=[TG])
            case Freeze(fleet=fleet, frozen=frozen):
                ask = scaling.suspend_processes if frozen else scaling.resume_processes
                ask(AutoScalingGroupName=fleet, ScalingProcesses=["AlarmNotification", "ScheduledActions"])
            case DeleteFleet(fleet=fleet):
                scaling.delete_auto_scaling_group(AutoScalingGroupName=fleet)
            case CreateFleet():
                self.create(command)

    def create(self, command: CreateFleet) -> None:
        """Make a group, behind its own target group where each has one."""
        behind = [names.target_group_arn(f"tg-{command.fleet}")] if self.weighted else []
        self.autoscaling.create_auto_scaling_group(
            AutoScalingGroupName=command.fleet,
            LaunchTemplate=pinned(command.version),
            MinSize=command.min,
            MaxSize=command.max,
            DesiredCapacity=command.size,
            TargetGroupARNs=behind,
            Tags=[{"Key": "bluegreen:deployment", "Value": command.token}],
        )


def pinned(version: int) -> dict[str, str]:
    return {"LaunchTemplateName": "tpl", "Version": str(version)}


def forward(**weights: int) -> list[Any]:
    """Actions of a rule that divides traffic."""
    listed = [
        {"TargetGroupArn": names.target_group_arn(name.replace("_", "-")), "Weight": weight}
        for name, weight in weights.items()
    ]
    return [{"Type": "forward", "ForwardConfig": {"TargetGroups": listed}}]
