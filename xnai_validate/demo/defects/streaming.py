"""Defects of token streams."""

from __future__ import annotations

from xnai_validate.demo.defects.entry import Defect

_FRAMES = (
    Defect(
        "stream-literal-newlines",
        "Frames end with the characters backslash and n instead of line ends.",
        checks=("streaming/stream:frames",),
    ),
    Defect(
        "stream-unterminated-frames",
        "Frames end with one line end; no event is ever complete.",
        checks=("streaming/stream:frames",),
    ),
    Defect(
        "stream-last-frame-cut",
        "The last frame is not ended by an empty line, so readers drop it.",
        checks=("streaming/stream:frames",),
    ),
    Defect("stream-without-data-field", "Frames are bare JSON without `data:`.", checks=("streaming/stream:frames",)),
    Defect("stream-json-torn", "The JSON of a token is spread over two events.", checks=("streaming/stream:frames",)),
    Defect("stream-done-marker", "The end is told as [DONE] instead of JSON.", checks=("streaming/stream:frames",)),
    Defect(
        "stream-bom-inside",
        "A byte order mark stands in the middle, and the event behind it is lost.",
        checks=("streaming/stream:frames",),
    ),
    Defect("stream-utf8-cut", "A character is cut in the middle of its bytes.", checks=("streaming/stream:frames",)),
    Defect(
        "stream-gzip",
        "The stream is compressed for readers that did not ask for it.",
        checks=(
            "streaming/stream:through-gateway",
            "streaming/stream:unbuffered",
        ),
    ),
    Defect(
        "stream-content-type",
        "The stream is sent as plain text.",
        checks=(
            "api/contract:stream",
            "streaming/stream:frames",
        ),
    ),
    Defect("stream-cacheable", "The stream lacks Cache-Control.", checks=("streaming/stream:proxy-headers",)),
    Defect(
        "stream-accel-buffering",
        "The stream lacks X-Accel-Buffering, so nginx holds it back.",
        checks=("streaming/stream:proxy-headers",),
    ),
)

_EVENTS = (
    Defect(
        "stream-without-done",
        "The stream ends without a done event.",
        checks=(
            "streaming/stream:order",
            "streaming/stream:without-rag",
            "streaming/stream:tokens-counted",
        ),
    ),
    Defect(
        "stream-done-miscounts",
        "The done event counts more tokens than were sent.",
        checks=(
            "rag/consistency:counted",
            "streaming/stream:many-at-once",
            "streaming/stream:tokens-counted",
        ),
    ),
    Defect(
        "stream-done-without-latency", "The done event lacks latency_ms.", checks=("streaming/stream:tokens-counted",)
    ),
    Defect(
        "stream-done-early",
        "The done event comes before the last token.",
        checks=(
            "streaming/stream:many-at-once",
            "streaming/stream:order",
            "streaming/stream:through-gateway",
        ),
    ),
    Defect(
        "stream-without-sources",
        "The stream does not name its sources.",
        checks=(
            "streaming/stream:answers",
            "streaming/stream:order",
        ),
    ),
    Defect("stream-sources-late", "The sources come after the tokens.", checks=("streaming/stream:order",)),
    Defect(
        "stream-error-then-done",
        "An error is followed by done, so the reader takes the answer for whole.",
        checks=(
            "streaming/stream:many-at-once",
            "streaming/stream:order",
            "streaming/stream:through-gateway",
        ),
    ),
    Defect(
        "stream-token-renamed",
        "The text of a token stands in another field.",
        checks=(
            "streaming/stream:answers",
            "streaming/stream:same-answer",
            "streaming/stream:tokens-counted",
        ),
    ),
    Defect(
        "stream-tokens-doubled",
        "A token is sent twice.",
        checks=(
            "streaming/stream:many-at-once",
            "streaming/stream:same-answer",
            "streaming/stream:token-limit",
            "streaming/stream:tokens-counted",
        ),
    ),
    Defect(
        "stream-tokens-swapped", "Two tokens are sent in the wrong order.", checks=("streaming/stream:same-answer",)
    ),
    Defect(
        "stream-empty-tokens",
        "Every second token is empty.",
        checks=(
            "streaming/stream:many-at-once",
            "streaming/stream:token-limit",
            "streaming/stream:tokens-counted",
        ),
    ),
    Defect("stream-oversized-event", "An event is larger than 65 536 bytes.", checks=("streaming/stream:frames",)),
    Defect(
        "stream-other-text",
        "The stream answers something else than the query.",
        checks=(
            "streaming/stream:answers",
            "streaming/stream:same-answer",
        ),
    ),
    Defect(
        "stream-max-tokens-ignored",
        "The stream is as long as it likes, whatever max_tokens says.",
        checks=("streaming/stream:token-limit",),
    ),
)

_TIMING = (
    Defect(
        "stream-burst",
        "All events arrive at once, at the end.",
        checks=(
            "streaming/stream:through-gateway",
            "streaming/stream:unbuffered",
        ),
    ),
    Defect(
        "stream-whole-body",
        "The stream is collected and sent with its length.",
        checks=(
            "streaming/stream:through-gateway",
            "streaming/stream:unbuffered",
        ),
    ),
    Defect(
        "stream-slow-first-token",
        "The first token takes two and a half seconds.",
        checks=(
            "rag/model:first-token",
            "streaming/stream:first-token",
        ),
    ),
    Defect("stream-stalls", "The tokens pause for two seconds in the middle.", checks=("streaming/stream:no-stall",)),
    Defect(
        "stream-without-heartbeat",
        "Nothing is sent while the model is silent, for longer than readers wait.",
        checks=("streaming/stream:no-silence",),
    ),
    Defect(
        "stream-heartbeat-as-data",
        "Heartbeats are events, which readers take for answers.",
        checks=("streaming/stream:order",),
    ),
)

_ENDING = (
    Defect("stream-cut-off", "The connection breaks in the middle of the answer.", checks=("streaming/stream:frames",)),
    Defect("stream-never-ends", "The connection stays open after the last event.", checks=("streaming/stream:frames",)),
    Defect(
        "stream-generator-survives",
        "The answer is generated to its end although the reader has left.",
        checks=("streaming/cleanup:generation-stops",),
    ),
    Defect(
        "stream-descriptor-leak",
        "A reader that leaves early costs the API an open file for ever.",
        checks=("streaming/cleanup:no-descriptors-leak",),
    ),
    Defect(
        "stream-session-leak",
        "A reader that leaves early counts as an active session for ever.",
        checks=("streaming/cleanup:sessions-return",),
    ),
)

STREAMING: tuple[Defect, ...] = (*_FRAMES, *_EVENTS, *_TIMING, *_ENDING)
"""All of them."""
