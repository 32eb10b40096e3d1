"""Counts and lists of checks as text."""

from __future__ import annotations

from collections.abc import Iterable


def counted(count: int, singular: str, plural: str | None = None) -> str:
    """Return `1 check`, `2 checks`."""
    return f"{count} {singular if count == 1 else plural or singular + 's'}"


def listed(ids: Iterable[str], most: int = 60) -> str:
    """Return check ids grouped by suite, at most `most`: `api/health: ready, version; api/query: answers`."""
    all_ids = list(ids)
    suites: dict[str, list[str]] = {}
    for check_id in all_ids[:most]:
        suite, _, name = check_id.partition(":")
        suites.setdefault(suite, []).append(name)
    text = "; ".join(f"{suite}: {', '.join(names)}" if names != [""] else suite for suite, names in suites.items())
    rest = len(all_ids) - most
    return f"{text}; and {rest} more" if rest > 0 else text
