"""Open files of users without waiting: what the command line names, or lies in the state folder, may be a pipe."""

from __future__ import annotations

import os


def open_at_once(path: str, flags: int) -> int:
    """Return a descriptor of a file without waiting for the other end of a pipe, as the `opener` of `open`.

    Reading a pipe without a writer gives its end; one that a shell has made (`<(command)`) is read as usual.
    Raises OSError (ENXIO) for writing to a pipe that no process reads.
    """
    handle = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    os.set_blocking(handle, True)
    return handle
