"""`container.restart`: a container that is started anew."""

from __future__ import annotations

from xnai_validate.faults.container._ending import EndParams, EndsContainer
from xnai_validate.faults.container._subject import ContainerUndo, act
from xnai_validate.kit import ActiveFault, FaultContext, fault


@fault("container.restart", limit_s=300, grace_s=90)
class Restart(EndsContainer):
    """Let the engine restart the target's container, as a deploy does.

    It happens once: when the check begins, the engine has ended the container and started it again, so connections are
    lost, what was in memory is lost, and the program in it may not be ready yet. If it does not run afterwards it is
    started. Source: ContainerRestart of the Docker Engine API.

        under: [{fault: container.restart, target: api, with: {grace: 5}}]
    """

    def describe(self, params: EndParams, target: str) -> str:
        """Return what it does to the target."""
        return f"the container of {target} is restarted, once"

    async def inject(self, params: EndParams, undo: ContainerUndo, ctx: FaultContext) -> ActiveFault | None:
        """Restart it; the engine has started it again when this returns. A restart that fails may leave it stopped."""
        await act(undo, "restart", params.grace)
        return None
