"""What moto does not do as AWS does, pinned: when an upgrade closes a gap, a test here names what can go.

Each gap is a function that is true while moto, uncorrected and in this process, still has it. It names the
corrections in tests/corrections/ that are there for it; those without one are gaps that the tests live with.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Any, Self

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from tests.corrections import autoscaling, balancing, commands, instances, templates
from tests.corrections.table import CORRECTIONS, Script, applied
from tests.moto_account import Account, lay_out, make_group
from tests.moto_server import MotoServer

pytestmark = pytest.mark.contract

Gap = Callable[["Uncorrected"], bool]
GAPS: dict[str, tuple[Gap, tuple[Callable[..., Any], ...]]] = {}


class Uncorrected(MotoServer):
    """Moto as it is, in this process: the same account, without a server and without a correction."""

    account: Account

    def __enter__(self) -> Self:
        """Intercept boto3."""
        self._stack.enter_context(pytest.MonkeyPatch.context()).setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
        self._stack.enter_context(mock_aws())
        return self

    def reset(self) -> None:
        """A new account."""
        super().reset()
        self.account = lay_out(self)

    def client(self, service: str) -> Any:
        """A client that moto intercepts."""
        if service not in self._clients:
            self._clients[service] = self.session().client(service)
        return self._clients[service]

    def settle(self) -> None:
        """Nothing takes time here."""

    @property
    def live(self) -> str:
        """The live group's name."""
        return self.account.groups[0]

    def group(self, name: str) -> dict[str, Any]:
        """A group; empty when there is none."""
        found = self.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])
        return next(iter(found["AutoScalingGroups"]), {})

    def ids(self) -> list[str]:
        """The live group's instances."""
        return [each["InstanceId"] for each in self.group(self.live)["Instances"]]

    def targets(self, index: int = 0) -> dict[str, str]:
        """States of a target group's targets, by id."""
        told = self.client("elbv2").describe_target_health(
            TargetGroupArn=self.account.target_group_arns[index]
        )
        return {
            each["Target"]["Id"]: each["TargetHealth"]["State"] for each in told["TargetHealthDescriptions"]
        }

    def state(self, instance: str) -> str:
        """The state of an instance."""
        told = self.client("ec2").describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][
            0
        ]
        return str(told["State"]["Name"])

    def template(self, **more: Any) -> dict[str, Any]:
        """Another version of the template."""
        wanted = {
            "LaunchTemplateId": self.account.template_id,
            "LaunchTemplateData": {"ImageId": "ami-0beta"},
        }
        return dict(
            self.client("ec2").create_launch_template_version(**wanted | more)["LaunchTemplateVersion"]
        )

    def forward(self, shares: list[tuple[str, int]], *, rule: bool = True) -> None:
        """Put weights into the rule, or into the listener."""
        groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in shares]
        actions = [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]
        if rule:
            self.client("elbv2").modify_rule(RuleArn=self.account.rule_arn, Actions=actions)
        else:
            self.client("elbv2").modify_listener(
                ListenerArn=self.account.listener_arn, DefaultActions=actions
            )

    def start(self, **more: Any) -> str:
        """An instance outside any group."""
        wanted = {"ImageId": "ami-0alpha", "MinCount": 1, "MaxCount": 1} | more
        return str(self.client("ec2").run_instances(**wanted)["Instances"][0]["InstanceId"])


def gap(*corrections: Callable[..., Any]) -> Callable[[Gap], Gap]:
    """Pin the decorated function; the corrections are those that can go with it."""

    def note(function: Gap) -> Gap:
        GAPS[function.__name__] = function, corrections
        return function

    return note


def fails(
    kind: type[Exception] | tuple[type[Exception], ...], call: Callable[..., Any], **asked: Any
) -> bool:
    """Whether a call ends with that error."""
    try:
        call(**asked)
    except kind:
        return True
    return False


@pytest.fixture(scope="module")
def uncorrected() -> Iterator[Uncorrected]:
    """Moto as it is."""
    with Uncorrected() as running:
        yield running


@pytest.fixture
def moto(uncorrected: Uncorrected) -> Uncorrected:
    """Moto as it is, with a new account."""
    uncorrected.reset()
    return uncorrected


# ------------------------------------------------------------------------------------------ Auto Scaling


@gap(autoscaling.create)
def a_taken_name_replaces_the_group(moto: Uncorrected) -> bool:
    """CreateAutoScalingGroup of a taken name succeeds, and the old instances go on running."""
    before = moto.ids()
    make_group(moto, moto.account, 0, 1)
    return len(moto.ids()) == 1 and {moto.state(each) for each in before} == {"running"}


@gap(autoscaling.create)
def a_group_is_made_of_sizes_out_of_order(moto: Uncorrected) -> bool:
    """CreateAutoScalingGroup accepts a minimum above the maximum."""
    return not fails(ClientError, create, moto=moto, MinSize=3, MaxSize=1)


@gap(autoscaling.create)
def an_unknown_target_group_leaves_a_group(moto: Uncorrected) -> bool:
    """CreateAutoScalingGroup with an unknown target group is refused, and the group is there."""
    return fails(ClientError, create, moto=moto, TargetGroupARNs=[unknown(moto)]) and bool(moto.group("new"))


@gap(autoscaling.create)
def a_group_of_an_unknown_version_is_made(moto: Uncorrected) -> bool:
    """CreateAutoScalingGroup of size 0 accepts a template version that is not there."""
    template = {"LaunchTemplateId": moto.account.template_id, "Version": "7"}
    return not fails(ClientError, create, moto=moto, LaunchTemplate=template)


@gap(autoscaling.create)
def no_grace_period_is_five_minutes(moto: Uncorrected) -> bool:
    """A grace period of 0 becomes 300."""
    create(moto, HealthCheckGracePeriod=0)
    return bool(moto.group("new")["HealthCheckGracePeriod"] == 300)


@gap(autoscaling.update)
def a_group_is_given_sizes_out_of_order(moto: Uncorrected) -> bool:
    """UpdateAutoScalingGroup accepts a minimum above the maximum."""
    update = moto.client("autoscaling").update_auto_scaling_group
    return not fails(ClientError, update, AutoScalingGroupName=moto.live, MinSize=9, MaxSize=4)


@gap(autoscaling.put_policy, autoscaling.put_schedule)
def a_policy_of_another_groups_name_takes_its_place(moto: Uncorrected) -> bool:
    """Policies and scheduled actions of two groups cannot have one name."""
    asg = moto.client("autoscaling")
    for name in moto.account.groups:
        asg.put_scaling_policy(
            AutoScalingGroupName=name,
            PolicyName="p",
            AdjustmentType="ExactCapacity",
            ScalingAdjustment=1,
        )
        asg.put_scheduled_update_group_action(
            AutoScalingGroupName=name, ScheduledActionName="s", Recurrence="0 0 * * *", MinSize=1
        )
    actions = asg.describe_scheduled_actions()["ScheduledUpdateGroupActions"]
    return len(asg.describe_policies()["ScalingPolicies"]) == len(actions) == 1


@gap(autoscaling.put_notification, autoscaling.describe_notifications)
def there_are_no_notifications(moto: Uncorrected) -> bool:
    """DescribeNotificationConfigurations is not there, nor is what would put one."""
    asg = moto.client("autoscaling")
    told = {"TopicARN": "arn:aws:sns:us-east-1:1:t", "NotificationTypes": ["x"]}
    return fails(NotImplementedError, asg.describe_notification_configurations) and fails(
        NotImplementedError, asg.put_notification_configuration, AutoScalingGroupName=moto.live, **told
    )


@gap(autoscaling.set_desired)
def a_size_beyond_the_bounds_is_accepted(moto: Uncorrected) -> bool:
    """SetDesiredCapacity above the maximum launches as many; of no group it is a KeyError."""
    desire = moto.client("autoscaling").set_desired_capacity
    desire(AutoScalingGroupName=moto.live, DesiredCapacity=9)
    return len(moto.ids()) == 9 and fails(KeyError, desire, AutoScalingGroupName="none", DesiredCapacity=1)


@gap(autoscaling.want, autoscaling.describe_groups)
def scale_in_leaves_healthy_targets(moto: Uncorrected) -> bool:
    """Scaled in, an instance is terminated and out of its group at once, and a healthy target for ever."""
    before = moto.ids()
    moto.client("autoscaling").update_auto_scaling_group(
        AutoScalingGroupName=moto.live, MinSize=0, DesiredCapacity=0
    )
    return (
        moto.ids() == []
        and moto.state(before[0]) == "terminated"
        and set(moto.targets().values()) == {"healthy"}
    )


@gap(autoscaling.describe_groups, autoscaling.register)
def a_new_instance_is_in_service_at_once(moto: Uncorrected) -> bool:
    """An instance is never Pending, and is registered before it was looked at."""
    moto.client("autoscaling").set_desired_capacity(AutoScalingGroupName=moto.live, DesiredCapacity=3)
    states = {each["LifecycleState"] for each in moto.group(moto.live)["Instances"]}
    return states == {"InService"} and len(moto.targets()) == 3


@gap(autoscaling.launched_from, autoscaling.replace)
def an_instance_shows_the_default_version(moto: Uncorrected) -> bool:
    """Launched from version 2, an instance says version 1, and has the tags of that one."""
    moto.template(LaunchTemplateData={"ImageId": "ami-0beta", "InstanceType": "t3.small"})
    make_group(moto, moto.account, 1, 1, version=2)
    [seen] = moto.group(moto.account.groups[1])["Instances"]
    told = moto.client("ec2").describe_instances(InstanceIds=[seen["InstanceId"]])["Reservations"][0][
        "Instances"
    ][0]
    tags = {tag["Key"]: tag["Value"] for tag in told["Tags"]}
    of_the_first = (seen["LaunchTemplate"]["Version"], tags["aws:ec2launchtemplate:version"], tags["team"])
    return bool(told["ImageId"] == "ami-0beta" and of_the_first == ("1", "1", "exercise"))


@gap(autoscaling.ended_elsewhere)
def a_replacement_is_not_registered(moto: Uncorrected) -> bool:
    """What replaces an instance that EC2 ended stands behind no balancer."""
    moto.client("ec2").terminate_instances(InstanceIds=moto.ids()[:1])
    return len(moto.ids()) == 2 and len(moto.targets()) == 1


@gap(autoscaling.terminate)
def one_ended_instance_stays_a_target(moto: Uncorrected) -> bool:
    """TerminateInstanceInAutoScalingGroup goes below the minimum, and its target stays healthy."""
    first = moto.ids()[0]
    end = moto.client("autoscaling").terminate_instance_in_auto_scaling_group
    end(InstanceId=first, ShouldDecrementDesiredCapacity=True)
    return moto.group(moto.live)["DesiredCapacity"] == 1 and moto.targets()[first] == "healthy"


@gap(autoscaling.attach)
def an_unknown_target_group_stays_attached(moto: Uncorrected) -> bool:
    """AttachLoadBalancerTargetGroups of an unknown one is refused, and it is attached."""
    attach = moto.client("autoscaling").attach_load_balancer_target_groups
    refused = fails(ClientError, attach, AutoScalingGroupName=moto.live, TargetGroupARNs=[unknown(moto)])
    return refused and unknown(moto) in moto.group(moto.live)["TargetGroupARNs"]


@gap(autoscaling.detach, balancing.deregister)
def detached_targets_are_gone_at_once(moto: Uncorrected) -> bool:
    """Detached targets never drain, and to detach them again is an error."""
    detach = moto.client("autoscaling").detach_load_balancer_target_groups
    asked = {"AutoScalingGroupName": moto.live, "TargetGroupARNs": [moto.account.target_group_arns[0]]}
    detach(**asked)
    return moto.targets() == {} and fails(ClientError, detach, **asked)


@gap(autoscaling.delete)
def a_group_with_instances_is_deleted(moto: Uncorrected) -> bool:
    """DeleteAutoScalingGroup succeeds at once, instances or not."""
    moto.client("autoscaling").delete_auto_scaling_group(AutoScalingGroupName=moto.live)
    return moto.group(moto.live) == {}


@gap(autoscaling.describe_activities)
def no_activity_is_told(moto: Uncorrected) -> bool:
    """DescribeScalingActivities is always empty."""
    told = moto.client("autoscaling").describe_scaling_activities(AutoScalingGroupName=moto.live)
    return bool(told["Activities"] == [])


@gap(autoscaling.describe_refreshes)
def instance_refreshes_are_unknown(moto: Uncorrected) -> bool:
    """DescribeInstanceRefreshes is not there."""
    ask = moto.client("autoscaling").describe_instance_refreshes
    return fails(NotImplementedError, ask, AutoScalingGroupName=moto.live)


@gap()
def traffic_sources_are_unknown(moto: Uncorrected) -> bool:
    """AttachTrafficSources is not there, and groups do not show TrafficSources."""
    attach = moto.client("autoscaling").attach_traffic_sources
    sources = [{"Identifier": moto.account.target_group_arns[0]}]
    missing = fails(NotImplementedError, attach, AutoScalingGroupName=moto.live, TrafficSources=sources)
    return missing and "TrafficSources" not in moto.group(moto.live)


@gap()
def suspended_processes_go_on(moto: Uncorrected) -> bool:
    """A group whose Launch is suspended launches."""
    moto.client("autoscaling").suspend_processes(AutoScalingGroupName=moto.live, ScalingProcesses=["Launch"])
    moto.client("autoscaling").set_desired_capacity(AutoScalingGroupName=moto.live, DesiredCapacity=3)
    return len(moto.ids()) == 3


# ------------------------------------------------------------------------------------------- balancing


@gap(balancing.describe_health)
def a_target_is_healthy_wherever_it_is(moto: Uncorrected) -> bool:
    """A target is healthy at its first look, also where no rule leads."""
    moto.forward([(moto.account.target_group_arns[1], 1)], rule=False)
    return set(moto.targets().values()) == {"healthy"}


@gap(balancing.register)
def registering_again_overwrites(moto: Uncorrected) -> bool:
    """A target that is registered again is a new one, with the new port alone."""
    [first, _] = moto.ids()
    arn = moto.account.target_group_arns[0]
    moto.client("elbv2").register_targets(TargetGroupArn=arn, Targets=[{"Id": first, "Port": 8080}])
    told = moto.client("elbv2").describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    return sorted(each["Target"]["Port"] for each in told) == [80, 8080]


@gap(balancing.deregister)
def an_unknown_target_cannot_be_deregistered(moto: Uncorrected) -> bool:
    """DeregisterTargets of what is not registered is InvalidTarget."""
    deregister, arn = moto.client("elbv2").deregister_targets, moto.account.target_group_arns[1]
    return fails(ClientError, deregister, TargetGroupArn=arn, Targets=[{"Id": "i-0"}])


@gap(balancing.check_actions)
def any_weight_is_accepted(moto: Uncorrected) -> bool:
    """ModifyRule accepts weights of 1000 and -1, and six target groups."""
    arn = moto.account.target_group_arns[0]
    return not any(
        fails(ClientError, moto.forward, shares=each) for each in ([(arn, 1000)], [(arn, -1)], [(arn, 1)] * 6)
    )


@gap(balancing.modify_listener)
def a_listener_leads_nowhere(moto: Uncorrected) -> bool:
    """ModifyListener accepts a target group that is not there."""
    return not fails(ClientError, moto.forward, shares=[(unknown(moto), 1)], rule=False)


# -------------------------------------------------------------------------------------------- templates


@gap(templates.create)
def a_source_version_is_ignored(moto: Uncorrected) -> bool:
    """A version has what was sent alone, and its source need not be there."""
    return bool(moto.template(SourceVersion="9")["LaunchTemplateData"] == {"ImageId": "ami-0beta"})


@gap(templates.create)
def a_version_is_made_twice(moto: Uncorrected) -> bool:
    """The same ClientToken makes another version."""
    return [moto.template(ClientToken="one")["VersionNumber"] for _ in range(2)] == [2, 3]


@gap(templates.delete, templates.number, templates.find, templates.default, templates.describe)
def versions_cannot_be_deleted(moto: Uncorrected) -> bool:
    """DeleteLaunchTemplateVersions is not there, so a version is found by its place in the list."""
    delete = moto.client("ec2").delete_launch_template_versions
    return fails(NotImplementedError, delete, LaunchTemplateId=moto.account.template_id, Versions=["1"])


@gap(templates.list_versions)
def versions_are_not_filtered_and_stop_at_fifteen(moto: Uncorrected) -> bool:
    """DescribeLaunchTemplateVersions ignores Filters, and gives 15 versions and no token for more."""
    for _ in range(15):
        moto.template()
    told = moto.client("ec2").describe_launch_template_versions(
        LaunchTemplateId=moto.account.template_id, Filters=[{"Name": "image-id", "Values": ["ami-0alpha"]}]
    )
    return len(told["LaunchTemplateVersions"]) == 15 and "NextToken" not in told


@gap(templates.list_templates)
def templates_stop_at_fifteen(moto: Uncorrected) -> bool:
    """DescribeLaunchTemplates gives 15 templates and no token for more."""
    ec2 = moto.client("ec2")
    for number in range(15):
        ec2.create_launch_template(
            LaunchTemplateName=f"name-{number}", LaunchTemplateData={"ImageId": "ami-1"}
        )
    told = ec2.describe_launch_templates()
    return len(told["LaunchTemplates"]) == 15 and "NextToken" not in told


# ------------------------------------------------------------------------------- instances and images


@gap(instances.run)
def an_instance_is_started_twice(moto: Uncorrected) -> bool:
    """The same ClientToken starts another instance."""
    return moto.start(ClientToken="one") != moto.start(ClientToken="one")


@gap(instances.run, instances.stop, instances.terminate, instances.describe)
def an_instance_is_never_on_its_way(moto: Uncorrected) -> bool:
    """Instances are running, stopped and terminated at the first look."""
    ec2, instance = moto.client("ec2"), moto.start()
    seen = [moto.state(instance)]
    for change in (ec2.stop_instances, ec2.terminate_instances):
        change(InstanceIds=[instance])
        seen.append(moto.state(instance))
    return seen == ["running", "stopped", "terminated"]


@gap(instances.describe_status, instances.instance_status)
def status_checks_are_ok_at_once(moto: Uncorrected) -> bool:
    """A status check is never initializing."""
    told = moto.client("ec2").describe_instance_status(InstanceIds=[moto.start()])["InstanceStatuses"]
    return [each["InstanceStatus"]["Status"] for each in told] == ["ok"]


@gap(instances.console)
def every_console_shows_the_same(moto: Uncorrected) -> bool:
    """GetConsoleOutput shows a kernel of 2006, whatever runs."""
    told = moto.client("ec2").get_console_output(InstanceId=moto.start())
    return "2.6.16" in told["Output"]


@gap(instances.create_image, instances.describe_images)
def an_image_is_available_at_once(moto: Uncorrected) -> bool:
    """An image is never pending, and its name may be taken."""
    create_image, instance = moto.client("ec2").create_image, moto.start()
    made = [create_image(InstanceId=instance, Name="exercise-v2")["ImageId"] for _ in range(2)]
    told = moto.client("ec2").describe_images(ImageIds=made)["Images"]
    return [each["State"] for each in told] == ["available"] * 2


@gap(instances.create_image)
def snapshots_cannot_be_tagged(moto: Uncorrected) -> bool:
    """CreateImage with tags for the snapshots is not there."""
    kinds = [{"ResourceType": "snapshot", "Tags": [{"Key": "a", "Value": "b"}]}]
    create_image, instance = moto.client("ec2").create_image, moto.start()
    return fails(
        NotImplementedError, create_image, InstanceId=instance, Name="a-name", TagSpecifications=kinds
    )


# --------------------------------------------------------------------------------- commands and alarms


@gap(commands.describe, commands.list_invocations)
def agents_and_invocations_are_unknown(moto: Uncorrected) -> bool:
    """DescribeInstanceInformation and ListCommandInvocations are not there."""
    ssm = moto.client("ssm")
    return fails(NotImplementedError, ssm.describe_instance_information) and fails(
        NotImplementedError, ssm.list_command_invocations
    )


@gap(commands.send)
def a_command_runs_everywhere(moto: Uncorrected) -> bool:
    """SendCommand goes to every instance of the account, and to one that is not there."""
    sent = moto.client("ssm").send_command(
        InstanceIds=["i-0123456789"], DocumentName="AWS-RunShellScript", Parameters={"commands": ["true"]}
    )
    return set(sent["Command"]["InstanceIds"]) == {"i-0123456789", *moto.ids()}


@gap(commands.get_invocation)
def a_command_ends_well_at_once(moto: Uncorrected) -> bool:
    """GetCommandInvocation says Success at the first look, without output."""
    ssm, instance = moto.client("ssm"), moto.ids()[0]
    sent = ssm.send_command(InstanceIds=[instance], DocumentName="AWS-RunShellScript")["Command"]["CommandId"]
    told = ssm.get_command_invocation(CommandId=sent, InstanceId=instance)
    return (told["Status"], told["StandardOutputContent"]) == ("Success", "")


@gap()
def a_new_alarm_is_ok(moto: Uncorrected) -> bool:
    """A metric alarm starts as OK, not as INSUFFICIENT_DATA."""
    moto.client("cloudwatch").put_metric_alarm(
        AlarmName="errors",
        MetricName="HTTPCode_Target_5XX_Count",
        Namespace="AWS/ApplicationELB",
        Period=60,
        Statistic="Sum",
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    told = moto.client("cloudwatch").describe_alarms(AlarmNames=["errors"])["MetricAlarms"]
    return [each["StateValue"] for each in told] == ["OK"]


# ----------------------------------------------------------------------------------------------- the pins


def create(moto: Uncorrected, **more: Any) -> None:
    """A group called ``new``."""
    wanted: dict[str, Any] = {"AutoScalingGroupName": "new", "MinSize": 0, "MaxSize": 1}
    wanted["AvailabilityZones"] = ["us-east-1a"]
    wanted["LaunchTemplate"] = {"LaunchTemplateId": moto.account.template_id, "Version": "1"}
    moto.client("autoscaling").create_auto_scaling_group(**wanted | more)


def unknown(moto: Uncorrected) -> str:
    """The ARN of no target group."""
    return moto.account.target_group_arns[0] + "0"


@pytest.mark.parametrize("name", GAPS)
def test_moto_still_has_the_gap(moto: Uncorrected, name: str) -> None:
    """Uncorrected moto still differs from AWS as the gap says, so its correction is still needed."""
    function, corrections = GAPS[name]
    rows = " and ".join(f"{each.__module__}.{each.__name__}" for each in corrections) or "this pin"
    assert function(moto), f"moto {version('moto')} closed a gap ({function.__doc__}): {rows} can go"


def test_every_correction_is_pinned() -> None:
    """No correction stands without a gap that it corrects."""
    pinned = {each for _, corrections in GAPS.values() for each in corrections}
    assert {row.function for row in CORRECTIONS} - pinned == set()


def test_moto_is_itself_again_afterwards() -> None:
    """While the corrections are applied every attribute is ours, and afterwards every one is moto's own."""

    def attributes() -> list[Any]:
        return [inspect.getattr_static(row.owner, row.attribute, None) for row in CORRECTIONS]

    own = attributes()
    with applied(Script):
        assert not any(ours is moto for ours, moto in zip(attributes(), own, strict=True))
    assert attributes() == own
