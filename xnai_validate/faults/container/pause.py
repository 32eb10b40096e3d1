"""A container that is frozen."""

from __future__ import annotations

from xnai_validate.faults.container._subject import (
    ContainerUndo,
    EngineParams,
    container_of,
    seen_now,
    status_of,
    told,
)
from xnai_validate.kit import ActiveFault, FaultContext, JsonValue, fault


class PauseParams(EngineParams):
    """Nothing but the engine."""


@fault("container.pause", limit_s=120, grace_s=15)
class Pause:
    """Freeze the target's container: its processes stand still, its sockets stay open, and nothing is answered.

    The engine freezes the control group, which no process in it can notice. A container that is paused already is
    refused, for somebody else wants it so. Source: ContainerPause of the Docker Engine API, which Podman serves too.

        under: [{fault: container.pause, target: redis}]
    """

    def describe(self, params: PauseParams, target: str) -> str:
        """What it does to whom."""
        return f"the container of {target} is frozen (pause)"

    async def prepare(self, params: PauseParams, ctx: FaultContext) -> ContainerUndo:
        """Which container it is, and that it runs."""
        return await container_of(params, ctx)

    async def inject(self, params: PauseParams, undo: ContainerUndo, ctx: FaultContext) -> ActiveFault | None:
        """By its id."""
        await told(undo, "pause", "pause")
        return None

    async def revert(self, undo: ContainerUndo, ctx: FaultContext) -> None:
        """Engines refuse to unpause what is not paused, so it is looked at first."""
        if status_of(await seen_now(undo)) == "paused":
            await told(undo, "unpause", "unpause")

    async def fingerprint(self, undo: ContainerUndo, ctx: FaultContext) -> JsonValue:
        """Whether it is paused; one that has ended meanwhile is not."""
        return {"paused": status_of(await seen_now(undo)) == "paused"}
