"""Two plans of the same release, one for each routing, for tests of what users meet."""

from __future__ import annotations

from attrs import evolve

from bluegreen import Plan, SharedTargetGroup, WeightedTargetGroups, strategies

SHARED = Plan(
    service="s",
    image="ami-new",
    launch_template="exercise",
    groups=("a", "b"),
    routing=SharedTargetGroup("tg"),
    strategy=strategies.side_by_side(bake_seconds=60),
)
WEIGHTED = evolve(
    SHARED,
    routing=WeightedTargetGroups("tg-a", "tg-b"),
    strategy=strategies.canary(10, bake_seconds=300),
)
