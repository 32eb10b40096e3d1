"""Values of options that are more than a text: durations, assignments, addresses, lists of statuses."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple, TypeVar
from urllib.parse import urlsplit

import typer

from xnai_validate.errors import ConfigError
from xnai_validate.model.results.status import Status
from xnai_validate.model.suggestions import did_you_mean
from xnai_validate.model.units import duration_s

T = TypeVar("T")
MAX_KEY_PARTS = 32
"""Parts of a variable's name, such as `canaries.0.question`."""


class Assignment(NamedTuple):
    """The value of an option such as `--target NAME=URL` or `--var KEY=VALUE`."""

    name: str
    value: str


class StatusList(tuple[Status, ...]):
    """The value of one `--fail-on`."""

    __slots__ = ()


def parsed_by(parse: Callable[[str], T]) -> Callable[[str | T], T]:
    """Return a `parser=` for Typer: a ValueError or ConfigError of `parse` becomes a usage error with its text.

    Typer parses default values too; a default that is not a text is already parsed.
    """

    def parser(value: str | T) -> T:
        """Parse the value of an option; a default is a value already. Raises typer.BadParameter."""
        if not isinstance(value, str):
            return value
        try:
            return parse(value)
        except ConfigError as error:
            raise typer.BadParameter(f"{error.message}; {error.hint}" if error.hint else error.message) from None
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None

    return parser


def assignment(text: str) -> Assignment:
    """Parse `NAME=VALUE`; raises ValueError."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ValueError(f"{text} is not of the form NAME=VALUE")
    return Assignment(name.strip(), value)


def variable(text: str) -> Assignment:
    """Parse `KEY=VALUE`, where the key has parts between dots; raises ValueError."""
    key, value = assignment(text)
    if key.count(".") >= MAX_KEY_PARTS:
        raise ValueError(f"{key[:40]}... has more than {MAX_KEY_PARTS} parts")
    return Assignment(key, value)


def address(text: str) -> str:
    """Verify `HOST:PORT`; raises ValueError."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(f"{text} is not an address; write HOST:PORT, such as 0.0.0.0:9095")
    return text


def workers_url(text: str) -> str:
    """Read `tcp://HOST:PORT`, `tls://HOST:PORT` or `local:COUNT`; raises ValueError for anything else."""
    if re.fullmatch(r"local:[1-9][0-9]{0,2}", text) or re.fullmatch(r"(tcp|tls)://[^/@\s]+:[0-9]+", text):
        return text
    raise ValueError(f"{text!r} names no workers; use tcp://HOST:8786, tls://HOST:8786 or local:4")


def http_url(text: str) -> str:
    """Verify an http or https url with a host; raises ValueError."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError("write a url such as https://example.org/path")
    return text


def duration(text: str) -> float:
    """Parse a duration such as `90s` or `1m30s` to seconds, more than 0; raises ValueError."""
    seconds = duration_s(text)
    if seconds <= 0:
        raise ValueError(f"{text} is not more than 0")
    return seconds


def statuses(text: str) -> StatusList:
    """Parse statuses between commas or blanks; raises ValueError."""
    known = {status.value: status for status in Status if status is not Status.PASS}
    words = text.replace(",", " ").split()
    for word in words:
        if word not in known:
            raise ValueError(f'unknown status "{word}"; {did_you_mean(word, known)}')
    return StatusList(known[word] for word in words)
