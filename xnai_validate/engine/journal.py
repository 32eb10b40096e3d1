"""The journal of a run: its events as JSON lines on disk, each written as it happens.

A killed run leaves all events up to then. Journals lie in `runs/` below the state folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from xnai_validate.engine.state_folder import create_private
from xnai_validate.errors import XnaiError
from xnai_validate.model.results.events import Event, from_json

KEEP_RUNS = 50
KEEP_BYTES = 256 << 20
LINE_CAP = 64 << 20
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
    """The journals that are kept, oldest first."""
    return tuple(sorted((state / "runs").glob("*.jsonl")))


class Journal:
    """An append-only file of events."""

    def __init__(self, path: Path) -> None:
        """Create it, readable by its owner only; older journals beyond the limits are removed.

        Raises OSError if it cannot be written or exists already.
        """
        create_private(path.parent)
        _prune(path.parent)
        self.path = path
        self._fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_WRONLY | os.O_CLOEXEC, 0o600)

    def append(self, line: Iterable[bytes], *, synced: bool) -> None:
        """Write one event, given in pieces; `synced` waits until it is on the disk. Raises OSError."""
        last = b""
        for piece in line:
            self._write(last)
            last = piece
        self._write(last + b"\n")
        if synced:
            os.fsync(self._fd)

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._fd, rest) :]

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)


def _prune(folder: Path) -> None:
    """Remove the oldest journals, so that at most KEEP_RUNS - 1 and at most KEEP_BYTES are left."""
    kept = size = 0
    with os.scandir(folder) as entries:
        journals = [entry for entry in entries if entry.name.endswith(".jsonl")]
    for journal in sorted(journals, key=lambda entry: entry.name, reverse=True):
        with suppress(OSError):  # another run may have removed it
            kept, size = kept + 1, size + journal.stat().st_size
            if kept >= KEEP_RUNS or size > KEEP_BYTES:
                os.unlink(journal.path)


def read_journal(path: Path) -> Iterator[Event]:
    """The events of a journal, in order; a last line torn by the end of its process is left out.

    Raises XnaiError if the file cannot be read or is not a journal.
    """
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(LINE_CAP):
                number += 1
                if not line.endswith(b"\n"):
                    if len(line) >= LINE_CAP:
                        raise XnaiError(f"{path}:{number}: the line is longer than {LINE_CAP >> 20} MiB")
                    return
                yield _event(path, number, line)
    except OSError as error:
        raise XnaiError(f"the journal {path} cannot be read: {error.strerror or error}") from None


def _event(path: Path, number: int, line: bytes) -> Event:
    try:
        return from_json(line)
    except ValueError:
        raise XnaiError(f"{path}:{number}: not an event of a run", hint="is this a journal?") from None
