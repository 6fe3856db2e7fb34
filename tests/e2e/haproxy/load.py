"""Users: requests at a constant rate over connections that are kept alive, whatever becomes of them.

The loop is open: request k is due at k / rate, and waits for nothing but a free connection. So a balancer
that stalls meets as many requests as one that does not. Nothing is tried again.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from types import TracebackType

from attrs import define, field

TIMEOUT_SECONDS = 10
REQUEST = b"GET / HTTP/1.1\r\nHost: service\r\n\r\n"

CLOSED = "closed without an answer"
TIMED_OUT = "not answered in time"


@define
class Tally:
    """What became of the requests.

    Args:
        answered: Requests by the body of their answer, of those with status 200.
        failed: All others, by kind: the status, ``CLOSED``, ``TIMED_OUT`` or the error of the connection.
        seconds: From the first request until the last was due.
    """

    answered: Counter[str] = field(factory=Counter)
    failed: Counter[str] = field(factory=Counter)
    seconds: float = 0

    @property
    def requests(self) -> int:
        """All that were sent."""
        return self.answered.total() + self.failed.total()

    @property
    def per_second(self) -> float:
        """How many a second were sent."""
        return self.requests / self.seconds

    def of_image(self, image: str) -> int:
        """How many were answered by processes of an image."""
        return sum(count for body, count in self.answered.items() if body.split()[0] == image)


class Load:
    """Users of a port of the loopback while a ``with`` block runs, in a thread of their own.

    Args:
        port: Where the service is.
        per_second: Requests a second.
        connections: Kept alive, all of them from the beginning.
    """

    def __init__(self, port: int, per_second: int, connections: int = 64) -> None:
        """Prepare; nobody comes yet."""
        self.tally = Tally()
        self._port, self._per_second, self._connections = port, per_second, connections
        self._ending = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    def __enter__(self) -> Tally:
        """Begin; the tally is complete after the block."""
        self._thread.start()
        return self.tally

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Send no more, and wait for what is on its way."""
        self._ending.set()
        self._thread.join()

    async def _run(self) -> None:
        due: asyncio.Queue[int | None] = asyncio.Queue()
        users = [asyncio.create_task(self._user(due)) for _ in range(self._connections)]
        begin, sent = time.monotonic(), 0
        while not self._ending.is_set():
            until = int((time.monotonic() - begin) * self._per_second)
            for number in range(sent, until):
                due.put_nowait(number)
            sent = until
            await asyncio.sleep(0.002)
        self.tally.seconds = time.monotonic() - begin
        for _ in users:
            due.put_nowait(None)
        await asyncio.gather(*users)

    async def _user(self, due: asyncio.Queue[int | None]) -> None:
        connection: Connection | None = None
        while await due.get() is not None:
            connection = await self._request(connection)
        if connection:
            connection.close()

    async def _request(self, connection: Connection | None) -> Connection | None:
        """One request; the connection, if it can be used for another."""
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                connection = connection or await Connection.open(self._port)
                status, body, stays = await connection.ask()
        except TimeoutError:
            self._fail(TIMED_OUT, connection)
            return None
        except (asyncio.IncompleteReadError, ConnectionResetError, BrokenPipeError):
            self._fail(CLOSED, connection)
            return None
        except OSError as error:
            self._fail(type(error).__name__, connection)
            return None
        if status == "200":
            self.tally.answered[body] += 1
        else:
            self.tally.failed[status] += 1
        if not stays:
            connection.close()
        return connection if stays else None

    def _fail(self, kind: str, connection: Connection | None) -> None:
        self.tally.failed[kind] += 1
        if connection:
            connection.close()


@define
class Connection:
    """One connection to the balancer."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def open(cls, port: int) -> Connection:
        """A new one."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    def close(self) -> None:
        """End it."""
        self.writer.close()

    async def ask(self) -> tuple[str, str, bool]:
        """Status and body of the answer to one request, and whether the connection stays."""
        self.writer.write(REQUEST)
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().lower()
        lines = [line.partition(":") for line in head.splitlines()[1:]]
        headers = {name: value.strip() for name, _, value in lines}
        stays = headers.get("connection") != "close" and "content-length" in headers
        length = int(headers["content-length"]) if "content-length" in headers else -1
        body = await (self.reader.readexactly(length) if length >= 0 else self.reader.read())
        return head.split()[1], body.decode(), stays
