"""A child process that is the fault, such as a proxy: it lives until it is ended, and no longer than its parent.

It is started in a session of its own, so that Ctrl-C does not reach it, and must end when its standard input closes. It
is found again by the name of its injection, which stands in its arguments: no record of a pid could be on disk before
the child is there.
"""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from xnai_validate.kit import Clock, ProcessId, Unmeasurable, child_environment, process_id

START_S = 10.0
"""How long a child may take until it says that it is ready."""
END_S = 2.0
"""How long a child may take to end by itself before it is killed."""
LINE_CAP = 65536
_MARK = "--injection="


@dataclass(frozen=True, slots=True)
class Child:
    """A child that is ready."""

    process: subprocess.Popen[bytes]
    said: str
    """The line by which it said so: what only it knows, such as its port."""

    def close(self) -> None:
        """Let go of it, when it was ended; `ActiveFault.close`."""
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        try:
            self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


async def start_child(module: str, injection: str, *arguments: str) -> Child:
    """Run `python -m module --injection=ID ARGUMENTS` and wait for its first line.

    Raises Unmeasurable with what it said where it ends before, or takes longer than 10 s.
    """
    process = _spawned([sys.executable, "-P", "-m", module, _MARK + injection, *arguments])
    child = Child(process, "")
    try:
        line = await asyncio.to_thread(_first_line, process)
    except BaseException:
        process.kill()
        child.close()
        raise
    if not line.endswith(b"\n"):
        process.kill()
        child.close()
        said = line.decode("utf-8", "replace").strip().splitlines()
        raise Unmeasurable(f"{module.rpartition('.')[2]} did not start: {said[-1] if said else 'it said nothing'}")
    return Child(process, line.decode("utf-8", "replace").strip())


def _spawned(command: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        bufsize=0,
        env=child_environment(),
        start_new_session=True,
    )


def _first_line(process: subprocess.Popen[bytes]) -> bytes:
    """The first line, with its end; without it where the child ended or said nothing more in time."""
    assert process.stdout is not None
    source, line, end = process.stdout.fileno(), b"", time.monotonic() + START_S
    while b"\n" not in line and len(line) < LINE_CAP:
        if not select.select([source], [], [], max(0.0, end - time.monotonic()))[0]:
            return line.rstrip(b"\n")
        chunk = os.read(source, 4096)
        if not chunk:
            return line.rstrip(b"\n")
        line += chunk
    return line.partition(b"\n")[0] + b"\n"


async def end_children(injection: str, clock: Clock) -> None:
    """End every child of an injection, whoever started it; returns when none is left."""
    for number, patience_s in ((signal.SIGTERM, END_S), (signal.SIGKILL, END_S)):
        left = children_of(injection)
        for one in left:
            one.send(number)
        end = clock.monotonic() + patience_s
        while any(one.alive for one in left) and clock.monotonic() < end:
            await clock.sleep(0.01)


def children_of(injection: str) -> tuple[ProcessId, ...]:
    """The living children of an injection."""
    wanted = os.fsencode(_MARK + injection)
    found: list[ProcessId] = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with suppress(OSError):
            if wanted in (entry / "cmdline").read_bytes().split(b"\0"):
                one = process_id(int(entry.name))
                found += [one] if one is not None else []
    return tuple(found)
