"""Frames that are put on the wire wrongly, and responses with the wrong header fields."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from contextlib import aclosing

from fastapi.responses import Response

from xnai_validate.demo.api.answers.frames import frames
from xnai_validate.demo.api.answers.stream import headers, to_response
from xnai_validate.demo.api.schemas import QueryRequest
from xnai_validate.demo.defects.defect import Defect
from xnai_validate.demo.defects.streaming.changes import Events, Frames, MakeFrames, change_frames
from xnai_validate.demo.settings import Settings

LITERAL_NEWLINES = change_frames(
    Defect(
        "stream-literal-newlines",
        "Frames end with the characters backslash and n instead of line ends.",
        checks=("streaming/stream:frames",),
    ),
    lambda: lambda frame: [frame.replace(b"\n\n", b"\\n\\n")],
)

UNTERMINATED_FRAMES = change_frames(
    Defect(
        "stream-unterminated-frames",
        "Frames end with one line end; no event is ever complete.",
        checks=("streaming/stream:opens",),
    ),
    lambda: lambda frame: [frame.replace(b"\n\n", b"\n")],
)

LAST_FRAME_CUT = change_frames(
    Defect(
        "stream-last-frame-cut",
        "The last frame is not ended by an empty line, so readers drop it.",
        checks=("streaming/stream:frames",),
    ),
    lambda: lambda frame: [frame[:-1] if b'"done"' in frame else frame],
)

WITHOUT_DATA_FIELD = change_frames(
    Defect("stream-without-data-field", "Frames are bare JSON without `data:`.", checks=("streaming/stream:opens",)),
    lambda: lambda frame: [frame.removeprefix(b"data: ")],
)

DONE_MARKER = change_frames(
    Defect("stream-done-marker", "The stream ends with [DONE] instead of JSON.", checks=("streaming/stream:order",)),
    lambda: lambda frame: [b"data: [DONE]\n\n" if b'"done"' in frame else frame],
)


def _torn(frame: bytes) -> list[bytes]:
    """Return the frame of a token as two events, each with half of its JSON; any other frame unchanged."""
    if b'"token"' not in frame:
        return [frame]
    middle = len(frame) // 2
    return [frame[:middle] + b"\n\n", b"data: " + frame[middle:]]


JSON_TORN = change_frames(
    Defect("stream-json-torn", "The JSON of a token is spread over two events.", checks=("streaming/stream:frames",)),
    lambda: _torn,
)


def _third(change: Callable[[bytes], bytes]) -> Callable[[], Callable[[bytes], list[bytes]]]:
    """Change the third frame of each stream."""

    def make_change() -> Callable[[bytes], list[bytes]]:
        number = 0

        def changed(frame: bytes) -> list[bytes]:
            nonlocal number
            number += 1
            return [change(frame) if number == 3 else frame]

        return changed

    return make_change


BOM_INSIDE = change_frames(
    Defect(
        "stream-bom-inside",
        "A byte order mark stands in the middle, and the event behind it is lost.",
        checks=("streaming/stream:frames",),
    ),
    _third(lambda frame: b"\xef\xbb\xbf" + frame),
)

UTF8_CUT = change_frames(
    Defect("stream-utf8-cut", "A character is cut in the middle of its bytes.", checks=("streaming/stream:frames",)),
    _third(lambda frame: frame.replace(b'"}', b' caf\xc3"}')),
)

GZIP = Defect(
    "stream-gzip",
    "The stream is compressed for readers that did not ask for it.",
    checks=("streaming/stream:through-gateway", "streaming/stream:unbuffered"),
).changes(headers, lambda fields: {**fields, "Content-Encoding": "gzip"})


@GZIP.wraps(frames)
def compressed_frames(original: MakeFrames, /, settings: Settings, question: QueryRequest, events: Events) -> Frames:
    """Send the frames compressed, whatever the reader accepts."""
    return _compressed(original(settings, question, events))


async def _compressed(sent: Frames) -> Frames:
    """The frames compressed (RFC 1952), without a flush between them."""
    packer = zlib.compressobj(wbits=31)
    async with aclosing(sent):
        async for frame in sent:
            yield packer.compress(frame)
        yield packer.flush()


def _as_plain_text(response: Response) -> Response:
    """Declare the stream as plain text."""
    response.headers["Content-Type"] = "text/plain; charset=utf-8"
    return response


CONTENT_TYPE = Defect(
    "stream-content-type",
    "The stream is sent as plain text.",
    checks=("api/contract:stream", "streaming/stream:opens"),
).changes(to_response, _as_plain_text)

CACHEABLE = Defect(
    "stream-cacheable", "The stream lacks Cache-Control.", checks=("streaming/stream:proxy-headers",)
).changes(headers, lambda fields: {name: fields[name] for name in fields if name != "Cache-Control"})

ACCEL_BUFFERING = Defect(
    "stream-accel-buffering",
    "The stream lacks X-Accel-Buffering, so nginx holds it back.",
    checks=("streaming/stream:proxy-headers",),
).changes(headers, lambda fields: {name: fields[name] for name in fields if name != "X-Accel-Buffering"})
