"""What a user sees of an error: a sentence and an exit code, never a traceback."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from xnai_validate.cli.console import silence_stdout
from xnai_validate.cli.messages import tell
from xnai_validate.errors import ConfigError, XnaiError

USAGE, UNDECIDED, INTERRUPTED = 2, 3, 130
"""As in `model.verdict.Exit`, which is not imported for `--help`."""


def guarded(work: Callable[[], int]) -> int:
    """The exit code of some work; whatever it raises becomes a message and an exit code."""
    try:
        code = work()
        sys.stdout.flush()
        return code
    except BaseException as error:
        told = code_of(error)
        if told is None:
            raise
        return told


def code_of(error: BaseException) -> int | None:
    """Tell the user of an error; returns the exit code, or None for what is not ours to tell."""
    if isinstance(error, XnaiError):
        tell(error)
        return USAGE if isinstance(error, ConfigError) else UNDECIDED
    if isinstance(error, KeyboardInterrupt):
        sys.stderr.write("interrupted\n")
        return INTERRUPTED
    if isinstance(error, BrokenPipeError):
        silence_stdout()
        return 0
    # What Typer raises is a mistake in the arguments, or an exit.
    if not isinstance(error, Exception) or type(error).__module__.partition(".")[0] in ("typer", "click"):
        return None
    _broke(error)
    return UNDECIDED


def _broke(error: Exception) -> None:
    """Say that the tool is at fault, and where the traceback lies."""
    import traceback

    from xnai_validate.model.text import printable

    text = printable(f"{type(error).__name__}: {error}"[:500])
    where = _keep("".join(traceback.format_exception(error)))
    kept = f"; the traceback is in {where}" if where else ""
    sys.stderr.write(f"xnai-validate itself broke: {text}{kept}\n")


def _keep(text: str) -> Path | None:
    """Write a traceback where the runs are kept, else where the machine keeps passing files."""
    import tempfile

    name = f"traceback-{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}.txt"
    for folder in (_state_dir, lambda: Path(tempfile.gettempdir())):
        try:
            path = folder() / name
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
                file.write(text)
        except (OSError, ImportError, RuntimeError):
            continue
        return path
    return None


def _state_dir() -> Path:
    from xnai_validate.engine.journal import state_dir

    return state_dir()
