"""The lists of what earlier runs have stored: runs and baselines."""

from __future__ import annotations

from pathlib import Path

from xnai_validate.baseline import store
from xnai_validate.cli.run_history import current_history
from xnai_validate.engine.state_folder import state_dir
from xnai_validate.errors import XnaiError
from xnai_validate.history.records import RUNNING, RunRecord
from xnai_validate.model.units import format_ms
from xnai_validate.report.lists import counted
from xnai_validate.report.terminal.page import Page, Span, Style

_STYLES: dict[str, Style] = {"passed": "green", "failed": "bold red", RUNNING: "cyan"}


def add_runs(page: Page) -> None:
    """Add the stored runs, newest first: when, how long, verdict, counts, profiles."""
    with current_history() as history:
        runs, unreadable = history.runs(), history.unreadable
    if not runs and not unreadable:
        page.text(f"no run is stored in {state_dir() / 'runs'}")
    page.table([run_row(run) for run in runs])
    page.table([[(run_id, "bold"), (why, "dim")] for run_id, why in unreadable.items()])


def run_row(run: RunRecord) -> list[Span]:
    """Return the row of a run."""
    started = f"{run.started_at[:16].replace('T', ' ')} UTC"
    total = sum(run.counts.values())
    counts = ", ".join(f"{count} {status}" for status, count in run.counts.items() if count)
    text = f"{run.name}, {counted(total, 'check')}: {counts}" if counts else run.name
    took = "" if run.verdict == RUNNING else format_ms(run.elapsed_ms)
    return [
        (run.id, "bold"),
        (started, "dim"),
        (took, ""),
        (run.verdict, _STYLES.get(run.verdict, "yellow")),
        (text, ""),
    ]


def add_baselines(page: Page) -> None:
    """Add the stored baselines."""
    state = state_dir()
    names = store.baseline_names(state)
    if not names:
        page.text(f"no baseline is stored in {state / 'baselines'}; record one with: run PROFILE --record NAME")
    page.table([_baseline_row(name, state) for name in names])


def _baseline_row(name: str, state: Path) -> list[Span]:
    """Return the row of a baseline: its name, runs and profiles, or why it cannot be read."""
    try:
        baseline = store.load(store.baseline_path(name, state))
    except XnaiError as error:
        return [(name, "bold"), ("", ""), (error.message, "dim")]
    last = baseline.runs[-1]
    figures = counted(sum(check.comparable for check in last.checks.values()), "check")
    text = f"{' '.join(last.fingerprint.profiles)}, {figures} to compare, last {last.started_at}"
    return [(name, "bold"), (counted(len(baseline.runs), "run"), "dim"), (text, "")]
