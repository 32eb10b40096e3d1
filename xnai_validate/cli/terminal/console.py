"""What stdout and stderr can show, and how to write to them."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from io import RawIOBase
from typing import TextIO

from xnai_validate.errors import XnaiError
from xnai_validate.model.text import printable

PLAIN_WIDTH = 100
"""Columns of a report that goes to a file or a pipe."""
MAX_WIDTH = 120
"""Longer lines are hard to read, however wide the terminal is."""


def wants_color(stream: TextIO, color: bool | None, environ: Mapping[str, str] | None = None) -> bool:
    """Return whether to colour the output to `stream`: `color` if given, else only on a terminal.

    https://no-color.org: a NO_COLOR that is not empty turns colour off. So does TERM=dumb.
    """
    env = os.environ if environ is None else environ
    if color is not None:
        return color
    if env.get("NO_COLOR"):
        return False
    return env.get("TERM") != "dumb" and stream.isatty()


def width(stream: TextIO) -> int:
    """Return the columns to use: those of the terminal or of COLUMNS, at most 120; 100 for a file or a pipe."""
    if not (os.environ.get("COLUMNS") or stream.isatty()):
        return PLAIN_WIDTH
    return min(shutil.get_terminal_size().columns, MAX_WIDTH)


def shows_unicode(stream: TextIO) -> bool:
    """Return whether the stream's encoding has characters beyond ASCII."""
    return (stream.encoding or "").lower().replace("-", "").startswith("utf")


def print_out(text: str) -> None:
    """Write to stdout. If its reader has gone away, discard this and all later output.

    Raises XnaiError if stdout cannot be written, for example on a full disk.
    """
    try:
        _write_whole(sys.stdout, text)
    except BrokenPipeError:
        silence_stdout()
    except OSError as error:
        silence_stdout()
        raise XnaiError(f"stdout cannot be written: {error.strerror or error}") from None


def _write_whole(stream: TextIO, text: str) -> None:
    """Write all of the text, also to an unbuffered stream.

    With PYTHONUNBUFFERED, common in containers, a text stream calls write(2) directly and drops what the call did not
    accept, for example because a signal interrupted it. So the rest is written again here.
    """
    raw = getattr(stream, "buffer", None)
    if not isinstance(raw, RawIOBase):
        stream.write(text)
        stream.flush()
        return
    stream.flush()
    left = memoryview(text.encode(stream.encoding, stream.errors or "strict"))
    while left:
        written: int | None = raw.write(left)
        if written is None:  # a non-blocking stream that is full
            time.sleep(0.01)
        left = left[written or 0 :]


def print_all(texts: Iterable[str]) -> None:
    """Write several texts to stdout, as `print_out` does."""
    for text in texts:
        print_out(text)


def silence_stdout() -> None:
    """Redirect stdout to /dev/null, so that the interpreter does not report an error when it closes stdout."""
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, sys.stdout.fileno())
    finally:
        os.close(null)


def print_notice(text: str) -> None:
    """Write a notice to stderr, control characters escaped; on a terminal, wrap it between words."""
    line = printable(text)
    if sys.stderr.isatty() and len(line) > (columns := width(sys.stderr)):
        line = textwrap.fill(line, columns, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    write_error(line)


def write_error(text: str) -> None:
    """Write lines to stderr; if stderr cannot be written, only the exit code reports the error."""
    with suppress(OSError):
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
