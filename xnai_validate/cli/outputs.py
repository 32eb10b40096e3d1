"""Files that a report is written to: opened before the run begins, complete or absent afterwards."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from xnai_validate.cli.aside import beside, replacing
from xnai_validate.errors import ConfigError
from xnai_validate.model.results.report import RunReport
from xnai_validate.report.format import Format
from xnai_validate.report.registry import FORMATS
from xnai_validate.report.view import View

FILE_VIEW = View(width=100)
"""How a report for people looks in a file."""


@dataclass(slots=True)
class Output:
    """One file. A regular file is written aside and renamed; JSON lines and devices are written in place."""

    path: Path
    format: Format
    file: IO[str] | None
    """The open file that is written in place; None where another file takes its place at the end."""

    def write(self, report: RunReport) -> None:
        """Write the report and put the file in its place. Raises OSError."""
        texts = self.format.pieces(report, FILE_VIEW)
        if self.file is not None:
            with self.file as file:
                file.writelines(texts)
            return
        replacing(self.path, texts)

    def drop(self) -> None:
        """Close it."""
        if self.file is not None:
            with suppress(OSError):
                self.file.close()


class Outputs:
    """All files of a run, as a context that leaves nothing half-written behind."""

    def __init__(self, names: tuple[str, ...]) -> None:
        """Open them all. Raises ConfigError for one that cannot be written, or that is named twice."""
        self.all: list[Output] = []
        seen: set[Path] = set()
        try:
            for name in names:
                path = Path(name).absolute()
                real = _real(name, path)
                if real in seen:
                    raise ConfigError(f"two reports would be written to {name}")
                if real.is_file() or not real.exists():  # a device takes any number of reports
                    seen.add(real)
                self.all.append(_opened(name, path, FORMATS.for_file(name)))
        except ConfigError:
            self.__exit__(None, None, None)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for output in self.all:
            output.drop()


def _real(name: str, path: Path) -> Path:
    """The file that a path leads to. Raises ConfigError for a path that leads nowhere."""
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # symbolic links in a circle: RuntimeError before Python 3.13
        raise ConfigError(f"the report cannot be written to {name}: its symbolic links form a circle") from None


def _opened(name: str, path: Path, chosen: Format) -> Output:
    try:
        there = path.stat().st_mode if path.exists() else None
        if there is not None and stat.S_ISDIR(there):
            raise ConfigError(f"the report cannot be written to {name}: it is a directory")
        if chosen.streaming or (there is not None and not stat.S_ISREG(there)):
            return Output(path, chosen, path.open("w", encoding="utf-8", buffering=1))
        if there is not None and not os.access(path, os.W_OK):
            raise ConfigError(f"the report cannot be written to {name}: the file is read-only")
        # A symbolic link stays what it is; the file that it names is replaced.
        real = path.resolve()
        handle, aside = beside(real)  # as a trial: nothing of it lies about while the run goes on
        os.close(handle)
        aside.unlink()
        return Output(real, chosen, None)
    except OSError as error:
        raise ConfigError(
            f"the report cannot be written to {name}: {error.strerror or error}", hint="nothing was touched"
        ) from None
