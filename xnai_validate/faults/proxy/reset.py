"""`proxy.reset`: a connection that is reset."""

from __future__ import annotations

from xnai_validate.faults._proxy.front import ProxyFault, ProxyParams, ProxyUndo, check_proxy, tcp_settings, traffic
from xnai_validate.kit import Duration, FaultContext, JsonValue, fault


class ResetParams(ProxyParams):
    """When connections are reset."""

    after: Duration = 0.0
    """How long a connection is passed on before; by default it is reset at once, and the target does not notice it."""


@fault("proxy.reset", limit_s=300)
class Reset(ProxyFault):
    """Reset connections (RST), at once or after a time.

    As by a machine that has taken over the address and does not know the connection. Source: toxiproxy's toxic
    `reset_peer`, which passes no data meanwhile.

        under: [{fault: proxy.reset, target: api, with: {after: 300ms}}]
    """

    def describe(self, params: ResetParams, target: str) -> str:
        """Return what it does to the target."""
        return f"{traffic(params, target)} are reset (RST) after {params.after:g} s"

    async def prepare(self, params: ResetParams, ctx: FaultContext) -> ProxyUndo:
        """Check that a proxy can be put in front of the target."""
        return check_proxy(params, ctx)

    def proxy_settings(self, params: ResetParams, ctx: FaultContext) -> dict[str, JsonValue]:
        """Return the settings of the proxy."""
        return tcp_settings("reset", params, ctx, after_s=params.after)
