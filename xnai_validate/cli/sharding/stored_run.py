"""What `report` shows: one stored run, or the run that the shards of a plan make together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from xnai_validate.cli.stored_runs import events_of, report_of
from xnai_validate.model.results.events import Event
from xnai_validate.model.results.merged_events import merged_events
from xnai_validate.model.results.report import RunReport
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.model.results.verdict import Exit


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A stored run: its report, and a function that returns its events."""

    report: RunReport
    events: Callable[[], Iterable[Event]]
    """Returns the events; raises ConfigError for a JSON report, which has none."""
    exit_code: int = 0
    """The exit code of `report`: that of the run for shards that are merged, else 0."""
    warning: str | None = None


def stored_run(names: Sequence[str]) -> StoredRun:
    """Return the run of one name, or the merged run of several. Raises ConfigError, also for shards that do not fit.

    One shard alone is shown, but decides nothing about the plan: a list of files may have lost the others.
    """
    reports = [(name, report_of(name)) for name in names]
    name, first = reports[0]
    shard = first.run.shard
    if len(reports) > 1 or (shard is not None and shard.count == 1):
        events = merged_events(reports)
        report = build_report(events)
        return StoredRun(report, lambda: events, report.exit_code)
    if shard is None:
        return StoredRun(first, lambda: events_of(name))
    warning = f"{name} is shard {shard.name} alone, which decides nothing about the plan: name the files of all shards"
    return StoredRun(first, lambda: events_of(name), int(Exit.UNDECIDED), warning)
