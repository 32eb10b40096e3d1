"""The proxy accepts connections and passes nothing on."""

from __future__ import annotations

import pytest

from tests.checkers.beside import tcp_server
from tests.faults.proxy.giver import Giver, connect, given, proxied


def test_a_timeout_answers_no_client() -> None:
    """The connection is accepted and held, the server hears nothing; with a time it is closed then."""
    giver = Giver()
    with tcp_server(giver.talk) as port:
        with proxied("proxy.timeout", port) as (_, through), connect(through) as connection:
            connection.sendall(b"?")
            connection.settimeout(0.5)
            with pytest.raises(TimeoutError):
                connection.recv(1)
        with proxied("proxy.timeout", port, after="300ms") as (_, through):
            data, took_s = given(through)
            assert (data, took_s >= 0.25) == (b"", True)
    assert giver.came == 0
