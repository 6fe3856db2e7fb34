"""How much faster than real time a whole deployment is simulated."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import bluegreen
from bluegreen_sim import SimCloud, tutorial

from .measure import Section, medians, seconds, shown
from .worlds import SEED, canary, passes

ROUNDS = 5
Make = Callable[[], tuple[bluegreen.Plan, SimCloud]]


def measure() -> Section:
    """The tutorial and the canary in three sizes, with and without a journal."""
    worlds: dict[str, Make] = {
        "tutorial, 2 + 2": tutorial,
        **{f"canary 10 %, {size:,} + {size:,}": partial(_canary, size) for size in (2, 100, 1_000)},
    }
    runs = {name: _played(make) for name, make in worlds.items()}
    pure = medians({name: partial(_pure, make) for name, make in worlds.items()}, ROUNDS)
    full = medians({name: partial(_full, make) for name, make in worlds.items()}, ROUNDS)
    rows = [
        [
            name,
            f"{simulated:,.0f}",
            str(count),
            shown(pure[name] * 1e3),
            shown(simulated / pure[name]),
            shown(full[name] * 1e3),
            shown(simulated / full[name]),
        ]
        for name, (simulated, count) in runs.items()
    ]
    note = (
        "From preflight to `promoted`: default times, 100 requests a second, the world made beforehand. "
        "*Loop*: `observe`, `step`, `carry_out`, sleep, and nothing else. *Deployment*: "
        "`bluegreen.Deployment(plan, cloud).run()` with a `MemoryJournal`, every record sealed and chained. "
        f"Reading the timeline is not included. {ROUNDS} interleaved rounds, medians."
    )
    header = [
        "deployment",
        "simulated s",
        "passes",
        "loop, ms",
        "× real time",
        "Deployment, ms",
        "× real time",
    ]
    return Section("Whole deployments", note, header, rows)


def _canary(size: int) -> tuple[bluegreen.Plan, SimCloud]:
    plan = canary()
    return plan, SimCloud(plan, capacity=size, traffic=100, seed=SEED)


def _played(make: Make) -> tuple[float, int]:
    """Simulated seconds and passes, both loops agreeing."""
    plan, cloud = make()
    result = bluegreen.Deployment(plan, cloud).run()
    result.raise_unless_promoted()
    again = sum(1 for _ in passes(*make()))
    assert again == len(result.history), "both loops make the same passes"
    return result.ended - result.started, again


def _pure(make: Make) -> float:
    plan, cloud = make()
    return seconds(lambda: sum(1 for _ in passes(plan, cloud)))


def _full(make: Make) -> float:
    plan, cloud = make()
    return seconds(bluegreen.Deployment(plan, cloud, journal=bluegreen.MemoryJournal()).run)
