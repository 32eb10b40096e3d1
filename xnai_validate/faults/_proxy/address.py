"""Addresses at which a proxy listens."""

from __future__ import annotations

import ipaddress
import socket


def split_address(text: str) -> tuple[str, int]:
    """`127.0.0.1:16379` or `[::1]:16379` as host and port. Raises ValueError."""
    host, _, port = text.rpartition(":")
    try:
        ipaddress.ip_address(host.strip("[]"))
        number = int(port)
    except ValueError:
        number = 0
    if not 0 < number < 65536 or (":" in host) != host.startswith("["):
        raise ValueError("an address to listen at is an IP address and a port, such as 127.0.0.1:16379")
    return host.strip("[]"), number


def bound(host: str, port: int, *, alone: bool = False) -> socket.socket:
    """Return a socket that is bound to an address and does not listen yet; port 0 takes a free one. Raises OSError.

    Remaining connections of an earlier server do not prevent it. With `alone` they do, but then no other program can
    bind the port either: otherwise sockets that do not listen may share it (SO_REUSEADDR in socket(7)).
    """
    opened = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, not alone)
        opened.bind((host, port))
    except BaseException:
        opened.close()
        raise
    return opened
