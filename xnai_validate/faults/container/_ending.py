"""What faults have in common that end a container: it must last, and run again afterwards."""

from __future__ import annotations

from typing import Annotated

from xnai_validate.faults._reach import connects
from xnai_validate.faults.container._subject import (
    ContainerUndo,
    EngineParams,
    act,
    inspect,
    running_container,
    status_of,
)
from xnai_validate.kit import Duration, FaultContext, Ge, Gt, JsonValue, Le, Unmeasurable

GRACE_CAP_S = 30
POLL_S = 0.1
"""Between two inspections of a container that is to come back."""


class EndParams(EngineParams):
    """How the container ends, and how long it may take to come back."""

    grace: Annotated[int, Ge(0), Le(GRACE_CAP_S)] = 10
    """Whole seconds that its main process may take to end by itself, before it is killed."""
    within: Annotated[Duration, Gt(0), Le(60)] = 30.0
    """How long it may take until it runs again and accepts connections at the target's url."""


class EndsContainer:
    """A fault that ends the container; its `inject` describes how."""

    async def prepare(self, params: EndParams, ctx: FaultContext) -> ContainerUndo:
        """Find the container. Raises Unmeasurable if it would be removed when it ends."""
        undo = await running_container(params, ctx, params.within)
        host_config = (await inspect(undo)).host_config
        if host_config is not None and host_config.auto_remove:
            raise Unmeasurable(
                f"container {undo.short_id} is removed when it ends (--rm), so it could not be brought back",
                hint="use container.pause, or create it without --rm",
            )
        return undo

    async def revert(self, undo: ContainerUndo, ctx: FaultContext) -> None:
        """Start the container if it does not run, and wait until it accepts connections.

        Its restart count proves nothing: the engine sets it to 0 when a container is started by command.
        """
        deadline = ctx.clock.monotonic() + undo.within_s
        while True:
            is_last = ctx.clock.monotonic() >= deadline
            status = status_of(await inspect(undo))
            if status in ("exited", "created", "dead", "stopped"):
                await act(undo, "start")
            elif status == "running" and await connects(ctx.target) is not False:
                return
            if is_last:
                raise Unmeasurable(f"{ctx.target.name} did not come back within {undo.within_s:g} s; it is {status}")
            await ctx.clock.sleep(POLL_S)

    async def fingerprint(self, undo: ContainerUndo, ctx: FaultContext) -> JsonValue:
        """Return whether it runs, is paused, and accepts connections."""
        status = status_of(await inspect(undo))
        return {"running": status == "running", "paused": status == "paused", "connects": await connects(ctx.target)}
