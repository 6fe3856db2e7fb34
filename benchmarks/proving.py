"""How many states a search visits in a second: of a model of a few lines, and of the product itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import bluegreen
from bluegreen_sim import Budget, explore
from bluegreen_sim.search.explorer import digest, search

from .measure import Section, medians, seconds, shown
from .worlds import canary

ROUNDS = 3
SIDE, FAULTS = 32, 8

Counts = tuple[int, int, int, int, int, int, int, int, int]
"""Phase; blue serving, failed, draining; green starting, serving, failed; weight; faults left."""


def measure() -> Section:
    """The model through the explorer, and two plans through ``explore``."""
    side = bluegreen.Plan(
        service="exercise",
        image="ami-0beta",
        launch_template="exercise-launch-template",
        groups=("exercise-group-blue", "exercise-group-green"),
        routing=bluegreen.SharedTargetGroup("exercise-target-group"),
        strategy=bluegreen.strategies.side_by_side(bake_seconds=60),
    )
    kinds = Budget(sick=2, lost=1, stale=1, crashes=1, acts=1)
    start = (0, SIDE, 0, 0, 0, 0, 0, 0, FAULTS)
    subjects: dict[str, Callable[[], Any]] = {
        "counts, digests": partial(search, [start], model, key=digest),
        "counts, tuples as keys": partial(search, [start], model, key=_itself),
        "README's plan, 2 instances, any 2 faults": partial(explore, side, 2, 2),
        "weighted canary, 1 instance, five kinds": partial(explore, canary(), 1, kinds, healing=False),
    }
    found = {name: run() for name, run in subjects.items()}
    times = medians({name: partial(seconds, run) for name, run in subjects.items()}, ROUNDS)
    rows = [
        [
            name,
            f"{found[name].states:,}",
            f"{found[name].edges:,}",
            shown(found[name].states / times[name]),
            shown(found[name].edges / times[name]),
            str(found[name].bytes_per_state),
        ]
        for name in subjects
    ]
    note = (
        "*Counts*: a deployment of 32 a side with 8 faults, as counts, the model that other checkers were "
        "measured with. The others are the product's `step`, guard and simulated world, each answer worked "
        f"out once in a search, begun with nothing remembered. {ROUNDS} interleaved rounds, medians."
    )
    header = ["space", "states", "steps", "states a second", "steps a second", "bytes a state"]
    return Section("Proving", note, header, rows)


def _itself(state: Counts) -> Counts:
    return state


def model(state: Counts) -> Iterator[tuple[str, Counts]]:
    """All that can happen next."""
    phase, bs, bf, bd, gp, gs, gf, weight, left = state
    if gp:
        yield "starts", (phase, bs, bf, bd, gp - 1, gs + 1, gf, weight, left)
    if left:
        if gp:
            yield "start fails", (phase, bs, bf, bd, gp - 1, gs, gf + 1, weight, left - 1)
        if gs:
            yield "green fails", (phase, bs, bf, bd, gp, gs - 1, gf + 1, weight, left - 1)
        if bs:
            yield "blue fails", (phase, bs - 1, bf + 1, bd, gp, gs, gf, weight, left - 1)
    if gf and phase < 4:
        yield "replaced", (phase, bs, bf, bd, gp + 1, gs, gf - 1, weight, left)
    if bf:
        yield "recovers", (phase, bs + 1, bf - 1, bd, gp, gs, gf, weight, left)
    if bd:
        yield "drained", (phase, bs, bf, bd - 1, gp, gs, gf, weight, left)
    yield from _deciding(state)


def _deciding(state: Counts) -> Iterator[tuple[str, Counts]]:
    """What the deployment may do next."""
    phase, bs, bf, bd, gp, gs, gf, weight, left = state
    if phase == 0 and gp + gs + gf < SIDE:
        yield "launch", (0, bs, bf, bd, gp + 1, gs, gf, weight, left)
    if phase == 0 and gs == SIDE:
        yield "ready", (1, bs, bf, bd, gp, gs, gf, weight, left)
    if phase == 1 and weight < 4 and gs >= SIDE - 1:
        yield "shift", (1, bs, bf, bd, gp, gs, gf, weight + 1, left)
    if phase == 1 and weight == 4:
        yield "commit", (2, bs, bf, bd, gp, gs, gf, weight, left)
    if phase == 1 and gf >= 2:
        yield "turn back", (4, bs, bf, bd, gp, gs, gf, weight, left)
    if phase == 2 and bs and gs >= SIDE - FAULTS:
        yield "drain", (2, bs - 1, bf, bd + 1, gp, gs, gf, weight, left)
    if phase == 2 and bf:
        yield "drain", (2, bs, bf - 1, bd + 1, gp, gs, gf, weight, left)
    if phase == 2 and not (bs or bf or bd):
        yield "promoted", (3, bs, bf, bd, gp, gs, gf, weight, left)
    if phase == 4:
        yield from _going_back(state)


def _going_back(state: Counts) -> Iterator[tuple[str, Counts]]:
    """The way back: weight first, then instances."""
    phase, bs, bf, bd, gp, gs, gf, weight, left = state
    if weight:
        yield "shift back", (phase, bs, bf, bd, gp, gs, gf, weight - 1, left)
        return
    if gs:
        yield "end", (phase, bs, bf, bd, gp, gs - 1, gf, 0, left)
    if gp:
        yield "end", (phase, bs, bf, bd, gp - 1, gs, gf, 0, left)
    if gf:
        yield "end", (phase, bs, bf, bd, gp, gs, gf - 1, 0, left)
    if not (gp or gs or gf):
        yield "rolled back", (5, bs, bf, bd, gp, gs, gf, 0, left)
