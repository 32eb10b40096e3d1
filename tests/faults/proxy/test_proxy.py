"""What each proxy does to a connection, measured from outside, with real servers behind it."""

from __future__ import annotations

import asyncio
import random
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
import redis
from pydantic import ValidationError

from tests.certificates import authority
from tests.checkers.beside import tcp_server
from tests.checkers.redis_process import redis_server
from tests.faults.fault_control import FaultControl, fault_control
from tests.faults.scenes import NAMES
from tests.faults.scenes_proxy import SCENES, echo, held
from tests.ports import free_port
from xnai_validate.faults._child import children_of
from xnai_validate.faults._proxy.side import Side
from xnai_validate.faults._proxy.spread import Spread
from xnai_validate.faults._proxy.toxics import Slicer
from xnai_validate.kit import NotApplicable, Target, Unmeasurable

BODY = bytes(range(256)) * 256
"""64 KiB."""


class Giver:
    """A server that gives a body to everybody who asks, and counts who came."""

    def __init__(self, body: bytes = BODY) -> None:
        self.body = body
        self.came = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Wait for a byte, give all, close."""
        self.came += 1
        await reader.readexactly(1)
        writer.write(self.body)
        await writer.drain()


@contextmanager
def proxied(name: str, port: int, **params: Any) -> Iterator[tuple[FaultControl, int]]:
    """The fault in front of a server, and the proxy's port; it is reverted at the end, and that is proven."""
    with fault_control(name, Target("server", f"tcp://127.0.0.1:{port}"), **params) as control:
        undo, before = control.prepare()
        control.inject(undo)
        assert control.active is not None
        yield control, urlsplit(control.active.url or "").port or 0
        proof = control.revert(undo, before)
        assert proof.proven, proof.why


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), 20)


def read_all(connection: socket.socket) -> bytes:
    """All up to the end; raises ConnectionResetError, with what came in `args[-1]`."""
    data = bytearray()
    try:
        while piece := connection.recv(65536):
            data += piece
    except ConnectionResetError as error:
        raise ConnectionResetError(bytes(data)) from error
    return bytes(data)


def given(port: int) -> tuple[bytes, float]:
    """What the giver gives through a proxy, and how long that took."""
    with connect(port) as connection:
        begun = time.monotonic()
        connection.sendall(b"?")
        return read_all(connection), time.monotonic() - begun


def round_trip(connection: socket.socket) -> float:
    begun = time.monotonic()
    connection.sendall(b"hello")
    assert connection.recv(64) == b"hello"
    return time.monotonic() - begun


def test_every_proxy_has_a_scene() -> None:
    """The contract and the crash matrix know them all."""
    assert set(SCENES) == {name for name in NAMES if name.startswith("proxy.")}


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


def test_slices_lose_nothing() -> None:
    """Small pieces, none larger than asked for, and together they are what was sent."""
    giver = Giver(BODY[:500])
    with (
        tcp_server(giver.talk) as port,
        proxied("proxy.slicer", port, average_size=20, size_variation=10, delay="5ms") as (_, through),
    ):
        data, took_s = given(through)
    assert data == giver.body
    assert took_s >= 0.08, "500 bytes are at least 17 pieces, with 5 ms after each"


class Recorder(Side):
    """A side that keeps the sizes of what is sent to it, and gives what it has."""

    def __init__(self, data: bytes = b"") -> None:
        self._data = data
        self.sizes: list[int] = []

    async def read(self, most: int = 0) -> bytes:
        data, self._data = self._data, b""
        return data

    async def send(self, data: bytes) -> None:
        self.sizes.append(len(data))


def test_what_is_drawn_is_the_same_for_the_same_seed() -> None:
    """Sizes of pieces, one by one; others for another seed, and all within their bounds."""

    def sizes(seed: int) -> list[int]:
        to = Recorder()
        asyncio.run(Slicer(20, 10, 0).carry(Recorder(BODY[:2000]), to, random.Random(seed)))
        assert sum(to.sizes) == 2000
        assert all(10 <= size <= 30 for size in to.sizes[:-1])
        return to.sizes

    assert sizes(1) == sizes(1) != sizes(2)


@pytest.mark.parametrize("share", [0.01, 0.25, 1 / 3, 0.5, 0.9, 1.0])
def test_a_share_is_kept_at_any_time(share: float) -> None:
    """Of any n in a row it is share * n, less than one more or less."""
    for seed in range(20):
        spread = Spread(share, seed)
        hits = [spread.hit() for _ in range(400)]
        for begin in range(0, 300, 7):
            for length in (1, 10, 100):
                assert abs(sum(hits[begin : begin + length]) - share * length) < 1 + 1e-6


@pytest.mark.parametrize("count", [0, 1, 511, 40_000])
def test_a_limit_of_data_is_exact(count: int) -> None:
    """The stated number of bytes and not one more; then the end, or a reset."""
    giver = Giver()
    with tcp_server(giver.talk) as port:
        with proxied("proxy.limit_data", port, bytes=count) as (_, through):
            assert given(through)[0] == BODY[:count]
        with proxied("proxy.limit_data", port, bytes=count, reset=True) as (_, through):
            with pytest.raises(ConnectionError) as caught:
                given(through)
            assert caught.value.args[0] == BODY[:count] or count == 0


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


def test_redis_through_a_proxy() -> None:
    """With its password and database in the url; its own connection is as quick as before."""
    with (
        redis_server() as (target, direct),
        fault_control("proxy.latency", target, latency="150ms", stream="both") as control,
    ):
        undo, before = control.prepare()
        control.inject(undo)
        assert control.active is not None
        assert urlsplit(control.active.url or "").path == "/0"
        with redis.Redis.from_url(control.active.url or "", password=target.password) as client:
            client.set("key", "value")
            begun = time.monotonic()
            assert client.get("key") == b"value"
            assert time.monotonic() - begun >= 0.3
        assert direct.get("key") == "value"
        assert control.revert(undo, before).proven


def test_tls_passes_through(tmp_path: Path) -> None:
    """The server's own certificate arrives; nothing is decrypted on the way."""
    signer = authority(tmp_path)
    server = signer.server("localhost")
    client = ssl.create_default_context(cafile=signer.ca)
    client.verify_flags &= ~ssl.VERIFY_X509_STRICT  # the authority of tests has no key identifiers

    async def secret(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await writer.start_tls(server)
        await echo(reader, writer)

    with (
        tcp_server(secret) as port,
        proxied("proxy.slicer", port, average_size=100, delay="1ms") as (_, through),
        client.wrap_socket(connect(through), server_hostname="localhost") as connection,
    ):
        assert round_trip(connection) < 20


def test_where_the_target_is_gone_the_client_gets_an_error() -> None:
    """A target that refuses looks like a connection that is lost, not like one that hangs."""
    with proxied("proxy.latency", free_port(), latency="1ms") as (_, through), pytest.raises(ConnectionError):
        given(through)


def test_a_proxy_is_small_and_ends_with_its_pipe() -> None:
    """It takes little memory, also with fifty connections; when its input closes it is gone, however it was closed."""
    with (
        tcp_server(echo) as port,
        fault_control("proxy.latency", Target("a", f"tcp://127.0.0.1:{port}"), latency="0s") as control,
    ):
        undo, _ = control.prepare()
        control.inject(undo)
        assert control.active is not None
        assert control.active.close is not None
        (child,) = children_of(control.place.id)
        through = urlsplit(control.active.url or "").port or 0
        many = [connect(through) for _ in range(50)]
        for visitor in many:
            round_trip(visitor)
        assert psutil.Process(child.pid).memory_info().rss < 48 << 20
        control.active.close()
        assert not child.alive
        for visitor in many:
            visitor.close()


def test_what_cannot_be_proxied_is_reported() -> None:
    """No url, no port; an address that is in use, or not of this machine: nothing is started."""
    with tcp_server(echo) as port:
        here = Target("server", f"tcp://127.0.0.1:{port}")
        for target, params, error, text in (
            (replace(here, url=None), {}, NotApplicable, "no url"),
            (replace(here, url="unix:///run/redis.sock"), {}, NotApplicable, "no url with a port"),
            (here, {"listen": f"127.0.0.1:{port}"}, Unmeasurable, "cannot listen at .*in use"),
            (here, {"listen": "192.0.2.1:9999"}, Unmeasurable, "cannot listen at"),
        ):
            with fault_control("proxy.refuse", target, **params) as control, pytest.raises(error, match=text):
                control.prepare()


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("proxy.latency", {"latency": "100ms", "jitter": "101ms"}),
        ("proxy.slicer", {"average_size": 10, "size_variation": 10}),
        ("proxy.slicer", {"average_size": 0}),
        ("proxy.bandwidth", {"rate": 0}),
        ("proxy.reset", {"share": 0}),
        ("proxy.reset", {"share": 1.1}),
        ("proxy.refuse", {"share": 0.5}),
        ("proxy.reset", {"listen": "localhost:80"}),
        ("proxy.reset", {"listen": "127.0.0.1"}),
        ("proxy.reset", {"listen": "127.0.0.1:0"}),
        ("proxy.reset", {"listen": "::1:80"}),
    ],
)
def test_what_makes_no_sense_is_refused(name: str, params: dict[str, Any]) -> None:
    """When the suite is loaded, not when it is run."""
    with pytest.raises(ValidationError), fault_control(name, Target("redis"), **params):
        pass
