"""What YAML files say, kept from one command to the next: parsing them, and the parser, cost more than most checks.

As Python keeps the bytecode of its sources. With what a file says its bytes are kept, and compared, so it is never out
of date. It lies in `parsed/` of `$XNAI_VALIDATE_STATE`, else in `$XDG_CACHE_HOME/xnai-validate`, else in
`~/.cache/xnai-validate`, and may be removed at any time. Where it cannot be read or written, files are parsed anew.
"""

from __future__ import annotations

import marshal
import os
import sys
from array import array
from binascii import crc32  # hashlib would take longer to import than all of this takes
from collections.abc import Mapping
from pathlib import Path

from xnai_validate import __version__
from xnai_validate.model.json import JsonValue

KEEP_FILES = 400
"""How many files are remembered; beyond that the oldest quarter is let go."""
_SUM_BYTES = 4
_MAKERS = ("yamlevents.py", "scalar.py")
"""The modules that decide what a text says; what others of them said is not taken."""


def recall(data: bytes) -> tuple[JsonValue, dict[str, array[int]]] | None:
    """What a file with these bytes says, where that is known; only files without mistakes are.

    Returns the document, and for each of its keys the lines of the items of the list under it.
    """
    path = _path_of(data)
    if path is None:
        return None
    try:
        with open(path, "rb") as file:
            kept = file.read()
        body = kept[_SUM_BYTES:]
        if kept[:_SUM_BYTES] != _sum(body):
            return None
        by, of, value, lines = marshal.loads(body)
        if (by, of) != (_made_by(), data):
            return None
        return value, {key: array("I", numbers) for key, numbers in lines.items()}
    except (OSError, ValueError, TypeError, EOFError):
        return None


def keep(data: bytes, value: JsonValue, lines: Mapping[str, array[int]]) -> None:
    """Remember what a file with these bytes says; values that are one stay one."""
    path = _path_of(data)
    if path is None:
        return
    aside = f"{path}.{os.getpid()}.part"
    try:
        said = (_made_by(), data, value, {key: numbers.tobytes() for key, numbers in lines.items()})
        body = marshal.dumps(said)
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(_sum(body) + body)
        os.replace(aside, path)
        _let_go(os.path.dirname(path))
    except OSError:
        _remove(aside)


def _path_of(data: bytes) -> str | None:
    """Where it is kept; None where there is no such place."""
    folder = _folder()
    return folder and os.path.join(folder, f"{crc32(data):08x}-{len(data)}.{sys.implementation.cache_tag}")


def _made_by() -> str:
    """What decides what a text says. Raises OSError where the modules that do cannot be looked at."""
    own = os.path.dirname(__file__)
    makers = [os.stat(os.path.join(own, name)) for name in _MAKERS]
    return repr([__version__, *((one.st_mtime_ns, one.st_size) for one in makers)])


def _sum(body: bytes) -> bytes:
    return crc32(body).to_bytes(_SUM_BYTES, "big")


def _folder() -> str | None:
    if own := os.environ.get("XNAI_VALIDATE_STATE"):
        return os.path.join(own, "parsed")
    base = os.environ.get("XDG_CACHE_HOME")
    if base and os.path.isabs(base):  # the XDG base directory specification has relative paths ignored
        return os.path.join(base, "xnai-validate")
    try:
        return str(Path.home() / ".cache" / "xnai-validate")
    except RuntimeError:  # no home
        return None


def _let_go(folder: str) -> None:
    """Remove the oldest, where there are too many."""
    with os.scandir(folder) as entries:
        files = [entry.path for entry in entries]
    if len(files) <= KEEP_FILES:
        return
    for path in sorted(files, key=_age)[: len(files) - KEEP_FILES * 3 // 4]:
        _remove(path)


def _age(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:  # another command has removed it
        return 0.0


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return
