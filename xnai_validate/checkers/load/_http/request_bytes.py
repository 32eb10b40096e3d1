"""A request in its form on the wire (RFC 9112 section 3), made once for all requests of a load."""

from __future__ import annotations

import socket

from xnai_validate.kit import Unmeasurable
from xnai_validate.wire.http.request import Prepared
from xnai_validate.wire.http.upload import pieces_of
from xnai_validate.wire.net.connection import open_socket, open_unix_socket


def verify(prepared: Prepared, kind: str) -> None:
    """Raise Unmeasurable for a request that a load cannot make: its connections speak HTTP/1.1, straight to a server.

    A proxy would be measured instead of the target, and Digest needs a second request for each.
    """
    for what, is_used in (
        ("HTTP/2", prepared.http2),
        ("through a proxy", prepared.proxy is not None),
        ("Digest authentication", prepared.digest is not None),
    ):
        if is_used:
            raise Unmeasurable(f"{kind} does not speak {what}", hint="see the target, or measure it by http.request")


async def open_connection(prepared: Prepared, host: str) -> socket.socket:
    """A socket that is connected to the server; `host` is its host or an address of it. Raises WireError."""
    if prepared.to.socket is not None:
        return await open_unix_socket(prepared.to.socket)
    sock, _ = await open_socket(host, prepared.to.port)
    return sock


def request_bytes(prepared: Prepared) -> bytes:
    """The request line, the headers and the body, chunked where the headers announce that."""
    fields = b"".join([b"%b: %b\r\n" % pair for pair in prepared.headers])
    parts = [b"%b %b HTTP/1.1\r\n%b\r\n" % (prepared.method.encode("ascii"), prepared.to.target, fields)]
    for piece in pieces_of(prepared.body):
        parts.append(b"%x\r\n%b\r\n" % (len(piece), piece) if prepared.chunked else piece)
    if prepared.chunked:
        parts.append(b"0\r\n\r\n")
    return b"".join(parts)
