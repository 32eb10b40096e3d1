r"""Streams whose frames end in the characters `\n`, read leniently."""

from __future__ import annotations

import pytest

from tests.wire.sse.test_parser import SOUND, run
from xnai_validate.wire.sse.literal_line_ends import LenientSseParser
from xnai_validate.wire.sse.parser import LINE_CAP, FramingFault

LITERAL = [
    ("JSON", rb'data: {"a": 1}\n\ndata: {"b": 2}\n\n', ['{"a": 1}', '{"b": 2}']),
    ("within JSON", rb'data: {"a": "\n\ndata: {}"}\n\ndata: [1]\n\n', [r'{"a": "\n\ndata: {}"}', "[1]"]),
    ("with carriage returns", rb'data: {"a": 1}\r\n\r\ndata: {"b": 2}\r\n\r\n', ['{"a": 1}', '{"b": 2}']),
    ("event fields and ids", rb"id: 7\nevent: token\ndata: {}\n\n", ["{}"]),
    ("text", rb"data: one\n\ndata: [DONE]\n\n", ["one", "[DONE]"]),
    ("comments between", rb'data: {"a": 1}\n\n: beat\n\ndata: {"b": 2}\n\n', ['{"a": 1}', '{"b": 2}']),
    ("characters of many bytes", 'data: {"a": "Größe 漢"}\\n\\ndata: {}\\n\\n'.encode(), ['{"a": "Größe 漢"}', "{}"]),
    ("beside real line ends", b'data: {"a": 1}\\n\\n\ndata: {"b": 2}\\n\\n\n', ['{"a": 1}', '{"b": 2}']),
]


@pytest.mark.parametrize(("stream", "data"), [case[1:] for case in LITERAL], ids=[case[0] for case in LITERAL])
def test_literal_line_ends_are_read_leniently_in_any_chunks(stream: bytes, data: list[str]) -> None:
    """Frames that end in backslash and n are events, wherever the chunks are cut; no fault is named."""
    for size in range(1, len(stream) + 1):
        parser = LenientSseParser()
        events = [event for at in range(0, len(stream), size) for event in parser.feed(stream[at : at + size])]
        parser.close()
        assert [event.data for event in events] == data, size
        assert parser.faults == {}


@pytest.mark.parametrize("stream", [case[1] for case in SOUND], ids=[case[0] for case in SOUND])
def test_sound_streams_are_read_leniently_as_strictly(stream: bytes) -> None:
    """The lenient parser changes nothing about a stream that keeps to the standard."""
    lenient = LenientSseParser()
    events = [*lenient.feed(stream)]
    lenient.close()
    strict, expected = run(stream)
    assert (events, lenient.faults, lenient.comments) == (expected, strict.faults, strict.comments)


def test_a_long_line_is_passed_on() -> None:
    """What does not end is not collected without a bound, nor searched again and again."""
    parser = LenientSseParser()
    for _ in range(100):
        parser.feed(rb'data: {"a": "' + b"x" * 10_000)
    assert parser.held <= LINE_CAP
    parser.close()
    assert FramingFault.INCOMPLETE_LAST_BLOCK in parser.faults
