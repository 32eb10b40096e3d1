"""Whether the whole stack is as it was before the first fault: waited for after each fault, and before the next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from xnai_validate.engine.attempts.attempt import attempt
from xnai_validate.engine.attempts.context import CheckContext, Scope
from xnai_validate.kit import wait_until_steady
from xnai_validate.model.results.status import Status
from xnai_validate.plan import CompiledMeasurement, PlannedCheck, Steady

LOOK_S = 10.0
"""Seconds that one observation may take."""
FIRST_LOOKS = 3
"""Looks before the first fault; what holds at one of them is waited for after each fault."""
IN_A_ROW = 3
"""Looks, one after the other, after which a stack counts as steady that was not at first."""
EVERY_S = 0.5
NAMED = 5
"""Observations that are named in a message."""


@dataclass(frozen=True, slots=True)
class NotBegun:
    """Why a check must not disturb the stack now."""

    why: str
    blocked_by: str | None
    """The id of the check whose result already reports it; None for the first check that cannot begin."""

    @property
    def status(self) -> Status:
        """Error for the first check that must not disturb the stack; skip for those after it."""
        return Status.SKIP if self.blocked_by else Status.ERROR


@dataclass(slots=True)
class Steadiness:
    """Looks at the whole stack around faults."""

    steady: Steady
    scope: Scope
    notice: Callable[[str], None]
    """Called with a sentence that the user should know."""
    _required: Mapping[str, CompiledMeasurement] | None = None
    """What held before the first fault."""
    _left: str | None = None
    """The check after whose fault the stack did not become steady, with that fault."""

    _reported_by: str | None = None
    """The id of the check that has failed, or could not begin, because of that."""

    async def before(self, check: PlannedCheck) -> NotBegun | None:
        """Why a check must not disturb the stack now; None if it may."""
        if self._required is None:
            self._required = await self._first_look(check)
        if self._left is None:
            return None
        why = await self._describe_unsteady(check)
        if why is None:
            self._left = None
            return None
        reported_by, self._reported_by = self._reported_by, self._reported_by or check.id
        return NotBegun(f"not begun: since {self._left} the stack is not as before: {why}", reported_by)

    async def after(self, check: PlannedCheck, *, passed: bool) -> None:
        """Wait until the stack is as before; if it does not become so in time, that is reported.

        `passed` is whether the check did: one that failed reports it already.
        """
        if self._required is None or self._left is not None:
            return
        why = await self._describe_unsteady(check)
        if why is None:
            return
        self.scope.progress(check.id, "waiting until the whole stack is as before")

        async def why_unsteady() -> str | None:
            """Make the calls that close open breakers; return what is not as before then, None if everything is."""
            await self._mend(check)
            return await self._describe_unsteady(check)

        why = await wait_until_steady(
            self.scope.clock, why_unsteady, within_s=self.steady.within_s, in_a_row=IN_A_ROW, every_s=EVERY_S
        )
        if why is not None:
            faults = [f"{each.fault.name} of {each.target or 'this host'}" for each in check.faults]
            self._reported_by = None if passed else check.id
            self._left = f"{check.id} ({', '.join(dict.fromkeys(faults))})"
            self.notice(f"{self.steady.within_s:g} s after {self._left} the stack is not as before: {why}")

    async def _first_look(self, check: PlannedCheck) -> Mapping[str, CompiledMeasurement]:
        """What holds now, so that it must hold again after each fault; what the stack does not have is left out."""
        held: dict[str, CompiledMeasurement] = {}
        failed: dict[str, str] = {}
        for _ in range(FIRST_LOOKS):
            pending = {name: each for name, each in self.steady.observations.items() if name not in held}
            failed = await self._observe_all(check, pending)
            held |= {name: each for name, each in pending.items() if name not in failed}
            if not failed:
                break
            await self.scope.clock.sleep(EVERY_S)
        if failed:
            self.notice(f"not well before the first fault, so not waited for after faults: {_list_reasons(failed)}")
        return {name: each for name, each in held.items() if name not in failed}

    async def _describe_unsteady(self, check: PlannedCheck) -> str | None:
        """Return what is not as before the first fault; None if everything is."""
        failed = await self._observe_all(check, self._required or {})
        return _list_reasons(failed) if failed else None

    async def _observe_all(
        self, check: PlannedCheck, observations: Mapping[str, CompiledMeasurement]
    ) -> dict[str, str]:
        """Return why each observation that does not hold fails, by its name; all are made at once."""
        async with asyncio.TaskGroup() as group:
            tasks = {name: group.create_task(self._measure_once(check, each)) for name, each in observations.items()}
        return {name: why for name, task in tasks.items() if (why := task.result()) is not None}

    async def _measure_once(self, check: PlannedCheck, measurement: CompiledMeasurement) -> str | None:
        """Return why one observation does not hold; None if it holds or does not apply."""
        ctx = CheckContext(self.scope, measurement, check.id, LOOK_S)
        outcome = await attempt(measurement, ctx, LOOK_S)
        if outcome.status.passed or outcome.status is Status.SKIP:
            return None
        return outcome.reason or "does not hold"

    async def _mend(self, check: PlannedCheck) -> None:
        """Make the calls that an open breaker needs in order to close."""
        for measurement in self.steady.calls:
            await self._measure_once(check, measurement)


def _list_reasons(failed: Mapping[str, str]) -> str:
    """List the first observations that do not hold with their reasons."""
    named = [f"{name}: {why}" for name, why in list(failed.items())[:NAMED]]
    more = len(failed) - len(named)
    return "; ".join([*named, f"and {more} more"] if more > 0 else named)
