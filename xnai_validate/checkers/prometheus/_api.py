"""Calls of Prometheus' HTTP API, and the envelope of its answers.

Source: Prometheus documentation, "HTTP API": `{"status": "success" | "error", "data", "errorType", "error"}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from xnai_validate.checkers._http_fields import verify_http_target
from xnai_validate.kit import (
    Context,
    Duration,
    ErrorKind,
    Facts,
    JsonValue,
    Milliseconds,
    NotApplicable,
    Params,
    Target,
)
from xnai_validate.wire.content import json_text_of
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.http.client import HttpClient, HttpRequest

BODY_CAP = 16 * 2**20


class ApiParams(Params):
    """How the server is asked."""

    timeout: Duration = 10.0
    """How long the answer may take."""

    def verify_target(self, target: Target) -> None:
        """Raise ValueError for a target that is not reached by HTTP."""
        verify_http_target(target, "/api/v1/query")


class ApiFacts(Facts):
    """What the facts of all kinds of this family begin with."""

    error: ErrorKind | None = None
    """Why there was no whole answer of the API; `protocol` for an answer that is not one of Prometheus."""
    error_detail: str | None = None
    """The error in words."""
    status: int | None = None
    """The status code of the answer."""
    query_error: str | None = None
    """Why the server refused the request, in its words: `bad_data: parse error ...`."""
    warnings: list[str] | None = None
    """What the server adds to its answer, such as a part that it could not read."""
    total_ms: Milliseconds | None = None
    """From the request to the end of the answer."""


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """The answer to one call."""

    facts: dict[str, object]
    """The facts of `ApiFacts`."""
    data: Mapping[str, JsonValue] | None
    """Its `data`; None without an answer that has some."""


async def call(ctx: Context, path: str, query: Mapping[str, str], params: ApiParams) -> ApiAnswer:
    """Ask the target's API; raises NotApplicable for a target without a url."""
    target = ctx.target
    if target.url is None:
        raise NotApplicable(f"target {target.name} has no url")
    client = await ctx.shared(("http",), HttpClient)
    url = target.join(f"/api/v1/{path}?{urlencode(query)}")
    try:
        answer = await client.fetch(
            HttpRequest.of(url, target=target), timeout_s=params.timeout, body_cap=BODY_CAP, redirects=3
        )
    except WireError as failure:
        return ApiAnswer({"error": failure.kind, "error_detail": failure.detail}, None)
    known: dict[str, object] = {"status": answer.head.status, "total_ms": answer.total_ms}
    if answer.failure is not None:
        return ApiAnswer({**known, "error": answer.failure.kind, "error_detail": answer.failure.detail}, None)
    parsed = json_text_of(answer.body)
    document = parsed.value
    if not isinstance(document, dict) or document.get("status") not in ("success", "error"):
        detail = parsed.error or "the answer is JSON without the `status` of Prometheus' API"
        return ApiAnswer({**known, "error": ErrorKind.PROTOCOL, "error_detail": detail}, None)
    warnings = document.get("warnings")
    known["warnings"] = [str(text)[:500] for text in warnings[:20]] if isinstance(warnings, list) else []
    data = document.get("data")
    if document["status"] == "error":
        reason = f"{document.get('errorType', 'error')}: {document.get('error', 'no reason given')}"
        return ApiAnswer({**known, "query_error": reason[:500]}, None)
    if not isinstance(data, dict):
        detail = "the answer has no `data`"
        return ApiAnswer({**known, "error": ErrorKind.PROTOCOL, "error_detail": detail}, None)
    return ApiAnswer(known, data)


def malformed(answer: ApiAnswer, detail: str) -> dict[str, object]:
    """The facts of an answer whose data is not as documented."""
    return {**answer.facts, "error": ErrorKind.PROTOCOL, "error_detail": detail}
