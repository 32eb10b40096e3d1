"""The file by whose durations a plan is divided into shards: committed, so that every job of a matrix has the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import median
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from xnai_validate.errors import ConfigError
from xnai_validate.model.frozen_model import FrozenModel
from xnai_validate.model.json import indented
from xnai_validate.model.results.report import RunReport
from xnai_validate.model.results.status import Status
from xnai_validate.opening import open_at_once

MAX_BYTES = 16 << 20
LONGEST_S = 1e6


class ShardTimes(FrozenModel):
    """The content of the file."""

    format: Literal["xnai-validate/shard-times/1"] = "xnai-validate/shard-times/1"
    seconds: dict[str, Annotated[float, Field(ge=0, le=LONGEST_S, allow_inf_nan=False)]]
    """Full id of a check -> how long it takes."""


def durations_of(reports: Iterable[RunReport]) -> dict[str, float]:
    """Return full id -> the median seconds that each check took, attempts and faults included, by its id.

    They are rounded to tenths, so that the file changes only where durations do. Checks that were not measured are left
    out.
    """
    found: dict[str, list[float]] = {}
    for report in reports:
        for check in report.checks:
            is_measured = check.status not in (Status.SKIP, Status.ERROR)
            if is_measured and check.began_ms is not None and check.ended_ms is not None:
                found.setdefault(check.id, []).append(max(0.0, check.ended_ms - check.began_ms) / 1000)
    return {check_id: round(median(seconds), 1) for check_id, seconds in sorted(found.items())}


def text_of_shard_times(seconds: Mapping[str, float]) -> str:
    """Return the content of the file."""
    return f"{indented(ShardTimes(seconds=dict(seconds)).model_dump())}\n"


def read_shard_times(path: Path) -> dict[str, float]:
    """Return full id -> seconds, as the file has them. Raises ConfigError."""
    hint = "write it with: xnai-validate history PROFILE --shard-times FILE"
    try:
        with open(path, "rb", opener=open_at_once) as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}", hint=hint) from None
    if len(data) > MAX_BYTES:
        raise ConfigError(f"{path} is larger than {MAX_BYTES >> 20} MiB", hint=hint)
    try:
        return ShardTimes.model_validate_json(data).seconds
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ConfigError(f"{path}: {f'{place}: ' if place else ''}{first['msg']}", hint=hint) from None
