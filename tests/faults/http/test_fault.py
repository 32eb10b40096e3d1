"""What http.fault does to answers, measured with a real server behind it; whatever is not meant is not touched."""

from __future__ import annotations

import asyncio
import http.client
import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from pydantic import ValidationError
from websockets.sync.client import connect as connect_websocket
from websockets.sync.server import ServerConnection, serve

from tests.certificates import authority
from tests.checkers.beside import tcp_server
from tests.faults.fault_control import fault_control
from tests.faults.scenes.http import BODY, Site, site
from tests.ports import free_port
from xnai_validate.kit import NotApplicable, Target, Tls

ANSWER = tuple[int, str, list[tuple[str, str]], bytes]


@contextmanager
def through(target: Target, **params: Any) -> Iterator[int]:
    """The fault in front of a target: the proxy's port; it is reverted at the end, and that is proven."""
    with fault_control("http.fault", target, **params) as control:
        undo, before = control.prepare()
        control.inject(undo)
        assert control.active is not None
        url = urlsplit(control.active.url or "")
        assert (url.scheme, url.path) == ("http", urlsplit(target.url or "").path)
        yield url.port or 0
        proof = control.revert(undo, before)
        assert proof.proven, proof.why


@pytest.fixture
def web() -> Iterator[Site]:
    with site() as server:
        yield server


def target_of(web: Site) -> Target:
    return Target("web", f"http://127.0.0.1:{web.server_port}/api")


def exchange(connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None = None) -> ANSWER:
    """An answer, but for its date. Headers are sorted: those that frame the body are written anew."""
    connection.request(method, path, body)
    answer = connection.getresponse()
    headers = sorted((name, value) for name, value in answer.getheaders() if name != "Date")
    return answer.status, answer.reason, headers, answer.read()


def ask(port: int, path: str = "/body", method: str = "GET", body: bytes | None = None) -> ANSWER:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        return exchange(connection, method, path, body)
    finally:
        connection.close()


def raw(port: int, request: bytes) -> bytes:
    """All that is answered to bytes, up to the end of the connection."""
    with socket.create_connection(("127.0.0.1", port), 20) as connection:
        connection.sendall(request)
        data = b""
        while piece := connection.recv(65536):
            data += piece
        return data


GET = b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n"


def test_what_is_not_meant_passes_untouched(web: Site) -> None:
    """Status, reason, headers with their case, and bodies, on one connection as by several."""
    with through(target_of(web), do="drop", paths=["/never"]) as port:
        kept = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        for method, path, body in (
            ("GET", "/body?a=b%20c&d", None),
            ("HEAD", "/body", None),
            ("GET", "/none", None),
            ("GET", "/chunks", None),
            ("POST", "/echo", random.Random(1).randbytes(3 << 20)),
            ("POST", "/echo", b""),
        ):
            direct = ask(web.server_port, path, method, body)
            assert ask(port, path, method, body) == direct
            assert exchange(kept, method, path, body) == direct
        kept.close()
    assert web.requests.count("GET /body?a=b%20c&d") == 3
    assert set(web.hosts) == {f"127.0.0.1:{web.server_port}"}, "the target is asked for another host"


def test_a_share_is_answered_with_a_status(web: Site) -> None:
    """Thirty of a hundred, exactly, on one connection; the target hears of the others."""
    with through(target_of(web), do="status", status=429, retry_after="1500ms", share=0.3) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        answers = [exchange(connection, "POST", "/echo", b"x" * 40_000) for _ in range(100)]
        connection.close()
    spoiled = [answer for answer in answers if answer[0] == 429]
    assert (len(spoiled), sum(answer[3] == b"x" * 40_000 for answer in answers), len(web.requests)) == (30, 70, 70)
    assert all(dict(answer[2])["Retry-After"] == "2" for answer in spoiled)


def test_only_what_is_meant_is_counted(web: Site) -> None:
    """By method and by path, without its query; others do not use up the share."""
    with through(target_of(web), do="status", methods=["post"], paths=["/v1/*", "/e?ho"], share=0.5) as port:
        status = []
        for _ in range(10):
            assert ask(port, "/v1/chat")[0] == 200
            assert ask(port, "/v2/chat", "POST", b"x")[0] == 200
            status += [ask(port, "/v1/chat?stream=1", "POST", b"x")[0], ask(port, "/echo", "POST", b"x")[0]]
    assert status.count(503) == 10


def test_a_dropped_request_gets_nothing(web: Site) -> None:
    """The connection is closed, and the target does not hear of it."""
    with through(target_of(web), do="drop") as port:
        assert raw(port, GET % b"/body") == b""
    assert web.requests == []


@pytest.mark.parametrize("path", ["/body", "/chunks"])
def test_a_body_is_corrupted(web: Site, path: str) -> None:
    """One byte of every 64 is turned over, all others are as they were, however it is framed."""
    with through(target_of(web), do="corrupt") as port:
        body = ask(port, path)[3]
    assert body == bytes(byte ^ 0xFF if place % 64 == 0 else byte for place, byte in enumerate(BODY))


@pytest.mark.parametrize("path", ["/body", "/chunks"])
@pytest.mark.parametrize("after", [0, 1, 700])
def test_a_body_is_truncated(web: Site, path: str, after: int) -> None:
    """The stated number of bytes, and the connection ends without the end of the body."""
    with through(target_of(web), do="truncate", after=after) as port:
        with pytest.raises(http.client.IncompleteRead) as caught:
            ask(port, path)
        assert ask(port, "/echo", "POST", b"short"[:after])[3] == b"short"[:after]
    assert caught.value.partial == BODY[:after]


def test_a_length_is_wrong(web: Site) -> None:
    """Content-Length is one less than the bytes that follow it; where there was none it is one."""
    with through(target_of(web), do="length") as port:
        for path, length in ((b"/body", len(BODY) - 1), (b"/chunks", 1)):
            head, _, body = raw(port, GET % path).partition(b"\r\n\r\n")
            assert b"\r\nContent-Length: %d" % length in head
            assert b"chunked" not in head
            assert body == BODY
        assert ask(port)[3] == BODY[:-1], "a client that believes it gets less"
        assert ask(port, method="HEAD")[0] == 200
        assert ask(port, "/none")[0] == 204


def test_headers_are_removed(web: Site) -> None:
    """Those that are named, whatever their case; the body arrives, also without its length."""
    with through(target_of(web), do="headers", remove=["content-TYPE", "Content-Length", "X-None"]) as port:
        status, reason, headers, body = ask(port)
    assert (status, reason, body) == (200, "Fine", BODY)
    names = {name.lower() for name, _ in headers}
    assert {"content-type", "content-length"} & names == set()
    assert {"x-odd-case", "server"} <= names


def test_a_stream_passes_as_it_comes(web: Site) -> None:
    """The first event is there before the second is sent, whether it is spoiled or not."""
    for do, first in (("drop", b"data: first\n\n"), ("corrupt", b"\x9bata: first\n\n")):
        paths = ["/never"] if do == "drop" else []
        web.go_on.clear()
        with through(target_of(web), do=do, paths=paths) as port:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            connection.request("GET", "/stream")
            answer = connection.getresponse()
            assert answer.read1() == first
            web.go_on.set()
            assert answer.read1() == b"data: second\n\n"
            assert answer.read() == b""
            connection.close()


def test_a_client_that_leaves_is_reported_to_the_target(web: Site) -> None:
    """In the middle of a stream that would never end."""
    with through(target_of(web), do="drop", paths=["/never"]) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("GET", "/endless")
        answer = connection.getresponse()
        assert answer.read1()
        connection.close()
        answer.close()
        assert web.left.wait(10), "the target goes on though no client listens"


def test_old_clients_and_cautious_ones_are_served(web: Site) -> None:
    """HTTP/1.0, which knows no chunks; and a client that asks before it sends (Expect: 100-continue)."""
    with through(target_of(web), do="drop", paths=["/never"]) as port:
        head, _, body = raw(port, b"GET /chunks HTTP/1.0\r\n\r\n").partition(b"\r\n\r\n")
        assert (b"chunked" in head, body) == (False, BODY)
        with socket.create_connection(("127.0.0.1", port), 20) as connection:
            connection.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
            assert connection.recv(4096).startswith(b"HTTP/1.1 100 ")
            connection.sendall(b"hello")
            received = b""
            while not received.endswith(b"hello"):
                received += connection.recv(4096)
            assert received.startswith(b"HTTP/1.1 200 Fine\r\n")


def test_two_requests_at_once_are_answered_in_turn(web: Site) -> None:
    """A second that comes while the first is answered is not lost."""
    with through(target_of(web), do="drop", paths=["/never"]) as port:
        last = b"GET /body HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        assert raw(port, GET % b"/body" + last).count(BODY) == 2


def test_a_websocket_passes() -> None:
    """After the handshake everything goes both ways as it comes."""

    def talk(socket_: ServerConnection) -> None:
        for message in socket_:
            socket_.send(message)

    with serve(talk, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            target = Target("ui", f"http://127.0.0.1:{server.socket.getsockname()[1]}")
            with (
                through(target, do="drop", paths=["/never"]) as port,
                connect_websocket(f"ws://127.0.0.1:{port}/ws") as client,
            ):
                for message in ("hello", "x" * 100_000):
                    client.send(message)
                    assert client.recv(20) == message
        finally:
            server.shutdown()
            thread.join(20)


def test_a_target_with_tls(tmp_path: Path) -> None:
    """The proxy verifies the target's certificate, and speaks plain HTTP itself; an unknown authority is no answer."""
    signer = authority(tmp_path)
    context = signer.server("localhost")

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await writer.start_tls(context)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret")
        await writer.drain()

    with tcp_server(talk) as port:
        known = Target("gateway", f"https://localhost:{port}", tls=Tls(ca=signer.ca))
        with through(known, do="drop", share=0.5) as at:
            got = []
            for _ in range(4):
                try:
                    got.append(ask(at, "/")[3])
                except (http.client.RemoteDisconnected, ConnectionError):
                    got.append(b"")
        assert sorted(got) == [b"", b"", b"secret", b"secret"]
        with through(Target("gateway", known.url), do="corrupt") as at, pytest.raises(ConnectionError):
            ask(at, "/")


def test_the_dot_of_a_rooted_name_is_not_in_the_handshake(tmp_path: Path) -> None:
    """`localhost.` is asked for and verified as `localhost` (RFC 6066 section 3)."""
    signer = authority(tmp_path)
    context = signer.server("localhost")
    names: list[str | None] = []
    context.sni_callback = lambda _, name, __: names.append(name)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await writer.start_tls(context)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret")
        await writer.drain()

    with tcp_server(talk) as port:
        rooted = Target("gateway", f"https://127.0.0.1:{port}", tls=Tls(ca=signer.ca, server_name="localhost."))
        with through(rooted, do="drop", paths=["/never"]) as at:
            assert ask(at, "/")[3] == b"secret"
    assert names == ["localhost"]


def test_the_proxy_outlives_what_is_wrong(web: Site) -> None:
    """What is not HTTP, a head without end, a target that is gone: the connection ends, and the next is served."""
    with through(target_of(web), do="drop", paths=["/never"]) as port:
        for wrong in (b"-ERR\r\n\r\n", b"GET / HTTP/1.1\r\nX: " + b"a" * 200_000):
            try:
                received = raw(port, wrong)
            except ConnectionError:
                received = b""
            assert received == b""
            assert ask(port)[3] == BODY
    with through(Target("web", f"http://127.0.0.1:{free_port()}"), do="corrupt") as port:
        begun = time.monotonic()
        with pytest.raises(ConnectionError):
            ask(port)
        assert time.monotonic() - begun < 10


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"do": "explode"},
        {"do": "status", "status": 99},
        {"do": "drop", "status": 500},
        {"do": "corrupt", "after": 10},
        {"do": "status", "remove": ["Server"]},
        {"do": "drop", "retry_after": "1s"},
    ],
)
def test_what_makes_no_sense_is_refused(params: dict[str, Any]) -> None:
    """When the suite is loaded; also what would have no effect."""
    with pytest.raises(ValidationError), fault_control("http.fault", Target("web"), **params):
        pass


def test_what_does_not_speak_http_is_reported() -> None:
    """Nothing is started in front of Redis."""
    target = Target("redis", "redis://127.0.0.1:6379/0")
    with (
        fault_control("http.fault", target, do="drop") as control,
        pytest.raises(NotApplicable, match="does not speak HTTP"),
    ):
        control.prepare()
