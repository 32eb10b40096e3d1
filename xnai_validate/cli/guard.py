"""What a user sees of an error: a sentence and an exit code, never a traceback."""

from __future__ import annotations

import os
import sys
import tempfile
import time
import traceback
from pathlib import Path

import typer
from typer.core import TyperGroup

from xnai_validate.cli.console import silence_stdout
from xnai_validate.cli.messages import tell
from xnai_validate.errors import ConfigError, XnaiError

USAGE, UNDECIDED, INTERRUPTED = 2, 3, 130
"""As in `model.verdict.Exit`, which is not imported for `--help`."""


class Commands(TyperGroup):
    """The group of all commands; errors that leave a command end here."""

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]  # typer's own context, not click's
        """Run the command; whatever it raises becomes a message and an exit code."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result
        except XnaiError as error:
            tell(error)
            raise typer.Exit(USAGE if isinstance(error, ConfigError) else UNDECIDED) from None
        except KeyboardInterrupt:
            sys.stderr.write("interrupted\n")
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            silence_stdout()
            raise typer.Exit(0) from None
        except Exception as error:
            if type(error).__module__.partition(".")[0] in ("typer", "click"):
                raise  # a mistake in the arguments, or an exit: typer's own to tell
            _broke(error)
            raise typer.Exit(UNDECIDED) from None


def _broke(error: Exception) -> None:
    """Say that the tool is at fault, and where the traceback lies."""
    from xnai_validate.model.text import printable

    text = printable(f"{type(error).__name__}: {error}"[:500])
    where = _keep("".join(traceback.format_exception(error)))
    kept = f"; the traceback is in {where}" if where else ""
    sys.stderr.write(f"xnai-validate itself broke: {text}{kept}\n")


def _keep(text: str) -> Path | None:
    """Write a traceback where the runs are kept, else where the machine keeps passing files."""
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
