"""A request in its form on the wire (RFC 9112 section 3), made once for all requests of a load."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable

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


def with_own_spans(prepared: Prepared, choose: Callable[[], bytes] | None) -> Callable[[], bytes] | None:
    """Return a function that gives the next request, with a span id of its own; `choose` as it is without a trace.

    `choose` returns the next request where they vary. With one id for all, a stack that joins the trace would show them
    as one request (W3C Trace Context 3.2.2.4). A `traceparent` that the check sends itself stays.
    """
    if prepared.traceparent is None:
        return choose
    data = request_bytes(prepared)
    header = f"traceparent: {prepared.traceparent}\r\n".encode()
    version, trace_id, _, flags = prepared.traceparent.split("-")
    draw = random.SystemRandom()

    def next_request() -> bytes:
        """Return the request with a span id of its own."""
        span_id = draw.getrandbits(64) or 1  # zero is no valid id
        own = f"traceparent: {version}-{trace_id}-{span_id:016x}-{flags}\r\n"
        return (data if choose is None else choose()).replace(header, own.encode(), 1)

    return next_request
