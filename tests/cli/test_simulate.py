"""`bluegreen simulate`: releases one after another, and how they end."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bluegreen import SqliteJournal
from bluegreen.cli.folder import Folder
from bluegreen.journal.history import replay, stories
from tests.cli.conftest import ROOT, WEIGHTED, Program, Write, start

SLOW = 'kind = "side-by-side"\nbake_seconds = 100000'


def test_releases_follow_each_other_and_the_live_group_alternates(
    bluegreen: Program, write_plan: Write
) -> None:
    """Three releases of the same plan file continue one world; each is promoted, on the other group."""
    file = write_plan()
    images = ("ami-0beta", "ami-0gamma", "ami-0delta")
    ran = [bluegreen("simulate", file, "--image", image, "--json") for image in images]
    assert [(one.code, one.data["phase"], one.data["failed_requests"]) for one in ran] == [
        (0, "promoted", 0)
    ] * 3
    assert [one.data["groups"]["green"] for one in ran] == [
        "exercise-group-green",
        "exercise-group-blue",
        "exercise-group-green",
    ]
    assert [one.data["started"] for one in ran][1:] == [one.data["ended"] for one in ran][:-1]
    assert ran[-1].data["instances"] == {"blue": 0, "green": 2}


def test_lines_say_time_phase_split_and_reason(bluegreen: Program, write_plan: Write) -> None:
    """In text mode each line is whole: time, phase, blue/green and the reason, and nothing is cut."""
    ran = bluegreen("simulate", write_plan())
    lines = ran.out.splitlines()
    assert lines[0].split()[:3] == ["0:00:00", "scale_up", "100/0"]
    assert any(line.split()[1:3] == ["bake", "50/50"] for line in lines)
    assert "blue/green 100/0 → 50/50 → 0/100" in ran.out
    assert "…" not in ran.out
    assert max(map(len, lines)) > 100
    assert ran.err == ""


def test_verbose_tells_every_pass(bluegreen: Program, released: str) -> None:
    """`--verbose` has a line for passes in which nothing happened as well, as the journal has them."""
    verbose = bluegreen("simulate", released, "--verbose")
    passes = [line for line in verbose.out.splitlines() if line.startswith("0:")]
    story = list(stories(SqliteJournal(".bluegreen/exercise/journal.sqlite")))[-1]
    assert [line.split()[1] for line in passes] == [step.state.phase.value for step in story.steps]


def test_a_green_that_never_gets_healthy_is_rolled_back(bluegreen: Program, write_plan: Write) -> None:
    """With weights a broken green ends rolled back, exit 3, and no request has failed."""
    file = write_plan(WEIGHTED)
    ran = bluegreen("simulate", file, "--fault", "never-healthy:green", "--json")
    assert (ran.code, ran.data["phase"], ran.data["failed_requests"]) == (3, "rolled_back", 0)
    assert "deadline" in ran.data["because"]
    assert ran.data["instances"] == {"blue": 2, "green": 0}
    assert bluegreen("simulate", file).code == 0, "a fault is of the release that asked for it"


def test_refused_says_every_reason(bluegreen: Program, released: str, folder: Path) -> None:
    """A world that cannot carry the plan is refused with all reasons at once, exit 5, nothing changed."""
    path = folder / ".bluegreen/exercise/world.json"
    world = json.loads(path.read_text())
    path.write_text(json.dumps({**world, "template": "another", "alarms": [["errors", "alarm"]]}))
    gate = '\n[[gates]]\nkind = "alarm"\nname = "errors"\n'
    (folder / released).write_text((folder / released).read_text() + gate)
    ran = bluegreen("simulate", released, "--json")
    assert (ran.code, ran.data["phase"]) == (5, "refused")
    assert "exercise-launch-template does not exist" in ran.data["reason"]
    assert "alarm errors is red" in ran.data["reason"]
    plan = bluegreen("plan", released, "--json")
    assert plan.code == 5
    assert len(plan.data["problems"]) == 2


def test_a_first_release_needs_no_live_group(bluegreen: Program, write_plan: Write) -> None:
    """`--capacity 0` begins with no live group: the first release builds one and ends promoted."""
    ran = bluegreen("simulate", write_plan(more="capacity = 3\n"), "--capacity", "0", "--json")
    assert (ran.code, ran.data["phase"]) == (0, "promoted")
    assert ran.data["instances"]["green"] == 3


def test_an_approval_lets_it_go_on(bluegreen: Program, waiting: str) -> None:
    """A rung that needs approval ends the run with 4; approved, the next run promotes."""
    waits = bluegreen("simulate", waiting, "--json")
    assert (waits.code, waits.data["phase"]) == (4, "bake")
    assert "approve" in waits.data["awaits"]
    said = bluegreen("approve", waiting, "--by", "alice", "--reason", "looks good")
    assert said.code == 0
    assert "rung 1 (10 %) may be left" in said.out
    done = bluegreen("simulate", waiting, "--json")
    assert (done.code, done.data["phase"], done.data["failed_requests"]) == (0, "promoted", 0)
    assert "approve by alice (looks good)" in bluegreen("history", waiting).out


def test_a_pause_holds_until_a_resume(bluegreen: Program, waiting: str) -> None:
    """A paused deployment stays where it is, exit 4, although approved; resumed, it ends promoted."""
    assert bluegreen("pause", waiting).code == 0
    assert bluegreen("approve", waiting).code == 0
    held = bluegreen("simulate", waiting)
    assert held.code == 4
    assert "bluegreen resume" in held.out
    assert bluegreen("resume", waiting).code == 0
    assert bluegreen("simulate", waiting).code == 0


def test_an_abort_leads_back(bluegreen: Program, waiting: str) -> None:
    """An aborted deployment goes back to blue, exit 3, with the operator's words as the reason."""
    assert "back to blue" in bluegreen("abort", waiting, "--reason", "wrong build").out
    ran = bluegreen("simulate", waiting, "--json")
    assert (ran.code, ran.data["phase"], ran.data["failed_requests"]) == (3, "rolled_back", 0)
    assert "wrong build" in ran.data["because"]


def test_a_halt_waits_for_a_person(bluegreen: Program, write_plan: Write) -> None:
    """With both groups sick it halts, exit 7, and says why; a resume leads back to the phase it came from."""
    faults = [f"sick:{colour}:{second}" for colour, second in (("blue", 80), ("green", 90))] * 2
    ran = bluegreen("simulate", write_plan(WEIGHTED), *(word for f in faults for word in ("--fault", f)))
    assert ran.code == 7
    assert "bluegreen resume deployment.toml or bluegreen abort deployment.toml" in ran.out
    standing = bluegreen("status", "deployment.toml", "--json")
    assert (standing.code, standing.data["awaits"]) == (7, "a person: resume or abort")
    assert "blue is below the floor" in standing.data["because"]
    assert "returns to scale_up" in bluegreen("resume", "deployment.toml").out


def test_another_plan_does_not_take_over(bluegreen: Program, waiting: str, folder: Path) -> None:
    """Before the end, another image is one error that says how to go on; no file changes."""
    before = {path: path.read_bytes() for path in (folder / ".bluegreen/exercise").iterdir()}
    ran = bluegreen("simulate", waiting, "--image", "ami-0gamma")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.count("\n") == 1
    assert "what differs: image" in ran.err
    assert "bluegreen simulate deployment.toml --image ami-0beta" in ran.err
    assert before == {path: path.read_bytes() for path in (folder / ".bluegreen/exercise").iterdir()}


def test_what_cannot_be_leaves_the_world_where_it_is(bluegreen: Program, released: str, folder: Path) -> None:
    """Wrong usage changes nothing, with `--fresh` or in the world that is kept."""
    before = (folder / ".bluegreen/exercise/world.json").read_bytes()
    for fresh in ((), ("--fresh",)):
        ran = bluegreen("simulate", released, "--fault", "errors:ami-typo:50", *fresh)
        assert (ran.code, "image = 'ami-typo'" in ran.err) == (64, True)
        assert (folder / ".bluegreen/exercise/world.json").read_bytes() == before


def test_a_kept_world_follows_its_plan(bluegreen: Program, released: str, folder: Path) -> None:
    """A gate that the plan has now is there; other target groups are one error that says how to go on."""
    plan = folder / released
    plan.write_text(plan.read_text() + '\n[[gates]]\nkind = "alarm"\nname = "exercise-5xx"\n')
    assert bluegreen("simulate", released, "--image", "ami-0gamma").code == 0
    plan.write_text(plan.read_text().replace("exercise-target-group", "other-target-group"))
    for command in ("simulate", "plan"):
        ran = bluegreen(command, released)
        assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)
        assert "target_group = 'other-target-group': exercise-group-blue is behind" in ran.err
        assert "begin anew with --fresh" in ran.err
    assert bluegreen("simulate", released, "--fresh").code == 0


def test_fresh_keeps_what_was(bluegreen: Program, released: str, folder: Path) -> None:
    """`--fresh` begins a new world and journal, and moves the old ones aside."""
    ran = bluegreen("simulate", released, "--fresh", "--json")
    assert ran.data["deployment_id"].startswith("exercise-1-")
    assert ran.data["started"] == 0
    assert (folder / ".bluegreen/exercise.before-1/journal.sqlite").exists()


@pytest.mark.parametrize("state", [".", "..", "/"])
def test_a_folder_that_holds_the_plan_is_refused(
    bluegreen: Program, write_plan: Write, folder: Path, state: str
) -> None:
    """`--fresh` moves the state folder away, so it must not have the plan file in it: one line, no file."""
    ran = bluegreen("simulate", write_plan(), "--state", state)
    assert (ran.code, ran.out) == (1, "")
    assert "name another --state" in ran.err
    assert [path.name for path in folder.iterdir()] == ["deployment.toml"]


def test_the_current_folder_keeps_a_world_like_any_other(
    bluegreen: Program, write_plan: Write, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--state .` beside no plan is that folder by its name: it is locked, read again, and moved aside."""
    file, home = folder / write_plan(), folder / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    assert bluegreen("simulate", str(file), "--state", ".").code == 0
    with Folder(home).alone():
        assert bluegreen("simulate", str(file), "--state", ".").code == 6
    again = bluegreen("simulate", str(file), "--state", ".", "--image", "ami-0gamma", "--json")
    assert again.data["deployment_id"].startswith("exercise-2-")
    fresh = bluegreen("simulate", str(file), "--state", ".", "--fresh", "--json")
    assert fresh.data["deployment_id"].startswith("exercise-1-")
    assert (folder / "home.before-1/journal.sqlite").exists()


@pytest.mark.parametrize("damage", ["", "{}", '{"class": "World"', '{"class": "Instance"}', "[1]"])
def test_a_damaged_world_is_refused(bluegreen: Program, released: str, folder: Path, damage: str) -> None:
    """A saved world that is none is one error, and stays as it is."""
    path = folder / ".bluegreen/exercise/world.json"
    path.write_text(damage)
    ran = bluegreen("simulate", released)
    assert (ran.code, ran.out) == (1, "")
    assert "--fresh" in ran.err
    assert path.read_text() == damage


def test_a_world_missing_beside_its_journal_is_refused(
    bluegreen: Program, released: str, folder: Path
) -> None:
    """Without its world a journal has nothing to go on in: one error, and no new world is made."""
    (folder / ".bluegreen/exercise/world.json").unlink()
    ran = bluegreen("simulate", released)
    assert ran.code == 1
    assert "missing beside its journal" in ran.err
    assert not (folder / ".bluegreen/exercise/world.json").exists()


def test_only_one_simulation_at_a_time(bluegreen: Program, write_plan: Write, folder: Path) -> None:
    """While another process holds the folder the answer is exit 6, and nothing is done."""
    file = write_plan()
    (folder / ".bluegreen").mkdir()
    with Folder(folder / ".bluegreen/exercise").alone():
        ran = bluegreen("simulate", file, "--json")
    assert (ran.code, ran.data["error"]) == (6, "lock")
    assert not (folder / ".bluegreen/exercise").exists()


def test_the_report_of_a_release(bluegreen: Program, released: str, folder: Path) -> None:
    """`--report` tells one release, also the second in a world."""
    assert bluegreen("simulate", released, "--report", "r.html").code == 0
    assert "Promoted" in (folder / "r.html").read_text(encoding="utf-8")


def test_what_a_failed_green_leaves_is_shown(bluegreen: Program, write_plan: Write) -> None:
    """Why each target failed and what the consoles say is in `status`, in the object and in the report."""
    file = write_plan(more="keep_failed_green_seconds = 600\nconsole_lines = 3\n")
    ran = bluegreen("simulate", file, "--fault", "never-healthy:green", "--report", "r.html", "--json")
    assert ran.code == 3
    left = ran.data["evidence"]
    assert left["targets"] == ["i-0003: initial", "i-0004: initial"]
    assert ran.data["ended"] - ran.data["started"] > 900 + 600
    status = bluegreen("status", file).out
    assert "target      i-0003: initial\n" in status
    assert "console     i-0003: running, answers: false\n" in status
    assert bluegreen("status", file, "--json").data["evidence"] == left
    page = Path("r.html").read_text(encoding="utf-8")
    assert "i-0003: running, answers: false" in page


def test_a_report_says_why_it_turned_back(bluegreen: Program, write_plan: Write) -> None:
    """Beneath the sentence of a release's end stands what went wrong, as `because` has it in the object."""
    ran = bluegreen(
        "simulate", write_plan(), "--fault", "never-healthy:green", "--report", "r.html", "--json"
    )
    assert ran.data["phase"] == "rolled_back"
    page = Path("r.html").read_text(encoding="utf-8")
    ending = "exercise-group-green is gone, everything borrowed is given back"
    assert f"<p>{ending}</p>\n<p>because: {ran.data['because']}</p>" in page


def test_a_report_says_what_a_halt_awaits(bluegreen: Program, write_plan: Write) -> None:
    """The phase of a halt has not ended: what it awaits stands there, and the cause only where it came up."""
    deaths = [f"--fault={fault}" for fault in ("dies:blue:40", "dies:blue:41", "launch-fails:999")]
    ran = bluegreen("simulate", write_plan(), *deaths, "--report", "r.html", "--json")
    assert ran.data["phase"] == "halted"
    page = Path("r.html").read_text(encoding="utf-8")
    assert "<td>not ended: awaits a person: resume or abort</td>" in page
    assert "because:" not in page


def test_there_is_no_report_before_the_end(bluegreen: Program, waiting: str) -> None:
    """A release that waits has no verdict to report, which is said."""
    ran = bluegreen("simulate", waiting, "--report", "r.html")
    assert ran.code == 4
    assert "report" in ran.err


@pytest.mark.process
def test_a_killed_simulation_goes_on(bluegreen: Program, write_plan: Write, folder: Path) -> None:
    """SIGKILL in the middle loses nothing: the next run promotes, and every decision replays as recorded."""
    file = write_plan(strategy='kind = "side-by-side"\nbake_seconds = 1200')
    process = start("simulate", file, "--verbose")
    assert process.stdout
    for line in process.stdout:
        if " bake " in line:
            break
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    standing = bluegreen("status", file, "--json")
    assert (standing.code, standing.data["phase"], standing.data["lock"]) == (4, "bake", None)
    ran = bluegreen("simulate", file, "--json")
    assert (ran.code, ran.data["phase"], ran.data["failed_requests"]) == (0, "promoted", 0)
    assert "going on with exercise-1-" in ran.err
    (story,) = stories(SqliteJournal(folder / ".bluegreen/exercise/journal.sqlite"))
    assert all(recorded == decided for recorded, decided in replay(story))


CRASH = """
import os, sys
from bluegreen.cli import main
from bluegreen.cli.folder import Folder
save, left = Folder.save_world, iter(range(int(sys.argv[1])))
Folder.save_world = lambda self, world: os._exit(9) if next(left, None) is None else save(self, world)
main(["simulate", "deployment.toml"])
"""


@pytest.mark.process
@pytest.mark.parametrize("saves", [0, 1, 2, 3, 6, 10])
def test_a_world_that_is_a_pass_behind_catches_up(
    bluegreen: Program, write_plan: Write, folder: Path, saves: int
) -> None:
    """Killed between journal and world, the next run promotes all the same, and makes nothing twice."""
    file = write_plan(WEIGHTED)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", CRASH, str(saves)]
    assert subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 9
    ran = bluegreen("simulate", file, "--json")
    assert (ran.code, ran.data["phase"], ran.data["failed_requests"]) == (0, "promoted", 0)
    world = json.loads((folder / ".bluegreen/exercise/world.json").read_text())
    assert len(world["versions"]) == 2
    (story,) = stories(SqliteJournal(folder / ".bluegreen/exercise/journal.sqlite"))
    assert all(recorded == decided for recorded, decided in replay(story))


@pytest.mark.process
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_after_the_pass(
    bluegreen: Program, write_plan: Write, number: signal.Signals, code: int
) -> None:
    """SIGTERM and Ctrl-C finish the pass in hand, say how to go on, and exit 143 and 130."""
    file = write_plan(strategy=SLOW)
    process = start("simulate", file, "--verbose")
    assert process.stdout
    for line in process.stdout:
        if " bake " in line:
            break
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert process.returncode == code, err
    assert "go on: bluegreen simulate deployment.toml" in out
    assert "Traceback" not in err
    assert bluegreen("status", file).code == 4


def test_what_applications_are_like_shows_in_the_summary(bluegreen: Program, write_plan: Write) -> None:
    """Failures stand by status and response times by colour, in the sentence and in the object."""
    file = write_plan()
    options = ("--application", "ami-0alpha:latency=0.1", "--application", "ami-0beta:latency=0.3,wrong=5")
    ran = bluegreen("simulate", file, *options)
    assert " × 500); p99 blue 100 ms, green 300 ms; blue/green " in ran.out
    ran = bluegreen("simulate", file, "--fresh", "--json", *options)
    assert ran.data["failures"] == {"500": ran.data["failed_requests"]}
    assert ran.data["p99_ms"] == {"blue": 100, "green": 300}
    wrong = bluegreen("simulate", file, "--application", "ami-0beta:speed=3")
    assert (wrong.code, "it should be IMAGE: and some of latency=S" in wrong.err) == (64, True)
