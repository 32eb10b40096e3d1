"""The state folder: journals and undo records, which outlive the run. Only its owner may write there.

It is `$XNAI_VALIDATE_STATE`, else `$XDG_STATE_HOME/xnai-validate`, else `~/.local/state/xnai-validate`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from xnai_validate.errors import ConfigError


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

    What does not exist, or is not a folder, is accepted: nothing can be read from it.
    """
    for folder in folders:
        try:
            status = folder.stat()
        except OSError:
            continue
        if not stat.S_ISDIR(status.st_mode):
            continue
        if status.st_uid not in (os.geteuid(), 0) or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise ConfigError(
                f"another user can write the state folder {folder}; nothing in it can be trusted",
                hint=f"chmod go-w {folder}, or set XNAI_VALIDATE_STATE to a folder of your own",
            )


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
