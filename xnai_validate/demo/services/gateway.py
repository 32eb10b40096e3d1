"""The gateway: a reverse proxy with the routes and headers that the stack's Caddy has.

Streams pass through unbuffered, a client that leaves takes its upstream request with it, WebSockets are tunnelled, and
an upstream that is down is answered with 502 within a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from xnai_validate.demo.services import http1
from xnai_validate.demo.services.http1 import BadMessage, Head, LeavingReader
from xnai_validate.demo.services.relay import Client, own_page, relay
from xnai_validate.demo.settings import Settings

CONNECT_S = 1.0
"""Seconds that an upstream has to accept a connection."""
ANSWER_S = 60.0
"""Seconds that an upstream has to begin its answer, and that an idle client may keep its connection."""

_LEAK = 'Traceback (most recent call last):\n  File "/srv/gateway/proxy.py", line 91, in dial\nConnectionRefusedError: '


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request goes."""

    port: str
    """Name of the upstream's port in `Settings.ports`."""
    target: str
    """Path and query as the upstream is to see them."""


def route(settings: Settings, target: str) -> Route | None:
    """Find the route of a request target (path and query); None where the gateway has none."""
    path = target.partition("?")[0]
    if settings.broken("gateway-drops-query"):
        target = path
    if settings.layout == "B":
        if _under(path, "/xnai/api/v1"):
            return Route("api", _stripped(target, 12 if settings.broken("gateway-wrong-prefix") else 0))
        return Route("ui", target)
    if _under(path, "/api/v1"):
        return Route("api", _stripped(target, 0 if settings.broken("gateway-wrong-prefix") else 7))
    if _under(path, "/vikunja"):
        return Route("ui", "/") if settings.broken("gateway-vikunja-to-ui") else Route("vikunja", _stripped(target, 8))
    if path == "/metrics" and not settings.broken("gateway-no-metrics"):
        return Route("metrics", target)
    return Route("ui", target) if path == "/" else None


def _under(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(prefix + "/")


def _stripped(target: str, length: int) -> str:
    rest = target[length:]
    return rest if rest.startswith("/") else "/" + rest


async def run(settings: Settings, sockets: dict[str, socket.socket], ready: Callable[[], None]) -> None:
    """Serve the port `gateway` until cancelled; every connection is one task."""
    gateway = Gateway(settings)
    async with asyncio.TaskGroup() as group:

        def connected() -> asyncio.StreamReaderProtocol:
            reader = LeavingReader()

            def begin(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                group.create_task(gateway.serve(reader, writer))

            return asyncio.StreamReaderProtocol(reader, begin)

        server = await asyncio.get_running_loop().create_server(connected, sock=sockets["gateway"])
        async with server:
            ready()
            await server.serve_forever()


@dataclass(slots=True)
class Gateway:
    """Handles connections, each a sequence of requests."""

    settings: Settings
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _kept: dict[str, tuple[float, Head, bytes]] = field(default_factory=dict)

    async def serve(self, reader: LeavingReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client until it leaves or a message is broken."""
        try:
            while True:
                async with asyncio.timeout(ANSWER_S):
                    head = await self._next_request(reader, writer)
                if head is None:
                    return
                client = Client(self.settings, reader, writer, head)
                if not await self._one_request(client):
                    return
        except (OSError, BadMessage, TimeoutError, asyncio.IncompleteReadError):
            pass  # this client's connection is lost or of no use; it is closed and concerns no other
        finally:
            writer.close()

    async def _next_request(self, reader: LeavingReader, writer: asyncio.StreamWriter) -> Head | None:
        """The head of the next request; what is none is answered with 400."""
        try:
            head = await http1.read_head(reader)
            if head is not None:
                _ = head.length  # a body of two lengths is refused before anything is passed on (RFC 9112, 6.3)
            return head
        except BadMessage:
            writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            raise

    async def _one_request(self, client: Client) -> bool:
        """Answer one request; whether the connection can carry another one."""
        if self.settings.broken("gateway-slow"):
            await asyncio.sleep(2.3)
        if self.settings.broken("gateway-one-at-a-time"):
            async with self._turn:
                return await self._answer_while_there(client)
        return await self._answer_while_there(client)

    async def _answer_while_there(self, client: Client) -> bool:
        """Answer a request, and drop it, upstream connection and all, when the client leaves before the end."""
        answering = asyncio.ensure_future(self._answer(client))
        leaving = asyncio.ensure_future(client.reader.gone.wait())
        try:
            await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if answering.done() or self.settings.broken("gateway-keeps-upstream"):
                return await answering
            return False
        finally:
            answering.cancel()
            leaving.cancel()
            await asyncio.wait({answering, leaving})

    async def _answer(self, client: Client) -> bool:
        settings, head = self.settings, client.head
        found = route(settings, head.start[1])
        if settings.broken("gateway-unknown-is-200") and found is None:
            return await own_page(client, 200, "<h1>Welcome</h1>\n", "text/html")
        if found is None:
            return await own_page(client, 404, "404 not found\n")
        if settings.broken("gateway-own-health") and found.target.endswith("/health"):
            return await own_page(client, 200, '{"status": "ok"}\n', "application/json")
        if settings.broken("gateway-small-bodies") and (head.length or 0) > 1024:
            return await own_page(client, 413, "413 body too large\n")
        if settings.broken("gateway-caches") and (kept := self._fresh(head)):
            return await client.send_whole(kept[1], kept[2])
        upstream: asyncio.StreamWriter | None = None
        try:
            async with asyncio.timeout(CONNECT_S):
                answers, upstream = await asyncio.open_connection("127.0.0.1", settings.ports[found.port], limit=65536)
            async with asyncio.timeout(ANSWER_S):
                answer = await _ask(client, found, answers, upstream)
        except (OSError, TimeoutError, BadMessage) as error:
            if upstream is not None:
                upstream.close()
            return await self._down(client, found, error)
        try:
            keep_open, body = await relay(client, answer, answers, upstream)
        finally:
            upstream.close()
        if body is not None and head.start[0] == "GET" and answer.status == 200:
            self._kept[head.start[1]] = (time.monotonic() + 60, answer, body)
        return keep_open

    def _fresh(self, head: Head) -> tuple[float, Head, bytes] | None:
        kept = self._kept.get(head.start[1])
        return kept if kept and head.start[0] == "GET" and kept[0] > time.monotonic() else None

    async def _down(self, client: Client, found: Route, error: Exception) -> bool:
        """Answer for an upstream that is down (502) or silent (504)."""
        settings = self.settings
        silent = isinstance(error, TimeoutError)
        if settings.broken("gateway-waits-when-down"):
            await asyncio.sleep(12)
        if settings.broken("gateway-200-when-down"):
            return await own_page(client, 200, "<h1>We will be right back</h1>\n", "text/html")
        if settings.broken("gateway-502-leaks"):
            return await own_page(client, 502, f"{_LEAK}127.0.0.1:{settings.ports[found.port]}{found.target}\n")
        if silent:
            return await own_page(client, 504, "504 gateway timeout\n")
        return await own_page(client, 502, "502 bad gateway\n")


async def _ask(client: Client, found: Route, answers: asyncio.StreamReader, upstream: asyncio.StreamWriter) -> Head:
    """Send the client's request upstream and read the head of the answer. Raises OSError, BadMessage."""
    head = client.head
    settings = client.settings
    fields = [(key, value) for key, value in head.end_to_end() if key.lower() not in ("expect", "x-forwarded-for")]
    if settings.broken("gateway-eats-request-id"):
        fields = [(key, value) for key, value in fields if key.lower() != "x-request-id"]
    fields += [("X-Forwarded-For", "127.0.0.1"), ("X-Forwarded-Proto", "http"), ("Via", "1.1 gateway")]
    tunnel = client.wants_websocket and not settings.broken("gateway-no-websocket")
    fields += [("Connection", "Upgrade"), ("Upgrade", "websocket")] if tunnel else [("Connection", "close")]
    if head.chunked:
        fields.append(("Transfer-Encoding", "chunked"))
    elif head.length is not None:
        fields.append(("Content-Length", str(head.length)))
    upstream.write(http1.write_head(f"{head.start[0]} {found.target} HTTP/1.1", fields))
    if head.get("expect").lower() == "100-continue":
        client.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    with contextlib.suppress(ConnectionError):  # an upstream may answer and close before it has read the whole body
        async for piece in http1.read_body(client.reader, head, until_eof=False):
            upstream.write(http1.chunk(piece) if head.chunked else piece)
            await upstream.drain()
        if head.chunked:
            upstream.write(http1.LAST_CHUNK)
    while True:
        answer = await http1.read_head(answers)
        if answer is None:
            raise BadMessage("the upstream closed without an answer")
        if answer.status == 101 or answer.status >= 200:
            return answer
