"""A door that is shut."""

from __future__ import annotations

from xnai_validate.faults._proxy.front import ListenParams, Proxied, ProxyUndo, reachable, tcp, whom
from xnai_validate.faults._proxy.tcp import REFUSE
from xnai_validate.kit import FaultContext, JsonValue, fault


class RefuseParams(ListenParams):
    """Nothing but where."""


@fault("proxy.refuse", limit_s=300)
class Refuse(Proxied):
    """Refuse connections, as where nobody listens.

    The port is held, so that nobody else can listen on it meanwhile. toxiproxy has this as a proxy that is disabled.

        under: [{fault: proxy.refuse, target: redis}]
    """

    def describe(self, params: RefuseParams, target: str) -> str:
        """Return what it does to the target."""
        return f"{whom(params, target)} are refused"

    async def prepare(self, params: RefuseParams, ctx: FaultContext) -> ProxyUndo:
        """Whether a proxy can stand in front of the target."""
        return reachable(params, ctx)

    def told(self, params: RefuseParams, ctx: FaultContext) -> dict[str, JsonValue]:
        """The one that disturbs all connections, for there are none."""
        return tcp(REFUSE, params, ctx)
