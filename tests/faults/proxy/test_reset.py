"""The proxy resets connections, all of them or a share."""

from __future__ import annotations

import time

import pytest

from tests.checkers.beside import tcp_server
from tests.faults.proxy.giver import Giver, connect, given, proxied, round_trip
from tests.faults.scenes.proxy import echo


def test_a_reset_resets() -> None:
    """At once, and then the server hears nothing; or after a time in which everything passes."""
    giver = Giver()
    with tcp_server(giver.talk) as port, proxied("proxy.reset", port) as (_, through):
        with pytest.raises(ConnectionError):
            given(through)
        assert giver.came == 0
    with (
        tcp_server(echo) as port,
        proxied("proxy.reset", port, after="1s") as (_, through),
        connect(through) as connection,
    ):
        round_trip(connection)
        begun = time.monotonic()
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
        assert time.monotonic() - begun < 10


def test_a_share_of_connections_is_disturbed() -> None:
    """Thirty of a hundred, exactly; the others are as without the proxy."""
    giver = Giver(b"whole")
    with tcp_server(giver.talk) as port, proxied("proxy.reset", port, share=0.3, seed=5) as (_, through):
        kinds = []
        for _ in range(100):
            try:
                kinds.append(given(through)[0])
            except ConnectionError:
                kinds.append(b"reset")
    assert (kinds.count(b"reset"), kinds.count(b"whole"), giver.came) == (30, 70, 70)
