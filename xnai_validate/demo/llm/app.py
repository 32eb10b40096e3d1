"""The model server: completions, one event a token, and embeddings, over HTTP.

`POST /completion` `{prompt, n_predict, stream}` answers `{content, tokens, stop, tokens_predicted, model}`, or with
`stream` one event a token, `data: {"content": " word", "stop": false}`, and a last one with `stop: true` and the
counts. `POST /embedding` `{content}` answers `{embedding: [..]}`. `GET /health`, `GET /props` (model, embedding
dimensions), `GET /stats` (requests, tokens_generated, cancelled, active). A caller that disconnects stops its
generation, which counts as cancelled.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress

from pydantic import BaseModel, Field, ValidationError
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from xnai_validate.demo.event_stream import EventStream, HeedlessEventStream
from xnai_validate.demo.llm.counters import Counters
from xnai_validate.demo.llm.embedding import DIMENSIONS, embed
from xnai_validate.demo.llm.extract import answer
from xnai_validate.demo.settings import Settings

MODEL = "xnai-extract-1"
_BODY_LIMIT_BYTES = 1 << 20
_BROKEN = b'{"content": " caf\xe9", "stop": false, "tokens_predicted": 1}'
"""A completion in Latin-1, which is not UTF-8."""
_ORDER = re.compile(r"ignore (?:all |your |the |previous )*instructions", re.IGNORECASE)


class Completion(BaseModel):
    """What a completion is asked for."""

    prompt: str = Field(max_length=200_000)
    n_predict: int = Field(default=128, ge=1, le=4096)
    stream: bool = False


class Embedding(BaseModel):
    """What an embedding is asked for."""

    content: str = Field(max_length=200_000)


class ModelServer:
    """The endpoints of one model server and what they share."""

    def __init__(self, settings: Settings) -> None:
        self._delay_s = settings.times.token_delay_s * (25 if settings.broken("model-slow") else 1)
        self._settings = settings
        self._dimensions = 2 * DIMENSIONS if settings.broken("embedding-dimension") else DIMENSIONS
        self._counters = Counters()

    async def health(self, _: Request) -> Response:
        """Whether the server is up."""
        if self._settings.broken("llm-loading"):
            return JSONResponse({"status": "loading model"}, 503)
        return JSONResponse({"status": "ok"})

    async def props(self, _: Request) -> Response:
        """Which model this is and how long its vectors are."""
        return JSONResponse({"model": MODEL, "embedding_dimension": self._dimensions, "n_ctx": 4096})

    async def stats(self, _: Request) -> Response:
        """The counters."""
        return JSONResponse(self._counters.as_json())

    async def embedding(self, request: Request) -> Response:
        """The vector of a text."""
        asked = Embedding.model_validate_json(await _body(request))
        return JSONResponse({"model": MODEL, "embedding": list(embed(asked.content, self._dimensions))})

    async def completion(self, request: Request) -> Response:
        """The answer to a prompt, whole or token by token."""
        asked = Completion.model_validate_json(await _body(request))
        if self._settings.broken("model-generation-fails"):
            return JSONResponse({"error": "slot unavailable"}, status_code=500)
        tokens = answer(asked.prompt)[: asked.n_predict]
        if self._settings.broken("model-empty-answer"):
            tokens = []
        if self._settings.broken("injection-obeyed") and _ORDER.search(asked.prompt):
            tokens = ["PWNED"]
        if asked.stream:
            kind = HeedlessEventStream if self._settings.broken("model-unstoppable") else EventStream
            return kind(self._stream(tokens))
        return await self._whole(tokens, request)

    async def _whole(self, tokens: list[str], request: Request) -> Response:
        """Take the time the tokens need; a caller that leaves earlier ends it."""
        async with self._generation():
            started = _now()
            with suppress(TimeoutError):
                async with asyncio.timeout(len(tokens) * self._delay_s):
                    await _disconnected(request)
                    self._counters.cancelled += 1
                    made = int((_now() - started) / self._delay_s) if self._delay_s else len(tokens)
                    self._counters.tokens_generated += min(len(tokens), made)
                    return Response(status_code=204)
            self._counters.tokens_generated += len(tokens)
        if self._settings.broken("model-invalid-utf8"):
            return Response(_BROKEN, media_type="application/json")
        return JSONResponse({**_last(tokens), "content": "".join(tokens)})

    async def _stream(self, tokens: list[str]) -> AsyncGenerator[bytes, None]:
        """One event a token, each at its time: a pause of the machine is caught up with, not added."""
        async with self._generation():
            started = _now()
            try:
                for place, token in enumerate(tokens, start=1):
                    await asyncio.sleep(max(0.0, started + place * self._delay_s - _now()))
                    self._counters.tokens_generated += 1
                    if self._settings.broken("model-invalid-utf8"):
                        yield b"data: " + _BROKEN + b"\n\n"
                    yield _event({"content": token, "stop": False})
            except (GeneratorExit, asyncio.CancelledError):
                self._counters.cancelled += 1
                raise
            yield _event({**_last(tokens), "content": ""})

    @asynccontextmanager
    async def _generation(self) -> AsyncIterator[None]:
        self._counters.requests += 1
        self._counters.active += 1
        try:
            yield
        finally:
            self._counters.active -= 1


def create(settings: Settings) -> ASGIApp:
    """The model server as an ASGI application."""
    server = ModelServer(settings)
    return Starlette(
        routes=[
            Route("/health", server.health),
            Route("/props", server.props),
            Route("/stats", server.stats),
            Route("/embedding", server.embedding, methods=["POST"]),
            Route("/completion", server.completion, methods=["POST"]),
        ],
        exception_handlers={ValidationError: _refuse, ClientDisconnect: _gone},
    )


async def _refuse(_: Request, error: Exception) -> Response:
    """What is wrong with a request body, by field."""
    wrong = error.errors(include_input=False, include_url=False, include_context=False)  # type: ignore[attr-defined]
    return JSONResponse({"error": wrong}, status_code=400)


async def _gone(_: Request, __: Exception) -> Response:
    """The caller left while sending its request; nobody reads this."""
    return Response(status_code=400)


async def _body(request: Request) -> bytes:
    """The request's body; what is beyond the limit is not kept, so such a body is refused as broken JSON."""
    body = b""
    async for chunk in request.stream():
        body += chunk[: _BODY_LIMIT_BYTES - len(body)]
    return body


async def _disconnected(request: Request) -> None:
    """Return when the caller has left."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _last(tokens: list[str]) -> dict[str, object]:
    return {"stop": True, "tokens": len(tokens), "tokens_predicted": len(tokens), "model": MODEL}


def _event(payload: dict[str, object]) -> bytes:
    return f"data: {json.dumps(payload)}\n\n".encode()


def _now() -> float:
    return asyncio.get_running_loop().time()
