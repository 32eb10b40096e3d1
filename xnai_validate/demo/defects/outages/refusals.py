"""Writes that Redis refuses for a while, and a health report that never recovers from that."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import OutOfMemoryError, RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from xnai_validate.demo.api.monitoring.health import HealthReport
from xnai_validate.demo.defects.defect import Defect
from xnai_validate.demo.defects.sticky_failure import StickyFailure

WriteAndRead = Callable[[HealthReport, Redis, str], Awaitable[list[str | None]]]
REDIS_REFUSAL_REMEMBERED = Defect(
    "redis-refusal-remembered",
    "Once Redis has refused a write as a replica does, it is reported as broken for ever.",
    checks=("recovery/outage:redis-read-only",),
)
REDIS_FULL_REMEMBERED = Defect(
    "redis-full-remembered",
    "Once Redis has refused a write for want of memory, it is reported as broken for ever.",
    checks=("recovery/outage:redis-full",),
)


async def _until_refused(
    write_and_read: WriteAndRead, report: HealthReport, redis: Redis, text: str, *, for_memory: bool
) -> list[str | None]:
    """Write and read, or raise once Redis has refused a write: one for want of memory, or one for another reason."""
    refused = StickyFailure(report.services.settings, "refused")
    if refused.is_set:
        raise RedisError("Redis has refused a write before")
    try:
        return await write_and_read(report, redis, text)
    except (RedisConnectionError, RedisTimeoutError):
        raise
    except RedisError as error:
        if for_memory is ("OOM" in str(error) or isinstance(error, OutOfMemoryError)):
            refused.set()
        raise


@REDIS_REFUSAL_REMEMBERED.wraps(HealthReport.write_and_read)
async def write_until_refused(
    write_and_read: WriteAndRead, /, self: HealthReport, redis: Redis, text: str
) -> list[str | None]:
    """Write until Redis refuses a write for another reason than memory; after that fail without trying."""
    return await _until_refused(write_and_read, self, redis, text, for_memory=False)


@REDIS_FULL_REMEMBERED.wraps(HealthReport.write_and_read)
async def write_until_full(
    write_and_read: WriteAndRead, /, self: HealthReport, redis: Redis, text: str
) -> list[str | None]:
    """Write until Redis refuses a write because its memory is full; after that fail without trying."""
    return await _until_refused(write_and_read, self, redis, text, for_memory=True)


REDIS_PINGED_AFTER_REFUSAL = Defect(
    "redis-only-pinged-after-refusal",
    "Once Redis has refused a write, health pings it and reports it well, and writes it no more.",
    checks=("recovery/outage:redis-read-only", "recovery/outage:redis-full"),
)


@REDIS_PINGED_AFTER_REFUSAL.wraps(HealthReport.write_and_read)
async def ping_after_refusal(
    write_and_read: WriteAndRead, /, self: HealthReport, redis: Redis, text: str
) -> list[str | None]:
    """Write until Redis refuses a write; after that only ping it, and report success."""
    refused = StickyFailure(self.services.settings, "refused")
    if not refused.is_set:
        try:
            return await write_and_read(self, redis, text)
        except (RedisConnectionError, RedisTimeoutError):
            raise
        except RedisError:
            refused.set()
            raise
    await redis.ping()
    return ["", *[None for _ in self.services.breakers]]
