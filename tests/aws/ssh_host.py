"""A build instance that answers by SSH: a server on loopback whose shell is this machine's."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import asyncssh
from attrs import Factory, define

CONSOLE = """\
[    9.1] cloud-init[901]: Cloud-init v. 24.1 finished
<14>Nov 25 19:00:00 ec2: -----BEGIN SSH HOST KEY FINGERPRINTS-----
<14>Nov 25 19:00:00 ec2: 256 SHA256:abc root@ip-10-0-0-4 (ED25519)
<14>Nov 25 19:00:00 ec2: -----END SSH HOST KEY FINGERPRINTS-----
-----BEGIN SSH HOST KEY KEYS-----\r
{keys}\r
-----END SSH HOST KEY KEYS-----\r
"""


def console(*keys: str) -> str:
    """What cloud-init writes of an instance with these host keys."""
    return CONSOLE.format(keys="\r\n".join(f"{key} root@ip-10-0-0-4" for key in keys))


def public(key: asyncssh.SSHKey) -> str:
    """A key's public half: algorithm and base64."""
    return " ".join(key.export_public_key().decode().split()[:2])


@define
class SshHost:
    """The server, as far as a test may say or ask.

    Args:
        folder: Stands for ``/run``.
        port: Where it listens.
        host_key: How it proves who it is.
        key_file: The private key that it trusts.
        users: Who may log in.
        lines: The command of each session, in order.
        cut: Asked with each script: whether to hang up before it has run.
    """

    folder: Path
    port: int = 0
    host_key: asyncssh.SSHKey = Factory(lambda: asyncssh.generate_private_key("ssh-ed25519"))
    key_file: Path = Path()
    users: set[str] = Factory(lambda: {"ec2-user"})
    lines: list[str] = Factory(list)
    cut: Callable[[str], bool] = lambda _: False

    @property
    def known_hosts(self) -> str:
        """Its line of a known_hosts file."""
        return f"[127.0.0.1]:{self.port} {public(self.host_key)}\n"

    @property
    def begun(self) -> int:
        """How many commands were ever begun on it."""
        return len(list(self.folder.glob("bluegreen-*")))

    async def _session(self, process: Any) -> None:
        script = (await process.stdin.read()).decode()
        self.lines.append(process.command)
        if self.cut(script):
            process.channel.get_connection().abort()
            return
        local = script.replace("/run/", f"{self.folder}/")
        ran = await asyncio.to_thread(
            subprocess.run, ["/bin/sh", "-s"], input=local.encode(), capture_output=True, check=False
        )
        process.stdout.write(ran.stdout)
        process.stderr.write(ran.stderr)
        process.exit(ran.returncode)

    async def listen(self, key: asyncssh.SSHKey) -> asyncssh.SSHAcceptor:
        """Begin to listen, on the port of before if there was one."""
        host = self

        class Door(asyncssh.SSHServer):
            def begin_auth(self, _username: str) -> bool:
                return True

            def public_key_auth_supported(self) -> bool:
                return True

            def validate_public_key(self, username: str, given: asyncssh.SSHKey) -> bool:
                return username in host.users and public(given) == public(key)

        server = await asyncssh.listen(
            "127.0.0.1",
            self.port,
            server_factory=Door,
            server_host_keys=[self.host_key],
            process_factory=self._session,
            encoding=None,
        )
        self.port = server.get_port()
        return server


@contextmanager
def ssh_host(folder: Path) -> Iterator[SshHost]:
    """A server that ends with the block."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    run = folder / "run"
    run.mkdir()
    host = SshHost(run, key_file=folder / "id_ed25519")
    key.write_private_key(str(host.key_file))
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(host.listen(key), loop).result(10)

    async def close() -> None:
        server.close()
        await server.wait_closed()

    try:
        yield host
    finally:
        asyncio.run_coroutine_threadsafe(close(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
