"""The proxy's process: `--injection=ID SPEC`, where SPEC is JSON; it says its port and ends when its input closes."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from typing import Any, Protocol

from xnai_validate.faults._proxy.address import bound
from xnai_validate.faults._proxy.side import CHUNK, Cut, Side
from xnai_validate.faults._proxy.tcp import REFUSE, TcpProxy, TcpSpec

MOST = 256
"""Connections at a time; more are closed at once."""


class Proxy(Protocol):
    """What serves a connection."""

    async def serve(self, client: Side) -> None:
        """Raises OSError or Cut, or a group of them, where the connection is to be closed."""


async def serve(told: dict[str, Any]) -> None:
    """Serve until the input closes."""
    if told["spec"].get("toxic") == REFUSE:
        listener = _shut(*told["listen"])
    else:
        listener = bound(*told["listen"])
        await asyncio.start_server(_Desk(_proxy(told)).serve, sock=listener, limit=CHUNK)
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    _be_silent()
    closed = asyncio.Event()
    asyncio.get_running_loop().add_reader(0, closed.set)
    await closed.wait()
    os._exit(0)  # what is still carried ends with the process


def _shut(host: str, port: int) -> socket.socket:
    """A port that is held and refuses."""
    try:
        return bound(host, port, alone=True)
    except OSError:
        return bound(host, port)  # a server has just left it


def _proxy(told: dict[str, Any]) -> Proxy:
    if told["kind"] == "tcp":
        return TcpProxy(TcpSpec(**told["spec"]))
    from xnai_validate.faults._proxy.http import HttpProxy, HttpSpec  # here, for others need no h11

    return HttpProxy(HttpSpec(**told["spec"]))


class _Desk:
    """Takes connections, a bounded number at a time, and ends each as its proxy wants."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self._open = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        client = Side(reader, writer)
        if self._open >= MOST:
            client.reset()
            return
        self._open += 1
        reset = True  # as a lost end looks to the other, and whatever else goes wrong
        try:
            await self._proxy.serve(client)
            reset = False
        except* Cut as cut:
            reset = any(one.reset for one in _leaves(cut))
        except* OSError:
            pass  # an end is lost, or the target is not there in time
        finally:
            self._open -= 1
            if reset:
                client.reset()
        if not reset:
            await client.leave()


def _leaves(group: BaseExceptionGroup[Cut]) -> list[Cut]:
    found: list[Cut] = []
    for one in group.exceptions:
        found += _leaves(one) if isinstance(one, BaseExceptionGroup) else [one]
    return found


def _be_silent() -> None:
    """Nobody reads on: a full pipe would stop the proxy."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


if __name__ == "__main__":
    asyncio.run(serve(json.loads(sys.argv[2])))
