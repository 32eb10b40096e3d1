"""The parameters of an operation: the values that its document gives, and the request that they make."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from xnai_validate.importing.openapi.document import ApiDocument, mapping
from xnai_validate.model.json import JsonObject, JsonValue

_IGNORED_HEADERS = ("accept", "content-type", "authorization")
"""Parameters in headers that have no effect (OpenAPI 3.1, Parameter Object)."""
_PATH = "/%:@!$&'()*+,;=~-._"


class LeftOut(Exception):
    """The operation gets no check; the text is the reason."""


@dataclass(slots=True)
class RequestParts:
    """A request as a document makes it: its path with query, headers and cookies."""

    path: str
    query: list[str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)

    @property
    def target(self) -> str:
        """Path and query."""
        return f"{self.path}?{'&'.join(self.query)}" if self.query else self.path


def request_parts(document: ApiDocument, template: str, parameters: list[JsonValue]) -> RequestParts:
    """The request of a path template with the values of its required parameters.

    Raises LeftOut for a required parameter without an example, a default or an enumeration.
    """
    parts = RequestParts(quote(_encodable(template, "its path"), safe=_PATH + "{}"))
    for (place, name), parameter in _merge(document, parameters).items():
        if place != "path" and parameter.get("required") is not True:
            continue
        if place == "header" and name.lower() in _IGNORED_HEADERS:
            continue
        value = _value(document, parameter)
        if value is None:
            raise LeftOut(f"needs the parameter {name}, for which the document has no example")
        _put(parts, place, name, value, parameter)
    if "{" in parts.path:
        raise LeftOut("has a parameter in its path that it does not declare")
    return parts


def _merge(document: ApiDocument, parameters: list[JsonValue]) -> Mapping[tuple[str, str], JsonObject]:
    """Return parameters by place and name; later ones replace earlier ones."""
    found: dict[tuple[str, str], JsonObject] = {}
    for raw in parameters:
        parameter = document.followed(raw)
        place, name = parameter.get("in"), parameter.get("name")
        if not isinstance(place, str) or not isinstance(name, str):
            raise LeftOut("has a parameter that this document does not describe")
        found[place, name] = parameter
    return found


def _value(document: ApiDocument, parameter: JsonObject) -> JsonValue:
    """The value of a parameter that the document gives: an example, a default, or the first of an enumeration."""
    content = mapping(parameter.get("content"))
    if not content:
        return _find_example(document, parameter)
    value = _find_example(document, document.followed(next(iter(content.values()))))
    return None if value is None else json.dumps(value, ensure_ascii=False)


def _find_example(document: ApiDocument, described: JsonObject) -> JsonValue:
    """Return the first example, default or allowed value that a parameter declares; None without any."""
    example = described.get("example")
    if example is not None:
        return example
    for raw in mapping(described.get("examples")).values():
        value = document.followed(raw).get("value")
        if value is not None:
            return value
    schema = document.followed(described.get("schema"))
    examples, choices = schema.get("examples"), schema.get("enum")
    given: list[JsonValue] = [schema.get("example")]
    given += examples if isinstance(examples, list) else []
    given += [schema.get("default"), schema.get("const")]
    given += choices if isinstance(choices, list) else []
    return next((value for value in given if value is not None), None)


def _put(parts: RequestParts, place: str, name: str, value: JsonValue, parameter: JsonObject) -> None:
    """Write a value where its parameter belongs, in the default style of that place (OpenAPI 3.1, Style Values)."""
    usual = {"path": "simple", "header": "simple", "query": "form", "cookie": "form"}
    if place not in usual or parameter.get("style", usual.get(place)) != usual[place] or isinstance(value, dict):
        raise LeftOut(f"has the parameter {name} in a form that init does not write")
    items = [_encode_text(item, name) for item in (value if isinstance(value, list) else [value])]
    if place == "path":
        text = quote(",".join(items), safe=",")
        if f"{{{name}}}" not in parts.path and f"{{{quote(name)}}}" not in parts.path:
            raise LeftOut(f"declares the parameter {name}, which its path does not have")
        parts.path = parts.path.replace(f"{{{name}}}", text).replace(f"{{{quote(name)}}}", text)
    elif place == "query":
        key = quote(_encodable(name, "a parameter"), safe="[]")
        texts = items if parameter.get("explode", True) is not False else [",".join(items)]
        parts.query += [f"{key}={quote(text, safe=',')}" for text in texts]
    elif place == "header":
        parts.headers[name] = ",".join(items)
    else:
        parts.cookies[name] = ",".join(items)


def _encode_text(value: JsonValue, name: str) -> str:
    """Return a value as the text of a parameter. Raises LeftOut for a list or an object."""
    if isinstance(value, dict | list):
        raise LeftOut(f"has the parameter {name} in a form that init does not write")
    return _encodable(value if isinstance(value, str) else json.dumps(value), f"the example of {name}")


def _encodable(text: str, what: str) -> str:
    """The text. Raises LeftOut where it has a lone surrogate or a control character."""
    if not text.isprintable():
        raise LeftOut(f"has a character in {what} that no request may have")
    return text
