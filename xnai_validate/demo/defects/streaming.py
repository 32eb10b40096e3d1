"""Defects of token streams."""

from __future__ import annotations

from xnai_validate.demo.defects.entry import Defect

_FRAMES = (
    Defect("stream-literal-newlines", "Frames end with the characters backslash and n instead of line ends."),
    Defect("stream-unterminated-frames", "Frames end with one line end; no event is ever complete."),
    Defect("stream-last-frame-cut", "The last frame is not ended by an empty line, so readers drop it."),
    Defect("stream-without-data-field", "Frames are bare JSON without `data:`."),
    Defect("stream-json-torn", "The JSON of a token is spread over two events."),
    Defect("stream-done-marker", "The end is told as [DONE] instead of JSON."),
    Defect("stream-bom-inside", "A byte order mark stands in the middle, and the event behind it is lost."),
    Defect("stream-utf8-cut", "A character is cut in the middle of its bytes."),
    Defect("stream-gzip", "The stream is compressed for readers that did not ask for it."),
    Defect("stream-content-type", "The stream is sent as plain text."),
    Defect("stream-cacheable", "The stream lacks Cache-Control."),
    Defect("stream-accel-buffering", "The stream lacks X-Accel-Buffering, so nginx holds it back."),
)

_EVENTS = (
    Defect("stream-without-done", "The stream ends without a done event."),
    Defect("stream-done-miscounts", "The done event counts more tokens than were sent."),
    Defect("stream-done-without-latency", "The done event lacks latency_ms."),
    Defect("stream-done-early", "The done event comes before the last token."),
    Defect("stream-without-sources", "The stream does not name its sources."),
    Defect("stream-sources-late", "The sources come after the tokens."),
    Defect("stream-error-then-done", "An error is followed by done, so the reader takes the answer for whole."),
    Defect("stream-error-swallowed", "A failure of the model is told as a normal end."),
    Defect("stream-error-leaks", "The error event holds a stack trace."),
    Defect("stream-token-renamed", "The text of a token stands in another field."),
    Defect("stream-tokens-doubled", "A token is sent twice."),
    Defect("stream-tokens-swapped", "Two tokens are sent in the wrong order."),
    Defect("stream-empty-tokens", "Every second token is empty."),
    Defect("stream-oversized-event", "An event is larger than 65 536 bytes."),
    Defect("stream-other-text", "The stream answers something else than the query."),
    Defect("stream-max-tokens-ignored", "The stream is as long as it likes, whatever max_tokens says."),
)

_TIMING = (
    Defect("stream-burst", "All events arrive at once, at the end."),
    Defect("stream-whole-body", "The stream is collected and sent with its length."),
    Defect("stream-slow-first-token", "The first token takes two and a half seconds."),
    Defect("stream-stalls", "The tokens pause for two seconds in the middle."),
    Defect("stream-without-heartbeat", "Nothing is sent while the model is silent, for longer than readers wait."),
    Defect("stream-heartbeat-as-data", "Heartbeats are events, which readers take for answers."),
    Defect("stream-one-at-a-time", "A stream begins only when the one before has ended."),
)

_ENDING = (
    Defect("stream-cut-off", "The connection breaks in the middle of the answer."),
    Defect("stream-never-ends", "The connection stays open after the last event."),
    Defect("stream-generator-survives", "The answer is generated to its end although the reader has left."),
    Defect("stream-session-leak", "A reader that leaves early counts as an active session for ever."),
)

STREAMING: tuple[Defect, ...] = (*_FRAMES, *_EVENTS, *_TIMING, *_ENDING)
"""All of them."""
