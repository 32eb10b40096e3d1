"""A fault that may be active for a second only, and the command line with it: `python -m tests.faults.brief undo`."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

from xnai_validate import registry
from xnai_validate.kit import ActiveFault, FaultContext, JsonValue, Params, Undo, fault

MODULE = "tests.faults.brief"


class FlagParams(Params):
    """Where."""

    file: str


class FlagUndo(Undo):
    """Which file."""

    file: str


@fault("brief.flag", limit_s=1, grace_s=1, target=False)
class Flag:
    """Let a file be there."""

    def describe(self, params: FlagParams, target: str) -> str:
        return f"{params.file} is there"

    async def prepare(self, params: FlagParams, ctx: FaultContext) -> FlagUndo:
        return FlagUndo(file=params.file)

    async def inject(self, params: FlagParams, undo: FlagUndo, ctx: FaultContext) -> ActiveFault | None:
        path(undo).touch()
        return None

    async def revert(self, undo: FlagUndo, ctx: FaultContext) -> None:
        path(undo).unlink(missing_ok=True)

    async def fingerprint(self, undo: FlagUndo, ctx: FaultContext) -> JsonValue:
        return path(undo).exists()


def path(undo: FlagUndo) -> Path:
    """The file."""
    return Path(undo.file)


def provide() -> None:
    """Let the registry know it, as if another package were installed."""
    entry = EntryPoint("brief", MODULE, registry.FAULTS.group)
    registry.FAULTS.entry_points = lambda: (entry,)  # type: ignore[method-assign]


if __name__ == "__main__":
    provide()
    from xnai_validate.cli import main

    main()
