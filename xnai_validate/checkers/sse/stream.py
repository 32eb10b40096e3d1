"""One stream of server-sent events."""

from __future__ import annotations

from xnai_validate.checkers._streams.framing import FramingParams
from xnai_validate.checkers._streams.models import StreamFacts, StreamParams
from xnai_validate.checkers._streams.reading import Reading
from xnai_validate.kit import Context, checker
from xnai_validate.wire.http.client import HttpClient


class SseParams(FramingParams, StreamParams):
    """The request, which frames are read, what events mean, when to leave, and the bounds."""


@checker(
    "sse.stream",
    expect={
        "error": None,
        "status": 200,
        "content_type": "text/event-stream",
        "framing_faults": [],
        "error_text": None,
    },
    from_workers=True,
)
async def stream(params: SseParams, ctx: Context) -> StreamFacts:
    """Read a stream of server-sent events to its end, or leave it on purpose.

    Events are those that a browser would dispatch (WHATWG HTML, section 9.2); faults of framing that a browser passes
    over are named. A stream in which the server reports an error fails, however it ends. Every time is measured from
    the beginning of the request, connecting included, at the read of the socket that brought the event. Leaving closes
    the connection at once, as a closed browser tab does::

        kind: sse.stream
        with: {method: POST, path: /stream, json: {query: "What is Xoe-NovAi?"}}
        expect: {order: [sources, token, done], first_token_ms: {max: 2s}, token_count_difference: 0, buffered: false}
    """
    reading = Reading(params, params.parser())
    client = await ctx.shared(("http",), HttpClient)
    await reading.run(client, params.request(ctx.target))
    return reading.facts()
