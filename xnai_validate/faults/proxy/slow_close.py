"""A connection that ends late."""

from __future__ import annotations

from xnai_validate.faults._proxy.front import Proxied, ProxyUndo, StreamParams, reachable, tcp, whom
from xnai_validate.kit import Duration, FaultContext, JsonValue, fault


class SlowCloseParams(StreamParams):
    """How late."""

    delay: Duration
    """By how much later its end is told."""


@fault("proxy.slow_close", limit_s=300)
class SlowClose(Proxied):
    """Tell the end of a connection later than it was.

    Everything before it arrives at once. Who takes the end of the connection for the end of an answer waits. Source:
    toxiproxy's toxic `slow_close`.

        under: [{fault: proxy.slow_close, target: api, with: {delay: 2s}}]
    """

    def describe(self, params: SlowCloseParams, target: str) -> str:
        """Return what it does to the target."""
        return f"the end of {whom(params, target)} is told {params.delay:g} s late"

    async def prepare(self, params: SlowCloseParams, ctx: FaultContext) -> ProxyUndo:
        """Whether a proxy can stand in front of the target."""
        return reachable(params, ctx)

    def told(self, params: SlowCloseParams, ctx: FaultContext) -> dict[str, JsonValue]:
        """In seconds."""
        return tcp("slow_close", params, ctx, delay_s=params.delay)
