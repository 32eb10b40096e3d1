"""Errors as the user gets them: a message on stderr and an exit code, never a traceback."""

from __future__ import annotations

import os
import tempfile
import time
import traceback
from pathlib import Path

from xnai_validate.cli.terminal.console import silence_stdout, write_error
from xnai_validate.cli.terminal.problem_messages import print_error
from xnai_validate.errors import ConfigError, NotUndone, XnaiError
from xnai_validate.model.text import printable

USAGE, UNDECIDED, NOT_UNDONE, INTERRUPTED = 2, 3, 4, 130
"""Members of `model.results.verdict.Exit`, which `--help` need not import."""


def report_error(error: BaseException) -> int | None:
    """Print an error; return its exit code, or None for a usage error or an exit, which Typer handles."""
    if isinstance(error, XnaiError):
        print_error(error)
        if isinstance(error, NotUndone):
            return NOT_UNDONE
        return USAGE if isinstance(error, ConfigError) else UNDECIDED
    if isinstance(error, KeyboardInterrupt) or _is_swallowed_interrupt(error):
        write_error("interrupted")
        return INTERRUPTED
    if isinstance(error, BrokenPipeError):
        silence_stdout()
        return 0
    if not isinstance(error, Exception) or _is_of_typer(type(error).__module__):
        return None
    if isinstance(error, OSError) and _is_of_typer(_raising_module(error)):
        return exit_for_unwritable_stdout(error)  # Typer itself writes nothing but help texts
    if isinstance(error, FileNotFoundError) and _current_directory_is_gone():
        print_error(ConfigError("the current directory no longer exists", hint="change to another directory"))
        return USAGE
    _print_internal_error(error)
    return UNDECIDED


def _is_swallowed_interrupt(error: BaseException) -> bool:
    """Whether an interrupt came while pydantic built a model: it makes an error of its own from it, of that text."""
    return type(error).__name__ == "SchemaError" and str(error).rstrip(": ").endswith("KeyboardInterrupt")


def exit_for_unwritable_stdout(error: OSError) -> int:
    """Print that stdout cannot be written and return the exit code; 0 if its reader has gone away."""
    silence_stdout()
    if isinstance(error, BrokenPipeError):
        return 0
    write_error(f"stdout cannot be written: {error.strerror or error}")
    return UNDECIDED


def _current_directory_is_gone() -> bool:
    """Whether the current directory was removed."""
    try:
        os.getcwd()
    except FileNotFoundError:
        return True
    return False


def _is_of_typer(module: str) -> bool:
    """Whether a module is one of Typer or Click."""
    return module.partition(".")[0] in ("typer", "click")


def _raising_module(error: BaseException) -> str:
    """Return the name of the module that raised an error."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return str(trace.tb_frame.f_globals.get("__name__", "")) if trace is not None else ""


def _print_internal_error(error: Exception) -> None:
    """Print that this is a bug of the tool, and which file has the traceback."""
    text = printable(f"{type(error).__name__}: {error}"[:500])
    file = _store_traceback("".join(traceback.format_exception(error)))
    stored = f"; the traceback is in {file}" if file else ""
    write_error(f"xnai-validate itself broke: {text}{stored}")


def _store_traceback(text: str) -> Path | None:
    """Write a traceback to the state folder, or to the folder for temporary files; None if neither can be written."""
    name = f"traceback-{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}.txt"
    for folder in (_find_state_dir, lambda: Path(tempfile.gettempdir())):
        try:
            path = folder() / name
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
                file.write(text)
        except (OSError, ImportError, RuntimeError):
            continue
        return path
    return None


def _find_state_dir() -> Path:
    """Return the state directory."""
    from xnai_validate.engine.state_folder import state_dir

    return state_dir()
