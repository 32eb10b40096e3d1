"""`file.state`: whether a file is there, how old and how large it is, and what it contains."""

from __future__ import annotations

import asyncio
import errno
import grp
import hashlib
import io
import os
import pwd
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Literal

from xnai_validate.kit import (
    Argument,
    Bytes,
    Context,
    Count,
    Facts,
    Field,
    Ge,
    JsonValue,
    Le,
    Needs,
    Params,
    Seconds,
    Size,
    StringConstraints,
    Unmeasurable,
    checker,
)
from xnai_validate.wire.content import json_text_of, text_of

PIECE = 1 << 20
FileType = Literal["file", "directory", "symlink", "socket", "pipe", "device"]
FileError = Literal["denied", "unreadable"]
_TYPES: dict[int, FileType] = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "directory",
    stat.S_IFLNK: "symlink",
    stat.S_IFSOCK: "socket",
    stat.S_IFIFO: "pipe",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}


class StateParams(Params):
    """The file, and what of it is read."""

    path: Annotated[Argument, StringConstraints(min_length=1)]
    """The path, with `~` for the home directory; relative ones begin in the current directory."""
    follow: bool = True
    """Whether a symbolic link is followed; without it the link itself is described."""
    text: bool = False
    """Whether its content is read as text and JSON."""
    text_cap: Annotated[Size, Ge(1), Le(16 * 1024 * 1024)] = 64 * 1024
    """Bytes of it that are read for that, from its beginning."""
    sha256: bool = False
    """Whether its checksum is computed, for which all of it is read."""
    sha256_cap: Annotated[Size, Le(64 * 1024**3)] = 1024**3
    """A larger file is not read for its checksum: that is an error."""


class FileState(Facts):
    """A file; what does not exist or is not read is null."""

    error: FileError | None = None
    """Why the file could not be read: `denied` without the right to, else `unreadable`."""
    error_detail: str | None = None
    """The error in the words of the operating system."""
    exists: bool
    """Whether there is something at the path; a broken link counts only with `follow: false`."""
    type: FileType | None = None
    """file, directory, symlink, socket, pipe or device."""
    age_s: Seconds | None = None
    """Since its content was last changed; 0 for a time in the future."""
    modified_at: str | None = None
    """When its content was last changed, ISO 8601 in UTC."""
    size_bytes: Bytes | None = None
    """Its size."""
    mode: str | None = None
    """Its permissions as an octal text: `0640`."""
    owner: str | None = None
    """The name of its user, or the number where it has none."""
    group: str | None = None
    """The name of its group, likewise."""
    entries: Count | None = None
    """Of a directory: the number of its entries."""
    sha256: Annotated[str | None, Needs("sha256")] = None
    """The checksum of its content, in lower case hexadecimal."""
    text_: Annotated[str | None, Needs("text")] = Field(default=None, alias="text")
    """The beginning of its content as text."""
    json_: Annotated[JsonValue, Needs("text")] = Field(default=None, alias="json")
    """Its content as a JSON document; null if the content is not JSON, or was not read as a whole."""
    json_valid: Annotated[bool | None, Needs("text")] = None
    """Whether the content that was read is a JSON document."""
    truncated: Annotated[bool | None, Needs("text")] = None
    """Whether it is larger than `text_cap`."""


@checker("file.state", target=False, expect={"error": None, "exists": True})
async def state(params: StateParams, ctx: Context) -> FileState:
    """Look at a file of this host: age, size, mode, owner, and its content if `text` is set.

    Only regular files are read: a pipe or a device might never end. That a file must not exist is written
    `expect: {exists: false}`.

        kind: file.state
        with: {path: /var/backups/db.dump}
        expect: {age_s: {max: 26h}, size_bytes: {min: 1MiB}, mode: "0600"}

        kind: file.state
        with: {path: ./data/state.json, text: true}
        expect: {json: {"$.version": 3}}
    """
    return await asyncio.to_thread(_look_at, params, ctx.clock.time())


def _look_at(params: StateParams, now_s: float) -> FileState:
    """Look at a file. Raises Unmeasurable."""
    path = os.path.expanduser(params.path)
    try:
        status = os.stat(path, follow_symlinks=params.follow)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return FileState(exists=False)
        raise Unmeasurable(f"{path} cannot be looked at: {error.strerror}") from None
    except ValueError as error:
        raise Unmeasurable(f"the path cannot be used: {error}") from None
    type_ = _TYPES.get(stat.S_IFMT(status.st_mode))
    state_ = FileState(
        exists=True,
        type=type_,
        age_s=max(0.0, now_s - status.st_mtime),
        modified_at=datetime.fromtimestamp(status.st_mtime, UTC).isoformat(timespec="seconds"),
        size_bytes=status.st_size,
        mode=f"{stat.S_IMODE(status.st_mode):04o}",
        owner=_user_name(status.st_uid),
        group=_group_name(status.st_gid),
    )
    try:
        if type_ == "directory":
            return state_.model_copy(update={"entries": sum(1 for _ in os.scandir(path))})
        if type_ == "file" and (params.text or params.sha256):
            return state_.model_copy(update=_content_facts(path, params))
    except OSError as error:
        why = "denied" if error.errno in (errno.EACCES, errno.EPERM) else "unreadable"
        return state_.model_copy(update={"error": why, "error_detail": error.strerror or str(error)})
    return state_


def _content_facts(path: str, params: StateParams) -> dict[str, object]:
    """Return the facts of the content; a file that is no longer regular when it is opened is not read."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with io.FileIO(handle) as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(0, "it is not a regular file any more")
        facts: dict[str, object] = {}
        if params.text:
            data = b"".join(_pieces(file, params.text_cap + 1))
            whole = len(data) <= params.text_cap
            parsed = json_text_of(data[: params.text_cap])
            facts = {
                "text_": text_of(data[: params.text_cap], None, params.text_cap),
                "json_": parsed.value if whole else None,
                "json_valid": parsed.is_json and whole,
                "truncated": not whole,
            }
        if params.sha256:
            if status.st_size > params.sha256_cap:
                raise Unmeasurable(
                    f"{path} has {status.st_size} bytes, too many for its checksum", hint="set `sha256_cap`"
                )
            file.seek(0)
            checksum = hashlib.sha256()
            for piece in _pieces(file, params.sha256_cap):
                checksum.update(piece)
            facts["sha256"] = checksum.hexdigest()
        return facts


def _pieces(file: io.FileIO, cap: int) -> Iterator[bytes]:
    """The content from here on, at most `cap` bytes of it: a file may grow while it is read."""
    while cap > 0 and (piece := file.read(min(PIECE, cap))):
        cap -= len(piece)
        yield piece


def _user_name(number: int) -> str:
    """Return the name of a user id; the number if it has none."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _group_name(number: int) -> str:
    """Return the name of a group id; the number if it has none."""
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
