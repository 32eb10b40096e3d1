"""`proxy.slow_close`: a connection that is closed late."""

from __future__ import annotations

from xnai_validate.faults._proxy.front import ProxyFault, ProxyUndo, StreamParams, check_proxy, tcp_settings, traffic
from xnai_validate.kit import Duration, FaultContext, JsonValue, fault


class SlowCloseParams(StreamParams):
    """How late connections are closed."""

    delay: Duration
    """How much later the connection is closed."""


@fault("proxy.slow_close", limit_s=300)
class SlowClose(ProxyFault):
    """Close connections later than the target does.

    All data arrives at once. A client that takes the end of the connection for the end of an answer waits. Source:
    toxiproxy's toxic `slow_close`.

        under: [{fault: proxy.slow_close, target: api, with: {delay: 2s}}]
    """

    def describe(self, params: SlowCloseParams, target: str) -> str:
        """Return what it does to the target."""
        return f"{traffic(params, target)} are closed {params.delay:g} s late"

    async def prepare(self, params: SlowCloseParams, ctx: FaultContext) -> ProxyUndo:
        """Check that a proxy can be put in front of the target."""
        return check_proxy(params, ctx)

    def proxy_settings(self, params: SlowCloseParams, ctx: FaultContext) -> dict[str, JsonValue]:
        """Return the settings of the proxy."""
        return tcp_settings("slow_close", params, ctx, delay_s=params.delay)
