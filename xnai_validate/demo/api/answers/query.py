"""`POST /query`: one answer, whole."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from xnai_validate.demo.api.answers.model import Generation
from xnai_validate.demo.api.answers.turn import Turn, turn
from xnai_validate.demo.api.entangled import before_query
from xnai_validate.demo.api.schemas import QueryRequest, QueryResponse
from xnai_validate.demo.api.services import Services
from xnai_validate.demo.api.spoiled import Spoiler
from xnai_validate.demo.api.spoiled_busy import question


async def _made(services: Services, now: Turn) -> Generation:
    if services.settings.broken("model-bypassed"):
        words = now.prompt.split()[: now.max_tokens(services.settings)]
        return Generation(" ".join(words), len(words), 0.1)
    return await services.model.complete(now.prompt, now.max_tokens(services.settings))


def router(services: Services) -> APIRouter:
    """The endpoint, for one application."""
    routes = APIRouter()
    spoiler = Spoiler(services.settings)

    @routes.post("/query", response_model=QueryResponse, summary="Answer a question")
    async def query(asked: QueryRequest, request: Request) -> Response:
        """Answer a question from the documents, or without them where `use_rag` is false."""
        await spoiler.before_query(asked)
        await before_query(services)
        async with question(services, "query", asked) as answered, turn(services, "query", answered, request) as now:
            async with services.breakers["rag_api"].call():
                made = await _made(services, now)
            rate_tps = made.tokens / made.elapsed_s if made.elapsed_s else 0.0
            now.response, now.tokens, now.status = made.text, made.tokens, 200
            services.metrics.processed(asked.use_rag, made.tokens, rate_tps)
        answer = QueryResponse(
            response=made.text,
            sources=now.sources,
            tokens_generated=made.tokens,
            duration_ms=round(now.elapsed_ms, 2),
            token_rate_tps=round(rate_tps, 2),
        )
        return spoiler.response(asked, answer.model_dump())

    return routes
