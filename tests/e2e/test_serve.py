"""Programs that share no code with us read the served world: Debian's aws CLI and the SDK for JavaScript."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bluegreen import Alarm, Plan, WeightedTargetGroups
from bluegreen_sim import AlarmRed, SimCloud
from bluegreen_sim.endpoint.server import Server, serve

HERE = Path(__file__).parent
BLUE = "exercise-group-blue"
PLAN = Plan(
    service="exercise",
    image="ami-0beta",
    launch_template="exercise-launch-template",
    groups=(BLUE, "exercise-group-green"),
    routing=WeightedTargetGroups("exercise-blue", "exercise-green"),
    gates=(Alarm(name="errors"), Alarm(name="latency")),
)
IDS = ["i-0001", "i-0002"]
HEALTHY = [[name, "healthy"] for name in IDS]
ALARMS = [["errors", "ALARM"], ["latency", "OK"]]


@pytest.fixture
def server() -> Iterator[Server]:
    """A world in which two instances serve and one alarm is red."""
    cloud = SimCloud(PLAN, faults=[AlarmRed("errors", 0)])
    cloud.clock.sleep(1)
    with serve(cloud) as running:
        yield running


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program of the system, in an environment without anybody's settings for AWS."""
    program = shutil.which(command[0])
    assert program, f"{command[0]} is missing: tests/e2e/install.sh installs it"
    plain = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return subprocess.run(
        [program, *command[1:]],
        env=plain | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def aws(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Debian's aws CLI, as the server says that it is used."""
    quiet = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_PAGER": ""}
    return run(
        "/usr/bin/aws",
        *("--endpoint-url", server.url, "--output", "json", *arguments),
        **server.environment,
        **quiet,
    )


def told(ran: subprocess.CompletedProcess[str]) -> Any:
    """What a program that ended well printed as JSON."""
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_the_aws_cli_reads_groups_health_and_alarms(server: Server) -> None:
    """Version 2 of the CLI, as Debian packs it, sees the group, its healthy targets and the red alarm."""
    assert run("/usr/bin/aws", "--version").stdout.startswith("aws-cli/2."), "Debian's is version 2"
    groups = told(aws(server, "autoscaling", "describe-auto-scaling-groups"))["AutoScalingGroups"]
    blue = next(group for group in groups if group["AutoScalingGroupName"] == BLUE)
    assert [each["InstanceId"] for each in blue["Instances"]] == IDS
    found = told(aws(server, "elbv2", "describe-target-groups", "--names", "exercise-blue"))
    arn = found["TargetGroups"][0]["TargetGroupArn"]
    health = told(aws(server, "elbv2", "describe-target-health", "--target-group-arn", arn))
    shown = [
        [each["Target"]["Id"], each["TargetHealth"]["State"]] for each in health["TargetHealthDescriptions"]
    ]
    assert shown == HEALTHY
    alarms = told(aws(server, "cloudwatch", "describe-alarms"))["MetricAlarms"]
    assert [[each["AlarmName"], each["StateValue"]] for each in alarms] == ALARMS


def test_the_aws_cli_shows_the_error_by_its_code(server: Server) -> None:
    """An unknown target group ends the CLI with its code for service errors, and names the error."""
    ran = aws(server, "elbv2", "describe-target-groups", "--names", "nobody")
    assert ran.returncode == 254
    assert "An error occurred (TargetGroupNotFound) when calling the DescribeTargetGroups" in ran.stderr


def test_the_sdk_for_javascript_reads_the_same(server: Server) -> None:
    """Its own parsers see the same group, targets and alarms, and its typed exception for an unknown name."""
    assert told(run("node", str(HERE / "read.mjs"), server.url, BLUE, "exercise-blue")) == {
        "instances": IDS,
        "created": True,
        "health": HEALTHY,
        "alarms": ALARMS,
        "typed": True,
        "status": 400,
    }
