"""The process that generates requests from an OpenAPI document, a program of its own: `python _contract_child.py`.

It reads JSON lines, each with what to generate. For each it writes a line per request, one with the operations that
have no requests, then one with an exit code. The libraries take seconds to import, so they are imported once; each line
is answered by a forked process, which has limits of its own, since a schema is a program, and which begins from the
same state. The program imports nothing of ours: Hypothesis takes constants from the code around it, and the same seed
shall generate the same requests whatever that code becomes. It is run in an empty folder, for Hypothesis writes down
what it works out.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import resource
import sys
import unicodedata
import warnings
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from schemathesis import APIOperation, Case, GenerationMode

    from xnai_validate.kit import JsonObject

EXHAUSTED = 77
"""The exit code of running out of the memory that it may have."""
CPU_CAP_S = 60
REQUEST_CAP = 64 * 1024
"""Characters of url or body; a larger request is left out."""
TEXT_CAP = 300
_CLIENTS = frozenset({"accept-encoding", "connection", "content-length", "host", "transfer-encoding", "user-agent"})
"""Headers that are the HTTP client's own business."""
_GENERATOR_ERRORS = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError, re.error)
"""What the libraries raise for schemas of odd shapes besides their own exceptions."""
_NO_MEMORY = ("memory", "failed to map", "error return without exception set")
"""In errors of an import: the first two come from a shared library without room, the last from CPython itself."""
_BASE = "http://service"
_TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
_WARM_UP = {
    "openapi": "3.1.0",
    "info": {"title": "Warm-up", "version": "1"},
    "paths": {
        "/": {
            "post": {
                "requestBody": {"required": True, "content": {"application/json": {"schema": _TEXT}}},
                "responses": {"200": {"description": "An answer"}},
            }
        }
    },
}
"""A document whose requests take the libraries through what they import and compute once."""
_ENCODABLE = {"utf-8": [[0, 0xD7FF], [0xE000, 0x10FFFF]], "ascii": [[0, 0x7F]]}
"""The characters of the codecs that requests are made of; all but surrogates, in UTF-8 (RFC 3629 section 3)."""


def main() -> None:
    """Answer every line of stdin, each in a forked process, and write with which code that process ended."""
    warnings.simplefilter("ignore")  # the libraries warn of what documents are like
    _precompute_codec_tables()
    _import_libraries()
    for line in sys.stdin.buffer:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                code = _answer(json.loads(line))
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        _write_answer({"ended": os.waitstatus_to_exitcode(status)})


def _import_libraries() -> None:
    """Import what every answer needs, so that the forked processes share it.

    The libraries import much of themselves at their first use: a small document is answered for that, without output.
    """
    for name in ("hypothesis", "requests", "schemathesis", "schemathesis.openapi"):
        import_module(name)
    warm_up: dict[str, Any] = {"document": _WARM_UP, "operations": ["POST /"], "examples": 1, "seed": 0, "fixed": {}}
    for _ in _requests(warm_up, []):
        pass


def _answer(task: dict[str, Any]) -> int:
    """Write the requests and return the exit code: EXHAUSTED if the memory does not suffice."""
    memory = task["memory_bytes"]
    if _status_kib("VmData") * 1024 > memory:
        return EXHAUSTED
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_CAP_S, CPU_CAP_S))
    # Not RLIMIT_AS: what is only reserved, or read from files that others have mapped too, takes no memory.
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    untested: list[str] = []
    try:
        for request in _requests(task, untested):
            _write_answer(request)
        _write_answer({"untested": untested, "peak_mib": round(_status_kib("VmHWM") / 1024, 1)})
    except (MemoryError, ImportError, SystemError) as error:
        if isinstance(error, MemoryError) or any(words in str(error) for words in _NO_MEMORY):
            return EXHAUSTED
        raise
    return 0


def _precompute_codec_tables() -> None:
    """Write Hypothesis's table of the characters that each codec can encode.

    Building it would cost Hypothesis 200 MiB and two seconds. A version that ignores the file builds it itself, within
    the memory limit.
    """
    folder = Path(".hypothesis", "unicode_data", unicodedata.unidata_version)
    folder.mkdir(parents=True, exist_ok=True)
    for codec, intervals in _ENCODABLE.items():
        table = json.dumps([intervals, []]).encode()  # the second list is for characters that change when decoded again
        (folder / f"codec-v2-{codec}.json.gz").write_bytes(gzip.compress(table, mtime=1))


def _status_kib(name: str) -> int:
    """A figure of this process in KiB, see proc_pid_status(5): VmData, or VmHWM for its peak."""
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    return int(status.partition(f"{name}:")[2].split(None, 1)[0])


def _ran_out(error: BaseException | None) -> bool:
    """Whether running out of memory is behind an error; Hypothesis reports it in words of its own."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, MemoryError) or any(map(_ran_out, getattr(error, "exceptions", ()))):
            return True
        error = error.__cause__ or error.__context__
    return False


def _requests(task: dict[str, Any], untested: list[str]) -> Iterator[JsonObject]:
    """Yield generated requests, valid and invalid ones, for each operation of a document; note those without any."""
    from schemathesis import GenerationMode, openapi
    from schemathesis.config import SchemathesisConfig
    from schemathesis.core.result import Err

    request_counts = dict.fromkeys(task["operations"], 0)
    # A configuration of its own: else one is looked for in the folder that we happen to be in.
    for found in openapi.from_dict(task["document"], config=SchemathesisConfig()).get_all_operations():
        if isinstance(found, Err):
            untested.append(_describe_error("an operation", found.err()))
            continue
        operation = found.ok()
        name = f"{operation.method.upper()} {operation.path}"
        if name not in request_counts:
            continue
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            for case in _cases(operation, mode, task, untested):
                request = _prepare_request(case, mode is GenerationMode.POSITIVE, task["fixed"])
                if request is not None:
                    request_counts[name] += 1
                    yield {"operation": name, **request}
    named = " ".join(untested)
    untested += [
        f"{name}: no request could be generated" for name, n in request_counts.items() if not n and name not in named
    ]


def _cases(
    operation: APIOperation[Any, Any, Any, Any], mode: GenerationMode, task: dict[str, Any], untested: list[str]
) -> list[Case[Any]]:
    """Requests as the schema wants them, or as it does not; the same ones for the same document and seed."""
    from hypothesis import HealthCheck, Phase, given, seed, settings
    from hypothesis.errors import HypothesisException, Unsatisfiable
    from schemathesis.errors import SchemathesisError

    cases: list[Case[Any]] = []
    quiet = settings(
        max_examples=task["examples"],
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )

    @seed(task["seed"])
    @quiet
    @given(operation.as_strategy(generation_mode=mode))
    def keep(case: Case[Any]) -> None:
        """Collect a generated case."""
        cases.append(case)

    try:
        keep()
    except Unsatisfiable:
        pass  # an operation without input has no invalid requests
    except (HypothesisException, SchemathesisError, *_GENERATOR_ERRORS) as error:
        if _ran_out(error):
            raise MemoryError from error
        untested.append(_describe_error(f"{operation.method.upper()} {operation.path}", error))
    return cases


def _prepare_request(case: Case[Any], valid: bool, fixed: JsonObject) -> JsonObject | None:
    """Return the request in its form on the wire; None if it is too large or HTTP cannot express it.

    A `valid` request gets the `fixed` fields in its body.
    """
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
    headers = {str(name): _decode(value) for name, value in sent.headers.items()}
    kept: JsonObject = {
        name: value
        for name, value in headers.items()
        if name.lower() not in _CLIENTS and not name.startswith("X-Schemathesis")
    }
    return {"valid": valid, "method": str(sent.method), "path": path, "headers": kept, "body": body.decode("latin-1")}


def _decode(value: str | bytes) -> str:
    """Return bytes as text."""
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _describe_error(name: str, error: Exception) -> str:
    """Describe an error about one operation."""
    return f"{name}: {type(error).__name__}: {' '.join(str(error).split())}"[:TEXT_CAP]


def _write_answer(answer: object) -> None:
    """Write an answer as a line of JSON."""
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
