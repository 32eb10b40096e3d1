"""`proxy.bandwidth`: a connection with a limited rate."""

from __future__ import annotations

from typing import Annotated

from xnai_validate.faults._proxy.front import ProxyFault, ProxyUndo, StreamParams, check_proxy, tcp_settings, traffic
from xnai_validate.kit import FaultContext, Gt, JsonValue, Size, fault


class BandwidthParams(StreamParams):
    """The rate."""

    rate: Annotated[Size, Gt(0)]
    """Bytes per second, of each connection."""


@fault("proxy.bandwidth", limit_s=300)
class Bandwidth(ProxyFault):
    """Limit the bytes per second that pass, on each connection.

    A piece arrives at the time at which its last byte may arrive. What is too much waits at its sender. Source:
    toxiproxy's toxic `bandwidth`, which counts in kilobytes.

        under: [{fault: proxy.bandwidth, target: api, with: {rate: 16KiB}}]
    """

    def describe(self, params: BandwidthParams, target: str) -> str:
        """Return what it does to the target."""
        return f"{traffic(params, target)} carry at most {params.rate} bytes per second"

    async def prepare(self, params: BandwidthParams, ctx: FaultContext) -> ProxyUndo:
        """Check that a proxy can be put in front of the target."""
        return check_proxy(params, ctx)

    def proxy_settings(self, params: BandwidthParams, ctx: FaultContext) -> dict[str, JsonValue]:
        """Return the settings of the proxy."""
        return tcp_settings("bandwidth", params, ctx, rate=params.rate)
