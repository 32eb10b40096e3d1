"""A disk without room."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path

from xnai_validate.kit import (
    ActiveFault,
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


class FullParams(Params):
    """Which disk."""

    folder: str
    """A folder on the disk: an absolute path on this machine."""
    leave: Size = 0
    """What is left free."""
    most: Size = 2**30
    """Never fill more than this; where more is free, nothing is done."""


class FullUndo(Undo):
    """The file that takes the room."""

    file: str


@fault("disk.full", limit_s=300, target=False)
class Full:
    """Fill the disk under a folder with a file, and remove it.

    Meant for a volume of its own, such as that of a database: everything else that lies on the same disk has no room
    either, and this program's own journal should lie elsewhere (XNAI_VALIDATE_STATE). What is left free is what users
    other than root may use.

        under: [{fault: disk.full, with: {folder: /var/lib/vikunja, most: 500MiB}}]
    """

    def describe(self, params: FullParams, target: str) -> str:
        """What it does to whom."""
        left = f"{params.leave} bytes" if params.leave else "no room"
        return f"the disk under {params.folder} has {left} left, with a file of at most {params.most >> 20} MiB"

    async def prepare(self, params: FullParams, ctx: FaultContext) -> FullUndo:
        """Whether it is a folder with room, and not too much of it."""
        return FullUndo(file=_looked_at(params, f".xnai-validate.{ctx.id}.full"))

    async def inject(self, params: FullParams, undo: FullUndo, ctx: FaultContext) -> ActiveFault | None:
        """The file is made as large as there is room, and again where others have made room meanwhile."""
        await asyncio.to_thread(_fill, undo.file, params)
        return None

    async def revert(self, undo: FullUndo, ctx: FaultContext) -> None:
        """The room is the file's."""
        _remove(undo.file)

    async def fingerprint(self, undo: FullUndo, ctx: FaultContext) -> JsonValue:
        """Whether the file is there; what else comes and goes on the disk is not ours."""
        return {"file": _is_there(undo.file)}


def _looked_at(params: FullParams, name: str) -> str:
    """The file to be made, where that can be done."""
    folder = Path(params.folder)
    if not folder.is_absolute():
        raise Unmeasurable(f"{params.folder} is not an absolute path")
    if not folder.is_dir():
        raise NotApplicable(f"{params.folder} is not a folder of this machine")
    free = _free(folder) - params.leave
    if free <= 0:
        raise NotApplicable(f"the disk under {params.folder} is full already")
    if free > params.most:
        raise Unmeasurable(
            f"{free >> 20} MiB are free under {params.folder}, more than `most` allows to be filled",
            hint="name a volume of its own, or allow more",
        )
    return str(folder / name)


def _remove(file: str) -> None:
    try:
        Path(file).unlink(missing_ok=True)
    except OSError as error:
        raise Unmeasurable(f"{file} cannot be removed: {error.strerror}") from None


def _is_there(file: str) -> bool:
    return os.path.lexists(file)


def _free(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def _fill(file: str, params: FullParams) -> None:
    """Bounded by `most`: a disk that grows meanwhile ends it."""
    handle = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    try:
        size = 0
        while size < params.most:
            more = min(_free(Path(file).parent) - params.leave, params.most - size)
            if more <= 0:
                return
            size += _extended(handle, size, more)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise Unmeasurable(f"{file} cannot be written: {error.strerror}") from None
    finally:
        os.close(handle)


def _extended(handle: int, size: int, more: int) -> int:
    """Make the file larger by so many bytes that are really taken, or as many as a file system can in one go."""
    try:
        os.posix_fallocate(handle, size, more)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return os.pwrite(handle, b"\0" * min(more, BLOCK), size)  # its own books take some of what is free
    return more
