"""Text from servers is shown and never obeyed."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xnai_validate.model.text import printable


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
