"""One sample: what the health report claims, and what separate probes of the components find at the same moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from xnai_validate.checkers._steps import observe_all
from xnai_validate.kit import Context, JsonValue, Observation, values_at


@dataclass(frozen=True, slots=True)
class Paths:
    """Where a health report has its claims (JSONPath)."""

    components: str
    status: str


@dataclass(frozen=True, slots=True)
class Sample:
    """A health report, and the results of the probes that were made at the same time."""

    begun_s: float
    at_s: float
    """When the last answer was there, by the run's monotonic clock."""
    claims: Mapping[str, bool] | None
    """Component -> whether the report claims that it is healthy; None without a usable report."""
    status: str | None
    report_ms: float
    """How long the report took."""
    truth: Mapping[str, bool]
    """Component -> whether its own probe held."""

    def sharing(self, before: Sample) -> Sample:
        """Return a copy that shares the claims and the truth of an earlier sample where they are equal.

        A long drive keeps thousands of samples, and their contents hardly change.
        """
        return replace(
            self,
            claims=before.claims if before.claims == self.claims else self.claims,
            status=before.status if before.status == self.status else self.status,
            truth=before.truth if before.truth == self.truth else self.truth,
        )

    def agrees(self, component: str) -> bool:
        """Whether the report is accurate about a component."""
        return self.claims is not None and self.claims.get(component) == self.truth[component]


async def look(ctx: Context, health: Observation, probes: Mapping[str, Observation], paths: Paths) -> Sample:
    """Read the report and probe every component at once. Raises the first XnaiError of what could not be measured."""
    begun = ctx.clock.monotonic()
    report, *truths = await observe_all(ctx, [health, *probes.values()])
    claims, status = read(report.facts.get("json"), paths)
    total_ms = report.facts.get("total_ms")
    return Sample(
        begun_s=begun,
        at_s=ctx.clock.monotonic(),
        claims=claims if report.facts.get("error") is None else None,
        status=status,
        report_ms=float(total_ms) if isinstance(total_ms, int | float) else (ctx.clock.monotonic() - begun) * 1000,
        truth={name: probed.held for name, probed in zip(probes, truths, strict=True)},
    )


def read(document: JsonValue, paths: Paths) -> tuple[Mapping[str, bool] | None, str | None]:
    """The components of a health report and its status; (None, None) where it has no components.

    Only booleans are components; other values, such as a tier, are not.
    """
    found = next(iter(values_at(paths.components, document)), None)
    if not isinstance(found, dict):
        return None, None
    status = next(iter(values_at(paths.status, document)), None)
    claims = {str(name): value for name, value in found.items() if isinstance(value, bool)}
    return claims, status if isinstance(status, str) else None


def status_fault(sample: Sample, healthy: str) -> str | None:
    """Why the status does not follow from the components: it is `healthy` exactly where all of them are well."""
    if sample.claims is None:
        return None
    wrong = sorted(name for name, well in sample.claims.items() if not well)
    if wrong and sample.status == healthy:
        return f"status {healthy} although {', '.join(wrong)} is false"
    if not wrong and sample.status != healthy:
        return f"status {sample.status} although every component is true"
    return None
