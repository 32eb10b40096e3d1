"""Files that a report is written to: opened before the run begins, complete or unchanged afterwards."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from xnai_validate.atomic_write import atomic_write, verify_writable
from xnai_validate.errors import ConfigError
from xnai_validate.model.results.report import RunReport
from xnai_validate.opening import open_at_once
from xnai_validate.report.format import Format
from xnai_validate.report.registry import FORMATS
from xnai_validate.report.view import View

SUMMARY = "GITHUB_STEP_SUMMARY"
"""The variable with the file of a job's summary in GitHub Actions: Markdown to which commands append."""
FILE_VIEW = View(width=100)
"""The view of a report for people in a file."""


@dataclass(slots=True)
class Output:
    """One file. A regular file is replaced at the end; JSON lines and devices are written in place."""

    path: Path
    format: Format
    file: IO[str] | None
    """The open file, if it is written in place."""

    def write(self, report: RunReport) -> None:
        """Write the report. Raises OSError."""
        self.write_texts(self.format.pieces(report, FILE_VIEW))

    def write_texts(self, texts: Iterable[str]) -> None:
        """Write texts as the whole content. Raises OSError."""
        if self.file is None:
            atomic_write(self.path, texts)
            return
        with self.file as file:
            file.writelines(texts)

    def close(self) -> None:
        """Close the file, if it is open."""
        if self.file is not None:
            with suppress(OSError):
                self.file.close()


class Outputs:
    """All report files of a command, as a context manager that closes them."""

    def __init__(self, names: tuple[str, ...]) -> None:
        """Open them. Raises ConfigError if one cannot be written or is named twice."""
        self.all: list[Output] = []
        self._replaced: set[Path] = set()
        try:
            for name in names:
                try:
                    self._open_output(name)
                except RuntimeError:  # symbolic links in a circle, before Python 3.13
                    raise _unwritable_error(name, os.strerror(errno.ELOOP)) from None
                except OSError as error:
                    raise _unwritable_error(name, error.strerror or str(error)) from None
        except ConfigError:
            self._close_all()
            raise

    def _open_output(self, given: str) -> None:
        """Open the file of one `--output`. Raises ConfigError if two would be written to the same file."""
        chosen, name = _format_of(given)
        path = Path(name).absolute()
        real = path.resolve()
        if real in self._replaced:
            raise ConfigError(f"two reports would be written to {name}")
        if real.is_file() or not real.exists():  # a device takes any number of reports
            self._replaced.add(real)
        self.all.append(_open_file(path, real, chosen, append=name == os.environ.get(SUMMARY)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close_all()

    def _close_all(self) -> None:
        """Close all files."""
        for output in self.all:
            output.close()


def _format_of(given: str) -> tuple[Format, str]:
    """The format and the name of a file that is given as `FILE`, or as `FORMAT:FILE`. Raises ConfigError."""
    name, colon, file = given.partition(":")
    if colon and file and name in FORMATS.names():
        return FORMATS.get(name), file
    if given and given == os.environ.get(SUMMARY):
        return FORMATS.get("markdown"), given
    return FORMATS.for_file(given), given


def _unwritable_error(name: str, reason: str) -> ConfigError:
    """Return the error for a file that cannot be written."""
    return ConfigError(f"the report cannot be written to {name}: {reason}", hint="no check was run")


def _open_file(path: Path, real: Path, chosen: Format, *, append: bool) -> Output:
    """Open the file to write in place, or verify that it can be replaced. Raises OSError.

    With `append`, what the file holds stays before the report. `real` is the file that `path` leads to: a symbolic link
    stays, the file that it points to is replaced.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        mode = None
    if append and (mode is None or stat.S_ISREG(mode)):
        return Output(path, chosen, path.open("a", encoding="utf-8"))
    is_device = mode is not None and not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)
    if is_device or (chosen.streaming and (mode is None or stat.S_ISREG(mode))):
        return Output(path, chosen, open(path, "w", encoding="utf-8", buffering=1, opener=open_at_once))
    verify_writable(real)
    return Output(real, chosen, None)
