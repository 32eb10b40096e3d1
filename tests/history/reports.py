"""Reports of runs that differ in what a test is about."""

from __future__ import annotations

from xnai_validate.model.judging.findings import Finding
from xnai_validate.model.results import events as ev
from xnai_validate.model.results.report import CheckInfo, RunInfo, RunReport, Source
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.model.results.status import Status

BEGAN = 1_800_000_000.0


def events_of(
    number: int, statuses: dict[str, Status], *, profile: str = "good", total_ms: float = 10.0, ended: bool = True
) -> list[ev.Event]:
    """Return the events of the `number`-th run: each check with its status, and a judged total of `total_ms`."""
    run = RunInfo(
        id=f"run-{number:04d}", title="A run", profiles=(profile,), started_at=BEGAN + number, host={}, version="1"
    )
    infos = tuple(
        CheckInfo(id=name, title=name, category="api", kind="http.request", source=Source(file="a.yaml", line=1))
        for name in statuses
    )
    events: list[ev.Event] = [ev.RunStarted(seq=1, at=run.started_at, run=run, checks=infos, criteria=())]
    judged = Finding(fact="total_ms", rule="max", expected=1000, actual=total_ms, held=True, level="expect")
    for name, status in statuses.items():
        measured = status not in (Status.SKIP, Status.ERROR)
        events.append(
            ev.CheckFinished(
                seq=len(events) + 1,
                at=run.started_at,
                id=name,
                status=status,
                reason=None if status is Status.PASS else f"it was {status}",
                findings=(judged,) if measured else (),
                elapsed_ms=total_ms + 1,
            )
        )
    if ended:
        events.append(ev.RunFinished(seq=len(events) + 1, at=run.started_at + 1, elapsed_ms=1000.0))
    return events


def report_of_run(
    number: int, statuses: dict[str, Status], *, profile: str = "good", total_ms: float = 10.0, ended: bool = True
) -> RunReport:
    """Return the report of `events_of`."""
    return build_report(events_of(number, statuses, profile=profile, total_ms=total_ms, ended=ended))
