"""Files that are written aside and renamed: a reader sees the old text or the new one, never a half of it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path


def replacing(path: Path, texts: Iterable[str]) -> None:
    """Write the texts beside `path` and put the file in its place, with the permissions of what was there.

    Raises OSError; then what was there is untouched.
    """
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o666 & ~_umask()
    handle, aside = beside(path)
    try:
        with open(handle, "w", encoding="utf-8") as file:
            file.writelines(texts)
        os.chmod(aside, mode)
        os.replace(aside, path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def beside(path: Path) -> tuple[int, Path]:
    """A new file in the folder of another, open for writing. Raises OSError."""
    import tempfile

    handle, aside = tempfile.mkstemp(prefix=f".{path.name[:200]}.", suffix=".part", dir=path.parent)
    return handle, Path(aside)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
