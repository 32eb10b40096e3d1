"""`load.sse` against scripted servers: exact counts, times, every way in which a stream fails."""

from __future__ import annotations

import asyncio
import gzip
import os
import re
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from tests.certificates import authority
from tests.checkers.streaming import (
    CHUNKED,
    DONE,
    END,
    HEAD,
    SOURCES,
    TOKEN,
    WHOLE,
    Script,
    chunk,
    client_gone,
    event,
    play,
    plays,
)
from tests.context import call_checker, check_context, observe
from tests.scripted import Line, ReceivedRequest, Scripted, ok, raw_response, scripted
from xnai_validate.checkers.load._streams import line as streamline
from xnai_validate.kit import Observed, Target, Tls
from xnai_validate.model.histogram import Histogram


def load(where: Scripted | Target, *, lasts: str = "500ms", **with_: Any) -> Observed:
    target = where if isinstance(where, Target) else Target("api", where.url())
    return observe("load.sse", target, **{"for": lasts, "json": {"query": "What?"}, **with_})


def streams(script: Script, **with_: Any) -> dict[str, Any]:
    """The facts of ten streams in half a second."""
    with scripted(script) as server:
        return dict(load(server, **{"arrivals": {"rate": 20}, **with_}).facts)


async def measured(server: Scripted, *, lasts: str, **with_: Any) -> list[str]:
    """Measure, in this loop; returns the lines of progress."""
    texts: list[str] = []
    target = Target("api", server.url())
    async with check_context("load.sse", target, progress=texts.append, **{"for": lasts, **with_}) as ctx:
        await call_checker(ctx)
    return texts


def alternately(first: Script, second: Script) -> Script:
    """The first script for connections of odd numbers, the second for the others."""

    async def script(request: ReceivedRequest, line: Line) -> bool:
        return await (first if request.connection % 2 else second)(request, line)

    return script


def test_an_open_load_of_streams_counts_everything() -> None:
    """40 a second for half a second: 20 streams of 5 events, of which 3 are tokens; the default rules hold."""
    with scripted(plays(*WHOLE)) as server:
        seen = load(server, arrivals={"rate": 40})
        assert len(server.requests) == 20
        assert {(request.method, request.path, request.body) for request in server.requests} == {
            ("POST", "/stream", b'{"query": "What?"}')
        }
        assert {request.headers["accept"] for request in server.requests} == {"text/event-stream"}
        assert server.connections == 20
    assert seen.held, seen.findings
    facts = seen.facts
    assert (facts["planned_count"], facts["sent_count"], facts["completed_count"]) == (20, 20, 20)
    assert (facts["terminated_count"], facts["unterminated_count"], facts["cut_count"]) == (20, 0, 0)
    assert (facts["events"], facts["tokens"], facts["wrong_token_counts"]) == (100, 60, 0)
    assert (facts["error_count"], facts["error_ratio"], facts["error_kinds"]) == (0, 0, {})
    assert (facts["statuses"], facts["connection_count"]) == ({"200": 20}, 20)
    assert facts["elapsed_ms"] >= 500
    assert facts["tokens_per_s"] == pytest.approx(60 / facts["elapsed_ms"] * 1000)
    assert 0 < facts["p50_ms"] <= facts["first_token_p50_ms"] <= facts["stream_p50_ms"]


def test_times_are_those_of_the_streams() -> None:
    """The first event at once, the first token after 100 ms, the others 50 ms apart: 20 tokens a second in a stream."""
    facts = streams(plays(SOURCES, 0.1, TOKEN, 0.05, TOKEN, 0.05, TOKEN, DONE))
    assert facts["max_ms"] < facts["first_token_p50_ms"]
    assert facts["first_token_p50_ms"] >= 100
    assert facts["token_gap_p50_ms"] >= 49
    assert facts["token_gap_max_ms"] >= facts["token_gap_p99_ms"] >= facts["token_gap_p50_ms"]
    assert facts["stream_p50_ms"] >= 200
    assert 5 < facts["slow_stream_tokens_per_s"] <= facts["stream_tokens_per_s"] <= 21
    assert facts["buffered_count"] == 0


def test_a_server_that_stands_still_shows_in_full() -> None:
    """It stops for 800 ms in the middle of 2 s: who would have come meanwhile has waited, and is counted so.

    40 streams a second for the first 400 ms of the stop have waited 400 ms and more: 16, of all 80.
    """
    begun: list[float] = []
    stopped: list[float] = []

    async def script(request: ReceivedRequest, line: Line) -> bool:
        begun.append(time.monotonic())
        if not stopped and begun[-1] >= begun[0] + 0.8:
            stopped.append(begun[-1])
            time.sleep(0.8)  # noqa: ASYNC251 (all of the server stands still)
        await play(line, *WHOLE)
        return False

    with scripted(script) as server:
        facts = load(server, arrivals={"rate": 40}, lasts="2s").facts
    assert (facts["sent_count"], facts["completed_count"]) == (80, 80)
    late = 0
    for window in facts["latency_windows"]["windows"]:
        histogram = Histogram.from_json(window)
        ranks = [histogram.quantile(rank / histogram.count) for rank in range(1, histogram.count + 1)]
        late += sum(us is not None and us >= 400_000 for us in ranks)
    assert 13 <= late <= 60
    assert facts["max_ms"] >= 780
    assert facts["p90_ms"] >= 400 > facts["p50_ms"]


def test_callers_hold_streams_at_once() -> None:
    """30 callers are 30 streams at once: the server lets none go on before all are there."""
    waiting: list[Line] = []
    everybody = asyncio.Event()

    async def script(request: ReceivedRequest, line: Line) -> bool:
        await line.send(CHUNKED + chunk(TOKEN))
        waiting.append(line)
        if len(waiting) == 30:
            everybody.set()
        await everybody.wait()
        await asyncio.sleep(0.3)  # by then the client has read the head of the last one too
        await line.send(chunk(DONE.replace(b"3", b"1")) + END)
        return False

    with scripted(script) as server:
        facts = load(server, callers=30, lasts="200ms").facts
    assert (facts["peak_streams"], facts["completed_count"], facts["error_count"]) == (30, 30, 0)


def test_a_caller_opens_the_next_stream_when_his_has_ended() -> None:
    """Two callers with streams of 50 ms and more open at most 10 each in half a second, one after the other."""
    with scripted(plays(TOKEN, 0.05, DONE)) as server:
        facts = load(server, callers=2).facts
        assert facts["sent_count"] == facts["completed_count"] == len(server.requests)
    assert 2 < facts["sent_count"] <= 20
    assert facts["peak_streams"] == 2


def test_the_warm_up_is_in_no_figure() -> None:
    """The server sees its streams, and the figures do not."""
    with scripted(plays(*WHOLE)) as server:
        facts = load(server, arrivals={"rate": 20}, warmup="500ms").facts
        assert len(server.requests) == 20
    assert (facts["sent_count"], facts["tokens"], facts["statuses"]) == (10, 30, {"200": 10})


def test_the_windows_hold_the_times_to_the_first_event() -> None:
    """One for each stream, also for one that never has an event: it took at least its time limit."""
    silent = plays(b": beat\n\n", 30.0)
    facts = streams(alternately(plays(SOURCES, 0.2, TOKEN, DONE), silent), timeout="1s", stop_at=None)
    windows = [Histogram.from_json(window) for window in facts["latency_windows"]["windows"]]
    assert sum(window.count for window in windows) == 10
    assert facts["error_kinds"] == {"timeout": 5}
    assert facts["p50_ms"] < 200
    assert 1000 <= facts["p99_ms"] <= facts["max_ms"]


@pytest.mark.parametrize(
    ("script", "kind", "words", "also"),
    [
        (plays(SOURCES, TOKEN, end=b""), "reset", "before the end of the response, after 2 events", "cut_count"),
        (plays(SOURCES, TOKEN, end=b"zz\r\n"), "protocol", "not HTTP", "cut_count"),
        (plays(SOURCES, TOKEN), "unterminated", "without an event that ends it, after 2 events", "unterminated_count"),
        (plays(*WHOLE, TOKEN), "unterminated", "went on after the event that ends it", "unterminated_count"),
        (
            plays(TOKEN, event(type="error", error="full")),
            "error_event",
            "an error: full",
            "error_event_count",
        ),
        (ok(b"no", status="503 Service Unavailable"), "status", "answered 503", None),
        (ok(b"<p>", "Content-Type: text/html"), "content_type", "text/html", None),
        (raw_response(b"SSH-2.0-OpenSSH\r\n"), "protocol", "not HTTP", None),
        (raw_response(b""), "reset", "before the end of the response's headers", None),
    ],
)
def test_streams_that_fail_are_counted_by_kind(script: Script, kind: str, words: str, also: str | None) -> None:
    """Every second stream fails: by kind, the first in words, and the others are as good as ever."""
    facts = streams(alternately(script, plays(*WHOLE)), stop_at=None)
    assert facts["error_kinds"] == {kind: 5}
    assert (facts["error_count"], facts["error_ratio"], facts["completed_count"]) == (5, 0.5, 5)
    assert words in facts["error_detail"]
    counts = {name: facts[name] for name in ("cut_count", "unterminated_count", "error_event_count")}
    assert counts == {**dict.fromkeys(counts, 0), **({also: 5} if also else {})}
    assert facts["terminated_count"] == (10 if kind == "error_event" else 5)


def test_a_connection_that_is_refused() -> None:
    """No server listens: counted, described, and the load ends early by itself."""
    seen = load(Target("api", "http://127.0.0.1:1"), arrivals={"rate": 100})
    facts = seen.facts
    assert set(facts["error_kinds"]) == {"refused"}
    assert facts["ended_early"]
    assert facts["sent_count"] < 50
    assert (facts["events"], facts["tokens_per_s"], facts["p50_ms"]) == (0, 0, None)
    assert not seen.held


def test_literal_line_ends_are_named() -> None:
    """Frames that end in backslash and n: no event is dispatched, and the load names the reason."""
    broken = b"".join(event.replace(b"\n\n", b"\\n\\n") for event in WHOLE)
    facts = streams(alternately(plays(broken), plays(*WHOLE)), stop_at=None)
    assert facts["framing_faults"] == ["literal_newline", "incomplete_last_block"]
    assert facts["framing_fault_counts"] == {"literal_newline": 5, "incomplete_last_block": 5}
    assert facts["error_kinds"] == {"unterminated": 5}


def test_literal_line_ends_of_a_stream_that_stalls_are_named_too() -> None:
    """Its line never ends, so that the fault is in what is held; it shows when the stream is given up."""
    facts = streams(plays(TOKEN.replace(b"\n\n", b"\\n\\n") + b"\n", 30.0), timeout="300ms", stop_at=None)
    assert facts["framing_fault_counts"] == {"literal_newline": 10}
    assert facts["error_kinds"] == {"timeout": 10}


def test_streams_that_are_held_back_are_reported() -> None:
    """All events in one piece are buffered, and the gaps between their tokens are zero."""
    apart: list[bytes | float] = [part for event_ in WHOLE for part in (event_, 0.05)]
    facts = streams(alternately(plays(b"".join(WHOLE)), plays(*apart)))
    assert (facts["buffered_count"], facts["completed_count"]) == (5, 10)
    facts = streams(plays(b"".join(WHOLE)))
    assert (facts["token_gap_max_ms"], facts["stream_tokens_per_s"]) == (0, None)


def test_a_stream_that_stalls_is_given_up() -> None:
    """Silence ends it, heartbeats do not; the tokens before count."""
    stalls = plays(SOURCES, TOKEN, 30.0)
    pauses: list[bytes | float] = [0.1, b": beat\n\n"] * 5
    beats = plays(TOKEN, *pauses, TOKEN, TOKEN, DONE)
    facts = streams(alternately(stalls, beats), idle_timeout="300ms", stop_at=None)
    assert (facts["error_kinds"], facts["cut_count"], facts["completed_count"]) == ({"timeout": 5}, 0, 5)
    assert "silent for 0.3 s after 2 events" in facts["error_detail"]
    assert facts["tokens"] == 5 + 15


def test_a_stream_that_does_not_end_runs_out_of_time() -> None:
    """Tokens for ever: the time limit of the whole stream ends it, and the server sees us go."""

    async def script(request: ReceivedRequest, line: Line) -> bool:
        parts: list[bytes | float] = [TOKEN, 0.02] * 500
        await play(line, *parts)
        return False

    with scripted(script) as server:
        facts = load(server, arrivals={"rate": 20}, timeout="400ms", stop_at=None).facts
        assert facts["error_kinds"] == {"timeout": 10}
        assert facts["elapsed_ms"] < 5_000
        assert facts["p99_ms"] < 400
        gone = time.monotonic() + 5
        while len(server.gone) < 10 and time.monotonic() < gone:
            time.sleep(0.01)
        assert len(server.gone) == 10


def test_claims_of_other_token_counts_are_reported() -> None:
    """The last event declares 3, and 2 came."""
    facts = streams(alternately(plays(TOKEN, TOKEN, DONE), plays(*WHOLE)))
    assert facts["wrong_token_counts"] == 5


def test_the_way_of_openai_is_understood() -> None:
    """`[DONE]`, no types, tokens by JSONPath: as sse.stream understands it."""
    token = b'data: {"choices": [{"delta": {"content": "word"}}]}\n\n'
    facts = streams(
        plays(token, token, b"data: [DONE]\n\n"),
        token_type=None, token_field="$.choices[0].delta.content", terminal_data="[DONE]",
    )  # fmt: skip
    assert (facts["terminated_count"], facts["tokens"], facts["error_count"]) == (10, 20, 0)


def test_compressed_streams_are_read() -> None:
    """One that is compressed as a whole comes as one piece."""
    packed = gzip.compress(b"".join(WHOLE))

    async def script(request: ReceivedRequest, line: Line) -> bool:
        await line.send(HEAD + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(packed) + END)
        return False

    facts = streams(script)
    assert (facts["tokens"], facts["completed_count"], facts["buffered_count"]) == (30, 10, 10)


def test_streams_over_tls(tmp_path: Path) -> None:
    """With a certificate that verifies they are read; with another one every stream is an error of tls."""
    mine = authority(tmp_path)
    with scripted(plays(*WHOLE), context=mine.server("localhost")) as server:
        url = server.url(scheme="https").replace("127.0.0.1", "localhost")
        good = load(Target("api", url, tls=Tls(ca=mine.ca)), arrivals={"rate": 20}).facts
        bad = load(Target("api", url), arrivals={"rate": 20}, stop_at=None).facts
    assert (good["completed_count"], good["tokens"]) == (10, 30)
    assert bad["error_kinds"] == {"tls": 10}


def test_too_many_errors_end_the_load() -> None:
    """Streams that fail from the beginning: the load ends before its time, those under way are left and closed."""
    with scripted(plays(TOKEN, end=b"")) as server:
        facts = load(server, callers=10, lasts="20s").facts
    assert facts["ended_early"]
    assert facts["elapsed_ms"] < 10_000
    assert "failed" in facts["ended_because"]


def test_a_large_event_takes_bounded_memory() -> None:
    """A line of 200 MB is read past, not kept; it is named as a fault."""

    async def script(request: ReceivedRequest, line: Line) -> bool:
        piece = chunk(b"x" * 1_000_000)
        await line.send(CHUNKED + chunk(b"data: "))
        for _ in range(200):
            await line.send(piece)
        await line.send(chunk(b"\n\n" + DONE) + END)
        return False

    tracemalloc.start()
    try:
        with scripted(script) as server:
            facts = load(server, arrivals={"rate": 5}, lasts="200ms", timeout="50s").facts
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert facts["framing_fault_counts"] == {"line_too_long": 1}
    assert (facts["completed_count"], facts["events"]) == (1, 1)
    assert peak < 24 * 1024 * 1024


def test_many_unended_events_have_a_bound_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams that each begin an event of 300 KB and wait: those beyond the bound are given up, small ones are not."""
    monkeypatch.setattr(streamline, "HELD_CAP", 2_000_000)
    large = plays(b"data: " + b"x" * 300_000, 0.8, b"\n\n", DONE)
    facts = streams(alternately(large, plays(TOKEN, 1.0, TOKEN, TOKEN, DONE)), arrivals={"rate": 40}, stop_at=None)
    assert facts["error_kinds"] == {"too_large": 4}
    assert (facts["completed_count"], facts["tokens"]) == (16, 30)
    assert "hold more than" in facts["error_detail"]


def test_cancelling_closes_every_stream() -> None:
    """A measurement that is cancelled has closed all its sockets when it is over, and no task is left."""

    async def script(request: ReceivedRequest, line: Line) -> bool:
        await line.send(CHUNKED + chunk(TOKEN))
        await client_gone(line)
        return False

    async def cancelled(server: Scripted) -> tuple[int, int, int]:
        before = len(os.listdir("/proc/self/fd"))
        measuring = asyncio.ensure_future(measured(server, callers=50, lasts="20s"))
        while len(server.requests) < 50 and not measuring.done():  # noqa: ASYNC110 (the server is in another thread)
            await asyncio.sleep(0.01)
        during = len(os.listdir("/proc/self/fd"))
        measuring.cancel()
        with pytest.raises(asyncio.CancelledError):
            await measuring
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return before, during, len(os.listdir("/proc/self/fd"))

    with scripted(script) as server:
        before, during, after = asyncio.run(cancelled(server))
        gone = time.monotonic() + 5
        while len(server.gone) < 50 and time.monotonic() < gone:
            time.sleep(0.01)
        assert len(server.gone) == 50
    # The server has its end of each connection in this process too, and may still be closing some.
    assert during >= before + 100
    assert after <= before + 50


def test_progress_describes_the_load() -> None:
    """A user sees elapsed and total time, the rate, streams under way, and errors."""
    with scripted(plays(TOKEN, 0.3, DONE)) as server:
        lines = asyncio.run(measured(server, callers=3, lasts="1s", warmup="1s"))
    assert lines[0].startswith("warm-up 1/1 s, ")
    assert any(", p50 " in line for line in lines), lines
    assert any(line.startswith("load 1/1 s, ") for line in lines), lines
    for line in lines:
        assert re.search(r", \d+ tokens/s(, p50 [\d.]+ ms, p99 [\d.]+ ms)?, [0-3] under way, 0 errors$", line), line


def test_the_longest_gap_of_each_stream_is_a_distribution() -> None:
    """A standstill of 0.3 s in each of ten streams of 60 tokens is 1.7 % of the gaps, and is in every stream."""
    done = event(type="done", tokens=60)
    facts = streams(plays(TOKEN * 30, 0.3, TOKEN * 30, done))
    assert facts["completed_count"] == 10
    assert facts["token_gap_p95_ms"] < 50
    assert 290 <= facts["stream_gap_p50_ms"] <= facts["stream_gap_max_ms"]
    assert facts["stream_gap_p50_ms"] <= facts["stream_gap_p95_ms"] <= facts["stream_gap_p99_ms"]


def test_an_error_frame_counts_also_before_the_literal_end() -> None:
    """OpenAI-like servers report an error without a type, and `[DONE]` follows: no stream of these has ended well."""
    text = event(choices=[{"delta": {"content": "Hel"}}])
    facts = streams(plays(text, event(error={"message": "upstream overloaded"}), b"data: [DONE]\n\n"))
    assert (facts["error_event_count"], facts["completed_count"], facts["tokens"]) == (10, 0, 10)
    assert facts["error_kinds"] == {"error_event": 10}
    assert facts["error_detail"] == "the stream reported an error: upstream overloaded"


def test_an_empty_text_is_no_first_token() -> None:
    """The first chunk of OpenAI-like servers carries a role at once; the first token is the first text."""
    role = event(choices=[{"delta": {"role": "assistant", "content": ""}}])
    text = event(choices=[{"delta": {"content": "Hi"}}])
    facts = streams(plays(role, 0.25, text, b"data: [DONE]\n\n"))
    assert facts["tokens"] == facts["completed_count"] == 10
    assert facts["first_token_p50_ms"] >= 240
    assert facts["p50_ms"] < 200
