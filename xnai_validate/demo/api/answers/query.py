"""`POST /query`: one answer, whole."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import JsonValue

from xnai_validate.demo.api.answers.model import Generation
from xnai_validate.demo.api.answers.turn import Turn, answering, token_limit
from xnai_validate.demo.api.schemas import QueryRequest, QueryResponse
from xnai_validate.demo.api.services import Services
from xnai_validate.demo.seams import seam


def router(services: Services) -> APIRouter:
    """The endpoint, for one application."""
    routes = APIRouter()

    @routes.post("/query", response_model=QueryResponse, summary="Answer a question")
    async def query(question: QueryRequest, request: Request) -> Response:
        """Answer a question from the documents, or without them where `use_rag` is false."""
        return await answer(services, question, request)

    return routes


@seam
async def answer(services: Services, question: QueryRequest, request: Request) -> Response:
    """Answer a question. Raises ServiceFailure, CircuitOpen."""
    async with answering(services, "query", question, request) as turn:
        async with services.breakers["rag_api"].call():
            generation = await generate(services, turn)
        rate_tps = generation.tokens / generation.elapsed_s if generation.elapsed_s else 0.0
        turn.response, turn.tokens, turn.status = generation.text, generation.tokens, 200
        services.metrics.processed(question.use_rag, generation.tokens, rate_tps)
    body = QueryResponse(
        response=generation.text,
        sources=turn.sources,
        tokens_generated=generation.tokens,
        duration_ms=round(turn.elapsed_ms, 2),
        token_rate_tps=round(rate_tps, 2),
    )
    return to_response(question, body.model_dump())


@seam
async def generate(services: Services, turn: Turn) -> Generation:
    """Have the model answer. Raises ModelError, ModelTimeout."""
    return await services.model.complete(turn.prompt, token_limit(turn))


@seam
def to_response(question: QueryRequest, body: dict[str, JsonValue]) -> Response:
    """The response with the answer to a question."""
    return JSONResponse(body)
