"""Naming bytes that are no HTTP/1.1 response by the way they begin, as people look for them."""

from __future__ import annotations

import re

START = b"HTTP/"
"""How every response begins (RFC 9112 section 4)."""
SHOWN = 40

_KNOWN = (
    (rb"SSH-", "an SSH server"),
    (rb"\x15\x03[\x00-\x04]", "a server that speaks TLS (an alert): use https"),
    (rb"\x16\x03[\x00-\x04]", "a server that speaks TLS (a handshake): use https"),
    (rb"\x00\x00[\x00-\xff]\x04[\x00-\x01]\x00\x00\x00\x00", "a server that speaks HTTP/2: see `http2` of the target"),
    (rb"PRI \* HTTP/2", "the preface of an HTTP/2 client"),
    (rb"-(?:ERR|NOAUTH|DENIED|LOADING|MASTERDOWN|NOPERM|WRONGPASS)\b|\+(?:OK|PONG)\r", "a Redis server"),
    (rb"(?:220|421|554)[ -]", "a mail or FTP server"),
    (rb"\+OK ", "a POP3 server"),
    (rb"\* (?:OK|BYE)", "an IMAP server"),
    (rb"RFB \d{3}\.\d{3}", "a VNC server"),
    (rb"AMQP", "an AMQP server"),
    (rb".\x00\x00\x00\x0a\d", "a MySQL server"),
    (rb"(?i)\s*<(?:!doctype|html)", "a page without status and headers (HTTP/0.9)"),
    (rb"(?i)(?:GET|POST|PUT|HEAD|OPTIONS|CONNECT) \S+ HTTP/1\.", "an HTTP request: a client, or an echo of ours"),
)
_PATTERNS = tuple((re.compile(pattern, re.DOTALL), name) for pattern, name in _KNOWN)


def is_response(data: bytes) -> bool:
    """Whether a response of HTTP/1.1 can begin with these bytes, of which more may come."""
    return data[: len(START)] == START[: len(data)]


def describe(data: bytes) -> str:
    """What the bytes are instead, with the first of them."""
    shown = repr(data[:SHOWN])[1:] + ("..." if len(data) > SHOWN else "")
    name = next((name for pattern, name in _PATTERNS if pattern.match(data)), None)
    hint = f"; this is how {name} begins" if name and not name.startswith("an HTTP request") else ""
    if name and not hint:
        hint = f"; this is {name}"
    return f"not HTTP: a response begins with HTTP/, not with {shown}{hint}"
