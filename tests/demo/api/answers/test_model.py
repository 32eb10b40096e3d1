"""Answers of the application when its model is absent, slow, silent or unreadable."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.demo.api.http.test_errors import envelope
from tests.demo.api.running import RedisServer, running, settings
from tests.demo.defects.symptoms import QUESTION, events_in
from xnai_validate.demo.api.http.errors import own_category

CASES: dict[str, tuple[int, str, str]] = {
    "absent": (500, "model_error", "The language model could not answer."),
    "slow": (504, "timeout", "The language model did not answer in time."),
    "model-empty-answer": (500, "model_error", "The language model could not answer."),
    "model-invalid-utf8": (500, "model_error", "The language model could not answer."),
    "model-generation-fails": (500, "model_error", "The language model could not answer."),
}


@pytest.mark.parametrize("case", CASES)
def test_a_failure_of_the_model_is_reported_as_one(case: str, redis: RedisServer, tmp_path: Path) -> None:
    """A query gets the envelope of the failure's category; a stream ends with an error event, in the same words."""
    status, category, words = CASES[case]
    defects = [case] if case.startswith("model-") else []
    slow = {"call_timeout_s": 0.3, "token_delay_s": 1.0} if case == "slow" else {}

    async def ask() -> tuple[str, str]:
        async with running(settings(redis, tmp_path, "B", **slow), redis, *defects) as stack:
            if case == "absent":
                await stack.stop("llm")
            answer = await stack.client.post("/query", json=QUESTION)
            message = envelope(answer, status, *own_category(category))["message"]
            stream = await stack.client.post("/stream", json=QUESTION)
            assert stream.status_code == 200
            events = events_in(stream.text)
            assert [event["type"] for event in events if event["type"] != "sources"] == ["error"]
            assert "\ufffd" not in json.dumps(events, ensure_ascii=False)
            return str(message), str(events[-1]["error"])

    assert asyncio.run(ask()) == (words, words)
