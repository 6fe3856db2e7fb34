"""`bluegreen simulate --serve` and `python -m bluegreen_sim serve`: a moving AWS behind HTTP."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
import pytest
from attrs import define
from botocore.config import Config

from tests.cli.conftest import ROOT, ROUTINGS, Program, Write, start

QUICK = 'kind = "side-by-side"\nbake_seconds = 1'
MADE_UP = {
    "AWS_ACCESS_KEY_ID": "AKIAOTHER",
    "AWS_SECRET_ACCESS_KEY": "other",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@define
class Served:
    """A process that serves: where, and all that it says once it has ended."""

    process: subprocess.Popen[str]
    url: str
    said: str
    ending: str = ""

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop; its exit code."""
        self.process.send_signal(number)
        self.ending, rest = self.process.communicate(timeout=30)
        assert not rest
        return self.process.returncode


@contextmanager
def served(*arguments: str, module: str = "bluegreen_sim") -> Iterator[Served]:
    """Run ``python -m MODULE ...`` until it says where it is reached and how."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        assert process.stdout is not None
        said = ""
        while "bluegreen deploy" not in said:
            line = process.stdout.readline()
            assert line, process.communicate(timeout=30)[1]
            said += line
        found = re.search(r"served at (http://127\.0\.0\.1:\d+),", said)
        assert found, said
        yield Served(process, found[1], said)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate(timeout=30)


@pytest.mark.process
@pytest.mark.slow
@pytest.mark.parametrize("routing", ["shared", "weighted"])
def test_a_release_on_a_served_world_is_promoted_and_nobody_notices(write_plan: Write, routing: str) -> None:
    """`deploy --endpoint-url` against a world at 120 times the speed of time ends well, without a failure."""
    file = write_plan(ROUTINGS[routing], QUICK)
    path = Path(file)
    # The limits are in seconds of the wall, in which this world goes 120 times as fast.
    path.write_text(path.read_text().replace("poll_seconds = 30", "poll_seconds = 1\nproof_seconds = 1"))
    with served("serve", file, "--speed", "120") as world:
        deploy = start("deploy", file, "--endpoint-url", world.url, "--json", **MADE_UP)
        out, err = deploy.communicate(timeout=120)
        assert (deploy.returncode, json.loads(out)["phase"]) == (0, "promoted"), err
        assert world.stop() == 0
    users, instances = world.ending.splitlines()
    assert re.fullmatch(r"\d+ requests, 0 failed; blue/green 100/0 → 50/50 → 0/100", users)
    assert instances == "instances: exercise-group-blue 0, exercise-group-green 2"


@pytest.mark.process
def test_the_command_line_serves_the_same_and_tells_it_in_json(write_plan: Write) -> None:
    """What is printed leads a client there; Ctrl-C ends it with what users saw up to then, in one object."""
    file = write_plan(ROUTINGS["weighted"])
    options = ("--serve", "--capacity", "3", "--traffic", "10", "--speed", "3600")
    with served("simulate", file, *options, module="bluegreen.cli") as world:
        said = dict(re.findall(r"export (\w+)=(\S+)", world.said))
        session = boto3.Session(
            said["AWS_ACCESS_KEY_ID"],
            said["AWS_SECRET_ACCESS_KEY"],
            region_name=said["AWS_REGION"],
        )
        scaling = session.client("autoscaling", endpoint_url=said["AWS_ENDPOINT_URL"], config=Config())
        shown = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=["exercise-group-blue"])
        assert len(shown["AutoScalingGroups"][0]["Instances"]) == 3
        assert world.stop(signal.SIGINT) == 0
    assert re.match(r"\d+ requests, 0 failed; blue/green 100/0\n", world.ending)
    assert not Path(".bluegreen").exists(), "a served world is not kept"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--serve", "--fresh"), "--serve makes a new world and keeps nothing: leave out --fresh"),
        (("--serve", "--report", "r.html", "-v"), "leave out --report, --verbose"),
        (("--speed", "2"), "--speed: only together with --serve"),
        (("--serve", "--speed", "0"), "0<x<=3600"),
        (("--serve", "--speed", "nan"), "--speed nan: must be a number above 0, up to 3600"),
        (("--serve", "--fault", "dies:nobody:1"), "group = 'nobody': give exercise-group-blue"),
    ],
)
def test_options_that_would_do_nothing_are_refused(
    bluegreen: Program, write_plan: Write, options: tuple[str, ...], said: str
) -> None:
    """Serving keeps nothing and simulating has no port: who mixes them up is told before anything begins."""
    ran = bluegreen("simulate", write_plan(), *options)
    assert (ran.code, said in ran.err) == (64, True), ran.err


def test_a_port_that_is_taken_is_named(bluegreen: Program, write_plan: Write) -> None:
    """Where another program listens: one line with option, port and remedy, exit 1."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ran = bluegreen("simulate", write_plan(), "--serve", "--port", str(port))
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"bluegreen: --port {port}: ")
    assert ran.err.endswith("name another, or leave it out to take a free one\n")


@pytest.mark.process
def test_the_module_shows_what_it_takes() -> None:
    """`python -m bluegreen_sim` without `serve` shows the options and is wrong usage."""
    ran = subprocess.run(
        [sys.executable, "-m", "bluegreen_sim"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 64
    assert "--serve" in ran.stdout
