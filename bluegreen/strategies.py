"""Strategies by name. Each is only data: a ladder of rungs that could be written by hand.

The long names are those of AWS CodeDeploy (user guide, "Deployment configurations"), without the
platform's prefix: ``AllAtOnce``, ``Canary10Percent5Minutes``, ``Linear10PercentEvery1Minutes``; for Lambda
functions the last is called ``Linear10PercentEvery1Minute``.
"""

from __future__ import annotations

import re

from .core.checks import Check, flag, seconds, whole
from .core.errors import Fault, PlanError
from .core.plan import Rung, Strategy


def _judge(**given: tuple[object, Check]) -> None:
    """Refuse parameters that their checks refuse, all at once and by their own names."""
    judged = ((name, value, check(value)) for name, (value, check) in given.items())
    if faults := [Fault(name, value, remedy) for name, value, remedy in judged if remedy]:
        raise PlanError(faults)


def all_at_once(bake_seconds: int = 60, *, keep_blue_seconds: int = 0) -> Strategy:
    """Everything moves in one step.

    Args:
        bake_seconds: How long the gates are watched after the move.
        keep_blue_seconds: How long blue stays whole after that.

    Raises:
        PlanError: With every fault.
    """
    _judge(bake_seconds=(bake_seconds, seconds), keep_blue_seconds=(keep_blue_seconds, seconds))
    return Strategy(
        (Rung(percent=100, bake_seconds=bake_seconds),),
        keep_blue_seconds=keep_blue_seconds,
        name="all-at-once",
    )


def canary(
    percent: int = 10,
    bake_seconds: int = 300,
    *,
    approval: bool = False,
    last_bake_seconds: int = 60,
    keep_blue_seconds: int = 0,
) -> Strategy:
    """A small share first, then everything.

    Args:
        percent: Share of the canary, 1 to 99.
        bake_seconds: How long the canary is watched.
        approval: Whether a person must approve going on from the canary.
        last_bake_seconds: How long the gates are watched at 100 percent.
        keep_blue_seconds: How long blue stays whole after that.

    Raises:
        PlanError: With every fault.
    """
    _judge(
        percent=(percent, whole(1, 99, "percent")),
        bake_seconds=(bake_seconds, seconds),
        approval=(approval, flag),
        last_bake_seconds=(last_bake_seconds, seconds),
        keep_blue_seconds=(keep_blue_seconds, seconds),
    )
    return Strategy(
        (
            Rung(percent=percent, bake_seconds=bake_seconds, approval=approval),
            Rung(percent=100, bake_seconds=last_bake_seconds),
        ),
        keep_blue_seconds=keep_blue_seconds,
        name="canary",
    )


def linear(step_percent: int = 10, every_seconds: int = 60, *, keep_blue_seconds: int = 0) -> Strategy:
    """Equal steps, each baked for the same time; the last step is whatever is left to 100.

    Args:
        step_percent: Size of a step, 1 to 100.
        every_seconds: How long each step is watched.
        keep_blue_seconds: How long blue stays whole after the last step.

    Raises:
        PlanError: With every fault.
    """
    _judge(
        step_percent=(step_percent, whole(1, 100, "percent")),
        every_seconds=(every_seconds, seconds),
        keep_blue_seconds=(keep_blue_seconds, seconds),
    )
    return Strategy(
        tuple(
            Rung(percent=percent, bake_seconds=every_seconds)
            for percent in (*range(step_percent, 100, step_percent), 100)
        ),
        keep_blue_seconds=keep_blue_seconds,
        name="linear",
    )


def side_by_side(bake_seconds: int = 60, *, keep_blue_seconds: int = 0) -> Strategy:
    """The tutorial's: a full-size green beside the whole blue, requests alternate; then green alone.

    Args:
        bake_seconds: How long both answer side by side.
        keep_blue_seconds: How long blue stays whole after that.

    Raises:
        PlanError: With every fault.
    """
    _judge(bake_seconds=(bake_seconds, seconds), keep_blue_seconds=(keep_blue_seconds, seconds))
    return Strategy(
        (Rung(percent=50, bake_seconds=bake_seconds), Rung(percent=100)),
        keep_blue_seconds=keep_blue_seconds,
        name="side-by-side",
    )


_CANARY = re.compile(r"Canary(\d{1,3})Percent(\d{1,5})Minutes?")
_LINEAR = re.compile(r"Linear(\d{1,3})PercentEvery(\d{1,5})Minutes?")


def named(name: str) -> Strategy:
    """A strategy by CodeDeploy's name, for example ``Canary10Percent5Minutes``.

    Raises:
        PlanError: If the name is not of that form.
    """
    if name == "AllAtOnce":
        return all_at_once()
    if found := _CANARY.fullmatch(name):
        return canary(int(found[1]), int(found[2]) * 60)
    if found := _LINEAR.fullmatch(name):
        return linear(int(found[1]), int(found[2]) * 60)
    raise PlanError(
        [Fault("", name, f"{name!r} is no strategy; 'AllAtOnce', 'Canary10Percent5Minutes' or the like is")]
    )
