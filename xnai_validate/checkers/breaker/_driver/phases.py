"""What was measured of a breaker in each phase: opening, open, closing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from xnai_validate.checkers.breaker._driver.calls import Call
from xnai_validate.checkers.breaker._driver.readings import Reading


@dataclass(slots=True)
class Opening:
    """The calls that opened a breaker."""

    failed: list[Call] = field(default_factory=list)
    """The calls that failed, in order."""
    not_open_until_s: float | None = None
    """Until when it was certainly not open during the last of them, if the key in Redis showed that."""
    planted: tuple[float, float] | None = None
    """When the open state was planted, if calls did not fail: between these times of the monotonic clock."""
    counted: list[Reading] = field(default_factory=list)
    """The key after each of them."""
    refusal: Call | None = None
    """The first call that was refused."""
    refused: Reading | None = None
    """The key after it."""
    noted_after: int | None = None
    """After how many failures the key in Redis was `open`."""
    cut_off: str | None = None
    """Why calls were no longer made to fail, if that was not the breaker's doing: the fault reached its own limit."""
    began_s: float = 0.0
    ended_s: float = 0.0
    """The time, of the monotonic clock, in which it was tried to open it."""

    @property
    def detail(self) -> str | None:
        """Describe the calls of a breaker that did not open; None if it opened."""
        if self.opened is not None:
            return None
        if self.planted is not None:
            return "its state was set to open in Redis, and the next call was not refused"
        took = f"in {self.ended_s - self.began_s:.3g} s"
        summaries = ", ".join(
            f"{count} x {what}" for what, count in Counter(each.summary for each in self.failed).items()
        )
        made = f"{len(self.failed)} calls failed ({summaries}) {took}" if self.failed else f"no call ended {took}"
        return f"{made}, and none was refused" + (f"; {self.cut_off}" if self.cut_off else "")

    @property
    def opened(self) -> tuple[float, float] | None:
        """When it opened: between these times of the monotonic clock; None if it did not.

        It opened during the last failing call, and after the last reading of the key that showed another state.
        """
        if self.refusal is None or (self.planted is None and not self.failed):
            return None
        if self.planted is not None:
            return self.planted
        sent_s, answered_s = self.failed[-1].span
        return max(sent_s, self.not_open_until_s or sent_s), answered_s


@dataclass(slots=True)
class Waiting:
    """An open breaker, called until it let a call through."""

    refusals: list[Call] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    """The key after each refusal."""
    admitted: Call | None = None
    """The first call that was let through; None if the patience ended before."""


@dataclass(slots=True)
class Closing:
    """Successes in a half-open breaker until it was closed."""

    successes: int = 0
    noted_after: int | None = None
    """After how many successes the key in Redis was `closed`."""
    refused: int = 0
    """Calls that were refused meanwhile."""
