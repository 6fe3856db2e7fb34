"""Image builds: the table, the pure step, and the loop over a small world that loses answers and lags."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest
from attrs import define, evolve, field
from hypothesis import given
from hypothesis import strategies as st

from bluegreen.core.errors import BuildFailed, PlanError
from bluegreen.core.observation import ErrorClass, Result
from bluegreen.image import TRANSITIONS, BuildPhase, BuildSignal, BuildState, ImageBuild, ImageResult, step
from bluegreen.ports import (
    BuildCommand,
    BuildLook,
    BuildOutcome,
    CommandRun,
    CreateImage,
    RunCommand,
    StartInstance,
    StopInstance,
    TerminateInstance,
)

BUILD = ImageBuild(
    service="exercise",
    launch_template="exercise-launch-template",
    revision="v2",
    commands=("git pull", "git checkout v2", "make install"),
)
APPLIED = BuildOutcome(result=Result.APPLIED)
LOST = BuildOutcome(result=Result.UNKNOWN, error=ErrorClass.LOST)
BUSY = BuildOutcome(result=Result.NOT_APPLIED, error=ErrorClass.BUSY, detail="not now")


class Crash(BaseException):
    """The process is killed."""


class Clock:
    """Virtual time."""

    def __init__(self) -> None:
        self.at = 0.0

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += max(seconds, 0)


@define
class Machine:
    """An instance: when it was started, stopped, ended; the commands it was given, and when."""

    id: str
    token: str
    started: float
    stopped: float | None = None
    ended: float | None = None
    runs: list[tuple[float, str]] = field(factory=list)


@define
class World:
    """EC2 in small: everything takes time, is seen ``lag`` late, and goes wrong where ``fault`` says so.

    ``fault`` is asked before and after each command with its number; it may raise, or answer instead.
    """

    lag: float = 0
    boots: bool = True
    image_ends: str = "available"
    image_seconds: float = 240
    fails: dict[str, tuple[int, str]] = field(factory=dict)
    fault: Callable[[str, int, BuildCommand], BuildOutcome | None] = lambda *_: None
    clock: Clock = field(factory=Clock)
    machines: dict[str, Machine] = field(factory=dict)
    images: dict[str, tuple[str, str, float]] = field(factory=dict)
    unread: tuple[str, ...] = ()
    sent: list[BuildCommand] = field(factory=list)

    def look(self, token: str, name: str) -> BuildLook:
        now = self.clock.now()
        if self.unread:
            return BuildLook(at=now, unread=self.unread)
        mine = [m for m in self.machines.values() if m.token == token and m.started + self.lag <= now]
        mine.sort(key=lambda m: (m.ended is None, m.started))
        seen: dict[str, Any] = {}
        if mine:
            machine = mine[-1]
            state = self.state(machine)
            seen = {
                "instance": machine.id,
                "instance_state": state,
                "ready": state == "running" and now - machine.started >= 40,
                "runs": tuple(self.run(at, text) for at, text in machine.runs if at + self.lag <= now),
            }
        if name in self.images and self.images[name][2] + self.lag <= now:
            image, owner, asked = self.images[name]
            ended = now - asked >= self.image_seconds
            seen |= {
                "image": image,
                "image_state": self.image_ends if ended else "pending",
                "foreign": owner != token,
            }
        return BuildLook(at=now, **seen)

    def state(self, machine: Machine) -> str:
        now = self.clock.now() - self.lag
        if machine.ended is not None and now >= machine.ended:
            return "terminated" if now >= machine.ended + 30 else "shutting-down"
        if machine.stopped is not None and now >= machine.stopped:
            return "stopped" if now >= machine.stopped + 30 else "stopping"
        return "running" if now >= machine.started + 20 else "pending"

    def run(self, at: float, text: str) -> CommandRun:
        if self.clock.now() < at + self.lag + 10:
            return CommandRun()
        code, output = self.fails.get(text, (0, "fine"))
        return CommandRun(exit_code=code, output=output)

    def apply(self, command: BuildCommand) -> BuildOutcome:
        number = len(self.sent)
        self.sent.append(command)
        return (
            self.fault("before", number, command)
            or self.done(command)
            or self.fault("after", number, command)
            or APPLIED
        )

    def done(self, command: BuildCommand) -> BuildOutcome | None:
        now = self.clock.now()
        match command:
            case StartInstance(token=token, request=request):
                ended = None if self.boots else now + 5
                self.machines.setdefault(request, Machine(f"i-{len(self.machines)}", token, now, ended=ended))
            case RunCommand(instance=instance, index=index, text=text):
                machine = self.machine(instance)
                assert index <= len(machine.runs), "commands run in order"
                if index == len(machine.runs):
                    machine.runs.append((now, text))
            case StopInstance(instance=instance):
                self.machine(instance).stopped = self.machine(instance).stopped or now
            case CreateImage(name=name) if name in self.images:
                return BuildOutcome(result=Result.UNKNOWN, detail="InvalidAMIName.Duplicate")
            case CreateImage(name=name, token=token, instance=instance):
                assert self.state(self.machine(instance)) == "stopped", "the file system is at rest"
                self.images[name] = (f"ami-{len(self.images)}", token, now)
            case TerminateInstance(instance=instance):
                self.machine(instance).ended = self.machine(instance).ended or now
        return None

    def machine(self, instance: str) -> Machine:
        return next(machine for machine in self.machines.values() if machine.id == instance)

    @property
    def living(self) -> list[str]:
        """Instances that cost money, now and a little later."""
        self.clock.sleep(60 + self.lag)
        return [m.id for m in self.machines.values() if self.state(m) != "terminated"]


def answers(**given: BuildOutcome) -> Callable[[str, int, BuildCommand], BuildOutcome | None]:
    """A fault that answers each command of a class in the same way, without carrying it out."""
    return lambda when, _, command: given.get(type(command).__name__) if when == "before" else None


def phases(result: ImageResult) -> list[str]:
    """The phases of a build, in order, each once."""
    return list(dict.fromkeys(taken.state.phase.value for taken in result.steps))


def test_the_table_is_total() -> None:
    """Every phase answers every signal, and only clean_up leads to an end."""
    assert set(TRANSITIONS) == set(BuildPhase)
    for phase, row in TRANSITIONS.items():
        assert set(row) == set(BuildSignal)
        if phase.ended:
            assert set(row.values()) == {None}
        elif phase is not BuildPhase.CLEAN_UP:
            assert not any(after and after.ended for after in row.values())
            assert row[BuildSignal.LATE] is row[BuildSignal.BROKEN] is BuildPhase.CLEAN_UP


def test_a_build_makes_one_image_and_leaves_no_instance() -> None:
    """Phases follow each other to an available image, each command runs once, the instance ends."""
    world = World()
    result = BUILD.run(world)
    assert phases(result) == ["start", "run", "stop", "create", "wait", "clean_up", "done"]
    assert (result.ok, result.image, result.instance, result.leftovers) == (True, "ami-0", "i-0", ())
    assert result.raise_unless_built() == "ami-0"
    assert [text for _, text in world.machines[BUILD.token].runs] == list(BUILD.commands)
    assert world.living == []
    assert "is available" in result.reason


def test_steps_are_printable_one_by_one() -> None:
    """Each pass is one line that begins with its phase, and every phase has one."""
    lines = [str(taken) for taken in BUILD.steps(World())]
    assert lines[0] == "start: starting a build instance from exercise-launch-template"
    assert all("\n" not in line for line in lines)
    assert {line.partition(":")[0] for line in lines} == {phase.value for phase in BuildPhase} - {"failed"}


def test_a_second_run_finds_the_image_of_the_first() -> None:
    """Equal builds are one build: nothing is started, the same image comes back."""
    world = World()
    first = BUILD.run(world)
    sent = len(world.sent)
    second = evolve(BUILD).run(world)
    assert second.image == first.image
    assert len(world.sent) == sent


def test_a_foreign_image_of_the_name_is_refused() -> None:
    """An image that this build did not make ends it before an instance is started."""
    world = World(images={BUILD.name: ("ami-9", "somebody", 0)})
    result = BUILD.run(world)
    assert not result.ok
    assert result.reason == "the name is taken by image ami-9, which this build did not make"
    assert (world.sent, result.leftovers, result.image) == ([], (), None)


def test_a_name_taken_meanwhile_is_refused_and_the_instance_ends() -> None:
    """A foreign image that appears on the way ends the build, and the instance with it."""
    world = World()

    def taken(_when: str, _number: int, command: BuildCommand) -> BuildOutcome | None:
        if isinstance(command, StopInstance):
            world.images[BUILD.name] = ("ami-9", "somebody", 0)
        return None

    world.fault = taken
    result = BUILD.run(world)
    assert "taken by image ami-9" in result.reason
    assert world.living == []


def test_a_failing_command_ends_the_build_with_its_words() -> None:
    """Command, exit code and the end of its output are told, on one line and capped; the instance ends."""
    output = "x" * 5000 + "\x1b[31mno such\x00 ref\u202e\nbye\udcff"
    world = World(fails={"git checkout v2": (3, output)})
    result = BUILD.run(world)
    assert phases(result) == ["start", "run", "clean_up", "failed"]
    assert "command 2 of 3 ended with exit code 3: git checkout v2" in result.reason
    assert result.reason.endswith(r"\x1b[31mno such\x00 ref\u202e\nbye\udcff")
    assert result.reason.isprintable()
    assert len(result.reason) < 700
    assert world.living == []
    with pytest.raises(BuildFailed, match="exit code 3"):
        result.raise_unless_built()


NOT_ALLOWED = BuildOutcome(result=Result.REFUSED, error=ErrorClass.IDENTITY, detail="no\tpermission")
FAILURES: dict[str, tuple[str, World]] = {
    "slow boot": ("is pending and takes no commands yet; deadline of 15 s", World()),
    "dies": ("i-0 is shutting-down before its commands have run", World(boots=False)),
    "not allowed": (r"refused, identity, no\tpermission", World(fault=answers(StartInstance=NOT_ALLOWED))),
    "no capacity": (
        "not-applied, busy, not now); deadline of 600 s",
        World(fault=answers(StartInstance=BUSY)),
    ),
    "no agent": ("command 1 of 3: git pull (last", World(fault=answers(RunCommand=BUSY))),
    "no stop": ("stopping i-0 (last command: not-applied", World(fault=answers(StopInstance=BUSY))),
    "no image": ("making image exercise-v2-", World(fault=answers(CreateImage=BUSY))),
    "slow image": ("is pending; deadline of 3600 s", World(image_seconds=1e9)),
    "bad image": ("image ami-0 failed", World(image_ends="failed")),
}


@pytest.mark.parametrize("kind", FAILURES)
def test_every_way_to_fail_cleans_up(kind: str) -> None:
    """Whatever keeps the image away: one reason, no instance left, and an unfinished image is listed."""
    reason, world = FAILURES[kind]
    build = evolve(BUILD, start_seconds=15) if kind == "slow boot" else BUILD
    result = build.run(world)
    assert not result.ok
    assert reason in result.reason
    assert phases(result)[-2:] == ["clean_up", "failed"]
    assert world.living == []
    assert result.leftovers == ((f"image ami-0 ({build.name}): not available",) if world.images else ())


def test_an_instance_that_cannot_be_ended_is_listed() -> None:
    """When ending is refused or takes too long, the image counts and the instance is a leftover."""
    for answer in (NOT_ALLOWED, BUSY):
        result = BUILD.run(World(fault=answers(TerminateInstance=answer)))
        assert result.ok
        assert result.leftovers == ("instance i-0",)
    world = World(fails={"git pull": (1, "")}, fault=answers(TerminateInstance=NOT_ALLOWED))
    failed = BUILD.run(world)
    assert failed.leftovers == ("instance i-0",)
    with pytest.raises(BuildFailed, match="left over: instance i-0"):
        failed.raise_unless_built()


def test_a_start_that_was_never_answered_nor_seen_is_listed() -> None:
    """An instance that may have been started is waited for, then named by its mark."""
    result = BUILD.run(World(fault=answers(StartInstance=LOST)))
    assert not result.ok
    assert result.leftovers == (f"perhaps an instance marked {BUILD.token}: it was asked for and never seen",)


def test_an_instance_that_shows_after_its_deadline_is_ended() -> None:
    """A start whose deadline passes before the instance can be seen leaves none behind."""
    world = World(lag=60)
    result = evolve(BUILD, start_seconds=1).run(world)
    assert not result.ok
    assert len(world.machines) == 1
    assert (world.living, result.leftovers) == ([], ())


def test_an_unreadable_world_is_waited_for() -> None:
    """Nothing is asked for while a part cannot be read; past the deadline the build gives up."""
    world = World(unread=("instances",))
    result = BUILD.run(world)
    assert world.sent == []
    assert result.reason == "could not read instances; deadline of 600 s passed"


def test_the_deadline_of_commands_is_for_each() -> None:
    """Three commands of ten seconds fit into a deadline of 25 each, one that hangs does not."""
    assert evolve(BUILD, command_seconds=25).run(World()).ok
    assert "deadline of 5 s" in evolve(BUILD, command_seconds=5).run(World()).reason


def test_a_terminated_instance_of_an_earlier_run_makes_way() -> None:
    """A build that failed can be run again at once: a new instance, by another request."""
    world = World(fails={"git pull": (1, "network")})
    assert not BUILD.run(world).ok
    world.fails.clear()
    result = BUILD.run(world)
    assert result.ok
    assert result.instance == "i-1"
    assert world.living == []


def test_an_adopted_instance_that_ends_makes_way_too() -> None:
    """When the instance of a crashed run ends while it is waited for, a new one is started."""
    world = World()
    next(iter(BUILD.steps(world)))
    world.machine("i-0").ended = 10.0
    result = BUILD.run(world)
    assert (result.ok, result.instance) == (True, "i-1")


def test_an_adopted_instance_that_was_stopped_too_early_is_refused() -> None:
    """An instance stopped before its commands ran makes no image; the next run starts afresh."""
    world = World()
    next(iter(BUILD.steps(world)))
    world.machine("i-0").stopped = 1.0
    assert "is stopping before its commands have run" in BUILD.run(world).reason
    assert BUILD.run(world).ok


LAGS = (0, 7, 40)


def crashes(count: int) -> Iterator[tuple[float, str, int]]:
    """Every boundary of the first ``count`` commands."""
    yield from product(LAGS, ("before", "after"), range(count))


COMMANDS = 1 + 3 + 1 + 1 + 1  # start, three commands, stop, create, terminate


@pytest.mark.parametrize(("lag", "when", "at"), list(crashes(COMMANDS)))
def test_lost_answers_change_nothing(lag: float, when: str, at: int) -> None:
    """Whichever command's sending fails or answer is lost: one image, each command once, no instance left."""
    world = World(lag=lag)
    world.fault = lambda now, number, _: (
        (BUSY if when == "before" else LOST) if (now, number) == (when, at) else None
    )
    result = BUILD.run(world)
    assert result.ok, result.reason
    ran_once_and_tidy(world)


@pytest.mark.parametrize(("lag", "when", "at"), list(crashes(COMMANDS)))
def test_a_crash_at_any_command_is_made_up_for(lag: float, when: str, at: int) -> None:
    """Killed before or after any command and run again: one image, each command once, no instance left."""
    world = World(lag=lag)

    def crash(now: str, number: int, _: BuildCommand) -> None:
        if (now, number) == (when, at):
            raise Crash

    world.fault = crash
    with pytest.raises(Crash):
        BUILD.run(world)
    assert BUILD.run(world).ok
    ran_once_and_tidy(world)


def test_a_crash_after_any_pass_is_made_up_for() -> None:
    """Left after any number of passes, and run again twice: one image, no instance left."""
    passes = len(BUILD.run(World()).steps)
    for count in range(passes):
        world = World()
        for _, _taken in zip(range(count), BUILD.steps(world), strict=False):
            pass
        results = [BUILD.run(world), BUILD.run(world)]
        assert [result.image for result in results] == ["ami-0", "ami-0"]
        ran_once_and_tidy(world)


def test_a_crash_on_the_way_to_failing_leaves_no_instance() -> None:
    """A failing build that is killed anywhere fails again when run again, and leaves nothing."""
    for when, at in product(("before", "after"), range(3)):
        world = World(fails={"git checkout v2": (1, "")})

        def crash(now: str, number: int, _: BuildCommand, when: str = when, at: int = at) -> None:
            if (now, number) == (when, at):
                raise Crash

        world.fault = crash
        with pytest.raises(Crash):
            BUILD.run(world)
        assert not BUILD.run(world).ok
        assert (world.living, world.images) == ([], {})


def ran_once_and_tidy(world: World) -> None:
    assert list(world.images) == [BUILD.name]
    assert len(world.machines) == 1
    assert [text for machine in world.machines.values() for _, text in machine.runs] == list(BUILD.commands)
    assert world.living == []


def test_a_step_that_changes_the_phase_asks_for_nothing() -> None:
    """One pass, one transition or one command, never both."""
    before = BuildPhase.START
    for taken in BUILD.steps(World()):
        assert taken.state.phase is before or taken.command is None
        before = taken.state.phase


def test_step_is_a_function() -> None:
    """The same state and look give the same step, and leave both as they were."""
    state = BuildState(since=0)
    look = BuildLook(at=1, instance="i-1", instance_state="running", ready=True)
    assert step(BUILD, state, look) == step(BUILD, state, look)
    assert state == BuildState(since=0)


def test_what_a_late_look_shows_still_counts() -> None:
    """Reached stands before late: an image that is available past its deadline is a good image."""
    state = BuildState(since=0, phase=BuildPhase.WAIT, image="ami-1", instance="i-1")
    taken = step(BUILD, state, BuildLook(at=1e6, image="ami-1", image_state="available"))
    assert taken.state.phase is BuildPhase.CLEAN_UP
    assert taken.state.failure is None


def test_an_old_look_undoes_nothing() -> None:
    """A look from before a command ended, or before the instance could be seen, starts nothing anew."""
    state = BuildState(since=0, phase=BuildPhase.RUN, asked=True, instance="i-1", done=2)
    taken = step(BUILD, state, BuildLook(at=1, instance="i-1", instance_state="pending"))
    assert taken.state.done == 2
    assert isinstance(taken.command, RunCommand)
    assert taken.command.index == 2
    assert step(BUILD, state, BuildLook(at=1)).state.phase is BuildPhase.RUN
    waiting = BuildState(since=0, phase=BuildPhase.WAIT, image="ami-1")
    foreign = BuildLook(at=1, image="ami-2", image_state="available", foreign=True)
    assert step(BUILD, waiting, foreign).state == waiting


def test_no_image_is_made_of_an_instance_that_is_lost_or_runs() -> None:
    """Before its image is asked for, an instance that ended fails the build, one that runs is waited for."""
    for phase in (BuildPhase.STOP, BuildPhase.CREATE):
        state = BuildState(since=0, phase=phase, instance="i-1", done=3)
        gone = step(BUILD, state, BuildLook(at=1, instance="i-1", instance_state="terminated"))
        assert gone.reason == "i-1 is terminated before its image was made"
    runs = step(BUILD, state, BuildLook(at=1, instance="i-1", instance_state="running"))
    assert (runs.state.phase, runs.command) == (BuildPhase.CREATE, None)
    running = evolve(state, phase=BuildPhase.RUN, done=1)
    lost = step(BUILD, running, BuildLook(at=1, instance="i-1", instance_state="stopped"))
    assert lost.reason == "i-1 is stopped, 1 of 3 commands done"


def test_names_and_tokens_are_functions_of_the_build() -> None:
    """Equal builds share name and token; a difference in what is built shows in both."""
    assert BUILD.name.startswith("exercise-v2-")
    assert (BUILD.name, BUILD.token) == (evolve(BUILD).name, evolve(BUILD, poll_seconds=9).token)
    same = {"service": "exercise", "launch_template": "exercise-launch-template"}
    others = [
        ImageBuild(**same, commands=("git pull",)),
        ImageBuild(**same, commands=("git pull", "make")),
        ImageBuild(**same, commands=("git pull",), version=3),
        ImageBuild(**same, commands=("git pull",), revision="v3"),
    ]
    assert len({build.name for build in [BUILD, *others]}) == 5
    assert len({build.token for build in [BUILD, *others]}) == 5
    named = ImageBuild(**same, commands=("a",), name="mine"), ImageBuild(**same, commands=("b",), name="mine")
    assert named[0].token != named[1].token
    assert max(len(f"{build.token}-i-0123456789abcdef0") for build in others) <= 64  # EC2's ClientToken


JUNK = st.one_of(
    st.none(),
    st.integers(),
    st.text(max_size=5),
    st.binary(max_size=5),
    st.dictionaries(st.tuples(), st.none()),
)


@pytest.mark.property
@given(service=JUNK, template=JUNK, commands=JUNK, version=JUNK, revision=JUNK)
def test_every_fault_is_told_at_once(
    service: Any, template: Any, commands: Any, version: Any, revision: Any
) -> None:
    """Whatever a build is given, it is one PlanError, in which no field that is wrong is missing."""
    with pytest.raises(PlanError) as caught:
        ImageBuild(
            service=service,
            launch_template=template,
            commands=commands,
            version=version,
            revision=revision,
            start_seconds=0,
        )
    told = {fault.path for fault in caught.value.faults}
    assert {"commands", "start_seconds"} <= told
    texts = {"service": service, "launch_template": template, "revision": revision or "v1"}
    assert {name for name, value in texts.items() if not isinstance(value, str)} <= told


def test_the_default_name_is_always_a_name() -> None:
    """The longest service and revision still make an image's name that EC2 takes."""
    build = ImageBuild(service="s" * 63, launch_template="abc", commands=("x",), revision="r" * 48)
    assert len(build.name) <= 128


@pytest.mark.parametrize(
    ("wrong", "paths"),
    [
        ({"service": "-", "launch_template": "x"}, ["service", "launch_template"]),
        ({"commands": ()}, ["commands"]),
        ({"commands": "make"}, ["commands"]),
        ({"commands": ("make", "")}, ["commands"]),
        ({"commands": ("make\0",)}, ["commands"]),
        ({"name": "ab"}, ["name"]),
        ({"name": "söö"}, ["name"]),
        ({"revision": "a b"}, ["revision"]),
        (
            {"version": 0, "image_seconds": 0, "poll_seconds": True},
            ["version", "image_seconds", "poll_seconds"],
        ),
    ],
)
def test_a_wrong_build_cannot_be_made(wrong: dict[str, Any], paths: list[str]) -> None:
    """Every fault of a build is named at once."""
    right = {"service": "exercise", "launch_template": "template", "commands": ("make",), "name": "image"}
    with pytest.raises(PlanError) as caught:
        ImageBuild(**(right | wrong))
    assert [fault.path for fault in caught.value.faults] == paths
