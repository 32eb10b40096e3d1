"""The result of a comparison with a baseline: of each figure, and of the whole run."""

from __future__ import annotations

from typing import Literal

from pydantic.dataclasses import dataclass

from xnai_validate.model.frozen_model import FROZEN
from xnai_validate.model.results.status import Status

Change = Literal["same", "regression", "improvement", "cannot tell"]
"""`same`: a change for the worse as large as the band is ruled out. `cannot tell`: there are too few data."""


@dataclass(frozen=True, slots=True, kw_only=True, config=FROZEN)
class Compared:
    """One figure of one check, before and after."""

    check: str
    """The id of the check."""
    figure: str
    """The name of the fact, with its unit: `p50_ms`."""
    before: float | None = None
    """Its value in the baseline: the geometric mean over its runs."""
    after: float | None = None
    """Its value in this run."""
    ratio: float | None = None
    """`after` divided by `before`: 1.1 is ten percent more, which is worse for every figure here."""
    low: float | None = None
    """The lower end of the interval in which the true ratio lies, at 98 % confidence."""
    high: float | None = None
    """The upper end."""
    band: float
    """The smallest change that counts: 0.1 is ten percent."""
    change: Change
    reason: str | None = None
    """Why the change is not known."""


@dataclass(frozen=True, slots=True, kw_only=True, config=FROZEN)
class ChangedVerdict:
    """A check with another status in the later run."""

    check: str
    """The id of the check."""
    before: Status
    after: Status
    reason: str | None
    """Why the later status is not pass."""

    @property
    def is_worse(self) -> bool:
        """Whether a check that passed fails now."""
        return self.before.passed and self.after is Status.FAIL

    @property
    def is_better(self) -> bool:
        """Whether a check that did not pass passes now."""
        return self.after.passed and not self.before.passed


@dataclass(frozen=True, slots=True, kw_only=True, config=FROZEN)
class Comparison:
    """A run compared with a baseline, or with another run."""

    baseline: str
    """Its name."""
    runs: int
    """How many runs the baseline has."""
    figures: tuple[Compared, ...]
    notes: tuple[str, ...] = ()
    """Other differences: the host, the versions."""
    checks: int = 0
    """How many checks are in both runs; only of two single runs."""
    verdicts: tuple[ChangedVerdict, ...] = ()
    """The checks with another status; only of two single runs."""
    new: tuple[str, ...] = ()
    """The ids of checks that only the later run has; only of two single runs."""
    gone: tuple[str, ...] = ()
    """The ids of checks that only the earlier run has; only of two single runs."""

    def count(self, change: Change) -> int:
        """Return the number of figures with this change."""
        return sum(figure.change == change for figure in self.figures)

    @property
    def conclusive(self) -> bool:
        """Whether the change of any figure is known."""
        return any(figure.change != "cannot tell" for figure in self.figures)
