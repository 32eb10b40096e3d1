"""`http.contract`: whether every operation conforms to its document, for valid and invalid requests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from xnai_validate.checkers._once import once
from xnai_validate.checkers.http._contract_models import Contract, Kept
from xnai_validate.checkers.http._contract_requests import (
    GeneratedRequest,
    generated_requests,
    note_contract,
    shared_maker,
)
from xnai_validate.checkers.http._openapi_examiner import Examiner, examiner
from xnai_validate.kit import (
    Context,
    NotApplicable,
    Target,
    Unmeasurable,
    checker,
)
from xnai_validate.wire.content import media_type
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.http.client import HttpAnswer, HttpClient, HttpRequest

LISTED_CAP = 20
"""Deviations of one kind that are reported; all are counted."""
SHOWN_CAP = 160
AT_ONCE = 3
"""Checks that send requests at the same time, one after the other each; one process generates for all of them, and one
examines the answers."""
JUDGE_BYTES = 64 * 1024 * 1024
"""What the process takes that holds the answers against the document."""
REFUSED = frozenset({400, 415, 422})
"""Statuses for a request that is itself wrong (RFC 9110 sections 15.5.1, 15.5.16, 15.5.21)."""


@checker(
    "http.contract",
    expect={
        "error": None,
        "status": 200,
        "problems": [],
        "untested": [],
        "server_errors": [],
        "nonconforming": [],
        "unanswered": [],
    },
    notes=lambda params: note_contract(params.memory_cap + JUDGE_BYTES),
    exclusive=True,  # hundreds of requests, and libraries that compute hard: others would be slow meanwhile
    extra="contract",
)
async def contract(params: Contract, ctx: Context) -> Kept:
    """Try every operation of an OpenAPI document with generated requests, and compare the answers with it.

    For each operation requests are generated that the document allows and others that it forbids (Schemathesis, in a
    process of its own). Each must be answered, never with 500 or above, with a declared status, content type and body.
    Valid requests that are refused, and invalid ones that succeed, are facts too: a framework that takes `"5"` for 5
    may do either without harm. Only GET and POST are tried unless operations are named.

    The process has a bound on its memory, `memory_cap`: a document that needs more cannot be judged. Where the host has
    less to give before the guard would end the run, the check is skipped.

        kind: http.contract
        target: api
        with: {operations: [POST /query, POST /stream], examples: 20, fixed: {max_tokens: 4}}
        expect: {refused_valid: [], operations: {min: 2}}
    """
    target = ctx.target
    if target.url is None:
        raise NotApplicable(f"target {target.name} has no url")
    _require_extra()
    places = await ctx.shared(("http", "contract", "places"), lambda: _places(AT_ONCE))
    turn = await ctx.shared(("http", "contract", params.model_dump_json()), lambda: _places(1))
    async with turn, places:
        return await once("contract", params, ctx, lambda: _measure(params, ctx, target))


async def _measure(params: Contract, ctx: Context, target: Target) -> Kept:
    """Fetch the document, send the generated requests, and judge the responses."""
    _require_memory(params.memory_cap + JUDGE_BYTES, ctx)
    client = await ctx.shared(("http",), HttpClient)
    trial = _Trial(params, ctx, client, target)
    url = target.join(params.path, at_root=params.root)
    answer, failure = await trial.fetch(HttpRequest.of(url, headers=params.headers, target=target))
    status = answer.head.status if answer else None
    if answer is not None and failure is None and status == 200:
        await trial.run(answer.body.decode("utf-8-sig", "replace"))
    return trial.facts(status, failure)


@asynccontextmanager
async def _places(count: int) -> AsyncIterator[asyncio.Semaphore]:
    """Allow at most `count` checks of the run at a time."""
    yield asyncio.Semaphore(count)


class _Trial:
    """One run through a document."""

    def __init__(self, params: Contract, ctx: Context, client: HttpClient, target: Target) -> None:
        self.problems: list[str] = []
        self._params, self._ctx, self._client, self._target = params, ctx, client, target
        self._untested: list[str] = []
        self._operations: set[str] = set()
        self._made = {True: 0, False: 0}
        """Whether valid by the document -> how many requests were made."""
        self._found: dict[str, list[tuple[GeneratedRequest, str]]] = {}
        """Fact -> the requests that belong in its list, each with what is wrong with its answer."""
        self._deviating = 0
        self._slowest_ms: float | None = None
        self._making_peak_mib: float | None = None

    async def run(self, text: str) -> None:
        """Generate the requests of a document, make them, and note what is wrong with the answers."""
        prefix = urlsplit(self._target.url or "").path.rstrip("/")
        async with examiner(self._ctx, text, prefix) as process:
            about = await process.about(())
            self.problems = about.problems
            if about.unreadable is not None:
                self.problems = [f"not an OpenAPI document: {about.unreadable}"]
            if about.unreadable is not None or not about.can_be_followed:
                return
            document = await process.document()
            names = [name for name in about.operations if self._is_chosen(name)]
            chosen = self._params.operations
            missing = [operation for operation in chosen if not any(_matches(operation, name) for name in names)]
            self._untested = [f"{operation}: the document does not describe it" for operation in missing]
            at_root = bool(prefix) and any(name.partition(" ")[2].startswith(f"{prefix}/") for name in names)
            async for request in generated_requests(
                await shared_maker(self._ctx),
                document,
                names,
                self._params.examples,
                self._params.seed,
                self._params.fixed,
                self._params.memory_cap,
            ):
                if isinstance(request, GeneratedRequest):
                    await self._send(request, process, at_root)
                else:
                    self._untested += request.untested
                    self._making_peak_mib = request.peak_mib

    def _is_chosen(self, name: str) -> bool:
        """Whether an operation is among those to be tried."""
        if self._params.operations:
            return any(_matches(operation, name) for operation in self._params.operations)
        return name.partition(" ")[0] in map(str.upper, self._params.methods)

    async def _send(self, generated: GeneratedRequest, process: Examiner, at_root: bool) -> None:
        """Send a generated request, and note whether its response deviates."""
        self._operations.add(generated.operation)
        self._made[generated.valid] += 1
        self._ctx.progress(generated.operation)
        before = self._count_deviations()
        await self._ask(generated, process, at_root)
        self._deviating += self._count_deviations() > before

    async def _ask(self, generated: GeneratedRequest, process: Examiner, at_root: bool) -> None:
        """Send a generated request and note where the answer breaks the contract."""
        url = self._target.join(generated.path, at_root=at_root)
        headers = {**generated.headers, **self._params.headers}
        body = generated.body.encode("latin-1")
        request = HttpRequest.of(url, generated.method, headers=headers, body=body, target=self._target)
        try:
            answer, failure = await self.fetch(request)
        except Unmeasurable:
            return  # a method or header that HTTP itself does not allow
        if answer is None or failure is not None:
            self._note_deviation("unanswered", generated, f"{failure.kind if failure else 'no answer'}: {failure}")
            return
        self._slowest_ms = max(self._slowest_ms or 0.0, answer.total_ms)
        status = answer.head.status
        if status >= 500:
            self._note_deviation("server_errors", generated, str(status))
        kind = media_type(answer.head.headers).type
        for text in await process.deviations(generated.method, urlsplit(request.url).path, status, kind, answer.body):
            self._note_deviation("nonconforming", generated, f"{status}: {text}")
        if generated.valid and status in REFUSED:
            self._note_deviation("refused_valid", generated, str(status))
        if not generated.valid and status < 300:
            self._note_deviation("accepted_invalid", generated, str(status))

    async def fetch(self, request: HttpRequest) -> tuple[HttpAnswer | None, WireError | None]:
        """Return the answer as far as it came, and why it is not complete."""
        try:
            answer = await self._client.fetch(request, timeout_s=self._params.timeout, body_cap=self._params.body_cap)
        except WireError as failure:
            return None, failure
        return answer, answer.failure

    def _note_deviation(self, fact: str, generated: GeneratedRequest, deviation: str) -> None:
        """Note a deviation under its fact."""
        self._found.setdefault(fact, []).append((generated, deviation))

    def _count_deviations(self) -> int:
        """Return the number of deviations noted so far."""
        return sum(map(len, self._found.values()))

    def facts(self, status: int | None, failure: WireError | None) -> Kept:
        """Return the facts of all responses."""

        def list_deviations(fact: str) -> list[str]:
            """List the deviations of a fact, each with its request."""
            deviations = self._found.get(fact, ())[:LISTED_CAP]
            return [f"{_format_request(request)}: {deviation}" for request, deviation in deviations]

        def group_deviations(fact: str) -> list[str]:
            """List the deviations of a fact, equal ones once with their number."""
            return _group_by_operation(self._found.get(fact, ()))[:LISTED_CAP]

        return Kept(
            error=failure.kind if failure else None,
            error_detail=failure.detail if failure else None,
            status=status,
            problems=self.problems,
            operations=len(self._operations),
            untested=self._untested[:LISTED_CAP],
            valid_requests=self._made[True],
            invalid_requests=self._made[False],
            server_errors=group_deviations("server_errors"),
            nonconforming=group_deviations("nonconforming"),
            refused_valid=list_deviations("refused_valid"),
            accepted_invalid=list_deviations("accepted_invalid"),
            unanswered=group_deviations("unanswered"),
            deviations=self._deviating,
            slowest_ms=self._slowest_ms,
            making_peak_mib=self._making_peak_mib,
        )


def _matches(operation: str, name: str) -> bool:
    """Whether an operation of the document is the given one; a prefix may stand before its path."""
    verb, _, path = operation.strip().partition(" ")
    method, _, whole = name.partition(" ")
    return method == verb.upper() and whole.endswith(path.strip())


def _group_by_operation(deviations: Sequence[tuple[GeneratedRequest, str]]) -> list[str]:
    """Describe each deviation of an operation once: by its first request, and by how many more had the same."""
    alike: dict[tuple[str, str], list[GeneratedRequest]] = {}
    for request, deviation in deviations:
        alike.setdefault((request.operation, deviation), []).append(request)
    return [
        f"{_format_request(requests[0])}: {deviation}"
        + (f" (and {len(requests) - 1} more alike)" if len(requests) > 1 else "")
        for (_, deviation), requests in alike.items()
    ]


def _format_request(request: GeneratedRequest) -> str:
    """Format a request on one line, so that it can be made again by hand."""
    query = request.path.partition("?")[2]
    parts = [request.operation, f"?{query}" if query else "", f"with {request.body}" if request.body else ""]
    text = json.dumps(" ".join(filter(None, parts)), ensure_ascii=True)[1:-1].replace('\\"', '"')
    return text if len(text) <= SHOWN_CAP else f"{text[:SHOWN_CAP]}... ({len(text)} characters)"


def _require_memory(needed_bytes: int, ctx: Context) -> None:
    """Raise NotApplicable if the host has too little memory left."""
    if ctx.spare_bytes < needed_bytes:
        raise NotApplicable(
            f"generating requests may take {needed_bytes >> 20} MiB, and the host has {ctx.spare_bytes >> 20} MiB left"
            " before the memory guard would end the run"
        )


def _require_extra() -> None:
    """Raise Unmeasurable if a library of the extra is not installed."""
    from importlib.util import find_spec

    if any(find_spec(name) is None for name in ("schemathesis", "openapi_spec_validator", "jsonschema", "regress")):
        raise Unmeasurable("http.contract needs more libraries", hint="pip install 'xnai-validate[contract]'")
