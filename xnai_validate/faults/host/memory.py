"""A host whose memory is short."""

from __future__ import annotations

from typing import Annotated

from xnai_validate.faults._child import children_of, end_children, start_child
from xnai_validate.faults._meminfo import read_meminfo
from xnai_validate.kit import (
    ActiveFault,
    FaultContext,
    Gt,
    JsonValue,
    Le,
    NotApplicable,
    Params,
    Percent,
    Size,
    Undo,
    Unmeasurable,
    fault,
)

HIGHEST = 97.0
"""Percent; at 98 the host itself is in danger, and the run would be ended by its own guard."""
CHILD = "xnai_validate.faults._memory_child"


class MemoryParams(Params):
    """How full."""

    percent: Annotated[Percent, Gt(0), Le(HIGHEST)]
    """Percent of the host's memory that is then in use, by whomever."""
    most: Size = 4 * 2**30
    """Never take more than this; where more would be needed, nothing is done."""


class MemoryUndo(Undo):
    """The child is found by the name of the injection."""


@fault("host.memory", limit_s=300, target=False)
class Memory:
    """Take memory until so much of the host's is in use, and give it back.

    A child takes it piece by piece, looks at the host's memory after each, gives back what is too much while others
    take more, and asks the kernel to be the first that is ended where memory runs out. All of it is given back when the
    child ends, which it does when the pipe from its parent closes. Source: MemTotal and MemAvailable of /proc/meminfo.

        under: [{fault: host.memory, with: {percent: 92}}]
    """

    def describe(self, params: MemoryParams, target: str) -> str:
        """What it does to whom."""
        return (
            f"{params.percent:g} % of this host's memory are in use, with at most {params.most >> 20} MiB of it taken"
        )

    async def prepare(self, params: MemoryParams, ctx: FaultContext) -> MemoryUndo:
        """Whether there is room, and not too much of it."""
        memory = read_meminfo()
        needed = memory.until(params.percent)
        if needed <= 0:
            raise NotApplicable(f"host memory is at {memory.used_percent:.0f} % already")
        if needed > params.most:
            raise Unmeasurable(
                f"it would take {needed >> 20} MiB to fill host memory to {params.percent:g} %, more than `most` allows"
            )
        return MemoryUndo()

    async def inject(self, params: MemoryParams, undo: MemoryUndo, ctx: FaultContext) -> ActiveFault | None:
        """Returns when so much is in use."""
        child = await start_child(CHILD, ctx.id, f"{params.percent}", f"{params.most}")
        return ActiveFault(close=child.close)

    async def revert(self, undo: MemoryUndo, ctx: FaultContext) -> None:
        """The memory is the child's."""
        await end_children(ctx.id, ctx.clock)

    async def fingerprint(self, undo: MemoryUndo, ctx: FaultContext) -> JsonValue:
        """How many children hold memory: what others take and give back meanwhile is not ours."""
        return {"children": len(children_of(ctx.id))}
