"""What a user sees of an error: a sentence and an exit code, never a traceback."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from xnai_validate.cli.console import complain, silence_stdout
from xnai_validate.cli.messages import tell
from xnai_validate.errors import ConfigError, NotUndone, XnaiError

USAGE, UNDECIDED, NOT_UNDONE, INTERRUPTED = 2, 3, 4, 130
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
        if isinstance(error, NotUndone):
            return NOT_UNDONE
        return USAGE if isinstance(error, ConfigError) else UNDECIDED
    if isinstance(error, KeyboardInterrupt):
        complain("interrupted")
        return INTERRUPTED
    if isinstance(error, BrokenPipeError):
        silence_stdout()
        return 0
    # What Typer raises is a mistake in the arguments, or an exit.
    if not isinstance(error, Exception) or _of_typer(type(error).__module__):
        return None
    if isinstance(error, OSError) and _of_typer(_raised_in(error)):
        return unwritten(error)  # all that Typer itself writes is help
    if isinstance(error, FileNotFoundError) and _nowhere():
        tell(ConfigError("the current directory is gone", hint="change to one that exists"))
        return USAGE
    _broke(error)
    return UNDECIDED


def _nowhere() -> bool:
    """Whether the current directory was removed."""
    try:
        os.getcwd()
    except FileNotFoundError:
        return True
    return False


def _of_typer(module: str) -> bool:
    return module.partition(".")[0] in ("typer", "click")


def _raised_in(error: BaseException) -> str:
    """The name of the module that raised it."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return str(trace.tb_frame.f_globals.get("__name__", "")) if trace is not None else ""


def unwritten(error: OSError) -> int:
    """The exit code where stdout cannot be written, which the user is told; a reader that has gone is no error."""
    silence_stdout()
    if isinstance(error, BrokenPipeError):
        return 0
    complain(f"stdout cannot be written: {error.strerror or error}")
    return UNDECIDED


def _broke(error: Exception) -> None:
    """Say that the tool is at fault, and where the traceback lies."""
    import traceback

    from xnai_validate.model.text import printable

    text = printable(f"{type(error).__name__}: {error}"[:500])
    where = _keep("".join(traceback.format_exception(error)))
    kept = f"; the traceback is in {where}" if where else ""
    complain(f"xnai-validate itself broke: {text}{kept}")


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
