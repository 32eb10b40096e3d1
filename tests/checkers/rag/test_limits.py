"""Questions within and beyond the limits are accepted and refused as promised."""

from __future__ import annotations

import asyncio

import pytest

from tests.checkers.rag.server import seen, send
from tests.context import observe
from tests.scripted import Line, ReceivedRequest, scripted
from xnai_validate.kit import Target


def test_limits_are_held() -> None:
    """A server that keeps all limits has no violation under more than a hundred inputs."""
    found = seen("rag.limits")
    assert found.held, found.facts["violations"]
    assert found.facts["inputs"] > 100
    assert found.facts["accepted"] > 25
    assert found.facts["refused"] > 60


@pytest.mark.parametrize(
    ("wrong", "fact", "named"),
    [
        ("takes 2001", "wrongly_accepted", "a question of 2001 characters: 200"),
        ("bytes for characters", "wrongly_refused", "a question of 2000 characters, two bytes each: 400"),
        ("fails on deep bodies", "server_errors", "brackets nested 50 000 deep: 500"),
        ("422", "wrongly_refused", "no question: 422"),
        ("no envelope", "without_envelope", "null: 400, without error_code, message, category, http_status, "),
        ("contradicts", "without_envelope", "null: 400, but its http_status is 500"),
    ],
)
def test_each_violation_names_its_input(wrong: str, fact: str, named: str) -> None:
    """The list it belongs to has it, and so have the violations."""
    found = seen("rag.limits", wrong, groups=["lengths", "malformed"])
    assert not found.held
    assert any(text.startswith(named) for text in found.facts[fact]), found.facts[fact]
    assert any(text.startswith(named) for text in found.facts["violations"])


def test_a_model_that_runs_out_of_time_has_taken_the_number_of_tokens() -> None:
    """The most tokens may take longer than a call may: 504 shows that this number was accepted, and of no other."""

    async def script(request: ReceivedRequest, line: Line) -> bool:
        await send(line, 504, b"{}")
        return True

    with scripted(script) as server:
        found = observe("rag.limits", Target("api", server.url()), groups=["numbers"], max_tokens=2048)
    assert found.facts["accepted"] == 1
    assert "max_tokens of 2: 504" in found.facts["server_errors"]
    assert "max_tokens of 2048: 504" not in found.facts["violations"]


def test_a_server_that_hangs_or_hangs_up_is_reported() -> None:
    """An input without an answer is named with the reason."""

    async def script(request: ReceivedRequest, line: Line) -> bool:
        if b"max_tokens" in request.body:
            await asyncio.sleep(30)
        return False

    with scripted(script) as server:
        target = Target("api", server.url())
        found = observe("rag.limits", target, groups=["lengths"], timeout="0.3s", concurrent=8)
    assert len(found.facts["unanswered"]) == found.facts["inputs"] == 10
    assert found.facts["unanswered"][0].startswith("a question of 0 characters: timeout")
