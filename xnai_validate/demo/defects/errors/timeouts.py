"""What a client gets when the model does not answer in time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from xnai_validate.demo.api.answers.model import call_timeout_s
from xnai_validate.demo.api.answers.stream import failure_message
from xnai_validate.demo.api.http.errors import ErrorAnswers, timeout_message
from xnai_validate.demo.defects.defect import Defect
from xnai_validate.demo.defects.streaming.changes import change_events_of

_APOLOGY = {
    "response": "I am sorry, I cannot answer at the moment.",
    "sources": [],
    "tokens_generated": 9,
    "duration_ms": 1.0,
    "token_rate_tps": 1.0,
}


def _answer_timeouts_with(defect: Defect, make_response: Callable[[], Response]) -> Defect:
    """Let a defect answer every question that the model did not answer in time."""

    @defect.wraps(ErrorAnswers.timeout)
    async def answered(
        _: Callable[[ErrorAnswers, Request, Exception], Awaitable[Response]],
        /,
        self: ErrorAnswers,
        request: Request,
        error: Exception,
    ) -> Response:
        return make_response()

    return defect


IS_200 = _answer_timeouts_with(
    Defect(
        "timeout-is-200",
        "A question that the model did not answer in time is answered with 200 and an empty answer.",
        checks=("errors/chain:model-silent",),
    ),
    lambda: JSONResponse({"response": "", "sources": [], "tokens_generated": 0}),
)

PLAIN = _answer_timeouts_with(
    Defect(
        "timeout-plain",
        "A time-out of the model is reported as plain text.",
        checks=("errors/chain:model-silent",),
    ),
    lambda: PlainTextResponse("upstream timed out", status_code=504),
)

AS_ANSWER = _answer_timeouts_with(
    Defect(
        "model-failure-as-answer",
        "A model that does not answer in time is replaced by an apology with status 200.",
        checks=("rag/failure:silent-query",),
    ),
    lambda: JSONResponse(_APOLOGY),
)

CROSSED = Defect(
    "timeout-status-crossed",
    "A time-out of the model is sent with 503, while its envelope names 504.",
    checks=("rag/failure:silent-query",),
)


@CROSSED.wraps(ErrorAnswers.timeout)
async def send_with_503(
    timeout: Callable[[ErrorAnswers, Request, Exception], Awaitable[Response]],
    /,
    self: ErrorAnswers,
    request: Request,
    error: Exception,
) -> Response:
    """Send the envelope of a time-out with another status."""
    response = await timeout(self, request, error)
    response.status_code = 503
    return response


LEAKS = Defect(
    "timeout-leaks", "The message of a time-out names a file and an address.", checks=("errors/chain:model-silent",)
).changes(
    timeout_message, lambda _: 'File "/app/xnai/api/model.py", line 40, in complete: ModelTimeout(127.0.0.1:8080)'
)

WAITS_FOR_EVER = Defect(
    "query-waits-for-ever",
    "The API waits 45 seconds for a model that does not answer.",
    checks=("errors/chain:model-silent",),
).changes(call_timeout_s, lambda _: 45.0)

SWALLOWED_IN_STREAM = change_events_of(
    "error",
    Defect(
        "stream-error-swallowed",
        "A failure of the model is sent as a normal end.",
        checks=("errors/chain:stream-told", "rag/failure:silent-stream"),
    ),
    lambda _: [{"type": "done", "tokens": 0, "latency_ms": 0.0}],
)

LEAKS_IN_STREAM = Defect(
    "stream-error-leaks",
    "The error event holds a stack trace.",
    checks=("errors/chain:stream-told", "rag/failure:silent-stream"),
).changes(
    failure_message,
    lambda message: f'Traceback (most recent call last):\n  File "{__file__}"\nModelTimeout({message!r})',
)
