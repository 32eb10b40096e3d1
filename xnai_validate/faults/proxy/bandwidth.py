"""A narrow line."""

from __future__ import annotations

from typing import Annotated

from xnai_validate.faults._proxy.front import Proxied, ProxyUndo, StreamParams, reachable, tcp, whom
from xnai_validate.kit import FaultContext, Gt, JsonValue, Size, fault


class BandwidthParams(StreamParams):
    """How narrow."""

    rate: Annotated[Size, Gt(0)]
    """Bytes a second, of each connection."""


@fault("proxy.bandwidth", limit_s=300)
class Bandwidth(Proxied):
    """Let only so many bytes a second pass, on each connection.

    A piece arrives when its last byte has had its time. What is too much waits at its sender. Source: toxiproxy's toxic
    `bandwidth`, which counts in kilobytes.

        under: [{fault: proxy.bandwidth, target: api, with: {rate: 16KiB}}]
    """

    def describe(self, params: BandwidthParams, target: str) -> str:
        """Return what it does to the target."""
        return f"{whom(params, target)} carry {params.rate} bytes a second at most"

    async def prepare(self, params: BandwidthParams, ctx: FaultContext) -> ProxyUndo:
        """Whether a proxy can stand in front of the target."""
        return reachable(params, ctx)

    def told(self, params: BandwidthParams, ctx: FaultContext) -> dict[str, JsonValue]:
        """In bytes a second."""
        return tcp("bandwidth", params, ctx, rate=params.rate)
