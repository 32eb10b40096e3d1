"""POST /query and POST /stream."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, Field, ValidationError

from tests.field.api.answers import Plan, generate, plan
from tests.field.api.errors import REQUEST_ID, StackError
from tests.field.api.state import STATE, ApiState
from tests.field.api.store import StoreDownError
from tests.field.settings import CALL_TIMEOUT_S, HEARTBEAT_S


class QueryRequest(BaseModel):
    """A question. Numbers and booleans are taken as text, too; unknown fields are ignored."""

    query: Annotated[str, Field(min_length=1, max_length=2000)]
    use_rag: bool = True
    max_tokens: Annotated[int, Field(ge=1, le=2048)] = 512
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.7
    top_p: Annotated[float, Field(ge=0, le=1)] = 0.95


async def query(request: web.Request) -> web.StreamResponse:
    """Answer a question as a whole."""
    state = request.app[STATE]
    question = await _parse(request)
    begun = time.perf_counter()
    await state.breakers["rag_api"].enter()
    chosen = _plan(state, question)
    await _remember(state, request, "query", question, chosen, "initiated")
    words: list[str] = []
    try:
        async with asyncio.timeout(CALL_TIMEOUT_S), aclosing(generate(chosen.words)) as tokens:
            async for token in tokens:
                words.append(token)
    except TimeoutError:
        await state.failed("rag_api")
        raise StackError("timeout", "timeout_7c1d", "The model took too long.") from None
    await state.breakers["rag_api"].leave(succeeded=True)
    seconds = time.perf_counter() - begun
    state.count_answer(len(words), seconds, use_rag=question.use_rag)
    await _remember(state, request, "query", question, chosen, "completed", seconds)
    return web.json_response(
        {
            "response": "".join(words),
            "sources": list(chosen.sources),
            "tokens_generated": len(words),
            "duration_ms": round(seconds * 1000, 2),
            "token_rate_tps": round(len(words) / seconds, 2),
        }
    )


async def stream(request: web.Request) -> web.StreamResponse:
    """Answer a question token by token, as server-sent events."""
    state = request.app[STATE]
    question = await _parse(request)
    await state.breakers["rag_api"].enter()
    chosen = _plan(state, question)
    await _remember(state, request, "stream", question, chosen, "initiated")
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/event-stream; charset=utf-8",
            "Cache-Control": "no-cache",
            "X-Accel-Buffering": "no",
        }
    )
    begun = time.perf_counter()
    with state.metrics.sessions.track_inprogress():
        await response.prepare(request)
        await response.write(b": here it comes\n\n")
        try:
            count = await _send(response, state, chosen, question, begun)
        except BaseException:  # the client has left
            await _remember(state, request, "stream", question, chosen, "completed", time.perf_counter() - begun)
            raise
    state.count_answer(count, time.perf_counter() - begun, use_rag=question.use_rag)
    await _remember(state, request, "stream", question, chosen, "completed", time.perf_counter() - begun)
    await response.write_eof()
    return response


async def _send(
    response: web.StreamResponse, state: ApiState, chosen: Plan, question: QueryRequest, begun: float
) -> int:
    """Send the events of an answer; return the number of tokens."""
    count = 0
    if question.use_rag:
        await response.write(_frame({"type": "sources", "sources": list(chosen.sources)}))
    try:
        async with asyncio.timeout(CALL_TIMEOUT_S), aclosing(_with_heartbeat(generate(chosen.words))) as tokens:
            async for token in tokens:
                if token is None:
                    await response.write(b": heartbeat\n\n")
                    continue
                await response.write(_frame({"type": "token", "content": token}))
                count += 1
    except TimeoutError:
        await state.failed("rag_api")
        await response.write(_frame({"type": "error", "error": "The model took too long."}))
        return count
    await state.breakers["rag_api"].leave(succeeded=True)
    elapsed = round((time.perf_counter() - begun) * 1000, 2)
    await response.write(_frame({"type": "done", "tokens": count, "latency_ms": elapsed}))
    return count


async def _with_heartbeat(tokens: AsyncGenerator[str, None]) -> AsyncGenerator[str | None, None]:
    """Yield the tokens, and null where none came for the time of a heartbeat."""
    upcoming: asyncio.Task[str] | None = None
    try:
        while True:
            upcoming = upcoming or asyncio.ensure_future(_next(tokens))
            done, _ = await asyncio.wait([upcoming], timeout=HEARTBEAT_S)
            if not done:
                yield None
                continue
            try:
                token = upcoming.result()
            except StopAsyncIteration:
                return
            upcoming = None
            yield token
    finally:
        if upcoming:
            upcoming.cancel()


async def _next(tokens: AsyncGenerator[str, None]) -> str:
    return await anext(tokens)


def _frame(event: dict[str, object]) -> bytes:
    # A compact one with the language's own letters, which is JSON as well as any other.
    return b"data: " + json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


def _plan(state: ApiState, question: QueryRequest) -> Plan:
    tier = state.tier()
    cap = min(question.max_tokens, tier.max_tokens) if state.settings.layout == "B" else question.max_tokens
    begun = time.perf_counter()
    chosen = plan(question.query, use_rag=question.use_rag, max_tokens=cap, top_k=tier.top_k)
    if question.use_rag:
        state.metrics.retrieval.observe((time.perf_counter() - begun) * 1000)
    return chosen


async def _parse(request: web.Request) -> QueryRequest:
    try:
        body = await request.json()
        return QueryRequest.model_validate(body)
    except ValidationError as error:
        fields = [
            {"field": ".".join(map(str, entry["loc"])) or "body", "type": entry["type"]} for entry in error.errors()
        ]
        raise StackError(
            "validation", "validation_validation", "The request is not valid.", details={"errors": fields}
        ) from None
    except (ValueError, RecursionError):
        raise StackError("validation", "validation_validation", "The body is not JSON.") from None


async def _remember(
    state: ApiState,
    request: web.Request,
    kind: str,
    question: QueryRequest,
    chosen: Plan,
    status: str,
    seconds: float = 0.0,
) -> None:
    """Store the transaction (layout B) or the last answer (layout A); an answer does not depend on that."""
    breaker = state.breakers["redis_cache"]
    try:
        await breaker.enter()
    except StackError:
        return
    try:
        await state.records.store(
            request[REQUEST_ID], kind, request.path, question.query, list(chosen.sources), status, seconds
        )
    except StoreDownError:
        await state.failed("redis_cache")
    else:
        await breaker.leave(succeeded=True)
