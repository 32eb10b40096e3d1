"""Files that may be pipes are opened without waiting for the other end."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from xnai_validate.opening import open_at_once


def test_a_pipe_without_a_writer_is_at_its_end(tmp_path: Path) -> None:
    """Reading does not wait, and a regular file is read as usual."""
    os.mkfifo(tmp_path / "pipe")
    with open(tmp_path / "pipe", "rb", opener=open_at_once) as file:
        assert file.read() == b""
    (tmp_path / "file").write_bytes(b"text")
    with open(tmp_path / "file", "rb", opener=open_at_once) as file:
        assert file.read() == b"text"


def test_a_pipe_that_nobody_reads_cannot_be_written(tmp_path: Path) -> None:
    """That is an error at once."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="No such device"), open(tmp_path / "pipe", "wb", opener=open_at_once):
        pass
