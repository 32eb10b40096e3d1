"""What a run does before its first check: import heavy modules, create the journal, emit the first events."""

from __future__ import annotations

import importlib
from collections.abc import Hashable, Mapping
from contextlib import suppress
from pathlib import Path

from xnai_validate.engine.events.emit import Emitter, Journal
from xnai_validate.engine.events.journal import journal_path
from xnai_validate.engine.events.plan_identity import identity_of
from xnai_validate.model.results.events import Notice, RunStarted, TargetResolved
from xnai_validate.model.results.report import RunInfo
from xnai_validate.plan import Plan


def preload(plan: Plan) -> None:
    """Import the modules that the checkers and faults of a plan name as `preload`, so that no measurement pays for it.

    A missing module is left to the checker, which reports it.
    """
    for name in plan.preload_modules():
        with suppress(ImportError):
            importlib.import_module(name)


def notes_of(plan: Plan) -> dict[Hashable, object]:
    """What the checkers of a plan note before the first check; a key that several note has the first one's value."""
    notes: dict[Hashable, object] = {}
    pending = [check.measurement for check in plan.checks if check.skip is None]
    while pending:
        measurement = pending.pop()
        pending += measurement.observations.values()
        if measurement.checker.notes is not None:
            notes = {**measurement.checker.notes(measurement.params), **notes}
    return notes


def begin(emitter: Emitter, plan: Plan, run: RunInfo, state: Path) -> Path | None:
    """Create the journal below `state` and emit run-started, the plan's notices and its targets.

    Returns the path of the journal; None if it cannot be written: then there is a notice, and the run goes on.
    """
    path = journal_path(run.id, state)
    why = None
    try:
        emitter.journal = Journal(path)
    except OSError as error:
        why = error.strerror or str(error)
    emitter.emit(
        RunStarted,
        run=run,
        checks=tuple(check.info for check in plan.checks),
        criteria=plan.criteria,
        plan=identity_of(plan),
        expected_s=_round_durations(plan.expected.by_check),
        usual_s=_round_durations(plan.expected.by_params),
    )
    if why is not None:
        text = f"the journal {path} cannot be written: {why}; the run goes on without it"
        emitter.emit(Notice, level="warning", text=text)
    for warning in plan.warnings:
        emitter.emit(Notice, level="warning", text=warning)
    for notice in plan.notices:
        emitter.emit(Notice, level="info", text=notice)
    _emit_targets(emitter, plan)
    return path if why is None else None


def _round_durations(seconds: Mapping[str, float]) -> dict[str, float]:
    """Round the expected durations to milliseconds; equal ones share one number."""
    known: dict[float, float] = {}  # thousands of checks have the same time: they share one number
    return {check_id: known.setdefault(rounded := round(value, 3), rounded) for check_id, value in seconds.items()}


def _emit_targets(emitter: Emitter, plan: Plan) -> None:
    """Emit the url of each target, and a warning where no candidate answered."""
    for name, planned in plan.targets.items():
        url, choice = planned.target.url, planned.choice
        if url is None:
            continue
        # A target with a single candidate was not probed.
        tried, answered = (choice.tried, choice.answered) if choice else (0, True)
        emitter.emit(TargetResolved, target=name, url=url, tried=tried, answered=answered)
        if not answered:
            text = f"none of the {tried} places where {name} may be answered; {url} is assumed"
            emitter.emit(Notice, level="warning", text=text)
