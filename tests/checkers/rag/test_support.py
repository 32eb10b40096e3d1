"""How much of an answer its document supports."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.checkers.rag.server import DOCUMENT
from xnai_validate.checkers.rag._support import content_words, support


def test_the_measure_of_support_is_the_one_described() -> None:
    """Words of four characters or with a digit, by their first six; three for a statement; 60 % for support."""
    assert list(content_words("The circuits of A4 are 日本語")) == ["circui", "a4", "日本", "本語"]
    held = support("Circuits close slowly. Circuit failures: three. Yes. It is.", DOCUMENT, 0.6)
    assert (held.statements, held.unsupported) == (
        ("Circuits close slowly.", "Circuit failures: three."),
        ("Circuits close slowly.",),
    )
    assert support("Yes. No.", DOCUMENT, 0.6).ratio is None


@given(st.text(max_size=300), st.text(max_size=300))
def test_support_is_a_share_for_any_text(answer: str, document: str) -> None:
    """Between 0 and 1 or nothing; a document supports itself."""
    ratio = support(answer, document, 0.6).ratio
    assert ratio is None or 0 <= ratio <= 1
    assert support(document, document, 1.0).ratio in (None, 1.0)
