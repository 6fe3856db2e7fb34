"""The pytest plugin and the entry point for Hypothesis, as somebody else's project meets them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from attrs import evolve

from bluegreen import Hook, HookGate, Phase, Plan
from bluegreen_sim import SimCloud, tutorial
from bluegreen_sim.pytest_plugin import MakeDeployment, MakeWorld

THEIRS = """
from hypothesis import given, settings, strategies as st
from bluegreen import Plan
from bluegreen_sim import NeverHealthy, SimCloud, tutorial

def test_in_a_cloud_of_its_own(bluegreen_deployment):
    assert not bluegreen_deployment(cloud=tutorial()[1]).run().ok

def test_a_release_goes_well(bluegreen_deployment):
    assert bluegreen_deployment().run().ok

def test_a_bad_image_does_no_harm(bluegreen_deployment):
    assert bluegreen_deployment(faults=[NeverHealthy("green")]).run().ok

@settings(max_examples=3, deadline=None, database=None)
@given(st.from_type(Plan), st.from_type(SimCloud))
def test_types_are_drawn(plan, cloud):
    assert isinstance(plan, Plan) and isinstance(cloud, SimCloud)
"""


@pytest.mark.process
def test_a_failing_test_tells_its_story_and_how_to_run_it_again(tmp_path: Path) -> None:
    """Fixtures and types are there without an import; what fails shows its decisions and a line to paste."""
    (tmp_path / "test_theirs.py").write_text(THEIRS)
    ran = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "--bluegreen-seed=7",
            "test_theirs.py",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "2 failed, 2 passed" in ran.stdout, ran.stdout + ran.stderr
    assert " s  clean_up " in ran.stdout
    assert "roll_back" in ran.stdout
    assert "green targets healthy" in ran.stdout
    assert "requests: " in ran.stdout
    assert (
        "run it again: pytest 'test_theirs.py::test_a_bad_image_does_no_harm' --bluegreen-seed=7"
        in ran.stdout
    )


@pytest.mark.process
def test_the_plugin_costs_nothing_before_it_is_used() -> None:
    """Loading it loads pytest, which is there, and neither the simulator nor the core."""
    load = "import sys, pytest; old = {*sys.modules}; import bluegreen_sim.pytest_plugin"
    code = f"{load}; print(*{{*sys.modules}} - old)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    ours = {name for name in ran.stdout.split() if name.startswith("bluegreen")}
    assert ours <= {"bluegreen_sim", "bluegreen_sim.pytest_plugin"}
    assert not {"hypothesis", "attrs", "attr"} & set(ran.stdout.split())


def test_a_deployment_has_a_world_of_its_own_or_the_one_it_is_given(
    bluegreen_deployment: MakeDeployment, bluegreen_world: MakeWorld
) -> None:
    """Without a world one is made, of the plan; two deployments can follow each other in one world."""
    cloud = bluegreen_world(traffic=0)
    assert isinstance(cloud, SimCloud)
    assert bluegreen_deployment(cloud=cloud).run().phase is Phase.PROMOTED
    alone = bluegreen_deployment(cloud.plan.with_image("ami-0gamma"), traffic=0)
    assert isinstance(alone.plan, Plan)
    assert alone.cloud is not cloud
    assert alone.run().ok
    with pytest.raises(TypeError, match="faults, traffic: give it to bluegreen_world"):
        bluegreen_deployment(cloud=cloud, faults=[], traffic=0)


def test_a_deployment_takes_the_checks_of_its_plan(bluegreen_deployment: MakeDeployment) -> None:
    """A plan with a hook is given its check, as a ``Deployment`` is."""
    plan = evolve(tutorial()[0], gates=(Hook(name="smoke"),))
    asked = HookGate("smoke", lambda _plan, observation: bool(observation.fleets))
    assert bluegreen_deployment(plan, traffic=0, gates={"smoke": asked}).run().ok
