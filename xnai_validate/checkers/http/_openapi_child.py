"""The process that examines an OpenAPI document: `python -m xnai_validate.checkers.http._openapi_child`.

It reads JSON lines and answers each with one: first the document, then the answers to compare with it. A document
is a program of its author: its patterns may never end, its schemas may multiply. Neither can be stopped within a
process, so they have one of their own, with limits.
"""

from __future__ import annotations

import json
import resource
import sys

from xnai_validate.checkers.http._openapi_document import TEXT_CAP, Document
from xnai_validate.kit import JsonObject

MEMORY_CAP = 1 << 30
"""Bytes of address space; the libraries take a quarter of it."""
CPU_CAP_S = 60
NAMED_CAP = 500
"""Operations that are named; all are counted."""


def main() -> None:
    """Serve until standard input ends."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_CAP, MEMORY_CAP))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_CAP_S, CPU_CAP_S))
    asked = json.loads(sys.stdin.buffer.readline())
    document = Document(asked["document"], prefixes=tuple(asked["prefixes"]))
    _say(_about(document, asked["wanted"]))
    for line in sys.stdin.buffer:
        one = json.loads(line)
        body = one["body"].encode("latin-1")
        _say(document.deviations(one["method"], one["path"], one["status"], one["content_type"], body))


def _about(document: Document, wanted: list[str]) -> JsonObject:
    operations = document.operations()
    return {
        "problems": list(document.problems()),
        "version": document.version,
        "operations": [name[:TEXT_CAP] for name in operations[:NAMED_CAP]],
        "operation_count": len(operations),
        "missing": list(document.missing(wanted)),
    }


def _say(answer: object) -> None:
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
