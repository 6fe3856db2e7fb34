"""How the world behaves where AWS lets one choose, or documents nothing."""

from __future__ import annotations

from typing import Literal

from attrs import frozen


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
        zones: Availability zones, numbered from 0.
        retry_seconds: Pause after a failed launch; doubled each time, up to 300 (undocumented).
        termination: Which instances a shrinking group ends: ``"oldest-version"`` and of these the oldest
            (the default policy in one zone); ``"any"``, chosen among all that can be told apart; or
            ``"each"``, chosen among all, for whoever knows more of them than the world does.
        nodes: Nodes of the balancer, each with a round robin of its own.
        cursor: What becomes of a round robin when a target comes or goes (undocumented); see ``Split``.
        builder_boot_seconds: From the start of a build instance until it takes commands.
        builder_stop_seconds: Until it has stopped, or ended.
        image_seconds: Until a new image is available; of several, one after the other.
    """

    react_seconds: float = 3
    pending_seconds: float | tuple[float, ...] = 15
    boot_seconds: tuple[float, ...] = (30,)
    first_check_seconds: float = 5
    check_interval_seconds: float = 10
    healthy_threshold: int = 5
    unhealthy_threshold: int = 2
    deregistration_seconds: float = 300
    stop_seconds: float = 10
    notice_seconds: float = 60
    replace_unhealthy: bool = False
    replace_percent: int = 10
    attach_seconds: float = 0
    delete_seconds: float = 0
    zones: int = 1
    retry_seconds: float = 15
    termination: Literal["oldest-version", "any", "each"] = "oldest-version"
    nodes: int = 1
    cursor: Literal["kept", "next", "reset"] = "kept"
    builder_boot_seconds: float = 40
    builder_stop_seconds: float = 20
    image_seconds: float | tuple[float, ...] = 120
