"""How long things take: F."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from .balancer import DNS_AT_ONCE
from .fact import Fact, Off

TIMES_TESTS = "tests/sim/test_times.py::test_"


def _settings(**changes: Any) -> Any:
    """In the place of a function of instance, time and settings, the same in a world that behaves so."""
    return lambda real: (
        lambda instance, now, settings, **named: real(instance, now, evolve(settings, **changes), **named)
    )


TIMES: tuple[Fact, ...] = (
    Fact(
        id="F1.1",
        says="An instance runs 5 to 20 s after RunInstances.",
        page="undocumented",
        how="parameter",
        by="pending_seconds",
        why="Two small benchmarks saw 5 s and 16 s",
        test=TIMES_TESTS + "running_and_answering_take_what_the_menus_hold",
        off=Off("groups.launching:_menu", lambda _: lambda _seconds: (7,)),
    ),
    Fact(
        id="F1.2",
        says="It answers 5 to 60 s after that, and its application later.",
        page="undocumented",
        how="parameter",
        by="boot_seconds",
        test=TIMES_TESTS + "running_and_answering_take_what_the_menus_hold",
        off=Off("groups.lifecycle:_boot_ms", lambda _: lambda *_given: 0),
    ),
    Fact(
        id="F1.3",
        says="Start-up varies with image size, Region, type and operating system.",
        page="undocumented",
        how="not modelled",
        why="no figures were found; the menus are where yours go",
    ),
    Fact(
        id="F1.4",
        says="A volume that is read for the first time makes some boots several times as long.",
        page="undocumented",
        how="parameter",
        by="typical",
        why="The slowest fifth of its boots takes 80 s",
        test=TIMES_TESTS + "a_typical_boot_is_now_and_then_several_times_as_long",
        off=Off("times:BOOT", lambda _: (30,)),
    ),
    Fact(
        id="F1.5",
        says="EC2's status checks take a few minutes.",
        page="undocumented",
        how="not modelled",
        why="AWS names no figure; they pass as soon as the application answers",
    ),
    Fact(
        id="F1.6",
        says="An image is available after a few minutes, now and then after hours.",
        page="ec2 images",
        how="parameter",
        by="image_seconds",
        test=TIMES_TESTS + "a_lognormal_menu_has_the_median_and_the_tail_it_was_asked_for",
        off=Off("times:lognormal", lambda _: lambda median, _slowest, values=5: (median,) * values),
    ),
    Fact(
        id="F1.7",
        says="A group reacts to a changed size within a few seconds.",
        page="asg troubleshooting",
        how="parameter",
        by="react_seconds",
        test=TIMES_TESTS + "a_group_reacts_after_a_while",
        off=Off(
            "groups.launching:react",
            lambda real: (
                lambda world, group: real(
                    world.replaced(settings=evolve(world.settings, react_seconds=2)), group
                )
            ),
        ),
    ),
    Fact(
        id="F1.8",
        says="It notices a failed instance after a minute or two.",
        page="asg manual",
        how="parameter",
        by="notice_seconds",
        test=TIMES_TESTS + "a_failed_instance_is_noticed_after_a_while",
        off=Off(
            "engine:_struck",
            lambda real: (
                lambda world, each, fault: real(
                    world.replaced(settings=evolve(world.settings, notice_seconds=1)), each, fault
                )
            ),
        ),
    ),
    Fact(
        id="F1.9",
        says="Deleting a group takes a few minutes.",
        page="asg deletion",
        how="parameter",
        by="delete_seconds",
        test=TIMES_TESTS + "a_deletion_takes_a_while",
        off=Off(
            "groups.autoscaling:delete_group",
            lambda real: (
                lambda world, name, **named: real(
                    world.replaced(settings=evolve(world.settings, delete_seconds=1)), name, **named
                )
            ),
        ),
    ),
    Fact(
        id="F1.10",
        says="A new target is checked for the first time some seconds after its registration.",
        page="undocumented",
        how="parameter",
        by="first_check_seconds",
        test=TIMES_TESTS + "a_target_is_first_checked_after_a_while",
        off=Off("balancing.checks:register", _settings(first_check_seconds=1)),
    ),
    Fact(
        id="F1.11",
        says="A node learns of a registration or a deregistration some seconds later.",
        page="undocumented",
        how="parameter",
        by="propagation",
        why="Users speak of up to 15 s; Propagation.observed() has times of that size",
        test="tests/sim/test_nodes.py::test_a_node_goes_on_with_a_target_that_was_taken_out",
        off=Off("balancing.routing:Routing._note_what_lags", lambda _: lambda *_given: None),
    ),
    Fact(
        id="F1.12",
        says="A node divides by new weights some seconds after they were written.",
        page="undocumented",
        how="parameter",
        by="propagation",
        why="No figure was found",
        test=TIMES_TESTS + "a_node_divides_by_new_weights_a_little_later",
        off=Off("balancing.routing:Routing._note_what_lags", lambda _: lambda *_given: None),
    ),
    Fact(
        id="F1.13",
        says="Clients may remember the addresses of the balancer's nodes for 60 s.",
        page="elb how",
        how="parameter",
        by="Settings.dns_seconds",
        test="tests/sim/test_nodes.py::test_a_zone_whose_targets_are_all_sick_leaves_dns",
        off=DNS_AT_ONCE,
    ),
    Fact(
        id="F1.14",
        says="Automatic target weights are adjusted every 5 s.",
        page="alb attributes",
        how="not modelled",
        why="as anomaly mitigation (A2.5): no curve is published",
    ),
    Fact(
        id="F1.15",
        says="Metrics of the load balancer have a value a minute, and alarms are evaluated every minute.",
        page="alarm evaluation",
        test="tests/sim/test_alarms.py::test_alarms_are_evaluated_once_a_minute",
        off=Off("cloudwatch.metrics:MINUTE_MS", lambda _: 30_000),
    ),
    Fact(
        id="F1.16",
        says="By default a dead target is found after two checks of 30 s, a recovered one after five.",
        page="alb health checks",
        how="parameter",
        by="check_interval_seconds",
        why="Of 10 s unless set, so that examples are short",
        test=TIMES_TESTS + "a_dead_target_is_found_after_two_checks_and_a_recovered_one_after_five",
        off=Off("balancing.checks:_checks_needed", lambda _: lambda *_given: 1),
    ),
    Fact(
        id="F1.17",
        says="A target is shown as draining for 300 s unless the delay is set.",
        page="alb attributes",
        how="parameter",
        by="deregistration_seconds",
        test=TIMES_TESTS + "a_drain_lasts_as_long_as_the_delay",
        off=Off("balancing.checks:deregister", _settings(deregistration_seconds=30)),
    ),
)
