"""The client of the model server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import httpx

from xnai_validate.demo.api.failures import ModelError, ModelTimeout
from xnai_validate.demo.api.time_limit import time_limit
from xnai_validate.demo.seams import seam
from xnai_validate.demo.settings import Settings


@dataclass(frozen=True, slots=True)
class Generation:
    """A finished answer and how long the model took."""

    text: str
    tokens: int
    elapsed_s: float


@seam
def call_timeout_s(settings: Settings) -> float:
    """Seconds that a call of the model may take: a whole answer, or one token of a stream."""
    return settings.times.call_timeout_s


class ModelClient:
    """Asks the model server of one stack. Every failure is raised as `ModelError` or `ModelTimeout`."""

    def __init__(self, settings: Settings, http: httpx.AsyncClient) -> None:
        self.settings = settings
        self._url = settings.url("llm")
        self._http = http
        self._timeout_s = call_timeout_s(settings)

    @seam
    async def complete(self, prompt: str, n_predict: int) -> Generation:
        """The whole answer to a prompt, within the call's time limit."""
        started = asyncio.get_running_loop().time()
        async with self._limit(), self._ask(prompt, n_predict, stream=False) as response:
            answer = json.loads(await response.aread())
            text, tokens = str(answer.get("content", "")), int(answer.get("tokens_predicted", 0))
        if not text:
            raise ModelError("an empty answer")
        return Generation(text, tokens, asyncio.get_running_loop().time() - started)

    @seam
    async def stream(self, prompt: str, n_predict: int) -> AsyncGenerator[str, None]:
        """The tokens of the answer as the model generates them; each may take the call's time limit."""
        tokens = 0
        async with self._ask(prompt, n_predict, stream=True) as response:
            lines = _lines(response)
            while True:
                async with self._limit():
                    line = await anext(lines, None)
                if line is None:
                    raise ModelError("the answer ended early")
                if not line.startswith(b"data:"):
                    continue
                event = json.loads(line[5:])
                if event.get("stop"):
                    break
                tokens += 1
                yield str(event["content"])
        if not tokens:
            raise ModelError("an empty answer")

    async def healthy(self) -> bool:
        """Whether the model server answers that it is up; without a time limit of its own."""
        try:
            response = await self._http.get(f"{self._url}/health")
        except httpx.HTTPError:
            return False
        return response.status_code == 200 and b'"ok"' in response.content

    @asynccontextmanager
    async def _limit(self) -> AsyncIterator[None]:
        """Raise ModelTimeout if the block takes longer than the call's time limit."""
        try:
            async with time_limit(self._timeout_s):
                yield
        except TimeoutError as error:
            raise ModelTimeout("no answer in time") from error

    @asynccontextmanager
    async def _ask(self, prompt: str, n_predict: int, *, stream: bool) -> AsyncIterator[httpx.Response]:
        """Ask for a completion; the head of the answer may take the call's time limit."""
        body = {"prompt": prompt, "n_predict": n_predict, "stream": stream}
        asking = self._http.stream("POST", f"{self._url}/completion", json=body, timeout=None)
        try:
            async with AsyncExitStack() as open_:
                async with self._limit():
                    response = await open_.enter_async_context(asking)
                if response.status_code != 200:
                    raise ModelError(f"the model server answered {response.status_code}")
                yield response
        except (httpx.HTTPError, ValueError, KeyError, AttributeError) as error:
            raise ModelError("the model server broke off") from error


async def _lines(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    """The lines of a body as they arrive: bytes, as httpx would replace what is not UTF-8."""
    buffer = b""
    async for piece in response.aiter_raw():
        *lines, buffer = (buffer + piece).split(b"\n")
        for line in lines:
            yield line
