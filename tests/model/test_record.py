"""Records: what is plainly right is taken at once, and as pydantic would take it; pydantic decides the rest."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import FrozenInstanceError
from functools import cached_property
from typing import Annotated, Any, Literal, Self

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError
from pydantic import Field as PydanticsField
from pydantic import model_validator as pydantics_own

from xnai_validate import registry
from xnai_validate.config.files.profile import Handover, ProfileFile
from xnai_validate.config.files.suite import CheckEntry, SuiteHead
from xnai_validate.config.yaml_files.scalars import WrittenFloat, WrittenInt
from xnai_validate.config.yaml_files.validation_messages import models_in
from xnai_validate.kit import (
    WRITTEN,
    AfterValidator,
    BeforeValidator,
    Duration,
    ErrorKind,
    Facts,
    Field,
    Ge,
    JsonValue,
    Params,
    Size,
    field_validator,
    model_validator,
)
from xnai_validate.model.accept import REFUSED
from xnai_validate.model.marks import Info, Le, Len, StringConstraints
from xnai_validate.model.record import Record, RecordMeta


def _even(value: int) -> int:
    if value % 2:
        raise ValueError("an odd number")
    return value


class Inner(Params):
    """A record in a record."""

    name: str
    size: Size = 1
    deep: list[Inner] = Field(default_factory=list)


class Many(Params):
    """A field of every sort."""

    text: str = "x"
    number: Annotated[int, Ge(0), Le(100)] = 0
    ratio: Annotated[float, Ge(0), Le(1)] = 0.5
    flag: bool = False
    even: Annotated[int, AfterValidator(_even)] = 0
    doubled: Annotated[int, BeforeValidator(lambda v: v * 2 if isinstance(v, int) else v), Le(50)] = 0
    mode: Literal["plain", "loud"] = "plain"
    kind: ErrorKind | None = None
    either: str | int | float | bool | list[str | int] | None = None
    chosen: Literal["plain", "loud"] | list[Literal["abc"]] = "plain"
    named: dict[str, Annotated[int, Ge(0)]] = Field(default_factory=dict)
    several: tuple[str, ...] = ()
    some: Annotated[list[int | None], Len(1, 3)] = Field(default_factory=lambda: [1, None])
    json_: JsonValue = Field(default=None, alias="json")
    wait: Duration = 1.0
    short: Annotated[str, StringConstraints(pattern=r"^[a-z]+$", max_length=5)] = "a"
    inner: Inner | None = None
    inners: list[Inner] = Field(default_factory=list, max_length=2)
    free: Mapping[str, object] | None = None

    @field_validator("text")
    @classmethod
    def _no_y(cls, text: str) -> str:
        if "y" in text:
            raise ValueError("no y")
        return text.replace("z", "zz")

    @model_validator(mode="after")
    def _not_both(self) -> Self:
        if self.flag and "json_" in self.model_fields_set:
            raise ValueError("flag or json, not both")
        return self


def outcome(make: Any) -> tuple[str, Any]:
    """What came of making a record: its values with their types, or the mistakes."""
    try:
        made = make()
    except ValidationError as error:
        return "refused", [(one["type"], one["loc"], one["msg"]) for one in error.errors(include_url=False)]
    return "made", (sorted(made.model_fields_set), spelled(made))


def spelled(value: Any) -> Any:
    """A value with the types of everything in it, for 1, 1.0 and True are equal."""
    if isinstance(value, Record | BaseModel):
        names = type(value).model_fields
        return {name: spelled(getattr(value, name)) for name in names}
    if isinstance(value, dict):
        return {key: spelled(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value).__name__, [spelled(item) for item in value]
    return type(value).__name__, repr(value)


def by_pydantic(record: type[Record], raw: Any, context: object) -> Any:
    """The record as pydantic makes it, without the short way."""
    return record._of(record.twin.model_validate(raw, context=context))


kept = WrittenInt(7)
kept.text = "007"
fraction = WrittenFloat(0.5)
fraction.text = ".50"
TEXTS = [
    "plain", "loud", "abc", "1s", "250ms", "2m", "64KiB", "3", "1.5", "true", "refused", "a\n", "\ud800", "GET", "$.a",
]  # fmt: skip
KEYS = ["name", "size", "deep", "a", "kind", "url", "fact", "with"]
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 120),
    st.integers(),
    st.floats(),
    st.text(max_size=4),
    st.binary(max_size=2),
    st.sampled_from([*TEXTS, kept, fraction, *ErrorKind]),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
    ),
    max_leaves=6,
)
many = st.dictionaries(st.sampled_from([*Many.form.keys, "unknown"]), values, max_size=4)


@settings(max_examples=1500, deadline=None)
@given(raw=many, context=st.sampled_from([None, WRITTEN]))
def test_the_short_way_is_the_way_of_pydantic(raw: dict[str, Any], context: object) -> None:
    """Whatever is given: the same record with the same types, or the same mistakes."""
    assert Many.form.accept is not None, "the short way is not taken at all"
    ours = outcome(lambda: Many.model_validate(raw, context=context))
    assert ours == outcome(lambda: by_pydantic(Many, raw, context))


LOADED: dict[str, type[Record]] = {
    **{kind: registry.CHECKERS.get(kind).params for kind in registry.CHECKERS.names()},
    **{f"{kind} facts": registry.CHECKERS.get(kind).facts for kind in registry.CHECKERS.names()},
    **{name: registry.FAULTS.get(name).params for name in registry.FAULTS.names()},
    **{one.__name__: one for one in (CheckEntry, SuiteHead, ProfileFile, Handover)},
}


def with_inner(records: dict[str, type[Record]]) -> dict[str, type[Record]]:
    """Records by name, those in their fields too."""
    found = dict(records)
    open_ = list(records.values())
    for one in open_:  # grows while it is walked
        for inner in (inner for field in one.model_fields.values() for inner in models_in(field.annotation)):
            if inner not in found.values():
                found[f"{inner.__module__.rpartition('.')[2]}.{inner.__name__}"] = inner
                open_.append(inner)
    return found


LOADED = with_inner(LOADED)


@pytest.mark.parametrize("name", LOADED)
def test_every_record_of_ours_goes_the_short_way(name: str) -> None:
    """No declaration has anything that only pydantic understands: else it would be imported for a plain run."""
    assert LOADED[name].form.accept is not None


@pytest.mark.parametrize("name", LOADED)
def test_every_record_of_ours_is_the_same_by_both_ways(name: str) -> None:
    """Random values for every field of every kind, fault and file."""
    form = LOADED[name].form
    required = {key: values for key, field in form.keys.items() if field in form.required}
    optional = {key: values for key in form.keys if key not in required}

    @settings(max_examples=15, deadline=None, database=None)
    @given(raw=st.fixed_dictionaries(required, optional=optional))
    def same(raw: dict[str, Any]) -> None:
        ours = outcome(lambda: LOADED[name].model_validate(raw, context=WRITTEN))
        assert ours == outcome(lambda: by_pydantic(LOADED[name], raw, WRITTEN))

    same()


def test_what_is_plainly_right_needs_no_pydantic() -> None:
    """The short way imports nothing of it; a mistake does."""
    code = (
        "import sys\n"
        "from xnai_validate.checkers._request import RequestParams\n"
        "made = RequestParams.model_validate({'path': '/x', 'json': {'a': [1, 2.5, None]}, 'headers': {'a': 'b'}})\n"
        "assert made.path == '/x' and made.query == {}, made\n"
        "print('pydantic' in sys.modules)\n"
        "try:\n    RequestParams.model_validate({'path': 3})\n"
        "except ValueError:\n    print('pydantic' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["False", "True"]


def test_values_are_by_name_or_alias_and_what_was_given_is_known() -> None:
    """Defaults are there without having been given; those that can change are new each time."""
    made = Many(json={"a": 1}, number=3)
    assert made == Many.model_validate({"json_": {"a": 1}, "number": 3}) != Many(number=3)
    assert made.model_fields_set == {"json_", "number"}
    assert (made.text, made.some, made.named) == ("x", [1, None], {})
    assert made.some is not made.some
    assert repr(made).startswith("Many(text='x', number=3, ")
    with pytest.raises(AttributeError, match="Many has no nothing"):
        _ = made.nothing
    with pytest.raises(ValidationError, match="no_such"):
        Many(no_such=1)  # type: ignore[call-arg]


def test_a_record_is_frozen_and_copied_with_changes() -> None:
    """Nothing is set or deleted; a copy keeps what was given."""
    made = Inner(name="a", size=2)
    with pytest.raises(FrozenInstanceError):
        setattr(made, "name", "b")  # noqa: B010
    with pytest.raises(FrozenInstanceError):
        delattr(made, "name")
    other = made.model_copy(update={"size": 3})
    assert (other.name, other.size, made.size) == ("a", 3, 2)
    assert other.model_fields_set == {"name", "size"}
    assert copy.deepcopy(made) == copy.copy(made) == made
    assert Inner.model_construct(name=1).model_dump() == {"name": 1, "size": 1, "deep": []}


def test_it_is_dumped_as_it_was_written() -> None:
    """By alias and as JSON, without defaults where that is asked for, and read again from its JSON."""
    made = Many.model_validate({"json": [1], "kind": "refused", "inner": {"name": "a"}, "several": ["x"], "wait": "2s"})
    assert made.model_dump(mode="json", by_alias=True, exclude_defaults=True) == {
        "json": [1], "kind": "refused", "inner": {"name": "a"}, "several": ["x"], "wait": 2.0,
    }  # fmt: skip
    assert made.model_dump()["several"] == ("x",)
    inner = Inner(name="a", deep=[Inner(name="b")])
    assert Inner.model_validate_json(inner.model_dump_json()) == inner
    assert json.loads(inner.model_dump_json()) == Inner.twin.model_validate(inner.model_dump()).model_dump(mode="json")
    with pytest.raises(ValidationError, match="Invalid JSON"):
        Inner.model_validate_json("{")


def test_a_declaration_that_only_pydantic_understands_is_left_to_it() -> None:
    """A set, or a validator of pydantic's own: slower, and right."""

    class Rare(Params):
        names: set[str]

    class Own(Params):
        name: str

        @pydantics_own(mode="after")
        def _short(self) -> Self:
            if len(self.name) > 3:
                raise ValueError("too long")
            return self

    assert Rare.form.accept is Own.form.accept is None
    assert Rare.model_validate({"names": ["a", "a"]}).names == {"a"}
    assert Own(name="abc").name == "abc"
    with pytest.raises(ValidationError, match="too long"):
        Own(name="abcd")
    assert Own.__accept__({"name": "abc"}, Info(None)) is REFUSED


def test_the_mapping_can_be_read_before_its_fields() -> None:
    """A validator of mode `before` may spell out what is short."""

    class Short(Params):
        name: str
        said: str = ""

        @model_validator(mode="before")
        @classmethod
        def _spell(cls, raw: Any) -> Any:
            if raw == {"name": "bad"}:
                raise ValueError("not that")
            return {**raw, "said": f"I am {raw['name']}"} if isinstance(raw, dict) and "name" in raw else raw

    assert Short.form.accept is not None
    assert Short.model_validate({"name": "x"}).said == "I am x"
    assert Short(name="y").said == "I am y"
    with pytest.raises(ValidationError, match="not that"):
        Short.model_validate({"name": "bad"})


def test_bases_are_taken_over() -> None:
    """Fields, defaults, checks and methods of a base; a field that is declared anew stands where it stood."""

    class Base(Facts):
        a: int
        b: str = "b"

        @cached_property
        def both(self) -> str:
            return f"{self.a}{self.b}"

        @model_validator(mode="after")
        def _small(self) -> Self:
            if self.a > 9:
                raise ValueError("too large")
            return self

    class Derived(Base):
        c: float = 1.0
        a: int = 4

    assert list(Derived.model_fields) == ["a", "b", "c"]
    assert Derived().both == "4b"
    assert Derived().model_fields_set == frozenset()
    with pytest.raises(ValidationError, match="too large"):
        Derived(a=10)
    assert isinstance(Derived(), Base)
    assert Derived() != Base(a=4)


def test_declarations_that_would_surprise_are_refused() -> None:
    """A default that can change, and pydantic's own Field, are told when the class is made."""
    body = {"__module__": __name__, "__annotations__": {"names": "list[str]"}}
    for default, said in (([], "default_factory"), (PydanticsField("x"), "take Field from")):
        with pytest.raises(TypeError, match=said):
            RecordMeta("Odd", (Params,), {**body, "names": default})
    with pytest.raises(TypeError, match="no pattern"):
        Field(pattern="x")
