"""The last lines of a log file, as evidence of a failure of the process that writes it."""

from __future__ import annotations

import os
import stat
from contextlib import suppress

from xnai_validate.model.results.exchange import RECORDER
from xnai_validate.wire.containers.log import TAIL_CAP, LogRecording


def record_file_end(path: str) -> None:
    """Keep the last lines of a regular file as an exchange of the check; of any other file, nothing."""
    with suppress(OSError, ValueError):
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(handle, "rb", buffering=0) as file:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode) or not status.st_size:
                return
            recording = LogRecording(path, protocol="file")
            file.seek(max(0, status.st_size - TAIL_CAP))
            recording.feed(file.read(TAIL_CAP), 1)
            RECORDER.get().append(recording)
