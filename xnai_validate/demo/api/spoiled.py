"""The answers of a stack that has defects: bodies as the healthy endpoints make them, then spoiled.

Each function returns what it is given where the stack has none of its defects.
"""

from __future__ import annotations

import asyncio
import time
from datetime import datetime, timedelta, timezone

from pydantic import JsonValue
from starlette.responses import HTMLResponse, JSONResponse, Response

from xnai_validate.demo.api.answers.corpus import documents
from xnai_validate.demo.api.schemas import QueryRequest
from xnai_validate.demo.settings import Settings

Body = dict[str, JsonValue]

_CANNED = "I am an assistant. How can I help you today?"
_EMBELLISHED = (
    " Scientists from Helsinki invented it during the winter of 1987. Millions of happy customers praise the purple "
    "edition. Experts recommend twelve elephants for maintenance."
)
_LEAK_BYTES = 8 << 20
_LEAKED: list[bytearray] = []
_LEAKED_MOST = 40
_TRACE = "Traceback (most recent call last):\n  File \"/app/xnai/api/query.py\", line 42, in query\nKeyError: 'query'"


APOLOGY: Body = {
    "response": "I am sorry, I cannot answer at the moment.",
    "sources": [],
    "tokens_generated": 9,
    "duration_ms": 1.0,
    "token_rate_tps": 1.0,
}


class Spoiler:
    """Spoils the answers to queries."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._before = "There is no earlier answer."

    async def before_query(self, asked: QueryRequest) -> None:
        """What goes wrong before a query is looked at."""
        if self._settings.broken("query-slow"):
            await asyncio.sleep(5)
        if self._settings.broken("query-blocks-everyone"):
            time.sleep(0.5)  # noqa: ASYNC251 - that is the defect: everybody waits
        if self._settings.broken("memory-leak") and len(_LEAKED) < _LEAKED_MOST:
            _LEAKED.append(bytearray(b"x") * _LEAK_BYTES)

    def response(self, asked: QueryRequest, body: Body) -> Response:
        """The response that carries the answer to a query."""
        answer = JSONResponse(self.query(asked, body))
        if self._settings.broken("answer-as-page") and "<" in asked.query:
            answer.headers["content-type"] = "text/html; charset=utf-8"
        return answer

    def query(self, asked: QueryRequest, body: Body) -> Body:
        """The answer to a query."""
        if not self._settings.defects:
            return body
        body = self._numbers(body)
        body = self._sources(asked, body)
        return self._text(body)

    def _text(self, body: Body) -> Body:
        broken = self._settings.broken
        if broken("answers-canned"):
            return body | {"response": _CANNED}
        if broken("answer-embellished"):
            return body | {"response": f"{body['response']}{_EMBELLISHED}"}
        if broken("answer-varies"):
            return body | {"response": f"{body['response']} As of {time.time_ns() // 1000 % 100_000}."}
        if broken("answer-empty"):
            return body | {"response": ""}
        if broken("answers-crossed"):
            before, self._before = self._before, str(body["response"])
            return body | {"response": before}
        if broken("answer-field-renamed"):
            return {("answer" if key == "response" else key): value for key, value in body.items()}
        return body

    def _sources(self, asked: QueryRequest, body: Body) -> Body:
        broken = self._settings.broken
        sources = body["sources"]
        assert isinstance(sources, list)
        if broken("sources-missing"):
            return body | {"sources": []}
        if broken("sources-everything"):
            return body | {"sources": [one.source for one in documents()]}
        if broken("sources-null") and not asked.use_rag:
            return body | {"sources": None}
        if broken("sources-repeated"):
            return body | {"sources": [*sources, *sources]}
        if broken("sources-invented") and sources:
            return body | {"sources": ["handbook-of-everything.pdf"]}
        if broken("rag-off-cites") and not asked.use_rag:
            return body | {"sources": ["xoe-novai.md"]}
        return body

    def _numbers(self, body: Body) -> Body:
        broken = self._settings.broken
        duration_ms, tokens = body["duration_ms"], body["tokens_generated"]
        assert isinstance(duration_ms, float)
        assert isinstance(tokens, int)
        if broken("duration-in-seconds"):
            body = body | {"duration_ms": round(duration_ms / 1000, 4)}
        if broken("duration-too-long"):
            body = body | {"duration_ms": duration_ms * 10 + 1000}
        if broken("tokens-miscounted"):
            body = body | {"tokens_generated": 0}
        if broken("token-rate-zero"):
            body = body | {"token_rate_tps": 0.0}
        return body


def poisons(settings: Settings, kind: str) -> bool:
    """Whether a model that has timed out in a `query` or a `stream` leaves nothing for the next one."""
    return settings.broken("query-timeout-poisons") if kind == "query" else settings.broken("stream-timeout-poisons")


def health(settings: Settings, body: Body) -> Body:
    """A health report."""
    broken = settings.broken
    components = body["components"]
    assert isinstance(components, dict)
    if broken("health-always-healthy"):
        body = body | {"status": "healthy", "vectorstore_loaded": True}
        body["components"] = {name: True if isinstance(value, bool) else value for name, value in components.items()}
    if broken("health-vectorstore-lie"):
        body = body | {
            "status": "healthy",
            "vectorstore_loaded": True,
            "components": components | {"vectorstore": True},
        }
    if broken("health-status-stuck"):
        body = body | {"status": "degraded"}
    if broken("health-status-optimistic"):
        body = body | {"status": "healthy"}
    if broken("health-component-strings"):
        body = body | {"components": {name: "ok" if value is True else value for name, value in components.items()}}
    if broken("health-version-empty"):
        body = body | {"version": ""}
    if broken("health-memory-bytes"):
        body = body | {"memory_gb": float(str(body["memory_gb"])) * 1024**3}
    if broken("health-field-missing"):
        body = {key: value for key, value in body.items() if key != "memory_gb"}
    if broken("health-tier-missing"):
        left = {name: value for name, value in components.items() if name not in ("degradation_tier", "tier_name")}
        body = body | {"components": left}
    return body


def error(settings: Settings, answer: Response, body: Body) -> Response:
    """An error's envelope: what it says."""
    if not settings.defects:
        return answer
    broken, status = settings.broken, answer.status_code
    if broken("not-found-html") and status == 404:
        return HTMLResponse("<html><body><h1>404 Not Found</h1></body></html>", status_code=404)
    if broken("error-detail-only"):
        return _with(answer, {"detail": body["message"]})
    return _as_status(settings, _with(answer, _envelope(settings, body)))


def _envelope(settings: Settings, body: Body) -> Body:
    broken = settings.broken
    if broken("validation-leaks-trace") and body["http_status"] == 400:
        body = body | {"message": _TRACE}
    if broken("envelope-without-request-id"):
        body = {key: value for key, value in body.items() if key != "request_id"}
    if broken("request-id-differs"):
        body = body | {"request_id": "req_00000000-0000-4000-8000-000000000000"}
    if broken("timestamp-local"):
        there = datetime.now(timezone(timedelta(hours=2)))
        body = body | {"timestamp": there.strftime("%Y-%m-%d %H:%M:%S")}
    if broken("http-status-disagrees"):
        body = body | {"http_status": 500}
    if broken("suggestion-missing"):
        body = body | {"recovery_suggestion": ""}
    return body


def _as_status(settings: Settings, answer: Response) -> Response:
    if settings.broken("validation-422") and answer.status_code == 400:
        answer.status_code = 422
    if settings.broken("errors-as-200"):
        answer.status_code = 200
    return answer


def _with(answer: Response, body: Body) -> Response:
    """The same answer with another body."""
    kept = {name: value for name, value in answer.headers.items() if name not in ("content-length", "content-type")}
    return JSONResponse(body, status_code=answer.status_code, headers=kept)
