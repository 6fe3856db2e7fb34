"""What can go wrong between the load balancer and its targets, as data."""

from __future__ import annotations

from attrs import frozen


@frozen
class HealthAnswer:
    """The application of an image answers health checks with this status code, after this time."""

    image: str
    code: int = 200
    seconds: float = 0


@frozen
class LuckyProbe:
    """The application of an image answers until a first health check has passed, and then no more."""

    image: str


@frozen
class InternalError:
    """The load balancer cannot check the targets of a group (None: of any): an error of its own."""

    group: str | None = None


@frozen
class StuckDrain:
    """Targets of a group (None: of any) are shown as draining for ever."""

    group: str | None = None


@frozen
class Flaps:
    """The application of instances of a group stops answering and comes back again and again.

    Args:
        group: The group.
        at_seconds: When it stops first.
        every_seconds: How long it is away, and then there.
        times: How often it goes.
        count: How many instances it is each time.
    """

    group: str
    at_seconds: float
    every_seconds: float
    times: int = 10
    count: int = 1


OfTargets = HealthAnswer | LuckyProbe | InternalError | StuckDrain
"""What hinders checks, or the end of a drain; it lasts throughout, or from a time on by ``During``."""
