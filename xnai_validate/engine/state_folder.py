"""The state folder: journals and undo records, which outlive the run. Only its owner may write there.

It is `$XNAI_VALIDATE_STATE`, else `$XDG_STATE_HOME/xnai-validate`, else `~/.local/state/xnai-validate`.
"""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from xnai_validate.errors import ConfigError

UID_MAP, OVERFLOW_UID = Path("/proc/self/uid_map"), Path("/proc/sys/kernel/overflowuid")
LINKS_CAP = 40
"""Links that are followed on the way to a folder, as many as Linux follows."""


def state_dir(environ: Mapping[str, str] | None = None) -> Path:
    """The path of the state folder."""
    env = os.environ if environ is None else environ
    if own := env.get("XNAI_VALIDATE_STATE"):
        return Path(own)
    base = env.get("XDG_STATE_HOME")
    # By the XDG base directory specification, relative paths are ignored.
    return (Path(base) if base and Path(base).is_absolute() else Path.home() / ".local" / "state") / "xnai-validate"


def create_private(folder: Path) -> None:
    """Create a folder that only its owner may enter, with its parents. Raises OSError."""
    for parent in reversed(folder.parents):
        parent.mkdir(mode=0o700, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)


def refuse_shared(*folders: Path) -> None:
    """Raise ConfigError for a folder that another user can write, since a planted record decides what undo does.

    The same holds for the folders above it, in which another folder could be put in its place, as sshd requires with
    StrictModes; one with the sticky bit, such as /tmp, is accepted there, since only owners may rename what it holds.
    So are the current directory and those above it, as in jobs of GitLab, whose folders all users may write: who can
    write there can plant the checks of the run as well.
    What does not exist, or is not a folder, is accepted: nothing can be read from it.
    """
    for folder in folders:
        try:
            status = folder.stat()
        except OSError:
            continue
        if not stat.S_ISDIR(status.st_mode):
            continue
        if _has_other_owner(status) or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise ConfigError(
                f"another user can write the state folder {folder}; nothing in it can be trusted",
                hint=f"chmod go-w {folder}, or set XNAI_VALIDATE_STATE to a folder of your own",
            )
        current = _current_folders()
        for above in _folders_above(folder):
            if above not in current and _can_be_replaced(above):
                raise ConfigError(
                    f"another user can put another folder in place of the state folder {folder}: it lies in {above}",
                    hint=f"chmod go-w {above}, or set XNAI_VALIDATE_STATE to a folder below one of your own",
                )


def _current_folders() -> frozenset[Path]:
    """Return the current directory and those above it; empty if it was removed."""
    try:
        current = Path.cwd()
    except FileNotFoundError:
        return frozenset()
    return frozenset((current, *current.parents))


def _has_other_owner(status: os.stat_result) -> bool:
    """Whether a file or folder belongs to another user than this one and root, whom this system has."""
    return status.st_uid not in (os.geteuid(), 0) and not _is_outside(status.st_uid)


def _is_outside(uid: int) -> bool:
    """Whether a user id stands for all users whom the user namespace of this process does not have.

    In a container of an ordinary user (toolbox, rootless Podman) the folders of the host's root, such as /home, belong
    to it, and no process in the container can act for it. See user_namespaces(7).
    """
    try:
        if uid != int(OVERFLOW_UID.read_text()):
            return False
        ranges = [[int(number) for number in line.split()] for line in UID_MAP.read_text().splitlines()]
    except (OSError, ValueError):
        return False
    return not any(first <= uid < first + count for first, _, count in ranges)


def _can_be_replaced(folder: Path) -> bool:
    """Whether another user can rename what a folder holds; False if it cannot be read."""
    try:
        status = folder.stat()
    except OSError:
        return False
    if _has_other_owner(status):
        return True
    if status.st_mode & stat.S_ISVTX:
        return False
    if status.st_mode & stat.S_IWOTH:
        return True
    return bool(status.st_mode & stat.S_IWGRP) and not _is_group_of_one(status.st_gid)


def _is_group_of_one(gid: int) -> bool:
    """Whether no other user but root belongs to a group, as to the private groups that many systems make for users."""
    own = {os.geteuid(), 0}
    if any(user.pw_gid == gid and user.pw_uid not in own for user in pwd.getpwall()):
        return False
    try:
        members = grp.getgrgid(gid).gr_mem
    except KeyError:
        return True
    names = {user.pw_name for user in pwd.getpwall() if user.pw_uid in own}
    return set(members) <= names


def _folders_above(folder: Path) -> Iterator[Path]:
    """Yield the folders in which a folder lies, and those in which the links on the way to it lie."""
    rest = [part for part in Path(os.path.abspath(folder)).parts if part != "/"]
    path = Path("/")
    links = 0
    while rest:
        yield path
        part = rest.pop(0)
        if part == "..":
            path = path.parent
            continue
        path /= part
        if path.is_symlink() and links < LINKS_CAP:
            links += 1
            to = Path(os.readlink(path))
            path = Path("/") if to.is_absolute() else path.parent
            rest = [*(each for each in to.parts if each != "/"), *rest]


def read_private(path: Path, most: int) -> bytes:
    """The content of a regular file of at most `most` bytes; raises OSError for anything else, also for a link."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(f"{path.name} is not a regular file")
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError(f"{path.name} is larger than {most} bytes")
    return data
