"""Proxies for tests: one of HTTP that forwards and tunnels, and one of SOCKS 5; both remember what passed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.checkers.beside import tcp_server


@dataclass
class Proxy:
    """A running proxy."""

    port: int = 0
    requests: list[str] = field(default_factory=list)
    """`CONNECT host:port`, `GET http://...`, or `socks host:port`, in order."""
    credentials: list[str] = field(default_factory=list)
    refuses: bytes = b""
    """What every request is answered with, instead of being passed on."""

    async def http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection of an HTTP proxy (RFC 9110 sections 7.6 and 9.3.6)."""
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        method, target, _ = first.split(" ")
        self.requests.append(f"{method} {target}")
        self.credentials += [line.partition(": ")[2] for line in lines if line.lower().startswith("proxy-auth")]
        if self.refuses:
            writer.write(self.refuses)
            return
        if method == "CONNECT":
            host, _, port = target.rpartition(":")
            writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
            await _relay(reader, writer, host, int(port), b"")
            return
        url = urlsplit(target)
        kept = [line for line in lines if not line.lower().startswith("proxy-")]
        again = "\r\n".join([f"{method} {url.path or '/'} HTTP/1.1", *kept]).encode()
        await _relay(reader, writer, url.hostname or "", url.port or 80, again)

    async def socks(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection of a SOCKS 5 proxy without authentication (RFC 1928)."""
        _, methods = await reader.readexactly(2)
        await reader.readexactly(methods)
        writer.write(b"\x05\x00")
        _, _, _, kind = await reader.readexactly(4)
        if kind == 3:
            host = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
        else:
            host = ".".join(map(str, await reader.readexactly(4)))
        port = int.from_bytes(await reader.readexactly(2))
        self.requests.append(f"socks {host}:{port}")
        writer.write(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
        await _relay(reader, writer, host, port, b"")


async def _relay(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int, first: bytes
) -> None:
    far_reader, far_writer = await asyncio.open_connection(host, port)
    far_writer.write(first)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_copy(reader, far_writer))
            group.create_task(_copy(far_reader, writer))
    finally:
        far_writer.close()


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
        sink.close()


@contextmanager
def http_proxy(refuses: bytes = b"") -> Iterator[Proxy]:
    """An HTTP proxy on a free port."""
    proxy = Proxy(refuses=refuses)
    with tcp_server(proxy.http) as proxy.port:
        yield proxy


@contextmanager
def socks_proxy() -> Iterator[Proxy]:
    """A SOCKS 5 proxy on a free port."""
    proxy = Proxy()
    with tcp_server(proxy.socks) as proxy.port:
        yield proxy
