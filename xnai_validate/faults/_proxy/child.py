"""The process of the proxy: `--injection=ID SETTINGS` (JSON). It prints its port, and ends when its input closes."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from typing import Any, Protocol

from xnai_validate.faults._proxy.address import bound
from xnai_validate.faults._proxy.http import HttpProxy, HttpSpec
from xnai_validate.faults._proxy.side import CHUNK, Cut, Side
from xnai_validate.faults._proxy.tcp import REFUSE, TcpProxy, TcpSpec

CONNECTIONS_CAP = 256
"""Connections at a time; more are reset at once."""


class Proxy(Protocol):
    """Serves connections."""

    async def serve(self, client: Side) -> None:
        """Serve a connection to its end. Raises OSError or Cut, or a group of them, to have it closed."""


async def serve(settings: dict[str, Any]) -> None:
    """Serve until the input closes."""
    if settings["spec"].get("toxic") == REFUSE:
        listener = _reserve(*settings["listen"])
    else:
        listener = bound(*settings["listen"])
        await asyncio.start_server(_Server(_make_proxy(settings)).serve, sock=listener, limit=CHUNK)
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    _silence_output()
    closed = asyncio.Event()
    asyncio.get_running_loop().add_reader(0, closed.set)
    await closed.wait()
    os._exit(0)  # open connections end with the process


def _reserve(host: str, port: int) -> socket.socket:
    """A port that is bound and does not listen: it refuses connections."""
    try:
        return bound(host, port, alone=True)
    except OSError:
        return bound(host, port)  # connections of a server that has just closed it remain


def _make_proxy(settings: dict[str, Any]) -> Proxy:
    """Return the proxy that the settings describe."""
    if settings["kind"] == "tcp":
        return TcpProxy(TcpSpec(**settings["spec"]))
    return HttpProxy(HttpSpec(**settings["spec"]))


class _Server:
    """Accepts connections, a bounded number at a time, and closes or resets each as its proxy requires."""

    def __init__(self, proxy: Proxy) -> None:
        self._make_proxy = proxy
        self._open = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
        client = Side(reader, writer)
        if self._open >= CONNECTIONS_CAP:
            client.reset()
            return
        self._open += 1
        reset = True  # for a lost connection to the target, and for every error
        try:
            await self._make_proxy.serve(client)
            reset = False
        except* Cut as cut:
            reset = any(leaf.reset for leaf in _flatten_group(cut))
        except* OSError:
            pass  # a connection is lost, or the target does not answer in time
        finally:
            self._open -= 1
            if reset:
                client.reset()
        if not reset:
            await client.close_gracefully()


def _flatten_group(group: BaseExceptionGroup[Cut]) -> list[Cut]:
    """Return all exceptions of a group and of the groups within it."""
    leaves: list[Cut] = []
    for error in group.exceptions:
        leaves += _flatten_group(error) if isinstance(error, BaseExceptionGroup) else [error]
    return leaves


def _silence_output() -> None:
    """Discard all further output: a full pipe, which the parent does not read, would stop the proxy."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


if __name__ == "__main__":
    asyncio.run(serve(json.loads(sys.argv[2])))
