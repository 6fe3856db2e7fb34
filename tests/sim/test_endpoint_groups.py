"""Groups, instances, hooks and activities through boto3."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from botocore.exceptions import ClientError, ConnectionClosedError

from bluegreen import Deployment, MemoryJournal
from bluegreen.aws import AwsCloud
from bluegreen_sim import Busy, Denied, During, LateCall, Scarce, Settings, SimCloud, SlowToShow
from bluegreen_sim.endpoint import names, session
from bluegreen_sim.endpoint.answers.autoscaling_hooks import action_token
from bluegreen_sim.engine import with_faults
from bluegreen_sim.faults import Fault
from tests.sim.wired import SHARED, TG, TG_A, TG_B, WEIGHTED, Aws, code, pinned

QUICK = Settings(react_seconds=0, boot_seconds=(0,), deregistration_seconds=30)
HOOK = {"LifecycleHookName": "ready", "AutoScalingGroupName": "a"}


def aws_of(plan: Any = WEIGHTED, **more: Any) -> tuple[SimCloud, Aws]:
    """A cloud and the clients of it."""
    cloud = SimCloud(plan, **{"settings": QUICK, **more})
    return cloud, Aws(cloud)


def activities(aws: Aws, group: str = "a") -> list[tuple[str, str]]:
    """Status and first words of a group's activities, the newest first."""
    shown = aws.autoscaling.describe_scaling_activities(AutoScalingGroupName=group)["Activities"]
    return [(each["StatusCode"], each["Description"]) for each in shown]


def states(aws: Aws, group: str = "a") -> dict[str, str]:
    """Lifecycle state of each instance of a group."""
    return {each["InstanceId"]: each["LifecycleState"] for each in aws.group(group)["Instances"]}


def resize(aws: Aws, size: int, group: str = "a") -> None:
    """Ask for a size."""
    aws.autoscaling.update_auto_scaling_group(AutoScalingGroupName=group, MinSize=0, DesiredCapacity=size)


def test_what_a_group_is_told_is_shown_and_heeded() -> None:
    """Every setting that is given at its creation or later is described as it was given."""
    _, aws = aws_of()
    given: dict[str, Any] = {
        "HealthCheckType": "ELB",
        "HealthCheckGracePeriod": 120,
        "DefaultInstanceWarmup": 30,
        "DefaultCooldown": 60,
        "NewInstancesProtectedFromScaleIn": True,
        "TerminationPolicies": ["OldestInstance", "Default"],
        "InstanceMaintenancePolicy": {"MinHealthyPercentage": 90, "MaxHealthyPercentage": 120},
        "DeletionProtection": "prevent-force-deletion",
    }
    new: dict[str, Any] = {"LaunchTemplate": pinned(1), "MinSize": 0, "MaxSize": 1, "TargetGroupARNs": [TG_B]}
    aws.autoscaling.create_auto_scaling_group(AutoScalingGroupName="c", **new, **given)
    aws.autoscaling.update_auto_scaling_group(AutoScalingGroupName="a", **given)
    for name in ("a", "c"):
        assert {key: aws.group(name)[key] for key in given} == given
    aws.autoscaling.update_auto_scaling_group(AutoScalingGroupName="a", DefaultInstanceWarmup=-1)
    assert "DefaultInstanceWarmup" not in aws.group("a")
    with pytest.raises(ClientError) as failure:
        aws.autoscaling.delete_auto_scaling_group(AutoScalingGroupName="c", ForceDelete=True)
    assert code(failure) == "ResourceInUse"


def test_the_wanted_size_defaults_to_the_smallest() -> None:
    """CreateAutoScalingGroup without a wanted size."""
    _, aws = aws_of()
    aws.autoscaling.create_auto_scaling_group(
        AutoScalingGroupName="c", LaunchTemplate=pinned(1), MinSize=2, MaxSize=3
    )
    assert aws.group("c")["DesiredCapacity"] == 2


def test_size_zero_needs_a_minimum_of_zero_first() -> None:
    """SetDesiredCapacity alone cannot empty a group, an update of all three can."""
    _, aws = aws_of()
    with pytest.raises(ClientError, match="value 0 is below min value 2 for the AutoScalingGroup") as failure:
        aws.autoscaling.set_desired_capacity(AutoScalingGroupName="a", DesiredCapacity=0)
    assert code(failure) == "ValidationError"
    resize(aws, 0)
    assert aws.group("a")["DesiredCapacity"] == 0


def test_a_cooldown_blocks_who_honours_it() -> None:
    """ScalingActivityInProgress, status 400, until it is over; without HonorCooldown it does not matter."""
    cloud, aws = aws_of()
    change = aws.autoscaling.set_desired_capacity
    change(AutoScalingGroupName="a", DesiredCapacity=3, HonorCooldown=True)
    with pytest.raises(aws.autoscaling.exceptions.ScalingActivityInProgressFault):
        change(AutoScalingGroupName="a", DesiredCapacity=4, HonorCooldown=True)
    change(AutoScalingGroupName="a", DesiredCapacity=4)
    cloud.clock.sleep(300)
    change(AutoScalingGroupName="a", DesiredCapacity=3, HonorCooldown=True)


def test_lifecycle_states_are_awss_words() -> None:
    """Through launch and termination hooks, standby and detaching."""
    cloud, aws = aws_of(capacity=4)
    put = aws.autoscaling.put_lifecycle_hook
    for name, transition in (("ready", "LAUNCHING"), ("logs", "TERMINATING")):
        put(
            AutoScalingGroupName="a",
            LifecycleHookName=name,
            LifecycleTransition=f"autoscaling:EC2_INSTANCE_{transition}",
        )
    seen = [states(aws)["i-0001"]]
    resize(aws, 5)
    for seconds in (1, 20):
        cloud.clock.sleep(seconds)
        seen.append(states(aws)["i-0005"])
    token = action_token("i-0005", "ready")
    aws.autoscaling.complete_lifecycle_action(
        **HOOK, LifecycleActionToken=token, LifecycleActionResult="CONTINUE"
    )
    seen.append(states(aws)["i-0005"])
    resize(aws, 4)
    for seconds in (1, 30):
        cloud.clock.sleep(seconds)
        seen.append(states(aws)["i-0001"])
    aws.autoscaling.complete_lifecycle_action(
        **HOOK | {"LifecycleHookName": "logs"}, InstanceId="i-0001", LifecycleActionResult="CONTINUE"
    )
    seen.append(states(aws)["i-0001"])
    aside: dict[str, Any] = {"AutoScalingGroupName": "a", "ShouldDecrementDesiredCapacity": True}
    aws.autoscaling.enter_standby(InstanceIds=["i-0002"], **aside)
    aws.autoscaling.detach_instances(InstanceIds=["i-0003"], **aside)
    seen += [states(aws)["i-0002"], states(aws)["i-0003"]]
    cloud.clock.sleep(30)
    seen.append(states(aws)["i-0002"])
    assert seen == [
        "InService",
        "Pending",
        "Pending:Wait",
        "InService",
        "Terminating",
        "Terminating:Wait",
        "Terminating:Proceed",
        "EnteringStandby",
        "Detaching",
        "Standby",
    ]
    running = aws.ec2.describe_instances(InstanceIds=["i-0003"])["Reservations"][0]["Instances"][0]
    assert running["State"]["Name"] == "running"
    aws.autoscaling.exit_standby(AutoScalingGroupName="a", InstanceIds=["i-0002"])
    aws.autoscaling.attach_instances(AutoScalingGroupName="a", InstanceIds=["i-0003"])
    assert (states(aws)["i-0002"], states(aws)["i-0003"]) == ("InService", "InService")
    with pytest.raises(ClientError, match="must be running, and in no other group"):
        aws.autoscaling.attach_instances(AutoScalingGroupName="b", InstanceIds=["i-0003"])


def test_hooks_are_described_and_checked() -> None:
    """Defaults, limits, heartbeats, and who waits when a hook is deleted."""
    cloud, aws = aws_of()
    put, hooks = aws.autoscaling.put_lifecycle_hook, aws.autoscaling.describe_lifecycle_hooks
    put(**HOOK, LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING")
    assert hooks(AutoScalingGroupName="a")["LifecycleHooks"] == [
        HOOK
        | {
            "LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING",
            "HeartbeatTimeout": 3600,
            "GlobalTimeout": 172800,
            "DefaultResult": "ABANDON",
        }
    ]
    put(**HOOK, HeartbeatTimeout=60)
    assert hooks(AutoScalingGroupName="a")["LifecycleHooks"][0]["GlobalTimeout"] == 6000
    for wrong in ({"HeartbeatTimeout": 29}, {"HeartbeatTimeout": 7201}, {"DefaultResult": "MAYBE"}):
        with pytest.raises(ClientError):
            put(**HOOK, **wrong)
    resize(aws, 3)
    cloud.clock.sleep(60)
    aws.autoscaling.record_lifecycle_action_heartbeat(**HOOK, InstanceId="i-0003")
    cloud.clock.sleep(50)
    assert states(aws)["i-0003"] == "Pending:Wait"
    aws.autoscaling.delete_lifecycle_hook(**HOOK)
    assert (states(aws)["i-0003"], hooks(AutoScalingGroupName="a")["LifecycleHooks"]) == ("Terminating", [])
    with pytest.raises(ClientError, match="No active Lifecycle Action"):
        aws.autoscaling.record_lifecycle_action_heartbeat(**HOOK, InstanceId="i-0002")


def test_activities_tell_what_a_group_does() -> None:
    """Launches, terminations that drain, failures with their words; the newest first, for six weeks."""
    cloud, aws = aws_of(faults=[Scarce(1, "blue")])
    resize(aws, 4)
    cloud.clock.sleep(1)
    assert activities(aws)[:2] == [
        ("Failed", "Launching a new EC2 instance"),
        ("InProgress", "Launching a new EC2 instance: i-0003"),
    ]
    resize(aws, 2)
    cloud.clock.sleep(20)
    assert ("WaitingForELBConnectionDraining", "Terminating EC2 instance: i-0001") in activities(aws)
    cloud.clock.sleep(60)
    assert ("Successful", "Terminating EC2 instance: i-0001") in activities(aws)
    cloud.clock.sleep(43 * 86_400)
    assert {words for _, words in activities(aws)} == {
        "Launching a new EC2 instance: i-0002",
        "Launching a new EC2 instance: i-0003",
    }


def test_the_two_families_of_calls_see_different_things() -> None:
    """What was attached as a traffic source, the older calls neither see nor detach."""
    cloud, aws = aws_of(SHARED)
    aws.autoscaling.attach_traffic_sources(AutoScalingGroupName="b", TrafficSources=[{"Identifier": TG}])

    def seen() -> tuple[int, int, list[str]]:
        older = aws.autoscaling.describe_load_balancer_target_groups(AutoScalingGroupName="b")
        newer = aws.autoscaling.describe_traffic_sources(AutoScalingGroupName="b")
        return (
            len(older["LoadBalancerTargetGroups"]),
            len(newer["TrafficSources"]),
            aws.group("b")["TargetGroupARNs"],
        )

    assert seen() == (0, 1, [])
    aws.autoscaling.detach_load_balancer_target_groups(AutoScalingGroupName="b", TargetGroupARNs=[TG])
    assert seen() == (0, 1, [])
    aws.autoscaling.detach_traffic_sources(AutoScalingGroupName="b", TrafficSources=[{"Identifier": TG}])
    assert seen() == (0, 0, [])
    aws.autoscaling.attach_load_balancer_target_groups(AutoScalingGroupName="b", TargetGroupARNs=[TG])
    assert seen() == (1, 1, [TG])
    with pytest.raises(ClientError, match="at most 10"):
        aws.autoscaling.attach_load_balancer_target_groups(
            AutoScalingGroupName="a", TargetGroupARNs=[TG] * 11
        )
    assert cloud.world.group("b")


def test_an_attachment_takes_its_time_where_it_was_told_to() -> None:
    """Adding, then added; created behind its target group it is in service from the start."""
    cloud, aws = aws_of(SHARED, settings=evolve(QUICK, attach_seconds=20))
    new: dict[str, Any] = {"LaunchTemplate": pinned(1), "MinSize": 0, "MaxSize": 1, "TargetGroupARNs": [TG]}
    aws.autoscaling.create_auto_scaling_group(AutoScalingGroupName="c", **new)
    aws.autoscaling.attach_load_balancer_target_groups(AutoScalingGroupName="b", TargetGroupARNs=[TG])

    def state(name: str) -> str:
        shown = aws.autoscaling.describe_load_balancer_target_groups(AutoScalingGroupName=name)
        return str(shown["LoadBalancerTargetGroups"][0]["State"])

    assert (state("b"), state("c")) == ("Adding", "InService")
    cloud.clock.sleep(20)
    assert (state("b"), state("c")) == ("Added", "InService")


def test_without_elb_checks_an_attachment_never_comes_in_service() -> None:
    """It stays added, however healthy its instances are."""
    cloud, aws = aws_of(SHARED)
    resize(aws, 1, "b")
    aws.autoscaling.attach_load_balancer_target_groups(AutoScalingGroupName="b", TargetGroupARNs=[TG])
    cloud.clock.sleep(60)
    assert aws.health(TG)["i-0003"] == "healthy"
    shown = aws.autoscaling.describe_load_balancer_target_groups(AutoScalingGroupName="b")
    assert [each["State"] for each in shown["LoadBalancerTargetGroups"]] == ["Added"]


def test_without_a_list_all_processes_are_meant() -> None:
    """SuspendProcesses and ResumeProcesses alike."""
    _, aws = aws_of()
    for ask, count in ((aws.autoscaling.suspend_processes, 9), (aws.autoscaling.resume_processes, 0)):
        ask(AutoScalingGroupName="a")
        assert len(aws.group("a")["SuspendedProcesses"]) == count


def test_a_group_cannot_be_deleted_while_it_is_used_or_busy() -> None:
    """ResourceInUse with instances in it, ScalingActivityInProgress while something goes on."""
    _, aws = aws_of(faults=[Busy("green")])
    for name, expected in (("a", "ResourceInUse"), ("b", "ScalingActivityInProgress")):
        with pytest.raises(ClientError) as failure:
            aws.autoscaling.delete_auto_scaling_group(AutoScalingGroupName=name)
        assert code(failure) == expected


def test_a_name_stays_taken_while_its_group_is_deleted() -> None:
    """Status says so, changes are refused, and the name is free when all instances have ended."""
    cloud, aws = aws_of()
    aws.autoscaling.delete_auto_scaling_group(AutoScalingGroupName="a", ForceDelete=True)
    assert aws.group("a")["Status"] == "Delete in progress"
    new: dict[str, Any] = {"LaunchTemplate": pinned(1), "MinSize": 0, "MaxSize": 1, "TargetGroupARNs": [TG_A]}
    with pytest.raises(ClientError, match="pending delete") as failure:
        aws.autoscaling.create_auto_scaling_group(AutoScalingGroupName="a", **new)
    assert code(failure) == "AlreadyExists"
    cloud.clock.sleep(10)
    aws.autoscaling.create_auto_scaling_group(AutoScalingGroupName="a", **new)
    assert "Status" not in aws.group("a")


def test_policies_and_schedules_of_a_group_are_its_own() -> None:
    """They are described, act, and go with their group."""
    cloud, aws = aws_of()
    aws.autoscaling.put_scaling_policy(
        AutoScalingGroupName="b",
        PolicyName="half",
        PolicyType="TargetTrackingScaling",
        TargetTrackingConfiguration={
            "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"},
            "TargetValue": 50.0,
        },
    )
    at = 1_735_689_600 + 60
    aws.autoscaling.put_scheduled_update_group_action(
        AutoScalingGroupName="b", ScheduledActionName="up", StartTime=at, DesiredCapacity=3
    )
    shown = aws.autoscaling.describe_policies(AutoScalingGroupName="b")["ScalingPolicies"][0]
    assert shown["TargetTrackingConfiguration"]["TargetValue"] == 50.0
    planned = aws.autoscaling.describe_scheduled_actions()["ScheduledUpdateGroupActions"][0]
    assert (planned["ScheduledActionName"], planned["StartTime"].timestamp()) == ("up", at)
    cloud.clock.sleep(61)
    assert aws.group("b")["DesiredCapacity"] == 3
    assert aws.autoscaling.describe_scheduled_actions()["ScheduledUpdateGroupActions"] == []
    aws.autoscaling.delete_auto_scaling_group(AutoScalingGroupName="b", ForceDelete=True)
    cloud.clock.sleep(60)
    assert aws.autoscaling.describe_policies()["ScalingPolicies"] == []


def test_an_instance_refresh_is_shown_and_excludes_another() -> None:
    """InstanceRefreshInProgress while one goes on; it can be cancelled, once."""
    cloud, aws = aws_of()
    start = aws.autoscaling.start_instance_refresh
    started = start(AutoScalingGroupName="a")["InstanceRefreshId"]
    with pytest.raises(aws.autoscaling.exceptions.InstanceRefreshInProgressFault):
        start(AutoScalingGroupName="a")
    shown = aws.autoscaling.describe_instance_refreshes(AutoScalingGroupName="a")["InstanceRefreshes"]
    assert [(each["InstanceRefreshId"], each["Status"]) for each in shown] == [(started, "InProgress")]
    aws.autoscaling.cancel_instance_refresh(AutoScalingGroupName="a")
    with pytest.raises(aws.autoscaling.exceptions.ActiveInstanceRefreshNotFoundFault):
        aws.autoscaling.cancel_instance_refresh(AutoScalingGroupName="a")
    start(AutoScalingGroupName="a")
    cloud.clock.sleep(120)
    shown = aws.autoscaling.describe_instance_refreshes(AutoScalingGroupName="a")["InstanceRefreshes"]
    assert [each["Status"] for each in shown] == ["Successful", "Cancelled"]


def test_a_stopped_instance_of_a_group_is_replaced() -> None:
    """EC2 finds it not running; who wants to stop one sets it aside first."""
    cloud, aws = aws_of(SHARED)
    aws.ec2.stop_instances(InstanceIds=["i-0001"])
    cloud.clock.sleep(80)
    assert set(states(aws)) == {"i-0002", "i-0003"}


def test_faults_of_calls_reach_boto3() -> None:
    """What is denied is AccessDenied, what comes late is carried out although nothing was answered."""
    cloud, aws = aws_of(faults=[Denied("SuspendProcesses"), LateCall(2, 30), During(Busy("green"), 60, 60)])
    with pytest.raises(ClientError) as failure:
        aws.autoscaling.suspend_processes(AutoScalingGroupName="a")
    assert code(failure) == "AccessDenied"
    with pytest.raises(ConnectionClosedError):
        resize(aws, 3)
    assert aws.group("a")["DesiredCapacity"] == 2
    cloud.clock.sleep(30)
    assert aws.group("a")["DesiredCapacity"] == 3
    cloud.clock.sleep(31)
    with pytest.raises(ClientError) as failure:
        resize(aws, 1, "b")
    assert code(failure) == "ScalingActivityInProgress"
    cloud.clock.sleep(60)
    resize(aws, 1, "b")


@pytest.mark.parametrize("fault", [SlowToShow(45), Busy("c")])
def test_a_group_is_made_whole_whatever_hinders_later_calls(fault: Fault) -> None:
    """Attached, told and tagged at its creation, by one call that is not about a group that exists."""
    made = []
    for faults in ((), (fault,)):
        cloud, aws = aws_of()
        cloud.world = with_faults(cloud.world, faults)
        aws.autoscaling.create_auto_scaling_group(
            AutoScalingGroupName="c",
            LaunchTemplate=pinned(1),
            MinSize=1,
            MaxSize=1,
            HealthCheckType="ELB",
            TargetGroupARNs=[TG_B],
            Tags=[{"Key": "k", "Value": "v"}],
            LifecycleHookSpecificationList=[
                {"LifecycleHookName": "ready", "LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING"}
            ],
        )
        cloud.clock.sleep(46)
        made.append(aws.group("c"))
    assert made[0] == made[1]
    assert made[0]["Tags"][0]["Key"] == "k"


def test_a_group_that_does_not_show_yet_shows_nowhere() -> None:
    """Neither by name nor in lists of groups, instances, tags or activities, until its time."""
    cloud, aws = aws_of(faults=[SlowToShow(45)])
    asked = aws.autoscaling
    asked.create_auto_scaling_group(
        AutoScalingGroupName="c",
        LaunchTemplate=pinned(1),
        MinSize=1,
        MaxSize=1,
        Tags=[{"Key": "k", "Value": "v"}],
    )

    def shown() -> list[bool]:
        lists = (
            asked.describe_auto_scaling_groups()["AutoScalingGroups"],
            asked.describe_auto_scaling_instances()["AutoScalingInstances"],
            asked.describe_scaling_activities()["Activities"],
            [{"AutoScalingGroupName": tag["ResourceId"]} for tag in asked.describe_tags()["Tags"]],
        )
        return ["c" in [each["AutoScalingGroupName"] for each in listed] for listed in lists]

    cloud.clock.sleep(44)
    assert not any(shown())
    cloud.clock.sleep(1)
    assert all(shown())


def test_a_new_group_that_is_slow_to_show_is_waited_for_through_boto3() -> None:
    """As through the other door: a deployment that makes its group anew is promoted."""
    plan = evolve(WEIGHTED, fleets="replace")
    cloud, _ = aws_of(plan, faults=[SlowToShow(45)])
    found = AwsCloud(session(cloud), clock=cloud.clock)
    result = Deployment(plan, found, journal=MemoryJournal()).run()
    assert (result.phase.value, cloud.timeline.failed_requests) == ("promoted", 0)


def test_a_late_call_that_is_refused_on_arrival_changes_nothing() -> None:
    """Meanwhile its size is out of bounds, or its name is taken: time goes on."""
    cloud, aws = aws_of(faults=[LateCall(1, 30), LateCall(2, 30)])
    new: dict[str, Any] = {"LaunchTemplate": pinned(1), "MinSize": 0, "MaxSize": 1}
    with pytest.raises(ConnectionClosedError):
        aws.autoscaling.set_desired_capacity(AutoScalingGroupName="a", DesiredCapacity=4)
    with pytest.raises(ConnectionClosedError):
        aws.autoscaling.create_auto_scaling_group(AutoScalingGroupName="c", **new)
    aws.autoscaling.update_auto_scaling_group(AutoScalingGroupName="a", MaxSize=3)
    aws.autoscaling.create_auto_scaling_group(AutoScalingGroupName="c", **new)
    cloud.clock.sleep(60)
    assert (aws.group("a")["DesiredCapacity"], cloud.world.now) == (2, 60_000)


def test_a_group_that_was_limited_to_a_zone_can_be_widened_again() -> None:
    """By zones or by subnets; by names that are not of this world it is everywhere."""
    cloud, aws = aws_of(settings=evolve(QUICK, zones=2))
    both: list[dict[str, Any]] = [
        {"AvailabilityZones": ["us-east-1a", "us-east-1b"]},
        {"VPCZoneIdentifier": f"{names.subnet(0)},{names.subnet(1)}"},
        {"VPCZoneIdentifier": "subnet-of-mine"},
    ]
    for wide in both:
        for where, expected in (
            ({"AvailabilityZones": ["us-east-1b"]}, (1,)),
            (wide, ()),
            ({"MaxSize": 9}, ()),
        ):
            aws.autoscaling.update_auto_scaling_group(AutoScalingGroupName="a", **where)
            found = cloud.world.group("a")
            assert found is not None
            assert found.scaling.zones == expected


@pytest.mark.parametrize("zones", [1, 3])
def test_every_service_puts_an_instance_into_the_same_zone(zones: int) -> None:
    """Auto Scaling, EC2 and the subnets of the load balancer, of which there is one in each zone."""
    _, aws = aws_of(settings=evolve(QUICK, zones=zones), capacity=4)
    by_group = aws.autoscaling.describe_auto_scaling_instances()["AutoScalingInstances"]
    expected = {each["InstanceId"]: each["AvailabilityZone"] for each in by_group}
    assert len(set(expected.values())) == zones
    described = [each["Instances"][0] for each in aws.ec2.describe_instances()["Reservations"]]
    assert {each["InstanceId"]: each["Placement"]["AvailabilityZone"] for each in described} == expected
    statuses = aws.ec2.describe_instance_status()["InstanceStatuses"]
    assert {each["InstanceId"]: each["AvailabilityZone"] for each in statuses} == expected
    balancer = aws.elbv2.describe_load_balancers()["LoadBalancers"][0]
    ids = [zone["SubnetId"] for zone in balancer["AvailabilityZones"]]
    subnets = aws.ec2.describe_subnets(SubnetIds=ids)["Subnets"]
    where = {subnet["SubnetId"]: subnet["AvailabilityZone"] for subnet in subnets}
    assert {each["InstanceId"]: where[each["SubnetId"]] for each in described} == expected
    assert [zone["ZoneName"] for zone in balancer["AvailabilityZones"]] == list(where.values())


def test_an_account_tells_its_limits() -> None:
    """Quotas, processes, policies and hook types as AWS lists them."""
    _, aws = aws_of()
    asked = aws.autoscaling
    assert asked.describe_account_limits()["MaxNumberOfAutoScalingGroups"] == 500
    assert len(asked.describe_scaling_process_types()["Processes"]) == 9
    assert "Default" in asked.describe_termination_policy_types()["TerminationPolicyTypes"]
    assert len(asked.describe_lifecycle_hook_types()["LifecycleHookTypes"]) == 2
