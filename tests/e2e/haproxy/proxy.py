"""HAProxy in the foreground, and what it can be told while it runs.

The runtime API takes one command a connection, over a UNIX socket. It answers failures with a text, and
successes with an empty line or a text of their own, so what is said is what counts.
"""

from __future__ import annotations

import csv
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from tests.e2e.haproxy.host import BOUND_TO_US, bound

# A retry or a redispatch would hide what a wrong order does to users: both are off, and tests read the
# counters to see that they were.
CONFIG = """
global
    stats socket {socket} mode 600 level admin
    nbthread 1
defaults
    mode http
    retries 0
    no option redispatch
    http-reuse safe
    option httpchk GET /health
    timeout connect 2s
    timeout client 60s
    timeout server 10s
    timeout check 2s
frontend users
    bind fd@{fd}
"""

# Weights are no property of HAProxy's backends, so requests are divided by a die and a map that can be
# written while it runs. Its one entry says how many of 100 go to the second backend.
DIVIDED = """
    http-request set-var(txn.die) rand(100)
    http-request set-var(txn.share) str(second),map_str_int({map},0)
    use_backend {second} if {{ var(txn.die),sub(txn.share) lt 0 }}
"""

CHECKS = "check inter 200ms fastinter 100ms rise 2 fall 2"
WAIT_SECONDS = 10


class Refused(Exception):
    """HAProxy's own words for why it did not do what it was told."""


@frozen
class Server:
    """One server of a backend, as ``show stat`` has it."""

    name: str
    status: str
    check: str
    weight: int
    current: int
    total: int

    @property
    def up(self) -> bool:
        """Whether it gets requests; ``UP 1/2`` is on its way down, and still does."""
        return self.status.startswith("UP")

    @property
    def leaving(self) -> bool:
        """Whether it was told to take no new requests."""
        return self.status.startswith(("DRAIN", "MAINT"))


class Proxy:
    """A running HAProxy: one frontend, and one or two backends without a server in them.

    Args:
        backends: One backend gets everything; of two, the second gets its share and the first the rest.
        share: Percent of the second.
    """

    def __init__(self, backends: Sequence[str], share: int = 0) -> None:
        """Start it."""
        program = shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin")
        assert program, "haproxy is missing: tests/e2e/install.sh installs it"
        self.backends = tuple(backends)
        # A folder of its own with a short name: the path of a UNIX socket has at most 107 characters.
        self._folder = tempfile.TemporaryDirectory(prefix="haproxy-")
        folder = Path(self._folder.name)
        self._socket, self._map = folder / "haproxy.sock", folder / "shares.map"
        self._map.write_text(f"second {share}\n", encoding="utf-8")
        with bound() as users:
            self.port = users.getsockname()[1]
            config = folder / "haproxy.cfg"
            config.write_text(self._config(users.fileno()), encoding="utf-8")
            arguments = [*BOUND_TO_US, program, "-db", "-f", str(config)]
            self._running = subprocess.Popen(arguments, pass_fds=[users.fileno()])
        until = time.monotonic() + WAIT_SECONDS
        while not self._answers():
            assert self._running.poll() is None, "haproxy refused its configuration; it says why on stderr"
            assert time.monotonic() < until, f"haproxy did not start in {WAIT_SECONDS} s"
            time.sleep(0.02)

    def _config(self, fd: int) -> str:
        text = CONFIG.format(socket=self._socket, fd=fd)
        if len(self.backends) > 1:
            text += DIVIDED.format(map=self._map, second=self.backends[1])
        text += f"    default_backend {self.backends[0]}\n"
        return text + "".join(f"backend {name}\n    balance roundrobin\n" for name in self.backends)

    def _answers(self) -> bool:
        try:
            return bool(self.ask("show info"))
        except OSError:
            return False

    def close(self) -> None:
        """End it."""
        self._running.kill()
        self._running.wait()
        self._folder.cleanup()

    # ---------------------------------------------------------------------------------------- the runtime API

    def ask(self, command: str) -> str:
        """Its answer to one command."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(WAIT_SECONDS)
            connection.connect(str(self._socket))
            connection.sendall(f"{command}\n".encode())
            answer = b""
            while more := connection.recv(65536):
                answer += more
        return answer.decode().strip()

    def tell(self, command: str, expected: str = "") -> None:
        """Give one command, which succeeds with the answer that is expected.

        Raises:
            Refused: If it answers anything else.
        """
        answer = self.ask(command)
        if answer != expected:
            raise Refused(f"{command}: {answer}")

    def join(self, backend: str, name: str, port: int) -> None:
        """Add a server that gets its first request after it has passed its checks, in the order that works.

        A server that is added with ``check`` counts as UP until its first check says otherwise, and
        ``health down`` is lost when it is said before ``enable server``: the weight of 0 covers the time
        between the two.
        """
        server = f"{backend}/{name}"
        added = f"add server {server} 127.0.0.1:{port} {CHECKS} weight 0"
        self.tell(added, "New server registered.")
        self.tell(f"enable server {server}")
        self.tell(f"set server {server} health down")
        self.tell(f"enable health {server}")
        self.tell(f"set server {server} weight 1")

    def drain(self, backend: str, name: str) -> None:
        """Send no new request there; those in flight go on."""
        self.tell(f"set server {backend}/{name} state drain")

    def leave(self, backend: str, name: str) -> bool:
        """Delete a server; False while it still has connections: ask again later."""
        server = f"{backend}/{name}"
        self.tell(f"set server {server} state maint")
        answer = self.ask(f"del server {server}")
        if answer == "Server deleted.":
            return True
        if "still has connections" in answer:
            return False
        raise Refused(f"del server {server}: {answer}")

    @property
    def share(self) -> int:
        """Percent of the second backend, read back."""
        (line,) = self.ask(f"show map {self._map}").splitlines()
        return int(line.split()[-1])

    def set_share(self, percent: int) -> None:
        """Give the second backend so many percent of the requests, and the first one the rest."""
        self.tell(f"set map {self._map} second {percent}")

    def servers(self, backend: str) -> dict[str, Server]:
        """The servers of a backend, by name."""
        return {
            row["svname"]: Server(
                row["svname"],
                row["status"],
                row["check_status"].removeprefix("* "),
                *(int(row[name] or 0) for name in ("weight", "scur", "stot")),
            )
            for row in self._stat()
            if row["pxname"] == backend and row["svname"] not in ("FRONTEND", "BACKEND")
        }

    @property
    def second_tries(self) -> int:
        """Retries and redispatches so far: requests that HAProxy rescued from what we did wrong."""
        return sum(int(row["wretr"] or 0) + int(row["wredis"] or 0) for row in self._stat())

    def _stat(self) -> list[dict[str, str]]:
        return list(csv.DictReader(self.ask("show stat").removeprefix("# ").splitlines()))
