"""Run a command on this host: bounded output, and no process left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from time import perf_counter
from typing import IO, Any

from xnai_validate.checkers.command._ended import Ended, RunError

POLITE_S = 1.0
"""Seconds between SIGTERM and SIGKILL when the time of a command is over."""
LEFTOVER_S = 0.5
"""Seconds that the output may stay open after the command has ended: a process that it left running has it open."""
KILLED_S = 2.0
"""Seconds that a killed process may take to disappear; one that waits for a broken disk takes longer."""


class _Output(asyncio.Protocol):
    """The beginning of what a process writes into a pipe; the rest is counted and dropped."""

    def __init__(self, cap: int) -> None:
        self._cap = cap
        self.kept = bytearray()
        self.written_bytes = 0
        self.closed = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        """Keep the output up to its cap, and count all of it."""
        self.kept += data[: self._cap - len(self.kept)]
        self.written_bytes += len(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end of the output."""
        self.closed.set()

    @property
    def truncated(self) -> bool:
        """Whether something was dropped."""
        return self.written_bytes > len(self.kept)


async def run_here(
    argv: Sequence[str],
    timeout_s: float,
    output_cap: int,
    *,
    cwd: str | None,
    env: Mapping[str, str],
    stdin: str | None,
) -> Ended:
    """Run a command in a process group of its own; that group is killed at the end, whatever the end was."""
    started = perf_counter()
    process = _start_command(argv, cwd, env, with_stdin=stdin is not None)
    if isinstance(process, Ended):
        return process
    with _exit_of(process) as exited:
        return await _communicate(process, exited, started, timeout_s, output_cap, stdin)


def _start_command(
    argv: Sequence[str], cwd: str | None, env: Mapping[str, str], *, with_stdin: bool
) -> subprocess.Popen[bytes] | Ended:
    """Start the command, or return why it did not start."""
    if cwd is not None and not os.path.isdir(cwd):
        return Ended(RunError.NOT_EXECUTABLE, f"there is no directory {cwd}")
    try:
        return subprocess.Popen(
            argv,
            bufsize=0,
            stdin=subprocess.PIPE if with_stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env={**os.environ, **env},
            start_new_session=True,
        )
    except FileNotFoundError:
        return Ended(RunError.NOT_FOUND, f"{argv[0]}: no such program")
    except (OSError, ValueError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        return Ended(RunError.NOT_EXECUTABLE, f"{argv[0]}: {reason}")


async def _communicate(
    process: subprocess.Popen[bytes],
    exited: asyncio.Event,
    started: float,
    timeout_s: float,
    output_cap: int,
    stdin: str | None,
) -> Ended:
    """Feed and read a started command until it ends or its time is over; then kill its process group."""
    outputs = _Output(output_cap), _Output(output_cap)
    transports: list[asyncio.BaseTransport] = []
    late = False
    try:
        for pipe, output in zip((process.stdout, process.stderr), outputs, strict=True):
            transports.append(await _read_pipe(pipe, output))
        if process.stdin is not None:
            transports.append(await _write_all(process.stdin, (stdin or "").encode()))
        late = not await _within(timeout_s, exited)
        elapsed_ms = (perf_counter() - started) * 1000
        if late:
            _signal_group(process, signal.SIGTERM)
            await _within(POLITE_S, exited)
        else:
            await _within(LEFTOVER_S, *(output.closed for output in outputs))
        _signal_group(process, signal.SIGKILL)
        await _within(KILLED_S, exited, *(output.closed for output in outputs))
    finally:
        _signal_group(process, signal.SIGKILL)
        for transport in transports:
            transport.close()
    code = process.poll()
    stdout, stderr = outputs
    return Ended(
        error=RunError.TIMEOUT if late else None,
        error_detail=f"not at its end after {timeout_s:g} s; it was killed" if late else None,
        exit_code=code if code is not None and code >= 0 and not late else None,
        signal=_signal_name(-code) if code is not None and code < 0 else None,
        stdout=bytes(stdout.kept),
        stderr=bytes(stderr.kept),
        truncated=stdout.truncated or stderr.truncated,
        elapsed_ms=elapsed_ms,
    )


@contextmanager
def _exit_of(process: subprocess.Popen[bytes]) -> Iterator[asyncio.Event]:
    """An event that is set when the process ends.

    It stays a zombie until the end of the block: as long as it is not waited for, no other process gets its pid, so
    the signals to its group reach no other group.
    """
    loop = asyncio.get_running_loop()
    exited = asyncio.Event()
    handle = os.pidfd_open(process.pid)

    def note_exit() -> None:
        """Note the exit of the process."""
        loop.remove_reader(handle)
        exited.set()

    loop.add_reader(handle, note_exit)
    try:
        yield exited
    finally:
        loop.remove_reader(handle)
        os.close(handle)
        with suppress(subprocess.TimeoutExpired):
            process.wait(KILLED_S)


async def _read_pipe(pipe: IO[bytes] | None, output: _Output) -> asyncio.BaseTransport:
    """Read a pipe into the output."""
    assert pipe is not None
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: output, pipe)
    return transport


async def _write_all(pipe: IO[bytes], text: bytes) -> asyncio.BaseTransport:
    """Send all of a text; a process that does not read it is not an error."""
    made: tuple[Any, Any] = await asyncio.get_running_loop().connect_write_pipe(asyncio.BaseProtocol, pipe)
    transport: asyncio.WriteTransport = made[0]
    transport.write(text)
    transport.write_eof()
    return transport


async def _within(seconds: float, *events: asyncio.Event) -> bool:
    """Whether all events are set within a time."""
    try:
        async with asyncio.timeout(seconds):
            for event in events:
                await event.wait()
    except TimeoutError:
        return False
    return True


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send a signal to the process group, if the process has not been waited for."""
    if process.returncode is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)


def _signal_name(number: int) -> str:
    """Return the name of a signal."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
