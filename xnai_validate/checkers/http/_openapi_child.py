"""The process that examines an OpenAPI document: `python -m xnai_validate.checkers.http._openapi_child`.

It reads JSON lines and answers each with one: the document, then the document again or answers to compare with it. A
document is a program of its author: its patterns may never end, its schemas may multiply. Neither can be stopped within
a process, so they have one of their own, with limits.
"""

from __future__ import annotations

import json
import resource
import sys

import yaml

from xnai_validate.checkers.http._openapi_document import TEXT_CAP, Document
from xnai_validate.kit import JsonObject, JsonValue
from xnai_validate.wire.content import parse_json

MEMORY_CAP = 1 << 30
"""Bytes of address space; the libraries take a quarter of it."""
CPU_CAP_S = 60
OUT_OF_MEMORY = 75
"""The exit code where a document takes more memory than MEMORY_CAP."""
NAMED_CAP = 500
"""Operations that are named; all are counted."""


def main() -> None:
    """Serve until standard input ends; exit with OUT_OF_MEMORY where a document takes too much."""
    try:
        _serve()
    except MemoryError:
        sys.exit(OUT_OF_MEMORY)


def _serve() -> None:
    """Answer the questions on stdin about one OpenAPI document until stdin ends, within bounds of memory and time."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_CAP, MEMORY_CAP))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_CAP_S, CPU_CAP_S + 1))  # SIGXCPU first, SIGKILL a second later
    document: Document | None = None
    problems: list[str] = []
    unreadable: str | None = None
    for line in sys.stdin.buffer:
        question = json.loads(line)
        if "document" in question:
            if document is None and unreadable is None:
                try:
                    document = Document(_parse_document(question["document"]), prefixes=tuple(question["prefixes"]))
                    problems = document.problems()
                except ValueError as error:
                    unreadable = str(error)[:TEXT_CAP]
            if document is None:
                _write_answer({"unreadable": unreadable, "missing": question["operations"]})
            else:
                _write_answer(_describe_document(document, problems, question["operations"]))
        elif document is not None and "as_json" in question:
            _write_answer(document.root)
        elif document is not None:
            body = question["body"].encode("latin-1")
            deviations = document.deviations(
                question["method"], question["path"], question["status"], question["content_type"], body
            )
            _write_answer(deviations)


def _parse_document(text: str) -> JsonObject:
    """Parse a document of JSON or YAML. Raises ValueError."""
    parsed = parse_json(text)
    found = parsed.value if parsed.is_json else _parsed_yaml(text, parsed.error or "")
    if not isinstance(found, dict):
        raise ValueError("the document is not an object")
    return found


def _parsed_yaml(text: str, not_json: str) -> JsonValue:
    """Parse YAML to JSON; the expansion of its aliases is bounded by the memory limit of this process."""
    try:
        loaded = yaml.load(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError):
        raise ValueError(not_json) from None
    if not isinstance(loaded, dict):  # any text is YAML
        raise ValueError(not_json)
    try:
        found: JsonValue = json.loads(json.dumps(loaded, default=str))
    except (TypeError, ValueError):  # keys that JSON does not know, numbers that are none
        raise ValueError("YAML with a key or value that JSON cannot hold") from None
    return found


def _describe_document(document: Document, problems: list[str], expected: list[str]) -> JsonObject:
    """Return the errors, version and operations of a document, and which of the expected ones it lacks."""
    operations = document.operations()
    return {
        "problems": list(problems),
        "can_be_followed": document.can_be_followed,
        "version": document.version,
        "operations": [name[:TEXT_CAP] for name in operations[:NAMED_CAP]],
        "operation_count": len(operations),
        "missing": list(document.missing(expected)),
    }


def _write_answer(answer: object) -> None:
    """Write an answer as a line of JSON."""
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
