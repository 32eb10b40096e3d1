"""A model server that is slow, fails, or answers wrongly."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from fastapi import Request
from fastapi.responses import JSONResponse, Response

from xnai_validate.demo.api.answers.model import Generation
from xnai_validate.demo.api.answers.query import generate
from xnai_validate.demo.api.answers.turn import Turn, token_limit
from xnai_validate.demo.api.services import Services, question_vector
from xnai_validate.demo.defects.defect import Defect
from xnai_validate.demo.defects.heedless_stream import HeedlessEventStream
from xnai_validate.demo.llm.app import (
    Completion,
    ModelServer,
    dimensions,
    encoded,
    generated,
    health_response,
    stream_response,
    token_delay_s,
)
from xnai_validate.demo.llm.embedding import DIMENSIONS, Vector, embed

BYPASSED = Defect(
    "model-bypassed",
    "Queries are answered with the passages found, without the model.",
    checks=("dependencies/chain:api-uses-model",),
)


@BYPASSED.wraps(generate)
async def repeat_the_prompt(
    _: Callable[[Services, Turn], Awaitable[Generation]], /, services: Services, turn: Turn
) -> Generation:
    """Return the first words of the prompt as the answer, without a call of the model server."""
    words = turn.prompt.split()[: token_limit(turn)]
    return Generation(" ".join(words), len(words), 0.1)


EMPTY_ANSWER = Defect(
    "model-empty-answer",
    "The model server answers with no tokens.",
    checks=("rag/ready:ladder", "api/query:answers", "streaming/stream:ends"),
).changes(generated, lambda tokens: tokens[:0])

# A completion in Latin-1, which is not UTF-8.
INVALID_UTF8 = Defect(
    "model-invalid-utf8",
    "The model server answers in Latin-1, which is not UTF-8.",
    checks=("rag/ready:ladder", "api/query:answers", "streaming/stream:ends"),
).changes(encoded, lambda _: b'{"content": " caf\xe9", "stop": false, "tokens_predicted": 1}')

GENERATION_FAILS = Defect(
    "model-generation-fails",
    "The model server reports that it works, and every generation fails.",
    checks=("api/query:answers", "streaming/stream:ends"),
)


@GENERATION_FAILS.wraps(ModelServer.complete)
async def fail(
    _: Callable[[ModelServer, Completion, Request], Awaitable[Response]],
    /,
    self: ModelServer,
    completion: Completion,
    request: Request,
) -> Response:
    """Answer every completion with status 500."""
    return JSONResponse({"error": "slot unavailable"}, status_code=500)


UNSTOPPABLE = Defect(
    "model-unstoppable",
    "The model server generates on when its client has left.",
    checks=("streaming/cleanup:generation-stops",),
).changes(stream_response, lambda response: HeedlessEventStream(response.pieces))  # type: ignore[attr-defined]

SLOW = Defect(
    "model-slow", "The model server takes 25 times as long for each token.", checks=("api/query:answers",)
).changes(token_delay_s, lambda delay_s: 25 * delay_s)

LOADING = Defect(
    "llm-loading", "The model server is up and still loads its model.", checks=("services/answers:llm-health",)
).changes(health_response, lambda _: JSONResponse({"status": "loading model"}, 503))

EMBEDDING_DIMENSION = Defect(
    "embedding-dimension",
    "The embedding model makes vectors of 768 numbers for an index of 384.",
    checks=("rag/ready:ladder", "dependencies/chain:embedding-dimension"),
).changes(dimensions, lambda _: 2 * DIMENSIONS)


@EMBEDDING_DIMENSION.wraps(question_vector)
def vector_of_other_length(_: Callable[[str], Vector], /, text: str) -> Vector:
    """Return a vector of twice as many numbers as the index has."""
    return embed(text, 2 * DIMENSIONS)


INJECTION_OBEYED = Defect(
    "injection-obeyed",
    "A question or document that orders to ignore the instructions is obeyed.",
    checks=("rag/injection:question", "rag/injection:document", "rag/injection:stream"),
)
_ORDER = re.compile(r"ignore (?:all |your |the |previous )*instructions", re.IGNORECASE)


@INJECTION_OBEYED.wraps(generated)
def obey(original: Callable[[Completion], list[str]], /, completion: Completion) -> list[str]:
    """Generate `PWNED` for a prompt that orders to ignore the instructions."""
    return ["PWNED"] if _ORDER.search(completion.prompt) else original(completion)
