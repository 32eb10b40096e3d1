"""A line that goes nowhere."""

from __future__ import annotations

from xnai_validate.faults._proxy.front import Proxied, ProxyParams, ProxyUndo, reachable, tcp, whom
from xnai_validate.kit import Duration, FaultContext, JsonValue, fault


class TimeoutParams(ProxyParams):
    """For how long."""

    after: Duration | None = None
    """When a connection is closed; by default when the fault is taken back."""


@fault("proxy.timeout", limit_s=300)
class Timeout(Proxied):
    """Accept connections, and never answer.

    What is sent is taken and forgotten; the target does not hear of it. That is what a firewall looks like that lost
    the connection, or a server that hangs. Source: toxiproxy's toxic `timeout`.

        under: [{fault: proxy.timeout, target: llm}]
    """

    def describe(self, params: TimeoutParams, target: str) -> str:
        """Return what it does to the target."""
        return f"{whom(params, target)} are accepted and never answered"

    async def prepare(self, params: TimeoutParams, ctx: FaultContext) -> ProxyUndo:
        """Whether a proxy can stand in front of the target."""
        return reachable(params, ctx)

    def told(self, params: TimeoutParams, ctx: FaultContext) -> dict[str, JsonValue]:
        """In seconds."""
        return tcp("timeout", params, ctx, after_s=params.after)
