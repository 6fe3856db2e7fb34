"""What speaks against green: red gates, and a green that cannot carry its share."""

from __future__ import annotations

import attrs
import pytest

from bluegreen.core.gates import Alarm, Hook
from bluegreen.core.observation import GateReading, Health, Observation, Reading, TargetHealth
from bluegreen.core.plan import Rung, Strategy
from bluegreen.core.state import Phase, State
from bluegreen.core.verdict import falls_short, last_reds, red_gates, shortfall
from bluegreen.strategies import canary
from tests.core.looks import GREEN, SHARED, look, plan, state, targets

BAKE, FOUR = state(Phase.BAKE), {"need": 4, "floor": 4, "baseline": 4}
SHARED_PLAN = {"routing": SHARED, "strategy": canary(50, 60)}
LADDER = {"routing": SHARED, "strategy": Strategy((Rung(percent=20), Rung(percent=50), Rung(percent=100)))}
HALF, SECOND = state(Phase.BAKE, **FOUR), state(Phase.SHIFT, rung=1, **FOUR)
HUNDRED = state(Phase.BAKE, need=100, floor=3, baseline=100)
CANNOT = "green cannot carry its share: "


def green(
    healthy: int, unhealthy: int = 0, initial: int = 0, share: int | None = None, **more: object
) -> Observation:
    """A green of so many."""
    found = targets("g", 2, healthy, unhealthy=unhealthy, initial=initial)
    return look(green=found, share=share, **more)  # type: ignore[arg-type]


# (plan, state, look, whether green carries its share)
CARRIES: list[tuple[dict[str, object], State, Observation, bool]] = [
    ({}, BAKE, green(2, share=100), True),
    ({}, BAKE, green(1, initial=1, share=100), False),
    ({}, BAKE, green(1, share=50), True),
    ({}, BAKE, green(1, share=51), False),
    ({}, BAKE, green(0, initial=2, share=10), False),
    ({}, BAKE, green(0, initial=2, share=0), True),
    ({}, BAKE, green(0, initial=2), True),
    ({}, attrs.evolve(BAKE, floor=0), green(0, initial=2, share=10), False),
    ({}, attrs.evolve(BAKE, floor=0), green(1, share=100), True),
    (SHARED_PLAN, HALF, green(0, initial=4), True),
    (SHARED_PLAN, HALF, green(2, 1), True),
    (SHARED_PLAN, HALF, green(1, 1), False),
    (SHARED_PLAN, HALF, green(1, 2), False),
    (SHARED_PLAN, HALF, green(1, initial=3), True),
    (SHARED_PLAN, HALF, green(0, 2, green_attached=False), True),
    (SHARED_PLAN, attrs.evolve(HALF, floor=0), green(0, 1), False),
    (SHARED_PLAN, attrs.evolve(HALF, floor=0), green(1, 1), True),
    (SHARED_PLAN, attrs.evolve(HALF, baseline=0), green(1, 1), True),
    (SHARED_PLAN, HUNDRED, green(1, 1), False),
    (SHARED_PLAN, HUNDRED, green(2, 1), True),
    ({"routing": SHARED, "strategy": canary(3)}, attrs.evolve(HUNDRED, floor=67), green(2, 1), False),
    ({"routing": SHARED, "strategy": canary(3)}, attrs.evolve(HUNDRED, floor=66), green(2, 1), True),
    (SHARED_PLAN, attrs.evolve(HALF, rung=1), green(3, 1), False),
    (SHARED_PLAN, attrs.evolve(HALF, rung=1), green(4, 1), True),
    (LADDER, SECOND, green(1, 2), True),
    (LADDER, attrs.evolve(SECOND, phase=Phase.BAKE), green(1, 2), False),
    (LADDER, attrs.evolve(SECOND, rung=0), green(1, 2), True),
    (SHARED_PLAN, attrs.evolve(SECOND, first_release=True), green(3, 1), False),
    (SHARED_PLAN, SECOND, green(2, 2), True),
    (SHARED_PLAN, attrs.evolve(HALF, phase=Phase.SCALE_UP), green(1, 1), True),
]


@pytest.mark.parametrize(("wanted", "now", "seen", "carries"), CARRIES)
def test_a_green_that_cannot_carry_its_share_is_told(
    wanted: dict[str, object],
    now: State,
    seen: Observation,
    carries: bool,  # noqa: FBT001
) -> None:
    """With weights what is missing fails; in a shared group only a bad verdict counts, and the share held."""
    asked = plan(**wanted)
    assert (shortfall(asked, now, seen) is None) is carries
    assert falls_short(asked, now, seen) is (asked.shared and not carries)


def test_who_is_ailing_is_named_with_the_reason() -> None:
    """Counts first, then each instance with a bad verdict and the balancer's own code."""
    code = TargetHealth("i-9", 2, Health.UNHEALTHY, "Target.Timeout")
    sick = look(green=(*targets("g", 2, 0, unhealthy=1, initial=1), code), share=10)
    assert (
        shortfall(plan(), BAKE, sick)
        == CANNOT + "0 healthy, 2 unhealthy (i-g0: unhealthy, i-9: Target.Timeout)"
    )
    assert shortfall(plan(), BAKE, green(0, initial=2, share=10)) == CANNOT + "0 healthy, 0 unhealthy"
    gone = attrs.evolve(sick, fleets=tuple(f for f in sick.fleets if f.name != GREEN))
    assert shortfall(plan(), BAKE, gone) is None


def reading(name: str, word: Reading, detail: str = "", last_red: float | None = None) -> GateReading:
    """What a gate says."""
    return GateReading(name=name, reading=word, detail=detail, last_red=last_red)


PASS, FAIL = Reading.PASS, Reading.FAIL


@pytest.mark.parametrize(
    ("readings", "reds", "words"),
    [
        ((), {}, None),
        ((reading("5xx", PASS), reading("smoke", Reading.PENDING)), {}, None),
        ((reading("another", FAIL), reading("5xx", FAIL)), {}, "gate red: 5xx"),
        ((reading("5xx", FAIL, "9 > 1"), reading("smoke", FAIL)), {}, "gate red: 5xx (9 > 1), smoke"),
        ((reading("5xx", PASS, last_red=7.0),), {}, None),
        ((reading("5xx", PASS, last_red=7.0),), {"5xx": 7.0}, None),
        ((reading("5xx", PASS, last_red=6.0),), {"5xx": 7.0}, None),
        ((reading("5xx", PASS),), {"5xx": 7.0}, None),
        (
            (reading("5xx", Reading.NO_DATA, last_red=7.5),),
            {"5xx": 7.0},
            "gate red: 5xx (red between two looks, now no-data)",
        ),
        ((reading("5xx", FAIL, last_red=7.5),), {"5xx": 7.0}, "gate red: 5xx"),
        ((reading("another", PASS, last_red=7.5),), {"another": 7.0}, None),
    ],
)
def test_a_gate_that_is_or_was_red_is_told(
    readings: tuple[GateReading, ...], reds: dict[str, float], words: str | None
) -> None:
    """Those of the plan only, and an alarm that was red since it was last looked at has been red."""
    wanted = plan(gates=(Alarm(name="5xx"), Hook(name="smoke")))
    now = state(Phase.BAKE, reds=tuple(reds.items()))
    assert red_gates(wanted, now, look(gates=readings)) == words


def test_when_an_alarm_was_last_red_is_noted_where_it_is_known() -> None:
    """Others are left out."""
    seen = look(
        gates=(reading("a", PASS), reading("b", FAIL, last_red=0.0), reading("c", PASS, last_red=3.5))
    )
    assert last_reds(seen) == (("b", 0.0), ("c", 3.5))
