"""`bluegreen undo`: back to what was live before, on moto's AWS."""

import os
import signal

import pytest

from tests.cli.conftest import Aws
from tests.cli.test_deploy import story

pytestmark = pytest.mark.slow


def test_an_undo_deploys_what_was_live_before(aws: Aws) -> None:
    """The version before is deployed as it is; a dry run only says so; said again it leads forward again."""
    aws.lay_out()
    first = aws.deploy("--json").data["deployment_id"]
    assert aws.deploy("--image", "ami-0gamma").code == 0
    calls, made = len(aws.moto.calls), aws.moto.operations().count("CreateLaunchTemplateVersion")
    dry = aws.run("undo", "deployment.toml", "--dry-run", "--json")
    assert (dry.code, dry.data["version"], dry.data["schema"]) == (0, 2, "bluegreen.plan/1")
    assert len(aws.moto.calls) == calls + 1, "whose the credentials are"
    ran = aws.run("undo", "deployment.toml", "--json")
    assert (ran.code, ran.data["phase"], ran.data["version"]) == (0, "promoted", 2)
    assert "back to version 2, which exercise-2-" in ran.err
    assert "bluegreen deploy deployment.toml --template-version 2 --endpoint-url" in ran.err
    assert story().plan.number == 2
    assert aws.run("undo", "deployment.toml", "--json").data["version"] == 3
    assert aws.run("undo", "deployment.toml", "--to", first, "--json").data["version"] == 2
    live = aws.run("undo", "deployment.toml", "--to", first, "--json")
    assert (live.code, live.data["error"]) == (1, "nothing")
    assert "is live already" in live.err
    assert aws.moto.operations().count("CreateLaunchTemplateVersion") == made


def test_a_stopped_undo_goes_on_when_it_is_said_again(aws: Aws) -> None:
    """The same command goes on with the undo that has not ended; another one has to be called off first."""
    aws.lay_out()
    assert aws.deploy().code == 0
    aws.time.after(8, lambda: os.kill(os.getpid(), signal.SIGINT))
    assert aws.run("undo", "deployment.toml").code == 130
    ran = aws.run("undo", "deployment.toml", "--json")
    assert (ran.code, ran.data["version"], ran.data["deployment_id"][:11]) == (0, 1, "exercise-2-")
    aws.time.after(8, lambda: os.kill(os.getpid(), signal.SIGINT))
    assert aws.deploy("--image", "ami-0gamma").code == 130
    other = aws.run("undo", "deployment.toml")
    assert other.code == 1
    assert "has not ended" in other.err
    assert "call it off first: bluegreen abort deployment.toml" in other.err


def test_without_a_journal_there_is_nothing_to_undo(aws: Aws) -> None:
    """Where nothing was deployed yet, the one error says so, and nothing is made."""
    aws.lay_out()
    ran = aws.run("undo", "deployment.toml", "--json")
    assert (ran.code, ran.data["error"]) == (1, "nothing")
    assert "no deployment of exercise was promoted yet" in ran.err
