"""`host.memory`: a host whose memory is short."""

from __future__ import annotations

from typing import Annotated

from xnai_validate.faults._child import children_of, end_children, start_child
from xnai_validate.faults._host_memory import HostMemory
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
"""Percent; at 98 the host itself is in danger, and the memory guard of the run would end it."""
CHILD = "xnai_validate.faults._memory_child"


class MemoryParams(Params):
    """How much memory is in use."""

    percent: Annotated[Percent, Gt(0), Le(HIGHEST)]
    """Percent of the host's memory that is in use meanwhile, by all programs together."""
    most: Size = 4 * 2**30
    """Never take more than this: if more were needed, the fault is not injected."""


class MemoryUndo(Undo):
    """Empty: the child is found by the name of the injection."""


@fault("host.memory", limit_s=300, target=False)
class Memory:
    """Allocate memory until a given part of the host's is in use, and free it afterwards.

    A child takes it piece by piece, reads the host's memory after each, frees what is too much while other programs
    take more, and asks the kernel to be the first process that is killed if memory runs out. All of it is free again
    when the child ends, which it does when the pipe from its parent closes. The percentage is that of total and
    available memory as psutil reads them.

        under: [{fault: host.memory, with: {percent: 92}}]
    """

    def describe(self, params: MemoryParams, target: str) -> str:
        """Return what it does to the target."""
        return (
            f"{params.percent:g} % of this host's memory are in use, with at most {params.most >> 20} MiB of it taken"
        )

    async def prepare(self, params: MemoryParams, ctx: FaultContext) -> MemoryUndo:
        """Check that there is memory to take, and not more than `most`."""
        memory = HostMemory.read()
        needed = memory.bytes_until(params.percent)
        if needed <= 0:
            raise NotApplicable(
                f"host memory is at {memory.used_percent:.0f} % already; the fault asks for {params.percent:g} %"
            )
        if needed > params.most:
            raise Unmeasurable(
                f"it would take {needed >> 20} MiB to fill host memory to {params.percent:g} %, more than `most` allows"
            )
        return MemoryUndo()

    async def inject(self, params: MemoryParams, undo: MemoryUndo, ctx: FaultContext) -> ActiveFault | None:
        """Start the child; the memory is in use when this returns."""
        child = await start_child(CHILD, ctx.id, f"{params.percent}", f"{params.most}")
        return ActiveFault(close=child.close)

    async def revert(self, undo: MemoryUndo, ctx: FaultContext) -> None:
        """End the child, and with it free the memory."""
        await end_children(ctx.id, ctx.clock)

    async def fingerprint(self, undo: MemoryUndo, ctx: FaultContext) -> JsonValue:
        """Return how many children hold memory; memory of other programs does not count."""
        return {"children": len(children_of(ctx.id))}
