"""How the small services meet a Redis that is away."""

from __future__ import annotations

from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

ONCE_MORE = Retry(NoBackoff(), 1)
"""A connection that Redis has closed is opened once more, at once; then the caller is told."""
