"""Repeats one observation and keeps only what the facts need."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from xnai_validate.checkers._steps import failure
from xnai_validate.kit import Context, NotApplicable, Observation, Observed, ToolLate, XnaiError

KINDS_CAP = 20
"""At most this many kinds of errors are kept."""
KIND_CAP = 60
NOT_HERE = "not applicable"
"""The kind of error of a probe that asks for what this stack does not have."""
UNJUDGED = "not judged"
"""The kind of error of a probe whose time limit could not be judged, because this tool was itself late."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One probe, in seconds of the clock."""

    begun: float
    ended: float
    why: str | None
    """Why it did not hold, in words; None where it did."""
    kind: str | None
    """The kind of error for which it did not hold; None where it did."""


async def probe_once(ctx: Context, observation: Observation) -> Probe:
    """Make a probe; one that cannot be measured did not hold."""
    begun = ctx.clock.monotonic()
    try:
        seen = await ctx.observe(observation)
    except NotApplicable as error:
        return Probe(begun, ctx.clock.monotonic(), error.message, NOT_HERE)
    except ToolLate as error:
        return Probe(begun, ctx.clock.monotonic(), error.message, UNJUDGED)
    except XnaiError as error:
        return Probe(begun, ctx.clock.monotonic(), error.message, "unmeasurable")
    why = failure(observation, seen)
    return Probe(begun, ctx.clock.monotonic(), why, kind_of(seen) if why else None)


def kind_of(seen: Observed) -> str:
    """The kind of failure of an observation: its error, `status 503`, else the first fact that broke a rule."""
    if seen.facts.get("error") is not None:
        return str(seen.facts["error"])
    if "status" in seen.facts and any(finding.fact == "status" and not finding.held for finding in seen.findings):
        return f"status {seen.facts['status']}"[:KIND_CAP]
    return next(finding.fact for finding in seen.findings if not finding.held)[:KIND_CAP]


@dataclass(slots=True)
class Watch:
    """Probes from the first injection on; the moments are set as they come."""

    steady: int
    injecting_at: float | None = None
    in_force_at: float | None = None
    """When all faults were in force."""
    reverted_at: float | None = None
    """When their revert began."""
    count: int = 0
    failed: int = 0
    slowest_s: float | None = None
    under_way_s: float | None = None
    """How long the probe took that was under way when the faults came into force, where it held."""
    first_failed: float | None = None
    """When the first probe ended that did not hold."""
    kinds: set[str] = field(default_factory=set)
    last_why: str | None = None
    """Why the last probe did not hold; None where it did."""
    steady_since: float | None = None
    """When the first probe ended of those that held one after the other, after the fault was reverted."""
    _passed_in_a_row: int = 0
    _last_failed_begun: float | None = None
    """When the last probe after the revert began, if it did not hold."""

    def take(self, probe: Probe) -> None:
        """Keep what the facts need of a probe; one that could not be judged counts neither way."""
        if self.injecting_at is None or probe.ended < self.injecting_at or probe.kind == UNJUDGED:
            return
        # A probe that fails during the injection fails because of it; one that passes then proves nothing.
        in_force = self.in_force_at is not None and probe.begun >= self.in_force_at
        if (in_force or probe.why is not None) and (self.reverted_at is None or probe.begun < self.reverted_at):
            self._count_during(probe)
        elif self.in_force_at is not None and not in_force:
            # It passed, which proves nothing; but how long it went on under the faults is known.
            self.under_way_s = probe.ended - probe.begun
            self.slowest_s = max(probe.ended - self.in_force_at, self.slowest_s or 0.0)
        if probe.why is not None and self.first_failed is None:
            self.first_failed = probe.ended
        self.last_why = probe.why
        if self.reverted_at is not None and probe.begun >= self.reverted_at:
            self._count_after(probe)

    def _count_during(self, probe: Probe) -> None:
        """Count a probe while the fault is in force."""
        self.count += 1
        took_s = probe.ended - probe.begun
        self.slowest_s = max(took_s, self.slowest_s or 0.0)
        if probe.why is not None:
            self.failed += 1
            if probe.kind is not None and len(self.kinds) < KINDS_CAP:
                self.kinds.add(probe.kind)

    def _count_after(self, probe: Probe) -> None:
        """Count a probe after the fault, and note since when probes pass in a row."""
        if probe.why is not None:
            self._passed_in_a_row, self.steady_since, self._last_failed_begun = 0, None, probe.begun
            return
        self._last_failed_begun = None
        self._passed_in_a_row += 1
        if self._passed_in_a_row == 1:
            self.steady_since = probe.ended

    @property
    def is_steady(self) -> bool:
        """Whether enough probes held in a row since the revert."""
        return self._passed_in_a_row >= self.steady

    def is_settled_after(self, deadline: float) -> bool:
        """Whether the probes have shown how the stack is at a point in time: steady, or one that began later failed."""
        failed_late = self._last_failed_begun is not None and self._last_failed_begun >= deadline
        return self.is_steady or failed_late


async def keep_probing(ctx: Context, observation: Observation, every_s: float, take: Callable[[Probe], None]) -> None:
    """Probe until cancelled."""
    while True:
        take(await probe_once(ctx, observation))
        await ctx.clock.sleep(every_s)


@dataclass(frozen=True, slots=True)
class Look:
    """Several observations at one moment: name -> reason."""

    failing: dict[str, str]
    """Those that do not hold."""
    unjudged: dict[str, str]
    """Those that could not be judged, because this tool was itself late."""


@dataclass(slots=True)
class Bystanders:
    """What is known of the bystanders while the faults are in force."""

    failed: dict[str, str] = field(default_factory=dict)
    """Name -> the last reason, of those that did not hold."""
    unjudged: dict[str, str] = field(default_factory=dict)
    """Name -> the last reason, of those that could not be judged at any look."""
    _judged: set[str] = field(default_factory=set)

    def take(self, names: Iterable[str], look: Look) -> None:
        """Keep what a look at these has shown."""
        self.failed |= look.failing
        self._judged |= set(names) - look.unjudged.keys()
        late = self.unjudged | look.unjudged
        self.unjudged = {name: why for name, why in late.items() if name not in self._judged}


async def look_at(ctx: Context, others: dict[str, Observation]) -> Look:
    """Make the observations, all at once."""
    reasons = {name: (probe.kind, probe.why) for name, probe in (await probe_all(ctx, others)).items()}
    failing = {name: why for name, (kind, why) in reasons.items() if why is not None and kind != UNJUDGED}
    return Look(failing, {name: why for name, (kind, why) in reasons.items() if why is not None and kind == UNJUDGED})


async def probe_all(ctx: Context, others: dict[str, Observation]) -> dict[str, Probe]:
    """Name -> a probe of each, made all at once."""
    async with asyncio.TaskGroup() as group:
        tasks = {name: group.create_task(probe_once(ctx, observation)) for name, observation in others.items()}
    return {name: task.result() for name, task in tasks.items()}


def in_words(ctx: Context, observation: Observation, why: str) -> str:
    """A reason with the name of the target that it is about, where the reason does not name it."""
    if observation.target is not None:
        return why
    try:
        return f"{ctx.target.name}: {why}"
    except NotApplicable:
        return why
