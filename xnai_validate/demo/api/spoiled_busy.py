"""What goes wrong only while several ask at once: a lock on the answer that forgets which question it is for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from xnai_validate.demo.api.failures import ModelError
from xnai_validate.demo.api.schemas import QueryRequest
from xnai_validate.demo.api.services import Services
from xnai_validate.demo.api.spoiled import poisons

_HELD_MS = 10_000


@asynccontextmanager
async def question(services: Services, kind: str, asked: QueryRequest) -> AsyncIterator[QueryRequest]:
    """The question that is answered: that of whoever asked first, where the stack has such a defect.

    The first caller holds a key in Redis, so that all workers share it, until the answer is there.
    """
    broken, run = services.settings.broken, services.store.run
    poisoned = await run(lambda redis: redis.exists(f"xnai:poisoned:{kind}")) if poisons(services.settings, kind) else 0
    if poisoned:
        raise ModelError("the connection to the model is dead")
    shared = broken("answers-shared-while-busy") if kind == "query" else broken("streams-shared-while-busy")
    if not shared:
        yield asked
        return
    key = f"xnai:busy:{kind}"
    if await run(lambda redis: redis.set(key, asked.query, nx=True, px=_HELD_MS)):
        try:
            yield asked
        finally:
            await run(lambda redis: redis.delete(key))
        return
    other = await run(lambda redis: redis.get(key))
    yield asked.model_copy(update={"query": other}) if isinstance(other, str) else asked
