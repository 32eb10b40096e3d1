"""The proxy accepts no connection."""

from __future__ import annotations

import pytest

from tests.checkers.beside import tcp_server
from tests.faults.proxy.giver import connect, proxied
from tests.faults.scenes.proxy import echo, held
from tests.ports import free_port


def test_a_refusal_refuses() -> None:
    """No connection is accepted, and no other process can take the port; before and after it is free."""
    listen = free_port()
    with tcp_server(echo) as port:
        assert not held(listen)
        with proxied("proxy.refuse", port, listen=f"127.0.0.1:{listen}") as (_, through):
            assert through == listen
            with pytest.raises(ConnectionRefusedError):
                connect(through)
            assert held(listen)
        assert not held(listen)
