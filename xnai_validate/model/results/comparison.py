"""What a comparison with a baseline found: a figure each, and the whole of it."""

from __future__ import annotations

from typing import Literal

from pydantic.dataclasses import dataclass

from xnai_validate.model.frozen_model import FROZEN

Change = Literal["same", "regression", "improvement", "cannot tell"]
"""`same`: a change for the worse that is as large as the band is ruled out. `cannot tell`: the data are too few."""


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
    """Its value now."""
    ratio: float | None = None
    """After divided by before: 1.1 is a tenth more, which for every figure here is worse."""
    low: float | None = None
    """The lower end of the interval in which the true ratio lies, at 98 % confidence."""
    high: float | None = None
    """The upper end."""
    band: float
    """The least change that counts: 0.1 is ten percent."""
    change: Change
    reason: str | None = None
    """Why it cannot be told."""


@dataclass(frozen=True, slots=True, kw_only=True, config=FROZEN)
class Comparison:
    """A run held against a baseline."""

    baseline: str
    """Its name."""
    runs: int
    """How many runs the baseline has."""
    figures: tuple[Compared, ...]
    notes: tuple[str, ...] = ()
    """What differs besides: the host, the versions."""

    def count(self, change: Change) -> int:
        """How many figures changed so."""
        return sum(one.change == change for one in self.figures)

    @property
    def told(self) -> bool:
        """Whether anything at all could be told."""
        return any(one.change != "cannot tell" for one in self.figures)
