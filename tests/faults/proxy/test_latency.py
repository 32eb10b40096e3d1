"""What is sent through the proxy arrives later, whole and in order."""

from __future__ import annotations

import random
import time

import psutil

from tests.checkers.beside import tcp_server
from tests.faults.proxy.giver import Giver, connect, given, proxied, read_all, round_trip
from tests.faults.scenes.proxy import echo
from xnai_validate.faults._child import children_of


def test_latency_delays_what_is_sent() -> None:
    """By at least the latency in one direction, twice that in both; never less than its jitter allows."""
    with tcp_server(echo) as port:
        with (
            proxied("proxy.latency", port, latency="200ms", jitter="50ms") as (_, through),
            connect(through) as connection,
        ):
            trips = [round_trip(connection) for _ in range(5)]
            assert min(trips) >= 0.15
            assert max(trips) - min(trips) > 0.001, "there is no jitter"
        with (
            proxied("proxy.latency", port, latency="200ms", stream="both") as (_, through),
            connect(through) as connection,
        ):
            assert round_trip(connection) >= 0.4


def test_latency_is_no_limit_of_bandwidth() -> None:
    """Four megabytes come a little later, all of them and in order, though each piece has its own delay."""
    giver = Giver(random.Random(7).randbytes(4 << 20))
    with (
        tcp_server(giver.talk) as port,
        proxied("proxy.latency", port, latency="300ms", jitter="100ms") as (_, through),
    ):
        data, took_s = given(through)
    assert data == giver.body
    assert 0.2 <= took_s < 20, "256 pieces one after the other would take 77 s"


def test_what_a_client_does_not_read_is_not_kept() -> None:
    """A slow line in front of a client that reads nothing: the proxy takes a megabyte, and lets the target wait."""
    giver = Giver(bytes(64 << 20))
    with tcp_server(giver.talk) as port, proxied("proxy.latency", port, latency="1ms") as (control, through):
        (child,) = children_of(control.place.id)
        process = psutil.Process(child.pid)
        before = process.memory_info().rss
        with connect(through) as silent:
            silent.sendall(b"?")
            time.sleep(1)
            assert process.memory_info().rss - before < 16 << 20
            assert len(read_all(silent)) == 64 << 20
