"""`metrics.samples`: metrics in Prometheus' text format or OpenMetrics."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from importlib.util import find_spec
from itertools import islice
from threading import Event
from typing import TypeVar

from xnai_validate.checkers.metrics._exposition import SAMPLES_CAP, Exposition, parse
from xnai_validate.checkers.metrics._models import Samples, Scrape
from xnai_validate.kit import (
    Context,
    ErrorKind,
    NotApplicable,
    Unmeasurable,
    checker,
)
from xnai_validate.wire.content import media_type
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.http.client import HttpAnswer, HttpClient, HttpRequest

T = TypeVar("T")

AT_ONCE = 65_536
"""Bytes that are parsed without a thread."""
OPENMETRICS = "application/openmetrics-text"


@checker(
    "metrics.samples",
    expect={"error": None, "status": 200, "valid": True, "missing": []},
    extra="metrics",
    preload=("prometheus_client.parser",),
    from_workers=True,
)
async def samples(params: Scrape, ctx: Context) -> Samples:
    """Scrape metrics and parse every sample.

    The parser is that of Prometheus' own Python client. Values are as exposed at one moment; how far a counter moves
    during something is measured by `flow.delta` around this.

        kind: metrics.samples
        target: metrics
        with: {wanted: [xnai_requests_total, xnai_response_latency_ms]}
        expect: {families: {xnai_requests_total: counter}, samples: {xnai_active_sessions: {min: 0}}}
        warn: {label_sets: {xnai_response_latency_ms: {max: 50}}}
    """
    if find_spec("prometheus_client") is None:
        raise Unmeasurable("metrics.samples needs another library", hint="pip install 'xnai-validate[metrics]'")
    target = ctx.target
    if not target.can_request(params.path):
        raise NotApplicable(f"target {target.name} has no url")
    client = await ctx.shared(("http",), HttpClient)
    url = target.join(params.path, at_root=params.root)
    try:
        answer = await client.fetch(
            HttpRequest.of(url, headers=params.headers, target=target),
            timeout_s=params.timeout,
            body_cap=params.body_cap,
        )
    except WireError as failure:
        return _facts_of_failure(None, failure)
    if params.skip_without and answer.failure is None and answer.head.status != 200:
        raise NotApplicable(f"{target.name} has no metrics: {params.path} is answered with {answer.head.status}")
    if answer.failure is not None or answer.head.status != 200:
        return _facts_of_failure(answer, answer.failure)
    kind = media_type(answer.head.headers).type
    try:
        exposition, problem = await _parse(answer.body, kind == OPENMETRICS, params.timeout)
    except TimeoutError:
        return _facts_of_failure(answer, WireError(ErrorKind.TIMEOUT, f"not parsed within {params.timeout:g} s"))
    absent = [name for name in params.skip_without if exposition.value(name) is None and name not in exposition.single]
    if absent and problem is None:
        raise NotApplicable(f"{target.name} exposes no sample of {', '.join(absent)}")
    return _facts_of(answer, kind, exposition, problem, params.wanted)


async def _parse(body: bytes, openmetrics: bool, timeout_s: float) -> tuple[Exposition, str | None]:
    """`parse`, in a thread if the body is large, so that other checks run meanwhile; raises TimeoutError."""
    if len(body) <= AT_ONCE:
        return parse(body, openmetrics=openmetrics)
    stop = Event()
    try:
        async with asyncio.timeout(timeout_s):
            return await asyncio.to_thread(parse, body, openmetrics=openmetrics, stop=stop)
    finally:
        stop.set()  # a thread cannot be cancelled: it reads this at every line


def _facts_of(
    answer: HttpAnswer, kind: str | None, found: Exposition, problem: str | None, names: Iterable[str]
) -> Samples:
    """Return the facts of an exposition; `problem` is where it deviates from its format, if it does."""
    values = {name: found.value(name) for name in names}
    return Samples(
        error=None,
        error_detail=None,
        status=answer.head.status,
        content_type=kind,
        total_ms=answer.total_ms,
        valid=problem is None,
        problem=problem,
        families=_first_samples(found.families),
        samples={**_first_samples(found.sums), **found.single},
        sample_count=found.count,
        label_sets={name: len(sets) for name, sets in _first_samples(found.label_sets).items()},
        missing=[name for name, value in values.items() if value is None and name not in found.families],
        values={name: value for name, value in values.items() if value is not None},
    )


def _first_samples(named: dict[str, T]) -> dict[str, T]:
    """Return the first samples, up to the cap."""
    return dict(islice(named.items(), SAMPLES_CAP))


def _facts_of_failure(answer: HttpAnswer | None, failure: WireError | None) -> Samples:
    """Return the facts of a service from which no exposition came."""
    return Samples(
        error=failure.kind if failure else None,
        error_detail=failure.detail if failure else None,
        status=answer.head.status if answer else None,
        content_type=media_type(answer.head.headers).type if answer else None,
        total_ms=answer.total_ms if answer and not failure else None,
        valid=None,
        problem=None,
        families=None,
        samples=None,
        sample_count=None,
        label_sets=None,
        missing=None,
        values=None,
    )
