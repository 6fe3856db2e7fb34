"""What all commands have in common: faults, exit codes, streams, and text that cannot act."""

import builtins
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bluegreen import cli
from bluegreen.cli.exits import Exit, of_error, of_phase
from bluegreen.cli.output import clean, portable
from bluegreen.core import errors
from bluegreen.core.state import Phase
from tests.cli.conftest import SHARED, WEIGHTED, Program, Write, start

BAD = """
service = "-"
image = "no image"
launch_template = "x"
groups = ["a", "a"]
min_healthy_percent = 101
wieght = 1
fleets = "standig"
capacity = 0
[routing]
kind = "shard"
[strategy]
kind = "canary"
percent = 2000
"""


@pytest.mark.parametrize("command", ["plan", "simulate", "deploy", "status", "history", "approve"])
def test_a_bad_plan_gets_a_line_for_every_fault(bluegreen: Program, folder: Path, command: str) -> None:
    """Ten faults are ten lines with position, path, value and remedy; exit 64, and no file is made."""
    (folder / "bad.toml").write_text(BAD)
    ran = bluegreen(command, "bad.toml")
    lines = ran.err.splitlines()
    assert (ran.code, ran.out) == (64, "")
    assert len(lines) == 11
    assert all(line.startswith("bad.toml:") for line in lines[:-1])
    assert lines[-1] == "10 faults in bad.toml"
    assert list(folder.iterdir()) == [folder / "bad.toml"]


def test_a_bad_plan_in_json(bluegreen: Program, folder: Path) -> None:
    """With `--json` the faults are one object on stdout too."""
    (folder / "bad.toml").write_text(BAD)
    ran = bluegreen("simulate", "bad.toml", "--json")
    assert (ran.code, ran.data["error"]) == (64, "plan")
    assert len(ran.data["faults"]) == 10
    percent = next(fault for fault in ran.data["faults"] if fault["path"] == "strategy.percent")
    assert (percent["line"], percent["value"]) == (14, 2000)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--nonsense"],
        ["demo", "--nonsense"],
        ["demoo"],
        [],
        ["simulate"],
        ["simulate", "not-there.toml"],
        ["simulate", "."],
        ["status"],
        ["approve"],
        ["status", "--state", ""],
        ["list", "--endpoint-url", ""],
    ],
)
def test_wrong_usage_exits_64(bluegreen: Program, arguments: list[str]) -> None:
    """A typo never looks like an answer: usage faults exit 64, with words on stderr only."""
    ran = bluegreen(*arguments)
    assert (ran.code, ran.out) == (64, "")
    assert ran.err


@pytest.mark.parametrize("command", ["plan", "simulate", "check"])
def test_an_empty_image_is_a_fault(bluegreen: Program, write_plan: Write, folder: Path, command: str) -> None:
    """`--image "$AMI"` without an AMI is no wish for the image of the file: exit 64, and nothing is done."""
    ran = bluegreen(command, write_plan(), "--image", "")
    assert (ran.code, ran.out) == (64, "")
    assert "image: '': must be an image id" in ran.err
    assert not (folder / ".bluegreen").exists()


@pytest.mark.parametrize(
    "fault",
    [
        *("dies:green", "nonsense", "dies:gren:5", "alarm:missing:5", "dies:green:-1", "busy:gren:10:60"),
        *("errors:ami-typo:50", "errors:ami-0beta:500", "denied:Foo", "zone-down:9:5"),
    ],
)
def test_a_fault_that_cannot_happen_is_wrong_usage(
    bluegreen: Program, write_plan: Write, folder: Path, fault: str
) -> None:
    """A misspelt fault is refused instead of silently never happening."""
    ran = bluegreen("simulate", write_plan(), "--fault", fault, "--json")
    assert (ran.code, ran.data["error"]) == (64, "usage")
    assert not (folder / ".bluegreen").exists()


@pytest.mark.parametrize(
    "command",
    [
        "demo",
        "plan",
        "simulate",
        "deploy",
        "image build",
        "list",
        "cleanup",
        "destroy",
        "status",
        "history",
        "approve",
        "pause",
        "resume",
        "abort",
    ],
)
def test_help_lists_the_exit_codes(bluegreen: Program, command: str) -> None:
    """Every command's `--help` names its exit codes and `--json`."""
    ran = bluegreen(*command.split(), "--help")
    assert ran.code == 0
    assert "Exit codes:" in ran.out
    assert "  64 " in ran.out
    assert "--json" in ran.out


def test_help_mentions_completion_and_version_is_ours(bluegreen: Program) -> None:
    """The program's help says how to complete, and `--version` names it."""
    assert "_BLUEGREEN_COMPLETE" in bluegreen("--help").out
    assert bluegreen("--version").out.startswith("bluegreen 0.")


def test_before_anything_exists(bluegreen: Program, write_plan: Write, folder: Path) -> None:
    """Status, history and the operators' commands say in a sentence that there is nothing yet."""
    file = write_plan()
    assert (bluegreen("status", file).code, bluegreen("approve", file).code) == (1, 1)
    assert bluegreen("status", file).err.startswith("bluegreen: no deployment yet")
    ran = bluegreen("history", file)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("no deployment yet")
    assert bluegreen("history", file, "--json").data["deployments"] == []
    assert not (folder / ".bluegreen").exists()


def test_status_tells_where_it_stands(bluegreen: Program, waiting: str) -> None:
    """Status names phase, rung, reason, colours, lock and what is awaited, by FILE or by `--state`."""
    data = bluegreen("status", waiting, "--json").data
    assert data == bluegreen("status", "--state", ".bluegreen/exercise", "--json").data
    assert (data["phase"], data["rung"], data["rungs"]) == ("bake", 1, 2)
    assert (data["blue"], data["green"]) == ("exercise-group-blue", "exercise-group-green")
    assert data["lock"] is None
    assert "approve" in data["awaits"]
    bluegreen("approve", waiting, "--by", "bob")
    text = bluegreen("status", waiting).out
    assert "held by nobody" in text
    assert "approve by bob; the next pass takes it in" in text


def test_operators_learn_what_their_word_does(bluegreen: Program, waiting: str) -> None:
    """After the end there is nothing to approve; where a request changes nothing, that is said."""
    assert "changes nothing" in bluegreen("resume", waiting).out
    assert bluegreen("pause", waiting, "--json").data["next"].startswith("forward steps are held")
    bluegreen("abort", waiting)
    assert bluegreen("simulate", waiting).code == 3
    ended = bluegreen("approve", waiting)
    assert ended.code == 1
    assert "no deployment of exercise is under way" in ended.err


def test_history_lists_all_deployments(bluegreen: Program, released: str) -> None:
    """History has every deployment with its phase changes, and every pass with `--verbose`."""
    bluegreen("simulate", released, "--image", "ami-0gamma")
    brief, verbose = bluegreen("history", released), bluegreen("history", released, "--verbose")
    heads = [line for line in brief.out.splitlines() if line.startswith("exercise-")]
    assert [head.split()[1] for head in heads] == ["promoted", "promoted"]
    assert len(verbose.out.splitlines()) > len(brief.out.splitlines())
    found = bluegreen("history", released, "--json").data["deployments"]
    assert [one["image"] for one in found] == ["ami-0beta", "ami-0gamma"]


def test_plan_without_a_world_speaks_in_symbols(bluegreen: Program, write_plan: Write, folder: Path) -> None:
    """Without a saved world, sizes are N, real shares are given for some N, and nothing is made."""
    ran = bluegreen("plan", write_plan(SHARED, 'kind = "canary"\npercent = 25'))
    assert ran.code == 0
    assert "33.3 % of N = 2" in ran.out
    assert ran.out.count("cannot be undone") == 1
    assert "Nothing was done." in ran.out
    assert not (folder / ".bluegreen").exists()


def test_plan_tells_of_test_rules(bluegreen: Program, write_plan: Write) -> None:
    """Which rules lead where, and until when; a plan without a pair of target groups cannot have any."""
    more = 'test_rules = ["exercise-test"]\n'
    ran = bluegreen("plan", write_plan(WEIGHTED, more=more))
    assert "~ test rules exercise-test: to the other group, until users have moved for good" in ran.out
    assert bluegreen("plan", "deployment.toml", "--json").data["test_rules"] == ["exercise-test"]
    ran = bluegreen("plan", write_plan(SHARED, more=more))
    assert ran.code == 64
    assert "behind a shared target group nothing tells green apart: use routing kind 'weighted'" in ran.err


def test_plan_beside_a_world_names_blue_and_green(bluegreen: Program, released: str) -> None:
    """Beside a saved world the real names and sizes are shown: after one release the roles are swapped."""
    data = bluegreen("plan", released, "--json").data
    assert (data["blue"], data["green"]) == ("exercise-group-green", "exercise-group-blue")
    assert (data["size"], data["floor"]) == (2, 2)
    assert [rung["real"] for rung in data["rungs"]] == [[{"size": 2, "percent": 50.0}]] * 2


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ("--account 12345", 64, "'12345' is no account's number of 12 digits"),
        ("--role arn:aws:iam::123456789012:instance-profile/x", 64, "is no name or ARN of a role"),
        ("--notify arn:aws:s3:::x", 64, "is no ARN of an SNS topic or an EventBridge bus"),
        ("--region eu", 1, "region: 'eu': must be a Region's name"),
        (
            "--notify arn:aws-cn:sns:cn-north-1:1:t",
            1,
            "not of aws, the partition of Region *: name their Region",
        ),
    ],
)
def test_a_policy_for_what_cannot_be_is_refused(
    bluegreen: Program, options: str, code: int, said: str
) -> None:
    """What no account has is one sentence, and no policy is printed."""
    ran = bluegreen("policy", "manage", *options.split())
    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err


def test_a_policy_is_for_the_roles_and_the_partition_that_are_said(bluegreen: Program) -> None:
    """A role's ARN is taken for its name and path; in China every ARN is of China."""
    roles = ("--role", "arn:aws-cn:iam::123456789012:role/web/instance", "--role", "other")
    ran = bluegreen("policy", "manage", "--region", "cn-north-1", *roles, "--json")
    (passed,) = [each for each in ran.data["policy"]["Statement"] if "iam:PassRole" in each["Action"]]
    assert passed["Resource"] == [f"arn:aws-cn:iam::*:role/{name}" for name in ("web/instance", "other")]
    assert "arn:aws:" not in ran.out
    assert ran.err.count("managed policy") == 0


def test_a_policy_that_is_too_large_says_so(bluegreen: Program) -> None:
    """More characters than a managed policy may have are told of beside it, with what to do."""
    roles = [word for n in range(60) for word in ("--role", f"{'r' * 50}{n}")]
    ran = bluegreen("policy", "manage", *roles, "--json")
    assert ran.code == 0
    assert "characters are more than a managed policy may have (6144): embed it in its role" in ran.err


def test_every_phase_and_error_has_its_exit_code() -> None:
    """The table of exit codes is total, and the codes are those that are documented."""
    ends = {Phase.PROMOTED: 0, Phase.ROLLED_BACK: 3, Phase.REFUSED: 5, Phase.HALTED: 7}
    assert {phase: of_phase(phase) for phase in Phase} == {phase: ends.get(phase, 4) for phase in Phase}
    assert of_error(errors.LockTaken("x")) == (Exit.LOCKED, "lock")
    assert of_error(errors.PlanError([])) == (Exit.USAGE, "plan")
    assert of_error(errors.JournalDamaged("x")) == (Exit.ERROR, "journal-damaged")
    assert all(code.meaning for code in Exit)


def test_a_damaged_journal_is_one_line(bluegreen: Program, released: str, folder: Path) -> None:
    """A journal with a flipped bit is refused by every command with one line, exit 1."""
    path = folder / ".bluegreen/exercise/journal.sqlite"
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    for command in ("status", "history", "simulate", "abort"):
        ran = bluegreen(command, released, "--json")
        assert (ran.code, ran.data["error"]) == (1, "journal-damaged"), command
        assert ran.err.count("\n") == 1


def test_what_acts_on_a_terminal_is_not_printed(bluegreen: Program, waiting: str) -> None:
    """Escape sequences, line breaks and directional marks in a person's words have no effect."""
    assert clean("a\x1b[31mb\u202ec\nd\x07\udc80") == "a[31mbc d"
    bluegreen("approve", waiting, "--reason", "fine\x1b[2J\nexercise: promoted")
    for command in ("status", "simulate", "history"):
        ran = bluegreen(command, waiting)
        assert "fine" in ran.out
        assert "\x1b" not in ran.out
        assert "\nexercise: promoted)" not in ran.out


def test_a_missing_extra_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without click the program names the extra to install, and shows no traceback."""
    real = builtins.__import__

    def without_click(name: str, *rest: Any, **more: Any) -> Any:
        if name == "click":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without_click)
    assert cli.main(["demo"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "bluegreen: the command line needs the extra 'cli': pip install 'bluegreen[cli]'\n"


def test_an_ascii_stream_gets_ascii() -> None:
    """What an encoding lacks is written otherwise, never dropped and never a crash."""
    assert portable("0 → 2 × é", "ascii") == "0 -> 2 x \\xe9"
    assert portable("0 → 2", "utf-8") == "0 → 2"


@pytest.mark.process
def test_an_ascii_pipe_gets_whole_lines(folder: Path) -> None:
    """In a pipe with an ASCII locale and 20 columns nothing is cut, coloured or crashed."""
    del folder
    process = start("demo", PYTHONIOENCODING="ascii", COLUMNS="20", FORCE_COLOR="1", TERM="xterm")
    out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")
    assert out.isascii()
    assert "\x1b" not in out
    assert "100/0 -> 50/50 -> 0/100" in out
    assert max(map(len, out.splitlines())) > 100


@pytest.mark.process
def test_a_reader_that_leaves_is_no_error(folder: Path) -> None:
    """When the reader of a pipe has seen enough the program ends without a word."""
    del folder
    process = start("demo")
    assert process.stdout
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr
    assert process.stderr.read() == ""
    process.stderr.close()
    process.wait(timeout=30)


@pytest.mark.process
def test_a_terminal_is_coloured_but_not_cut(folder: Path) -> None:
    """On a terminal the phases are coloured, and no line is shortened."""
    pty = pytest.importorskip("pty")
    del folder
    code = "import sys; from bluegreen.cli import main; sys.exit(main(['demo']))"
    environment = {"TERM": "xterm", "COLUMNS": "40", "PYTHONPATH": str(Path(__file__).parents[2])}
    seen = bytearray()
    ours, theirs = pty.openpty()
    process = subprocess.Popen([sys.executable, "-c", code], stdout=theirs, env=environment)
    os.close(theirs)
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:
            break
        if not chunk:
            break
        seen += chunk
    os.close(ours)
    assert process.wait(timeout=30) == 0
    text = seen.decode()
    assert "\x1b[" in text
    assert "everything borrowed is given back" in text


def test_json_is_one_line_of_sorted_ascii(bluegreen: Program, waiting: str) -> None:
    """The object is one line, ASCII, its keys sorted and its numbers numbers."""
    ran = bluegreen("simulate", waiting, "--json")
    assert ran.out.isascii()
    assert ran.out == json.dumps(json.loads(ran.out), sort_keys=True) + "\n"
    assert isinstance(ran.data["ended"], float)
