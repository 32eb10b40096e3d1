"""The frames of a stack that has defects: what a healthy stream sends, put on the wire wrongly."""

from __future__ import annotations

import zlib
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing

from xnai_validate.demo.settings import Settings

Frames = AsyncGenerator[bytes, None]
Change = Callable[[bytes], Iterator[bytes]]


def frames(settings: Settings, sent: Frames) -> Frames:
    """The frames of a stream; as they are where the stack has none of these defects."""
    if not settings.defects:
        return sent
    for change in _changes(settings):
        sent = _changed(sent, change)
    if settings.broken("stream-burst"):
        sent = _burst(sent)
    if settings.broken("stream-gzip"):
        sent = _gzip(sent)
    return sent


def _changes(settings: Settings) -> Iterator[Change]:
    """What the defects of this stack do to frames, one after the other."""
    broken = settings.broken
    if broken("stream-literal-newlines"):
        yield lambda frame: iter((frame.replace(b"\n\n", b"\\n\\n"),))
    if broken("stream-unterminated-frames"):
        yield lambda frame: iter((frame.replace(b"\n\n", b"\n"),))
    if broken("stream-last-frame-cut"):
        yield lambda frame: iter((frame[:-1] if b'"done"' in frame else frame,))
    if broken("stream-done-marker"):
        yield lambda frame: iter((b"data: [DONE]\n\n" if b'"done"' in frame else frame,))
    if broken("stream-json-torn"):
        yield _torn
    if broken("stream-without-data-field"):
        yield lambda frame: iter((frame.removeprefix(b"data: "),))
    if broken("stream-bom-inside"):
        yield _at(3, lambda frame: b"\xef\xbb\xbf" + frame)
    if broken("stream-utf8-cut"):
        yield _at(3, lambda frame: frame.replace(b'"}', b' caf\xc3"}'))


def _torn(frame: bytes) -> Iterator[bytes]:
    """Send the JSON of a token in two frames."""
    if b'"token"' not in frame:
        yield frame
        return
    middle = len(frame) // 2
    yield frame[:middle] + b"\n\n"
    yield b"data: " + frame[middle:]


def _at(number: int, change: Callable[[bytes], bytes]) -> Change:
    """Change one frame, counted from 1."""
    seen = 0

    def at(frame: bytes) -> Iterator[bytes]:
        nonlocal seen
        seen += 1
        yield change(frame) if seen == number else frame

    return at


async def _changed(sent: Frames, change: Change) -> Frames:
    async with aclosing(sent):
        async for frame in sent:
            for changed in change(frame):
                yield changed


async def _burst(sent: Frames) -> Frames:
    """Send nothing until everything is there, then all of it."""
    async with aclosing(sent):
        yield b"".join([frame async for frame in sent])


async def _gzip(sent: Frames) -> Frames:
    """Compress, whatever the reader accepts (RFC 1952)."""
    packer = zlib.compressobj(wbits=31)
    async with aclosing(sent):
        async for frame in sent:
            yield packer.compress(frame)
        yield packer.flush()
