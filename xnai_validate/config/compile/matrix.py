"""`matrix:` of a check: one check for each value, or for each combination of several lists of values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from math import prod

from pydantic import TypeAdapter, ValidationError

from xnai_validate.config.compile.variables.interpolation import Interpolator
from xnai_validate.config.files.suite import MatrixEntry
from xnai_validate.config.yaml_files.problems import Problems, Where
from xnai_validate.model.json import JsonObject, JsonValue

KEY = "matrix"
CHECKS_CAP = 200
"""Checks that one matrix makes at most."""
LABEL_CAP = 60
"""Characters of a value in an id."""
_TARGET = "target"


@dataclass(frozen=True, slots=True)
class Instance:
    """One check as it is written, with what its references mean."""

    item: JsonValue
    interpolator: Interpolator
    suffix: str = ""
    """What its id ends with: `[orders]`."""


def instances(item: JsonObject, interpolator: Interpolator, where: Where, problems: Problems) -> Iterator[Instance]:
    """The checks that an item of a suite's list makes with its matrix. Errors of the matrix are noted."""
    matrix = interpolator.value(item[KEY], where.at(KEY))
    try:
        axes = _entry_adapter().validate_python(matrix, strict=True)
    except ValidationError:
        message = "a matrix is up to three names, each with a list of 1 to 100 values"
        problems.at(where.at(KEY), message, "write matrix: {queue: [orders, mails]}")
        return
    if prod(map(len, axes.values())) > CHECKS_CAP:
        problems.at(where.at(KEY), f"the matrix makes more than {CHECKS_CAP} checks", "write several checks")
        return
    for values in product(*axes.values()):
        known: dict[str, JsonValue] = dict(zip(axes, values, strict=True))
        own = {**item, KEY: matrix}
        if _TARGET in known:
            own.setdefault(_TARGET, str(known[_TARGET]))
        suffix = f"[{','.join(map(_label, values))}]"
        yield Instance(own, interpolator.with_values(KEY, known, where.at(KEY)), suffix)


@cache
def _entry_adapter() -> TypeAdapter[dict[str, list[str | int | float | bool]]]:
    """Return the pydantic adapter that validates `matrix:`."""
    return TypeAdapter(MatrixEntry)


def _label(value: object) -> str:
    """A value as a part of an id: letters, digits, dots, hyphens and underscores."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text)[:LABEL_CAP] or "-"
