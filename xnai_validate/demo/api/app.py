"""The application: its endpoints, what runs beside them, and how it starts and ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI
from fastapi.responses import Response
from starlette.types import ASGIApp

from xnai_validate.demo.api.answers import query, search, stream
from xnai_validate.demo.api.entangled import Grudge, watch_pauses
from xnai_validate.demo.api.http.errors import ErrorAnswers
from xnai_validate.demo.api.http.middleware import RequestContext
from xnai_validate.demo.api.http.openapi import Answers, document, errors
from xnai_validate.demo.api.monitoring import health, metrics
from xnai_validate.demo.api.monitoring.monitor import Monitor
from xnai_validate.demo.api.rooms import routes as rooms_routes
from xnai_validate.demo.api.services import VERSION, Services, assemble
from xnai_validate.demo.api.spoiled_http import spoil_http
from xnai_validate.demo.api.spoiled_load import spoil_load
from xnai_validate.demo.settings import Layout, Settings

PREFIX: dict[Layout, str] = {"A": "", "B": "/xnai/api/v1"}
"""Layout -> the path under which the application's endpoints are; its documentation is at the root."""


def create(settings: Settings) -> ASGIApp:
    """The application of one stack, as an ASGI application with a lifespan."""
    services = assemble(settings)
    hidden = settings.broken("docs-disabled")
    app = FastAPI(
        title="XNAi RAG API",
        version=VERSION,
        summary="Answers questions from documents, on one machine.",
        lifespan=lambda _: _running(services),
        docs_url=None if hidden else "/docs",
        redoc_url=None if hidden else "/redoc",
        openapi_url=None if settings.broken("openapi-missing") else "/openapi.json",
    )
    for routes, answers in _endpoints(services):
        app.include_router(routes, prefix=PREFIX[settings.layout], responses=answers)
    if settings.layout == "B":
        app.include_router(_metrics(settings))
    ErrorAnswers(settings, services.metrics).install(app)
    app.add_middleware(RequestContext, settings=settings, metrics=services.metrics, prefix=PREFIX[settings.layout])
    app.openapi = document(app, settings)  # type: ignore[method-assign]
    return spoil_load(settings, spoil_http(settings, app))


def _endpoints(services: Services) -> Iterator[tuple[APIRouter, Answers]]:
    """The endpoints of the stack's layout, each group with the errors it may answer."""
    yield health.router(services), errors(500)
    yield query.router(services), errors(400, 500, 503, 504)
    yield stream.router(services), errors(400, 500, 503)
    if services.settings.layout == "B":
        yield search.router(services), errors(400, 500)
        yield rooms_routes.router(services), errors(500)


def _metrics(settings: Settings) -> APIRouter:
    """`/metrics` beside the endpoints."""
    routes = APIRouter()
    text: Answers = {
        200: {"description": "Prometheus text.", "content": {"text/plain": {"schema": {"type": "string"}}}}
    }

    @routes.get("/metrics", summary="Metrics for Prometheus", response_class=Response, responses=text)
    async def metrics_text() -> Response:
        """All metrics in the Prometheus text format."""
        return metrics.response(settings)

    return routes


@asynccontextmanager
async def _running(services: Services) -> AsyncIterator[None]:
    """Run what runs beside the endpoints, from the start of the application to its end."""
    try:
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(services.breakers.run())]
            await services.breakers.start()
            running.append(tasks.create_task(services.breakers.keep()))
            if services.settings.layout == "B":
                running.append(tasks.create_task(services.rooms.run()))
            if services.settings.broken("api-hangs-after-pause"):
                running.append(tasks.create_task(watch_pauses(Grudge(services.settings, "pause"))))
            if services.settings.broken("query-drops-with-redis") or services.settings.broken("redis-lost-for-good"):
                await services.line.open()
            # One worker watches for all: two would tell every change twice, and recover every service twice.
            if services.settings.worker == 0:
                running.append(tasks.create_task(Monitor(services).run()))
            yield
            for task in running:
                task.cancel()
    finally:
        metrics.forget(services.metrics, services.settings)
        await services.line.close()
        await services.store.close()
