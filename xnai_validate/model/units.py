"""Durations and sizes as people write them, and the names of units at the end of facts."""

from __future__ import annotations

import re

_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
}
_LONGEST_S = 1000 * 365.25 * 86400
"""A duration is at most 1000 years, which no clock and no timer refuses."""
_LARGEST = 2**62
"""A size is at most that many bytes."""
_QUANTITY = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]+)\s*", re.ASCII)
_DURATION = re.compile(r"(?:\s*[0-9]+(?:\.[0-9]+)?\s*(?:us|ms|s|min|m|h|d))+\s*", re.ASCII)

# The suffix of a fact's name -> how many base units (seconds, bytes) one of it is.
_TIME_FACTS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "hours": 3600.0, "days": 86400.0}
_SIZE_FACTS = {"bytes": 1, "kib": 2**10, "mib": 2**20, "gib": 2**30}


def duration_s(text: str) -> float:
    """Seconds of a duration such as `500ms`, `2s`, `1m30s`; raises ValueError for anything without a unit."""
    if not _DURATION.fullmatch(text):
        raise ValueError(f"{text!r} is not a duration; write a number with a unit: 500ms, 2s, 1m30s, 1h")
    duration = sum(float(number) * _SECONDS[unit] for number, unit in _QUANTITY.findall(text))
    if duration > _LONGEST_S:
        raise ValueError(f"{text[:40]!r} is a duration of more than 1000 years")
    return duration


def size_bytes(text: str) -> int:
    """Bytes of a size such as `64KiB` or `10MB`; raises ValueError for anything without a unit."""
    match = _QUANTITY.fullmatch(text)
    unit = _BYTES.get(match[2].lower()) if match else None
    if match is None or unit is None:
        raise ValueError(f"{text!r} is not a size; write a number with a unit: 512B, 64KiB, 10MB, 2GiB")
    size = float(match[1]) * unit
    if size > _LARGEST:
        raise ValueError(f"{text[:40]!r} is a size of more than {_LARGEST // 2**60} EiB")
    return int(size)


def in_unit_of(fact: str, text: str) -> float:
    """A quantity as a number in the unit that the fact's name ends in: `in_unit_of("total_ms", "2s")` is 2000.

    Raises ValueError where the fact has no unit or the text is not such a quantity.
    """
    suffix = fact.rpartition("_")[2].lower()
    if suffix in _TIME_FACTS:
        return duration_s(text) / _TIME_FACTS[suffix]
    if suffix in _SIZE_FACTS:
        return size_bytes(text) / _SIZE_FACTS[suffix]
    raise ValueError(f"{fact} has no unit; write a plain number instead of {text!r}")


def format_ms(ms: float) -> str:
    """A duration for people: `0.4 ms`, `12 ms`, `1.52 s`, `2 min 05 s`."""
    if ms < 10:
        return f"{ms:.1f} ms"
    if ms < 1000:
        return f"{ms:.0f} ms"
    if ms < 60_000:
        return f"{ms / 1000:.2f} s"
    minutes, seconds = divmod(round(ms / 1000), 60)
    return f"{minutes} min {seconds:02d} s"


def about(seconds: float) -> str:
    """A duration without false precision: `40 s`, `4 min`."""
    if seconds < 90:
        return f"{max(1, round(seconds)):d} s"
    return f"{round(seconds / 60):d} min" if seconds >= 600 else format_ms(round(seconds / 10) * 10_000)
