"""The worker: consumes the stack's Redis streams in consumer groups.

| stream, group | an entry | its result |
|---|---|---|
| `xnai:agent_bus`, agent_wavefront | `type`, `payload` (JSON), `correlation_id?` | entry of `xnai:task_updates` |
| `xnai:memory_updates`, memory_sync | `key`, `value` | string `xnai:memory:{key}`, 3600 s |
| `xnai:alerts`, alert_handlers | `service`, and others | `{service}` of hash `xnai:alerts:handled`, plus 1 |

Types of the bus: `task` and `curation`, both with a payload `{"text": ...}`. Their entry of `xnai:task_updates` is
`{correlation_id, type, status: "completed", result}`, the result JSON `{words, characters, sha256, quality}`. `ping`,
`status` and `broadcast` are acknowledged without a result. An entry that cannot be handled is tried 3 times, goes to
`xnai:dlq` as `{stream, id, error, deliveries, entry}` and is acknowledged. Entries that a dead worker left pending
are handled after the next start.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import socket
from collections.abc import Awaitable, Callable
from typing import cast

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError
from redis.typing import EncodableT, FieldT

from xnai_validate.demo.seams import seam
from xnai_validate.demo.services.reconnect import ONCE_MORE, raise_if_cancelled
from xnai_validate.demo.settings import Settings

GROUPS = {
    "xnai:agent_bus": "agent_wavefront",
    "xnai:memory_updates": "memory_sync",
    "xnai:alerts": "alert_handlers",
}
"""Stream -> its consumer group."""
CONSUMER = "curation_worker"
TRIES = 3
_LENGTH = 10_000
_MEMORY_S = 3600
_BLOCK_MS = 200

Entry = dict[str, str]
Fields = dict[FieldT, EncodableT]


@seam
def groups() -> dict[str, str]:
    """The consumer groups to create: stream -> group."""
    return dict(GROUPS)


@seam
def tries_allowed() -> float:
    """How often an entry is tried before it is set aside."""
    return TRIES


class Unhandled(ValueError):
    """An entry that is not of a form that the worker knows."""


@seam
async def run(settings: Settings, sockets: dict[str, socket.socket], ready: Callable[[], None]) -> None:
    """Consume every stream until cancelled; while Redis is unreachable, connect again every quarter of a second."""
    worker = Worker(settings)
    with contextlib.suppress(RedisError, OSError):  # Redis is away: `consume` creates the groups when it is back
        await worker.prepare()
    try:
        async with asyncio.TaskGroup() as group:
            for stream in GROUPS:
                group.create_task(worker.consume(stream))
            ready()
    finally:
        await worker.close()


class Worker:
    """Reads the groups, does the work, acknowledges."""

    def __init__(self, settings: Settings) -> None:
        self.redis: Redis = Redis(
            port=settings.redis_port,
            password=settings.redis_password,
            retry=ONCE_MORE,
            decode_responses=True,
            protocol=2,
            socket_timeout=5.0,
            socket_connect_timeout=1.0,
        )
        self._handlers: dict[str, Callable[[Entry], Awaitable[None]]] = {
            "xnai:agent_bus": self._job,
            "xnai:memory_updates": self._memory,
            "xnai:alerts": self._alert,
        }

    @seam
    async def prepare(self) -> None:
        """Create the streams and groups that are missing."""
        for stream, group in groups().items():
            try:
                await self.redis.xgroup_create(stream, group, id="0", mkstream=True)
            except ResponseError as error:
                if "BUSYGROUP" not in str(error):
                    raise

    async def close(self) -> None:
        """Close the connections to Redis."""
        await self.redis.aclose()

    @seam
    async def consume(self, stream: str) -> None:
        """Handle the entries that this consumer left pending before a restart, then new ones, for ever."""
        since = "0"
        while True:
            raise_if_cancelled()
            try:
                entries = await self._read(stream, since)
                for entry_id, entry in entries:
                    await self.take(stream, entry_id, entry)
                if since != ">":
                    since = entries[-1][0] if entries else ">"
            except ResponseError as error:
                await self._repair(error)
                since = "0"
            except (RedisError, OSError):
                await asyncio.sleep(0.25)
                since = "0"

    async def _read(self, stream: str, since: str) -> list[tuple[str, Entry]]:
        """The next entries of a stream: pending ones after `since`, or with `>` new ones."""
        answer = await self.redis.xreadgroup(GROUPS[stream], CONSUMER, {stream: since}, count=50, block=_BLOCK_MS)
        batch = cast("list[tuple[str, list[tuple[str, Entry | None]]]]", answer or [])
        return [(entry_id, entry or {}) for _, entries in batch for entry_id, entry in entries]

    async def _repair(self, error: ResponseError) -> None:
        """Create lost groups again (the database was emptied); wait after any error."""
        if "NOGROUP" in str(error):
            with contextlib.suppress(RedisError, OSError):
                await self.prepare()
        await asyncio.sleep(0.25)

    @seam
    async def take(self, stream: str, entry_id: str, entry: Entry) -> None:
        """Handle one entry, with its tries, and acknowledge it."""
        tries = 0
        while True:
            tries += 1
            try:
                await self.handle(stream, entry)
                break
            except Unhandled as error:
                if tries >= tries_allowed():
                    await self.set_aside(stream, entry_id, entry, error)
                    break
        await self.acknowledge(stream, entry_id)

    @seam
    async def handle(self, stream: str, entry: Entry) -> None:
        """Do the work of one entry. Raises Unhandled."""
        await self._handlers[stream](entry)

    @seam
    async def acknowledge(self, stream: str, entry_id: str) -> None:
        """Acknowledge one entry."""
        await self.redis.xack(stream, GROUPS[stream], entry_id)

    @seam
    async def set_aside(self, stream: str, entry_id: str, entry: Entry, error: Unhandled) -> None:
        """Put an entry that cannot be handled on the dead-letter stream."""
        letter: Fields = {
            "stream": stream,
            "id": entry_id,
            "error": str(error),
            "deliveries": str(TRIES),
            "entry": json.dumps(entry),
        }
        await self.redis.xadd("xnai:dlq", letter, maxlen=_LENGTH)

    async def _job(self, entry: Entry) -> None:
        """An entry of the bus: a task or a curation job has a result, messages between agents have none."""
        kind = entry.get("type", "")
        if kind in ("ping", "status", "broadcast"):
            return
        if kind not in ("task", "curation"):
            raise Unhandled(f"unknown type {kind[:40]!r}")
        try:
            payload: object = json.loads(entry.get("payload", ""))
        except ValueError as error:
            raise Unhandled("the payload is not JSON") from error
        if not isinstance(payload, dict):
            raise Unhandled("the payload is not an object")
        text = payload.get("text", payload.get("description", ""))
        if not isinstance(text, str):
            raise Unhandled("text is not a string")
        result = curated(text)
        update: Fields = {
            "correlation_id": entry.get("correlation_id", ""),
            "type": kind,
            "status": "completed",
            "result": json.dumps(result),
        }
        await self.redis.xadd("xnai:task_updates", update, maxlen=_LENGTH)

    async def _memory(self, entry: Entry) -> None:
        """Store a memory update. Raises Unhandled if it has no key or no value."""
        key, value = entry.get("key"), entry.get("value")
        if not key or value is None:
            raise Unhandled("a memory update has key and value")
        await self.redis.set(f"xnai:memory:{key[:200]}", value, ex=_MEMORY_S)

    async def _alert(self, entry: Entry) -> None:
        """Count an alert as handled. Raises Unhandled if it names no service."""
        service = entry.get("service")
        if not service:
            raise Unhandled("an alert names its service")
        await self.redis.hincrby("xnai:alerts:handled", service[:100], 1)


@seam
def curated(text: str) -> dict[str, object]:
    """The result of curating a text; quality is the share of distinct words, from 0 to 1."""
    words = text.split()
    return {
        "words": len(words),
        "characters": len(text),
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "quality": round(len({word.lower() for word in words}) / len(words), 3) if words else 0.0,
    }
