"""What each service does to the world through boto3."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from attrs import evolve
from botocore.exceptions import ClientError

from bluegreen.core.commands import Attach, CreateFleet, Detach, PrepareVersion, SetSize
from bluegreen.core.gates import Alarm
from bluegreen.core.state import Ledger
from bluegreen_sim import AlarmRed, LaunchFails, Settings, SimCloud
from bluegreen_sim.endpoint import NotSimulated, names, session
from tests.sim.wired import ONCE, SHARED, TG, TG_A, TG_B, WEIGHTED, Aws, code, forward, pinned

QUICK = Settings(deregistration_seconds=30)


def test_a_naive_switch_of_the_listener_loses_requests() -> None:
    """Targets that no rule leads to are never checked: who switches to them at once meets those that boot."""
    cloud = SimCloud(WEIGHTED, settings=QUICK, traffic=100)
    aws = Aws(cloud)
    aws.weights(tg_a=1)
    aws.carry_out(SetSize(fleet="b", size=2, min=2, max=4))
    cloud.clock.sleep(30)
    assert aws.health(TG_B) == {"i-0003": "unused", "i-0004": "unused"}
    assert cloud.timeline.failed_requests == 0
    aws.weights(tg_b=1)
    assert aws.health(TG_B) == {"i-0003": "initial", "i-0004": "initial"}
    assert aws.health(TG_A) == {"i-0001": "unused", "i-0002": "unused"}
    cloud.clock.sleep(60)
    # 3 s to react, 15 pending, 30 to boot: 30 of these are over.
    assert cloud.timeline.failed_requests == 18 * 100


# ---------------------------------------------------------------------------------------------------- groups


def test_a_group_shows_what_it_was_given() -> None:
    """Settings, tags and the target group of a new group are described, and its tags filter it."""
    aws = Aws(SimCloud(WEIGHTED))
    aws.autoscaling.create_auto_scaling_group(
        AutoScalingGroupName="c",
        LaunchTemplate={"LaunchTemplateId": names.template_id("tpl")},
        MinSize=0,
        MaxSize=2,
        TargetGroupARNs=[TG_B],
        HealthCheckGracePeriod=60,
        VPCZoneIdentifier="subnet-1,subnet-2",
        Tags=[{"Key": "k", "Value": "v", "PropagateAtLaunch": True}],
    )
    group = aws.group("c")
    assert (group["HealthCheckGracePeriod"], group["VPCZoneIdentifier"]) == (60, "subnet-1,subnet-2")
    assert group["TargetGroupARNs"] == [TG_B]
    assert group["LaunchTemplate"]["Version"] == "$Default"
    assert [(tag["Key"], tag["PropagateAtLaunch"]) for tag in group["Tags"]] == [("k", True)]
    for filters in ([{"Name": "tag:k", "Values": ["v"]}], [{"Name": "tag-key", "Values": ["k"]}]):
        found = aws.autoscaling.describe_auto_scaling_groups(Filters=filters)["AutoScalingGroups"]
        assert [each["AutoScalingGroupName"] for each in found] == ["c"]
    aws.autoscaling.delete_tags(Tags=[{"ResourceId": "c", "Key": "k"}])
    assert aws.autoscaling.describe_tags()["Tags"] == []


def test_a_namesake_of_another_deployment_has_another_arn() -> None:
    """A group that is deleted and made anew for somebody else can be told from the old one."""
    aws = Aws(SimCloud(WEIGHTED))
    arns = []
    for token in ("d-1", "d-2"):
        aws.autoscaling.delete_auto_scaling_group(AutoScalingGroupName="b", ForceDelete=True)
        aws.create(CreateFleet(fleet="b", like=None, version=1, min=0, max=1, size=0, token=token))
        arns.append(aws.group("b")["AutoScalingGroupARN"])
    assert arns[0] != arns[1]


@pytest.mark.parametrize("size", [5, 0])
def test_a_size_outside_the_bounds_is_refused_in_awss_words(size: int) -> None:
    """SetDesiredCapacity holds the bounds, and says so as AWS does."""
    aws = Aws(SimCloud(SHARED))
    with pytest.raises(ClientError, match=rf"New SetDesiredCapacity value {size} is \w+ m\w\w value"):
        aws.autoscaling.set_desired_capacity(AutoScalingGroupName="a", DesiredCapacity=size)


def test_bounds_move_the_wanted_size_unless_it_is_named() -> None:
    """A minimum above the wanted size raises it, a maximum below lowers it."""
    aws = Aws(SimCloud(SHARED))
    for bounds, desired in (({"MinSize": 3}, 3), ({"MinSize": 0, "MaxSize": 1}, 1)):
        aws.autoscaling.update_auto_scaling_group(AutoScalingGroupName="a", **bounds)
        assert aws.group("a")["DesiredCapacity"] == desired
    with pytest.raises(ClientError, match="Max bound"):
        aws.autoscaling.update_auto_scaling_group(AutoScalingGroupName="a", MinSize=3)


def test_instances_are_described_through_their_life() -> None:
    """Pending, in service and registered, terminating while they drain, and ended for who knows the id."""
    cloud = SimCloud(SHARED, settings=QUICK)
    aws = Aws(cloud)
    aws.carry_out(SetSize(fleet="a", size=3, min=0, max=4))
    seen = []
    for seconds, size in ((5, 3), (30, 2), (10, 2), (40, 2)):
        cloud.clock.sleep(seconds)
        lives = {each["InstanceId"]: each["LifecycleState"] for each in aws.group("a")["Instances"]}
        states = aws.ec2.describe_instances(InstanceIds=["i-0001", "i-0003"])["Reservations"]
        seen.append(
            (
                lives.get("i-0003"),
                lives.get("i-0001"),
                *[r["Instances"][0]["State"]["Name"] for r in states],
                aws.health(TG).get("i-0001"),
            )
        )
        aws.carry_out(SetSize(fleet="a", size=size, min=0, max=4))
    assert seen == [
        ("Pending", "InService", "running", "pending", "healthy"),
        ("InService", "InService", "running", "running", "healthy"),
        ("InService", "Terminating", "running", "running", "draining"),
        ("InService", None, "terminated", "running", None),
    ]


def test_attachment_has_the_states_of_the_guide() -> None:
    """Added until an instance is healthy, then in service; removing while targets drain, then gone.

    In service it comes only where the health check type is ELB.
    """
    cloud = SimCloud(SHARED, settings=evolve(QUICK, replace_unhealthy=True))
    aws = Aws(cloud)
    aws.carry_out(SetSize(fleet="b", size=1, min=0, max=4))
    cloud.clock.sleep(60)

    def state() -> list[str]:
        shown = aws.autoscaling.describe_load_balancer_target_groups(AutoScalingGroupName="b")
        return [each["State"] for each in shown["LoadBalancerTargetGroups"]]

    seen = [state()]
    for command, seconds in ((Attach(fleet="b"), 0), (None, 30), (Detach(fleet="b"), 1), (None, 31)):
        if command:
            aws.carry_out(command)
        cloud.clock.sleep(seconds)
        seen.append(state())
    assert seen == [[], ["Added"], ["InService"], ["Removing"], []]


def test_suspended_processes_are_kept_one_by_one() -> None:
    """A group is frozen in the world when both of its own causes of scaling are suspended."""
    cloud = SimCloud(SHARED)
    aws = Aws(cloud)

    def suspended() -> list[str]:
        return [each["ProcessName"] for each in aws.group("a")["SuspendedProcesses"]]

    aws.autoscaling.suspend_processes(AutoScalingGroupName="a", ScalingProcesses=["ScheduledActions"])
    assert (suspended(), cloud.world.groups[0].frozen) == (["ScheduledActions"], False)
    aws.autoscaling.suspend_processes(
        AutoScalingGroupName="a", ScalingProcesses=["AlarmNotification", "AZRebalance"]
    )
    assert suspended() == ["AZRebalance", "AlarmNotification", "ScheduledActions"]
    assert cloud.world.groups[0].frozen
    aws.autoscaling.resume_processes(AutoScalingGroupName="a", ScalingProcesses=["AlarmNotification"])
    assert (suspended(), cloud.world.groups[0].frozen) == (["AZRebalance", "ScheduledActions"], False)
    aws.autoscaling.resume_processes(AutoScalingGroupName="a")
    assert suspended() == []
    with pytest.raises(ClientError, match="Invalid process"):
        aws.autoscaling.suspend_processes(AutoScalingGroupName="a", ScalingProcesses=["Lunch"])


def test_a_failed_launch_is_an_activity_with_the_reason() -> None:
    """Launch failures are no error of a call: the newest activity tells of them, with its time."""
    cloud = SimCloud(SHARED, faults=[LaunchFails(2)])
    aws = Aws(cloud)
    aws.carry_out(SetSize(fleet="b", size=1, min=0, max=4))
    cloud.clock.sleep(20)
    newest = aws.autoscaling.describe_scaling_activities(AutoScalingGroupName="b")["Activities"][0]
    assert newest["StatusCode"] == "Failed"
    assert "sufficient capacity" in newest["StatusMessage"]
    assert newest["StartTime"].timestamp() == 1_735_689_600 + 3 + 15
    cloud.clock.sleep(40)
    newest = aws.autoscaling.describe_scaling_activities(AutoScalingGroupName="b")["Activities"][0]
    assert newest["StatusCode"] == "InProgress"


def test_an_instance_ended_by_name_drains_and_is_replaced_if_the_size_stays() -> None:
    """TerminateInstanceInAutoScalingGroup drains; without decrement another instance is launched."""
    cloud = SimCloud(SHARED, settings=QUICK)
    aws = Aws(cloud)
    end = aws.autoscaling.terminate_instance_in_auto_scaling_group
    end(InstanceId="i-0001", ShouldDecrementDesiredCapacity=False)
    assert aws.health(TG) == {"i-0001": "draining", "i-0002": "healthy"}
    cloud.clock.sleep(60)
    assert {each["InstanceId"] for each in aws.group("a")["Instances"]} == {"i-0002", "i-0003"}
    with pytest.raises(ClientError, match="cannot go below"):
        end(InstanceId="i-0002", ShouldDecrementDesiredCapacity=True)
    with pytest.raises(ClientError, match="No managed instance"):
        end(InstanceId="i-0001", ShouldDecrementDesiredCapacity=False)


def test_an_instance_ended_by_ec2_fails_under_traffic_before_its_group_notices() -> None:
    """EC2's TerminateInstances bypasses draining, and the group replaces the instance a minute later."""
    cloud = SimCloud(SHARED)
    aws = Aws(cloud)
    aws.ec2.terminate_instances(InstanceIds=["i-0001"])
    cloud.clock.sleep(120)
    assert cloud.timeline.failed_requests > 0
    assert [each["InstanceId"] for each in aws.group("a")["Instances"]] == ["i-0002", "i-0003"]


def test_ending_an_instance_that_does_not_run_is_no_failure() -> None:
    """A pending one is replaced at once, one on its way out goes on, and an ended one has ended."""
    cloud = SimCloud(SHARED, settings=QUICK)
    aws = Aws(cloud)
    aws.carry_out(SetSize(fleet="a", size=3, min=0, max=4))
    cloud.clock.sleep(5)
    aws.ec2.terminate_instances(InstanceIds=["i-0003"])
    cloud.clock.sleep(80)
    assert {each["InstanceId"] for each in aws.group("a")["Instances"]} == {"i-0001", "i-0002", "i-0004"}
    aws.carry_out(SetSize(fleet="a", size=2, min=0, max=4))
    cloud.clock.sleep(5)
    aws.ec2.terminate_instances(InstanceIds=["i-0001", "i-0003"])
    assert aws.health(TG)["i-0001"] == "draining"
    cloud.clock.sleep(60)
    assert cloud.timeline.failed_requests == 0


def test_protection_is_shown_and_can_be_dropped() -> None:
    """Each instance tells whether it is protected; who is not in the group is refused in AWS's words."""
    aws = Aws(SimCloud(SHARED))
    protect = aws.autoscaling.set_instance_protection
    for protected in (True, False):
        protect(AutoScalingGroupName="a", InstanceIds=["i-0001"], ProtectedFromScaleIn=protected)
        shown = [each["ProtectedFromScaleIn"] for each in aws.group("a")["Instances"]]
        assert shown == [protected, False]
    with pytest.raises(ClientError, match="not part of Auto Scaling group"):
        protect(AutoScalingGroupName="a", InstanceIds=["i-0009"], ProtectedFromScaleIn=False)


# -------------------------------------------------------------------------------------------------- balancer


def test_a_rule_can_divide_the_traffic_instead_of_the_default() -> None:
    """With a priority, the split stands in a rule of its own, found by the target groups it names."""
    cloud = SimCloud(WEIGHTED)
    aws = session(cloud, rule_priority=10)
    elb = aws.client("elbv2", config=ONCE)
    rules = elb.describe_rules(ListenerArn=names.LISTENER_ARN)["Rules"]
    assert [(rule["Priority"], rule["IsDefault"]) for rule in rules] == [("10", False), ("default", True)]
    elb.modify_rule(RuleArn=rules[0]["RuleArn"], Actions=forward(tg_a=60, tg_b=40))
    assert cloud.world.rule == (("tg-a", 60), ("tg-b", 40))
    with pytest.raises(ClientError, match="use ModifyListener"):
        elb.modify_rule(RuleArn=rules[1]["RuleArn"], Actions=forward(tg_a=1))


def test_a_rules_other_actions_are_kept_and_replaced_as_a_whole() -> None:
    """What stands before the forward is described again, and goes when it is not sent again."""
    aws = Aws(SimCloud(WEIGHTED))
    login = {
        "Type": "authenticate-cognito",
        "Order": 1,
        "AuthenticateCognitoConfig": {"UserPoolArn": "u", "UserPoolClientId": "c", "UserPoolDomain": "d"},
    }
    actions = [login, {**forward(tg_a=1, tg_b=0)[0], "Order": 2}]
    aws.elbv2.modify_listener(ListenerArn=names.LISTENER_ARN, DefaultActions=actions)
    shown = aws.elbv2.describe_listeners(LoadBalancerArn=names.BALANCER_ARN)["Listeners"][0]["DefaultActions"]
    assert [action["Type"] for action in shown] == ["authenticate-cognito", "forward"]
    aws.weights(tg_a=1, tg_b=1)
    shown = aws.elbv2.describe_rules(ListenerArn=names.LISTENER_ARN)["Rules"][0]["Actions"]
    assert [action["Type"] for action in shown] == ["forward"]


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        (forward(tg_a=1000, tg_b=0), "InvalidLoadBalancerAction"),
        (forward(nobody=1), "TargetGroupNotFound"),
        ([{**forward(tg_a=1)[0], "TargetGroupArn": TG_B}], "InvalidLoadBalancerAction"),
        (
            [{"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": TG_A}] * 2}}],
            "InvalidLoadBalancerAction",
        ),
    ],
)
def test_a_rule_that_aws_would_not_take_is_refused(actions: list[Any], expected: str) -> None:
    """Weights beyond 999, unknown groups, contradictions and missing weights change nothing."""
    cloud = SimCloud(WEIGHTED)
    with pytest.raises(ClientError) as failure:
        Aws(cloud).elbv2.modify_listener(ListenerArn=names.LISTENER_ARN, DefaultActions=actions)
    assert code(failure) == expected
    assert cloud.world.rule == (("tg-a", 100), ("tg-b", 0))


def test_targets_can_be_taken_out_and_put_back_by_hand() -> None:
    """A deregistered target drains; registered again it is initial; what is not there is no error."""
    cloud = SimCloud(SHARED, settings=QUICK)
    aws = Aws(cloud)
    targets = [{"Id": "i-0001"}]
    for _ in range(2):
        aws.elbv2.deregister_targets(TargetGroupArn=TG, Targets=targets)
    assert aws.health(TG)["i-0001"] == "draining"
    cloud.clock.sleep(31)
    shown = aws.elbv2.describe_target_health(TargetGroupArn=TG, Targets=targets)
    assert shown["TargetHealthDescriptions"][0]["TargetHealth"]["Reason"] == "Target.NotRegistered"
    aws.elbv2.register_targets(TargetGroupArn=TG, Targets=targets)
    assert aws.health(TG)["i-0001"] == "initial"
    with pytest.raises(ClientError, match="not running"):
        aws.elbv2.register_targets(TargetGroupArn=TG, Targets=[{"Id": "i-0009"}])


# -------------------------------------------------------------------------------- templates, images, builds


def test_a_version_is_made_once_for_each_client_token() -> None:
    """The same token gives the same version, with the source's other data; other parameters are an error."""
    aws = Aws(SimCloud(SHARED))
    assert [aws.new_version("ami-new", "t"), aws.new_version("ami-new", "t")] == [2, 2]
    assert aws.new_version("ami-new", "u") == 3
    with pytest.raises(ClientError) as failure:
        aws.new_version("ami-0alpha", "t")
    assert code(failure) == "IdempotentParameterMismatch"
    found = aws.ec2.describe_launch_template_versions(LaunchTemplateName="tpl")["LaunchTemplateVersions"]
    assert [each["VersionNumber"] for each in found] == [3, 2, 1]
    assert found[0]["LaunchTemplateData"] == {"ImageId": "ami-new", "InstanceType": "t3.micro"}
    assert [each["DefaultVersion"] for each in found] == [False, False, True]


def test_the_token_of_a_version_is_what_simcloud_looks_for() -> None:
    """A version that was made with a deployment's id as its client token is that deployment's."""
    cloud = SimCloud(SHARED)
    aws = Aws(cloud)
    aws.new_version("ami-new", "d-1", VersionDescription="of d-2")
    assert [cloud.observe(SHARED, Ledger(each)).version for each in ("d-1", "d-2")] == [2, None]
    cloud.apply(PrepareVersion(template="tpl", source=1, image="ami-new", token="d-3"))
    shown = aws.ec2.describe_launch_template_versions(LaunchTemplateName="tpl", Versions=["$Latest"])
    assert shown["LaunchTemplateVersions"][0]["VersionDescription"] == "d-3"


def test_numbers_of_versions_are_never_used_again() -> None:
    """A deleted version is gone, the default one stays, and the next one has a new number."""
    aws = Aws(SimCloud(SHARED))
    aws.new_version("ami-new")
    answer = aws.ec2.delete_launch_template_versions(LaunchTemplateName="tpl", Versions=["1", "2", "7"])
    gone, kept = (
        answer[f"{word}DeletedLaunchTemplateVersions"] for word in ("Successfully", "Unsuccessfully")
    )
    assert [each["VersionNumber"] for each in gone] == [2]
    assert [each["VersionNumber"] for each in kept] == [1, 7]
    assert aws.new_version("ami-new", "again") == 3


def test_a_group_may_be_pointed_at_the_latest_or_the_default_version() -> None:
    """Both are shown as they were given, and resolved at each launch; a number must exist."""
    aws = Aws(SimCloud(SHARED))
    update = aws.autoscaling.update_auto_scaling_group
    for version in ("$Default", "$Latest"):
        update(AutoScalingGroupName="a", LaunchTemplate={"LaunchTemplateName": "tpl", "Version": version})
        assert aws.group("a")["LaunchTemplate"]["Version"] == version
    with pytest.raises(ClientError, match="valid fully-formed launch template"):
        update(AutoScalingGroupName="a", LaunchTemplate=pinned(9))


def test_an_image_is_built_as_the_tutorial_does_it() -> None:
    """Start, run a command, stop, create the image, end the instance: with botocore's own waiters."""
    cloud = SimCloud(SHARED)
    aws = Aws(cloud)
    tagged = [{"ResourceType": "instance", "Tags": [{"Key": "k", "Value": "v"}]}]
    given: dict[str, Any] = {
        "LaunchTemplate": pinned(1),
        "MinCount": 1,
        "MaxCount": 1,
        "ClientToken": "t",
        "TagSpecifications": tagged,
    }
    build = aws.ec2.run_instances(**given)["Instances"][0]["InstanceId"]
    assert aws.ec2.run_instances(**given)["Instances"][0]["InstanceId"] == build
    aws.ec2.get_waiter("instance_running").wait(InstanceIds=[build])
    filters = [{"Name": "tag:k", "Values": ["v"]}, {"Name": "instance-state-name", "Values": ["running"]}]
    assert len(aws.ec2.describe_instances(Filters=filters)["Reservations"]) == 1
    assert run(aws, build, "true") == ("Success", 0)
    assert run(aws, build, "exit 3") == ("Failed", 3)
    aws.ec2.stop_instances(InstanceIds=[build])
    aws.ec2.get_waiter("instance_stopped").wait(InstanceIds=[build])
    image = aws.ec2.create_image(InstanceId=build, Name="web-2")["ImageId"]
    with pytest.raises(ClientError, match="already in use by AMI"):
        aws.ec2.create_image(InstanceId=build, Name="web-2")
    aws.ec2.get_waiter("image_available").wait(ImageIds=[image])
    aws.ec2.terminate_instances(InstanceIds=[build])
    aws.ec2.get_waiter("instance_terminated").wait(InstanceIds=[build])
    assert cloud.build_instances == ()
    found = aws.ec2.describe_images(Owners=["self"], Filters=[{"Name": "name", "Values": ["web-*"]}])[
        "Images"
    ]
    assert [each["ImageId"] for each in found] == [image]


def run(aws: Aws, instance: str, text: str) -> tuple[str, int]:
    """Status and exit code of a shell command."""
    sent = aws.ssm.send_command(
        InstanceIds=[instance], DocumentName="AWS-RunShellScript", Parameters={"commands": ["set -e", text]}
    )
    shown = aws.ssm.get_command_invocation(CommandId=sent["Command"]["CommandId"], InstanceId=instance)
    listed = aws.ssm.list_command_invocations(CommandId=sent["Command"]["CommandId"], Details=True)
    assert listed["CommandInvocations"][0]["CommandPlugins"][0]["Output"] == f"$ {text}\n"
    commands = aws.ssm.list_commands(InstanceId=instance)["Commands"]
    assert commands[-1]["Status"] == shown["Status"]
    return shown["Status"], shown["ResponseCode"]


def test_launches_fail_once_their_image_is_gone() -> None:
    """A deregistered image leaves its snapshot, and breaks every later launch of who is pinned to it."""
    cloud = SimCloud(SHARED)
    aws = Aws(cloud)
    [image] = aws.ec2.describe_images(ImageIds=["ami-0alpha"])["Images"]
    snapshot = image["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    with pytest.raises(ClientError) as failure:
        aws.ec2.delete_snapshot(SnapshotId=snapshot)
    assert code(failure) == "InvalidSnapshot.InUse"
    aws.ec2.deregister_image(ImageId="ami-0alpha")
    aws.ec2.delete_snapshot(SnapshotId=snapshot)
    with pytest.raises(ClientError) as failure:
        aws.ec2.delete_snapshot(SnapshotId=snapshot)
    assert code(failure) == "InvalidSnapshot.NotFound"
    aws.carry_out(SetSize(fleet="a", size=3, min=0, max=4))
    cloud.clock.sleep(10)
    newest = aws.autoscaling.describe_scaling_activities(AutoScalingGroupName="a")["Activities"][0]
    assert re.search("image id .*ami-0alpha.* does not exist", newest["StatusMessage"])
    with pytest.raises(ClientError) as failure:
        aws.ec2.describe_images(ImageIds=["ami-0alpha"])
    assert code(failure) == "InvalidAMIID.NotFound"


def test_tags_come_back_as_they_were_given() -> None:
    """Any text that XML can carry is kept to the letter; what it cannot carry is refused."""
    ec2 = Aws(SimCloud(SHARED)).ec2
    text = "a < b & \r\n\t\u6f22 \U0001f600"
    ec2.create_tags(Resources=["ami-new", "i-0001"], Tags=[{"Key": "k", "Value": text}])
    assert ec2.describe_images(ImageIds=["ami-new"])["Images"][0]["Tags"] == [{"Key": "k", "Value": text}]
    ec2.delete_tags(Resources=["ami-new"], Tags=[{"Key": "k"}])
    assert ec2.describe_images(ImageIds=["ami-new"])["Images"][0]["Tags"] == []
    with pytest.raises(ClientError, match="XML cannot carry"):
        ec2.create_tags(Resources=["ami-new"], Tags=[{"Key": "k", "Value": "\x01"}])
    with pytest.raises(ClientError) as failure:
        ec2.create_tags(Resources=["ami-none"], Tags=[{"Key": "k", "Value": "v"}])
    assert code(failure) == "InvalidAMIID.NotFound"


def test_an_id_that_never_was_is_not_found() -> None:
    """Ids of ended instances are still described; others never existed."""
    ec2 = Aws(SimCloud(SHARED)).ec2
    for name in ("i-0003", "i-1", "i-x"):
        with pytest.raises(ClientError) as failure:
            ec2.describe_instances(InstanceIds=[name])
        assert code(failure) == "InvalidInstanceID.NotFound"


def test_a_console_shows_what_simcloud_tells_of_the_instance() -> None:
    """GetConsoleOutput says how a group's instance is; of an id that never was there is no console."""
    cloud = SimCloud(SHARED)
    ec2 = session(cloud).client("ec2", config=ONCE)
    (name, *_) = cloud.instances(cloud.blue)
    assert ec2.get_console_output(InstanceId=name, Latest=True)["Output"] == "running, answers: true"
    (console,) = cloud.evidence(cloud.blue, [name], 1).consoles
    assert console.lines == ("running, answers: true",)
    with pytest.raises(ClientError) as failure:
        ec2.get_console_output(InstanceId="i-x")
    assert code(failure) == "InvalidInstanceID.NotFound"


def test_an_unknown_filter_is_refused_rather_than_ignored() -> None:
    """A filter that the world cannot apply is named; an answer without it would be wrong."""
    with pytest.raises(NotSimulated, match="dns-name"):
        Aws(SimCloud(SHARED)).ec2.describe_instances(Filters=[{"Name": "dns-name", "Values": ["x"]}])


# ---------------------------------------------------------------------------------------------------- alarms


def test_alarms_are_in_the_state_that_they_were_put_in() -> None:
    """Faults and calls move alarms; a new one has no data; composite ones are shown only when asked for."""
    cloud = SimCloud(SHARED, faults=[AlarmRed("errors", 10)])
    watch = Aws(cloud).cloudwatch

    def states(**asked: Any) -> dict[str, str]:
        shown = watch.describe_alarms(**asked)
        return {
            each["AlarmName"]: each["StateValue"] for each in shown["MetricAlarms"] + shown["CompositeAlarms"]
        }

    assert states() == {"errors": "OK"}
    cloud.clock.sleep(10)
    watch.put_composite_alarm(AlarmName="all", AlarmRule="ALARM(errors)")
    assert states(AlarmNames=["errors", "nobody"]) == {"errors": "ALARM"}
    assert states(AlarmTypes=["CompositeAlarm"]) == {"all": "INSUFFICIENT_DATA"}
    watch.put_metric_alarm(
        AlarmName="new", EvaluationPeriods=1, ComparisonOperator="GreaterThanThreshold", Threshold=1
    )
    watch.set_alarm_state(AlarmName="errors", StateValue="OK", StateReason="mended")
    assert states() == {"errors": "OK", "new": "INSUFFICIENT_DATA"}
    watch.delete_alarms(AlarmNames=["new"])
    assert states(AlarmNamePrefix="n") == {}


@pytest.mark.parametrize("newest_first", [True, False])
def test_the_history_of_alarms_is_in_order_within_one_moment_too(*, newest_first: bool) -> None:
    """Red and mended at once: the last state is the newest, on every hash seed."""
    gates = tuple(Alarm(name=f"errors-{number}") for number in range(8))
    cloud = SimCloud(evolve(SHARED, gates=gates))
    watch = Aws(cloud).cloudwatch
    for gate in gates:
        for state in ("ALARM", "OK"):
            watch.set_alarm_state(AlarmName=gate.name, StateValue=state, StateReason="told")
    scan: Any = "TimestampDescending" if newest_first else "TimestampAscending"
    for gate in gates:
        items = watch.describe_alarm_history(AlarmName=gate.name, ScanBy=scan)["AlarmHistoryItems"]
        told = [json.loads(item["HistoryData"])["newState"]["stateValue"] for item in items]
        assert told == (["OK", "ALARM"] if newest_first else ["ALARM", "OK"])
