"""`container.pause`: a container that is frozen."""

from __future__ import annotations

from xnai_validate.faults.container._subject import (
    ContainerUndo,
    EngineParams,
    act,
    inspect,
    running_container,
    status_of,
)
from xnai_validate.kit import ActiveFault, FaultContext, JsonValue, fault


class PauseParams(EngineParams):
    """The engine to use."""


@fault("container.pause", limit_s=600, grace_s=15)
class Pause:
    """Freeze the target's container: its processes stop running, its sockets stay open, and no request is answered.

    The engine freezes the control group, which no process in it can notice. A container that is paused already is
    refused: it may be paused on purpose. Source: ContainerPause of the Docker Engine API, which Podman serves too.

        under: [{fault: container.pause, target: redis}]
    """

    def describe(self, params: PauseParams, target: str) -> str:
        """Return what it does to the target."""
        return f"the container of {target} is frozen (pause)"

    async def prepare(self, params: PauseParams, ctx: FaultContext) -> ContainerUndo:
        """Find the container, which must run."""
        return await running_container(params, ctx)

    async def inject(self, params: PauseParams, undo: ContainerUndo, ctx: FaultContext) -> ActiveFault | None:
        """Pause it."""
        await act(undo, "pause")
        return None

    async def revert(self, undo: ContainerUndo, ctx: FaultContext) -> None:
        """Unpause it, if it is paused: engines refuse to unpause a container that is not."""
        if status_of(await inspect(undo)) == "paused":
            await act(undo, "unpause")

    async def fingerprint(self, undo: ContainerUndo, ctx: FaultContext) -> JsonValue:
        """Return whether it is paused; a container that has ended meanwhile is not."""
        return {"paused": status_of(await inspect(undo)) == "paused"}
