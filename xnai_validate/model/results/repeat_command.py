"""The shell command that repeats the request behind a failure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from shlex import quote, split

from xnai_validate.model.results.exchange import LOGS, Exchange, last_request
from xnai_validate.model.results.status import Status
from xnai_validate.model.secrets.masking import MASK

SHOWN = (Status.FAIL, Status.ERROR, Status.WARN)
"""The statuses whose evidence is shown."""
DATA_CAP = 1_000
"""Characters of a body that the command repeats; exchanges keep more than that."""
_SECRET = re.compile(rf"""(?:([A-Za-z_][\w-]{{0,99}})["']?\s*[:=]\s*["']?(?:\w+ )?)?{re.escape(MASK)}""", re.ASCII)
"""A masked secret, with the name that it is the value of."""


def repeat_command(status: Status, exchanges: Sequence[Exchange]) -> str | None:
    """Return the command that repeats the last request of a check, in one line; None where no evidence is shown."""
    exchange = last_request(exchanges)
    return None if exchange is None or status not in SHOWN else " ".join(repeat_words(exchange))


def repeat_words(exchange: Exchange) -> Iterator[str]:
    """Yield the words of the shell command that repeats a request, quoted; `$NAME` stands for a masked secret.

    `@FILE` stands for a body that is long or has several lines.
    """
    if exchange.protocol == "redis":
        yield "redis-cli"
        yield from _options(exchange)
        yield exchange.request if MASK not in exchange.request else " ".join(map(_quoted, _words(exchange.request)))
        return
    if exchange.protocol in LOGS:
        yield "docker logs" if exchange.protocol == "container" else "tail"
        yield from _options(exchange)
        yield _quoted(exchange.request)
        return
    method, _, url = exchange.request.partition(" ")
    yield "curl -sS -i"
    body = exchange.request_body
    if method == "HEAD":
        yield "--head"
    elif method != ("POST" if body else "GET"):
        yield f"-X {quote(method)}"
    yield from _options(exchange)
    for name, value in exchange.request_headers.items():
        yield f"-H {_quoted(f'{name}: {value}')}"
    if body and len(body) <= DATA_CAP and body.isprintable():
        yield f"--data-binary {_quoted(body)}"
    elif exchange.request_bytes:
        yield "--data-binary @FILE"
    yield _quoted(url)


def _options(exchange: Exchange) -> Iterator[str]:
    """Yield the options of the command that repeats an exchange, quoted for a shell."""
    for option, value in exchange.options.items():
        yield f"{option} {_quoted(value)}" if value else option


def _words(command: str) -> list[str]:
    """Return the words of a command that is quoted for a shell; those at blanks if it was cut within quotes."""
    try:
        return split(command)
    except ValueError:
        return command.split(" ")


def _quoted(text: str) -> str:
    """A word for a shell; each masked secret in it becomes a variable, named after what it is the value of."""
    if MASK not in text:
        return quote(text)
    pieces: list[str] = []
    begin = 0
    for found in _SECRET.finditer(text):
        variable = found[1].replace("-", "_").upper() if found[1] else "SECRET"
        pieces += (_escaped(text[begin : found.end() - len(MASK)]), f"${{{variable}}}")
        begin = found.end()
    return f'"{"".join(pieces)}{_escaped(text[begin:])}"'


def _escaped(text: str) -> str:
    """Return a text as it stands between double quotes of a shell."""
    return re.sub(r'([\\"$`])', r"\\\1", text)
