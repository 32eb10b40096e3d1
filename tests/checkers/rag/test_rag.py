"""Answers from documents, held to a small server that answers well or in one wrong way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.context import observe
from tests.scripted import Line, ReceivedRequest, scripted
from xnai_validate.checkers.rag._inputs import inputs
from xnai_validate.checkers.rag._models import LimitsParams
from xnai_validate.checkers.rag._support import content_words, support
from xnai_validate.checkers.rag.consistency import ConsistencyParams
from xnai_validate.kit import Observed, Target

DOCUMENT = "Circuits open after three failures. The vectors of retrieval have 384 dimensions each."
ANSWER = "The circuit opens after three failures. Retrieval vectors have 384 dimensions."
ENVELOPE = {
    "error_code": "validation_validation",
    "message": "no",
    "category": "validation",
    "http_status": 400,
    "timestamp": "",
    "details": {},
    "recovery_suggestion": "",
    "request_id": "",
}


class Rag:
    """A question endpoint; `wrong` is what it does wrong."""

    def __init__(self, wrong: str = "") -> None:
        self.wrong = wrong
        self.number = 0

    async def script(self, request: ReceivedRequest, line: Line) -> bool:
        self.number += 1
        if request.path.endswith("/stream"):
            await self._stream(line)
        else:
            status, body = self._query(request)
            await send(line, status, json.dumps(body).encode())
        return True

    def _query(self, request: ReceivedRequest) -> tuple[int, Any]:
        try:
            body = json.loads(request.body.decode("utf-8"))
            bad = self._refuses(body) or "form" in request.headers.get("content-type", "")
        except (ValueError, RecursionError) as error:
            broken = self.wrong == "fails on deep bodies" and isinstance(error, RecursionError)
            return (500 if broken else 400), ENVELOPE
        if self.wrong == "bytes for characters":
            bad = bad or len(str(body["query"]).encode()) > 2000
        if bad:
            return (422, ENVELOPE) if self.wrong == "422" else (400, self._envelope())
        return 200, self._answer()

    def _envelope(self) -> Any:
        if self.wrong == "no envelope":
            return {"detail": "no"}
        return ENVELOPE | ({"http_status": 500} if self.wrong == "contradicts" else {})

    def _refuses(self, body: Any) -> bool:
        if not isinstance(body, dict) or not isinstance(body.get("query"), str):
            return True
        if self.wrong == "takes 2001" and len(body["query"]) == 2001:
            return False
        known: dict[str, Any] = {"use_rag": bool, "max_tokens": int, "temperature": (int, float), "top_p": (int, float)}
        if any(name in body and not isinstance(body[name], kind) for name, kind in known.items()):
            return True
        ranges = {"max_tokens": (1, 2048), "temperature": (0, 2), "top_p": (0, 1)}
        inside = all(low <= body.get(name, low) <= high for name, (low, high) in ranges.items())
        return not (0 < len(body["query"]) <= 2000 and inside)

    def _answer(self) -> dict[str, Any]:
        text = {"another answer": "It rains in the mountains and nothing is known of it.", "no answer": ""}
        response = text.get(self.wrong, ANSWER) + (f" {self.number}" if self.wrong == "changing" else "")
        sources = ["other.md"] if self.wrong == "another source" else ["guide.md"]
        return {
            "response": response,
            "sources": sources * (2 if self.wrong == "sources twice" else 1),
            "tokens_generated": 4 if self.wrong == "counts less" else 9,
            "duration_ms": 60_000.0 if self.wrong == "slower than time" else 0.01,
        }

    async def _stream(self, line: Line) -> None:
        words = ANSWER.replace("384", "768" if self.wrong == "streams another" else "384").split(" ")
        sources = ["x.md"] if self.wrong == "streams other sources" else ["guide.md"]
        events: list[Any] = [{"type": "sources", "sources": sources}]
        events += [{"type": "token", "content": word if not at else f" {word}"} for at, word in enumerate(words)]
        events.append({"type": "done", "tokens": 99 if self.wrong == "miscounts" else len(words), "latency_ms": 0.01})
        body = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)
        await send(line, 200, body, "text/event-stream")


async def send(line: Line, status: int, body: bytes, kind: str = "application/json") -> None:
    head = f"HTTP/1.1 {status} Said\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    await line.send(head.encode() + body)


@contextmanager
def serving(wrong: str = "") -> Iterator[Target]:
    with scripted(Rag(wrong).script) as server:
        yield Target("api", server.url())


def seen(kind: str, wrong: str = "", **with_: Any) -> Observed:
    with serving(wrong) as target:
        return observe(kind, target, **with_)


GROUNDING: dict[str, Any] = {"question": "When?", "cited": ["guide.md"], "document": DOCUMENT}
RATIO = {"support_ratio": {"min": 0.9}}


@pytest.mark.parametrize("by", ["query", "stream"])
def test_an_answer_from_its_document_is_grounded(by: str) -> None:
    """Both ways give the answer, its sources, and every statement as supported."""
    found = seen("rag.grounding", by=by, expect=RATIO, **GROUNDING)
    assert found.held, found.findings
    facts = found.facts
    assert (facts["answer"], facts["sources"], facts["other_sources"]) == (ANSWER, ["guide.md"], [])
    assert (facts["statements"], facts["supported"], facts["support_ratio"]) == (2, 2, 1.0)


@pytest.mark.parametrize(
    ("wrong", "broken"),
    [
        ("another answer", {"support_ratio"}),
        ("another source", {"missing_sources"}),
        ("sources twice", {"repeated_sources"}),
        ("no answer", {"failed", "support_ratio"}),
    ],
)
def test_an_answer_from_elsewhere_is_not_grounded(wrong: str, broken: set[str]) -> None:
    """Each way of being wrong breaks the rule that is about it, and no other."""
    found = seen("rag.grounding", wrong, expect=RATIO, **GROUNDING)
    assert {finding.fact for finding in found.findings if not finding.held} == broken


def test_without_a_document_nothing_is_claimed_of_statements() -> None:
    """No document, no measure: the facts about statements are null."""
    found = seen("rag.grounding", question="When?")
    assert found.held
    assert [found.facts[name] for name in ("statements", "supported", "support_ratio", "unsupported")] == [None] * 4


def test_the_path_of_the_answer_can_be_set() -> None:
    """Another API, another place: any JSONPath; a path that leads nowhere is reported."""
    assert seen("rag.grounding", question="When?", answer_path="$.sources[0]").facts["answer"] == "guide.md"
    assert seen("rag.grounding", question="When?", answer_path="$.none").facts["failed"] == "there is no text at $.none"


def test_a_service_that_is_away_fails_the_measurement_in_words() -> None:
    """No server listens: the reason is that."""
    found = observe("rag.grounding", Target("api", "http://127.0.0.1:1"), question="When?")
    assert "refused" in found.facts["failed"]


def test_the_measure_of_support_is_the_one_described() -> None:
    """Words of four characters or with a digit, by their first six; three for a statement; 60 % for support."""
    assert list(content_words("The circuits of A4 are 日本語")) == ["circui", "a4", "日本", "本語"]
    held = support("Circuits close slowly. Circuit failures: three. Yes. It is.", DOCUMENT, 0.6)
    assert (held.statements, held.unsupported) == (
        ("Circuits close slowly.", "Circuit failures: three."),
        ("Circuits close slowly.",),
    )
    assert support("Yes. No.", DOCUMENT, 0.6).ratio is None


@given(st.text(max_size=300), st.text(max_size=300))
def test_support_is_a_share_for_any_text(answer: str, document: str) -> None:
    """Between 0 and 1 or nothing; a document supports itself."""
    ratio = support(answer, document, 0.6).ratio
    assert ratio is None or 0 <= ratio <= 1
    assert support(document, document, 1.0).ratio in (None, 1.0)


def test_the_same_answer_by_every_way_is_consistent() -> None:
    """Twice by each way: one answer, one set of sources, tokens counted, no time longer than it took."""
    found = seen("rag.consistency", question="When?", times=3, expect={"query_token_difference": {"max": 3}})
    assert found.held, found.findings
    assert (found.facts["answers"], found.facts["server_excess_ms"]) == (6, 0.0)


@pytest.mark.parametrize(
    ("wrong", "broken"),
    [
        ("changing", {"distinct_answers"}),
        ("streams another", {"distinct_answers"}),
        ("streams other sources", {"distinct_sources"}),
        ("miscounts", {"token_count_difference"}),
        ("slower than time", {"server_excess_ms"}),
        ("counts less", {"query_token_difference"}),
        ("no answer", {"failed"}),
    ],
)
def test_each_difference_is_found(wrong: str, broken: set[str]) -> None:
    """Each way of being inconsistent breaks the rule that is about it, and no other."""
    found = seen("rag.consistency", wrong, question="When?", expect={"query_token_difference": {"max": 3}})
    assert {finding.fact for finding in found.findings if not finding.held} == broken


def test_the_first_difference_is_quoted() -> None:
    """Both answers, where they part."""
    found = seen("rag.consistency", "streams another", question="When?")
    assert "query 1 has" in found.facts["first_difference"]
    assert "768" in found.facts["first_difference"]


def test_a_question_is_sent_at_temperature_zero_by_default() -> None:
    """The requests are spelled out in the params, with the options in their bodies."""
    params = ConsistencyParams.model_validate({"question": "When?"})
    assert params.query.with_["json"] == {"query": "When?", "temperature": 0}
    other = {"question": "When?", "options": {"max_tokens": 3}, "query": {"kind": "http.request"}}
    params = ConsistencyParams.model_validate(other)
    assert (params.query.with_, params.stream.with_["json"]) == ({}, {"query": "When?", "max_tokens": 3})
    for bad in ({}, {"question": ""}, {"question": "a", "options": 3}, {"question": "a", "answer_path": "$.["}):
        with pytest.raises(ValidationError):
            ConsistencyParams.model_validate(bad)


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


def test_a_group_runs_alone_and_inputs_have_unique_names() -> None:
    """No two inputs have the same name, there are 38 malformed bodies, and a group has only its own inputs."""
    every = list(inputs(LimitsParams()))
    assert len({lie.name for lie in every}) == len(every)
    assert len(list(inputs(LimitsParams(groups=["malformed"])))) == 38
    assert seen("rag.limits", groups=["numbers"]).facts["inputs"] == 8 + 8 + 8


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
