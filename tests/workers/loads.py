"""Loads that are sent by workers, as checks of a run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

from tests.context import check_context
from xnai_validate.engine.attempts.attempt import attempt
from xnai_validate.engine.attempts.outcome import Outcome
from xnai_validate.kit import Target
from xnai_validate.model.secrets.masking import Masker
from xnai_validate.workers.cluster import Cluster, Worker
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


BeforeCall = Callable[[Worker, Callable[..., Any]], Awaitable[None]]
"""Something that is done before a function is called on a worker."""
OnResult = Callable[[Worker], None]
"""Something that is done when the result of a worker has arrived."""


def watch_calls(
    monkeypatch: pytest.MonkeyPatch, before: BeforeCall | None = None, on_result: OnResult | None = None
) -> dict[str, float]:
    """Watch the calls on workers; return when this process received the result of each: name -> `time.monotonic`."""
    received: dict[str, float] = {}
    call = Cluster.call

    async def watched(self: Cluster, worker: Worker, function: Callable[..., Any], *args: Any, **limits: Any) -> Any:
        if before is not None:
            await before(worker, function)
        answer = await call(self, worker, function, *args, **limits)
        if isinstance(answer, dict) and answer.get("state") == "done" and worker.name not in received:
            received[worker.name] = time.monotonic()
            if on_result is not None:
                on_result(worker)
        return answer

    monkeypatch.setattr(Cluster, "call", watched)
    return received


async def _beside(beside: Beside | None, under_way: asyncio.Event) -> None:
    await under_way.wait()
    if beside is not None:
        await beside()
