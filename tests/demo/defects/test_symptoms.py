"""Defects: a stack that has one shows it, and a healthy stack shows none of them.

Each symptom is looked for in a healthy stack first. Defects that do not touch one another share a stack, as starting
one takes most of the time.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.demo.api.running import RedisServer, running, settings
from tests.demo.defects.symptoms import (
    QUESTION,
    Symptom,
    another_text,
    claims_documents,
    events_in,
    generates_on,
    long_gap,
    not_json,
    of_answer,
    of_breaker_key,
    of_health,
    of_invalid,
    of_metrics,
    of_query,
    of_root,
    of_stream,
    of_tokens,
    session_left,
)
from xnai_validate.demo.defects import CATALOGUE, TOPICS

GROUPS: tuple[dict[str, Symptom], ...] = (
    {
        "health-status-stuck": of_health(lambda body: body["status"] == "degraded"),
        "health-field-missing": of_health(lambda body: "memory_gb" not in body),
        "health-tier-missing": of_health(lambda body: "tier_name" not in body["components"]),
        "sources-repeated": of_query(lambda body: len(body["sources"]) > len(set(body["sources"]))),
        "duration-in-seconds": of_query(lambda body: 0 < body["duration_ms"] < 1),
        "docs-disabled": of_root(lambda answer: answer.status_code == 404, "/docs"),
        "openapi-lies": of_root(lambda answer: '"confidence"' in answer.text, "/openapi.json"),
        "metrics-counter-twice": of_metrics(lambda moved: moved["xnai_requests_total"] == 8),
        "request-id-missing": of_invalid(lambda answer: "x-request-id" not in answer.headers),
        "timestamp-local": of_invalid(lambda answer: not answer.json()["timestamp"].endswith("Z")),
        "breaker-key-without-ttl": of_breaker_key(lambda _, ttl: ttl == -1),
        "stream-cacheable": of_answer(
            lambda answer: "cache-control" not in answer.headers, "POST", "/stream", json=QUESTION
        ),
        "stream-done-miscounts": of_stream(lambda text: events_in(text)[-1]["tokens"] != text.count('"token"')),
    },
    {
        "timestamp-constant": of_invalid(lambda answer: answer.json()["timestamp"].startswith("2024-01-01")),
        "metrics-latency-in-seconds": of_metrics(
            lambda moved: (
                sum(value for name, value in moved.items() if name.startswith("xnai_response_latency_ms_sum")) < 1
            )
        ),
        "health-memory-bytes": of_health(lambda body: body["memory_gb"] > 100_000),
        "health-version-empty": of_health(lambda body: body["version"] == ""),
        "sources-invented": of_query(lambda body: not all(name.endswith(".md") for name in body["sources"])),
        "duration-too-long": of_query(lambda body: body["duration_ms"] > 1000),
        "tokens-miscounted": of_query(lambda body: body["tokens_generated"] == 0),
        "openapi-operation-missing": of_root(lambda answer: "/stream" not in answer.text, "/openapi.json"),
        "metrics-counter-frozen": of_metrics(lambda moved: moved["xnai_requests_total"] == 0),
        "envelope-without-request-id": of_invalid(lambda answer: "request_id" not in answer.json()),
        "validation-422": of_invalid(lambda answer: answer.status_code == 422),
        "breaker-key-short-ttl": of_breaker_key(lambda _, ttl: 0 <= ttl < 60),
        "stream-content-type": of_answer(
            lambda answer: answer.headers["content-type"].startswith("text/plain"), "POST", "/stream", json=QUESTION
        ),
        "stream-without-done": of_tokens(lambda types: "done" not in types),
    },
    {
        "sources-missing": of_query(lambda body: not body["sources"]),
        "answers-canned": of_query(lambda body: "Xoe-NovAi" not in body["response"]),
        "health-component-strings": of_health(lambda body: body["components"]["llm"] == "ok"),
        "openapi-missing": of_root(lambda answer: answer.status_code == 404, "/openapi.json"),
        "metrics-histogram-missing": of_metrics(lambda moved: not any("latency_ms_bucket" in name for name in moved)),
        "metrics-queries-frozen": of_metrics(
            lambda moved: not moved['xnai_queries_processed_total{rag_enabled="true"}']
        ),
        "validation-leaks-trace": of_invalid(lambda answer: "Traceback" in answer.text),
        "breaker-key-not-json": of_breaker_key(lambda text, _: not_json(text)),
        "unknown-fields-refused": of_answer(
            lambda answer: answer.status_code == 400, "POST", "/query", json=QUESTION | {"extra": 1}
        ),
        "stream-without-sources": of_tokens(lambda types: "sources" not in types),
        "stream-done-early": of_tokens(lambda types: types[-1] == "token"),
        "stream-tokens-doubled": another_text,
    },
    {
        "rag-off-cites": of_query(lambda body: bool(body["sources"]), use_rag=False),
        "max-tokens-ignored": of_query(lambda body: body["tokens_generated"] > 3, max_tokens=3),
        "token-rate-zero": of_query(lambda body: body["token_rate_tps"] == 0),
        "empty-query-accepted": of_invalid(lambda answer: answer.status_code == 200),
        "long-query-accepted": of_answer(
            lambda answer: answer.status_code == 200, "POST", "/query", json={"query": "x" * 2001}
        ),
        "broken-json-fails": of_answer(lambda answer: answer.status_code == 500, "POST", "/query", content=b"{"),
        "not-found-html": of_answer(lambda answer: "html" in answer.headers["content-type"], "GET", "/nowhere"),
        "metrics-unbounded-label": of_metrics(lambda moved: any("#" in name for name in moved)),
        "metrics-breaker-missing": of_metrics(lambda moved: not any("breaker_state" in name for name in moved)),
        "breaker-keys-missing": of_breaker_key(lambda text, _: text is None),
        "stream-unterminated-frames": of_stream(lambda text: "\n\n" not in text),
    },
    {
        "answer-empty": of_query(lambda body: body["response"] == ""),
        "unicode-fails": of_answer(
            lambda answer: answer.status_code == 500, "POST", "/query", content='{"query": "é"}'.encode()
        ),
        "wrong-method-404": of_answer(lambda answer: answer.status_code == 404, "GET", "/query"),
        "http-status-disagrees": of_invalid(lambda answer: answer.json()["http_status"] != answer.status_code),
        "request-id-differs": of_invalid(lambda answer: answer.json()["request_id"] != answer.headers["x-request-id"]),
        "metrics-errors-frozen": of_metrics(
            lambda moved: not moved.get('xnai_errors_total{component="api",error_type="validation"}')
        ),
        "docs-search-unlimited": of_answer(
            lambda answer: answer.json()["total"] > 1, "GET", "/docs/search", params={"query": "redis", "limit": 1}
        ),
        "stream-literal-newlines": of_stream(lambda text: r"\n\n" in text),
    },
    {
        "answer-field-renamed": of_query(lambda body: "answer" in body),
        "errors-as-200": of_invalid(lambda answer: answer.status_code == 200),
        "vectorstore-empty": of_health(lambda body: body["status"] == "partial"),
        "suggestion-missing": of_invalid(lambda answer: not answer.json()["recovery_suggestion"]),
    },
    {
        "answers-crossed": of_query(lambda body: "Xoe-NovAi" not in body["response"]),
        "health-vectorstore-lie": claims_documents,
        "embedding-dimension": of_health(lambda body: not body["components"]["embeddings"]),
        "error-detail-only": of_invalid(lambda answer: set(answer.json()) == {"detail"}),
        "metrics-missing": of_root(lambda answer: answer.status_code == 404, "/metrics"),
        "stream-empty-tokens": of_stream(lambda text: '"content": ""' in text),
        "stream-whole-body": of_answer(
            lambda answer: "content-length" in answer.headers, "POST", "/stream", json=QUESTION
        ),
    },
    {
        "model-empty-answer": of_answer(lambda answer: answer.status_code == 500, "POST", "/query", json=QUESTION),
    },
    {
        "health-slow": of_answer(lambda answer: answer.elapsed.total_seconds() > 0.6, "GET", "/health"),
        "query-slow": of_answer(lambda answer: answer.elapsed.total_seconds() > 1.4, "POST", "/query", json=QUESTION),
    },
    {"model-generation-fails": of_answer(lambda answer: answer.status_code == 500, "POST", "/query", json=QUESTION)},
)
"""Defects that share a stack."""

STREAMS: dict[str, Symptom] = {
    "stream-last-frame-cut": of_stream(lambda text: not text.endswith("\n\n")),
    "stream-without-data-field": of_stream(lambda text: text.startswith("{")),
    "stream-json-torn": of_tokens(lambda types: "token" not in types),
    "stream-done-marker": of_stream(lambda text: text.endswith("data: [DONE]\n\n")),
    "stream-bom-inside": of_stream(lambda text: "\ufeff" in text),
    "stream-utf8-cut": of_stream(lambda text: "\ufffd" in text),
    "stream-gzip": of_stream(lambda text: text.startswith("\x1f\ufffd")),
    "stream-sources-late": of_tokens(lambda types: types[0] == "token" and types[-2] == "sources"),
    "stream-error-then-done": of_tokens(lambda types: types[-2:] == ["error", "done"]),
    "stream-done-without-latency": of_stream(lambda text: "latency_ms" not in text),
    "stream-token-renamed": of_stream(lambda text: '"text"' in text),
    "stream-other-text": another_text,
    "stream-oversized-event": of_stream(lambda text: len(text) > 65_536),
    "stream-cut-off": of_stream(lambda text: text.endswith("<cut off>")),
    "stream-heartbeat-as-data": of_tokens(lambda types: "heartbeat" in types),
    "stream-without-heartbeat": long_gap,
    "stream-tokens-swapped": another_text,
}
"""Defects that each need a stack of their own; nothing that fails is among them, so the stacks may share a Redis."""

LEAVING: dict[str, Symptom] = {
    "stream-generator-survives": generates_on,
    "stream-session-leak": session_left,
    "model-unstoppable": generates_on,
}
"""Defects that show when a reader leaves early; looked for with a slow model, so that it does leave early."""


MOSTLY_HERE = ("documentation", "metrics", "streaming")
"""Topics of which more than two thirds of the defects show in single answers."""
PARTLY_HERE = ("answers", "breakers", "errors", "health", "model", "performance")
"""Topics that `prove` holds to their descriptions: many of their defects show in figures, or in failures."""


def test_no_defect_is_looked_for_that_does_not_exist() -> None:
    """Every name above is in the catalogue, once; ninety are looked for, and most of those that show in answers."""
    names = [name for group in (*GROUPS, STREAMS, LEAVING) for name in group]
    mostly = {defect.name for topic in MOSTLY_HERE for defect in TOPICS[topic]}
    own = mostly | {defect.name for topic in PARTLY_HERE for defect in TOPICS[topic]}
    assert len(names) == len(set(names)) >= 90
    assert set(names) <= own <= set(CATALOGUE)
    assert 3 * len(mostly & set(names)) > 2 * len(mostly)


def test_a_healthy_stack_shows_no_symptom(redis: RedisServer, tmp_path: Path) -> None:
    """Not one of the symptoms is there without its defect."""

    async def look() -> list[str]:
        async with running(settings(redis, tmp_path, "B", heartbeat_s=0.5), redis) as stack:
            return [name for group in (*GROUPS, STREAMS) for name, shows in group.items() if await shows(stack)]

    assert asyncio.run(look()) == []


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: next(iter(group)))
def test_each_defect_shows(group: dict[str, Symptom], redis: RedisServer, tmp_path: Path) -> None:
    """A stack with these defects shows every one of them."""

    async def look() -> list[str]:
        async with running(settings(redis, tmp_path, "B", heartbeat_s=0.5), redis, *group) as stack:
            return [name for name, shows in group.items() if not await shows(stack)]

    assert asyncio.run(look()) == []


async def shows_alone(name: str, shows: Symptom, redis: RedisServer, folder: Path, token_delay_s: float) -> bool:
    """Whether a stack with this one defect, or with none where it is called healthy, shows a symptom."""
    defects = [name] if name in CATALOGUE else []
    chosen = settings(redis, folder / name, "B", heartbeat_s=0.5, token_delay_s=token_delay_s)
    async with running(chosen, redis, *defects) as stack:
        return await shows(stack)


def test_each_broken_stream_shows(redis: RedisServer, tmp_path: Path) -> None:
    """Each defect of streams that stands alone shows in its stack; they run side by side."""

    async def look() -> list[bool]:
        return await asyncio.gather(*(shows_alone(*pair, redis, tmp_path, 0.001) for pair in STREAMS.items()))

    assert [name for name, shown in zip(STREAMS, asyncio.run(look()), strict=True) if not shown] == []


def test_what_a_leaving_reader_leaves_behind(redis: RedisServer, tmp_path: Path) -> None:
    """A healthy stack stops and forgets when the reader leaves; one with a defect goes on, or keeps the session."""
    healthy = {"healthy": generates_on, "healthy too": session_left}

    async def look() -> list[bool]:
        pairs = (LEAVING | healthy).items()
        return await asyncio.gather(*(shows_alone(*pair, redis, tmp_path, 0.03) for pair in pairs))

    assert asyncio.run(look()) == [True, True, True, False, False]
