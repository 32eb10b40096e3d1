"""Queries that are slow, stop others, or leak."""

from __future__ import annotations

import asyncio
import time

from xnai_validate.demo.api.services import Services
from xnai_validate.demo.defects.answers.queries import before_query
from xnai_validate.demo.defects.defect import Defect

_LEAK_BYTES = 8 << 20
_LEAKED_MOST = 40
_LEAKED: list[bytearray] = []


async def _wait(_: Services) -> None:
    """Wait five seconds; other requests go on."""
    await asyncio.sleep(5)


SLOW = before_query(
    Defect(
        "query-slow",
        "Every query takes five seconds before the model is asked.",
        checks=("performance/latency:query",),
    ),
    _wait,
)


async def _block(_: Services) -> None:
    """Block the worker for half a second, and all its requests with it."""
    time.sleep(0.5)  # noqa: ASYNC251 - that is the defect: every request waits


BLOCKS_EVERYONE = before_query(
    Defect(
        "query-blocks-everyone",
        "A query stops its whole worker for half a second, other requests included.",
        checks=("performance/latency:query",),
    ),
    _block,
)


async def _leak(_: Services) -> None:
    """Keep eight megabytes for ever, up to forty times."""
    if len(_LEAKED) < _LEAKED_MOST:
        _LEAKED.append(bytearray(b"x") * _LEAK_BYTES)


MEMORY_LEAK = before_query(
    Defect("memory-leak", "Every query keeps eight megabytes for ever.", checks=("resources/stack:api-no-leak",)),
    _leak,
)
