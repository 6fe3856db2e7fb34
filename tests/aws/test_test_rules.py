"""Test requests on AWS: by a listener of their own, or by a rule with a header condition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bluegreen import Deployment, MemoryJournal, Plan, WeightedTargetGroups, strategies
from bluegreen.aws import AwsCloud
from bluegreen.core import commands as c
from bluegreen.core.observation import ErrorClass, Result, Shares
from bluegreen.core.state import Phase
from bluegreen_sim import Settings, SimCloud
from bluegreen_sim.endpoint import names, session
from tests.aws.test_deploying import BEFORE, UNDER_WAY, connected, seen
from tests.contract.providers import plan_for
from tests.moto_account import Account, lay_out

if TYPE_CHECKING:
    from tests.moto_server import MotoServer

pytestmark = pytest.mark.contract


def forward(arns: tuple[str, ...], weights: tuple[int, ...] = (7, 3), **config: Any) -> dict[str, Any]:
    """A forward action."""
    groups = [{"TargetGroupArn": arn, "Weight": part} for arn, part in zip(arns, weights, strict=True)]
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": groups, **config}}


def by_header(moto: MotoServer, account: Account, action: dict[str, Any]) -> str:
    """A rule of the users' own listener, for requests with a header; its ARN."""
    made = moto.client("elbv2").create_rule(
        ListenerArn=account.listener_arn,
        Priority=1,
        Conditions=[
            {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Test", "Values": ["green"]}}
        ],
        Actions=[action],
    )
    return str(made["Rules"][0]["RuleArn"])


def by_port(moto: MotoServer, account: Account, action: dict[str, Any]) -> str:
    """A listener of their own; its ARN."""
    made = moto.client("elbv2").create_listener(
        LoadBalancerArn=account.load_balancer_arn, Protocol="HTTP", Port=8080, DefaultActions=[action]
    )
    return str(made["Listeners"][0]["ListenerArn"])


def shown(moto: MotoServer, arn: str) -> list[Any]:
    """A test rule's actions."""
    elbv2 = moto.client("elbv2")
    if ":listener/" in arn:
        return elbv2.describe_listeners(ListenerArns=[arn])["Listeners"][0]["DefaultActions"]  # type: ignore[no-any-return]
    return elbv2.describe_rules(RuleArns=[arn])["Rules"][0]["Actions"]  # type: ignore[no-any-return]


def weights_of(actions: list[Any]) -> list[int]:
    """The weights in them."""
    return [each["Weight"] for each in actions[0]["ForwardConfig"]["TargetGroups"]]


def with_tests(*arns: str, **changes: Any) -> Plan:
    """A plan with these test rules."""
    return plan_for("weighted", strategy=strategies.all_at_once(10), test_rules=arns, **changes)


@pytest.mark.parametrize("rule", [by_header, by_port])
@pytest.mark.parametrize("end", [Phase.PROMOTED, Phase.ROLLED_BACK])
def test_a_deployment_leads_tests_to_green_and_back(rule: Any, end: Phase, moto: MotoServer) -> None:
    """By a port or a header: to green in test_traffic, with the users on blue; at either end as it was."""
    account = lay_out(moto)
    arn = rule(moto, account, forward(account.target_group_arns))
    before = shown(moto, arn)
    met: dict[str, tuple[list[int], list[int]]] = {}
    with connected(moto) as cloud:
        deployment = Deployment(with_tests(arn), cloud, journal=MemoryJournal())
        for step in deployment.steps():
            users = weights_of(shown(moto, account.listener_arn))
            met.setdefault(step.state.phase.value, (users, weights_of(shown(moto, arn))))
            if end is Phase.ROLLED_BACK and step.state.phase is Phase.TEST_TRAFFIC:
                moto.script.broken_images.add(deployment.plan.image)
    assert met["test_traffic"] == ([100, 0], [0, 100])
    assert deployment.result().phase is end
    assert deployment.result().leftovers == ()
    assert shown(moto, arn) == before


@pytest.mark.parametrize("rule", [by_header, by_port])
def test_what_is_wrong_with_a_test_rule_refuses_the_plan(rule: Any, moto: MotoServer) -> None:
    """Absent, half of a pair, with foreign target groups, sticky, or two that disagree: a sentence each."""
    account = lay_out(moto)
    elbv2 = moto.client("elbv2")
    arn = rule(moto, account, forward(account.target_group_arns, (100, 0)))

    def change(action: dict[str, Any]) -> None:
        if rule is by_port:
            elbv2.modify_listener(ListenerArn=arn, DefaultActions=[action])
        else:
            elbv2.modify_rule(RuleArn=arn, Actions=[action])

    gone = arn[:-4] + "0000"
    (problem,) = seen(moto, with_tests(gone)).problems
    assert f"test rule {gone} is of no load balancer of the target groups" in problem
    change(forward(account.target_group_arns[:1], (1,)))
    (problem,) = seen(moto, with_tests(arn)).problems
    assert "does not forward to both target groups of a pair: name both in one forward action" in problem
    vpc = elbv2.describe_target_groups()["TargetGroups"][0]["VpcId"]
    made = elbv2.create_target_group(Name="other", Protocol="HTTP", Port=80, VpcId=vpc)["TargetGroups"]
    change(forward((*account.target_group_arns, made[0]["TargetGroupArn"]), (1, 0, 5)))
    (problem,) = seen(moto, with_tests(arn)).problems
    assert f"test rule {names_rule(moto, arn)} leads to {made[0]['TargetGroupArn']} too" in problem
    sticky = {"TargetGroupStickinessConfig": {"Enabled": True, "DurationSeconds": 60}}
    change(forward(account.target_group_arns, **sticky))
    (problem,) = seen(moto, with_tests(arn)).problems
    assert "keeps clients on one target group: turn its stickiness off" in problem
    change(forward(account.target_group_arns))
    second = (by_header if rule is by_port else by_port)(
        moto, account, forward(account.target_group_arns, (1, 1))
    )
    (problem,) = seen(moto, with_tests(arn, second)).problems
    assert "divide by different weights: give all of them the same" in problem


def names_rule(moto: MotoServer, arn: str) -> str:
    """The ARN of the rule that a name stands for."""
    if ":listener/" not in arn:
        return arn
    rules = moto.client("elbv2").describe_rules(ListenerArn=arn)["Rules"]
    return str(next(each for each in rules if each["IsDefault"])["RuleArn"])


def test_the_rule_of_the_users_is_no_test_rule(moto: MotoServer) -> None:
    """Named as one, it is left to the tests, and then none is left for the users: refused."""
    account = lay_out(moto)
    for named in (account.listener_arn, account.rule_arn):
        (problem,) = seen(moto, with_tests(named)).problems
        assert "no rule forwards to both" in problem


def test_a_test_rule_is_not_among_those_of_the_users(moto: MotoServer) -> None:
    """With other weights than the users' rule it is neither shifted nor in the way of the shift."""
    account = lay_out(moto)
    arn = by_header(moto, account, forward(account.target_group_arns))
    blue, green = account.groups
    look = seen(moto, with_tests(arn))
    assert look.problems == ()
    assert look.shares == Shares(((blue, 100), (green, 0)))
    assert look.test_shares == Shares(((blue, 7), (green, 3)))
    assert seen(moto, plan_for("weighted")).problems != (), "without the word of the plan it is one"


def test_a_lost_test_rule_does_not_blind(moto: MotoServer) -> None:
    """Deleted on the way, it is not there any more; what users need is seen and can be written."""
    account = lay_out(moto)
    arn = by_header(moto, account, forward(account.target_group_arns))
    blue, green = account.groups
    with connected(moto) as cloud:
        cloud.observe(with_tests(arn), BEFORE)
        moto.client("elbv2").delete_rule(RuleArn=arn)
        look = cloud.observe(with_tests(arn), UNDER_WAY)
        assert (look.unread, look.test_shares) == ((), None)
        assert look.shares is not None
        lost = cloud.apply(c.SetTestShares(weights=((blue, 0), (green, 100))))
        assert lost.error is ErrorClass.ABSENT
        kept = cloud.apply(c.SetShares(weights=((blue, 90), (green, 10))))
        assert kept.result is Result.APPLIED
    after = seen(moto, with_tests(arn), UNDER_WAY)
    assert (after.unread, after.test_shares) == ((), None), "nor does it blind a new process"


def test_an_edit_between_look_and_write_is_not_written_over(moto: MotoServer) -> None:
    """The rule is read again right before it is written: BUSY, and the next look decides."""
    account = lay_out(moto)
    arn = by_port(moto, account, forward(account.target_group_arns))
    blue, green = account.groups
    with connected(moto) as cloud:
        cloud.observe(with_tests(arn), BEFORE)
        moto.client("elbv2").modify_listener(
            ListenerArn=arn, DefaultActions=[forward(account.target_group_arns, (5, 5))]
        )
        assert cloud.apply(c.SetTestShares(weights=((blue, 0), (green, 100)))).error is ErrorClass.BUSY
    assert weights_of(shown(moto, arn)) == [5, 5]


def test_the_simulator_answers_by_the_test_rule_through_boto3() -> None:
    """Its second listener is the test rule: led to green in test_traffic, and given back."""
    plan = plan_for(
        "weighted", routing=WeightedTargetGroups("tg-a", "tg-b"), test_rules=(names.TEST_LISTENER_ARN,)
    )
    world = SimCloud(plan, traffic=10, settings=Settings(boot_seconds=(5,), deregistration_seconds=20))
    cloud = AwsCloud(session(world), clock=world.clock)
    elbv2 = session(world).client("elbv2")

    def led() -> list[int]:
        found = elbv2.describe_listeners(ListenerArns=[names.TEST_LISTENER_ARN])["Listeners"]
        return weights_of(found[0]["DefaultActions"])

    before = led()
    deployment = Deployment(plan, cloud, journal=MemoryJournal())
    met = {}
    for step in deployment.steps():
        met.setdefault(step.state.phase, (world.world.rule, led()))
    assert met[Phase.TEST_TRAFFIC] == ((("tg-a", 100), ("tg-b", 0)), [0, 100])
    assert deployment.result().ok
    assert led() == before == [100, 0]
