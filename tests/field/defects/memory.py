"""Defects of health, breakers, Redis and metrics."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from itertools import count
from typing import Any

from aiohttp import web

from tests.field import supervisor
from tests.field.api import app, errors
from tests.field.api.breakers import Breaker, State
from tests.field.api.metrics import Metrics
from tests.field.api.state import ApiState
from tests.field.api.store import Store, StoreDownError
from tests.field.defects.defect import Defect, put


def _report_with(change: Callable[[dict[str, Any]], None]) -> None:
    """Change the health report."""
    healthy = app.health

    async def health(request: web.Request) -> web.Response:
        report = json.loads((await healthy(request)).text or "")
        change(report)
        return web.json_response(report)

    put(app, "health", health)


def _redis_lies() -> None:
    def change(report: dict[str, Any]) -> None:
        components = report["components"]
        components["health_redis"] = True
        report["status"] = "healthy" if all(components.values()) else "degraded"

    _report_with(change)


def _status_constant() -> None:
    _report_with(lambda report: report.update(status="healthy"))


def _key_stays() -> None:
    healthy = Store.answers

    async def answers(self: Store) -> bool:
        result = await healthy(self)
        if result:
            await self.call(lambda client: client.persist("xnai_health_check"))
        return result

    put(Store, "answers", answers)


def _ignored() -> None:
    async def enter(self: Breaker) -> None:
        await self.current()

    put(Breaker, "enter", enter)


def _no_retry_after() -> None:
    healthy = errors.envelope

    def envelope(error: errors.StackError, request_id: str) -> web.Response:
        response = healthy(error, request_id)
        response.headers.pop("Retry-After", None)
        return response

    put(errors, "envelope", envelope)


def _never_again() -> None:
    healthy = Breaker.__init__

    def prepare(self: Breaker, name: str, threshold: int, _: float, store: Store) -> None:
        healthy(self, name, threshold, 86_400, store)

    put(Breaker, "__init__", prepare)


def _in_memory() -> None:
    async def current(self: Breaker) -> State:
        return self._memory

    async def record(self: Breaker, event: str) -> None:
        self._memory = self._apply(self._memory, [event])

    put(Breaker, "current", current)
    put(Breaker, "_record", record)


def _open_to_all() -> None:
    healthy = supervisor.redis_options

    def options(settings: Any) -> dict[str, Any]:
        return {name: value for name, value in healthy(settings).items() if name != "requirepass"}

    put(supervisor, "redis_options", options)


def _not_used_again() -> None:
    healthy_call, healthy_answers = Store.call, Store.answers
    lost: set[Store] = set()

    async def call(self: Store, operation: Any) -> Any:
        try:
            return await healthy_call(self, operation)
        except StoreDownError:
            lost.add(self)
            self._ask_again = math.inf
            raise

    async def answers(self: Store) -> bool:
        result = await healthy_answers(self)
        if self in lost:  # also if that happened while this was waiting
            self._ask_again = math.inf
        return result

    put(Store, "call", call)
    put(Store, "answers", answers)


def _counted_twice() -> None:
    healthy = ApiState.count_answer

    def count_answer(self: ApiState, tokens: int, seconds: float, *, use_rag: bool) -> None:
        healthy(self, tokens, seconds, use_rag=use_rag)
        healthy(self, 0, seconds, use_rag=use_rag)

    put(ApiState, "count_answer", count_answer)


def _label_per_request() -> None:
    healthy, numbers = Metrics.count_request, count(1)

    def count_request(self: Metrics, endpoint: str, method: str, status: int, seconds: float) -> None:
        healthy(self, f"{endpoint}?request={time.time_ns()}-{next(numbers)}", method, status, seconds)

    put(Metrics, "count_request", count_request)


def _gauge_frozen() -> None:
    async def closed(self: ApiState) -> bool:
        states = {name: (await breaker.current()).state for name, breaker in self.breakers.items()}
        for name in states:
            self.metrics.breakers.labels(name).set(0)
        return "open" not in states.values()

    put(ApiState, "breakers_closed", closed)


DEFECTS = (
    Defect(
        "health-redis-lies",
        "api.health.components",
        "The component health_redis is true while Redis does not answer.",
        _redis_lies,
    ),
    Defect(
        "health-status-constant",
        "api.health.status",
        "The status is healthy whatever the components are.",
        _status_constant,
    ),
    Defect("health-key-stays", "api.health.redis-written", "The key that health writes never expires.", _key_stays),
    Defect(
        "breakers-ignored-while-open", "breaker.refusal", "Calls are let through while the breaker is open.", _ignored
    ),
    Defect(
        "breakers-refuse-without-retry-after",
        "breaker.refusal",
        "A refusal does not name the time after which a client may try again.",
        _no_retry_after,
    ),
    Defect("breakers-never-try-again", "breaker.recovers", "An open breaker stays open for a day.", _never_again),
    Defect("breakers-in-memory", "breaker.state", "The state of the breakers is never stored in Redis.", _in_memory),
    Defect("redis-open-to-all", "redis.protected", "Redis needs no password.", _open_to_all, part="supervisor"),
    Defect(
        "redis-not-used-again",
        "recovery.outage",
        "After an outage of Redis only health uses it again before a restart.",
        _not_used_again,
    ),
    Defect("metrics-queries-twice", "api.metrics.counters", "Each question is counted twice.", _counted_twice),
    Defect(
        "metrics-label-per-request",
        "api.metrics.labels",
        "A label of the requests' counter has a value of its own for each request.",
        _label_per_request,
    ),
    Defect(
        "metrics-breakers-closed",
        "breaker.reported",
        "The gauge of a breaker shows closed whatever its state is.",
        _gauge_frozen,
    ),
)
