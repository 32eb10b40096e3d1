"""Text from servers is shown and never obeyed; secrets are masked wherever they stand."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from xnai_validate.model.json import JsonValue, bounded
from xnai_validate.model.judging.findings import Finding, describe_finding
from xnai_validate.model.text import Masker, looks_secret, printable, printable_json


@given(st.text())
def test_nothing_printable_moves_the_cursor(text: str) -> None:
    """No control, format or bidirectional character, and no line end, survives."""
    shown = printable(text)
    assert not [char for char in shown if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")]
    assert printable(shown) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\nb\t", "a\\nb\\t"),
        ("\u202eevil", "\\u202eevil"),
        ("Grüße, 世界", "Grüße, 世界"),
    ],
)
def test_escapes_are_shown(text: str, shown: str) -> None:
    """What a terminal would obey stands there to be read."""
    assert printable(text) == shown


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("the password is hunter22", "the password is ***"),
        ("hunter22-extended", "***"),
        ("redis://user:pw@host/0", "redis://***@host/0"),
        ("Authorization: Bearer abcd.efgh", "Authorization: Bearer ***"),
        ("basic dXNlcjpwYXNz", "basic ***"),
        ("nothing here", "nothing here"),
        ("a Bearer of news", "a Bearer of news"),
    ],
)
def test_secrets_are_masked_in_texts(text: str, masked: str) -> None:
    """Known secrets (the longest first), userinfo of urls, and credentials of the Authorization header."""
    assert Masker(["hunter22", "hunter22-extended", "abc"]).text(text) == masked


def test_secrets_are_masked_in_documents() -> None:
    """Values under secret names are masked whole, known secrets anywhere, keys included."""
    document: JsonValue = {"Authorization": "x y", "a": ["hunter22", {"hunter22": 1}], "token": 5, "password": ""}
    assert Masker(["hunter22"]).json(document) == {
        "Authorization": "***",
        "a": ["***", {"***": 1}],
        "token": 5,
        "password": "",
    }


@pytest.mark.parametrize(
    "document",
    [
        {"a": [1, "x", {"b": None}], "c": "é", "d": []},
        {"***": 1, "hunter22": 1},
        {"a": ("hunter22",)},
        [["hunter22"]],
        [],
    ],
)
def test_only_what_is_masked_is_copied(document: JsonValue) -> None:
    """A document without a secret is returned itself; one with a secret is left as it was, and none is in the other."""
    before = repr(document)
    masked = Masker(["hunter22"]).json(document)
    assert repr(document) == before
    assert "hunter22" not in repr(masked)
    assert (masked is document) == ("hunter22" not in before)


@pytest.mark.parametrize(
    "name", ["REDIS_PASSWORD", "password", "api_key", "X-Api-Key", "vikunja_token", "Set-Cookie", "db_passwd"]
)
def test_names_that_look_secret(name: str) -> None:
    """Their values are never shown."""
    assert looks_secret(name)


@pytest.mark.parametrize("name", ["max_tokens", "tokens_generated", "path", "keyboard", "cookie_count", "author"])
def test_names_that_do_not(name: str) -> None:
    """What merely resembles them is evidence and stays."""
    assert not looks_secret(name)


ANY_TEXT = st.text(st.characters())
"""With lone surrogates, which JSON can spell."""
DOCUMENTS = st.recursive(
    st.floats() | ANY_TEXT | st.binary() | st.integers(), lambda i: st.lists(i) | st.dictionaries(ANY_TEXT, i)
)


@given(DOCUMENTS)
def test_whatever_is_measured_becomes_bounded_json(value: object) -> None:
    """NaN, infinity, bytes, lone surrogates and depth all become JSON, in which nothing is for a terminal to obey."""
    plain = json.dumps(bounded(value), allow_nan=False, ensure_ascii=False)
    written = to_json(bounded(value))
    shown = printable_json(written)
    assert json.loads(shown) == json.loads(written) == json.loads(plain)
    assert not [char for char in shown.decode() if unicodedata.category(char) in ("Cc", "Cf", "Co", "Zl", "Zp")]


@pytest.mark.parametrize("value", [[10**4299], [-(10**5000)], "\ud800", {"\udfff": "\ud800" * 3000}])
def test_what_json_can_spell_and_python_cannot_write_is_reported(value: object) -> None:
    """Absurd integers and lone surrogates, as a server may send them, end neither a sentence nor an event."""
    kept = bounded(value)
    to_json(kept)
    assert len(describe_finding(Finding("f", "equals", 1, kept, False, "expect"))) < 300


def test_long_values_are_cut_visibly() -> None:
    """A thousand megabytes from a server stay out of the report."""
    assert bounded("x" * 5000) == "x" * 2000 + "... (5000 characters)"
    many = bounded(list(range(1000)))
    assert isinstance(many, list)
    assert many[100:] == ["... (1000 items)"]
    keys = bounded({str(n): n for n in range(200)})
    assert isinstance(keys, dict)
    assert keys["..."] == "200 keys"
    deep: object = 1
    for _ in range(20):
        deep = [deep]
    assert "..." in str(bounded(deep))
