"""Questions to servers that speak OpenAI's dialect."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.context import observe
from tests.scripted import Line, ReceivedRequest, Scripted, scripted
from xnai_validate.kit import Observed, Target

ANSWER = "The circuit opens after three failures."
SOURCES: list[Any] = [{"source": {"name": "guide.md"}}]


async def answer(request: ReceivedRequest, line: Line) -> bool:
    """Chat completions with sources beside the choices, as Open WebUI has them."""
    if request.path != "/v1/chat/completions":
        await line.send(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")
        return True
    if json.loads(request.body).get("stream"):
        deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
        deltas += [{"content": f"{word} "} for word in ANSWER.split(" ")]
        chunks: list[Any] = [{"choices": [{"delta": delta}]} for delta in deltas]
        events = [{"sources": SOURCES}, *chunks]
        body = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events) + b"data: [DONE]\n\n"
        kind = b"text/event-stream"
    else:
        message = {"role": "assistant", "content": ANSWER}
        body = json.dumps({"choices": [{"message": message}], "sources": SOURCES}).encode()
        kind = b"application/json"
    await line.send(b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b" % (kind, len(body), body))
    return True


def ask(server: Scripted, kind: str, **with_: Any) -> Observed:
    target = Target("api", server.url())
    return observe(kind, target, question="When?", dialect="openai", model="llama", **with_)


def test_answers_are_consistent_by_both_ways() -> None:
    """The question goes to the model as a message of the user, whole and as a stream, and text and sources agree."""
    with scripted(answer) as server:
        observed = ask(server, "rag.consistency")
        bodies = [json.loads(request.body) for request in server.requests]
    assert observed.held, observed.findings  # by the default rules: a server that counts no tokens is not wrong
    assert (observed.facts["answers"], observed.facts["distinct_sources"]) == (4, 1)
    assert [body.get("stream", False) for body in bodies] == [False, True, False, True]
    assert all(body["model"] == "llama" and body["temperature"] == 0 for body in bodies)
    assert all(body["messages"] == [{"role": "user", "content": "When?"}] for body in bodies)


@pytest.mark.parametrize(
    "cited",
    [
        {"reference": [{"document_name": "guide.md", "content": "x"}]},
        {"reference": {"chunks": [{"document_name": "guide.md"}], "total": 1}},
        {"context": {"citations": [{"title": "guide.md", "content": "x"}]}},
    ],
)
def test_sources_in_the_message_are_read(cited: dict[str, Any]) -> None:
    """RAGFlow's reference and Azure's citations stand in the message, where an answer is not streamed."""

    async def whole(request: ReceivedRequest, line: Line) -> bool:
        message = {"role": "assistant", "content": ANSWER, **cited}
        body = json.dumps({"choices": [{"message": message}]}).encode()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        await line.send(head + body)
        return True

    with scripted(whole) as server:
        observed = ask(server, "rag.grounding", by="query", cited=["guide.md"])
    assert observed.facts["sources"] == ["guide.md"]
    assert observed.facts["missing_sources"] == []


@pytest.mark.parametrize("by", ["query", "stream"])
def test_an_answer_is_grounded_in_its_source(by: str) -> None:
    """Grounding reads the text and the names of the sources by either way."""
    with scripted(answer) as server:
        observed = ask(server, "rag.grounding", by=by, document="Circuits open after three failures.")
    assert observed.facts["answer"].strip() == ANSWER
    assert observed.facts["sources"] == ["guide.md"]
    assert observed.facts["support_ratio"] == 1
