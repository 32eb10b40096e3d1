"""The process that makes up requests from an OpenAPI document, a program of its own: `python contract_child.py`.

It reads one JSON line, what is wanted, and writes a line for each request, then one with the operations it could make
nothing of. Like the examiner of documents it has limits, and can be ended from outside: a schema is a program. It
imports nothing of ours: Hypothesis takes constants from the code around it, and the same seed shall make up the same
requests whatever that code becomes.
"""

from __future__ import annotations

import json
import re
import resource
import sys
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from schemathesis import APIOperation, Case, GenerationMode

    from xnai_validate.kit import JsonObject

MEMORY_CAP = 2 << 30
"""Bytes of address space; the libraries take a third of it."""
CPU_CAP_S = 60
REQUEST_CAP = 64 * 1024
"""Characters of url or body; a larger request is left out."""
TEXT_CAP = 300
_CLIENTS = frozenset({"accept-encoding", "connection", "content-length", "host", "transfer-encoding", "user-agent"})
"""Headers that are the HTTP client's own business."""
_STUMBLES = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError, re.error)
_BASE = "http://service"


def main() -> None:
    """Make up the requests and end."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_CAP, MEMORY_CAP))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_CAP_S, CPU_CAP_S))
    warnings.simplefilter("ignore")  # the libraries warn of what documents are like
    asked = json.loads(sys.stdin.buffer.readline())
    untested: list[str] = []
    for request in _requests(asked, untested):
        _say(request)
    _say({"untested": untested})


def _requests(asked: dict[str, Any], untested: list[str]) -> Iterator[JsonObject]:
    from schemathesis import GenerationMode, openapi
    from schemathesis.config import SchemathesisConfig
    from schemathesis.core.result import Err

    wanted = dict.fromkeys(asked["operations"], 0)
    # A configuration of its own: else one is looked for in the folder that we happen to be in.
    for found in openapi.from_dict(asked["document"], config=SchemathesisConfig()).get_all_operations():
        if isinstance(found, Err):
            untested.append(_told("an operation", found.err()))
            continue
        operation = found.ok()
        name = f"{operation.method.upper()} {operation.path}"
        if name not in wanted:
            continue
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            for case in _cases(operation, mode, asked, untested):
                request = _prepared(case, mode is GenerationMode.POSITIVE, asked["fixed"])
                if request is not None:
                    wanted[name] += 1
                    yield {"operation": name, **request}
    told = " ".join(untested)
    untested += [f"{name}: no request could be made up" for name, n in wanted.items() if not n and name not in told]


def _cases(
    operation: APIOperation[Any, Any, Any, Any], mode: GenerationMode, asked: dict[str, Any], untested: list[str]
) -> list[Case[Any]]:
    """Requests as the schema wants them, or as it does not; the same ones for the same document and seed."""
    from hypothesis import HealthCheck, Phase, given, seed, settings
    from hypothesis.errors import HypothesisException, Unsatisfiable
    from schemathesis.errors import SchemathesisError

    cases: list[Case[Any]] = []
    quiet = settings(
        max_examples=asked["examples"],
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )

    @seed(asked["seed"])
    @quiet
    @given(operation.as_strategy(generation_mode=mode))
    def keep(case: Case[Any]) -> None:
        cases.append(case)

    try:
        keep()
    except Unsatisfiable:
        pass  # an operation that takes nothing cannot be asked wrongly
    except (HypothesisException, SchemathesisError, *_STUMBLES) as error:
        untested.append(_told(f"{operation.method.upper()} {operation.path}", error))
    return cases


def _prepared(case: Case[Any], valid: bool, fixed: JsonObject) -> JsonObject | None:
    """The request as it goes over the wire; None for one that is too large or that HTTP has no form for."""
    import requests

    if valid and isinstance(case.body, dict):
        case.body = {**case.body, **fixed}
    try:
        sent = requests.Request(**case.as_transport_kwargs(base_url=_BASE)).prepare()
    except (ValueError, TypeError, OSError, RecursionError):
        return None
    body = sent.body if isinstance(sent.body, bytes) else str(sent.body or "").encode("utf-8", "surrogatepass")
    url = urlsplit(str(sent.url))
    path = f"{url.path}?{url.query}" if url.query else url.path
    if len(path) + len(body) > REQUEST_CAP:
        return None
    headers = {str(name): _text(value) for name, value in sent.headers.items()}
    kept: JsonObject = {
        name: value
        for name, value in headers.items()
        if name.lower() not in _CLIENTS and not name.startswith("X-Schemathesis")
    }
    return {"valid": valid, "method": str(sent.method), "path": path, "headers": kept, "body": body.decode("latin-1")}


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _told(name: str, error: Exception) -> str:
    return f"{name}: {type(error).__name__}: {' '.join(str(error).split())}"[:TEXT_CAP]


def _say(answer: object) -> None:
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
