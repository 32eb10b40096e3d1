"""A container that ends."""

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


class StopParams(EndParams):
    """How it ends."""


@fault("container.stop", limit_s=300, grace_s=90)
class Stop:
    """Stop the target's container, and start it again afterwards.

    The engine sends its main process SIGTERM, and SIGKILL after `grace`; a restart policy does not start what was
    stopped so. It is back when it runs and takes connections at the target's url. A container that its engine would
    remove when it ends is refused. Source: ContainerStop and ContainerStart of the Docker Engine API.

        under: [{fault: container.stop, target: redis, with: {grace: 3}}]
    """

    def describe(self, params: StopParams, target: str) -> str:
        """What it does to whom."""
        return f"the container of {target} is stopped, and started again afterwards"

    async def prepare(self, params: StopParams, ctx: FaultContext) -> ContainerUndo:
        """Which container it is, and that it runs and would still be there."""
        return await lasting_container_of(params, ctx)

    async def inject(self, params: StopParams, undo: ContainerUndo, ctx: FaultContext) -> ActiveFault | None:
        """Returns when it has ended."""
        await told(undo, "stop", "stop", params.grace)
        return None

    async def revert(self, undo: ContainerUndo, ctx: FaultContext) -> None:
        """Does nothing to one that runs."""
        await back_again(undo, ctx)

    async def fingerprint(self, undo: ContainerUndo, ctx: FaultContext) -> JsonValue:
        """Whether it runs and takes connections."""
        return await running_print(undo, ctx)
