"""Requests that are taken although they must be refused, refused although they are valid, or that crash."""

from __future__ import annotations

import json
from collections.abc import Callable

from pydantic import ValidationError
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from xnai_validate.demo.api.answers.index import Hit
from xnai_validate.demo.api.answers.search import find, largest_limit
from xnai_validate.demo.api.app import entry
from xnai_validate.demo.api.schemas import QueryRequest
from xnai_validate.demo.api.services import Services
from xnai_validate.demo.defects.defect import Defect
from xnai_validate.demo.settings import Settings

_BODY_LIMIT_BYTES = 1 << 20
_DEPTH = 5_000

Body = dict[str, object]
ChangeBody = Callable[[bytes], bytes]
"""Makes the body that the application gets; raises ValueError for one on which the application fails."""


class _Edge:
    """Reads the body of each POST, and passes another one to the application."""

    def __init__(self, app: ASGIApp, change: ChangeBody) -> None:
        self._app, self._change = app, change

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        try:
            changed = self._change(await read_body(receive))
        except ValueError:
            await JSONResponse({"detail": "Internal Server Error"}, status_code=500)(scope, receive, send)
            return
        headers = [pair for pair in scope["headers"] if pair[0] != b"content-length"]
        headers.append((b"content-length", str(len(changed)).encode()))
        await self._app({**scope, "headers": headers}, replayed(changed, receive), send)


async def read_body(receive: Receive) -> bytes:
    """The whole body, up to a limit."""
    body, more = b"", True
    while more and len(body) < _BODY_LIMIT_BYTES:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def replayed(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives a body once, then whatever comes."""
    given = False

    async def receive_again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again


def _change_bodies(defect: Defect, change: ChangeBody) -> Defect:
    """Let a defect change the body of each POST before the application gets it."""
    return _wrap_application(defect, lambda app: _Edge(app, change))


def _wrap_application(defect: Defect, wrap: Callable[[ASGIApp], ASGIApp]) -> Defect:
    """Have a defect wrap the whole application."""

    @defect.wraps(entry)
    def wrapped(original: Callable[[Settings, ASGIApp], ASGIApp], /, settings: Settings, app: ASGIApp) -> ASGIApp:
        return original(settings, wrap(app))

    return defect


def _change_objects(defect: Defect, change: Callable[[Body], Body]) -> Defect:
    """Let a defect change the JSON object in the body of each POST."""

    def changed(body: bytes) -> bytes:
        try:
            fields: object = json.loads(body)
        except ValueError:
            return body
        return json.dumps(change(fields) if isinstance(fields, dict) else fields).encode()

    return _change_bodies(defect, changed)


def _with_question(body: bytes) -> bytes:
    """Return a body with a question in place of an empty or missing one; any other body unchanged."""
    try:
        fields: object = json.loads(body)
    except ValueError:
        return body
    query = fields.get("query") if isinstance(fields, dict) else None
    return b'{"query": "What is Xoe-NovAi?"}' if query in (None, "") else body


EMPTY_QUERY_ACCEPTED = _change_bodies(
    Defect(
        "empty-query-accepted",
        "An empty or missing question is answered as if one had been sent.",
        checks=(
            "api/contract:refuses-invalid",
            "api/limits:lengths",
            "api/errors:empty-question",
            "api/errors:envelope",
            "api/errors:missing-question",
        ),
    ),
    _with_question,
)


def _cut(fields: Body) -> Body:
    """Cut the question to the 2000 characters that are allowed."""
    query = fields.get("query")
    return fields | {"query": query[:2000]} if isinstance(query, str) else fields


LONG_QUERY_ACCEPTED = _change_objects(
    Defect(
        "long-query-accepted", "A question that is too long is cut and answered.", checks=("api/errors:long-question",)
    ),
    _cut,
)

_KNOWN = {"query", "use_rag", "max_tokens", "temperature", "top_p"}
UNKNOWN_FIELDS_REFUSED = _change_objects(
    Defect(
        "unknown-fields-refused",
        "A request with a field that is not known is refused.",
        checks=("api/contract:takes-valid", "api/limits:types", "api/query:unknown-field"),
    ),
    lambda fields: {} if set(fields) - _KNOWN else fields,
)


def _only_ascii(body: bytes) -> bytes:
    """Return the body unchanged. Raises UnicodeDecodeError, so that the application fails, for other than ASCII."""
    body.decode("ascii")
    return body


UNICODE_FAILS = _change_bodies(
    Defect(
        "unicode-fails",
        "A question that is not plain ASCII makes the application fail.",
        checks=("rag/model:whole-characters", "rag/model:characters", "api/query:unicode"),
    ),
    _only_ascii,
)

BROKEN_JSON_FAILS = _change_bodies(
    Defect(
        "broken-json-fails",
        "A request that is not JSON makes the application fail.",
        checks=("api/errors:not-json",),
    ),
    lambda body: json.dumps(json.loads(body)).encode(),
)


def _only_shallow(body: bytes) -> bytes:
    """Return the body unchanged. Raises ValueError, so that the application fails, if it is nested too deep."""
    if max(body.count(b"["), body.count(b"{")) > _DEPTH:
        raise ValueError("the body is nested too deep")
    return body


DEEP_JSON_FAILS = _change_bodies(
    Defect(
        "deep-json-fails",
        "A body nested thousands deep makes the application fail.",
        checks=("api/limits:malformed", "api/limits:stream-malformed"),
    ),
    _only_shallow,
)


def _short_in_bytes(fields: Body) -> Body:
    """Return an empty object, which the API refuses, for a question of more than 2000 bytes."""
    query = fields.get("query")
    return {} if isinstance(query, str) and len(query.encode("utf-8", "replace")) > 2000 else fields


LENGTH_IN_BYTES = _change_objects(
    Defect("length-in-bytes", "The length of a question is counted in bytes.", checks=("api/limits:lengths",)),
    _short_in_bytes,
)

RANGES_UNCHECKED = _change_objects(
    Defect("ranges-unchecked", "temperature and top_p are taken whatever they are.", checks=("api/limits:numbers",)),
    lambda fields: {name: fields[name] for name in fields if name not in ("temperature", "top_p")},
)


def _without_null(fields: Body) -> Body:
    """Return the fields unchanged. Raises ValueError, so that the application fails, if one is null."""
    if None in fields.values():
        raise ValueError("a field is null")
    return fields


NULL_FAILS = _change_objects(
    Defect("null-fails", "A field that is null makes the application fail.", checks=("api/limits:types",)),
    _without_null,
)


def _without_nul(fields: Body) -> Body:
    """Return the fields unchanged. Raises ValueError, so that the application fails, for a NUL in the question."""
    if "\0" in str(fields.get("query", "")):
        raise ValueError("the question has a NUL in it")
    return fields


NUL_FAILS = _change_objects(
    Defect("nul-fails", "A question with a NUL in it makes the application fail.", checks=("api/limits:unicode",)),
    _without_nul,
)


class _ValidatingLate:
    """Begins every stream before its question is validated."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"].endswith("/stream"):
            body = await read_body(receive)
            receive = replayed(body, receive)
            if not _is_valid(body):
                event = json.dumps({"type": "error", "error": "The request is not valid."})
                await Response(f"data: {event}\n\n", media_type="text/event-stream")(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _is_valid(body: bytes) -> bool:
    """Whether a body is a valid question."""
    try:
        QueryRequest.model_validate_json(body)
    except ValidationError:
        return False
    return True


VALIDATES_LATE = _wrap_application(
    Defect(
        "stream-validates-late",
        "A stream is begun with status 200 before the question is validated.",
        checks=("api/limits:stream-lengths", "api/limits:stream-malformed", "streaming/stream:refused-before"),
    ),
    _ValidatingLate,
)

SEARCH_ODD_TEXT_FAILS = Defect(
    "search-odd-text-fails",
    "A search for text beyond ASCII makes the application fail.",
    checks=("api/contract:search",),
    layout="B",
)


@SEARCH_ODD_TEXT_FAILS.wraps(find)
def find_ascii(
    original: Callable[[Services, str, int], list[Hit]], /, services: Services, query: str, limit: int
) -> list[Hit]:
    """Search as usual for ASCII; raise an error for any other text."""
    if not query.isascii():
        raise ValueError("the search index takes ASCII")
    return original(services, query, limit)


SEARCH_UNLIMITED = Defect(
    "docs-search-unlimited",
    "The document search ignores its limit and finds everything.",
    checks=("api/websocket:docs-search",),
    layout="B",
)


@SEARCH_UNLIMITED.wraps(find)
def find_everything(
    _: Callable[[Services, str, int], list[Hit]], /, services: Services, query: str, limit: int
) -> list[Hit]:
    """Return up to 50 documents, also those that do not match, whatever the limit of the request is."""
    return services.index.search(query, 50, -1.0)


SEARCH_ANY_LIMIT = Defect(
    "docs-search-any-limit",
    "The document search takes a limit of any size.",
    checks=("api/websocket:docs-search-limit",),
    layout="B",
).changes(largest_limit, lambda _: 1000)
