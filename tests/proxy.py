"""A loopback proxy that loses, delays, garbles and refuses what boto3 sends, one request at a time.

    with Proxy(moto.url) as proxy:
        proxy.plan = lambda call: Reset() if call.mutating and call.number == 3 else None
        client = session.client("autoscaling", endpoint_url=proxy.url)
        ...
        assert [sent.operation for sent in proxy.log if sent.mutating and sent.forwarded] == [...]

A plan is asked once for each request and answers with what becomes of it; None forwards it.
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Self
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

from attrs import define, frozen

READING = ("Describe", "Get", "List")
OF_THE_CONNECTION = {"connection", "content-length", "keep-alive", "transfer-encoding"}

Answer = tuple[int, list[tuple[str, str]], bytes]
"""Status, headers, body."""


@frozen(kw_only=True)
class Call:
    """One request, as the plan sees it.

    Args:
        service: The name that the service signs with: ``autoscaling``, ``ec2``, ``elasticloadbalancing`` …
        operation: ``UpdateAutoScalingGroup`` …
        number: 1, 2, 3 … among the mutating requests if it is one, else among the reading ones.
        body: What was sent.
    """

    service: str
    operation: str
    number: int
    body: bytes

    @property
    def mutating(self) -> bool:
        """Whether the operation may change something; a dry run changes nothing."""
        return not self.operation.startswith(READING) and b"DryRun=true" not in self.body


@frozen
class Hook:
    """Forward; call ``before`` first, and ``after`` once it is applied but not yet answered."""

    before: Callable[[], object] | None = None
    after: Callable[[], object] | None = None


@frozen
class Drop:
    """Do not forward: close the connection without an answer, once ``before`` was called."""

    before: Callable[[], object] | None = None


@frozen
class Reset:
    """Forward, then reset the connection: applied, and the answer lost."""


@frozen
class Delay:
    """Forward, then keep the answer back for so many seconds."""

    seconds: float


@frozen
class Truncate:
    """Forward, then give half of the answer's body and close."""


@frozen
class Page:
    """Not forwarded; answered with status 200 and this body, as somebody in between may do."""

    body: bytes


@frozen
class Refuse:
    """Answer with an error of the service's own form.

    Args:
        code: The error code.
        status: The HTTP status.
        forward: Whether the request is applied all the same.
        words: The message.
    """

    code: str = "InternalFailure"
    status: int = 500
    forward: bool = False
    words: str | None = None


def throttle(code: str = "Throttling") -> Refuse:
    """Not forwarded, and answered as a throttled request is."""
    return Refuse(code, 400)


Action = Hook | Drop | Page | Reset | Delay | Truncate | Refuse


@define(kw_only=True)
class Sent:
    """A row of the log: which call, whether it reached the other side, and what was done with it."""

    call: Call
    forwarded: bool = False
    action: Action | None = None

    @property
    def operation(self) -> str:
        """The call's operation."""
        return self.call.operation

    @property
    def mutating(self) -> bool:
        """Whether the call may change something."""
        return self.call.mutating


class Proxy:
    """The proxy, as a context.

    Attributes:
        url: Where it listens.
        plan: Asked for each request; None forwards.
        log: Every request, in the order of arrival.
    """

    def __init__(self, upstream: str) -> None:
        self.url = ""
        self.plan: Callable[[Call], Action | None] = lambda _: None
        self.log: list[Sent] = []
        self.upstream = urlsplit(upstream).netloc
        self._lock = Lock()
        self.closing = Event()

    def __enter__(self) -> Self:
        """Listen."""
        handler = type("Handler", (_Handler,), {"proxy": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening; answers that are kept back are given up."""
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def sent(self, *, mutating: bool = True) -> list[str]:
        """The operations that reached the other side, in order."""
        return [row.operation for row in self.log if row.forwarded and row.mutating == mutating]

    def arrived(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Sent:
        """Note a request, and ask the plan."""
        service, operation = named(method, path, headers, body)
        with self._lock:
            call = Call(service=service, operation=operation, number=0, body=body)
            number = sum(row.mutating == call.mutating for row in self.log) + 1
            call = Call(service=service, operation=operation, number=number, body=body)
            row = Sent(call=call)
            self.log.append(row)
        row.action = self.plan(call)
        return row


def named(method: str, path: str, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:
    """Service and operation of a request, whatever its protocol.

    Args:
        method: ``GET`` …
        path: With its query.
        headers: Their names in lower case.
        body: What was sent.
    """
    # Credential=key/date/region/service/aws4_request
    scope = headers.get("authorization", "").split(",")[0].split("/")
    service = scope[3] if len(scope) > 3 else ""
    if service == "s3":
        # S3 has no names of operations on the wire, but methods and paths.
        of = "Object" if "/" in path.partition("?")[0].strip("/") else "Bucket"
        return service, "ListObjectsV2" if "list-type=2" in path else f"{method.title()}{of}"
    if target := headers.get("x-amz-target"):
        return service, target.partition(".")[2]
    if "/operation/" in path:
        return service, path.rpartition("/")[2]
    return service, parse_qs(body.decode(errors="replace")).get("Action", [""])[0]


class _Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    proxy: Proxy
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else the body waits 40 ms for the client to acknowledge the headers

    def do_POST(self) -> None:
        """Forward one request, or do what the plan says."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        row = self.proxy.arrived(self.command, self.path, headers, body)
        action = row.action
        if isinstance(action, Hook | Drop) and action.before:
            action.before()
        if not isinstance(action, Drop | Page) and (not isinstance(action, Refuse) or action.forward):
            row.forwarded = True
            answer = self._forward(body)
        if isinstance(action, Hook) and action.after:
            action.after()
        match action:
            case Refuse(code, status, words=words):
                self._answer(refusal(headers, status, code, words))
            case Drop():
                self.close_connection = True
            case Page(text):
                self._answer((HTTPStatus.OK, [("Content-Type", "text/xml")], text))
            case Reset():
                self._reset()
            case Delay(seconds):
                self.proxy.closing.wait(seconds)
                self._answer(answer)
            case Truncate():
                self._answer(answer, cut=True)
            case _:
                self._answer(answer)

    do_GET = do_PUT = do_POST  # noqa: N815  # the names that http.server calls

    def _forward(self, body: bytes) -> Answer:
        upstream = HTTPConnection(self.proxy.upstream, timeout=60)
        try:
            # The host stays as the client signed it.
            upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                upstream.putheader(name, value)
            upstream.endheaders(body)
            answer = upstream.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            upstream.close()

    def _answer(self, answer: Answer, *, cut: bool = False) -> None:
        status, headers, body = answer
        try:
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() not in OF_THE_CONNECTION:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if cut else body)
        except OSError:
            cut = True  # the client did not wait
        self.close_connection = self.close_connection or cut

    def _reset(self) -> None:
        # With a linger of 0 seconds, closing sends RST in place of FIN.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.rfile.close()
        self.wfile.close()
        self.connection.close()

    def log_message(self, *_: object) -> None:
        """Nothing: the proxy has a log of its own."""


def refusal(headers: Mapping[str, str], status: int, code: str, words: str | None = None) -> Answer:
    """An error as the request's protocol writes it."""
    words = words or ("Rate exceeded" if status == HTTPStatus.BAD_REQUEST else "refused by a test")
    if "x-amz-target" in headers:
        told = json.dumps({"__type": code, "message": words})
        return status, [("Content-Type", headers.get("content-type", ""))], told.encode()
    error = f"<Error><Code>{code}</Code><Message>{escape(words)}</Message></Error>"
    # EC2 has a form of its own.
    told = (
        f"<Response><Errors>{error}</Errors><RequestID>0</RequestID></Response>"
        if "/ec2/" in headers.get("authorization", "")
        else f"<ErrorResponse>{error}<RequestId>0</RequestId></ErrorResponse>"
    )
    return status, [("Content-Type", "text/xml")], told.encode()
