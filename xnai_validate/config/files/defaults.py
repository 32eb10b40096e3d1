"""The defaults of checks, which suites and profiles declare, and how a check is repeated."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from xnai_validate.config.files.entry import Entry, Places, Texts
from xnai_validate.kit import Duration
from xnai_validate.model.results.severity import Severity


class RetryEntry(Entry):
    """How often a check that does not hold is attempted; passing at a later attempt is flaky, not pass."""

    attempts: Annotated[int, Field(ge=1, le=100, strict=True)]
    delay: Duration = 0.5


class UntilEntry(Entry):
    """A check that becomes true by itself: repeated until it holds."""

    within: Duration
    every: Duration = 0.5


class DefaultsEntry(Entry):
    """Defaults of every check; its own keys replace them, except that tags and covers are added."""

    target: str | None = None
    timeout: Duration | None = None
    retry: RetryEntry | None = None
    until: UntilEntry | None = None
    promise: str | None = None
    practice: str | None = None
    tags: Texts = ()
    covers: Texts = ()
    severity: Severity | None = None
    fix: str | None = None
    from_: Places | None = Field(default=None, alias="from")
    """Where checks are measured that can be measured from workers; all others are measured by this process."""
