"""What `--baseline` and `--record` ask of a run: to be held against earlier runs, and to be kept for later ones."""

from __future__ import annotations

from xnai_validate.baseline import store
from xnai_validate.baseline.comparing import compare
from xnai_validate.baseline.fingerprint import before_run
from xnai_validate.baseline.record import RecordedRun, recorded
from xnai_validate.cli.stored import recorded_of
from xnai_validate.engine.journal import state_dir
from xnai_validate.errors import XnaiError
from xnai_validate.model.json import JsonObject
from xnai_validate.model.results.comparison import Comparison
from xnai_validate.model.results.report import RunReport
from xnai_validate.plan import Plan


class Baselines:
    """The baselines of one run."""

    def __init__(self, against: str | None, record: str | None) -> None:
        """Read those that are there. Raises ConfigError where that cannot be done, before anything is touched."""
        self.against = against
        self.record = record
        self._before: tuple[RecordedRun, ...] = () if against is None else recorded_of(against)
        self._begun: tuple[RecordedRun, ...] = ()
        if record is not None:
            path = store.baseline_path(record, state_dir())
            self._begun = store.load(path).runs if path.exists() else ()

    def verify(self, plan: Plan, version: str, host: JsonObject) -> None:
        """Raise ConfigError where the run could not be compared with them, with how to go on."""
        urls = {name: planned.target.url for name, planned in plan.targets.items()}
        now = before_run(plan.profiles, version, host, urls)
        for name, runs in ((self.against, self._before), (self.record, self._begun)):
            if name is not None and runs:
                store.refuse_unlike(name, runs[-1].fingerprint, now)

    def compare(self, report: RunReport) -> Comparison:
        """Hold a run against the baseline."""
        return compare(self.against or "", self._before, (recorded(report, passed_only=False),))

    def keep(self, report: RunReport) -> str:
        """Record a run; returns a sentence that says so. Raises XnaiError where it is not recorded, with the reason."""
        assert self.record is not None
        why = _unfit(report)
        run = recorded(report, passed_only=True)
        if why is None and not any(check.comparable for check in run.checks.values()):
            why = "no load and no memory was measured that could be compared"
        if why is not None:
            raise XnaiError(f"nothing was recorded as {self.record}: {why}")
        count = store.add(self.record, run, state_dir())
        return f"recorded as {self.record}, which has {count} run{'' if count == 1 else 's'} now"


def _unfit(report: RunReport) -> str | None:
    """Why a run should be no example for later ones; None where it may."""
    if report.run.stopped is not None:
        return f"the run did not reach its end ({report.run.stopped})"
    compared = report.comparison
    if compared is not None and compared.count("regression"):
        return f"it is worse than {compared.baseline}, and later runs would be held against that"
    return None
