"""Taking a fault back and proving it: the same code in the run, in the guardian and in `xnai-validate undo`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from xnai_validate.errors import Gone, NotApplicable, XnaiError
from xnai_validate.kit import Clock, Fault, Target, Undo
from xnai_validate.model.json import JsonValue
from xnai_validate.model.judging.finding_text import cut, shown
from xnai_validate.model.text import printable

AGAIN_S = 0.05
"""Between two readings of a fingerprint that is not yet what it was."""
HURRIED_S = 1.0
"""How long a proof is waited for once somebody is impatient."""
WORDS_CAP = 300


@dataclass(frozen=True, slots=True)
class FaultPlace:
    """What a fault may ask, wherever it is taken back."""

    id: str
    clock: Clock
    limit_s: float
    disturbed: Target | None

    @property
    def target(self) -> Target:
        """The target that is disturbed; raises NotApplicable where it has none."""
        if self.disturbed is None:
            raise NotApplicable("the fault has no target")
        return self.disturbed


@dataclass(frozen=True, slots=True)
class Proof:
    """Whether a fault is taken back, and why not."""

    proven: bool
    why: str | None = None


async def take_back(
    fault: Fault,
    undo: Undo,
    before: JsonValue,
    ctx: FaultPlace,
    hurried: asyncio.Event,
    reverted: Callable[[], None] = lambda: None,
) -> Proof:
    """Revert, then read the fingerprint until it is the one from before, all within the fault's grace.

    Never raises but for its cancellation. `hurried`: set when somebody is impatient; then at most a second is left.
    `reverted` is called between the two.
    """
    end = ctx.clock.monotonic() + fault.grace_s
    try:
        async with asyncio.timeout(fault.grace_s):
            await fault.methods.revert(undo, ctx)
        said = None
    except Gone:
        return Proof(True)
    except Exception as error:  # noqa: BLE001 (whatever a fault raises, the fingerprint decides)
        said = words(error, f"it was not taken back within {fault.grace_s:g} s")
    reverted()
    while True:
        try:
            async with asyncio.timeout(max(end - ctx.clock.monotonic(), HURRIED_S)):
                after = await fault.methods.fingerprint(undo, ctx)
            if after == before:
                return Proof(True)
            why = f"before it was {shown(before)}, now it is {shown(after)}"
        except Gone:
            return Proof(True)
        except Exception as error:  # noqa: BLE001 (the same)
            why = words(error, "its state could not be read in time")
        if hurried.is_set():
            end = min(end, ctx.clock.monotonic() + HURRIED_S)
        if ctx.clock.monotonic() >= end:
            return Proof(False, f"{said}; {why}" if said else why)
        await ctx.clock.sleep(AGAIN_S)


def words(error: BaseException, timed_out: str) -> str:
    """An exception of a fault in words."""
    if isinstance(error, TimeoutError) and not str(error):
        return timed_out
    text = cut(printable(error.message if isinstance(error, XnaiError) else str(error)), WORDS_CAP)
    return text if isinstance(error, XnaiError) and text else f"{type(error).__name__}: {text}"
