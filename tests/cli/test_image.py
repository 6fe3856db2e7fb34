"""`bluegreen image build`: an image on moto's AWS, and what keeps it from being made."""

import os
import shlex
import signal
from pathlib import Path

import pytest

from tests.aws.ssh_host import console, public, ssh_host
from tests.cli.conftest import Aws, Program, Write

pytestmark = pytest.mark.slow

COMMANDS = ("cd /srv/exercise && git pull", "cd /srv/exercise && git checkout v2")
BUILD = ("image", "build", "deployment.toml", *(w for text in COMMANDS for w in ("--command", text)))


def states(aws: Aws) -> list[str]:
    """The states of all build instances."""
    found = aws.moto.client("ec2").describe_instances(
        Filters=[{"Name": "tag-key", "Values": ["bluegreen:build"]}]
    )
    return [each["State"]["Name"] for one in found["Reservations"] for each in one["Instances"]]


def test_an_image_is_built_and_deployed(aws: Aws) -> None:
    """The build ends with the image and the command that deploys it; that command promotes the image."""
    aws.lay_out()
    ran = aws.run(*BUILD, "--revision", "v2", "--name", "exercise v2", "--template-version", "1")
    assert (ran.code, ran.err) == (0, "")
    *_, ended, following = ran.out.splitlines()
    assert ended.startswith("exercise v2: image ami-")
    command = following.removeprefix("deploy it: bluegreen ")
    assert command.startswith("deploy deployment.toml --image ami-")
    done = aws.program(*shlex.split(command), "--json")
    assert (done.code, done.data["phase"]) == (0, "promoted")
    assert done.data["image"] in ended
    assert states(aws) == ["terminated"]


def test_the_object_tells_all(aws: Aws) -> None:
    """With `--json` the result is one object; the same build again finds the image and makes nothing."""
    aws.lay_out()
    first, second = aws.run(*BUILD, "--json"), aws.run(*BUILD, "--json")
    data = first.data
    assert first.out.count("\n") == 1
    assert sorted(data) == sorted(
        "schema service account region ok image name revision launch_template template_version phase reason "
        "instance leftovers next steps exit_code".split()
    )
    assert (data["schema"], data["ok"], data["phase"]) == ("bluegreen.image/1", True, "done")
    assert data["next"].startswith(f"bluegreen deploy deployment.toml --image {data['image']} ")
    assert data["steps"][0]["reason"] == "starting a build instance from exercise-launch-template"
    assert (second.code, second.data["image"]) == (0, data["image"])
    assert len(states(aws)) == 1


def test_a_command_that_fails_makes_no_image(aws: Aws) -> None:
    """A command that ends with another code than 0 is exit 1, with its output; no instance is left."""
    aws.lay_out()
    aws.moto.script.run_command = lambda text: (3 if "checkout" in text else 0, "no such revision")
    ran = aws.run(*BUILD, "--json")
    assert (ran.code, ran.data["ok"], ran.data["image"], ran.data["phase"]) == (1, False, None, "failed")
    assert "command 2 of 2 ended with exit code 3" in ran.data["reason"]
    assert "no such revision" in ran.data["reason"]
    assert ran.data["next"] is None
    assert states(aws) == ["terminated"]


def test_a_command_has_its_time(aws: Aws) -> None:
    """A command that does not end within `--command-seconds` fails the build."""
    aws.lay_out()
    aws.moto.script.run_command = lambda _: (None, "")
    ran = aws.run(*BUILD, "--command-seconds", "20")
    assert ran.code == 1
    assert "no image: command 1 of 2 runs on" in ran.out
    assert "deadline of 20 s passed" in ran.out


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_stops_it_and_the_same_command_goes_on(aws: Aws, number: signal.Signals, code: int) -> None:
    """Stopped in the middle, the same command goes on with the same instance, and runs no command twice."""
    aws.lay_out()
    aws.time.after(21, lambda: os.kill(os.getpid(), number))
    stopped = aws.run(*BUILD)
    assert stopped.code == code
    assert "stopped in run: " in stopped.out
    assert stopped.out.endswith("the same command goes on\n")
    assert states(aws) == ["running"]
    assert aws.run(*BUILD).code == 0
    assert states(aws) == ["terminated"]
    assert len(aws.moto.script.commands) == len(COMMANDS)


def test_an_image_is_built_by_ssh(aws: Aws, tmp_path: Path) -> None:
    """Any option of SSH lets the commands run by SSH; the same command finds the image afterwards."""
    aws.lay_out()
    ran = tmp_path / "ran"
    with ssh_host(tmp_path) as host:
        aws.moto.script.console = console(public(host.host_key))
        words = ["--ssh-host", "127.0.0.1", "--ssh-port", str(host.port), "--ssh-key", str(host.key_file)]
        build = ["image", "build", "deployment.toml", "--command", f"echo ran >> {ran}", "--json"]
        first = aws.run(*build, *words, "--ssh-user", "ec2-user")
        second = aws.run(*build, "--ssh")
    assert (first.code, first.data["ok"]) == (0, True), first.err
    assert second.data["image"] == first.data["image"]
    assert ran.read_text() == "ran\n"
    assert "SendCommand" not in aws.moto.operations()
    assert states(aws) == ["terminated"]


def test_a_key_that_cannot_be_read_is_wrong_usage(aws: Aws) -> None:
    """A key file that is none is exit 64, before anything is started."""
    aws.lay_out()
    ran = aws.run(*BUILD, "--ssh-key", "deployment.toml", "--json")
    assert (ran.code, ran.data["error"]) == (64, "plan")
    assert "key_file" in ran.err
    assert states(aws) == []


def test_it_says_that_each_command_has_a_shell_of_its_own(bluegreen: Program) -> None:
    """The help warns that a `cd` does not last from one command to the next."""
    assert "in a shell of its own" in " ".join(bluegreen("image", "build", "--help").out.split())


def test_a_build_that_cannot_be_is_wrong_usage(bluegreen: Program, write_plan: Write) -> None:
    """Without a command, or with a name that no image can have, it is exit 64, a line for each fault."""
    file = write_plan()
    assert bluegreen("image", "build", file).code == 64
    ran = bluegreen("image", "build", file, "--command", " ", "--revision", "v 2", "--name", "a", "--json")
    assert (ran.code, ran.data["error"]) == (64, "plan")
    assert len(ran.err.splitlines()) == 3
    assert all(line.startswith("bluegreen: ") for line in ran.err.splitlines())
