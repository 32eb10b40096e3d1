"""Whether somebody takes connections at a target's url."""

from __future__ import annotations

import asyncio

from xnai_validate.kit import Target
from xnai_validate.wire.failure import WireError

CONNECT_S = 1.0


async def connects(target: Target) -> bool | None:
    """Whether a connection is taken at the target's url within a second; None where it has none."""
    if not target.url or not target.port:
        return None
    from xnai_validate.wire.net.connection import open_socket

    try:
        async with asyncio.timeout(CONNECT_S):
            opened, _ = await open_socket(target.host, target.port)
    except (TimeoutError, OSError, WireError):
        return False
    opened.close()
    return True
