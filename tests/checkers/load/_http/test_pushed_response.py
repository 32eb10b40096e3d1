"""Responses that pass on every piece as it comes: from real sockets, whole, cut, malformed, compressed, and left."""

from __future__ import annotations

import asyncio
import gzip
import socket
import threading
import zlib
from collections.abc import Awaitable, Callable
from time import perf_counter

import pytest

from tests.scripted import Line, ReceivedRequest, Scripted, scripted
from xnai_validate.checkers.load._http import opener as http_opener
from xnai_validate.checkers.load._http import pushed_response as http_push
from xnai_validate.checkers.load._http.opener import OPENING, Opener
from xnai_validate.checkers.load._http.pushed_response import PushedResponse
from xnai_validate.checkers.load._http.request_bytes import request_bytes
from xnai_validate.kit import ErrorKind
from xnai_validate.wire.http.connections.network import HEAD_CAP
from xnai_validate.wire.http.request import HttpRequest, prepare

Script = Callable[[ReceivedRequest, Line], Awaitable[bool]]
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


class Heard(PushedResponse):
    """Keeps every event of a response."""

    def __init__(self, opener: Opener) -> None:
        super().__init__(opener)
        self.body: list[bytes] = []
        self.heads = 0
        self.outcome: str | ErrorKind | None = None
        self.detail = ""
        self.times_closed = 0
        self.gone = asyncio.get_running_loop().create_future()

    def on_head(self) -> None:
        self.heads += 1

    def on_piece(self, data: bytes) -> None:
        assert self.heads == 1, "a piece before the headers"
        self.body.append(data)

    def on_end(self) -> None:
        assert self.outcome is None, "an end after an end"
        self.outcome = "ended"

    def on_failure(self, kind: ErrorKind, detail: str) -> None:
        assert self.outcome is None, "an end after an end"
        self.outcome, self.detail = kind, detail

    def on_closed(self) -> None:
        self.times_closed += 1
        if not self.gone.done():
            self.gone.set_result(None)

    @property
    def content(self) -> bytes:
        return b"".join(self.body)


def opener(server: Scripted, tasks: asyncio.TaskGroup) -> Opener:
    prepared = prepare(HttpRequest.of(server.url("/stream"), "POST", body=b"{}"))
    return Opener(tasks, prepared, request_bytes(prepared), "127.0.0.1")


def heard(script: Script) -> Heard:
    """The events of one response, to its end."""

    async def run(server: Scripted) -> Heard:
        async with asyncio.TaskGroup() as tasks:
            response = Heard(opener(server, tasks))
            response.begin()
            async with asyncio.timeout(10):
                await response.gone
        return response

    with scripted(script) as server:
        response = asyncio.run(run(server))
    assert response.times_closed == 1
    return response


def sends(*parts: bytes, hold: bool = False) -> Script:
    """Sends these parts, a moment between them, and closes; with `hold` it waits for the client to go."""

    async def script(request: ReceivedRequest, line: Line) -> bool:
        for part in parts:
            await line.send(part)
            await asyncio.sleep(0.01)
        return bool(hold and await line.reader.read(1))

    return script


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def test_pieces_come_as_they_are_sent_with_the_end() -> None:
    """Status, content type and every piece; the end of the body is enough, the connection need not end."""
    response = heard(sends(CHUNKED, chunk(b"one"), chunk(b"two"), b"0\r\n\r\n", hold=True))
    assert (response.status, response.content_type) == (200, "text/event-stream")
    assert (response.body, response.outcome) == ([b"one", b"two"], "ended")


def test_byte_by_byte_is_the_same() -> None:
    """Heads, chunk sizes and bodies may be cut anywhere."""
    whole = CHUNKED + chunk(b"one") + b"0\r\n\r\n"
    response = heard(sends(*(whole[at : at + 1] for at in range(len(whole)))))
    assert (response.content, response.outcome) == (b"one", "ended")


def test_many_chunks_of_one_read_are_one_piece() -> None:
    """A read that brings a thousand chunks costs its reader one call."""
    response = heard(sends(CHUNKED + chunk(b"a") * 1000 + b"0\r\n\r\n"))
    assert (len(response.content), len(response.body), response.outcome) == (1000, 1, "ended")


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n" + CHUNKED,
        b"HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\nContent-Type: text/html\r\n\r\n" * 2 + CHUNKED,
    ],
)
def test_interim_responses_are_passed_over(head: bytes) -> None:
    """Neither their status nor their headers are those of the response."""
    response = heard(sends(head, chunk(b"x") + b"0\r\n\r\n"))
    assert (response.status, response.content_type, response.content) == (200, "text/event-stream", b"x")
    assert response.outcome == "ended"


def test_a_body_without_length_ends_with_the_connection() -> None:
    """RFC 9112 section 6.3: neither chunked nor a length."""
    response = heard(sends(OK + b"Connection: close\r\n\r\n", b"all", b" of it"))
    assert (response.content, response.outcome) == (b"all of it", "ended")


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
def test_a_response_without_a_body_ends_with_its_head(status: bytes) -> None:
    """Nothing is waited for."""
    response = heard(sends(b"HTTP/1.1 " + status + b"\r\n\r\n", hold=True))
    assert (response.content, response.outcome, response.status) == (b"", "ended", int(status[:3]))


def test_what_follows_the_end_is_not_looked_at() -> None:
    """The connection is not used again, so it has no owner."""
    response = heard(sends(OK + b"Content-Length: 2\r\n\r\nhiHTTP/9.9 rubbish\r\n\r\n", hold=True))
    assert (response.content, response.outcome) == (b"hi", "ended")


@pytest.mark.parametrize(
    ("sent", "kind", "words"),
    [
        (b"", ErrorKind.RESET, "before the end of the response's headers"),
        (b"HTTP/1.1 200", ErrorKind.RESET, "before the end of the response's headers"),
        (CHUNKED, ErrorKind.RESET, "before the end of the response"),
        (CHUNKED + chunk(b"x"), ErrorKind.RESET, "before the end of the response"),
        (OK + b"Content-Length: 5\r\n\r\nhi", ErrorKind.RESET, "before the end of the response"),
        (b"SSH-2.0-OpenSSH\r\n", ErrorKind.PROTOCOL, "not HTTP"),
        (CHUNKED + chunk(b"x") + b"zz\r\n", ErrorKind.PROTOCOL, "not HTTP"),
        (OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", ErrorKind.PROTOCOL, "not HTTP"),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
            ErrorKind.PROTOCOL,
            "switched protocols",
        ),
        (OK + b"X-A: " + b"a" * (HEAD_CAP + 1), ErrorKind.TOO_LARGE, "headers have more than"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 102, ErrorKind.PROTOCOL, "interim"),
    ],
)
def test_an_incomplete_response_is_reported(sent: bytes, kind: ErrorKind, words: str) -> None:
    """Cut, malformed or without bound: once, by kind, in words."""
    response = heard(sends(sent))
    assert response.outcome is kind
    assert words in response.detail


def test_what_came_before_the_fault_is_not_lost() -> None:
    """A piece and a malformed chunk in one read are both passed on."""
    response = heard(sends(CHUNKED + chunk(b"good") + b"zz\r\n"))
    assert (response.content, response.outcome) == (b"good", ErrorKind.PROTOCOL)


def test_a_reset_is_reported() -> None:
    """The server's operating system refuses to go on."""

    async def script(request: ReceivedRequest, line: Line) -> bool:
        await line.send(CHUNKED + chunk(b"x"))
        await asyncio.sleep(0.02)
        line.writer.transport.abort()
        return False

    response = heard(script)
    assert (response.content, response.outcome) == (b"x", ErrorKind.RESET)


@pytest.mark.parametrize(
    ("coding", "packed"),
    [(b"gzip", gzip.compress(b"word " * 50)), (b"deflate", zlib.compress(b"word " * 50))],
    ids=["gzip", "deflate"],
)
def test_a_coding_is_undone(coding: bytes, packed: bytes) -> None:
    """In pieces too; a body that is cut within its coding is malformed."""
    head = OK + b"Content-Encoding: " + coding + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
    response = heard(sends(head, chunk(packed[:9]), chunk(packed[9:]), b"0\r\n\r\n"))
    assert (response.content, response.outcome) == (b"word " * 50, "ended")
    response = heard(sends(head, chunk(packed[:-5]), b"0\r\n\r\n"))
    assert response.outcome is ErrorKind.PROTOCOL
    assert "too early" in response.detail


def test_a_small_read_never_becomes_a_large_piece() -> None:
    """64 MiB of nothing in 64 KiB are refused, and not decompressed to their end."""
    packed = gzip.compress(bytes(64 * 1024 * 1024))
    assert len(packed) < 70_000
    response = heard(sends(OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed))
    assert response.outcome is ErrorKind.TOO_LARGE
    assert len(response.content) <= http_push.INFLATED_CAP


def test_nobody_listens() -> None:
    """A refused connection is reported as such, and what waits for its turn goes on."""

    async def run() -> list[Heard]:
        prepared = prepare(HttpRequest.of("http://127.0.0.1:1/"))
        async with asyncio.TaskGroup() as tasks:
            connections = Opener(tasks, prepared, request_bytes(prepared), "127.0.0.1")
            responses = [Heard(connections) for _ in range(OPENING + 5)]
            for response in responses:
                response.begin()
        return responses

    responses = asyncio.run(run())
    assert {response.outcome for response in responses} == {ErrorKind.REFUSED}
    assert {response.times_closed for response in responses} == {1}


def test_connections_are_opened_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than the bound connect at once, and all do in the end."""
    monkeypatch.setattr(http_opener, "OPENING", 3)
    most = 0

    async def run(server: Scripted) -> list[Heard]:
        nonlocal most
        async with asyncio.TaskGroup() as tasks:
            connections = opener(server, tasks)
            responses = [Heard(connections) for _ in range(20)]
            for response in responses:
                response.begin()
            while not all(response.gone.done() for response in responses):
                most = max(most, sum(response.dialling is not None for response in responses))
                await asyncio.sleep(0)
        return responses

    with scripted(sends(OK + b"Content-Length: 2\r\n\r\nhi")) as server:
        responses = asyncio.run(run(server))
        assert server.connections == 20
    assert most == 3
    assert {response.outcome for response in responses} == {"ended"}


def test_a_request_larger_than_the_socket_takes_arrives_whole() -> None:
    """What the socket does not take before asyncio has the connection is sent by asyncio, in order."""
    body = bytes(range(256)) * 32 * 1024

    async def run(server: Scripted) -> Heard:
        prepared = prepare(HttpRequest.of(server.url("/stream"), "POST", body=body))
        async with asyncio.TaskGroup() as tasks:
            response = Heard(Opener(tasks, prepared, request_bytes(prepared), "127.0.0.1"))
            response.begin()
            async with asyncio.timeout(20):
                await response.gone
        return response

    with scripted(sends(OK + b"Content-Length: 2\r\n\r\nhi")) as server:
        assert asyncio.run(run(server)).outcome == "ended"
    assert [request.body for request in server.requests] == [body]


def test_a_request_is_sent_before_asyncio_has_the_connection() -> None:
    """asyncio has it a round later, after all else that is due: those that begin together would wait for each other."""
    order: list[str] = []

    class Ordered(Heard):
        def on_connecting(self) -> None:
            order.append("begins")

        def send_early(self, sock: socket.socket) -> None:
            super().send_early(sock)
            order.append("is sent")

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            order.append("is asyncio's")
            super().connection_made(transport)

    async def run(server: Scripted) -> Ordered:
        async with asyncio.TaskGroup() as tasks:
            response = Ordered(opener(server, tasks))
            response.begin()
            assert order == []
            async with asyncio.timeout(20):
                await response.gone
        return response

    with scripted(sends(OK + b"Content-Length: 2\r\n\r\nhi")) as server:
        assert asyncio.run(run(server)).outcome == "ended"
    assert len(server.requests) == 1
    assert order == ["begins", "is sent", "is asyncio's"]


def test_all_that_is_ready_is_read_before_the_first_is_parsed() -> None:
    """After a standstill of the server many sockets are ready at once; the time of each is that of its reading."""
    standing, sent = threading.Event(), threading.Semaphore(0)

    async def script(request: ReceivedRequest, line: Line) -> bool:
        await line.send(CHUNKED + chunk(b"before"))
        await asyncio.to_thread(standing.wait, 20)
        await line.send(chunk(b"after") + b"0\r\n\r\n")
        sent.release()
        return bool(await line.reader.read(1))

    class Timed(Heard):
        came_at = parsed_at = 0.0

        def on_piece(self, data: bytes) -> None:
            super().on_piece(data)
            self.came_at, self.parsed_at = self.read_at, perf_counter()

    async def run(server: Scripted) -> list[Timed]:
        async with asyncio.TaskGroup() as tasks:
            connections = opener(server, tasks)
            responses = [Timed(connections) for _ in range(4)]
            for response in responses:
                response.begin()
            while not all(response.body for response in responses):  # noqa: ASYNC110 (there is no event for it)
                await asyncio.sleep(0.001)
            standing.set()
            for _ in responses:  # the loop stands still until all is in the sockets
                assert sent.acquire(timeout=20)
            async with asyncio.timeout(10):
                await asyncio.gather(*(response.gone for response in responses))
        return responses

    with scripted(script) as server:
        responses = asyncio.run(run(server))
    assert {response.content for response in responses} == {b"beforeafter"}
    assert max(response.came_at for response in responses) < min(response.parsed_at for response in responses)


def test_aborted_ones_are_silent_and_closed() -> None:
    """While they wait for their turn, connect, and read: the only event is that they are closed."""

    async def run(server: Scripted) -> list[Heard]:
        async with asyncio.TaskGroup() as tasks:
            connections = opener(server, tasks)
            reading = Heard(connections)
            reading.begin()
            while not reading.body:  # noqa: ASYNC110 (there is no event for it)
                await asyncio.sleep(0.001)
            connecting = [Heard(connections) for _ in range(OPENING)]
            waiting = Heard(connections)
            for response in (*connecting, waiting):
                response.begin()
            assert waiting.dialling is None
            responses = [reading, *connecting, waiting]
            for response in responses:
                response.abort()
            async with asyncio.timeout(5):
                await asyncio.gather(*(response.gone for response in responses))
        return responses

    with scripted(sends(CHUNKED + chunk(b"x"), hold=True)) as server:
        responses = asyncio.run(run(server))
    assert {response.outcome for response in responses} == {None}
    assert {response.times_closed for response in responses} == {1}
