"""What loads of streams have in common: parameters, facts, and the measurement, whatever the framing is."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any, Self

from xnai_validate.checkers._streams.params import StreamedParams
from xnai_validate.checkers.load._generator.drive import Drive
from xnai_validate.checkers.load._generator.evidence import record_load
from xnai_validate.checkers.load._generator.figures import load_figures, ms
from xnai_validate.checkers.load._generator.line import Line
from xnai_validate.checkers.load._generator.runner import RUNNER, Load, send
from xnai_validate.checkers.load._generator.tally import Tally
from xnai_validate.checkers.load._http.request_bytes import verify
from xnai_validate.checkers.load._models import LoadFacts, LoadParams
from xnai_validate.checkers.load._objectives import Cancel, StreamObjectives
from xnai_validate.checkers.load._prompts import Prompts, chosen_requests
from xnai_validate.checkers.load._streams.tally import StreamTally
from xnai_validate.checkers.load.http import address
from xnai_validate.kit import (
    Context,
    Count,
    Duration,
    Gt,
    Histogram,
    Milliseconds,
    NotApplicable,
    Unmeasurable,
    model_validator,
)
from xnai_validate.wire.http.client import HttpClient
from xnai_validate.wire.http.connections.progress import Progress
from xnai_validate.wire.http.recording import HttpRecording
from xnai_validate.wire.http.request import prepare
from xnai_validate.wire.http.session import authorized, renew_session
from xnai_validate.wire.ndjson import NdjsonParser
from xnai_validate.wire.sse.parser import SseParser


class StreamLoad(StreamedParams, LoadParams):
    """The stream, and how many are opened when, or held at once."""

    timeout: Annotated[Duration, Gt(0)] = 60.0
    """How long a stream may take once it is begun, and how long an arrival may wait for a connection to begin on."""
    objectives: StreamObjectives | None = None
    """What each stream must meet to count as good: see `good_ratio`."""
    prompts: Prompts | None = None
    """Texts of which each request has one, where `json` has `"{{prompt}}"`: `{words: {mean: 100}, seed: 1}`."""
    cancel: Cancel | None = None
    """A share of the streams that are left before their end, as by users who go: `{share: 0.1, after: 500ms}`."""
    idle_timeout: Annotated[Duration, Gt(0)] = 15.0
    """How long the server may stay silent in a stream: not one byte."""

    @model_validator(mode="after")
    def _verify_prompts(self) -> Self:
        """Raise ValueError if the body has no place for the prompts."""
        if self.prompts is not None:
            self.prompts.verify_body(self.json_)
        return self


class StreamLoadFacts(LoadFacts):
    """The figures of a load of streams.

    See `load.sse` for what an answer in whole, latency and kinds of errors mean of streams.
    """

    terminated_count: Count
    """Streams that came to an event that ends them, as their last."""
    unterminated_count: Count
    """Streams that HTTP ended well, and no event did, or that went on after it."""
    cut_count: Count
    """Streams that had begun and whose body the server did not end as HTTP wants it."""
    error_event_count: Count
    """Streams in which the server reported an error: an event of the type `error`, or a field `error` of any event."""
    buffered_count: Count
    """Streams that were held back by something: five or more events in fewer than five reads, on average five or more
    in one, or twenty or more in any number of reads."""
    wrong_token_counts: Count
    """Streams whose last event claims another number of tokens than came (its field `tokens`)."""
    usage_count: Count
    """Streams in which the server reported the number of tokens itself (`usage`, or Ollama's `eval_count`)."""
    reported_tokens: Count | None
    """Tokens of these streams as reported; null without any."""
    reported_prompt_tokens: Count | None
    """Tokens of their prompts as reported; null without any."""
    counted_ratio: float | None
    """Tokens that came in these streams, one an event, of those reported: below 1 where events carry several tokens, or
    where tokens are charged that were not sent; null without any."""
    cancelled_count: Count
    """Streams that were left before their end because of `cancel`; they are neither answers nor errors."""
    peak_streams: Count
    """The most streams that were open at once."""
    events: Count
    """Events of all streams, as a browser would dispatch them."""
    tokens: Count
    """Tokens of all streams."""
    tokens_per_s: float | None
    """Tokens of all streams together a second, from the beginning of the load to the end of its last stream."""
    stream_tokens_per_s: float | None
    """Tokens a second within a stream, from its first to its last: the median stream, which is what one user gets."""
    slow_stream_tokens_per_s: float | None
    """The same for a slow one: 95 % of the streams are quicker."""
    first_token_p50_ms: Milliseconds | None
    """The median time to the first token, from the intended start, as latency."""
    first_token_p95_ms: Milliseconds | None
    """The time to the first token that 95 % of the streams stay within."""
    first_token_p99_ms: Milliseconds | None
    """The time that 99 % stay within."""
    first_token_max_ms: Milliseconds | None
    """The longest time to a first token."""
    token_gap_p50_ms: Milliseconds | None
    """The median time between two tokens of a stream, over all streams; 0 for tokens that one read brought."""
    token_gap_p95_ms: Milliseconds | None
    """The time between tokens that 95 % stay within."""
    token_gap_p99_ms: Milliseconds | None
    """The time that 99 % stay within."""
    token_gap_max_ms: Milliseconds | None
    """The longest time between two tokens."""
    stream_gap_p50_ms: Milliseconds | None
    """The longest gap between two tokens of each stream: of the median stream. One standstill in a stream of hundreds
    of tokens hides below every percentile of all gaps, and its reader has waited all the same."""
    stream_gap_p95_ms: Milliseconds | None
    """The longest gap that 95 % of the streams stay within."""
    stream_gap_p99_ms: Milliseconds | None
    """The longest gap that 99 % of the streams stay within."""
    stream_gap_max_ms: Milliseconds | None
    """The longest gap of any stream that has ended: `token_gap_max_ms` counts those of unfinished ones as well."""
    stream_p50_ms: Milliseconds | None
    """The median time from the intended start to the end, of the streams that ended well."""
    stream_p95_ms: Milliseconds | None
    """The time to the end that 95 % stay within."""
    stream_p99_ms: Milliseconds | None
    """The time that 99 % stay within."""
    stream_max_ms: Milliseconds | None
    """The longest stream that ended well."""
    framing_faults: list[str]
    """Faults of framing of any stream, by the names that sse.stream has for them."""
    framing_fault_counts: dict[str, Count]
    """Fault -> streams that had it."""


async def measure_streams(
    kind: str,
    params: StreamLoad,
    ctx: Context,
    parser: Callable[[], SseParser | NdjsonParser],
    media_types: tuple[str, ...],
) -> StreamLoadFacts:
    """Open streams as the parameters have it, read each with a parser of its own, and return the figures.

    Raises NotApplicable where the target has no url, Unmeasurable without httptools.
    """
    target = ctx.target
    if not target.can_request(params.path):
        raise NotApplicable(f"target {target.name} has no url")
    request, client = params.request(target), await ctx.shared(("http",), HttpClient)
    await renew_session(request, client)
    prepared = prepare(await authorized(request, client))
    verify(prepared, kind)
    drive = Drive(params, ctx)
    drive.make_tally = StreamTally
    drive.progress_of, drive.progress_unit = _count_tokens, "tokens"

    @asynccontextmanager
    async def lines() -> AsyncIterator[Callable[[], Line]]:
        try:
            from xnai_validate.checkers.load._streams.line import Streams
        except ImportError as error:
            raise Unmeasurable(f"{kind} needs httptools", hint="pip install 'xnai-validate[load]'") from error
        host = await address(prepared)
        streams = Streams(params, drive, prepared, host, timeout_s=params.timeout, idle_s=params.idle_timeout)
        streams.parser, streams.media_types, streams.objectives = parser, media_types, params.objectives
        if params.prompts is not None:
            streams.choose = await chosen_requests(params.prompts, params, target, client)
        if params.cancel is not None:
            streams.cancel, streams.draw = params.cancel, random.Random(params.cancel.seed + RUNNER.get().share.index)
        try:
            yield streams.line
        finally:
            streams.close()

    await send(Load(kind, params, ctx, drive, lines))
    record_load(drive, HttpRecording(request, prepared, Progress()), _tally_of(drive).heads)
    return _facts_of(drive).incomplete(drive.division.incomplete)


def _count_tokens(tally: Tally) -> int:
    """Return the tokens of all streams."""
    assert isinstance(tally, StreamTally)
    return tally.tokens


def _facts_of(drive: Drive) -> StreamLoadFacts:
    """Return the facts of a load of streams."""
    figures = load_figures(drive)
    tally = _tally_of(drive)
    elapsed_s = figures["elapsed_ms"] / 1000
    figures["statuses"] = dict(sorted(tally.heads.items()))
    return StreamLoadFacts(
        **figures,
        terminated_count=tally.terminated,
        unterminated_count=tally.unterminated,
        cut_count=tally.cut,
        error_event_count=tally.error_events,
        buffered_count=tally.buffered,
        wrong_token_counts=tally.wrong_counts,
        usage_count=tally.usage_streams,
        reported_tokens=tally.usage_reported if tally.usage_streams else None,
        reported_prompt_tokens=tally.usage_prompt if tally.usage_streams else None,
        counted_ratio=tally.usage_counted / tally.usage_reported if tally.usage_reported else None,
        cancelled_count=tally.cancelled,
        peak_streams=tally.peak,
        events=tally.events,
        tokens=tally.tokens,
        tokens_per_s=tally.tokens / elapsed_s if elapsed_s else None,
        stream_tokens_per_s=_a_second(tally.per_token.quantile(0.5)),
        slow_stream_tokens_per_s=_a_second(tally.per_token.quantile(0.95)),
        **_percentiles_of("first_token", tally.first_token),
        **_percentiles_of("token_gap", tally.gaps),
        **_percentiles_of("stream_gap", tally.longest_gaps),
        **_percentiles_of("stream", tally.totals),
        framing_faults=list(tally.faults),
        framing_fault_counts=dict(tally.faults),
    )


def _tally_of(drive: Drive) -> StreamTally:
    """Return the figures of a load of streams."""
    assert isinstance(drive.tally, StreamTally)
    return drive.tally


def _percentiles_of(name: str, histogram: Histogram) -> dict[str, Any]:
    """Return the percentiles and the maximum of a histogram as facts."""
    percentiles = {f"{name}_p{percent}_ms": ms(histogram.quantile(percent / 100)) for percent in (50, 95, 99)}
    return {**percentiles, f"{name}_max_ms": ms(histogram.max_us)}


def _a_second(us: float | None) -> float | None:
    """How many a second, of the time from one to the next; None where all came at once."""
    return 1e6 / us if us else None
