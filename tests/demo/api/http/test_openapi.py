"""The OpenAPI document is valid, and live answers conform to it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from tests.demo.api.running import RedisServer, running, settings
from xnai_validate.demo.settings import Layout

CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "/health", {}),
    ("POST", "/query", {"json": {"query": "What is Xoe-NovAi?"}}),
    ("POST", "/query", {"json": {"query": ""}}),
    ("POST", "/stream", {"json": {"query": ""}}),
    ("POST", "/stream", {"json": {"query": "What is Xoe-NovAi?"}}),
    ("GET", "/query", {}),
]
CALLS_B: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "/ws/stats", {}),
    ("GET", "/docs/search", {"params": {"query": "redis"}}),
    ("GET", "/docs/search", {"params": {}}),
    ("GET", "/docs/concepts", {}),
]


def conforms(document: dict[str, Any], path: str, method: str, answer: httpx.Response) -> None:
    """The answer has a declared status, media type and shape."""
    operations = document["paths"][path]
    operation = operations.get(method.lower()) or next(iter(operations.values()))
    responses = operation["responses"]
    declared = responses.get(str(answer.status_code)) or responses["default"]
    media_type = answer.headers["content-type"].partition(";")[0]
    schema = declared["content"][media_type]["schema"]
    if media_type == "application/json":
        Draft202012Validator({**document, **schema}).validate(answer.json())
    for header in declared["headers"]:
        assert header in answer.headers


@pytest.mark.parametrize("layout", ["A", "B"])
def test_answers_conform(layout: Layout, redis: RedisServer, tmp_path: Path) -> None:
    """Every operation is declared under its path, without 422, and answers as declared."""

    async def ask() -> None:
        async with running(settings(redis, tmp_path, layout), redis) as stack:
            document = (await stack.root.get("/openapi.json")).json()
            validate(document)
            prefix = "" if layout == "A" else "/xnai/api/v1"
            for method, path, arguments in CALLS + (CALLS_B if layout == "B" else []):
                answer = await stack.client.request(method, path, **arguments)
                conforms(document, prefix + path, method, answer)
            assert "422" not in str(document["paths"])
            assert "HTTPValidationError" not in str(document)
            for page in ("/docs", "/redoc"):
                assert (await stack.root.get(page)).headers["content-type"] == "text/html; charset=utf-8"

    asyncio.run(ask())
