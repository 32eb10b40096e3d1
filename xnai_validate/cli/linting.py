"""What `lint` does: verify, and say how much was verified."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from xnai_validate.cli.console import print_out
from xnai_validate.config import LoadOptions
from xnai_validate.config.lint import lint
from xnai_validate.errors import ConfigError
from xnai_validate.report.words import counted


def linting(names: tuple[str, ...], paths: tuple[Path, ...]) -> None:
    """Verify files, all files of folders, or everything; raises Mistakes."""
    files = tuple(one for name in names for one in _files(name))
    found = lint(files, LoadOptions(paths=paths))
    parts = [
        counted(found.checks, "check"),
        f"in {counted(found.suites, 'suite')}",
        f"and {counted(found.profiles, 'profile')}",
    ]
    print_out(f"{' '.join(parts)}: no mistakes\n")


def _files(name: str) -> Iterator[str]:
    folder = Path(name)
    if not folder.is_dir():
        yield name
        return
    found = sorted(str(one) for end in ("*.yaml", "*.yml") for one in folder.rglob(end))
    if not found:
        raise ConfigError(f"there is no profile and no suite in {name}")
    yield from found
