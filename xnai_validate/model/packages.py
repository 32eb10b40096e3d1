"""What installed packages say of themselves, looked at quickly."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import cache


def anything_installed_names(group: str) -> bool:
    """Whether a package may have entry points of a group; False only where `importlib.metadata` would find none.

    That module takes 10 ms to import and to look, and mostly there is nothing to be found.
    """
    return any(texts is None or group.encode() in texts for texts in _announced(tuple(sys.path)))


@cache
def _announced(folders: tuple[str, ...]) -> tuple[bytes | None, ...]:
    """The entry points of all packages, as they stand in their files; None for one that cannot be read so."""
    others = any(
        getattr(finder, "find_distributions", None) and getattr(finder, "__name__", "") != "PathFinder"
        for finder in sys.meta_path
    )
    return (*(text for folder in dict.fromkeys(folders) for text in _in(folder or ".")), *((None,) if others else ()))


def _in(folder: str) -> Iterator[bytes | None]:
    try:
        entries = [entry.path for entry in os.scandir(folder)]
    except NotADirectoryError:
        yield None  # an archive
        return
    except OSError:
        return
    for path in entries:
        end = path.lower()
        if end.endswith((".dist-info", ".egg-info")):
            yield _read(os.path.join(path, "entry_points.txt"))
        elif end.endswith(".egg") or path.endswith("EGG-INFO"):
            yield None


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return b""
    except OSError:
        return None
