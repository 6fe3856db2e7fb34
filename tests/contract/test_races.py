"""Sixteen that want one service at once, on each journal: one winner at a time, nothing lost."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bluegreen.journal import MemoryJournal, SqliteJournal
from tests.contract.races import contend, judge, opened, race

if TYPE_CHECKING:
    from tests.moto_server import MotoServer

pytestmark = [pytest.mark.contract, pytest.mark.process]

CONTENDERS = 16


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    """Threads that give way after ten microseconds, so that a race happens also without a disk."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hasty_threads")
def test_one_wins_in_memory() -> None:
    """Of 16 threads one holds the lease at a time; fences rise by one, and no record is lost."""
    journal = MemoryJournal()
    with ThreadPoolExecutor(CONTENDERS) as pool:
        tallies = list(pool.map(lambda n: contend(journal, f"thread-{n}", 10), range(CONTENDERS)))
    judge(list(journal.records()), tallies)


def test_one_wins_in_sqlite(tmp_path: Path) -> None:
    """The same of 16 processes that share a file."""
    path = tmp_path / "journal.sqlite"
    tallies = race("sqlite", str(path), contenders=CONTENDERS, wins=3)
    judge(SqliteJournal(path).records(), tallies)


def test_one_wins_in_s3(moto: MotoServer) -> None:
    """The same of 16 processes that share a bucket, while every tenth write is refused or its answer lost."""
    moto.client("s3").create_bucket(Bucket="journals")
    place = f"journals/shop@{moto.url}"
    tallies = race("s3", place, contenders=CONTENDERS, wins=2)
    assert sum(tally.faults for tally in tallies) > 10
    with closing(opened("s3", place)) as journal:
        judge(list(journal.records()), tallies)
