"""Answers with the wrong text, or with the text in the wrong place."""

from __future__ import annotations

import time

from fastapi.responses import Response

from xnai_validate.demo.api.answers.query import to_response
from xnai_validate.demo.api.schemas import QueryRequest
from xnai_validate.demo.defects.answers.queries import Body, ToResponse, change_body
from xnai_validate.demo.defects.defect import Defect

_CANNED = "I am an assistant. How can I help you today?"
_EMBELLISHMENT = (
    " Scientists from Helsinki invented it during the winter of 1987. Millions of happy customers praise the purple "
    "edition. Experts recommend twelve elephants for maintenance."
)

CANNED = change_body(
    Defect(
        "answers-canned",
        "Every question gets the same polite sentence.",
        checks=("api/query:canary", "api/query:answers-another", "rag/ready:canary"),
    ),
    lambda _, body: body | {"response": _CANNED},
)

EMBELLISHED = change_body(
    Defect(
        "answer-embellished",
        "Answers go on after the documents' words with things that stand in no document.",
        checks=("rag/grounding:supported", "rag/grounding:supported-too", "rag/consistency:same"),
    ),
    lambda _, body: body | {"response": f"{body['response']}{_EMBELLISHMENT}"},
)

VARIES = change_body(
    Defect(
        "answer-varies",
        "The same question gets another answer each time, also at temperature 0.",
        checks=("rag/consistency:same", "rag/consistency:repeated"),
    ),
    lambda _, body: body | {"response": f"{body['response']} As of {time.time_ns() // 1000 % 100_000}."},
)

EMPTY = change_body(
    Defect(
        "answer-empty",
        "The answer's text is empty.",
        checks=(
            "api/query:answers",
            "api/query:answers-another",
            "api/query:shape",
            "api/query:token-limit",
        ),
    ),
    lambda _, body: body | {"response": ""},
)

_previous = ["There is no earlier answer."]


def _crossed(_: QueryRequest, body: Body) -> Body:
    """Replace the answer by that of the question before, and keep this one for the next question."""
    _previous.append(str(body["response"]))
    return body | {"response": _previous.pop(0)}


CROSSED = change_body(
    Defect(
        "answers-crossed",
        "Each client gets the answer to the question before.",
        checks=("api/query:canary", "api/query:answers-another"),
    ),
    _crossed,
)

FIELD_RENAMED = change_body(
    Defect(
        "answer-field-renamed",
        "The answer's text stands in another field.",
        checks=(
            "api/contract:query",
            "api/openapi:conforms",
            "api/query:answers",
            "api/query:answers-another",
        ),
    ),
    lambda _, body: {("answer" if name == "response" else name): value for name, value in body.items()},
)

AS_PAGE = Defect(
    "answer-as-page",
    "The answer to a question with markup in it is served as an HTML page.",
    checks=("rag/injection:markup",),
)


@AS_PAGE.wraps(to_response)
def page_for_markup(original: ToResponse, /, question: QueryRequest, body: Body) -> Response:
    """Declare the answer to a question that contains `<` as HTML."""
    response = original(question, body)
    if "<" in question.query:
        response.headers["Content-Type"] = "text/html; charset=utf-8"
    return response
