"""A fault as another package declares it."""

from __future__ import annotations

from xnai_validate.kit import ActiveFault, FaultContext, JsonValue, Params, Undo, fault


class NoParams(Params):
    """Nothing to choose."""


class EmptyUndo(Undo):
    """Nothing to remember."""


class Idle:
    """Do nothing at all."""

    def describe(self, params: NoParams, target: str) -> str:
        return f"{target} notices nothing"

    async def prepare(self, params: NoParams, ctx: FaultContext) -> EmptyUndo:
        return EmptyUndo()

    async def inject(self, params: NoParams, undo: EmptyUndo, ctx: FaultContext) -> ActiveFault | None:
        return None

    async def revert(self, undo: EmptyUndo, ctx: FaultContext) -> None:
        pass

    async def fingerprint(self, undo: EmptyUndo, ctx: FaultContext) -> JsonValue:
        return None


Declared = fault("elsewhere.idle", limit_s=1)(Idle)
