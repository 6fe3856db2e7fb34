"""Hand-made looks at a two-group world, for tests of the pure core."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from bluegreen.core.observation import Fleet, Health, Observation, Shares, TargetHealth
from bluegreen.core.plan import Plan, SharedTargetGroup, WeightedTargetGroups
from bluegreen.core.state import Ledger, Loan, Phase, Sighting, State
from bluegreen.strategies import canary

BLUE, GREEN = "web-a", "web-b"
WEIGHTED = WeightedTargetGroups("tg-a", "tg-b")
SHARED = SharedTargetGroup("tg")


def plan(**changes: object) -> Plan:
    """A weighted canary of 10 percent, unless changed."""
    wanted: dict[str, object] = {
        "service": "web",
        "image": "ami-2",
        "launch_template": "web-template",
        "groups": (BLUE, GREEN),
        "routing": WEIGHTED,
        "strategy": canary(10, 60),
    }
    return Plan(**(wanted | changes))  # type: ignore[arg-type]


def ids(colour: str, count: int) -> tuple[str, ...]:
    """``count`` instance ids of a colour."""
    return tuple(f"i-{colour}{n}" for n in range(count))


def targets(colour: str, version: int, healthy: int = 0, **others: int) -> tuple[TargetHealth, ...]:
    """Instances: so many healthy ones, then ``unhealthy=…``, ``initial=…``, ``draining=…``."""
    verdicts = [Health.HEALTHY] * healthy
    for word, count in others.items():
        verdicts += [Health(word)] * count
    names = ids(colour, len(verdicts))
    return tuple(TargetHealth(name, version, verdict) for name, verdict in zip(names, verdicts, strict=True))


def look(
    *,
    blue: Iterable[TargetHealth] = targets("b", 1, 2),
    green: Iterable[TargetHealth] = (),
    share: int | None = 0,
    at: float = 100.0,
    **changes: object,
) -> Observation:
    """Blue with two healthy instances of version 1, green empty, unless changed.

    ``blue_…`` and ``green_…`` change a setting of that fleet; ``share`` is green's weight of 100.
    """
    blue, green = tuple(blue), tuple(green)
    fleets = []
    for colour, name, found, version in (("blue", BLUE, blue, 1), ("green", GREEN, green, 2)):
        staying = sum(1 for t in found if t.health is not Health.DRAINING)
        own = {
            key.removeprefix(f"{colour}_"): changes.pop(key)
            for key in list(changes)
            if key.startswith(f"{colour}_")
        }
        settings: dict[str, object] = {
            "min": staying,
            "max": 4,
            "desired": staying,
            "version": version,
            "attached": True,
        }
        fleets.append(Fleet(name=name, targets=found, **(settings | own)))  # type: ignore[arg-type]
    shares = None if share is None else Shares(((BLUE, 100 - share), (GREEN, share)))
    fixed: dict[str, object] = {"version": 2, "default_version": 1, "image": True}
    return Observation(at=at, fleets=tuple(fleets), shares=shares, **(fixed | changes))  # type: ignore[arg-type]


def state(phase: Phase, *, proven: int = 2, **changes: object) -> State:
    """Two of two, version 2 known, ``proven`` instances of green proven, a minute into the phase."""
    sightings = (Sighting(frozenset(ids("g", proven)), 2, 5.0),) if proven else ()
    ledger = Ledger(
        "web-1",
        (
            Loan(BLUE, "weight", 100, (90, 0)),
            Loan(GREEN, "weight", 0, (10, 100)),
            Loan(GREEN, "min", 0, (2,)),
            Loan(GREEN, "max", 4, (4,)),
            Loan(GREEN, "size", 0, (2,)),
            Loan(GREEN, "version", 1, (2,)),
        ),
    )
    base = State(
        ledger=ledger,
        at=95.0,
        wake_at=100.0,
        phase=phase,
        clock=95.0,
        since=35.0,
        blue=BLUE,
        green=GREEN,
        source=1,
        version=2,
        baseline=2,
        floor=2,
        need=2,
        attached=True,
        sightings=sightings,
    )
    return attrs.evolve(base, **changes)  # type: ignore[arg-type]
