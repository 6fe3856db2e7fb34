"""A service in a process of its own: says who it is, and at /health whether it is well.

    python -I service.py FD TEXT BOOT_SECONDS RESPOND_SECONDS HEALTH

FD is a bound socket, not yet listening: until the service has booted, connections are refused. It ends as a
process does that nobody taught better: SIGTERM closes its connections, whatever they wait for.
"""

import asyncio
import socket
import sys


class Conversation(asyncio.Protocol):
    """One connection that is kept alive; the balancer asks one thing at a time."""

    def __init__(self, text: bytes, respond_seconds: float, health: bytes) -> None:
        self.text, self.respond_seconds, self.health = text, respond_seconds, health
        self.asked = b""

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.asked += data
        while b"\r\n\r\n" in self.asked:
            head, _, self.asked = self.asked.partition(b"\r\n\r\n")
            if head.split()[1] == b"/health":
                self.answer(self.health, self.health)
            elif self.respond_seconds:
                loop = asyncio.get_running_loop()
                loop.call_later(self.respond_seconds, self.answer, b"200 OK", self.text)
            else:
                self.answer(b"200 OK", self.text)

    def answer(self, status: bytes, body: bytes) -> None:
        self.transport.write(b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body))


async def main(fd: str, text: str, boot_seconds: str, respond_seconds: str, health: str) -> None:
    await asyncio.sleep(float(boot_seconds))
    server = await asyncio.get_running_loop().create_server(
        lambda: Conversation(text.encode(), float(respond_seconds), health.encode()),
        sock=socket.socket(fileno=int(fd)),
    )
    await server.serve_forever()


asyncio.run(main(*sys.argv[1:]))
