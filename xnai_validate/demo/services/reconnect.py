"""How the small services meet a Redis that is away."""

from __future__ import annotations

import asyncio

from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

ONCE_MORE = Retry(NoBackoff(), 1)
"""A connection that Redis has closed is opened once more, at once; then the caller is told."""


def heed_cancellation() -> None:
    """Raise CancelledError where this task has been cancelled.

    The client sends with `asyncio.wait_for`, which before Python 3.12 loses a cancellation that arrives as it ends; a
    loop that is to end by being cancelled asks here at every turn.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
