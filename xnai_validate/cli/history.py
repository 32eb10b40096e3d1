"""What `list runs` and `list baselines` print."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from xnai_validate.engine.journal import journals, read_journal, state_dir
from xnai_validate.errors import XnaiError
from xnai_validate.model.results.events import RunStarted
from xnai_validate.report.terminal.page import Page, Span
from xnai_validate.report.words import counted


def runs(page: Page) -> None:
    """Append the runs that are kept, newest first."""
    state = state_dir()
    kept = journals(state)
    if not kept:
        page.text(f"no run is kept in {state / 'runs'}")
    page.table([_run(path) for path in reversed(kept)])


def _run(path: Path) -> list[Span]:
    """The row of a run; of its journal only the beginning is read."""
    try:
        first = next(islice(read_journal(path), 1), None)
    except XnaiError as error:
        return [(path.stem, "bold"), ("", ""), (error.message, "dim")]
    if not isinstance(first, RunStarted):
        return [(path.stem, "bold"), ("", ""), ("its journal has no beginning", "dim")]
    when = f"{datetime.fromtimestamp(first.run.started_at, UTC):%Y-%m-%d %H:%M} UTC"
    what = f"{' '.join(first.run.profiles)}, {counted(len(first.checks), 'check')}"
    return [(path.stem, "bold"), (when, "dim"), (what, "")]


def baselines(page: Page) -> None:
    """Append the baselines that are kept."""
    from xnai_validate.baseline import store

    state = state_dir()
    names = store.baseline_names(state)
    if not names:
        page.text(f"no baseline is kept in {state / 'baselines'}; record one with: run PROFILE --record NAME")
    rows: list[list[Span]] = []
    for name in names:
        try:
            found = store.load(store.baseline_path(name, state))
        except XnaiError as error:
            rows.append([(name, "bold"), ("", ""), (error.message, "dim")])
            continue
        last = found.runs[-1]
        figures = sum(check.comparable for check in last.checks.values())
        what = f"{' '.join(last.fingerprint.profiles)}, {counted(figures, 'check')} to compare, last {last.started_at}"
        rows.append([(name, "bold"), (counted(len(found.runs), "run"), "dim"), (what, "")])
    page.table(rows)
