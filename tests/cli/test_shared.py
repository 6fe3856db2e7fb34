"""A team's journal in a bucket, and what `deploy` does while somebody else deploys; `unlock`."""

import shlex
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bluegreen import SqliteJournal
from bluegreen.aws import S3Journal
from bluegreen.journal.log import Log
from tests.cli.conftest import APPROVED, Aws, Program, Write
from tests.cli.test_deploy import HOME, said, send, story

pytestmark = pytest.mark.slow  # a deployment is a hundred calls of a server written in Python

URL = "s3://journals/releases"
SHARED = ("--journal", URL)


@pytest.fixture
def bucket(aws: Aws) -> Iterator[S3Journal]:
    """A bucket, and the journal that `deploy` makes in it."""
    aws.moto.client("s3").create_bucket(Bucket="journals")
    place = f"{URL}/exercise@123456789012-us-east-1"
    with closing(S3Journal.at(place, session=aws.moto.session(), endpoint_url=aws.moto.url)) as journal:
        yield journal


def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Go to another machine: only the plan file is there."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "deployment.toml").write_text(Path("deployment.toml").read_text())
    monkeypatch.chdir(other)


# -------------------------------------------------------------------------------------------------- the place


def test_releases_follow_each_other_from_any_machine(
    aws: Aws, bucket: S3Journal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What one machine deployed the next one knows of; neither keeps anything in a folder."""
    aws.lay_out()
    assert aws.deploy(*SHARED).code == 0
    elsewhere(monkeypatch, tmp_path)
    monkeypatch.setenv("BLUEGREEN_JOURNAL", URL)
    second = aws.deploy("--image", "ami-0gamma", "--json")
    assert (second.code, second.data["deployment_id"][:11]) == (0, "exercise-2-")
    told = aws.run("history", "deployment.toml", "--json")
    assert [each["phase"] for each in told.data["deployments"]] == ["promoted", "promoted"]
    assert aws.run("status", "deployment.toml", "--json").data["image"] == "ami-0gamma"
    assert aws.run("cleanup", "deployment.toml", "--yes", "--older-than-hours", "0").code == 0
    assert not Path(".bluegreen").exists()
    assert not (tmp_path / ".bluegreen").exists()
    assert bucket.records()


def test_another_machine_approves_and_goes_on(
    aws: Aws, bucket: S3Journal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Stopped while it waits for an approval, it names commands that work anywhere; they end it promoted."""
    aws.lay_out(strategy=APPROVED)
    aws.time.after(60, send(signal.SIGTERM))
    stopped = aws.deploy(*SHARED, "--region", "us-east-1")
    assert stopped.code == 143
    words = ["--journal", URL, "--region", "us-east-1", "--endpoint-url", aws.moto.url]
    approve = f"bluegreen approve deployment.toml {shlex.join(words)}"
    assert approve in stopped.out + stopped.err
    elsewhere(monkeypatch, tmp_path)
    approved = aws.program(*shlex.split(approve)[1:])
    assert approved.code == 0
    assert "bluegreen deploy deployment.toml --journal" in approved.out
    ran = aws.program(*said(stopped.out))
    assert ran.code == 0
    assert ran.err.startswith("going on with exercise-1-")
    assert len([one for one in bucket.records() if one.kind == "started"]) == 1


def test_a_bucket_that_is_missing_is_said(aws: Aws) -> None:
    """Without the bucket it is one line and exit 1, and nothing of the account was touched."""
    aws.lay_out()
    calls = len(aws.moto.calls)
    ran = aws.deploy("--journal", "s3://nowhere/releases", "--json")
    assert (ran.code, ran.data["error"]) == (1, "journal")
    assert ran.err.count("\n") == 1
    assert {service for service, _ in aws.moto.calls[calls:]} == {"sts", "s3"}


@pytest.mark.parametrize(
    "url", ["http://journals", "s3://", "s3://J/x", "s3://journals//x", "s3://journals/ä", "journals"]
)
def test_what_is_no_place_is_wrong_usage(bluegreen: Program, write_plan: Write, url: str) -> None:
    """A URL that is none is found on the command line, exit 64."""
    ran = bluegreen("deploy", write_plan(), "--journal", url)
    assert ran.code == 64
    assert "no place in S3" in ran.err


def test_a_folder_that_is_named_goes_before(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """With ``--state`` the journal is in that folder, whatever the environment says."""
    aws.lay_out()
    monkeypatch.setenv("BLUEGREEN_JOURNAL", "s3://nowhere/releases")
    assert aws.deploy("--state", "here").code == 0
    assert aws.run("status", "deployment.toml", "--state", "here").code == 0


# --------------------------------------------------------------------------------------------------- the lock


@pytest.fixture
def held(aws: Aws) -> Log:
    """Somebody deploys the service, and shows life."""
    aws.lay_out()
    log = Log(SqliteJournal(HOME / "journal.sqlite"), "exercise", name="host:1", wall=aws.time.now)
    log.take()
    return log


def test_who_holds_the_lock_is_told(aws: Aws, held: Log) -> None:
    """Exit 6 names holder, fence, since and until, on one line and for programs; nothing was sent."""
    calls = len(aws.moto.calls)
    ran = aws.deploy("--json")
    assert (ran.code, ran.data["error"]) == (6, "lock")
    lock = ran.data["lock"]
    assert (lock["holder"], lock["fence"]) == ("host:1", 1)
    assert lock["until"] - lock["since"] >= 60
    assert len(aws.moto.calls) == calls + 1, "whose the credentials are"
    assert held.fence == 1


def test_the_queue_waits_for_its_turn(aws: Aws, held: Log) -> None:
    """With ``--lock queue`` it says whom it waits for, once, and deploys when that one has let go."""
    aws.time.after(30, held.release)
    ran = aws.deploy("--lock", "queue")
    assert ran.code == 0
    assert ran.err.count("being deployed by host:1") == 1
    assert aws.sizes() == [0, 2]


def test_who_waits_can_be_stopped(aws: Aws, held: Log) -> None:
    """A signal ends the wait for the lock, with a line that nothing was done."""
    aws.time.after(12, send(signal.SIGTERM))
    ran = aws.deploy("--lock", "queue", "--json")
    assert (ran.code, ran.data["error"]) == (143, "waiting")
    assert "nothing was done" in ran.err
    assert held.fence == 1
    held.check()


def test_what_a_stopped_process_left_is_superseded(aws: Aws) -> None:
    """The unfinished deployment of another image is turned back first, and then the new one is promoted."""
    aws.lay_out(strategy='kind = "side-by-side"\nbake_seconds = 600')
    aws.time.after(300, send(signal.SIGTERM))
    assert aws.deploy().code == 143
    ran = aws.deploy("--image", "ami-0gamma", "--lock", "supersede")
    assert ran.code == 0, ran.err
    assert "turning exercise-1-" in ran.err
    told = aws.program("history", "deployment.toml", "--json").data["deployments"]
    assert [each["phase"] for each in told] == ["rolled_back", "promoted"]
    assert story().plan.image == "ami-0gamma"


def test_who_supersedes_and_is_stopped_says_what_it_did(aws: Aws) -> None:
    """Stopped while the other one turns back, it names that one, where it stands, and what goes on."""
    aws.lay_out(strategy='kind = "side-by-side"\nbake_seconds = 600')
    aws.time.after(300, send(signal.SIGTERM))
    assert aws.deploy().code == 143
    aws.time.after(5, send(signal.SIGTERM))
    wish = ("--image", "ami-0gamma", "--lock", "supersede")
    ran = aws.deploy(*wish, "--json")
    assert (ran.code, ran.data["error"]) == (143, "waiting")
    before = story()
    assert not before.state.phase.ended
    assert f"{before.state.ledger.deployment_id} was asked to turn back, and is in" in ran.data["message"]
    assert f"in {before.state.phase.value}; go on: bluegreen deploy" in ran.data["message"]
    assert "nothing was done" not in ran.err
    assert aws.program(*said(ran.data["message"])).code == 0
    assert story().plan.image == "ami-0gamma"


def test_who_asked_a_living_one_to_turn_back_says_so(aws: Aws) -> None:
    """Stopped while it waits for the one that it asked to turn back, it says that it asked."""
    aws.lay_out(strategy='kind = "side-by-side"\nbake_seconds = 600')
    aws.time.after(300, send(signal.SIGTERM))
    assert aws.deploy().code == 143
    log = Log(SqliteJournal(HOME / "journal.sqlite"), "exercise", name="host:1", wall=aws.time.now)
    log.take()
    aws.time.after(12, send(signal.SIGTERM))
    ran = aws.deploy("--image", "ami-0gamma", "--lock", "supersede")
    assert ran.code == 143
    assert "was asked to turn back, and is in" in ran.err


def test_unlock_takes_the_lock_from_whoever_was_seen(aws: Aws, held: Log) -> None:
    """`unlock` wants the fence that `status` told; the holder stops, and the command it names goes on."""
    assert aws.deploy().code == 6
    wrong = aws.program("unlock", "deployment.toml", "--fence", "7", "--state", str(HOME))
    assert wrong.code == 6
    assert "has fence 1, not 7" in wrong.err
    ran = aws.program("unlock", "deployment.toml", "--fence", "1", "--state", str(HOME), "--json")
    assert (ran.code, ran.data["service"], ran.data["fence"]) == (0, "exercise", 1)
    with pytest.raises(Exception, match="taken over by a holder with fence 2"):
        held.check()
    assert aws.deploy().code == 0


def test_there_is_nothing_to_unlock(bluegreen: Program, write_plan: Write) -> None:
    """Where nothing was ever deployed `unlock` says so, exit 1."""
    ran = bluegreen("unlock", write_plan(), "--fence", "1")
    assert ran.code == 1
    assert "no deployment yet" in ran.err
