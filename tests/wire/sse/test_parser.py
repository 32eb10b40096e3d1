"""The parser of event streams: the WHATWG rules one by one, any chunking, and the named faults."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xnai_validate.wire.sse.parser import Event, FramingFault, SseParser


@dataclass
class Reference:
    """The standard's algorithm over the whole text, line by line, written for reading and nothing else."""

    events: list[Event] = field(default_factory=list)
    comments: int = 0
    last_event_id: str = ""
    retry_ms: int | None = None

    def parse(self, stream: bytes) -> Reference:
        text = stream.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
        data, event_type, id_buffer = "", "", ""
        lines = re.split("\r\n|\r|\n", text)
        for line in lines[:-1]:
            if line == "":
                self.last_event_id = id_buffer
                if data != "":
                    self.events.append(Event(event_type or "message", data[:-1], id_buffer))
                data, event_type = "", ""
                continue
            name, colon, value = line.partition(":")
            if name == "" and colon:
                self.comments += 1
                continue
            if value.startswith(" "):
                value = value[1:]
            if name == "event":
                event_type = value
            elif name == "data":
                data += value + "\n"
            elif name == "id" and "\0" not in value:
                id_buffer = value
            elif name == "retry" and value and set(value) <= set("0123456789") and len(value) <= 15:
                self.retry_ms = int(value)
        return self


def run(stream: bytes, cuts: list[int] | None = None, **caps: int) -> tuple[SseParser, list[Event]]:
    parser = SseParser(**caps)
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts or []), len(stream)]
    events = [event for a, b in pairwise(edges) for event in parser.feed(stream[a:b])]
    parser.close()
    return parser, events


def data_of(stream: bytes) -> list[str]:
    return [event.data for event in run(stream)[1]]


RULES = [
    ("one frame", b"data: a\n\n", [Event("message", "a", "")]),
    ("the standard's first example", b"data: YHOO\ndata: +2\ndata: 10\n\n", [Event("message", "YHOO\n+2\n10", "")]),
    ("CR ends lines", b"data: a\r\rdata: b\r\r", [Event("message", "a", ""), Event("message", "b", "")]),
    ("CRLF ends lines", b"data: a\r\n\r\ndata: b\r\n\r\n", [Event("message", "a", ""), Event("message", "b", "")]),
    (
        "line ends may be mixed",
        b"data: a\r\ndata: b\n\rdata: c\n\n",
        [Event("message", "a\nb", ""), Event("message", "c", "")],
    ),
    ("a mark at the start is dropped", b"\xef\xbb\xbfdata: a\n\n", [Event("message", "a", "")]),
    ("only one mark is dropped", b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\n", []),
    ("a mark later on spoils its field", b"\n\xef\xbb\xbfdata: a\n\n", []),
    ("a block without data dispatches nothing", b"event: a\n\ndata: b\n\n", [Event("message", "b", "")]),
    ("empty data is data", b"data\n\ndata:\n\n", [Event("message", "", ""), Event("message", "", "")]),
    ("two empty data lines are one line feed", b"data\ndata\n\n", [Event("message", "\n", "")]),
    ("an incomplete last block is dropped", b"data: a\n\ndata: b\n", [Event("message", "a", "")]),
    ("an id stays", b"id: 1\ndata: a\n\ndata: b\n\n", [Event("message", "a", "1"), Event("message", "b", "1")]),
    (
        "an empty id resets",
        b"id: 1\ndata: a\n\nid\ndata: b\n\n",
        [Event("message", "a", "1"), Event("message", "b", "")],
    ),
    ("an id with NUL is ignored", b"id: 1\nid: 2\x00\ndata: a\n\n", [Event("message", "a", "1")]),
    ("one space is removed", b"data:  a\n\ndata:b\n\n", [Event("message", " a", ""), Event("message", "b", "")]),
    ("a tab is not removed", b"data:\ta\n\n", [Event("message", "\ta", "")]),
    ("a colon in the value stays", b"data: a: b\n\n", [Event("message", "a: b", "")]),
    ("names are compared exactly", b"Data: a\n data: b\ndata : c\n\n", []),
    ("comments are passed over", b": hello\n:\ndata: a\n:x\ndata: b\n\n", [Event("message", "a\nb", "")]),
    ("the type is the last one of the block", b"event: a\nevent: b\ndata: x\n\n", [Event("b", "x", "")]),
    ("the type does not stay", b"event: a\ndata: x\n\ndata: y\n\n", [Event("a", "x", ""), Event("message", "y", "")]),
    ("an empty type is message", b"event: a\nevent:\ndata: x\n\n", [Event("message", "x", "")]),
    (
        "nothing else ends a line",
        "data: a\u2028b\u2029c\u0085d\x0be\x0cf\x1cg\n\n".encode(),
        [Event("message", "a\u2028b\u2029c\u0085d\x0be\x0cf\x1cg", "")],
    ),
    ("invalid bytes become U+FFFD", b"data: a\xffb\xc3\n\n", [Event("message", "a\ufffdb\ufffd", "")]),
    ("NUL in data stays", b"data: a\x00b\n\n", [Event("message", "a\x00b", "")]),
]


@pytest.mark.parametrize(("stream", "events"), [rule[1:] for rule in RULES], ids=[rule[0] for rule in RULES])
def test_rules_of_the_standard(stream: bytes, events: list[Event]) -> None:
    """Each rule of the standard holds, whole or byte by byte, and so does the reference."""
    assert run(stream)[1] == events
    assert run(stream, list(range(len(stream))))[1] == events
    assert Reference().parse(stream).events == events


@pytest.mark.parametrize(
    ("value", "retry_ms"),
    [
        ("1500", 1500),
        ("0", 0),
        ("007", 7),
        ("1_000", None),
        ("+5", None),
        ("-5", None),
        ("1.5", None),
        ("5 ", None),
        ("", None),
        ("٣", None),
        ("²", None),
        ("9" * 5000, None),
    ],
)
def test_retry_takes_ascii_digits_only(value: str, retry_ms: int | None) -> None:
    """A retry of anything but ASCII digits is ignored and named."""
    parser, _ = run(f"retry: {value}\n\n".encode())
    assert parser.retry_ms == retry_ms
    assert (FramingFault.BAD_RETRY in parser.faults) is (retry_ms is None)


def test_an_event_comes_with_the_byte_that_ends_it() -> None:
    """A frame is given out at its last byte, also where that is a CR whose LF may follow."""
    parser = SseParser()
    assert parser.feed(b"data: a\r\n\r") == [Event("message", "a", "")]
    assert parser.feed(b"\ndata: b\n") == []
    assert parser.feed(b"\n") == [Event("message", "b", "")]


FAULTS = [
    ("literal ends on one line", rb'data: {"a": 1}\n\ndata: {"b": 2}\n\n', "literal_newline incomplete_last_block"),
    ("literal ends, real lines", b'data: {"a": 1}\\n\\n\ndata: {"b": 2}\\n\\n\n\n', "literal_newline"),
    ("one literal end after JSON", b'data: {"a": 1}\\n\n\n', "literal_newline"),
    ("literal end of an event field", rb'event: token\ndata: {"b": 2}' + b"\n\n", "literal_newline event_without_data"),
    ("frames never ended", b'data: {"a": 1}\ndata: {"b": 2}\ndata: {"c": 3}\n\n', "unterminated_frame"),
    ("frames never ended, stream cut", b'data: {"a": 1}\ndata: {"b": 2}', "incomplete_last_block unterminated_frame"),
    ("typed frames never ended", b"event: a\ndata: x\nevent: b\ndata: y\n\n", "unterminated_frame"),
    ("incomplete line", b"data: a\n\ndata: b", "incomplete_last_block"),
    ("incomplete block", b"data: a\n\ndata: b\n", "incomplete_last_block"),
    ("unknown field", b"token: a\ndata: b\n\n", "unknown_field"),
    ("invalid UTF-8", b"data: \xff\n\n", "invalid_utf8"),
    ("a mark inside", b"data: a\n\n\xef\xbb\xbfdata: b\n\n", "bom_inside"),
    ("NUL in id", b"id: \x00\n\n", "nul_in_id"),
    ("bad retry", b"retry: soon\n\n", "bad_retry"),
    ("a type and no data", b"event: ping\n\n", "event_without_data"),
]
SOUND = [
    ("JSON that holds backslash-n", rb'data: {"content": "a\n\ndata: x\n\n"}' + b"\n\n"),
    ("pretty-printed JSON", b'data: {\ndata:   "a": [1,\ndata:   2]\ndata: }\n\n'),
    ("plain text of several lines", b"data: one\ndata: two\ndata: 3\ndata: 4\n\n"),
    ("a Windows path", rb"data: C:\new\name" + b"\n\n"),
    ("an id or a retry alone", b"id: 5\n\nretry: 10\n\n"),
    ("comments at the end", b"data: a\n\n: bye\n:"),
    ("a real U+FFFD", "data: \ufffd\n\n".encode()),
    ("many empty lines", b"\n\n\r\n\rdata: a\n\n\n"),
    ("nothing", b""),
    ("a mark alone", b"\xef\xbb\xbf"),
]


@pytest.mark.parametrize(("stream", "faults"), [case[1:] for case in FAULTS], ids=[case[0] for case in FAULTS])
def test_faults_are_named(stream: bytes, faults: str) -> None:
    """Each fault of framing has its name, and no other is given."""
    assert set(run(stream)[0].faults) == set(faults.split())


@pytest.mark.parametrize("stream", [case[1] for case in SOUND], ids=[case[0] for case in SOUND])
def test_sound_streams_have_no_faults(stream: bytes) -> None:
    """What the standard allows and servers do on purpose is no fault."""
    assert run(stream)[0].faults == {}


def test_invalid_sequences_are_counted_apart_from_real_replacement_characters() -> None:
    """The count of invalid UTF-8 does not include a U+FFFD that was sent as such."""
    parser, events = run("data: \ufffd".encode() + b"\xff\xe2\x82\n: \xc0\n\n")
    assert parser.faults == {FramingFault.INVALID_UTF8: 3}
    assert events == [Event("message", "\ufffd\ufffd\ufffd", "")]


def test_unknown_names_are_kept_within_bounds() -> None:
    """A server that invents field names does not fill the memory."""
    parser, _ = run(b"".join(b"%d%s: x\n" % (number, b"n" * 500) for number in range(100)) + b"\n")
    assert parser.faults == {FramingFault.UNKNOWN_FIELD: 100}
    assert len(parser.unknown_fields) == 20
    assert max(map(len, parser.unknown_fields)) == 100


def test_long_lines_are_left_out_and_not_kept() -> None:
    """A line above the cap costs no memory, ends where it ends, and what follows is read."""
    parser = SseParser(line_cap=100)
    for _ in range(1000):
        assert parser.feed(b"x" * 99) == []
    assert sum(map(len, parser._held)) <= 100
    assert parser.feed(b"\ndata: b\n\n") == [Event("message", "b", "")]
    assert parser.faults == {FramingFault.LINE_TOO_LONG: 1}


def test_data_grows_to_its_cap_and_no_further() -> None:
    """An event that is never ended holds no more than the cap."""
    parser = SseParser(data_cap=1000)
    for _ in range(500):
        parser.feed(b"data: 123456789\n")
    [event] = parser.feed(b"\n")
    assert 900 <= len(event.data) <= 1000
    assert parser.faults[FramingFault.DATA_TOO_LONG] == 400


PIECES = st.sampled_from(
    [b"data", b"data:", b"data: ", b"event: ", b"id: ", b"retry: ", b":", b": beat", b"\n", b"\n\n", b"\r", b"\r\n",
     b" ", b"a", b"12", b'{"a": 1}', b"\\n", b"\\n\\n", b"\x00", b"\xef\xbb\xbf", b"\xef\xbb", b"\xe2\x82\xac",
     b"\xe2\x82", b"\xff", b"\xc2\x85", b"\xe2\x80\xa8", b"\x0b", b"\x0c", b"token", b"\xef\xbf\xbd",
     b"\xf0\x9f\x98\x80"]
)  # fmt: skip
STREAMS = st.lists(PIECES, max_size=60).map(b"".join) | st.binary(max_size=120)
CUTS = st.lists(st.integers(0, 400), max_size=30)


@settings(max_examples=400, deadline=None)
@given(STREAMS, CUTS)
def test_any_chunking_equals_the_reference(stream: bytes, cuts: list[int]) -> None:
    """However the bytes are cut, the events, ids, retry and comments are those of the standard's algorithm."""
    parser, events = run(stream, cuts)
    reference = Reference().parse(stream)
    assert events == reference.events
    assert parser.events == len(events)
    assert (parser.comments, parser.last_event_id, parser.retry_ms) == (
        reference.comments,
        reference.last_event_id,
        reference.retry_ms,
    )


@settings(max_examples=300, deadline=None)
@given(STREAMS, CUTS, st.integers(1, 12), st.integers(1, 12))
def test_any_chunking_gives_the_same_observations(stream: bytes, cuts: list[int], line_cap: int, data_cap: int) -> None:
    """Events, faults and unknown names do not depend on how the network cut the bytes, also at tiny caps."""
    whole, events = run(stream, line_cap=line_cap, data_cap=data_cap)
    parser, cut_events = run(stream, cuts, line_cap=line_cap, data_cap=data_cap)
    assert cut_events == events
    assert parser.faults == whole.faults
    assert parser.unknown_fields == whole.unknown_fields
