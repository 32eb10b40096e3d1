"""A fault, tried by hand on a target."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from xnai_validate import registry
from xnai_validate.engine.clock import SystemClock
from xnai_validate.engine.undo.revert import FaultPlace, Proof, revert
from xnai_validate.kit import FROM_FILE, ActiveFault, Fault, JsonValue, Params, Target, Undo


class FaultControl:
    """A fault and its target; `prepare`, `inject` and `take_back` one after the other."""

    def __init__(self, name: str, target: Target | None, params: dict[str, Any], injection: str) -> None:
        self.fault: Fault = registry.FAULTS.get(name)
        self.params: Params = self.fault.params.model_validate(params, context=FROM_FILE)
        self.place = FaultPlace(injection, SystemClock(), self.fault.limit_s, target)
        self.active: ActiveFault | None = None

    def prepare(self) -> tuple[Undo, JsonValue]:
        """The record and the fingerprint; raises what the fault raises."""

        async def both() -> tuple[Undo, JsonValue]:
            undo = await self.fault.methods.prepare(self.params, self.place)
            return undo, await self.fault.methods.fingerprint(undo, self.place)

        return asyncio.run(both())

    def inject(self, undo: Undo) -> None:
        """Inject it."""

        async def done() -> ActiveFault | None:
            return await self.fault.methods.inject(self.params, undo, self.place)

        self.active = asyncio.run(done())

    def revert(self, undo: Undo, before: JsonValue) -> Proof:
        """Revert it."""
        return asyncio.run(revert(self.fault, undo, before, self.place, asyncio.Event()))


@contextmanager
def fault_control(
    name: str, target: Target | None = None, injection: str = "1", **params: Any
) -> Iterator[FaultControl]:
    """A fault under control of the test; what lives in this process is closed at the end.

    The children of an injection are found by its name, so it must be no other process's.
    """
    injection = f"a-trial-{os.getpid()}.{injection}"
    control = FaultControl(name, target, params, injection)
    try:
        yield control
    finally:
        if control.active is not None and control.active.close is not None:
            control.active.close()
