"""Making calls through a breaker fail, for as long as that is wanted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from xnai_validate.checkers.breaker.params import BreakerParams
from xnai_validate.kit import Context, Observation


@asynccontextmanager
async def failing(params: BreakerParams, ctx: Context) -> AsyncIterator[Observation]:
    """The call that fails within; raises NotApplicable where nothing is configured that makes calls fail."""
    yield params.tripping
