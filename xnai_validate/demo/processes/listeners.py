"""Ports of the embedded stack: chosen once, kept while it lives, listened on only by the part they are for."""

from __future__ import annotations

import socket

from xnai_validate.demo.seams import seam

BACKLOG = 512
"""Connections the kernel completes before the part accepts them."""


@seam
def address_of(name: str) -> str:
    """The address that a port is bound to: the part is reached from this machine only."""
    return "127.0.0.1"


class Listeners:
    """Loopback ports held by sockets that are bound but do not listen.

    A held port refuses connections, is given to no other process, and can be listened on again after its part has
    died, because every socket here carries SO_REUSEADDR and SO_REUSEPORT (socket(7)).
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        self._held = {name: _bound(0, address_of(name)) for name in names}

    @property
    def ports(self) -> dict[str, int]:
        """Port name -> number."""
        return {name: held.getsockname()[1] for name, held in self._held.items()}

    def open(self, names: tuple[str, ...]) -> dict[str, socket.socket]:
        """New listening sockets for the named ports."""
        opened = {name: _bound(self._held[name].getsockname()[1], address_of(name)) for name in names}
        for listener in opened.values():
            listener.listen(BACKLOG)
            listener.setblocking(False)
        return opened

    def close(self) -> None:
        """Release every port."""
        for held in self._held.values():
            held.close()


def _bound(port: int, host: str) -> socket.socket:
    """Return a socket that is bound to a port and does not listen yet; port 0 takes a free one."""
    # asyncio turns Nagle off only on sockets that name their protocol; with it on, small answers take 40 ms.
    fresh = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    fresh.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if port == 0 or hasattr(socket, "SO_REUSEPORT"):
        fresh.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    fresh.bind((host, port))
    return fresh
