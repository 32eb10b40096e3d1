"""`proxy.refuse`: a port that refuses connections."""

from __future__ import annotations

from xnai_validate.faults._proxy.front import ListenParams, ProxyFault, ProxyUndo, check_proxy, tcp_settings, traffic
from xnai_validate.faults._proxy.tcp import REFUSE
from xnai_validate.kit import FaultContext, JsonValue, fault


class RefuseParams(ListenParams):
    """Where the proxy listens."""


@fault("proxy.refuse", limit_s=300)
class Refuse(ProxyFault):
    """Refuse connections, as a port on which no program listens.

    The port is reserved, so that no other program can listen on it meanwhile. In toxiproxy, a disabled proxy.

        under: [{fault: proxy.refuse, target: redis}]
    """

    def describe(self, params: RefuseParams, target: str) -> str:
        """Return what it does to the target."""
        return f"{traffic(params, target)} are refused"

    async def prepare(self, params: RefuseParams, ctx: FaultContext) -> ProxyUndo:
        """Check that a proxy can be put in front of the target."""
        return check_proxy(params, ctx)

    def proxy_settings(self, params: RefuseParams, ctx: FaultContext) -> dict[str, JsonValue]:
        """Return the settings of the proxy."""
        return tcp_settings(REFUSE, params, ctx)
