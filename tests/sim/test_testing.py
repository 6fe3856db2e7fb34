"""The Hypothesis strategies that users get: valid, varied, easy to shrink."""

import functools
import subprocess
import sys
from typing import TypeVar, get_args

import pytest
from attrs import fields
from hypothesis import Phase as Stage
from hypothesis import find, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

import bluegreen
from bluegreen import (
    Deadlines,
    Deployment,
    Limits,
    Phase,
    Plan,
    SharedTargetGroup,
    TemplateVersion,
    WeightedTargetGroups,
)
from bluegreen_sim import Settings, SimCloud, StaleLook, testing
from bluegreen_sim.faults import Fault

WEIGHTED = Plan(
    service="exercise",
    image="ami-0beta",
    launch_template="exercise-launch-template",
    groups=("exercise-group-blue", "exercise-group-green"),
    routing=WeightedTargetGroups("exercise-blue", "exercise-green"),
    strategy=bluegreen.strategies.canary(10, bake_seconds=30, last_bake_seconds=0),
)
# Explaining a failure runs it a few hundred times under a tracer: minutes, when an example is a deployment.
STAGES = (Stage.explicit, Stage.generate, Stage.shrink)
ENOUGH = settings(database=None, derandomize=True, max_examples=2_000, phases=STAGES)
REFUTED = settings(ENOUGH, max_examples=200)
OF_BUILDS = ("builder_boot_seconds", "builder_stop_seconds", "image_seconds")
T = TypeVar("T")

pytestmark = pytest.mark.property


@given(plan=testing.plans())
def test_plans_are_valid(plan: Plan) -> None:
    """Every plan is one that `Plan` accepts, and its rungs rise to 100 as its routing can show them."""
    percents = [rung.percent for rung in plan.rungs]
    assert percents == sorted(set(percents))
    assert percents[-1] == 100
    assert not plan.shared or all(percent <= 50 for percent in percents[:-1])


def drawn(strategy: SearchStrategy[T], examples: int = 500) -> list[T]:
    """Many examples of a strategy."""
    found: list[T] = []

    @settings(ENOUGH, max_examples=examples, phases=(Stage.generate,))
    @given(strategy)
    def collect(value: T) -> None:
        found.append(value)

    collect()
    return found


PLANS = functools.cache(lambda: drawn(testing.plans()))
SETTINGS = functools.cache(lambda: drawn(testing.settings(), 100))


@pytest.mark.parametrize("routing", [SharedTargetGroup, WeightedTargetGroups])
@pytest.mark.parametrize("name", ["all-at-once", "side-by-side", "canary", "linear", "rungs"])
def test_plans_have_every_strategy(routing: type, name: str) -> None:
    """Both routings occur with every strategy."""
    assert (routing, name) in {(type(plan.routing), plan.strategy.name) for plan in PLANS()}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("fleets", "standing"),
        ("fleets", "replace"),
        ("min_healthy_percent", 100),
        ("min_healthy_percent", 0),
        ("on_blue_sick", "continue"),
        ("on_blue_sick", "expedite"),
        ("on_blue_sick", "hold"),
        ("freeze_scaling", True),
        ("capacity", None),
        ("capacity", 4),
        ("deadlines", Deadlines()),
        ("limits", Limits()),
        ("gates", ()),
    ],
)
def test_plans_vary_in_every_field(field: str, value: object) -> None:
    """Each choice of a plan's field occurs, and so does another value of that field."""
    assert {getattr(plan, field) == value for plan in PLANS()} == {True, False}


@given(plan=testing.plans(fleets="replace", capacity=st.integers(7, 9), routing=WEIGHTED.routing))
def test_fields_of_a_plan_can_be_pinned(plan: Plan) -> None:
    """A field that is given as a value has it in every plan, one given as a strategy is drawn from that."""
    assert (plan.fleets, plan.routing) == ("replace", WEIGHTED.routing)
    assert plan.capacity in (7, 8, 9)


@given(plan=testing.plans(version=TemplateVersion(7)))
def test_a_pinned_version_takes_the_place_of_the_image(plan: Plan) -> None:
    """A plan names an image or a version: who pins a version need not say that there is no image."""
    assert (plan.image, plan.version) == (None, TemplateVersion(7))


def test_a_pinned_field_that_makes_no_plan_is_an_error() -> None:
    """What cannot be pinned is named, not filtered away."""
    with pytest.raises(bluegreen.PlanError, match="percent"):
        find(testing.plans(min_healthy_percent=101), lambda _: True, settings=ENOUGH)


@pytest.mark.parametrize("kind", get_args(Fault))
def test_faults_are_of_every_class(kind: type) -> None:
    """Every class of fault occurs, and shrinks to a single one."""
    found = find(testing.faults(), lambda faults: any(isinstance(f, kind) for f in faults), settings=ENOUGH)
    assert len(found) == 1


@given(faults=testing.faults(most=2))
def test_faults_are_few(faults: tuple[Fault, ...]) -> None:
    """There are at most as many as were asked for."""
    assert len(faults) <= 2


@given(
    worlds=st.tuples(testing.worlds(WEIGHTED), testing.worlds(testing.plans(), settings=testing.settings()))
)
def test_worlds_are_new(worlds: tuple[SimCloud, SimCloud]) -> None:
    """Each example has a world of its own, at its beginning, with one live group."""
    for world in worlds:
        assert world.clock.now() == 0
        assert world.instances(world.blue)
        assert not world.instances(world.green)
        world.clock.sleep(1)


@pytest.mark.parametrize("field", [field.name for field in fields(Settings) if field.name not in OF_BUILDS])
def test_settings_vary(field: str) -> None:
    """Every setting that a deployment meets takes more than one value."""
    assert len({getattr(each, field) for each in SETTINGS()}) > 1


@pytest.mark.slow
@settings(phases=STAGES)
@given(world=testing.worlds(WEIGHTED, faults=testing.tolerable()))
def test_tolerable_faults_cause_no_retreat(world: SimCloud) -> None:
    """The example of the README: promoted, and somebody healthy serves in every second."""
    assert Deployment(WEIGHTED, world).run().ok
    assert min(row["blue"] + row["green"] for row in world.timeline.healthy()) >= 1


@pytest.mark.slow
@settings(phases=STAGES)
@given(
    world=testing.worlds(
        testing.plans(deadlines=Deadlines(), limits=Limits()), faults=testing.tolerable(), traffic=0
    )
)
def test_no_plan_retreats_without_need(world: SimCloud) -> None:
    """With tolerable faults and in a quick world every plan is promoted, whatever its strategy."""
    result = Deployment(world.plan, world).run()
    assert result.ok, result.reason


def test_a_wrong_property_is_refuted_by_one_fault() -> None:
    """ "No deployment ever rolls back" is false, and one fault is enough to show it."""

    def rolls_back(faults: tuple[Fault, ...]) -> bool:
        cloud = SimCloud(WEIGHTED, traffic=0, faults=faults)
        return Deployment(WEIGHTED, cloud).run().phase is Phase.ROLLED_BACK

    found = find(testing.faults(WEIGHTED, most=5), rolls_back, settings=REFUTED)
    assert len(found) == 1
    assert not isinstance(found[0], StaleLook)


def test_a_failing_example_can_be_read() -> None:
    """A world that refutes a property is printed as the call that makes it, with its one fault."""

    @REFUTED
    @given(world=testing.worlds(WEIGHTED, traffic=0, settings=Settings()))
    def never_rolls_back(world: SimCloud) -> None:
        assert Deployment(WEIGHTED, world).run().phase is not Phase.ROLLED_BACK

    with pytest.raises(AssertionError) as failed:
        never_rolls_back()
    text = "\n".join(failed.value.__notes__)
    assert "world=SimCloud(" in text
    assert "capacity=1" in text
    assert "NeverHealthy('green')" in text


def test_without_hypothesis_the_extra_is_named() -> None:
    """Whoever has installed bluegreen alone is told which extra brings the strategies."""
    code = "import sys; sys.modules['hypothesis'] = None; from bluegreen_sim import testing"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.stderr.endswith("needs the extra 'test': pip install 'bluegreen[test]'\n")
