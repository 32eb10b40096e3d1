"""The params and facts of every kind of load: when requests begin, the bounds, and the figures."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from xnai_validate.checkers.load._generator.arrivals import Arrivals, Randomness, Stage
from xnai_validate.checkers.load._objectives import Objectives
from xnai_validate.kit import (
    Count,
    Duration,
    Facts,
    Field,
    Ge,
    Gt,
    Inner,
    JsonValue,
    Le,
    Milliseconds,
    Needs,
    Params,
    Ratio,
    StringConstraints,
    Timed,
    Waits,
    Whole,
    model_validator,
)

SLICES_CAP = 300
"""A load has at most this number of slices, each with histograms of its own."""
JUDGED = 20
"""Requests after which the error ratio may end a load."""
DEFAULT_S = 10.0
"""How long a load lasts where the check does not set it."""
CONNECTIONS = 128
"""Requests of an open load that may be under way at once, unless the check sets another number."""
Rate = Annotated[float, Ge(0), Le(1_000_000)]


class StageParams(Params):
    """A stretch of time: `{rate: 10, for: 5s}`, or `{from: 10, to: 100, for: 10s}`."""

    rate: Rate | None = None
    """Arrivals a second, all the time."""
    from_: Rate | None = Field(default=None, alias="from")
    """Arrivals a second at its beginning."""
    to: Rate | None = None
    """Arrivals a second at its end; in between the rate changes evenly."""
    for_: Annotated[Duration, Gt(0)] = Field(alias="for")
    """How long it takes."""

    @model_validator(mode="after")
    def _single_form(self) -> Self:
        """Raise ValueError unless a stage has either a rate or `from` and `to`."""
        ramp = (self.from_ is not None) + (self.to is not None)
        if ramp not in (0, 2) or (self.rate is None) == (ramp == 0):
            raise ValueError("a stage needs either a rate, or from and to")
        return self

    def stage(self) -> Stage:
        """The stage as the schedule takes it."""
        if self.rate is not None:
            return Stage(self.rate, self.rate, self.for_)
        assert self.from_ is not None
        assert self.to is not None
        return Stage(self.from_, self.to, self.for_)


class ArrivalsParams(Params):
    """When requests begin, whatever becomes of those before: `{rate: 50}`, or `{stages: [...]}`."""

    rate: Annotated[Rate, Gt(0)] | None = None
    """Arrivals a second, for the duration `for`."""
    stages: Annotated[list[StageParams], Field(min_length=1)] | None = None
    """Steps and ramps, one after the other, each with its duration."""
    spacing: Literal["even", "poisson", "gamma"] = "even"
    """How the arrivals lie: on an even grid, which falls in step with stalls that are periodic; as users come who know
    nothing of one another (`poisson`); or in bursts (`gamma`). The mean rate is the same."""
    burstiness: Annotated[float, Ge(0.01), Le(100)] | None = None
    """The shape of the gamma distribution of the distances: below 1 in bursts, 1 is `poisson`, above it more even."""
    seed: Annotated[int, Ge(0)] = 0
    """The same seed gives the same arrivals."""

    @model_validator(mode="after")
    def _single_form(self) -> Self:
        """Raise ValueError unless arrivals have either a rate or stages, and gamma spacing its burstiness."""
        if (self.rate is None) == (self.stages is None):
            raise ValueError("arrivals need either a rate or stages")
        if (self.burstiness is None) == (self.spacing == "gamma"):
            raise ValueError("`spacing: gamma` needs a burstiness, and no other spacing takes one")
        return self

    def randomness(self, *, warmup: bool = False) -> Randomness | None:
        """How the distances between arrivals vary; None for an even grid. The warm-up has random numbers of its own."""
        if self.spacing == "even":
            return None
        return Randomness(self.burstiness or 1.0, 2 * self.seed + warmup)


class StopAt(Params):
    """When the load ends early."""

    error_ratio: Annotated[float, Gt(0), Le(1)] = 0.5
    """The share of failed requests, of all so far in the phase (warm-up or load) and at least 20, that ends it."""
    waited: Annotated[Duration, Gt(0)] | None = None
    """How long the oldest request may be without its whole answer, counted from its intended start, until that ends the
    load: a stack that is so far behind has no way back."""

    def why(self, ended: int, errors: int, waited_s: float, phase: str) -> str | None:
        """Return why a load is to end early; None where it goes on.

        `ended`, `errors`: requests of the phase that were answered or failed, and those that count as errors.
        """
        if self.waited is not None and waited_s > self.waited:
            return f"a request has waited for {waited_s:.3g} s"
        if ended < JUDGED or errors < self.error_ratio * ended:
            return None
        return f"{errors} of the first {ended} requests{phase} failed"


class LoadParams(Params):
    """How much load, for how long, and within which bounds: `arrivals`, or `callers`."""

    arrivals: ArrivalsParams | None = None
    """An open load: requests begin at their time, whether or not those before were answered, as those of users do.

    `{rate: 50}` a second, or `{stages: [{rate: 10, for: 5s}, {from: 10, to: 100, for: 10s}]}`.
    """
    callers: Annotated[int, Ge(1), Le(10_000)] | None = None
    """A closed loop of this number of virtual users: each sends its next request as soon as it has its answer."""
    for_: Annotated[Duration, Gt(0)] | None = Field(default=None, alias="for")
    """How long the load lasts after the warm-up; 10 s by default. Stages have their own durations."""
    warmup: Duration = 0.0
    """How long it goes on beforehand, at the rate it begins with; what happens then is in no figure."""
    timeout: Annotated[Duration, Gt(0)] = 10.0
    """How long a request may take once it is begun, and how long an arrival may wait for a connection to begin on."""
    connections: Annotated[int, Ge(1), Le(10_000)] | None = None
    """The most requests under way at once: 128 for arrivals, one for each virtual user in a closed loop.

    Arrivals that find none free wait, and their latency counts from when they should have begun.
    """
    stop_at: StopAt | None = Field(default_factory=StopAt)
    """When to end early, for a stack that fails needs no more load: `{error_ratio: 0.5}`; null never does."""
    slices: Annotated[Duration, Ge(0.1)] | None = None
    """The length of slices of time in which the fact `slices` shows the course of the load, such as `1s`; at most 300.
    """
    record: Annotated[str, StringConstraints(min_length=1, max_length=4096)] | None = None
    """A file that gets a line of JSON for each request, the first 100 000, when the load has ended."""
    objectives: Objectives | None = None
    """What each request must meet to count as good: see `good_ratio`."""

    @model_validator(mode="after")
    def _verify_load(self) -> Self:
        """Raise ValueError for params that do not go together."""
        if (self.arrivals is None) == (self.callers is None):
            raise ValueError("a load needs either arrivals or callers")
        if self.callers is not None and self.connections is not None:
            raise ValueError("each virtual user has a connection of its own; `connections` is for arrivals")
        if self.slices is not None and self.for_s > SLICES_CAP * self.slices:
            raise ValueError(f"a load has at most {SLICES_CAP} slices; make each longer")
        stages = self.arrivals.stages if self.arrivals else None
        if stages and self.for_ is not None:
            raise ValueError("stages have their own durations; leave out `for`")
        if stages and self.warmup and not stages[0].stage().from_rps:
            raise ValueError("a warm-up has the rate that the load begins with, which is 0 here")
        return self

    @property
    def for_s(self) -> float:
        """Seconds that the load lasts after the warm-up."""
        schedule = self.schedule()
        return schedule.duration_s if schedule is not None else self.for_ or DEFAULT_S

    @property
    def objective_s(self) -> float | None:
        """Seconds that a good answer comes within; None where that is no objective."""
        total_ms = self.objectives.total_ms if self.objectives is not None else None
        return None if total_ms is None else total_ms / 1000

    @property
    def lanes(self) -> int:
        """The most requests under way at once."""
        return self.callers or self.connections or CONNECTIONS

    def schedule(self) -> Arrivals | None:
        """The arrivals after the warm-up; None for a closed loop."""
        if self.arrivals is None:
            return None
        if self.arrivals.stages is not None:
            return Arrivals([stage.stage() for stage in self.arrivals.stages], self.arrivals.randomness())
        assert self.arrivals.rate is not None
        rate = self.arrivals.rate
        return Arrivals([Stage(rate, rate, self.for_ or DEFAULT_S)], self.arrivals.randomness())

    def warmup_schedule(self) -> Arrivals | None:
        """The arrivals of the warm-up; None for a closed loop."""
        schedule = self.schedule()
        if schedule is None or self.arrivals is None:
            return None
        rate = schedule.rate_at(0)
        return Arrivals([Stage(rate, rate, self.warmup)], self.arrivals.randomness(warmup=True))


def load_waits(params: LoadParams, _inner: Inner) -> Waits:
    """How long a load lasts: its warm-up, its time, and the answers to the last requests."""
    lasts_s = params.warmup + params.for_s
    return Waits(lasts_s + 0.2, lasts_s + params.timeout)


class LoadFacts(Facts):
    """The figures of a load, without its warm-up.

    Latency counts from the intended start: for an arrival from its time in the schedule, also where it had to wait for
    a connection, and for a virtual user from its last answer. It is that of all requests that were answered in
    whole, whatever they were answered, and of those that ran into the time limit or waited that long without being
    sent: these count with the time that they waited in vain. Percentiles are within 1 % of the exact value.
    """

    planned_count: Count
    """Requests that fell due while the load went on; `sent_count` and `not_sent_count` together."""
    sent_count: Count
    """Requests that were begun."""
    completed_count: Count
    """Requests that were answered in whole."""
    not_sent_count: Count
    """Arrivals that found no free connection within the time limit, or before the load ended early."""
    abandoned_count: Count
    """Requests that were left unanswered because the load ended early."""
    error_count: Count
    """Requests that got no whole answer, or one that counts as an error."""
    error_ratio: Ratio | None
    """`error_count` of the requests that were sent and not abandoned; null without any."""
    error_kinds: dict[str, Count]
    """Why, and how often: the kinds of `error` elsewhere, and `status` for answers that count as errors."""
    error_detail: str | None
    """The first error in words."""
    statuses: dict[str, Count]
    """How many answers had each status."""
    good_count: Annotated[Count | None, Needs("objectives")]
    """Requests with a whole answer that is no error and that meet all of `objectives`; null without objectives."""
    good_ratio: Annotated[Ratio | None, Timed(), Needs("objectives")]
    """`good_count` of the requests that fell due: those that failed or could not be sent are not good. Null without
    objectives."""
    goodput_rps: Annotated[float | None, Timed(), Needs("objectives")]
    """Good requests a second, over the same time as `throughput_rps`; null without objectives."""
    throughput_rps: Annotated[float, Timed()] | None
    """Whole answers a second, from the beginning of the load to its last answer, at least to its intended end."""
    p50_ms: Milliseconds | None
    """The median latency."""
    p90_ms: Milliseconds | None
    """The latency that 90 % of the requests stay within."""
    p95_ms: Milliseconds | None
    """The latency that 95 % stay within."""
    p99_ms: Milliseconds | None
    """The latency that 99 % stay within."""
    p999_ms: Milliseconds | None
    """The latency that 99.9 % stay within."""
    max_ms: Milliseconds | None
    """The longest latency."""
    mean_ms: Milliseconds | None
    """The mean latency."""
    service_p50_ms: Milliseconds | None
    """The median time from when a request was really begun, connecting included: what other tools call latency."""
    service_p99_ms: Milliseconds | None
    """The 99th percentile of that."""
    lag_p99_ms: Milliseconds
    """How late we were ourselves, 99 % of the time: arrivals that found a free connection, and a beat every 10 ms."""
    lag_max_ms: Milliseconds
    """How late we were at worst."""
    own_cpu_ratio: float
    """Processor time of this process per second: near 1 it had no more to give."""
    too_slow_client: bool
    """Whether this tool, not the stack, explains the figures: then a broken limit of a time or a rate is an error.

    It was late itself: `lag_p99_ms` is above 5 ms and more than a quarter of `service_p99_ms`; or, in a closed loop, it
    was at the end of its processor: `own_cpu_ratio` is above 0.9.
    """
    connection_count: Count
    """Connections that were opened, the warm-up included."""
    ended_early: bool
    """Whether the load ended before its time: by `stop_at`, or for the time limit of the check."""
    ended_because: str | None
    """Why it ended early. Where that was in the warm-up, the figures are those of the warm-up."""
    elapsed_ms: Milliseconds
    """From the beginning of the load, after the warm-up, to its last answer."""
    latency_windows: Annotated[JsonValue, Whole()]
    """Latencies by intended start, in at most 30 windows of equal length, for comparisons between runs.

    `{"window_ms": 333.3, "windows": [histogram, ...], "errors": [0, 2, ...]}`, each histogram as `model.histogram`
    writes it; `errors` counts the errors by the window in which they came, and is empty without any.
    """
    slices: Annotated[JsonValue, Whole(), Needs("slices")]
    """The course of the load in slices of time, by intended start; null unless `slices` asks for them.

    `[{at_s, due, answered, errors, answered_rps, p50_ms, p99_ms}]`, with times to the end of the answer; for streams
    also `first_token_p50_ms` and `first_token_p99_ms`.
    """
    recorded_count: Annotated[Count | None, Needs("record")]
    """Lines in the file that `record` names; null without one."""
    workers: Count | None = None
    """Workers that sent the load together (`--workers`); null where it was sent from this process."""
    slowest_worker: str | None = None
    """The worker that was itself late by most, by its 99th percentile."""
    start_spread_ms: Milliseconds | None = None
    """The time from the first worker's beginning to the last one's; clocks agree to `clock_uncertainty_ms`."""
    clock_uncertainty_ms: Milliseconds | None = None
    """The largest possible error of a worker's clock offset: half of its shortest round trip."""
    lost_workers: list[str] = Field(default_factory=list)
    """Workers that did not come back with their figures. Then the check is an error, and the figures are those of the
    others."""
    not_measured_count: Count | None = None
    """Arrivals, or virtual users, of the lost workers; null without workers."""
    by_worker: Annotated[JsonValue, Whole()] = None
    """Each worker: `{worker, sent, answered, errors, p50_ms, p99_ms, lag_p99_ms, own_cpu_ratio, started_ms,
    clock_offset_ms, clock_uncertainty_ms}`, the start from the agreed instant; null without workers."""
