"""Names of gauges from names of facts: in base units, as Prometheus' naming rules and its linter want them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "sec": 1.0, "min": 60.0, "minutes": 60.0}
_SECONDS |= {"h": 3600.0, "hours": 3600.0, "d": 86400.0, "days": 86400.0, "weeks": 604800.0}
_BYTES = {"b": 1.0, "kb": 1e3, "mb": 1e6, "gb": 1e9, "kib": 2.0**10, "mib": 2.0**20, "gib": 2.0**30, "bits": 0.125}
_UNITS: dict[str, tuple[str, float]] = {
    **{word: ("seconds", factor) for word, factor in _SECONDS.items()},
    **{word: ("bytes", factor) for word, factor in _BYTES.items()},
    "seconds": ("seconds", 1.0),
    "bytes": ("bytes", 1.0),
    "percent": ("ratio", 0.01),
    "rps": ("per_second", 1.0),
    "tps": ("per_second", 1.0),
    "hz": ("hertz", 1.0),
}
"""Part of a fact's name -> the base unit, and what the value is multiplied with."""
_RESERVED = frozenset({"total", "count", "sum", "bucket", "created", "info"})
"""Last parts of names that have another sense for counters, histograms and OpenMetrics."""
_TYPES = {"gauge": "gauges", "counter": "counters", "m": "metres"}
"""Parts that the linter refuses anywhere -> another word."""
_OTHER = re.compile(r"[^a-z0-9_]+")


@dataclass(frozen=True, slots=True)
class BaseUnit:
    """The name of a gauge and how its value follows from that of the fact."""

    name: str
    factor: float
    note: str
    """`, in seconds`; empty if the fact has no unit."""


@lru_cache(maxsize=4096)
def base_unit(fact: str) -> BaseUnit:
    """Return the name and factor for a fact: `http_request_total_ms` becomes `http_request_total_seconds`, 0.001.

    The unit goes to the end. A name that would end in a reserved word gets `value`: `error_count_value`.
    """
    words = [word for word in _OTHER.sub("_", fact.lower()).split("_") if word]
    known = next((word for word in reversed(words) if word in _UNITS), None)
    if known is None:
        unit, factor, note = "", 1.0, ""
    else:
        unit, factor = _UNITS[known]
        words = [word for word in words if word not in _UNITS]
        note = f", in {unit.replace('_', ' ')}"
    words = [_TYPES.get(word, word) for word in words]
    if unit:
        words.append(unit)
    elif words and words[-1] in _RESERVED:
        words.append("value")
    return BaseUnit("_".join(words), factor, note)
