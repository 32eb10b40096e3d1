"""One connection to Redis of a load, and the commands that go over it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from itertools import count

from xnai_validate.checkers.load._generator.drive import Drive
from xnai_validate.checkers.load._generator.tally import Tally
from xnai_validate.kit import JsonObject, Target
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.redis.client import connect_redis
from xnai_validate.wire.redis.connection import RedisConnection
from xnai_validate.wire.redis.replies import Argument, RedisRefusal

GOOD = "ok"
"""The status of a request all of whose replies are no errors."""


class Commands:
    """Makes commands of a template: `{n}` counts them from 0, `{key}` goes round through `keys` numbers."""

    def __init__(self, template: Sequence[Argument], *, keys: int, value: str, at_once: int) -> None:
        self._template = tuple(template)
        self._keys = keys
        self._value = value
        self._at_once = at_once
        self.numbers: Iterator[int] = count()
        """The numbers of the commands."""
        places = ("{n}", "{key}", "{value}")
        self._plain = not any(place in str(argument) for argument in template for place in places)
        self._same = [self._template] * at_once

    def next(self) -> Sequence[Sequence[Argument]]:
        """The commands of one request."""
        if self._plain:
            return self._same
        return [self._fill_template(next(self.numbers)) for _ in range(self._at_once)]

    def _fill_template(self, number: int) -> tuple[Argument, ...]:
        """Return the command of this number, its placeholders filled in."""
        key = str(number % self._keys)
        return tuple(
            argument.replace("{n}", str(number)).replace("{key}", key).replace("{value}", self._value)
            if isinstance(argument, str)
            else argument
            for argument in self._template
        )


class RedisLine:
    """A connection from being dialled to its end, with a task of its own that serves one request after the other."""

    tally: Tally
    intended: float
    sent: float
    stale = False

    def __init__(
        self, drive: Drive, target: Target, db: int | None, commands: Callable[[], Sequence[Sequence[Argument]]]
    ) -> None:
        self._drive = drive
        self._target = target
        self._db = db
        self._commands = commands
        self._task: asyncio.Task[None] | None = None
        self._requested = asyncio.Event()
        self._over = False

    def send(self) -> None:
        """Send the commands of one request; connects first where that was not done yet."""
        if self._task is None:
            self._task = self._drive.tasks.create_task(self._serve())
        self._requested.set()

    def details(self) -> JsonObject:
        """Nothing besides its status and times."""
        return {}

    def abort(self) -> None:
        """End at once."""
        self._over = True
        if self._task is not None:
            self._task.cancel()
        else:
            self._drive.closed(self)

    async def _serve(self) -> None:
        """Connect, then run the commands once for each request of the drive, until the line is over or fails."""
        connection: RedisConnection | None = None
        try:
            connection = await connect_redis(self._target, db=self._db)
            self._drive.opened()
            while True:
                await self._requested.wait()
                self._requested.clear()
                replies = await connection.pipeline(self._commands())
                refusal = next((reply for reply in replies if isinstance(reply, RedisRefusal)), None)
                if self._over:
                    return
                self._drive.answered(self, refusal.code if refusal else GOOD)
        except WireError as failure:
            if not self._over:
                self._over = True
                self._drive.failed(self, failure.kind, failure.detail, connecting=connection is None)
        finally:
            if connection is not None:
                await connection.disconnect()
            self._drive.closed(self)
