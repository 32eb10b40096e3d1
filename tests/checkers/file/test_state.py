"""Files are real; what they are, how old and how large, and what they contain is reported."""

from __future__ import annotations

import hashlib
import os
import socket
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from tests.context import observe
from xnai_validate.kit import Unmeasurable
from xnai_validate.model.source_location import InvalidConfig


def look(path: Path | str, **how: Any) -> dict[str, Any]:
    """The facts of a file."""
    return dict(observe("file.state", path=str(path), **how).facts)


def test_a_file_is_described(tmp_path: Path) -> None:
    """Age, size, mode and owner are those of the system; the content is read only where that is asked for."""
    path = tmp_path / "dump"
    path.write_bytes(b"x" * 1000)
    path.chmod(0o640)
    os.utime(path, (0, time.time() - 3600))
    facts = look(path)
    assert (facts["exists"], facts["type"], facts["size_bytes"], facts["mode"]) == (True, "file", 1000, "0640")
    assert 3600 <= facts["age_s"] < 3700
    assert facts["owner"] == path.owner()
    assert facts["group"] == path.group()
    assert (facts["text"], facts["sha256"], facts["json"]) == (None, None, None)
    assert observe("file.state", path=str(path), expect={"age_s": {"max": "2h"}, "size_bytes": {"min": "1kB"}}).held
    assert not observe("file.state", path=str(path), expect={"age_s": {"max": "30min"}}).held
    assert observe("file.state", path=str(path), expect={"modified_at": {"age": {"max": "2h"}}}).held


def test_a_missing_file_fails_unless_it_must_not_exist(tmp_path: Path) -> None:
    """A file that is not there has no facts besides, so no rule about its age or size holds."""
    path = str(tmp_path / "gone")
    assert not observe("file.state", path=path).held
    assert observe("file.state", path=path, expect={"exists": False}).held
    assert not observe("file.state", path=path, expect={"exists": False, "age_s": {"max": "1d"}}).held
    assert look(f"{__file__}/below")["exists"] is False


def test_content_is_text_json_and_a_checksum(tmp_path: Path) -> None:
    """The content is read up to its cap, and is JSON only where it was read as a whole."""
    path = tmp_path / "state.json"
    path.write_text('{"version": 3}')
    facts = look(path, text=True, sha256=True)
    assert (facts["text"], facts["json"], facts["json_valid"]) == ('{"version": 3}', {"version": 3}, True)
    assert facts["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    cut = look(path, text=True, text_cap=5)
    assert (cut["text"], cut["json"], cut["json_valid"], cut["truncated"]) == ('{"ver', None, False, True)
    path.write_bytes(b"\xff\xfe 1")
    assert look(path, text=True)["json_valid"] is False
    with pytest.raises(Unmeasurable, match="too many"):
        look(path, sha256=True, sha256_cap=2)


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    """A pipe, a device and a socket are described and never opened; a link is followed unless asked not to."""
    os.mkfifo(tmp_path / "pipe")
    started = time.monotonic()
    facts = look(tmp_path / "pipe", text=True, sha256=True)
    assert (facts["type"], facts["text"], facts["sha256"]) == ("pipe", None, None)
    assert look("/dev/zero", text=True)["type"] == "device"
    assert time.monotonic() - started < 5
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        assert look(tmp_path / "socket", text=True)["type"] == "socket"
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    assert look(tmp_path / "link")["exists"] is False
    assert look(tmp_path / "link", follow=False)["type"] == "symlink"
    assert look(tmp_path)["entries"] == 3


def test_what_cannot_be_looked_at_is_an_error(tmp_path: Path) -> None:
    """A path that the system refuses is an error of the check, not a missing file."""
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(Unmeasurable, match="cannot be looked at"):
        look(tmp_path / "loop")
    with pytest.raises(InvalidConfig, match="null character"):
        look("a\0b")
    with pytest.raises(InvalidConfig):
        look("")


def test_a_file_without_the_right_to_read_it_is_denied() -> None:
    """Its state is known, its content is not: `denied`."""
    before = os.geteuid()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "secret"
        path.write_text("x")
        path.chmod(0)
        Path(folder).chmod(0o755)
        if before == 0:
            os.seteuid(65534)
        try:
            facts = look(path, text=True)
        finally:
            os.seteuid(before)
    assert (facts["error"], facts["exists"], facts["text"], facts["mode"]) == ("denied", True, None, "0000")
