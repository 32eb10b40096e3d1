"""Generate requests in a process of its own, which can be stopped whatever the document does."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from xnai_validate.checkers.http._contract_child import EXHAUSTED
from xnai_validate.kit import FrozenModel, JsonObject, Unmeasurable

MAKE_UP_S = 20.0
"""How long generating all requests may take; a second is usual, most of it imports."""
MEMORY_CAP = 128 * 1024 * 1024
"""Bytes that the process may have for its data; 50 MiB are usual, most of it the libraries."""
CHILD = os.path.join(os.path.dirname(__file__), "_contract_child.py")
LINE_CAP = 4 * 1024 * 1024
REQUESTS_CAP = 32 * 1024 * 1024
"""Bytes of all requests together."""
_OUT_OF_MEMORY = {EXHAUSTED, -signal.SIGABRT, -signal.SIGSEGV, -signal.SIGBUS}
"""Exit codes of a process that ran out of memory: our own, and those of libraries that abort."""


class GeneratedRequest(FrozenModel):
    """A request that the document allows, or that it forbids."""

    operation: str
    """As the document names it: `POST /query`."""
    valid: bool
    """Whether the document allows it."""
    method: str
    path: str
    """Path and query, percent-encoded."""
    headers: dict[str, str]
    body: str
    """Each character is a byte (Latin-1)."""


class Untested(FrozenModel):
    """Operations for which no request could be generated, and why."""

    untested: list[str]
    """Operations, each with the reason."""
    peak_mib: float | None = None
    """The most memory that the process took; None where it was ended."""


@dataclass(slots=True)
class Output:
    """What the process wrote, and how it ended."""

    lines: list[bytes] = field(default_factory=list)
    code: int = 0
    """Its exit code, a signal as a negative number; 0 also if we have ended it."""
    ended: bool = False
    """Whether the process reported the exit code and can answer the next question."""

    @property
    def whole(self) -> bool:
        """Whether it came to its end."""
        return bool(self.lines) and b'"untested"' in self.lines[-1]


class RequestMaker:
    """The process that makes up requests: started at the first question, it answers one question at a time."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None
        self._lock = asyncio.Lock()

    async def output(self, question: bytes) -> Output:
        """What the process writes for a question; a process that does not come to its end is replaced."""
        async with self._lock:
            if self._process is None:
                self._process = await self._started()
            output = Output()
            try:
                await _read_output(self._process, question, output)
            finally:
                if not output.ended:
                    await self.stop()
            return output

    async def _started(self) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # nothing is imported from the folder that we happen to be in
            CHILD,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=LINE_CAP,
            cwd=self._folder,
            start_new_session=True,  # Ctrl-C is for us to act on
        )

    async def stop(self) -> None:
        """End the process and those that it forked, and wait until it is gone."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()


@asynccontextmanager
async def request_maker() -> AsyncIterator[RequestMaker]:
    """A maker of requests, in a folder of its own that is removed afterwards, as is its process."""
    with tempfile.TemporaryDirectory(prefix="xnai-contract-", ignore_cleanup_errors=True) as folder:
        maker = RequestMaker(folder)
        try:
            yield maker
        finally:
            await maker.stop()


async def made_up(
    maker: RequestMaker,
    document: JsonObject,
    operations: Sequence[str],
    examples: int,
    seed: int,
    fixed: JsonObject,
    memory_bytes: int = MEMORY_CAP,
) -> AsyncIterator[GeneratedRequest | Untested]:
    """The requests for `operations`, and at the end the operations without any.

    All are generated before the first is returned, so that the service's time does not count as the process's. Raises
    Unmeasurable where it gets no further with `memory_bytes` for its data, or ends otherwise than it should.
    """
    asked: JsonObject = {"document": document, "operations": list(operations), "examples": examples, "seed": seed}
    output = await maker.output(json.dumps({**asked, "fixed": fixed, "memory_bytes": memory_bytes}).encode() + b"\n")
    if output.code in _OUT_OF_MEMORY:
        raise Unmeasurable(
            f"generating requests takes more than the {memory_bytes >> 20} MiB that the process may have",
            hint="raise memory_cap (var contract.memory_cap) if the host has more to give, or name fewer operations",
        )
    if output.code == -signal.SIGKILL:
        raise Unmeasurable(
            "the process that generates requests was killed, as a system does that has no memory left; none was made"
        )
    if output.code:
        raise Unmeasurable(f"the process that generates requests broke: it ended with {output.code}; none was made")
    for line in output.lines:
        message = json.loads(line)
        yield (Untested if "untested" in message else GeneratedRequest).model_validate(message)
    if not output.whole:
        yield Untested(untested=["generating requests takes too long: some operations have none"])


async def _read_output(process: asyncio.subprocess.Process, question: bytes, output: Output) -> None:
    """Ask the process and read its whole lines; it is not ended here if it takes too long or writes too much."""
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(TimeoutError, ValueError):  # ValueError: a line above the cap
        async with asyncio.timeout(MAKE_UP_S):
            with suppress(OSError):  # it has ended before it has read everything; its exit code is the reason
                process.stdin.write(question)
                await process.stdin.drain()
            size = 0
            while size < REQUESTS_CAP and (line := await process.stdout.readline()):
                if line.startswith(b'{"ended"'):
                    output.code, output.ended = json.loads(line)["ended"], True
                    return
                if line.endswith(b"\n"):
                    output.lines.append(line)
                size += len(line)
            if size < REQUESTS_CAP:
                output.code = await process.wait()
