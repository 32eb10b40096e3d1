"""Files that are written under a temporary name and renamed: a reader sees the old file or the new one."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterable
from pathlib import Path


def atomic_write(path: Path, texts: Iterable[str], *, new_mode: int | None = None, durable: bool = False) -> None:
    """Replace the content of a file with the concatenated texts; an existing file keeps its permissions.

    Raises OSError; then the existing file is unchanged.

    Args:
        path: the file.
        texts: what it is to hold, in pieces.
        new_mode: the permissions of a file that did not exist; by default those that the umask leaves.
        durable: whether the content is on the disk before it replaces the old one, so that a crash loses neither.
    """
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else _new_file_mode() if new_mode is None else new_mode
    handle, temporary = _temporary_beside(path)
    try:
        with open(handle, "w", encoding="utf-8") as file:
            file.writelines(texts)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def verify_writable(path: Path) -> None:
    """Raise OSError if `atomic_write` could not write this file."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        pass
    else:
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, "it is a directory")
        if not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, "the file is read-only")
    handle, temporary = _temporary_beside(path)
    os.close(handle)
    temporary.unlink()


def _temporary_beside(path: Path) -> tuple[int, Path]:
    """Create a file in the folder of `path`; return its descriptor, open for writing, and its path. Raises OSError."""
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name[:100]}.", suffix=".part", dir=path.parent)
    return handle, Path(temporary)


def _new_file_mode() -> int:
    """Return the permissions of a new file."""
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask
