"""The HTTP client: exchanges, kept connections, bounds and failures, against servers that misbehave on purpose."""

from __future__ import annotations

import asyncio
import gzip
import resource
import socket
import zlib
from collections.abc import Awaitable, Callable
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.certificates import authority
from tests.checkers.beside import tcp_server
from tests.scripted import Line, ReceivedRequest, ok, raw_response, scripted
from xnai_validate.errors import Unmeasurable
from xnai_validate.kit import ErrorKind, Tls
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.http.client import HttpAnswer, HttpClient, HttpRequest
from xnai_validate.wire.http.connections.destination import destination
from xnai_validate.wire.http.content_coding import PIECE
from xnai_validate.wire.http.request import prepare
from xnai_validate.wire.http.upload import Body, Padded, pieces_of
from xnai_validate.wire.net.connection import READ_AHEAD

T = TypeVar("T")


def using(work: Callable[[HttpClient], Awaitable[T]]) -> T:
    """What `work` gives with a client of its own."""

    async def run() -> T:
        async with HttpClient() as client:
            return await work(client)

    return asyncio.run(run())


def fetch(url: str, *, timeout_s: float = 20.0, body_cap: int = 2**20, redirects: int = 0, **more: Any) -> HttpAnswer:
    """One answer, from a client of its own."""
    request = HttpRequest.of(url, **more)
    return using(lambda c: c.fetch(request, timeout_s=timeout_s, body_cap=body_cap, redirects=redirects))


def failure_of(url: str, *, timeout_s: float = 20.0, **more: Any) -> WireError:
    """Why there is no answer."""
    with pytest.raises(WireError) as caught:
        fetch(url, timeout_s=timeout_s, **more)
    return caught.value


def test_an_answer_has_status_headers_body_and_timings() -> None:
    """Repeated headers are joined, names are in lower case, and the parts of the time fit into the whole."""
    with scripted(ok(b"hello", "X-Two: a", "X-Two: b", status="201 Made")) as server:
        answer = fetch(server.url("/a%20b?q=1"))
    assert (answer.head.status, answer.head.reason, answer.head.http_version) == (201, "Made", "1.1")
    assert answer.head.headers["x-two"] == "a, b"
    assert answer.body == b"hello"
    assert answer.failure is None
    assert answer.timing.connect_ms is not None
    assert answer.timing.tls_ms is None
    assert answer.timing.connect_ms <= answer.timing.first_byte_ms <= answer.total_ms
    assert server.requests[0].path == "/a%20b?q=1"
    assert server.requests[0].headers["host"] == f"127.0.0.1:{server.port}"


def test_connections_are_kept_for_requests_without_effect() -> None:
    """A second GET uses the open connection and opens none; `fresh` and POST open one."""

    async def work(client: HttpClient) -> list[bool]:
        kinds = [HttpRequest.of(url), HttpRequest.of(url), HttpRequest.of(url, fresh=True), HttpRequest.of(url, "POST")]
        return [(await client.fetch(kind, timeout_s=20)).timing.connect_ms is None for kind in kinds]

    with scripted(ok(b"x")) as server:
        url = server.url("/")
        assert using(work) == [False, True, False, False]
    assert server.connections == 3


def test_a_connection_that_the_server_closed_meanwhile_is_no_failure() -> None:
    """A server may close a kept connection at any time: the next GET is answered on a new one."""
    first = ok(b"first")

    async def script(request: ReceivedRequest, line: Line) -> bool:
        # The first connection answers once, takes the second request and closes without a byte.
        if request.path == "/second" and line.number == 1:
            return False
        return await first(request, line)

    async def work(client: HttpClient) -> list[int]:
        answers = [await client.fetch(HttpRequest.of(server.url(p)), timeout_s=20) for p in ("/first", "/second")]
        return [answer.head.status for answer in answers]

    with scripted(script) as server:
        assert using(work) == [200, 200]
    assert [request.connection for request in server.requests] == [1, 1, 2]


def test_a_server_that_always_closes_is_reset_after_one_more_try() -> None:
    """The second try is the last, and only a connection that was kept earns it."""

    async def script(request: ReceivedRequest, line: Line) -> bool:
        return False

    with scripted(script) as server:
        assert failure_of(server.url("/")).kind is ErrorKind.RESET
    assert len(server.requests) == 1


def test_a_request_with_an_effect_is_sent_once() -> None:
    """A POST goes out on a new connection although one is open, and never twice."""

    async def script(request: ReceivedRequest, line: Line) -> bool:
        return request.method == "GET" and await ok(b"x")(request, line)

    async def work(client: HttpClient) -> None:
        await client.fetch(HttpRequest.of(server.url("/")), timeout_s=20)
        with pytest.raises(WireError, match="closed before"):
            await client.fetch(HttpRequest.of(server.url("/"), "POST", body=b"{}"), timeout_s=20)

    with scripted(script) as server:
        using(work)
    assert [request.method for request in server.requests] == ["GET", "POST"]


def test_what_went_wrong_has_a_name() -> None:
    """Refused, not HTTP, silent, not TLS, no such name: each is distinguished."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        assert failure_of(f"http://127.0.0.1:{unused.getsockname()[1]}/").kind is ErrorKind.REFUSED
    with scripted(raw_response(b"-ERR unknown command\r\n\r\n")) as server:
        assert failure_of(server.url()).kind is ErrorKind.PROTOCOL
    with scripted(silent) as server:
        late = failure_of(server.url(), timeout_s=0.2)
        assert late.kind is ErrorKind.TIMEOUT
        assert "0.2 s" in late.detail
    with tcp_server(plain) as port:
        assert failure_of(f"https://127.0.0.1:{port}/").kind is ErrorKind.TLS
    assert failure_of("http://a..b/").kind is ErrorKind.DNS


async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A server without TLS, which answers anything with plain HTTP."""
    await reader.read(1)
    writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    await writer.drain()


async def silent(request: ReceivedRequest, line: Line) -> bool:
    """A script that sends nothing until the client has gone."""
    await line.reader.read()
    return False


def test_a_head_without_end_is_refused() -> None:
    """Headers are bounded: 64 KiB, then it is too large."""
    with scripted(raw_response(b"HTTP/1.1 200 OK\r\n" + b"X-Fill: %s\r\n" % (b"a" * 1000) * 200)) as server:
        assert failure_of(server.url()).kind is ErrorKind.TOO_LARGE


@pytest.mark.parametrize(
    ("data", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", b"hello"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", b"hello"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe", b"he"),
    ],
)
def test_a_cut_body_is_a_failure_that_keeps_what_came(data: bytes, body: bytes) -> None:
    """A body shorter than declared is `reset`; status and the part that came are still known."""
    with scripted(raw_response(data)) as server:
        answer = fetch(server.url())
    assert (answer.head.status, answer.body) == (200, body)
    assert answer.failure is not None
    assert answer.failure.kind is ErrorKind.RESET


def test_a_body_without_length_ends_with_the_connection() -> None:
    """HTTP/1.0 servers close to end a body; that is whole."""
    with scripted(raw_response(b"HTTP/1.0 200 OK\r\n\r\nall of it")) as server:
        answer = fetch(server.url())
    assert (answer.head.http_version, answer.body, answer.failure) == ("1.0", b"all of it", None)


def _raw_deflate(data: bytes) -> bytes:
    pack = zlib.compressobj(wbits=-15)
    return pack.compress(data) + pack.flush()


@pytest.mark.parametrize(
    ("coding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("deflate", _raw_deflate)]
)
def test_content_codings_are_undone(coding: str, pack: Callable[[bytes], bytes]) -> None:
    """gzip, deflate and the bare deflate of many servers give the content back, also larger than one step yields."""
    content = bytes(range(256)) * 4000
    with scripted(ok(pack(content), f"Content-Encoding: {coding}")) as server:
        assert fetch(server.url(), body_cap=2**21).body == content
    with scripted(ok(pack(content)[:-9], f"Content-Encoding: {coding}")) as server:
        cut = fetch(server.url(), body_cap=2**21)
    assert cut.failure is not None
    assert cut.failure.kind is ErrorKind.PROTOCOL


def test_a_small_body_cannot_become_a_large_one() -> None:
    """The bound counts bytes after decompression, and no step yields more than a piece."""
    bomb = gzip.compress(b"\0" * 50_000_000)

    async def work(client: HttpClient) -> int:
        async with await client.send(HttpRequest.of(server.url())) as stream:
            return max([len(piece) async for piece in stream.pieces()])

    with scripted(ok(bomb, "Content-Encoding: gzip")) as server:
        answer = fetch(server.url(), body_cap=1_000_000)
        assert answer.failure is not None
        assert (answer.failure.kind, len(answer.body)) == (ErrorKind.TOO_LARGE, 1_000_000)
        assert using(work) <= 2 * PIECE


def test_a_slow_reader_makes_the_server_wait() -> None:
    """What arrives unread is bounded: no piece holds much more than the read-ahead."""

    async def work(client: HttpClient) -> tuple[int, int]:
        async with await client.send(HttpRequest.of(server.url())) as stream:
            await asyncio.sleep(0.2)
            sizes = [len(piece) async for piece in stream.pieces()]
        return sum(sizes), max(sizes)

    with scripted(ok(b"x" * 8_000_000)) as server:
        total, largest = using(work)
    assert total == 8_000_000
    assert largest <= READ_AHEAD + 512 * 1024


def _redirecting(host_names: list[str]) -> Callable[[ReceivedRequest, Line], Awaitable[bool]]:
    async def script(request: ReceivedRequest, line: Line) -> bool:
        targets = {
            "/302": "/303?x=1",
            "/303?x=1": "../end",
            "/308": "end",
            "/loop": "/loop",
            "/away": host_names[0],
        }
        code = request.path.strip("/").partition("?")[0]
        status = {"loop": "301", "away": "307"}.get(code, code)
        if request.path not in targets:
            return await ok(request.method.encode())(request, line)
        return await ok(b"", f"Location: {targets[request.path]}", status=f"{status} Moved")(request, line)

    return script


def test_redirections_are_followed_up_to_the_limit() -> None:
    """302 and 303 turn a POST into a GET, 308 keeps it, and the last answer is the one beyond the limit."""
    with scripted(_redirecting(["/"])) as server:
        answer = fetch(server.url("/302"), method="POST", body=b"b", content_type="text/plain", redirects=5)
        assert (answer.body, answer.url) == (b"GET", server.url("/end"))
        assert answer.redirects == (server.url("/303?x=1"), server.url("/end"))
        assert "content-type" not in server.requests[-1].headers
        kept = fetch(server.url("/308"), method="POST", body=b"b", redirects=1)
        assert kept.body == b"POST"
        assert server.requests[-1].body == b"b"
        assert fetch(server.url("/302")).head.status == 302
        looped = fetch(server.url("/loop"), redirects=3)
        assert (looped.head.status, len(looped.redirects)) == (301, 3)


def test_credentials_do_not_travel_to_another_server() -> None:
    """A redirection elsewhere takes along harmless headers only: a secret may be in any other, whatever its name."""
    elsewhere = [""]
    headers = {"Authorization": "Bearer s", "Cookie": "c=1", "X-Auth": "t", "X-Api-Key": "k", "Accept-Language": "de"}
    with scripted(ok(b"there")) as other, scripted(_redirecting(elsewhere)) as server:
        elsewhere[0] = other.url("/x")
        assert fetch(server.url("/away"), headers=headers, redirects=1).body == b"there"
    assert server.requests[0].headers["authorization"] == "Bearer s"
    assert set(other.requests[0].headers) == {"host", "accept", "accept-encoding", "user-agent", "accept-language"}
    assert other.requests[0].headers["accept-language"] == "de"


def test_a_stream_is_read_as_it_comes_and_left_at_will() -> None:
    """Pieces are given as they arrive; leaving closes the connection, which the server sees."""

    async def script(request: ReceivedRequest, line: Line) -> bool:
        await line.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
        await line.reader.readexactly(0)
        while not line.reader.at_eof():
            await line.send(b"4\r\nmore\r\n")
            await asyncio.sleep(0.02)
        return False

    async def work(client: HttpClient) -> tuple[bytes, bool]:
        async with await client.send(HttpRequest.of(server.url())) as stream:
            first = await stream.read()
        for _ in range(500):
            if server.gone:
                break
            await asyncio.sleep(0.02)
        return first, stream.ended

    with scripted(script) as server:
        first, ended = using(work)
        assert server.gone == [1]
    assert first.startswith(b"one")
    assert not ended


def test_a_time_limit_leaves_nothing_behind() -> None:
    """After a time-out in the middle of a body the connection is closed, and what is known of the answer is given."""

    async def script(request: ReceivedRequest, line: Line) -> bool:
        await line.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        await line.reader.read()
        return False

    async def work(client: HttpClient) -> HttpAnswer:
        answer = await client.fetch(HttpRequest.of(server.url()), timeout_s=0.3)
        for _ in range(500):
            if server.gone:
                break
            await asyncio.sleep(0.02)
        return answer

    with scripted(script) as server:
        answer = using(work)
        assert server.gone == [1]
    assert answer.failure is not None
    assert (answer.failure.kind, answer.head.status, answer.body) == (ErrorKind.TIMEOUT, 200, b"half")


def test_tls_is_verified_by_the_authority_that_is_given(tmp_path: Path) -> None:
    """A known authority and name pass, an unknown one is `tls`, and `verify: false` takes anything."""
    ours = authority(tmp_path)
    with scripted(ok(b"safe"), context=ours.server("127.0.0.1")) as server:
        url = server.url(scheme="https")
        answer = fetch(url, tls=Tls(ca=ours.ca))
        assert answer.body == b"safe"
        assert answer.timing.tls_ms is not None
        assert failure_of(url).kind is ErrorKind.TLS
        assert failure_of(url, tls=Tls(ca=ours.ca, server_name="other.example")).kind is ErrorKind.TLS
        assert fetch(url, tls=Tls(verify=False)).body == b"safe"
        with pytest.raises(Unmeasurable, match="authority"):
            fetch(url, tls=Tls(ca=str(tmp_path / "none.pem")))


@pytest.mark.parametrize(
    ("method", "data", "status"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nContent-Encoding: gzip\r\n\r\n", 200),
        ("GET", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 None\r\n\r\n", 204),
        ("GET", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 304 Same\r\nContent-Length: 5\r\n\r\n", 304),
    ],
)
def test_answers_without_a_body_end_at_their_head(method: str, data: bytes, status: int) -> None:
    """HEAD, 204 and 304 have no body whatever their headers give; interim responses are passed over."""
    with scripted(raw_response(data)) as server:
        answer = fetch(server.url(), method=method)
    assert (answer.head.status, answer.body, answer.failure) == (status, b"", None)


def test_any_chunking_gives_the_same_body() -> None:
    """However the body is cut into chunks, it comes out whole, compressed or not."""
    present = [b"", b""]

    async def script(request: ReceivedRequest, line: Line) -> bool:
        await line.send(b"HTTP/1.1 200 OK\r\n%sTransfer-Encoding: chunked\r\n\r\n%s" % (present[0], present[1]))
        return True

    with scripted(script) as server:

        @settings(max_examples=60, deadline=None)
        @given(st.binary(max_size=400), st.lists(st.integers(1, 400), max_size=6), st.booleans())
        def holds(body: bytes, cuts: list[int], packed: bool) -> None:
            content = gzip.compress(body) if packed else body
            edges = [0, *sorted({cut for cut in cuts if cut < len(content)}), len(content)]
            chunks = [content[a:b] for a, b in pairwise(edges) if b > a]
            present[0] = b"Content-Encoding: gzip\r\n" if packed else b""
            present[1] = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
            assert fetch(server.url()).body == body

        holds()


def test_urls_become_targets_as_rfc_3986_wants() -> None:
    """Spaces and letters beyond ASCII are percent-encoded, escapes are kept, userinfo becomes basic authentication."""
    where = destination("http://me:p%40ss@[::1]:8080/ä b%2F?q=ü x&r=[1]")
    assert (where.host, where.port, where.netloc) == ("::1", 8080, b"[::1]:8080")
    assert where.target == b"/%C3%A4%20b%2F?q=%C3%BC%20x&r=[1]"
    assert (where.user, where.password) == ("me", "p@ss")
    assert destination("https://example.org").netloc == b"example.org"
    assert destination("https://example.org").port == 443


@pytest.mark.parametrize(
    "request_",
    [
        HttpRequest.of("redis://x/"),
        HttpRequest.of("http://x:99999/"),
        HttpRequest.of("http://x/", headers={"X-A": "b\r\nX-Injected: 1"}),
        HttpRequest.of("http://x/", headers={"bad name": "1"}),
        HttpRequest.of("http://x/", "GE T"),
    ],
)
def test_a_request_that_http_forbids_is_not_sent(request_: HttpRequest) -> None:
    """An error of the suite is reported as one; no header can be smuggled into a request."""
    with pytest.raises(Unmeasurable):
        prepare(request_)


def test_what_follows_a_compressed_body_is_not_kept() -> None:
    """A body that goes on after the end of its gzip stream is refused at once; several gzip members are one content."""
    packed = gzip.compress(b"one") + gzip.compress(b"two")
    with scripted(ok(packed, "Content-Encoding: gzip")) as server:
        assert fetch(server.url()).body == b"onetwo"
    for coding, pack in (("gzip", gzip.compress), ("deflate", zlib.compress)):

        async def endless(
            request: ReceivedRequest, line: Line, coding: str = coding, first: bytes = pack(b"{}")
        ) -> bool:
            await line.send(f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\n\r\n".encode() + first)
            while True:
                await line.send(bytes(65536))

        with scripted(endless) as server:
            answer = fetch(server.url())
        assert answer.failure is not None
        assert (answer.failure.kind, answer.body) == (ErrorKind.PROTOCOL, b"{}")


def test_interim_responses_without_end_are_refused() -> None:
    """A few 1xx go before a response; a flood of them is not a response."""
    interim = b"HTTP/1.1 103 Early Hints\r\n\r\n"
    with scripted(raw_response(interim * 20 + b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as server:
        assert fetch(server.url()).head.status == 200

    async def flood(request: ReceivedRequest, line: Line) -> bool:
        while True:
            await line.send(interim * 1000)

    with scripted(flood) as server:
        failure = failure_of(server.url())
    assert failure.kind is ErrorKind.PROTOCOL
    assert "1xx" in failure.detail


def test_a_body_in_tiny_chunks_lets_others_run() -> None:
    """However small the chunks, others run meanwhile, and `arrivals` counts the reads that brought them."""

    async def work(client: HttpClient) -> tuple[int, int, int]:
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        async with await client.send(HttpRequest.of(server.url())) as stream:
            await asyncio.sleep(0.3)  # until much has arrived that one read takes in
            task = asyncio.create_task(other())
            size = 0
            before = stream.arrivals
            while size < 10_000:
                size += len(await stream.read())
            task.cancel()
            return turns, size, stream.arrivals - before

    body = b"1\r\na\r\n" * 30_000 + b"0\r\n\r\n"
    with scripted(raw_response(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body)) as server:
        turns, size, arrivals = using(work)
    assert turns > 20
    assert size == 10_000
    assert arrivals <= 1


@pytest.mark.parametrize(
    "location", ["file:///etc/hostname", "http://[::1/", "http://a\x7f\u00e9..c/", "http://:0/", "http://x:99999/"]
)
def test_a_redirection_to_what_is_no_url_is_not_followed(location: str) -> None:
    """The redirection itself is the answer then: the server is at fault, not the request."""
    with scripted(ok(b"", f"Location: {location}", status="302 Found")) as server:
        answer = fetch(server.url(), redirects=3)
    assert (answer.head.status, answer.redirects) == (302, ())


@pytest.mark.parametrize("body", [b"a" * 3_000_000, Padded(b"<", b"a", 3_000_000, b">"), Padded(b"", b"a", 70_000)])
def test_a_long_body_arrives_whole(body: Body) -> None:
    """In any form, the server reads every byte of it, as many as the headers declare."""
    with scripted(ok(b"thanks")) as server:
        answer = fetch(server.url(), method="POST", body=body)
    (request,) = server.requests
    assert (answer.body, request.headers["content-length"]) == (b"thanks", str(len(body)))
    assert request.body == b"".join(pieces_of(body))


def test_a_long_body_is_never_in_memory_as_a_whole() -> None:
    """A server that takes 200 MB, slowly at first, costs this side a few pieces."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.3)
        left = 200_000_000
        while left and (piece := await reader.read(1 << 20)):
            left -= len(piece)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async def work(client: HttpClient) -> int:
        begun = ru_maxrss()
        request = HttpRequest.of(f"http://127.0.0.1:{port}/", "POST", body=Padded(b"", b"a", 200_000_000))
        answer = await client.fetch(request, timeout_s=60)
        assert answer.head.status == 200
        return ru_maxrss() - begun

    with tcp_server(talk) as port:
        assert using(work) < 20_000, "KiB"


@pytest.mark.parametrize("read", [0, 1_000_000])
def test_who_refuses_a_long_body_gets_no_more_of_it(read: int) -> None:
    """A refusal is understood at once, also from a server that never reads on."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if read:
            await reader.readexactly(read)
        writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
        await writer.drain()
        await asyncio.sleep(20)

    with tcp_server(talk) as port:
        answer = fetch(f"http://127.0.0.1:{port}/", method="POST", body=Padded(b"", b"a", 50_000_000), timeout_s=10)
    assert (answer.head.status, answer.body, answer.failure) == (413, b"no", None)


def test_a_server_that_answers_while_it_reads_gets_the_whole_body() -> None:
    """An answer that begins before the body has ended is not a refusal."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n")
        size = len(await reader.readexactly(5_000_000))
        writer.write(str(size).encode())
        await writer.drain()

    with tcp_server(talk) as port:
        answer = fetch(f"http://127.0.0.1:{port}/", method="POST", body=Padded(b"", b"a", 5_000_000))
    assert (answer.body, answer.failure) == (b"5000000", None)


def test_a_server_that_leaves_amid_a_long_body_is_reset() -> None:
    """Who hangs up while it is sent something has not answered."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(100_000)

    with tcp_server(talk) as port:
        failure = failure_of(f"http://127.0.0.1:{port}/", method="POST", body=Padded(b"", b"a", 50_000_000))
    assert failure.kind is ErrorKind.RESET


def test_a_long_body_with_a_wrong_length_is_not_sent() -> None:
    """A header that contradicts the body is an error of the request."""
    with scripted(ok()) as server, pytest.raises(Unmeasurable, match="HTTP does not allow"):
        fetch(server.url(), method="POST", headers={"Content-Length": "5"}, body=b"a" * 100_000)


def ru_maxrss() -> int:
    """The most memory that this process has had, in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
