"""Ports of loopback for servers that take only a number."""

from __future__ import annotations

import socket
from random import SystemRandom

_PORTS = range(12_000, 32_000)
"""Below those from which systems take the near end of connections (ip(7), ip_local_port_range)."""
_random = SystemRandom()  # the usual one is given the same seed in every process, by hypothesis
_given: set[int] = set()


def free_port() -> int:
    """A port on which no server listens, and which this process is given once; others are unlikely to be given it."""
    while True:
        port = _random.choice(_PORTS)
        if port in _given:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port
