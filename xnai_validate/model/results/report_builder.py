"""From events to the report; a stored journal gives the same report as the live run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime

from xnai_validate.model.judging.findings import judge
from xnai_validate.model.judging.rules import Rule
from xnai_validate.model.results import events as ev
from xnai_validate.model.results.causes import causes_of
from xnai_validate.model.results.comparison import Comparison
from xnai_validate.model.results.evidence import EndedCheck, Evidence
from xnai_validate.model.results.report import (
    CheckInfo,
    CheckResult,
    Criterion,
    CriterionResult,
    FaultResult,
    ReportNotice,
    ReportRun,
    RunInfo,
    RunReport,
    Summary,
    Tool,
)
from xnai_validate.model.results.status import Status
from xnai_validate.model.results.verdict import decide, verdict_of


def build_report(events: Iterable[ev.Event]) -> RunReport:
    """Return the report of a run's events; raises ValueError if `run-started` is missing.

    If the run was killed before its end, checks without a status are skipped with that reason.
    """
    builder = ReportBuilder()
    for event in events:
        builder.add(event)
    return builder.build()


@dataclass(slots=True)
class ReportBuilder:
    """Collects the events of a run one by one and builds its report; keeps no more of them than the report needs."""

    run: RunInfo | None = None
    infos: dict[str, CheckInfo] = field(default_factory=dict)
    criteria: tuple[Criterion, ...] = ()
    targets: dict[str, str | None] = field(default_factory=dict)
    running: dict[str, float] = field(default_factory=dict)
    """Id of a check that has begun and not ended -> when it began, in seconds since the epoch."""
    ended: dict[str, CheckResult] = field(default_factory=dict)
    evidence: Evidence = field(default_factory=Evidence)
    injected: dict[str, ev.FaultInjected] = field(default_factory=dict)
    reverted: dict[str, ev.FaultReverted] = field(default_factory=dict)
    notices: list[ReportNotice] = field(default_factory=list)
    comparison: Comparison | None = None
    end: ev.RunFinished | None = None
    last_at: float = 0.0

    def add(self, event: ev.Event) -> None:
        """Add the next event of the run."""
        self.last_at = max(self.last_at, event.at)  # a resumed run repeats events of an earlier time
        match event:
            case ev.AttemptFinished():
                pass  # many events are of this type; no report needs them
            case ev.CheckStarted():
                self.running[event.id] = event.at
            case ev.RunStarted():
                self.run, self.criteria = event.run, event.criteria
                self.infos = {info.id: info for info in event.checks}
            case ev.TargetResolved():
                self.targets[event.target] = event.url
            case ev.CheckFinished():
                if event.id in self.infos:
                    times = self._times_ms(self.running.pop(event.id, None), event.at)
                    self.ended[event.id] = EndedCheck.of(self.infos[event.id], event, self.evidence, times)
            case ev.FaultInjected():
                self.injected[event.undo] = event
            case ev.FaultReverted():
                self.reverted[event.undo] = event
            case ev.BaselineCompared():
                self.comparison = event.comparison
            case ev.Notice():
                self.notices.append(ReportNotice(level=event.level, text=event.text))
            case ev.RunFinished():
                self.end = event
            case _:
                pass

    def _times_ms(self, began: float | None, ended: float) -> tuple[float | None, float | None]:
        """The beginning and the end of a check, in milliseconds since that of the run; None if it has not begun."""
        return (None, None) if began is None or self.run is None else (_since(self.run, began), _since(self.run, ended))

    def build(self) -> RunReport:
        """Return the report so far; raises ValueError if `run-started` is missing."""
        if self.run is None:
            raise ValueError("these are not the events of a run: run-started is missing")
        return _report(self, self.run)

    def unreached(self, info: CheckInfo, stopped: str | None) -> CheckResult:
        """Return the result of a check that the run did not reach."""
        reason = "a fault may still be in force" if stopped == "not-undone" else stopped
        why = f"not reached: {reason}" if reason else "not reached"
        end = ev.CheckFinished(seq=0, at=0.0, id=info.id, status=Status.SKIP, reason=why)
        return EndedCheck.of(info, end, self.evidence)


def _report(state: ReportBuilder, run: RunInfo) -> RunReport:
    """Build the report of what was collected, with its criteria judged and its exit code decided."""
    stopped = state.end.stopped if state.end else "killed"
    checks = tuple([state.ended.get(name) or state.unreached(info, stopped) for name, info in state.infos.items()])
    compared = state.comparison
    criteria = judge_criteria(state.criteria, checks)
    if compared is not None:
        criteria += (_no_regression(compared),)
    code = decide(
        (check.status for check in checks),
        # A run that ended at the first failure did not reach every check that its criteria count.
        criteria_met=stopped == "fail-fast" or all(result.met is not False for result in criteria),
        undecided=compared is not None and not compared.conclusive,
        stopped=stopped,
        not_undone=bool(state.end.not_undone) if state.end else bool(set(state.injected) - set(state.reverted)),
        fail_on=run.fail_on,
        fail_if_none=run.fail_if_none,
    )
    counts = Counter(str(check.status) for check in checks)
    return RunReport(
        tool=Tool(version=run.version),
        run=ReportRun(
            id=run.id,
            title=run.title,
            profiles=run.profiles,
            started_at=_format_iso(run.started_at),
            elapsed_ms=state.end.elapsed_ms if state.end else round((state.last_at - run.started_at) * 1000, 1),
            host=run.host,
            targets=state.targets,
            stopped=stopped,
            resumes=run.resumes,
            narrowed=run.narrowed,
            shard=run.shard,
            shards=run.shards,
        ),
        exit_code=int(code),
        verdict=verdict_of(code),
        summary=Summary(**{field.name: counts[field.name.rstrip("_")] for field in fields(Summary)}),
        criteria=criteria,
        checks=checks,
        faults=tuple(_fault_result(run, fault, state.reverted.get(undo)) for undo, fault in state.injected.items()),
        notices=tuple(state.notices),
        comparison=compared,
        causes=causes_of(checks),
    )


def judge_criteria(criteria: Iterable[Criterion], checks: Sequence[CheckResult]) -> tuple[CriterionResult, ...]:
    """Judge the counts of each category, and of the whole run, by the success criteria."""
    results = []
    for criterion in criteria:
        chosen = [c for c in checks if criterion.scope in ("total", c.category)]
        counts = _count_statuses(chosen)
        (finding,) = judge([criterion.rule], counts)
        not_judged = criterion.not_judged or (None if finding.held else _why_not_judged(criterion.rule, counts, chosen))
        results.append(
            CriterionResult(
                name=f"{criterion.scope} {finding.fact}",
                planned=f"{finding.rule} {finding.expected}",
                actual=finding.actual,
                met=finding.held if not_judged is None else None,
                not_judged=not_judged,
            )
        )
    return tuple(results)


def _why_not_judged(rule: Rule, counts: Mapping[str, int], checks: Sequence[CheckResult]) -> str | None:
    """Why a criterion is neither met nor missed: checks that are waived, not judged or not applicable might pass."""
    errors, waived = counts["errors"], counts["waived"]
    not_applicable = sum(check.status is Status.SKIP and check.attempts > 0 for check in checks)
    if rule.fact != "passed" or not errors + not_applicable + waived:
        return None
    waived_ids = {check.id for check in checks if check.status is Status.WAIVED}
    skipped = sum(
        check.status is Status.SKIP and (check.blocked_by is None or check.blocked_by in waived_ids) for check in checks
    )
    possible = range(counts["passed"], counts["passed"] + errors + waived + skipped + 1)
    if not any(judge([rule], {"passed": passed})[0].held for passed in possible):
        return None
    if waived and not errors:
        return f"{waived} of its checks {'is' if waived == 1 else 'are'} waived"
    if not errors:
        return f"{not_applicable} of its checks found that this stack lacks what they need"
    return f"{errors} check{'' if errors == 1 else 's'} could not be judged"


def _no_regression(comparison: Comparison) -> CriterionResult:
    """The success criterion of a run that is compared with a baseline."""
    count = comparison.count("regression")
    return CriterionResult(name="regressions", planned="equals 0", actual=count, met=count == 0)


def _count_statuses(checks: Sequence[CheckResult]) -> dict[str, int]:
    """Count the checks by status, for the criteria of a profile."""
    by = Counter(check.status for check in checks)
    return {
        "planned": len(checks),
        "passed": sum(count for status, count in by.items() if status.passed),
        "flaky": by[Status.FLAKY],
        "warnings": by[Status.WARN],
        "failed": by[Status.FAIL],
        "waived": by[Status.WAIVED],
        "errors": by[Status.ERROR],
        "skipped": by[Status.SKIP],
    }


def _fault_result(run: RunInfo, injected: ev.FaultInjected, reverted: ev.FaultReverted | None) -> FaultResult:
    """Combine the events of one fault into its entry in the report."""
    return FaultResult(
        fault=injected.fault,
        target=injected.target,
        injected_at=_format_iso(injected.at),
        reverted_at=_format_iso(reverted.at) if reverted else None,
        proven=reverted.proven if reverted else False,
        check=injected.check,
        injected_ms=_since(run, injected.at),
        reverted_ms=_since(run, reverted.at) if reverted else None,
    )


def _since(run: RunInfo, at: float) -> float:
    """Milliseconds from the beginning of a run to a time in seconds since the epoch; 0 for one before it."""
    return max(0.0, round((at - run.started_at) * 1000, 1))


def _format_iso(at: float) -> str:
    """Format seconds since 1970 as ISO 8601 in UTC, with milliseconds."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
