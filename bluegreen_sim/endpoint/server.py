"""The same door behind HTTP, on this machine only: for tools that are not written in Python.

    with serve(cloud, speed=60) as server:
        ...  # aws --endpoint-url http://127.0.0.1:<server.port> elbv2 describe-target-health ...

Clients outside sleep in real time, so world time follows the wall: ``speed`` seconds of it a second.
"""

from __future__ import annotations

import re
import sys
import threading
import time
import zlib
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from bluegreen_sim.cloud import SimCloud

from .asking import NotSimulated
from .door import Door, Unanswered, WrongAnswer
from .limits import Limits
from .models import service_model
from .names import REGION
from .wire import AwsError, Protocol, Reply, failed

LONGEST_BODY = 1 << 22
_SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request")
_SIGNED_AS = {
    "autoscaling": "autoscaling",
    "ec2": "ec2",
    "elasticloadbalancing": "elbv2",
    "monitoring": "cloudwatch",
    "ssm": "ssm",
    "sts": "sts",
}


def serve(
    cloud: SimCloud,
    *,
    port: int = 0,
    speed: float = 1,
    throttled: bool = False,
    wall: Callable[[], float] = time.monotonic,
) -> Server:
    """A server that answers as AWS would, from the world of ``cloud``; it runs until it is closed.

    Args:
        cloud: Whose world. Nobody else may let its time pass meanwhile.
        port: Where it listens on 127.0.0.1; 0 takes a free port.
        speed: Seconds of world time in a second.
        throttled: Whether calls take tokens from buckets of the sizes that AWS documents.
        wall: Tells the time by which the world goes, in seconds.
    """
    return Server(Door(cloud, Limits() if throttled else None), port, speed, wall)


class Server:
    """A running server; a context manager that closes it.

    Attributes:
        port: Where it listens.
        url: What to give a client as its endpoint.
    """

    def __init__(self, door: Door, port: int, speed: float, wall: Callable[[], float]) -> None:
        """Listen, on this machine only."""
        self._door, self._speed, self._wall = door, speed, wall
        self._started = wall(), door.cloud.clock.now()
        self._lock = threading.Lock()
        self._http = _Quiet(("127.0.0.1", port), _handler(self))
        self.port: int = self._http.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        """The server itself; it runs already."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Stop listening; the world lives until then, also when nobody asked for long."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()
        with self._lock:
            self._catch_up()

    @property
    def environment(self) -> dict[str, str]:
        """Variables by which AWS's tools find credentials; made up, and any others do as well."""
        return {
            "AWS_ACCESS_KEY_ID": "AKIASIMULATED",
            "AWS_SECRET_ACCESS_KEY": "simulated",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
        }

    def _catch_up(self) -> None:
        """Let the world live up to the time that the wall tells."""
        clock, (wall, world) = self._door.cloud.clock, self._started
        clock.sleep(world + (self._wall() - wall) * self._speed - clock.now())

    def answer(self, headers: Any, body: bytes, path: str) -> Reply:
        """The response to one request, at the world time that the wall tells.

        Raises:
            Unanswered: If the connection is to be closed instead.
        """
        with self._lock:
            self._catch_up()
            scope = _SCOPE.search(headers.get("Authorization") or "")
            name = _SIGNED_AS.get(scope[1] if scope else "")
            if name is None:
                said = f"sign for one of: {', '.join(_SIGNED_AS)}"
                return _refused("sts", headers, AwsError("MissingAuthenticationToken", said, 403))
            try:
                return self._door.handle(name, dict(headers), body, path)
            except NotSimulated as error:
                return _refused(name, headers, AwsError("NotSimulated", str(error), 501))
            except WrongAnswer as error:
                return _refused(name, headers, AwsError("WrongAnswer", str(error), 500))


class _Quiet(ThreadingHTTPServer):
    """A client that goes away before it has heard the answer is no fault to be shown."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _refused(name: str, headers: Any, error: AwsError) -> Reply:
    """What the door would not answer, in the protocol that the client seems to speak."""
    protocol: Protocol = "ec2" if name == "ec2" else "query"
    if headers.get("smithy-protocol") or headers.get("X-Amz-Target"):
        protocol = "cbor" if headers.get("smithy-protocol") else "json"
    return failed(service_model(name), protocol, error, "none")


def _unpacked(headers: Any, body: bytes) -> bytes:
    """A body as it was before it was packed, as far as a request can be long."""
    if headers.get("Content-Encoding") != "gzip":
        return body
    return zlib.decompressobj(wbits=31).decompress(body, LONGEST_BODY)


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """One connection."""

        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # headers and body are two writes: together they would wait for 40 ms

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            if length > LONGEST_BODY:
                self.send_error(413)
                return
            try:
                body = _unpacked(self.headers, self.rfile.read(length))
                reply = server.answer(self.headers, body, urlsplit(self.path).path)
            except zlib.error:
                self.send_error(400)
                return
            except Unanswered:
                self.close_connection = True
                return
            self.send_response_only(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    return Handler
