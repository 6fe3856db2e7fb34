"""How the world behaves where AWS lets one choose, or documents nothing."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal

from attrs import Attribute, Factory, field, frozen


@frozen(kw_only=True)
class Propagation:
    """How late the nodes of the balancer learn of a change; AWS documents no figure.

    Each is one time for all nodes, or several: node k has the k-th, from the first again after the last.

    Args:
        register_seconds: From a registration until a node knows the target; its checks begin then.
        deregister_seconds: Until a node sends no more requests to a target that was taken out.
        weights_seconds: Until a node divides by the weights that were written.
    """

    register_seconds: tuple[float, ...] = (0,)
    deregister_seconds: tuple[float, ...] = (0,)
    weights_seconds: tuple[float, ...] = (0,)

    @classmethod
    def observed(cls) -> Propagation:
        """Times of the size that users of AWS report: registrations take 1 to 10 s, others up to 15 s."""
        return cls(
            register_seconds=(2.5, 7.5, 5, 1, 10),
            deregister_seconds=(4, 12, 8, 1, 15),
            weights_seconds=(2, 8, 5, 0.5, 10),
        )


AT_ONCE = Propagation()


def _one_or_more(settings: Any, attribute: Attribute[Any], value: tuple[float, ...]) -> None:
    del settings
    if not value or min(value) < 0:
        raise ValueError(f"{attribute.name} = {value!r}: give one number or more, none below 0")


def _a_node_a_zone(settings: Settings, attribute: Attribute[Any], value: int) -> None:
    if value < max(1, len(settings.enabled)):
        zones = len(settings.enabled)
        raise ValueError(
            f"{attribute.name} = {value!r}: give {max(1, zones)} or more, one for each enabled zone"
        )


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
        check_interval_seconds: Between two checks of a target. ALB's default is 30.
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
            stands in the k-th enabled zone, from the first again after the last. One a zone unless given.
        cross_zone: Whether a node sends requests to the targets of all zones, or only to those of its own.
        minimum_healthy_count: With fewer healthy targets in a target group a node sends to all of it, healthy
            or not (``target_group_health.unhealthy_state_routing``). ALB's default.
        minimum_healthy_percent: The same in percent of its targets; 0 is ``off``, ALB's default.
        dns_minimum_count: With fewer healthy targets in a node's zone clients are no longer led to it
            (``target_group_health.dns_failover``). ALB's default.
        dns_minimum_percent: The same in percent of the targets; 0 is ``off``, ALB's default.
        dns_failover: Whether ``"any"`` target group of the rule that is below takes the node out of DNS, or
            only ``"all"`` together: two pages of the ALB user guide disagree.
        dns_seconds: How long clients go on with what DNS told them; the records live so long.
        propagation: How late the nodes learn of changes.
        cursor: What becomes of a round robin when a target comes or goes (undocumented); see ``Split``.
        builder_boot_seconds: From the start of a build instance until it takes commands.
        builder_stop_seconds: Until it has stopped, or ended.
        image_seconds: Until a new image is available.
    """

    react_seconds: float = 3
    pending_seconds: float | tuple[float, ...] = 15
    boot_seconds: tuple[float, ...] = (30,)
    first_check_seconds: float = 5
    check_interval_seconds: float = 10
    check_timeout_seconds: float = 5
    check_phases_seconds: tuple[float, ...] = field(default=(0,), validator=_one_or_more)
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
    nodes: int = field(
        default=Factory(lambda self: len(self.enabled), takes_self=True), validator=_a_node_a_zone
    )
    cross_zone: bool = True
    minimum_healthy_count: int = 1
    minimum_healthy_percent: int = 0
    dns_minimum_count: int = 1
    dns_minimum_percent: int = 0
    dns_failover: Literal["any", "all"] = "any"
    dns_seconds: float = 60
    propagation: Propagation = AT_ONCE
    cursor: Literal["kept", "next", "reset"] = "kept"
    builder_boot_seconds: float = 40
    builder_stop_seconds: float = 20
    image_seconds: float = 120

    @property
    def enabled(self) -> tuple[int, ...]:
        """The zones in which the balancer has nodes."""
        return tuple([zone for zone in range(self.zones) if zone not in self.disabled_zones])

    @cached_property
    def zone_of_node(self) -> tuple[int, ...]:
        """Of each node, its zone."""
        return tuple([self.enabled[node % len(self.enabled)] for node in range(self.nodes)])

    @cached_property
    def views(self) -> int:
        """How many views of a target there are: one a node, or 0 when all nodes always see the same."""
        alike = len(set(self.check_phases_seconds)) == 1 and self.check_phases_seconds[0] == 0
        return 0 if alike and self.propagation == AT_ONCE else self.nodes
