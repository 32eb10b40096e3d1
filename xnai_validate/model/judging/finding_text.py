"""Findings in words: the one place where a rule that does not hold becomes a sentence."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from xnai_validate.errors import Unmeasurable
from xnai_validate.model.json import JsonValue
from xnai_validate.model.judging.expressions import locations_of
from xnai_validate.model.judging.rules import Finding
from xnai_validate.model.text import printable

SHOWN = 120
"""Longer values are cut in a sentence; the report has them whole."""
DETAIL = 300
ITEMS = 240
"""Characters of a long list; its first item is always shown, cut to as many."""
PLACES = 5
_CAPPED = re.compile(r"\.\.\. \((\d+) items\)")
"""What `bounded` leaves of a list that is too long to keep whole."""

_EXPECTED = {
    "equals": "{}",
    "not equals": "anything but {}",
    "min": "at least {}",
    "not min": "less than {}",
    "max": "at most {}",
    "not max": "more than {}",
    "in": "one of {}",
    "not in": "none of {}",
    "matches": "a match of {}",
    "not matches": "no match of {}",
    "contains": "it to contain {}",
    "not contains": "it not to contain {}",
}


def describe_finding(finding: Finding, facts: Mapping[str, object] | None = None) -> str:
    """Return what was expected and what was got: `status: expected 200, got 503`.

    `facts` of the same measurement explain it: `error` and `error_detail` why there is no value, `error_detail` also
    what the counted errors are, and `too_slow_client` that the tool, not the stack, may be the reason.
    """
    facts = facts or {}
    if finding.fact == "error" and finding.expected is None and finding.rule == "equals" and finding.actual is not None:
        return f"error: {_error(facts, finding.actual)}"
    text = f"{finding.fact}: expected {expected_text(finding)}, got {got_text(finding, facts)}"
    if finding.actual is None and finding.fact != "error" and facts.get("error") is not None:
        text += f" ({_error(facts, str(facts['error']))})"
    elif finding.fact in ("error_ratio", "error_count") and facts.get("error_detail"):
        text += f" ({cut(printable(str(facts['error_detail'])), DETAIL)})"
    if facts.get("too_slow_client") is True and finding.fact != "too_slow_client":
        text += "; this tool was itself too slow for its schedule, which may be the reason"
    return text


def got_text(finding: Finding, facts: Mapping[str, object]) -> str:
    """Return the measured value of a finding; for too many values in a JSON document also where they are in it."""
    if finding.actual is None:
        return "no value"
    text, places = value_text(finding.actual), _places(finding, facts)
    if not places:
        return text
    more = ", ..." if isinstance(finding.actual, int) and finding.actual > len(places) else ""
    return f"{text} ({printable(cut(', '.join(places), ITEMS))}{more})"


def _places(finding: Finding, facts: Mapping[str, object]) -> list[str]:
    """Where the values stand that should not be there, for a rule that allows none of them."""
    name, found, path = finding.fact.partition(" $")
    unwanted = finding.rule in ("length equals", "length max") and finding.expected == 0
    if not (found and unwanted) or finding.held or facts.get(name) is None:
        return []
    try:
        return locations_of("$" + path, facts[name], PLACES)
    except (Unmeasurable, ValueError):
        return []


def main_reason(findings: Iterable[Finding], facts: Mapping[str, object] | None = None) -> str | None:
    """Return the sentence of the most important finding; None if every rule holds.

    Rules of level `expect` before those of level `warn`; among them the one about `error` first, for it is the cause
    of the others; else in the order of the rules.
    """
    broken = [finding for finding in findings if not finding.held]
    broken.sort(key=lambda finding: (finding.level == "warn", finding.fact != "error"))
    return describe_finding(broken[0], facts) if broken else None


def value_text(value: JsonValue) -> str:
    """A value on one line, short: `200`, `"text/html"`, `["a", "b"]`, `812.4`."""
    if isinstance(value, float):
        return f"{value:.6g}" if abs(value) < 1e6 else f"{value:.0f}"
    text = printable(json.dumps(value, ensure_ascii=False))
    return _items(value) if isinstance(value, list) and len(text) > SHOWN else cut(text, SHOWN)


def _items(values: list[JsonValue]) -> str:
    """The first items of a long list, whole where possible, and how many more there are."""
    count = len(values)
    last = values[-1]
    if isinstance(last, str) and (cap := _CAPPED.fullmatch(last)):
        count, values = int(cap[1]), values[:-1]
    kept: list[str] = []
    for value in values:
        text = cut(printable(json.dumps(value, ensure_ascii=False)), ITEMS)
        if kept and sum(map(len, kept)) + len(text) > ITEMS:
            break
        kept.append(text)
    more = count - len(kept)
    return f"[{', '.join(kept)}]" + (f" and {more} more" if more else "")


def cut(text: str, cap: int) -> str:
    """`text`, or its first `cap` characters and how many there were."""
    return text if len(text) <= cap else f"{text[:cap]}... ({len(text)} characters)"


def expected_text(finding: Finding) -> str:
    """Return what the rule of a finding expects, in words: `200`, `at most 400`, `it to contain "done"`."""
    name, length = finding.rule, ""
    if "length " in name:
        name, length = name.replace("length ", ""), "a length of "
    if finding.expected is None:
        return "a value" if name.startswith("not ") else "no value"
    operand = finding.expected
    items = isinstance(operand, list) and name.removeprefix("not ") in ("in", "contains")
    text = ", ".join(map(value_text, operand)) if items and isinstance(operand, list) else value_text(operand)
    return length + _EXPECTED.get(name, f"{name} {{}}").replace("{}", text)


def _error(facts: Mapping[str, object], kind: JsonValue) -> str:
    detail = facts.get("error_detail")
    word = kind if isinstance(kind, str) else value_text(kind)
    return f"{printable(word)} ({cut(printable(str(detail)), DETAIL)})" if detail else printable(word)
