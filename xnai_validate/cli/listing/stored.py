"""The lists of what earlier runs have stored: runs and baselines."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from xnai_validate.baseline import store
from xnai_validate.engine.events.journal import journals, read_journal
from xnai_validate.engine.state_folder import state_dir
from xnai_validate.errors import XnaiError
from xnai_validate.model.results.events import RunStarted
from xnai_validate.report.lists import counted
from xnai_validate.report.terminal.page import Page, Span


def add_runs(page: Page) -> None:
    """Add the stored runs, newest first."""
    paths = journals(state_dir())
    if not paths:
        page.text(f"no run is stored in {state_dir() / 'runs'}")
    page.table([_run(path) for path in reversed(paths)])


def _run(path: Path) -> list[Span]:
    """Return the row of a run; only the first event of its journal is read."""
    try:
        first = next(islice(read_journal(path), 1), None)
    except XnaiError as error:
        return [(path.stem, "bold"), ("", ""), (error.message, "dim")]
    if not isinstance(first, RunStarted):
        return [(path.stem, "bold"), ("", ""), ("its journal has no beginning", "dim")]
    started = f"{datetime.fromtimestamp(first.run.started_at, UTC):%Y-%m-%d %H:%M} UTC"
    checks = f"{' '.join(first.run.profiles)}, {counted(len(first.checks), 'check')}"
    return [(path.stem, "bold"), (started, "dim"), (checks, "")]


def add_baselines(page: Page) -> None:
    """Add the stored baselines."""
    state = state_dir()
    names = store.baseline_names(state)
    if not names:
        page.text(f"no baseline is stored in {state / 'baselines'}; record one with: run PROFILE --record NAME")
    page.table([_baseline(name, state) for name in names])


def _baseline(name: str, state: Path) -> list[Span]:
    try:
        baseline = store.load(store.baseline_path(name, state))
    except XnaiError as error:
        return [(name, "bold"), ("", ""), (error.message, "dim")]
    last = baseline.runs[-1]
    figures = counted(sum(check.comparable for check in last.checks.values()), "check")
    text = f"{' '.join(last.fingerprint.profiles)}, {figures} to compare, last {last.started_at}"
    return [(name, "bold"), (counted(len(baseline.runs), "run"), "dim"), (text, "")]
