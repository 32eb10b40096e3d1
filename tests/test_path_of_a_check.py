"""How many files one check passes through on its way from YAML to its finding, counted by a profiler."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass
from http.server import BaseHTTPRequestHandler
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import Any

import xnai_validate
from tests.serving import Quiet, serving
from xnai_validate.config.compile.load import load_plan
from xnai_validate.config.options import LoadOptions
from xnai_validate.config.yaml_files.problems import Where
from xnai_validate.engine import Engine
from xnai_validate.model.results.events import CheckFinished
from xnai_validate.model.results.status import Status

ROOT = Path(xnai_validate.__file__).parent
MARKER = "traced-check"
"""Stands in the title, the path, the response and a rule of the check: what holds it is a form of the check."""
DEPTH = 3
"""How deep a value is searched for the marker."""
MOST_FILES = 20


class Page(Quiet, BaseHTTPRequestHandler):
    """Answers every request with a JSON document that holds the marker."""

    def do_GET(self) -> None:
        body = f'{{"word": "{MARKER}"}}'.encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def holds_marker(value: object, depth: int = DEPTH) -> bool:
    """Whether the marker stands in a value, at most `depth` levels deep.

    One text by itself is not a form of a check, and neither is a place in its file.
    """
    if isinstance(value, str):
        return depth < DEPTH and MARKER in value
    if isinstance(value, bytes | bytearray):
        return MARKER.encode() in value
    if depth == 0 or isinstance(value, Where):
        return False
    return any(holds_marker(part, depth - 1) for part in islice(parts_of(value), 60))


def parts_of(value: object) -> Iterable[object]:
    """The items of a container, or the attributes of an object of the package."""
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    if isinstance(value, list | tuple | set | frozenset):
        return list(value)
    if not type(value).__module__.startswith("xnai_validate"):
        return []
    names = {field.name for field in fields(value)} if is_dataclass(value) else set()
    return [getattr(value, name, None) for name in sorted(names | set(getattr(value, "__dict__", ())))]


class Tracer:
    """Notes each function of the package that is called with a form of the check as an argument besides `self`."""

    def __init__(self) -> None:
        self.functions: dict[str, list[str]] = {}
        """File below the package -> names of functions, in the order of their first call."""
        self._known: set[object] = set()

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event != "call" or code in self._known or not code.co_filename.startswith(str(ROOT)):
            return
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        given = [frame.f_locals[name] for name in names if name != "self" and name in frame.f_locals]
        sys.setprofile(None)
        if any(map(holds_marker, given)):
            self._known.add(code)
            self.functions.setdefault(str(Path(code.co_filename).relative_to(ROOT)), []).append(code.co_name)
        sys.setprofile(self)


def traced(action: Callable[[], Any], tracer: Tracer) -> Any:
    """The result of an action while the tracer looks on."""
    sys.setprofile(tracer)
    try:
        return action()
    finally:
        sys.setprofile(None)


async def finished(engine: Engine) -> CheckFinished:
    """Run an engine up to its first finished check, where the tracing ends."""
    async with engine.run() as events:
        async for event in events:
            if isinstance(event, CheckFinished):
                sys.setprofile(None)
                return event
    raise AssertionError("no check finished")


def test_a_check_passes_through_few_files(tmp_path: Path) -> None:
    """From YAML to its finding, one `http.request` check passes through at most as many files as CONTRIBUTING.md can
    describe in ten lines."""
    (tmp_path / "checks/case").mkdir(parents=True)
    (tmp_path / "checks/case/one.yaml").write_text(
        f"title: One\nchecks:\n  - id: it\n    title: The {MARKER} answers\n    kind: http.request\n    target: api\n"
        f"    with: {{path: /{MARKER}}}\n    expect: {{status: 200, json: {{$.word: {MARKER}}}}}\n"
    )
    (tmp_path / "profiles").mkdir()
    tracer = Tracer()
    with serving(Page) as url:
        (tmp_path / "profiles/it.yaml").write_text(f"title: It\nsuites: [case/*]\ntargets: {{api: {{url: '{url}'}}}}\n")
        plan = traced(lambda: load_plan(("it",), LoadOptions(cwd=tmp_path, environ={})), tracer)
        engine = Engine(plan, run_id="traced", version="0", host={}, state=tmp_path / "state")
        event = traced(lambda: asyncio.run(finished(engine)), tracer)
    assert event.status is Status.PASS, event.reason
    assert {finding.fact for finding in event.findings} == {"error", "status", "json $.word"}
    for landmark in ("config/compile/suites.py", "engine/attempts/attempt.py", "checkers/http/request.py"):
        assert landmark in tracer.functions, "the tracer does not see the check"
    listed = "\n".join(f"{file}: {', '.join(names)}" for file, names in tracer.functions.items())
    assert len(tracer.functions) <= MOST_FILES, f"{len(tracer.functions)} files:\n{listed}"
