"""`bluegreen list`, `cleanup` and `destroy` on moto's AWS: shown, asked for, and then nothing is left."""

import os
import signal
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from shutil import copy
from typing import Any

import pytest

from bluegreen.cli.exits import Exit
from tests.cli.conftest import BLUE, GREEN, ROUTINGS, Aws, Ran

pytestmark = pytest.mark.slow  # a hundred calls of a server written in Python

HOME = Path(".bluegreen/exercise@123456789012-us-east-1")
PLAN = "deployment.toml"
Types = Callable[[str], None]


class Terminal(StringIO):
    """A terminal at which somebody types."""

    def isatty(self) -> bool:
        """Yes."""
        return True


@pytest.fixture
def types(monkeypatch: pytest.MonkeyPatch) -> Types:
    """Let somebody sit at a terminal and type a line."""
    return lambda text: monkeypatch.setattr(sys, "stdin", Terminal(text + "\n"))


@pytest.fixture(autouse=True)
def nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no terminal unless a test has one."""
    monkeypatch.setattr(sys, "stdin", StringIO())


def first_release(aws: Aws) -> None:
    """An account in which our group of a first release serves, and its plan file."""
    from tests.owned_things import first_release

    first_release(aws.moto)
    aws.write(ROUTINGS["shared"])


def standing(aws: Aws, *, tagged: bool) -> None:
    """An account with the user's standing groups after two releases, and its plan file."""
    from tests.owned_things import standing

    standing(aws.moto, tagged=tagged)
    aws.write(ROUTINGS["weighted"])


def there(aws: Aws) -> dict[str, list[str]]:
    """All that is in the account."""
    from tests.owned_things import everything

    return everything(aws.moto)


def empty(aws: Aws) -> bool:
    """Whether nothing but version 1, the user's own, is there."""
    found = there(aws)
    return found.pop("versions") == ["1"] and not any(found.values())


def ids(ran: Ran, key: str) -> list[str]:
    """The ids of things in an object, without what is different in each run."""
    items: list[dict[str, Any]] = ran.data[key]
    return [item["kind"] if item["id"][:2] in ("i-", "am", "sn") else item["id"] for item in items]


# ------------------------------------------------------------------------------------------------------ list


def test_list_shows_ours_in_a_line_each(aws: Aws) -> None:
    """Kind, id, service, maker, state, detail and users, for FILE's service or all of them."""
    first_release(aws)
    ran = aws.run("list", PLAN)
    assert (ran.code, ran.err) == (0, "")
    assert len(ran.out.splitlines()) == 6
    assert ran.out.splitlines()[0].split()[:5] == [
        "group", "exercise-group-blue", "exercise", "deployment", "exercise-1-0000000a"
    ]  # fmt: skip
    assert "used by group exercise-group-blue" in ran.out
    assert aws.run("list").out == ran.out
    assert ids(aws.run("list", PLAN, "--json"), "items")[3:] == [
        "exercise-launch-template:2", "image", "snapshot"
    ]  # fmt: skip


def test_list_says_that_there_is_nothing(aws: Aws) -> None:
    """In an account with the user's own groups only, a sentence says that nothing is ours."""
    aws.lay_out()
    ran = aws.run("list", PLAN)
    assert (ran.code, ran.out) == (0, "Nothing of exercise is in account 123456789012, us-east-1.\n")
    assert aws.run("list", "--json").data == {
        "schema": "bluegreen.list/1",
        "account": "123456789012",
        "region": "us-east-1",
        "service": None,
        "items": [],
    }


# --------------------------------------------------------------------------------------------------- cleanup


def leave_behind(aws: Aws) -> str:
    """A live release, and what a build and a deployment long ago left: gives the instance's id."""
    from tests.owned_things import FIRST, built, version

    standing(aws, tagged=False)
    version(aws.moto, "ami-0beta", FIRST)
    left = built(aws.moto, token="left")
    aws.time.sleep(7 * 3600)
    return left


def test_cleanup_without_a_terminal_only_shows(aws: Aws) -> None:
    """It says what would go and why, and how to have it removed; nothing is sent."""
    left = leave_behind(aws)
    before = there(aws)
    ran = aws.run("cleanup", PLAN)
    assert (ran.code, ran.err) == (0, "")
    assert f"{left}  " in ran.out
    assert "an image build left it, and it is older than 6 hours" in ran.out
    assert "no group names it, and it is not the default version" in ran.out
    assert ran.out.splitlines()[-1] == "Nothing was removed: say --yes to remove this."
    assert there(aws) == before
    data = aws.run("cleanup", PLAN, "--json").data
    assert (len(data["items"]), data["removed"], data["left"]) == (2, [], [])


def test_cleanup_keeps_what_is_in_use(aws: Aws) -> None:
    """With --yes the leftovers go; versions that groups name, images and instances in groups stay."""
    left = leave_behind(aws)
    before = there(aws)
    ran = aws.run("cleanup", PLAN, "--yes", "--json")
    assert ran.code == 0
    assert ids(ran, "removed") == ["exercise-launch-template:4", "instance"]
    after = there(aws)
    assert set(before["instances"]) - set(after["instances"]) == {left}
    assert after["versions"] == ["1", "2", "3"]
    assert [after[key] for key in ("groups", "images", "snapshots")] == [
        before[key] for key in ("groups", "images", "snapshots")
    ]
    assert aws.run("cleanup", PLAN, "--yes").out == "Nothing is left over of exercise.\n"


def test_cleanup_leaves_alone_what_is_young(aws: Aws) -> None:
    """A build and a version of an hour ago may be somebody's work in hand; --older-than-hours decides."""
    from tests.owned_things import FIRST, built, version

    aws.lay_out()
    built(aws.moto)
    version(aws.moto, "ami-0beta", FIRST)
    aws.time.sleep(3600)
    assert aws.run("cleanup", PLAN).out == "Nothing is left over of exercise.\n"
    assert len(aws.run("cleanup", PLAN, "--older-than-hours", "0.5", "--json").data["items"]) == 2


@pytest.mark.parametrize(("typed", "removed"), [("yes", True), ("y", False), ("", False)])
def test_cleanup_asks_at_a_terminal(aws: Aws, types: Types, typed: str, *, removed: bool) -> None:
    """Only the whole word removes; anything else changes nothing and is no error."""
    left = leave_behind(aws)
    types(typed)
    ran = aws.run("cleanup", PLAN)
    assert ran.code == 0
    assert "Type yes" in ran.err
    assert (left not in there(aws)["instances"]) is removed
    assert ("Nothing was removed." in ran.out) is not removed


def given_up(aws: Aws) -> None:
    """An account in which a deployment that replaces groups was given up and could not remove its green."""
    aws.lay_out(more='fleets = "replace"\n')
    aws.moto.client("autoscaling").delete_auto_scaling_group(AutoScalingGroupName=GREEN, ForceDelete=True)
    aws.moto.script.broken_images.add("ami-0beta")
    aws.moto.script.looks.draining = 10**6
    short = "deadlines={scale_up_seconds = 60, discard_seconds = 60}"
    ran = aws.deploy("--set", short)
    assert ran.code == Exit.ROLLED_BACK, ran.out
    assert GREEN in there(aws)["groups"]
    aws.moto.script.looks.draining = 2


def test_cleanup_removes_the_group_of_a_release_that_was_given_up(aws: Aws) -> None:
    """No rule leads to it and its deployment has ended, so it goes with its version; blue serves on."""
    given_up(aws)
    ran = aws.run("cleanup", PLAN)
    assert (ran.code, ran.err) == (0, "")
    assert f"group             {GREEN}" in ran.out
    assert "its deployment has ended, and no rule leads to it" in ran.out
    assert GREEN in there(aws)["groups"], "it was only shown"
    ran = aws.run("cleanup", PLAN, "--yes", "--json")
    assert ran.code == 0
    assert ids(ran, "removed") == [GREEN, "exercise-launch-template:2"]
    assert there(aws)["groups"] == [BLUE]
    assert aws.sizes() == [2]
    aws.moto.script.broken_images.clear()
    assert aws.deploy().code == 0, "the next release finds the name free"
    assert there(aws)["groups"] == [GREEN]
    assert aws.run("cleanup", PLAN, "--yes").out == "Nothing is left over of exercise.\n", "it is live"


def test_cleanup_keeps_a_group_that_a_rule_leads_to(aws: Aws) -> None:
    """Whatever the journal says: with a weight above 0 users come to it, and it is not left over."""
    given_up(aws)
    elbv2 = aws.moto.client("elbv2")
    balancer = elbv2.describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
    listener = elbv2.describe_listeners(LoadBalancerArn=balancer)["Listeners"][0]
    for each in listener["DefaultActions"][0]["ForwardConfig"]["TargetGroups"]:
        each["Weight"] = 50
    actions = [{key: listener["DefaultActions"][0][key] for key in ("Type", "ForwardConfig")}]
    elbv2.modify_listener(ListenerArn=listener["ListenerArn"], DefaultActions=actions)
    assert aws.run("cleanup", PLAN, "--yes").out == "Nothing is left over of exercise.\n"
    assert GREEN in there(aws)["groups"]


# --------------------------------------------------------------------------------------------------- destroy


def test_destroy_after_a_first_release_leaves_nothing(aws: Aws) -> None:
    """What `deploy` made in an account without groups goes whole: group, instances, template version."""
    from tests.moto_account import lay_out

    lay_out(aws.moto, "shared", groups_exist=False)
    aws.write(ROUTINGS["shared"], more="capacity = 2\n")
    assert aws.deploy().code == 0
    assert len(there(aws)["groups"]) == 1
    ran = aws.run("destroy", PLAN, "--confirm", "exercise")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[-1] == "Nothing of exercise is left."
    assert empty(aws)
    assert aws.run("destroy", PLAN, "--confirm", "exercise").out == "Nothing of exercise is left.\n"


def test_destroy_after_releases_on_tagged_groups_leaves_nothing(aws: Aws) -> None:
    """Standing groups that the user gave our tag go too; the object says what is gone."""
    standing(aws, tagged=True)
    ran = aws.run("destroy", PLAN, "--confirm", "exercise", "--json")
    assert (ran.code, ran.data["left"]) == (0, [])
    assert sorted(ids(ran, "removed")) == [
        "exercise-group-blue",
        "exercise-group-green",
        "exercise-launch-template:2",
        "exercise-launch-template:3",
        *["image"] * 2,
        *["instance"] * 2,
        *["snapshot"] * 2,
    ]
    assert empty(aws)


def test_destroy_keeps_the_users_groups_and_what_they_name(aws: Aws) -> None:
    """Without the tag the groups serve on, and what is left is told with the reason, in exit code 1."""
    standing(aws, tagged=False)
    before = there(aws)
    ran = aws.run("destroy", PLAN, "--confirm", "exercise")
    assert ran.code == 1
    assert "Of exercise 6 things are left:" in ran.out
    assert "is kept: group exercise-group-green uses it" in ran.out.splitlines()[-5]
    assert there(aws) == before
    data = aws.run("destroy", PLAN, "--confirm", "exercise", "--json").data
    assert data["left"][0]["why"] == "is kept: group exercise-group-blue uses it"
    assert data["removed"] == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [([], "there is no terminal to ask on: say --confirm exercise"), (["--confirm", "orders"], "'orders'")],
)
def test_destroy_wants_the_name(aws: Aws, arguments: list[str], words: str) -> None:
    """Without a terminal and the right name it is wrong usage; not one call is made."""
    first_release(aws)
    aws.moto.calls.clear()
    ran = aws.run("destroy", PLAN, *arguments)
    assert (ran.code, ran.out) == (64, "")
    assert words in ran.err
    assert aws.moto.calls == []


@pytest.mark.parametrize("typed", ["exercise", "yes", ""])
def test_destroy_asks_for_the_name_at_a_terminal(aws: Aws, types: Types, typed: str) -> None:
    """Everything is shown, then the name must be typed; anything else changes nothing, exit 5."""
    first_release(aws)
    before = there(aws)
    types(typed)
    ran = aws.run("destroy", PLAN)
    assert "exercise-group-blue" in ran.out
    assert "Type the service's name, exercise" in ran.err
    if typed == "exercise":
        assert ran.code == 0
        assert empty(aws)
    else:
        assert ran.code == 5
        assert "nothing was changed" in ran.err
        assert there(aws) == before


def test_destroy_refuses_in_the_middle_of_a_deployment(aws: Aws, half_way: Path) -> None:
    """While the journal says that a deployment has not ended it is exit 5, unless --force is said."""
    first_release(aws)
    before = there(aws)
    HOME.mkdir(parents=True)
    copy(half_way / ".bluegreen/exercise/journal.sqlite", HOME)
    ran = aws.run("destroy", PLAN, "--confirm", "exercise", "--json")
    assert (ran.code, ran.data["error"]) == (5, "unfinished")
    assert "has not ended: let it go on, or abort it, or say --force" in ran.err
    assert there(aws) == before
    assert aws.run("destroy", PLAN, "--confirm", "exercise", "--force").code == 0
    assert empty(aws)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_destroy_stops_between_two_requests_and_goes_on(aws: Aws, number: signal.Signals, code: int) -> None:
    """A signal in the middle of a wait ends it, says that the same command goes on, and it does."""
    first_release(aws)
    aws.time.after(6, lambda: os.kill(os.getpid(), number))
    ran = aws.run("destroy", PLAN, "--confirm", "exercise")
    assert ran.code == code
    assert "the same command goes on" in ran.err
    assert there(aws)["groups"] == ["exercise-group-blue"]
    assert aws.run("destroy", PLAN, "--confirm", "exercise").code == 0
    assert empty(aws)


def test_destroy_ends_at_its_deadline(aws: Aws) -> None:
    """Instances that do not leave are listed with their states, in exit code 1."""
    first_release(aws)
    aws.moto.script.looks.draining = 10**6
    ran = aws.run("destroy", PLAN, "--confirm", "exercise", "--deadline-seconds", "30")
    assert ran.code == 1
    assert "waits until its instances have left: 2 Terminating" in ran.out
    assert "is still there after 30 s" in ran.out
    assert "Of exercise 6 things are left:" in ran.out


def test_an_account_that_says_no_is_one_line(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a Region, or with a profile that is not there, each command says so in a line, exit 1."""
    first_release(aws)
    for arguments in (["list"], ["cleanup", PLAN], ["destroy", PLAN, "--confirm", "exercise"]):
        ran = aws.run(*arguments, "--profile", "missing")
        assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert "say --region" in aws.run("list").err
