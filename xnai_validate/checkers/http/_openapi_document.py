"""An OpenAPI document: its errors, its operations, and how an answer differs from what it declares."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from xnai_validate.kit import JsonObject, JsonValue
from xnai_validate.wire.content import json_of

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")
PROBLEMS_CAP = 50
DEVIATIONS_CAP = 20
TEXT_CAP = 300
PATTERN_CAP = 60
_VALIDATOR_ERRORS = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError, re.error)
"""What the validator raises for documents of odd shapes besides its own exceptions."""
_URI = "urn:openapi:document"


class Document:
    """A parsed document. `prefixes`: paths that may stand before a declared path in a request, such as a gateway's."""

    def __init__(self, root: JsonObject, *, prefixes: tuple[str, ...] = ()) -> None:
        self.root = root
        self.can_be_followed = True
        """Whether answers can be compared with it: it has no errors but patterns that cannot be read."""
        servers = _list_or_empty(root.get("servers"))
        paths = [urlsplit(str(_object_or_empty(server).get("url", ""))).path for server in servers]
        base = root.get("basePath")  # OpenAPI 2.0
        paths += [base] if isinstance(base, str) else []
        self._prefixes = tuple(dict.fromkeys(p.rstrip("/") for p in ("", *prefixes, *paths)))

    @property
    def version(self) -> str | None:
        """The version of the specification: `3.1.0`."""
        found = self.root.get("openapi", self.root.get("swagger"))
        return found if isinstance(found, str) else None

    def problems(self) -> list[str]:
        """Return at most PROBLEMS_CAP errors of the document; set `can_be_followed`. Imports heavy libraries."""
        foreign = sorted({ref for ref in _find_references(self.root) if not ref.startswith("#")})
        self.can_be_followed = not foreign
        if foreign:  # a validator would send requests to wherever they point
            return [f"$ref leads out of the document: {ref[:TEXT_CAP]}" for ref in foreign[:PROBLEMS_CAP]]
        from openapi_spec_validator.exceptions import OpenAPIError
        from openapi_spec_validator.shortcuts import get_validator_cls
        from openapi_spec_validator.validation.exceptions import ValidatorDetectError
        from referencing.exceptions import Unresolvable

        from xnai_validate.checkers.http._ecma_patterns import (
            unreadable_patterns,
            with_readable_patterns,
            without_unreadable_patterns,
        )

        errors: list[str] = []
        try:
            for place, pattern in islice(unreadable_patterns(self.root), PROBLEMS_CAP):
                errors.append(f"{place}: {pattern[:PATTERN_CAP]!r} is not a regular expression of ECMA-262"[:TEXT_CAP])
            readable = with_readable_patterns(without_unreadable_patterns(self.root))
            for error in get_validator_cls(readable)(readable).iter_errors():
                self.can_be_followed = False
                text = f"{error.json_path}: {error.message}"[:TEXT_CAP]
                if text not in errors:  # a schema that is referred to twice is validated twice
                    errors.append(text)
                if len(errors) >= PROBLEMS_CAP:
                    break
        except ValidatorDetectError:
            self.can_be_followed = False
            errors.append(f"not a version of OpenAPI that is known: {self.version}")
        except Unresolvable as error:
            self.can_be_followed = False
            errors.append(f"$ref leads nowhere: {error.ref}"[:TEXT_CAP])
        except (OpenAPIError, *_VALIDATOR_ERRORS) as error:
            self.can_be_followed = False
            # The validator walks documents of any shape and gives up on some of them in its own ways.
            errors.append(f"cannot be validated to its end: {type(error).__name__}: {error}"[:TEXT_CAP])
        if errors and self.can_be_followed:  # the patterns are named; the rest is judged without them
            self.root = without_unreadable_patterns(self.root)
        return errors

    def operations(self) -> tuple[str, ...]:
        """`GET /health` of every operation, in the document's order."""
        return tuple(f"{method.upper()} {path}" for path, method, _ in self._operations)

    def missing(self, operations: list[str]) -> list[str]:
        """Return those of `operations` that are not described; a prefix may stand before the path of either side."""
        described = {(method, _shape(path)) for path, method, _ in self._operations}
        described |= {(method, _shape(p + path)) for path, method, _ in self._operations for p in self._prefixes}
        absent = []
        for name in operations:
            method, _, path = name.strip().partition(" ")
            shapes = {(method.lower(), _shape(prefix + path.strip())) for prefix in self._prefixes}
            if not shapes & described:
                absent.append(name)
        return absent

    def deviations(self, method: str, path: str, status: int, content_type: str | None, body: bytes) -> list[str]:
        """How an answer differs from what is declared for the operation that a request path belongs to."""
        operation = self._operation(method.lower(), path)
        if operation is None:
            return ["no such operation is described"]
        responses = _object_or_empty(operation.get("responses"))
        key = next((k for k in (str(status), f"{status // 100}XX", "default") if k in responses), None)
        if key is None:
            return [f"this status is not declared; declared are {', '.join(responses) or 'none'}"]
        response = self._follow(responses[key])
        if "swagger" in self.root:
            schema, declared = response.get("schema"), content_type
        else:
            content = _object_or_empty(response.get("content"))
            if not content:
                return []
            declared = _media_key(content, content_type)
            if declared is None:
                return [f"content type {content_type} is not declared; declared are {', '.join(content)}"]
            schema = _object_or_empty(content[declared]).get("schema")
        is_json = content_type is not None and (content_type.endswith(("/json", "+json")))
        if schema is None or not is_json:
            return []
        document, valid = json_of(body)
        return self._schema_deviations(schema, document) if valid else ["the body is not JSON"]

    def _schema_deviations(self, schema: JsonValue, document: JsonValue) -> list[str]:
        """Return where a JSON document deviates from a schema, in words."""
        from jsonschema.exceptions import SchemaError, UndefinedTypeCheck, UnknownType
        from referencing.exceptions import Unresolvable

        deviations = []
        try:
            for error in self._validator(schema).iter_errors(document):
                deviations.append(f"{error.json_path}: {error.message}"[:TEXT_CAP])
                if len(deviations) >= DEVIATIONS_CAP:
                    break
        except (Unresolvable, SchemaError, UndefinedTypeCheck, UnknownType, *_VALIDATOR_ERRORS) as error:
            deviations.append(f"the schema cannot be followed: {error}"[:TEXT_CAP])
        return deviations

    def _validator(self, schema: JsonValue) -> Validator:
        """A validator of one schema of the document, in the dialect of its version."""
        from jsonschema import validators
        from openapi_schema_validator import OAS30ReadValidator, OAS31Validator, OAS32Validator
        from referencing import Registry
        from referencing.jsonschema import DRAFT202012

        from xnai_validate.checkers.http._ecma_patterns import KEYWORDS

        version = self.version or ""
        kind = OAS32Validator if version.startswith("3.2") else OAS31Validator
        if version.startswith(("3.0", "2.")):
            kind = OAS30ReadValidator
        kind = validators.extend(kind, KEYWORDS)  # type: ignore[no-untyped-call]
        registry: Registry[JsonValue] = Registry().with_resource(_URI, DRAFT202012.create_resource(self.root))
        validator: Validator = kind(_absolute(schema), registry=registry, format_checker=kind.FORMAT_CHECKER)
        return validator

    @cached_property
    def _operations(self) -> tuple[tuple[str, str, JsonObject], ...]:
        """(path, method, operation), references of path items followed."""
        return tuple(
            (path, method, _object_or_empty(item[method]))
            for path, raw in _object_or_empty(self.root.get("paths")).items()
            for item in (self._follow(raw),)
            for method in METHODS
            if method in item
        )

    def _operation(self, method: str, path: str) -> JsonObject | None:
        """The operation of a request path; where several templates match, the one with the fewest parameters."""
        candidates = list(self._paths_by_prefix(path))
        matches = [
            (template.count("{"), operation)
            for template, its_method, operation in self._operations
            if its_method == method
            and any(_compile_template(template).fullmatch(candidate) for candidate in candidates)
        ]
        return min(matches, key=lambda match: match[0])[1] if matches else None

    def _paths_by_prefix(self, path: str) -> Iterator[str]:
        """Yield the path with and without each prefix of the servers."""
        plain = unquote(path)
        for prefix in self._prefixes:
            yield prefix + plain
            if prefix and plain.startswith(f"{prefix}/"):
                yield plain[len(prefix) :]

    def _follow(self, node: JsonValue) -> JsonObject:
        """Return a mapping, or the one it refers to within the document; empty if the reference leads nowhere."""
        for _ in range(10):
            mapping = _object_or_empty(node)
            ref = mapping.get("$ref")
            if not isinstance(ref, str):
                return mapping
            node = self._resolve(ref)
        return {}

    def _resolve(self, ref: str) -> JsonValue:
        """Return what a reference within the document points to; None if it points nowhere."""
        node: JsonValue = self.root
        for raw in unquote(ref.removeprefix("#")).split("/")[1:]:
            part = raw.replace("~1", "/").replace("~0", "~")
            node = _object_or_empty(node).get(part)
        return node


def _absolute(schema: JsonValue) -> JsonValue:
    """The schema with references that name the whole document, so that they lead there from anywhere."""
    if isinstance(schema, list):
        return [_absolute(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: f"{_URI}{quote(value, safe='#/~%')}"
        if key == "$ref" and isinstance(value, str) and value.startswith("#")
        else _absolute(value)
        for key, value in schema.items()
    }


def _find_references(node: JsonValue) -> Iterator[str]:
    """Yield every `$ref` in a document."""
    waiting = [node]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            ref = value.get("$ref")
            if isinstance(ref, str):
                yield ref
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def _media_key(content: Mapping[str, JsonValue], content_type: str | None) -> str | None:
    """The declared media type that covers one; `application/*` and `*/*` are ranges."""
    if content_type is None:
        return None
    kind = content_type.partition("/")[0]
    plain = {key.partition(";")[0].strip().lower(): key for key in content}
    return next((plain[key] for key in (content_type, f"{kind}/*", "*/*") if key in plain), None)


def _shape(path: str) -> str:
    """A path template without the names of its parameters."""
    return re.sub(r"\{[^}/]*\}", "{}", path.rstrip("/") or "/")


def _compile_template(template: str) -> re.Pattern[str]:
    """Compile a path template, such as `/items/{id}`, to a regular expression."""
    parts = re.split(r"\{[^}/]*\}", template)
    return re.compile("[^/]+".join(re.escape(part) for part in parts))


def _object_or_empty(node: object) -> JsonObject:
    """Return the value if it is a JSON object, else an empty one."""
    return node if isinstance(node, dict) else {}


def _list_or_empty(node: object) -> list[JsonValue]:
    """Return the value if it is a list, else an empty one."""
    return node if isinstance(node, list) else []
