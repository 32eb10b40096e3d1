"""Files that a report is written to: opened before the run begins, complete or absent afterwards."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from xnai_validate.errors import ConfigError
from xnai_validate.model.report import RunReport
from xnai_validate.report.formats import Format, for_file
from xnai_validate.report.view import View

FILE_VIEW = View(width=100)
"""How a report for people looks in a file."""


@dataclass(slots=True)
class Output:
    """One file. A regular file is written aside and renamed; JSON lines and devices are written in place."""

    path: Path
    format: Format
    file: IO[str]
    aside: Path | None
    """The file that is renamed at the end; None where `file` is the real one."""

    def write(self, report: RunReport) -> None:
        """Write the report and put the file in its place. Raises OSError."""
        self.file.write(self.format.render(report, FILE_VIEW))
        self.file.flush()
        if self.aside is not None:
            os.replace(self.aside, self.path)
            self.aside = None
        self.file.close()

    def drop(self) -> None:
        """Close it; a file that never came to its place is removed."""
        with suppress(OSError):
            self.file.close()
        if self.aside is not None:
            self.aside.unlink(missing_ok=True)
            self.aside = None


class Outputs:
    """All files of a run, as a context that leaves nothing half-written behind."""

    def __init__(self, names: tuple[str, ...]) -> None:
        """Open them all. Raises ConfigError for one that cannot be written, or that is named twice."""
        self.all: list[Output] = []
        seen: set[Path] = set()
        try:
            for name in names:
                path = Path(name).absolute()
                if path in seen:
                    raise ConfigError(f"two reports would be written to {name}")
                seen.add(path)
                self.all.append(_opened(name, path, for_file(name)))
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


def _opened(name: str, path: Path, chosen: Format) -> Output:
    try:
        there = path.stat().st_mode if path.exists() else None
        if there is not None and stat.S_ISDIR(there):
            raise ConfigError(f"the report cannot be written to {name}: it is a directory")
        if chosen.streaming or (there is not None and not stat.S_ISREG(there)):
            return Output(path, chosen, path.open("w", encoding="utf-8", buffering=1), None)
        if there is not None and not os.access(path, os.W_OK):
            raise ConfigError(f"the report cannot be written to {name}: the file is read-only")
        # A symbolic link stays what it is; the file that it names is replaced.
        real = path.resolve()
        handle, aside = tempfile.mkstemp(prefix=f".{real.name}.", suffix=".part", dir=real.parent)
        os.chmod(aside, stat.S_IMODE(there) if there is not None else 0o666 & ~_umask())
        return Output(real, chosen, open(handle, "w", encoding="utf-8"), Path(aside))
    except OSError as error:
        raise ConfigError(
            f"the report cannot be written to {name}: {error.strerror or error}", hint="nothing was touched"
        ) from None


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
