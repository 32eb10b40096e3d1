"""Having an OpenAPI document examined by a process of its own, which can be ended whatever the document does."""

from __future__ import annotations

import asyncio
import hashlib
import json
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import IO

from xnai_validate.checkers.http._openapi_child import OUT_OF_MEMORY
from xnai_validate.kit import Context, Field, FrozenModel, JsonObject, Unmeasurable, cut

EXAMINE_S = 15.0
"""How long one step of the examination may take; half a second is usual, most of it imports."""
IDLE_S = 3.0
"""How long the process stays for the next check; it takes as much memory as the libraries, 60 MiB."""
LINE_CAP = 4 * 1024 * 1024
MESSAGE_CAP = 300
GONE_S = 2.0
"""How long a process that has closed its output may take to end."""
PROGRAM = "xnai_validate.checkers.http._openapi_child"
LIMITED = frozenset({OUT_OF_MEMORY, -signal.SIGXCPU, -signal.SIGSEGV, -signal.SIGABRT})
"""How the process ends where a document takes it beyond its limits; C code that gets no memory aborts or crashes."""


class About(FrozenModel, extra="ignore"):
    """The errors and operations of a document."""

    unreadable: str | None = None
    """Why the text is not a document; then the rest is empty."""
    problems: list[str] = Field(default_factory=list)
    can_be_followed: bool = True
    """Whether answers can be compared with it in spite of the errors: these are patterns that cannot be read."""
    version: str | None = None
    operations: list[str] = Field(default_factory=list)
    operation_count: int = 0
    missing: list[str] = Field(default_factory=list)


class Deviations(FrozenModel):
    """How an answer differs from what is declared."""

    found: list[str]


class Examiner:
    """A document and the process that examines it, which is started at a question and answers one at a time."""

    def __init__(self, text: str, prefixes: Sequence[str]) -> None:
        """`text` is JSON or YAML; `prefixes` are paths that may stand before those of the document."""
        self._document: JsonObject = {"document": text, "prefixes": list(prefixes)}
        self._process: asyncio.subprocess.Process | None = None
        self._stderr: IO[bytes] | None = None
        """What the process writes before it breaks: a file, so that it never waits for a reader."""
        self._lock = asyncio.Lock()
        self._users = 0
        self._idle: asyncio.TimerHandle | None = None
        self._endless = False
        """Whether the document was not validated to its end when that was last tried."""
        self._ending: set[asyncio.Task[int]] = set()
        """Processes that were killed, until they are gone."""

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep the process during the block; it ends some time after the last one."""
        self._users += 1
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        try:
            yield
        finally:
            self._users -= 1
            if not self._users:
                self._idle = asyncio.get_running_loop().call_later(IDLE_S, self._end)

    async def about(self, operations: Sequence[str]) -> About:
        """Return the errors of the document, its operations, and which of `operations` it does not describe.

        Raises Unmeasurable where validating it takes too long or too much memory, and where the process broke: then
        nothing is known of the document.
        """
        async with self._lock:
            reply = None if self._endless else await self._ask({**self._document, "operations": list(operations)})
            self._endless = reply is None
        if reply is None:
            raise Unmeasurable(
                f"the document was not validated to its end: it takes more than {EXAMINE_S:g} s, or too much memory",
                hint="name a smaller document, or run the check while the machine is less busy",
            )
        return About.model_validate_json(reply)

    async def document(self) -> JsonObject:
        """Return the document as JSON, without patterns that cannot be read.

        Raises Unmeasurable where that takes too long or too much memory.
        """
        async with self._lock:
            reply = await self._ask({"as_json": True})
        if reply is None:
            raise Unmeasurable("the document was not read to its end: it takes too long or too much memory")
        answer: JsonObject = json.loads(reply)
        return answer

    async def deviations(self, method: str, path: str, status: int, content_type: str | None, body: bytes) -> list[str]:
        """How an answer differs from what the document declares. Raises Unmeasurable where the process itself broke."""
        message: JsonObject = {"method": method, "path": path, "status": status, "content_type": content_type}
        async with self._lock:
            reply = await self._ask({**message, "body": body.decode("latin-1")})
        if reply is None:
            return ["cannot be compared with its schema: that takes too long or too much memory"]
        return Deviations.model_validate({"found": json.loads(reply)}).found

    async def _ask(self, question: JsonObject) -> bytes | None:
        """The line that answers; None where none comes in time, or the document took the process beyond its limits.

        Raises Unmeasurable where the process ended for another reason.
        """
        answer = b""
        try:
            async with asyncio.timeout(EXAMINE_S):
                known = self._process is not None or "document" in question
                for line in (question,) if known else ({**self._document, "operations": []}, question):
                    answer = b""
                    answer = await self._answer(line)
        except (TimeoutError, ValueError):  # ValueError: a line above the cap
            return None
        except OSError as error:
            if self._process is None:
                raise Unmeasurable(f"no process can be started to examine the OpenAPI document: {error}") from error
            await self._verify_end()
            return None
        else:
            if not answer.endswith(b"\n"):
                await self._verify_end()
        finally:
            if not answer.endswith(b"\n"):
                self._end()  # also where the check was cancelled: the answer to come is not that of the next question
        return answer if answer.endswith(b"\n") else None

    async def _verify_end(self) -> None:
        """Raise Unmeasurable unless the process, which is ending, was ended by its limits."""
        assert self._process is not None
        try:
            async with asyncio.timeout(GONE_S):
                code = await self._process.wait()
        except TimeoutError:
            return
        if code in LIMITED:
            return
        lines: list[bytes] = []
        if self._stderr is not None:
            self._stderr.seek(0)
            lines = self._stderr.read(LINE_CAP).strip().splitlines()
        why = f": {cut(lines[-1].decode('utf-8', 'replace'), MESSAGE_CAP)}" if lines else ""
        raise Unmeasurable(f"the process that examines the OpenAPI document ended with code {code}{why}")

    async def _answer(self, question: JsonObject) -> bytes:
        """Send a question to the process, which is started first if need be; return the line that it answers."""
        if self._process is None:
            stderr = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the process ends
            try:
                self._process = await _start_process(stderr)
            except BaseException:
                stderr.close()
                raise
            self._stderr = stderr
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps(question).encode() + b"\n")
        await stdin.drain()
        return await stdout.readline()

    def _end(self) -> None:
        """Kill the process and close its pipes, without waiting for its end."""
        process, self._process = self._process, None
        if process is None:
            return
        if self._stderr is not None:
            self._stderr.close()
            self._stderr = None
        with suppress(ProcessLookupError):
            process.kill()
        assert process.stdin is not None
        process.stdin.close()
        ending = asyncio.get_running_loop().create_task(process.wait())
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)

    async def aclose(self) -> None:
        """End the process and wait until it is gone."""
        if self._idle is not None:
            self._idle.cancel()
        self._end()
        await asyncio.gather(*self._ending)


@asynccontextmanager
async def examiner(ctx: Context, text: str, prefix: str) -> AsyncIterator[Examiner]:
    """The examiner of a document, one for all checks of the run that examine it, for the block.

    `text` is JSON or YAML. `prefix` is a path that may stand before those of the document.
    """
    digest = hashlib.sha256(text.encode()).hexdigest()
    shared = await ctx.shared(("http", "openapi", "examiner", digest, prefix), lambda: _open_examiner(text, prefix))
    with shared.in_use():
        yield shared


@asynccontextmanager
async def _open_examiner(text: str, prefix: str) -> AsyncIterator[Examiner]:
    """Yield an examiner and end its process afterwards."""
    made = Examiner(text, (prefix,))
    try:
        yield made
    finally:
        await made.aclose()


async def _start_process(stderr: IO[bytes]) -> asyncio.subprocess.Process:
    """Start the process that examines the document."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",  # nothing is imported from the folder that we happen to be in
        "-m",
        PROGRAM,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=stderr,
        limit=LINE_CAP,
        start_new_session=True,  # Ctrl-C is for us to act on
    )
