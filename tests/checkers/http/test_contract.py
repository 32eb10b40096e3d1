"""Made-up requests against a service and its OpenAPI document."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.context import call_checker, check_context, observe, observe_each
from tests.eventually import eventually
from tests.scripted import Line, ReceivedRequest, ok, scripted
from xnai_validate.checkers.http import _contract_requests as contract_requests
from xnai_validate.checkers.http._contract_requests import (
    GeneratedRequest,
    Untested,
    generated_requests,
    note_contract,
    request_maker,
)
from xnai_validate.errors import NotApplicable, Unmeasurable
from xnai_validate.kit import Observed, Target

ANSWER = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
REQUEST_SCHEMA = {
    "type": "object",
    "properties": {"text": {"type": "string", "minLength": 1}, "size": {"type": "integer", "minimum": 1, "maximum": 9}},
    "required": ["text"],
}


def response(schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": "it", "content": {"application/json": {"schema": schema}}}


def document(prefix: str = "", schema: dict[str, Any] = REQUEST_SCHEMA) -> dict[str, Any]:
    refusal = response({"type": "object", "required": ["error"]})
    take = {
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": {"200": response(ANSWER), "400": refusal},
    }
    limit = {"name": "limit", "in": "query", "required": True, "schema": {"type": "integer", "minimum": 1}}
    find = {"parameters": [limit], "responses": {"200": response(ANSWER), "400": refusal}}
    drop = {"responses": {"204": {"description": "gone"}}}
    paths = {f"{prefix}/take": {"post": take}, f"{prefix}/find": {"get": find, "delete": drop}}
    return {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths}


class Service:
    """Keeps its document, or breaks it in one way."""

    def __init__(self, wrong: str = "", prefix: str = "") -> None:
        self.wrong, self.prefix = wrong, prefix
        self.methods: set[str] = set()

    async def script(self, request: ReceivedRequest, line: Line) -> bool:
        if request.path == "/openapi.json":
            return await ok(json.dumps(document(self.prefix)).encode(), "Content-Type: application/json")(request, line)
        self.methods.add(request.method)
        if not request.path.startswith(self.prefix):
            return await ok(b"", status="404 Not Found")(request, line)
        status, body = self._answer(request, self._is_valid(request))
        return await ok(json.dumps(body).encode(), "Content-Type: application/json", status=f"{status} Said")(
            request, line
        )

    def _is_valid(self, request: ReceivedRequest) -> bool:
        if request.method == "GET":
            (limit,) = parse_qs(urlsplit(request.path).query).get("limit", [""])[:1] or [""]
            return limit.isdigit() and int(limit) >= 1
        try:
            body = json.loads(request.body)
        except ValueError:
            return False
        if not isinstance(body, dict) or not isinstance(body.get("text"), str) or not body["text"]:
            return False
        size = body.get("size", 1)
        return isinstance(size, int | float) and not isinstance(size, bool) and size == int(size) and 1 <= size <= 9

    def _answer(self, request: ReceivedRequest, valid: bool) -> tuple[int, Any]:
        if self.wrong == "fails" and not valid:
            return 500, {"error": "x"}
        if self.wrong == "refuses" and request.method == "POST":
            return 400, {"error": "x"}
        if self.wrong == "accepts" or valid:
            return 200, {"n": "one" if self.wrong == "types" else 1}
        return (422 if self.wrong == "undeclared" else 400), {"error": "no"}


def seen(wrong: str = "", **with_: Any) -> tuple[Observed, Service]:
    """What is found of one service, and the service."""
    service = Service(wrong)
    [found] = seen_each({"": (service, "")}, **with_).values()
    return found, service


def seen_each(services: Mapping[str, tuple[Service, str]], **with_: Any) -> dict[str, Observed]:
    """What is found of each service, named, at the base path of its urls; one process makes up all requests."""
    with ExitStack() as servers:
        targets = []
        for name, (service, base) in services.items():
            server = servers.enter_context(scripted(service.script))
            targets.append(Target(name or "api", server.url(base), root=server.url()))
        return dict(zip(services, observe_each("http.contract", targets, examples=8, **with_), strict=True))


def test_a_service_that_keeps_its_document_passes() -> None:
    """Valid and invalid requests for each operation, all answered as declared; nothing is deleted."""
    found, service = seen(expect={"refused_valid": []})
    assert found.held, found.findings
    facts = found.facts
    assert facts["operations"] == 2
    assert facts["valid_requests"] >= 10
    assert facts["invalid_requests"] >= 10
    assert service.methods == {"GET", "POST"}


BROKEN = {
    "fails": {"server_errors", "nonconforming"},
    "types": {"nonconforming"},
    "undeclared": {"nonconforming"},
    "refuses": {"refused_valid"},
    "accepts": {"accepted_invalid"},
}
"""How a service breaks its document -> the facts that show it."""


def test_each_broken_promise_is_found() -> None:
    """Each shows in its own list, with the operation named."""
    expect = {"refused_valid": [], "accepted_invalid": {"length": {"max": 3}}}
    found = seen_each({wrong: (Service(wrong), "") for wrong in BROKEN}, expect=expect)
    for wrong, facts in BROKEN.items():
        broken = {finding.fact.partition(" ")[0] for finding in found[wrong].findings if not finding.held}
        assert broken == facts, wrong
        for fact in facts:
            assert found[wrong].facts[fact][0].startswith(("POST /take", "GET /find")), wrong
        assert found[wrong].facts["deviations"] > 0, wrong


def test_requests_that_deviate_alike_are_one_item() -> None:
    """Twenty requests with the same undeclared status are one line, with their number."""
    found, _ = seen("undeclared", operations=["POST /take"])
    (item,) = found.facts["nonconforming"]
    assert re.search(r"^POST /take with .*: 422: .*not declared.* \(and \d+ more alike\)$", item), item


def test_paths_are_found_with_and_without_a_prefix() -> None:
    """Whether the document's paths have the prefix of the target's url or not, its operations are reached."""
    services = {
        "both": (Service(prefix="/v1"), "/v1"),
        "neither": (Service(), ""),
        "document": (Service(prefix="/v1"), ""),
    }
    for name, found in seen_each(services, operations=["POST /take"]).items():
        assert found.held, (name, found.findings)
        assert found.facts["operations"] == 1, name


def test_an_operation_that_is_not_described_is_reported() -> None:
    """What was asked for and is not there is untested, so the check fails."""
    found, _ = seen(operations=["POST /nowhere"])
    assert found.facts["untested"] == ["POST /nowhere: the document does not describe it"]
    assert not found.held


def test_fields_can_be_fixed_in_valid_bodies() -> None:
    """Every valid body has them; invalid ones stay as they were generated."""

    async def bodies() -> tuple[list[bytes], list[bytes]]:
        async with request_maker() as maker:
            made = [item async for item in generated_requests(maker, document(), ["POST /take"], 10, 1, {"size": 3})]
        requests = [item for item in made if isinstance(item, GeneratedRequest)]
        return [r.body.encode("latin-1") for r in requests if r.valid], [
            r.body.encode("latin-1") for r in requests if not r.valid
        ]

    valid, invalid = asyncio.run(bodies())
    assert {json.loads(body)["size"] for body in valid} == {3}
    assert invalid
    assert asyncio.run(bodies()) == (valid, invalid), "the same seed generates the same requests"


def test_one_process_makes_up_the_requests_of_a_run() -> None:
    """Later questions get the same requests as the first; after a question it cannot answer, a new process does."""

    async def answers() -> list[list[object]]:
        async with request_maker() as maker:

            async def ask() -> list[object]:
                return [item async for item in generated_requests(maker, document(), ["POST /take"], 10, 1, {})]

            first, processes = await ask(), _children_of_ours("contract_child.py")
            second = await ask()
            assert len(processes) == 1
            assert _children_of_ours("contract_child.py") == processes
            os.kill(processes[0], signal.SIGKILL)
            with pytest.raises(Unmeasurable, match="was killed"):
                await ask()
            third = await ask()
            os.kill(_children_of_ours("contract_child.py")[0], signal.SIGKILL)
            assert await asyncio.to_thread(eventually, lambda: not _children_of_ours("contract_child.py"))
            await asyncio.sleep(0.02)
            fourth = await ask()  # what was killed while it waited is known, and replaced before it is asked
        assert _children_of_ours("contract_child.py") == []
        # Without the last entry, which has the peak memory.
        return [answer[:-1] for answer in (first, second, third, fourth)]

    first, *others = asyncio.run(answers())
    assert first
    assert others == [first, first, first]


@pytest.mark.parametrize(("noted", "spare_bytes", "count"), [(True, 2**28, 1), (True, 2**26, 0), (False, 2**28, 0)])
def test_the_process_is_started_with_the_look_at_the_document(noted: bool, spare_bytes: int, count: int) -> None:
    """Where checks of the run will need it, it imports its libraries meanwhile, if the host has the memory for it."""

    async def processes() -> int:
        with scripted(Service().script) as server:
            async with check_context("http.openapi", Target("api", server.url()), spare_bytes=spare_bytes) as ctx:
                ctx.scope.shared.notes = note_contract(2**27) if noted else {}
                assert (await call_checker(ctx)).valid  # type: ignore[attr-defined]
                return len(_children_of_ours("contract_child.py"))

    assert asyncio.run(processes()) == count
    assert _children_of_ours("contract_child.py") == []


def test_a_look_at_the_document_does_not_fail_with_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that the host refuses to start is the business of the check that needs it."""

    async def refuse(_: contract_requests.RequestMaker) -> asyncio.subprocess.Process:
        raise BlockingIOError("Resource temporarily unavailable")

    async def look() -> bool:
        with scripted(Service().script) as server:
            async with check_context("http.openapi", Target("api", server.url())) as ctx:
                ctx.scope.shared.notes = note_contract(2**27)
                return bool((await call_checker(ctx)).valid)  # type: ignore[attr-defined]

    monkeypatch.setattr(contract_requests.RequestMaker, "_start_process", refuse)
    assert asyncio.run(look())


def test_a_document_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """A schema that nothing satisfies in any time ends by our clock, and is reported."""
    monkeypatch.setattr(contract_requests, "MAKE_UP_S", 5.0)
    slow = {"type": "string", "pattern": "^(a{1,900}){1,900}$", "minLength": 800_000}

    async def made() -> list[Any]:
        operations = ["POST /take", "GET /find"]
        slow_document = document(schema=slow)
        async with request_maker() as maker:
            return [item async for item in generated_requests(maker, slow_document, operations, 50, 1, {}, 1 << 30)]

    untested = [item for item in asyncio.run(asyncio.wait_for(made(), 60)) if isinstance(item, Untested)]
    assert untested
    assert untested[-1].untested


def test_an_invalid_document_is_named() -> None:
    """Not JSON, or a document with errors: nothing is tried, and the check fails."""
    with scripted(ok(b"<html>", "Content-Type: text/html")) as server:
        found = observe("http.contract", Target("api", server.url()))
    assert found.facts["operations"] == 0
    problem = found.facts["problems"][0]
    assert problem.startswith("not an OpenAPI document: not JSON: expecting value in line 1, column 1")
    with scripted(ok(b'{"openapi": "3.1.0"}', "Content-Type: application/json")) as server:
        found = observe("http.contract", Target("api", server.url()))
    assert found.facts["problems"]
    assert not found.held


def test_a_pattern_that_cannot_be_read_is_named_and_the_rest_is_tried() -> None:
    """The document has an error, and its operations are tried all the same, without that pattern."""
    properties = {"text": {"type": "string", "minLength": 1}, "size": {"type": "string", "pattern": "("}}
    described = document(schema={**REQUEST_SCHEMA, "properties": properties})

    async def script(request: ReceivedRequest, line: Line) -> bool:
        body = described if request.path == "/openapi.json" else {"n": "1"}
        return await ok(json.dumps(body).encode(), "Content-Type: application/json")(request, line)

    with scripted(script) as server:
        facts = observe("http.contract", Target("api", server.url()), examples=2, operations=["POST /take"]).facts
    assert len(facts["problems"]) == 1
    assert "requestBody.content.application/json.schema.properties.size.pattern: '(' is" in facts["problems"][0]
    assert facts["untested"] == []
    assert facts["valid_requests"] > 0
    assert len(facts["nonconforming"]) == 1


def test_making_up_requests_takes_little_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where Hypothesis finds none of the tables that it keeps, and it does not begin to keep some where we are."""
    monkeypatch.chdir(tmp_path)
    found, _ = seen()
    assert 20 < found.facts["making_peak_mib"] < 110
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mib", [8, 16, 32])
def test_a_process_that_gets_too_little_memory_judges_nothing(mib: int) -> None:
    """Whether it is stopped before, amid or after its imports, the reason is reported, and no request is made."""
    service = Service()

    async def made() -> list[object]:
        async with request_maker() as maker:
            return [item async for item in generated_requests(maker, document(), ["POST /take"], 10, 1, {}, mib << 20)]

    with pytest.raises(Unmeasurable, match=f"takes more than the {mib} MiB"):
        asyncio.run(made())
    if mib == 32:
        with scripted(service.script) as server, pytest.raises(Unmeasurable, match="takes more than the 32 MiB"):
            observe("http.contract", Target("api", server.url()), memory_cap="32MiB")
        assert service.methods == set()


def test_a_document_that_needs_more_than_it_may_have_is_not_judged() -> None:
    """What grows while requests are generated is stopped at the limit, which is not exceeded."""
    options = [{"type": "string", "enum": [f"{n}-{'x' * 2_000}"]} for n in range(1_500)]
    large = document(schema={"type": "object", "properties": {"text": {"anyOf": options}}})

    async def made() -> list[object]:
        async with request_maker() as maker:
            return [item async for item in generated_requests(maker, large, ["POST /take"], 50, 1, {}, 56 << 20)]

    with pytest.raises(Unmeasurable, match="takes more than the 56 MiB"):
        asyncio.run(made())


def test_a_process_that_the_system_kills_judges_nothing() -> None:
    """As the system does that has no memory left: the reason is that, and not that the service is wrong."""

    async def made() -> None:
        async with request_maker() as maker:
            async for _ in generated_requests(maker, document(), ["POST /take"], 200, 1, {}):
                pass

    async def killed() -> None:
        async with asyncio.TaskGroup() as tasks:
            making = tasks.create_task(raises())
            while not making.done():
                for pid in _children_of_ours("contract_child.py"):
                    os.kill(pid, signal.SIGKILL)
                await asyncio.sleep(0.01)

    async def raises() -> None:
        with pytest.raises(Unmeasurable, match="was killed"):
            await made()

    asyncio.run(asyncio.wait_for(killed(), 30))


def _children_of_ours(name: str) -> list[int]:
    pids = [int(pid) for file in Path("/proc/self/task").glob("*/children") for pid in file.read_text().split()]
    return [pid for pid in pids if name in Path(f"/proc/{pid}/cmdline").read_text()]


def test_a_host_without_memory_to_give_is_spared() -> None:
    """The check is not begun where its processes might take what the guard ends the run for."""
    with scripted(Service().script) as server:
        target = Target("api", server.url())
        with pytest.raises(NotApplicable, match="may take 192 MiB, and the host has 191 MiB left"):
            observe("http.contract", target, spare_bytes=191 << 20)
        assert server.requests == []
