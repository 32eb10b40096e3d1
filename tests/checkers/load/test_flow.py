"""`load.flow` against a scripted model server: what each turn sends, what is counted of it, and every end."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.context import observe
from tests.scripted import Line, ReceivedRequest, Scripted, scripted
from xnai_validate.kit import Observed, Target
from xnai_validate.model.source_location import InvalidConfig

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
PAUSE_S = 0.1


def turn(name: str, *messages: tuple[str, str], **more: Any) -> dict[str, Any]:
    """A step that sends messages and captures the answer under its own name."""
    body = {"stream": True, "messages": [{"role": role, "content": text} for role, text in messages]}
    with_ = {"path": "/v1/chat/completions", "json": body}
    return {"name": name, "kind": "sse.stream", "with": with_, "capture": {name: {"fact": "text"}}, **more}


FIRST = turn("first", ("user", "one {{uuid}}"))
SECOND = turn("second", ("user", "one {{uuid}}"), ("assistant", "{{first}}"), ("user", "two"))


def conversations(server: Scripted, *steps: dict[str, Any], think: str = "0s", **with_: Any) -> Observed:
    """A load of conversations of these steps, with the rules of the kind."""
    flow = {"kind": "flow.steps", "with": {"steps": list(steps), "think": think}}
    return observe("load.flow", Target("llm", server.url()), timeout_s=30.0, flow=flow, **with_)


def messages_of(request: ReceivedRequest) -> list[str]:
    """The texts that a request has sent."""
    return [message["content"] for message in json.loads(request.body)["messages"]]


async def answer(request: ReceivedRequest, line: Line) -> bool:
    """Answer with the question, in two tokens with a pause between them."""
    question = messages_of(request)[-1]
    await line.send(HEAD)
    for piece in ("answer to ", question):
        await line.send(f"data: {json.dumps({'choices': [{'delta': {'content': piece}}]})}\n\n".encode())
        await asyncio.sleep(PAUSE_S)
    await line.send(b"data: [DONE]\n\n")
    return False


def test_each_turn_sends_the_answers_before_it() -> None:
    """Users are at work at the same time, and each sends the answers of its own conversation; turns are timed apart."""
    with scripted(answer) as server:
        facts = conversations(server, FIRST, SECOND, callers=3, **{"for": "500ms"}).facts
        turns = [messages_of(request) for request in server.requests]
    firsts = [texts[0] for texts in turns if len(texts) == 1]
    seconds = [texts for texts in turns if len(texts) == 3]
    assert len(set(firsts)) == len(firsts) == len(seconds) >= 3
    assert all(texts[1] == f"answer to {texts[0]}" for texts in seconds)
    assert {texts[0] for texts in seconds} == set(firsts)
    assert facts["completed_count"] == facts["sent_count"] == len(firsts)
    assert facts["step_counts"] == {"first": len(firsts), "second": len(seconds)}
    assert facts["step_errors"] == {}
    for name in ("first", "second"):
        assert facts["step_first_token_p50_ms"][name] < facts["step_p50_ms"][name]
        assert facts["step_gap_p50_ms"][name] >= PAUSE_S * 1000 * 0.9
        assert facts["step_p50_ms"][name] >= 2 * PAUSE_S * 1000 * 0.9
    assert facts["p50_ms"] >= sum(facts["step_p50_ms"].values()) * 0.95


def test_think_time_lies_between_turns() -> None:
    """It is part of the conversation, and of no turn."""
    with scripted(answer) as server:
        facts = conversations(server, FIRST, SECOND, think="400ms", callers=1, **{"for": "100ms"}).facts
    assert facts["step_counts"] == {"first": 1, "second": 1}
    assert facts["p50_ms"] >= sum(facts["step_p50_ms"].values()) + 390


def test_conversations_by_a_schedule() -> None:
    """They begin at their times, whether or not those before are over."""
    with scripted(answer) as server:
        facts = conversations(server, FIRST, arrivals={"rate": 20}, **{"for": "500ms"}).facts
    assert facts["planned_count"] == facts["completed_count"] == 10
    assert facts["statuses"] == {"completed": 10}


def test_a_turn_that_does_not_hold_ends_its_conversation() -> None:
    """It is an error under the name of the turn, with its reason, and no later turn is made."""

    async def refuse_second(request: ReceivedRequest, line: Line) -> bool:
        if len(messages_of(request)) == 1:
            return await answer(request, line)
        await line.send(b"HTTP/1.1 429 Too Many\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        return False

    third = turn("third", ("user", "{{second}}"))
    with scripted(refuse_second) as server:
        facts = conversations(
            server, FIRST, SECOND, third, arrivals={"rate": 10}, stop_at=None, **{"for": "300ms"}
        ).facts
    assert facts["error_count"] == facts["sent_count"] == 3
    assert facts["error_kinds"] == {"step second": 3}
    assert "status expected 200, got 429" in facts["error_detail"]
    assert facts["step_counts"] == {"first": 3, "second": 3}
    assert facts["step_errors"] == {"second": 3}


def test_a_conversation_that_hangs_is_a_timeout() -> None:
    """Its connections are closed when its time is over."""
    gone = asyncio.Event()

    async def hang(request: ReceivedRequest, line: Line) -> bool:
        await line.send(HEAD)
        await line.reader.read()
        gone.set()
        return False

    with scripted(hang) as server:
        facts = conversations(server, FIRST, arrivals={"rate": 5}, timeout="300ms", **{"for": "200ms"}).facts
    assert facts["error_kinds"] == {"timeout": 1}
    assert gone.is_set()


def test_only_a_flow_is_a_conversation() -> None:
    """Another kind is refused at load, and so is an error within the steps."""
    target = Target("llm", "http://127.0.0.1:1")
    with pytest.raises(InvalidConfig, match=r"flow must be of the kind flow\.steps"):
        observe("load.flow", target, callers=1, flow={"kind": "http.request"})
    with pytest.raises(InvalidConfig, match="which no earlier step captures"):
        observe("load.flow", target, callers=1, flow={"kind": "flow.steps", "with": {"steps": [SECOND]}})
    flow = {"kind": "flow.steps", "with": {"steps": [FIRST], "think": "2s", "think_to": "1s"}}
    with pytest.raises(InvalidConfig, match="think_to must not be less than think"):
        observe("load.flow", target, callers=1, flow=flow)
