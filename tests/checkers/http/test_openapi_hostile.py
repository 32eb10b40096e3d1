"""OpenAPI documents that would hang, flood or break a naive validator."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import psutil
import pytest

from tests.context import beside, call_checker, check_context, observe
from tests.scripted import Line, ReceivedRequest, ok, scripted
from xnai_validate.checkers.http import _openapi_examiner as openapi_examiner
from xnai_validate.kit import Target, Unmeasurable


def document(schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A document with one operation, whose answer has that schema."""
    response = {"description": "it", "content": {"application/json": {"schema": schema}}}
    paths = {"/x": {"get": {"responses": {"200": response}}}}
    return {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths, **more}


def facts(described: dict[str, Any], body: object = None, **with_: Any) -> dict[str, Any]:
    """The facts of a check on a service with that document."""

    async def script(request: ReceivedRequest, line: Line) -> bool:
        content = described if request.path == "/openapi.json" else body
        return await ok(json.dumps(content).encode(), "Content-Type: application/json")(request, line)

    with scripted(script) as server:
        return dict(observe("http.openapi", Target("api", server.url()), calls=[{"path": "/x"}], **with_).facts)


@pytest.fixture
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openapi_examiner, "EXAMINE_S", 6.0)


@pytest.mark.usefixtures("_hurried")
def test_a_pattern_that_never_ends_is_ended() -> None:
    """A regular expression of the document cannot hang the run: other tasks go on, and the finding has the reason."""
    described = document({"type": "string", "pattern": "^(a+)+$"})

    async def script(request: ReceivedRequest, line: Line) -> bool:
        content = described if request.path == "/openapi.json" else "a" * 64 + "b"
        return await ok(json.dumps(content).encode(), "Content-Type: application/json")(request, line)

    async def run(target: Target) -> tuple[Any, int]:
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0.05)

        async with check_context("http.openapi", target, calls=[{"path": "/x"}]) as ctx:
            task = asyncio.create_task(other())
            seen = await call_checker(ctx)
            task.cancel()
        return seen, turns

    started = time.monotonic()
    with scripted(script) as server:
        seen, turns = asyncio.run(run(Target("api", server.url())))
    assert seen.nonconforming == [
        "GET /x 200: cannot be compared with its schema: that takes too long or too much memory"
    ]
    assert turns > 20
    assert time.monotonic() - started < 60


@pytest.mark.usefixtures("_hurried")
def test_schemas_that_multiply_are_ended() -> None:
    """Thirty schemas that each name the next one twice are a thousand million steps."""
    schemas: dict[str, Any] = {f"s{n}": {"allOf": [{"$ref": f"#/components/schemas/s{n + 1}"}] * 2} for n in range(30)}
    schemas["s30"] = {"type": "string"}
    described = document({"$ref": "#/components/schemas/s0"}, components={"schemas": schemas})
    try:
        texts = facts(described, body="x")["nonconforming"]
    except Unmeasurable as error:  # the document itself took too long: then nothing is judged
        texts = [error.message]
    assert any("too long" in text or "not validated to its end" in text for text in texts)


@pytest.mark.parametrize(
    ("schema", "body"),
    [
        ({"$ref": "#/components/schemas/loop"}, {"a": 1}),
        ({"type": "string", "pattern": "(("}, "x"),
        ({"type": "number", "multipleOf": 0.1}, 1e308),
        ({"type": ["nonsense"]}, 1),
        ({"$ref": "http://127.0.0.1:1/x"}, 1),
    ],
)
def test_what_cannot_be_followed_is_reported(schema: dict[str, Any], body: object) -> None:
    """Circles, broken patterns, absurd numbers and foreign references end in words or in nothing, never in a crash."""
    loop = {"loop": {"allOf": [{"$ref": "#/components/schemas/loop"}]}}
    found = facts(document(schema, components={"schemas": loop}), body)
    assert found["error"] is None
    assert found["valid"] is not None
    assert all(len(text) < 400 for text in [*found["problems"], *found["nonconforming"]])


def test_long_names_are_cut() -> None:
    """A path of thousands of braces is neither kept nor does it take quadratic time in the run."""
    described = document({"type": "string"})
    described["paths"]["/" + "{" * 3_000] = {"get": {"responses": {"200": {"description": "it"}}}}
    found = facts(described, "x", operations=["GET /y"])
    assert max(map(len, found["operations"])) <= 300


def examiners() -> int:
    """How many processes that examine documents run below this one."""
    return sum("_openapi_child" in " ".join(child.cmdline()) for child in psutil.Process().children())


def test_checks_of_one_document_share_its_process_until_it_is_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three checks at once have one process; it ends when none has used it for a while, and returns where one asks."""
    monkeypatch.setattr(openapi_examiner, "IDLE_S", 0.2)
    described = json.dumps(document({"type": "string"})).encode()

    async def run(target: Target) -> tuple[int, int, list[Any]]:
        async with check_context("http.openapi", target, operations=["GET /x"]) as ctx:
            missing = beside(ctx, "http.openapi", {"operations": ["GET /y"]})
            differs = beside(ctx, "http.openapi", {"calls": [{"path": "/x"}]})
            facts: list[Any] = await asyncio.gather(*map(call_checker, (ctx, missing, differs)))
            during = examiners()
            await asyncio.sleep(0.6)
            after = examiners()
            facts.append(await call_checker(differs))
        return during, after, facts

    with scripted(ok(described, "Content-Type: application/json")) as server:
        during, after, facts = asyncio.run(run(Target("api", server.url())))
    assert (during, after, examiners()) == (1, 0, 0)
    assert [described.missing_operations for described in facts] == [[], ["GET /y"], [], []]
    assert [len(described.nonconforming) for described in facts] == [0, 0, 1, 1]


def test_a_check_that_is_cancelled_leaves_no_answer_to_the_next() -> None:
    """The answer to a question that nobody waits for any more is not taken for the next one's."""
    described = json.dumps(document({"type": "string"})).encode()

    async def run(target: Target) -> Any:
        async with check_context("http.openapi", target, operations=["GET /y"]) as ctx:
            cancelled = asyncio.create_task(call_checker(ctx))
            while not examiners():  # noqa: ASYNC110 - nothing wakes a test when a process begins
                await asyncio.sleep(0.01)
            cancelled.cancel()
            await asyncio.wait((cancelled,))
            return await call_checker(beside(ctx, "http.openapi", {"operations": ["GET /x"]}))

    with scripted(ok(described, "Content-Type: application/json")) as server:
        facts = asyncio.run(run(Target("api", server.url())))
    assert (facts.missing_operations, facts.valid) == ([], True)


def test_a_process_that_breaks_is_an_error_and_no_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """What went wrong in the tool is not a deviation of the service: the check is an error with the last words."""
    monkeypatch.setattr(openapi_examiner, "PROGRAM", "xnai_validate.no_such_module")
    message = "the process that examines the OpenAPI document ended with code 1: .*no_such_module"
    with pytest.raises(Unmeasurable, match=message):
        facts(document({"type": "string"}))


def test_a_process_that_is_killed_by_others_is_an_error() -> None:
    """As by the kernel where the host has no memory left: nothing is known of the document then."""
    described = document({"type": "string", "pattern": "^(a+)+$"})

    async def script(request: ReceivedRequest, line: Line) -> bool:
        content = described if request.path == "/openapi.json" else "a" * 64 + "b"
        return await ok(json.dumps(content).encode(), "Content-Type: application/json")(request, line)

    async def run(target: Target) -> None:
        async with check_context("http.openapi", target, calls=[{"path": "/x"}]) as ctx:
            check = asyncio.create_task(call_checker(ctx))
            while not (working := busy_examiners()):  # noqa: ASYNC110 - nothing wakes a test when a process computes
                await asyncio.sleep(0.05)
            for process in working:
                process.kill()
            with pytest.raises(Unmeasurable, match="ended with code -9"):
                await check

    with scripted(script) as server:
        asyncio.run(run(Target("api", server.url())))


def busy_examiners() -> list[psutil.Process]:
    """The processes below this one that examine a document, once they have computed for a while."""
    found = [child for child in psutil.Process().children() if "_openapi_child" in " ".join(child.cmdline())]
    return [child for child in found if child.cpu_times().user > 0.2]
