"""Errors: one envelope, whatever went wrong."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.demo.api.running import RedisServer, Running, running, serve, settings
from xnai_validate.demo.api import app as api
from xnai_validate.demo.api.http.errors import own_category

FIELDS = {
    "error_code",
    "message",
    "category",
    "http_status",
    "timestamp",
    "details",
    "recovery_suggestion",
    "request_id",
}
INVALID = {
    "empty": b'{"query": ""}',
    "missing": b"{}",
    "too long": b'{"query": "' + b"x" * 2001 + b'"}',
    "not JSON": b"{query",
    "not UTF-8": b'{"query": "\xff"}',
    "half a surrogate pair": b'{"query": "\\ud800"}',
    "wrong type": b'{"query": 7}',
    "too many tokens": b'{"query": "x", "max_tokens": 2049}',
    "far too large": b'{"query": "' + b"x" * 400_000 + b'"}',
    "a list": b"[]",
}


def envelope(answer: httpx.Response, status: int, category: str, code: str) -> dict[str, Any]:
    """Hold the answer to the promises of the envelope."""
    body: dict[str, Any] = answer.json()
    assert answer.status_code == status
    assert set(body) == FIELDS
    assert (body["http_status"], body["category"], body["error_code"]) == (status, category, code)
    assert body["request_id"] == answer.headers["x-request-id"]
    assert datetime.fromisoformat(body["timestamp"]).utcoffset() == timedelta(0)
    assert body["timestamp"].endswith("Z")
    assert body["message"]
    assert body["recovery_suggestion"]
    assert not re.search(r"Traceback|File \"|/[a-z]+/[a-z]+|Error\b", body["message"])
    return body


@pytest.mark.parametrize("path", ["/query", "/stream"])
def test_invalid_requests_are_400(path: str, redis: RedisServer, tmp_path: Path) -> None:
    """Whatever is wrong with a request, the answer is the 400 envelope, and the model is not asked."""

    async def ask() -> None:
        async with running(settings(redis, tmp_path), redis) as stack:
            for content in INVALID.values():
                answer = await stack.client.post(path, content=content, headers={"Content-Type": "application/json"})
                body = envelope(answer, 400, "validation", "validation_validation")
                assert re.fullmatch(r"req_[0-9a-f-]{36}", body["request_id"])
            assert (await stack.model())["prompt_tokens_total"] == 0
            counted = await stack.metrics()
            assert counted['xnai_errors_total{component="api",error_type="validation"}'] == len(INVALID)
            assert stack.breaker("rag_api")["total_calls"] == 0

    asyncio.run(ask())


def test_unknown_paths_and_methods(redis: RedisServer, tmp_path: Path) -> None:
    """404 and 405 come in the envelope too; 405 lists the allowed methods; a client's request id is not taken over."""

    async def ask() -> None:
        async with running(settings(redis, tmp_path, "B"), redis) as stack:
            envelope(await stack.client.get("/nowhere"), 404, "not_found", "not_found_404")
            envelope(await stack.root.get("/health"), 404, "not_found", "not_found_404")
            answer = await stack.client.get("/query", headers={"X-Request-ID": "from-the-gateway-7"})
            body = envelope(answer, 405, "method_not_allowed", "method_not_allowed_405")
            assert str(body["request_id"]).startswith("req_")
            assert answer.headers["allow"] == "POST"

    asyncio.run(ask())


def test_an_unexpected_exception_is_500_without_its_text(redis: RedisServer, tmp_path: Path) -> None:
    """An unexpected exception is answered with internal_error; its text stays in the log."""

    async def ask() -> None:
        chosen = settings(redis, tmp_path)
        app = api.create(chosen)
        assert isinstance(app, FastAPI)

        @app.get("/boom")
        async def boom() -> None:
            raise RuntimeError("the secret of the house")

        serving = await serve(app, chosen.ports["api"])
        async with httpx.AsyncClient(base_url=chosen.url("api")) as client:
            answer = await client.get("/boom")
            envelope(answer, 500, "internal_error", "internal_error")
            assert "secret" not in answer.text
        await serving.stop()

    asyncio.run(ask())


def test_an_open_breaker_answers_503_with_retry_after(redis: RedisServer, tmp_path: Path) -> None:
    """Without a model three calls fail with 500, then all are refused with 503, streams included, until it is back."""

    async def ask_all(stack: Running) -> None:
        await stack.stop("llm")
        for _ in range(3):
            answer = await stack.client.post("/query", json={"query": "What is Xoe-NovAi?"})
            envelope(answer, 500, *own_category("model_error"))
        for path in ("/query", "/stream"):
            answer = await stack.client.post(path, json={"query": "What is Xoe-NovAi?"})
            body = envelope(answer, 503, *own_category("circuit_open"))
            assert body["details"]["service_name"] == "rag_api"
            assert 1 <= int(answer.headers["retry-after"]) <= 2
        assert (await stack.metrics())['xnai_circuit_breaker_state{name="rag_api"}'] == 1
        health = (await stack.client.get("/health")).json()
        assert health["components"]["circuit_breakers_healthy"] is False
        await stack.start("llm")
        await asyncio.sleep(stack.settings.times.breaker_recovery_s["rag_api"])
        for _ in range(3):
            answer = await stack.client.post("/query", json={"query": "What is Xoe-NovAi?"})
            assert answer.status_code == 200
        assert stack.breaker("rag_api")["state"] == "closed"

    async def ask() -> None:
        recovery = {"rag_api": 0.5, "redis_cache": 0.5, "voice_stt": 1.0, "voice_tts": 1.0, "voice_processing": 1.0}
        async with running(settings(redis, tmp_path, breaker_recovery_s=recovery), redis) as stack:
            await ask_all(stack)

    asyncio.run(ask())


def test_a_model_that_is_too_slow_is_504_and_counts(redis: RedisServer, tmp_path: Path) -> None:
    """A call beyond the time limit is answered with timeout, counts as a failure, and stops the generation."""

    async def ask() -> None:
        async with running(settings(redis, tmp_path, call_timeout_s=0.3, token_delay_s=1.0), redis) as stack:
            answer = await stack.client.post("/query", json={"query": "What is Xoe-NovAi?"})
            envelope(answer, 504, *own_category("timeout"))
            assert stack.breaker("rag_api")["failure_count"] == 1
            streamed = await stack.client.post("/stream", json={"query": "What is Xoe-NovAi?"})
            assert '"error": "The language model did not answer in time."' in streamed.text
            assert stack.breaker("rag_api")["failure_count"] == 2

    asyncio.run(ask())
