"""The operations of a document that change no state and whose request is known, and why the others are left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from xnai_validate.importing.openapi.credentials import Requirement, requirements_of
from xnai_validate.importing.openapi.document import ApiDocument, mapping
from xnai_validate.importing.openapi.parameters import LeftOut, RequestParts, request_parts
from xnai_validate.model.json import JsonObject, JsonValue
from xnai_validate.wire.http.request import verified_cookie_name, verified_cookie_value, verify_headers

SAFE = ("get", "head")
"""Methods that change no state, and whose answers have a schema (RFC 9110 section 9.2.1)."""
METHODS = (*SAFE, "post", "put", "patch", "delete", "options", "trace", "query")
OPERATIONS_CAP = 1_000
"""Operations that get a check."""
_TOO_MANY = f"is left out: a suite gets at most {OPERATIONS_CAP} operations"
_STREAMS = ("text/event-stream", "application/x-ndjson", "application/stream+json", "application/jsonl")


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation that a check requests."""

    method: str
    """In capitals."""
    template: str
    """The path as the document has it."""
    request: RequestParts
    summary: str
    responses: dict[int | None, tuple[str, ...]]
    """Status of a declared success -> the media types that it may have; None for one that is declared as a range."""
    requirements: list[Requirement]
    """The alternatives of its credentials; empty for an operation that is open to all."""

    @property
    def name(self) -> str:
        """`GET /items/{id}`."""
        return f"{self.method} {self.template}"

    @property
    def statuses(self) -> list[int]:
        """The statuses of a success; empty where a range of them is declared."""
        return [] if None in self.responses else [status for status in self.responses if status is not None]

    @property
    def media_types(self) -> list[str]:
        """The media types of a success; empty where any is allowed, or none is declared."""
        kinds = list(dict.fromkeys(kind for kinds in self.responses.values() for kind in kinds))
        is_open = any("*" in kind for kind in kinds) or not all(self.responses.values())
        return [] if is_open or self.method == "HEAD" else kinds


@dataclass(slots=True)
class Operations:
    """What a document describes."""

    taken: list[Operation] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    """`POST /items` -> why it has no check."""


def operations_of(document: ApiDocument) -> Operations:
    """The safe operations of a document, in its order, and those that are left out."""
    operations = Operations()
    for template, raw in mapping(document.root.get("paths")).items():
        item = document.followed(raw)
        if not item and mapping(raw):
            operations.left_out[f"all of {template}"] = "is described in another document"
        for method in METHODS:
            if method in item:
                name = f"{method.upper()} {template}"
                if len(operations.taken) >= OPERATIONS_CAP:
                    operations.left_out[f"what follows {operations.taken[-1].name}"] = _TOO_MANY
                    return operations
                try:
                    operations.taken.append(_read_operation(document, template, method, item))
                except LeftOut as reason:
                    operations.left_out[name] = str(reason)
    return operations


def _read_operation(document: ApiDocument, template: str, method: str, item: JsonObject) -> Operation:
    """Return an operation that can be called. Raises LeftOut with the reason why it cannot."""
    operation = mapping(item[method])
    if method not in SAFE:
        is_harmless = method in ("options", "trace")
        raise LeftOut("has a method that init writes no check for" if is_harmless else "may change state")
    servers = operation.get("servers", item.get("servers"))
    if servers:
        raise LeftOut("has servers of its own, and a profile gives the API one url")
    if mapping(operation.get("requestBody")):
        raise LeftOut("needs a body")
    request = request_parts(
        document, template, [*_list_or_empty(item.get("parameters")), *_list_or_empty(operation.get("parameters"))]
    )
    try:
        for name, value in request.cookies.items():
            verified_cookie_name(name)
            verified_cookie_value(value)
        verify_headers(method.upper(), request.headers)
    except ValueError:
        raise LeftOut("has an example of a header or cookie that HTTP does not allow") from None
    responses = dict(_responses(document, operation))
    if any(kind in _STREAMS for kinds in responses.values() for kind in kinds):
        raise LeftOut("answers with a stream; `kind: sse.stream` or `ndjson.stream` measures it")
    summary = operation.get("summary")
    return Operation(
        method.upper(),
        template,
        request,
        summary if isinstance(summary, str) else "",
        responses,
        requirements_of(document, operation),
    )


def _responses(document: ApiDocument, operation: JsonObject) -> Iterator[tuple[int | None, tuple[str, ...]]]:
    """The declared successes: those of 2xx, else of 3xx, else what `default` declares."""
    declared = mapping(operation.get("responses"))
    for first in "23":
        responses = {key: value for key, value in declared.items() if re.fullmatch(rf"{first}(\d\d|XX)", key, re.I)}
        for key, value in responses.items():
            yield int(key) if key.isdecimal() else None, _media_types_of(document.followed(value))
        if responses:
            return
    yield None, _media_types_of(document.followed(declared.get("default")))


def _media_types_of(response: JsonObject) -> tuple[str, ...]:
    """Return the media types of a response."""
    return tuple(key.partition(";")[0].strip().lower() for key in mapping(response.get("content")))


def _list_or_empty(node: JsonValue) -> list[JsonValue]:
    """Return the value if it is a list, else an empty one."""
    return node if isinstance(node, list) else []
