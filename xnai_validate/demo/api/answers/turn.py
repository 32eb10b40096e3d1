"""What a query and a stream have in common: the passages, the prompt, and the records that are kept of both."""

from __future__ import annotations

import os
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from fastapi import Request
from redis.exceptions import RedisError

from xnai_validate.demo.api.failures import CircuitOpen, ModelError, ModelTimeout, StoreUnavailable
from xnai_validate.demo.api.monitoring.degradation import Tier
from xnai_validate.demo.api.schemas import QueryRequest
from xnai_validate.demo.api.services import Services
from xnai_validate.demo.api.spoiled import poisons
from xnai_validate.demo.llm.extract import prompt
from xnai_validate.demo.settings import Settings

_SESSION = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_SESSION_TTL_S = 3600
_CLIENT_LEFT = 499
_TIMED_OUT = 504


@dataclass(slots=True)
class Turn:
    """One question being answered."""

    kind: str
    """`query` or `stream`."""
    request_id: str
    session_id: str
    asked: QueryRequest
    tier: Tier
    started: float = field(default_factory=time.perf_counter)
    sources: list[str] = field(default_factory=list)
    prompt: str = ""
    response: str = ""
    tokens: int = 0
    status: int = _CLIENT_LEFT
    """The status of the answer; 499 as long as there is none."""

    @property
    def elapsed_ms(self) -> float:
        """Milliseconds since the question came in."""
        return (time.perf_counter() - self.started) * 1000

    def max_tokens(self, settings: Settings) -> int:
        """The most tokens of the answer: what was asked for, within what the tier allows."""
        ignored = settings.broken("max-tokens-ignored") or (
            self.kind == "stream"
            and (settings.broken("stream-max-tokens-ignored") or settings.broken("stream-limit-applied-late"))
        )
        return self.tier.max_tokens if ignored else min(self.asked.max_tokens, self.tier.max_tokens)


@asynccontextmanager
async def turn(services: Services, kind: str, asked: QueryRequest, request: Request) -> AsyncIterator[Turn]:
    """Answer one question inside: it counts as an active session, and what comes of it is written down."""
    now = Turn(kind, str(request.state.request_id), _session(request), asked, services.tier())
    path = f"/{kind}"
    with services.metrics.sessions.track_inprogress():
        await services.audit.transaction(now.request_id, path, "initiated", now.tier)
        try:
            await _remember_session(services, now)
            await _retrieve(services, now)
            yield now
        except BaseException as error:
            now.status = _status(error) if now.status == _CLIENT_LEFT else now.status
            if services.settings.broken("stream-session-leak") and now.status == _CLIENT_LEFT:
                services.metrics.sessions.inc()
            if services.settings.broken("stream-descriptor-leak") and now.status == _CLIENT_LEFT:
                os.open(os.devnull, os.O_RDONLY)
            raise
        finally:
            await _write_down(services, now, path)


async def _write_down(services: Services, now: Turn, path: str) -> None:
    """The records of a turn that has ended."""
    await services.audit.transaction(now.request_id, path, "completed", now.tier, now.status, now.elapsed_ms)
    if now.status == _TIMED_OUT and poisons(services.settings, now.kind):
        await services.store.run(lambda redis: redis.set(f"xnai:poisoned:{now.kind}", "1"))
    measured = {"tokens": float(now.tokens), "duration_ms": round(now.elapsed_ms, 2)}
    asked, audit = now.asked.query, services.audit
    await audit.trail(now.kind, now.session_id, now.tier, asked, now.response, now.sources, measured)


async def _retrieve(services: Services, now: Turn) -> None:
    """Find what may answer the question, and write the prompt."""
    question = now.asked.query
    if not now.asked.use_rag:
        now.prompt = prompt(question, ())
        return
    found = await services.retrieval.find(question, now.tier)
    now.sources = list(found.sources)
    now.prompt = prompt(question, found.passages)


async def _remember_session(services: Services, now: Turn) -> None:
    """Keep the last question of a session, for callers that name one."""
    if now.session_id == now.request_id:
        return
    key, question = f"xnai:session:{now.session_id}", now.asked.query
    try:
        await services.store.run(lambda redis: redis.set(key, question, ex=_SESSION_TTL_S))
    except (StoreUnavailable, RedisError):
        services.metrics.failed("service_unavailable", "redis")


def _session(request: Request) -> str:
    """The session that the caller names in X-Session-ID; one of its own for a caller that names none."""
    named = request.headers.get("x-session-id", "")
    return named if _SESSION.fullmatch(named) else str(request.state.request_id)


def _status(error: BaseException) -> int:
    """The status with which a turn ends that ended with an exception."""
    match error:
        case CircuitOpen():
            return 503
        case ModelTimeout():
            return 504
        case ModelError():
            return 500
        case Exception():
            return 500
        case _:
            return _CLIENT_LEFT
