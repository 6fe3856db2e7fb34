"""What AWS tells of a group that was given up: its last activities, and its instances' consoles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..core.evidence import Console, Evidence
from ..core.text import escaped, redacted
from . import console
from .errors import AwsError, words
from .routing import Raw

if TYPE_CHECKING:
    from .clients import Services

ACTIVITIES = 10
LONGEST = 300
"""Characters of an activity, or of a line of a console, that are kept: both come from outside."""


def evidence(read: Services, fleet: str, instances: Sequence[str], lines: int) -> Evidence:
    """What the group leaves behind; only reads.

    Args:
        read: Clients that only read.
        fleet: The group's name.
        instances: Whose consoles are read; of an instance that has ended, EC2 knows it for about an hour.
        lines: How many of each console's last lines are kept.
    """
    activities: tuple[str, ...] = ()
    consoles: list[Console] = []
    unread: list[str] = []
    try:
        answer = read.autoscaling.describe_scaling_activities(
            AutoScalingGroupName=fleet, MaxRecords=ACTIVITIES
        )
        activities = tuple(_told(activity) for activity in answer["Activities"])
    except AwsError as error:
        unread.append(f"activities ({words(error)})")
    for instance in instances:
        try:
            written = console.output(read, instance).splitlines()
        except AwsError as error:
            unread.append(f"console of {instance} ({words(error)})")
            continue
        kept = [line for line in written if line.strip()][-lines:]
        consoles.append(Console(instance, tuple(escaped(redacted(line), LONGEST) for line in kept)))
    return Evidence(fleet=fleet, activities=activities, consoles=tuple(consoles), unread=tuple(unread))


def _told(activity: Raw) -> str:
    """One activity: when, how it ended, what it was, and AWS's words for why it failed."""
    began = activity.get("StartTime")
    at = began.strftime("%H:%M:%SZ") if began is not None else ""
    parts = (at, activity.get("StatusCode"), activity.get("Description"), activity.get("StatusMessage"))
    return escaped(": ".join(str(part) for part in parts if part), LONGEST)
