"""Streams of server-sent events, from real sockets."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
import zlib
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.checkers.beside import tcp_server
from tests.context import observe
from xnai_validate.checkers._streams.reading import is_buffered
from xnai_validate.kit import Observed, Target

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"
Answer = Callable[["Talk"], Awaitable[None]]


class Talk:
    """One request as a server has read it, and the means to answer."""

    def __init__(self, request: bytes, body: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.request, self.body, self._reader, self._writer = request, body, reader, writer

    async def send(self, *parts: bytes) -> None:
        self._writer.write(b"".join(parts))
        await self._writer.drain()

    async def chunk(self, *parts: bytes) -> None:
        body = b"".join(parts)
        await self.send(b"%x\r\n%s\r\n" % (len(body), body))

    async def client_left(self) -> bool:
        return await self._reader.read(1) == b""

    def reset(self) -> None:
        self._writer.transport.abort()


def event(**data: object) -> bytes:
    return b"data: " + json.dumps(data, ensure_ascii=False).encode() + b"\n\n"


SOURCES = event(type="sources", sources=["guide.md", "faq.md"])
TOKENS = [event(type="token", content=word) for word in ("Xoe", "-NovAi ", "läuft", "läuft", "!")]
DONE = event(type="done", tokens=5, latency_ms=12.5)
WHOLE = SOURCES + b"".join(TOKENS) + DONE


@contextmanager
def server(answer: Answer) -> Iterator[Target]:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
        )
        await answer(Talk(head, await reader.readexactly(length), reader, writer))

    with tcp_server(talk) as port:
        yield Target("api", f"http://127.0.0.1:{port}/v1")


def stream(answer: Answer, kind: str = "sse.stream", **with_: Any) -> Observed:
    with server(answer) as target:
        return observe(kind, target, **{"path": "/stream", "json": {"query": "What?"}, **with_})


def body(content: bytes) -> Answer:
    async def answer(talk: Talk) -> None:
        await talk.send(CHUNKED)
        await talk.chunk(content)
        await talk.send(END)

    return answer


def test_a_whole_stream_is_understood() -> None:
    """Types, order, tokens, sources, the end and its claims are read from a sound stream; the default rules hold."""
    requests: list[Talk] = []

    async def answer(talk: Talk) -> None:
        requests.append(talk)
        await talk.send(CHUNKED)
        for part in (SOURCES, *TOKENS, b": beat\n\n", DONE):
            await talk.chunk(part)
            await asyncio.sleep(0.02)
        await talk.send(END)

    seen = stream(answer, query={"a": "b c"})
    facts = seen.facts
    assert seen.held, seen.findings
    assert requests[0].request.startswith(b"POST /v1/stream?a=b+c HTTP/1.1")
    assert b"accept: text/event-stream" in requests[0].request.lower()
    assert json.loads(requests[0].body) == {"query": "What?"}
    assert (facts["status"], facts["content_type"], facts["charset"]) == (200, "text/event-stream", "utf-8")
    assert facts["types"] == {"sources": 1, "token": 5, "done": 1}
    assert facts["order"] == ["sources", "token", "done"]
    assert (facts["event_count"], facts["heartbeats"], facts["tokens"], facts["done_tokens"]) == (7, 1, 5, 5)
    assert (facts["token_count_difference"], facts["repeated_tokens"], facts["done_latency_ms"]) == (0, 1, 12.5)
    assert facts["text"] == "Xoe-NovAi läuftläuft!"
    assert facts["sources"] == ["guide.md", "faq.md"]
    assert (facts["terminated"], facts["terminal"], facts["after_terminal"]) == (True, "done", 0)
    assert (facts["closed_cleanly"], facts["left"], facts["json_valid"]) == (True, False, True)
    assert facts["cache_control"] == "no-cache"
    assert facts["bytes"] == len(WHOLE) + len(b": beat\n\n")
    assert 0 < facts["first_byte_ms"] <= facts["first_event_ms"] <= facts["first_token_ms"] <= facts["total_ms"]
    assert facts["total_ms"] >= 140


@pytest.mark.parametrize(
    ("events", "arrivals", "buffered"),
    [(4, 1, False), (5, 1, True), (66, 1, True), (66, 4, True), (66, 7, False), (66, 13, False), (300, 6, True)],
)
def test_lumps_are_buffered_and_the_reads_of_a_busy_machine_are_not(events: int, arrivals: int, buffered: bool) -> None:
    """Few reads, or reads of very many events, show a buffer; many reads of some events show a process that waited."""
    assert is_buffered(events, arrivals) is buffered


def test_one_arrival_is_buffered_and_many_are_not() -> None:
    """Many events in one read are distinguished from events that come one by one."""

    async def slowly(talk: Talk) -> None:
        await talk.send(CHUNKED)
        for token in TOKENS:
            await talk.chunk(token)
            await asyncio.sleep(0.05)
        await talk.chunk(DONE)
        await talk.send(END)

    at_once, one_by_one = stream(body(WHOLE)).facts, stream(slowly).facts
    assert (at_once["buffered"], at_once["arrivals"], at_once["max_events_per_arrival"]) == (True, 1, 7)
    assert one_by_one["buffered"] is False
    assert one_by_one["arrivals"] > 1


def test_a_compressed_stream_is_buffered_only_without_a_flush_for_each_event() -> None:
    """Compression that the reader accepts holds nothing back where each event is flushed (RFC 1952)."""

    def compressed(flush: int) -> Answer:
        async def answer(talk: Talk) -> None:
            packer = zlib.compressobj(wbits=31)
            await talk.send(CHUNKED.replace(b"Cache-Control", b"Content-Encoding: gzip\r\nCache-Control"))
            for part in (SOURCES, *TOKENS, DONE):
                if piece := packer.compress(part) + packer.flush(flush):
                    await talk.chunk(piece)
                await asyncio.sleep(0.05)
            await talk.chunk(packer.flush())
            await talk.send(END)

        return answer

    flushed, gathered = stream(compressed(zlib.Z_SYNC_FLUSH)).facts, stream(compressed(zlib.Z_NO_FLUSH)).facts
    assert (flushed["encoding"], flushed["buffered"], flushed["terminated"]) == ("gzip", False, True)
    assert (gathered["encoding"], gathered["buffered"], gathered["terminated"]) == ("gzip", True, True)


def test_a_cut_stream_is_a_reset_with_all_that_came() -> None:
    """A body that the server does not end is an error, and what it had sent stays known."""

    async def cut(talk: Talk) -> None:
        await talk.send(CHUNKED)
        await talk.chunk(SOURCES, TOKENS[0], b"data: {")

    seen = stream(cut)
    assert seen.findings[0].fact == "error"
    assert not seen.held
    assert (seen.facts["error"], seen.facts["closed_cleanly"]) == ("reset", False)
    assert (seen.facts["event_count"], seen.facts["terminated"], seen.facts["framing_faults"]) == (2, False, [])


def test_a_body_without_length_ends_with_the_connection() -> None:
    """HTTP/1.0 streams end by closing; that is clean."""

    async def old(talk: Talk) -> None:
        await talk.send(HEAD.replace(b"1.1", b"1.0"), b"\r\n", WHOLE)

    facts = stream(old).facts
    assert (facts["error"], facts["closed_cleanly"], facts["terminated"]) == (None, True, True)


@pytest.mark.parametrize(
    ("content", "faults"),
    [
        (WHOLE.replace(b"\n\n", b"\\n\\n"), ["literal_newline", "incomplete_last_block"]),
        (WHOLE.replace(b"\n\n", b"\n") + b"\n", ["unterminated_frame"]),
        (WHOLE[:-1], ["incomplete_last_block"]),
        (SOURCES + b"\xef\xbb\xbf" + TOKENS[0] + DONE, ["bom_inside"]),
        (WHOLE.replace("ä".encode(), b"\xc3"), ["invalid_utf8"]),
    ],
)
def test_framing_faults_fail_the_default_rules(content: bytes, faults: list[str]) -> None:
    """A stream that a browser would misread fails by name without being asked to."""
    seen = stream(body(content))
    assert seen.facts["framing_faults"] == faults
    assert [finding.fact for finding in seen.findings if not finding.held] == ["framing_faults"]


def test_events_after_the_end_and_errors_are_reported() -> None:
    """What follows a terminal event is counted, and an error event is an end with its text."""
    after = stream(body(event(type="error", error="model gone") + DONE)).facts
    assert (after["terminated"], after["terminal"], after["after_terminal"]) == (False, "error", 1)
    assert after["error_text"] == "model gone"
    missing = stream(body(b"".join(TOKENS))).facts
    assert (missing["terminated"], missing["terminal"], missing["token_count_difference"]) == (False, None, None)
    wrong = stream(body(b"".join(TOKENS) + event(type="done", tokens=9, latency_ms="soon"))).facts
    assert (wrong["token_count_difference"], wrong["done_latency_ms"]) == (4, None)


def test_bad_json_is_counted() -> None:
    """Data that is not JSON, NaN included, is counted and does not end the reading."""
    facts = stream(body(b'data: {"type": "tok\n\ndata: {"a": NaN}\n\n' + DONE)).facts
    assert (facts["json_valid"], facts["bad_json_count"], facts["event_count"]) == (False, 2, 3)


def test_tokens_without_text_and_large_events_are_reported() -> None:
    """A token whose text stands elsewhere is counted as such, and sizes are bytes, not characters."""
    large = event(type="token", content="ä" * 1000)
    facts = stream(body(event(type="token", text="Hi") + event(type="token", content="") + large)).facts
    assert (facts["tokens"], facts["tokens_without_text"], facts["text"]) == (1, 2, "ä" * 1000)
    assert facts["max_event_bytes"] == len(large) - len(b"data: \n\n")


def test_leaving_closes_the_connection() -> None:
    """After the wanted number of events we are gone at once, and the server sees it."""
    gone = threading.Event()

    async def endless(talk: Talk) -> None:
        try:
            await talk.send(CHUNKED)
            for token in TOKENS:
                await talk.chunk(token)
            left = await talk.client_left()
        except OSError:  # a reset: we left with bytes unread
            left = True
        if left:
            gone.set()

    seen = stream(endless, leave_after=3)
    assert seen.held, seen.findings
    assert gone.wait(5)
    assert (seen.facts["left"], seen.facts["event_count"], seen.facts["closed_cleanly"]) == (True, 3, None)
    timed = stream(endless, leave_after_time="1s").facts
    assert (timed["left"], timed["error"], timed["event_count"]) == (True, None, 5)


def test_silence_and_length_are_time_outs() -> None:
    """A server that falls silent, never comes to an end, or never answers gives a time-out, with what was seen."""

    async def silent(talk: Talk) -> None:
        await talk.send(CHUNKED)
        await talk.chunk(TOKENS[0])
        await talk.client_left()

    async def endless(talk: Talk) -> None:
        await talk.send(CHUNKED)
        for _ in range(1000):
            await talk.chunk(b": beat\n\n")
            await asyncio.sleep(0.02)

    async def mute(talk: Talk) -> None:
        await talk.client_left()

    quiet = stream(silent, idle_timeout="200ms").facts
    assert (quiet["error"], quiet["event_count"], quiet["closed_cleanly"]) == ("timeout", 1, False)
    assert quiet["error_detail"] == "silent for 0.2 s after 1 events"
    assert quiet["max_gap_ms"] >= 190
    long = stream(endless, timeout="1500ms", idle_timeout="5s").facts
    assert (long["error"], long["error_detail"]) == ("timeout", "not at its end after 1.5 s and 0 events")
    assert long["heartbeats"] > 0
    facts = stream(mute, timeout="200ms").facts
    assert (facts["error"], facts["status"]) == ("timeout", None)


def test_bounds_are_kept() -> None:
    """More events or bytes than allowed end the reading as too large."""
    assert stream(body(WHOLE), max_events=3).facts["error"] == "too_large"
    assert stream(body(WHOLE), max_bytes=50).facts["error"] == "too_large"


def test_another_status_is_not_read_as_a_stream() -> None:
    """A refused request shows its body, and no framing fault is invented."""

    async def refuse(talk: Talk) -> None:
        await talk.send(
            b'HTTP/1.1 400 Bad\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n{"error":"x"}'
        )

    seen = stream(refuse)
    assert [finding.fact for finding in seen.findings if not finding.held] == [
        "status",
        "content_type",
        "framing_faults",
    ]
    assert (seen.facts["body"], seen.facts["framing_faults"], seen.facts["event_count"]) == (
        '{"error":"x"}',
        None,
        None,
    )


def test_a_refused_connection_is_a_fact() -> None:
    """No server listens: the error leads the findings, everything else is null."""

    async def never(_: Talk) -> None:
        return

    with server(never) as target:
        pass
    seen = observe("sse.stream", target)
    assert (seen.facts["error"], seen.facts["status"], seen.facts["event_count"]) == ("refused", None, None)
    assert seen.findings[0].fact == "error"


def test_openai_streams_are_understood_by_their_params() -> None:
    """Another dialect is a matter of params: token path, literal end."""
    parts = [
        {"choices": [{"delta": delta}]} for delta in ({"role": "assistant"}, {"content": "Hel"}, {"content": "lo"})
    ]
    content = b"".join(b"data: " + json.dumps(part).encode() + b"\n\n" for part in parts) + b"data: [DONE]\n\n"
    facts = stream(
        body(content), token_type=None, token_field="$.choices[0].delta.content", terminal_data="[DONE]"
    ).facts
    assert (facts["text"], facts["tokens"], facts["json_valid"]) == ("Hello", 2, True)
    assert (facts["terminated"], facts["terminal"]) == (True, "[DONE]")
    ended = stream(body(content), terminal_where={"$.choices[0].delta.content": "lo"}).facts
    assert (ended["terminal"], ended["after_terminal"]) == ("message", 1)


def test_a_compressed_stream_is_read_and_named() -> None:
    """Compression is undone and shown."""

    async def packed(talk: Talk) -> None:
        await talk.send(HEAD, b"Content-Encoding: gzip\r\nConnection: close\r\n\r\n", gzip.compress(WHOLE))

    facts = stream(packed).facts
    assert (facts["encoding"], facts["terminated"], facts["bytes"]) == ("gzip", True, len(WHOLE))


def test_many_streams_at_once() -> None:
    """All streams are open together; their ends, tokens and errors are added up."""
    open_now = 0
    most = 0
    served = 0

    async def answer(talk: Talk) -> None:
        nonlocal open_now, most, served
        served += 1
        number = served
        open_now += 1
        most = max(most, open_now)
        await talk.send(CHUNKED)
        await talk.chunk(SOURCES, *TOKENS)
        await asyncio.sleep(0.4)
        if number > 2:
            await talk.chunk(event(type="done", tokens=9) if number == 3 else DONE)
            await talk.send(END)
        open_now -= 1

    seen = stream(answer, "sse.streams", count=8)
    assert most == 8
    facts = seen.facts
    assert (facts["terminated"], facts["unterminated"], facts["cut"], facts["left"]) == (6, 2, 2, 0)
    assert (facts["error"], facts["errors"]) == ("reset", {"reset": 2})
    assert (facts["events"], facts["tokens"], facts["wrong_token_counts"]) == (8 * 6 + 6, 40, 1)
    assert (facts["distinct_texts"], facts["statuses"]) == (1, {"200": 8})
    assert facts["slowest_total_ms"] <= facts["elapsed_ms"]


def test_many_clients_leave_together() -> None:
    """With leave_after every client is gone in the middle, and that is not a failure."""

    async def endless(talk: Talk) -> None:
        await talk.send(CHUNKED)
        await talk.chunk(*TOKENS)
        await talk.client_left()

    seen = stream(endless, "sse.streams", count=5, leave_after=2)
    assert seen.held, seen.findings
    assert (seen.facts["left"], seen.facts["unterminated"], seen.facts["events"]) == (5, 0, 10)
