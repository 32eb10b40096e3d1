"""Having requests made up by a process of its own, which can be ended whatever the document does."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress

from xnai_validate.kit import JsonObject
from xnai_validate.model.record import Record

MAKE_UP_S = 20.0
"""How long all requests may take to be made up; a second is usual, most of it imports."""
CHILD = os.path.join(os.path.dirname(__file__), "contract_child.py")
LINE_CAP = 4 * 1024 * 1024
REQUESTS_CAP = 32 * 1024 * 1024
"""Bytes of all requests together."""


class MadeUp(Record):
    """One request."""

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


async def made_up(
    document: JsonObject, operations: Sequence[str], examples: int, seed: int, fixed: JsonObject
) -> AsyncIterator[MadeUp | list[str]]:
    """The requests for `operations`, and at the end a list of those for which there are none, each with the reason.

    All are made up before the first is given: so the time that the service takes is none of the process.
    """
    asked: JsonObject = {"document": document, "operations": list(operations), "examples": examples, "seed": seed}
    lines, whole = await _said(json.dumps({**asked, "fixed": fixed}).encode() + b"\n")
    for line in lines:
        said = json.loads(line)
        yield said["untested"] if "untested" in said else MadeUp.model_validate(said)
    if not whole:
        yield ["making up requests takes too long or too much memory; of some operations none were made"]


async def _said(question: bytes) -> tuple[list[bytes], bool]:
    """The whole lines that the process writes, and whether it came to its end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",  # nothing is imported from the folder that we happen to be in
        CHILD,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=LINE_CAP,
        start_new_session=True,  # Ctrl-C is for us to act on
    )
    assert process.stdin is not None
    assert process.stdout is not None
    lines: list[bytes] = []
    try:
        with suppress(OSError, TimeoutError, ValueError):  # ValueError: a line above the cap
            async with asyncio.timeout(MAKE_UP_S):
                process.stdin.write(question)
                await process.stdin.drain()
                size = 0
                while size < REQUESTS_CAP and (line := await process.stdout.readline()):
                    lines.append(line)
                    size += len(line)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        process.stdin.close()
        await process.wait()
    return [line for line in lines if line.endswith(b"\n")], bool(lines) and b'"untested"' in lines[-1]
