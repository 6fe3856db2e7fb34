"""How many deployments an account's API carries at once."""

from __future__ import annotations

from collections.abc import Iterator

from bluegreen.strategies import canary
from tests.crowd import Counting, Plenty, Routing, deployed

from .measure import Section, shown

STRATEGY = canary(10, bake_seconds=120)


def measure() -> Section:
    """One deployment, some and many, and many with buckets that are never empty."""
    crowds: list[tuple[str, int, Routing, Counting]] = [
        ("weighted", 1, "weighted", Counting()),
        ("weighted", 10, "weighted", Counting()),
        ("weighted", 50, "weighted", Counting()),
        ("weighted, never throttled", 50, "weighted", Plenty()),
        ("shared", 50, "shared", Counting()),
    ]
    note = (
        "`AwsCloud` deployments of different services that begin in the same moment, each in a world of its "
        "own behind `bluegreen_sim.endpoint`, in one virtual time and with one account's token buckets: of "
        "the sizes that AWS documents, Auto Scaling's taken to be like ELB's. Pauses of retries are whole "
        "powers of two here, so that who was refused together comes back together. Times are virtual."
    )
    header = [
        "deployments",
        "promoted",
        "calls",
        "throttled",
        "first ended, s",
        "last ended, s",
        "failed requests",
    ]
    return Section("Many deployments in one account", note, header, list(_rows(crowds)))


def _rows(crowds: list[tuple[str, int, Routing, Counting]]) -> Iterator[list[str]]:
    for name, count, routing, limits in crowds:
        crowd = deployed(count, STRATEGY, routings=[routing], limits=limits)
        ended = [result.ended for result in crowd.results]
        yield [
            f"{count} {name}",
            str(sum(result.ok for result in crowd.results)),
            str(limits.asked.total()),
            str(limits.refused.total()),
            shown(min(ended)),
            shown(max(ended)),
            str(crowd.failed_requests),
        ]
