"""A mapping in a file, and the types of values that several kinds of files have."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from xnai_validate.model.frozen_model import FrozenModel
from xnai_validate.model.json import JsonObject

_KEBAB = r"[a-z0-9]+(?:-[a-z0-9]+)*"


class Entry(FrozenModel):
    """A mapping in a file: frozen, unknown keys refused. Only an alias is a key of a file: `with`, never `with_`."""


def listed(value: object) -> object:
    """Return a single text as a list of it, any other value as it is."""
    return [value] if isinstance(value, str) else value


def _texts_schema() -> dict[str, Any]:
    """Return the JSON Schema of a text or a list of texts."""
    text = {"type": "string"}
    return {"anyOf": [text, {"type": "array", "items": text}]}


Texts = Annotated[tuple[str, ...], BeforeValidator(listed), WithJsonSchema(_texts_schema())]
"""A list of texts; a single text may be written without a list."""


def _verify_kebab(value: str) -> str:
    """Return the text. Raises ValueError if it is not in kebab-case."""
    return require_match(value, _KEBAB, "in kebab-case; use lower-case letters, digits and single hyphens")


def require_match(value: str, pattern: str, rule: str) -> str:
    """Return the value; raises ValueError if it does not match the whole pattern."""
    if not re.fullmatch(pattern, value, re.ASCII):
        raise ValueError(f'"{value}" is not {rule}')
    return value


Kebab = Annotated[str, AfterValidator(_verify_kebab), WithJsonSchema({"type": "string", "pattern": f"^{_KEBAB}$"})]
"""A name such as `first-token`."""

Rules = JsonObject
"""Fact -> rule; parsed by `model.judging.rules`, since the rules that fit depend on the kind."""


def _verify_places(value: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names. Raises ValueError without any, and for an empty one."""
    if not value or "" in value:
        raise ValueError("it names no worker; write `workers` for each worker, or `local`")
    return value


Places = Annotated[
    tuple[str, ...], BeforeValidator(listed), AfterValidator(_verify_places), WithJsonSchema(_texts_schema())
]
"""Where a check is measured: `workers`, `local`, and names or resources of workers of Dask."""
