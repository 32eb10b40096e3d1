"""Health endpoints that are slow, costly, or fail together with what they report on."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress

from fastapi.responses import Response
from redis.asyncio.client import Pipeline

from xnai_validate.demo.api.breakers.state import State
from xnai_validate.demo.api.failures import CircuitOpen, ServiceFailure
from xnai_validate.demo.api.monitoring.health import KEY, HealthReport, Probe, answer, model_probe, write_key
from xnai_validate.demo.api.services import Services
from xnai_validate.demo.defects.defect import Defect
from xnai_validate.demo.defects.processes.hanging import hang
from xnai_validate.demo.services.gateway.gateway import forward
from xnai_validate.demo.services.gateway.relay import Client, send_own_page
from xnai_validate.demo.services.gateway.routes import Route

Answer = Callable[[HealthReport], Awaitable[Response]]

SLOW = Defect("health-slow", "Health takes three seconds.", checks=("api/health:quick",))


@SLOW.wraps(answer)
async def answer_late(answer: Answer, /, health: HealthReport) -> Response:
    """Answer health after three seconds."""
    await asyncio.sleep(3)
    return await answer(health)


GENERATES = Defect(
    "health-generates",
    "Health has the model write a sentence to test whether it works.",
    checks=("health/monitor:costs-no-tokens",),
)


@GENERATES.wraps(answer)
async def generate_first(answer: Answer, /, health: HealthReport) -> Response:
    """Have the model generate eight tokens before each health report, and count them as a query."""
    with suppress(ServiceFailure):
        generation = await health.services.model.complete("Confirm that you work.", 8)
        health.services.metrics.processed(False, generation.tokens, 1.0)
    return await answer(health)


LEAKS = Defect(
    "health-leaks",
    "Every health report keeps a connection open.",
    checks=("health/monitor:costs-no-memory",),
)


@LEAKS.wraps(answer)
async def leak_first(answer: Answer, /, health: HealthReport) -> Response:
    """Open a file descriptor before each health report, and never close it."""
    os.dup(2)
    return await answer(health)


HANGS_WITHOUT_REDIS = Defect(
    "health-hangs-without-redis",
    "Health takes six seconds to report that Redis is gone.",
    checks=("health/truth:always-answers", "dependencies/cascade:redis"),
)


@HANGS_WITHOUT_REDIS.wraps(HealthReport.components)
async def wait_without_redis(
    components: Callable[[HealthReport], Awaitable[dict[str, bool]]], /, self: HealthReport
) -> dict[str, bool]:
    """Report the components six seconds late while Redis is down."""
    found = await components(self)
    if not found["health_redis"]:
        await asyncio.sleep(6)
    return found


HANGS_WITH_MODEL = hang(
    Defect("health-hangs-with-model", "Health waits for a model server that hangs.", checks=("services/answers:api",)),
    "llm",
)


@HANGS_WITH_MODEL.wraps(model_probe)
def patient_probe(_: Callable[[Services], Probe], /, services: Services) -> Probe:
    """Return a probe that waits up to five seconds for the model server."""
    return Probe(services.model.healthy, 0.1, 5.0)


FAILS_WHEN_DEGRADED = Defect(
    "health-fails-when-degraded",
    "Health answers 500 as soon as one component is down, and so takes the rest down.",
    checks=("health/monitor:degraded-is-200",),
)


@FAILS_WHEN_DEGRADED.wraps(answer)
async def fail_when_degraded(answer: Answer, /, health: HealthReport) -> Response:
    """Answer health with status 500 unless every component works."""
    response = await answer(health)
    if json.loads(bytes(response.body))["status"] != "healthy":
        response.status_code = 500
    return response


BREAKER_CASCADES = Defect(
    "breaker-cascades",
    "While the model's breaker is open, health refuses requests too.",
    checks=("breakers/open:spares-health",),
)


@BREAKER_CASCADES.wraps(answer)
async def refuse_with_breaker(answer: Answer, /, health: HealthReport) -> Response:
    """Refuse health requests while the breaker of the model is open."""
    response = await answer(health)
    if health.services.breakers["rag_api"].view.state is State.OPEN:
        raise CircuitOpen("rag_api", 1.0)
    return response


KEY_MISSING = Defect(
    "health-key-missing",
    "Health does not write the key xnai_health_check.",
    checks=("api/health:components-true",),
)


@KEY_MISSING.wraps(write_key)
def write_nothing(_: Callable[[Pipeline, str], None], /, pipe: Pipeline, text: str) -> None:
    """Write no key."""


KEY_WITHOUT_TTL = Defect(
    "health-key-without-ttl", "The key xnai_health_check never expires.", checks=("api/health:redis-written",)
)


@KEY_WITHOUT_TTL.wraps(write_key)
def write_for_ever(_: Callable[[Pipeline, str], None], /, pipe: Pipeline, text: str) -> None:
    """Write the key without a time to live."""
    pipe.set(KEY, text)


GATEWAY_OWN_HEALTH = Defect(
    "gateway-own-health",
    "The gateway answers for the API's health without asking it.",
    checks=("health/monitor:same-everywhere", "health/sync:all-say-gone"),
)


@GATEWAY_OWN_HEALTH.wraps(forward)
async def answer_for_the_api(
    forward: Callable[[Client, Route], Awaitable[None]], /, client: Client, route: Route
) -> None:
    """Answer health requests in the gateway; forward any other request."""
    if route.target.endswith("/health"):
        await send_own_page(client, 200, '{"status": "ok"}\n', "application/json")
    else:
        await forward(client, route)
