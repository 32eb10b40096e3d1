"""The proxy delays the end of a connection."""

from __future__ import annotations

import socket
import time

from tests.checkers.beside import tcp_server
from tests.faults.proxy.giver import Giver, connect, proxied


def test_a_slow_close_delays_nothing_but_the_end() -> None:
    """Everything is there at once; the end comes later."""
    giver = Giver(b"all of it")
    with (
        tcp_server(giver.talk) as port,
        proxied("proxy.slow_close", port, delay="700ms") as (_, through),
        connect(through) as connection,
    ):
        connection.sendall(b"?")
        assert connection.recv(9, socket.MSG_WAITALL) == giver.body
        whole = time.monotonic()
        assert connection.recv(1) == b""
        assert 0.6 <= time.monotonic() - whole < 10
