"""Real processes that work on AWS, killed around every request that changes something: the same end."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from attrs import define, field

from bluegreen import SqliteJournal, strategies
from bluegreen.journal.history import last
from bluegreen.planfile import plan_to_toml
from tests.aws.wire import picture
from tests.contract.providers import plan_for
from tests.moto_account import lay_out
from tests.proxy import Action, Call, Drop, Hook, Proxy
from tests.scenarios.story import assert_replays

if TYPE_CHECKING:
    from tests.moto_server import MotoServer

pytestmark = [pytest.mark.crash, pytest.mark.process, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
SEEDS = 10 * int(os.environ.get("BLUEGREEN_PROOF", "1"))

# Waiting takes no time: the clock jumps. All else is as users have it.
PROGRAM = """
import sys, time
from bluegreen.clock import SystemClock
jumped = 0.0
def sleep(self, seconds):
    global jumped
    jumped += max(0.0, seconds)
SystemClock.sleep = sleep
SystemClock.now = lambda self: time.time() + jumped
from bluegreen.cli import main
sys.exit(main())
"""

COMMANDS = {
    "weighted": "deploy deployment.toml",
    "shared": "deploy deployment.toml",
    "replaced": "deploy deployment.toml",
    "image": "image build deployment.toml --command true --command uname --name exercise-v2",
}
REQUESTS = {"weighted": 9, "shared": 6, "replaced": 5, "image": 6}
"""How many requests change something when nothing disturbs."""

Disturb = Callable[[Call], Action | None]


@define
class Stage:
    """An account, and a folder to work on it from.

    Args:
        moto: The account's server.
        scene: Which of ``COMMANDS`` is run.
        folder: Where the plan file and the journal are.
    """

    moto: MotoServer
    scene: str
    folder: Path
    process: subprocess.Popen[str] | None = field(default=None, init=False)
    output: str = field(default="", init=False)
    changes: int = field(default=0, init=False)

    def run(self, disturb: Disturb = lambda _: None, kill_after: float | None = None) -> int:
        """Run the command once; its exit code."""
        with Proxy(self.moto.url) as proxy:
            proxy.plan = disturb
            command = [sys.executable, "-c", PROGRAM, *COMMANDS[self.scene].split()]
            self.process = subprocess.Popen(
                [*command, "--endpoint-url", proxy.url],
                cwd=self.folder,
                env=self.moto.environment(PYTHONPATH=str(ROOT)),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            if kill_after is not None:
                with suppress(subprocess.TimeoutExpired):
                    self.process.wait(kill_after)
                if self.process.poll() is None:
                    self.kill()
            self.output, _ = self.process.communicate(timeout=120)
            self.changes = len([row for row in proxy.log if row.mutating])
        return self.process.returncode

    def kill(self) -> None:
        """End the process as the kernel does, without a word to it."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def ended(self) -> bool:
        """Whether the journal says that the deployment has ended."""
        found = [last(SqliteJournal(path), "exercise") for path in self._journals()]
        return any(story is not None and story.state.phase.ended for story in found)

    def _journals(self) -> list[Path]:
        return [*self.folder.glob(".bluegreen/*/journal.sqlite")]

    def ends_as(self, expected: dict[str, Any]) -> None:
        """The command, run again, ends well and with everything as it would have been."""
        assert self.run() == 0, self.output
        assert picture(self.moto) == expected, self.output
        for journal in self._journals():
            assert_replays(SqliteJournal(journal))


Made = Callable[[str], Stage]


@pytest.fixture
def stage(moto: MotoServer, tmp_path: Path) -> Made:
    """Lays a scene out, in a new account and a new folder."""
    numbers = count()

    def made(scene: str) -> Stage:
        moto.reset()
        account = lay_out(moto, "shared" if scene == "shared" else "weighted")
        if scene == "replaced":
            moto.client("autoscaling").delete_auto_scaling_group(AutoScalingGroupName=account.groups[1])
        plan = plan_for(
            "shared" if scene == "shared" else "weighted",
            strategy=strategies.all_at_once(10),
            freeze_scaling=scene == "weighted",
            fleets="replace" if scene == "replaced" else "standing",
        )
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        (folder / "deployment.toml").write_text(plan_to_toml(plan), encoding="utf-8")
        return Stage(moto, scene, folder)

    return made


def undisturbed(stage: Made, scene: str) -> dict[str, Any]:
    """The account after the command has run once and well."""
    quiet = stage(scene)
    assert quiet.run() == 0, quiet.output
    assert quiet.changes == REQUESTS[scene]
    return picture(quiet.moto)


def killed(stage: Made, scene: str, side: str) -> Iterator[Stage]:
    """The scene, killed just before or just after its k-th request that changes something, for every k."""
    for k in range(1, REQUESTS[scene] + 1):
        now = stage(scene)
        action = Drop(before=now.kill) if side == "before" else Hook(after=now.kill)

        def disturb(call: Call, k: int = k, action: Action = action) -> Action | None:
            return action if call.mutating and call.number == k else None

        assert now.run(disturb) == -9, now.output
        yield now


@pytest.mark.parametrize(
    ("scene", "side"),
    [
        ("weighted", "after"),
        ("shared", "before"),
        ("replaced", "after"),
        ("image", "after"),
        pytest.param("weighted", "before", marks=pytest.mark.proof),
        pytest.param("shared", "after", marks=pytest.mark.proof),
        pytest.param("replaced", "before", marks=pytest.mark.proof),
        pytest.param("image", "before", marks=pytest.mark.proof),
    ],
)
def test_killed_around_any_request_it_ends_the_same(scene: str, side: str, stage: Made) -> None:
    """Killed just before or after its k-th change, for every k: the next run ends as if nothing had been.

    So there is one green group at size, one template version or one image, each command of a build ran once,
    and nothing is left over.
    """
    expected = undisturbed(stage, scene)
    for now in killed(stage, scene, side):
        now.ends_as(expected)


def test_killed_at_any_time_it_ends_the_same(stage: Made) -> None:
    """The same at two moments that a seed draws."""
    _at_moments(stage, range(2))


@pytest.mark.proof
def test_killed_at_many_times_it_ends_the_same(stage: Made) -> None:
    """The same at ten."""
    _at_moments(stage, range(SEEDS))


def _at_moments(stage: Made, seeds: range) -> None:
    scenes = ("weighted", "shared")
    expected, seconds = {}, {}
    for scene in (*scenes, *scenes):  # the first of each is slow: files are read for the first time
        begun = time.monotonic()
        expected[scene] = undisturbed(stage, scene)
        seconds[scene] = time.monotonic() - begun
    killed = 0
    for seed in seeds:
        now = stage(scenes[seed % 2])
        now.run(kill_after=random.Random(seed).uniform(0.1, 0.7) * seconds[now.scene])
        if now.ended():  # quicker than the one that was timed: what comes next would be another release
            assert picture(now.moto) == expected[now.scene]
        else:
            killed += 1
            now.ends_as(expected[now.scene])
    assert killed >= len(seeds) // 2
