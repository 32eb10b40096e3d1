"""The third ring: a process that takes back what a run has left in force when it disappeared.

It is a shell of 2 MB, asleep on a pipe from the run, in a session of its own and deaf to the signals of terminals and
service managers. When the pipe closes without a good-bye it becomes the command that takes faults back. While a fault
is in force it counts seconds, for a run may also stand still: stopped, or blocked by a terminal that takes no output.
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
"""Orders, a line each: `within SECONDS` something must have been taken back, `calm` nothing is in force, `bye`."""
START_S = 10.0
"""How long it may take until it says that it is there."""


def undo_command(run_id: str) -> tuple[str, ...]:
    """The command that takes back what a run has left: `xnai-validate undo` for that run."""
    return (sys.executable, "-P", "-m", "xnai_validate", "undo", "--run", run_id)


class Guardian:
    """The guardian of one run, started when it is first needed."""

    def __init__(self, state: Path, command: Sequence[str]) -> None:
        """`command` is what it becomes when the run has disappeared, with `state` as its state directory."""
        self._state = state
        self._command = tuple(command)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process, where there is one."""
        return self._process.pid if self._process else None

    async def watch(self) -> None:
        """Return when it is watching; one that was killed is replaced. Raises Unmeasurable where it does not start."""
        if self._process is None or self._process.poll() is not None:
            self._let_go()
            try:
                self._process = self._start()
            except OSError as error:
                raise Unmeasurable(f"the guardian of undo does not start: {error}; nothing was injected") from None
        told = self._process.stdout
        if told is None or told.closed:
            return
        # In a thread, for the loop may be one of tests, whose time is not that of processes.
        ready = await asyncio.to_thread(lambda: select.select([told], [], [], START_S)[0] and told.read(1))
        told.close()
        if not ready:
            self._process.kill()
            raise Unmeasurable("the guardian of undo does not start; nothing was injected")

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [SHELL, "-c", SCRIPT, "xnai-validate-guardian", *self._command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            cwd="/",
            env={**child_environment(), "XNAI_VALIDATE_STATE": str(self._state.absolute())},
            start_new_session=True,
        )

    def expect(self, seconds: float | None) -> None:
        """After so many seconds what is overdue is taken back, whatever the run does; None: nothing is in force."""
        self._order("calm" if seconds is None else f"within {max(1, math.ceil(seconds))}")

    def dismiss(self) -> None:
        """Let it go: the run ends in good order, and has taken back itself what it could."""
        self._order("bye")
        self._let_go()

    def _order(self, line: str) -> None:
        if self._process is not None and self._process.stdin is not None:
            with suppress(OSError):  # it was killed; before the next injection there is another
                self._process.stdin.write(f"{line}\n".encode())

    def _let_go(self) -> None:
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
