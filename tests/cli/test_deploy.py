"""`bluegreen deploy`: releases on moto's AWS, how they end, how they stop, and how they go on."""

import json
import os
import re
import shlex
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bluegreen import SqliteJournal
from bluegreen.aws import AwsCloud
from bluegreen.cli import main
from bluegreen.core.commands import SetSize
from bluegreen.core.observation import Outcome
from bluegreen.journal.history import Story, last, replay
from bluegreen.journal.log import Log
from tests.cli.conftest import APPROVED, SIDE_BY_SIDE, Aws, Program, Write, start

pytestmark = pytest.mark.slow  # a deployment is a hundred calls of a server written in Python

HOME = Path(".bluegreen/exercise@123456789012-us-east-1")
HOOK = '\n[[gates]]\nkind = "hook"\nname = "smoke"\n'


def story() -> Story:
    """The last deployment in the folder that belongs to plan file and account."""
    found = last(SqliteJournal(HOME / "journal.sqlite"), "exercise")
    assert found is not None
    return found


def send(number: signal.Signals) -> Callable[[], None]:
    """Send this process a signal."""
    return lambda: os.kill(os.getpid(), number)


def said(text: str) -> list[str]:
    """The command after ``go on: `` as arguments of ``main``."""
    found = re.search(r"go on: bluegreen (.+)", text)
    assert found, text
    return shlex.split(found[1])


@pytest.mark.parametrize("routing", ["shared", "weighted"])
def test_releases_are_promoted_and_the_live_group_alternates(aws: Aws, routing: str) -> None:
    """Under both routings release follows release, on the other group; the journal is the account's own."""
    aws.lay_out(routing)
    first = aws.deploy()
    assert (first.code, first.err) == (0, "")
    assert aws.sizes() == [0, 2]
    assert first.out.splitlines()[0].split()[:3] == ["0:00:00", "scale_up", "100/0"]
    assert first.out.splitlines()[-1].startswith("exercise: promoted (exercise-1-")
    second = aws.deploy("--image", "ami-0gamma", "--json")
    assert (second.code, second.data["deployment_id"][:11]) == (0, "exercise-2-")
    assert second.data["groups"] == {"blue": "exercise-group-green", "green": "exercise-group-blue"}
    assert aws.sizes() == [2, 0]
    assert json.loads((HOME / "account.json").read_text()) == {
        "account": "123456789012",
        "region": "us-east-1",
    }
    assert all(recorded == decided for recorded, decided in replay(story()))


def test_the_object_tells_all(aws: Aws) -> None:
    """With `--json` the result is one object with account, Region, version, groups and every step."""
    aws.lay_out()
    ran = aws.deploy("--json")
    data = ran.data
    assert ran.out.count("\n") == 1
    assert sorted(data) == sorted(
        "schema service deployment_id account region phase ok reason because awaits image version "
        "template_version groups started ended evidence leftovers steps exit_code".split()
    )
    assert (data["schema"], data["phase"], data["ok"], data["exit_code"]) == (
        "bluegreen.deploy/1",
        "promoted",
        True,
        0,
    )
    assert (data["account"], data["region"], data["template_version"]) == ("123456789012", "us-east-1", 2)
    assert data["ended"] - data["started"] > 60
    assert 0 <= data["steps"][0]["second"] < 10


def test_a_broken_image_is_rolled_back(aws: Aws) -> None:
    """An image that never gets healthy ends rolled back, exit 3, with the reason."""
    aws.lay_out()
    aws.moto.script.broken_images.add("ami-0beta")
    ran = aws.deploy("--set", "deadlines.scale_up_seconds=60", "--json")
    assert (ran.code, ran.data["phase"], ran.data["leftovers"]) == (3, "rolled_back", [])
    assert "deadline" in ran.data["because"]
    assert aws.sizes() == [2, 0]


def test_the_version_to_start_from_can_be_said(aws: Aws) -> None:
    """`--source-version` is the plan's source version, also beside an image that was said."""
    aws.lay_out()
    assert aws.deploy("--image", "ami-0gamma", "--source-version", "1").code == 0
    assert (story().plan.image, story().plan.source_version) == ("ami-0gamma", 1)
    refused = aws.deploy("--source-version", "77")
    assert refused.code == 5
    assert "77" in refused.out


def test_a_version_made_by_others_is_deployed(aws: Aws) -> None:
    """`--template-version` deploys that version as it is: none is made, and its number is in every answer."""
    aws.lay_out()
    made = aws.moto.client("ec2").create_launch_template_version(
        LaunchTemplateName="exercise-launch-template",
        SourceVersion="1",
        LaunchTemplateData={"ImageId": "ami-0gamma"},
    )
    aws.moto.calls.clear()
    ran = aws.deploy("--template-version", "2", "--json")
    assert (ran.code, ran.data["image"], ran.data["version"], ran.data["template_version"]) == (0, None, 2, 2)
    assert made["LaunchTemplateVersion"]["VersionNumber"] == 2
    assert "CreateLaunchTemplateVersion" not in aws.moto.operations()
    assert ", version 2\n" in aws.program("status", "deployment.toml").out
    assert "promoted  version 2" in aws.program("history", "deployment.toml").out
    assert aws.deploy("--template-version", "3").code == 5


def test_an_image_and_a_version_are_one_too_many(aws: Aws) -> None:
    """Both options at once are wrong usage, and nothing is called."""
    aws.lay_out()
    ran = aws.deploy("--image", "ami-0gamma", "--template-version", "1")
    assert ran.code == 64
    assert "say --image or --template-version, not both" in ran.err


def test_an_empty_image_deploys_nothing(aws: Aws) -> None:
    """`--image "$AMI"` without an AMI is a fault, and not the image of the file."""
    aws.lay_out()
    ran = aws.deploy("--image", "", "--lock", "queue", "--json")
    assert (ran.code, ran.data["error"]) == (64, "plan")
    assert ran.data["faults"][0]["path"] == "image"
    assert not Path(".bluegreen").exists()


# ----------------------------------------------------------------------------------------- stopping, going on


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_a_wait_and_the_command_it_names_goes_on(
    aws: Aws, number: signal.Signals, code: int
) -> None:
    """Stopped while it waits, it names the command that goes on, every option in it; that one promotes."""
    aws.lay_out(strategy='kind = "side-by-side"\nbake_seconds = 600')
    aws.time.after(5, send(number))
    options = ("--set", "limits.poll_seconds=3600", "--source-version", "1", "--region", "us-east-1")
    stopped = aws.deploy(*options, "--set", "deadlines.scale_up_seconds=100000")
    assert stopped.code == code
    assert stopped.out.splitlines()[-1].startswith("awaits the next pass; go on: bluegreen deploy")
    again = said(stopped.out)
    assert set(options) < set(again)
    calls = len(aws.moto.calls)
    assert aws.program("status", "deployment.toml", "--json").data["lock"] is None
    assert len(aws.moto.calls) == calls, "status asks the journal only"
    ran = aws.program(*again)
    assert ran.code == 0
    assert ran.err.startswith("going on with exercise-1-")
    assert story().number == 1


def test_a_signal_in_a_pass_lets_it_end(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped within a call, the pass is finished and what became of it is recorded; nothing more is sent."""
    aws.lay_out()
    apply, sent = AwsCloud.apply, []

    def interrupted(cloud: AwsCloud, command: SetSize) -> Outcome:
        if isinstance(command, SetSize):
            send(signal.SIGTERM)()
        sent.append(command)
        return apply(cloud, command)

    monkeypatch.setattr(AwsCloud, "apply", interrupted)
    assert aws.deploy().code == 143
    assert isinstance(sent[-1], SetSize)
    assert [outcome.result.value for outcome in story().outcomes] == ["applied"]


def test_a_second_signal_acts_at_once(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C twice within a call ends it there; the lock is given back, and the next command goes on."""
    aws.lay_out()

    def interrupted(_cloud: AwsCloud, _command: object) -> None:
        send(signal.SIGINT)()
        send(signal.SIGINT)()
        pytest.fail("the call went on")

    with monkeypatch.context() as patch:
        patch.setattr(AwsCloud, "apply", interrupted)
        ran = aws.deploy()
    assert (ran.code, ran.err.strip()) == (130, "bluegreen: interrupted")
    assert aws.program("status", "deployment.toml", "--json").data["lock"] is None
    assert aws.deploy().code == 0


def test_another_plan_does_not_take_over(aws: Aws) -> None:
    """Before the end another image is one error that says how to go on; no file changes, nothing is sent."""
    aws.lay_out()
    aws.time.after(8, send(signal.SIGINT))
    assert aws.deploy("--image", "ami-0gamma", "--source-version", "1").code == 130
    before, calls = {path: path.read_bytes() for path in HOME.iterdir()}, len(aws.moto.calls)
    ran = aws.deploy()
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.count("\n") == 1
    assert "what differs: image, source_version" in ran.err
    assert "or call it off first: bluegreen abort deployment.toml" in ran.err
    assert before == {path: path.read_bytes() for path in HOME.iterdir()}
    assert len(aws.moto.calls) == calls + 1, "whose the credentials are"
    (way,) = re.findall(r"Go on with that plan: (.+);", ran.err)
    assert "--image ami-0gamma" in way
    assert main(shlex.split(way)[1:]) == 0


def test_a_deployment_that_is_held_by_somebody_is_left_alone(aws: Aws) -> None:
    """While another process deploys the service the answer is exit 6, and it is not named as gone on with."""
    aws.lay_out()
    aws.time.after(8, send(signal.SIGINT))
    assert aws.deploy().code == 130
    other = Log(SqliteJournal(HOME / "journal.sqlite"), "exercise", name="somebody")
    other.take()
    ran = aws.deploy("--json")
    assert (ran.code, ran.data["error"]) == (6, "lock")
    assert "going on" not in ran.err
    other.release()
    assert aws.deploy().code == 0


PRELUDE = (
    "limits = { poll_seconds = 3600 }\ndeadlines = { scale_up_seconds = 90000, drain_seconds = 90000 }\n"
)


@pytest.mark.process
def test_a_process_that_sleeps_for_an_hour_stops_at_once(aws: Aws, folder: Path) -> None:
    """Ctrl-C in the middle of an hour's wait ends a real process long before that, and nothing is lost."""
    aws.lay_out()
    path = folder / "deployment.toml"
    path.write_text(PRELUDE + path.read_text().replace("[limits]\npoll_seconds = 5\n", ""))
    process = start("deploy", "deployment.toml", "--endpoint-url", aws.moto.url)
    assert process.stdout
    for line in process.stdout:
        if "make a version" in line:
            break
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (130, "")
    assert out.endswith(f"go on: bluegreen deploy deployment.toml --endpoint-url {aws.moto.url}\n")
    standing = aws.program("status", "deployment.toml", "--json")
    assert (standing.code, standing.data["phase"], standing.data["lock"]) == (4, "scale_up", None)
    assert aws.deploy().code == 0


# ------------------------------------------------------------------------------------------------- operators


def test_it_waits_for_an_approval_and_says_how_to_give_it(aws: Aws) -> None:
    """While a person is awaited it goes on looking; what they may say is told once, and it works."""
    aws.lay_out(strategy=APPROVED)
    aws.time.after(200, lambda: main(["approve", "deployment.toml", "--by", "alice"]))
    ran = aws.deploy()
    assert ran.code == 0
    told = "say bluegreen approve deployment.toml (or bluegreen abort deployment.toml)"
    assert ran.err == f"awaits a person: approve going on from rung 1 (10 %); {told}\n"
    assert "which takes it in at its next pass" in ran.out
    assert "approve by alice" in ran.out


def test_a_halt_is_left_to_a_person(aws: Aws) -> None:
    """With both groups sick it halts, exit 7, and says what a person may say; resumed, it ends."""
    aws.lay_out(strategy='kind = "side-by-side"\nbake_seconds = 600')

    def fall_sick() -> None:
        asg = aws.moto.client("autoscaling")
        for group in asg.describe_auto_scaling_groups()["AutoScalingGroups"]:
            aws.moto.script.sick.update(each["InstanceId"] for each in group["Instances"])

    aws.time.after(60, fall_sick)
    halted = aws.deploy("--json")
    assert (halted.code, halted.data["phase"]) == (7, "halted")
    assert "say bluegreen resume deployment.toml or bluegreen abort deployment.toml" in halted.err
    aws.moto.script.sick.clear()
    resumed = aws.program("resume", "deployment.toml")
    assert "Nobody runs the deployment now; go on: bluegreen deploy deployment.toml" in resumed.out
    assert aws.deploy().code in (0, 3)


def test_status_finds_the_folder(aws: Aws) -> None:
    """By FILE the account's folder is found, before the simulator's; of several, one must be named."""
    aws.lay_out()
    assert aws.deploy().code == 0
    assert aws.program("status", "deployment.toml").err == ""
    assert aws.program("simulate", "deployment.toml", "--image", "ami-0rehearsed").code == 0
    both = aws.program("status", "deployment.toml", "--json")
    assert both.data["image"] == "ami-0beta"
    note = f"this is of {HOME}; for the simulator's say --state .bluegreen/exercise\n"
    assert both.err.startswith(note)
    simulated = aws.program("status", "--state", ".bluegreen/exercise", "--json")
    assert simulated.data["image"] == "ami-0rehearsed"
    other = HOME.with_name("exercise@123456789012-eu-west-1")
    other.mkdir()
    for command in ("status", "history", "approve"):
        ran = aws.program(command, "deployment.toml")
        assert (ran.code, ran.out) == (64, "")
        assert f"say --state {other} or --state {HOME}" in ran.err
    assert aws.program("history", "deployment.toml", "--state", str(HOME)).code == 0


def test_a_rehearsal_beside_a_real_deployment_names_its_own_folder(aws: Aws) -> None:
    """What the simulator tells a person to say never reaches the real deployment."""
    aws.lay_out(strategy=APPROVED)
    assert aws.deploy("--set", f"strategy={{{SIDE_BY_SIDE.replace(chr(10), ', ')}}}").code == 0
    ran = aws.program("simulate", "deployment.toml")
    assert "say bluegreen approve --state .bluegreen/exercise (or" in ran.out


def test_the_simulator_and_accounts_never_share_a_folder(aws: Aws, tmp_path: Path) -> None:
    """Another account's folder, the simulator's, and for the simulator a real one: each is one error."""
    aws.lay_out()
    assert aws.deploy("--state", "real").code == 0
    assert aws.program("simulate", "deployment.toml", "--state", "simulated").code == 0
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for command, words in {
        ("simulate", "--state", "real"): "real is the folder of real deployments",
        ("simulate", "--state", "real", "--fresh"): "real is the folder of real deployments",
        ("plan", "--state", "real"): "real is the folder of real deployments",
        ("deploy", "--state", "simulated"): "simulated is the simulator's folder",
        ("deploy", "--state", "real", "--region", "eu-west-1"): (
            "real are of account 123456789012 in us-east-1, but the credentials lead to account 123456789012 "
            "in eu-west-1"
        ),
    }.items():
        more = ["--endpoint-url", aws.moto.url] if command[0] == "deploy" else []
        ran = aws.program(command[0], "deployment.toml", *command[1:], *more)
        assert (ran.code, ran.out) == (1, ""), command
        assert words in ran.err
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


# ---------------------------------------------------------------------------------------------- what is wrong


def test_credentials_that_lead_nowhere_are_one_line(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """No such profile, no Region, no credentials, no server: one line, exit 1, and no file is made."""
    aws.lay_out()
    with monkeypatch.context() as patch:
        patch.delenv("AWS_DEFAULT_REGION")
        no_region = aws.deploy("--json")
    with monkeypatch.context() as patch:
        patch.delenv("AWS_ACCESS_KEY_ID")
        no_credentials = aws.deploy("--json")
    no_profile = aws.deploy("--profile", "nobody", "--json")
    no_server = aws.program("deploy", "deployment.toml", "--endpoint-url", "http://127.0.0.1:9", "--json")
    for ran, word in (
        (no_region, "say --region"),
        (no_credentials, "credentials"),
        (no_profile, "nobody"),
        (no_server, "127.0.0.1:9"),
    ):
        assert (ran.code, ran.data["error"]) == (1, "error"), word
        assert word in ran.err
        assert ran.err.count("\n") == 1
        assert ran.err.startswith("bluegreen: ")
    assert not Path(".bluegreen").exists()


def test_hooks_are_refused_before_anything_is_done(aws: Aws, folder: Path) -> None:
    """Checks of the user's own cannot come from a command line: one line, exit 64, and no call is made."""
    aws.lay_out()
    path = folder / "deployment.toml"
    path.write_text(path.read_text() + HOOK + HOOK.replace("smoke", "load"))
    ran = aws.deploy("--json")
    assert (ran.code, ran.data["error"]) == (64, "plan")
    assert "smoke, load" in ran.err
    assert "gates=" in ran.err
    assert ran.err.count("\n") == 1
    assert aws.moto.calls == []
    assert not Path(".bluegreen").exists()


@pytest.mark.parametrize(
    "words", ["--template-version 0", "--endpoint-url nonsense", "--endpoint-url http://"]
)
def test_options_that_can_never_work_are_wrong_usage(
    bluegreen: Program, write_plan: Write, words: str
) -> None:
    """What no account could answer is found on the command line, exit 64."""
    ran = bluegreen("deploy", write_plan(), *words.split())
    assert (ran.code, ran.out) == (64, "")
    assert words.split(maxsplit=1)[0] in ran.err
