"""Params and facts: what authors of checkers and faults may rely on."""

from __future__ import annotations

import copy
import json
from functools import cached_property
from typing import Annotated, Any, Literal, Self

import pytest
from pydantic import ValidationError, computed_field

from xnai_validate import kit
from xnai_validate.config.yaml_files.scalars import environment_scalar
from xnai_validate.kit import (
    FROM_FILE,
    AfterValidator,
    BeforeValidator,
    Duration,
    ErrorKind,
    Facts,
    Field,
    Ge,
    JsonValue,
    Le,
    Len,
    Params,
    Size,
    StringConstraints,
    field_validator,
    model_validator,
)
from xnai_validate.model.field_descriptions import DescribedSchema, field_descriptions


def _even(value: int) -> int:
    if value % 2:
        raise ValueError("an odd number")
    return value


class Inner(Params):
    """A model in a model."""

    name: str
    size: Size = 1
    deep: list[Inner] = Field(default_factory=list)


class Many(Params):
    """A field of every sort."""

    text: str = "x"
    """Some text."""
    number: Annotated[int, Ge(0), Le(100)] = 0
    ratio: Annotated[float, Ge(0), Le(1)] = 0.5
    flag: bool = False
    even: Annotated[int, AfterValidator(_even)] = 0
    doubled: Annotated[int, BeforeValidator(lambda v: v * 2 if isinstance(v, int) else v), Le(50)] = 0
    mode: Literal["plain", "loud"] = "plain"
    kind: ErrorKind | None = None
    either: str | int | float | bool | list[str | int] | None = None
    numbers: list[float] = Field(default_factory=list)
    named: dict[str, Annotated[int, Ge(0)]] = Field(default_factory=dict)
    several: tuple[str, ...] = ()
    some: Annotated[list[int | None], Len(1, 3)] = Field(default_factory=lambda: [1, None])
    json_: JsonValue = Field(default=None, alias="json")
    wait: Duration = 1.0
    short: Annotated[str, StringConstraints(pattern=r"^[a-z]+$", max_length=5)] = "a"
    inner: Inner | None = None
    inners: list[Inner] = Field(default_factory=list, max_length=2)

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


def errors(raw: dict[str, Any], context: object = FROM_FILE) -> list[tuple[str, tuple[int | str, ...]]]:
    """Type and location of each error in the params of a file; empty where they are valid."""
    try:
        Many.model_validate(raw, context=context)
    except ValidationError as error:
        return [(each["type"], each["loc"]) for each in error.errors(include_url=False)]
    return []


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"number": 101}, [("less_than_equal", ("number",))]),
        ({"even": 3}, [("value_error", ("even",))]),
        ({"doubled": 26}, [("less_than_equal", ("doubled",))]),
        ({"mode": "quiet"}, [("literal_error", ("mode",))]),
        ({"some": []}, [("too_short", ("some",))]),
        ({"short": "abcdef"}, [("string_too_long", ("short",))]),
        ({"text": "y"}, [("value_error", ("text",))]),
        ({"flag": True, "json": 1}, [("value_error", ())]),
        ({"inner": {"size": 1}}, [("missing", ("inner", "name"))]),
        ({"inners": [{"name": "a"}, {"name": 1}]}, [("string_type", ("inners", 1, "name"))]),
        ({"unknown": 1}, [("extra_forbidden", ("unknown",))]),
        ({"number": 1, "ratio": 1, "flag": False, "mode": "loud", "kind": "refused", "json": [1]}, []),
    ],
)
def test_declarations_are_verified(raw: dict[str, Any], expected: list[tuple[str, tuple[int | str, ...]]]) -> None:
    """Bounds, choices, validators and nested models refuse what they should, each error with its location."""
    assert errors(raw) == expected


@pytest.mark.parametrize("field", ["number", "ratio", "wait", "even"])
def test_true_is_no_number(field: str) -> None:
    """A flag in a field of numbers is refused, from files and from code; pydantic alone would read 1."""
    kind = "int_type" if field in ("number", "even") else "float_type"
    assert errors({field: True}) == errors({field: False}, context=None) == [(kind, (field,))]


def test_true_is_no_number_within_lists_and_mappings() -> None:
    """The same for the numbers within a field; where flags are allowed, they stay flags."""
    assert errors({"numbers": [1, True]}) == [("float_type", ("numbers",))]
    assert errors({"named": {"a": True}}) == [("int_type", ("named",))]
    assert Many.model_validate({"either": True}).either is True
    assert Many.model_validate({"json": [True, 1]}).json_ == [True, 1]


def test_numbers_of_files_and_of_the_environment() -> None:
    """Whole numbers are fractions too; numbers from the environment are numbers of the type of the field."""
    made = Many.model_validate({"ratio": 1, "number": environment_scalar("7"), "numbers": [1, 2.5]})
    assert (repr(made.ratio), repr(made.number), made.numbers) == ("1.0", "7", [1.0, 2.5])


def test_durations_carry_units_in_files() -> None:
    """A bare number is refused in a file; in code a float is seconds."""
    assert Many.model_validate({"wait": "1m30s"}, context=FROM_FILE).wait == 90.0
    assert errors({"wait": 2.0}) == errors({"wait": 2}) == [("value_error", ("wait",))]
    assert Many(wait=2.0).wait == 2.0
    assert errors({"wait": 2}, context=None) == [("value_error", ("wait",))]


def test_values_are_by_name_or_alias_and_what_was_given_is_known() -> None:
    """Defaults are not "given"; those that can change are new for each instance."""
    made = Many(json={"a": 1}, number=3)
    assert made == Many.model_validate({"json_": {"a": 1}, "number": 3}) != Many(number=3)
    assert made.model_fields_set == {"json_", "number"}
    assert (made.text, made.some, made.named) == ("x", [1, None], {})
    assert made.some is not Many().some


def test_params_are_frozen_and_copied_with_changes() -> None:
    """Nothing can be set or deleted; a copy keeps what was given."""
    made = Inner(name="a", size=2)
    with pytest.raises(ValidationError, match="frozen"):
        setattr(made, "name", "b")  # noqa: B010
    with pytest.raises(ValidationError, match="frozen"):
        delattr(made, "name")
    other = made.model_copy(update={"size": 3})
    assert (other.name, other.size, made.size) == ("a", 3, 2)
    assert other.model_fields_set == {"name", "size"}
    assert copy.deepcopy(made) == copy.copy(made) == made


def test_they_are_dumped_as_written_and_read_again() -> None:
    """By alias and as JSON, without defaults where that is asked for."""
    made = Many.model_validate({"json": [1], "kind": "refused", "inner": {"name": "a"}, "several": ["x"], "wait": "2s"})
    assert made.model_dump(mode="json", by_alias=True, exclude_defaults=True) == {
        "json": [1], "kind": "refused", "inner": {"name": "a"}, "several": ["x"], "wait": 2.0,
    }  # fmt: skip
    inner = Inner(name="a", deep=[Inner(name="b")])
    assert Inner.model_validate_json(inner.model_dump_json()) == inner
    assert json.loads(inner.model_dump_json())["deep"][0]["name"] == "b"


def test_everything_of_pydantic_works() -> None:
    """Params and facts are pydantic models: own configuration, computed fields and hooks have their usual effect."""

    class Own(Facts, str_strip_whitespace=True):
        name: str

        @computed_field
        def size_bytes(self) -> int:
            return len(self.name)

        def model_post_init(self, context: object) -> None:
            if self.name == "no":
                raise ValueError("not that")

    assert Own(name=" ab ").model_dump() == {"name": "ab", "size_bytes": 2}
    with pytest.raises(ValueError, match="not that"):
        Own(name="no")


def test_bases_are_inherited() -> None:
    """Fields, defaults, validators and methods of a base; a field that is declared again keeps its position."""

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
    with pytest.raises(ValidationError, match="too large"):
        Derived(a=10)
    assert Derived() != Base(a=4)


def test_the_text_under_a_field_is_its_description() -> None:
    """As schemas and `xnai-validate explain` show it."""
    assert field_descriptions(Many)["text"] == "Some text."
    schema = Many.model_json_schema(schema_generator=DescribedSchema)
    assert schema["properties"]["text"]["description"] == "Some text."


def test_every_name_of_the_kit_is_listed() -> None:
    """`__all__` is what authors may import, and each name is there."""
    assert sorted(set(kit.__all__)) == sorted(kit.__all__)
    assert [name for name in kit.__all__ if not hasattr(kit, name)] == []
