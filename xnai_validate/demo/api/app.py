"""The application: its endpoints, what runs beside them, and how it starts and ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import APIRouter, FastAPI
from fastapi.responses import Response
from starlette.types import ASGIApp

from xnai_validate.demo.api.answers import query, search, stream
from xnai_validate.demo.api.http.errors import ErrorAnswers
from xnai_validate.demo.api.http.middleware import RequestContext
from xnai_validate.demo.api.http.openapi import Answers, document, errors
from xnai_validate.demo.api.monitoring import health, metrics
from xnai_validate.demo.api.monitoring.monitor import Monitor
from xnai_validate.demo.api.rooms import routes as rooms
from xnai_validate.demo.api.services import VERSION, Services, assemble
from xnai_validate.demo.seams import seam
from xnai_validate.demo.settings import API_PREFIX, Settings


@dataclass(frozen=True, slots=True)
class Documentation:
    """The paths of the application's documentation; None where it is not served."""

    docs: str | None = "/docs"
    redoc: str | None = "/redoc"
    openapi: str | None = "/openapi.json"


@seam
def documentation() -> Documentation:
    """Where the application documents itself."""
    return Documentation()


def create(settings: Settings) -> ASGIApp:
    """The application of one stack, as an ASGI application with a lifespan."""
    services = assemble(settings)
    paths = documentation()
    app = FastAPI(
        title="XNAi RAG API",
        version=VERSION,
        summary="Answers questions from documents, on one machine.",
        lifespan=lambda _: running(services),
        docs_url=paths.docs,
        redoc_url=paths.redoc,
        openapi_url=paths.openapi,
    )
    for routes, answers in _endpoints(services):
        app.include_router(routes, prefix=API_PREFIX[settings.layout], responses=answers)
    if settings.layout == "B":
        app.include_router(_metrics(settings))
    ErrorAnswers(services.metrics).install(app)
    app.add_middleware(RequestContext, metrics=services.metrics, prefix=API_PREFIX[settings.layout])
    app.openapi = document(app)  # type: ignore[method-assign]
    return entry(settings, app)


@seam
def entry(settings: Settings, app: ASGIApp) -> ASGIApp:
    """What the server calls for each connection: the application itself."""
    return app


def _endpoints(services: Services) -> Iterator[tuple[APIRouter, Answers]]:
    """The endpoints of the stack's layout, each group with the errors it may answer."""
    yield health.router(services), errors(500)
    yield query.router(services), errors(400, 500, 503, 504)
    yield stream.router(services), errors(400, 500, 503)
    if services.settings.layout == "B":
        yield search.router(services), errors(400, 500)
        yield rooms.router(services), errors(500)


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


@seam
@asynccontextmanager
async def running(services: Services) -> AsyncIterator[None]:
    """Run what runs beside the endpoints, from the start of the application to its end."""
    try:
        async with asyncio.TaskGroup() as tasks:
            background = [tasks.create_task(services.breakers.run())]
            await services.breakers.start()
            background.append(tasks.create_task(services.breakers.keep()))
            if services.settings.layout == "B":
                background.append(tasks.create_task(services.rooms.run()))
            # One worker watches for all: two would send every alert twice, and recover every service twice.
            if services.settings.worker == 0:
                monitor = Monitor(services)
                await monitor.record_tier()
                background.append(tasks.create_task(monitor.run()))
            yield
            for task in background:
                task.cancel()
    finally:
        metrics.forget(services.metrics, services.settings)
        await services.close()
