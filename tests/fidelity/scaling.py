"""Auto Scaling: B; how long things take, F, stands in ``times``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from attrs import evolve

from bluegreen_sim.choices import Choices
from bluegreen_sim.groups import autoscaling, launching, lifecycle, membership
from bluegreen_sim.groups.scaling import NEW, PLAIN, Scaling
from bluegreen_sim.world import NEVER, Group, World

from .fact import Fact, Off, answering

ENDPOINT = "endpoint.answers.autoscaling_"
LIFE = "tests/sim/test_lifecycle.py::test_"
GROUPS = "tests/sim/test_groups.py::test_"
LAUNCH = "tests/sim/test_launching.py::test_"
BOTO3 = "tests/sim/test_endpoint_groups.py::test_"
SERVICES = "tests/sim/test_endpoint_services.py::test_"
OLD = "tests/sim/test_autoscaling.py::test_"
STEER = "tests/sim/test_steering.py::test_"


def always(value: Any) -> Callable[[Any], Any]:
    """In the place of something, a value."""
    return lambda _: value


def ignored(_: Any) -> Any:
    """In the place of a change of the world, one that changes nothing."""
    return lambda world, *_given, **_named: world


def told(group: Group, **changes: Any) -> Group:
    """A group that was told something else."""
    return group.replaced(scaling=evolve(group.scaling, **changes))


def _at_once(world: World, group: Group) -> tuple[World, Group]:
    world = launching.converge(world.with_group(group), group, Choices.seeded(1))
    found = world.group(group.name)
    assert found is not None
    return world, found


def _any_group(world: World, name: str) -> Group:
    return autoscaling.existing(world, name)


def _gone(world: World, name: str, *, force: bool = False) -> World:
    del force
    return world.replaced(groups=tuple(group for group in world.groups if group.name != name))


def _one_zone(world: World, group: Group, surplus: int, choices: Choices) -> Any:
    free = [each for each in group.instances if each.staying and not each.standing.protected]
    return launching._of_one_zone(world, group, free, surplus, choices)


def _healthy_at_once(real: Any) -> Any:
    return lambda instance, world, group: real(instance, world, group).replaced(
        target="healthy", seen=1, answers=True, app_at=NEVER, target_at=NEVER
    )


def _without_hooks(at: str) -> Callable[[Any], Any]:
    return lambda real: lambda scaling, when: () if when == at else real(scaling, when)


def _in_service_as(**changes: Any) -> Callable[[Any], Any]:
    return lambda real: lambda instance, world, group: real(instance, world, told(group, **changes))


def _undrained(real: Any) -> Any:
    return lambda instance, now, settings, hooks=(): real(
        instance.replaced(target="", target_at=NEVER), now, settings, hooks
    )


def _held_again(real: Any) -> Any:
    def in_service(instance: Any, world: World, group: Group) -> Any:
        hooks = group.scaling.hooked("launch")
        if hooks and instance.life in ("standby", "running"):
            return lifecycle.waiting(instance, world.now, hooks, "pending:wait")
        return real(instance, world, group)

    return in_service


def _immortal_in_grace(real: Any) -> Any:
    return lambda instance, world, group, choices: (
        instance.replaced(life_at=NEVER, dead=False)
        if instance.life == "running"
        else real(instance, world, group, choices)
    )


SIZES: tuple[Fact, ...] = (
    Fact(
        id="B1.1a",
        says="Sizes satisfy min ≤ desired ≤ max; others are refused with ValidationError.",
        page="asg limits",
        test=GROUPS + "sizes_that_contradict_each_other_are_refused_in_awss_words",
        off=Off("groups.autoscaling:sized", answering(None)),
    ),
    Fact(
        id="B1.1b",
        says="The wanted size is the smallest unless it is given.",
        page="asg api",
        test=BOTO3 + "the_wanted_size_defaults_to_the_smallest",
        off=Off(
            "groups.autoscaling:add_group",
            lambda real: lambda world, group: real(world, group.replaced(desired=group.max)),
        ),
    ),
    Fact(
        id="B1.2",
        says="A new minimum above the size, or a maximum below it, moves the wanted size to itself.",
        page="asg api",
        test=OLD + "bounds_move_the_wanted_size_only_where_they_must",
        off=Off("groups.autoscaling:set_bounds", ignored),
    ),
    Fact(
        id="B1.3a",
        says="SetDesiredCapacity waits for no cooldown unless HonorCooldown asks for it.",
        page="asg api",
        test=GROUPS + "a_cooldown_binds_only_who_honours_it",
        off=Off(
            "groups.autoscaling:calmly",
            always(lambda world, name, size: autoscaling.set_size(world, name, size, 0, 9)),
        ),
    ),
    Fact(
        id="B1.3b",
        says="SetDesiredCapacity cannot go to 0 before the minimum does.",
        page="asg api",
        test=BOTO3 + "size_zero_needs_a_minimum_of_zero_first",
        off=Off(ENDPOINT + "changes:_within", answering(None)),
    ),
    Fact(
        id="B1.3c",
        says="While something goes on, changes of a group are refused with ScalingActivityInProgress.",
        page="asg api",
        how="parameter",
        by="Busy",
        why="When exactly AWS refuses is not documented",
        test=BOTO3 + "a_group_cannot_be_deleted_while_it_is_used_or_busy",
        off=Off("groups.autoscaling:changeable", always(_any_group)),
    ),
    Fact(
        id="B1.4a",
        says="A size is a wish: the call returns at once, the group converges later or never.",
        page="asg limits",
        test=GROUPS + "a_size_is_a_wish",
        off=Off("groups.autoscaling:tidied", always(_at_once)),
    ),
    Fact(
        id="B1.4b",
        says="Rebalancing may pass the maximum by a tenth of it or by one instance, whichever is more.",
        page="asg zones",
        test=LAUNCH + "a_group_is_balanced_again_launching_first",
        off=Off(
            "groups.tending:_rebalancing",
            lambda real: lambda world, group: real(world, group) if group.desired < group.max else group,
        ),
    ),
    Fact(
        id="B1.5",
        says="The bounds bind people, schedules and policies alike.",
        page="asg limits",
        test=GROUPS + "bounds_hold_for_everybody",
        off=Off(
            "groups.edits:resized",
            always(lambda world, group, size: world.with_group(group.replaced(desired=size))),
        ),
    ),
)

LIVES: tuple[Fact, ...] = (
    Fact(
        id="B2.1a",
        says="An instance is Pending, Pending:Wait, InService, EnteringStandby, Standby, Detaching, "
        "Terminating, Terminating:Wait or Terminating:Proceed.",
        page="asg lifecycle",
        why="Pending:Proceed lasts no time, and what is Detached or Terminated is not listed",
        test=BOTO3 + "lifecycle_states_are_awss_words",
        off=Off(ENDPOINT + "reads:LIFE", lambda real: dict.fromkeys(real, "InService")),
    ),
    Fact(
        id="B2.1b",
        says="A launch hook holds an instance before it is registered with the target group.",
        page="asg hook flow",
        test=LIFE + "a_launch_hook_holds_an_instance_before_it_is_registered",
        off=Off("groups.scaling:Scaling.hooked", _without_hooks("launch")),
    ),
    Fact(
        id="B2.1c",
        says="Instances of a warm pool have states of their own (Warmed:…).",
        page="asg lifecycle",
        how="not modelled",
        why="such an instance serves nobody; what a deployment makes of a warm pool is tested against moto",
    ),
    Fact(
        id="B2.1d",
        says="A root volume can be replaced in place (ReplacingRootVolume), an instance be retained.",
        page="asg lifecycle",
        how="not modelled",
        why="instances here have no volumes, and are replaced whole",
    ),
    Fact(
        id="B2.2",
        says="InService means running and registered, not healthy.",
        page="asg health",
        test=LIFE + "in_service_is_not_healthy",
        off=Off("groups.lifecycle:in_service", _healthy_at_once),
    ),
    Fact(
        id="B2.3a",
        says="An instance that is ended is deregistered and drains before its termination hook.",
        page="asg hook flow",
        test=LIFE + "a_termination_hook_waits_until_the_instance_has_drained",
        off=Off("groups.lifecycle:leave", _undrained),
    ),
    Fact(
        id="B2.3b",
        says="Meanwhile its activity is WaitingForELBConnectionDraining.",
        page="asg api",
        test=BOTO3 + "activities_tell_what_a_group_does",
        off=Off(
            ENDPOINT + "activities:ending",
            lambda real: lambda *given, **named: real(*given, **named) | {"StatusCode": "InProgress"},
        ),
    ),
    Fact(
        id="B2.4",
        says="What is Terminating cannot be put back: a larger size needs new launches.",
        page="asg lifecycle",
        test=LIFE + "what_leaves_cannot_come_back",
        off=Off("world:COUNTED", lambda real: real | {"leaving"}),
    ),
    Fact(
        id="B2.5",
        says="An instance is paid for from its launch on.",
        page="asg lifecycle",
        how="not modelled",
        why="nothing costs anything here",
    ),
)

HEALTH: tuple[Fact, ...] = (
    Fact(
        id="B3.1a",
        says="An instance that does not run is replaced, in its grace period too, without pacing.",
        page="asg grace",
        test=GROUPS + "an_instance_that_does_not_run_is_replaced_in_its_grace_period_too",
        off=Off("groups.lifecycle:_life_due", _immortal_in_grace),
    ),
    Fact(
        id="B3.1b",
        says="So a group's instance that is stopped is replaced.",
        page="asg health",
        test=BOTO3 + "a_stopped_instance_of_a_group_is_replaced",
        off=Off("engine:kill", ignored),
    ),
    Fact(
        id="B3.1c",
        says="Impaired status checks count after some minutes, scheduled events at once.",
        page="asg health",
        how="not modelled",
        why="a machine runs or does not here; Dies is both",
    ),
    Fact(
        id="B3.2a",
        says="The balancer's verdict counts only with health check type ELB.",
        page="asg health",
        test=OLD + "a_sick_instance_is_replaced_only_where_that_is_asked_for",
        off=Off("world:World.elb_checked", answering(value=True)),
    ),
    Fact(
        id="B3.2b",
        says="The grace period counts from InService, and is 0 unless it is set through the API.",
        page="asg grace",
        test=LIFE + "the_grace_period_counts_from_in_service",
        off=Off("groups.lifecycle:in_service", _in_service_as(grace_seconds=0)),
    ),
    Fact(
        id="B3.2c",
        says="There are health check types EBS and VPC_LATTICE too.",
        page="asg health",
        how="not modelled",
        why="there are neither volumes nor Lattice services here; asking for them is refused",
    ),
    Fact(
        id="B3.3a",
        says="The balancer's verdict counts only once the attachment is InService.",
        page="asg health",
        test=GROUPS + "the_balancer_is_heeded_only_once_the_attachment_is_in_service",
        off=Off("groups.tending:_armed", always(lambda _, group: group.replaced(armed=True))),
    ),
    Fact(
        id="B3.3b",
        says="Who is replaced for its health drains first.",
        page="asg health",
        test=GROUPS + "replacement_honours_the_deregistration_delay",
        off=Off("groups.lifecycle:leave", _undrained),
    ),
    Fact(
        id="B3.4a",
        says="A tenth of the wanted size is replaced at a time, at least one instance.",
        page="asg health",
        how="parameter",
        by="replace_percent",
        test=GROUPS + "a_tenth_is_replaced_at_a_time",
        off=Off("groups.tending:pace", always(lambda _, group: group.desired)),
    ),
    Fact(
        id="B3.4b",
        says="The next ones wait until the new instances are warm.",
        page="asg health",
        test=GROUPS + "a_warm_up_slows_replacement_down",
        off=Off("groups.lifecycle:in_service", _in_service_as(warmup_seconds=None)),
    ),
    Fact(
        id="B3.4c",
        says="An instance maintenance policy sets another pace, and launches first above 100 percent.",
        page="asg health",
        test=GROUPS + "a_maintenance_policy_changes_the_pace",
        off=Off(
            "groups.tending:_replacing",
            lambda real: lambda world, group: real(world, told(group, healthy_percent=None)),
        ),
    ),
    Fact(
        id="B3.4d",
        says="The service may slow down when a whole group looks unhealthy.",
        page="asg health",
        how="not modelled",
        why="AWS gives neither a condition nor a figure",
    ),
    Fact(
        id="B3.5a",
        says="Neither cooldown, nor protection from scale-in, nor termination policy stops a replacement.",
        page="asg graceful",
        test=GROUPS + "neither_protection_nor_a_cooldown_keeps_the_unhealthy",
        off=Off(
            "groups.tending:_replaceable",
            lambda real: lambda group, each: not each.standing.protected and real(group, each),
        ),
    ),
    Fact(
        id="B3.5b",
        says="Suspending HealthCheck, ReplaceUnhealthy or Terminate does.",
        page="asg graceful",
        test=GROUPS + "replacement_stops_with_any_of_three_processes",
        off=Off("groups.lifecycle:can_replace", answering(value=True)),
    ),
    Fact(
        id="B3.6",
        says="A broken group with ELB checks and no grace period is replaced for ever.",
        page="asg grace",
        test=GROUPS + "a_broken_group_churns_for_ever",
        off=Off("groups.tending:_marked", always(lambda _, group: group)),
    ),
    Fact(
        id="B3.7",
        says="DefaultInstanceWarmup is off unless it is set; -1 clears it.",
        page="asg warm-up",
        test=BOTO3 + "what_a_group_is_told_is_shown_and_heeded",
        off=Off(
            ENDPOINT + "changes:TOLD",
            lambda real: real | {"DefaultInstanceWarmup": ("warmup_seconds", int)},
        ),
    ),
    Fact(
        id="B3.8",
        says="The default cooldown is 300 s.",
        page="asg cooldowns",
        test=GROUPS + "a_cooldown_binds_only_who_honours_it",
        off=Off("founding:PLAIN", always(Scaling(cooldown_seconds=301))),
    ),
)

ENDINGS: tuple[Fact, ...] = (
    Fact(
        id="B4.1a",
        says="The zone with most instances, one of them unprotected, loses one first.",
        page="asg termination",
        test=LAUNCH + "the_zone_with_most_instances_loses_one_first",
        off=Off("groups.launching:_victims", always(_one_zone)),
    ),
    Fact(
        id="B4.1b",
        says="The default policy ends the oldest version of the launch template first.",
        page="asg termination",
        test=GROUPS + "each_termination_policy_ends_another_instance",
        off=Off("groups.launching:POLICIES", lambda real: real | {"Default": lambda *_: 0}),
    ),
    Fact(
        id="B4.1c",
        says="Of these it takes the one closest to its next hour, then any.",
        page="asg termination",
        how="parameter",
        by="termination",
        why="The oldest, unless the choices are asked to decide",
        test=OLD + "termination_any_tries_every_kind_of_instance_once",
        off=Off("groups.launching:choose", always(lambda _world, among, count, _choices: among[:count])),
    ),
    Fact(
        id="B4.1d",
        says="Other policies are OldestInstance, NewestInstance, OldestLaunchTemplate, "
        "OldestLaunchConfiguration, ClosestToNextInstanceHour and AllocationStrategy.",
        page="asg termination",
        why="No group here has launch configurations or purchase options, so two of them tell nobody apart",
        test=GROUPS + "each_termination_policy_ends_another_instance",
        off=Off("groups.launching:POLICIES", lambda real: real | {"NewestInstance": lambda *_: 0}),
    ),
    Fact(
        id="B4.1e",
        says="Policies are asked in the order in which they are given.",
        page="asg termination",
        test=GROUPS + "termination_policies_are_asked_in_turn",
        off=Off("groups.launching:POLICIES", lambda real: dict.fromkeys(real, lambda *_: 0)),
    ),
    Fact(
        id="B4.1f",
        says="A policy can be a Lambda function.",
        page="asg termination",
        how="not modelled",
        why="it would be the user's own code; asking for one is refused",
    ),
    Fact(
        id="B4.1g",
        says="The unhealthy go before any policy is asked.",
        page="asg termination",
        test=GROUPS + "the_unhealthy_go_before_any_policy_is_asked",
        off=Off("groups.launching:_victims", always(_one_zone)),
    ),
    Fact(
        id="B4.1h",
        says="An instance is launched into the zone with fewest.",
        page="asg zones",
        test=LAUNCH + "launches_go_where_there_are_fewest",
        off=Off("groups.launching:_places", always(lambda _world, _group, count, _closed: [0] * count)),
    ),
    Fact(
        id="B4.1i",
        says="Where a launch fails, another zone is tried until one succeeds.",
        page="asg zones",
        test=LAUNCH + "a_launch_that_fails_in_one_zone_is_tried_in_another",
        off=Off(
            "groups.launching:open_zones",
            lambda real: lambda world, group, _closed: real(world, group, set()),
        ),
    ),
    Fact(
        id="B4.1j",
        says="How many instances end at once is the service's decision and varies.",
        page="asg quotas",
        how="not modelled",
        why="there is no figure; all end at once, which is hardest on the users",
    ),
    Fact(
        id="B4.2a",
        says="Protected instances stay while the wanted size goes down, and the activity says why.",
        page="asg protection",
        test=GROUPS + "protected_instances_stay_while_the_size_goes_down",
        off=Off(
            "groups.launching:_victims",
            lambda real: (
                lambda world, group, surplus, choices: real(
                    world,
                    group.replaced(instances=tuple(each.replaced(standing=NEW) for each in group.instances)),
                    surplus,
                    choices,
                )
            ),
        ),
    ),
    Fact(
        id="B4.2b",
        says="The group's setting protects new instances only; a call protects at most 50, all of the group.",
        page="asg protection",
        test=GROUPS + "protection_is_for_new_instances_and_for_fifty_a_call",
        off=Off("groups.membership:AT_MOST", lambda real: real | {"protect": 99}),
    ),
    Fact(
        id="B4.2c",
        says="Protection keeps nothing from TerminateInstanceInAutoScalingGroup.",
        page="asg protection",
        test=GROUPS + "an_instance_ended_by_name_is_replaced_unless_the_size_goes_down",
        off=Off("groups.membership:end_instance", ignored),
    ),
)

ATTACHMENTS: tuple[Fact, ...] = (
    Fact(
        id="B5.1a",
        says="An attachment is Adding, Added, InService, then Removing, then gone.",
        page="asg attachment",
        test=SERVICES + "attachment_has_the_states_of_the_guide",
        off=Off(ENDPOINT + "reads:_attachments", answering([])),
    ),
    Fact(
        id="B5.1b",
        says="It comes InService with the first healthy instance, and only with ELB health checks.",
        page="asg api",
        test=BOTO3 + "without_elb_checks_an_attachment_never_comes_in_service",
        off=Off("world:World.elb_checked", answering(value=True)),
    ),
    Fact(
        id="B5.2",
        says="A group that is created behind a target group is InService from the start.",
        page="asg api",
        test=BOTO3 + "an_attachment_takes_its_time_where_it_was_told_to",
        off=Off(ENDPOINT + "reads:note", always(lambda _world, _about, default=None: default)),
    ),
    Fact(
        id="B5.3a",
        says="Attaching takes its time, and adds to what is attached.",
        page="asg attachment",
        how="parameter",
        by="attach_seconds",
        test=BOTO3 + "an_attachment_takes_its_time_where_it_was_told_to",
        off=Off(
            "groups.autoscaling:attach",
            lambda real: (
                lambda world, group, **named: real(
                    world.replaced(settings=evolve(world.settings, attach_seconds=0)), group, **named
                )
            ),
        ),
    ),
    Fact(
        id="B5.3b",
        says="At most 10 target groups are attached or detached in a call.",
        page="asg quotas",
        test=BOTO3 + "the_two_families_of_calls_see_different_things",
        off=Off(ENDPOINT + "changes:GROUPS", lambda real: real * 9.5),
    ),
    Fact(
        id="B5.3c",
        says="A group may be behind up to 50 target groups.",
        page="asg quotas",
        how="not modelled",
        why="a deployment refuses a group with a second way in; asking for one is refused here too",
    ),
    Fact(
        id="B5.4",
        says="Detached instances drain and go on running.",
        page="asg attachment",
        test=LIFE + "a_detached_group_lets_its_instances_run",
        off=Off("groups.autoscaling:detach", ignored),
    ),
    Fact(
        id="B5.5",
        says="Who moves between target groups is registered anew, and waits for its first check.",
        page="asg attachment",
        test=LIFE + "a_detached_group_lets_its_instances_run",
        off=Off(
            "groups.autoscaling:attach",
            always(lambda world, group, **_: world.with_group(group.replaced(attached=True))),
        ),
    ),
    Fact(
        id="B5.6",
        says="The older calls neither see nor detach what was attached as a traffic source.",
        page="asg api",
        test=BOTO3 + "the_two_families_of_calls_see_different_things",
        off=Off("groups.autoscaling:attach", lambda real: lambda world, group, **_: real(world, group)),
    ),
    Fact(
        id="B5.7",
        says="While a target group that is attached is gone, every launch fails.",
        page="asg balancer failures",
        how="parameter",
        by="LaunchFails",
        why="Target groups here cannot be deleted while they are used",
        test=LAUNCH + "each_reason_is_said_in_awss_words",
        off=Off("groups.launching:_scarcity", always(lambda world, _, missing: (world, missing, set(), ""))),
    ),
    Fact(
        id="B5.8",
        says="What was launched while AddToLoadBalancer was suspended is never registered.",
        page="asg suspended",
        test=GROUPS + "what_was_not_registered_at_launch_never_is",
        off=Off(
            "groups.lifecycle:in_service",
            lambda real: lambda each, world, group: real(each, world, group.replaced(suspended=())),
        ),
    ),
)

PROCESSES: tuple[Fact, ...] = (
    Fact(
        id="B6.1a",
        says="A scheduled action that was missed while it was suspended does not run later.",
        page="asg suspended",
        test=GROUPS + "a_missed_schedule_is_missed_and_a_suspended_policy_does_not_act",
        off=Off(
            "groups.edits:edited",
            lambda real: (
                lambda world, fault: real(
                    world.replaced(groups=tuple(group.replaced(suspended=()) for group in world.groups)),
                    fault,
                )
            ),
        ),
    ),
    Fact(
        id="B6.1b",
        says="Alarms that are in breach when AlarmNotification is resumed act.",
        page="asg suspended",
        test=STEER + "alarms_in_breach_act_when_they_are_resumed",
        off=Off("groups.steering:_steered", always(lambda world, _group, _loads: world)),
    ),
    Fact(
        id="B6.1c",
        says="Without a list, all nine processes are suspended or resumed.",
        page="asg api",
        test=BOTO3 + "without_a_list_all_processes_are_meant",
        off=Off(ENDPOINT + "changes:PROCESSES", always(("Launch",))),
    ),
    Fact(
        id="B6.2",
        says="AZRebalance launches and ends by itself after standby, detaching and a zone's recovery.",
        page="asg suspended",
        test=LAUNCH + "rebalancing_can_be_suspended",
        off=Off(
            "groups.tending:_rebalancing",
            lambda real: (
                lambda world, group: real(world, group.replaced(suspended=())).replaced(
                    suspended=group.suspended
                )
            ),
        ),
    ),
    Fact(
        id="B6.3",
        says="Without Terminate nothing ends, rebalancing lets a group grow, and the unhealthy queue up.",
        page="asg suspended",
        test=GROUPS + "without_terminate_nothing_ends_until_it_is_resumed",
        off=Off("groups.launching:gap", always(lambda group: group.desired + group.extra - group.staying)),
    ),
    Fact(
        id="B6.4",
        says="Without Launch nothing comes, not out of standby either; the unhealthy end all the same.",
        page="asg suspended",
        test=GROUPS + "without_launch_nothing_new_comes",
        off=Off("groups.launching:gap", always(lambda group: group.desired + group.extra - group.staying)),
    ),
    Fact(
        id="B6.5a",
        says="Without HealthCheck or ReplaceUnhealthy nothing is replaced until they are resumed.",
        page="asg suspended",
        test=GROUPS + "replacement_stops_with_any_of_three_processes",
        off=Off("groups.lifecycle:can_replace", answering(value=True)),
    ),
    Fact(
        id="B6.5b",
        says="Auto Scaling suspends a group by itself after 24 hours of failed launches.",
        page="asg suspending",
        how="not modelled",
        why="a deployment has given up long before that",
    ),
    Fact(
        id="B6.6",
        says="Scaling policies are a group's own: blue's sees its load fall during a shift and scales in.",
        page="asg suspending",
        test=STEER + "blue_sees_its_load_fall_and_would_scale_in",
        off=Off(
            "groups.steering:_wish",
            lambda real: lambda policy, *given: real(evolve(policy, scales_in=False), *given),
        ),
    ),
    Fact(
        id="B6.7a",
        says="An instance refresh replaces every instance, a tenth at a time, but not protected ones.",
        page="asg refresh",
        why="It waits for protected ones as long as it must, and ends others before it launches",
        test=LAUNCH + "an_instance_refresh_replaces_all_a_tenth_at_a_time",
        off=Off(
            "groups.tending:_replaceable",
            lambda real: lambda group, each: real(group, each.replaced(standing=NEW)),
        ),
    ),
    Fact(
        id="B6.7b",
        says="Instances may have a longest lifetime, at least a day.",
        page="asg api",
        how="not modelled",
        why="it is longer than any deployment; ending instances by name shows the same",
    ),
    Fact(
        id="B6.7c",
        says="A zonal shift takes a zone out of use.",
        page="asg api",
        how="not modelled",
        why="it is a person's act on the balancer; ZoneDown shows a group without a zone",
    ),
)

TEMPLATES: tuple[Fact, ...] = (
    Fact(
        id="B7.1a",
        says="$Latest and $Default are resolved at each launch: a new version leaks into who is on $Latest.",
        page="asg api",
        test=LAUNCH + "latest_and_default_are_resolved_at_each_launch",
        off=Off("world:World.resolved", answering(1)),
    ),
    Fact(
        id="B7.1b",
        says="A group whose version is not given is on $Default.",
        page="asg api",
        test=SERVICES + "a_group_shows_what_it_was_given",
        off=Off(ENDPOINT + "changes:pointed", answering(1)),
    ),
    Fact(
        id="B7.2",
        says="A new version concerns new instances only, and each instance says its own.",
        page="asg api",
        test=LAUNCH + "a_group_that_is_pointed_elsewhere_keeps_its_instances",
        off=Off(
            "groups.autoscaling:set_version",
            lambda real: (
                lambda world, name, version: real(
                    world.with_group(
                        world.group(name).replaced(
                            instances=tuple(
                                each.replaced(version=version) for each in world.group(name).instances
                            )
                        )
                    ),
                    name,
                    version,
                )
            ),
        ),
    ),
    Fact(
        id="B7.3",
        says="Creating and changing a group tries a launch with the caller's rights.",
        page="asg permissions",
        how="not modelled",
        why="nobody has rights here; Denied refuses one kind of call",
    ),
    Fact(
        id="B7.4",
        says="A template is not looked at when it is made; what is wrong with it shows as failed launches.",
        page="ec2 templates",
        test=LAUNCH + "what_a_launch_needs_may_be_gone",
        off=Off("groups.launching:_unlaunchable", answering(None)),
    ),
)

FAILURES: tuple[Fact, ...] = (
    Fact(
        id="B8.1a",
        says="A failed launch is no error of a call: it shows as a Failed activity with its reason.",
        page="asg troubleshooting",
        test=LAUNCH + "each_reason_is_said_in_awss_words",
        off=Off(
            "groups.launching:not_launched",
            lambda real: lambda world, group, _why: real(world, group, ""),
        ),
    ),
    Fact(
        id="B8.1b",
        says="Activities are listed for six weeks, the newest first.",
        page="asg api",
        test=BOTO3 + "activities_tell_what_a_group_does",
        off=Off(ENDPOINT + "activities:SIX_WEEKS_MS", lambda real: real * 99.5),
    ),
    Fact(
        id="B8.2a",
        says="For want of capacity a part of what is asked may come, and the rest is tried again.",
        page="asg launch failures",
        how="parameter",
        by="Scarce",
        test=LAUNCH + "too_little_capacity_gives_a_part",
        off=Off("groups.launching:_scarcity", always(lambda world, _, missing: (world, missing, set(), ""))),
    ),
    Fact(
        id="B8.2b",
        says="Other zones are tried.",
        page="asg zones",
        test=LAUNCH + "a_launch_that_fails_in_one_zone_is_tried_in_another",
        off=Off(
            "groups.launching:open_zones",
            lambda real: lambda world, group, _closed: real(world, group, set()),
        ),
    ),
    Fact(
        id="B8.2c",
        says="A group pauses before it tries again, ever longer.",
        page="undocumented",
        how="parameter",
        by="retry_seconds",
        why="15 s, 30 s … up to 5 minutes are an assumption",
        test=LAUNCH + "too_little_capacity_gives_a_part",
        off=Off("groups.launching:RETRY_LIMIT_SECONDS", lambda real: real / 10),
    ),
    Fact(
        id="B8.3",
        says="A limit, a missing key, group, profile or image do not mend themselves.",
        page="ec2 launches",
        test=LAUNCH + "what_a_launch_needs_may_be_gone",
        off=Off("groups.launching:_unlaunchable", answering(None)),
    ),
    Fact(
        id="B8.4",
        says="LaunchInstances launches at once and answers with the error.",
        page="asg api",
        how="not modelled",
        why="it goes past the wanted size that a deployment works by",
    ),
)

HOOKS: tuple[Fact, ...] = (
    Fact(
        id="B9.1a",
        says="A hook waits an hour and then abandons, unless it is told otherwise.",
        page="asg hooks",
        test=LIFE + "the_default_of_a_hook_is_an_hour_and_to_abandon",
        off=Off("groups.scaling:Hook", lambda real: partial(real, timeout_seconds=60)),
    ),
    Fact(
        id="B9.1b",
        says="Heartbeats prolong the wait up to 48 hours or 100 timeouts, whichever is sooner.",
        page="asg hooks",
        test=LIFE + "a_heartbeat_prolongs_the_wait_up_to_the_limit",
        off=Off("groups.lifecycle:HOOK_LIMIT_TIMEOUTS", lambda real: real * 0.9),
    ),
    Fact(
        id="B9.1c",
        says="An instance that is abandoned at its launch is ended and replaced.",
        page="asg hooks",
        test=LIFE + "a_hook_that_nobody_answers_ends_as_it_was_told",
        off=Off(
            "groups.lifecycle:completed",
            lambda real: lambda each, world, group, hook, _: real(each, world, group, hook, "CONTINUE"),
        ),
    ),
    Fact(
        id="B9.1d",
        says="At a termination both results end the instance; ABANDON skips the hooks that are left.",
        page="asg hooks",
        test=LIFE + "of_several_termination_hooks_one_abandoned_skips_the_rest",
        off=Off(
            "groups.lifecycle:completed",
            lambda real: lambda each, world, group, hook, _: real(each, world, group, hook, "CONTINUE"),
        ),
    ),
    Fact(
        id="B9.1e",
        says="Hooks do not run for attaching, detaching, standby and deletion by force.",
        page="asg hooks",
        test=LIFE + "hooks_are_for_launches_and_terminations_only",
        off=Off("groups.lifecycle:in_service", _held_again),
    ),
    Fact(
        id="B9.1f",
        says="Repeated failures slow a group's launches down.",
        page="asg hooks",
        how="parameter",
        by="retry_seconds",
        why="How much is undocumented; as for failed launches",
        test=LIFE + "abandoned_launches_are_repeated_ever_more_slowly",
        off=Off("groups.autoscaling:_hooked", always(lambda _world, group, _lives: group)),
    ),
)

COMINGS: tuple[Fact, ...] = (
    Fact(
        id="B10.1a",
        says="A detached instance drains, runs on outside, and is replaced unless the size goes down.",
        page="asg detaching",
        test=LIFE + "a_detached_instance_drains_and_runs_on",
        off=Off("groups.membership:detach_instances", ignored),
    ),
    Fact(
        id="B10.1b",
        says="Attaching a running instance raises the wanted size.",
        page="asg detaching",
        test=LIFE + "a_detached_instance_drains_and_runs_on",
        off=Off(
            "groups.membership:attach_instances",
            lambda real: (
                lambda world, name, ids: real(world, name, ids).with_group(
                    real(world, name, ids).group(name).replaced(desired=world.group(name).desired)
                )
            ),
        ),
    ),
    Fact(
        id="B10.1c",
        says="At most 20 instances are attached or detached in a call.",
        page="asg quotas",
        test=LIFE + "twenty_instances_a_call",
        off=Off("groups.membership:AT_MOST", lambda real: dict.fromkeys(real, 99)),
    ),
    Fact(
        id="B10.2a",
        says="An instance in standby drains, is no target and is not watched.",
        page="asg standby",
        test=LIFE + "an_instance_in_standby_is_neither_a_target_nor_watched",
        off=Off("groups.membership:enter_standby", ignored),
    ),
    Fact(
        id="B10.2b",
        says="Standby keeps the wanted size within the bounds.",
        page="asg standby",
        test=LIFE + "standby_keeps_the_bounds",
        off=Off(
            "groups.membership:_lowered",
            always(lambda group, count: group.replaced(desired=group.desired - count)),
        ),
    ),
    Fact(
        id="B10.3a",
        says="TerminateInstanceInAutoScalingGroup drains and waits at hooks.",
        page="asg graceful",
        test=GROUPS + "an_instance_ended_by_name_is_replaced_unless_the_size_goes_down",
        off=Off("groups.membership:end_instance", ignored),
    ),
    Fact(
        id="B10.3b",
        says="EC2's TerminateInstances goes past hooks and protection; the group notices in a minute or two.",
        page="asg manual",
        how="parameter",
        by="notice_seconds",
        test=GROUPS + "ec2_ends_an_instance_past_hooks_and_protection",
        off=Off(
            "engine:kill",
            always(lambda world, group, name: membership.end_instance(world, group, name, lower=0)),
        ),
    ),
    Fact(
        id="B10.4a",
        says="A group with instances or something going on is not deleted.",
        page="asg api",
        test=BOTO3 + "a_group_cannot_be_deleted_while_it_is_used_or_busy",
        off=Off("groups.autoscaling:delete_group", always(_gone)),
    ),
    Fact(
        id="B10.4b",
        says="ForceDelete waits for nobody and skips hooks; the name stays taken until all have ended.",
        page="asg api",
        test=GROUPS + "a_group_deleted_by_force_goes_without_draining_and_its_name_stays_taken",
        off=Off("groups.autoscaling:delete_group", always(_gone)),
    ),
    Fact(
        id="B10.4c",
        says="Deletion protection refuses deletion by force, or any.",
        page="asg api",
        test=GROUPS + "deletion_protection_refuses_what_it_says",
        off=Off(
            "groups.autoscaling:delete_group",
            lambda real: (
                lambda world, name, force=False: real(
                    world.with_group(world.group(name).replaced(scaling=PLAIN)), name, force=force
                )
            ),
        ),
    ),
    Fact(
        id="B10.5",
        says="Who wants a group gone takes protection away first: a size of 0 ends no protected instance.",
        page="asg protection",
        test=GROUPS + "protected_instances_stay_while_the_size_goes_down",
        off=Off("groups.membership:protect", ignored),
    ),
    Fact(
        id="B10.6",
        says="A group's policies go with it.",
        page="asg api",
        test=BOTO3 + "policies_and_schedules_of_a_group_are_its_own",
        off=Off("groups.autoscaling:delete_group", ignored),
    ),
    Fact(
        id="B11.1",
        says="500 groups in a Region; 50 policies, 125 scheduled actions and 50 hooks in a group.",
        page="asg quotas",
        test=BOTO3 + "an_account_tells_its_limits",
        off=Off(ENDPOINT + "policies:MOST", lambda real: real | {"groups": 100}),
    ),
)

SCALING: tuple[Fact, ...] = (
    *(*SIZES, *LIVES, *HEALTH, *ENDINGS, *ATTACHMENTS, *PROCESSES),
    *(*TEMPLATES, *FAILURES, *HOOKS, *COMINGS),
)
