"""What a group can be told about itself, and what it remembers of its instances.

The words are those of the EC2 Auto Scaling API reference: health check type, lifecycle hooks, termination
policies, suspended processes, scaling policies, scheduled actions.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Literal

from attrs import evolve, frozen

from ..ranges import Range, out_of_range

PROCESSES = (
    "AddToLoadBalancer",
    "AlarmNotification",
    "AZRebalance",
    "HealthCheck",
    "InstanceRefresh",
    "Launch",
    "ReplaceUnhealthy",
    "ScheduledActions",
    "Terminate",
)
"""All that can be suspended (EC2 Auto Scaling API reference, ScalingProcessQuery)."""

OWN_SCALING = ("AlarmNotification", "ScheduledActions")
"""By these a group changes its own size."""

Result = Literal["ABANDON", "CONTINUE"]
Policy = Literal[
    "Default",
    "OldestInstance",
    "NewestInstance",
    "OldestLaunchTemplate",
    "OldestLaunchConfiguration",
    "ClosestToNextInstanceHour",
    "AllocationStrategy",
]
_RANGES: dict[str, Range] = {
    "timeout_seconds": (30, 7200),
    "target": (1e-6, 10**9),
    "requests_at_full": (1e-6, 10**9),
    "threshold": (-(10**9), 10**9),
    "steps": (-(10**9), 10**9),
    "healthy_percent": (0, 200),
}


class Told:
    """What somebody tells a group: refused when a value is none, or out of AWS's range."""

    __slots__ = ()

    def __attrs_post_init__(self) -> None:
        """See that AWS would allow it."""
        if faults := list(out_of_range(self, _RANGES)):
            raise ValueError("; ".join(faults))


@frozen
class Hook(Told):
    """A lifecycle hook: an instance waits at launch, or before its end, until it is told to go on.

    Args:
        name: Its name.
        at: Whether it holds launches or terminations.
        timeout_seconds: How long it waits without a heartbeat, 30 to 7200.
        default: What follows when nobody said anything in time.
        done_seconds: When somebody says CONTINUE, after so many seconds of waiting; None: nobody ever does.

    Raises:
        ValueError: If a value is none of these; all faults at once.
    """

    name: str
    at: Literal["launch", "terminate"] = "launch"
    timeout_seconds: float = 3600
    default: Result = "ABANDON"
    done_seconds: float | None = None


@frozen
class TargetTracking(Told):
    """A policy that keeps a metric near a value.

    Args:
        name: Its name.
        metric: ``requests``, a minute for each instance (ALBRequestCountPerTarget), or ``cpu``, percent of
            what an instance can do, by ``requests_at_full`` (ASGAverageCPUUtilization).
        target: The value to keep.
        scales_in: Whether it may make the group smaller too.
        requests_at_full: Requests a second that keep an instance fully busy; only ``cpu`` asks for it.

    Raises:
        ValueError: If a value is none of these; all faults at once.
    """

    name: str
    metric: Literal["requests", "cpu"] = "requests"
    target: float = 1000
    scales_in: bool = True
    requests_at_full: float = 100


@frozen
class StepScaling(Told):
    """A policy that moves the size by steps while its alarm is in breach.

    Args:
        name: Its name.
        metric: As with ``TargetTracking``.
        threshold: What the alarm compares with.
        above: Whether it is in breach above the threshold, or below it.
        steps: (from, change): how far beyond the threshold each step begins, the nearest first, and what is
            added to the size there.
        requests_at_full: As with ``TargetTracking``.

    Raises:
        ValueError: If a value is none of these; all faults at once.
    """

    name: str
    metric: Literal["requests", "cpu"] = "requests"
    threshold: float = 1000
    above: bool = True
    steps: tuple[tuple[float, int], ...] = ((0, 1),)
    requests_at_full: float = 100


@frozen(kw_only=True, cache_hash=True)
class Scaling(Told):
    """What a group is told besides its sizes and its template version.

    Args:
        checks: Health check type: with ``ELB`` the balancer's verdict counts too; None: as
            ``Settings.replace_unhealthy`` says.
        grace_seconds: For how long after it came in service an instance is not judged by the balancer; 0
            unless set through the API.
        warmup_seconds: How long a new instance does not count for pacing and scaling; None: not set.
        cooldown_seconds: Pause between simple changes of the size.
        hooks: Lifecycle hooks.
        protects_new: Whether new instances are protected from scale-in.
        termination: Termination policies, in the order in which they decide.
        zones: Numbers of the zones that it launches into; empty: all.
        healthy_percent: (smallest, largest) part of the wanted size that is kept while instances are
            replaced (InstanceMaintenancePolicy); None: ends first, a tenth at a time.
        deletion: Deletion protection.
        policies: Scaling policies.

    Raises:
        ValueError: If a value is none of these; all faults at once.
    """

    checks: Literal["EC2", "ELB"] | None = None
    grace_seconds: float = 0
    warmup_seconds: float | None = None
    cooldown_seconds: float = 300
    hooks: tuple[Hook, ...] = ()
    protects_new: bool = False
    termination: tuple[Policy, ...] = ("Default",)
    zones: tuple[int, ...] = ()
    healthy_percent: tuple[int, int] | None = None
    deletion: Literal["none", "prevent-force-deletion", "prevent-all-deletion"] = "none"
    policies: tuple[TargetTracking | StepScaling, ...] = ()

    def hooked(self, at: Literal["launch", "terminate"]) -> tuple[Hook, ...]:
        """The hooks that hold launches, or terminations."""
        return tuple(hook for hook in self.hooks if hook.at == at)


PLAIN = Scaling()
"""A group that was told nothing."""


@frozen(order=True)
class Wait:
    """An instance waiting at a hook.

    Args:
        hook: Its name.
        until: When the wait is over, in milliseconds of world time.
        latest: Past this no heartbeat prolongs it: 48 hours, or 100 timeouts.
        result: What follows then.
    """

    hook: str
    until: int
    latest: int
    result: Result = "ABANDON"


@frozen(order=True)
class Standing:
    """How an instance stands with its group, besides its life.

    Args:
        unhealthy: Whether the group holds it for unhealthy, and will replace it.
        protected: Whether it is protected from scale-in.
        stale: Whether an instance refresh will replace it.
        grace_until: Until when the balancer's verdict does not count, in milliseconds of world time.
        warm_at: When it counts as warm.
        waits: The hooks that it waits at.
    """

    unhealthy: bool = False
    protected: bool = False
    stale: bool = False
    grace_until: int = 0
    warm_at: int = 0
    waits: tuple[Wait, ...] = ()

    def key(self, now: int) -> tuple[Hashable, ...]:
        """What the future depends on, with times relative to ``now``."""
        return (
            *(self.unhealthy, self.protected, self.stale),
            *(max(0, self.grace_until - now), max(0, self.warm_at - now)),
            tuple((wait.hook, wait.until - now, wait.latest - now, wait.result) for wait in self.waits),
        )

    def rebased(self, now: int) -> Standing:
        """The same with times relative to ``now``."""
        waits = tuple(Wait(w.hook, w.until - now, w.latest - now, w.result) for w in self.waits)
        grace_until, warm_at = max(0, self.grace_until - now), max(0, self.warm_at - now)
        return evolve(self, grace_until=grace_until, warm_at=warm_at, waits=waits)


NEW = Standing()
"""An instance of which a group has nothing to remember."""


@frozen
class Activity:
    """Something that a group did, or failed to do, and that is over (DescribeScalingActivities).

    Args:
        kind: ``launch`` or ``end`` of an instance.
        instance: Its id; none when it was never there.
        started_at: When it began, in milliseconds of world time.
        ended_at: When it was over.
        code: ``Successful``, ``Failed`` or ``Cancelled``.
        said: Why, in AWS's words.
    """

    kind: Literal["launch", "end"]
    instance: str
    started_at: int
    ended_at: int
    code: Literal["Successful", "Failed", "Cancelled"] = "Successful"
    said: str = ""
