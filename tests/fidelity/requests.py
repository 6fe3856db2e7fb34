"""Requests: A2, A4, A5, A8, A10, what is in flight of A7, and the stickiness of weighted groups of A3."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from attrs import evolve

from .fact import Fact, Off

ALGORITHMS = "tests/sim/test_algorithms.py"
STICKINESS = "tests/sim/test_stickiness.py"
IN_FLIGHT = "tests/sim/test_in_flight.py"
METRICS = "tests/sim/test_metrics.py"


def _more_for_the_first(real: Callable[[Any], Iterator[tuple[str, int]]]) -> Any:
    return lambda self: ((name, n + 9 * (i == 0)) for i, (name, n) in enumerate(real(self)))


def _evenly(_: Any) -> Any:
    def divide(__: Any, requests: int, names: list[str], *___: Any) -> dict[str, int]:
        return {name: requests // len(names) + (i < requests % len(names)) for i, name in enumerate(names)}

    return divide


def _from_the_first(real: Any) -> Any:
    def divide(self: Any, *given: Any) -> Any:
        self._turn = 0
        return real(self, *given)

    return divide


def _slow_from_the_start(real: Any) -> Any:
    from bluegreen_sim.users.watching import Seen

    def look(self: Any, world: Any) -> Any:
        first = self._last is None
        seen = real(self, world)
        if not first:
            return seen
        everyone = tuple((each.id, world.now) for group in world.groups for each in group.instances)
        self._slow = dict(everyone)
        return evolve(seen or Seen((), (), ()), slow=everyone)

    return look


def _whoever_comes(real: Any) -> Any:
    def starting(world: Any, last: Mapping[str, Any], now: Mapping[str, Any], slow: Any) -> dict[str, int]:
        new = {
            name: world.now
            for name, each in now.items()
            if each.target == "healthy" and not (name in last and last[name].target == "healthy")
        }
        return {**real(world, last, now, slow), **new}

    return starting


def _only_once(real: Any) -> Any:
    def starting(world: Any, last: Mapping[str, Any], now: Mapping[str, Any], slow: Any) -> dict[str, int]:
        found = real(world, last, now, slow)
        return {
            name: since for name, since in found.items() if now[name].launched_at or now[name].id > "i-0002"
        }

    return starting


def _failing_over(real: Any) -> Any:
    def of_groups(self: Any, node: int, counts: Any) -> Any:
        return ((rotation, part) for rotation, part in real(self, node, counts) if rotation and rotation.size)

    return of_groups


def _answered_by_others(real: Any) -> Any:
    def became(self: Any, outcome: Any, *given: Any) -> Any:
        return real(self, (outcome[0], True, *outcome[2:]), *given)

    return became


def _of_the_balancer(real: Any) -> Any:
    return lambda self, query, *given: real(self, evolve(query, target_group=None), *given)


def _in_exact_shares(_: Any) -> Any:
    from bluegreen_sim.users.fine import Shares

    return lambda trials, weights, _: Shares().divide(trials, weights)


def _counted_as(metric: str, other: str) -> Callable[[Any], Any]:
    def wrong(real: dict[str, Any]) -> dict[str, Any]:
        from bluegreen_sim.cloudwatch.metrics import OF_ALL

        return real | {metric: OF_ALL[other]}

    return wrong


def _without_cookies(_: Any) -> Any:
    return lambda *_, **__: Counter({0: 1})


REQUESTS: tuple[Fact, ...] = (
    # ----------------------------------------------------------------------------------- routing algorithms
    Fact(
        id="A2.1",
        says="Round robin sends requests to the healthy targets evenly, one after the other.",
        page="alb attributes",
        test="tests/sim/test_traffic.py::test_everybody_gets_an_equal_part",
        off=Off("users.dataplane:Rotation.counts", _more_for_the_first),
    ),
    Fact(
        id="A2.2a",
        says="Least outstanding requests sends each request to the target with the fewest in progress.",
        page="alb attributes",
        how="parameter",
        by="algorithm",
        test=f"{ALGORITHMS}::test_a_version_that_fails_fast_draws_the_traffic",
        off=Off("users.fine:Fewest.divide", _evenly),
    ),
    Fact(
        id="A2.2b",
        says="Which of several targets with as few requests is taken is not documented.",
        page="undocumented",
        why="Assumed: the next in turn.",
        test=f"{ALGORITHMS}::test_equal_targets_take_turns_under_least_outstanding_requests",
        off=Off("users.fine:Fewest.divide", _from_the_first),
    ),
    Fact(
        id="A2.3a",
        says="Weighted random sends requests evenly to the healthy targets, in random order.",
        page="alb attributes",
        how="parameter",
        by="algorithm",
        test=f"{ALGORITHMS}::test_weighted_random_divides_as_dice_do",
        off=Off("users.fine:multinomial", _in_exact_shares),
    ),
    Fact(
        id="A2.3b",
        says="Slow start goes with round robin only; sticky sessions do not go with weighted random.",
        page="alb attributes",
        test="tests/sim/test_latency.py::test_a_wrong_argument_is_named",
        off=Off("settings:Settings.__attrs_post_init__", lambda _: lambda _: None),
    ),
    Fact(
        id="A2.4",
        says="With three healthy targets or more, those with more errors than their peers are anomalous.",
        page="alb attributes",
        how="not modelled",
        why="It changes neither health nor routing, and how many errors are too many is not published.",
    ),
    Fact(
        id="A2.5",
        says="Anomaly mitigation takes traffic from such targets, every 5 s, with weighted random only.",
        page="alb attributes",
        how="not modelled",
        why="No curve is published; any one would be invented.",
    ),
    Fact(
        id="A2.6",
        says="With mitigation on, users see fewer errors than the targets' own rate.",
        page="alb attributes",
        how="not modelled",
        why="Follows from A2.5. Without mitigation users see the very rate, as here.",
    ),
    # ------------------------------------------------------------------------ stickiness of weighted groups
    Fact(
        id="A3.7a",
        says="With group stickiness a client that has the cookie goes on to the target group named in it.",
        page="alb actions",
        how="parameter",
        by="group_stickiness_seconds",
        test=f"{STICKINESS}::test_cohorts_are_divided_as_single_sessions_are",
        off=Off("users.fine:lags", _without_cookies),
    ),
    Fact(
        id="A3.7b",
        says="Requests without the cookie follow the weights.",
        page="alb actions",
        test=f"{STICKINESS}::test_cohorts_are_divided_as_single_sessions_are",
        off=Off("users.cookies:Bound.weights", lambda _: lambda self, _: self._rules[0]),
    ),
    Fact(
        id="A3.8a",
        says="Stickiness comes before changed weights; whether also at weight 0 is not documented.",
        page="undocumented",
        why="Assumed: a cookie of a group at weight 0 is honoured, the worst case.",
        test=f"{STICKINESS}::test_a_deployment_shows_how_long_users_stay_on_blue",
        off=Off("users.cookies:Bound.weights", lambda _: lambda self, _: self._rules[-1]),
    ),
    Fact(
        id="A3.8b",
        says="A client whose target group is empty gets 503 until its cookie expires.",
        page="undocumented",
        why="Told by an answer on re:Post; the guide only says that the cookie's group is used.",
        test=f"{STICKINESS}::test_a_cookie_of_an_empty_group_gets_503_until_it_expires",
        off=Off("users.cookies:Bound.weights", lambda _: lambda self, _: self._rules[-1]),
    ),
    Fact(
        id="A3.8c",
        says="Whether each answer renews the cookie of a target group is not documented.",
        page="undocumented",
        how="parameter",
        by="cookie_refreshed",
        why="Assumed: it does, so an active client may never leave.",
        test=f"{STICKINESS}::test_cohorts_are_divided_as_single_sessions_are",
        off=Off(
            "users.fine:lags",
            lambda real: lambda who, cookie_ms, refreshed: real(who, cookie_ms, refreshed=not refreshed),
        ),
    ),
    Fact(
        id="A3.9",
        says="Targets behind a weighted rule can be sticky only if its target groups are.",
        page="alb actions",
        test=f"{STICKINESS}::test_sticky_targets_of_weighted_groups_need_sticky_groups",
        off=Off(
            "founding:found",
            lambda real: (
                lambda plan, settings, **given: real(
                    plan, settings=evolve(settings, stickiness_seconds=0), **given
                )
            ),
        ),
    ),
    Fact(
        id="A3.10",
        says="Stickiness by a cookie of the application does not work with weighted target groups.",
        page="alb attributes",
        how="not modelled",
        why="Only the load balancer's own cookie is; the application's differs in who makes it.",
    ),
    # ------------------------------------------------------------------------------------------- slow start
    Fact(
        id="A4.1",
        says="Slow start lasts 30 to 900 seconds, is off by default, and goes with round robin only.",
        page="alb attributes",
        how="parameter",
        by="slow_start_seconds",
        test="tests/sim/test_latency.py::test_a_wrong_argument_is_named",
        off=Off("settings:Settings.__attrs_post_init__", lambda _: lambda _: None),
    ),
    Fact(
        id="A4.2a",
        says="From when a target is healthy its share rises linearly over the duration.",
        page="alb attributes",
        test=f"{ALGORITHMS}::test_a_new_target_starts_slowly",
        off=Off("users.fine:ramped", lambda _: lambda _, rules: rules.slow_start_ms),
    ),
    Fact(
        id="A4.2b",
        says="A target that turns unhealthy leaves slow start, and enters it again when it recovers.",
        page="alb attributes",
        test=f"{ALGORITHMS}::test_a_target_that_recovers_starts_slowly_again",
        off=Off("users.watching:_starting", _only_once),
    ),
    Fact(
        id="A4.3",
        says="Targets that are healthy when slow start is turned on are not slowed.",
        page="alb attributes",
        test=f"{ALGORITHMS}::test_targets_that_were_healthy_before_are_not_slowed",
        off=Off("users.watching:Watch.look", _slow_from_the_start),
    ),
    Fact(
        id="A4.4",
        says="A target starts slowly only beside a healthy one that does not: a whole new group does not.",
        page="alb attributes",
        test=f"{ALGORITHMS}::test_a_whole_new_group_does_not_start_slowly",
        off=Off("users.watching:_starting", _whoever_comes),
    ),
    Fact(
        id="A4.5",
        says="Deregistering ends slow start, registering again begins it anew.",
        page="alb attributes",
        test=f"{ALGORITHMS}::test_a_target_that_is_registered_again_starts_slowly_again",
        off=Off("users.watching:_starting", _only_once),
    ),
    Fact(
        id="A4.6",
        says="The exact arithmetic of the ramp is not documented.",
        page="undocumented",
        why="Assumed: relative to the others it is the time so far by the duration, from a second on.",
        test=f"{ALGORITHMS}::test_a_share_rises_linearly",
        off=Off(
            "users.fine:ramped",
            lambda _: lambda elapsed_ms, rules: max(1, elapsed_ms**2 // max(1, rules.slow_start_ms)),
        ),
    ),
    # ---------------------------------------------------------------------------- stickiness within a group
    Fact(
        id="A5.1a",
        says="With stickiness a client goes on to the same target; off by default, 1 s to 7 days.",
        page="alb attributes",
        how="parameter",
        by="stickiness_seconds",
        test=f"{STICKINESS}::test_green_gets_new_sessions_only_while_targets_are_sticky",
        off=Off("users.fine:lags", _without_cookies),
    ),
    Fact(
        id="A5.1b",
        says="If its target is deregistered, draining or unhealthy, it gets a new one and stays with that.",
        page="alb attributes",
        test=f"{STICKINESS}::test_a_sticky_client_leaves_a_target_that_falls_ill",
        off=Off(
            "users.cookies:Homes.weights",
            lambda _: lambda self, _: Counter(dict.fromkeys(self._parts[-1], 1)),
        ),
    ),
    Fact(
        id="A5.2",
        says="WebSockets stay with their target by themselves.",
        page="alb attributes",
        how="not modelled",
        why="Users here send requests; there are no connections that outlive them.",
    ),
    Fact(
        id="A5.3",
        says="Stickiness goes neither with weighted random nor with cross-zone load balancing off.",
        page="alb attributes",
        test="tests/sim/test_latency.py::test_a_wrong_argument_is_named",
        off=Off("settings:Settings.__attrs_post_init__", lambda _: lambda _: None),
    ),
    # ------------------------------------------------------------------------------------ errors of its own
    Fact(
        id="A7.3",
        says="A request that still runs when the deregistration delay ends gets 502.",
        page="alb troubleshooting",
        test=f"{IN_FLIGHT}::test_what_outlives_the_deregistration_delay_is_cut_off",
        off=Off("users.reading:in_flight", lambda _: lambda *_: 0),
    ),
    Fact(
        id="A8.1a",
        says="A connection that the target refuses is answered with 502.",
        page="alb troubleshooting",
        test=f"{IN_FLIGHT}::test_a_closed_port_is_not_silence",
        off=Off("users.application:Manner.silence", lambda _: property(lambda _: 504)),
    ),
    Fact(
        id="A8.1b",
        says="A target that closes its connection with a request outstanding gives 502.",
        page="alb troubleshooting",
        test=f"{IN_FLIGHT}::test_a_process_that_ends_resets_its_connections",
        off=Off("users.watching:Watch._cuts", lambda _: lambda *_: ()),
    ),
    Fact(
        id="A8.1c",
        says="A request that still runs when the deregistration delay ends is answered with 502.",
        page="alb troubleshooting",
        test=f"{IN_FLIGHT}::test_what_outlives_the_deregistration_delay_is_cut_off",
        off=Off("users.reading:in_flight", lambda _: lambda *_: 0),
    ),
    Fact(
        id="A8.1d",
        says="Malformed answers, headers above 32 K and failed TLS handshakes give 502.",
        page="alb troubleshooting",
        how="not modelled",
        why="Answers have a status and a time here, no bytes.",
    ),
    Fact(
        id="A8.2",
        says="Without a registered target that is in use requests are answered with 503.",
        page="alb troubleshooting",
        test="tests/sim/test_traffic.py::test_an_empty_target_group_answers_503_and_its_neighbour_does_not_help",
        off=Off("users.dataplane:Split._of_groups", _failing_over),
    ),
    Fact(
        id="A8.3a",
        says="A target to which no connection comes about in 10 s gives 504.",
        page="alb troubleshooting",
        test=f"{IN_FLIGHT}::test_a_dead_instance_loses_what_is_in_flight",
        off=Off("users.application:Manner.silence", lambda _: property(lambda _: 502)),
    ),
    Fact(
        id="A8.3b",
        says="A target that does not answer within the idle timeout, 60 s by default, gives 504.",
        page="alb troubleshooting",
        how="parameter",
        by="idle_timeout_seconds",
        test=f"{IN_FLIGHT}::test_nothing_is_waited_for_longer_than_the_idle_timeout",
        off=Off("users.reading:Reader._late", lambda _: lambda *given: (0, given[3])),
    ),
    Fact(
        id="A8.3c",
        says="TLS handshakes that take longer than 10 s, and network ACLs, give 504 too.",
        page="alb troubleshooting",
        how="not modelled",
        why="There is no TLS and no network between the load balancer and its targets here.",
    ),
    Fact(
        id="A8.4",
        says="A client that closes before the idle timeout shows as 460.",
        page="alb troubleshooting",
        how="not modelled",
        why="How long users wait is theirs, not AWS's: here they wait as long as the load balancer does.",
    ),
    Fact(
        id="A8.5",
        says="500, 561 and 562 tell of authentication and identity providers.",
        page="alb troubleshooting",
        how="not modelled",
        why="No rule here authenticates.",
    ),
    Fact(
        id="A8.6",
        says="Codes that a target makes pass through, and count as the target's.",
        page="alb metrics",
        test=f"{METRICS}::test_errors_of_targets_and_of_the_balancer_are_counted_apart",
        off=Off(
            "cloudwatch.metrics:COUNTS", _counted_as("HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count")
        ),
    ),
    Fact(
        id="A8.7",
        says="That a failed request is tried on another target is nowhere documented.",
        page="undocumented",
        why="Assumed: it is not.",
        test="tests/sim/test_balancer.py::test_nobody_is_asked_twice_for_one_request",
        off=Off("users.reading:Reader._became", _answered_by_others),
    ),
    # ---------------------------------------------------------------------------------------------- metrics
    Fact(
        id="A10.1a",
        says="A metric without data is not reported: no errors are no data point, not a zero.",
        page="alb metrics",
        test=f"{METRICS}::test_what_did_not_happen_is_not_reported",
        off=Off("cloudwatch.metrics:Metrics._value", lambda real: lambda *given: real(*given) or 0),
    ),
    Fact(
        id="A10.1b",
        says="Metrics come in periods of 60 s.",
        page="alb metrics",
        test=f"{METRICS}::test_a_minute_is_told_when_it_is_over",
        off=Off("cloudwatch.metrics:MINUTE_MS", lambda _: 30_000),
    ),
    Fact(
        id="A10.1c",
        says="How long after its minute a metric can be read is not documented.",
        page="undocumented",
        how="parameter",
        by="metric_delay_seconds",
        test=f"{METRICS}::test_a_minute_is_told_when_it_is_over",
        off=Off(
            "cloudwatch.metrics:Metrics.__init__",
            lambda real: (
                lambda self, timeline, homes, _, since=0: real(
                    self, timeline, homes, timeline.start_ms + int(1000 * timeline.end_seconds), since
                )
            ),
        ),
    ),
    Fact(
        id="A10.1d",
        says="HealthyHostCount and UnHealthyHostCount are reported as long as targets are checked.",
        page="alb metrics",
        test=f"{METRICS}::test_hosts_are_counted_by_their_health",
        off=Off(
            "cloudwatch.metrics:HOSTS",
            lambda _: {"HealthyHostCount": "unhealthy", "UnHealthyHostCount": "healthy"},
        ),
    ),
    Fact(
        id="A10.1e",
        says="Deregistering lowers HealthyHostCount and does not raise UnHealthyHostCount.",
        page="alb health checks",
        test=f"{METRICS}::test_deregistering_a_target_makes_it_neither_healthy_nor_unhealthy",
        off=Off("cloudwatch.metrics:HOSTS", lambda real: real | {"UnHealthyHostCount": "draining"}),
    ),
    Fact(
        id="A10.1f",
        says="RequestCount has only requests for which a target was chosen.",
        page="alb metrics",
        test=f"{METRICS}::test_a_503_is_no_request_of_a_target",
        off=Off("cloudwatch.metrics:COUNTS", _counted_as("RequestCount", "HTTPCode_ELB_503_Count")),
    ),
    Fact(
        id="A10.1g",
        says="Metrics are there for each target group, so blue and green can be told apart.",
        page="alb metrics",
        test=f"{METRICS}::test_target_groups_are_told_apart",
        off=Off("cloudwatch.metrics:Metrics._value", _of_the_balancer),
    ),
    Fact(
        id="A10.1h",
        says="Whether the load balancer's own 502, 503 and 504 are told by target group was not established.",
        page="undocumented",
        why="Assumed: they are not, so nobody relies on it.",
        test=f"{METRICS}::test_errors_of_targets_and_of_the_balancer_are_counted_apart",
        off=Off("cloudwatch.metrics:COUNTS", _counted_as("HTTPCode_ELB_502_Count", "HTTPCode_ELB_502_Count")),
    ),
)
