"""The load balancer's nodes, weights, health checks and registration: A1, A3, A6, A7, A9."""

from __future__ import annotations

import sys
from typing import Any

from attrs import evolve

from .fact import Fact, Off, answering

NODES = "tests/sim/test_nodes.py::test_"
HEALTH = "tests/sim/test_target_health.py::test_"
GROUPS = "tests/sim/test_target_groups.py::test_"
BALANCER_TESTS = "tests/sim/test_balancer.py::test_"
ATTRIBUTES = "endpoint.answers.elbv2_attributes:"
TARGETS = "endpoint.answers.elbv2_groups:"
RULES = "endpoint.answers.elbv2:"


def with_settings(**changes: Any) -> Any:
    """The real function on a world whose settings are others."""

    def wrong(real: Any) -> Any:
        def serving(world: Any, targets: Any, node: int) -> Any:
            return real(world.replaced(settings=evolve(world.settings, **changes)), targets, node)

        return serving

    return wrong


DNS_AT_ONCE = Off(
    "balancing.routing:Routing._doors_at",
    lambda _: lambda self, at, world: sys.modules["bluegreen_sim.balancing.balancer"].in_dns(world),  # noqa: ARG005
)
"""Clients that know at once which nodes are in DNS."""


def thresholds(**fixed: Any) -> Any:
    """Checks needed by thresholds that are not those of the settings."""
    return lambda real: lambda state, passed, settings: real(state, passed, evolve(settings, **fixed))


def saying(*states: str, why: str | None = None) -> Any:
    """Reasons, but for targets in these states another one."""
    return lambda real: lambda instance: why if instance.target in states else real(instance)


def unlike(reason: str) -> Any:
    """Reasons, but instead of this one none."""
    return lambda real: lambda instance: None if real(instance) == reason else real(instance)


NODE_FACTS = (
    Fact(
        id="A1.1a",
        says="Each enabled Availability Zone has a node of the load balancer.",
        page="elb how",
        how="parameter",
        by="Settings.zones, nodes, disabled_zones",
        why="One zone is allowed, which AWS does not allow; no other rule depends on that.",
        test=f"{NODES}each_enabled_zone_has_a_node",
        off=Off("settings:Settings.enabled", lambda _: property(lambda _: (0,))),
    ),
    Fact(
        id="A1.1b",
        says="DNS leads clients to the nodes; here they take them in turn.",
        page="elb how",
        test=f"{NODES}without_cross_zone_each_zone_shares_its_own_half",
        off=Off(
            "users.dataplane:by_node",
            lambda _: (
                lambda counts, nodes, before: (  # noqa: ARG005
                    [counts, *([[0] * len(counts)] * (nodes - 1))]
                )
            ),
        ),
    ),
    Fact(
        id="A1.1c",
        says="A node evaluates the rules in order of priority, and the first that fits decides.",
        page="elb how",
        how="not modelled",
        why="There is one service, whose requests all fit the one rule that divides them.",
    ),
    Fact(
        id="A1.1d",
        says="Routing is independent for each target group, even for a target that is in several.",
        page="elb how",
        how="not modelled",
        why="An instance is a target of its group's target group only.",
    ),
    Fact(
        id="A1.2",
        says="Each node checks each target by itself, and sends requests to those that it finds healthy.",
        page="alb health checks",
        test=f"{NODES}a_node_sends_nothing_to_a_target_that_it_has_not_found_healthy",
        off=Off(
            "balancing.checks:_new_views",
            lambda real: lambda now, settings: (real(now, settings)[0],) * settings.views,
        ),
    ),
    Fact(
        id="A1.3",
        says="How the nodes' views become the state that the API shows; assumed: one that passes is enough.",
        page="undocumented",
        how="parameter",
        by="Settings.check_phases_seconds, propagation",
        test=f"{NODES}one_node_that_passes_makes_a_target_healthy",
        off=Off(
            "balancing.checks:_folded",
            lambda real: (
                lambda instance, views: (
                    real(instance, views)
                    if len({view.state for view in views}) == 1
                    else real(instance, views).replaced(target="initial")
                )
            ),
        ),
    ),
    Fact(
        id="A1.4a",
        says="With cross-zone load balancing each node sends to the targets of all zones alike.",
        page="elb how",
        test=f"{NODES}with_cross_zone_all_targets_share_alike",
        off=Off("balancing.balancer:serving", with_settings(cross_zone=False)),
    ),
    Fact(
        id="A1.4b",
        says="Without it each node sends to the targets of its own zone only.",
        page="elb how",
        how="parameter",
        by="Settings.cross_zone",
        test=f"{NODES}without_cross_zone_each_zone_shares_its_own_half",
        off=Off("balancing.balancer:serving", with_settings(cross_zone=True)),
    ),
    Fact(
        id="A1.5a",
        says="Cross-zone load balancing cannot be turned off at the load balancer.",
        page="alb attributes",
        test=f"{GROUPS}cross_zone_cannot_be_turned_off_at_the_load_balancer",
        off=Off(f"{ATTRIBUTES}_turns_off_cross_zone", answering(value=False)),
    ),
    Fact(
        id="A1.5b",
        says="A target group may turn it off; by default it follows the load balancer.",
        page="alb attributes",
        why="The world has one set of settings: what is changed of one target group is changed of all.",
        test=f"{GROUPS}a_target_group_turns_cross_zone_off_for_itself",
        off=Off("balancing.checks:with_settings", lambda _: lambda world, settings: world),  # noqa: ARG005
    ),
    Fact(
        id="A1.6a",
        says="Without cross-zone load balancing a target group cannot be sticky.",
        page="alb attributes",
        test=f"{GROUPS}stickiness_needs_cross_zone",
        off=Off(f"{ATTRIBUTES}contradictions", answering(())),
    ),
    Fact(
        id="A1.6b",
        says="Without it a zone that has no target of the group answers 503 to all that enter there.",
        page="alb attributes",
        test=f"{NODES}without_cross_zone_a_zone_without_targets_answers_503",
        off=Off("balancing.balancer:serving", with_settings(cross_zone=True)),
    ),
    Fact(
        id="A1.6c",
        says="Without it the nodes of a zone leave DNS when all targets of a group there are unhealthy.",
        page="alb attributes",
        test=f"{NODES}a_zone_whose_targets_are_all_sick_leaves_dns",
        off=Off("balancing.balancer:_fit", answering(value=True)),
    ),
    Fact(
        id="A1.7",
        says="Connections to targets are opened when needed, shared by many clients, and closed when idle.",
        page="elb how",
        how="not modelled",
        why="Requests are counted, connections are not: no rule of routing depends on them.",
    ),
    Fact(
        id="A1.8",
        says="Each request is routed by itself, so new weights act on the next one of an open connection.",
        page="alb attributes",
        test=f"{NODES}weights_act_on_the_next_request",
        off=Off(
            "users.dataplane:Split.weigh",
            lambda real: (
                lambda self, weights: real(self, weights) if not sum(self._weights.values()) else None
            ),
        ),
    ),
)

WEIGHT_FACTS = (
    Fact(
        id="A3.1a",
        says="Requests are divided among the target groups of a rule in proportion to their weights.",
        page="alb actions",
        test=f"{GROUPS}requests_are_divided_by_weight",
        off=Off(
            "users.dataplane:divided",
            lambda real: lambda requests, weights: real(requests, [bool(weight) for weight in weights]),
        ),
    ),
    Fact(
        id="A3.1b",
        says="A weight is 0 to 999, and with several target groups each needs one.",
        page="elb api",
        test=f"{GROUPS}weights_are_needed_and_at_most_999",
        off=Off(f"{RULES}_unfit", answering(())),
    ),
    Fact(
        id="A3.1c",
        says="A forward action names at most five target groups.",
        page="alb quotas",
        test=f"{GROUPS}a_forward_names_at_most_five_target_groups",
        off=Off(f"{RULES}_unfit", answering(())),
    ),
    Fact(
        id="A3.2",
        says="There is no failover: the share of a target group that is empty is answered with 503.",
        page="alb actions",
        test=f"{BALANCER_TESTS}weighted_target_groups_do_not_fail_over",
        off=Off(
            "balancing.balancer:pools",
            lambda real: (
                lambda world, node=0: tuple(
                    evolve(pool, weight=pool.weight if pool.targets else 0) for pool in real(world, node)
                )
            ),
        ),
    ),
    Fact(
        id="A3.3",
        says="A target group at weight 0 is in the rule all the same, so its targets are checked.",
        page="alb health checks",
        test=f"{GROUPS}a_target_group_at_weight_0_is_checked",
        off=Off(
            "balancing.balancer:used",
            lambda _: lambda world, group: bool(dict(world.rule).get(world.home(group.name))),
        ),
    ),
    Fact(
        id="A3.4",
        says="Targets of a target group in no rule are unused and never checked.",
        page="alb health checks",
        test=f"{HEALTH}targets_of_a_group_in_no_rule_are_unused",
        off=Off("balancing.balancer:used", answering(value=True)),
    ),
    Fact(
        id="A3.5",
        says="Whether requests are divided at random or in turn; by default exactly, in turn.",
        page="undocumented",
        how="parameter",
        by="Settings.division",
        test=f"{GROUPS}requests_are_divided_by_weight",
        off=Off(
            "users.dataplane:divided",
            lambda real: lambda requests, weights: real(requests // 30 * 30, weights),  # in lumps
        ),
    ),
    Fact(
        id="A3.6",
        says="What a rule does whose weights are all 0; assumed: 503, and a deployment cannot write one.",
        page="undocumented",
        test=f"{GROUPS}without_any_weight_nobody_is_asked",
        off=Off(
            "users.dataplane:Split.weigh",
            lambda real: (
                lambda self, weights: real(
                    self, weights if any(weights.values()) else dict.fromkeys(weights, 1)
                )
            ),
        ),
    ),
    Fact(
        id="A3.11",
        says="ModifyRule and ModifyListener replace the whole list of actions.",
        page="elb api",
        test=f"{GROUPS}a_rule_is_replaced_as_a_whole",
        off=Off(
            "balancing.balancer:set_weights",
            lambda real: (
                lambda world, weights: real(world, tuple((dict(world.rule) | dict(weights)).items()))
            ),
        ),
    ),
    Fact(
        id="A3.12",
        says="TargetGroupArn and ForwardConfig together must name one and the same target group.",
        page="elb api",
        test=f"{GROUPS}a_forward_that_names_two_different_groups_is_refused",
        off=Off(f"{RULES}_unfit", answering(())),
    ),
    Fact(
        id="A3.13",
        says="The default rule has no conditions, and is changed through its listener.",
        page="alb rules",
        test=f"{GROUPS}the_default_rule_is_changed_through_the_listener_only",
        off=Off(f"{RULES}_is_default", answering(value=False)),
    ),
    Fact(
        id="A3.14",
        says="Several rules and listeners may lead to one target group, and each must be shifted.",
        page="alb quotas",
        how="not modelled",
        why="The world has one listener and one rule that divides; AwsCloud refuses to leave others behind.",
    ),
)

CHECK_FACTS = (
    Fact(
        id="A6.1",
        says="A check is a GET by HTTP or HTTPS, of a path at a port; by default / at the traffic port.",
        page="alb health checks",
        how="parameter",
        by="ModifyTargetGroup",
        why="Kept and shown; the world's applications answer alike at every path.",
        test=f"{GROUPS}health_checks_are_described_as_they_were_set",
        off=Off(f"{TARGETS}CHECKED_BY", lambda _: {}),
    ),
    Fact(
        id="A6.2",
        says="Checks come every 5 to 300 seconds; AWS's default is 30.",
        page="alb health checks",
        how="parameter",
        by="Settings.check_interval_seconds",
        test=f"{HEALTH}checks_come_at_the_interval",
        off=Off(
            "balancing.checks:_verdict",
            lambda real: lambda *given: real(*given[:-1], evolve(given[-1], check_interval_seconds=10)),
        ),
    ),
    Fact(
        id="A6.3",
        says="A check that is not answered within 2 to 120 seconds fails; the guide's default is 5.",
        page="alb health checks",
        how="parameter",
        by="Settings.check_timeout_seconds",
        test=f"{HEALTH}a_check_that_is_answered_too_late_has_timed_out",
        off=Off(
            "balancing.checks:why_checks_fail",
            lambda real: lambda *given: "" if real(*given) == "timeout" else real(*given),
        ),
    ),
    Fact(
        id="A6.4",
        says="So many checks passed in a row make an unhealthy target healthy: 2 to 10, by default 5.",
        page="alb health checks",
        how="parameter",
        by="Settings.healthy_threshold",
        test=f"{HEALTH}thresholds_are_counts_of_checks_in_a_row",
        off=Off("balancing.checks:_checks_needed", thresholds(healthy_threshold=5)),
    ),
    Fact(
        id="A6.5",
        says="So many checks failed in a row make a target unhealthy: 2 to 10, by default 2.",
        page="alb health checks",
        how="parameter",
        by="Settings.unhealthy_threshold",
        test=f"{HEALTH}thresholds_are_counts_of_checks_in_a_row",
        off=Off("balancing.checks:_checks_needed", thresholds(unhealthy_threshold=2)),
    ),
    Fact(
        id="A6.6",
        says="Codes that pass are 200 unless said otherwise: lists and ranges from 200 to 499.",
        page="alb health checks",
        how="parameter",
        by="Settings.matcher",
        test=f"{HEALTH}other_codes_pass_when_the_matcher_has_them",
        off=Off("balancing.checks:matches", lambda _: lambda code, matcher: code == 200),  # noqa: ARG005
    ),
    Fact(
        id="A6.7",
        says="Health checks of instances are always on.",
        page="alb health checks",
        test=f"{GROUPS}checks_of_instances_cannot_be_turned_off",
        off=Off(f"{TARGETS}_stops_checks", answering(value=False)),
    ),
    Fact(
        id="A6.8a",
        says="Checks are independent of each other: a slow answer does not move the next.",
        page="alb health checks",
        test=f"{HEALTH}slow_answers_do_not_move_later_checks",
        off=Off("balancing.checks:_check_after", lambda real: lambda *given: real(*given) + 4000),
    ),
    Fact(
        id="A6.8b",
        says="Each check opens a connection of its own, with a User-Agent and a Host header of its own.",
        page="alb health checks",
        how="not modelled",
        why="The world's applications do not read headers.",
    ),
    Fact(
        id="A6.9",
        says="One passing check makes a new target healthy, whatever the threshold.",
        page="alb target groups",
        test=f"{BALANCER_TESTS}one_passing_check_makes_a_new_target_healthy",
        off=Off(
            "balancing.checks:_checks_needed",
            lambda real: (
                lambda state, passed, settings: (
                    settings.healthy_threshold
                    if passed and state == "initial"
                    else real(state, passed, settings)
                )
            ),
        ),
    ),
    Fact(
        id="A6.10",
        says="So one lucky answer during start-up puts an instance in service.",
        page="alb target groups",
        test=f"{HEALTH}one_lucky_probe_puts_a_target_in_service",
        off=Off(
            "balancing.checks:_checks_needed",
            lambda real: (
                lambda state, passed, s: 2 if passed and state == "initial" else real(state, passed, s)
            ),
        ),
    ),
    Fact(
        id="A6.11",
        says="Whether a new target that fails its checks becomes unhealthy; assumed: yes, at the threshold.",
        page="undocumented",
        test=f"{BALANCER_TESTS}a_slow_booter_needs_the_healthy_threshold",
        off=Off(
            "balancing.checks:_checks_needed",
            lambda real: (
                lambda state, passed, settings: (
                    real(state, passed, settings) if passed or state != "initial" else None
                )
            ),
        ),
    ),
    Fact(
        id="A6.12",
        says="Whether a threshold is to be reached or exceeded: the guide says both; assumed: reached.",
        page="alb health checks",
        test=f"{BALANCER_TESTS}a_silent_target_is_found_at_the_unhealthy_threshold",
        off=Off(
            "balancing.checks:_checks_needed",
            lambda real: (
                lambda state, passed, settings: (
                    real(state, passed, settings)
                    if passed or not (n := real(state, passed, settings))
                    else n + 1
                )
            ),
        ),
    ),
    Fact(
        id="A6.13",
        says="A target is checked once it is registered, its group is in a rule and its zone is enabled.",
        page="alb health checks",
        test=f"{HEALTH}a_target_in_a_zone_without_a_node_is_unused",
        off=Off(
            "balancing.checks:register",
            lambda real: (
                lambda instance, now, settings, *, used=True: real(
                    instance, now, evolve(settings, disabled_zones=()), used=used
                )
            ),
        ),
    ),
    Fact(
        id="A6.14",
        says="A new target is initial: Elb.RegistrationInProgress, then Elb.InitialHealthChecking.",
        page="alb health checks",
        test=f"{HEALTH}a_new_target_is_initial_before_and_after_its_first_check",
        off=Off("balancing.checks:reason", saying("initial")),
    ),
    Fact(
        id="A6.15",
        says="A healthy target has no reason.",
        page="alb health checks",
        test=f"{HEALTH}a_healthy_target_has_no_reason",
        off=Off("balancing.checks:reason", saying("healthy", why="Elb.InitialHealthChecking")),
    ),
    Fact(
        id="A6.16a",
        says="An unhealthy target that answers with another code is Target.ResponseCodeMismatch, with it.",
        page="alb health checks",
        test=f"{HEALTH}a_wrong_status_code_is_named",
        off=Off("balancing.checks:reason", unlike("Target.ResponseCodeMismatch")),
    ),
    Fact(
        id="A6.16b",
        says="One that answers too late, or not at all, is Target.Timeout.",
        page="alb health checks",
        test=f"{HEALTH}an_instance_that_fails_altogether_times_out",
        off=Off("balancing.checks:reason", unlike("Target.Timeout")),
    ),
    Fact(
        id="A6.16c",
        says="One that cannot be connected to is Target.FailedHealthChecks.",
        page="alb health checks",
        test=f"{HEALTH}an_application_that_is_down_fails_health_checks",
        off=Off("balancing.checks:reason", unlike("Target.FailedHealthChecks")),
    ),
    Fact(
        id="A6.16d",
        says="When the load balancer itself fails it is Elb.InternalError.",
        page="alb health checks",
        test=f"{HEALTH}an_error_of_the_load_balancers_own_is_told",
        off=Off("balancing.checks:reason", unlike("Elb.InternalError")),
    ),
    Fact(
        id="A6.17a",
        says="What is asked for by name and not registered is unused, Target.NotRegistered.",
        page="alb health checks",
        test=f"{HEALTH}who_is_not_registered_is_unused",
        off=Off(
            f"{TARGETS}_unknown",
            lambda real: lambda name: real(name) | {"TargetHealth": {"State": "unused"}},
        ),
    ),
    Fact(
        id="A6.17b",
        says="A target of a group in no rule, or in a zone that is not enabled, is unused, Target.NotInUse.",
        page="alb health checks",
        test=f"{HEALTH}targets_of_a_group_in_no_rule_are_unused",
        off=Off("balancing.checks:reason", unlike("Target.NotInUse")),
    ),
    Fact(
        id="A6.17c",
        says="A target whose instance was stopped or terminated is unused, Target.InvalidState.",
        page="alb health checks",
        test=f"{HEALTH}an_instance_that_was_ended_fails_requests_and_is_then_unused",
        off=Off("balancing.checks:reason", unlike("Target.InvalidState")),
    ),
    Fact(
        id="A6.17d",
        says="A target whose address the load balancer uses itself is unused, Target.IpUnusable.",
        page="alb health checks",
        how="not modelled",
        why="Only a target that is given by its IP address can be; here targets are instances.",
    ),
    Fact(
        id="A6.18",
        says="A deregistered target is draining, Target.DeregistrationInProgress.",
        page="alb health checks",
        test=f"{HEALTH}a_draining_target_says_so",
        off=Off("balancing.checks:reason", unlike("Target.DeregistrationInProgress")),
    ),
    Fact(
        id="A6.19",
        says="With health checks turned off a target is unavailable, Target.HealthCheckDisabled.",
        page="alb health checks",
        how="not modelled",
        why="Health checks of instances cannot be turned off (A6.7).",
    ),
    Fact(
        id="A6.20",
        says="A target may be unhealthy.draining.",
        page="elb api",
        how="not modelled",
        why="Only targets of a Network Load Balancer are.",
    ),
    Fact(
        id="A6.21a",
        says="With a target's health comes the port that is checked.",
        page="elb api",
        test=f"{HEALTH}a_target_is_described_with_its_port",
        off=Off(
            f"{TARGETS}_health",
            lambda real: (
                lambda world, each: {
                    key: value for key, value in real(world, each).items() if key != "HealthCheckPort"
                }
            ),
        ),
    ),
    Fact(
        id="A6.21b",
        says="An administrative override tells of a zonal shift.",
        page="elb api",
        how="not modelled",
        why="Zonal shift belongs to another service, Application Recovery Controller.",
    ),
    Fact(
        id="A6.22",
        says="DescribeTargetHealth is not paginated, and states that nobody knows are not healthy.",
        page="elb api",
        how="not modelled",
        why="Both concern who reads: tests/aws holds AwsCloud to them; this world says no unknown state.",
    ),
    Fact(
        id="A6.23",
        says="Right after a registration a target may be absent, or shown as Target.NotRegistered.",
        page="undocumented",
        how="parameter",
        by="StaleLook",
        test=f"{HEALTH}a_look_may_be_older_than_a_registration",
        off=Off("engine:before_look", lambda _: lambda world, choices: (world, None)),  # noqa: ARG005
    ),
    Fact(
        id="A6.24",
        says="When all registered targets are unhealthy, requests go to all of them.",
        page="alb target groups",
        test=f"{NODES}targets_that_are_all_unhealthy_all_get_requests",
        off=Off(
            "balancing.balancer:serving",
            lambda real: (
                lambda world, targets, node: real(
                    world, [each for each in targets if each[2] != "unhealthy"], node
                )
            ),
        ),
    ),
    Fact(
        id="A6.25",
        says="With fewer healthy targets than a count or a percentage, a node sends to all; default: 1, off.",
        page="alb target groups",
        how="parameter",
        by="Settings.minimum_healthy_count, minimum_healthy_percent",
        test=f"{NODES}below_a_minimum_all_targets_get_requests",
        off=Off("balancing.balancer:below", lambda _: lambda good, *_: good < 1),
    ),
    Fact(
        id="A6.26a",
        says="With fewer healthy targets than a count or a percentage, a node leaves DNS; default: 1, off.",
        page="alb target groups",
        how="parameter",
        by="Settings.dns_minimum_count, dns_minimum_percent",
        test=f"{NODES}dns_minimums_count_the_targets_of_a_zone",
        off=Off("balancing.balancer:below", lambda _: lambda good, *_: good < 1),
    ),
    Fact(
        id="A6.26b",
        says="Clients may go on with an old answer of DNS for 60 seconds.",
        page="alb target groups",
        how="parameter",
        by="Settings.dns_seconds",
        test=f"{NODES}a_zone_whose_targets_are_all_sick_leaves_dns",
        off=DNS_AT_ONCE,
    ),
    Fact(
        id="A6.26c",
        says="Whether one target group below its minimum is enough, or all must be: two pages disagree.",
        page="alb target groups",
        how="parameter",
        by="Settings.dns_failover",
        test=f"{NODES}one_sick_target_group_takes_a_zone_out_or_not",
        off=Off(
            "balancing.balancer:_fit",
            lambda real: (
                lambda world, node: real(
                    world.replaced(settings=evolve(world.settings, dns_failover="all")), node
                )
            ),
        ),
    ),
    Fact(
        id="A6.26d",
        says="When all zones are unhealthy, all are used.",
        page="alb target groups",
        test=f"{NODES}with_all_zones_sick_all_are_used",
        off=Off(
            "balancing.balancer:in_dns",
            lambda _: (
                lambda world: tuple(
                    sys.modules["bluegreen_sim.balancing.balancer"]._fit(world, node)
                    for node in range(world.settings.node_count)
                )
            ),
        ),
    ),
    Fact(
        id="A6.27a",
        says="Of a count and a percentage either is enough; the percentage is of all targets.",
        page="alb target groups",
        test=f"{NODES}below_a_minimum_all_targets_get_requests",
        off=Off(
            "balancing.balancer:below",
            lambda real: (
                lambda good, among, count, percent: (
                    real(good, among, count, percent) if not percent else real(good, among, count, 0)
                )
            ),
        ),
    ),
    Fact(
        id="A6.27b",
        says="The minimum of DNS must not be below that of routing.",
        page="alb target groups",
        test=f"{GROUPS}what_cannot_be_combined_is_refused",
        off=Off(f"{ATTRIBUTES}contradictions", answering(())),
    ),
    Fact(
        id="A6.27c",
        says="Without cross-zone load balancing the targets of a zone are counted, with it all.",
        page="alb target groups",
        test=f"{NODES}a_zone_whose_targets_are_all_sick_leaves_dns",
        off=Off(
            "balancing.balancer:_fit",
            lambda real: (
                lambda world, node: real(
                    world.replaced(settings=evolve(world.settings, cross_zone=True)), node
                )
            ),
        ),
    ),
    Fact(
        id="A6.28",
        says="Without a healthy target those that are initial get requests too (assumed, from the minimum).",
        page="undocumented",
        test=f"{BALANCER_TESTS}a_target_group_without_healthy_targets_fails_open",
        off=Off(
            "balancing.balancer:serving",
            lambda real: (
                lambda world, targets, node: real(
                    world, [each for each in targets if each[2] != "initial"], node
                )
            ),
        ),
    ),
)

DRAIN_FACTS = (
    Fact(
        id="A7.1",
        says="The deregistration delay is 300 seconds unless set, from 0 to 3600.",
        page="elb api",
        how="parameter",
        by="Settings.deregistration_seconds",
        test=f"{GROUPS}a_shorter_delay_drains_faster",
        off=Off(
            "balancing.checks:deregister",
            lambda real: (
                lambda instance, now, settings: real(
                    instance, now, evolve(settings, deregistration_seconds=300)
                )
            ),
        ),
    ),
    Fact(
        id="A7.2a",
        says="A deregistered target gets no new request.",
        page="alb target groups",
        test=f"{HEALTH}a_draining_target_says_so",
        off=Off(
            "balancing.balancer:known",
            lambda real: (
                lambda world, name, node=0: [
                    *real(world, name, node),
                    *[
                        (each, group.name, "healthy")
                        for group in world.groups
                        for each in group.instances
                        if each.target == "draining"
                    ],
                ]
            ),
        ),
    ),
    Fact(
        id="A7.2b",
        says="It is shown as draining for the whole delay, though nothing is in flight; then it is unused.",
        page="alb attributes",
        test=f"{BALANCER_TESTS}draining_lasts_the_whole_delay",
        off=Off(
            "balancing.checks:deregister",
            lambda real: (
                lambda instance, now, settings: real(
                    instance, now, evolve(settings, deregistration_seconds=1)
                )
            ),
        ),
    ),
    Fact(
        id="A7.4",
        says="Deregister, wait until it has drained, and only then stop: the other way loses requests.",
        page="alb registering",
        test=f"{GROUPS}stopping_an_instance_before_it_has_drained_loses_requests",
        off=Off("engine:kill", lambda _: lambda world, group, name: world),  # noqa: ARG005
    ),
    Fact(
        id="A7.5",
        says="Nodes learn of a deregistration with some lag; users report up to 15 seconds and more.",
        page="undocumented",
        how="parameter",
        by="Settings.propagation",
        test=f"{NODES}a_node_goes_on_with_a_target_that_was_taken_out",
        off=Off("balancing.routing:Routing._note_what_lags", answering(value=None)),
    ),
    Fact(
        id="A7.6",
        says="A target can be registered again; an instance at once, while it drains (assumed).",
        page="alb registering",
        test=f"{GROUPS}a_draining_target_can_be_registered_again_at_once",
        off=Off(
            "balancing.balancer:change_targets",
            lambda real: (
                lambda world, group, ids, *, registered: (
                    world
                    if registered and any(each.target == "draining" for each in group.instances)
                    else real(world, group, ids, registered=registered)
                )
            ),
        ),
    ),
    Fact(
        id="A7.7a",
        says="Deregistering a target that there is not succeeds.",
        page="elb api",
        test=f"{GROUPS}a_target_has_one_port",
        off=Off(
            f"{TARGETS}_change_targets",
            lambda real: (
                lambda world, given, *, registered: real(  # noqa: ARG005
                    world, {**given, "Targets": [{"Id": "nobody"}]}, registered=True
                )
            ),
        ),
    ),
    Fact(
        id="A7.7b",
        says="An instance can be registered several times, on different ports.",
        page="elb api",
        how="not modelled",
        why="Auto Scaling registers an instance once, on the target group's port; another port is refused.",
    ),
    Fact(
        id="A7.8a",
        says="Only a running instance can be registered; others are an InvalidTarget.",
        page="elb api",
        test=f"{GROUPS}only_a_running_instance_can_be_registered",
        off=Off(f"{TARGETS}_can_register", answering(value=True)),
    ),
    Fact(
        id="A7.8b",
        says="It must be in the target group's network.",
        page="elb api",
        how="not modelled",
        why="The world has one network.",
    ),
    Fact(
        id="A7.9",
        says="An instance that is ended while registered fails requests until noticed, and is then unused.",
        page="alb health checks",
        why="Noticed by its checks (assumed).",
        test=f"{HEALTH}an_instance_that_was_ended_fails_requests_and_is_then_unused",
        off=Off(
            "balancing.checks:check",
            lambda real: (
                lambda instance, settings: real(instance.replaced(ended=False), settings).replaced(
                    ended=instance.ended
                )
            ),
        ),
    ),
    Fact(
        id="A7.10",
        says="A target group that an action names cannot be deleted: ResourceInUse.",
        page="elb api",
        test=f"{GROUPS}a_target_group_in_use_cannot_be_deleted",
        off=Off(f"{TARGETS}_in_use", answering(value=False)),
    ),
)

QUOTA_FACTS = (
    Fact(
        id="A9.1a",
        says="A target group has at most 1000 targets.",
        page="alb quotas",
        test=f"{GROUPS}a_target_group_has_at_most_a_thousand_targets",
        off=Off(f"{TARGETS}_too_many", answering(value=False)),
    ),
    Fact(
        id="A9.1b",
        says="An action names at most 5 target groups.",
        page="alb quotas",
        test=f"{GROUPS}a_forward_names_at_most_five_target_groups",
        off=Off(f"{RULES}_unfit", answering(())),
    ),
    Fact(
        id="A9.1c",
        says="Load balancers, listeners, rules and target groups of an account are limited in number.",
        page="alb quotas",
        how="not modelled",
        why="A deployment makes none of them.",
    ),
    Fact(
        id="A9.1d",
        says="A target group's name has at most 32 characters, letters, digits and inner hyphens.",
        page="elb api",
        how="not modelled",
        why="A deployment makes no target group.",
    ),
)

BALANCER: tuple[Fact, ...] = (*NODE_FACTS, *WEIGHT_FACTS, *CHECK_FACTS, *DRAIN_FACTS, *QUOTA_FACTS)
