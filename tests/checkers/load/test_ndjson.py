"""`load.ndjson` against a scripted server that streams as Ollama does."""

from __future__ import annotations

import json
from typing import Any

from tests.checkers.streaming import CHUNKED, END, chunk
from tests.context import observe
from tests.scripted import Line, ReceivedRequest, Scripted, scripted
from xnai_validate.kit import Observed, Target

NDJSON = CHUNKED.replace(b"text/event-stream; charset=utf-8", b"application/x-ndjson")


def line(**fields: Any) -> bytes:
    """One line, as Ollama sends it."""
    return json.dumps({"model": "m", **fields}).encode() + b"\n"


WORDS = [line(message={"role": "assistant", "content": word}, done=False) for word in ("Hel", "lo", "!")]
LAST = line(message={"role": "assistant", "content": ""}, done=True, done_reason="stop", eval_count=3)


def load(server: Scripted) -> Observed:
    """Ten streams in half a second."""
    return observe("load.ndjson", Target("llm", server.url()), **{"for": "500ms", "arrivals": {"rate": 20}, "json": {}})


def test_streams_of_lines_are_counted_and_timed() -> None:
    """Each line is an event; the text of the last one is no token, and it ends the stream."""

    async def answer(request: ReceivedRequest, connection: Line) -> bool:
        await connection.send(NDJSON)
        for part in (*WORDS, LAST):
            await connection.send(chunk(part))
        await connection.send(END)
        return False

    with scripted(answer) as server:
        seen = load(server)
        assert {request.path for request in server.requests} == {"/api/chat"}
        assert {request.headers["accept"] for request in server.requests} == {"application/x-ndjson"}
    assert seen.held, seen.findings
    facts = seen.facts
    assert (facts["completed_count"], facts["terminated_count"]) == (10, 10)
    assert (facts["events"], facts["tokens"]) == (40, 30)


def test_an_error_in_a_line_and_a_cut_line_fail() -> None:
    """A model runner that dies leaves a line with an error, or half a line: neither stream has ended well."""

    async def answer(request: ReceivedRequest, connection: Line) -> bool:
        await connection.send(NDJSON)
        last = line(error="unexpected EOF") if request.connection % 2 else LAST[:20]
        await connection.send(chunk(WORDS[0] + last) + END)
        return False

    with scripted(answer) as server:
        facts = load(server).facts
    assert (facts["completed_count"], facts["error_event_count"], facts["unterminated_count"]) == (0, 5, 5)
    assert facts["framing_faults"] == ["incomplete_last_line"]
