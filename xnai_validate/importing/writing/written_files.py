"""Which of the files on disk `init` has written, and what writing them anew would change.

A copy of each file as it was written lies in `.xnai-validate/`, so that edits are recognised.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from xnai_validate.importing.writing.text import MARK
from xnai_validate.importing.writing.three_way import merge_edits
from xnai_validate.importing.yaml_documents import read_text

COPIES = ".xnai-validate"
"""The folder of the copies, in the current directory."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be written to one file."""

    path: str
    before: str | None
    """Its text now; None for a new file."""
    after: str
    written: str
    """The text without edits, of which a copy is kept."""
    conflicts: int = 0
    """Changes that were left out because the same lines are edited."""

    @property
    def diff(self) -> str:
        """The change as a unified diff; empty without one."""
        lines = difflib.unified_diff(
            (self.before or "").splitlines(keepends=True),
            self.after.splitlines(keepends=True),
            self.path if self.before is not None else "/dev/null",
            self.path,
        )
        return "".join(lines)


def foreign_files(folder: Path, paths: Iterable[str]) -> list[str]:
    """Those of the files that exist and that `init` has not written."""
    return [path for path in paths if (folder / path).exists() and not _is_ours(folder / path)]


def changes(folder: Path, files: dict[str, str]) -> list[Change]:
    """What is to be written to each file, with the edits in it kept. The files are new, or were written by `init`."""
    changed_files = []
    for path, new in files.items():
        now = read_text(folder / path) if (folder / path).exists() else None
        copy = folder / COPIES / path
        if now is None:
            changed_files.append(Change(path, None, new, new))
        elif copy.is_file():
            merged = merge_edits(read_text(copy), now, new)
            changed_files.append(Change(path, now, merged.text, new, merged.conflicts))
        else:  # without a copy, everything may be an edit
            changed_files.append(Change(path, now, now, new, int(now != new)))
    return changed_files


def _is_ours(path: Path) -> bool:
    """Whether `init` has written a file."""
    return path.is_file() and read_text(path).startswith(MARK)
