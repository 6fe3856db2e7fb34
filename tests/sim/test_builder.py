"""Image builds and probes on SimCloud: tutorial steps 2 to 4, and on to the deployment of the new image."""

from __future__ import annotations

from itertools import product

import pytest
from attrs import define, evolve
from hypothesis import given
from hypothesis import strategies as st

from bluegreen import Deployment, HttpProbe, ImageBuild, Probe
from bluegreen.aws import AwsBuilder
from bluegreen.core.observation import ErrorClass, Reading, Result
from bluegreen.core.state import Ledger
from bluegreen.ports import (
    BuildCommand,
    Builder,
    BuildLook,
    BuildOutcome,
    Clock,
    RunCommand,
    StartInstance,
)
from bluegreen_sim import SimCloud, tutorial
from bluegreen_sim.endpoint import session
from bluegreen_sim.groups import builds

BUILD = ImageBuild(
    service="exercise",
    launch_template="exercise-launch-template",
    revision="v2",
    commands=("git pull", "git checkout v2"),
)
COMMANDS = 1 + 2 + 1 + 1 + 1  # start, two commands, stop, create, terminate
LOST = BuildOutcome(result=Result.UNKNOWN, error=ErrorClass.LOST)
NOT_SENT = BuildOutcome(result=Result.NOT_APPLIED, error=ErrorClass.NOT_SENT)


class Crash(BaseException):
    """The process is killed."""


@define
class Unlucky:
    """A builder that goes wrong once: at the n-th command, before or after it is carried out."""

    cloud: SimCloud
    at: int
    when: str
    crash: bool

    @property
    def clock(self) -> Clock:
        return self.cloud.clock

    def look(self, token: str, name: str) -> BuildLook:
        return self.cloud.builder.look(token, name)

    def apply(self, command: BuildCommand) -> BuildOutcome:
        self.at -= 1
        if self.at == -1 and self.when == "before":
            return self.wrong(NOT_SENT)
        outcome = self.cloud.builder.apply(command)
        return self.wrong(LOST) if self.at == -1 else outcome

    def wrong(self, outcome: BuildOutcome) -> BuildOutcome:
        if self.crash:
            raise Crash
        return outcome


def assert_tidy(cloud: SimCloud) -> None:
    """One image of the build's name, and no build instance."""
    assert [image.label for image in cloud.world.images].count(BUILD.name) == 1
    assert cloud.build_instances == ()


def test_a_build_on_the_simulator_makes_an_image() -> None:
    """The image is available under its name, and the build instance is gone."""
    _, cloud = tutorial()
    result = BUILD.run(cloud.builder)
    assert result.ok, result.reason
    assert_tidy(cloud)
    assert BUILD.run(cloud.builder).image == result.image
    assert_tidy(cloud)


def test_the_image_can_be_deployed() -> None:
    """The tutorial from the build on: the new image replaces the old one, and the service says so."""
    plan, cloud = tutorial()
    image = BUILD.run(cloud.builder).raise_unless_built()
    result = Deployment(plan.with_image(image), cloud).run()
    assert result.ok, result.reason
    assert cloud.timeline.failed_requests == 0
    front = HttpProbe(
        Probe(name="front", url="http://exercise.example/"), fetch=cloud.fetch, version_pattern=r" (\S+)"
    )
    assert front.ask().versions == {BUILD.name: 10}


@pytest.mark.parametrize(("when", "at"), list(product(("before", "after"), range(COMMANDS))))
def test_a_crash_at_any_command_is_made_up_for(when: str, at: int) -> None:
    """Killed before or after any command, then run again: one image and no instance."""
    _, cloud = tutorial()
    with pytest.raises(Crash):
        BUILD.run(Unlucky(cloud, at, when, crash=True))
    assert BUILD.run(cloud.builder).ok
    assert_tidy(cloud)


@pytest.mark.parametrize(("when", "at"), list(product(("before", "after"), range(COMMANDS))))
def test_a_lost_answer_to_any_command_changes_nothing(when: str, at: int) -> None:
    """Whichever command is not sent, or its answer lost: one image and no instance."""
    _, cloud = tutorial()
    assert BUILD.run(Unlucky(cloud, at, when, crash=False)).ok
    assert_tidy(cloud)


def test_a_failing_command_makes_no_image() -> None:
    """A command that ends with 3 ends the build, with its code, and the instance goes away."""
    _, cloud = tutorial()
    result = evolve(BUILD, commands=("git pull", "exit 3")).run(cloud.builder)
    assert not result.ok
    assert "command 2 of 2 ended with exit code 3: exit 3; its output ends: $ exit 3" in result.reason
    assert (result.leftovers, cloud.build_instances) == ((), ())
    assert BUILD.name not in {image.label for image in cloud.world.images}


def started(cloud: SimCloud, door: Builder, token: str) -> str:
    """A build instance that takes commands; its id."""
    template = "exercise-launch-template"
    door.apply(
        StartInstance(service="s", name="n", launch_template=template, version=1, token=token, request=token)
    )
    cloud.clock.sleep(60)
    return door.look(token, "n").instance or ""


@pytest.mark.parametrize(
    ("text", "code"),
    [
        *(("exit 3", 3), ("  exit   257 ", 1), ("false", 1), ("make\nexit 2\nfalse", 2)),
        *(("exit $CODE", 0), ("exit 1;", 0), ("exit", 0), ("exit \u0663", 0), ("   ", 0), ("", 0)),
    ],
)
def test_a_command_ends_alike_behind_both_doors(text: str, code: int) -> None:
    """Only ``false`` and a plain ``exit N`` fail, wherever they stand; whatever else it is succeeds."""
    _, cloud = tutorial()
    doors: tuple[Builder, ...] = (cloud.builder, AwsBuilder(session(cloud), clock=cloud.clock))
    for door in doors:
        token = type(door).__name__
        instance = started(cloud, door, token)
        door.apply(RunCommand(instance=instance, token=token, index=0, text=text, seconds=60))
        cloud.clock.sleep(10)
        assert [run.exit_code for run in door.look(token, "name").runs] == [code]


@given(st.text())
def test_no_command_breaks_the_world(text: str) -> None:
    """It ends, with a code that a process can have, and its output is one line."""
    _, cloud = tutorial()
    instance = started(cloud, cloud.builder, "t")
    cloud.world = builds.run_command(cloud.world, instance, 0, text)
    ((code, output),) = cloud.world.builds[0].runs
    assert 0 <= code <= 255
    assert output.endswith("\n")


def test_another_builds_image_of_the_name_is_refused() -> None:
    """The same name for other commands is a conflict, told before anything is started."""
    _, cloud = tutorial()
    first = BUILD.run(cloud.builder)
    serial = cloud.world.serial
    result = evolve(BUILD, commands=("make",)).run(cloud.builder)
    assert result.reason == f"the name is taken by image {first.image}, which this build did not make"
    assert cloud.world.serial == serial


def test_a_template_that_is_not_there_ends_the_build_at_once() -> None:
    """A launch template that does not exist is not waited for."""
    _, cloud = tutorial()
    began = cloud.clock.now()
    result = evolve(BUILD, launch_template="nowhere").run(cloud.builder)
    assert "refused, absent, no launch template nowhere" in result.reason
    assert result.leftovers == ()
    assert cloud.clock.now() - began < 30


def test_builds_are_repeatable() -> None:
    """The same build on the same cloud takes the same steps at the same times."""
    runs = [[str(taken) for taken in BUILD.steps(tutorial()[1].builder)] for _ in range(2)]
    assert runs[0] == runs[1]


def test_probes_ask_the_simulated_service() -> None:
    """SimCloud answers a probe: the balancer's name, and each instance by its id."""
    plan, cloud = tutorial()
    pattern = r"^\S+ (\S+)"
    front = HttpProbe(Probe(name="front", url="http://front/"), fetch=cloud.fetch, version_pattern=pattern)
    assert front.ask().versions == {"ami-0alpha": 10}
    direct = HttpProbe(Probe(name="direct", url="http://{instance}/"), fetch=cloud.fetch)
    seen = cloud.observe(plan, Ledger("a"))
    assert direct.read(plan, seen, cloud.blue).reading is Reading.PASS
    assert direct.read(plan, seen, cloud.green).reading is Reading.NO_DATA
