"""What a whole deployment costs on AWS's API, with moto as the other side."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from statistics import median
from typing import Any
from unittest.mock import patch

import boto3
from attrs import frozen
from botocore.client import BaseClient

from bluegreen import Deployment, MemoryJournal
from bluegreen.aws import AwsCloud
from tests.contract.providers import Hands, plan_for

from .measure import Section, shown

ROUNDS = 3
SIZES = (2, 200)


def measure() -> Section:
    """Both routings, small and large groups."""
    rows = []
    for routing in ("weighted", "shared"):
        for size in SIZES:
            runs = [_deployed(routing, size) for _ in range(ROUNDS)]
            first = runs[0]
            wall, cpu, ours = (median(getattr(run, part) for run in runs) for part in ("wall", "cpu", "ours"))
            rows.append(
                [
                    f"{routing}, {size} + {size}",
                    str(first.passes),
                    str(first.calls),
                    f"{first.fewest} to {first.most}",
                    shown(wall * 1e3),
                    shown(cpu * 1e3),
                    shown(ours * 1e3),
                    f"{100 * ours / wall:.1f} %",
                ]
            )
    note = (
        "`AwsCloud` from preflight to `promoted` against moto's server in a process of its own, waiting left "
        "out (the clock jumps), a `MemoryJournal`. *CPU* is this process's; *ours* is what of it is spent "
        "outside of botocore's calls. A pass whose command moves or removes something looks once more before "
        f"it. {ROUNDS} rounds, medians."
    )
    header = [
        "deployment",
        "passes",
        "calls",
        "calls a pass after preflight",
        "wall, ms",
        "CPU, ms",
        "ours, ms",
        "ours of wall",
    ]
    return Section("Whole deployments on AWS's API", note, header, rows)


@frozen
class Run:
    """One deployment: times in seconds."""

    passes: int
    calls: int
    fewest: int
    most: int
    wall: float
    cpu: float
    ours: float


def _deployed(routing: str, size: int) -> Run:
    with _served(routing, size) as url:
        session = boto3.Session("testing", "testing", region_name="us-east-1")
        cloud = AwsCloud(session, endpoint_url=url, clock=Hands())
        with closing(cloud), _counted() as counted:
            for services in (cloud.clients.read, cloud.clients.write):
                _ = services.autoscaling, services.ec2, services.elbv2
            deployment = Deployment(plan_for(routing), cloud, journal=MemoryJournal())
            wall, cpu = time.perf_counter(), time.thread_time()
            reads = []
            for _ in deployment.steps():
                reads.append(counted.calls.total() - sum(reads))
            wall, cpu = time.perf_counter() - wall, time.thread_time() - cpu
            assert deployment.result().ok
    later = reads[1:]
    return Run(len(reads), counted.calls.total(), min(later), max(later), wall, cpu, cpu - counted.seconds)


class _Counted:
    """Calls of botocore's clients, and the CPU time spent in them."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.seconds = 0.0


@contextmanager
def _counted() -> Iterator[_Counted]:
    found, call = _Counted(), BaseClient._make_api_call  # noqa: SLF001 - the one place through which all calls go

    def counted(client: Any, operation: str, parameters: Any) -> Any:
        begun = time.thread_time()
        try:
            return call(client, operation, parameters)
        finally:
            found.seconds += time.thread_time() - begun
            found.calls[operation] += 1

    with patch.object(BaseClient, "_make_api_call", counted):
        yield found


@contextmanager
def _served(routing: str, size: int) -> Iterator[str]:
    """The URL of a server with an account laid out, in a process of its own."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, routing, size))
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send("enough")
        process.join()


def _serve(pipe: Connection, routing: Any, size: int) -> None:
    from tests.moto_account import lay_out
    from tests.moto_server import MotoServer

    with MotoServer() as moto:
        lay_out(moto, routing, capacity=size)
        pipe.send(moto.url)
        pipe.recv()
