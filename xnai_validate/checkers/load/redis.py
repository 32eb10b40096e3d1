"""`load.redis`: the same command many times."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated

from xnai_validate.checkers.load._generator.drive import Drive
from xnai_validate.checkers.load._generator.evidence import record_load
from xnai_validate.checkers.load._generator.figures import load_figures
from xnai_validate.checkers.load._generator.runner import RUNNER, Load, send
from xnai_validate.checkers.load._models import LoadFacts, LoadParams, load_waits
from xnai_validate.checkers.load._redis.line import GOOD, Commands, RedisLine
from xnai_validate.kit import Context, Ge, Le, Len, Size, checker
from xnai_validate.wire.redis.client import redis_address
from xnai_validate.wire.redis.recording import RedisRecording


class RedisLoad(LoadParams):
    """The command, and how often it is sent when."""

    command: Annotated[list[str | int | float], Len(1, 1_000)]
    """The command and its arguments; in texts, `{n}` is the number of the command, `{key}` one of `keys` numbers in
    turn, `{value}` a text of `value` bytes: `[SET, "load:{key}", "{value}", EX, 60]`."""
    keys: Annotated[int, Ge(1)] = 1_000
    """How many keys `{key}` goes through."""
    value: Annotated[Size, Le(1 << 20)] = 100
    """The size of `{value}`."""
    pipeline: Annotated[int, Ge(1), Le(10_000)] = 1
    """Commands that are sent together; they are one request, which is answered when the last reply has come."""
    db: Annotated[int, Ge(0)] | None = None
    """The database; by default that of the target's url."""


class RedisLoadFacts(LoadFacts):
    """The figures of a load of Redis commands.

    A request is a pipeline of commands. Its status is `ok`, or the first word of the first error among its replies:
    `WRONGTYPE`, `OOM`, `READONLY`, `LOADING` ..., which counts as an error.
    """

    commands_per_s: float | None
    """`throughput_rps` times `pipeline`."""


@checker(
    "load.redis",
    expect={"error_ratio": 0, "not_sent_count": 0, "ended_early": False},
    exclusive=True,
    waits=load_waits,
)
async def redis(params: RedisLoad, ctx: Context) -> RedisLoadFacts:
    """Send a Redis command many times, on a schedule or by virtual users, and measure how Redis performs.

    Each connection is authenticated once and carries one request at a time. Nothing else runs meanwhile. Nothing keeps
    a command from writing: give what it writes an end (`EX`), and keys of its own.

        kind: load.redis
        target: redis
        with: {command: [GET, "load:{key}"], arrivals: {rate: 200}, for: 5s, warmup: 1s}
        expect: {p99_ms: {max: 10}}
    """
    target = ctx.target
    address = redis_address(target)
    commands = Commands(params.command, keys=params.keys, value="x" * params.value, at_once=params.pipeline)
    commands.numbers = RUNNER.get().share.part(commands.numbers)
    drive = Drive(params, ctx)
    drive.wrong = lambda status: status != GOOD

    @asynccontextmanager
    async def lines() -> AsyncIterator[Callable[[], RedisLine]]:
        yield lambda: RedisLine(drive, target, params.db, commands.next)

    await send(Load("load.redis", params, ctx, drive, lines))
    record_load(drive, RedisRecording(address.host, address.port, params.command, tls=address.tls is not None))
    figures = load_figures(drive)
    rate = figures["throughput_rps"]
    return RedisLoadFacts(**figures, commands_per_s=None if rate is None else rate * params.pipeline).incomplete(
        drive.division.incomplete
    )
