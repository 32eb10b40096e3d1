"""How much a failure of a check matters to the users of a stack."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

CRITICAL_TAGS = frozenset({"critical", "preflight"})
"""The tags of checks without whose promises a stack is not fit for use."""


class Severity(StrEnum):
    """How much a failure matters, the gravest first."""

    CRITICAL = "critical"
    """The stack cannot be used, or gives its users what they must not see."""
    HIGH = "high"
    """A main function is broken, or a failure spreads."""
    MEDIUM = "medium"
    """A part is worse than promised; the main functions work."""
    LOW = "low"
    """A good practice or a detail."""

    @property
    def rank(self) -> int:
        """0 for critical, 3 for low: what is sorted by it has the gravest first."""
        return _RANKS[self]


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}
_HIGH = frozenset({"services", "api", "rag", "streaming", "breakers", "recovery"})
"""Categories of main functions, and of what keeps a failure from spreading."""
_LOW = frozenset({"environment"})


def default_severity(category: str, tags: Iterable[str], *, practice: bool) -> Severity:
    """Return the severity of a check that sets none.

    The first that applies: critical for the tags `critical` and `preflight`; low for a good practice that the stack
    never promised; high for the categories services, api, rag, streaming, breakers and recovery; low for environment;
    medium for all others.
    """
    if not CRITICAL_TAGS.isdisjoint(tags):
        return Severity.CRITICAL
    if practice:
        return Severity.LOW
    if category in _HIGH:
        return Severity.HIGH
    return Severity.LOW if category in _LOW else Severity.MEDIUM
