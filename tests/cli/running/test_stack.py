"""`--stack FILE`: the stack file of a running stack."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from tests.cli.process import WAIT_S
from xnai_validate.cli.running.stack import read_stack_file
from xnai_validate.errors import ConfigError


def test_a_late_stack_file_is_waited_for(tmp_path: Path) -> None:
    """With --wait the file of a stack that starts late is awaited; without it, a missing file is an error at once."""
    path = tmp_path / "late.json"
    with pytest.raises(ConfigError, match="No such file"):
        read_stack_file(path)

    def write() -> None:
        aside = path.with_suffix(".aside")
        aside.write_text(json.dumps({"targets": {}}))
        os.replace(aside, path)

    timer = threading.Timer(0.5, write)
    timer.start()
    try:
        assert read_stack_file(path, WAIT_S) == {"targets": {}}
    finally:
        timer.join()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[]", "is not a stack file: it has no targets"),
        ("{targets: [a]}", "is not a stack file"),
        ("{targets: {", "is neither JSON nor YAML"),
        ("[" * 100_000, "is neither JSON nor YAML"),
        ("a" * ((1 << 20) + 1), "is larger than 1 MiB"),
    ],
)
def test_what_is_no_stack_file_is_refused(tmp_path: Path, content: str, message: str) -> None:
    """A file without targets, or too deep, or too large, is refused with its name."""
    path = tmp_path / "stack.yaml"
    path.write_text(content)
    with pytest.raises(ConfigError, match=message):
        read_stack_file(path)
