"""What servers report of tokens themselves, and streams that are cancelled."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.checkers.streaming import DONE, SOURCES, TOKEN, WHOLE, plays
from tests.context import observe
from tests.scripted import scripted
from xnai_validate.checkers.load._streams.usage import Usage, usage_of
from xnai_validate.kit import Target


def chunk(**fields: Any) -> bytes:
    """An OpenAI-like chunk."""
    return f"data: {json.dumps({'object': 'chat.completion.chunk', **fields})}\n\n".encode()


def load(*script: bytes | float, **with_: Any) -> dict[str, Any]:
    """The facts of ten streams in half a second."""
    with scripted(plays(*script)) as server:
        with_ = {"arrivals": {"rate": 20}, "for": "500ms", **with_}
        return dict(observe("load.sse", Target("api", server.url()), **with_).facts)


@pytest.mark.parametrize(
    ("document", "usage"),
    [
        ({"choices": [], "usage": {"prompt_tokens": 8, "completion_tokens": 20}}, Usage(8, 20)),
        ({"choices": [{"delta": {}}], "usage": None}, None),
        ({"type": "message_start", "message": {"usage": {"input_tokens": 25, "output_tokens": 1}}}, Usage(25, 1)),
        ({"type": "message_delta", "usage": {"output_tokens": 15}}, Usage(None, 15)),
        ({"done": True, "prompt_eval_count": 26, "eval_count": 290}, Usage(26, 290)),
        ({"message": {"content": "Hi"}, "done": False}, None),
        ({"usage": {"completion_tokens": True, "prompt_tokens": -1}}, Usage(None, None)),
        ({"usage": "much"}, None),
        ({"type": "token", "content": "Hi"}, None),
    ],
)
def test_usage_is_read_in_the_forms_of_the_field(document: dict[str, Any], usage: Usage | None) -> None:
    """OpenAI's, Anthropic's and Ollama's; what is no number is none."""
    assert usage_of(document) == usage


def test_reported_tokens_are_compared_with_those_that_came() -> None:
    """Two events with text where the server reports four tokens: half of them were counted."""
    text = [chunk(choices=[{"index": 0, "delta": {"content": "Hello "}}])] * 2
    last = chunk(choices=[], usage={"prompt_tokens": 8, "completion_tokens": 4, "total_tokens": 12})
    end = chunk(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
    facts = load(*text, end, last, b"data: [DONE]\n\n")
    assert (facts["completed_count"], facts["tokens"], facts["usage_count"]) == (10, 20, 10)
    assert (facts["reported_tokens"], facts["reported_prompt_tokens"], facts["counted_ratio"]) == (40, 80, 0.5)


def test_servers_that_report_no_usage_have_none() -> None:
    """Null, not 0."""
    facts = load(*WHOLE)
    assert (facts["usage_count"], facts["reported_tokens"], facts["counted_ratio"]) == (0, None, None)


def test_cancelled_streams_are_neither_answers_nor_errors() -> None:
    """All are left after 0.1 s of 30 s: the load ends soon, without an error, and nothing of them is good or bad."""
    facts = load(SOURCES, TOKEN, 30.0, DONE, cancel={"share": 1, "after": "100ms"}, objectives={"total_ms": 100})
    assert (facts["sent_count"], facts["cancelled_count"]) == (10, 10)
    assert (facts["completed_count"], facts["error_count"], facts["error_ratio"]) == (0, 0, None)
    assert (facts["good_count"], facts["good_ratio"]) == (0, None)
    assert facts["tokens"] == 10
    assert facts["elapsed_ms"] < 10_000


def test_a_share_of_the_streams_is_cancelled_and_the_others_go_on() -> None:
    """By the seed: the same number each time, about the share; a stream that ended before is not cancelled."""
    script = (SOURCES, TOKEN, 0.4, TOKEN, DONE)
    with_ = {"arrivals": {"rate": 40}, "for": "1s", "cancel": {"share": 0.25, "after": "150ms", "seed": 4}}
    first, second = load(*script, **with_), load(*script, **with_)
    assert first["cancelled_count"] == second["cancelled_count"]
    assert 4 <= first["cancelled_count"] <= 18
    assert first["completed_count"] + first["cancelled_count"] == 40
    assert first["error_count"] == 0
    assert load(*WHOLE, cancel={"share": 1, "after": "10s"})["cancelled_count"] == 0


def test_virtual_users_that_leave_come_again() -> None:
    """A cancelled stream of a closed loop is followed by the next one."""
    facts = load(SOURCES, TOKEN, 30.0, DONE, arrivals=None, callers=2, cancel={"share": 1, "after": "100ms"})
    assert facts["cancelled_count"] == facts["sent_count"] >= 4
