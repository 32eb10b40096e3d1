"""The model server: the interface of llama.cpp's server, as far as the stack and its checks use it.

`POST /completion` `{prompt, n_predict, stream}` answers `{content, tokens, stop, tokens_predicted, model}`, or with
`stream` one event a token, `data: {"content": " word", "stop": false}`, and a last one with `stop: true` and the
counts. `POST /v1/completions` `{prompt, max_tokens}` answers `{choices: [{text}], usage}`, `POST /v1/embeddings`
`{input}` answers `{data: [{embedding: [..]}]}`. `GET /health`, `GET /v1/models`, `GET /slots` (one entry for each
generation that runs), `GET /metrics`. A client that disconnects stops its generation.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress

from pydantic import BaseModel, Field, ValidationError
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from xnai_validate.demo.event_stream import EventStream
from xnai_validate.demo.llm.counters import Counters
from xnai_validate.demo.llm.embedding import DIMENSIONS, embed
from xnai_validate.demo.llm.extract import answer
from xnai_validate.demo.seams import seam
from xnai_validate.demo.settings import MODEL, Settings

_BODY_LIMIT_BYTES = 1 << 20


class Completion(BaseModel):
    """A request for a completion."""

    prompt: str = Field(max_length=200_000)
    n_predict: int = Field(default=128, ge=1, le=4096)
    stream: bool = False


class TextCompletion(BaseModel):
    """A request for a completion by the API of OpenAI."""

    prompt: str = Field(max_length=200_000)
    max_tokens: int = Field(default=16, ge=1, le=4096)


class Embedding(BaseModel):
    """A request for an embedding."""

    input: str = Field(max_length=200_000)


@seam
def token_delay_s(settings: Settings) -> float:
    """Seconds that each token takes."""
    return settings.times.token_delay_s


@seam
def dimensions() -> int:
    """Numbers in a vector of the embedding model."""
    return DIMENSIONS


@seam
def health_response() -> Response:
    """The response of `/health`."""
    return JSONResponse({"status": "ok"})


@seam
def generated(completion: Completion) -> list[str]:
    """The tokens of the answer to a prompt."""
    return answer(completion.prompt)[: completion.n_predict]


@seam
def stream_response(body: AsyncGenerator[bytes, None]) -> Response:
    """The response that carries a stream of tokens."""
    return EventStream(body)


@seam
def encoded(payload: dict[str, object]) -> bytes:
    """A completion, or a piece of one, as JSON."""
    return json.dumps(payload).encode()


class ModelServer:
    """The endpoints of one model server and their shared state."""

    def __init__(self, settings: Settings) -> None:
        self._delay_s = token_delay_s(settings)
        self._counters = Counters()

    async def health(self, _: Request) -> Response:
        """Whether the server is up."""
        return health_response()

    async def models(self, _: Request) -> Response:
        """The model that is loaded."""
        return JSONResponse({"object": "list", "data": [{"id": MODEL, "object": "model", "owned_by": "llamacpp"}]})

    async def slots(self, _: Request) -> Response:
        """The generations that run."""
        return JSONResponse([{"id": number, "is_processing": True} for number in range(self._counters.active)])

    async def metrics(self, _: Request) -> Response:
        """The counters, in the format and under the names that llama.cpp's server has with `--metrics`."""
        return PlainTextResponse(self._counters.exposition(), media_type="text/plain; version=0.0.4")

    async def embeddings(self, request: Request) -> Response:
        """The vector of a text."""
        text = Embedding.model_validate_json(await _body(request)).input
        data = [{"object": "embedding", "index": 0, "embedding": list(embed(text, dimensions()))}]
        return JSONResponse({"object": "list", "model": MODEL, "data": data})

    async def completion(self, request: Request) -> Response:
        """The answer to a prompt, whole or token by token."""
        return await self.complete(Completion.model_validate_json(await _body(request)), request)

    async def text_completion(self, request: Request) -> Response:
        """The whole answer to a prompt, by the API of OpenAI."""
        params = TextCompletion.model_validate_json(await _body(request))
        tokens = generated(Completion(prompt=params.prompt, n_predict=params.max_tokens))
        self._counters.prompt_tokens += len(params.prompt.split())
        choice = {"text": "".join(tokens), "index": 0, "finish_reason": "stop"}
        usage = {"prompt_tokens": len(params.prompt.split()), "completion_tokens": len(tokens)}
        document: dict[str, object] = {"object": "text_completion", "model": MODEL, "choices": [choice], "usage": usage}
        return await self._whole(tokens, request, document)

    @seam
    async def complete(self, completion: Completion, request: Request) -> Response:
        """The answer to a valid request for a completion."""
        tokens = generated(completion)
        self._counters.prompt_tokens += len(completion.prompt.split())
        if completion.stream:
            return stream_response(self._stream(tokens))
        return await self._whole(tokens, request, {**_last(tokens), "content": "".join(tokens)})

    async def _whole(self, tokens: list[str], request: Request, document: dict[str, object]) -> Response:
        """Take the time the tokens need; a client that leaves earlier ends it."""
        async with self._generation():
            started = _now()
            with suppress(TimeoutError):
                async with asyncio.timeout(len(tokens) * self._delay_s):
                    await _disconnected(request)
                    made = int((_now() - started) / self._delay_s) if self._delay_s else len(tokens)
                    self._counters.tokens_generated += min(len(tokens), made)
                    return Response(status_code=204)
            self._counters.tokens_generated += len(tokens)
        return Response(encoded(document), media_type="application/json")

    async def _stream(self, tokens: list[str]) -> AsyncGenerator[bytes, None]:
        """One event a token, each at its time: a pause of the machine is caught up with, not added."""
        async with self._generation():
            started = _now()
            for number, token in enumerate(tokens, start=1):
                await asyncio.sleep(max(0.0, started + number * self._delay_s - _now()))
                self._counters.tokens_generated += 1
                yield _event({"content": token, "stop": False})
            yield _event({**_last(tokens), "content": ""})

    @asynccontextmanager
    async def _generation(self) -> AsyncIterator[None]:
        """Count a generation as active inside the block."""
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
            Route("/v1/models", server.models),
            Route("/slots", server.slots),
            Route("/metrics", server.metrics),
            Route("/v1/embeddings", server.embeddings, methods=["POST"]),
            Route("/completion", server.completion, methods=["POST"]),
            Route("/v1/completions", server.text_completion, methods=["POST"]),
        ],
        exception_handlers={ValidationError: _refuse, ClientDisconnect: _gone},
    )


async def _refuse(_: Request, error: Exception) -> Response:
    """400: the invalid fields of a request."""
    wrong = error.errors(include_input=False, include_url=False, include_context=False)  # type: ignore[attr-defined]
    return JSONResponse({"error": wrong}, status_code=400)


async def _gone(_: Request, __: Exception) -> Response:
    """The client left while sending its request, and gets no response."""
    return Response(status_code=400)


async def _body(request: Request) -> bytes:
    """The request's body; cut at the limit, so that a larger body is refused as broken JSON."""
    body = b""
    async for chunk in request.stream():
        body += chunk[: _BODY_LIMIT_BYTES - len(body)]
    return body


async def _disconnected(request: Request) -> None:
    """Return when the client has left."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _last(tokens: list[str]) -> dict[str, object]:
    """Return the last event of a completion: how many tokens it had."""
    return {"stop": True, "tokens": len(tokens), "tokens_predicted": len(tokens), "model": MODEL}


def _event(payload: dict[str, object]) -> bytes:
    """Return a payload as one server-sent event."""
    return b"data: " + encoded(payload) + b"\n\n"


def _now() -> float:
    """Return the time of the event loop in seconds."""
    return asyncio.get_running_loop().time()
