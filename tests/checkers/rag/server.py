"""A question endpoint that answers well or in one wrong way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.context import observe
from tests.scripted import Line, ReceivedRequest, scripted
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
