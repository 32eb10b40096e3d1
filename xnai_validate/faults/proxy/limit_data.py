"""`proxy.limit_data`: a connection that ends in the middle."""

from __future__ import annotations

from xnai_validate.faults._proxy.front import ProxyFault, ProxyUndo, StreamParams, check_proxy, tcp_settings, traffic
from xnai_validate.kit import FaultContext, JsonValue, Size, fault


class LimitDataParams(StreamParams):
    """After how many bytes, and how."""

    bytes: Size
    """Bytes that arrive; not one more."""
    reset: bool = False
    """Whether the connection is reset then (RST) instead of closed."""


@fault("proxy.limit_data", limit_s=300)
class LimitData(ProxyFault):
    """End each connection after a number of bytes.

    An answer ends in the middle: in its head, in its body, in an event. Source: toxiproxy's toxic `limit_data`.

        under: [{fault: proxy.limit_data, target: api, with: {bytes: 512}}]
    """

    def describe(self, params: LimitDataParams, target: str) -> str:
        """Return what it does to the target."""
        return f"{traffic(params, target)} end after {params.bytes} bytes"

    async def prepare(self, params: LimitDataParams, ctx: FaultContext) -> ProxyUndo:
        """Check that a proxy can be put in front of the target."""
        return check_proxy(params, ctx)

    def proxy_settings(self, params: LimitDataParams, ctx: FaultContext) -> dict[str, JsonValue]:
        """Return the settings of the proxy."""
        return tcp_settings("limit_data", params, ctx, bytes=params.bytes, reset=params.reset)
