"""Rights: those that are granted are those that are used, and no more; who lacks one is told beforehand."""

from __future__ import annotations

import json
import re
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluegreen import BlueGreenError, Plan, WeightedTargetGroups
from bluegreen.aws import AwsCloud
from bluegreen.aws.clients import Clients
from bluegreen.aws.owned import inventory
from bluegreen.aws.policy import _LIMITS, MANAGED_POLICY_SIZE, Scope, policy, size
from bluegreen.aws.rights import LEVELS, RIGHTS, action_of
from bluegreen.core.observation import Observation
from bluegreen.core.state import Ledger
from tests.aws.operations import called, mutates
from tests.conftest import unused
from tests.contract.providers import Hands, plan_for
from tests.moto_account import lay_out
from tests.proxy import Proxy, Refuse

if TYPE_CHECKING:
    from tests.moto_server import MotoServer

LISTENER = (
    "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/web/50dc6c495c0c9188/f2f7dc8efc522ab2"
)
RULE = LISTENER.replace(":listener/", ":listener-rule/") + "/9683b2d02a6cabee"
WHOLE: dict[str, Any] = {
    "journal": "s3://releases/journals",
    "notified": ("arn:aws:sns:eu-west-1:1:topic", "arn:aws:events:eu-west-1:1:event-bus/b"),
}

# What no call of that name is made for; each has AWS's page in the table.
PERMISSIONS_ONLY = {"iam:CreateServiceLinkedRole", "iam:PassRole", "ssm:GetParameters"}


def plan(listener: str | None = None) -> Plan:
    """A plan whose listener has an ARN, or not."""
    return Plan(
        service="web",
        image="ami-2",
        launch_template="web-template",
        groups=("web-a", "web-b"),
        routing=WeightedTargetGroups("a", "b", listener=listener),
    )


def actions(document: dict[str, Any]) -> set[str]:
    """All actions that a policy grants."""
    return {action for statement in document["Statement"] for action in statement["Action"]}


def statements(document: dict[str, Any], action: str) -> list[dict[str, Any]]:
    """What a policy says of an action."""
    return [statement for statement in document["Statement"] if action in statement["Action"]]


# ------------------------------------------------------------------------------------- granted = called


def test_what_is_called_is_granted_and_what_is_granted_is_called() -> None:
    """The largest policy grants the operations in the source, and what has AWS's page; nothing else."""
    ours = {action_of(service, model.name) for service, model in called()}
    assert actions(policy("manage", Scope(**WHOLE))) == ours | PERMISSIONS_ONLY
    assert {right.action for right in RIGHTS if right.page} == PERMISSIONS_ONLY
    assert all(right.page.startswith("https://docs.aws.amazon.com/") for right in RIGHTS if right.page)


def test_a_right_that_nothing_uses_is_found() -> None:
    """What the whole suite did not ask for, of all that is called, is named when it ends."""
    everything = {right.action for right in RIGHTS}
    assert unused(everything) == set()
    assert unused(everything - {"ec2:StopInstances"}) == {"ec2:StopInstances"}


def test_observing_changes_nothing() -> None:
    """The smallest policy has the reading operations alone; each level has all that those before it have."""
    found = [actions(policy(level, Scope(**WHOLE))) for level in LEVELS]
    assert found[0] < found[1] < found[2]
    changing = {action_of(service, model.name) for service, model in called() if mutates(model.name)}
    assert not found[0] & changing
    assert not found[0] & PERMISSIONS_ONLY
    assert "ec2:GetConsoleOutput" not in found[0], "a console may say what nobody should read"


@pytest.mark.contract
def test_without_a_right_moto_refuses(moto: MotoServer) -> None:
    """The tests' server refuses what it does not grant: the whole suite runs on the rights granted."""
    lay_out(moto, "weighted")
    with closing(Clients(moto.session(), endpoint_url=moto.url)) as clients:
        moto.granted = actions(policy("observe", Scope(**WHOLE)))
        assert inventory(clients) == ()
        moto.granted -= {"ec2:DescribeVolumes"}
        with pytest.raises(Exception, match="AccessDenied"):
            inventory(clients)


# ---------------------------------------------------------------------------------------------- how far


@pytest.mark.property
@given(
    level=st.sampled_from(LEVELS),
    listener=st.sampled_from([None, LISTENER, RULE]),
    planned=st.booleans(),
    where=st.sampled_from([{}, WHOLE, {"account": "123456789012", "region": "eu-west-1", "roles": ("r",)}]),
)
def test_no_change_is_granted_without_a_limit(
    level: Any,
    listener: str | None,
    planned: bool,  # noqa: FBT001
    where: dict[str, Any],
) -> None:
    """Whatever is asked for, all that may change something is limited by ARN or by condition; it is JSON."""
    document = policy(level, Scope(plan=plan(listener) if planned else None, **where))
    assert json.loads(json.dumps(document)) == document
    for statement in document["Statement"]:
        assert statement["Effect"] == "Allow"
        assert statement.get("Resource") or (statement["NotResource"] and statement["Condition"])
        if statement.get("Resource") == ["*"]:
            assert not any(mutates(action.partition(":")[2]) for action in statement["Action"])
    by_tag = [s for s in document["Statement"] if "ResourceTag/blue" in json.dumps(s.get("Condition", {}))]
    for statement in by_tag:
        (condition,) = [c for c in statement["Condition"].items() if "ResourceTag" in json.dumps(c)]
        wanted = {"StringEquals": "web"} if planned else {"Null": "false"}
        assert (condition[0], *condition[1].values()) == next(iter(wanted.items()))


@pytest.mark.property
@given(level=st.sampled_from(LEVELS), planned=st.booleans(), known=st.booleans())
def test_statements_of_one_condition_are_one(level: Any, planned: bool, known: bool) -> None:  # noqa: FBT001
    """Together they grant all that each right names, and without a condition or one of its own no more."""
    where = {"account": "123456789012", "region": "eu-west-1"} if known else {}
    scope = Scope(plan=plan(LISTENER) if planned else None, **WHOLE, **where)
    document = policy(level, scope)
    conditions = [json.dumps(s["Condition"]) for s in document["Statement"] if "Condition" in s]
    assert len(set(conditions)) == len(conditions)
    limits = {right.action: [*_LIMITS[right.kind](scope)] for right in RIGHTS}
    for action in actions(document):
        for arns, condition in limits[action]:
            same = [s for s in statements(document, action) if s.get("Condition", {}) == condition]
            told = [
                arn
                for s in same
                for arn in s.get("Resource", [f"!{arn}" for arn in s.get("NotResource", ())])
            ]
            assert set(arns) <= set(told), action
    for s in document["Statement"]:
        for action in s["Action"]:
            alike = [arns for arns, condition in limits[action] if condition == s.get("Condition", {})]
            assert alike, action
            assert "Condition" in s or s["Resource"] in alike, action


def test_what_a_plan_names_is_granted_by_name() -> None:
    """Groups, the listener and the rule beneath it are granted by ARN; a template by the service's tag."""
    document = policy("manage", Scope(plan=plan(LISTENER), account="123456789012", region="eu-west-1"))
    (groups,) = statements(document, "autoscaling:UpdateAutoScalingGroup")
    name = "arn:aws:autoscaling:eu-west-1:123456789012:autoScalingGroup:*:autoScalingGroupName"
    assert groups["Resource"] == [f"{name}/web-a", f"{name}/web-b"]
    assert "Condition" not in groups
    assert statements(document, "elasticloadbalancing:ModifyListener")[0]["Resource"] == [LISTENER]
    rules = LISTENER.replace(":listener/", ":listener-rule/") + "/*"
    assert statements(document, "elasticloadbalancing:ModifyRule")[0]["Resource"] == [rules]
    (template,) = statements(document, "ec2:CreateLaunchTemplateVersion")
    assert template["Condition"] == {"StringEquals": {"aws:ResourceTag/bluegreen:service": "web"}}
    launch_template = "arn:aws:ec2:eu-west-1:123456789012:launch-template/*"
    ours, with_it = statements(document, "ec2:RunInstances")
    assert (ours, launch_template in ours["Resource"]) == (template, True)
    assert with_it["NotResource"] == [launch_template]
    _, green = statements(document, "ec2:GetConsoleOutput")
    of_groups = {"aws:ResourceTag/aws:autoscaling:groupName": ["web-a", "web-b"]}
    assert green["Condition"] == {"StringEquals": of_groups}
    assert not statements(document, "s3:PutObject")


LONG = Plan(
    service="s" * 40,
    image="ami-2",
    launch_template="t" * 128,
    groups=("a" * 40, "b" * 40),
    routing=WeightedTargetGroups("a", "b", listener=RULE.replace("web", "w" * 32)),
    test_rules=(LISTENER.replace("web", "t" * 32),),
)


@pytest.mark.parametrize("wanted", [None, plan(), plan(LISTENER), LONG])
def test_the_largest_policy_fits_a_managed_one(wanted: Plan | None) -> None:
    """With names of 40 characters and all options it has as many characters as IAM allows."""
    where: dict[str, Any] = {
        "account": "123456789012",
        "region": "ap-southeast-2",
        "roles": ("r" * 40, "q" * 40),
        "journal": f"s3://{'j' * 63}/releases/journals",
        "notified": tuple(
            f"arn:aws:{name}" for name in ("sns:x:1:" + "t" * 40, "events:x:1:event-bus/" + "e" * 40)
        ),
    }
    document = policy("manage", Scope(plan=wanted, **where))
    assert size(document) < MANAGED_POLICY_SIZE == 6_144
    assert size(document) == len(re.sub(r"\s", "", json.dumps(document, indent=2)))


@pytest.mark.parametrize(
    ("region", "partition", "passed"),
    [
        ("*", "aws", "ec2.amazonaws.com"),
        ("eu-west-1", "aws", "ec2.amazonaws.com"),
        ("us-gov-west-1", "aws-us-gov", "ec2.amazonaws.com"),
        ("cn-north-1", "aws-cn", "ec2.amazonaws.com.cn"),
    ],
)
def test_arns_are_of_the_regions_partition(region: str, partition: str, passed: str) -> None:
    """In China and GovCloud no ARN is of `aws`, and EC2's name is the one that it has there."""
    document = policy("manage", Scope(plan=plan(), region=region, journal="s3://releases"))
    found = {each.split(":")[1] for each in re.findall(r"arn:[^\"]+", json.dumps(document))}
    assert found == {partition}
    (role,) = statements(document, "iam:PassRole")
    assert role["Condition"] == {"StringEquals": {"iam:PassedToService": [passed]}}


def test_what_belongs_to_no_partition_or_another_is_refused() -> None:
    """A Region that cannot be, and ARNs of another partition than the Region's, are one sentence each."""
    with pytest.raises(BlueGreenError, match="region: 'eu': must be a Region's name"):
        policy("observe", Scope(region="eu"))
    topic = "arn:aws-cn:sns:cn-north-1:1:topic"
    with pytest.raises(BlueGreenError, match=f"{topic}: not of aws, the partition of Region eu-west-1"):
        policy("shift", Scope(region="eu-west-1", notified=(topic,)))
    assert policy("shift", Scope(region="cn-north-1", notified=(topic,)))
    with pytest.raises(BlueGreenError, match="not of aws-cn"):
        policy("manage", Scope(region="cn-north-1", plan=plan(RULE)))


def test_a_rule_is_granted_with_its_listener() -> None:
    """With a rule's ARN in the plan, that rule and the listener that it is of are granted."""
    document = policy("shift", Scope(plan=plan(RULE)))
    assert statements(document, "elasticloadbalancing:ModifyListener")[0]["Resource"] == [LISTENER]
    assert statements(document, "elasticloadbalancing:ModifyRule")[0]["Resource"] == [RULE]


def test_test_rules_are_granted_by_name() -> None:
    """Beside the rules of the users, which are granted by tag where the plan has no ARN for them."""
    wanted = attrs.evolve(plan(), test_rules=(LISTENER,))
    by_tag, by_name = statements(policy("shift", Scope(plan=wanted)), "elasticloadbalancing:ModifyListener")
    assert "Condition" in by_tag
    assert (by_name["Resource"], by_name.get("Condition")) == ([LISTENER], None)
    other = LISTENER[:-1] + "3"
    both = attrs.evolve(plan(RULE), test_rules=(other,))
    (rules,) = statements(policy("shift", Scope(plan=both)), "elasticloadbalancing:ModifyRule")
    assert rules["Resource"] == [RULE, other.replace(":listener/", ":listener-rule/") + "/*"]


def test_tags_are_given_only_to_what_is_made() -> None:
    """Nobody may give the tag that grants rights to what exists: else the limits would lift themselves."""
    for scope in (Scope(**WHOLE), Scope(plan=plan(), **WHOLE)):
        document = policy("manage", scope)
        assert not {action for action in actions(document) if "Tag" in action} - {"ec2:CreateTags"}
        made, done = statements(document, "ec2:CreateTags")
        assert made["Condition"] == {"StringEquals": {"ec2:CreateAction": ["CreateImage", "RunInstances"]}}
        assert done["Condition"]["ForAllValues:StringEquals"] == {"aws:TagKeys": ["bluegreen:done"]}
        (group,) = statements(document, "autoscaling:CreateAutoScalingGroup")
        assert scope.plan or group["Condition"] == {"Null": {"aws:RequestTag/bluegreen:service": "false"}}


def test_a_journal_is_the_services_own() -> None:
    """In the team's bucket a plan's policy reaches its service alone, and may delete nothing."""
    document = policy("manage", Scope(plan=plan(), **WHOLE))
    (listed,), (put,) = statements(document, "s3:ListBucket"), statements(document, "s3:PutObject")
    assert listed["Condition"] == {"StringLike": {"s3:prefix": "journals/web@*"}}
    assert put["Resource"] == ["arn:aws:s3:::releases/journals/web@*"]
    assert not {action for action in actions(document) if action.startswith("s3:Delete")}


# -------------------------------------------------------------------------------------------- beforehand


def look(moto: MotoServer, wanted: Plan | None = None, **options: Any) -> Observation:
    """The first look of a deployment."""
    options = {"endpoint_url": moto.url, "clock": Hands()} | options
    with closing(AwsCloud(moto.session(), **options)) as cloud:
        return cloud.observe(wanted or plan_for("weighted"), Ledger("exercise-1-00000000"))


@pytest.mark.contract
@pytest.mark.parametrize("action", ["ec2:CreateLaunchTemplateVersion", "ec2:RunInstances"])
def test_a_right_that_is_missing_refuses_the_plan(action: str, moto: MotoServer) -> None:
    """Without it preflight names the right, in AWS's words and with the remedy; nothing is made."""
    lay_out(moto, "weighted")
    moto.granted = moto.granted - {action}
    (problem,) = look(moto).problems
    assert problem == (
        f"{action} would be refused (AccessDenied: refused by a test): "
        "`bluegreen policy manage` prints what it takes"
    )
    versions = moto.client("ec2").describe_launch_template_versions(
        LaunchTemplateName=plan_for("weighted").launch_template
    )
    assert len(versions["LaunchTemplateVersions"]) == 1


@pytest.mark.contract
def test_with_all_rights_nothing_is_said(moto: MotoServer) -> None:
    """Dry runs that would have worked, and those that nobody answers, are no problem; they make nothing."""
    lay_out(moto, "weighted")
    instances = len(moto.client("ec2").describe_instances()["Reservations"])
    assert look(moto).problems == ()
    with Proxy(moto.url) as proxy:
        proxy.plan = lambda call: Refuse("InternalError", 500) if b"DryRun=true" in call.body else None
        assert look(moto, endpoint_url=proxy.url).problems == ()
        assert len([row for row in proxy.log if row.action]) == 2
    assert len(moto.client("ec2").describe_instances()["Reservations"]) == instances


@pytest.mark.contract
def test_credentials_that_lead_elsewhere_refuse_the_plan(moto: MotoServer) -> None:
    """Another account or Region than the caller or the plan's ARN names is a problem, before any change."""
    lay_out(moto, "weighted")
    assert look(moto, account="123456789012").problems == ()
    assert look(moto, account="999999999999").problems == (
        "the credentials lead to account 123456789012, not to 999999999999: take others",
    )
    wanted = plan_for(
        "weighted", routing=WeightedTargetGroups("exercise-blue", "exercise-green", listener=LISTENER)
    )
    assert (
        "routing.listener is in eu-west-1, but the credentials lead to us-east-1: say --region eu-west-1"
        in (look(moto, wanted).problems)
    )


@pytest.mark.contract
def test_it_is_asked_once(moto: MotoServer) -> None:
    """A preflight of several looks asks for rights in the first one only."""
    lay_out(moto, "weighted")
    with closing(AwsCloud(moto.session(), endpoint_url=moto.url, clock=Hands())) as cloud:
        for _ in range(3):
            cloud.observe(plan_for("weighted"), Ledger("exercise-1-00000000"))
    assert moto.operations().count("RunInstances") == 1


def test_the_page_is_linked() -> None:
    """docs/aws.md leads to the page of rights."""
    assert "(rights.md)" in (Path(__file__).parents[2] / "docs" / "aws.md").read_text()
