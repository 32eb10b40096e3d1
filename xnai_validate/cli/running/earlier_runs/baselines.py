"""`run --baseline` and `run --record`: compare the run with earlier runs, and record it for later ones."""

from __future__ import annotations

from xnai_validate.baseline import store
from xnai_validate.baseline.comparing import compare
from xnai_validate.baseline.fingerprint import before_run
from xnai_validate.baseline.record import RecordedRun, recorded
from xnai_validate.cli.stored_runs import recorded_of
from xnai_validate.engine.state_folder import refuse_shared, state_dir
from xnai_validate.errors import XnaiError
from xnai_validate.model.json import JsonObject
from xnai_validate.model.results.comparison import Comparison
from xnai_validate.model.results.report import RunReport
from xnai_validate.plan import Plan


class Baselines:
    """The baselines of one run: the one to compare with (`against`) and the one to add it to (`record`)."""

    def __init__(self, against: str | None, record: str | None) -> None:
        """Read them. Raises ConfigError if one cannot be read."""
        self.against = against
        self.record = record
        self._against: tuple[RecordedRun, ...] = () if against is None else recorded_of(against)
        self._recorded: tuple[RecordedRun, ...] = ()
        if record is not None:
            state = state_dir()
            refuse_shared(state, state / "baselines")
            path = store.baseline_path(record, state)
            self._recorded = store.load(path).runs if path.exists() else ()

    def verify(self, plan: Plan, version: str, host: JsonObject) -> None:
        """Raise ConfigError if a run of the plan cannot be compared with them."""
        if self.against is None and self.record is None:
            return
        urls = {name: planned.target.url for name, planned in plan.targets.items()}
        fingerprint = before_run(plan.profiles, version, host, urls)
        for name, runs in ((self.against, self._against), (self.record, self._recorded)):
            if name is not None and runs:
                store.refuse_unlike(name, runs[-1].fingerprint, fingerprint)

    def compare(self, report: RunReport) -> Comparison:
        """Compare a run with the baseline."""
        return compare(self.against or "", self._against, (recorded(report, passed_only=False),))

    def add(self, report: RunReport) -> str:
        """Add a run to the baseline; return a sentence for the user. Raises XnaiError if the run cannot be recorded."""
        assert self.record is not None
        reason = _reason_against(report)
        run = recorded(report, passed_only=True)
        if reason is None and not any(check.comparable for check in run.checks.values()):
            reason = "the run measured no load and no memory that can be compared"
        if reason is not None:
            raise XnaiError(f"the run was not recorded as {self.record}: {reason}")
        count = store.add(self.record, run, state_dir())
        return f"recorded as {self.record}, which has {count} run{'' if count == 1 else 's'} now"


def _reason_against(report: RunReport) -> str | None:
    """Return why later runs should not be compared with this one; None if they may."""
    if report.run.stopped is not None:
        return f"the run did not reach its end ({report.run.stopped})"
    comparison = report.comparison
    if comparison is not None and comparison.count("regression"):
        return f"it is worse than {comparison.baseline}"
    return None
