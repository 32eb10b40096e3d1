"""What `init` writes for an OpenAPI document: a target, and a suite of checks of its safe operations."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from xnai_validate.importing.openapi.credentials import TargetCredentials, credentials_of
from xnai_validate.importing.openapi.document import ApiDocument, ApiServer, server_of
from xnai_validate.importing.openapi.operations import Operation, operations_of
from xnai_validate.importing.project import Project
from xnai_validate.importing.stack_checks import API, ImportedStack, Part, unique_ids
from xnai_validate.model.json import JsonObject, JsonValue

CALLS_CAP = 50
"""Calls that one check of kind `http.openapi` makes."""
TITLE_CAP = 120
_OWN_IDS = ("answers", "schemas")
"""Ids of the checks that belong to no operation."""
# By default `http.openapi` expects a status too, which a document of a file does not come with.
_CONFORMS: JsonObject = {"valid": True, "nonconforming": []}


@dataclass(frozen=True, slots=True)
class ApiTarget:
    """The name and the url of the target of an API, as the command line gives them."""

    name: str
    url: str


def api_project(document: ApiDocument) -> Project:
    """The project of a document without compose files; its name is that of the API."""
    name = re.sub(r"[^a-z0-9]+", "-", document.title.lower()).strip("-")[:40].strip("-")
    return Project(name or "api", (), ())


def add_api(stack: ImportedStack, document: ApiDocument, given: ApiTarget | None = None) -> None:
    """Add the target of an API to a stack, or find it among its parts, and the checks of its safe operations."""
    server = ApiServer(given.url.rstrip("/")) if given else server_of(document)
    part = _find_or_add_part(stack, server, given.name if given else None)
    operations = operations_of(document)
    needed = [operation.requirements for operation in operations.taken if operation.requirements]
    credentials = credentials_of(document, needed, part.name)
    part.target |= credentials.fields
    part.comments += [*([server.remark] if server.remark else []), *credentials.comments]
    taken = []
    for operation in operations.taken:
        if credentials.cover(operation.requirements):
            taken.append(operation)
        else:
            operations.left_out[operation.name] = _describe_refusal(operation, credentials)
    stack.suites[API] += _checks(document, part.name, server, taken)
    project = stack.project
    stack.project = replace(
        project,
        sources=(*project.sources, document.source),
        left_out={**project.left_out, **operations.left_out},
    )


def _find_or_add_part(stack: ImportedStack, server: ApiServer, name: str | None) -> Part:
    """Return the part of the stack whose target has the host and port of the server, else a new part.

    A server whose url has a path gets a part of its own: the checks of the existing part start at the root.
    """
    same = next((part for part in stack.parts if _place(str(part.target.get("url", ""))) == _place(server.url)), None)
    if same is not None and name in (None, same.name) and not urlsplit(server.url).path:
        same.target["url"] = server.url
        return same
    taken = {part.name for part in stack.parts}
    target: JsonObject = {"url": server.url}
    if same is not None and "container" in same.target:
        target["container"] = same.target["container"]
    new = Part(next(each for each in (name, "api", "openapi") if each and each not in taken), [], target)
    stack.parts.append(new)
    return new


def _place(url: str) -> tuple[str | None, int | None]:
    """Host and port of a url."""
    parts = urlsplit(url)
    host = {"localhost": "127.0.0.1", "::1": "127.0.0.1"}.get(parts.hostname or "", parts.hostname)
    return host, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _describe_refusal(operation: Operation, credentials: TargetCredentials) -> str:
    """Describe which credentials an operation needs."""
    schemes = " or ".join(" and ".join(sorted(each)) for each in operation.requirements)
    has = f", and its target has {', '.join(sorted(credentials.schemes))}" if credentials.schemes else ""
    return f"needs the credentials {schemes}{has}"


def _checks(document: ApiDocument, target: str, server: ApiServer, operations: list[Operation]) -> list[JsonObject]:
    """The check that the API answers, one of each operation, and those that compare answers with the schemas."""
    ids = unique_ids([*(operation.name for operation in operations), *_OWN_IDS])
    title = "The API accepts connections"
    answers: JsonObject = {"id": ids["answers"], "title": title, "kind": "tcp.connect", "target": target}
    needs: list[JsonValue] = [ids["answers"]]
    checks = [answers]
    for operation in operations:
        params: JsonObject = {"path": operation.request.target, **_describe_request(operation)}
        if operation.method != "GET":
            params["method"] = operation.method
        checks.append(
            {
                "id": ids[operation.name], "title": _title_of(operation), "kind": "http.request", "target": target,
                "with": params, "expect": _expected_response(operation), "needs": list(needs),
            }
        )  # fmt: skip
    for start in range(0, max(len(operations), 1), CALLS_CAP):
        number = start // CALLS_CAP + 1
        calls: list[JsonValue] = [_expected_call(operation) for operation in operations[start : start + CALLS_CAP]]
        schemas: JsonObject = {
            "id": ids["schemas"] if number == 1 else f"{ids['schemas']}-part-{number}",
            "title": f"The document is valid, and answers conform to its schemas{_part_suffix(number)}",
            "kind": "http.openapi", "target": target, "with": _where(document, server) | {"calls": calls},
            "needs": list(needs),
        }  # fmt: skip
        checks.append(schemas if document.is_served else {**schemas, "expect": dict(_CONFORMS)})
    return checks


def _part_suffix(number: int) -> str:
    """Return the suffix of the title of a suite that is one of several."""
    return f", part {number}" if number > 1 else ""


def _where(document: ApiDocument, server: ApiServer) -> JsonObject:
    """The params that lead `http.openapi` to the document: its url, or the file."""
    if not document.is_served:
        return {"file": document.source}
    parts = urlsplit(document.source)
    if _place(document.source) != _place(server.url):
        return {"path": document.source}
    return {"path": f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"}


def _describe_request(operation: Operation) -> JsonObject:
    """Describe the headers and cookies of the request."""
    parts: JsonObject = {"headers": dict(operation.request.headers)} if operation.request.headers else {}
    return parts | ({"cookies": dict(operation.request.cookies)} if operation.request.cookies else {})


def _expected_call(operation: Operation) -> JsonObject:
    """Return the request of an operation and the status that it declares."""
    call: JsonObject = {"path": operation.request.target}
    if operation.method != "GET":
        call["method"] = operation.method
    headers: JsonObject = dict(operation.request.headers)
    if operation.request.cookies:
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in operation.request.cookies.items())
    if headers:
        call["headers"] = headers
    if len(operation.statuses) == 1:
        call["status"] = operation.statuses[0]
    return call


def _expected_response(operation: Operation) -> JsonObject:
    """Return status and media type as declared."""
    statuses: list[JsonValue] = list(operation.statuses)
    any_success: JsonValue = {"min": 200, "max": 399}
    expected: JsonObject = {"status": _rule_for(statuses) if statuses else any_success}
    kinds: list[JsonValue] = list(operation.media_types)
    if kinds:
        expected["content_type"] = _rule_for(kinds)
    return expected


def _rule_for(values: list[JsonValue]) -> JsonValue:
    """Return the rule for one value or for several."""
    return values[0] if len(values) == 1 else {"in": values}


def _title_of(operation: Operation) -> str:
    """Return the title of the check of an operation."""
    summary = "".join(each if each.isprintable() else " " for each in operation.summary).strip()
    return (
        f"{operation.name}: {summary}"[:TITLE_CAP] if summary else f"{operation.name} answers as declared"[:TITLE_CAP]
    )
