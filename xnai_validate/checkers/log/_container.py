"""The log of a container, as its engine keeps it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from xnai_validate.kit import ErrorKind
from xnai_validate.wire.containers.engine import ContainerEngine, EngineError, container_path
from xnai_validate.wire.containers.exec import Frames

Feed = Callable[[bytes, int], None]


class Full(Exception):
    """As many bytes as are read at most have come."""


async def read_log(
    engine: ContainerEngine, name: str, since_s: float | None, cap: int, timeout_s: float, feed: Feed
) -> bool:
    """Give the log of a container since a time (seconds since the epoch) to `feed`; return whether all of it was read.

    Raises EngineError, NoSuchContainer. Source: Docker Engine API, ContainerLogs: without a terminal the log is framed
    as the output of a command is, with one it is plain.
    """
    inspection = await engine.inspect(name)
    plain = inspection.config is not None and bool(inspection.config.tty)
    read = 0

    def take(stream: int, piece: bytes) -> None:
        nonlocal read
        room = cap - read
        read += len(piece)
        feed(piece[:room], stream)
        if len(piece) > room:
            raise Full

    frames = Frames(take)
    query = {"stdout": "true", "stderr": "true", "follow": "false"}
    if since_s is not None:
        query["since"] = f"{since_s:.9f}"
    try:
        async with asyncio.timeout(timeout_s):
            raw = (lambda data: take(1, data)) if plain else frames.feed
            await engine.stream(container_path(name, "logs"), None, raw, query)
    except Full:
        return False
    except TimeoutError:
        raise EngineError(ErrorKind.TIMEOUT, f"the log of {name} did not come within {timeout_s:g} s") from None
    return True
