"""Writes the durations of earlier runs to the file by which `run --shard` divides a plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from xnai_validate.atomic_write import atomic_write
from xnai_validate.cli.run_history import current_history
from xnai_validate.cli.stored_runs import report_of
from xnai_validate.cli.terminal.console import print_notice
from xnai_validate.errors import ConfigError, XnaiError
from xnai_validate.history.records import RUNNING
from xnai_validate.history.shard_times import durations_of, text_of_shard_times
from xnai_validate.model.results.report import RunReport
from xnai_validate.model.suggestions import did_you_mean
from xnai_validate.report.lists import counted


def reports_of_profile(name: str | None, last: int) -> Iterator[RunReport]:
    """Yield the reports of the newest `last` runs of a profile of which there is a journal, one at a time.

    Raises ConfigError if the profile has no stored run.
    """
    with current_history() as history:
        runs = [run for run in history.runs() if run.verdict != RUNNING]
    chosen = [run.id for run in runs if run.name == name]
    if not chosen:
        names = sorted({run.name for run in runs})
        problem = "name a profile: its durations are written" if name is None else f'no run of "{name}" is stored'
        raise ConfigError(problem, hint=did_you_mean(name or "", names))
    for run_id in chosen[:last]:
        with suppress(ConfigError):  # its journal was removed: the history keeps more runs
            yield report_of(run_id)


def write_shard_times(path: Path, reports: Iterable[RunReport]) -> None:
    """Write the file. Raises ConfigError if no check was measured, XnaiError if it cannot be written."""
    seconds = durations_of(reports)
    if not seconds:
        raise ConfigError("no check was measured in these runs, so that no duration is known")
    try:
        atomic_write(path, [text_of_shard_times(seconds)])
    except OSError as error:
        raise XnaiError(f"{path}: {error.strerror or error}") from None
    total = sum(seconds.values())
    print_notice(f"{path}: {counted(len(seconds), 'check')}, {total:.1f} s; commit it, and name it in every job")
