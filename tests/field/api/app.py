"""The routes of the API, its health report, and its metrics server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import psutil
from aiohttp import web

from tests.field.api import agents
from tests.field.api.answers import search
from tests.field.api.errors import StackError, answer_errors, set_request_id
from tests.field.api.metrics import METRICS
from tests.field.api.monitor import Monitor
from tests.field.api.openapi import PAGE, document
from tests.field.api.queries import query, stream
from tests.field.api.state import STATE, ApiState
from tests.field.settings import VERSION, Settings


def applications(settings: Settings) -> dict[str, web.Application]:
    """Return the API and its metrics server, for the ports of these names."""
    state = ApiState(settings)
    app = web.Application(middlewares=[answer_errors])
    app[STATE], app[METRICS] = state, state.metrics
    app.on_response_prepare.append(set_request_id)
    app.cleanup_ctx.append(_monitor)
    router, prefix = app.router, settings.prefix
    router.add_get(f"{prefix}/health", health, allow_head=False)
    for path, handler in ((f"{prefix}/query", query), (f"{prefix}/stream", stream)):
        router.add_post(path, handler)
        router.add_post(f"{path}/", _without_slash)
    router.add_get("/openapi.json", _openapi)
    router.add_get("/docs", _page)
    router.add_get("/redoc", _page)
    if settings.layout == "B":
        router.add_get("/metrics", metrics)
        router.add_get(f"{prefix}/ws/stats", agents.stats)
        router.add_get(f"{prefix}/ws/{{room}}/{{agent}}", agents.connect)
        router.add_get(f"{prefix}/docs/search", _search)
        router.add_get(f"{prefix}/docs/concepts", _concepts)
    exposition = web.Application()
    exposition[STATE] = state
    exposition.router.add_get("/metrics", metrics)
    return {"api": app, "metrics": exposition}


async def health(request: web.Request) -> web.Response:
    """Report what works now."""
    state = request.app[STATE]
    redis = await state.store.answers()
    components: dict[str, bool | int | str] = {
        "embeddings": True,
        "vectorstore": True,
        "llm": True,
        "circuit_breakers_healthy": await state.breakers_closed(),
        "health_memory": psutil.virtual_memory().percent < 98,
        "health_redis": redis,
    }
    status = "healthy" if all(components.values()) else "degraded"
    if state.settings.layout == "B":
        tier = state.tier()
        components |= {"degradation_tier": tier.number, "tier_name": tier.name}
    body = {
        "status": status,
        "version": VERSION,
        "memory_gb": round(psutil.virtual_memory().used / 2**30, 2),
        "vectorstore_loaded": True,
        "components": components,
    }
    return web.json_response(body)


async def metrics(request: web.Request) -> web.Response:
    """Return the samples, with the breakers as they are now."""
    state = request.app[STATE]
    await state.breakers_closed()
    return web.Response(body=state.metrics.text(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})


async def _openapi(request: web.Request) -> web.Response:
    return web.json_response(document(request.app[STATE].settings))


async def _page(request: web.Request) -> web.Response:
    return web.Response(text=PAGE.format(title=request.path.strip("/")), content_type="text/html")


async def _without_slash(request: web.Request) -> web.Response:
    raise web.HTTPTemporaryRedirect(request.path.rstrip("/"))


async def _search(request: web.Request) -> web.Response:
    question = request.query.get("query", "")
    limit = request.query.get("limit", "10")
    if not question or not limit.isdecimal() or not 1 <= int(limit[:4]) <= 50:
        raise StackError("validation", "validation_validation", "The query or the limit is not valid.")
    results = search(question, int(limit))
    return web.json_response({"query": question, "results": results, "total": len(results)})


async def _concepts(_: web.Request) -> web.Response:
    return web.json_response({"concepts": ["soil", "water", "light"]})


async def _monitor(app: web.Application) -> AsyncIterator[None]:
    state = app[STATE]
    task = asyncio.create_task(Monitor(state).run())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await state.store.close()
