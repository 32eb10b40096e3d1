"""What a fact is, is read from its annotation."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel

from xnai_validate.kit import Bytes, Count, ErrorKind, Facts, Field, Headers, JsonValue, Milliseconds, Ratio
from xnai_validate.model.judging.fact_types import (
    JSON_TYPE,
    FactType,
    IgnoreCase,
    Whole,
    fact_attributes,
    fact_type,
    fact_types,
)


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@pytest.mark.parametrize(
    ("annotation", "expected", "text"),
    [
        (int, FactType("number", integer=True), "integer"),
        (float, FactType("number"), "number"),
        (bool, FactType("flag"), "true or false"),
        (str | None, FactType("text", nullable=True), "text or null"),
        (Count, FactType("number", integer=True, floor=0), "integer"),
        (Milliseconds | None, FactType("number", floor=0, nullable=True, timed=True), "number or null"),
        (Ratio, FactType("number", floor=0, ceiling=1), "number"),
        (Bytes, FactType("number", integer=True, floor=0), "integer"),
        (Literal["a", "b"], FactType("choice", choices=("a", "b")), "one of a, b"),
        (Colour, FactType("choice", choices=("red", "blue")), "one of red, blue"),
        (list[str], FactType("list", item=FactType("text")), "list of text"),
        (tuple[int, ...], FactType("list", item=FactType("number", integer=True)), "list of integer"),
        (dict[str, float], FactType("map", item=FactType("number")), "map of number"),
        (Headers, FactType("map", item=FactType("text"), ignore_case=True), "map of text"),
        (JsonValue, JSON_TYPE, "JSON document or null"),
        (Annotated[JsonValue, Whole()], FactType("json", nullable=True, whole=True), "JSON document or null"),
        (Annotated[str, IgnoreCase(), "x"], FactType("text", ignore_case=True), "text"),
    ],
)  # fmt: skip
def test_annotations_are_understood(annotation: object, expected: FactType, text: str) -> None:
    """Every annotation that the author of a checker may use."""
    assert fact_type(annotation) == expected
    assert str(fact_type(annotation)) == text


@pytest.mark.parametrize("annotation", [int | str, bytes, BaseModel, object, set])
def test_what_rules_cannot_speak_about_is_refused(annotation: object) -> None:
    """A wrong annotation is found when the checker is declared."""
    with pytest.raises(TypeError):
        fact_type(annotation)


def test_facts_go_by_the_names_that_rules_use() -> None:
    """The alias of a fact is its name, in types and attributes alike."""

    class Seen(Facts):
        json_: JsonValue = Field(alias="json")
        error: ErrorKind | None

    assert list(fact_types(Seen)) == ["json", "error"]
    assert fact_attributes(Seen) == {"json": "json_", "error": "error"}
