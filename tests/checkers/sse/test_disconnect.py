"""Whether generation stops when the reader leaves: the verdict on a server that stops and on one that goes on."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.context import observe
from tests.scripted import Line, ReceivedRequest, scripted
from xnai_validate.kit import Observed, Target

TOKENS = 2_000
EACH_S = 0.002
SETTLE_S = 1.2
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
MOST = 500
"""Tokens that may be made; the server needs a second for them, so that a busy machine may delay the news that long.

One that goes on makes 600 while the check settles.
"""


class Generator:
    """Makes tokens at a steady rate and counts them; stops when its reader leaves, or does not notice."""

    def __init__(self, heedless: bool) -> None:
        self._heedless = heedless
        self._made = 0

    async def script(self, request: ReceivedRequest, line: Line) -> bool:
        if request.path == "/stats":
            body = json.dumps({"tokens_generated": self._made}).encode()
            await line.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            return True
        await line.send(HEAD)
        if self._heedless:
            await self._generate(line)
            return False
        async with asyncio.TaskGroup() as tasks:
            making = tasks.create_task(self._generate(line))
            watching = tasks.create_task(line.reader.read(1))
            await asyncio.wait({making, watching}, return_when=asyncio.FIRST_COMPLETED)
            making.cancel()
            watching.cancel()
        return False

    async def _generate(self, line: Line) -> None:
        """One token after another; the heedless one by the time that has gone, so that a busy machine hides nothing.

        The other one never makes up for lost time: it would make many tokens before it looks for its reader.
        """
        begun, before = time.monotonic(), self._made
        for number in range(1, TOKENS + 1):
            await asyncio.sleep(EACH_S)
            due_by_now = min(TOKENS, int((time.monotonic() - begun) / EACH_S))
            self._made = before + (max(number, due_by_now) if self._heedless else number)
            frame = b'data: {"type": "token", "content": "x"}\n\n'
            if not line.writer.is_closing():
                line.writer.write(b"%x\r\n%s\r\n" % (len(frame), frame))


@contextmanager
def serving(*, heedless: bool) -> Iterator[Target]:
    with scripted(Generator(heedless).script) as server:
        yield Target("api", server.url())


def verdict(target: Target) -> Observed:
    """As `streaming/cleanup:generation-stops` measures and judges it."""
    tokens = {"kind": "http.request", "fact": "json", "path": "$.tokens_generated", "with": {"path": "/stats"}}
    return observe(
        "flow.delta",
        target,
        watch={"tokens": tokens},
        during=[{"kind": "sse.stream", "with": {"path": "/stream", "leave_after": 2}}],
        settle=f"{SETTLE_S}s",
        expect={"moved": {"tokens": {"max": MOST}}},
    )


def wrong(heedless: bool, times: int) -> list[str]:
    """The wrong verdicts of some runs, each on a server of its own."""
    found = []
    for number in range(times):
        with serving(heedless=heedless) as target:
            seen = verdict(target)
        broken = [finding.fact for finding in seen.findings if not finding.held]
        if broken != (["moved.tokens"] if heedless else []):
            found.append(f"{number}: {seen.facts['moved']} {seen.facts['failed_steps']}")
    return found


@pytest.mark.parametrize("heedless", [False, True], ids=["cancels", "goes on"])
def test_the_verdict_is_right(heedless: bool) -> None:
    """A server that cancels passes, one that goes on fails, and for that reason alone."""
    assert wrong(heedless, 1) == []


@pytest.mark.prove
@pytest.mark.parametrize("heedless", [False, True], ids=["cancels", "goes on"])
def test_the_verdict_is_right_a_hundred_times(heedless: bool) -> None:
    """A hundred of a hundred, each."""
    assert wrong(heedless, 100) == []
