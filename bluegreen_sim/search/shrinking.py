"""A plan and a world small enough to be searched to the end, and the words for what is smaller.

Nothing but durations changes. A bake of an hour and one of a minute have the same orders of events in them,
only more looks at which nothing is new; what matters is what can happen before, during and after.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import evolve, fields

from bluegreen.core.limits import Deadlines
from bluegreen.core.plan import Plan

from ..settings import Settings

LOOKS = {
    "preflight_seconds": 4,
    "scale_up_seconds": 12,
    "test_traffic_seconds": 4,
    "shift_seconds": 6,
    "bake_seconds": 4,
    "keep_blue_seconds": 4,
    "drain_seconds": 6,
    "clean_up_seconds": 4,
    "roll_back_seconds": 4,
    "discard_seconds": 6,
}
"""The longest deadline of each phase, in looks: time for what the phase waits for, and for two faults."""


def small_settings(plan: Plan) -> Settings:
    """A world in which everything takes a look or two.

    Args:
        plan: Its time between looks is the unit.
    """
    look = plan.limits.poll_seconds
    return Settings(
        react_seconds=0,
        pending_seconds=look,
        boot_seconds=(look, 2 * look),
        first_check_seconds=look,
        check_interval_seconds=look,
        healthy_threshold=2,
        unhealthy_threshold=2,
        deregistration_seconds=look,
        stop_seconds=look,
        notice_seconds=look,
        retry_seconds=look,
        termination="each",
    )


def small_plan(plan: Plan) -> tuple[Plan, tuple[str, ...]]:
    """The plan with its durations cut to a few looks, and a clause for each that was.

    Args:
        plan: Any plan. Percents, rungs, gates, floors and kinds stay as they are.
    """
    look = plan.limits.poll_seconds
    rungs = tuple(evolve(rung, bake_seconds=min(rung.bake_seconds, look)) for rung in plan.strategy.rungs)
    small = evolve(
        plan,
        strategy=evolve(
            plan.strategy, rungs=rungs, keep_blue_seconds=min(plan.strategy.keep_blue_seconds, look)
        ),
        retain_seconds=min(plan.retain_seconds, look),
        keep_failed_green_seconds=min(plan.keep_failed_green_seconds, look),
        limits=evolve(
            plan.limits,
            proof_looks=min(plan.limits.proof_looks, 2),
            proof_seconds=min(plan.limits.proof_seconds, look),
            settle_seconds=min(plan.limits.settle_seconds, look),
            blind_grace_seconds=min(plan.limits.blind_grace_seconds, 2 * look),
        ),
        deadlines=Deadlines(
            **{name: min(getattr(plan.deadlines, name), looks * look) for name, looks in LOOKS.items()}
        ),
    )
    return small, tuple(_clauses(plan, small))


def _clauses(plan: Plan, small: Plan) -> Iterator[str]:
    """What is smaller, in words."""
    bakes = [(a.bake_seconds, b.bake_seconds) for a, b in zip(plan.rungs, small.rungs, strict=True)]
    if any(a != b for a, b in bakes):
        yield f"bakes {', '.join(str(a) for a, _ in bakes)} → {', '.join(str(b) for _, b in bakes)} s"
    for name, one, other in (
        ("keep_blue", plan.strategy.keep_blue_seconds, small.strategy.keep_blue_seconds),
        ("retain", plan.retain_seconds, small.retain_seconds),
        ("keep_failed_green", plan.keep_failed_green_seconds, small.keep_failed_green_seconds),
        ("proof looks", plan.limits.proof_looks, small.limits.proof_looks),
        ("proof", plan.limits.proof_seconds, small.limits.proof_seconds),
        ("settle", plan.limits.settle_seconds, small.limits.settle_seconds),
        ("grace when blind", plan.limits.blind_grace_seconds, small.limits.blind_grace_seconds),
    ):
        if one != other:
            yield f"{name} {one} → {other}" + ("" if name == "proof looks" else " s")
    changed = [
        f"{field.name.removesuffix('_seconds')} {before} → {after}"
        for field in fields(Deadlines)
        if (before := getattr(plan.deadlines, field.name)) != (after := getattr(small.deadlines, field.name))
    ]
    if changed:
        yield f"deadlines (s) {', '.join(changed)}"
