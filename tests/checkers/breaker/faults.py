"""A family of faults for tests of breakers: its workers are restarted, or their work fails."""

from __future__ import annotations

import asyncio
from importlib.metadata import EntryPoint

import pytest

from tests.checkers.breaker.server import Stack
from xnai_validate import registry
from xnai_validate.kit import ActiveFault, FaultContext, JsonValue, Params, Undo, fault

STACKS: dict[str, Stack] = {}
"""The url of a stack's first worker -> the stack."""


class NoParams(Params):
    """Nothing to describe."""


class NoUndo(Undo):
    """Nothing to remember."""


@fault("workers.restart", limit_s=30)
class Restart:
    """Restart the workers of a stack of these tests: their sockets are opened anew, their memory is lost."""

    def describe(self, params: NoParams, target: str) -> str:
        return f"{target} is restarted"

    async def prepare(self, params: NoParams, ctx: FaultContext) -> NoUndo:
        return NoUndo()

    async def inject(self, params: NoParams, undo: NoUndo, ctx: FaultContext) -> ActiveFault | None:
        await asyncio.to_thread(STACKS[str(ctx.target.url)].restart)
        return None

    async def revert(self, undo: NoUndo, ctx: FaultContext) -> None:
        """A restart is over by itself."""

    async def fingerprint(self, undo: NoUndo, ctx: FaultContext) -> JsonValue:
        return None


class SpoilParams(Params):
    """How slowly it recovers."""

    more: int = 0
    """How many calls still fail afterwards."""


class SpoilUndo(Undo):
    """The same."""

    more: int


@fault("workers.spoil", limit_s=30)
class Spoil:
    """Let the work of a stack of these tests fail."""

    def describe(self, params: SpoilParams, target: str) -> str:
        return f"the work of {target} fails"

    async def prepare(self, params: SpoilParams, ctx: FaultContext) -> SpoilUndo:
        return SpoilUndo(more=params.more)

    async def inject(self, params: SpoilParams, undo: SpoilUndo, ctx: FaultContext) -> ActiveFault | None:
        STACKS[str(ctx.target.url)].spoil(True, 0)
        return None

    async def revert(self, undo: SpoilUndo, ctx: FaultContext) -> None:
        STACKS[str(ctx.target.url)].spoil(False, undo.more)

    async def fingerprint(self, undo: SpoilUndo, ctx: FaultContext) -> JsonValue:
        return None


def use(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the family known, as a package would that brings one."""
    entry = EntryPoint("workers", "tests.checkers.breaker.faults", registry.FAULTS.group)
    monkeypatch.setattr(registry.FAULTS, "entry_points", lambda: (entry,))
    registry.FAULTS.forget()
