"""Loads that are sent by workers, as checks of a run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from tests.context import check_context
from xnai_validate.engine.attempts.attempt import attempt
from xnai_validate.engine.attempts.outcome import Outcome
from xnai_validate.kit import Target
from xnai_validate.model.secrets.masking import Masker
from xnai_validate.workers.runner import loads_by_workers

Beside = Callable[[], Awaitable[None]]
"""Something that is done once the load is under way."""


def load_by(
    url: str,
    kind: str,
    target: Target,
    *,
    beside: Beside | None = None,
    within_s: float = 60.0,
    allow_plain: bool = False,
    secrets: tuple[str, ...] = (),
    for_: str,
    **params: Any,
) -> Outcome:
    """The outcome of a check whose load is sent by the workers of a scheduler."""

    async def run() -> Outcome:
        under_way = asyncio.Event()
        async with (
            loads_by_workers(url, Masker(secrets), allow_plain=allow_plain),
            check_context(
                kind, target, timeout_s=within_s, progress=when_under_way(under_way), **{**params, "for": for_}
            ) as ctx,
        ):
            other = asyncio.create_task(_beside(beside, under_way))
            try:
                return await attempt(ctx.measurement, ctx, within_s)
            finally:
                other.cancel()
                with suppress(asyncio.CancelledError):
                    await other

    return asyncio.run(run())


def when_under_way(under_way: asyncio.Event) -> Callable[[str], None]:
    """A listener of the live display that notices when the workers send the load."""
    return lambda text: under_way.set() if "workers: load" in text else None


async def _beside(beside: Beside | None, under_way: asyncio.Event) -> None:
    await under_way.wait()
    if beside is not None:
        await beside()
