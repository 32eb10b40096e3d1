"""Where a check is measured: by this process, or from the workers that it names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xnai_validate.config.yaml_files.problems import Problems, Where
from xnai_validate.model.results.vantage import HERE
from xnai_validate.plan import CompiledMeasurement, PlannedTarget

Names = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Vantage:
    """Decides from where checks are measured."""

    has_workers: bool
    """Whether the run has workers."""
    targets: Mapping[str, PlannedTarget]
    problems: Problems

    def of(
        self,
        own: Names | None,
        default: Names | None,
        measurement: CompiledMeasurement,
        where: Where,
        *,
        disruptive: bool,
    ) -> Names:
        """Return the vantage points of a check by their names; empty where it is measured by this process alone.

        `own`: those of the check itself, an error where it cannot be measured from workers; `default`: those of its
        suite or profile, which hold for checks that can be.
        """
        names = own or default or ()
        if not set(names) - {HERE}:
            return ()
        why = self._refusal(measurement, disruptive=disruptive)
        if why is None:
            return tuple(dict.fromkeys(names))
        if own is not None:
            hint = "leave `from` out: it is measured by this process"
            self.problems.at(where.at("from"), f"the check cannot be measured from workers: {why}", hint)
        return ()

    def skip_reason(self, names: Names) -> str | None:
        """Why a check is not measured in a run without the workers that it names; None where it is."""
        if self.has_workers or not names or HERE in names:
            return None
        return (
            f"the check is measured from workers ({', '.join(names)}); give them with --workers tcp://HOST:8786, "
            "tls://HOST:8786 or local:N"
        )

    def warnings(self, ids: Sequence[str]) -> tuple[str, ...]:
        """Return a sentence where checks with vantage points, of these ids, are measured by this process alone."""
        if self.has_workers or not ids:
            return ()
        more = f" and {len(ids) - 1} more" if len(ids) > 1 else ""
        return (f"{ids[0]}{more}: measured from here alone; give the workers of `from` with --workers",)

    def _refusal(self, measurement: CompiledMeasurement, *, disruptive: bool) -> str | None:
        """Why a check must not be measured from workers; None where it may."""
        checker = measurement.checker
        if disruptive:
            return "it disturbs the stack"
        if not checker.from_workers:
            return f"{checker.kind} needs this host, other targets, or what checks of this process share"
        planned = self.targets.get(measurement.target or "")
        if planned is not None and planned.target.keeps_cookies:
            return f"{planned.name} keeps cookies, which this process holds"
        return None
