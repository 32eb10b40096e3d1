"""Responses and requests of HTTP/1.1: what h11 makes of the same bytes is what we make of them, however they come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import h11
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from xnai_validate.errors import Unmeasurable
from xnai_validate.wire.http.http1 import HEAD_CAP, Cut, Head, Malformed, Responses, TooLarge
from xnai_validate.wire.http.request import HttpRequest, prepare, request_bytes


@dataclass
class Read:
    """What was made of a response."""

    heads: list[tuple[int, str, str, dict[str, str]]] = field(default_factory=list)
    body: bytes = b""
    ended: bool = False
    reusable: bool = False
    error: str | None = None


@dataclass(frozen=True)
class Asked:
    """What the response answers."""

    method: str = "GET"
    upgrades: bool = False
    closes: bool = False


def read_by_us(pieces: Sequence[bytes], asked: Asked) -> Read:
    """As an exchange does it."""
    responses, read = Responses(), Read()
    responses.expect(asked.method, upgrades=asked.upgrades, closes=asked.closes)
    answered = False
    try:
        for piece in (*pieces, b""):
            responses.feed(piece)
            if not piece and not answered:
                raise Cut("it has ended before a response")
            while not answered and (head := responses.head()):
                read.heads.append((head.status, head.reason, head.http_version, head.headers))
                answered = head.status >= 200 or head.status == 101
            while answered and (found := responses.take(3)):
                read.body += b"".join(found)
            if responses.ended:
                read.ended, read.reusable = True, responses.reusable
                break
    except Malformed as error:
        read.error = type(error).__name__
    return read


def read_by_h11(pieces: Sequence[bytes], asked: Asked) -> Read:
    """As the library does it."""
    headers = [("host", "x")]
    headers += [("upgrade", "websocket")] if asked.upgrades else []
    headers += [("connection", "close")] if asked.closes else []
    connection, read = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_CAP), Read()
    connection.send(h11.Request(method=asked.method, target="/", headers=headers))
    connection.send(h11.EndOfMessage())
    try:
        for piece in (*pieces, b""):
            connection.receive_data(piece)
            while not read.ended:
                event = connection.next_event()
                if event is h11.NEED_DATA:
                    break
                if isinstance(event, h11.Response | h11.InformationalResponse):
                    read.heads.append(_told(event))
                elif isinstance(event, h11.Data):
                    read.body += event.data
                else:  # EndOfMessage, or PAUSED after the protocol was switched
                    read.ended = True
            if read.ended:
                done = connection.our_state is h11.DONE and connection.their_state is h11.DONE
                data, closed = connection.trailing_data
                read.reusable = done and not data and not closed
                break
    except h11.RemoteProtocolError as error:
        if error.error_status_hint == 431:
            read.error = "TooLarge"
        else:
            ended = str(error).startswith(("peer ", "can't handle event type ConnectionClosed"))
            read.error = "Cut" if ended else "Malformed"
    return read


def _told(event: h11.Response | h11.InformationalResponse) -> tuple[int, str, str, dict[str, str]]:
    headers: dict[str, str] = {}
    for raw_name, raw_value in event.headers:
        name, value = raw_name.decode("ascii"), raw_value.decode("utf-8", "replace")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return event.status_code, event.reason.decode("utf-8", "replace"), event.http_version.decode(), headers


NAMES = st.sampled_from(["X-A", "x-a", "Server", "Connection", "Content-Encoding", "Upgrade", "Set-Cookie"])
VALUES = st.one_of(
    st.sampled_from(["close", "keep-alive", "Keep-Alive, CLOSE", "", "a  b", "a,b", "chunked", "5", "é"]),
    st.text("aZ0 ,;=\t\"'%é\x7f", max_size=12),
)
FIELDS = st.builds(lambda name, value: f"{name}: {value}".encode(), NAMES, VALUES)
FRAMINGS = st.sampled_from(
    [
        b"Content-Length: 5",
        b"Content-Length: 0",
        b"content-length:5 ",
        b"Content-Length: 5, 5",
        b"Content-Length: 5\r\nContent-Length: 5",
        b"Content-Length: 5\r\nContent-Length: 6",
        b"Content-Length: 05\r\nContent-Length: 5",
        b"Content-Length: -1",
        b"Content-Length: 123456789012345678901",
        b"Content-Length: ",
        b"Transfer-Encoding: chunked",
        b"Transfer-Encoding: Chunked\r\nContent-Length: 3",
        b"Transfer-Encoding: gzip, chunked",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        b"X-None: framing",
        b"X-Folded: a\r\n  b\r\n\tc",
        b" continued",
    ]
)
BODIES = st.sampled_from(
    [
        b"",
        b"hello",
        b"hello, more than was said",
        b"hel",
        b"5\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhello\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        b"1;a=b\r\nh\r\n004 \r\nello\r\n000\r\nTrailer: x\r\nOther: y\r\n\r\n",
        b"5\r\nhello\r\n0\r\nno trailer\r\n\r\n",
        b"5\r\nhello0\r\n\r\n",
        b"5\r\nhello\r\n0\r\n\n",
        b"5\nhello\r\n0\r\n\r\n",
        b"FFFFFFFFFFFFFFFFFFFF\r\nhello",
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhello\r\n",
    ]
)
STARTS = st.sampled_from(
    [
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 ",
        b"HTTP/1.0 200 Fine with  this",
        b"HTTP/1.1 204 No Content",
        b"HTTP/1.1 304 Not Modified",
        b"HTTP/1.1 101 Switching Protocols",
        b"HTTP/1.1 099 None",
        b"HTTP/1.1 999 \xc3\xa9\xff",
        b"HTTP/2.0 200 OK",
        b"http/1.1 200 OK",
        b"HTTP/1.1  200 OK",
        b"ICY 200 OK",
    ]
)
INTERIM = st.sampled_from(
    [b"", b"", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"]
)
ENDS = st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n"])


@st.composite
def responses(draw: st.DrawFn) -> bytes:
    """Bytes that are a response, or nearly."""
    end = draw(ENDS)
    lines = [draw(STARTS), *draw(st.lists(FIELDS, max_size=3)), draw(FRAMINGS)]
    whole = bytearray(draw(INTERIM) + b"".join(line + end for line in lines) + end + draw(BODIES))
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        at = draw(st.integers(0, len(whole)))
        what = draw(
            st.sampled_from([b"", b"\r", b"\n", b"\r\n", b" ", b"\t", b"\x00", b":", b";", b"\x80", b"0", b"a"])
        )
        whole[at : at + draw(st.integers(0, 2))] = what
    return bytes(whole)


@st.composite
def pieces_of(draw: st.DrawFn, whole: bytes) -> list[bytes]:
    """The bytes in pieces, none of them empty."""
    cuts = sorted(set(draw(st.lists(st.integers(1, max(1, len(whole) - 1)), max_size=6))))
    ends = [*cuts, len(whole)]
    return [piece for start, end in zip([0, *cuts], ends, strict=True) if (piece := whole[start:end])]


ASKED = st.builds(Asked, st.sampled_from(["GET", "GET", "HEAD", "POST", "CONNECT"]), st.booleans(), st.booleans())


@settings(max_examples=1500)
@given(st.data(), responses(), ASKED)
def test_a_response_is_read_as_h11_reads_it(data: st.DataObject, whole: bytes, asked: Asked) -> None:
    """Heads, body, end and whether the connection may be used again; errors are of the same sort."""
    pieces = data.draw(pieces_of(whole))
    ours, theirs = read_by_us(pieces, asked), read_by_h11(pieces, asked)
    assert ours.error == theirs.error
    if theirs.error is None:
        assert ours == theirs
    else:
        assert ours.heads == theirs.heads[: len(ours.heads)]


@given(responses(), ASKED)
@example(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x\r\nab\r\n1\r\nc\r\n0\r\nA: b\r\n\r\n", Asked())
def test_one_byte_at_a_time_says_the_same(whole: bytes, asked: Asked) -> None:
    """Nothing depends on where the network cuts."""
    one, many = read_by_us([whole], asked), read_by_us([whole[at : at + 1] for at in range(len(whole))], asked)
    assert (one.error, one.heads, one.ended) == (many.error, many.heads, many.ended)
    if one.error is None:
        # What comes behind the end in the same piece keeps a connection from being used again; later it is not read.
        assert one.body == many.body
        assert many.reusable or not one.reusable


def _head(pieces: Sequence[bytes]) -> Head | None:
    responses = Responses()
    for piece in pieces:
        responses.feed(piece)
    return responses.head()


def test_a_head_is_bounded_whether_it_is_whole_or_not() -> None:
    """64 KiB, however it comes."""
    line = b"X: " + b"a" * (HEAD_CAP - 30) + b"\r\n"
    assert _head([b"HTTP/1.1 200 OK\r\n", line, b"\r\n"]) is not None
    for more in (b"Y: 0123456789\r\n\r\n", b"Y: 01234567890123456789"):
        with pytest.raises(TooLarge, match=str(HEAD_CAP)):
            _head([b"HTTP/1.1 200 OK\r\n", line, more])


@pytest.mark.parametrize("start", [b"5;", b"5\r\nhello\r\n0\r\nA: "], ids=["chunk", "trailers"])
def test_what_is_read_as_a_whole_in_a_body_is_bounded_too(start: bytes) -> None:
    """The line before a chunk, and the trailers."""
    responses = Responses()
    responses.feed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    assert responses.head() is not None
    responses.feed(start)
    responses.take(9)
    responses.feed(b"x" * (HEAD_CAP // 2))
    assert responses.take(9) == []
    responses.feed(b"x" * (HEAD_CAP // 2))
    with pytest.raises(TooLarge):
        responses.take(9)


def test_many_small_chunks_are_taken_a_few_at_a_time() -> None:
    """So that others may run meanwhile."""
    responses = Responses()
    responses.feed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 10 + b"0\r\n\r\n")
    assert responses.head() is not None
    assert [len(responses.take(4)) for _ in range(3)] == [4, 4, 2]
    assert responses.ended


def test_a_body_that_ends_early_is_cut() -> None:
    """What had come is taken before."""
    responses = Responses()
    responses.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel")
    responses.head()
    responses.feed(b"")
    assert responses.take(9) == [b"hel"]
    with pytest.raises(Cut, match="2 bytes"):
        responses.take(9)


GIVEN = st.lists(
    st.tuples(
        st.sampled_from(["X-A", "Host", "accept", "Connection", "Content-Length", "Transfer-Encoding", "a b", "é", ""]),
        st.one_of(st.sampled_from(["chunked", "close", "3", "x y", "a\r\nb: c", "a\x00", " lead", "é", ""]), st.text()),
    ),
    max_size=3,
)


@settings(max_examples=500)
@given(GIVEN, st.sampled_from(["GET", "POST", "put", "G T", "É"]), st.sampled_from([b"", b"abc"]))
def test_a_request_goes_out_as_h11_sends_it(headers: list[tuple[str, str]], method: str, body: bytes) -> None:
    """The same bytes, and the same are refused; but for a length that is said twice, which h11 says once."""
    assume([name for name, _ in headers].count("Content-Length") < 2)
    request = HttpRequest("http://h:1/p?q=1", method, tuple(headers), body)
    plain = prepare(HttpRequest("http://h:1/p?q=1", "GET", ())).head.split(b"\r\n")[2:5]
    try:
        given_ = [(name.encode("ascii"), value.encode()) for name, value in headers]
        names = {name.lower() for name, _ in given_}
        own = [] if b"host" in names else [(b"host", b"h:1")]
        own += [(name, value) for line in plain for name, _, value in [line.partition(b": ")] if name not in names]
        if (body or method.upper() in ("POST", "PUT")) and not names & {b"content-length", b"transfer-encoding"}:
            own.append((b"content-length", str(len(body)).encode()))
        connection = h11.Connection(h11.CLIENT)
        event = h11.Request(method=method.upper(), target="/p?q=1", headers=own + given_)
        sent = (connection.send(event) or b"") + (connection.send(h11.Data(data=body)) or b"" if body else b"")
        wanted = sent + (connection.send(h11.EndOfMessage()) or b"")
    except (h11.LocalProtocolError, UnicodeError):
        with pytest.raises(Unmeasurable, match="HTTP does not allow this request"):
            prepare(request)
        return
    assert request_bytes(prepare(request)) == wanted
