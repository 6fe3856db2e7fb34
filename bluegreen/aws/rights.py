"""Which rights bluegreen needs: the one table from which its policies and its documentation come.

A right is an IAM action; what it may be limited to is its ``kind`` of resource (Service Authorization
Reference, the pages of each service). Three levels, each with those before it: ``observe`` looks; ``shift``
adds what writes a team's journal, for operators, and what moves users between groups that stand, which no
command does alone; ``manage`` deploys, builds images and cleans up.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, get_args

from attrs import frozen

Level = Literal["observe", "shift", "manage"]
LEVELS: tuple[Level, ...] = get_args(Level)

AUTO_SCALING = "https://docs.aws.amazon.com/autoscaling/ec2/userguide"
TEMPLATES = f"{AUTO_SCALING}/ec2-auto-scaling-launch-template-permissions.html"


@frozen
class Right:
    """One action that is asked for.

    Args:
        action: Its name in IAM.
        level: The first level that has it.
        kind: What it may be limited to; ``any`` where AWS knows no limit.
        use: What it is needed for.
        page: AWS's page that asks for it, of an action of whose name no call is made.
    """

    action: str
    level: Level
    kind: str
    use: str
    page: str = ""


def _rights(level: Level, kind: str, use: str, actions: str, page: str = "") -> Iterator[Right]:
    return (Right(action, level, kind, use, page) for action in actions.split())


_LOOK = "a look of a deployment"
_LIST = "`list`, `cleanup`, `destroy`"
_BUILD = "image builds"
_REPLACE = '`fleets = "replace"`'
_JOURNAL = "a journal in S3"

RIGHTS: tuple[Right, ...] = (
    *_rights("observe", "any", "find the account; AWS asks for no permission", "sts:GetCallerIdentity"),
    *_rights(
        "observe",
        "any",
        _LOOK,
        "autoscaling:DescribeAutoScalingGroups autoscaling:DescribeInstanceRefreshes "
        "autoscaling:DescribeScalingActivities cloudwatch:DescribeAlarmHistory cloudwatch:DescribeAlarms "
        "ec2:DescribeImages "
        "ec2:DescribeInstanceStatus ec2:DescribeLaunchTemplates "
        "ec2:DescribeLaunchTemplateVersions elasticloadbalancing:DescribeListeners "
        "elasticloadbalancing:DescribeRules elasticloadbalancing:DescribeTargetGroupAttributes "
        "elasticloadbalancing:DescribeTargetGroups elasticloadbalancing:DescribeTargetHealth",
    ),
    *_rights("observe", "any", "`MetricGate`", "cloudwatch:GetMetricData"),
    *_rights(
        "observe", "any", "a first release without groups", "elasticloadbalancing:DescribeLoadBalancers"
    ),
    *_rights(
        "observe",
        "any",
        _REPLACE,
        "autoscaling:DescribeLifecycleHooks autoscaling:DescribeNotificationConfigurations "
        "autoscaling:DescribePolicies autoscaling:DescribeScheduledActions",
    ),
    *_rights(
        "observe",
        "any",
        _BUILD,
        "ec2:DescribeInstances ssm:DescribeInstanceInformation ssm:ListCommandInvocations",
    ),
    *_rights("observe", "any", _LIST, "ec2:DescribeSnapshots ec2:DescribeVolumes"),
    *_rights("observe", "bucket", _JOURNAL, "s3:ListBucket"),
    *_rights("observe", "objects", _JOURNAL, "s3:GetObject"),
    *_rights("shift", "objects", _JOURNAL, "s3:PutObject"),
    *_rights(
        "shift",
        "listener",
        "users move: the default rule of a listener",
        "elasticloadbalancing:ModifyListener",
    ),
    *_rights("shift", "rule", "users move: another rule", "elasticloadbalancing:ModifyRule"),
    *_rights(
        "shift",
        "group",
        "users move: behind a shared target group",
        "autoscaling:AttachLoadBalancerTargetGroups autoscaling:DetachLoadBalancerTargetGroups "
        "autoscaling:DetachTrafficSources",
    ),
    *_rights("shift", "topic", "`SnsListener`", "sns:Publish"),
    *_rights("shift", "bus", "`EventBridgeListener`", "events:PutEvents"),
    *_rights("manage", "group", "groups change", "autoscaling:UpdateAutoScalingGroup"),
    *_rights(
        "manage", "group", "`freeze_scaling`", "autoscaling:ResumeProcesses autoscaling:SuspendProcesses"
    ),
    *_rights(
        "manage",
        "new group",
        f"a first release without groups, {_REPLACE}",
        "autoscaling:CreateAutoScalingGroup",
    ),
    *_rights(
        "manage", "group", f"a first release without groups, {_REPLACE}", "autoscaling:DeleteAutoScalingGroup"
    ),
    *_rights(
        "manage",
        "group",
        f"{_REPLACE}, of what blue has",
        "autoscaling:DeleteWarmPool autoscaling:EnableMetricsCollection "
        "autoscaling:PutNotificationConfiguration autoscaling:PutScalingPolicy "
        "autoscaling:PutScheduledUpdateGroupAction autoscaling:PutWarmPool",
    ),
    *_rights(
        "manage",
        "group",
        "instances that are protected from scale-in; `destroy`",
        "autoscaling:SetInstanceProtection",
    ),
    *_rights("manage", "template", "groups change", "ec2:CreateLaunchTemplateVersion"),
    *_rights("manage", "template", "`cleanup`", "ec2:DeleteLaunchTemplateVersions"),
    *_rights(
        "manage",
        "launch",
        f"{_BUILD}; and a group is created or pointed at a version: AWS tries a launch",
        "ec2:RunInstances",
    ),
    *_rights("manage", "instance", _BUILD, "ec2:StopInstances ec2:TerminateInstances"),
    *_rights("manage", "console", "image builds by SSH; `console_lines`", "ec2:GetConsoleOutput"),
    *_rights("manage", "imaging", _BUILD, "ec2:CreateImage"),
    *_rights("manage", "command", _BUILD, "ssm:SendCommand"),
    *_rights("manage", "volume", "`cleanup`", "ec2:DeleteVolume"),
    *_rights("manage", "image", "`cleanup`", "ec2:DeregisterImage"),
    *_rights("manage", "snapshot", "`cleanup`", "ec2:DeleteSnapshot"),
    *_rights("manage", "tags", "what we make, and what a template tags, gets tags", "ec2:CreateTags"),
    *_rights("manage", "role", "the template has an instance profile: its role", "iam:PassRole", TEMPLATES),
    *_rights(
        "manage",
        "parameter",
        "the template's image is a Systems Manager parameter",
        "ssm:GetParameters",
        TEMPLATES,
    ),
    *_rights(
        "manage",
        "service-linked role",
        "the first group of an account",
        "iam:CreateServiceLinkedRole",
        f"{AUTO_SCALING}/autoscaling-service-linked-role.html",
    ),
)

_PREFIX = {"elbv2": "elasticloadbalancing", "monitoring": "cloudwatch"}
_ACTION = {"s3:ListObjectsV2": "s3:ListBucket"}


def action_of(service: str, operation: str) -> str:
    """The IAM action that an operation asks for.

    Args:
        service: The service, as boto3 or as its signature names it.
        operation: The operation.
    """
    called = f"{_PREFIX.get(service, service)}:{operation}"
    return _ACTION.get(called, called)
