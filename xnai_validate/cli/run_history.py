"""The history of runs, brought up to date with the journals of the state folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from xnai_validate.cli.stored_runs import report_of_journal
from xnai_validate.engine.events.journal import is_being_written, journals
from xnai_validate.engine.state_folder import refuse_shared, state_dir
from xnai_validate.errors import XnaiError
from xnai_validate.history.database import History, StoredJournal, open_history
from xnai_validate.history.records import RUNNING, recorded_profiles
from xnai_validate.model.results.report import RunReport
from xnai_validate.report.view import PastRun


@contextmanager
def current_history() -> Iterator[History]:
    """Open the history, with every run that has a journal. Raises ConfigError if another user can write it."""
    state = state_dir()
    refuse_shared(state, state / "runs")
    with open_history(state) as history:
        stored = (StoredJournal(path, is_being_written(path)) for path in journals(state))
        history.update(stored, report_of_journal)
        yield history


def runs_before(report: RunReport, most: int) -> tuple[PastRun, ...]:
    """Return the last runs of the same profiles that reached their end before this one, at most `most`, oldest first.

    Raises XnaiError if the history cannot be read.
    """
    run = report.run
    profiles = recorded_profiles(run.profiles, run.shard)
    with current_history() as history:
        earlier = [
            PastRun(known.started_at, known.elapsed_ms, known.verdict, known.exit_code)
            for known in history.runs()
            if known.profiles == profiles and known.id != run.id and known.started_at <= run.started_at
            and known.verdict != RUNNING and known.stopped in (None, "fail-fast")
        ]  # fmt: skip
    return tuple(reversed(earlier[:most]))


def remember(report: RunReport, journal: Path | None) -> str | None:
    """Add a run that has ended to the history; return why that failed, if it did.

    A run without a journal is left out, since the history must be the same when it is made again.
    """
    if journal is None:
        return None
    state = state_dir()
    try:
        refuse_shared(state, state / "runs")
        with open_history(state) as history:
            history.add(report, journal.stat().st_size)
    except OSError as error:
        return error.strerror or str(error)
    except XnaiError as error:
        return error.message
    return None
