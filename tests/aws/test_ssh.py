"""Image builds by SSH: a host that is known beforehand or none, each command once, whatever happens."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import asyncssh
import pytest
from attrs import evolve

from bluegreen.aws import AwsBuilder, Ssh
from bluegreen.aws.console import host_keys, output
from bluegreen.aws.names import DONE_TAG, tags
from bluegreen.aws.users import USERS, users, users_of
from bluegreen.core.errors import MissingExtra, PlanError
from bluegreen.core.observation import ErrorClass, Result
from bluegreen.image import ImageResult
from bluegreen.ports import RunCommand
from tests.aws.ssh_host import SshHost, console, public, ssh_host
from tests.aws.test_builder import BUILD, Killed, builder_on, images, instances, kill
from tests.moto_account import lay_out
from tests.moto_server import MotoServer

pytestmark = pytest.mark.contract

COUNTED = evolve(BUILD, commands=("echo first >> {ran}", "echo second >> {ran}"))
MUTATING = 1 + 1 + 1 + 1 + 1  # start, tag, stop, create, terminate


@pytest.fixture
def host(tmp_path: Path) -> Iterator[SshHost]:
    """A host that answers by SSH."""
    with ssh_host(tmp_path) as answering:
        yield answering


def settings(host: SshHost, **more: Any) -> Ssh:
    """How the host is reached: as a user that its image's name does not tell."""
    given = {"user": "ec2-user", "host": "127.0.0.1", "port": host.port, "key_file": host.key_file}
    return Ssh(**(given | more))


def counted(host: SshHost, *texts: str) -> Any:
    """The build whose commands leave a line each."""
    ran = host.folder.parent / "ran"
    return evolve(COUNTED, commands=texts or tuple(text.format(ran=ran) for text in COUNTED.commands))


def run(moto: MotoServer, host: SshHost, build: Any = None, **more: Any) -> ImageResult:
    """A run of the build by a process of its own."""
    with builder_on(moto.url, moto, ssh=settings(host, **more)) as builder:
        return (build or counted(host)).run(builder)  # type: ignore[no-any-return]


def at_home(moto: MotoServer, host: SshHost) -> None:
    """An account whose instances write the host's key on their consoles."""
    lay_out(moto)
    moto.script.console = console(public(host.host_key))


def assert_one_of_each(moto: MotoServer, host: SshHost, result: ImageResult) -> None:
    """One image, one instance that has ended, each command once and in order."""
    assert result.ok, result.reason
    assert result.leftovers == ()
    assert [image["ImageId"] for image in images(moto, counted(host))] == [result.image]
    assert [each["State"]["Name"] for each in instances(moto)] == ["terminated"]
    assert (host.folder.parent / "ran").read_text() == "first\nsecond\n"


# ---------------------------------------------------------------------------------------- the way it goes


def test_a_build_by_ssh_makes_an_image(moto: MotoServer, host: SshHost) -> None:
    """The commands run once, as root by sudo, and no call of Systems Manager is made."""
    at_home(moto, host)
    assert_one_of_each(moto, host, run(moto, host))
    assert set(host.lines) == {"sudo -n /bin/sh -s"}
    assert not {"SendCommand", "ListCommandInvocations"} & set(moto.operations())
    sent = [name for name in moto.operations() if not name.startswith(("Describe", "Get"))]
    assert sent == ["RunInstances", "CreateTags", "StopInstances", "CreateImage", "TerminateInstances"]
    assert len(sent) == MUTATING
    (instance,) = instances(moto)
    assert tags(instance["Tags"])[DONE_TAG] == "2"


def test_root_needs_no_sudo(moto: MotoServer, host: SshHost) -> None:
    """Who logs in as root is root."""
    at_home(moto, host)
    host.users = {"root"}
    assert_one_of_each(moto, host, run(moto, host, user="root"))
    assert set(host.lines) == {"/bin/sh -s"}


def test_a_host_may_be_known_by_a_file(moto: MotoServer, host: SshHost, tmp_path: Path) -> None:
    """With a file of known hosts the console is not asked."""
    lay_out(moto)
    known = tmp_path / "known_hosts"
    known.write_text(host.known_hosts)
    assert_one_of_each(moto, host, run(moto, host, known_hosts=known))
    assert "GetConsoleOutput" not in moto.operations()


def test_a_failed_command_says_why_by_the_end_of_its_output(moto: MotoServer, host: SshHost) -> None:
    """Exit code and end of the output are in the reason; no later command is begun, nothing is left."""
    at_home(moto, host)
    text = "i=0; while [ $i -lt 500 ]; do echo line after line; i=$((i + 1)); done; echo the very end; exit 3"
    result = run(moto, host, counted(host, "echo 'a b'\nprintf '7 0 9\\n'", text, "never"))
    assert not result.ok
    assert "command 2 of 3 ended with exit code 3" in result.reason
    assert result.reason.endswith("line after line\\nthe very end")
    assert host.begun == 2
    assert [each["State"]["Name"] for each in instances(moto)] == ["terminated"]


def test_a_command_that_never_ends_meets_its_deadline(moto: MotoServer, host: SshHost) -> None:
    """A command goes on while nobody is connected; the build gives up after its time."""
    at_home(moto, host)
    build = evolve(counted(host, "exec sleep 8"), command_seconds=60, poll_seconds=20)
    result = run(moto, host, build)
    assert "command 1 of 1 runs on" in result.reason
    assert "deadline of 60 s passed" in result.reason


def test_what_a_login_shell_says_is_skipped(moto: MotoServer, host: SshHost, tmp_path: Path) -> None:
    """A profile that greets on standard output does no harm."""
    at_home(moto, host)
    greeting = f"{tmp_path}/greeting"
    Path(greeting).write_text("welcome\n3 0 5\n")
    with builder_on(moto.url, moto, ssh=settings(host)) as builder:
        asked = builder.remote._ask  # type: ignore[attr-defined]
        builder.remote._ask = lambda at, script: asked(at, f"cat {greeting}\n{script}")  # type: ignore[attr-defined]
        assert_one_of_each(moto, host, counted(host).run(builder))


# ------------------------------------------------------------------------------------------- killed, cut off


@pytest.mark.crash
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(1, MUTATING + 1))
def test_a_build_that_was_killed_goes_on(number: int, when: str, moto: MotoServer, host: SshHost) -> None:
    """Killed around any request and run again: one instance, each command once, one image, nothing left."""
    at_home(moto, host)
    with builder_on(moto.url, moto, ssh=settings(host)) as builder:
        kill(builder, number, when)
        with pytest.raises(Killed):
            counted(host).run(builder)
    assert_one_of_each(moto, host, run(moto, host))


@pytest.mark.crash
def test_killed_after_any_pass_it_goes_on(moto: MotoServer, tmp_path: Path) -> None:
    """Left after any number of passes and run again: each command has run once."""
    passes = 12
    for count in range(1, passes):
        moto.reset()
        (tmp_path / str(count)).mkdir()
        with ssh_host(tmp_path / str(count)) as host:
            at_home(moto, host)
            with builder_on(moto.url, moto, ssh=settings(host)) as builder:
                for _ in zip(range(count), counted(host).steps(builder), strict=False):
                    pass
            assert_one_of_each(moto, host, run(moto, host))


@pytest.mark.parametrize("cut", range(1, 7))
def test_a_connection_that_is_cut_off_is_made_again(cut: int, moto: MotoServer, host: SshHost) -> None:
    """Whichever session is cut off before its script has run: each command runs once."""
    at_home(moto, host)
    host.cut = lambda _: len(host.lines) == cut
    assert_one_of_each(moto, host, run(moto, host))
    assert len(host.lines) > cut


def test_a_command_that_was_cut_off_may_have_begun(moto: MotoServer, host: SshHost) -> None:
    """A begin without an answer is unknown; one that met nobody was not sent."""
    at_home(moto, host)
    with builder_on(moto.url, moto, ssh=settings(host)) as builder:
        command = RunCommand(instance="i-1", token=BUILD.token, index=0, text="true", seconds=9)
        early = builder.apply(command)
        assert (early.result, early.error) == (Result.NOT_APPLIED, ErrorClass.NOT_SENT)
        for _ in zip(range(3), BUILD.steps(builder), strict=False):
            pass
        (instance,) = instances(moto)
        host.cut = lambda script: "trap" in script
        cut = builder.apply(evolve(command, instance=instance["InstanceId"]))
        assert (cut.result, cut.error) == (Result.UNKNOWN, ErrorClass.LOST)
        host.users.clear()
        denied = builder.apply(evolve(command, instance=instance["InstanceId"]))
        assert (denied.result, denied.error) == (Result.NOT_APPLIED, ErrorClass.NOT_SENT)
        assert f"ec2-user@127.0.0.1:{host.port}: " in denied.detail


def test_begun_twice_a_command_runs_once(moto: MotoServer, host: SshHost) -> None:
    """A command that is asked for again, because its begin could not be seen, does not run again."""
    at_home(moto, host)
    with builder_on(moto.url, moto, ssh=settings(host)) as builder:
        apply, build = builder.apply, counted(host)
        builder.apply = lambda command: (apply(command), apply(command))[1]  # type: ignore[method-assign]
        assert_one_of_each(moto, host, build.run(builder))


# --------------------------------------------------------------------------------------------- who it is not


def assert_refused(moto: MotoServer, host: SshHost, result: ImageResult, words: str) -> None:
    """The build ended at once, with one reason; no session was had, and the instance is gone."""
    assert not result.ok
    assert words in result.reason
    assert "deadline" not in result.reason
    assert host.lines == []
    assert [each["State"]["Name"] for each in instances(moto)] == ["terminated"]


def other_key() -> str:
    """The public half of a key that the host does not have."""
    return public(asyncssh.generate_private_key("ssh-ed25519"))


@pytest.mark.parametrize("source", ["file", "console"])
def test_a_changed_host_key_is_refused(source: str, moto: MotoServer, host: SshHost, tmp_path: Path) -> None:
    """Another key than the known one ends the build at once, with what it showed and who named the other."""
    lay_out(moto)
    known = tmp_path / "known_hosts"
    known.write_text(f"[127.0.0.1]:{host.port} {other_key()}\n")
    moto.script.console = console(other_key())
    result = run(moto, host, known_hosts=known if source == "file" else None)
    shown = host.host_key.get_fingerprint()
    named = str(known) if source == "file" else "the instance's console"
    words = f"127.0.0.1 has not the host key that {named} names ({shown})"
    assert_refused(moto, host, result, words)


def test_a_host_key_of_another_kind_is_no_known_one(moto: MotoServer, host: SshHost) -> None:
    """A host that has no key of the known kinds is refused like one with another key."""
    lay_out(moto)
    moto.script.console = console(public(asyncssh.generate_private_key("ecdsa-sha2-nistp256")))
    assert_refused(moto, host, run(moto, host), "127.0.0.1 has not the host key that the instance's console")


def test_an_unknown_host_is_refused_with_the_remedy(moto: MotoServer, host: SshHost, tmp_path: Path) -> None:
    """A file that does not name the host ends the build at once; nothing is added to it."""
    at_home(moto, host)
    known = tmp_path / "known_hosts"
    known.write_text(f"elsewhere.example {other_key()}\n")
    before = known.read_text()
    result = run(moto, host, known_hosts=known)
    assert_refused(moto, host, result, f"host key of 127.0.0.1 is not known: put it into {known}")
    assert known.read_text() == before


def test_a_console_without_keys_is_waited_for(moto: MotoServer, host: SshHost) -> None:
    """Until cloud-init has written the keys nobody connects; past the deadline the reason says so."""
    lay_out(moto)
    moto.script.console = "booting"
    result = run(moto, host, evolve(counted(host), start_seconds=30))
    assert "takes no commands yet (its host keys are not on its console yet" in result.reason
    assert "deadline of 30 s passed" in result.reason
    assert host.lines == []


def test_who_may_not_log_in_yet_is_waited_for(moto: MotoServer, host: SshHost) -> None:
    """A fresh instance may not trust the key yet; past the deadline the reason names user and address."""
    at_home(moto, host)
    host.users.clear()
    result = run(moto, host, evolve(counted(host), start_seconds=30))
    assert f"takes no commands yet (ec2-user@127.0.0.1:{host.port}: " in result.reason
    assert host.lines == []


def test_a_host_that_does_not_answer_is_waited_for(moto: MotoServer, host: SshHost) -> None:
    """A refused connection is not the end, but it is told when the deadline has passed."""
    at_home(moto, host)
    result = run(moto, host, evolve(counted(host), start_seconds=20), port=1)
    assert "takes no commands yet (ec2-user@127.0.0.1:1: " in result.reason
    assert "deadline of 20 s passed" in result.reason


def test_sudo_that_asks_for_a_password_is_told(moto: MotoServer, host: SshHost) -> None:
    """What the shell says on its standard error is the reason why no command is taken."""
    at_home(moto, host)
    with builder_on(moto.url, moto, ssh=settings(host)) as builder:
        remote: Any = builder.remote
        asked = remote._ask
        remote._ask = lambda at, _script: asked(at, "echo sudo: a password is required >&2; exit 1")
        result = evolve(counted(host), start_seconds=20).run(builder)
    assert "sudo: a password is required" in result.reason


# ------------------------------------------------------------------------------------------------- settings


def test_the_instances_own_address_is_taken(moto: MotoServer, host: SshHost) -> None:
    """The public address if there is one, the private one if that is asked for, or another place by name."""
    instance = {"InstanceId": "i-1", "ImageId": "ami-1", "PrivateIpAddress": "10.0.0.4"}
    at_home(moto, host)
    for more, seen, address in (
        ({}, {"PublicIpAddress": "203.0.113.9"}, "203.0.113.9"),
        ({}, {}, "10.0.0.4"),
        ({"private": True}, {"PublicIpAddress": "203.0.113.9"}, "10.0.0.4"),
        ({"host": "tunnel"}, {"PublicIpAddress": "203.0.113.9"}, "tunnel"),
    ):
        with builder_on(moto.url, moto, ssh=evolve(settings(host), **({"host": None} | more))) as builder:
            remote: Any = builder.remote
            remote._written = lambda _name: asyncssh.import_known_hosts("")
            assert remote._found(instance | seen).address == address


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("al2023-ami-2023.6.20241010.0-kernel-6.1-x86_64", ("ec2-user",)),
        ("amzn2-ami-hvm-2.0.20240131.0-x86_64-gp2", ("ec2-user",)),
        ("amzn-ami-hvm-2018.03.0.20230306.1-x86_64-gp2", ("ec2-user",)),
        ("ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20240423", ("ubuntu",)),
        ("debian-12-amd64-20240717-1811", ("admin",)),
        ("Fedora-Cloud-Base-40-1.14.x86_64-hvm-us-east-1-gp3-0", ("fedora", "ec2-user")),
        ("CentOS Stream 9 x86_64 20240703", ("centos", "ec2-user")),
        ("RHEL-9.4.0_HVM-20240605-x86_64-82-Hourly2-GP3", ("ec2-user", "root")),
        ("suse-sles-15-sp6-v20240628-hvm-ssd-x86_64", ("ec2-user", "root")),
        ("OL9.4-x86_64-HVM-2024-05-06", ("ec2-user",)),
        ("Rocky-9-EC2-Base-9.4-20240509.0.x86_64", ("rocky",)),
        ("bitnami-wordpress-6.5.5-1-r02-linux-debian-12-x86_64-hvm-ebs", ("bitnami",)),
        ("exercise-v2-0123456789ab", ()),
        ("control-plane", ()),
    ],
)
def test_a_family_tells_its_user(name: str, names: tuple[str, ...]) -> None:
    """Names as their makers give them tell the family; others tell nothing."""
    assert users_of({"Name": name}) == names
    assert users_of({"Name": "ours", "Description": name}) == names
    assert not names or names in [row[1] for row in USERS]


def test_an_image_of_ours_has_the_user_of_what_it_was_made_from() -> None:
    """The family is looked for in the images that an image was made from, as far as they are told."""
    told = {
        "ami-3": {"Name": "exercise-v3", "SourceImageId": "ami-2"},
        "ami-2": {"Name": "exercise-v2", "SourceImageId": "ami-1"},
        "ami-1": {"Name": "debian-12-amd64"},
        "ami-9": {"Name": "ours", "SourceImageId": "ami-9"},
    }
    ec2 = SimpleNamespace(
        describe_images=lambda ImageIds: {"Images": [told[i] for i in ImageIds if i in told]}  # noqa: N803
    )
    read: Any = SimpleNamespace(ec2=ec2)
    assert users(read, "ami-3") == ("admin",)
    assert users(read, "ami-9") == users(read, "ami-0") == ()


def test_a_family_with_two_users_has_both_tried(moto: MotoServer, host: SshHost) -> None:
    """Where the likelier user may not log in, the other one is tried."""
    at_home(moto, host)
    moto.backend("ec2").amis["ami-0alpha"].name = "CentOS Stream 9"
    assert_one_of_each(moto, host, run(moto, host, user=None))


def test_an_image_that_does_not_tell_its_user_ends_the_build(moto: MotoServer, host: SshHost) -> None:
    """Nobody guesses: the reason names the image and what to do."""
    at_home(moto, host)
    words = "the name of ami-0alpha does not tell whom to log in as: name the user"
    assert_refused(moto, host, run(moto, host, user=None), words)


def test_keys_are_taken_from_what_cloud_init_writes() -> None:
    """The block of keys is read, with or without what a console puts around it; all else is no key."""
    keys = [other_key(), public(asyncssh.generate_private_key("ecdsa-sha2-nistp256"))]
    assert host_keys(console(*keys)) == keys
    assert host_keys(console()) == host_keys("") == []
    assert host_keys(f"{keys[0]}\n") == []
    half = console(*keys).partition("-----END SSH HOST KEY KEYS")[0]
    assert host_keys(half) == []


def test_a_console_is_read_as_the_instance_type_can() -> None:
    """What shows no latest output is asked for the one that was posted."""
    from botocore.exceptions import ClientError

    asked: list[dict[str, Any]] = []

    def get_console_output(**wanted: Any) -> dict[str, str]:
        asked.append(wanted)
        if "Latest" in wanted:
            raise ClientError({"Error": {"Code": "UnsupportedOperation"}}, "GetConsoleOutput")
        return {"Output": "posted"}

    read: Any = SimpleNamespace(ec2=SimpleNamespace(get_console_output=get_console_output))
    assert output(read, "i-1") == "posted"
    assert asked == [{"InstanceId": "i-1", "Latest": True}, {"InstanceId": "i-1"}]


def test_wrong_settings_are_named_all_at_once(moto: MotoServer, tmp_path: Path) -> None:
    """Values that cannot be are faults, and so are files that cannot be read, before anything is called."""
    with pytest.raises(PlanError) as caught:
        Ssh(user="A b", host="a b", port=0, call_seconds=0, key_file="", private=1)  # type: ignore[arg-type]
    assert [fault.path for fault in caught.value.faults] == [
        "user", "key_file", "host", "private", "port", "call_seconds",
    ]  # fmt: skip
    locked, nowhere = tmp_path / "locked", tmp_path / "nowhere"
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(
        str(locked), "pkcs8-pem", passphrase="secret"
    )
    with pytest.raises(PlanError) as caught:
        AwsBuilder(moto.session(), ssh=Ssh(key_file=locked, known_hosts=nowhere))
    assert [fault.path for fault in caught.value.faults] == ["key_file", "known_hosts"]
    assert "secret" not in str(caught.value)


def test_without_the_extra_it_says_which(moto: MotoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where asyncssh is not installed, the one error names the extra."""
    monkeypatch.setitem(sys.modules, "asyncssh", None)
    with pytest.raises(MissingExtra, match=r"bluegreen\[ssh\]"):
        AwsBuilder(moto.session(), ssh=Ssh())
