"""`container.stop`: a container that ends."""

from __future__ import annotations

from xnai_validate.faults.container._ending import EndParams, EndsContainer
from xnai_validate.faults.container._subject import ContainerUndo, act
from xnai_validate.kit import ActiveFault, FaultContext, fault


@fault("container.stop", limit_s=300, grace_s=90)
class Stop(EndsContainer):
    """Stop the target's container, and start it again afterwards.

    The engine sends its main process SIGTERM, and SIGKILL after `grace`; a restart policy does not start a container
    that was stopped by command. It is back when it runs and accepts connections at the target's url. A container that
    its engine would remove when it ends is refused. Source: ContainerStop and ContainerStart of the Docker Engine API.

        under: [{fault: container.stop, target: redis, with: {grace: 3}}]
    """

    def describe(self, params: EndParams, target: str) -> str:
        """Return what it does to the target."""
        return f"the container of {target} is stopped, and started again afterwards"

    async def inject(self, params: EndParams, undo: ContainerUndo, ctx: FaultContext) -> ActiveFault | None:
        """Stop it; it has ended when this returns."""
        await act(undo, "stop", params.grace)
        return None
