"""IAM policies with the rights of the table, limited to what a plan names or to what bears our tag."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import boto3
from attrs import frozen
from botocore.exceptions import UnknownRegionError

from ..core.errors import BlueGreenError
from ..core.plan import Plan, WeightedTargetGroups
from .names import DONE_TAG, SERVICE_TAG
from .rights import LEVELS, RIGHTS, Level

MANAGED_POLICY_SIZE = 6_144
"""Characters of a managed policy, white space not counted (IAM user guide, "IAM and AWS STS quotas")."""


@frozen(kw_only=True)
class Scope:
    """What a policy is limited to.

    Args:
        plan: What this plan names, by ARN; None is everything that bears the tag ``bluegreen:service``.
        account: The account's number; ``*`` is any.
        region: The Region's name; ``*`` is any of the partition ``aws``.
        roles: Names of the roles in the instance profiles of launch templates.
        journal: The place of a team's journals, ``s3://bucket/prefix``; None grants nothing in S3.
        notified: ARNs of SNS topics and EventBridge buses that listeners tell.
    """

    plan: Plan | None = None
    account: str = "*"
    region: str = "*"
    roles: tuple[str, ...] = ("*",)
    journal: str | None = None
    notified: tuple[str, ...] = ()

    @property
    def partition(self) -> str:
        """The first word of its ARNs: ``aws``, or that of China, GovCloud and others.

        Raises:
            BlueGreenError: If no Region can have that name.
        """
        if self.region == "*":
            return "aws"
        try:
            return boto3.Session(region_name="us-east-1").get_partition_for_region(self.region)
        except UnknownRegionError:
            raise BlueGreenError(f"region: {self.region!r}: must be a Region's name, as eu-west-1") from None

    @property
    def tagged(self) -> Condition:
        """That a resource is the service's, where its ARN does not say so."""
        return self._tag("aws:ResourceTag")

    @property
    def made(self) -> Condition:
        """That what is made is given the service's tag."""
        return self._tag("aws:RequestTag")

    def _tag(self, key: str) -> Condition:
        name = f"{key}/{SERVICE_TAG}"
        return {"StringEquals": {name: self.plan.service}} if self.plan else {"Null": {name: "false"}}

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a resource of the account and Region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def public(self, service: str, resource: str) -> str:
        """The ARN of a resource that belongs to no account: an image, a snapshot, a document of AWS."""
        return f"arn:{self.partition}:{service}:{self.region}::{resource}"

    def iam(self, role: str) -> str:
        """The ARN of a role."""
        return f"arn:{self.partition}:iam::{self.account}:role/{role}"


Condition = dict[str, Any]
Limit = tuple[list[str], Condition]
"""ARNs, and a condition that a request must meet besides; ``!`` before an ARN: all but that."""


def _groups(scope: Scope, condition: Condition) -> Iterable[Limit]:
    """Auto Scaling groups: their names are in their ARNs."""
    names = scope.plan.groups if scope.plan else ("*",)
    arns = [scope.arn("autoscaling", f"autoScalingGroup:*:autoScalingGroupName/{name}") for name in names]
    return [(arns, {} if scope.plan else condition)]


def _balancer(scope: Scope, kind: str) -> Iterable[Limit]:
    """Listeners or their rules: by ARN where the plan has one."""
    routing = scope.plan.routing if scope.plan else None
    named = routing.listener if isinstance(routing, WeightedTargetGroups) else None
    if named is None or ":listener" not in named:
        yield [scope.arn("elasticloadbalancing", f"{kind}/app/*")], scope.tagged
    tested = scope.plan.test_rules if scope.plan else ()
    if arns := [_of_kind(arn, kind) for arn in (named or "", *tested) if ":listener" in arn]:
        yield list(dict.fromkeys(arns)), {}


def _of_kind(arn: str, kind: str) -> str:
    """The listener of an ARN, or its rule; all rules of a listener."""
    account, is_rule, rule = arn.partition(":listener-rule/")
    if kind == "listener-rule":
        return arn if is_rule else f"{arn.replace(':listener/', ':listener-rule/')}/*"
    return f"{account}:listener/{rule.rpartition('/')[0]}" if is_rule else arn


def _journal(scope: Scope) -> tuple[str, str]:
    """A bucket, and in it the places of the plan's service."""
    bucket, _, prefix = (scope.journal or "").removeprefix("s3://").rstrip("/").partition("/")
    service = f"{scope.plan.service}@*" if scope.plan else "*"
    return f"arn:{scope.partition}:s3:::{bucket}", f"{prefix}/{service}" if prefix else service


def _bucket(scope: Scope) -> Iterable[Limit]:
    bucket, place = _journal(scope)
    return [([bucket], {"StringLike": {"s3:prefix": place}})] if scope.journal else []


def _objects(scope: Scope) -> Iterable[Limit]:
    return [(["/".join(_journal(scope))], {})] if scope.journal else []


def _notified(scope: Scope, service: str) -> Iterable[Limit]:
    found = [arn for arn in scope.notified if arn.split(":")[2:3] == [service]]
    return [(found, {})] if found else []


def _imaging(scope: Scope) -> Iterable[Limit]:
    yield [scope.arn("ec2", "instance/*")], scope.tagged
    yield [scope.public("ec2", "image/*"), scope.public("ec2", "snapshot/*")], scope.made


def _command(scope: Scope) -> Iterable[Limit]:
    yield [scope.public("ssm", "document/AWS-RunShellScript")], {}
    yield [scope.arn("ec2", "instance/*")], scope.tagged


def _console(scope: Scope) -> Iterable[Limit]:
    """Build instances; and those of the plan's groups, by a tag that nobody but Auto Scaling can give."""
    instances = [scope.arn("ec2", "instance/*")]
    yield instances, scope.tagged
    if scope.plan:
        yield instances, _when("aws:ResourceTag/aws:autoscaling:groupName", *scope.plan.groups)


def _launch(scope: Scope) -> Iterable[Limit]:
    """From our templates alone, and with them whatever they name."""
    templates = scope.arn("ec2", "launch-template/*")
    yield [templates], scope.tagged
    yield [f"!{templates}"], {"ArnLike": {"ec2:LaunchTemplate": templates}}


def _parameter(scope: Scope) -> Iterable[Limit]:
    """The account's, and those by which AWS names its images; they belong to no account."""
    yield [scope.arn("ssm", "parameter/*"), scope.public("ssm", "parameter/aws/service/*")], {}


def _role(scope: Scope) -> Iterable[Limit]:
    # In China alone the suffix of a service's name is another one (IAM user guide, "AWS service principals").
    suffix = ".cn" if scope.partition == "aws-cn" else ""
    passed = _when("iam:PassedToService", f"ec2.amazonaws.com{suffix}")
    yield [scope.iam(name) for name in scope.roles], passed


def _tags(scope: Scope) -> Iterable[Limit]:
    """Any tag when a thing is made, one on the build instance that is ours, and none on anything else."""
    things = [scope.arn("ec2", "*/*"), scope.public("ec2", "*/*")]
    yield things, _when("ec2:CreateAction", "CreateImage", "RunInstances")
    done = {"ForAllValues:StringEquals": {"aws:TagKeys": [DONE_TAG]}}
    yield [scope.arn("ec2", "instance/*")], scope.tagged | done


def _when(key: str, *values: str) -> Condition:
    return {"StringEquals": {key: list(values)}}


_LIMITS: Mapping[str, Callable[[Scope], Iterable[Limit]]] = {
    "any": lambda _: [(["*"], {})],
    "group": lambda scope: _groups(scope, scope.tagged),
    "new group": lambda scope: _groups(scope, scope.made),
    "listener": lambda scope: _balancer(scope, "listener"),
    "rule": lambda scope: _balancer(scope, "listener-rule"),
    "bucket": _bucket,
    "objects": _objects,
    "topic": lambda scope: _notified(scope, "sns"),
    "bus": lambda scope: _notified(scope, "events"),
    "template": lambda scope: [([scope.arn("ec2", "launch-template/*")], scope.tagged)],
    "instance": lambda scope: [([scope.arn("ec2", "instance/*")], scope.tagged)],
    "volume": lambda scope: [([scope.arn("ec2", "volume/*")], scope.tagged)],
    "image": lambda scope: [([scope.public("ec2", "image/*")], scope.tagged)],
    "snapshot": lambda scope: [([scope.public("ec2", "snapshot/*")], scope.tagged)],
    "imaging": _imaging,
    "console": _console,
    "command": _command,
    "launch": _launch,
    "tags": _tags,
    "role": _role,
    "parameter": _parameter,
    "service-linked role": lambda scope: [
        (
            [scope.iam("aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling")],
            _when("iam:AWSServiceName", "autoscaling.amazonaws.com"),
        )
    ],
}
"""What a right of each kind may be limited to; several where parts of a request have different limits."""


def policy(level: Level, scope: Scope) -> dict[str, Any]:
    """The IAM policy of a level, as JSON-able data.

    What the plan names by an ARN, or by a name that its ARN has in it, is granted by that. Listeners without
    an ARN in the plan, launch templates, instances, images, snapshots and volumes are granted by the tag
    ``bluegreen:service``: what we make bears it, the rest must be given it. Nothing grants to change that tag
    on what exists, or the limits could be lifted by whom they limit.

    Args:
        level: Which one; each has those before it.
        scope: What it is limited to.

    Raises:
        BlueGreenError: If no Region has the scope's name, or an ARN is of another partition than the Region.
    """
    found: dict[str, tuple[set[str], dict[str, None], Condition]] = {}
    for right in RIGHTS:
        if LEVELS.index(right.level) > LEVELS.index(level):
            continue
        for arns, condition in _LIMITS[right.kind](scope):
            # Each action knows its own kinds of resources alone: one statement serves all of one condition.
            actions, named, _ = found.setdefault(json.dumps(condition or arns), (set(), {}, condition))
            actions.add(right.action)
            named.update(dict.fromkeys(arns))
    used = {arn for _, named, _ in found.values() for arn in named if arn.startswith("arn:")}
    if foreign := sorted(arn for arn in used if arn.split(":")[1] != scope.partition):
        remedy = f"not of {scope.partition}, the partition of Region {scope.region}: name their Region"
        raise BlueGreenError(f"{', '.join(foreign)}: {remedy}")
    return {"Version": "2012-10-17", "Statement": [_statement(*each) for each in found.values()]}


def _statement(actions: set[str], arns: Iterable[str], condition: Condition) -> dict[str, Any]:
    but = [arn[1:] for arn in arns if arn.startswith("!")]
    return {
        "Effect": "Allow",
        "Action": sorted(actions),
        **({"NotResource": but} if but else {"Resource": [*arns]}),
        **({"Condition": condition} if condition else {}),
    }


def size(document: dict[str, Any]) -> int:
    """How many characters of a policy IAM counts."""
    return len(json.dumps(document, separators=(",", ":")))
