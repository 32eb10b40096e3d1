"""What a query and a stream have in common: the passages, the prompt, and the records that are kept of both."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

from fastapi import Request
from redis.exceptions import RedisError

from xnai_validate.demo.api.failures import CircuitOpen, ModelTimeout, StoreUnavailable
from xnai_validate.demo.api.monitoring.degradation import Tier
from xnai_validate.demo.api.schemas import QueryRequest
from xnai_validate.demo.api.services import Services
from xnai_validate.demo.llm.extract import prompt
from xnai_validate.demo.seams import seam

CLIENT_LEFT = 499
"""The status that a turn has as long as it has no other: nginx's for a client that left."""

_SESSION = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_SESSION_TTL_S = 3600

Kind = Literal["query", "stream"]


@dataclass(slots=True)
class Turn:
    """One question being answered."""

    kind: Kind
    request_id: str
    session_id: str
    question: QueryRequest
    tier: Tier
    started: float = field(default_factory=time.perf_counter)
    sources: list[str] = field(default_factory=list)
    prompt: str = ""
    response: str = ""
    tokens: int = 0
    status: int = CLIENT_LEFT
    """The HTTP status of the answer."""

    @property
    def elapsed_ms(self) -> float:
        """Milliseconds since the question came in."""
        return (time.perf_counter() - self.started) * 1000


@seam
def token_limit(turn: Turn) -> int:
    """The most tokens that the model is asked for: the limit of the question, within that of the tier."""
    return min(turn.question.max_tokens, turn.tier.max_tokens)


@seam
@asynccontextmanager
async def answering(services: Services, kind: Kind, question: QueryRequest, request: Request) -> AsyncIterator[Turn]:
    """Answer one question inside the block: it counts as an active session, and its outcome is recorded."""
    turn = Turn(kind, str(request.state.request_id), _session(request), question, services.tier())
    path = f"/{kind}"
    with services.metrics.sessions.track_inprogress():
        await services.audit.transaction(turn.request_id, path, "initiated", turn.tier)
        try:
            await _remember_session(services, turn)
            await _retrieve(services, turn)
            yield turn
        except BaseException as error:
            turn.status = status_of(error) if turn.status == CLIENT_LEFT else turn.status
            raise
        finally:
            await _record(services, turn, path)


async def _record(services: Services, turn: Turn, path: str) -> None:
    """Write the records of a turn that has ended."""
    audit = services.audit
    await audit.transaction(turn.request_id, path, "completed", turn.tier, turn.status, turn.elapsed_ms)
    measured = {"tokens": float(turn.tokens), "duration_ms": round(turn.elapsed_ms, 2)}
    text = turn.question.query
    await audit.trail(turn.kind, turn.session_id, turn.tier, text, turn.response, turn.sources, measured)


async def _retrieve(services: Services, turn: Turn) -> None:
    """Find the passages that may answer the question, and write the prompt."""
    text = turn.question.query
    if not turn.question.use_rag:
        turn.prompt = prompt(text, ())
        return
    context = await services.retrieval.find(text, turn.tier)
    turn.sources = list(context.sources)
    turn.prompt = prompt(text, context.passages)


async def _remember_session(services: Services, turn: Turn) -> None:
    """Keep the last question of a session, for clients that name one."""
    if turn.session_id == turn.request_id:
        return
    key, text = f"xnai:session:{turn.session_id}", turn.question.query
    try:
        await services.store.run(lambda redis: redis.set(key, text, ex=_SESSION_TTL_S))
    except (StoreUnavailable, RedisError):
        services.metrics.failed("service_unavailable", "redis")


def _session(request: Request) -> str:
    """The session that the client names in X-Session-ID; the id of the request if it names none."""
    named = request.headers.get("x-session-id", "")
    return named if _SESSION.fullmatch(named) else str(request.state.request_id)


def status_of(error: BaseException) -> int:
    """The HTTP status of a turn that ends with an exception."""
    match error:
        case CircuitOpen():
            return 503
        case ModelTimeout():
            return 504
        case Exception():
            return 500
        case _:
            return CLIENT_LEFT
