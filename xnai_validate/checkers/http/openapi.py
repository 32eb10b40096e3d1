"""`http.openapi`: the OpenAPI document of a service, and whether the service keeps what the document promises."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated
from urllib.parse import urlencode, urlsplit

from xnai_validate.checkers._http_fields import HttpHeaders, HttpMethod, HttpPath
from xnai_validate.checkers.http._contract_requests import begin_maker
from xnai_validate.checkers.http._openapi_examiner import About, Examiner, examiner
from xnai_validate.checkers.http._openapi_file import document_text
from xnai_validate.kit import (
    Argument,
    BodyCap,
    Context,
    Count,
    Duration,
    ErrorKind,
    Facts,
    Field,
    Ge,
    JsonValue,
    Le,
    Milliseconds,
    NotApplicable,
    Params,
    Target,
    Unmeasurable,
    checker,
)
from xnai_validate.wire.content import media_type
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.http.client import HttpAnswer, HttpClient, HttpRequest


class Call(Params):
    """A live request, whose answer is compared with the document."""

    method: HttpMethod = "GET"
    """The HTTP method."""
    path: HttpPath
    """The path below the target's url."""
    root: bool = False
    """Whether the path is below the target's root instead."""
    headers: HttpHeaders = Field(default_factory=dict)
    """Headers of the request."""
    query: dict[str, str | int | float] = Field(default_factory=dict)
    """Query parameters."""
    json_: JsonValue = Field(default=None, alias="json")
    """A body, sent as JSON."""
    status: Annotated[int, Ge(100), Le(599)] | None = None
    """The status that the call must have; by default any that is declared."""

    @property
    def name(self) -> str:
        """`GET /health`."""
        return f"{self.method.upper()} {self.path}"

    def request(self, target: Target) -> HttpRequest:
        """The request to a target."""
        url = target.join(self.path, at_root=self.root)
        if self.query:
            url += f"?{urlencode(self.query)}"
        has_body = "json_" in self.model_fields_set
        body = json.dumps(self.json_).encode() if has_body else b""
        kind = "application/json" if has_body else None
        return HttpRequest.of(url, self.method, headers=self.headers, body=body, content_type=kind, target=target)


class OpenApi(Params):
    """Where the document is, what it must describe, and the calls whose answers are compared with it."""

    path: HttpPath = "/openapi.json"
    """The path of the document, JSON or YAML."""
    file: Argument | None = None
    """A file with the document, in place of the service's own. Then there is no `status`; expect
    `{valid: true, nonconforming: []}`."""
    root: bool = True
    """Whether the path is below the target's root instead of its url."""
    headers: HttpHeaders = Field(default_factory=dict)
    """Headers of the request for the document."""
    operations: list[str] = Field(default_factory=list)
    """Operations that must be described: `GET /health`. The path of the target's url, and of the document's servers,
    may stand before a path of either side; names of path parameters do not matter."""
    calls: list[Call] = Field(default_factory=list, max_length=50)
    """Requests that are made, and whose answers must conform to the document."""
    timeout: Duration = 10.0
    """How long each request may take."""
    body_cap: BodyCap = 4 * 1024 * 1024
    """More bytes than this are not read: too_large."""


class Described(Facts):
    """The document, and where the service differs from it."""

    error: ErrorKind | None
    """Why the document could not be had."""
    error_detail: str | None
    """The error in words."""
    status: int | None
    """The status with which the document came."""
    total_ms: Milliseconds | None
    """How long the document took."""
    valid: bool | None
    """Whether it is an OpenAPI document (2.0, 3.0, 3.1 or 3.2) without an error."""
    problems: list[str] | None
    """The errors of the document, at most 50."""
    version: str | None
    """The version of the specification that it names."""
    operations: list[str] | None
    """The operations that it describes, `GET /health`, the first 500."""
    operation_count: Count | None
    """How many operations it describes."""
    missing_operations: list[str] | None
    """Which of the wanted operations it does not describe."""
    nonconforming: list[str] | None
    """Where answers to `calls` differ from the document: `GET /health 200: $.version: 1 is not of type 'string'`."""
    calls: Count
    """How many of the calls were answered."""


@checker(
    "http.openapi",
    # Without a rule about `status`, which a document in a file does not have; one that is refused is not valid.
    expect={"error": None, "valid": True, "missing_operations": [], "nonconforming": []},
    extra="openapi",
)
async def openapi(params: OpenApi, ctx: Context) -> Described:
    """Validate the OpenAPI document of a service, and live answers against it.

    The document is validated by the schema of the OpenAPI Specification it names and against the rules beyond the
    schema (references that lead nowhere, operation ids that occur twice, path parameters that are not declared). Every
    call must get a declared status, a declared content type, and a body that fits the declared schema, with `$ref`
    followed within the document. References to other documents are not followed; they are a problem. Patterns are those
    of ECMA-262; one that cannot be read is a problem, and answers are compared with all the rest. All this happens in a
    process of its own, for a document may hold patterns and schemas that never come to an end.

        kind: http.openapi
        target: api
        with:
          operations: [GET /health, POST /query, POST /stream]
          calls: [{path: /health}, {method: POST, path: /query, json: {query: ""}, status: 400}]
    """
    target = ctx.target
    if target.url is None:
        raise NotApplicable(f"target {target.name} has no url")
    _require_extra()
    client = await ctx.shared(("http",), HttpClient)
    answer = None
    if params.file is not None:
        text = document_text(params.file, params.body_cap)
    else:
        request = HttpRequest.of(target.join(params.path, at_root=params.root), headers=params.headers, target=target)
        answer, failure = await _fetch(client, request, params)
        if answer is None or failure is not None or answer.head.status != 200:
            return _facts_of_failure(answer, failure)
        text = answer.body.decode("utf-8-sig", "replace")
    async with examiner(ctx, text, urlsplit(target.url).path.rstrip("/")) as process:
        about = await process.about(params.operations)
        if about.unreadable is not None:
            about = About(
                problems=[f"not an OpenAPI document: {about.unreadable}"],
                can_be_followed=False,
                missing=params.operations,
            )
        elif about.can_be_followed:
            await begin_maker(ctx)
        deviations, answered = await _call_all(client, process, target, params) if about.can_be_followed else ([], 0)
    return _facts_of(answer, about, deviations, answered)


async def _call_all(client: HttpClient, process: Examiner, target: Target, params: OpenApi) -> tuple[list[str], int]:
    """Make all calls; return how their answers deviate from the document, in words, and how many were answered."""
    deviations: list[str] = []
    answered = 0
    for call in params.calls:
        request = call.request(target)
        answer, failure = await _fetch(client, request, params)
        if answer is None or failure is not None:
            deviations.append(f"{call.name}: {failure.kind if failure else 'no answer'}: {failure}")
            continue
        answered += 1
        status = answer.head.status
        if call.status not in (None, status):
            deviations.append(f"{call.name} {status}: the status should be {call.status}")
        path = urlsplit(request.url).path
        kind = media_type(answer.head.headers).type
        differs = await process.deviations(call.method, path, status, kind, answer.body)
        deviations += [f"{call.name} {status}: {text}" for text in differs]
    return deviations, answered


async def _fetch(
    client: HttpClient, request: HttpRequest, params: OpenApi
) -> tuple[HttpAnswer | None, WireError | None]:
    """Fetch a response; return it and the failure, if there was one."""
    try:
        answer = await client.fetch(request, timeout_s=params.timeout, body_cap=params.body_cap)
    except WireError as failure:
        return None, failure
    return answer, answer.failure


def _facts_of_failure(answer: HttpAnswer | None, failure: WireError | None) -> Described:
    """Return the facts of a service from which no document came."""
    return Described(
        error=failure.kind if failure else None,
        error_detail=failure.detail if failure else None,
        status=answer.head.status if answer else None,
        total_ms=answer.total_ms if answer and not failure else None,
        valid=None,
        problems=None,
        version=None,
        operations=None,
        operation_count=None,
        missing_operations=None,
        nonconforming=None,
        calls=0,
    )


def _facts_of(
    answer: HttpAnswer | None,
    about: About,
    deviations: Sequence[str],
    answered: int,
) -> Described:
    """Return the facts of a document and of the responses of its service."""
    return Described(
        error=None,
        error_detail=None,
        status=answer.head.status if answer else None,
        total_ms=answer.total_ms if answer else None,
        valid=not about.problems,
        problems=about.problems,
        version=about.version,
        operations=about.operations,
        operation_count=about.operation_count,
        missing_operations=about.missing,
        nonconforming=list(deviations),
        calls=answered,
    )


def _require_extra() -> None:
    """Raise Unmeasurable if a library of the extra is not installed."""
    from importlib.util import find_spec

    if any(find_spec(name) is None for name in ("openapi_spec_validator", "openapi_schema_validator", "regress")):
        raise Unmeasurable("http.openapi needs more libraries", hint="pip install 'xnai-validate[openapi]'")
