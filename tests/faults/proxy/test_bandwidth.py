"""The proxy limits the rate of one direction."""

from __future__ import annotations

from tests.checkers.beside import tcp_server
from tests.faults.proxy.giver import BODY, Giver, given, proxied


def test_bandwidth_is_as_configured() -> None:
    """64 KiB at 64 KiB a second take a second, in the direction that is limited."""
    giver = Giver()
    with tcp_server(giver.talk) as port:
        with proxied("proxy.bandwidth", port, rate="64KiB") as (_, through):
            data, took_s = given(through)
            assert data == BODY
            assert 0.9 <= took_s < 10
        with proxied("proxy.bandwidth", port, rate="64KiB", stream="upstream") as (_, through):
            assert given(through)[1] < took_s
