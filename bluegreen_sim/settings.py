"""How the world behaves where AWS lets one choose, or documents nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from attrs import field, frozen

from .application import Application


def _pairs(
    given: Mapping[str, Application] | Iterable[tuple[str, Application]],
) -> tuple[tuple[str, Application], ...]:
    return tuple(given.items() if isinstance(given, Mapping) else given)


@frozen(kw_only=True)
class Settings:
    """How the world behaves where AWS lets one choose, or documents nothing.

    Args:
        react_seconds: From a changed size to the launch or termination (1 to 6 s in the samples of the
            EC2 Auto Scaling user guide, "Scaling activities").
        pending_seconds: From launch to running and, in an attached group, registered.
        boot_seconds: From running until the application answers; one of these is chosen per instance.
        first_check_seconds: From registration to the first health check (undocumented).
        check_interval_seconds: Between two checks of a target. ALB's default is 30.
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
        retry_seconds: Pause after a failed launch; doubled each time, up to 300 (undocumented).
        termination: Which instances a shrinking group ends: ``"oldest-version"`` and of these the oldest
            (the default policy in one zone); ``"any"``, chosen among all that can be told apart; or
            ``"each"``, chosen among all, for whoever knows more of them than the world does.
        nodes: Nodes of the balancer, each with a round robin of its own.
        cursor: What becomes of a round robin when a target comes or goes (undocumented); see ``Split``.
        applications: What the applications of images are like, by image; others answer rightly and at once.
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
        image_seconds: Until a new image is available.

    Raises:
        ValueError: If a setting is out of AWS's range, or AWS does not allow two of them together; all
            faults at once.
    """

    react_seconds: float = 3
    pending_seconds: float = 15
    boot_seconds: tuple[float, ...] = (30,)
    first_check_seconds: float = 5
    check_interval_seconds: float = 10
    healthy_threshold: int = 5
    unhealthy_threshold: int = 2
    deregistration_seconds: float = 300
    stop_seconds: float = 10
    notice_seconds: float = 60
    replace_unhealthy: bool = False
    retry_seconds: float = 15
    termination: Literal["oldest-version", "any", "each"] = "oldest-version"
    nodes: int = 1
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
    image_seconds: float = 120

    def __attrs_post_init__(self) -> None:
        """See that AWS would allow it (ALB user guide, "Edit target group attributes")."""
        faults = [
            f"{name} = {value!r}: give 0, or {least} to {most}"
            for name, value, least, most in (
                ("slow_start_seconds", self.slow_start_seconds, 30, 900),
                ("group_stickiness_seconds", self.group_stickiness_seconds, 1, 604_800),
                ("stickiness_seconds", self.stickiness_seconds, 1, 604_800),
            )
            if value and not least <= value <= most
        ]
        if not 1 <= self.idle_timeout_seconds <= 4_000:
            faults.append(f"idle_timeout_seconds = {self.idle_timeout_seconds!r}: give 1 to 4000")
        if self.slow_start_seconds and self.algorithm != "round_robin":
            faults.append(
                f"slow_start_seconds: not with algorithm = {self.algorithm!r}, only with round robin"
            )
        if self.stickiness_seconds and self.algorithm == "weighted_random":
            faults.append("stickiness_seconds: not with algorithm = 'weighted_random'")
        if faults:
            raise ValueError("; ".join(faults))
