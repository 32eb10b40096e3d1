"""Reads a file of environment variables, as Compose and shells write them."""

from __future__ import annotations

import re
from pathlib import Path

from xnai_validate.errors import ConfigError

MAX_BYTES = 1 << 20
_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)", re.ASCII)
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"\s*(?:#.*)?')
_SINGLE = re.compile(r"'([^']*)'\s*(?:#.*)?")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


def read_env_file(path: Path) -> dict[str, str]:
    """Return name -> value of a file with a line `NAME=value` each; a later line replaces an earlier one.

    Blank lines and comments are left out; `export` before a name has no effect. A value in single quotes is literal,
    one in double quotes may hold escapes, one without quotes ends before ` #`. Raises ConfigError.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"the file of variables {path} cannot be read: {error.strerror or error}") from None
    if len(data) > MAX_BYTES:
        raise ConfigError(f"the file of variables {path} is larger than {MAX_BYTES >> 20} MiB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"the file of variables {path} is not UTF-8 text") from None
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        match = _LINE.fullmatch(stripped)
        value = None if match is None else _value(match[2])
        if match is None or value is None:  # the line is not shown: it may hold a secret
            raise ConfigError(f"{path}:{number}: not a line NAME=value", hint="quote a value that holds quotes")
        found[match[1]] = value
    return found


def _value(text: str) -> str | None:
    """The value that a text stands for; None if its quotes do not fit."""
    if text.startswith("'"):
        single = _SINGLE.fullmatch(text)
        return None if single is None else single[1]
    if text.startswith('"'):
        double = _DOUBLE.fullmatch(text)
        return None if double is None else re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), double[1])
    return "" if text.startswith("#") else re.split(r"\s#", text, maxsplit=1)[0].rstrip()
