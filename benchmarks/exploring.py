"""How many worlds with faults can be tried in a second."""

from __future__ import annotations

from collections import Counter
from functools import partial

from attrs import evolve

import bluegreen
from bluegreen_sim import Budget, Settings, SimCloud

from .measure import Section, medians, seconds, shown
from .worlds import canary, passes

ROUNDS = 5
WORLDS = 40
FAULTS = Budget(sick=1, dies=1, lost=1, refused=1, stale=1, blind=1)
MENU = Settings(boot_seconds=(30, 60, 90), termination="any", deregistration_seconds=30)


def measure() -> Section:
    """Random worlds, each from a seed of its own, until each has ended."""
    plans = {
        "weighted": canary(),
        "shared": evolve(
            canary(),
            routing=bluegreen.SharedTargetGroup("exercise-target-group"),
            strategy=bluegreen.strategies.side_by_side(),
        ),
    }
    played = {name: _played(plan) for name, plan in plans.items()}
    found = medians({name: partial(seconds, partial(_played, plan)) for name, plan in plans.items()}, ROUNDS)
    rows = [
        [
            name,
            str(count),
            shown(count / found[name]),
            shown(WORLDS / found[name]),
            ", ".join(f"{end} {n}" for end, n in sorted(ends.items())),
        ]
        for name, (count, ends) in played.items()
    ]
    note = (
        f"The loop without a journal over {WORLDS} worlds of 2 + 2 instances (seeds 1 to {WORLDS}), each "
        "with a fault of each of six kinds at moments that the seed chooses, and boots of 30, 60 or 90 s; "
        "no traffic. "
        f"Making the worlds is included. {ROUNDS} interleaved rounds, medians."
    )
    header = ["routing", "passes", "passes a second", "worlds a second", "ends"]
    return Section("Exploring", note, header, rows)


def _played(plan: bluegreen.Plan) -> tuple[int, Counter[str]]:
    """Passes in all, and how often each end was reached."""
    count, ends = 0, Counter[str]()
    for seed in range(1, WORLDS + 1):
        cloud = SimCloud(plan, traffic=0, seed=seed, budget=FAULTS, settings=MENU)
        every = list(passes(plan, cloud))
        count += len(every)
        ends[every[-1].step.state.phase.value] += 1
    return count, ends
