"""How the world behaves where AWS lets one choose, or documents nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, Literal

import attrs
from attrs import field, frozen

from .ranges import out_of_range
from .users.application import Application


def _menu(given: float | Iterable[float]) -> tuple[float, ...]:
    """Several times, or one that was given by itself."""
    return tuple(given) if isinstance(given, Iterable) else (given,)


@frozen(kw_only=True)
class Propagation:
    """How late the nodes of the balancer learn of a change; AWS documents no figure.

    Each is one time for all nodes, or several: node k has the k-th, from the first again after the last.

    Args:
        register_seconds: From a registration until a node knows the target; its checks begin then.
        deregister_seconds: Until a node sends no more requests to a target that was taken out.
        weights_seconds: Until a node divides by the weights that were written.

    Raises:
        ValueError: If one of them is no time; all faults at once.
    """

    register_seconds: tuple[float, ...] = field(default=(0,), converter=_menu)
    deregister_seconds: tuple[float, ...] = field(default=(0,), converter=_menu)
    weights_seconds: tuple[float, ...] = field(default=(0,), converter=_menu)

    def __attrs_post_init__(self) -> None:
        """See that they are times."""
        if faults := list(out_of_range(self, {})):
            raise ValueError("; ".join(faults))

    @classmethod
    def observed(cls) -> Propagation:
        """Times of the size that users of AWS report: registrations take 1 to 10 s, others up to 15 s."""
        return cls(
            register_seconds=(2.5, 7.5, 5, 1, 10),
            deregister_seconds=(4, 12, 8, 1, 15),
            weights_seconds=(2, 8, 5, 0.5, 10),
        )


AT_ONCE = Propagation()


def _pairs(
    given: Mapping[str, Application] | Iterable[tuple[str, Application]],
) -> tuple[tuple[str, Application], ...]:
    return tuple(given.items() if isinstance(given, Mapping) else given)


_RANGES = {
    "check_interval_seconds": (1, 300),
    "check_timeout_seconds": (1, 120),
    "healthy_threshold": (1, 10),
    "unhealthy_threshold": (1, 10),
    "deregistration_seconds": (0, 3600),
    "zones": (1, 26),
    "nodes": (1, 1000),
    "minimum_healthy_count": (1, 1000),
    "dns_minimum_count": (0, 1000),
    "idle_timeout_seconds": (1, 4000),
}
"""AWS's (API reference, CreateTargetGroup, TargetGroupAttribute and LoadBalancerAttribute), but for checks:
those of a small world that is searched may come more often, and decide sooner, than AWS lets them."""

_OR_NOTHING = {
    "slow_start_seconds": (30, 900),
    "group_stickiness_seconds": (1, 604_800),
    "stickiness_seconds": (1, 604_800),
}
"""Of those that are 0 where they are not wanted."""

MATCHER = re.compile(r"[2-4]\d\d(-[2-4]\d\d)?(,[2-4]\d\d(-[2-4]\d\d)?)*")
"""Codes and ranges of codes, from 200 to 499 (API reference, Matcher)."""


def not_together(settings: Mapping[str, Any]) -> Iterator[str]:
    """What AWS does not allow together (ALB user guide, "Edit target group attributes").

    Args:
        settings: Fields of ``Settings``, by name.
    """
    algorithm = settings["algorithm"]
    if settings["slow_start_seconds"] and algorithm != "round_robin":
        yield f"slow_start_seconds: not with algorithm = {algorithm!r}, only with round robin"
    if settings["stickiness_seconds"] and algorithm == "weighted_random":
        yield "stickiness_seconds: not with algorithm = 'weighted_random'"
    if settings["stickiness_seconds"] and not settings["cross_zone"]:
        yield "stickiness_seconds: not with cross_zone = False"
    for unit in ("count", "percent"):
        out, below = settings[f"dns_minimum_{unit}"], settings[f"minimum_healthy_{unit}"]
        if 0 < out < below:
            yield f"dns_minimum_{unit} = {out}: give 0, or minimum_healthy_{unit} = {below} or more"


@frozen(kw_only=True)
class Settings:
    """How the world behaves where AWS lets one choose, or documents nothing.

    Args:
        react_seconds: From a changed size to the launch or termination (1 to 6 s in the samples of the
            EC2 Auto Scaling user guide, "Scaling activities").
        pending_seconds: From launch to running and, in an attached group, registered; of several one is
            chosen per instance.
        boot_seconds: From running until the application answers; one of these is chosen per instance.
        first_check_seconds: From registration to the first health check (undocumented).
        check_interval_seconds: Between two checks of a target. ALB's default is 30, its least 5.
        check_timeout_seconds: A check that is answered later has failed. ALB's default.
        check_phases_seconds: How much later than that a node makes its first check of a target: node k has
            the k-th, from the first again after the last (undocumented).
        matcher: Status codes that pass a check, as in ``"200"``, ``"200,202"`` or ``"200-299"``.
        healthy_threshold: Checks passed in a row by which an *unhealthy* target becomes healthy; a new
            one needs a single pass (ALB user guide, "Registered targets"). ALB's default is 5.
        unhealthy_threshold: Checks failed in a row by which a target becomes unhealthy. ALB's default.
        deregistration_seconds: How long a target is shown as draining, with or without requests in
            flight. ALB's default (ALB user guide, "Deregistration delay").
        stop_seconds: From a termination to the end of an instance that is behind no balancer.
        notice_seconds: Until a group notices that an instance failed: "a minute or two" (EC2 Auto
            Scaling user guide, "Manual scaling").
        replace_unhealthy: Whether a group replaces instances that the balancer finds unhealthy (health
            check type ELB), at once: the grace period is 0 through the API.
        replace_percent: How much of its size a group replaces at a time, at least one instance (EC2 Auto
            Scaling user guide, "Health checks").
        attach_seconds: From an attach until the instances are registered (undocumented).
        delete_seconds: From the deletion of an empty group until it is gone: "a few minutes" at AWS.
        retry_seconds: Pause after a failed launch; doubled each time, up to 300 (undocumented).
        termination: Which instances a shrinking group ends: ``"oldest-version"`` and of these the oldest
            (the default policy in one zone); ``"any"``, chosen among all that can be told apart; or
            ``"each"``, chosen among all, for whoever knows more of them than the world does.
        zones: Availability Zones of the groups, numbered from 0.
        disabled_zones: Those in which the balancer has no node, and does not use targets.
        nodes: Nodes of the balancer, each with a round robin of its own and health checks of its own; node k
            stands in the k-th enabled zone, from the first again after the last. Each enabled zone has one,
            even if that makes more.
        cross_zone: Whether a node sends requests to the targets of all zones, or only to those of its own.
        minimum_healthy_count: With fewer healthy targets in a target group a node sends to all of it, healthy
            or not (``target_group_health.unhealthy_state_routing``). ALB's default.
        minimum_healthy_percent: The same in percent of its targets; 0 is ``off``, ALB's default.
        dns_minimum_count: With fewer healthy targets in a node's zone clients are no longer led to it
            (``target_group_health.dns_failover``); 0 is ``off``. ALB's default.
        dns_minimum_percent: The same in percent of the targets; 0 is ``off``, ALB's default.
        dns_failover: Whether ``"any"`` target group of the rule that is below takes the node out of DNS, or
            only ``"all"`` together: two pages of the ALB user guide disagree.
        dns_seconds: How long clients go on with what DNS told them; the records live so long.
        propagation: How late the nodes learn of changes.
        cursor: What becomes of a round robin when a target comes or goes (undocumented); see ``Split``.
        applications: What the applications of images are like, by image; others answer rightly and at once.
            Images may be among them that there will be later.
        algorithm: How the targets of a target group take turns (``load_balancing.algorithm.type``).
        division: How weights divide: ``"exact"``, or ``"random"`` for each request (undocumented).
        slow_start_seconds: How long the share of a new target rises, 30 to 900; 0 for not at all. The ramp
            is linear; its exact arithmetic is undocumented.
        group_stickiness_seconds: How long a client stays with the target group that its cookie names, 1 to
            604,800; 0 for no stickiness. It concerns the sessions of ``Traffic.with_sessions``.
        stickiness_seconds: The same of a single target (``lb_cookie``).
        cookie_refreshed: Whether each answer renews the cookie of a target group (undocumented).
        idle_timeout_seconds: How long an answer may take, 1 to 4,000.
        metric_delay_seconds: How long after its minute a metric can be read (undocumented).
        builder_boot_seconds: From the start of a build instance until it takes commands.
        builder_stop_seconds: Until it has stopped, or ended.
        image_seconds: Until a new image is available; of several, one after the other.

    Raises:
        ValueError: If a setting is none, or out of its range, or AWS does not allow two of them together;
            all faults at once.
    """

    react_seconds: float = 3
    pending_seconds: float | tuple[float, ...] = 15
    boot_seconds: tuple[float, ...] = field(default=(30,), converter=_menu)
    first_check_seconds: float = 5
    check_interval_seconds: float = 10
    check_timeout_seconds: float = 5
    check_phases_seconds: tuple[float, ...] = field(default=(0,), converter=_menu)
    matcher: str = "200"
    healthy_threshold: int = 5
    unhealthy_threshold: int = 2
    deregistration_seconds: float = 300
    stop_seconds: float = 10
    notice_seconds: float = 60
    replace_unhealthy: bool = False
    replace_percent: int = 10
    attach_seconds: float = 0
    delete_seconds: float = 0
    retry_seconds: float = 15
    termination: Literal["oldest-version", "any", "each"] = "oldest-version"
    zones: int = 1
    disabled_zones: tuple[int, ...] = ()
    nodes: int = 1
    cross_zone: bool = True
    minimum_healthy_count: int = 1
    minimum_healthy_percent: int = 0
    dns_minimum_count: int = 1
    dns_minimum_percent: int = 0
    dns_failover: Literal["any", "all"] = "any"
    dns_seconds: float = 60
    propagation: Propagation = AT_ONCE
    cursor: Literal["kept", "next", "reset"] = "kept"
    applications: tuple[tuple[str, Application], ...] = field(default=(), converter=_pairs)
    algorithm: Literal["round_robin", "least_outstanding_requests", "weighted_random"] = "round_robin"
    division: Literal["exact", "random"] = "exact"
    slow_start_seconds: int = 0
    group_stickiness_seconds: int = 0
    stickiness_seconds: int = 0
    cookie_refreshed: bool = True
    idle_timeout_seconds: int = 60
    metric_delay_seconds: int = 0
    builder_boot_seconds: float = 40
    builder_stop_seconds: float = 20
    image_seconds: float | tuple[float, ...] = 120

    def __attrs_post_init__(self) -> None:
        """See that it can be, and that AWS would allow it."""
        # What is out of its range, or no number at all, cannot be compared with others.
        faults = list(out_of_range(self, _RANGES))
        if not faults:
            faults = [*self._single(), *not_together(attrs.asdict(self, recurse=False))]
        if faults:
            raise ValueError("; ".join(faults))

    def _single(self) -> Iterator[str]:
        for name, (least, most) in _OR_NOTHING.items():
            value = getattr(self, name)
            if value and not least <= value <= most:
                yield f"{name} = {value!r}: give 0, or {least} to {most}"
        if not MATCHER.fullmatch(self.matcher):
            yield f"matcher = {self.matcher!r}: give codes of 200 to 499, as in '200', '200,202' or '200-299'"
        if not (self.enabled and set(self.disabled_zones) <= set(range(self.zones))):
            yield f"disabled_zones = {self.disabled_zones!r}: give some of 0 to {self.zones - 1}, not all"

    @property
    def enabled(self) -> tuple[int, ...]:
        """The zones in which the balancer has nodes."""
        return tuple([zone for zone in range(self.zones) if zone not in self.disabled_zones])

    @property
    def node_count(self) -> int:
        """How many nodes the balancer has."""
        return max(self.nodes, len(self.enabled))

    @cached_property
    def zone_of_node(self) -> tuple[int, ...]:
        """Of each node, its zone."""
        return tuple([self.enabled[node % len(self.enabled)] for node in range(self.node_count)])

    @cached_property
    def views(self) -> int:
        """How many views of a target there are: one a node, or 0 when all nodes always see the same."""
        alike = len(set(self.check_phases_seconds)) == 1 and self.check_phases_seconds[0] == 0
        return 0 if alike and self.propagation == AT_ONCE else self.node_count
