"""Whether a target accepts connections at its url."""

from __future__ import annotations

import asyncio

from xnai_validate.kit import Target
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.net.connection import open_socket

CONNECT_S = 1.0


async def connects(target: Target) -> bool | None:
    """Return whether a connection is accepted at the target's url within a second; None without a url."""
    if not target.url or not target.port:
        return None
    try:
        async with asyncio.timeout(CONNECT_S):
            opened, _ = await open_socket(target.host, target.port)
    except (TimeoutError, OSError, WireError):
        return False
    opened.close()
    return True
