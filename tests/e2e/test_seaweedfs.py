"""A real S3 server with conditional writes keeps the journal's promises: SeaweedFS, one process."""

from __future__ import annotations

import inspect
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from bluegreen.aws import S3Journal
from tests.contract import test_journals
from tests.contract.races import judge, opened, race

START_SECONDS = 60
NUMBERS = count()


def free_port() -> int:
    """A port that nobody listens on; SeaweedFS takes the one 10,000 above it for its own calls."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port < 50_000:
            return port


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a SeaweedFS listens that holds one empty bucket."""
    program = shutil.which("weed", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert program, "weed is missing: make e2e installs it from requirements/e2e.txt"
    folder = tmp_path_factory.mktemp("seaweedfs")
    ports = {name: free_port() for name in ("master.port", "volume.port", "filer.port", "s3.port")}
    command = [program, "server", "-ip=127.0.0.1", "-s3", f"-dir={folder}", "-master.volumeSizeLimitMB=64"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [*command, *(f"-{name}={port}" for name, port in ports.items())],
            cwd=folder,
            stdout=log,
            stderr=log,
        )
        try:
            where = f"http://127.0.0.1:{ports['s3.port']}"
            _wait_for(where, server, folder / "log")
            yield where
        finally:
            server.kill()  # it would take half a minute to say goodbye, and nothing is kept
            server.wait()


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Make the bucket, as soon as the server takes it."""
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    once = Config(retries={"mode": "standard", "total_max_attempts": 1}, s3={"addressing_style": "path"})
    end = time.monotonic() + START_SECONDS
    client = boto3.client("s3", endpoint_url=url, region_name="us-east-1", config=once, **keys)
    with closing(client):
        while True:
            assert server.poll() is None, log.read_text(errors="replace")[-2000:]
            try:
                client.create_bucket(Bucket="journals")
                client.put_object(Bucket="journals", Key="ready")
            except (BotoCoreError, ClientError) as error:
                if time.monotonic() > end:
                    pytest.fail(f"{error}\n{log.read_text(errors='replace')[-2000:]}")
                time.sleep(0.3)
            else:
                return


@pytest.fixture
def journal(url: str) -> Iterator[S3Journal]:
    """The suite's fixture of this name: an empty journal, in a place of its own."""
    with closing(opened("s3", f"journals/{next(NUMBERS)}@{url}")) as made:
        assert isinstance(made, S3Journal)
        yield made


def promises() -> dict[str, Callable[..., None]]:
    """The suite's tests of a journal."""
    return {
        name: promise
        for name, promise in vars(test_journals).items()
        if name.startswith("test_") and "journal" in inspect.signature(promise).parameters
    }


# Every promise that the suite asks of a `journal` is asked of this one: pytest collects what it finds here.
globals().update(promises())
hasty_threads = test_journals.hasty_threads


def test_one_wins(url: str) -> None:
    """Of 16 processes one holds the lease at a time, while every tenth write is refused or not answered."""
    place = f"journals/race@{url}"
    tallies = race("s3", place, contenders=16, wins=4)
    assert sum(tally.faults for tally in tallies) > 10
    with closing(opened("s3", place)) as journal:
        judge(list(journal.records()), tallies)
