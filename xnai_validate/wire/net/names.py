"""Host names as DNS, TLS and the Host header want them: in ASCII."""

from __future__ import annotations

import re
import socket
from contextlib import suppress

import idna

NAME_CAP = 253
"""Letters of a name, without the dot at its end (RFC 1035 section 2.3.4)."""
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f#/<>?@\\^|%]")


def ascii_host(host: str) -> str:
    """The name in ASCII, by IDNA 2008 (RFC 5891) after the mapping of UTS 46, nontransitional as browsers have it.

    An ASCII name is returned as it is, and so is an IPv6 address with its zone (`fe80::1%eth0`). Raises ValueError for
    letters that no name has, and for ASCII characters that the host of a url may not have (WHATWG URL, forbidden domain
    code points).
    """
    name = host.partition("%")[0] if ":" in host else host
    if forbidden := _FORBIDDEN.search(name):
        raise ValueError(f"{host[:80]!r} is not a host name: it has {forbidden[0]!r}")
    if host.isascii():
        return host
    return idna.encode(host, uts46=True, std3_rules=False, transitional=False).decode("ascii")


def tls_name(host: str) -> str:
    """The name to ask for and to verify in a TLS handshake: ASCII, without a dot at its end (RFC 6066 section 3).

    An address is returned as it is. Raises ValueError for what is neither.
    """
    name = ascii_host(host).removesuffix(".")
    if is_address(name):
        return name
    labels = name.split(".")
    if len(name) > NAME_CAP or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(f"{host[:80]!r} is not a host name")
    return name


def is_address(host: str) -> bool:
    """Whether the text is an IPv4 or IPv6 address, and so no name."""
    for family in (socket.AF_INET, socket.AF_INET6):
        with suppress(OSError, ValueError):
            socket.inet_pton(family, host)
            return True
    return False
