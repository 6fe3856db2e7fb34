"""Image builds on a real OpenSSH server: who it is, who may come in, and each command once.

EC2 is moto's; the instance's shell is this machine's, by sshd on loopback with a host key of its own.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import define, evolve, field

from bluegreen import ImageBuild
from bluegreen.aws import Ssh
from bluegreen.image import ImageResult
from tests.aws.conftest import moto, moto_server
from tests.aws.ssh_host import console
from tests.aws.test_builder import builder_on, images, instances
from tests.moto_account import TEMPLATE, lay_out
from tests.moto_server import MotoServer

__all__ = ["moto", "moto_server"]

SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
USER = pwd.getpwuid(os.getuid()).pw_name
ROOT = [] if USER == "root" else ["sudo", "-n"]
SETTINGS = """\
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/id_ed25519.pub
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
"""


def new_key(path: Path) -> None:
    """A key of OpenSSH's own make."""
    path.unlink(missing_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)


def public(path: Path) -> str:
    """Its public half: algorithm and base64."""
    return " ".join(path.with_suffix(".pub").read_text().split()[:2])


@define
class Server:
    """sshd on loopback, started and ended by the test.

    Args:
        folder: Its keys and settings.
        more: Lines of its settings besides those of every test.
    """

    folder: Path
    more: str = ""
    port: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def host_key(self) -> Path:
        """How it proves who it is."""
        return self.folder / "host_key"

    @property
    def key(self) -> Path:
        """The key that it trusts."""
        return self.folder / "id_ed25519"

    def start(self) -> None:
        """Listen, on the port of before if there was one."""
        assert SSHD, "sshd is missing: tests/e2e/install.sh installs it"
        if not self.port:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                self.port = free.getsockname()[1]
        settings = self.folder / "sshd_config"
        settings.write_text(SETTINGS.format(port=self.port, folder=self.folder) + self.more)
        self.process = subprocess.Popen([SSHD, "-D", "-E", self.folder / "log", "-f", settings])
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        pytest.fail((self.folder / "log").read_text())

    def stop(self) -> None:
        """End it, and wait for that."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(10)
            self.process = None


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server that runs; what its commands remembered in /run goes with it."""
    if USER == "root":
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd's own, which systemd makes elsewhere
    for name in ("host_key", "id_ed25519"):
        new_key(tmp_path / name)
    running = Server(tmp_path)
    running.start()
    try:
        yield running
    finally:
        running.stop()
        for token in (build_of(running).token, failing(running).token):
            script = f"rm -rf /run/bluegreen-{token}-*"
            subprocess.run([*ROOT, "/bin/sh", "-c", script], check=True)


def build_of(server: Server) -> ImageBuild:
    """A build whose commands leave a line each; what is built differs from test to test."""
    ran = server.folder / "ran"
    commands = (f"id -un >> {ran}", f"sleep 1; echo second >> {ran}")
    return ImageBuild(service="exercise", launch_template=TEMPLATE, commands=commands, poll_seconds=1)


def failing(server: Server) -> ImageBuild:
    """A build whose command fails."""
    return evolve(
        build_of(server), commands=("echo out; echo err >&2; exit 3",), revision=server.folder.name[:9]
    )


def run(moto: MotoServer, server: Server, build: ImageBuild | None = None, **more: Any) -> ImageResult:
    """A run of the build; the clock of EC2 is moved by hand, the server has its own."""
    given = {"user": USER, "host": "127.0.0.1", "port": server.port, "key_file": server.key} | more
    with builder_on(moto.url, moto, ssh=Ssh(**given)) as builder:
        clock: Any = builder.clock
        moved = clock.sleep
        clock.sleep = lambda seconds: (moved(seconds), time.sleep(0.1))
        return (build or build_of(server)).run(builder)


def known(server: Server, key: str | None = None) -> Path:
    """A file that knows the server, by its key unless another is said."""
    file = server.folder / "known_hosts"
    file.write_text(f"[127.0.0.1]:{server.port} {key or public(server.host_key)}\n")
    return file


def assert_built(moto: MotoServer, server: Server, result: ImageResult) -> None:
    """One image; each command ran once, as root; no instance is left."""
    assert result.ok, result.reason
    assert [image["ImageId"] for image in images(moto, build_of(server))] == [result.image]
    assert (server.folder / "ran").read_text() == "root\nsecond\n"
    assert [each["State"]["Name"] for each in instances(moto)] == ["terminated"]


def test_an_image_is_built(moto: MotoServer, server: Server) -> None:
    """The server is known by the instance's console; the commands run as root, each once."""
    lay_out(moto)
    moto.script.console = console(public(server.host_key))
    assert_built(moto, server, run(moto, server))
    assert "GetConsoleOutput" in moto.operations()


def test_a_server_is_known_by_a_file_or_by_its_authority(moto: MotoServer, server: Server) -> None:
    """A certificate that an authority of the file signed is as good as the key itself."""
    lay_out(moto)
    authority = server.folder / "authority"
    new_key(authority)
    sign = ["ssh-keygen", "-q", "-s", authority, "-I", "host", "-h", "-n", "127.0.0.1"]
    subprocess.run([*sign, server.host_key.with_suffix(".pub")], check=True)
    server.stop()
    server.more = f"HostCertificate {server.folder}/host_key-cert.pub\n"
    server.start()
    file = known(server)
    file.write_text(f"@cert-authority * {public(authority)}\n")
    assert_built(moto, server, run(moto, server, known_hosts=file))


def test_the_agents_keys_are_taken(moto: MotoServer, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a key file the keys of the agent are tried."""
    lay_out(moto)
    monkeypatch.setenv("HOME", str(server.folder))
    path = str(server.folder / "agent")
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.DEVNULL)
    try:
        monkeypatch.setenv("SSH_AUTH_SOCK", path)
        for _ in range(100):
            if Path(path).exists():
                break
            time.sleep(0.05)
        subprocess.run(["ssh-add", "-q", server.key], check=True)
        result = run(moto, server, key_file=None, known_hosts=known(server))
    finally:
        agent.terminate()
        agent.wait(10)
    assert_built(moto, server, result)


def test_a_changed_host_key_is_refused(moto: MotoServer, server: Server) -> None:
    """A server with another key than before gets nothing, and one clear error says why."""
    lay_out(moto)
    file = known(server)
    server.stop()
    new_key(server.host_key)
    server.start()
    result = run(moto, server, known_hosts=file)
    assert not result.ok
    assert f"127.0.0.1 has not the host key that {file} names (SHA256:" in result.reason
    assert result.reason.endswith("it may be another host, so nothing was sent")
    assert not (server.folder / "ran").exists()
    assert [each["State"]["Name"] for each in instances(moto)] == ["terminated"]
    assert "Accepted" not in (server.folder / "log").read_text()


def test_an_unknown_host_is_refused(moto: MotoServer, server: Server) -> None:
    """A server that the file does not name gets nothing, is not added, and the reason has the remedy."""
    lay_out(moto)
    file = known(server)
    file.write_text(f"elsewhere.example {public(server.host_key)}\n")
    result = run(moto, server, known_hosts=file)
    assert f"the host key of 127.0.0.1 is not known: put it into {file}" in result.reason
    assert file.read_text().startswith("elsewhere.example")
    assert not (server.folder / "ran").exists()


def test_a_failed_command_is_told_by_both_its_outputs(moto: MotoServer, server: Server) -> None:
    """Exit code, standard output and standard error of a command are in the reason."""
    lay_out(moto)
    result = run(moto, server, failing(server), known_hosts=known(server))
    assert "ended with exit code 3" in result.reason
    assert result.reason.endswith("its output ends: out\\nerr")


def test_a_command_outlives_connection_and_server(moto: MotoServer, server: Server) -> None:
    """Killed while a command runs and the server ended with it: run again, the command has run once."""
    lay_out(moto)
    given = Ssh(user=USER, host="127.0.0.1", port=server.port, key_file=server.key, known_hosts=known(server))
    with builder_on(moto.url, moto, ssh=given) as builder:
        for taken in build_of(server).steps(builder):
            if "command 2 of 2 runs on" in taken.reason:
                break
    server.stop()
    server.start()
    assert_built(moto, server, run(moto, server, known_hosts=known(server)))
