"""Bases of a kind's parameters and facts, and the types of their quantities."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from typing import Annotated, Any, Self, get_args

from annotated_types import Ge, Le
from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    JsonValue,
    PrivateAttr,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from pydantic_core import PydanticKnownError

from xnai_validate.model.frozen_model import FrozenModel
from xnai_validate.model.json import JsonObject
from xnai_validate.model.judging.fact_types import IgnoreCase, Timed
from xnai_validate.model.target import Target
from xnai_validate.model.units import duration_s, size_bytes

FROM_FILE = "from a file"
"""The validation context of params that a person wrote: there a duration carries its unit."""

# Facts: the annotation gives the bounds of a number, its unit is the end of the fact's name.
Count = Annotated[int, Ge(0)]
Milliseconds = Annotated[float, Ge(0), Timed()]
"""A time that the tool measures. A broken limit of one is not judged where the tool itself was late by the excess."""
Seconds = Annotated[float, Ge(0)]
Bytes = Annotated[int, Ge(0)]
Mebibytes = Annotated[float, Ge(0)]
Ratio = Annotated[float, Ge(0), Le(1)]
Percent = Annotated[float, Ge(0)]
Headers = Annotated[dict[str, str], IgnoreCase()]
"""Names in lower case; several of one name are joined by a comma and a space."""


def _read_duration(value: object, info: ValidationInfo) -> object:
    """Seconds of a text; a number without a unit is refused where a person wrote it, and whole numbers everywhere."""
    if isinstance(value, str):
        return duration_s(value)
    if isinstance(value, bool):
        raise PydanticKnownError("float_type")
    if isinstance(value, int) or (info.context == FROM_FILE and isinstance(value, float)):
        raise ValueError(f"a duration needs a unit: write {value}s or {value}ms")
    return value


# Params: quantities as people write them.
Duration = Annotated[
    float,
    BeforeValidator(_read_duration),
    Ge(0),
    WithJsonSchema({"type": "string", "pattern": r"^(\s*[0-9]+(\.[0-9]+)?\s*(us|ms|s|min|m|h|d))+\s*$"}),
]
"""Seconds, written with a unit: `500ms`, `2s`, `1m30s`."""
Size = Annotated[
    int,
    BeforeValidator(lambda v: size_bytes(v) if isinstance(v, str) else v),
    Ge(0),
    WithJsonSchema(
        {"type": ["integer", "string"], "minimum": 0, "pattern": r"^\s*[0-9]+(\.[0-9]+)?\s*[KMGkmg]?i?[Bb]\s*$"}
    ),
]
"""Bytes, written as a number or with a unit: `64KiB`, `10MB`."""


class NamesTarget:
    """Marks a param whose value is the name of a target: an unknown name is an error when the profile is loaded."""


TargetName = Annotated[str, StringConstraints(min_length=1), NamesTarget()]
"""The name of a target, besides that of the check."""


def _without_nul(text: str) -> str:
    """Return a text. Raises ValueError where it has a null character: the operating system would cut it off there."""
    if "\0" in text:
        raise ValueError("a null character cannot stand in a path or an argument")
    return text


Argument = Annotated[str, AfterValidator(_without_nul)]
"""A path of a file, an argument of a command, or the name or value of an environment variable."""


class NamesFile:
    """Marks a param whose value is a path on this host: a relative one begins at the folder of the profile."""


SOCKET_CAP = 107
"""Bytes of the path of a Unix socket, by the size of `sun_path` in unix(7)."""


def _verified_socket(path: str) -> str:
    """Return the path of a Unix socket. Raises ValueError for other addresses, and for a path that is too long."""
    path = path.removeprefix("unix://")
    if not path or "://" in path or "\0" in path:
        raise ValueError("a container engine is reached by a Unix socket: write its path, such as /run/docker.sock")
    if len(os.fsencode(path)) > SOCKET_CAP:
        raise ValueError(f"the path of a Unix socket has at most {SOCKET_CAP} bytes")
    return path


SocketPath = Annotated[str, AfterValidator(_verified_socket), NamesFile()]
"""The Unix socket of a container engine, as a path or as `unix:///path`."""
BodyCap = Annotated[Size, Le(256 * 1024 * 1024)]
"""The most of a body that is kept in memory, at most 256 MiB: a body takes three times its size while it is read."""


class Params(FrozenModel):
    """The `with:` of a check or of a fault.

    A field with an alias may be given under both names. Raises pydantic's ValidationError, which is a ValueError.
    """

    model_config = ConfigDict(populate_by_name=True)

    @field_validator("*", mode="before")
    @classmethod
    def _true_is_no_number(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse `true` and `false` where a number belongs; pydantic would read them as 1 and 0."""
        error = _number_error(cls, info.field_name or "")
        if error is not None and _contains_bool(value):
            raise PydanticKnownError(error)
        return value

    def verify_target(self, target: Target) -> None:
        """Raise ValueError where a target with such a url cannot be measured with these params; by default all can."""


class Facts(FrozenModel):
    """What a checker measured; every number carries its unit in its name."""

    model_config = ConfigDict(populate_by_name=True)
    _why_not_reached: str | None = PrivateAttr(default=None)
    _why_incomplete: str | None = PrivateAttr(default=None)
    _kept: JsonObject = PrivateAttr(default_factory=dict)
    _measured: tuple[float, float] | None = PrivateAttr(default=None)

    def not_reached(self, why: str | None) -> Self:
        """Return these facts with the reason why some of them are null.

        Rules about those are not judged then: unless another rule fails, the check is an error with that reason.
        """
        copy = self.model_copy()
        copy._why_not_reached = why
        return copy

    def incomplete(self, why: str | None) -> Self:
        """Return these facts with the reason why they do not stand for the whole measurement.

        No rule is judged then: the check is an error with that reason, and the facts are reported.
        """
        if why is None:
            return self
        copy = self.model_copy()
        copy._why_incomplete = why
        return copy

    def keeping(self, values: JsonObject) -> Self:
        """Return these facts with values for the engine alone, such as those that a login captures."""
        copy = self.model_copy()
        copy._kept = values
        return copy

    @property
    def kept(self) -> JsonObject:
        """The values that are for the engine alone."""
        return self._kept

    def note_span(self, begun_s: float, ended_s: float) -> None:
        """Note when these facts were measured, in seconds of `time.monotonic`.

        Facts that several checks share keep the first span: later checks only wait for them.
        """
        if self._measured is None:
            self._measured = (begun_s, ended_s)

    @property
    def span(self) -> tuple[float, float] | None:
        """When these facts were measured; None if that was not noted."""
        return self._measured

    @property
    def why_incomplete(self) -> str | None:
        """Why these facts do not stand for the whole measurement; None where they do."""
        return self._why_incomplete

    @property
    def why_not_reached(self) -> str | None:
        """Why facts that are null were not reached; None where a null fact is a result."""
        return self._why_not_reached


@cache
def _number_error(model: type[Params], field: str) -> Any:
    """pydantic's name of the error for a flag in a field of numbers; None for a field that may hold flags."""
    types = set(_leaf_types(model.model_fields[field].annotation))
    if types & {bool, object, Any, JsonValue}:
        return None
    return "int_type" if int in types else "float_type" if float in types else None


def _leaf_types(annotation: Any) -> Iterator[Any]:
    """Yield the types in an annotation that have no type arguments."""
    inner = () if annotation is JsonValue else get_args(annotation)
    if not inner:
        yield annotation
    for part in inner:
        yield from _leaf_types(part)


def _contains_bool(value: object) -> bool:
    """Whether a value is, or contains at any depth, true or false."""
    if isinstance(value, dict):
        return any(map(_contains_bool, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_contains_bool, value))
    return isinstance(value, bool)
