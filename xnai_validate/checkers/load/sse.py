"""`load.sse`: many streams of server-sent events."""

from __future__ import annotations

from xnai_validate.checkers._streams.framing import FramingParams
from xnai_validate.checkers.load._models import load_waits
from xnai_validate.checkers.load._streams.stream_load import StreamLoad, StreamLoadFacts, measure_streams
from xnai_validate.kit import Context, checker


class SseLoad(FramingParams, StreamLoad):
    """The stream, and how many are opened when, or held at once."""


@checker(
    "load.sse",
    expect={"error_ratio": 0, "not_sent_count": 0, "ended_early": False, "framing_faults": []},
    exclusive=True,
    extra="load",
    preload=("httptools",),
    waits=load_waits,
)
async def sse(params: SseLoad, ctx: Context) -> StreamLoadFacts:
    """Open many streams of server-sent events, on a schedule or by virtual users that hold one each, and measure them.

    Each stream has a connection of its own and is read to its end; its events are understood as by sse.stream. Facts
    about requests are about streams: a stream counts as answered if it has ended well, that is with status 200, as
    an event stream, to the end of its body, with an event that ends it as its last, and without an error event. Latency
    (`p50_ms` and so on) is the time to the first event. Kinds of errors, besides those of `error` elsewhere: `status`,
    `content_type`, `unterminated`, `error_event`. At most 128 connections are being opened at once, and the time of a
    virtual user begins with that. Nothing else runs meanwhile.

    A bound that holds although `too_slow_client` is true can be trusted; where one does not
    hold, this machine may be the cause.

        kind: load.sse
        target: api
        timeout: 2m
        with: {path: /stream, json: {query: "What is Xoe-NovAi?"}, callers: 100, for: 30s, warmup: 5s}
        expect: {error_ratio: 0, first_token_p95_ms: {max: 2s}, stream_gap_p95_ms: {max: 500}}
    """
    return await measure_streams("load.sse", params, ctx, params.parser, ("text/event-stream",))
