"""Revert a fault and prove it: the same code in the run, in the guardian and in `xnai-validate undo`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from xnai_validate.errors import Gone, NotApplicable, XnaiError
from xnai_validate.kit import Clock, Fault, Target, Undo, pause_s
from xnai_validate.model.json import JsonValue
from xnai_validate.model.judging.findings import cut, value_text
from xnai_validate.model.text import printable

SHORT_GRACE_S = 1.0
"""Seconds that a proof may take once the grace period is cut short."""
MESSAGE_CAP = 300

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FaultPlace:
    """The context of a fault, wherever it is reverted."""

    id: str
    clock: Clock
    limit_s: float
    disturbed: Target | None

    @property
    def target(self) -> Target:
        """The target that is disturbed; raises NotApplicable if the fault has none."""
        if self.disturbed is None:
            raise NotApplicable("the fault has no target")
        return self.disturbed


@dataclass(frozen=True, slots=True)
class Proof:
    """Whether a fault is reverted, and the reason if it is not."""

    proven: bool
    why: str | None = None


async def revert(
    fault: Fault,
    undo: Undo,
    before: JsonValue,
    ctx: FaultPlace,
    impatient: asyncio.Event,
    on_reverted: Callable[[], None] = lambda: None,
) -> Proof:
    """Revert a fault, then read its fingerprint until it equals the one from before, all within the fault's grace.

    Raises nothing but its own cancellation.

    Args:
        fault: the fault.
        undo: what its `prepare` returned.
        before: its fingerprint before the injection.
        ctx: the context for its methods.
        impatient: once it is set, at most a second is left for the proof.
        on_reverted: called between reverting and reading.
    """
    begun = ctx.clock.monotonic()
    deadline = begun + fault.grace_s
    result = await result_or_error(fault.methods.revert(undo, ctx), fault.grace_s)
    if isinstance(result, Gone):
        return Proof(True)
    problem = None
    if isinstance(result, BaseException):
        problem = error_text(result, f"it was not reverted within {fault.grace_s:g} s")
    on_reverted()
    while True:
        read_at = ctx.clock.monotonic()
        left = max(deadline - read_at, SHORT_GRACE_S)
        after = await result_or_error(fault.methods.fingerprint(undo, ctx), left)
        if isinstance(after, Gone) or after == before:
            return Proof(True)
        if isinstance(after, BaseException):
            why = error_text(after, "its state could not be read in time")
        else:
            why = f"before it was {value_text(before)}, now it is {value_text(after)}"
        if impatient.is_set():
            deadline = min(deadline, ctx.clock.monotonic() + SHORT_GRACE_S)
        if read_at >= deadline:  # a reading that began before may show the state from before
            return Proof(False, f"{problem}; {why}" if problem else why)
        await ctx.clock.sleep(pause_s(ctx.clock.monotonic() - begun))


async def result_or_error(work: Coroutine[Any, Any, T], limit_s: float | None) -> T | BaseException:
    """Return the result of a method of a fault, or the exception it raised, so that the undo continues."""
    results = await asyncio.gather(asyncio.wait_for(work, limit_s), return_exceptions=True)
    return results[0]


def error_text(error: BaseException, timeout_text: str) -> str:
    """The message of an exception of a fault; `timeout_text` for a time-out."""
    if isinstance(error, TimeoutError) and not str(error):
        return timeout_text
    text = cut(printable(error.message if isinstance(error, XnaiError) else str(error)), MESSAGE_CAP)
    return text if isinstance(error, XnaiError) and text else f"{type(error).__name__}: {text}"
