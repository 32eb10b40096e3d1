"""Text from servers is shown and never obeyed; secrets are masked wherever they stand."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from xnai_validate.model.json import bounded
from xnai_validate.model.judging.findings import Finding, describe_finding
from xnai_validate.model.text import printable, printable_json


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
