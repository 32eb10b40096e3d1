"""One stream of newline-delimited JSON."""

from __future__ import annotations

from typing import ClassVar

from xnai_validate.checkers._http_fields import HttpPath
from xnai_validate.checkers._streams.models import StreamFacts, StreamParams
from xnai_validate.checkers._streams.reading import Reading
from xnai_validate.kit import Context, checker
from xnai_validate.wire.http.client import HttpClient
from xnai_validate.wire.ndjson import MEDIA_TYPES, NdjsonParser


class NdjsonParams(StreamParams):
    """The request, what lines mean, when to leave, and the bounds."""

    accept: ClassVar[str] = "application/x-ndjson"
    path: HttpPath = "/api/chat"
    """The path below the target's url; an absolute url is taken as it is."""


@checker(
    "ndjson.stream",
    expect={
        "error": None,
        "status": 200,
        "content_type": {"in": list(MEDIA_TYPES)},
        "framing_faults": [],
        "bad_json_count": 0,
        "error_text": None,
    },
    from_workers=True,
)
async def stream(params: NdjsonParams, ctx: Context) -> StreamFacts:
    """Read a stream of JSON documents, one a line, to its end, or leave it on purpose.

    The facts are those of `sse.stream`; each line is an event. Ollama's own API streams this way::

        kind: ndjson.stream
        with: {path: /api/chat, json: {model: llama3.2, messages: [{role: user, content: Hello}]}}
        expect: {terminated: true, tokens: {min: 1}, first_token_ms: {max: 2s}, finish_reason: stop}
    """
    reading = Reading(params, NdjsonParser())
    client = await ctx.shared(("http",), HttpClient)
    await reading.run(client, params.request(ctx.target))
    return reading.facts()
