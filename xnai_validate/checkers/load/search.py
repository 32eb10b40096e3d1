"""`load.search`: the most load that a stack holds."""

from __future__ import annotations

import math
from typing import Annotated, Self

from pydantic import TypeAdapter

from xnai_validate.checkers._steps import failure
from xnai_validate.checkers.load._models import DEFAULT_S
from xnai_validate.checkers.load._search import Probe, Search
from xnai_validate.kit import (
    BeforeValidator,
    Context,
    Count,
    Duration,
    Facts,
    Field,
    Ge,
    Gt,
    Inner,
    JsonValue,
    Le,
    Needs,
    Observed,
    Params,
    Template,
    ToolLate,
    Unmeasurable,
    Waits,
    Whole,
    checker,
    model_validator,
)

KINDS = ("load.http", "load.sse", "load.ndjson", "load.redis")
RATE, USERS = "rate", "users"
"""What `{{...}}` in the load refers to."""
_DURATION: TypeAdapter[float] = TypeAdapter(Duration)
REPORT_S = 1.0
"""What is left of the check's time limit for the result."""


def _share(value: object) -> object:
    """Read `5 %` as 0.05; leave anything else to the type."""
    if isinstance(value, str) and value.endswith("%"):
        try:
            return float(value[:-1]) / 100
        except ValueError:
            return value
    return value


class SearchParams(Params):
    """The load, and between which bounds its size is searched."""

    load: Template
    """A load whose rate is `"{{rate}}"`, or whose number of virtual users is `"{{users}}"`; its `expect` is what has to
    hold."""
    from_: Annotated[float, Gt(0), Le(1_000_000)] = Field(default=1.0, alias="from")
    """The least load: the first that is applied."""
    to: Annotated[float, Gt(0), Le(1_000_000)]
    """The most load that is applied."""
    step: Annotated[float, BeforeValidator(_share), Ge(0.001), Le(1)] = 0.05
    """How exact the result is: a share of it, as `5 %` or 0.05."""
    attempts: Annotated[int, Ge(1), Le(10)] = 2
    """How many probes in a row must fail at a load until it counts as one that does not hold: a busy machine, or a
    pause of the stack, makes a single one fail by chance."""
    settle: Duration = 0.5
    """How long to wait after each probe at least, in which the stack ends what it had begun. After a probe that did not
    hold, twice as long as its slowest request took: work may still be queued, since a load is at most twice
    what held."""

    @model_validator(mode="after")
    def _verify_params(self) -> Self:
        """Raise ValueError unless the load refers to the rate or the users that are searched for."""
        if self.load.kind not in KINDS:
            raise ValueError(f"load must be one of the kinds {', '.join(KINDS)}")
        if self.load.references not in ((RATE,), (USERS,)):
            raise ValueError('the load needs a rate of "{{rate}}", or callers of "{{users}}", and no other reference')
        if self.to < self.from_:
            raise ValueError("`to` must not be less than `from`")
        if self.counts_users and not (self.from_.is_integer() and self.to.is_integer()):
            raise ValueError("`from` and `to` must be whole numbers of virtual users")
        return self

    @property
    def counts_users(self) -> bool:
        """Whether virtual users are counted, not arrivals a second."""
        return self.load.references == (USERS,)

    @property
    def counts_rate(self) -> bool:
        """Whether arrivals a second are searched."""
        return not self.counts_users

    @property
    def probe_count(self) -> int:
        """How many loads are applied at the most, each once."""
        return 2 + math.ceil(math.log2(self.to / self.from_)) + math.ceil(math.log2(1 / self.step))


def search_waits(params: SearchParams, _inner: Inner) -> Waits:
    """How long the probes take: half of those that bisect do not hold, and are made again."""
    lasts_s = _duration_of(params.load, "for", DEFAULT_S) + _duration_of(params.load, "warmup", 0.0)
    each_s = lasts_s + params.settle
    longest_s = each_s + 3 * _duration_of(params.load, "timeout", DEFAULT_S)  # its last requests, and their queue
    return Waits(params.probe_count * 1.5 * each_s, params.probe_count * params.attempts * longest_s + REPORT_S)


def _duration_of(load: Template, name: str, default_s: float) -> float:
    """A duration among the parameters of the load, which are verified elsewhere."""
    try:
        return _DURATION.validate_python(load.with_.get(name, default_s))
    except ValueError:
        return default_s


class Searched(Facts):
    """The most load that holds."""

    highest_rate: Annotated[float | None, Needs("counts_rate", hint="judge highest_users: virtual users are searched")]
    """The highest rate, in arrivals a second, at which all rules of the load held; `to` where even that held, 0 where
    not even `from` did. Null where virtual users are counted, or where the search had to end before."""
    highest_users: Annotated[Count | None, Needs("counts_users", hint="judge highest_rate: a rate is searched")]
    """The same as a number of virtual users; null where a rate is searched."""
    breaks_at: float | None
    """The lowest load that did not hold; null where each held."""
    breaks_by: str | None
    """The rules that did not hold there, in words."""
    probe_count: Count
    """How many loads were applied."""
    curve: Annotated[JsonValue, Whole()]
    """Each probe by its load: `{load, held, throughput_rps, error_ratio, good_ratio, p50_ms, p95_ms, p99_ms,
    max_ms, lag_p99_ms, reason}`, and for streams also times to the first token and longest gaps."""


@checker("load.search", expect={}, exclusive=True, extra="load", waits=search_waits)
async def search(params: SearchParams, ctx: Context) -> Searched:
    """Search for the most load at which the rules of a load hold, by doubling and bisection.

    The load begins at `from` and doubles until a probe does not hold; between the last that held and the first that did
    not, the middle is probed until they are within `step`. A probe lasts as long as the load's own `for`: one that is
    too short does not see a queue that grows slowly. `stop_at` of the load ends a probe that is beyond hope. A
    probe in which this tool itself was too slow is made again; after five the search ends, `highest_rate` is null, and
    a rule about it is an error with the reason. Nothing else runs meanwhile.

        kind: load.search
        target: api
        with:
          to: 500
          step: 5 %
          load:
            kind: load.http
            with: {path: /health, arrivals: {rate: "{{rate}}"}, for: 5s, objectives: {total_ms: 200}}
            expect: {error_ratio: 0, good_ratio: {min: 0.99}}
        expect: {highest_rate: {min: 50}}
    """
    begun_s, longest_s = ctx.clock.monotonic(), 0.0
    found = Search(params.from_, params.to, params.step, params.counts_users, params.attempts)

    async def probe(load: float) -> Probe | None:
        """Measure one load; None if the time left does not suffice."""
        nonlocal longest_s
        before_s = ctx.clock.monotonic()
        if before_s - begun_s + longest_s + REPORT_S > ctx.timeout_s:
            return None
        try:
            measured = await _observe(params, ctx, load)
            result = Probe.of(load, failure(params.load, measured), measured)
        except ToolLate as late:
            result = Probe(load, late.message, too_slow=True, figures={})
        await ctx.clock.sleep(max(params.settle, result.queued_s))
        longest_s = max(longest_s, ctx.clock.monotonic() - before_s)
        return result

    await found.run(probe)
    if not found.probes:
        raise Unmeasurable("no load could be applied", hint="give the check a longer timeout")
    why = found.unfinished()
    highest = None if why else found.held or 0.0
    broken = found.broken
    return Searched(
        highest_rate=None if params.counts_users else highest,
        highest_users=int(highest) if params.counts_users and highest is not None else None,
        breaks_at=broken.load if broken else None,
        breaks_by=broken.why if broken else None,
        probe_count=len(found.probes),
        curve=list(found.curve()),
    ).not_reached(why)


async def _observe(params: SearchParams, ctx: Context, load: float) -> Observed:
    """Apply one load."""
    name, value = (USERS, int(load)) if params.counts_users else (RATE, load)
    ctx.progress(f"{load:.6g} {'virtual users' if params.counts_users else 'a second'}")
    return await ctx.observe(params.load, {name: value})
