"""What the annotation of a field may carry besides its type: bounds, an alias, functions that read or verify a value.

They have the names and the meaning that pydantic and annotated-types give them, and become theirs when a model of
pydantic is made of a record (`model.twin`). Until then they are plain values, for pydantic takes longer to import than
a short run to end. For type checkers they are pydantic's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

UNSET: Any = type("Unset", (), {"__repr__": lambda self: "unset"})()
"""The default of a field that has none."""
BOUNDS = {"ge": "Ge", "gt": "Gt", "le": "Le", "lt": "Lt", "min_length": "MinLen", "max_length": "MaxLen"}
"""What can be said of a value or of its length, and the name that annotated-types has for it."""


class Bounds:
    """Bounds of a value or of its length; pydantic unpacks them by the protocol of annotated-types."""

    __is_annotated_types_grouped_metadata__ = True

    def __init__(self, **bounds: Any) -> None:
        self.bounds: Mapping[str, Any] = bounds

    def __iter__(self) -> Iterator[object]:
        import annotated_types

        return (getattr(annotated_types, BOUNDS[name])(bound) for name, bound in self.bounds.items())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={bound!r}' for name, bound in self.bounds.items())})"


class FieldMark(Bounds):
    """The default and the alias of a field, with its bounds."""

    def __init__(
        self, default: Any, default_factory: Callable[[], Any] | None, alias: str | None, bounds: Mapping[str, Any]
    ) -> None:
        if unknown := bounds.keys() - BOUNDS:
            raise TypeError(f"a field of a record has no {', '.join(sorted(unknown))}")
        super().__init__(**bounds)
        self.default, self.default_factory, self.alias = default, default_factory, alias


class Validator:
    """A function that values go through: `(value)` or `(value, info)`; pydantic's own of the same name."""

    def __init__(self, func: Callable[..., Any]) -> None:
        self.func = func
        code = getattr(func, "__code__", None)
        self.takes_info = code is not None and code.co_argcount - hasattr(func, "__self__") == 2

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        import pydantic

        return getattr(pydantic, type(self).__name__)(self.func).__get_pydantic_core_schema__(source, handler)


class Verification:
    """A method that verifies some fields, or without `fields` the whole record, or what it is to be made of."""

    def __init__(self, method: Any, fields: tuple[str, ...] = (), mode: Literal["after", "before"] = "after") -> None:
        self.method, self.fields, self.mode = method, fields, mode

    def __get__(self, instance: object, owner: type) -> Any:
        return self.method.__get__(instance, owner)


class SchemaMark:
    """A JSON Schema in the place of one that is made."""

    def __init__(self, json_schema: dict[str, Any]) -> None:
        self.json_schema = json_schema

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Any) -> dict[str, Any]:
        return dict(self.json_schema)


class TextMark:
    """Bounds of a text's length, and a regular expression that is found in it."""

    def __init__(self, *, pattern: str | None = None, **bounds: Any) -> None:
        if unknown := bounds.keys() - BOUNDS:
            raise TypeError(f"a text of a record has no {', '.join(sorted(unknown))}")
        self.pattern = pattern
        self.bounds: Mapping[str, Any] = bounds

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        pattern = {"pattern": self.pattern} if self.pattern is not None else {}
        return {**handler(source), **pattern, **self.bounds}


class Info:
    """What a validator is told besides the value."""

    __slots__ = ("context",)

    def __init__(self, context: object) -> None:
        self.context = context


def bounds_of(mark: object) -> Mapping[str, Any]:
    """The bounds that a mark of ours, or one of annotated-types, sets: `ge`, `gt` ... -> the bound."""
    if type(mark).__module__ == "annotated_types":
        return {name: getattr(mark, name) for name in BOUNDS if getattr(mark, name, None) is not None}
    return mark.bounds if isinstance(mark, Bounds | TextMark) else {}


if TYPE_CHECKING:
    from annotated_types import Ge as Ge
    from annotated_types import Gt as Gt
    from annotated_types import Le as Le
    from annotated_types import Len as Len
    from annotated_types import Lt as Lt
    from annotated_types import MinLen as MinLen
    from pydantic import AfterValidator as AfterValidator
    from pydantic import BeforeValidator as BeforeValidator
    from pydantic import Field as Field
    from pydantic import StringConstraints as StringConstraints
    from pydantic import ValidationInfo as ValidationInfo
    from pydantic import WithJsonSchema as WithJsonSchema
    from pydantic import field_validator as field_validator
    from pydantic import model_validator as model_validator
else:
    StringConstraints, WithJsonSchema, ValidationInfo = TextMark, SchemaMark, Info

    class Ge(Bounds):
        def __init__(self, ge):
            super().__init__(ge=ge)

    class Gt(Bounds):
        def __init__(self, gt):
            super().__init__(gt=gt)

    class Le(Bounds):
        def __init__(self, le):
            super().__init__(le=le)

    class Lt(Bounds):
        def __init__(self, lt):
            super().__init__(lt=lt)

    class MinLen(Bounds):
        def __init__(self, min_length):
            super().__init__(min_length=min_length)

    class Len(Bounds):
        def __init__(self, min_length, max_length):
            super().__init__(min_length=min_length, max_length=max_length)

    class BeforeValidator(Validator):
        pass

    class AfterValidator(Validator):
        pass

    def Field(default=UNSET, *, default_factory=None, alias=None, **bounds):  # noqa: N802 (pydantic's name)
        return FieldMark(UNSET if default is ... else default, default_factory, alias, bounds)

    def field_validator(*fields):
        return lambda method: Verification(method, fields)

    def model_validator(*, mode):
        return lambda method: Verification(method, mode=mode)
