"""The journals of runs: their events as JSON lines on disk, in `runs/` below the state folder.

The emitter writes each event as it happens, so a killed run leaves all events up to then.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from xnai_validate.engine.state_folder import refuse_shared
from xnai_validate.errors import XnaiError
from xnai_validate.model.results.events import Event, from_json
from xnai_validate.opening import open_at_once

LINE_CAP = 32 << 20
"""Bytes of a line that is read; `run-started` of 10 000 checks has about 4 MB."""


def new_run_id(at: float) -> str:
    """An id that sorts by time: `20261122T170312-ab1234cd` (UTC). `at` is in seconds since the epoch.

    The second is followed by its 4096th part, and then by random digits, since runs may begin at the same moment.
    """
    second, rest = divmod(at, 1)
    return f"{datetime.fromtimestamp(second, UTC):%Y%m%dT%H%M%S}-{int(rest * 4096):03x}{os.urandom(3).hex()[:5]}"


def journal_path(run_id: str, state: Path) -> Path:
    """The path of the journal of a run; raises ValueError for an id that is not the name of a file."""
    if not run_id or run_id != Path(run_id).name or run_id.startswith("."):
        raise ValueError(f"not the id of a run: {run_id!r}")
    return state / "runs" / f"{run_id}.jsonl"


def journals(state: Path) -> tuple[Path, ...]:
    """The journals that are kept, oldest first. Raises ConfigError if another user can write them."""
    refuse_shared(state, state / "runs")
    return tuple(sorted((state / "runs").glob("*.jsonl")))


def is_being_written(path: Path) -> bool:
    """Whether the run of a journal still goes on: it holds a lock on the file, which ends with its process."""
    try:
        with open(path, "rb", opener=open_at_once) as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def read_journal(path: Path) -> Iterator[Event]:
    """The events of a journal, in order; a last line torn by the end of its process is left out.

    Raises XnaiError if the file cannot be read or is not a journal.
    """
    try:
        with open(path, "rb", opener=open_at_once) as file:
            number = before = 0
            while line := file.readline(LINE_CAP):
                number += 1
                if not line.endswith(b"\n"):
                    if len(line) >= LINE_CAP:
                        raise XnaiError(f"{path}:{number}: the line is longer than {LINE_CAP >> 20} MiB")
                    return
                event = _parse_event(path, number, line)
                if event.seq <= before:
                    raise XnaiError(
                        f"{path}:{number}: event {event.seq} stands after event {before}", hint="is the journal whole?"
                    )
                before = event.seq
                yield event
    except OSError as error:
        raise XnaiError(f"the journal {path} cannot be read: {error.strerror or error}") from None


def _parse_event(path: Path, number: int, line: bytes) -> Event:
    """Parse a line of a journal. Raises XnaiError with its place if it is not an event."""
    try:
        return from_json(line)
    except ValueError:
        raise XnaiError(f"{path}:{number}: not an event of a run", hint="is this a journal?") from None
