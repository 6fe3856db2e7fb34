"""Many that want one service at once: threads of this process, or processes of their own.

    python -m tests.contract.races KIND PLACE NAME WINS        # one process; "go" on its stdin starts it

Each tries until it has won the lease so often; a winner appends, and lets go.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import attrs
import boto3
from attrs import define, field, frozen
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError

from bluegreen.aws import S3Journal
from bluegreen.core.errors import LockTaken
from bluegreen.journal import SqliteJournal
from bluegreen.journal.log import Log
from bluegreen.ports import Journal, Record

ROOT = Path(__file__).parents[2]
APPENDS = 2
"""Records that a winner appends."""


@frozen
class Tally:
    """What one contender saw.

    Args:
        name: Its name.
        won: (fence, slots of its records) of each time that it won.
        lost: How often it was told that another one holds the service, or had been quicker.
        faults: How many answers were refused or lost on the way.
    """

    name: str
    won: list[tuple[int, list[int]]] = field(factory=list)
    lost: int = 0
    faults: int = 0


def contend(journal: Journal, name: str, wins: int, faults: Callable[[], int] = lambda: 0) -> Tally:
    """Win the lease so often, against all others."""
    draw, won, lost = random.Random(name), [], 0
    log = Log(journal, "shop", name=name)
    while len(won) < wins:
        try:
            log.take()
        except LockTaken:
            lost += 1
            time.sleep(draw.uniform(0, 0.02))
            continue
        time.sleep(0.002)  # the others try meanwhile
        slots = [log.append("outcomes", {"by": name, "n": n}, "shop-1").seq for n in range(APPENDS)]
        won.append((log.fence, slots))
        log.release()
    return Tally(name, won, lost, faults())


def judge(records: Sequence[Record], tallies: Sequence[Tally]) -> None:
    """One winner at a time, fences strictly rising, nothing lost, and it was a race."""
    assert [record.seq for record in records] == list(range(1, len(records) + 1))
    leases = [record for record in records if record.kind == "lease"]
    assert [lease.fence for lease in leases] == list(range(1, len(leases) + 1))
    holding = 0
    for record in records:
        holding = record.fence if record.kind == "lease" else holding
        assert record.fence == holding, f"slot {record.seq} was written by a stale holder"
    told = {fence: slots for tally in tallies for fence, slots in tally.won}
    assert len(told) == sum(len(tally.won) for tally in tallies), "two won with one fence"
    assert set(told) == {lease.fence for lease in leases}
    written: dict[int, list[int]] = {fence: [] for fence in told}
    for record in records:
        if record.kind != "lease":
            written[record.fence].append(record.seq)
    assert written == told
    lost = sum(tally.lost for tally in tallies)
    assert lost > 0.3 * (lost + len(told)), "a race in which nobody loses is no race"


# ----------------------------------------------------------------------------------------------------- faults


@define
class Faults:
    """What goes wrong between a journal and S3, drawn by a seed: 409, 503, and answers that are lost.

    No server that can be had here answers 409 ``ConditionalRequestConflict`` (S3 API reference, PutObject).
    """

    draw: random.Random
    chance: float = 0.1
    count: int = 0

    def strike(self, journal: S3Journal) -> None:
        """Strike what the journal writes from now on."""
        events = journal._clients.write.s3.meta.events
        events.register("before-send.s3.PutObject", self._refuse)
        events.register("after-call.s3.PutObject", self._lose)

    def _struck(self) -> bool:
        struck = self.draw.random() < self.chance / 2
        self.count += struck
        return struck

    def _refuse(self, **_: Any) -> AWSResponse | None:
        return refusal(*self.draw.choice(REFUSALS)) if self._struck() else None

    def _lose(self, http_response: Any, **_: Any) -> None:
        if http_response.status_code == 200 and self._struck():
            raise ConnectionClosedError(endpoint_url="http://lost.invalid")


REFUSALS = ((409, "ConditionalRequestConflict"), (503, "SlowDown"), (500, "InternalError"))


def refusal(status: int, code: str) -> AWSResponse:
    """An answer of S3 that says no, in place of the server's; what was asked for is not done."""
    body = f"<Error><Code>{code}</Code><Message>refused by a test</Message></Error>".encode()
    answer = AWSResponse("http://refused.invalid", status, {"Content-Type": "application/xml"}, None)
    answer._content = body
    return answer


# -------------------------------------------------------------------------------------------------- processes


def opened(kind: str, place: str) -> SqliteJournal | S3Journal:
    """The journal at a path, or at ``BUCKET/PREFIX@URL``."""
    if kind == "sqlite":
        return SqliteJournal(place, durable=False)
    where, _, url = place.partition("@")
    session = boto3.Session(
        aws_access_key_id="testing", aws_secret_access_key="testing", region_name="us-east-1"
    )
    return S3Journal.at(f"s3://{where}", session=session, endpoint_url=url)


def race(kind: str, place: str, *, contenders: int, wins: int) -> list[Tally]:
    """Contenders in processes of their own, started behind one line; what each of them saw."""
    command = [sys.executable, "-m", "tests.contract.races", kind, place]
    running = [
        subprocess.Popen(
            [*command, f"process-{n}", str(wins)],
            cwd=ROOT,
            env=os.environ | {"AWS_EC2_METADATA_DISABLED": "true"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(contenders)
    ]
    try:
        for process in running:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in running:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        return [Tally(**json.loads(process.communicate(timeout=300)[0])) for process in running]
    finally:
        for process in running:
            process.kill()
            process.communicate()


def main(kind: str, place: str, name: str, wins: str) -> None:
    """One contender."""
    journal, faults = opened(kind, place), Faults(random.Random(name))
    journal.holder()  # whatever is made at first use is made before the start
    if isinstance(journal, S3Journal):
        faults.strike(journal)
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(attrs.asdict(contend(journal, name, int(wins), lambda: faults.count))))


if __name__ == "__main__":
    main(*sys.argv[1:])
