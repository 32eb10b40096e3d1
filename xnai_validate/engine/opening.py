"""The first events of a run: what is known before any check begins."""

from __future__ import annotations

from pathlib import Path

from xnai_validate.engine.emit import Emitter
from xnai_validate.engine.journal import Journal, journal_path
from xnai_validate.model.results.events import Notice, RunStarted, TargetResolved
from xnai_validate.model.results.report import RunInfo
from xnai_validate.plan import Plan


def begin(emitter: Emitter, plan: Plan, run: RunInfo, state: Path) -> Path | None:
    """Create the journal below `state` and emit run-started, the plan's notices and its targets.

    Returns where the journal is, or None where it cannot be written; that is a notice, and the run goes on.
    """
    path = journal_path(run.id, state)
    why = None
    try:
        emitter.journal = Journal(path)
    except OSError as error:
        why = error.strerror or str(error)
    emitter.emit(RunStarted, run=run, checks=tuple(check.info for check in plan.checks), criteria=plan.criteria)
    if why is not None:
        text = f"the journal {path} cannot be written: {why}; the run goes on without it"
        emitter.emit(Notice, level="warning", text=text)
    for notice in plan.notices:
        emitter.emit(Notice, level="info", text=notice)
    _name_targets(emitter, plan)
    return path if why is None else None


def _name_targets(emitter: Emitter, plan: Plan) -> None:
    for name, planned in plan.targets.items():
        url, choice = planned.target.url, planned.choice
        if url is None:
            continue
        # Where there was nothing to choose, nothing was tried, and nothing is missing.
        tried, answered = (choice.tried, choice.answered) if choice else (0, True)
        emitter.emit(TargetResolved, target=name, url=url, tried=tried, answered=answered)
        if not answered:
            text = f"none of the {tried} places where {name} may be answered; {url} is assumed"
            emitter.emit(Notice, level="warning", text=text)
