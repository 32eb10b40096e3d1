"""What one process has counted of a load, as plain data, and the sum of such parts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from xnai_validate.checkers.load._generator.drive import Drive
from xnai_validate.checkers.load._generator.tally import Tally
from xnai_validate.kit import Histogram, JsonObject, JsonValue

_SETTINGS = frozenset({"begun", "for_s", "objective_s"})
"""Fields of a tally that count nothing."""


def part_of(drive: Drive) -> JsonObject:
    """Return everything that a drive has counted; times are relative to its beginning."""
    return {
        "warmup": _export_counts(drive.warmup),
        "load": _export_counts(drive.load),
        "connections": drive.connections,
        "cpu_ratio": drive.cpu_ratio,
        "ended_because": drive.ended_because,
        "ends_s": drive.ends - drive.load.begun,
        "recorder": drive.recorder.part(),
    }


def add_part(drive: Drive, part: JsonObject) -> None:
    """Add a part to the drive that holds the sum; it has its times set. Raises ValueError for anything else."""
    try:
        _add(drive.warmup, part["warmup"])
        _add(drive.load, part["load"])
        drive.connections += _read_count(part["connections"])
        drive.cpu_ratio = max(drive.cpu_ratio, _read_number(part["cpu_ratio"]))
        drive.ends = min(drive.ends, drive.load.begun + _read_number(part["ends_s"]))
        because = part["ended_because"]
        drive.ended_because = drive.ended_because or (None if because is None else str(because))
        drive.recorder.add(_read_mapping(part["recorder"]))
    except (KeyError, TypeError) as error:
        raise ValueError(f"not the figures of a load: {error!r:.80}") from error


def _names_of(tally: Tally) -> Iterator[str]:
    """Yield the names of the fields that count something."""
    for owner in type(tally).__mro__:
        for name in getattr(owner, "__slots__", ()):
            if not name.startswith("_") and name not in _SETTINGS and hasattr(tally, name):
                yield name


def _export_counts(tally: Tally) -> JsonObject:
    """Return the counts of a tally as plain data."""
    return {name: _plain_value(tally, name) for name in _names_of(tally)}


def _plain_value(tally: Tally, name: str) -> Any:
    """Return one field as plain data."""
    value = getattr(tally, name)
    if name == "last_at":
        return value - tally.begun
    if isinstance(value, Histogram):
        return value.to_json()
    if isinstance(value, dict):
        return [[key, count] for key, count in value.items()]
    if isinstance(value, list):
        return [each.to_json() if isinstance(each, Histogram) else each for each in value]
    return value


def _add(tally: Tally, part: JsonValue) -> None:
    """Add the counts of another process to a tally. Raises ValueError or KeyError."""
    counts = _read_mapping(part)
    for name in _names_of(tally):
        mine, other = getattr(tally, name), counts[name]
        if name == "last_at":
            tally.last_at = max(tally.last_at, tally.begun + _read_number(other))
        elif name == "error_detail":
            tally.error_detail = tally.error_detail or (None if other is None else str(other))
        elif isinstance(mine, Histogram):
            mine.merge(Histogram.from_json(other))
        elif isinstance(mine, dict):
            for key, count in _read_pairs(other):
                mine[key] += count
        elif isinstance(mine, list):
            _add_list(mine, other)
        else:
            setattr(tally, name, mine + _read_count(other))


def _add_list(mine: list[Any], other: JsonValue) -> None:
    """Add windows to windows."""
    if not isinstance(other, list) or len(other) != len(mine):
        raise ValueError("not the windows of the same load")
    for index, each in enumerate(other):
        if isinstance(mine[index], Histogram):
            mine[index].merge(Histogram.from_json(each))
        else:
            mine[index] += _read_count(each)


def _read_pairs(value: JsonValue) -> Iterator[tuple[str | int, int]]:
    """Yield name and count of each pair."""
    if not isinstance(value, list):
        raise ValueError("counts are not a list of pairs")
    for pair in value:
        if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[0], str | int):
            raise ValueError("a count is not a pair of a name and a number")
        yield pair[0], _read_count(pair[1])


def _read_mapping(value: JsonValue) -> JsonObject:
    """Return a mapping; raises ValueError for anything else."""
    if not isinstance(value, dict):
        raise ValueError(f"{type(value).__name__} instead of a mapping")
    return value


def _read_count(value: JsonValue) -> int:
    """Return a count; raises ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{value!r:.40} is no count")
    return value


def _read_number(value: JsonValue) -> float:
    """Return a finite number; raises ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r:.40} is no number")
    return float(value)
