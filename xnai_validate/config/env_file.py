"""Files of environment variables, as Compose and shells write them.

Source: Docker Compose, Set, use and manage variables in a Compose file (.env file syntax).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from xnai_validate.errors import ConfigError
from xnai_validate.opening import open_at_once

MAX_BYTES = 1 << 20
_HOW = "write NAME=value; put a value that contains quotes in quotes"
_LINE = re.compile(
    r"""^[ \t]*(?:
        (?:\#[^\n]*)?$
      | (?:export[ \t]+)?(?P<name>[A-Za-z_][A-Za-z0-9_.-]*)[ \t]*
        (?:[=:][ \t]*(?:"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>[^']*)'|(?P<plain>(?!["'])[^\n]*?))
        [ \t\r]*(?:(?:^|(?<=[\s"']))\#[^\n]*)?)?$
      | (?P<other>[^\n]+)$
    )""",
    re.MULTILINE | re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


@dataclass(frozen=True, slots=True)
class EnvLine:
    """A line of such a file that is neither blank nor a comment."""

    number: int
    """Counted from 1; of a value that spans lines, that of the first."""
    name: str | None
    """None for a line that is not an assignment."""
    value: str | None
    """The text between the quotes; None for a name without `=`."""
    quotes: Literal["'", '"', ""] = ""

    def text(self, *, dollar: str = "$") -> str:
        """The value with its escapes resolved; `dollar` stands for an escaped `$`."""
        value = self.value or ""
        if self.quotes != '"':
            return value
        escapes = {**_ESCAPES, "$": dollar}
        return re.sub(r"\\(.)", lambda found: escapes.get(found[1], found[1]), value, flags=re.DOTALL)


def env_lines(text: str) -> Iterator[EnvLine]:
    """The lines of a file: `NAME=value`, with `export` or without; values may be in quotes, and then span lines."""
    number, counted = 1, 0
    for match in _LINE.finditer(text):
        number, counted = number + text.count("\n", counted, match.start()), match.start()
        name, other = match["name"], match["other"]
        if other is not None and other.strip():
            yield EnvLine(number, None, None)
        elif match["double"] is not None:
            yield EnvLine(number, name, match["double"], '"')
        elif match["single"] is not None:
            yield EnvLine(number, name, match["single"], "'")
        elif name is not None:
            plain = match["plain"]
            yield EnvLine(number, name, "" if plain and plain.startswith("#") else plain)


def read_env_file(path: Path) -> dict[str, str]:
    """Return name -> value of a file of `NAME=value` lines; a later line replaces an earlier one.

    A value in single quotes is literal, one in double quotes may hold escapes, one without quotes ends before ` #`.
    Raises ConfigError for a file that cannot be read, and with the number of the line for one that is not an assignment
    or whose value has a null character.
    """
    try:
        with open(path, "rb", opener=open_at_once) as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"the file of variables {path} cannot be read: {error.strerror or error}") from None
    if len(data) > MAX_BYTES:
        raise ConfigError(f"the file of variables {path} is larger than {MAX_BYTES >> 20} MiB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"the file of variables {path} is not UTF-8 text") from None
    variables: dict[str, str] = {}
    for line in env_lines(text):
        if line.name is None or line.value is None:  # the line is not shown: it may hold a secret
            raise ConfigError(f"{path}:{line.number}: not a line NAME=value", hint=_HOW)
        value = line.text()
        if "\0" in value:
            raise ConfigError(
                f"{path}:{line.number}: the value of {line.name} has a null character, which no variable can have"
            )
        variables[line.name] = value
    return variables
