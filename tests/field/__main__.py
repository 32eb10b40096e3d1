"""Print the stack's description as one line of JSON, and serve until EOF or SIGTERM: `python -m tests.field`."""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import signal
import sys
import tempfile
from pathlib import Path

from tests.field.defects import DEFECTS, bring_in
from tests.field.description import description
from tests.field.settings import Settings
from tests.field.supervisor import Supervisor
from tests.ports import free_port

_PARTS = ("redis", "api", "metrics", "gateway", "ui", "docs", "vikunja")


async def _run(layout: str, file: Path | None, defect: str) -> None:
    bring_in(defect, "supervisor")
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    with tempfile.TemporaryDirectory(prefix="field-stack-") as folder:
        parts = (*_PARTS, "redis_inner") if layout == "B" else _PARTS
        settings = Settings(
            layout,
            {part: free_port() for part in parts},
            secrets.token_hex(12),
            f"tk_{secrets.token_hex(20)}",
            folder,
            defect,
        )

        def write() -> None:
            if file:
                fresh = file.with_suffix(".new")
                fresh.write_text(json.dumps(description(settings, supervisor.pids)))
                fresh.replace(file)

        supervisor = Supervisor(settings, write)
        try:
            starting = asyncio.create_task(supervisor.start())
            await asyncio.wait({starting, asyncio.create_task(stopped.wait())}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
                write()
                sys.stdout.write(json.dumps(description(settings, supervisor.pids)) + "\n")
                sys.stdout.flush()
                reader = asyncio.StreamReader()
                await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
                ends = {asyncio.create_task(reader.read()), asyncio.create_task(stopped.wait())}
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await supervisor.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="tests.field")
    parser.add_argument("--layout", choices=["A", "B"], default="A")
    parser.add_argument("--file", type=Path, help="a stack file to write, and to write again after each restart")
    parser.add_argument(
        "--defect",
        choices=["", *DEFECTS],
        default="",
        metavar="NAME",
        help="a change of behaviour, from tests/field/defects",
    )
    arguments = parser.parse_args()
    asyncio.run(_run(arguments.layout, arguments.file, arguments.defect))
