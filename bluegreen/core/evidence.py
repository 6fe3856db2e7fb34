"""What a green that was given up leaves behind: for people, nothing is decided on it."""

from __future__ import annotations

from attrs import frozen

from .observation import Fleet, Health


@frozen
class Console:
    """What an instance wrote last on its console.

    Args:
        instance: Its id.
        lines: The last lines, each with its control characters escaped.
    """

    instance: str
    lines: tuple[str, ...]


@frozen(kw_only=True)
class Evidence:
    """Why a green failed, as far as the cloud tells.

    Args:
        fleet: Green's name.
        targets: Each instance that was not healthy when the deployment turned back, with the reason code.
        activities: The group's last scaling activities in the cloud's words, the newest first.
        consoles: What its instances wrote, of those that the plan asks for.
        unread: What could not be read, and why.
    """

    fleet: str
    targets: tuple[str, ...] = ()
    activities: tuple[str, ...] = ()
    consoles: tuple[Console, ...] = ()
    unread: tuple[str, ...] = ()


def sick(fleet: Fleet | None) -> tuple[str, ...]:
    """A clause for each instance that was not healthy: its id, state and reason."""
    return tuple(
        f"{target.id}: {target.health.value}" + (f" ({target.reason})" if target.reason else "")
        for target in (fleet.targets if fleet else ())
        if target.health is not Health.HEALTHY
    )


def asked_first(fleet: Fleet | None) -> tuple[str, ...]:
    """Ids of the instances, those with a bad verdict first, then those without one."""
    order = (Health.UNHEALTHY, Health.INITIAL, Health.UNKNOWN, Health.DRAINING, Health.HEALTHY)
    targets = sorted(fleet.targets if fleet else (), key=lambda target: order.index(target.health))
    return tuple(target.id for target in targets)
