"""Rules, values and lists of checks in words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from xnai_validate.model.json import JsonValue
from xnai_validate.model.rules import Finding

VALUE_CAP = 240
"""Characters of a measured value that a report for people shows; the JSON report has more."""
_UNITS = {"us": "us", "ms": "ms", "s": "s", "hours": "h", "days": "days", "bytes": "bytes", "kib": "KiB"} | {
    "mib": "MiB",
    "gib": "GiB",
    "percent": "%",
}


def value(item: JsonValue, fact: str = "", cap: int = VALUE_CAP) -> str:
    """A value as a person reads it, with the unit that the fact's name ends in; long ones are cut and say so."""
    if item is None:
        return "nothing"
    if isinstance(item, bool):
        return "true" if item else "false"
    if isinstance(item, int | float):
        unit = _UNITS.get(fact.rpartition("_")[2].lower(), "")
        return f"{number(item)} {unit}".rstrip() if "_" in fact else number(item)
    text = json.dumps(item, ensure_ascii=False)
    return text if len(text) <= cap else f"{text[:cap]}... ({len(text)} characters)"


def number(item: float) -> str:
    """A number with as many digits as matter, large ones grouped by threes: `0.25`, `812.4`, `65 536`."""
    if isinstance(item, int) or item == int(item):
        return f"{int(item):_}".replace("_", " ") if abs(item) >= 100_000 else str(int(item))
    return f"{item:.4g}" if abs(item) < 1000 else f"{item:.0f}"


def expected(finding: Finding) -> str:
    """What the rule of a finding wants: `200`, `at most 400 ms`, `not "degraded"`, `to contain "done"`."""
    words = finding.rule.split()
    name, negated, of_length = words[-1], "not" in words, "length" in words
    fact = "" if of_length else finding.fact
    wanted = finding.expected
    if name == "equals" and wanted is None:
        return "a value" if negated else "nothing"
    text = {
        "equals": lambda: value(wanted, fact),
        "min": lambda: f"at least {value(wanted, fact)}",
        "max": lambda: f"at most {value(wanted, fact)}",
        "in": lambda: _either(wanted, fact),
        "matches": lambda: f"to match {wanted}",
        "contains": lambda: f"to contain {_each(wanted)}",
    }.get(name, lambda: f"{name} {value(wanted, fact)}")()
    if of_length:
        text = f"a length of {text}"
    return f"not {text}" if negated else text


def _either(wanted: JsonValue, fact: str) -> str:
    items = [value(item, fact) for item in wanted] if isinstance(wanted, list) else [value(wanted, fact)]
    return " or ".join(filter(None, [", ".join(items[:-1]), items[-1]]))


def _each(wanted: JsonValue) -> str:
    items = [value(item) for item in wanted] if isinstance(wanted, list) else [value(wanted)]
    return " and ".join(filter(None, [", ".join(items[:-1]), items[-1]]))


def telling(findings: Sequence[Finding], level: str) -> list[Finding]:
    """The findings that say why a check does not hold: those not held; the one about `error` alone where there is one.

    Without an answer nothing else could be measured, so that the other rules only repeat it.
    """
    broken = [one for one in findings if not one.held and one.level == level]
    return [one for one in broken if one.fact == "error"] or broken


def counted(count: int, one: str, many: str | None = None) -> str:
    """`1 check`, `2 checks`."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def listed(ids: Iterable[str], most: int = 60) -> str:
    """Check ids, those of one suite together: `api/health: ready, version; api/query: answers`; at most `most`."""
    all_ids = list(ids)
    suites: dict[str, list[str]] = {}
    for check_id in all_ids[:most]:
        suite, _, name = check_id.partition(":")
        suites.setdefault(suite, []).append(name)
    text = "; ".join(f"{suite}: {', '.join(names)}" if names != [""] else suite for suite, names in suites.items())
    rest = len(all_ids) - most
    return f"{text}; and {rest} more" if rest > 0 else text
