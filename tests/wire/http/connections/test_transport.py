"""How a server is reached: through proxies, over HTTP/2 and unix sockets, with credentials."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.certificates import authority
from tests.checkers.beside import beside
from tests.context import observe
from tests.scripted import Line, ReceivedRequest, ok, scripted
from tests.wire.http.http2_server import http2_server
from tests.wire.http.proxies import http_proxy, socks_proxy
from xnai_validate.kit import Target, Tls, Unmeasurable
from xnai_validate.model.target import Auth, over_socket


def test_a_request_goes_through_the_proxy_of_its_target() -> None:
    """The proxy is asked for the whole url, with its own credentials; the server sees the request, and not those."""
    with http_proxy() as proxy, scripted(ok(b"there")) as server:
        target = Target("api", server.url(), proxy=f"http://me:p%40ss@127.0.0.1:{proxy.port}")
        facts = observe("http.request", target, path="/x").facts
    assert (facts["error"], facts["text"]) == (None, "there")
    assert proxy.requests == [f"GET {server.url('/x')}"]
    assert base64.b64decode(proxy.credentials[0].removeprefix("Basic ")) == b"me:p@ss"
    assert "proxy-authorization" not in server.requests[0].headers


def test_tls_goes_through_a_tunnel_of_the_proxy(tmp_path: Path) -> None:
    """The proxy connects (CONNECT), and the certificate is that of the server, verified by its own settings."""
    ours = authority(tmp_path)
    with http_proxy() as proxy, scripted(ok(b"safe"), context=ours.server("api.internal")) as server:
        reached = Target("api", server.url(scheme="https"), proxy=f"http://127.0.0.1:{proxy.port}")
        tls = Tls(ca=ours.ca, server_name="api.internal")
        facts = observe("http.request", Target("api", reached.url, proxy=reached.proxy, tls=tls)).facts
        assert (facts["error"], facts["text"]) == (None, "safe"), facts["error_detail"]
        assert facts["tls_ms"] is not None
        assert observe("http.request", reached).facts["error"] == "tls"
    assert proxy.requests == [f"CONNECT 127.0.0.1:{server.port}"] * 2


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", "auth"),
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", "protocol"),
    ],
)
def test_a_refusal_of_the_proxy_is_named(answer: bytes, error: str) -> None:
    """What the proxy answers is not an answer of the server."""
    with http_proxy(refuses=answer) as proxy:
        target = Target("api", "https://127.0.0.1:1", proxy=f"http://127.0.0.1:{proxy.port}")
        facts = observe("http.request", target).facts
    assert facts["error"] == error
    assert "the proxy refused to connect" in facts["error_detail"]


def test_a_request_goes_through_a_socks_proxy() -> None:
    """SOCKS 5 carries the bytes of a connection."""
    with socks_proxy() as proxy, scripted(ok(b"there")) as server:
        target = Target("api", server.url(), proxy=f"socks5://127.0.0.1:{proxy.port}")
        facts = observe("http.request", target).facts
    assert (facts["error"], facts["text"]) == (None, "there"), facts["error_detail"]
    assert proxy.requests == [f"socks 127.0.0.1:{server.port}"]


def test_the_environment_names_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is measured is the server that the target names."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    with scripted(ok(b"there")) as server:
        assert observe("http.request", Target("api", server.url())).facts["text"] == "there"


def test_http2_is_negotiated_in_the_tls_handshake(tmp_path: Path) -> None:
    """With `http2`, the version is 2 where the server takes it; each cookie is seen by itself."""
    ours = authority(tmp_path)
    with http2_server(ours.server("127.0.0.1")) as port:
        target = Target("api", f"https://127.0.0.1:{port}", tls=Tls(ca=ours.ca), http2=True)
        facts = observe("http.request", target, path="/a?b=1", repeat=3).facts
    assert (facts["error"], facts["http_version"], facts["text"]) == (None, "2", "/a?b=1"), facts["error_detail"]
    assert facts["statuses"] == {"200": 3}
    assert facts["headers"]["set-cookie"] == "a=1, b"
    with scripted(ok(b"old"), context=ours.server("127.0.0.1")) as server:
        target = Target("api", server.url(scheme="https"), tls=Tls(ca=ours.ca), http2=True)
        assert observe("http.request", target).facts["http_version"] == "1.1"


def test_http2_is_spoken_at_once_without_tls() -> None:
    """To an http url, `http2` means prior knowledge (RFC 9113 section 3.3); without it the server's bytes are named."""
    with http2_server() as port:
        facts = observe("http.request", Target("api", f"http://127.0.0.1:{port}", http2=True), path="/x").facts
        assert (facts["error"], facts["http_version"], facts["text"]) == (None, "2", "/x"), facts["error_detail"]
        named = observe("http.request", Target("api", f"http://127.0.0.1:{port}")).facts
    assert named["error"] == "protocol"
    assert "HTTP/2" in named["error_detail"]


def test_http_is_spoken_over_a_unix_socket(tmp_path: Path) -> None:
    """Requests, streams of events and loads go over a socket of this machine."""
    path = f"{tmp_path}/api.sock"
    body = b"data: {}\n\n"

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            heads.append(head)
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: %d\r\n\r\n" % len(body)
            )
            writer.write(body)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            writer.close()

    @asynccontextmanager
    async def serving() -> AsyncIterator[None]:
        async with await asyncio.start_unix_server(handle, path):
            yield

    heads: list[bytes] = []
    target = Target("api", over_socket(path, "/v1"))
    with beside(serving):
        facts = observe("http.request", target, path="/health?x=1").facts
        assert (facts["error"], facts["text"]) == (None, body.decode()), facts["error_detail"]
        assert observe("sse.stream", target, method="GET", path="/stream").facts["event_count"] == 1
        load = observe("load.http", target, path="/health", callers=2, **{"for": "300ms"}).facts
        assert (load["error_ratio"], load["completed_count"] > 0) == (0, True)
    assert heads[0].startswith(b"GET /v1/health?x=1 HTTP/1.1\r\nhost: localhost\r\n")
    assert observe("http.request", Target("api", over_socket(f"{tmp_path}/none", ""))).facts["error"] == "unreachable"


def test_credentials_of_a_target_are_sent_to_it_alone() -> None:
    """Basic and bearer go with every request to the target's origin; an absolute url of another one gets none."""
    with scripted(ok(b"x")) as server, scripted(ok(b"y")) as other:
        for auth, value in (
            (Auth("basic", "me", "p:ss"), "Basic " + base64.b64encode(b"me:p:ss").decode()),
            (Auth("bearer", "", "abc.def"), "Bearer abc.def"),
        ):
            target = Target("api", server.url(), auth=auth)
            observe("http.request", target)
            assert server.requests[-1].headers["authorization"] == value
            observe("http.request", target, path=other.url("/"))
            assert "authorization" not in other.requests[-1].headers
        observe("http.request", target, headers={"Authorization": "mine"})
    assert server.requests[-1].headers["authorization"] == "mine"


def test_a_digest_challenge_is_answered() -> None:
    """The refusal is answered by a request with a digest (RFC 7616); the facts are those of the second response."""

    async def script(request: ReceivedRequest, line: Line) -> bool:
        if "authorization" not in request.headers:
            challenge = 'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256'
            return await ok(b"no", challenge, status="401 Unauthorized")(request, line)
        return await ok(b"yes")(request, line)

    with scripted(script) as server:
        target = Target("api", server.url(), auth=Auth("digest", "me", "secret"))
        facts = observe("http.request", target, path="/x").facts
        assert (facts["status"], facts["text"]) == (200, "yes")
        with pytest.raises(Unmeasurable, match="does not speak Digest"):
            observe("load.http", target, callers=1, **{"for": "50ms"})
    given = dict(re.findall(r'(\w+)="?([^",]+)', server.requests[-1].headers["authorization"]))

    def digest(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    ha1, ha2 = digest("me:r:secret"), digest("GET:/x")
    assert given["response"] == digest(f"{ha1}:n:{given['nc']}:{given['cnonce']}:auth:{ha2}")


def test_an_endless_refusal_is_not_read_to_its_end() -> None:
    """The body of a 401 that is only passed over has a bound, too."""

    async def script(request: ReceivedRequest, line: Line) -> bool:
        await line.send(b'HTTP/1.1 401 No\r\nWWW-Authenticate: Digest realm="r", nonce="n", qop="auth"\r\n\r\n')
        while True:
            await line.send(bytes(65536))

    with scripted(script) as server:
        facts = observe("http.request", Target("api", server.url(), auth=Auth("digest", "me", "s"))).facts
    assert facts["error"] == "too_large"
