"""`proxy.latency`: a connection with a delay."""

from __future__ import annotations

from typing import Self

from xnai_validate.faults._proxy.front import ProxyFault, ProxyUndo, StreamParams, check_proxy, tcp_settings, traffic
from xnai_validate.kit import Duration, FaultContext, JsonValue, fault, model_validator


class LatencyParams(StreamParams):
    """The delay."""

    latency: Duration
    """How much later everything arrives."""
    jitter: Duration = 0.0
    """How far the delay varies either way, uniformly for each piece; the order is kept."""

    @model_validator(mode="after")
    def _verify_jitter(self) -> Self:
        """Raise ValueError if the jitter exceeds the latency."""
        if self.jitter > self.latency:
            raise ValueError("with a jitter above the latency, data would arrive before it was sent")
        return self


@fault("proxy.latency", limit_s=300)
class Latency(ProxyFault):
    """Delay everything that a target sends.

    Data that is read at once is delayed as one piece; the proxy reads on meanwhile, up to a megabyte, so that the delay
    hardly limits the bandwidth. Connecting itself takes no longer. Source: toxiproxy's toxic `latency`.

        under: [{fault: proxy.latency, target: redis, with: {latency: 200ms, jitter: 50ms}}]
    """

    def describe(self, params: LatencyParams, target: str) -> str:
        """Return what it does to the target."""
        return f"{traffic(params, target)} are delayed by {params.latency:g} s ± {params.jitter:g} s"

    async def prepare(self, params: LatencyParams, ctx: FaultContext) -> ProxyUndo:
        """Check that a proxy can be put in front of the target."""
        return check_proxy(params, ctx)

    def proxy_settings(self, params: LatencyParams, ctx: FaultContext) -> dict[str, JsonValue]:
        """Return the settings of the proxy."""
        return tcp_settings("latency", params, ctx, latency_s=params.latency, jitter_s=params.jitter)
