"""Whether other clients of the stack call through the breaker that is driven."""

from __future__ import annotations

from xnai_validate.checkers.breaker._driver.calls import calls_made
from xnai_validate.checkers.breaker._driver.readings import Reading, Readings
from xnai_validate.kit import Context, NotApplicable

QUIET_S = 2.0
"""How long the counts of the breaker are watched without a call of ours, where more was counted than we have made."""


class OtherClients:
    """Compares what a breaker counts in Redis with the calls of this run.

    The calls of others open and close a breaker as ours do, so that after theirs nothing can be judged by ours. A
    breaker that miscounts is distinguished from that: while no call is made, it counts none.
    """

    def __init__(self, ctx: Context, name: str, readings: Readings) -> None:
        self._ctx, self._name, self._readings = ctx, name, readings
        self._begun: tuple[float, int] | None = None
        """What was counted, and how many calls had been made, when the drive began; None if that is not known."""
        self._most = 0.0

    async def begin(self, reading: Reading | None) -> None:
        """Remember what is counted at the beginning."""
        counted = reading.counted if reading is not None else None
        made = (await calls_made(self._ctx, self._name)).count
        self._begun = None if counted is None else (counted, made)

    def note(self, reading: Reading) -> None:
        """Take a reading of the key: a state that a fault has planted is taken away again, and its counts with it."""
        self._most = max(self._most, reading.counted or 0.0)

    async def refuse(self) -> None:
        """Raise NotApplicable if more was counted than we have called, and more is counted while we do not call."""
        reading = await self._readings.key()
        if self._begun is None or reading is None or reading.counted is None:
            return
        counted, made = self._begun
        ours = (await calls_made(self._ctx, self._name)).count - made
        if max(self._most, reading.counted) - counted <= ours:
            return
        self._ctx.progress(f"breaker {self._name}: does anyone else call through it?")
        await self._ctx.clock.sleep(QUIET_S)
        later = await self._readings.key()
        moved = (later.counted or 0.0) - reading.counted if later is not None else 0.0
        if moved > 0:
            raise NotApplicable(
                f"other clients call through the breaker {self._name}: {moved:g} calls were counted in {QUIET_S:g} s"
                " without one of this check, so the effect of its calls is not known"
            )
