"""A plan file in a folder of its own, and ways to run the program in this process and in another."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import chdir, redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path
from shutil import copytree
from typing import TYPE_CHECKING, Any

import pytest
from attrs import define, field, frozen

from bluegreen.cli import main
from bluegreen.clock import SystemClock

if TYPE_CHECKING:
    from tests.moto_server import MotoServer

ROOT = Path(__file__).parents[2]

PLAN = """
service = "exercise"
image = "ami-0beta"
launch_template = "exercise-launch-template"
groups = ["exercise-group-blue", "exercise-group-green"]

[routing]
{routing}

[strategy]
{strategy}

[limits]
poll_seconds = 30
"""
SHARED = 'kind = "shared"\ntarget_group = "exercise-target-group"'
WEIGHTED = 'kind = "weighted"\ntarget_groups = ["exercise-a", "exercise-b"]'
SIDE_BY_SIDE = 'kind = "side-by-side"\nbake_seconds = 30'
APPROVED = 'kind = "canary"\npercent = 10\nbake_seconds = 20\napproval = true\nlast_bake_seconds = 20'


@frozen
class Ran:
    """How a run of the program ended."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> dict[str, Any]:
        """The one JSON object on stdout."""
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found


Program = Callable[..., Ran]
Write = Callable[..., str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def bluegreen(folder: Path, capsys: pytest.CaptureFixture[str]) -> Program:
    """Run the program in this process."""
    del folder

    def run(*arguments: str) -> Ran:
        capsys.readouterr()
        code = main(arguments)
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return run


@pytest.fixture
def write_plan(folder: Path) -> Write:
    """Write ``deployment.toml``, and give its name."""

    return partial(write_file, folder)


def write_file(folder: Path, routing: str = SHARED, strategy: str = SIDE_BY_SIDE, more: str = "") -> str:
    """Write ``deployment.toml`` into a folder, and give its name."""
    text = more + PLAN.format(routing=routing, strategy=strategy)
    (folder / "deployment.toml").write_text(text, encoding="utf-8")
    return "deployment.toml"


@pytest.fixture(scope="session")
def after_one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which one release was promoted; made once, for it takes a second."""
    return _simulated(tmp_path_factory.mktemp("after_one"), 0)


@pytest.fixture(scope="session")
def half_way(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a release awaits its approval; made once."""
    return _simulated(tmp_path_factory.mktemp("half_way"), 4, WEIGHTED, APPROVED)


def _simulated(folder: Path, code: int, *plan: str) -> Path:
    file = write_file(folder, *plan)
    with chdir(folder), redirect_stdout(StringIO()):
        assert main(["simulate", file]) == code
    return folder


@pytest.fixture
def released(folder: Path, after_one: Path) -> str:
    """The plan file of a service with one promoted release, in a folder of its own."""
    copytree(after_one, folder, dirs_exist_ok=True)
    return "deployment.toml"


@pytest.fixture
def waiting(folder: Path, half_way: Path) -> str:
    """The plan file of a service whose release awaits its approval, in a folder of its own."""
    copytree(half_way, folder, dirs_exist_ok=True)
    return "deployment.toml"


# --------------------------------------------------------------------------------------------- real commands

ROUTINGS = {
    "shared": SHARED,
    "weighted": 'kind = "weighted"\ntarget_groups = ["exercise-blue", "exercise-green"]',
}
BLUE, GREEN = "exercise-group-blue", "exercise-group-green"


@define
class Time:
    """The system's clock as the tests have it: waiting takes no time."""

    waited: float = 0.0
    due: list[tuple[float, Callable[[], object]]] = field(factory=list)

    def now(self) -> float:
        """The time with all that was waited for."""
        return time.time() + self.waited

    def sleep(self, seconds: float) -> None:
        """A wait."""
        self.waited += max(0.0, seconds)
        if self.due and self.due[0][0] <= self.waited:
            _, happens = self.due.pop(0)
            happens()

    def after(self, seconds: float, happens: Callable[[], object]) -> None:
        """Let something happen in the middle of a wait."""
        self.due.append((self.waited + seconds, happens))


@frozen
class Aws:
    """Moto's account, and the program that works on it.

    Args:
        moto: The server.
        program: The program.
        time: Its time.
        write: Writes the plan file.
    """

    moto: "MotoServer"
    program: Program
    time: Time
    write: Write

    def lay_out(self, routing: str = "weighted", strategy: str = SIDE_BY_SIDE, more: str = "") -> None:
        """The tutorial's account, and the plan file that fits it."""
        from tests.moto_account import lay_out

        lay_out(self.moto, routing)  # type: ignore[arg-type]
        path = Path(self.write(ROUTINGS[routing], strategy, more))
        path.write_text(path.read_text().replace("poll_seconds = 30", "poll_seconds = 5"))

    def deploy(self, *arguments: str) -> Ran:
        """``bluegreen deploy`` of the plan file."""
        return self.run("deploy", "deployment.toml", *arguments)

    def run(self, *arguments: str) -> Ran:
        """Any command that takes the account's options."""
        return self.program(*arguments, "--endpoint-url", self.moto.url)

    def sizes(self) -> list[int]:
        """How many instances the two groups have."""
        asg = self.moto.client("autoscaling")
        found = asg.describe_auto_scaling_groups(AutoScalingGroupNames=[BLUE, GREEN])["AutoScalingGroups"]
        return [
            len(group["Instances"]) for group in sorted(found, key=lambda each: each["AutoScalingGroupName"])
        ]


@pytest.fixture
def aws(bluegreen: Program, write_plan: Write, monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """Moto's server with its credentials in the environment, and a clock on which waiting takes no time."""
    from tests.moto_server import MotoServer

    ours = Time()
    monkeypatch.setattr(SystemClock, "now", lambda _: ours.now())
    monkeypatch.setattr(SystemClock, "sleep", lambda _, seconds: ours.sleep(seconds))
    with MotoServer() as moto:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        for name, value in moto.environment().items():
            monkeypatch.setenv(name, value)
        yield Aws(moto, bluegreen, ours, write_plan)


def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    """The program as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "bluegreen.cli", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="strict",
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )
