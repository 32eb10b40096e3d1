"""JSON as it is written: whatever the value, what the standard library writes."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json as written_by_pydantic

from xnai_validate.model.json import (
    AT_ONCE,
    JsonValue,
    bounded,
    indented,
    json_pieces,
    printable_json,
    texts_named,
    to_json,
)
from xnai_validate.model.judging.findings import Finding, describe_finding
from xnai_validate.model.results.status import Status


@dataclass(frozen=True, slots=True)
class Point:
    """Something with fields."""

    kind: ClassVar[str] = "point"
    x: object
    y: object = ()


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
documents = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts, st.sampled_from(Status)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(texts, inner, max_size=3),
        st.builds(Point, inner),
    ),
    max_leaves=12,
)


def plain(value: Any) -> Any:
    """The value with mappings in the place of dataclasses."""
    if isinstance(value, Point):
        return {"x": plain(value.x), "y": plain(value.y)}
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


@given(documents)
def test_both_forms_are_those_of_the_standard_library(value: object) -> None:
    """Compact and indented, with dataclasses as objects and tuples as arrays; compact is harmless on a terminal."""
    compact = json.dumps(plain(value), ensure_ascii=False, separators=(",", ":"))
    assert to_json(value) == printable_json(compact.encode())
    assert indented(value) == json.dumps(plain(value), ensure_ascii=False, indent=2)


def test_compact_json_shows_control_characters_as_escapes() -> None:
    """A line of a journal moves no cursor: C1 controls, bidirectional marks and line separators are spelled out."""
    assert to_json("\x9b\u202e\u2028\x7fé") == rb'"\u009b\u202e\u2028\u007f' + 'é"'.encode()


def test_what_has_no_json_is_refused() -> None:
    """Nothing is written as something else."""
    assert asdict(Point(1)) == json.loads(to_json(Point(1))) | {"y": ()}
    for write in (to_json, indented):
        with pytest.raises(TypeError, match="set cannot be written"):
            write({"a": {1}})


@pytest.mark.parametrize("count", [0, 1, AT_ONCE, AT_ONCE + 1, 3 * AT_ONCE, 3 * AT_ONCE + 7])
def test_pieces_are_the_whole(count: int) -> None:
    """In pieces it is what it is as one text, and a long list is many pieces."""
    items = tuple(Point(number, "é") for number in range(count))
    value = Point(items, {"x": [1, (2, 3)]})
    pieces = list(json_pieces(value))
    assert b"".join(pieces) == to_json(value)
    assert max(map(len, pieces)) <= max(len(to_json(items[-AT_ONCE:])), 20)


ANY_TEXT = st.text(st.characters())
"""With lone surrogates, which JSON can spell."""
DOCUMENTS = st.recursive(
    st.floats() | ANY_TEXT | st.binary() | st.integers(), lambda i: st.lists(i) | st.dictionaries(ANY_TEXT, i)
)


@given(DOCUMENTS)
def test_whatever_is_measured_becomes_bounded_json(value: object) -> None:
    """NaN, infinity, bytes, lone surrogates and depth all become JSON, in which nothing is for a terminal to obey."""
    plain = json.dumps(bounded(value), allow_nan=False, ensure_ascii=False)
    written = written_by_pydantic(bounded(value))
    shown = printable_json(written)
    assert json.loads(shown) == json.loads(written) == json.loads(plain)
    assert not [char for char in shown.decode() if unicodedata.category(char) in ("Cc", "Cf", "Co", "Zl", "Zp")]


@pytest.mark.parametrize("value", [[10**4299], [-(10**5000)], "\ud800", {"\udfff": "\ud800" * 3000}])
def test_what_json_can_spell_and_python_cannot_write_is_reported(value: object) -> None:
    """Absurd integers and lone surrogates, as a server may send them, end neither a sentence nor an event."""
    kept = bounded(value)
    written_by_pydantic(kept)
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


def test_texts_under_a_name_are_found_at_any_depth() -> None:
    """In their order; what is not text under that name is passed over, what stands below it is searched."""
    document: JsonValue = {"target": "a", "steps": [{"target": "b"}, {"with": {"target": {"target": "c"}}}], "x": 1}
    assert list(texts_named("target", document)) == ["a", "b", "c"]
    assert list(texts_named("target", "target")) == []
