"""Baselines on disk: `baselines/NAME.json` below the state directory."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from xnai_validate.atomic_write import atomic_write
from xnai_validate.baseline.fingerprint import Fingerprint, incompatibilities
from xnai_validate.baseline.record import FORMAT, Baseline, RecordedRun
from xnai_validate.errors import ConfigError, XnaiError
from xnai_validate.model.json import to_json
from xnai_validate.opening import open_at_once

if TYPE_CHECKING:
    from pydantic import TypeAdapter

KEEP_RUNS = 30
"""Runs of a baseline; the oldest go first."""
FILE_CAP = 64 << 20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def baseline_path(name: str, state: Path) -> Path:
    """Where the baseline of a name is kept. Raises ConfigError for what is not a name."""
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f'"{name}" is not the name of a baseline', hint="up to 64 letters, digits, dots, hyphens and underscores"
        )
    return state / "baselines" / f"{name}.json"


def baseline_names(state: Path) -> tuple[str, ...]:
    """The names of all baselines that are kept."""
    return tuple(sorted(path.stem for path in (state / "baselines").glob("*.json") if _NAME.fullmatch(path.stem)))


def load(path: Path) -> Baseline:
    """Return the baseline of a file; raises ConfigError if it does not exist or has another format."""
    try:
        with open(path, "rb", opener=open_at_once) as file:
            data = file.read(FILE_CAP + 1)
    except OSError as error:
        raise ConfigError(f"the baseline {path} cannot be read: {error.strerror or error}") from None
    if len(data) > FILE_CAP:
        raise ConfigError(f"{path} is larger than the {FILE_CAP >> 20} MiB that a baseline may have")
    return parse(data, path)


def parse(data: bytes, path: Path) -> Baseline:
    """The baseline of the content of a file. Raises ConfigError where it is not one that this version reads."""
    import json

    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        raise ConfigError(f"{path} is not a baseline: it is not JSON", hint="remove it and record again") from None
    format_name = document.get("format") if isinstance(document, dict) else None
    stem = FORMAT.rpartition("/")[0]
    if not isinstance(format_name, str) or format_name.rpartition("/")[0] != stem:
        raise ConfigError(f"{path} is not a baseline of xnai-validate", hint=f'a baseline has the format "{FORMAT}"')
    if format_name != FORMAT:
        raise ConfigError(
            f"{path} was written by another version of xnai-validate: {format_name}, this one reads {FORMAT}",
            hint="use that version, or record the baseline again under another name",
        )
    try:
        baseline = _baseline_adapter().validate_json(data)
    except ValueError as error:
        raise ConfigError(f"{path} is a damaged baseline: {_first(error)}", hint="remove it and record again") from None
    if not baseline.runs:
        raise ConfigError(f"the baseline {path} has no runs", hint="remove it and record again")
    return baseline


def _first(error: ValueError) -> str:
    """The first error that pydantic found, with its location."""
    from pydantic import ValidationError

    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"


def refuse_unlike(name: str, before: Fingerprint, now: Fingerprint) -> None:
    """Raise ConfigError, with a hint, if figures under these two fingerprints cannot be compared."""
    differences = incompatibilities(before, now)
    if differences:
        raise ConfigError(
            f"the baseline {name} was recorded under other conditions: {'; '.join(differences)}",
            hint="record one for these conditions under another name: run PROFILE --record NAME",
        )


def add(name: str, run: RecordedRun, state: Path) -> int:
    """Add a run to a baseline, created if it does not exist; return the number of its runs.

    Raises XnaiError where it cannot be written, ConfigError where the run does not fit to those before.
    """
    path = baseline_path(name, state)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone(path.parent):
            before = load(path).runs if path.exists() else ()
            if before:
                refuse_unlike(name, before[-1].fingerprint, run.fingerprint)
            runs = (*(known for known in before if known.id != run.id), run)[-KEEP_RUNS:]
            text = to_json(Baseline(name=name, runs=runs)).decode()
            atomic_write(path, (text, "\n"), new_mode=0o600, durable=True)
            return len(runs)
    except OSError as error:
        raise XnaiError(f"the baseline {path} cannot be written: {error.strerror or error}") from None


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the lock of the folder, so that two runs that end together are both added."""
    handle = os.open(folder / ".lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@cache
def _baseline_adapter() -> TypeAdapter[Baseline]:
    """Return the pydantic adapter of a baseline's file."""
    from pydantic import TypeAdapter

    return TypeAdapter(Baseline)
