"""A Redis command for the report of a check that fails: what was sent, and the reply if one came."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote
from time import perf_counter

from xnai_validate.model.results.exchange import BODY_CAP, Exchange
from xnai_validate.wire.redis.replies import Argument, RedisRefusal, Reply

ARGUMENTS_CAP = 20
ITEMS_CAP = 20
"""Items of a list that are shown."""
DEPTH_CAP = 4


class RedisRecording:
    """A command whose reply may still come."""

    __slots__ = ("_command", "_options", "_reply", "_started", "_until", "failure")

    def __init__(self, host: str, port: int, command: Sequence[Argument], *, tls: bool = False) -> None:
        self._options = {"-h": host, "-p": str(port)} | ({"--tls": ""} if tls else {})
        self._command = command[:ARGUMENTS_CAP]
        self._reply: str | None = None
        self._started = self._until = perf_counter()
        self.failure: str | None = None

    def ended(self, reply: Reply) -> None:
        """Add the reply."""
        self._until = perf_counter()
        self._reply = _format_reply(reply)[:BODY_CAP]

    def exchange(self) -> Exchange:
        """Return the command and its reply, if it has arrived."""
        failure = self.failure
        if failure is None and self._reply is None:
            failure = "no reply came"
        return Exchange(
            protocol="redis",
            request=" ".join(quote(_format_reply(part)) for part in self._command)[:BODY_CAP],
            response=self._reply,
            elapsed_ms=round((self._until - self._started) * 1000, 1),
            failure=failure,
            options=self._options,
        )


def _format_reply(value: Reply | Argument, depth: int = 0) -> str:
    """Format a reply or an argument as `redis-cli` does; long and deep lists are cut."""
    if isinstance(value, RedisRefusal):
        return f"(error) {value.detail}"
    if isinstance(value, bytes):
        return value[: 4 * BODY_CAP].decode("utf-8", "replace")
    if isinstance(value, list):
        if depth == DEPTH_CAP:
            return f"({len(value)} items)"
        items = ", ".join(_format_reply(item, depth + 1) for item in value[:ITEMS_CAP])
        return f"[{items}, ... ({len(value)} items)]" if len(value) > ITEMS_CAP else f"[{items}]"
    return "(nil)" if value is None else str(value)
