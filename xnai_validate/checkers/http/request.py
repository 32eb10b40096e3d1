"""`http.request`: one request, or the same one many times, and all facts of the response."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter

from xnai_validate.checkers.http._models import Answered, Request
from xnai_validate.kit import Context, ErrorKind, JsonValue, NotApplicable, XnaiError, checker
from xnai_validate.wire.content import json_text_of, media_type, text_of
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.http.client import HttpAnswer, HttpClient, HttpRequest
from xnai_validate.wire.http.cookies import set_cookies
from xnai_validate.wire.http.head import Head

TEXT_CAP = 64 * 1024
"""Characters of a body that are kept as the fact `text`."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of one request."""

    answer: HttpAnswer | None
    failure: WireError | None
    elapsed_ms: float


class _Tally:
    """Numbers over all requests, and the one answer that is shown."""

    __slots__ = ("failed", "made", "shown", "statuses", "times_ms")

    def __init__(self) -> None:
        self.made = 0
        self.failed = 0
        self.statuses: Counter[str] = Counter()
        self.times_ms: list[float] = []
        self.shown: _Outcome | None = None

    def add(self, outcome: _Outcome) -> None:
        """Count a response, and keep the worst one to be shown."""
        self.made += 1
        if outcome.answer is not None:
            self.statuses[str(outcome.answer.head.status)] += 1
        if outcome.failure is not None:
            self.failed += 1
        elif outcome.answer is not None:
            self.times_ms.append(outcome.answer.total_ms)
        if self.shown is None or _badness(outcome) >= _badness(self.shown):
            first_failure = self.shown is not None and self.shown.failure is not None
            self.shown = self.shown if first_failure else outcome


def _badness(outcome: _Outcome) -> int:
    """Return how bad an outcome is: the status of the response, more for a failure."""
    if outcome.failure is not None or outcome.answer is None:
        return 1000
    return outcome.answer.head.status


@checker("http.request", expect={"error": None, "status": 200}, from_workers=True)
async def request(params: Request, ctx: Context) -> Answered:
    """Make an HTTP request and take the whole answer.

    HTTP/1.1 (RFC 9112), or HTTP/2 (RFC 9113) where the target has `http2`; through the target's `proxy`, with its
    `auth`. Cookies are sent, and kept along redirections, where `cookies` asks for it. Connections are kept between
    requests and checks, so `connect_ms` is known only where one was opened; `fresh` asks for that. A request with an
    effect (POST, PATCH) always opens one.
    With `repeat`, the facts show the worst answer - the first error, else the last of the highest status - so that one
    bad answer in a hundred is not lost; `statuses`, `median_ms` and `slowest_ms` are of all.

        kind: http.request
        target: api
        with: {method: POST, path: /query, json: {query: "What is Xoe-NovAi?"}, timeout: 5s}
        expect: {status: 200, content_type: application/json, json: {$.response: {length: {min: 1}}}}
        warn: {total_ms: {max: 500}}
    """
    target = ctx.target
    if not target.can_request(params.path):
        raise NotApplicable(f"target {target.name} has no url")
    if target.scheme in ("tcp", "wyoming") and target.join(params.path).startswith(f"{target.scheme}:"):
        raise NotApplicable(f"target {target.name} speaks {target.scheme}, not HTTP")
    client = await ctx.shared(("http",), HttpClient)
    http_request = params.request(target, fresh=params.fresh)
    tally = _Tally()
    if params.repeat == 1:
        tally.add(await _send_once(client, http_request, params))
    else:
        await _many(client, http_request, params, tally)
    return _facts_of(tally, ctx.clock.time())


async def _many(client: HttpClient, http_request: HttpRequest, params: Request, tally: _Tally) -> None:
    """Make the request `repeat` times, at most `concurrent` at once, and add every outcome to the tally."""
    turns: Iterator[int] = iter(range(params.repeat))

    async def send_in_turn() -> None:
        """Send requests until all are sent."""
        for _ in turns:
            tally.add(await _send_once(client, http_request, params))

    try:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(min(params.concurrent, params.repeat)):
                tasks.create_task(send_in_turn())
    except ExceptionGroup as group:
        first = group.exceptions[0]
        raise first if isinstance(first, XnaiError) else group from None


async def _send_once(client: HttpClient, http_request: HttpRequest, params: Request) -> _Outcome:
    """Send the request once; a failure is part of the outcome."""
    started = perf_counter()
    try:
        answer = await client.fetch(
            http_request, timeout_s=params.timeout, body_cap=params.body_cap, redirects=params.redirects
        )
    except WireError as failure:
        return _Outcome(None, failure, (perf_counter() - started) * 1000)
    return _Outcome(answer, answer.failure, answer.total_ms)


def _facts_of(tally: _Tally, now_s: float) -> Answered:
    """Return the facts of all responses; details are those of the one shown."""
    assert tally.shown is not None
    failure, answer = tally.shown.failure, tally.shown.answer
    kind = media_type(answer.head.headers) if answer else None
    parsed = json_text_of(answer.body) if answer else None
    return Answered(
        error=failure.kind if failure else None,
        error_detail=failure.detail if failure else None,
        status=answer.head.status if answer else None,
        reason=answer.head.reason if answer else None,
        http_version=answer.head.http_version if answer else None,
        headers=answer.head.headers if answer else None,
        set_cookies=_describe_cookies(answer.head, now_s) if answer else None,
        content_type=kind.type if kind else None,
        charset=kind.charset if kind else None,
        size_bytes=len(answer.body) if answer else None,
        text=text_of(answer.body, kind.charset if kind else None, TEXT_CAP) if answer else None,
        json=parsed.value if parsed else None,
        json_valid=parsed.is_json if parsed else None,
        json_detail=parsed.error if parsed else None,
        duplicate_keys=list(parsed.duplicate_keys) if parsed and parsed.is_json else None,
        connect_ms=answer.timing.connect_ms if answer else None,
        tls_ms=answer.timing.tls_ms if answer else None,
        first_byte_ms=answer.timing.first_byte_ms if answer else None,
        total_ms=answer.total_ms if answer and not failure else None,
        redirects=list(answer.redirects) if answer else None,
        url=answer.url if answer else None,
        truncated=(failure is not None and failure.kind is ErrorKind.TOO_LARGE) if answer else None,
        requests=tally.made,
        failed_requests=tally.failed,
        statuses=dict(sorted(tally.statuses.items())),
        slowest_ms=max(tally.times_ms, default=None),
        median_ms=_median(tally.times_ms),
    )


def _describe_cookies(head: Head, now_s: float) -> list[JsonValue]:
    """Return the cookies that a response sets."""
    # The key `cookie` is one whose value every report masks.
    return [
        {
            "name": cookie.name,
            "cookie": cookie.value,
            "attributes": cookie.attributes,
            "lifetime_s": cookie.lifetime_s,
            "domain": cookie.domain,
            "path": cookie.path,
            "secure": cookie.secure,
            "http_only": cookie.http_only,
            "same_site": cookie.same_site,
        }
        for cookie in set_cookies(head, now_s)
    ]


def _median(values: list[float]) -> float | None:
    """Return the median; None without values."""
    if len(values) <= 1:
        return values[0] if values else None
    from statistics import median

    return median(values)
