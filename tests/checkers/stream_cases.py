"""Streams as servers of the field send them, one a file; the name of the file carries the expectation.

`<case>.pass.yaml`: every default rule of the kind holds. `<case>.fails-<fact>.yaml`: the rule of that fact alone fails.
A file has `send` (pieces of the body, and pauses), `facts` (a value, or `{min, max}`), and optionally `with`.

A busy machine delays what is read, and never brings it early. So a case whose times are out of bounds is observed
again, up to `ATTEMPTS` times: a stream that is read wrongly is out of bounds each time.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import yaml

from tests.checkers.beside import tcp_server
from tests.context import observe
from xnai_validate.kit import Observed, Target

ATTEMPTS = 5


def case_files(test_file: str) -> list[Path]:
    """The cases beside a test file."""
    return sorted(Path(test_file).with_name("cases").glob("*.yaml"))


def run_case(path: Path, kind: str, content_type: str, **with_: Any) -> tuple[dict[str, Any], Observed]:
    """Serve the stream of a case and observe it; return the case and what was observed at the last attempt."""
    case = yaml.safe_load(path.read_text(encoding="utf-8"))

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nConnection: close\r\n\r\n".encode())
        for piece in case["send"]:
            if isinstance(piece, dict):
                await asyncio.sleep(piece["pause_ms"] / 1000)
            else:
                writer.write(piece.encode())
                await writer.drain()

    with tcp_server(answer) as port:
        target = Target("api", f"http://127.0.0.1:{port}")
        for _ in range(ATTEMPTS):
            observed = observe(kind, target, **{"method": "GET", "path": "/", **with_, **case.get("with", {})})
            if all(_in_bounds(expected, observed.facts[fact]) for fact, expected in case["facts"].items()):
                break
        return case, observed


def _in_bounds(expected: Any, got: Any) -> bool:
    """Whether a time is within its bounds; a value without bounds is not a time."""
    if not isinstance(expected, dict) or not expected.keys() <= {"min", "max"}:
        return True
    return got is not None and expected.get("min", 0) <= got <= expected.get("max", 1e9)


def verify_case(path: Path, case: dict[str, Any], observed: Observed) -> None:
    """Compare the facts with the case, and the rules that failed with the name of its file."""
    for fact, expected in case["facts"].items():
        got = observed.facts[fact]
        if isinstance(expected, dict) and expected.keys() <= {"min", "max"}:
            assert _in_bounds(expected, got), (fact, got)
        else:
            assert got == expected, (fact, got)
    expectation = path.stem.rpartition(".")[2]
    failed = [finding.fact for finding in observed.findings if not finding.held]
    assert failed == ([] if expectation == "pass" else [expectation.removeprefix("fails-").replace("-", "_")])
