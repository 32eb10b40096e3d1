"""Files that are replaced at once."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from xnai_validate.atomic_write import atomic_write, verify_writable


def test_an_existing_file_keeps_its_permissions(tmp_path: Path) -> None:
    """The new text replaces the old one; no temporary file is left."""
    path = tmp_path / "a.txt"
    path.write_text("old")
    path.chmod(0o640)
    atomic_write(path, ("new", " text"))
    assert path.read_text() == "new text"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_leaves_the_old_file(tmp_path: Path) -> None:
    """If the texts cannot be made, the old file is unchanged and no temporary file is left."""
    path = tmp_path / "a.txt"
    path.write_text("old")

    def texts() -> Iterator[str]:
        yield "half"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        atomic_write(path, texts())
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("length", [1, 150, 255])
def test_a_name_may_be_as_long_as_the_file_system_allows(tmp_path: Path, length: int) -> None:
    """The name of the temporary file fits too."""
    path = tmp_path / ("a" * length)
    verify_writable(path)
    atomic_write(path, ("x",))
    assert path.read_text() == "x"


@pytest.mark.parametrize(("name", "message"), [("a" * 256, "too long"), ("missing/a", "No such file"), (".", "a dir")])
def test_a_file_that_cannot_be_written_is_found_before(tmp_path: Path, name: str, message: str) -> None:
    """`verify_writable` raises where `atomic_write` would, and creates no file."""
    with pytest.raises(OSError, match=message):
        verify_writable(tmp_path / name)
    assert list(tmp_path.iterdir()) == []
