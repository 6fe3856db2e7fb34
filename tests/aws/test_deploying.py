"""What the adapter sees and does in an account that is not as the tutorial left it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from bluegreen import Alarm, BlueGreenError, Deployment, MemoryJournal, Operator, Plan
from bluegreen.aws import AwsCloud
from bluegreen.core import commands as c
from bluegreen.core.observation import Delays, ErrorClass, Observation, Reading, Result, Shares
from bluegreen.core.plan import WeightedTargetGroups
from bluegreen.core.state import Ledger, Loan, Phase
from tests.contract.providers import Hands, plan_for
from tests.moto_account import Account, lay_out, make_group
from tests.proxy import Page, Proxy, Refuse, Truncate, throttle

if TYPE_CHECKING:
    from tests.moto_server import MotoServer

pytestmark = pytest.mark.contract

BEFORE = Ledger("exercise-1-00000000")
UNDER_WAY = Ledger("exercise-1-00000000", (Loan("exercise-group-blue", "min", 2),))


@contextmanager
def connected(moto: MotoServer, **options: Any) -> Iterator[AwsCloud]:
    """The adapter on the server, its connections closed at the end."""
    options = {"endpoint_url": moto.url, "clock": Hands()} | options
    cloud = AwsCloud(moto.session(), **options)
    try:
        yield cloud
    finally:
        cloud.close()


def seen(moto: MotoServer, plan: Plan, ledger: Ledger = BEFORE) -> Observation:
    """One look by a new process."""
    with connected(moto) as cloud:
        return cloud.observe(plan, ledger)


def shown(client: Any, operation: str, change: Callable[[Any], object]) -> None:
    """Let a client show an operation's answers changed."""

    def changed(parsed: Any, **_: Any) -> None:
        change(parsed)

    service = client.meta.service_model.service_id.hyphenize()
    client.meta.events.register(f"after-call.{service}.{operation}", changed)


# ------------------------------------------------------------------------------------------------- the calls


@pytest.mark.slow
@pytest.mark.parametrize("routing", ["weighted", "shared"])
def test_a_pass_makes_the_same_calls_whatever_the_size(routing: Any, moto: MotoServer) -> None:
    """Phase by phase a pass of 150 instances makes the calls of one of 5, but for pages of 100 statuses."""
    found: dict[int, dict[str, set[tuple[str, ...]]]] = {}
    for size in (5, 150):
        moto.reset()
        lay_out(moto, routing, capacity=size)
        passes: dict[str, set[tuple[str, ...]]] = {}
        with connected(moto) as cloud:
            phase = Phase.PREFLIGHT.value
            for step in Deployment(plan_for(routing), cloud).steps():
                made = Counter(moto.operations())
                made["DescribeInstanceStatus"] = min(1, made["DescribeInstanceStatus"])  # pages
                passes.setdefault(phase, set()).add(tuple(sorted(made.elements())))
                phase = step.state.phase.value
                moto.calls.clear()
        found[size] = passes
    assert found[5] == found[150]
    assert max(len(calls) for calls in found[5]["bake"]) == (4 if routing == "weighted" else 2)


def test_what_was_found_is_not_asked_for_again(moto: MotoServer) -> None:
    """After preflight a look reads groups, health and weights; template, image and listeners no more."""
    account = lay_out(moto)
    plan = plan_for("weighted")
    with connected(moto) as cloud:
        cloud.observe(plan, BEFORE)
        cloud.observe(plan, UNDER_WAY)
        cloud.apply(c.PrepareVersion(template=account.launch_template, source=1, image=plan.image, token="t"))
        moto.calls.clear()
        cloud.observe(plan, UNDER_WAY)
        names = {"DescribeAutoScalingGroups", "DescribeTargetHealth", "DescribeRules"}
        assert set(moto.operations()) == {*names, "DescribeLaunchTemplateVersions"}


# --------------------------------------------------------------------------------- what stands against a plan


def listener(account: Account, **changes: Any) -> Plan:
    """A plan that names where the weights are."""
    return plan_for("weighted", routing=WeightedTargetGroups(*account.target_groups, **changes))


def test_a_target_group_that_is_not_there_refuses_the_plan(moto: MotoServer) -> None:
    """A wrong name is a problem that says so, not a world that cannot be read; later on it is."""
    lay_out(moto)
    wrong = plan_for("weighted", routing=WeightedTargetGroups("exercise-blue", "nobody"))
    look = seen(moto, wrong)
    assert look.unread == ()
    assert look.problems == ("target group nobody does not exist: create it, or correct routing",)
    assert seen(moto, wrong, UNDER_WAY).unread == look.problems
    with connected(moto) as cloud:
        result = Deployment(wrong, cloud).run()
    assert (result.phase, len(result.history)) == (Phase.REFUSED, 1)
    assert "target group nobody does not exist" in result.reason


@pytest.mark.parametrize("rule", ["default", "path"])
def test_the_rule_is_found_or_named(rule: Any, moto: MotoServer) -> None:
    """The one rule that forwards to both is found; its listener and the rule itself may be named as well."""
    account = lay_out(moto, rule=rule)
    for named in (None, account.listener_arn, account.rule_arn):
        look = seen(moto, listener(account, listener=named))
        assert look.problems == ()
        assert look.shares is not None
        assert [weight for _, weight in look.shares.weights] == [100, 0]


def test_a_rule_that_cannot_be_told_refuses_the_plan(moto: MotoServer) -> None:
    """No rule, rules that disagree, or a name that is no ARN: a sentence says what to do."""
    account = lay_out(moto)
    elbv2 = moto.client("elbv2")
    (problem,) = seen(moto, listener(account, listener="web")).problems
    assert "'web' is no ARN of a listener or of a rule" in problem
    actions = elbv2.describe_rules(RuleArns=[account.rule_arn])["Rules"][0]["Actions"]
    elbv2.create_rule(
        ListenerArn=account.listener_arn,
        Priority=7,
        Conditions=[{"Field": "path-pattern", "Values": ["/x"]}],
        Actions=actions,
    )
    look = seen(moto, listener(account))
    assert (look.problems, look.shares) == ((), Shares(((account.groups[0], 100), (account.groups[1], 0))))
    for each in actions[0]["ForwardConfig"]["TargetGroups"]:
        each["Weight"] //= 2
    elbv2.modify_listener(ListenerArn=account.listener_arn, DefaultActions=actions)
    (problem,) = seen(moto, listener(account)).problems
    assert "divide by different weights: give all of them the same" in problem
    (problem,) = seen(moto, listener(account, listener=account.rule_arn)).problems
    assert "leads to exercise-blue too, unshifted" in problem
    for made in elbv2.describe_rules(ListenerArn=account.listener_arn)["Rules"]:
        alone = [{"Type": "forward", "TargetGroupArn": account.target_group_arns[0]}]
        if made["IsDefault"]:
            elbv2.modify_listener(ListenerArn=account.listener_arn, DefaultActions=alone)
        else:
            elbv2.delete_rule(RuleArn=made["RuleArn"])
    (problem,) = seen(moto, listener(account)).problems
    assert "name both in one forward action, one of them with weight 0" in problem


def test_what_cannot_be_worked_with_is_said_all_at_once(moto: MotoServer) -> None:
    """Every problem of the surroundings stands in one look."""
    account = lay_out(moto)
    asg, ec2 = moto.client("autoscaling"), moto.client("ec2")
    live = account.groups[0]
    asg.update_auto_scaling_group(
        AutoScalingGroupName=live,
        LaunchTemplate={"LaunchTemplateName": account.launch_template, "Version": "$Latest"},
    )
    asg.suspend_processes(AutoScalingGroupName=live, ScalingProcesses=["Launch"])
    ec2.create_launch_template_version(
        LaunchTemplateName=account.launch_template,
        LaunchTemplateData={
            "ImageId": account.images[0],
            "BlockDeviceMappings": [{"DeviceName": "/dev/xvdb", "Ebs": {"SnapshotId": "snap-0a"}}],
        },
    )
    plan = plan_for("weighted", source_version=2, image="ami-0nobody")
    look = seen(moto, plan)
    said = " / ".join(look.problems)
    assert len(look.problems) == 3
    for words in ("so a new version could leak into it", "has Launch suspended", "from snap-0a"):
        assert words in said
    assert look.image is False
    assert seen(moto, attrs.evolve(plan, launch_template="nobody")).default_version is None


@pytest.mark.parametrize("status", ["Pending", "InProgress", "Cancelling", "RollbackInProgress", "Baking"])
def test_an_instance_refresh_refuses_the_start(status: str, moto: MotoServer) -> None:
    """Of either group, in whatever state but an end; on the way it is not asked for any more."""
    account = lay_out(moto)
    for name in account.groups:
        moto.script.refreshes = {name: [status, "Successful"]}
        look = seen(moto, plan_for("weighted"))
        assert [fleet.name for fleet in look.fleets if fleet.refreshing] == [name]
        moto.calls.clear()
        seen(moto, plan_for("weighted"), UNDER_WAY)
        assert "DescribeInstanceRefreshes" not in moto.operations()
    with connected(moto) as cloud:
        result = Deployment(plan_for("weighted"), cloud).run()
    assert result.phase is Phase.REFUSED
    assert f"an instance refresh replaces the instances of {account.groups[1]}: wait" in result.reason
    ends = ["Cancelled", "Failed", "RollbackFailed", "RollbackSuccessful", "Successful"]
    moto.script.refreshes = dict.fromkeys(account.groups, ends)
    assert not any(fleet.refreshing for fleet in seen(moto, plan_for("weighted")).fleets)


@pytest.mark.parametrize("image", ["resolve:ssm:/ours/image", None])
def test_a_version_whose_image_may_change_is_refused(image: str | None, moto: MotoServer) -> None:
    """A version that names its image by a parameter, or names none, is one sentence and no blindness."""
    account = lay_out(moto)
    moto.client("ec2").create_launch_template_version(
        LaunchTemplateName=account.launch_template,
        LaunchTemplateData={"InstanceType": "t3.micro"} | ({"ImageId": image} if image else {}),
    )
    look = seen(moto, plan_for("weighted").with_version(2))
    assert (look.version, look.image, look.unread) == (2, None, ())
    (said,) = look.problems
    assert f"names its image by {image or 'nothing'}, so two launches may differ" in said
    with connected(moto) as cloud:
        result = Deployment(plan_for("weighted").with_version(2), cloud).run()
    assert (result.phase, result.reason) == (Phase.REFUSED, said)


def test_a_version_whose_image_is_gone_is_refused(moto: MotoServer) -> None:
    """A version that is there, of an image that is not, could launch nothing."""
    account = lay_out(moto)
    del moto.backend("ec2").amis[account.images[0]]
    with connected(moto) as cloud:
        result = Deployment(plan_for("weighted").with_version(1), cloud).run()
    assert result.phase is Phase.REFUSED
    assert "the image of version 1 cannot be found" in result.reason


@pytest.mark.parametrize("ledger", [BEFORE, UNDER_WAY])
def test_a_template_that_is_not_there_has_no_version(ledger: Ledger, moto: MotoServer) -> None:
    """EC2 answers a name that it does not know with an error; the look is whole, and shows no version."""
    lay_out(moto)
    look = seen(moto, plan_for("weighted", launch_template="nobody"), ledger)
    assert (look.default_version, look.version, look.unread) == (None, None, ())
    assert all(problem.startswith("group ") for problem in look.problems)


def test_users_who_would_not_be_shifted_refuse_the_plan(moto: MotoServer) -> None:
    """Another listener that leads to blue and a third target group with a weight are said."""
    account = lay_out(moto)
    elbv2 = moto.client("elbv2")
    blue, green = account.target_group_arns
    other = elbv2.create_listener(
        LoadBalancerArn=account.load_balancer_arn,
        Protocol="HTTP",
        Port=8080,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": blue}],
    )["Listeners"][0]["ListenerArn"]
    third = another_target_group(moto)
    shares = [(blue, 100), (green, 0), (third, 5)]
    config = {
        "TargetGroups": [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in shares],
        "TargetGroupStickinessConfig": {"Enabled": True, "DurationSeconds": 3600},
    }
    elbv2.modify_listener(
        ListenerArn=account.listener_arn, DefaultActions=[{"Type": "forward", "ForwardConfig": config}]
    )
    said = seen(moto, plan_for("weighted")).problems
    assert len(said) == 2
    for words in ("leads to exercise-blue too, unshifted", f"leads to {third} too"):
        assert words in " / ".join(said)
    redirect = {"Type": "redirect", "RedirectConfig": {"Port": "80", "StatusCode": "HTTP_301"}}
    elbv2.modify_listener(ListenerArn=other, DefaultActions=[redirect])
    assert len(seen(moto, plan_for("weighted")).problems) == 1


def rules_of(moto: MotoServer, account: Account) -> list[list[int]]:
    """The weights of each rule that divides."""
    elbv2 = moto.client("elbv2")
    listeners = elbv2.describe_listeners(LoadBalancerArn=account.load_balancer_arn)["Listeners"]
    actions = [
        rule["Actions"][-1]
        for each in listeners
        for rule in elbv2.describe_rules(ListenerArn=each["ListenerArn"])["Rules"]
    ]
    return [[g["Weight"] for g in action["ForwardConfig"]["TargetGroups"]] for action in actions]


def test_http_and_https_are_shifted_alike(moto: MotoServer) -> None:
    """Rules of two listeners are written one after the other; a rung is reached when both show it."""
    account = lay_out(moto)
    elbv2 = moto.client("elbv2")
    actions = elbv2.describe_rules(RuleArns=[account.rule_arn])["Rules"][0]["Actions"]
    elbv2.create_listener(
        LoadBalancerArn=account.load_balancer_arn, Protocol="HTTP", Port=8080, DefaultActions=actions
    )
    with connected(moto) as cloud:
        deployment = Deployment(plan_for("weighted"), cloud)
        for step in deployment.steps():
            if step.state.phase in (Phase.BAKE, Phase.KEEP_BLUE):
                percent = deployment.plan.rungs[step.state.rung].percent
                assert rules_of(moto, account) == [[100 - percent, percent]] * 2
    assert step.state.phase is Phase.PROMOTED
    assert rules_of(moto, account) == [[0, 100]] * 2
    assert moto.operations().count("ModifyListener") == 4


def test_a_service_behind_two_balancers_is_shifted_at_both(moto: MotoServer) -> None:
    """Each balancer has target groups of its own; green is healthy when both say so, and moves at both."""
    account = lay_out(moto)
    elbv2, asg = moto.client("elbv2"), moto.client("autoscaling")
    pair = [another_target_group(moto, name) for name in ("inner-blue", "inner-green")]
    inner = elbv2.create_load_balancer(Name="inner", Subnets=list(account.subnets))["LoadBalancers"][0]
    shares = [{"TargetGroupArn": arn, "Weight": w} for arn, w in zip(pair, (100, 0), strict=True)]
    elbv2.create_listener(
        LoadBalancerArn=inner["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": shares}}],
    )
    routing = WeightedTargetGroups(*account.target_groups, also=(("inner-blue", "inner-green"),))
    plan = plan_for("weighted", routing=routing)
    (first, second) = seen(moto, plan).problems
    assert "is not attached to its target group" in first + second
    for name, arn in zip(account.groups, pair, strict=True):
        asg.attach_load_balancer_target_groups(AutoScalingGroupName=name, TargetGroupARNs=[arn])
    moto.settle()
    both = Account(**(attrs.asdict(account) | {"load_balancer_arn": inner["LoadBalancerArn"]}))
    with connected(moto) as cloud:
        for step in Deployment(plan, cloud).steps():
            if step.state.phase in (Phase.BAKE, Phase.KEEP_BLUE):
                percent = plan.rungs[step.state.rung].percent
                assert rules_of(moto, account) == rules_of(moto, both) == [[100 - percent, percent]]
    assert step.state.phase is Phase.PROMOTED


def test_both_rules_are_given_back(moto: MotoServer) -> None:
    """A deployment that is called off between the two writes leads nobody to green, by either listener."""
    account = lay_out(moto)
    elbv2 = moto.client("elbv2")
    actions = elbv2.describe_rules(RuleArns=[account.rule_arn])["Rules"][0]["Actions"]
    elbv2.create_listener(
        LoadBalancerArn=account.load_balancer_arn, Protocol="HTTP", Port=8080, DefaultActions=actions
    )
    journal = MemoryJournal()
    with connected(moto) as cloud:
        deployment = Deployment(plan_for("weighted"), cloud, journal=journal)
        for step in deployment.steps():
            if any(isinstance(each, c.SetShares) for each in step.commands) and not step.state.abort:
                assert rules_of(moto, account) in ([[90, 10], [100, 0]], [[100, 0], [90, 10]])
                Operator(journal, "exercise", by="alice").abort("stop")
                break
        assert deployment.run().phase is Phase.ROLLED_BACK
    assert rules_of(moto, account) == [[100, 0]] * 2


def test_a_sticky_rule_stays_sticky_and_is_waited_for(moto: MotoServer) -> None:
    """Whom a cookie keeps on blue finds it whole until the cookie has ended; the rule stays sticky."""
    account = lay_out(moto)
    elbv2 = moto.client("elbv2")
    sticky = {"Enabled": True, "DurationSeconds": 600}
    actions = elbv2.describe_rules(RuleArns=[account.rule_arn])["Rules"][0]["Actions"]
    actions[0]["ForwardConfig"]["TargetGroupStickinessConfig"] = sticky
    elbv2.modify_listener(ListenerArn=account.listener_arn, DefaultActions=actions)
    drained, emptied = 0.0, 0.0
    with connected(moto) as cloud:
        for step in Deployment(plan_for("weighted"), cloud).steps():
            if step.state.phase is Phase.DRAIN:
                drained = drained or step.state.at
            if any(isinstance(each, c.SetSize) and each.size == 0 for each in step.commands):
                emptied = step.state.at
    assert step.state.phase is Phase.PROMOTED
    assert emptied - drained >= 600
    after = elbv2.describe_rules(RuleArns=[account.rule_arn])["Rules"][0]["Actions"][0]
    kept = after["ForwardConfig"]["TargetGroupStickinessConfig"]
    assert {key: kept[key] for key in sticky} == sticky


def test_the_balancers_delays_are_read(moto: MotoServer) -> None:
    """Deregistration delay, slow start, checks and cookies come from the target groups and the rule."""
    account = lay_out(moto)
    moto.client("elbv2").modify_target_group_attributes(
        TargetGroupArn=account.target_group_arns[1],
        Attributes=[
            {"Key": "deregistration_delay.timeout_seconds", "Value": "900"},
            {"Key": "slow_start.duration_seconds", "Value": "120"},
        ],
    )
    groups = moto.client("elbv2").describe_target_groups(TargetGroupArns=[account.target_group_arns[1]])
    shown = groups["TargetGroups"][0]
    checks = shown["HealthCheckIntervalSeconds"] * shown["HealthyThresholdCount"]
    delays = seen(moto, plan_for("weighted")).delays
    assert delays == Delays(drain_seconds=900, sticky_seconds=0, warm_seconds=120 + checks)


def test_what_leads_nobody_astray_is_no_problem(moto: MotoServer) -> None:
    """A third target group without a share, its own rule and a stickiness that is off are no problem."""
    account = lay_out(moto)
    elbv2 = moto.client("elbv2")
    third = another_target_group(moto)
    elbv2.create_rule(
        ListenerArn=account.listener_arn,
        Priority=7,
        Conditions=[{"Field": "path-pattern", "Values": ["/x"]}],
        Actions=[{"Type": "forward", "TargetGroupArn": third}],
    )
    shares = [*zip(account.target_group_arns, (100, 0), strict=True), (third, 0)]
    config = {
        "TargetGroups": [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in shares],
        "TargetGroupStickinessConfig": {"Enabled": False},
    }
    elbv2.modify_listener(
        ListenerArn=account.listener_arn, DefaultActions=[{"Type": "forward", "ForwardConfig": config}]
    )
    assert seen(moto, plan_for("weighted")).problems == ()


def test_every_balancer_before_a_target_group_is_looked_at(moto: MotoServer) -> None:
    """A second load balancer that sends to blue is said, whichever of the two comes first."""
    account = lay_out(moto)
    elbv2 = moto.client("elbv2")
    for name in ("a-first", "z-last"):
        made = elbv2.create_load_balancer(Name=name, Subnets=list(account.subnets))["LoadBalancers"][0]
        elbv2.create_listener(
            LoadBalancerArn=made["LoadBalancerArn"],
            Protocol="HTTP",
            Port=80,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": account.target_group_arns[0]}],
        )
    said = seen(moto, plan_for("weighted")).problems
    assert len(said) == 2
    assert all("leads to exercise-blue too, unshifted" in each for each in said)


def test_only_what_is_launched_from_must_be_without_snapshots(moto: MotoServer) -> None:
    """A snapshot in the live group's version is a problem, in the version of the empty group it is none."""
    account = lay_out(moto)
    asg = moto.client("autoscaling")
    moto.client("ec2").create_launch_template_version(
        LaunchTemplateName=account.launch_template,
        LaunchTemplateData={
            "ImageId": account.images[0],
            "BlockDeviceMappings": [{"DeviceName": "/dev/xvdb", "Ebs": {"SnapshotId": "snap-0a"}}],
        },
    )
    said = []
    for versions in (("2", "1"), ("1", "2")):
        for name, version in zip(account.groups, versions, strict=True):
            template = {"LaunchTemplateName": account.launch_template, "Version": version}
            asg.update_auto_scaling_group(AutoScalingGroupName=name, LaunchTemplate=template)
        said.append(seen(moto, plan_for("weighted")).problems)
    assert [len(each) for each in said] == [1, 0]
    assert "version 2 of" in said[0][0]


def test_half_suspended_scaling_is_a_problem_of_who_freezes(moto: MotoServer) -> None:
    """A plan that does not freeze the groups' own scaling leaves it as somebody set it."""
    account = lay_out(moto)
    moto.client("autoscaling").suspend_processes(
        AutoScalingGroupName=account.groups[0], ScalingProcesses=["ScheduledActions"]
    )
    problems = [
        seen(moto, plan_for("weighted", freeze_scaling=freezes)).problems for freezes in (False, True)
    ]
    assert [len(each) for each in problems] == [0, 1]


def test_targets_by_address_refuse_the_plan(moto: MotoServer) -> None:
    """A target group whose targets are no instances is named."""
    lay_out(moto)
    with connected(moto) as cloud:
        shown(
            cloud.clients.read.elbv2,
            "DescribeTargetGroups",
            lambda answer: [group.update(TargetType="ip") for group in answer["TargetGroups"]],
        )
        said = cloud.observe(plan_for("weighted"), BEFORE).problems
    assert [each.partition(":")[0] for each in said] == [
        f"target group {name} is of type 'ip'" for name in ("exercise-blue", "exercise-green")
    ]


def test_an_image_that_cannot_be_started_from_is_none(moto: MotoServer) -> None:
    """An image is there when it is available, not while it is pending, and not when it has failed."""
    lay_out(moto)
    for state, there in (("available", True), ("pending", False), ("failed", False)):
        with connected(moto) as cloud:
            shown(
                cloud.clients.read.ec2,
                "DescribeImages",
                lambda answer, state=state: [image.update(State=state) for image in answer["Images"]],
            )
            assert cloud.observe(plan_for("weighted"), BEFORE).image is there


def test_what_vanishes_on_the_way_is_not_read_as_a_wrong_plan(moto: MotoServer) -> None:
    """Before the start an absent target group is a problem; with something borrowed the look is blind."""
    lay_out(moto)
    with Proxy(moto.url) as proxy, connected(moto, endpoint_url=proxy.url) as cloud:
        gone = Refuse("TargetGroupNotFound", 400)
        proxy.plan = lambda call: gone if call.operation == "DescribeTargetHealth" else None
        before = cloud.observe(plan_for("weighted"), BEFORE)
        on_the_way = cloud.observe(plan_for("weighted"), UNDER_WAY)
    assert (before.unread, len(before.problems)) == ((), 1)
    assert (on_the_way.problems, len(on_the_way.unread)) == ((), 1)
    assert before.problems == on_the_way.unread


def another_target_group(moto: MotoServer, name: str = "third") -> str:
    """The ARN of a target group that the plan does not name."""
    elbv2 = moto.client("elbv2")
    vpc = elbv2.describe_target_groups()["TargetGroups"][0]["VpcId"]
    made = elbv2.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=vpc)
    return str(made["TargetGroups"][0]["TargetGroupArn"])


def test_a_group_that_is_detached_on_the_way_is_not_healthy(moto: MotoServer) -> None:
    """With weights only the balancer judges: of a group that somebody took out nothing is healthy."""
    account = lay_out(moto)
    moto.client("autoscaling").detach_load_balancer_target_groups(
        AutoScalingGroupName=account.groups[0], TargetGroupARNs=[account.target_group_arns[0]]
    )
    for _ in range(5):
        fleet = seen(moto, plan_for("weighted"), UNDER_WAY).fleet(account.groups[0])
    assert fleet is not None
    assert (fleet.attached, fleet.running, fleet.healthy) == (False, 2, 0)
    assert "DescribeInstanceStatus" not in moto.operations()


def test_a_namesake_that_was_made_since_is_foreign(moto: MotoServer) -> None:
    """A group that is deleted and made anew under its name on the way is not read as the one it was."""
    account = lay_out(moto)
    with connected(moto) as cloud:
        assert cloud.observe(plan_for("weighted"), UNDER_WAY).unread == ()
        moto.client("autoscaling").delete_auto_scaling_group(
            AutoScalingGroupName=account.groups[1], ForceDelete=True
        )
        assert cloud.observe(plan_for("weighted"), UNDER_WAY).unread == ()
        make_group(moto, account, 1, 0)
        (said,) = cloud.observe(plan_for("weighted"), UNDER_WAY).unread
        assert said == "group exercise-group-green was deleted and made anew by somebody else"


def test_what_is_absent_before_the_start_refuses_at_once(moto: MotoServer) -> None:
    """A template, source version or rule that is not there is refused in the first pass already."""
    account = lay_out(moto)
    gone = account.rule_arn[:-4] + "0000"
    for plan in (
        plan_for("weighted", launch_template="nobody"),
        plan_for("weighted", source_version=77),
        listener(account, listener=gone),
    ):
        with connected(moto) as cloud:
            result = Deployment(plan, cloud).run()
        assert (result.phase, len(result.history)) == (Phase.REFUSED, 1), result.reason


def test_what_only_words_a_reason_blinds_nobody(moto: MotoServer) -> None:
    """Without the right to read scaling activities a look is whole, and its sentence shorter."""
    account = lay_out(moto)
    moto.script.fail_launches(account.groups[1])
    with Proxy(moto.url) as proxy, connected(moto, endpoint_url=proxy.url) as cloud:
        denied = Refuse("AccessDenied", 403)
        proxy.plan = lambda call: denied if call.operation == "DescribeScalingActivities" else None
        cloud.observe(plan_for("weighted"), BEFORE)
        cloud.apply(c.SetSize(fleet=account.groups[1], size=1, min=0, max=4))
        look = cloud.observe(plan_for("weighted"), UNDER_WAY)
        assert "DescribeScalingActivities" in [row.operation for row in proxy.log]
        assert look.unread == ()


@pytest.mark.parametrize(
    "mistake",
    [
        c.CopySetting(fleet="exercise-group-green", like="exercise-group-blue", setting="metrics"),
        c.SetShares(weights=(("nobody", 100), ("no-one", 0))),
    ],
)
def test_a_mistake_of_ours_is_not_told_as_an_answer(moto: MotoServer, mistake: c.Command) -> None:
    """A command about what no look has shown is a bug: it is raised, and nothing is sent that changes."""
    lay_out(moto)
    with Proxy(moto.url) as proxy, connected(moto, endpoint_url=proxy.url) as cloud:
        cloud.observe(plan_for("weighted"), BEFORE)
        with pytest.raises(LookupError, match="was not noted"):
            cloud.apply(mistake)
        assert not [row for row in proxy.log if row.mutating and b"DryRun" not in row.body]


def test_an_answer_that_is_not_of_aws_is_unknown(moto: MotoServer) -> None:
    """A page of somebody in between, status 200: a look is unread, a change unknown, nothing is raised."""
    account = lay_out(moto)
    with Proxy(moto.url) as proxy, connected(moto, endpoint_url=proxy.url) as cloud:
        plan = plan_for("weighted")
        cloud.observe(plan, BEFORE)
        page = Page(b"<?xml version='1.0'?><html><body>sign in</body></html>")
        proxy.plan = lambda _: page
        unread = {name.partition(" (")[0] for name in cloud.observe(plan, UNDER_WAY).unread}
        assert unread >= {"fleets", "shares"}
        for command in (
            c.SetShares(weights=((account.groups[0], 90), (account.groups[1], 10))),
            c.Attach(fleet=account.groups[1]),
        ):
            outcome = cloud.apply(command)
            assert (outcome.result, outcome.error) == (Result.UNKNOWN, ErrorClass.LOST)


def test_a_name_that_is_taken_and_cannot_be_seen_is_unknown(moto: MotoServer) -> None:
    """AlreadyExists for a group that no look shows yet is no conflict: the next look will tell."""
    account = lay_out(moto, live=None)
    with Proxy(moto.url) as proxy, connected(moto, endpoint_url=proxy.url) as cloud:
        cloud.observe(plan_for("weighted"), BEFORE)
        nothing = Page(
            b"<DescribeAutoScalingGroupsResponse xmlns='http://autoscaling.amazonaws.com/doc/2011-01-01/'>"
            b"<DescribeAutoScalingGroupsResult><AutoScalingGroups/></DescribeAutoScalingGroupsResult>"
            b"</DescribeAutoScalingGroupsResponse>"
        )
        proxy.plan = lambda call: nothing if call.operation == "DescribeAutoScalingGroups" else None
        create = c.CreateFleet(fleet=account.groups[0], like=None, version=1, min=0, max=1, size=0, token="t")
        outcome = cloud.apply(create)
        assert (outcome.result, outcome.error) == (Result.UNKNOWN, ErrorClass.LOST)
        proxy.plan = lambda _: None
        assert cloud.apply(create).error is ErrorClass.CONFLICT


def test_a_lost_journal_does_not_bring_an_old_version_back(moto: MotoServer) -> None:
    """Deployed again without its journal, an image gets a version of today's source, not that of then."""
    account = lay_out(moto)
    with connected(moto) as cloud:
        for image in (account.images[1], account.images[2], account.images[1]):
            result = Deployment(plan_for("weighted", image=image), cloud).run()
            assert result.ok
            cloud.clock.sleep(3600)
    assert result.history[-1].state.version == 4


def test_a_group_that_somebody_else_made_is_not_taken_for_ours(moto: MotoServer) -> None:
    """A namesake of the group that a deployment is about to create is not read as its green."""
    account = lay_out(moto)
    asked = Ledger("exercise-1-00000000", (Loan(account.groups[1], "exists", 0, (1,)),))
    look = seen(moto, plan_for("weighted"), asked)
    assert look.unread == ("group exercise-group-green exists, and this deployment did not make it",)
    assert look.fleets == ()


# ------------------------------------------------------------------------------------------------- readings


def test_a_first_release_whose_target_group_goes_is_blind(moto: MotoServer) -> None:
    """With nothing borrowed yet, a target group that is deleted on the way is no finished one."""
    account = lay_out(moto, "shared", live=None, groups_exist=False)
    elbv2 = moto.client("elbv2")
    with connected(moto) as cloud:
        deployment = Deployment(plan_for("shared"), cloud)
        assert deployment.advance().state.phase is Phase.SCALE_UP
        elbv2.delete_listener(ListenerArn=account.listener_arn)
        elbv2.delete_target_group(TargetGroupArn=account.target_group_arns[0])
        result = deployment.run()
    assert (result.phase, result.history[-1].signal) == (Phase.HALTED, "unsafe")
    assert "TargetGroupNotFound" in result.reason


def test_alarms_are_read_by_name(moto: MotoServer) -> None:
    """OK passes, ALARM fails, no data and no alarm of that name are neither."""
    lay_out(moto)
    names = ("well", "red", "silent", "nobody")
    for name, state in zip(names, ("OK", "ALARM", "INSUFFICIENT_DATA"), strict=False):
        moto.client("cloudwatch").put_metric_alarm(
            AlarmName=name,
            MetricName="m",
            Namespace="n",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
            Statistic="Sum",
        )
        moto.client("cloudwatch").set_alarm_state(AlarmName=name, StateValue=state, StateReason="test")
    plan = plan_for("weighted", gates=tuple(Alarm(name=name) for name in names))
    found = {reading.name: reading.reading for reading in seen(moto, plan).gates}
    assert found == {
        "well": Reading.PASS,
        "red": Reading.FAIL,
        "silent": Reading.NO_DATA,
        "nobody": Reading.NO_DATA,
    }


def test_more_than_a_hundred_alarms_take_more_than_one_call(moto: MotoServer) -> None:
    """A call names at most 100 alarms; every one has a reading."""
    lay_out(moto)
    plan = plan_for("weighted", gates=tuple(Alarm(name=f"alarm-{n}") for n in range(201)))
    moto.calls.clear()
    assert len(seen(moto, plan).gates) == 201
    assert moto.operations().count("DescribeAlarms") == 3


def test_alarms_that_cannot_be_read_have_no_data(moto: MotoServer) -> None:
    """A call that is refused says so of each alarm that it named; the next hundred are read all the same."""
    lay_out(moto)
    plan = plan_for("weighted", gates=tuple(Alarm(name=f"alarm-{n}") for n in range(101)))
    with Proxy(moto.url) as proxy, connected(moto, endpoint_url=proxy.url) as cloud:
        left = iter([Refuse("AccessDenied", 403)])
        proxy.plan = lambda call: next(left, None) if call.operation == "DescribeAlarms" else None
        gates = cloud.observe(plan, BEFORE).gates
    assert [gate.name for gate in gates] == [gate.name for gate in plan.gates if isinstance(gate, Alarm)]
    assert {gate.reading for gate in gates} == {Reading.NO_DATA}
    refused = [gate for gate in gates if gate.detail.startswith("AccessDenied")]
    assert (len(refused), gates[-1].detail) == (100, "there is no alarm of this name")


def test_a_state_that_nobody_knows_is_no_pass(moto: MotoServer) -> None:
    """An alarm in a state that is not documented has no data."""
    lay_out(moto)
    with connected(moto) as cloud:
        odd = [{"AlarmName": "odd", "StateValue": "SOMETHING_NEW"}]
        shown(cloud.clients.read.cloudwatch, "DescribeAlarms", lambda answer: answer.update(MetricAlarms=odd))
        (gate,) = cloud.observe(plan_for("weighted", gates=(Alarm(name="odd"),)), BEFORE).gates
    assert (gate.reading, gate.detail) == (Reading.NO_DATA, "alarm is SOMETHING_NEW")


@pytest.mark.parametrize("sick_first", [True, False])
def test_the_worst_of_two_ports_speaks_for_an_instance(sick_first: bool, moto: MotoServer) -> None:  # noqa: FBT001
    """An instance that is a target by two ports is healthy when both are, whatever their order."""
    lay_out(moto)

    def doubled(answer: Any) -> None:
        found = answer["TargetHealthDescriptions"]
        sick = [{**each, "TargetHealth": {"State": "unhealthy"}} for each in found]
        answer["TargetHealthDescriptions"] = [*sick, *found] if sick_first else [*found, *sick]

    with connected(moto) as cloud:
        shown(cloud.clients.read.elbv2, "DescribeTargetHealth", doubled)
        live = cloud.observe(plan_for("weighted"), BEFORE).fleets[0]
    assert (live.running, live.healthy) == (2, 0)


@pytest.mark.parametrize(
    ("operation", "unread"),
    [
        ("DescribeAutoScalingGroups", "fleets"),
        ("DescribeTargetHealth", "fleets"),
        ("DescribeRules", "shares"),
        ("DescribeTargetGroups", "target groups"),
        ("DescribeLaunchTemplateVersions", "template version, launch template"),
        ("DescribeLaunchTemplates", "launch template"),
        ("DescribeImages", "image"),
    ],
)
def test_what_cannot_be_read_is_unknown(operation: str, unread: str, moto: MotoServer) -> None:
    """A part that AWS does not show is named as unread; the other parts are read, and nothing is raised."""
    lay_out(moto)
    plan = plan_for("weighted")
    for action in (Refuse("AccessDenied", 403), Truncate()):
        with Proxy(moto.url) as proxy, connected(moto, endpoint_url=proxy.url) as cloud:
            proxy.plan = lambda call, action=action: action if call.operation == operation else None
            look = cloud.observe(plan, BEFORE)
            assert ", ".join(name.partition(" (")[0] for name in look.unread) == unread
            proxy.plan = lambda _: None
            assert cloud.observe(plan, BEFORE).unread == ()


def test_reading_is_repeated_and_moving_is_not(moto: MotoServer) -> None:
    """A throttled look is sent again by itself; a throttled change is an outcome after one send."""
    account = lay_out(moto)
    with Proxy(moto.url) as proxy, connected(moto, endpoint_url=proxy.url) as cloud:
        proxy.plan = lambda call: throttle() if call.mutating or call.number == 1 else None
        assert cloud.observe(plan_for("weighted"), BEFORE).unread == ()
        outcome = cloud.apply(c.SetSize(fleet=account.groups[1], size=1, min=0, max=4))
        assert (outcome.result, outcome.error) == (Result.NOT_APPLIED, ErrorClass.THROTTLED)
        assert [row.operation for row in proxy.log if row.mutating] == ["UpdateAutoScalingGroup"]


# -------------------------------------------------------------------------------------------------- changing


def test_a_shift_keeps_what_is_foreign_in_a_rule(moto: MotoServer) -> None:
    """Stickiness, a third target group and the rule's conditions are after a shift as they were before."""
    account = lay_out(moto, rule="path")
    elbv2 = moto.client("elbv2")
    third = another_target_group(moto)
    blue, green = account.target_group_arns

    def actions(weights: tuple[int, int]) -> list[dict[str, Any]]:
        return [
            {
                "Type": "forward",
                "Order": 1,
                "ForwardConfig": {
                    "TargetGroups": [
                        {"TargetGroupArn": third, "Weight": 3},
                        {"TargetGroupArn": blue, "Weight": weights[0]},
                        {"TargetGroupArn": green, "Weight": weights[1]},
                    ],
                    "TargetGroupStickinessConfig": {"Enabled": True, "DurationSeconds": 60},
                },
            }
        ]

    elbv2.modify_rule(RuleArn=account.rule_arn, Actions=actions((100, 0)))
    before = elbv2.describe_rules(RuleArns=[account.rule_arn])["Rules"][0]
    with connected(moto) as cloud:
        cloud.observe(plan_for("weighted"), BEFORE)
        wish = c.SetShares(weights=((account.groups[0], 60), (account.groups[1], 40)))
        assert cloud.apply(wish).result is Result.APPLIED
    after = elbv2.describe_rules(RuleArns=[account.rule_arn])["Rules"][0]
    assert after["Actions"] == actions((60, 40))
    assert {**after, "Actions": 0} == {**before, "Actions": 0}


def test_weights_that_others_changed_since_the_look_are_not_overwritten(moto: MotoServer) -> None:
    """Between look and write somebody else wrote: nothing is sent, and the next look decides."""
    account = lay_out(moto, rule="path")
    elbv2 = moto.client("elbv2")
    rule = elbv2.describe_rules(RuleArns=[account.rule_arn])["Rules"][0]
    with connected(moto) as cloud:
        cloud.observe(plan_for("weighted"), BEFORE)
        for each in rule["Actions"][0]["ForwardConfig"]["TargetGroups"]:
            each["Weight"] = 50
        elbv2.modify_rule(RuleArn=account.rule_arn, Actions=rule["Actions"])
        moto.calls.clear()
        outcome = cloud.apply(c.SetShares(weights=((account.groups[0], 90), (account.groups[1], 10))))
        assert (outcome.result, outcome.error) == (Result.NOT_APPLIED, ErrorClass.BUSY)
        assert moto.operations() == ["DescribeRules"]


def test_weights_that_the_last_look_did_not_see_are_not_overwritten(moto: MotoServer) -> None:
    """A look that could not read the weights leaves none to compare with: the next one decides."""
    account = lay_out(moto)
    with Proxy(moto.url) as proxy, connected(moto, endpoint_url=proxy.url) as cloud:
        cloud.observe(plan_for("weighted"), BEFORE)
        denied = Refuse("AccessDenied", 403)
        proxy.plan = lambda call: denied if call.operation == "DescribeRules" else None
        assert cloud.observe(plan_for("weighted"), UNDER_WAY).shares is None
        proxy.plan = lambda _: None
        outcome = cloud.apply(c.SetShares(weights=((account.groups[0], 90), (account.groups[1], 10))))
        assert (outcome.result, outcome.error) == (Result.NOT_APPLIED, ErrorClass.BUSY)
        assert not [row for row in proxy.log if row.mutating]


def test_weights_that_are_there_already_are_not_written(moto: MotoServer) -> None:
    """A shift that was carried out, its answer lost, is applied without a second write."""
    account = lay_out(moto)
    with connected(moto) as cloud:
        cloud.observe(plan_for("weighted"), BEFORE)
        moto.calls.clear()
        wish = c.SetShares(weights=((account.groups[0], 100), (account.groups[1], 0)))
        assert cloud.apply(wish).result is Result.APPLIED
        assert moto.operations() == ["DescribeRules"]


@pytest.mark.parametrize("gone", [True, False])
def test_a_rule_that_divides_no_more_is_absent(gone: bool, moto: MotoServer) -> None:  # noqa: FBT001
    """A shift of a rule that was removed, or forwards to one group only, is refused, and nothing is sent."""
    account = lay_out(moto, rule="path")
    elbv2 = moto.client("elbv2")
    with connected(moto) as cloud:
        cloud.observe(plan_for("weighted"), BEFORE)
        if gone:
            shown(cloud.clients.read.elbv2, "DescribeRules", lambda answer: answer.update(Rules=[]))
        else:
            alone = [{"Type": "forward", "TargetGroupArn": account.target_group_arns[0]}]
            elbv2.modify_rule(RuleArn=account.rule_arn, Actions=alone)
        moto.calls.clear()
        outcome = cloud.apply(c.SetShares(weights=((account.groups[0], 90), (account.groups[1], 10))))
        assert (outcome.result, outcome.error) == (Result.REFUSED, ErrorClass.ABSENT)
        assert ("is gone" if gone else "no more") in outcome.detail
        assert moto.operations() == ["DescribeRules"]


def test_what_cannot_be_done_here_is_refused_unsent(moto: MotoServer) -> None:
    """No weights behind one target group, and no group like one that is not there: nothing goes out."""
    account = lay_out(moto, "shared")
    blue, green = account.groups
    commands: tuple[tuple[c.Command, ErrorClass, str], ...] = (
        (c.SetShares(weights=((blue, 90), (green, 10))), ErrorClass.BUG, "attach or detach"),
        (
            c.CreateFleet(fleet=green, like="nobody", version=1, min=0, max=1, size=0, token="t"),
            ErrorClass.ABSENT,
            "group nobody, to be made like, is gone",
        ),
    )
    with connected(moto) as cloud:
        cloud.observe(plan_for("shared"), BEFORE)
        moto.calls.clear()
        for command, error, said in commands:
            outcome = cloud.apply(command)
            assert (outcome.result, outcome.error) == (Result.REFUSED, error)
            assert said in outcome.detail
        assert moto.operations() == []


@pytest.mark.parametrize("group", ["attached", "detached", "gone"])
def test_a_detach_that_is_refused_is_judged_by_a_look(group: str, moto: MotoServer) -> None:
    """Refused, a detach is applied if the group is there and detached, and only then."""
    account = lay_out(moto, "shared")
    blue = account.groups[0]
    asg = moto.client("autoscaling")
    with Proxy(moto.url) as proxy, connected(moto, endpoint_url=proxy.url) as cloud:
        cloud.observe(plan_for("shared"), BEFORE)
        if group == "detached":
            asg.detach_load_balancer_target_groups(
                AutoScalingGroupName=blue, TargetGroupARNs=list(account.target_group_arns)
            )
        if group == "gone":
            asg.delete_auto_scaling_group(AutoScalingGroupName=blue, ForceDelete=True)
            moto.settle()
            assert not asg.describe_auto_scaling_groups(AutoScalingGroupNames=[blue])["AutoScalingGroups"]
        refused = Refuse("ValidationError", 400)
        proxy.plan = lambda call: refused if call.mutating else None
        outcome = cloud.apply(c.Detach(fleet=blue))
    assert (outcome.result is Result.APPLIED) is (group == "detached")


def test_a_group_that_is_seen_is_not_taken_for_deleted(moto: MotoServer) -> None:
    """Told that a group is absent while it is shown, a deletion is not called done."""
    account = lay_out(moto)
    with Proxy(moto.url) as proxy, connected(moto, endpoint_url=proxy.url) as cloud:
        cloud.observe(plan_for("weighted"), BEFORE)
        absent = Refuse("ResourceNotFound", 400)
        proxy.plan = lambda call: absent if call.mutating else None
        outcome = cloud.apply(c.DeleteFleet(fleet=account.groups[1]))
    assert (outcome.result, outcome.error) == (Result.REFUSED, ErrorClass.ABSENT)


def test_of_two_versions_of_one_deployment_the_first_is_its_own(moto: MotoServer) -> None:
    """Should a version have been made twice, every look names the same one."""
    account = lay_out(moto)
    for image in (account.images[2], account.images[1], account.images[1]):
        moto.client("ec2").create_launch_template_version(
            LaunchTemplateName=account.launch_template,
            SourceVersion="1",
            VersionDescription=f"bluegreen {BEFORE.deployment_id}",
            LaunchTemplateData={"ImageId": image},
        )
    assert seen(moto, plan_for("weighted")).version == 3


def test_a_version_is_found_among_many(moto: MotoServer) -> None:
    """However many versions a template has, the deployment's own is found by its description and image."""
    account = lay_out(moto)
    ec2 = moto.client("ec2")
    for number in range(30):
        ec2.create_launch_template_version(
            LaunchTemplateName=account.launch_template,
            SourceVersion="1",
            VersionDescription=f"release {number}",
            LaunchTemplateData={"ImageId": account.images[1]},
        )
    plan = plan_for("weighted")
    with connected(moto) as cloud:
        assert cloud.observe(plan, BEFORE).version is None
        asked = c.PrepareVersion(
            template=account.launch_template, source=1, image=plan.image, token=BEFORE.deployment_id
        )
        assert cloud.apply(asked).result is Result.APPLIED
        assert cloud.observe(plan, BEFORE).version == 32


@pytest.mark.parametrize("given", [(), ("subnet-given",)])
def test_a_first_group_is_put_where_it_can_be_reached(given: tuple[str, ...], moto: MotoServer) -> None:
    """Without subnets of its own a first release uses the load balancer's; those that are given are used."""
    account = lay_out(moto, live=None, groups_exist=False)
    with Proxy(moto.url) as proxy, connected(moto, endpoint_url=proxy.url, subnets=given) as cloud:
        cloud.observe(plan_for("weighted"), BEFORE)
        cloud.apply(
            c.CreateFleet(fleet=account.groups[0], like=None, version=1, min=0, max=1, size=0, token="t")
        )
        (sent,) = [row.call.body.decode() for row in proxy.log if row.mutating]
    for subnet in given or account.subnets:
        assert subnet in sent


@pytest.mark.parametrize("subnets", ["subnet-0abc", ["subnet-0abc", ""], ["vpc-1"]])
def test_what_is_no_list_of_subnets_is_refused(subnets: Any) -> None:
    """One id in place of a list would be a list of letters; what is no id would be found out by AWS, late."""
    with pytest.raises(BlueGreenError, match=r"subnets: .*: must be a list of ids such as \['subnet-0abc'\]"):
        AwsCloud(subnets=subnets)


def test_a_group_is_put_where_the_other_one_is(moto: MotoServer) -> None:
    """Beside a group that stands, the new one gets its subnets, not those of the load balancer."""
    account = lay_out(moto)
    blue, green = account.groups
    asg = moto.client("autoscaling")
    asg.update_auto_scaling_group(AutoScalingGroupName=blue, VPCZoneIdentifier=account.subnets[1])
    asg.delete_auto_scaling_group(AutoScalingGroupName=green)
    create = c.CreateFleet(fleet=green, like=None, version=1, min=0, max=1, size=0, token="t")
    with connected(moto) as cloud:
        cloud.observe(plan_for("weighted"), BEFORE)
        assert cloud.apply(create).result is Result.APPLIED
    (made,) = asg.describe_auto_scaling_groups(AutoScalingGroupNames=[green])["AutoScalingGroups"]
    assert made["VPCZoneIdentifier"] == account.subnets[1]


def test_a_group_that_could_be_put_nowhere_is_not_made(moto: MotoServer) -> None:
    """Without subnets, another group and a load balancer a first release is refused with a sentence."""
    account = lay_out(moto, live=None, groups_exist=False)
    create = c.CreateFleet(fleet=account.groups[0], like=None, version=1, min=0, max=1, size=0, token="t")
    with connected(moto) as cloud:
        shown(
            cloud.clients.read.elbv2,
            "DescribeTargetGroups",
            lambda answer: [group.update(LoadBalancerArns=[]) for group in answer["TargetGroups"]],
        )
        cloud.observe(plan_for("weighted"), BEFORE)
        moto.calls.clear()
        outcome = cloud.apply(create)
    assert (outcome.result, outcome.error) == (Result.REFUSED, ErrorClass.ABSENT)
    assert "is behind no load balancer" in outcome.detail
    assert moto.operations() == []


@pytest.mark.parametrize("pending", [1, 6])
@pytest.mark.parametrize("routing", ["weighted", "shared"])
def test_who_is_protected_once_in_service_leaves_all_the_same(
    routing: Any, pending: int, moto: MotoServer
) -> None:
    """Called off while new instances are still pending, a group that protects them ends empty."""
    account = lay_out(moto, routing)
    moto.script.looks.pending = pending
    asg, green = moto.client("autoscaling"), account.groups[1]
    asg.update_auto_scaling_group(AutoScalingGroupName=green, NewInstancesProtectedFromScaleIn=True)
    journal, plan = MemoryJournal(), plan_for(routing)
    with connected(moto) as cloud:
        for step in (deployment := Deployment(plan, cloud, journal=journal)).steps():
            if any(isinstance(each, c.SetSize) and each.fleet == green for each in step.commands):
                break
        Operator(journal, plan.service).abort()
        result = deployment.run()
    assert result.phase is Phase.ROLLED_BACK, result.reason
    (shown_last,) = asg.describe_auto_scaling_groups(AutoScalingGroupNames=[green])["AutoScalingGroups"]
    assert (shown_last["DesiredCapacity"], shown_last["Instances"]) == (0, [])


def test_an_instance_that_left_since_the_look_halts_nothing(moto: MotoServer) -> None:
    """Its id makes the call for all fail, by its words alone: busy, and the next look tells who is left."""
    lay_out(moto)
    with Proxy(moto.url) as proxy, connected(moto, endpoint_url=proxy.url) as cloud:
        shown(
            cloud.clients.read.autoscaling,
            "DescribeAutoScalingGroups",
            lambda answer: [
                each.update(ProtectedFromScaleIn=True)
                for group in answer["AutoScalingGroups"]
                for each in group["Instances"]
            ],
        )
        cloud.observe(plan_for("weighted"), UNDER_WAY)
        words = "The instance i-1 is not part of Auto Scaling group web"
        proxy.plan = lambda call: (
            Refuse("ValidationError", 400, words=words) if call.operation == "SetInstanceProtection" else None
        )
        outcome = cloud.apply(c.SetSize(fleet="exercise-group-blue", size=0, min=0, max=4))
    assert (outcome.result, outcome.error) == (Result.NOT_APPLIED, ErrorClass.BUSY)


def test_a_launch_that_fails_is_told_in_aws_words(moto: MotoServer) -> None:
    """While instances are missing, the last failed launch is in the look, and in the sentence of the step."""
    account = lay_out(moto)
    moto.script.fail_launches(account.groups[1])
    with connected(moto) as cloud:
        steps = [*Deployment(plan_for("weighted"), cloud).steps()]
    assert steps[-1].state.phase is Phase.ROLLED_BACK
    assert any(
        "launch failed:" in step.reason and "sufficient t3.micro capacity" in step.reason for step in steps
    )


def test_a_launch_that_cannot_come_right_is_not_waited_for(moto: MotoServer) -> None:
    """What is missing fails the deployment at once; blue is as it was, long before the deadline."""
    account = lay_out(moto)
    moto.script.fail_launches(account.groups[1])
    moto.script.launch_words = "The security group 'sg-1' does not exist in VPC 'vpc-1'"
    with connected(moto) as cloud:
        deployment = Deployment(plan_for("weighted"), cloud)
        result = deployment.run()
    assert result.phase is Phase.ROLLED_BACK
    assert "waiting cannot help" in result.reason
    assert "security group 'sg-1' does not exist" in result.reason
    assert result.ended - result.started < 120
