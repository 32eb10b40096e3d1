"""What the defects of queries have in common: changes of the body, and what happens before a query is answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import Request
from fastapi.responses import Response
from pydantic import JsonValue

from xnai_validate.demo.api.answers.query import answer, to_response
from xnai_validate.demo.api.schemas import QueryRequest
from xnai_validate.demo.api.services import Services
from xnai_validate.demo.defects.defect import Defect

Body = dict[str, JsonValue]
ToResponse = Callable[[QueryRequest, Body], Response]
AnswerQuery = Callable[[Services, QueryRequest, Request], Awaitable[Response]]


def change_body(defect: Defect, change: Callable[[QueryRequest, Body], Body]) -> Defect:
    """Let a defect change the body of the answer to a query."""

    @defect.wraps(to_response)
    def changed(original: ToResponse, /, question: QueryRequest, body: Body) -> Response:
        return original(question, change(question, body))

    return defect


def before_query(defect: Defect, do_first: Callable[[Services], Awaitable[None]]) -> Defect:
    """Let a defect do something before each query is answered."""

    @defect.wraps(answer)
    async def answer_after(
        original: AnswerQuery, /, services: Services, question: QueryRequest, request: Request
    ) -> Response:
        await do_first(services)
        return await original(services, question, request)

    return defect
