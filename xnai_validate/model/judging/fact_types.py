"""The type of a fact, read from its annotation, so that rules are verified before anything runs."""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Annotated, Literal, Union, get_args, get_origin

from annotated_types import Ge, Le
from pydantic import JsonValue
from pydantic.fields import FieldInfo

from xnai_validate.model.frozen_model import FrozenModel

Shape = Literal["number", "text", "flag", "choice", "list", "map", "json"]


class IgnoreCase:
    """Marks a mapping whose keys are compared without case, as the names of HTTP headers are."""


class Timed:
    """Marks a time that this tool measures with its own clock, and rates and ratios of such times.

    They depend on the tool's own speed: a broken limit of one is not judged where the tool itself was late.
    """


class Whole:
    """Marks a fact that no server wrote and that is small by construction: it is reported in full."""


@dataclass(frozen=True, slots=True)
class Needs:
    """Marks a fact that is null unless a parameter of the check asks for it: a rule about it is refused without."""

    param: str
    """The name of the parameter, or of a property of the params, as an attribute."""
    more_than: float = 0
    """A number asks for the fact where it is above this."""
    hint: str | None = None
    """How to ask for the fact, where to give the parameter is not the answer."""


@dataclass(frozen=True, slots=True)
class FactType:
    """The type of a fact as rules see it."""

    shape: Shape
    nullable: bool = False
    """Whether the fact may have no value (None): then only the rule `null` can hold."""
    integer: bool = False
    choices: tuple[str, ...] = ()
    item: FactType | None = None
    """The type of the elements of a list, or of the values of a map."""
    floor: float | None = None
    """No value is ever below this."""
    ceiling: float | None = None
    ignore_case: bool = False
    whole: bool = False
    """Whether it is reported in full, however long it is."""
    timed: bool = False
    """Whether it depends on the speed of this tool."""
    needs: Needs | None = None
    """The parameter without which it is null."""

    def __str__(self) -> str:
        names = {"number": "integer" if self.integer else "number", "flag": "true or false", "json": "JSON document"}
        name = names.get(self.shape, self.shape)
        if self.shape == "choice":
            name = f"one of {', '.join(self.choices)}"
        if self.item is not None:
            name = f"{name} of {self.item}"
        return f"{name} or null" if self.nullable else name


JSON_TYPE = FactType("json", nullable=True)


def fact_type(annotation: object, metadata: tuple[object, ...] = ()) -> FactType:
    """The FactType of an annotation; raises TypeError for a type that rules do not support.

    Allowed: int, float, str, bool, Literal of strings, StrEnum, JsonValue, list/tuple/dict of these, each optionally
    `| None`, and Annotated with Ge, Le, IgnoreCase, Needs, Timed or Whole.
    """
    if annotation is JsonValue:
        return _with_metadata(JSON_TYPE, metadata)
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *extra = get_args(annotation)
        return fact_type(inner, (*metadata, *extra))
    if origin in (Union, types.UnionType):
        members = [member for member in get_args(annotation) if member is not types.NoneType]
        if len(members) != 1:
            raise TypeError(f"a fact has one type, or one type or None; not {annotation}")
        return replace(fact_type(members[0], metadata), nullable=True)
    return _with_metadata(_plain(annotation, origin), metadata)


def _plain(annotation: object, origin: object) -> FactType:
    """Return the type of a fact by its annotation without metadata. Raises TypeError for one that no rule fits."""
    if origin is Literal:
        return FactType("choice", choices=tuple(str(choice) for choice in get_args(annotation)))
    if origin in (list, tuple):
        return FactType("list", item=fact_type(get_args(annotation)[0]))
    if origin in (dict, Mapping):
        return FactType("map", item=fact_type(get_args(annotation)[1]))
    if isinstance(annotation, type):
        if issubclass(annotation, bool):
            return FactType("flag")
        if issubclass(annotation, int):
            return FactType("number", integer=True)
        if issubclass(annotation, float):
            return FactType("number")
        if issubclass(annotation, str):
            members = getattr(annotation, "__members__", {})
            return FactType("choice", choices=tuple(m.value for m in members.values())) if members else FactType("text")
    raise TypeError(f"no rule can judge a fact of type {annotation}")


def _with_metadata(kind: FactType, metadata: Iterable[object]) -> FactType:
    """Return a type of facts with the bounds and marks of its annotation's metadata."""
    for mark in metadata:
        if isinstance(mark, FieldInfo):
            kind = _with_metadata(kind, mark.metadata)
        elif isinstance(mark, Ge) and isinstance(mark.ge, int | float):
            kind = replace(kind, floor=float(mark.ge))
        elif isinstance(mark, Le) and isinstance(mark.le, int | float):
            kind = replace(kind, ceiling=float(mark.le))
        elif isinstance(mark, IgnoreCase):
            kind = replace(kind, ignore_case=True)
        elif isinstance(mark, Whole):
            kind = replace(kind, whole=True)
        elif isinstance(mark, Timed):
            kind = replace(kind, timed=True)
        elif isinstance(mark, Needs):
            kind = replace(kind, needs=mark)
    return kind


@cache
def fact_types(facts: type[FrozenModel]) -> dict[str, FactType]:
    """Fact name (its alias, where it has one) -> FactType, in the order of the model."""
    return {
        field.alias or name: fact_type(field.annotation, tuple(field.metadata))
        for name, field in facts.model_fields.items()
    }


@cache
def fact_attributes(facts: type[FrozenModel]) -> dict[str, str]:
    """Fact name, as rules use it -> the attribute that holds the value, in the order of the model."""
    return {field.alias or name: name for name, field in facts.model_fields.items()}
