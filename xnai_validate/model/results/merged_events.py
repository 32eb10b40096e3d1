"""Shards merged: the events of one run of the whole plan, from which every report is made as from a journal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from xnai_validate.model.json import JsonObject
from xnai_validate.model.results import events as ev
from xnai_validate.model.results.report import (
    CheckInfo,
    CheckResult,
    FaultResult,
    ReportNotice,
    RunInfo,
    RunReport,
)
from xnai_validate.model.results.shards import ShardReport, verified_shards
from xnai_validate.model.results.status import Status
from xnai_validate.model.results.verdict import Exit

STOPS: tuple[ev.Stopped, ...] = ("not-undone", "interrupted", "killed", "deadline", "memory", "fail-fast")
"""Why runs end early; of several shards the first of these is that of the whole."""
WORST = (Status.FAIL, Status.ERROR, Status.WAIVED, Status.SKIP, Status.WARN, Status.FLAKY, Status.PASS)
"""Of a check that several shards have measured, the first of these counts: it was needed in each."""


def merged_events(reports: Sequence[tuple[str, RunReport]]) -> tuple[ev.Event, ...]:
    """Return the events of one run, made from the reports of all shards of a plan, each time as it was.

    Success criteria are those of the whole plan. A check that several shards have measured has its worst result.

    Args:
        reports: the name of each file or run, with its report.

    Raises ConfigError as `verified_shards` does.
    """
    shards = verified_shards(reports)
    began = min(_parse_seconds(each.report.run.started_at) for each in shards)
    checks, notices = _collect_checks(shards)
    timed: list[ev.Event] = []
    for where, check in checks:
        timed += _make_check_events(check, _parse_seconds(where.report.run.started_at))
    for each in shards:
        for number, fault in enumerate(each.report.faults):
            timed += _make_fault_events(
                fault, f"{each.report.run.id}-{number}", _parse_seconds(each.report.run.started_at)
            )
    first: list[ev.Event] = [
        ev.RunStarted(
            seq=0,
            at=began,
            run=_make_run(shards, began),
            checks=tuple(_make_info(check) for _, check in checks),
            criteria=shards[0].shard.criteria,
        )
    ]
    first += [ev.Notice(seq=0, at=began, level=notice.level, text=notice.text) for notice in notices]
    for target, url in _collect_targets(shards).items():
        first.append(ev.TargetResolved(seq=0, at=began, target=target, url=url, tried=0, answered=True))
    end = _make_end(shards, began)
    ordered = (*first, *sorted(timed, key=lambda event: event.at), end)
    return tuple(replace(event, seq=number) for number, event in enumerate(ordered, 1))


def _make_run(shards: Sequence[ShardReport], began: float) -> RunInfo:
    """Return the run that the shards make together; of the hosts, what all have in common."""
    report, shard = shards[0].report, shards[0].shard
    hosts = [each.report.run.host for each in shards]
    shared: JsonObject = {
        name: value for name, value in hosts[0].items() if all(host.get(name) == value for host in hosts)
    }
    more = len(shards) - 1
    return RunInfo(
        id=f"{report.run.id}+{more}" if more else report.run.id,
        title=shard.title,
        profiles=report.run.profiles,
        started_at=began,
        host=shared,
        fail_on=shard.fail_on,
        fail_if_none=shard.fail_if_none,
        version=report.tool.version,
        narrowed=shard.narrowed,
        shards=tuple(each.report.run.id for each in shards),
    )


def _make_end(shards: Sequence[ShardReport], began: float) -> ev.RunFinished:
    """Return the end of the run, which is that of its last shard."""
    ends = (_parse_seconds(each.report.run.started_at) + each.report.run.elapsed_ms / 1000 for each in shards)
    elapsed_ms = round((max(ends) - began) * 1000, 1)
    stops = {each.report.run.stopped for each in shards} - {None}
    # A reason that this version does not know is no reason to take the run for whole.
    stopped = next((stop for stop in STOPS if stop in stops), "killed" if stops else None)
    left = tuple(each.name for each in shards if each.report.exit_code == Exit.NOT_UNDONE)
    return ev.RunFinished(seq=0, at=began + elapsed_ms / 1000, elapsed_ms=elapsed_ms, stopped=stopped, not_undone=left)


def _collect_targets(shards: Sequence[ShardReport]) -> dict[str, str | None]:
    """Return target -> url; that of the first shard where each has a stack of its own."""
    found: dict[str, str | None] = {}
    for each in shards:
        for target, url in each.report.run.targets.items():
            found.setdefault(target, url)
    return found


def _collect_checks(shards: Sequence[ShardReport]) -> tuple[list[tuple[ShardReport, CheckResult]], list[ReportNotice]]:
    """Return the shard and the result that count of each check, in the order of the plan, and all notices."""
    places = {check_id: place for each in shards for check_id, place in each.shard.share.items()}
    notices = list(_collect_notices(shards))
    results: dict[str, list[tuple[ShardReport, CheckResult]]] = {}
    for each in shards:
        for check in each.report.checks:
            same = results.setdefault(check.id, [])
            same.insert(0 if check.id in each.shard.share else len(same), (each, check))
    checks = []
    for check_id in sorted(places, key=places.__getitem__):
        (home, own), *others = results[check_id]
        measured = [(each, check) for each, check in others if check.attempts or check.blocked_by is not None]
        where, worst = min([(home, own), *measured], key=lambda pair: WORST.index(pair[1].status))
        if worst.status is not own.status:
            text = (
                f"{check_id}: {own.status} in its own shard, {worst.status} in shard {where.shard.name}, which counts"
            )
            notices.append(ReportNotice(level="warning", text=text))
        checks.append((where, worst))
    return checks, notices


def _collect_notices(shards: Sequence[ShardReport]) -> Iterator[ReportNotice]:
    """Yield the notices of all shards, those of all once, the others with their shard."""
    known = [frozenset(each.report.notices) for each in shards]
    common = frozenset.intersection(*known)
    yield from (notice for notice in shards[0].report.notices if notice in common)
    for each in shards:
        for notice in each.report.notices:
            if notice not in common:
                shard = f"shard {each.shard.name}: "  # a notice of how many checks it has begins so already
                yield replace(notice, text=shard + notice.text.removeprefix(shard))
    if len({str(each.report.run.host.get("name")) for each in shards}) > 1:
        names = [f"{each.shard.name} on {each.report.run.host.get('name')}" for each in shards]
        yield ReportNotice(level="info", text=f"the shards ran on different hosts: {', '.join(names)}")


def _make_info(check: CheckResult) -> CheckInfo:
    """Return a check before its run, from its result."""
    error = check.facts.get("error")
    # The fix was chosen when the check ended; by the kind of its error it would be chosen anew.
    fixes = {str(error): check.fix} if error is not None and check.fix is not None else None
    return CheckInfo(
        id=check.id,
        title=check.title,
        category=check.category,
        kind=check.kind,
        target=check.target,
        tags=check.tags,
        covers=check.covers,
        fix=check.fix,
        fixes=fixes,
        source=check.source,
        promise=check.promise,
        waiver=check.waiver,
        faults=check.faults,
        severity=check.severity,
    )


def _make_check_events(check: CheckResult, began: float) -> Iterator[ev.Event]:
    """Yield the events of a check; `began` is when its shard began, in seconds since the epoch."""
    start, end = check.began_ms, check.ended_ms
    if start is not None and end is not None:
        yield ev.CheckStarted(seq=0, at=began + start / 1000, id=check.id)
    yield ev.CheckFinished(
        seq=0,
        at=began + (end or 0.0) / 1000,
        id=check.id,
        status=check.status,
        reason=check.reason,
        blocked_by=check.blocked_by,
        findings=check.findings,
        facts=check.facts,
        attempts=check.attempts,
        elapsed_ms=check.elapsed_ms,
        exchanges=check.exchanges,
        vantage=check.vantage,
    )


def _make_fault_events(fault: FaultResult, undo: str, began: float) -> Iterator[ev.Event]:
    """Yield the events of a fault; `began` is when its shard began, in seconds since the epoch."""
    at = began + fault.injected_ms / 1000
    yield ev.FaultInjected(seq=0, at=at, fault=fault.fault, target=fault.target, undo=undo, check=fault.check)
    if fault.reverted_ms is not None:
        yield ev.FaultReverted(seq=0, at=began + fault.reverted_ms / 1000, undo=undo, proven=fault.proven)


def _parse_seconds(instant: str) -> float:
    """Return the seconds since the epoch of an instant in ISO 8601."""
    return datetime.fromisoformat(instant).timestamp()
