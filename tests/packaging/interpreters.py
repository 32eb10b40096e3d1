"""The Pythons of this machine that the package claims to support."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"
_CLASSIFIER = "Programming Language :: Python :: 3."


def supported_versions() -> list[str]:
    """Return the Python versions that the classifiers of the package name: `["3.11", "3.12"]`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return ["3." + name.removeprefix(_CLASSIFIER) for name in project["classifiers"] if name.startswith(_CLASSIFIER)]


@lru_cache(maxsize=1)
def interpreters() -> dict[str, Path]:
    """Return the program of each supported Python that is found: the running one, pyenv's, those on PATH."""
    found = {version: _first_that_runs(version) for version in supported_versions()}
    return {version: program for version, program in found.items() if program is not None}


def _first_that_runs(version: str) -> Path | None:
    return next((program for program in _candidates(version) if _version_of(program) == version), None)


def _candidates(version: str) -> Iterator[Path]:
    if version == RUNNING:
        yield Path(sys.base_prefix, "bin", f"python{version}")
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(pyenv.glob(f"versions/{version}.*/bin/python{version}"))
    on_path = shutil.which(f"python{version}")
    if on_path:
        yield Path(on_path)


def _version_of(program: Path) -> str | None:
    """Return `3.12`; None where the program does not run, as a shim of pyenv whose Python is not switched on."""
    code = "import ensurepip, sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([program, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
