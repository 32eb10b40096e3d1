"""JSON from servers: strict, and never deeper than what reads it."""

from __future__ import annotations

import pytest

from xnai_validate.kit import Facts, JsonValue
from xnai_validate.model.judging.rules import values_at
from xnai_validate.wire.http.body import json_of, text_of
from xnai_validate.wire.json_text import NESTING_CAP, document_of


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
    """However deep it is, it is said not to be one that is read; nothing is raised."""
    assert document_of(nested(levels)) == (None, False)


def test_many_brackets_side_by_side_are_not_deep() -> None:
    """Breadth is no depth."""
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
