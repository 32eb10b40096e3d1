"""The application's line to the model server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from xnai_validate.demo.api.entangled import Grudge
from xnai_validate.demo.api.failures import ModelError, ModelTimeout
from xnai_validate.demo.api.wire import Reply, WireError, WireTimeout, request
from xnai_validate.demo.settings import Settings


@dataclass(frozen=True, slots=True)
class Generation:
    """A finished answer and how long the model took."""

    text: str
    tokens: int
    elapsed_s: float


class ModelClient:
    """The model server of one stack.

    Its failures are `ModelError` and `ModelTimeout`, whatever happened on the wire.
    """

    def __init__(self, settings: Settings) -> None:
        self._port = settings.ports["llm"]
        self._unforgiving = settings.broken("model-never-tried-again")
        self._grudge = Grudge(settings, "model")
        patient = settings.broken("query-waits-for-ever")
        self._timeout_s = 45.0 if patient else settings.times.call_timeout_s

    async def complete(self, prompt: str, n_predict: int) -> Generation:
        """The whole answer to a prompt, within the call's time limit."""
        started = asyncio.get_running_loop().time()
        async with self._limit(), self._ask(prompt, n_predict, stream=False) as reply:
            found = json.loads(await reply.body())
        text, tokens = str(found.get("content", "")), int(found.get("tokens_predicted", 0))
        if not text:
            raise ModelError("an empty answer")
        return Generation(text, tokens, asyncio.get_running_loop().time() - started)

    async def stream(self, prompt: str, n_predict: int) -> AsyncGenerator[str, None]:
        """The tokens of the answer as the model makes them; each may take the call's time limit."""
        made = 0
        async with self._ask(prompt, n_predict, stream=True) as reply:
            while True:
                async with self._limit():
                    line = await reply.line()
                if not line.startswith(b"data:"):
                    continue
                found = json.loads(line[5:])
                if found.get("stop"):
                    break
                made += 1
                yield str(found["content"])
        if not made:
            raise ModelError("an empty answer")

    async def healthy(self) -> bool:
        """Whether the model server says that it is up.

        False also for one that cannot be reached. No time limit of its own.
        """
        try:
            async with request(self._port, "GET", "/health") as reply:
                return reply.status == 200 and b'"ok"' in await reply.body()
        except WireError:
            return False

    @asynccontextmanager
    async def _limit(self) -> AsyncIterator[None]:
        """What is inside may take the call's time limit."""
        try:
            async with asyncio.timeout(self._timeout_s):
                yield
        except TimeoutError as error:
            if self._unforgiving:
                self._grudge.bear()
            raise ModelTimeout("no answer in time") from error

    @asynccontextmanager
    async def _ask(self, prompt: str, n_predict: int, *, stream: bool) -> AsyncIterator[Reply]:
        """Ask for a completion; connecting and the head of the answer may each take the call's time limit."""
        if self._unforgiving and self._grudge.borne:
            raise ModelError("the model server did not answer once")
        body = json.dumps({"prompt": prompt, "n_predict": n_predict, "stream": stream}).encode()
        try:
            async with request(self._port, "POST", "/completion", body, timeout_s=self._timeout_s) as reply:
                if reply.status != 200:
                    raise ModelError(f"the model server answered {reply.status}")
                yield reply
        except WireTimeout as error:
            if self._unforgiving:
                self._grudge.bear()
            raise ModelTimeout("no answer in time") from error
        except (WireError, ValueError, KeyError, AttributeError) as error:
            raise ModelError("the model server broke off") from error
