"""`proxy.timeout`: a connection that is accepted and never answered."""

from __future__ import annotations

from xnai_validate.faults._proxy.front import ProxyFault, ProxyParams, ProxyUndo, check_proxy, tcp_settings, traffic
from xnai_validate.kit import Duration, FaultContext, JsonValue, fault


class TimeoutParams(ProxyParams):
    """When connections are closed."""

    after: Duration | None = None
    """When a connection is closed; by default when the fault is reverted."""


@fault("proxy.timeout", limit_s=300)
class Timeout(ProxyFault):
    """Accept connections, and never answer.

    Data that is sent is read and dropped; the target does not notice it. As with a firewall that lost the connection,
    or a server that hangs. Source: toxiproxy's toxic `timeout`.

        under: [{fault: proxy.timeout, target: llm}]
    """

    def describe(self, params: TimeoutParams, target: str) -> str:
        """Return what it does to the target."""
        return f"{traffic(params, target)} are accepted and never answered"

    async def prepare(self, params: TimeoutParams, ctx: FaultContext) -> ProxyUndo:
        """Check that a proxy can be put in front of the target."""
        return check_proxy(params, ctx)

    def proxy_settings(self, params: TimeoutParams, ctx: FaultContext) -> dict[str, JsonValue]:
        """Return the settings of the proxy."""
        return tcp_settings("timeout", params, ctx, after_s=params.after)
