"""The last of three layers of undo: a process that reverts the faults of a run that has disappeared.

It is a shell of 2 MB that sleeps on a pipe from the run, in a session of its own, and ignores the signals of terminals
and service managers. If the pipe closes without `bye`, it becomes the command that reverts faults. While a fault is in
force it counts seconds, since a run may also hang: stopped, or blocked by a terminal that takes no output.
"""

from __future__ import annotations

import asyncio
import math
import select
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from xnai_validate.errors import Unmeasurable
from xnai_validate.kit import child_environment

SHELL = "/bin/sh"
SCRIPT = """
trap '' INT TERM HUP QUIT TSTP
printf r
exec >/dev/null
counting=
while read -r word seconds; do
  [ -z "$counting" ] || kill -9 "$counting" 2>/dev/null
  counting=
  case $word in
    bye) exit 0 ;;
    within)
      {
        while [ "$seconds" -gt 0 ]; do sleep 1; seconds=$((seconds - 1)); done
        "$@" --overdue
      } </dev/null &
      counting=$! ;;
  esac
done
[ -z "$counting" ] || kill -9 "$counting" 2>/dev/null
exec "$@" </dev/null
"""
"""Its orders, one a line: `within SECONDS` a fault must be reverted, `calm`: no fault is in force, `bye`: end."""
START_S = 10.0
"""Seconds until it must be ready."""


def undo_command(run_id: str) -> tuple[str, ...]:
    """The command that reverts the faults of a run: `xnai-validate undo` for that run."""
    return (sys.executable, "-P", "-m", "xnai_validate", "undo", "--run", run_id)


class Guardian:
    """The guardian of one run, started at its first use."""

    def __init__(self, state: Path, command: Sequence[str]) -> None:
        """`command` is what it becomes if the run disappears, with `state` as the state directory."""
        self._state = state
        self._command = tuple(command)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The pid of the process, if it was started."""
        return self._process.pid if self._process else None

    async def watch(self) -> None:
        """Return once it is watching; a killed one is replaced. Raises Unmeasurable if it does not start."""
        if self._process is None or self._process.poll() is not None:
            self._end_process()
            try:
                self._process = self._start_process()
            except OSError as error:
                raise Unmeasurable(f"the guardian of undo does not start: {error}; nothing was injected") from None
        ready_pipe = self._process.stdout
        if ready_pipe is None or ready_pipe.closed:
            return
        # In a thread, since the loop of a test may run on virtual time.
        ready = await asyncio.to_thread(lambda: select.select([ready_pipe], [], [], START_S)[0] and ready_pipe.read(1))
        ready_pipe.close()
        if not ready:
            self._process.kill()
            raise Unmeasurable("the guardian of undo does not start; nothing was injected")

    def _start_process(self) -> subprocess.Popen[bytes]:
        """Start the guardian in a session of its own, so that Ctrl-C does not reach it."""
        return subprocess.Popen(
            [SHELL, "-c", SCRIPT, "xnai-validate-guardian", *self._command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            # It stays in the folder of the run, in and below which a state folder is accepted (`refuse_shared`).
            env={**child_environment(), "XNAI_VALIDATE_STATE": str(self._state.absolute())},
            start_new_session=True,
        )

    def expect(self, seconds: float | None) -> None:
        """Make it revert overdue faults after this many seconds, whatever the run does; None: no fault is in force."""
        self._send_line("calm" if seconds is None else f"within {max(1, math.ceil(seconds))}")

    def dismiss(self) -> None:
        """End the guardian: the run ends as it should and has reverted its faults itself."""
        self._send_line("bye")
        self._end_process()

    def _send_line(self, line: str) -> None:
        """Send the guardian a line, if it runs."""
        if self._process is not None and self._process.stdin is not None:
            with suppress(OSError):  # it was killed; the next injection starts another
                self._process.stdin.write(f"{line}\n".encode())

    def _end_process(self) -> None:
        """Close the guardian's input, which ends it, and wait; kill it if it does not end."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            with suppress(OSError):
                process.stdin.close()
        try:
            process.wait(START_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
