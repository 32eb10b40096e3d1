"""The course of a situation: break, look until the report has noticed, mend, look until it has noticed that too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from xnai_validate.checkers.health._sample import Paths, Sample, look
from xnai_validate.kit import Context, JsonObject, Observation

STEADY = 3
"""Looks in a row that must agree before they are believed."""
LOOKS_CAP = 5_000


@dataclass(frozen=True, slots=True)
class Watch:
    """What is looked at, and how patiently."""

    health: Observation
    probes: Mapping[str, Observation]
    paths: Paths
    every_s: float


@dataclass(slots=True)
class Seen:
    """What was seen of one situation."""

    name: str
    begun_s: float
    """When the breach was in force, or was over."""
    samples: list[Sample] = field(default_factory=list)

    @property
    def last(self) -> Sample | None:
        """The look that is judged: it began when the time to notice was over, or agrees. Its report may be unusable."""
        return self.samples[-1] if self.samples else None

    def turned_ms(self, component: str, well: bool) -> float | None:
        """Milliseconds until the report called a component well, or not well, and kept to it; None if it did not."""
        turned = None
        for sample in self.samples:
            claim = sample.claims.get(component) if sample.claims is not None else None
            if claim is well:
                turned = sample.at_s if turned is None else turned
            elif claim is not None:
                turned = None
        return None if turned is None else round((turned - self.begun_s) * 1000, 1)

    def stale_ms(self, component: str, well: bool) -> float | None:
        """How long the report was out of date after the probe of a component found it `well`, or not.

        None where it did not turn, or was not in the report; where the report never followed, up to the last look.
        """
        with_claim = [sample for sample in self.samples if sample.claims is not None and component in sample.claims]
        if not with_claim or with_claim[-1].truth[component] is not well:
            return None
        turned = next(sample.at_s for sample in self.samples if sample.truth[component] is well)
        wrong = [sample.at_s for sample in with_claim if sample.at_s >= turned and not sample.agrees(component)]
        if not wrong:
            return 0.0
        right = [sample.at_s for sample in with_claim if sample.at_s > wrong[-1] and sample.agrees(component)]
        return round(((right or wrong)[0 if right else -1] - turned) * 1000, 1)


async def watch(ctx: Context, watched: Watch, name: str, within_s: float, *, changed: bool) -> Seen:
    """Take samples until the report and the truth agree in all components for STEADY samples in a row.

    Stops after the first sample that begins later than `within_s`. With `changed`, samples count only once some probe
    does not hold (the truth has changed); without it, only while all probes hold.
    """
    seen = Seen(name, ctx.clock.monotonic())
    deadline = seen.begun_s + within_s
    steady = 0
    while len(seen.samples) < LOOKS_CAP:
        sample = await look(ctx, watched.health, watched.probes, watched.paths)
        seen.samples.append(sample.sharing(seen.samples[-1]) if seen.samples else sample)
        settled = all(sample.agrees(probe) for probe in watched.probes) and all(sample.truth.values()) is not changed
        steady = steady + 1 if settled else 0
        if steady >= STEADY or sample.begun_s >= deadline:
            break
        await ctx.clock.sleep(watched.every_s)
    return seen


def cells(during: Seen, after: Seen, components: tuple[str, ...]) -> list[JsonObject]:
    """The table of a situation, a row a component: what was claimed, what was so, how long each change took."""
    rows: list[JsonObject] = []
    for component in components:
        then, now = during.last, after.last
        true = then.truth[component] if then is not None else None
        claimed = then.claims.get(component) if then is not None and then.claims is not None else None
        afterwards = now.claims.get(component) if now is not None and now.claims is not None else None
        rows.append(
            {
                "situation": during.name,
                "component": component,
                "claimed": claimed,
                "true": true,
                "detected_ms": during.turned_ms(component, False) if true is False else None,
                "claimed_after": afterwards,
                "true_after": now.truth[component] if now is not None else None,
                "recovered_ms": after.turned_ms(component, True) if true is False else None,
            }
        )
    return rows
