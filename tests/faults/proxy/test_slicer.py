"""The proxy sends in small pieces."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

from tests.certificates import authority
from tests.checkers.beside import tcp_server
from tests.faults.proxy.giver import BODY, Giver, connect, given, proxied, round_trip
from tests.faults.scenes.proxy import echo


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
