"""Having an OpenAPI document examined by a process of its own, which can be ended whatever the document does."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from xnai_validate.kit import Field, FrozenModel, JsonObject, JsonValue

EXAMINE_S = 15.0
"""How long one step of the examination may take; half a second is usual, most of it imports."""
LINE_CAP = 4 * 1024 * 1024


class About(FrozenModel, extra="ignore"):
    """The errors and operations of a document."""

    problems: list[str] = Field(default_factory=list)
    version: str | None = None
    operations: list[str] = Field(default_factory=list)
    operation_count: int = 0
    missing: list[str] = Field(default_factory=list)


class Deviations(FrozenModel):
    """How an answer differs from what is declared."""

    found: list[str]


class Examiner:
    """The process, and the questions to it; one at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def about(self, document: JsonValue, prefixes: Sequence[str], operations: Sequence[str]) -> About:
        """Return the errors and operations of a document; the first question to the process, asked once."""
        message: JsonObject = {"document": document, "prefixes": list(prefixes), "operations": list(operations)}
        reply = await self._ask(message)
        if reply is None:
            return About(problems=["cannot be validated to its end: it takes too long or too much memory"])
        return About.model_validate_json(reply)

    async def deviations(self, method: str, path: str, status: int, content_type: str | None, body: bytes) -> list[str]:
        """How an answer differs from what the document declares."""
        message: JsonObject = {"method": method, "path": path, "status": status, "content_type": content_type}
        reply = await self._ask({**message, "body": body.decode("latin-1")})
        if reply is None:
            return ["cannot be compared with its schema: that takes too long or too much memory"]
        return Deviations.model_validate({"found": json.loads(reply)}).found

    async def _ask(self, question: JsonObject) -> bytes | None:
        """The line that answers; None where none comes in time or the process has ended."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        with suppress(OSError, TimeoutError, ValueError):  # ValueError: a line above the cap
            async with asyncio.timeout(EXAMINE_S):
                stdin.write(json.dumps(question).encode() + b"\n")
                await stdin.drain()
                line = await stdout.readline()
                if line.endswith(b"\n"):
                    return line
        self._end()
        return None

    def _end(self) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()

    async def aclose(self) -> None:
        """End the process and wait until it is gone."""
        self._end()
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()


@asynccontextmanager
async def examiner() -> AsyncIterator[Examiner]:
    """A process that examines one document; it is gone afterwards."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",  # nothing is imported from the folder that we happen to be in
        "-m",
        "xnai_validate.checkers.http._openapi_child",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=LINE_CAP,
        start_new_session=True,  # Ctrl-C is for us to act on
    )
    found = Examiner(process)
    try:
        yield found
    finally:
        await found.aclose()
