"""`POST /stream`: one answer, an event a token, as server-sent events (WHATWG HTML, 9.2)."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import JsonValue

from xnai_validate.demo.api.answers.frames import Event, frames
from xnai_validate.demo.api.answers.turn import Turn, answering, token_limit
from xnai_validate.demo.api.failures import ModelError, ModelTimeout
from xnai_validate.demo.api.schemas import QueryRequest
from xnai_validate.demo.api.services import Services
from xnai_validate.demo.event_stream import EventStream
from xnai_validate.demo.seams import seam

_OPENED: Event = {}


def router(services: Services) -> APIRouter:
    """The endpoint, for one application."""
    routes = APIRouter()

    @routes.post(
        "/stream",
        summary="Answer a question token by token",
        status_code=200,
        response_class=EventStream,
        responses={200: {"description": "Events: sources, token, done or error.", "content": _EVENT_STREAM}},
    )
    async def stream(question: QueryRequest, request: Request) -> Response:
        """Answer a question as it is generated. When the reader leaves, the generation stops."""
        generator = events(services, question, request)
        # A request that is refused gets a status of its own, before the stream has begun.
        await anext(generator)
        return to_response(frames(services.settings, question, generator))

    return routes


_EVENT_STREAM: dict[str, JsonValue] = {
    "text/event-stream": {
        "schema": {
            "type": "string",
            "description": (
                'Frames `data: <json>`, each ended by an empty line: {"type":"sources","sources":[..]}, '
                '{"type":"token","content":".."}, {"type":"done","tokens":N,"latency_ms":x}, '
                '{"type":"error","error":".."}. Comments are heartbeats.'
            ),
        }
    }
}


@seam
def headers() -> dict[str, str]:
    """The header fields that keep proxies from caching a stream or holding it back."""
    return {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


@seam
def to_response(body: AsyncGenerator[bytes, None]) -> Response:
    """The response that carries the frames."""
    return EventStream(body, headers=headers())


@seam
async def events(services: Services, question: QueryRequest, request: Request) -> AsyncGenerator[Event, None]:
    """The events of one answer, after an empty one as soon as the question is accepted.

    Raises `CircuitOpen` before the first. A model that fails later ends the answer with an `error` event instead of
    `done`.
    """
    async with answering(services, "stream", question, request) as turn:
        try:
            async with services.breakers["rag_api"].call():
                yield _OPENED
                if turn.question.use_rag and len(services.index):
                    yield {"type": "sources", "sources": list(turn.sources)}
                async with aclosing(tokens_of(services, turn)) as tokens:
                    async for token in tokens:
                        turn.tokens += 1
                        turn.response += token
                        yield {"type": "token", "content": token}
        except (ModelError, ModelTimeout) as error:
            turn.status = 504 if isinstance(error, ModelTimeout) else 500
            services.metrics.failed("timeout" if turn.status == 504 else "model_error", "llm")
            yield {"type": "error", "error": failure_message(error)}
            return
        turn.status = 200
        elapsed_ms = turn.elapsed_ms
        count_answer(services, turn, elapsed_ms)
        yield {"type": "done", "tokens": turn.tokens, "latency_ms": round(elapsed_ms, 2)}


@seam
def tokens_of(services: Services, turn: Turn) -> AsyncGenerator[str, None]:
    """The tokens of the answer, as the model generates them."""
    return services.model.stream(turn.prompt, token_limit(turn))


@seam
def count_answer(services: Services, turn: Turn, elapsed_ms: float) -> None:
    """Move the counters of questions and tokens."""
    rate_tps = turn.tokens / elapsed_ms * 1000 if elapsed_ms else 0.0
    services.metrics.processed(turn.question.use_rag, turn.tokens, rate_tps)


@seam
def failure_message(error: ModelError | ModelTimeout) -> str:
    """The message of an `error` event: words for the reader, without details of the exception."""
    if isinstance(error, ModelTimeout):
        return "The language model did not answer in time."
    return "The language model could not answer."
