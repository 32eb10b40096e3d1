"""What Redis answers: the types of replies, errors as values, and how a reply is read as text, list or number."""

from __future__ import annotations

from xnai_validate.model.error_kind import ErrorKind
from xnai_validate.wire.failure import WireError

Argument = str | bytes | int | float
Reply = bytes | int | None | list["Reply"] | Exception
"""The reply to a command: simple and bulk strings as bytes, errors as `RedisRefusal` values."""

_AUTH_CODES = {"NOAUTH", "WRONGPASS", "NOPERM"}


class RedisRefusal(WireError):
    """The server answered with an error: `LOADING`, `READONLY`, `OOM`, `MISCONF`, `WRONGTYPE` ...

    `detail` is the server's own text; the kind is `auth` where the error is about the password or permissions.
    """

    def __init__(self, text: str) -> None:
        self.code = text.partition(" ")[0]
        """The first word of the error, by which clients distinguish errors."""
        super().__init__(ErrorKind.AUTH if self.code in _AUTH_CODES else ErrorKind.PROTOCOL, text)


def text_of(reply: Reply) -> str:
    """A reply as text: bytes that are not UTF-8 become U+FFFD, null becomes empty, a list its number of items."""
    if isinstance(reply, bytes):
        return reply.decode("utf-8", "replace")
    if isinstance(reply, list | dict | set):
        return f"({len(reply)} items)"
    return "" if reply is None else str(reply)


def list_of(reply: Reply) -> list[Reply]:
    """A reply as a list; anything else is empty."""
    return reply if isinstance(reply, list) else []


def number_of(reply: Reply) -> int | None:
    """A reply as an integer; None for anything else."""
    return reply if isinstance(reply, int) and not isinstance(reply, bool) else None


def count_of(reply: Reply) -> int | None:
    """A reply as a number of things; None for anything else."""
    number = number_of(reply)
    return number if number is not None and number >= 0 else None


def map_of(reply: Reply) -> dict[str, Reply]:
    """A flat list of names and values, as RESP2 writes a mapping."""
    items = list_of(reply)
    return {text_of(name): value for name, value in zip(items[::2], items[1::2], strict=False)}
