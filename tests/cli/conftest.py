"""A plan file in a folder of its own, and ways to run the program in this process and in another."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import chdir, redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from attrs import frozen

from bluegreen.cli import main

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
