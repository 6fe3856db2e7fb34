"""What a decision costs, and what the look costs that it is made on, by the size of the fleets."""

from __future__ import annotations

from functools import partial
from itertools import islice

from attrs import evolve

from bluegreen.core.machine import step
from bluegreen.core.observation import Fleet, Observation, TargetHealth
from bluegreen.core.state import Phase
from bluegreen_sim import SimCloud
from bluegreen_sim.looking import Looker

from .measure import Section, medians, seconds_a_call, shown
from .worlds import SEED, Pass, canary, passes

SIZES = (2, 200, 2_000)
ROUNDS = 9
CALLS = 2_000
FRESH = 20  # looks of 2 × 2,000 new targets kept at a time


def measure() -> Section:
    """``step`` in the middle of the canary's bake, and the look before it."""
    baking = {size: _baking(size) for size in SIZES}
    same = medians({size: partial(_same, *there) for size, there in baking.items()}, ROUNDS)
    fresh = medians({size: partial(_fresh, *there) for size, there in baking.items()}, ROUNDS)
    building = medians({size: partial(_building, *there) for size, there in baking.items()}, ROUNDS)
    rows = [
        [
            f"{size:,}",
            shown(same[size] * 1e6),
            shown(same[size] / same[2]),
            shown(fresh[size] * 1e6),
            shown(fresh[size] / fresh[2]),
            shown(building[size] * 1e6),
            shown(building[size] / building[2]),
        ]
        for size in SIZES
    ]
    note = (
        "`step` in the bake of a weighted canary of 10 %, blue and green with so many instances each, in µs "
        "and relative to 2 instances. *As SimCloud gives it*: groups in which nothing changed are the very "
        "objects of the look before. *Built anew*: every fleet, target and id is another object, as from a "
        "real cloud. *Building the look*: both fleets from the simulated world, nothing remembered; the "
        f"counts that `step` decides on are made there. {ROUNDS} interleaved rounds, medians."
    )
    header = [
        "instances a colour",
        "`step`, µs",
        "ratio",
        "`step` on fleets built anew, µs",
        "ratio",
        "building the look, µs",
        "ratio",
    ]
    return Section("Deciding", note, header, rows)


def _baking(size: int) -> tuple[SimCloud, Pass]:
    """A world in the bake, and a pass there in which nothing happens."""
    cloud = SimCloud(canary(), capacity=size, traffic=0, seed=SEED)
    baking = (p for p in passes(cloud.plan, cloud) if p.state.phase is Phase.BAKE)
    found = next(islice(baking, 5, None))
    assert (found.step.signal, found.step.commands) == ("wait", ()), "a bake that only waits is measured"
    return cloud, found


def _same(cloud: SimCloud, p: Pass) -> float:
    return seconds_a_call(partial(step, cloud.plan, p.state), [p.look] * CALLS)


def _fresh(cloud: SimCloud, p: Pass) -> float:
    return seconds_a_call(partial(step, cloud.plan, p.state), [_copied(p.look) for _ in range(FRESH)])


def _building(cloud: SimCloud, _: Pass) -> float:
    return seconds_a_call(_look_anew, [cloud] * FRESH)


def _copied(look: Observation) -> Observation:
    return evolve(look, fleets=tuple(_fleet_anew(fleet) for fleet in look.fleets))


def _fleet_anew(fleet: Fleet) -> Fleet:
    targets = (TargetHealth("".join(t.id), t.version, t.health, t.reason) for t in fleet.targets)
    return evolve(fleet, targets=tuple(targets))


def _look_anew(cloud: SimCloud) -> Observation:
    return Looker().look(cloud.world, cloud.plan, "bench-1", cloud.clock.now())
