"""Host names as DNS, TLS and the Host header want them: in ASCII."""

from __future__ import annotations

import idna


def ascii_host(host: str) -> str:
    """The name in ASCII, by IDNA 2008 (RFC 5891) after the mapping of UTS 46, nontransitional as browsers have it.

    An ASCII name is returned as it is. Raises ValueError for letters that no name has.
    """
    if host.isascii():
        return host
    return idna.encode(host, uts46=True, std3_rules=False, transitional=False).decode("ascii")
