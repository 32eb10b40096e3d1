"""A slow line."""

from __future__ import annotations

from typing import Self

from xnai_validate.faults._proxy.front import Proxied, ProxyUndo, StreamParams, reachable, tcp, whom
from xnai_validate.kit import Duration, FaultContext, JsonValue, fault, model_validator


class LatencyParams(StreamParams):
    """How slow."""

    latency: Duration
    """By how much later everything arrives."""
    jitter: Duration = 0.0
    """Give or take up to this, drawn evenly for each piece; the order is kept."""

    @model_validator(mode="after")
    def _not_before(self) -> Self:
        if self.jitter > self.latency:
            raise ValueError("with a jitter above the latency something would arrive before it was sent")
        return self


@fault("proxy.latency", limit_s=300)
class Latency(Proxied):
    """Let everything arrive later that a target sends, as on a slow line.

    A piece that is read at once is delayed as one; what comes meanwhile is read on, up to a megabyte, so that the delay
    is hardly a limit of bandwidth. Connecting itself takes no longer. Source: toxiproxy's toxic `latency`.

        under: [{fault: proxy.latency, target: redis, with: {latency: 200ms, jitter: 50ms}}]
    """

    def describe(self, params: LatencyParams, target: str) -> str:
        """Return what it does to the target."""
        return f"{whom(params, target)} are slow by {params.latency:g} s, give or take {params.jitter:g} s"

    async def prepare(self, params: LatencyParams, ctx: FaultContext) -> ProxyUndo:
        """Whether a proxy can stand in front of the target."""
        return reachable(params, ctx)

    def told(self, params: LatencyParams, ctx: FaultContext) -> dict[str, JsonValue]:
        """In seconds."""
        return tcp("latency", params, ctx, latency_s=params.latency, jitter_s=params.jitter)
