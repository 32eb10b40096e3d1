"""Fields of params that name files and targets: relative paths begin at the folder of the profile."""

from __future__ import annotations

from pathlib import Path

import pytest

from xnai_validate.checkers.container.state import StateParams
from xnai_validate.config.compile.load import load_plan
from xnai_validate.config.compile.measurements.fields import with_whole_paths
from xnai_validate.config.options import LoadOptions
from xnai_validate.faults.process.pause import PauseParams
from xnai_validate.model.json import JsonValue

PROFILE = """\
title: Containers
targets: {api: {container: api}}
suites: [lab/lab]
"""
SUITE = """\
title: Lab
checks:
  - id: state
    title: It runs
    kind: container.state
    target: api
    with: {socket: %s}
"""


def socket_of(folder: Path, socket: str) -> object:
    """The socket of the check of a project in a folder, whose profile lies in `profiles/`."""
    for name, text in (("profiles/lab.yaml", PROFILE), ("checks/lab/lab.yaml", SUITE % socket)):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (check,) = load_plan(("lab",), LoadOptions(paths=(folder,), environ={})).checks
    params = check.measurement.params
    assert isinstance(params, StateParams)
    return params.socket


def test_a_relative_socket_begins_at_the_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From wherever the tool is started; the current directory counts where only that has the file."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "here.sock").touch()
    assert socket_of(tmp_path, "run/engine.sock") == str(tmp_path / "profiles/run/engine.sock")
    assert socket_of(tmp_path, "unix://run/engine.sock") == str(tmp_path / "profiles/run/engine.sock")
    assert socket_of(tmp_path, "unix:///run/engine.sock") == "/run/engine.sock"
    assert socket_of(tmp_path, "here.sock") == str(tmp_path / "elsewhere/here.sock")


def test_faults_name_sockets_likewise(tmp_path: Path) -> None:
    """What is no path of a file, such as a url or a reference to a capture, stays as it is."""
    assert with_whole_paths(PauseParams, {"socket": "x.sock"}, tmp_path) == {"socket": f"{tmp_path}/x.sock"}
    unchanged: list[JsonValue] = [{"socket": "tcp://h:1"}, {"socket": "{{it}}"}, {"socket": None}, {"tree": True}, None]
    for kept in unchanged:
        assert with_whole_paths(PauseParams, kept, tmp_path) == kept
