"""Starts the embedded stack for a program that uses it, and ends it with that program."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Self, cast

from xnai_validate.demo.processes.stack_file import StackFile
from xnai_validate.demo.processes.supervision.launch import Launch, Launched, LaunchFailed, launch_program
from xnai_validate.demo.settings import Layout

START_S = 40.0
"""Seconds to wait for the stack file; the supervisor itself gives up earlier, with the reason."""
STOP_S = 8.0
"""Seconds for the supervisor to end before it is killed."""
_LINE_BYTES = 1 << 20


class StackFailed(RuntimeError):
    """The stack did not become ready; the message names the part and ends with the last lines of its log."""


class EmbeddedStack:
    """A running embedded stack, as a context manager. It ends when `stop` is called or when this process dies."""

    def __init__(self, process: Launched, run_dir: Path, messages: IO[bytes]) -> None:
        self._process = process
        self._messages = messages
        self.run_dir = run_dir
        """Logs (`<part>.log`), certificates and the state file; gone when the stack has stopped."""
        self._first: StackFile | None = None

    @classmethod
    def start(
        cls,
        layout: Layout = "A",
        defects: tuple[str, ...] = (),
        state_file: Path | None = None,
        meanwhile: Callable[[], None] = lambda: None,
        scale: float | None = None,
        launch: Launch = launch_program,
    ) -> Self:
        """Start a stack in a process of its own and wait until all of it is ready.

        `state_file` is a copy of the stack file that is kept up to date while the stack runs. `meanwhile` is called
        while the stack starts. With `scale` its times are those of a real stack, divided by that. `launch` starts
        the supervisor. Raises StackFailed.
        """
        run_dir = Path(tempfile.mkdtemp(prefix="xnai-stack-"))
        arguments = ["--layout", layout, "--until-eof", "--run-dir", str(run_dir)]
        arguments += [word for name in defects for word in ("--defect", name)]
        arguments += ["--state", str(state_file.resolve())] if state_file else []
        arguments += ["--scale", str(scale)] if scale else []
        messages = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as the stack
        try:
            process = launch(arguments, messages)
        except LaunchFailed as error:
            messages.close()
            run_dir.rmdir()
            raise StackFailed(str(error)) from None
        stack = cls(process, run_dir, messages)
        try:
            meanwhile()
            stack._first = stack._read_first()
        except BaseException:
            stack.stop()
            raise
        return stack

    @property
    def description(self) -> StackFile:
        """The stack's targets and vars as they are now: a part that was restarted has its new process id."""
        with contextlib.suppress(OSError, ValueError):
            return cast(StackFile, json.loads(self.state_file.read_bytes()))
        if self._first is None:
            raise StackFailed("the stack never became ready")
        return self._first

    @property
    def state_file(self) -> Path:
        """Path of the stack file, which is kept up to date while the stack runs."""
        return self.run_dir / "state.json"

    @property
    def pid(self) -> int:
        """The process id of the supervisor."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the supervisor runs."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End the stack and wait for it; a second call does nothing."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        if self.running:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.run_dir, ignore_errors=True)
        self._messages.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _read_first(self) -> StackFile:
        """Wait for the one line that the supervisor writes when the stack is ready."""
        assert self._process.stdout is not None
        source = self._process.stdout.fileno()
        deadline = time.monotonic() + START_S
        line = b""
        while not line.endswith(b"\n") and len(line) < _LINE_BYTES:
            readable, _, _ = select.select([source], [], [], max(0.0, deadline - time.monotonic()))
            chunk = os.read(source, 65536) if readable else b""
            if not chunk:
                late = "" if readable else f"not ready within {START_S:.0f} s\n"
                if readable:
                    self._process.wait(STOP_S)
                raise StackFailed(late + self._messages_text())
            line += chunk
        return cast(StackFile, json.loads(line))

    def _messages_text(self) -> str:
        """Return what the supervisor wrote to stderr, or its exit code if it wrote no message."""
        self._messages.seek(0)
        text = self._messages.read(65536).decode("utf-8", "replace").strip()
        return text or f"the embedded stack ended with {self._process.poll()} and no message"
