"""A line that is cut."""

from __future__ import annotations

from xnai_validate.faults._proxy.front import Proxied, ProxyParams, ProxyUndo, reachable, tcp, whom
from xnai_validate.kit import Duration, FaultContext, JsonValue, fault


class ResetParams(ProxyParams):
    """When."""

    after: Duration = 0.0
    """How long a connection is passed on before; at once by default, and then the target does not hear of it."""


@fault("proxy.reset", limit_s=300)
class Reset(Proxied):
    """Reset connections (RST), at once or after a time.

    As when a machine that has the address now knows nothing of the connection. Source: toxiproxy's toxic `reset_peer`,
    which lets nothing pass meanwhile.

        under: [{fault: proxy.reset, target: api, with: {after: 300ms}}]
    """

    def describe(self, params: ResetParams, target: str) -> str:
        """Return what it does to the target."""
        return f"{whom(params, target)} are reset (RST) after {params.after:g} s"

    async def prepare(self, params: ResetParams, ctx: FaultContext) -> ProxyUndo:
        """Whether a proxy can stand in front of the target."""
        return reachable(params, ctx)

    def told(self, params: ResetParams, ctx: FaultContext) -> dict[str, JsonValue]:
        """In seconds."""
        return tcp("reset", params, ctx, after_s=params.after)
