"""Suggestions for misspelt names."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most like `name`; None if none is similar."""
    import difflib

    names = list(known)
    matches = difflib.get_close_matches(name.lower(), [n.lower() for n in names], n=1, cutoff=0.6)
    return next((n for n in names if matches and n.lower() == matches[0]), None)


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """`did you mean "..."?`, or the list of known names if it is short, or None."""
    names = sorted(set(known))
    guess = nearest(name, names)
    if guess is not None:
        return f'did you mean "{guess}"?'
    return f"known: {', '.join(names)}" if 0 < len(names) <= 12 else None
