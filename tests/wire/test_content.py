"""JSON from servers: strict, and never deeper than what reads it."""

from __future__ import annotations

import pytest

from xnai_validate.kit import Facts, JsonValue
from xnai_validate.model.judging.expressions import values_at
from xnai_validate.wire.content import (
    DUPLICATES_CAP,
    NESTING_CAP,
    document_of,
    json_of,
    json_text_of,
    parse_json,
    text_of,
)


class Held(Facts):
    """Facts with a document."""

    document: JsonValue


def nested(levels: int) -> str:
    """Lists and mappings within one another."""
    half = levels // 2
    return '[{"a":' * half + "[]" * (levels % 2) + "0" * (1 - levels % 2) + "}]" * half


def test_the_deepest_document_that_is_read_can_be_held_and_searched() -> None:
    """Facts and JSONPath take every document up to the limit."""
    document, is_json = document_of(nested(NESTING_CAP))
    assert is_json
    assert Held(document=document).document == document
    assert len(values_at("$..a", document)) == NESTING_CAP // 2


@pytest.mark.parametrize("levels", [NESTING_CAP + 1, 300, 5_000, 500_000])
def test_a_deeper_document_is_none(levels: int) -> None:
    """However deep it is, it is refused as unreadable; nothing is raised."""
    assert document_of(nested(levels)) == (None, False)


def test_many_brackets_side_by_side_are_not_deep() -> None:
    """Breadth is not depth."""
    assert document_of("[" + "[]," * 1000 + "{}]")[1]


@pytest.mark.parametrize("text", ["", "NaN", "[Infinity]", "-Infinity", "{'a': 1}", "[1,]", "1 2", "9" * 5_000])
def test_what_is_not_json_is_none(text: str) -> None:
    """Python's extensions of JSON are refused, and integers of absurd length."""
    assert document_of(text) == (None, False)
    assert json_of(text.encode()) == (None, False)


@pytest.mark.parametrize(
    "charset", ["punycode", "idna", "unicode_escape", "raw-unicode-escape", "UTF-7", "zlib", "x\0"]
)
def test_codecs_that_are_no_charset_are_not_used(charset: str) -> None:
    """Some of Python's codecs take quadratic time or make lone surrogates: the body is read as UTF-8 instead."""
    body = rb"\ud800 +2AA- a-b9b9b9"
    assert text_of(body, charset, 1000) == body.decode()


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ('{"a": 1, "a": 2}', ("a",)),
        ('{"a": 1, "a": true}', ("a",)),
        ('[{"b": {"status": "ok", "x": [], "status": "down"}}]', ("status",)),
        ('{"a": 1, "a": 1}', ()),
        ('[{"a": 1}, {"a": 2}]', ()),
        ('{"a": 1, "b": 1, "a": 2, "b": 2, "a": 1}', ("a", "b")),
    ],
)
def test_keys_that_one_object_has_with_different_values_are_named(text: str, keys: tuple[str, ...]) -> None:
    """Two readers of such a document may see different values; equal duplicates are harmless."""
    parsed = parse_json(text)
    assert parsed.is_json
    assert sorted(parsed.duplicate_keys) == sorted(keys)


def test_the_last_of_duplicate_keys_is_the_value_and_their_names_are_bounded() -> None:
    """As Python and most other readers have it; a server cannot fill the report with names."""
    assert parse_json('{"a": 1, "a": 2}').value == {"a": 2}
    many = ", ".join(f'"k{number}": {value}' for number in range(100) for value in (1, 2))
    assert len(parse_json(f"{{{many}}}").duplicate_keys) == DUPLICATES_CAP


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", "not JSON: it is empty"),
        (b"<!DOCTYPE html>", 'not JSON: expecting value in line 1, column 1; it begins with "<!DOCTYPE html>"'),
        (
            b'{"a": 1,',
            "not JSON: expecting property name enclosed in double quotes in line 1, column 9; it begins with",
        ),
        (b'{"a": NaN}', "not JSON: NaN is not JSON; it begins with"),
        (b"[1e400]", 'not JSON: the number 1e400 is beyond the range of a double; it begins with "[1e400]"'),
        (b"9" * 5000, "not JSON: a number has more digits than are read; it begins with"),
        (b"[" * 200 + b"]" * 200, "not JSON: nested more than 96 levels deep; it begins with"),
        (b"\xff\xfe", "not JSON: it is not UTF-8; it begins with"),
    ],
)
def test_what_is_no_json_is_described(body: bytes, error: str) -> None:
    """Why, where, and how it begins: a login page, a cut document, a number that would become Infinity."""
    parsed = json_text_of(body)
    assert (parsed.is_json, parsed.value) == (False, None)
    assert (parsed.error or "").startswith(error)
    assert json_text_of(b'{"a": [1.5e300]}').error is None
