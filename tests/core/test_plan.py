"""What a plan may not be, fault by fault, and the small questions that a plan answers."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, IntEnum
from fractions import Fraction
from typing import NamedTuple

import attrs
import pytest

from bluegreen.core.errors import PlanError
from bluegreen.core.gates import LIFECYCLE, STAGES, Alarm, Gate, Hook, MetricGate, Probe, Window
from bluegreen.core.limits import Limits
from bluegreen.core.plan import Plan, Rung, Strategy, TemplateVersion, WeightedTargetGroups
from bluegreen.core.state import Phase
from bluegreen.core.view import gates_asked, gates_for
from bluegreen.journal import codec
from bluegreen.strategies import all_at_once, canary, linear, named, side_by_side
from tests.core.looks import SHARED, plan, state

RUNG_10, RUNG_50, RUNG_100 = Rung(percent=10), Rung(percent=50), Rung(percent=100)
NO_RUNGS = "must be a tuple of at least one Rung"
NO_GATES = "must be a tuple of Alarm, MetricGate, Probe, Hook or Window"
NO_GROUPS = "must be two groups; which of them is live is seen, not said"
ALL_BUT_HALF = (
    "with a shared target group a full-size green beside the whole blue gets 50 %: "
    "use at most 50, then 100, or routing kind 'weighted'"
)
NO_NAME = "must have no user name or password in it: a probe sends none, and a plan is no place for it"
RATES = {"name": "5xx", "metric": "HTTPCode_Target_5XX_Count", "threshold": 0.01}
RATE = MetricGate(**RATES)
SEVEN = TemplateVersion(7)
DATES = "must be dates such as '2026-12-24', or from the first to the last day, '2026-12-24/2027-01-02'"

UNPROVEN = "must be below deadlines.scale_up_seconds (900), or no instance is ever proven"
GROUP = "1 to 255 printable ASCII characters, none of ':*?$', no blank first"
TWO = "two target groups, paired with the groups by position"
SECONDS = "must be a whole number of seconds from 0 to 2592000"

# (what is built, each fault: where, what was given, what would be right)
FAULTS: list[tuple[Callable[[], object], list[tuple[str, object, str]]]] = [
    (lambda: Strategy(()), [("rungs", (), NO_RUNGS)]),
    (lambda: Strategy([RUNG_100]), [("rungs", [RUNG_100], NO_RUNGS)]),
    (lambda: Strategy((RUNG_10, 100)), [("rungs", (RUNG_10, 100), NO_RUNGS)]),
    (lambda: Strategy((RUNG_100,) * 101), [("rungs", (RUNG_100,) * 101, "at most 100 rungs")]),
    (
        lambda: Strategy((RUNG_50, RUNG_50, RUNG_10)),
        [
            ("rungs[1].percent", 50, "must be above the rung before it (50)"),
            ("rungs[2].percent", 10, "must be above the rung before it (50)"),
            ("rungs[2].percent", 10, "the last rung must be 100"),
        ],
    ),
    (
        lambda: WeightedTargetGroups("a", "b", also=(("c", "b"), ("a", "d"))),
        [("also", (("c", "b"), ("a", "d")), "names 'a' twice; each target group is in one pair")],
    ),
    (
        lambda: WeightedTargetGroups("a", "b", listener="web", also=(("c", "d"),)),
        [("listener", "web", "must be left out with also: rules are found by their groups")],
    ),
    (lambda: plan(groups=["a", "b"]), [("groups", ["a", "b"], "must be a tuple of two groups")]),
    (lambda: plan(groups="ab"), [("groups", "ab", "must be a tuple of two groups")]),
    (lambda: plan(groups=("a", "b", "c")), [("groups", ("a", "b", "c"), NO_GROUPS)]),
    (lambda: plan(groups=("a", "a")), [("groups", ("a", "a"), "must be two different groups")]),
    *[
        (lambda name=name: plan(groups=("a", name)), [("groups", ("a", name), f"{name!r} must be {GROUP}")])
        for name in ("", " a", "a:b", "a*", "a?", "${a}", "a\n", "ä", "a" * 256)
    ],
    *[
        (lambda name=name: Alarm(name=name), [("name", name, "must be 1 to 255 printable characters")])
        for name in ("", "a\nb", "\x1b[2J", "a" * 256, 5)
    ],
    (lambda: plan(gates=[RATE]), [("gates", [RATE], NO_GATES)]),
    (lambda: plan(gates=(RATE, "5xx")), [("gates", (RATE, "5xx"), NO_GATES)]),
    (
        lambda: plan(gates=(Alarm(name="b"), RATE, Hook(name="b"), Alarm(name="5xx"))),
        [
            (
                "gates",
                (Alarm(name="b"), RATE, Hook(name="b"), Alarm(name="5xx")),
                "two gates are called '5xx'; names must differ",
            )
        ],
    ),
    (
        lambda: plan(image=None),
        [("image", None, "name an image such as 'ami-0abc', or the version of the launch template")],
    ),
    (
        lambda: plan(version=SEVEN, source_version=3),
        [
            ("image", "ami-2", "name an image or a version of the launch template, not both"),
            ("source_version", 3, "goes with an image: no version is made here"),
        ],
    ),
    (
        lambda: plan(
            routing=SHARED,
            gates=(Alarm(name="a"), RATE),
            strategy=Strategy((RUNG_50, Rung(percent=51), Rung(percent=99), RUNG_100)),
        ),
        [
            (
                "gates[1].by",
                "target-group",
                (
                    "a shared target group has one metric for both colours: use by = 'group', or routing "
                    "kind 'weighted'"
                ),
            ),
            ("strategy.rungs[1].percent", 51, ALL_BUT_HALF),
            ("strategy.rungs[2].percent", 99, ALL_BUT_HALF),
        ],
    ),
    (
        lambda: plan(routing=SHARED, test_rules=("test",)),
        [
            (
                "test_rules",
                ("test",),
                "behind a shared target group nothing tells green apart: use routing kind 'weighted'",
            )
        ],
    ),
    (
        lambda: plan(routing=WeightedTargetGroups("a", "b", listener="web"), test_rules=("test", "web")),
        [("test_rules", ("test", "web"), "users come by routing.listener: name another rule")],
    ),
    (lambda: Probe(name="p", url="https://me:pw@web/a/b/c"), [("url", "[hidden]", NO_NAME)]),
    (lambda: Probe(name="p", url="https://me@web"), [("url", "[hidden]", NO_NAME)]),
    (
        lambda: Probe(name="p", url="https://web", body="("),
        [
            (
                "body",
                "(",
                "must be a regular expression: missing ), unterminated subpattern at position 0",
            )
        ],
    ),
    (lambda: MetricGate(**RATES | {"threshold": True}), [("threshold", True, "must be a number")]),
    (lambda: MetricGate(**RATES | {"threshold": "1"}), [("threshold", "1", "must be a number")]),
    (
        lambda: MetricGate(**RATES | {"threshold": -1e15 - 1}),
        [("threshold", -1e15 - 1, "must be a number")],
    ),
    (
        lambda: MetricGate(**RATES, statistic="p99", divided_by="RequestCount"),
        [("statistic", "p99", "must be 'Sum' with divided_by")],
    ),
    (
        lambda: Window(name="w", opens="09:00", closes="09:00"),
        [("closes", "09:00", "must differ from opens, and opens must be before 24:00")],
    ),
    (
        lambda: Window(name="w", opens="24:00", closes="09:00"),
        [("closes", "09:00", "must differ from opens, and opens must be before 24:00")],
    ),
    (
        lambda: Window(name="w", freezes=("2026-12-24", "2027-01-02/2026-12-24")),
        [("freezes[1]", "2027-01-02/2026-12-24", "must name the first day, then the last")],
    ),
    (lambda: Window(name="w", freezes=("24.12.2026",)), [("freezes", ("24.12.2026",), DATES)]),
    (
        lambda: Window(name="w", days=["mon"], freezes=["2026-12-24"]),
        [
            ("days", ["mon"], "must be a tuple of days"),
            ("freezes", ["2026-12-24"], "must be a tuple of dates"),
        ],
    ),
    (
        lambda: Hook(name="h", phases=["bake"]),
        [("phases", ["bake"], "must be a tuple of phases or stages")],
    ),
    (
        lambda: plan(test_rules=["test"]),
        [("test_rules", ["test"], "must be a tuple of listeners or rules, by name or ARN")],
    ),
    (
        lambda: WeightedTargetGroups("a", "b", also=[("c", "d")]),
        [("also", [("c", "d")], "must be a tuple of pairs of target groups")],
    ),
    (
        lambda: WeightedTargetGroups("a", "b", also=(["c", "d"],)),
        [("also", (["c", "d"],), f"must be a tuple of {TWO}")],
    ),
    (lambda: plan(limits=Limits(proof_seconds=900)), [("limits.proof_seconds", 900, UNPROVEN)]),
    (
        lambda: plan(limits=Limits(proof_looks=31, poll_seconds=30)),
        [("limits.proof_looks", 31, f"take 900 s, one every limits.poll_seconds (30): {UNPROVEN}")],
    ),
    (
        lambda: plan(routing=SHARED, strategy=canary(50), limits=Limits(proof_seconds=600)),
        [("limits.proof_seconds", 600, UNPROVEN.replace("scale_up_seconds (900)", "shift_seconds (600)"))],
    ),
    (
        lambda: canary(0, -1, approval=1, last_bake_seconds=-2, keep_blue_seconds=-3),  # type: ignore[arg-type]
        [
            ("percent", 0, "must be a whole number of percent from 1 to 99"),
            ("bake_seconds", -1, SECONDS),
            ("approval", 1, "must be true or false"),
            ("last_bake_seconds", -2, SECONDS),
            ("keep_blue_seconds", -3, SECONDS),
        ],
    ),
    (
        lambda: linear(101, -1, keep_blue_seconds=-3),
        [
            ("step_percent", 101, "must be a whole number of percent from 1 to 100"),
            ("every_seconds", -1, SECONDS),
            ("keep_blue_seconds", -3, SECONDS),
        ],
    ),
    (
        lambda: all_at_once(-1, keep_blue_seconds=-3),
        [("bake_seconds", -1, SECONDS), ("keep_blue_seconds", -3, SECONDS)],
    ),
    (
        lambda: side_by_side(-1, keep_blue_seconds=-3),
        [("bake_seconds", -1, SECONDS), ("keep_blue_seconds", -3, SECONDS)],
    ),
    (
        lambda: named("Canary0Percent5Minutes"),
        [("percent", 0, "must be a whole number of percent from 1 to 99")],
    ),
]


@pytest.mark.parametrize(("build", "faults"), FAULTS, ids=[row[1][0][2][:40] for row in FAULTS])
def test_a_fault_is_told_with_its_place_its_value_and_its_remedy(
    build: Callable[[], object], faults: list[tuple[str, object, str]]
) -> None:
    """Every fault of what is built is told, in this order and in these words, and no other."""
    with pytest.raises(PlanError) as caught:
        build()
    assert [attrs.astuple(fault, recurse=False) for fault in caught.value.faults] == faults


@pytest.mark.parametrize(
    "build",
    [
        lambda: Strategy((Rung(percent=1), *(Rung(percent=n) for n in range(2, 101)))),
        lambda: WeightedTargetGroups("a", "b", listener="web"),
        lambda: WeightedTargetGroups("a", "b", also=(("c", "d"), ("e", "f"))),
        lambda: plan(
            routing=SHARED, strategy=Strategy((RUNG_50, RUNG_100)), gates=(MetricGate(**RATES, by="group"),)
        ),
        lambda: plan(strategy=canary(99), gates=(RATE,)),
        lambda: plan(image=None, version=SEVEN),
        lambda: plan(source_version=3),
        lambda: plan(routing=WeightedTargetGroups("a", "b", listener="web"), test_rules=("test", "other")),
        lambda: plan(limits=Limits(proof_seconds=899)),
        lambda: plan(groups=("_web, blue", "web#green [1]" + "!" * 242)),
        lambda: Alarm(name="web: 5xx > 1 % (größer)" + "!" * 232),
        lambda: plan(limits=Limits(proof_looks=31, poll_seconds=29)),
        lambda: plan(limits=Limits(proof_seconds=700)),
        lambda: plan(routing=SHARED, strategy=canary(50), limits=Limits(proof_seconds=599)),
        lambda: Probe(name="p", url="https://web/?mail=me@web", body="a+"),
        lambda: MetricGate(**RATES | {"threshold": 1e15}),
        lambda: MetricGate(**RATES, divided_by="RequestCount"),
        lambda: MetricGate(**RATES, statistic="p99"),
        lambda: Window(name="w", freezes=("2026-12-24", "2026-12-24/2026-12-24", "2026-12-24/2027-01-02")),
        lambda: Window(name="w", opens="22:00", closes="04:00"),
    ],
)
def test_what_is_just_right_is_built(build: Callable[[], object]) -> None:
    """Each is right by a hair, and nothing is said against it."""
    assert build()


@pytest.mark.parametrize("name", ["Linear10PercentEvery1Minute", "Linear10PercentEvery1Minutes"])
def test_a_minute_may_be_one(name: str) -> None:
    """CodeDeploy calls the same ladder so for Lambda functions, and otherwise for ECS services."""
    assert named(name) == linear(10, 60)


class Name(str, Enum):  # noqa: UP042  (a StrEnum is told as its word; this one is not)
    """The names of services, as a program may keep them."""

    WEB = "web"


class Share(float):
    """Another library's number."""


class Count(IntEnum):
    """Numbers with names."""

    FEW = 3


class Pair(NamedTuple):
    """Two groups with names."""

    one: str
    other: str


def test_what_only_looks_like_a_plain_value_is_taken_as_one() -> None:
    """An equal text, number or tuple of another class makes the same plan, and a journal can hold it."""
    wanted = plan(
        service=Name.WEB,
        capacity=Count.FEW,
        groups=Pair("web-a", Name.WEB),
        gates=(MetricGate(**RATES | {"threshold": Share(0.01)}),),
    )
    assert wanted == plan(capacity=3, groups=("web-a", "web"), gates=(RATE,))
    assert f"{wanted.service} {wanted.capacity} {wanted.groups}" == "web 3 ('web-a', 'web')"
    assert codec.from_json(Plan, codec.to_json(wanted)) == wanted


def test_routing_is_shown_as_the_call_that_makes_it() -> None:
    """What is printed can be typed, with what is there and without what is not."""
    shown = {
        WeightedTargetGroups("a", "b"): "WeightedTargetGroups('a', 'b', listener=None)",
        WeightedTargetGroups("a", "b", listener="web"): "WeightedTargetGroups('a', 'b', listener='web')",
        WeightedTargetGroups("a", "b", also=(("c", "d"),)): (
            "WeightedTargetGroups('a', 'b', listener=None, also=(('c', 'd'),))"
        ),
    }
    assert {routing: repr(routing) for routing in shown} == shown
    assert WeightedTargetGroups("a", "b", also=(("c", "d"),)).pairs == (("a", "b"), ("c", "d"))


def test_a_plan_that_names_no_strategy_has_the_tutorials() -> None:
    """The default is the strategy that is called all-at-once."""
    fields = {
        name: value for name, value in attrs.asdict(plan(), recurse=False).items() if name != "strategy"
    }
    assert type(plan())(**fields).strategy == all_at_once()


def test_the_next_release_is_the_plan_with_another_version() -> None:
    """A version takes the place of an image, and an image that of a version."""
    seven = plan(source_version=3).with_version(7)
    assert (seven.image, seven.version, seven.source_version) == (None, SEVEN, None)
    assert (seven.what, seven.number) == ("version 7", 7)
    again = seven.with_image("ami-3")
    assert (again.image, again.version, again.source_version) == ("ami-3", None, None)
    assert (again.what, again.number) == ("image ami-3", None)


@pytest.mark.parametrize(
    ("percent", "baseline", "floor"),
    [(100, 4, 4), (50, 4, 2), (50, 3, 2), (1, 1, 1), (0, 9, 0), (100, 101, 101), (99, 100, 99), (34, 3, 2)],
)
def test_the_floor_is_rounded_up(percent: int, baseline: int, floor: int) -> None:
    """A part of an instance is a whole one, and the floor is a whole number."""
    found = plan(min_healthy_percent=percent).floor(baseline)
    assert (found, type(found)) == (floor, int)


def test_a_rung_by_counts_never_exceeds_its_percent() -> None:
    """Behind a shared target group the largest green whose share fits is taken, and at least one."""
    shared = plan(routing=SHARED, strategy=canary(50))
    for need in range(1, 40):
        for percent in range(1, 51):
            green = shared.green_size(percent, need)
            assert 1 <= green <= need
            assert green == 1 or Fraction(green, green + need) <= Fraction(percent, 100)
            assert green == need or Fraction(green + 1, green + 1 + need) > Fraction(percent, 100)
            assert shared.real_share(percent, need) == Fraction(green, green + need)


# (gate, the phases that wait for it)
ASKED = [
    (Alarm(name="g"), {"preflight", "test_traffic", "bake", "keep_blue"}),
    (Window(name="g"), {"preflight", "test_traffic", "bake", "keep_blue"}),
    (RATE, {"bake", "keep_blue"}),
    (Probe(name="g", url="https://web/"), {"bake", "keep_blue"}),
    (Probe(name="g", url="https://{instance}/"), {"test_traffic", "bake", "keep_blue"}),
    (Hook(name="g"), {"test_traffic"}),
    (Hook(name="g", phases=("shift", "preflight")), {"preflight", "shift"}),
    *[(Hook(name="g", phases=(stage,)), {stage}) for stage in STAGES],
    *[(Hook(name="g", phases=(stage,)), set(phases)) for stage, phases in LIFECYCLE.items()],
]


@pytest.mark.parametrize(("gate", "phases"), ASKED, ids=[str(row[0]) for row in ASKED])
def test_a_gate_is_asked_where_it_can_say_something(gate: Gate, phases: set[str]) -> None:
    """What needs users is asked when there are some, a hook where its user says, an alarm from the start."""
    wanted = plan(gates=(gate,))
    assert {phase.value for phase in Phase if gates_for(wanted, phase) == (gate,)} == phases
    assert all(gates_for(wanted, phase) in ((), (gate,)) for phase in Phase)


def test_what_testers_may_still_miss_is_not_asked() -> None:
    """While a node may lag behind the test rules, test_traffic asks no gate; others ask at once."""
    smoke = Hook(name="smoke", phases=("test_traffic", "bake"))
    tested, other = plan(gates=(smoke,), test_rules=("test",)), plan(gates=(smoke,))
    young, settled = state(Phase.TEST_TRAFFIC, since=80.125), state(Phase.TEST_TRAFFIC, since=80.0)
    assert (gates_asked(tested, young), gates_asked(tested, settled)) == ((), (smoke,))
    assert gates_asked(other, young) == (smoke,)
    assert gates_asked(tested, state(Phase.BAKE, since=95.0)) == (smoke,)
    assert gates_asked(tested, state(Phase.SHIFT, since=95.0)) == ()
