"""A line of `load.http` reads bytes in any pieces, and gives each request one outcome, always the same."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from xnai_validate.checkers.load._generator.drive import Drive
from xnai_validate.checkers.load._http.exchange import Exchange
from xnai_validate.checkers.load._http.httpline import HttpLine
from xnai_validate.checkers.load._http.request_bytes import request_bytes
from xnai_validate.kit import ErrorKind
from xnai_validate.wire.http.request import HttpRequest, prepare

CAP = 3_000
PREPARED = prepare(HttpRequest.of("http://127.0.0.1:1/"))
LINE_REQUEST = Exchange(PREPARED, request_bytes(PREPARED), "127.0.0.1", CAP)


class Heard:
    """In the place of a drive: records the outcomes, and sends the next request at once."""

    def __init__(self, requests: int) -> None:
        self.outcomes: list[str] = []
        self.left = requests
        self.closed_count = 0

    def opened(self) -> None:
        self.left -= 1

    def answered(self, line: HttpLine, status: int, *, keep: bool = True) -> None:
        self.outcomes.append(f"{status}{'' if keep else ' last'}")
        if keep and self.left:
            self.left -= 1
            line.send()

    def failed(self, line: HttpLine, kind: ErrorKind, detail: str, *, connecting: bool = False) -> None:
        assert detail
        self.outcomes.append(str(kind))

    def again(self, line: HttpLine) -> None:
        self.outcomes.append("again")

    def lost(self, line: HttpLine) -> None:
        self.outcomes.append("lost")

    def closed(self, line: HttpLine) -> None:
        self.closed_count += 1


class Socket:
    """In the place of a transport."""

    def __init__(self, line: HttpLine) -> None:
        self.line = line
        self.closed = False
        self.sent = 0

    def write(self, data: bytes) -> None:
        assert data == LINE_REQUEST.data
        self.sent += 1

    def abort(self) -> None:
        self.closed = True


def outcomes_of(pieces: Sequence[bytes], requests: int = 3, lost: Exception | None = None) -> list[str]:
    """The outcomes of a line that sends up to `requests`, gets these bytes, and then loses its connection."""
    heard = Heard(requests)
    buffer = bytearray(64 * 1024)
    line = HttpLine(cast(Drive, heard), LINE_REQUEST, memoryview(buffer))
    line._waiting = True
    socket = Socket(line)
    line.connection_made(cast(asyncio.Transport, socket))
    for piece in pieces:
        if not piece or socket.closed:  # asyncio delivers nothing after an abort
            continue
        line.get_buffer(-1)[: len(piece)] = piece
        line.buffer_updated(len(piece))
    line.connection_lost(None if socket.closed else lost)
    assert heard.closed_count == 1
    answered = [outcome for outcome in heard.outcomes if outcome != "lost"]
    assert len(answered) == socket.sent or (len(answered) == socket.sent - 1 and "lost" in heard.outcomes)
    return heard.outcomes


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[start:end] for start, end in pairwise(ends)]


BODY = st.binary(max_size=40)
WHOLE = st.one_of(
    BODY.map(lambda body: b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)),
    BODY.map(lambda body: b"HTTP/1.1 503 No\r\nX: y\r\ncontent-length : %d\r\n\r\n%s" % (len(body), body)),
    BODY.filter(bool).map(
        lambda body: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    ),
    st.just(b"HTTP/1.1 204 No Content\r\n\r\n"),
    st.just(b"HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    st.just(b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx"),
)
"""Answers that leave the connection to the next request."""
ANY = st.one_of(
    WHOLE,
    st.just(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx"),
    BODY.map(lambda body: b"HTTP/1.1 200 OK\r\n\r\n" + body),
    st.just(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nx"),
    st.just(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000),
    st.binary(min_size=1, max_size=30),
)
PLACES = st.lists(st.integers(0, 10_000), max_size=12)


@settings(max_examples=300)
@given(ANY, PLACES)
def test_the_pieces_of_an_answer_make_no_difference(response: bytes, places: list[int]) -> None:
    """One request, its answer at once or in pieces: the same outcome."""
    assert outcomes_of(cut(response, places), requests=1) == outcomes_of([response], requests=1)


@settings(max_examples=300)
@given(st.lists(WHOLE, max_size=3), ANY, PLACES)
def test_one_answer_after_the_other_is_understood(first: list[bytes], last: bytes, places: list[int]) -> None:
    """Each in a piece of its own, then in more pieces: the same outcomes, one for each request."""
    responses = [*first, last]
    whole = outcomes_of(responses, requests=len(responses))
    pieces = [piece for response in responses for piece in cut(response, places)]
    assert outcomes_of(pieces, requests=len(responses)) == whole


@given(st.lists(st.binary(max_size=200), max_size=6), st.sampled_from([None, ConnectionResetError(104, "reset")]))
def test_nothing_that_comes_breaks_it(pieces: list[bytes], lost: Exception | None) -> None:
    """Any bytes, and any end."""
    outcomes: list[Any] = outcomes_of(pieces, lost=lost)
    assert outcomes


def test_an_answer_like_the_last_one_counts_only_whole() -> None:
    """The short cut for equal answers takes no part of one for a whole one, and no more than one."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
    assert outcomes_of([answer, answer, answer]) == ["200", "200", "200", "lost"]
    assert outcomes_of([answer, answer[:-1], answer[-1:], answer]) == ["200", "200", "200", "lost"]
    assert outcomes_of([answer, answer[:-1]]) == ["200", "reset"]
    assert outcomes_of([answer, answer + answer]) == ["200", "200 last"]
    assert outcomes_of([answer], requests=2) == ["200", "again"]
