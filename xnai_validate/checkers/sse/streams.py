"""Many streams at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from statistics import median
from time import perf_counter
from typing import Annotated

from xnai_validate.checkers._streams.framing import FramingParams
from xnai_validate.checkers._streams.models import StreamFacts, StreamParams
from xnai_validate.checkers._streams.reading import Reading
from xnai_validate.kit import Context, Count, ErrorKind, Facts, Ge, Le, Milliseconds, checker
from xnai_validate.wire.http.client import HttpClient


class StreamsParams(FramingParams, StreamParams):
    """The request that every stream makes, and how many there are."""

    count: Annotated[int, Ge(1), Le(1_000)] = 10
    """Streams at once; all begin together."""


class StreamsFacts(Facts):
    """All streams together; times are null where no stream came so far."""

    error: ErrorKind | None = None
    """Why a stream had no answer or did not come to its end: the most frequent reason."""
    error_detail: str | None = None
    """That reason in words, of one of the streams."""
    errors: dict[str, Count]
    """Reason -> number of streams."""
    statuses: dict[str, Count]
    """HTTP status -> number of streams."""
    other_statuses: Count
    """Streams that were answered with another status than 200."""
    terminated: Count
    """Streams that came to an event that ends them, as their last."""
    unterminated: Count
    """Streams that did not, and that we did not leave."""
    cut: Count
    """Streams whose body the server did not end as HTTP wants it."""
    left: Count
    """Streams that we left on purpose."""
    events: Count
    """Events of all streams."""
    tokens: Count
    """Tokens of all streams."""
    wrong_token_counts: Count
    """Streams whose last event claims another number of tokens than came."""
    distinct_texts: Count
    """Different texts among the streams that terminated."""
    buffered: Count
    """Streams that were held back by something."""
    framing_faults: list[str]
    """Faults of framing, by name, of any stream."""
    error_texts: list[str]
    """What the server reports as errors within streams, each once, at most 10."""
    median_first_event_ms: Milliseconds | None = None
    """The median time to the first event."""
    slowest_first_event_ms: Milliseconds | None = None
    """The longest time to the first event."""
    slowest_total_ms: Milliseconds | None = None
    """The longest stream."""
    max_gap_ms: Milliseconds | None = None
    """The longest silence in any stream."""
    elapsed_ms: Milliseconds
    """From the beginning of the first stream to the end of the last."""


@checker("sse.streams", expect={"error": None, "other_statuses": 0, "framing_faults": [], "error_texts": []})
async def streams(params: StreamsParams, ctx: Context) -> StreamsFacts:
    """Read many equal streams at once, each on a connection of its own.

    Reports how many came to their end and the figures of the slowest; with `leave_after` all clients leave midway,
    which is how leaks after disconnects are provoked::

        kind: sse.streams
        with: {path: /stream, json: {query: "What is Xoe-NovAi?"}, count: 10}
        expect: {terminated: 10, wrong_token_counts: 0, slowest_first_event_ms: {max: 5s}}
    """
    client = await ctx.shared(("http",), HttpClient)
    request = params.request(ctx.target)
    readings = [Reading(params, params.parser()) for _ in range(params.count)]
    started = perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for reading in readings:
            tasks.create_task(reading.run(client, request))
    elapsed_ms = (perf_counter() - started) * 1000
    return _together([reading.facts() for reading in readings], elapsed_ms)


def _together(all_facts: list[StreamFacts], elapsed_ms: float) -> StreamsFacts:
    """Return the facts of several streams as one: counts, the most frequent error, the slowest times."""
    errors = Counter(facts.error for facts in all_facts if facts.error is not None)
    worst = errors.most_common(1)[0][0] if errors else None
    firsts = [facts.first_event_ms for facts in all_facts if facts.first_event_ms is not None]
    faults = dict.fromkeys(fault for facts in all_facts for fault in facts.framing_faults or ())
    return StreamsFacts(
        error=worst,
        error_detail=next((facts.error_detail for facts in all_facts if facts.error is worst), None),
        errors={str(kind): count for kind, count in errors.items()},
        statuses=dict(Counter(str(facts.status) for facts in all_facts if facts.status is not None)),
        other_statuses=sum(facts.status not in (200, None) for facts in all_facts),
        terminated=sum(facts.terminated is True for facts in all_facts),
        unterminated=sum(facts.terminated is not True and not facts.left for facts in all_facts),
        cut=sum(facts.closed_cleanly is False for facts in all_facts),
        left=sum(facts.left is True for facts in all_facts),
        events=sum(facts.event_count or 0 for facts in all_facts),
        tokens=sum(facts.tokens or 0 for facts in all_facts),
        wrong_token_counts=sum((facts.token_count_difference or 0) > 0 for facts in all_facts),
        distinct_texts=len({facts.text for facts in all_facts if facts.terminated}),
        buffered=sum(facts.buffered is True for facts in all_facts),
        framing_faults=list(faults),
        error_texts=list(dict.fromkeys(facts.error_text for facts in all_facts if facts.error_text is not None))[:10],
        median_first_event_ms=median(firsts) if firsts else None,
        slowest_first_event_ms=max(firsts, default=None),
        slowest_total_ms=max((facts.total_ms for facts in all_facts if facts.total_ms is not None), default=None),
        max_gap_ms=max((facts.max_gap_ms for facts in all_facts if facts.max_gap_ms is not None), default=None),
        elapsed_ms=elapsed_ms,
    )
