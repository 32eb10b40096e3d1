"""Why there was no answer: the one vocabulary of wire code, checkers and rules."""

from __future__ import annotations

from enum import StrEnum


class ErrorKind(StrEnum):
    """Why there was no answer; the same words in every checker of a network service."""

    REFUSED = "refused"
    TIMEOUT = "timeout"
    RESET = "reset"
    DNS = "dns"
    TLS = "tls"
    PROTOCOL = "protocol"
    UNREACHABLE = "unreachable"
    AUTH = "auth"
    TOO_LARGE = "too_large"
