"""`disk.full`: a disk without free space."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path

from xnai_validate.kit import (
    ActiveFault,
    Argument,
    FaultContext,
    JsonValue,
    NotApplicable,
    Params,
    Size,
    Undo,
    Unmeasurable,
    fault,
)

BLOCK = 1 << 20
"""Bytes that are written at once where the file system cannot allocate."""


class FullParams(Params):
    """Which disk, and how full."""

    folder: Argument
    """A folder on the disk: an absolute path on this machine."""
    leave: Size = 0
    """Bytes that stay free."""
    most: Size = 2**30
    """Never fill more than this: if more is free, the fault is not injected."""


class FullUndo(Undo):
    """The file that takes the space."""

    file: str


@fault("disk.full", limit_s=300, target=False)
class Full:
    """Fill the disk under a folder with a file, and remove it.

    Meant for a volume of its own, such as that of a database: everything else on the same disk has no space either, and
    this program's own journal should be elsewhere (XNAI_VALIDATE_STATE). Free space is what users other than root may
    use.

        under: [{fault: disk.full, with: {folder: /var/lib/vikunja, most: 500MiB}}]
    """

    def describe(self, params: FullParams, target: str) -> str:
        """Return what it does to the target."""
        left = f"{params.leave} bytes" if params.leave else "no room"
        return f"the disk under {params.folder} has {left} left, with a file of at most {params.most >> 20} MiB"

    async def prepare(self, params: FullParams, ctx: FaultContext) -> FullUndo:
        """Check that the folder has free space, and not more than `most`."""
        return FullUndo(file=_new_file(params, f".xnai-validate.{ctx.id}.full"))

    async def inject(self, params: FullParams, undo: FullUndo, ctx: FaultContext) -> ActiveFault | None:
        """Make the file as large as the free space, again and again while other programs free some."""
        await asyncio.to_thread(_fill, undo.file, params)
        return None

    async def revert(self, undo: FullUndo, ctx: FaultContext) -> None:
        """Remove the file."""
        _remove_file(undo.file)

    async def fingerprint(self, undo: FullUndo, ctx: FaultContext) -> JsonValue:
        """Return whether the file exists; other files do not count."""
        return {"file": _is_there(undo.file)}


def _new_file(params: FullParams, name: str) -> str:
    """Return the path of the file; raises NotApplicable or Unmeasurable if it cannot or must not be made."""
    folder = Path(params.folder)
    if not folder.is_absolute():
        raise Unmeasurable(f"{params.folder} is not an absolute path")
    if not folder.is_dir():
        raise NotApplicable(f"{params.folder} does not exist on this machine, or is not a folder")
    free = _free_bytes(folder) - params.leave
    if free <= 0:
        raise NotApplicable(f"the disk under {params.folder} is full already")
    if free > params.most:
        raise Unmeasurable(
            f"{free >> 20} MiB are free under {params.folder}, more than `most` allows to be filled",
            hint="name a volume of its own, or allow more",
        )
    return str(folder / name)


def _remove_file(file: str) -> None:
    """Remove a file; one that is gone already is fine. Raises Unmeasurable."""
    try:
        Path(file).unlink(missing_ok=True)
    except OSError as error:
        raise Unmeasurable(f"{file} cannot be removed: {error.strerror}") from None


def _is_there(file: str) -> bool:
    """Whether a file exists, also as a link that points nowhere."""
    return os.path.lexists(file)


def _free_bytes(folder: Path) -> int:
    """Return the free bytes of the file system of a folder."""
    system = os.statvfs(folder)
    return system.f_bavail * system.f_frsize


def _fill(file: str, params: FullParams) -> None:
    """Fill the disk, up to `most` bytes even if it grows meanwhile."""
    handle = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    try:
        size = 0
        while size < params.most:
            more = min(_free_bytes(Path(file).parent) - params.leave, params.most - size)
            if more <= 0:
                return
            size += _extend(handle, size, more)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise Unmeasurable(f"{file} cannot be written: {error.strerror}") from None
    finally:
        os.close(handle)


def _extend(handle: int, size: int, more: int) -> int:
    """Make the file larger by `more` allocated bytes, or as many as the file system can; return how many."""
    try:
        os.posix_fallocate(handle, size, more)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return os.pwrite(handle, b"\0" * min(more, BLOCK), size)  # its own records take some of the free space
    return more
