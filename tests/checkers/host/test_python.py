"""A Python of this machine and its packages."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from pydantic import ValidationError

from tests.context import observe
from xnai_validate.checkers.host.python import PythonParams


def test_own_python_is_described() -> None:
    """Version and wanted packages are those of the interpreter that runs, names in any spelling."""
    seen = observe("host.python", packages=["psutil>=6", "Annotated_Types", "nothing; python_version < '3'"])
    assert seen.held
    assert seen.facts["version"] == sys.version.split()[0]
    assert seen.facts["in_venv"] is (sys.prefix != sys.base_prefix)
    assert seen.facts["packages"]["psutil"] == psutil.__version__
    assert "Annotated_Types" in seen.facts["packages"]
    assert seen.facts["conflicts"] is None


def test_missing_packages_are_named() -> None:
    """A package that is absent or too old is reported with what there is instead, and fails by default."""
    seen = observe("host.python", packages=["psutil>=999", "no-such-package>=1", "psutil"])
    assert not seen.held
    assert seen.facts["missing"] == [
        f"psutil>=999: {psutil.__version__} is installed",
        "no-such-package>=1: not installed",
    ]


def test_a_requirement_that_is_none_is_refused_at_load() -> None:
    """A misspelt requirement is an error of the check."""
    with pytest.raises(ValidationError, match="not a requirement"):
        PythonParams(packages=["httpx=>1"])


@pytest.fixture(scope="module")
def other_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a new virtual environment with two packages whose requirements do not fit."""
    home = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
    (site,) = home.glob("lib/python*/site-packages")
    for name, version, requires in [("alpha", "1.0", "beta>=2\nextra-only; extra == 'x'"), ("beta", "1.9rc1", "")]:
        folder = site / f"{name}-{version}.dist-info"
        folder.mkdir()
        lines = "".join(f"Requires-Dist: {requirement}\n" for requirement in requires.splitlines())
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{lines}")
    return home / "bin/python"


def test_another_python_is_queried(other_python: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another interpreter lists its own packages, not ours, and the conflicts among them."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    seen = observe(
        "host.python",
        interpreter=str(other_python),
        packages=["beta<2", "psutil"],
        check_conflicts=True,
        timeout="60s",
    )
    assert seen.facts["missing"] == ["psutil: not installed"]
    assert seen.facts["packages"] == {"beta": "1.9rc1"}
    assert seen.facts["conflicts"] == ["alpha 1.0 requires beta>=2: 1.9rc1 is installed"]
    assert (seen.facts["in_venv"], seen.facts["isolated"]) == (True, True)
    assert seen.facts["executable"] == "python"


@pytest.mark.parametrize(
    ("script", "detail"),
    [
        ("#!/bin/sh\nexit 3\n", "exit code 3"),
        ("#!/bin/sh\necho hello\n", "does not answer as a Python does"),
        ("#!/bin/sh\nexec sleep 30\n", "no answer within 0.3 s"),
        ("#!/bin/sh\nexec yes\n", "bytes of output"),
        (None, "No such file"),
    ],
)
def test_what_is_no_python_does_not_run(tmp_path: Path, script: str | None, detail: str) -> None:
    """A program that fails, prints something else, hangs, floods or is missing: `runs: false`, no process is left."""
    program = tmp_path / "python"
    if script is not None:
        program.write_text(script)
        program.chmod(0o755)
    before = psutil.Process().children()  # such as a Redis that is there for many tests
    seen = observe("host.python", interpreter=str(program), timeout="300ms" if "sleep" in (script or "") else "60s")
    assert not seen.held
    assert seen.facts["runs"] is False
    assert detail in seen.facts["detail"]
    assert psutil.Process().children() == before
