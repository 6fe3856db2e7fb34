"""A holder that is stopped past its lease, as by SIGSTOP or a laptop's lid, sends nothing when it wakes up.

The process is real, and so are the server, the journal and the signal. It stops itself at a boundary of the
journal: before or after a call. Another process then finds the lease over, takes it, and lets the first one
continue.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from attrs import frozen

from bluegreen import Deployment
from bluegreen.aws import AwsCloud
from bluegreen.core.state import Phase
from bluegreen.ports import Journal
from tests.contract.providers import Hands
from tests.contract.races import opened
from tests.moto_account import lay_out
from tests.proxy import Proxy
from tests.scenarios.story import assert_replays

if TYPE_CHECKING:
    from tests.moto_server import MotoServer

pytestmark = [pytest.mark.crash, pytest.mark.process, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
LEASE_SECONDS = 0.2

# Waiting takes no time. Each call of the journal is two boundaries, but for renewals, which come when a real
# clock says so; at the one that is named it stops.
PROGRAM = """
import os, signal, sys
from contextlib import closing
from bluegreen import Deployment, strategies
from bluegreen.aws import AwsCloud
from bluegreen.core.errors import LockTaken
from bluegreen.journal import log
from tests.contract.providers import Hands, plan_for
from tests.contract.races import opened
import boto3

kind, place, url, at, seconds = sys.argv[1:]
log.LEASE_SECONDS, log.SIGN_SECONDS = float(seconds), float(seconds) / 3

class Stopping:
    def __init__(self, inner):
        self.inner, self.passed = inner, 0
    def renew(self, holder):
        self.inner.renew(holder)
    def boundary(self, name):
        self.passed += 1
        print(name, flush=True)
        if self.passed == int(at):
            os.kill(os.getpid(), signal.SIGSTOP)
    def __getattr__(self, name):
        call = getattr(self.inner, name)
        def bounded(*args, **kwargs):
            self.boundary(f"before {name}")
            found = call(*args, **kwargs)
            if name == "records":
                found = list(found)
            self.boundary(f"after {name}")
            return found
        return bounded

keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": "us-east-1"}
plan = plan_for("weighted", strategy=strategies.all_at_once(10), freeze_scaling=True)
with closing(AwsCloud(boto3.Session(**keys), endpoint_url=url, clock=Hands())) as cloud:
    try:
        Deployment(plan, cloud, journal=Stopping(opened(kind, place)), holder="first").run()
    except LockTaken as error:
        print(f"lost: {error}", flush=True)
"""


@frozen
class Stop:
    """How a process went that was stopped.

    Args:
        boundaries: What it passed, in order.
        late: Requests that change something, sent after it continued.
        end: How it ended, in its own words.
    """

    boundaries: list[str]
    late: list[str]
    end: str


def place_of(kind: str, moto: MotoServer, folder: Path) -> str:
    """An empty journal's place."""
    moto.reset()
    lay_out(moto, "weighted")
    if kind == "sqlite":
        return str(folder / f"{time.monotonic_ns()}.sqlite")
    moto.client("s3").create_bucket(Bucket="journals")
    return f"journals/exercise@{moto.url}"


def begun(kind: str, place: str, url: str, at: int) -> subprocess.Popen[str]:
    """The process."""
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, kind, place, url, str(at), str(LEASE_SECONDS)],
        cwd=ROOT,
        env=os.environ | {"AWS_EC2_METADATA_DISABLED": "true"},
        stdout=subprocess.PIPE,
        text=True,
    )


def undisturbed(kind: str, moto: MotoServer, folder: Path) -> list[str]:
    """All boundaries of a deployment that nobody stops."""
    place = place_of(kind, moto, folder)
    out, _ = begun(kind, place, moto.url, 0).communicate(timeout=120)
    return out.splitlines()


def stopped(kind: str, at: int, moto: MotoServer, folder: Path) -> Stop:
    """Stop the process at a boundary, take over, and let it continue."""
    place = place_of(kind, moto, folder)
    with Proxy(moto.url) as proxy:
        process = begun(kind, place, proxy.url, at)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        assert process.poll() is None, "it ended before it was stopped"
        time.sleep(LEASE_SECONDS * 1.5)
        with closing(AwsCloud(moto.session(), endpoint_url=moto.url, clock=Hands())) as cloud:
            journal = opened(kind, place)
            _take_over(cloud, journal)
            sent = len([row for row in proxy.log if row.mutating])
            process.send_signal(signal.SIGCONT)
            out, _ = process.communicate(timeout=120)
            late = [row.operation for row in proxy.log if row.mutating][sent:]
            *boundaries, end = out.splitlines()
            second = Deployment.load("exercise", cloud, journal, holder="third")
            assert second.run().phase is Phase.PROMOTED
            assert_replays(journal)
            getattr(journal, "close", lambda: None)()
    return Stop(boundaries, late, end)


def _take_over(cloud: AwsCloud, journal: Journal) -> None:
    """One pass of the deployment by another process, which lets go at once."""
    with Deployment.load("exercise", cloud, journal, holder="second") as second:
        second.advance()


def in_hand(boundaries: list[str], at: int) -> bool:
    """Whether a boundary lies between the check of the lease and the request that it was for."""
    return boundaries[at - 1] == "after records"


def moments(boundaries: list[str], count: int) -> Iterator[int]:
    """Boundaries once the deployment is on record and before its end, counted from 1, drawn by a seed."""
    first = [n for n, name in enumerate(boundaries, start=1) if name == "after put"][2]
    places = range(first, len(boundaries) - 8)
    return iter(sorted(random.Random(7).sample(places, min(count, len(places)))))


def _at_boundaries(kind: str, count: int, moto: MotoServer, folder: Path) -> None:
    boundaries = undisturbed(kind, moto, folder)
    late = 0
    for at in moments(boundaries, count):
        stop = stopped(kind, at, moto, folder)
        assert stop.end.startswith("lost: exercise was taken over by a holder with fence"), stop.end
        assert len(stop.late) <= in_hand(stop.boundaries, at), (
            f"{stop.boundaries[at - 1]} ({at}): {stop.late}"
        )
        late += len(stop.late)
    assert late < count


@pytest.mark.parametrize("kind", ["sqlite", "s3"])
def test_who_wakes_up_past_its_lease_sends_nothing(kind: str, moto: MotoServer, tmp_path: Path) -> None:
    """Stopped at a boundary of the journal and taken over, it sends nothing more, but a request in hand."""
    _at_boundaries(kind, 2, moto, tmp_path)


@pytest.mark.proof
@pytest.mark.parametrize("kind", ["sqlite", "s3"])
def test_who_wakes_up_anywhere_past_its_lease_sends_nothing(
    kind: str, moto: MotoServer, tmp_path: Path
) -> None:
    """The same at forty boundaries from the first look to the last."""
    _at_boundaries(kind, 40, moto, tmp_path)
