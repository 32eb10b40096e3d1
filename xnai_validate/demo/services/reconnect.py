"""How the small services behave while Redis is away."""

from __future__ import annotations

import asyncio

from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

ONCE_MORE = Retry(NoBackoff(), 1)
"""A connection that Redis has closed is opened once more, at once; if that fails, the error is raised."""


def raise_if_cancelled() -> None:
    """Raise CancelledError if this task has been cancelled.

    The client sends with `asyncio.wait_for`, which before Python 3.12 loses a cancellation that arrives as it ends; a
    loop that ends by being cancelled calls this in every round.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
