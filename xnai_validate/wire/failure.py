"""The exception that wire code raises without a (whole) answer, and the translation into it."""

from __future__ import annotations

import errno
import os
import socket
import ssl

from xnai_validate.errors import XnaiError
from xnai_validate.model.error_kind import ErrorKind

DETAIL_CAP = 300
_UNREACHABLE = {
    errno.ENETUNREACH,
    errno.EHOSTUNREACH,
    errno.ENETDOWN,
    errno.EHOSTDOWN,
    errno.EADDRNOTAVAIL,
    errno.ENOENT,
    errno.EACCES,
    errno.EPERM,
    errno.EINVAL,
}


class WireError(XnaiError):
    """A server gave no (whole) answer: the reason as `kind`, and in words as `detail`. A checker makes facts of it."""

    def __init__(self, kind: ErrorKind, detail: str) -> None:
        super().__init__(detail[:DETAIL_CAP])
        self.kind = kind

    @property
    def detail(self) -> str:
        """What happened, in at most 300 characters."""
        return self.message


def wire_error(error: OSError, doing: str) -> WireError:
    """The WireError of an exception of the operating system or of `ssl`; `doing` describes what was attempted.

    Certificates first (`ssl.SSLError` is an OSError too), then name look-up, then the errno.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        return WireError(ErrorKind.TLS, f"{doing}: the certificate does not verify: {error.verify_message}")
    if isinstance(error, ssl.SSLError):
        return WireError(ErrorKind.TLS, f"{doing}: {_ssl_reason(error)}")
    if isinstance(error, socket.gaierror):
        return WireError(ErrorKind.DNS, f"{doing}: {error.strerror or error}")
    if isinstance(error, TimeoutError) and error.errno is None:
        return WireError(ErrorKind.TIMEOUT, f"{doing}: no answer in time")
    # asyncio words its own messages; those of the operating system are the ones people search for.
    return WireError(_error_kind(error), f"{doing}: {os.strerror(error.errno) if error.errno else error}")


def _error_kind(error: OSError) -> ErrorKind:
    """Return the kind of an error of the operating system."""
    if isinstance(error, ConnectionRefusedError):
        return ErrorKind.REFUSED
    if isinstance(error, TimeoutError):
        return ErrorKind.TIMEOUT
    if error.errno in _UNREACHABLE:
        return ErrorKind.UNREACHABLE
    return ErrorKind.RESET  # ECONNRESET, EPIPE, ECONNABORTED, and whatever else ends a connection that was there


def _ssl_reason(error: ssl.SSLError) -> str:
    """Return the reason of a TLS error in words."""
    reason = (error.reason or "").replace("_", " ").lower()
    return reason or str(error)
