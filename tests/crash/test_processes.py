"""Real processes, killed by the kernel: what they had written is whole, and replays."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bluegreen import Deployment, SqliteJournal
from bluegreen.core.state import Phase
from bluegreen.journal.history import last
from bluegreen_sim import SimCloud
from tests.scenarios.story import assert_replays

pytestmark = [pytest.mark.crash, pytest.mark.process]

ROOT = Path(__file__).parents[2]
KILLS = 100 * int(os.environ.get("BLUEGREEN_PROOF", "1"))

SCRIPT = """
import sys, time
from bluegreen import Deployment, Limits, Plan, SqliteJournal, WeightedTargetGroups, strategies
from bluegreen_sim import SimCloud

class Slow(SimCloud):
    def observe(self, plan, ledger):
        time.sleep(0.01)
        return super().observe(plan, ledger)

plan = Plan(
    service="web",
    image="ami-2",
    launch_template="web-template",
    groups=("web-a", "web-b"),
    routing=WeightedTargetGroups("web-a-targets", "web-b-targets"),
    strategy=strategies.canary(20, 60),
    limits=Limits(poll_seconds=10),
)
Deployment(plan, Slow(plan, traffic=0), journal=SqliteJournal(sys.argv[1])).run()
print("promoted")
"""


def begun(folder: Path) -> tuple[subprocess.Popen[str], Path]:
    """A process that deploys, past its first decision."""
    journal = folder / "web.sqlite"
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(journal)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    while process.poll() is None:
        if journal.exists() and len(SqliteJournal(journal).records()) > 3:
            break
        time.sleep(0.01)
    return process, journal


def killed(number: int, folder: Path) -> Path:
    """The journal of a process that was killed at a moment drawn by its number."""
    process, journal = begun(folder)
    time.sleep(random.Random(number).uniform(0, 0.5))
    process.send_signal(signal.SIGKILL)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, f"it had ended before: {output}"
    return journal


@pytest.mark.parametrize("number", range(5))
def test_a_killed_process_loses_nothing(number: int, tmp_path: Path) -> None:
    """After SIGKILL the journal verifies, its decisions replay byte for byte, and the lock is free."""
    journal = SqliteJournal(killed(number, tmp_path))
    assert assert_replays(journal) >= 1
    story = last(journal, "web")
    assert story is not None
    assert not story.state.phase.ended
    assert (holder := journal.holder()) is not None
    assert holder.until == 0
    loaded = Deployment.load("web", SimCloud(story.plan), journal)
    assert loaded.state == story.state
    assert [step.reason for step in loaded.history] == [step.reason for step in story.steps]


@pytest.mark.proof
def test_many_killed_processes_lose_nothing(tmp_path: Path) -> None:
    """The same, many times."""
    for number in range(5, KILLS):
        folder = tmp_path / str(number)
        folder.mkdir()
        test_a_killed_process_loses_nothing(number, folder)


def test_what_is_killed_would_have_been_promoted(tmp_path: Path) -> None:
    """Left alone, the same process ends well: what was killed was on its way."""
    process, journal = begun(tmp_path)
    output, _ = process.communicate(timeout=120)
    assert (process.returncode, output) == (0, "promoted\n")
    story = last(SqliteJournal(journal), "web")
    assert story is not None
    assert story.state.phase is Phase.PROMOTED
    assert_replays(SqliteJournal(journal))
