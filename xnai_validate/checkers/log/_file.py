"""A log file, read from a place on, also where it is rotated meanwhile."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from xnai_validate.kit import Unmeasurable

PIECE = 256 * 1024


@dataclass(frozen=True, slots=True)
class Place:
    """How far a log file was written: which file, and its size; `file` is None where there was none."""

    file: tuple[int, int] | None = None
    """Device and inode."""
    size: int = 0


BEGINNING = Place()
"""The place before the first line."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a file that is to be read."""

    path: Path
    file: tuple[int, int]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Since:
    """What was written since a place."""

    parts: tuple[Part, ...]
    """The parts, the oldest first."""
    rotated: bool
    """Whether the file was renamed, replaced or emptied since then."""
    complete: bool
    """Whether these parts are all of it."""


def place_of(path: str) -> Place:
    """Return the current end of the file. Raises Unmeasurable if it is not a regular file or cannot be read."""
    found = _stat_file(path)
    return BEGINNING if found is None else Place((found.st_dev, found.st_ino), found.st_size)


def since(path: str, place: Place) -> Since | None:
    """Read what was written since a place; None without a file. Raises Unmeasurable as `place_of` does.

    A file with the same inode that is smaller now was truncated (`copytruncate` of logrotate); another file at the
    path means that the earlier one was renamed, and it is looked for in the same folder. What was removed or
    compressed meanwhile cannot be read: then the parts are not complete.
    """
    found = _stat_file(path)
    if found is None:
        return None
    now = (found.st_dev, found.st_ino)
    current = Path(path)
    if place.file is None or (place.file == now and found.st_size >= place.size):
        return Since((Part(current, now, place.size, found.st_size),), rotated=False, complete=True)
    whole = Part(current, now, 0, found.st_size)
    if place.file == now:
        return Since((whole,), rotated=True, complete=False)
    earlier = _read_rotated(current, place)
    return Since((*((earlier,) if earlier else ()), whole), rotated=True, complete=earlier is not None)


def newest(parts: tuple[Part, ...], cap: int) -> tuple[Part, ...]:
    """Return the parts without their oldest bytes, so that at most `cap` bytes are left."""
    kept: list[Part] = []
    for part in reversed(parts):
        start = max(part.start, part.end - cap)
        cap -= part.end - start
        kept.insert(0, replace(part, start=start))
    return tuple(kept)


def pieces(part: Part) -> Iterator[bytes]:
    """The bytes of a part. Raises Unmeasurable where the file cannot be read or was replaced meanwhile."""
    try:
        handle = os.open(part.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise Unmeasurable(f"{part.path} cannot be read: {error.strerror}") from None
    with open(handle, "rb", buffering=0) as file:
        status = os.fstat(handle)
        if (status.st_dev, status.st_ino) != part.file:
            raise Unmeasurable(f"{part.path} was replaced while it was read", hint="try again with `retry`")
        file.seek(part.start)
        left = part.end - part.start
        while left > 0 and (piece := file.read(min(PIECE, left))):
            left -= len(piece)
            yield piece


def _read_rotated(current: Path, place: Place) -> Part | None:
    """Read the rest of the earlier file, in the same folder under a name that begins alike."""
    stem = current.name.partition(".")[0]
    try:
        with os.scandir(current.parent) as entries:
            for entry in entries:
                if not entry.name.startswith(stem) or not entry.is_file(follow_symlinks=False):
                    continue
                status = entry.stat(follow_symlinks=False)
                file = (status.st_dev, status.st_ino)
                if file == place.file and status.st_size >= place.size:
                    return Part(Path(entry.path), file, place.size, status.st_size)
    except OSError:
        return None
    return None


def _stat_file(path: str) -> os.stat_result | None:
    """Return the state of a regular file; None if it does not exist. Raises Unmeasurable."""
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise Unmeasurable(f"{path} cannot be looked at: {why}") from None
    if not stat.S_ISREG(status.st_mode):
        raise Unmeasurable(f"the log {path} is not a regular file")
    return status
