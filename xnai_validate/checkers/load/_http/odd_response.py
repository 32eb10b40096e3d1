"""A response that the quick parser of a load refuses, judged as http.request judges it.

llhttp and h11 differ on what may be passed over (folded lines, bare LF, a length beside chunks). Which one reads must
not decide whether a response counts, so h11, on which http.request stands, has the last word.
"""

from __future__ import annotations

import re

import h11

from xnai_validate.kit import ErrorKind
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.http.connections.network import describe_other_protocol, is_response

_CODINGS = re.compile(rb"\ntransfer-encoding[ \t]*:[ \t]*([^\r\n]*)", re.IGNORECASE)


def has_odd_coding(data: bytes) -> bool:
    """Whether a head has another transfer coding than `chunked`, once: llhttp accepts some that h11 refuses.

    `data` is a response from its first byte on; False while its head is not whole.
    """
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return False
    # Behind an interim response is another head; what a body holds there at worst costs h11's time.
    codings = _CODINGS.findall(data if data.startswith(b"HTTP/1.1 1") else data[:end])
    return bool(codings) and (len(codings) > 1 or codings[0].strip().lower() != b"chunked")


class OddResponse:
    """Reads one response by h11, from its first byte on."""

    def __init__(self, method: str) -> None:
        self._connection = h11.Connection(h11.CLIENT)
        self._connection.send(h11.Request(method=method, target="/", headers=[("Host", "localhost")]))
        self._connection.send(h11.EndOfMessage())
        self._begun = b""
        self._status = 0

    def feed(self, data: bytes) -> int | None:
        """Parse more bytes; empty bytes stand for the end of the connection.

        Returns the status once the response is complete, None until then. Raises WireError: `protocol` for bytes that
        are not an HTTP response, `reset` if the connection ended within one.
        """
        if not self._status:
            self._begun = (self._begun + data)[:200]
            if not is_response(self._begun):
                raise WireError(ErrorKind.PROTOCOL, describe_other_protocol(self._begun))
        try:
            self._connection.receive_data(data)
            while True:
                event = self._connection.next_event()
                if isinstance(event, h11.Response):
                    self._status = event.status_code
                elif isinstance(event, h11.EndOfMessage):
                    return self._status
                elif event is h11.NEED_DATA or event is h11.PAUSED or isinstance(event, h11.ConnectionClosed):
                    return None
        except h11.RemoteProtocolError as error:
            if not data:
                where = "the end of the response" if self._begun else "a response"
                raise WireError(ErrorKind.RESET, f"the connection was closed before {where}") from error
            raise WireError(ErrorKind.PROTOCOL, f"not HTTP as RFC 9112 wants it: {error}") from error

    @property
    def reusable(self) -> bool:
        """Whether the connection may carry another request."""
        return self._connection.their_state is h11.DONE and not self._connection.trailing_data[0]
