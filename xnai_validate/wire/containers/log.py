"""The log of a container, as its engine keeps it, and its last lines as evidence of a failure."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from time import perf_counter
from typing import Literal

from xnai_validate.model.error_kind import ErrorKind
from xnai_validate.model.results.exchange import BODY_CAP, RECORDER, Exchange, recorder
from xnai_validate.model.secrets.masking import MASK
from xnai_validate.model.secrets.names import looks_secret
from xnai_validate.wire.containers.engine import ContainerEngine, EngineError, container_path
from xnai_validate.wire.containers.exec import Frames

Feed = Callable[[bytes, int], None]
LINES = 20
"""The last lines of a log that are kept as evidence."""
LINE_CAP = 500
"""Bytes of one of them that are kept."""
TAIL_CAP = 256 * 1024
"""Bytes of the last lines that are read."""


_ASSIGNED = re.compile(r"""([\w.-]{1,100})(["']?\s?[=:]\s?["']?)((?:(?:bearer|basic)\s+)?[^\s"',;&]+)""", re.I)


class Full(Exception):
    """The largest number of bytes that is read has arrived."""


@dataclass(slots=True)
class LogRecording:
    """The last lines of a log, for the report of a check that fails."""

    name: str
    """The container, or the path of the file."""
    protocol: Literal["container", "file"] = "container"
    lines: deque[bytes] = field(default_factory=lambda: deque(maxlen=LINES))
    started: float = field(default_factory=perf_counter)
    until: float | None = None
    _begun: dict[int, bytes] = field(default_factory=dict)
    """Stream -> the beginning of a line whose end has not come."""

    def feed(self, data: bytes, stream: int) -> None:
        """Take the next bytes of a stream."""
        *whole, rest = (self._begun.get(stream, b"") + data).split(b"\n")
        self.lines.extend(line[:LINE_CAP] for line in whole)
        self._begun[stream] = rest[:LINE_CAP]
        self.until = perf_counter()

    def exchange(self) -> Exchange:
        """Return the lines as what `docker logs`, or `tail` of a file, prints."""
        lines = [*self.lines, *(line for line in self._begun.values() if line)][-LINES:]
        text = "\n".join(_ASSIGNED.sub(_mask_secret, line.decode("utf-8", "replace").rstrip("\r")) for line in lines)
        return Exchange(
            protocol=self.protocol,
            request=self.name,
            response=f"{len(lines)} line{'' if len(lines) == 1 else 's'}",
            response_body=text[-BODY_CAP:] or None,
            response_bytes=len(text),
            elapsed_ms=round(((self.until or perf_counter()) - self.started) * 1000, 1),
            options={"--tail" if self.protocol == "container" else "-n": str(LINES)},
        )


def _mask_secret(found: re.Match[str]) -> str:
    """Mask the value of what a log line assigns to a name that looks secret: `password=...`, `api_key: "..."`."""
    return f"{found[1]}{found[2]}{MASK}" if looks_secret(found[1]) else found[0]


async def read_log(
    engine: ContainerEngine,
    name: str,
    since_s: float | None,
    cap: int,
    timeout_s: float,
    feed: Feed,
    tail: int | None = None,
) -> bool:
    """Give the log of a container since a time (seconds since the epoch) to `feed`; return whether all of it was read.

    `tail`: give only the last lines, of this number. The end of what was read becomes an exchange of the check. Raises
    EngineError, NoSuchContainer. Source: Docker Engine API, ContainerLogs: without a terminal the log is framed
    as the output of a command is, with one it is plain.
    """
    recording = LogRecording(name)
    with recorder():  # the requests for the log are not evidence of their own
        complete = await _read_log(engine, name, since_s, cap, timeout_s, (feed, recording.feed), tail)
    RECORDER.get().append(recording)
    return complete


async def _read_log(
    engine: ContainerEngine,
    name: str,
    since_s: float | None,
    cap: int,
    timeout_s: float,
    feeds: tuple[Feed, ...],
    tail: int | None,
) -> bool:
    """Read the log into the feeds; return whether it was read to its end."""
    container = await engine.container_id(name)
    inspection = await engine.inspect(container)
    plain = inspection.config is not None and bool(inspection.config.tty)
    read = 0

    def feed_all(stream: int, piece: bytes) -> None:
        """Feed a piece to all feeds, up to the cap. Raises Full beyond it."""
        nonlocal read
        room = cap - read
        read += len(piece)
        for feed in feeds:
            feed(piece[:room], stream)
        if len(piece) > room:
            raise Full

    frames = Frames(feed_all)
    query = {"stdout": "true", "stderr": "true", "follow": "false"}
    if tail is not None:
        query["tail"] = str(tail)
    if since_s is not None:
        query["since"] = f"{since_s:.9f}"
    try:
        async with asyncio.timeout(timeout_s):
            raw = (lambda data: feed_all(1, data)) if plain else frames.feed
            await engine.stream(container_path(container, "logs"), None, raw, query)
    except Full:
        return False
    except TimeoutError:
        raise EngineError(ErrorKind.TIMEOUT, f"the log of {name} did not come within {timeout_s:g} s") from None
    return True


async def record_last_lines(engine: ContainerEngine, name: str, timeout_s: float) -> None:
    """Keep the last lines of a container's log as an exchange of the check; nothing if the engine gives none."""
    with suppress(EngineError):
        await read_log(engine, name, None, TAIL_CAP, timeout_s, lambda data, stream: None, tail=LINES)
