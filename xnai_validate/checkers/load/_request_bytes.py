"""A request in its form on the wire (RFC 9112 section 3), made once for all requests of a load."""

from __future__ import annotations

from xnai_validate.wire.http.request import Prepared
from xnai_validate.wire.http.upload import pieces_of


def request_bytes(prepared: Prepared) -> bytes:
    """The request line, the headers and the body, chunked where the headers announce that."""
    fields = b"".join([b"%b: %b\r\n" % pair for pair in prepared.headers])
    parts = [b"%b %b HTTP/1.1\r\n%b\r\n" % (prepared.method.encode("ascii"), prepared.to.target, fields)]
    for piece in pieces_of(prepared.body):
        parts.append(b"%x\r\n%b\r\n" % (len(piece), piece) if prepared.chunked else piece)
    if prepared.chunked:
        parts.append(b"0\r\n\r\n")
    return b"".join(parts)
