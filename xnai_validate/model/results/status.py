"""The statuses of a check."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """The result of a check."""

    PASS = "pass"
    """Measured, all rules hold."""
    FLAKY = "flaky"
    """All rules hold, but not at the first attempt."""
    WARN = "warn"
    """Every `expect` rule holds, a `warn` rule does not."""
    FAIL = "fail"
    """Measured, an `expect` rule does not hold."""
    WAIVED = "waived"
    """Failed, and a waiver that has not expired accepts it."""
    ERROR = "error"
    """Could not be measured: the tool does not know."""
    SKIP = "skip"
    """Not attempted, for a reason that is given."""

    @property
    def passed(self) -> bool:
        """Whether the stack did what was expected (warn and flaky included)."""
        return self in _PASSED


_PASSED = frozenset({Status.PASS, Status.FLAKY, Status.WARN})
