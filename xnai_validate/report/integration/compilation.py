"""From the reports of runs to the integration report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields

from xnai_validate.model.judging.findings import describe_finding
from xnai_validate.model.results.causes import causes_of
from xnai_validate.model.results.report import Cause, CheckResult, RunReport, Summary
from xnai_validate.model.results.status import Status
from xnai_validate.model.results.verdict import decide
from xnai_validate.report.causes import skips_of
from xnai_validate.report.evidence import evidence_lines
from xnai_validate.report.integration.models import (
    Coverage,
    Criterion,
    IntegrationReport,
    KnownFailure,
    LoadFigures,
    RootCause,
    RunEntry,
    RunEnvironment,
    Scope,
    Skipped,
    State,
)
from xnai_validate.report.integration.readiness import NEEDS_CONSENT, Grounds, readiness_of
from xnai_validate.report.lists import counted, listed
from xnai_validate.report.loads import Load, loads_of
from xnai_validate.report.words import broken_rules, promise_of, reason_of, waiver_of

EVIDENCE = 8
"""Lines of evidence of one root cause."""
NO_FIX = "Make the stack keep the promise again; the evidence shows what it does instead."


def compile_integration(reports: Sequence[RunReport], scope: Scope) -> IntegrationReport:
    """Compile the reports of one run or more.

    If several runs contain the same check, the latest one that did not leave it out counts.
    """
    reports = sorted(reports, key=lambda report: report.run.started_at)
    latest = _latest(reports)
    newest = tuple({report.run.profiles: report for report in reports}.values())
    checks = tuple(check for _, check in latest.values())
    criteria = tuple(
        Criterion(run=report.run.id, profiles=" ".join(report.run.profiles), result=result)
        for report in newest
        for result in report.criteria
    )
    runs = tuple(map(_run_entry, reports))
    run_of = {check.id: run for run, check in latest.values()}
    causes = _root_causes(checks, run_of)
    faults = tuple(fault for report in reports for fault in report.faults)
    skipped = tuple(Skipped(reason=reason, checks=tuple(ids)) for reason, ids in skips_of(checks))
    counts = Counter(check.status for check in checks)
    return IntegrationReport(
        tool="; ".join(dict.fromkeys(f"{report.tool.name} {report.tool.version}" for report in reports)),
        exit_code=_exit_code(newest, checks, scope),
        readiness=readiness_of(
            Grounds(tuple(map(_run_entry, newest)), scope.missing, criteria, causes, faults, checks, skipped)
        ),
        runs=runs,
        missing=scope.missing,
        summary=Summary(**{each.name: counts[Status(each.name.rstrip("_"))] for each in fields(Summary)}),
        criteria=criteria,
        categories=tuple(
            _coverage(name, name, [check for check in checks if check.category == name])
            for name in dict.fromkeys(check.category for check in checks)
        ),
        gaps=tuple(_gaps(checks, scope.gaps)),
        causes=causes,
        loads=tuple(_load_figures(load, run_of[load.check.id]) for load in loads_of(checks)),
        comparisons=tuple(report.comparison for report in reports if report.comparison is not None),
        faults=faults,
        skipped=skipped,
        known_failures=tuple(
            KnownFailure(check=check.id, status=check.status, waiver=text)
            for check in checks
            if (text := waiver_of(check)) is not None
        ),
        environments=tuple(
            RunEnvironment(run=report.run.id, host=report.run.host, targets=report.run.targets) for report in reports
        ),
    )


def _latest(reports: Sequence[RunReport]) -> dict[str, tuple[str, CheckResult]]:
    """Return check id -> run id and result; a check that a later run left out keeps its earlier result."""
    latest: dict[str, tuple[str, CheckResult]] = {}
    for report in reports:
        for check in report.checks:
            left_out = check.status is Status.SKIP and check.blocked_by is None
            if not left_out or check.id not in latest:
                latest[check.id] = (report.run.id, check)
    return latest


def _exit_code(reports: Sequence[RunReport], checks: Sequence[CheckResult], scope: Scope) -> int:
    """Return the exit code of the whole: undecided if a phase is missing; never better than that of all its runs."""
    worst = max((report.exit_code for report in reports), default=0)
    decided = int(
        decide(
            (check.status for check in checks),
            criteria_met=all(result.met is not False for report in reports for result in report.criteria),
            undecided=bool(scope.missing),
            stopped=next((report.run.stopped for report in reports if report.run.stopped is not None), None),
            not_undone=any(not fault.proven for report in reports for fault in report.faults),
        )
    )
    return decided or worst


def _run_entry(report: RunReport) -> RunEntry:
    """Return the entry of a run."""
    run = report.run
    return RunEntry(
        id=run.id,
        title=run.title,
        profiles=run.profiles,
        started_at=run.started_at,
        elapsed_ms=run.elapsed_ms,
        verdict=report.verdict,
        exit_code=report.exit_code,
        stopped=run.stopped,
        summary={each.name.rstrip("_"): getattr(report.summary, each.name) for each in fields(Summary)},
    )


def _coverage(name: str, title: str, checks: Sequence[CheckResult]) -> Coverage:
    """Count the results of some checks; any failure means failed, no pass means not covered."""
    passed = sum(check.status.passed for check in checks)
    failed = sum(check.status is Status.FAIL for check in checks)
    not_judged = len(checks) - passed - failed  # skipped, waived or not measured
    not_applicable = sum(map(_is_not_applicable, checks))
    state: State
    if failed:
        state = "failed"
    elif not passed:
        state = "not covered"
    else:
        state = "partly covered" if not_judged > not_applicable else "covered"
    return Coverage(
        id=name,
        title=title,
        checks=len(checks),
        passed=passed,
        failed=failed,
        not_judged=not_judged,
        not_applicable=not_applicable,
        state=state,
    )


def _is_not_applicable(check: CheckResult) -> bool:
    """Whether a check is not meant for this stack: it was skipped for another reason than a failure, or consent."""
    is_left_out = check.status is Status.SKIP and check.blocked_by is None
    return is_left_out and check.reason is not None and NEEDS_CONSENT not in check.reason


def _load_figures(load: Load, run: str) -> LoadFigures:
    """Return the figures of a load."""
    return LoadFigures(
        check=load.check.id,
        title=load.check.title,
        sent=load.requests,
        rate_rps=load.rate,
        p50_ms=load.percentile_ms(0.5),
        p95_ms=load.percentile_ms(0.95),
        p99_ms=load.percentile_ms(0.99),
        error_ratio=load.error_ratio,
        run=run,
    )


def _gaps(checks: Sequence[CheckResult], titles: Mapping[str, str]) -> Iterator[Coverage]:
    """Yield the knowledge gaps that the plan names, then the others that checks cover."""
    others = sorted({gap for check in checks for gap in check.covers} - titles.keys())
    for gap in (*titles, *others):
        yield _coverage(gap, titles.get(gap, ""), [check for check in checks if gap in check.covers])


def _root_causes(checks: Sequence[CheckResult], runs: Mapping[str, str]) -> tuple[RootCause, ...]:
    """Return the root causes over all runs, the gravest first, then those that block the most checks."""
    known = {check.id: check for check in checks}
    causes = [_root_cause(cause, known, runs[cause.id]) for cause in causes_of(checks)]
    return tuple(sorted(causes, key=lambda cause: (cause.severity.rank, cause.status is Status.ERROR)))


def _root_cause(cause: Cause, known: Mapping[str, CheckResult], run: str) -> RootCause:
    """Return a root cause with its evidence, impact and recommendation."""
    check = known[cause.id]
    members = [check, *(known[each] for each in cause.alike)]
    promise = promise_of(check)
    return RootCause(
        severity=min((member.severity for member in members), key=lambda severity: severity.rank),
        id=cause.id,
        title=cause.title,
        status=cause.status,
        target=cause.target,
        reason=cause.reason,
        promise=None if promise is None else f"{promise[0]} {promise[1]}",
        evidence=tuple(_list_evidence(check))[:EVIDENCE],
        impact=_impact(cause, known),
        recommendation=" ".join(check.fix.split()) if check.fix else NO_FIX,
        alike=cause.alike,
        blocks=cause.blocks,
        run=run,
    )


def _list_evidence(check: CheckResult) -> Iterator[str]:
    """Yield the broken rules and the evidence of a check."""
    broken = broken_rules(check)
    if not broken:
        yield reason_of(check)
    for finding in broken:
        yield describe_finding(finding, check.facts)
    for label, text in evidence_lines(check):
        yield f"{label}: {text}"


def _impact(cause: Cause, known: Mapping[str, CheckResult]) -> str:
    """Return which checks and categories a cause affects, in one sentence."""
    ids = (cause.id, *cause.alike)
    categories = dict.fromkeys(known[each].category for each in (*ids, *cause.blocks) if each in known)
    verb = "could not be measured" if cause.status is Status.ERROR else "fail"
    parts = [f"{counted(len(ids), 'check')} {verb if len(ids) > 1 or cause.status is Status.ERROR else 'fails'}"]
    if cause.blocks:
        parts.append(f"{counted(len(cause.blocks), 'check')} could not be judged because of it")
    text = f"{' and '.join(parts)}, in {', '.join(categories)}"
    return f"{text} (also {listed(cause.alike, 5)})" if cause.alike else text
