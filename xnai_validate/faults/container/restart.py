"""A container that is started anew."""

from __future__ import annotations

from xnai_validate.faults.container._subject import (
    ContainerUndo,
    EndParams,
    back_again,
    lasting_container_of,
    running_print,
    told,
)
from xnai_validate.kit import ActiveFault, FaultContext, JsonValue, fault


class RestartParams(EndParams):
    """How it ends."""


@fault("container.restart", limit_s=300, grace_s=90)
class Restart:
    """Let the engine restart the target's container, as a deploy does.

    It happens once: when the check begins, the engine has ended the container and started it again, so connections are
    lost, what was in memory is forgotten, and what is in it may not be ready yet. Where it does not run afterwards it
    is started. Source: ContainerRestart of the Docker Engine API.

        under: [{fault: container.restart, target: api, with: {grace: 5}}]
    """

    def describe(self, params: RestartParams, target: str) -> str:
        """What it does to whom."""
        return f"the container of {target} is restarted, once"

    async def prepare(self, params: RestartParams, ctx: FaultContext) -> ContainerUndo:
        """Which container it is, and that it runs and would still be there."""
        return await lasting_container_of(params, ctx)

    async def inject(self, params: RestartParams, undo: ContainerUndo, ctx: FaultContext) -> ActiveFault | None:
        """Returns when the engine has started it again."""
        await told(undo, "restart", "restart", params.grace)
        return None

    async def revert(self, undo: ContainerUndo, ctx: FaultContext) -> None:
        """A restart that failed halfway leaves it stopped."""
        await back_again(undo, ctx)

    async def fingerprint(self, undo: ContainerUndo, ctx: FaultContext) -> JsonValue:
        """Whether it runs and takes connections."""
        return await running_print(undo, ctx)
