"""A line that breaks off."""

from __future__ import annotations

from xnai_validate.faults._proxy.front import Proxied, ProxyUndo, StreamParams, reachable, tcp, whom
from xnai_validate.kit import FaultContext, JsonValue, Size, fault


class LimitDataParams(StreamParams):
    """After how much."""

    bytes: Size
    """How many arrive; not one more."""
    reset: bool = False
    """Whether the connection is reset then (RST), instead of closed."""


@fault("proxy.limit_data", limit_s=300)
class LimitData(Proxied):
    """End each connection after so many bytes.

    An answer breaks off in the middle: in its head, in its body, in an event. Source: toxiproxy's toxic `limit_data`.

        under: [{fault: proxy.limit_data, target: api, with: {bytes: 512}}]
    """

    def describe(self, params: LimitDataParams, target: str) -> str:
        """Return what it does to the target."""
        return f"{whom(params, target)} end after {params.bytes} bytes"

    async def prepare(self, params: LimitDataParams, ctx: FaultContext) -> ProxyUndo:
        """Whether a proxy can stand in front of the target."""
        return reachable(params, ctx)

    def told(self, params: LimitDataParams, ctx: FaultContext) -> dict[str, JsonValue]:
        """In bytes."""
        return tcp("limit_data", params, ctx, bytes=params.bytes, reset=params.reset)
