"""A proxy that knows nothing of what it carries: Redis, HTTP, event streams, TLS that passes through."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Literal

from xnai_validate.faults._proxy import toxics
from xnai_validate.faults._proxy.side import CHUNK, DIAL_S, Side
from xnai_validate.faults._proxy.spread import Spread, draws
from xnai_validate.faults._proxy.toxics import Door, Passing, Way, relayed

WAYS: dict[str, type[Any]] = {
    "latency": toxics.Latency,
    "bandwidth": toxics.Bandwidth,
    "slow_close": toxics.SlowClose,
    "slicer": toxics.Slicer,
    "limit_data": toxics.LimitData,
}
DOORS: dict[str, type[Any]] = {"timeout": toxics.Timeout, "reset": toxics.Reset}
REFUSE = "refuse"
"""The one that needs no code: the port is held, and nobody listens on it."""

Stream = Literal["downstream", "upstream", "both"]


@dataclass(frozen=True, slots=True)
class TcpSpec:
    """What a TCP proxy is told."""

    host: str
    port: int
    """Where the target is."""
    toxic: str
    numbers: dict[str, Any]
    """The attributes of the toxic."""
    stream: Stream = "downstream"
    share: float = 1.0
    seed: int = 0


class TcpProxy:
    """Serves connections, of which a share is disturbed."""

    def __init__(self, spec: TcpSpec) -> None:
        self._spec = spec
        self._spread = Spread(spec.share, spec.seed)
        self._count = 0
        self._door: Door | None = DOORS[spec.toxic](**spec.numbers) if spec.toxic in DOORS else None
        self._way: Way | None = WAYS[spec.toxic](**spec.numbers) if spec.toxic in WAYS else None

    async def serve(self, client: Side) -> None:
        """One connection to its end. Raises OSError or Cut, or a group of them, where the client's is to be closed."""
        number, self._count = self._count, self._count + 1
        hit = self._spread.hit()
        if hit and self._door is not None:
            await self._door.serve(client, self._dial)
            return
        toxic: Way = self._way if hit and self._way is not None else Passing()
        stream = self._spec.stream
        up = toxic if stream != "downstream" else Passing()
        down = toxic if stream != "upstream" else Passing()
        seed = self._spec.seed
        await relayed(client, await self._dial(), up, down, draws(seed, number, "up"), draws(seed, number, "down"))

    async def _dial(self) -> Side:
        async with asyncio.timeout(DIAL_S):
            return Side(*await asyncio.open_connection(self._spec.host, self._spec.port, limit=CHUNK))
