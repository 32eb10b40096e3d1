"""What stdout and stderr can show, and how to write to them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from io import RawIOBase
from time import sleep
from typing import TextIO

from xnai_validate.errors import XnaiError

PLAIN_WIDTH = 100
"""Columns of a report that goes to a file or a pipe."""
WIDEST = 120
"""Lines beyond this are hard to read, however wide the terminal is."""


def wants_color(stream: TextIO, asked: bool | None, environ: Mapping[str, str] | None = None) -> bool:
    """Whether to colour what goes to `stream`: as asked, else on a terminal, unless NO_COLOR or TERM=dumb is set.

    https://no-color.org: a NO_COLOR that is not empty turns colour off.
    """
    env = os.environ if environ is None else environ
    if asked is not None:
        return asked
    if env.get("NO_COLOR"):
        return False
    return env.get("TERM") != "dumb" and stream.isatty()


def width(stream: TextIO) -> int:
    """How many columns to use: those of the terminal or of COLUMNS, at most 120; 100 where there is neither."""
    if not (os.environ.get("COLUMNS") or stream.isatty()):
        return PLAIN_WIDTH
    import shutil

    return min(shutil.get_terminal_size().columns, WIDEST)


def shows_unicode(stream: TextIO) -> bool:
    """Whether the stream's encoding has signs beyond ASCII."""
    return (stream.encoding or "").lower().replace("-", "").startswith("utf")


def print_out(text: str) -> None:
    """Write to stdout; a reader that has gone away is no error, and later text goes nowhere.

    Raises XnaiError where it cannot be written, such as on a full disk.
    """
    try:
        _write_whole(sys.stdout, text)
    except BrokenPipeError:
        silence_stdout()
    except OSError as error:
        silence_stdout()
        raise XnaiError(f"stdout cannot be written: {error.strerror or error}") from None


def _write_whole(stream: TextIO, text: str) -> None:
    """Write all of the text.

    With PYTHONUNBUFFERED, which containers like to set, nothing stands between a text stream and write(2), and what
    that did not take at once, as when a signal comes meanwhile, would be lost without a word.
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
        if written is None:  # it takes nothing now, and does not wait
            sleep(0.01)
        left = left[written or 0 :]


def print_all(texts: Iterable[str]) -> None:
    """Write one text after the other to stdout, as `print_out` does."""
    for text in texts:
        print_out(text)


def silence_stdout() -> None:
    """Let stdout lead nowhere, so that the interpreter does not complain when it closes it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, sys.stdout.fileno())
    finally:
        os.close(nowhere)


def say(text: str) -> None:
    """A notice for the user, on stderr; on a terminal it is broken between words, for terminals break within them."""
    from xnai_validate.model.text import printable

    said = printable(text)
    if sys.stderr.isatty() and len(said) > (columns := width(sys.stderr)):
        import textwrap

        said = textwrap.fill(said, columns, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    complain(said)


def complain(text: str) -> None:
    """Write lines to stderr; where nobody can take them, the exit code says it alone."""
    with suppress(OSError):
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
