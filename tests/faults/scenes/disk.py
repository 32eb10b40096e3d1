"""A folder on a disk, of which a little is filled."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.scenes.scene import Scene, Staged

TAKEN = 64 << 20


@contextmanager
def folder() -> Iterator[Scene]:
    """A folder in memory where there is one, since other disks change by themselves."""
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=base) as path:
        found = os.statvfs(path)
        leave = found.f_bavail * found.f_frsize - TAKEN

        def seen() -> object:
            files = [(file.name.startswith(".xnai"), file.stat().st_blocks * 512) for file in Path(path).iterdir()]
            return [(ours, size > TAKEN // 4) for ours, size in files]

        yield Scene(None, {"folder": path, "leave": leave, "most": "256MiB"}, seen)


SCENES: dict[str, Staged] = {"disk.full": folder}
