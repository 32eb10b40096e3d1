"""Regular expressions and JSONPaths on what a server sent: what they find, and that they end."""

from __future__ import annotations

import pytest

from xnai_validate.errors import Unmeasurable
from xnai_validate.model.judging import expressions
from xnai_validate.model.judging.expressions import TEXT_CAP, is_singular, search, values_at
from xnai_validate.model.judging.findings import judge
from xnai_validate.model.judging.rules import Rule

EVIL = "a" * 64 + "b"


@pytest.fixture
def _low_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expressions, "CPU_LIMIT_S", 0.2)


@pytest.mark.usefixtures("_low_limit")
def test_a_regular_expression_that_never_ends_is_an_error() -> None:
    """A text from a server cannot hang a rule: what cannot be decided in time is not decided."""
    with pytest.raises(Unmeasurable, match=r"\(a\+\)\+\$"):
        judge([Rule("text", "matches", "(a+)+$")], {"text": EVIL})
    assert judge([Rule("text", "matches", "a+b")], {"text": EVIL})[0].held


# Hypothesis has a callback in the garbage collector: what the timer raises there is dropped, and it fires again.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.usefixtures("_low_limit")
@pytest.mark.parametrize(
    ("path", "document"),
    [("$[?search(@, '(a|a)+c')]", [EVIL]), ("$..*..*..*", [[[list(range(100))] * 100] * 100] * 10)],
)
def test_a_jsonpath_that_never_ends_is_an_error(path: str, document: object) -> None:
    """Neither an expression within a path nor a path that multiplies can hang a rule."""
    with pytest.raises(Unmeasurable, match="takes more than"):
        values_at(path, document)
    assert values_at("$[0]", [7]) == [7]


def test_only_the_beginning_of_a_long_text_is_searched() -> None:
    """What a server sends beyond the cap costs nothing."""
    assert search("b", "a" * (TEXT_CAP - 1) + "b") is not None
    assert search("b", "a" * TEXT_CAP + "b") is None


@pytest.mark.parametrize(
    ("path", "singular"),
    [
        ("$", True),
        ("$.a[0]['b c']", True),
        ("$.a[-1]", True),
        ("$['it\\'s']", True),
        ("$..a", False),
        ("$.a[*]", False),
        ("$[0:2]", False),
        ("$['a', 'b']", False),
        ("$[?@.a == 1]", False),
    ],
)
def test_a_path_of_names_and_indexes_alone_is_singular(path: str, singular: bool) -> None:
    """RFC 9535: a singular query has one name or one index in each segment, and gives one value at most."""
    assert is_singular(path) is singular


def test_a_document_too_deep_for_a_path_is_not_measured() -> None:
    """The library bounds how deep `..` goes: a document that nests deeper is an error that names the path."""
    document: list[object] = []
    for _ in range(400):
        document = [document]
    with pytest.raises(Unmeasurable, match=r"'\$\.\.a' cannot be followed in what the server sent"):
        values_at("$..a", document)
