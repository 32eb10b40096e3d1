"""`load.ndjson`: many streams of newline-delimited JSON."""

from __future__ import annotations

from typing import ClassVar

from xnai_validate.checkers._http_fields import HttpPath
from xnai_validate.checkers.load._models import load_waits
from xnai_validate.checkers.load._streams.stream_load import StreamLoad, StreamLoadFacts, measure_streams
from xnai_validate.kit import Context, checker
from xnai_validate.wire.ndjson import MEDIA_TYPES, NdjsonParser


class NdjsonLoad(StreamLoad):
    """The stream, and how many are opened when, or held at once."""

    accept: ClassVar[str] = "application/x-ndjson"
    path: HttpPath = "/api/chat"
    """The path below the target's url; an absolute url is taken as it is."""


@checker(
    "load.ndjson",
    expect={"error_ratio": 0, "not_sent_count": 0, "ended_early": False, "framing_faults": []},
    exclusive=True,
    extra="load",
    preload=("httptools",),
    waits=load_waits,
)
async def ndjson(params: NdjsonLoad, ctx: Context) -> StreamLoadFacts:
    """Open many streams of JSON documents, one a line, as Ollama's own API sends them, and measure them.

    Schedule, facts and kinds of errors are those of `load.sse`; each line is an event.

        kind: load.ndjson
        target: llm
        timeout: 2m
        with: {path: /api/generate, json: {model: llama3.2, prompt: Hello}, callers: 10, for: 30s}
        expect: {error_ratio: 0, first_token_p95_ms: {max: 2s}, stream_gap_p95_ms: {max: 500}}
    """
    return await measure_streams("load.ndjson", params, ctx, NdjsonParser, MEDIA_TYPES)
