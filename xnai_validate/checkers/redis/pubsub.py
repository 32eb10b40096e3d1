"""`redis.pubsub`: whether Redis delivers published messages."""

from __future__ import annotations

import secrets
from time import perf_counter

from xnai_validate.checkers.redis._access import measured
from xnai_validate.checkers.redis._models import RedisFacts, RedisParams
from xnai_validate.kit import Context, Count, Milliseconds, checker
from xnai_validate.wire.redis.client import connect_redis
from xnai_validate.wire.redis.connection import RedisConnection
from xnai_validate.wire.redis.replies import count_of, list_of, text_of

PREFIX = "xnai:validate:"


class PubsubFacts(RedisFacts):
    """One message."""

    receivers: Count | None = None
    """Subscribers that the server delivered the message to, by its own count."""
    received: bool | None = None
    """Whether it was received, unchanged."""
    delay_ms: Milliseconds | None = None
    """From publishing to receiving."""


@checker("redis.pubsub", expect={"error": None, "received": True})
async def pubsub(params: RedisParams, ctx: Context) -> PubsubFacts:
    """Publish a message on a channel of our own and receive it on another connection.

    ::

        kind: redis.pubsub
        expect: {delay_ms: {max: 50}}
    """

    async def measure(subscriber: RedisConnection) -> PubsubFacts:
        """Subscribe, publish a message, and measure when it arrives."""
        channel, message = PREFIX + secrets.token_hex(16), secrets.token_hex(16)
        await subscriber.command("SUBSCRIBE", channel)
        publisher = await connect_redis(ctx.target, db=params.db)
        try:
            started = perf_counter()
            receivers = count_of(await publisher.command("PUBLISH", channel, message))
            if not receivers:
                return PubsubFacts(receivers=receivers, received=False)
            received = [text_of(part) for part in list_of(await subscriber.receive())]
            delay_ms = (perf_counter() - started) * 1000
        finally:
            publisher.abort()
        return PubsubFacts(receivers=receivers, received=received == ["message", channel, message], delay_ms=delay_ms)

    return await measured(ctx, params, PubsubFacts, measure, fresh=True)
