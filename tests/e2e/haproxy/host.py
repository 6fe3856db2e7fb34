"""The machine that the services run on: one process each, with a port of its own on the loopback."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import time
from pathlib import Path

from attrs import Factory, define

SERVICE = Path(__file__).with_name("service.py")
ASK_SECONDS = 1

BOUND_TO_US = ("setpriv", "--pdeathsig", "KILL")
"""Begins a command line whose process does not outlive this one, however this one ends."""


def bound() -> socket.socket:
    """A socket with a free port of the loopback; whoever inherits it cannot find the port taken."""
    found = socket.socket()
    found.bind(("127.0.0.1", 0))
    return found


@define(eq=False)
class Process:
    """One running service.

    Args:
        id: What it is called, here and at the balancer; it answers with its image and this.
        version: The template version it was started from.
        port: Where it answers.
        running: The process itself.
        leaving: Whether it was told to go: taken off the balancer first, then stopped.
        answered: Whether it was ever well, as far as it is judged by.
        since: From when on it is judged.
    """

    id: str
    version: int
    port: int
    running: subprocess.Popen[bytes]
    leaving: bool = False
    answered: bool = False
    since: float = Factory(time.monotonic)

    @classmethod
    def start(
        cls, name: str, version: int, image: str, *, boot_seconds: float, respond_seconds: float, works: bool
    ) -> Process:
        """Start a service that says its image and its name."""
        health = "200 OK" if works else "500 Broken"
        with bound() as socket_:
            fd = socket_.fileno()
            words = (str(fd), f"{image} {name}", str(boot_seconds), str(respond_seconds), health)
            program = (*BOUND_TO_US, sys.executable, "-I", str(SERVICE), *words)
            running = subprocess.Popen(program, pass_fds=[fd])
            return cls(name, version, socket_.getsockname()[1], running)

    @property
    def age_seconds(self) -> float:
        """For how long it has been judged."""
        return time.monotonic() - self.since

    def judged_anew(self) -> None:
        """Forget what was known of it: somebody else looks from now on, and has no verdict yet."""
        self.answered, self.since = False, time.monotonic()

    @property
    def dead(self) -> bool:
        """Whether it has ended, told to or not."""
        return self.running.poll() is not None

    def stop(self) -> None:
        """SIGTERM: it ends at once, and so does every request that it was working on."""
        self.running.terminate()
        self.running.wait()

    def is_well(self) -> bool:
        """What it says of itself when it is asked directly."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ASK_SECONDS)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == http.HTTPStatus.OK
        except OSError:
            return False
        finally:
            connection.close()
