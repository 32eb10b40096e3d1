"""The files of `--output`: all of them are verified before a check is run."""

from __future__ import annotations

from pathlib import Path

import pytest

from xnai_validate.cli.outputs import Outputs
from xnai_validate.errors import ConfigError


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("a.json", "./a.json"), "two reports would be written to"),
        (("a" * 300 + ".json",), "File name too long"),
        (("a" * 300 + ".jsonl",), "File name too long"),
        (("missing/a.json",), "No such file or directory"),
        (("folder.json",), "it is a directory"),
        (("folder.jsonl",), "it is a directory"),
        (("circle.json",), "symbolic links|symlink"),
        (("a.pdf",), "does not show the format"),
    ],
)
def test_a_file_that_cannot_be_written_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...], message: str
) -> None:
    """The error names the file; nothing is left in the folder."""
    monkeypatch.chdir(tmp_path)
    for folder in ("folder.json", "folder.jsonl"):
        (tmp_path / folder).mkdir()
    (tmp_path / "circle.json").symlink_to("circle.json")
    before = set(tmp_path.iterdir())
    with pytest.raises(ConfigError, match=message):
        Outputs(names)
    assert set(tmp_path.iterdir()) == before


def test_a_device_takes_several_reports(tmp_path: Path) -> None:
    """Links to /dev/null are written in place, as many as are named."""
    names = [str(tmp_path / name) for name in ("a.json", "b.json")]
    for name in names:
        Path(name).symlink_to("/dev/null")
    with Outputs(tuple(names)) as outputs:
        assert [str(output.path) for output in outputs.all] == names
        assert all(output.file is not None for output in outputs.all)
