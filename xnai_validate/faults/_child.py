"""A child process that performs a fault, such as a proxy: it runs until it is ended, and no longer than its parent.

It runs in a session of its own, so that Ctrl-C does not reach it, and must end when its standard input closes. It is
found again by the name of its injection in its arguments: its pid is not known yet when the undo record is written.
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

import psutil

from xnai_validate.kit import Clock, ProcessId, Unmeasurable, child_environment, process_id

START_S = 10.0
"""How long a child may take to be ready."""
END_S = 2.0
"""How long a child may take to end by itself before it is killed."""
LINE_CAP = 65536
_MARK = "--injection="


@dataclass(frozen=True, slots=True)
class Child:
    """A child that is ready."""

    process: subprocess.Popen[bytes]
    ready_line: str
    """The line that it prints when it is ready: what only it knows, such as its port."""

    def close(self) -> None:
        """Close the pipes of the child and wait until it is gone; called after it was ended (`ActiveFault.close`)."""
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

    Raises Unmeasurable with its output if it ends before that, or takes longer than 10 s.
    """
    process = _spawn([sys.executable, "-P", "-m", module, _MARK + injection, *arguments])
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
        output = line.decode("utf-8", "replace").strip().splitlines()
        raise Unmeasurable(f"{module.rpartition('.')[2]} did not start: {output[-1] if output else 'no output'}")
    return Child(process, line.decode("utf-8", "replace").strip())


def _spawn(command: list[str]) -> subprocess.Popen[bytes]:
    """Start the child in a session of its own, its output in a pipe."""
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
    """The first line with its line feed; without it if the child ends or does not finish the line in time."""
    assert process.stdout is not None
    source, line, deadline = process.stdout.fileno(), b"", time.monotonic() + START_S
    while b"\n" not in line and len(line) < LINE_CAP:
        if not select.select([source], [], [], max(0.0, deadline - time.monotonic()))[0]:
            return line.rstrip(b"\n")
        chunk = os.read(source, 4096)
        if not chunk:
            return line.rstrip(b"\n")
        line += chunk
    return line.partition(b"\n")[0] + b"\n"


async def end_children(injection: str, clock: Clock) -> None:
    """End every child of an injection, also those that another process started; none is left when this returns."""
    for number, patience_s in ((signal.SIGTERM, END_S), (signal.SIGKILL, END_S)):
        children = children_of(injection)
        for child in children:
            child.send(number)
        deadline = clock.monotonic() + patience_s
        while any(child.alive for child in children) and clock.monotonic() < deadline:
            await clock.sleep(0.01)


def children_of(injection: str) -> tuple[ProcessId, ...]:
    """Return the living children of an injection."""
    argument = _MARK + injection
    pids = [process.pid for process in psutil.process_iter(["cmdline"]) if argument in (process.info["cmdline"] or ())]
    return tuple(child for pid in pids if (child := process_id(pid)) is not None)
