"""A proxy for any protocol on TCP: Redis, HTTP, event streams, TLS that passes through."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Literal

from xnai_validate.faults._proxy import toxics
from xnai_validate.faults._proxy.side import CHUNK, CONNECT_S, Side
from xnai_validate.faults._proxy.spread import Spread, draws
from xnai_validate.faults._proxy.toxics import ConnectionToxic, StreamToxic, Unaffected, relay

STREAM_TOXICS: dict[str, type[Any]] = {
    "latency": toxics.Latency,
    "bandwidth": toxics.Bandwidth,
    "slow_close": toxics.SlowClose,
    "slicer": toxics.Slicer,
    "limit_data": toxics.LimitData,
}
CONNECTION_TOXICS: dict[str, type[Any]] = {"timeout": toxics.Timeout, "reset": toxics.Reset}
REFUSE = "refuse"
"""The toxic that needs no code: the port is reserved, and no program listens on it."""

Stream = Literal["downstream", "upstream", "both"]


@dataclass(frozen=True, slots=True)
class TcpSpec:
    """The settings of a TCP proxy."""

    host: str
    port: int
    """The address of the target."""
    toxic: str
    numbers: dict[str, Any]
    """The attributes of the toxic."""
    stream: Stream = "downstream"
    share: float = 1.0
    seed: int = 0


class TcpProxy:
    """Serves connections, and affects a share of them."""

    def __init__(self, spec: TcpSpec) -> None:
        self._spec = spec
        self._spread = Spread(spec.share, spec.seed)
        self._count = 0
        self._connection_toxic: ConnectionToxic | None = (
            CONNECTION_TOXICS[spec.toxic](**spec.numbers) if spec.toxic in CONNECTION_TOXICS else None
        )
        self._stream_toxic: StreamToxic | None = (
            STREAM_TOXICS[spec.toxic](**spec.numbers) if spec.toxic in STREAM_TOXICS else None
        )

    async def serve(self, client: Side) -> None:
        """Serve a connection to its end. Raises OSError or Cut, or a group of them, to have the client's closed."""
        number, self._count = self._count, self._count + 1
        hit = self._spread.hit()
        if hit and self._connection_toxic is not None:
            await self._connection_toxic.serve(client, self._connect)
            return
        toxic: StreamToxic = self._stream_toxic if hit and self._stream_toxic is not None else Unaffected()
        stream = self._spec.stream
        up = toxic if stream != "downstream" else Unaffected()
        down = toxic if stream != "upstream" else Unaffected()
        seed = self._spec.seed
        await relay(client, await self._connect(), up, down, draws(seed, number, "up"), draws(seed, number, "down"))

    async def _connect(self) -> Side:
        """Connect to the target. Raises OSError and TimeoutError."""
        async with asyncio.timeout(CONNECT_S):
            return Side(*await asyncio.open_connection(self._spec.host, self._spec.port, limit=CHUNK))
