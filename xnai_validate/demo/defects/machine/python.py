"""A Python environment that is gone, shared or empty."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

from xnai_validate.demo.defects.defect import Defect
from xnai_validate.demo.processes.machine import python_path
from xnai_validate.demo.settings import Settings

PythonPath = Callable[[Settings], str]

GONE = Defect(
    "python-gone",
    "The interpreter of the environment was removed by an upgrade.",
    checks=(
        "environment/environment:isolated",
        "environment/environment:packages",
        "environment/environment:python",
    ),
)


@GONE.wraps(python_path)
def dangling_link(_: PythonPath, /, settings: Settings) -> str:
    """Return the path of an interpreter that does not exist: a symbolic link to nowhere."""
    link = settings.run_dir / "python3"
    link.unlink(missing_ok=True)
    link.symlink_to("/usr/lib/python-of-last-year/bin/python3")
    return str(link)


OF_SYSTEM = Defect(
    "python-of-system",
    "The stack runs on the machine's own Python instead of an environment of its own.",
    checks=("environment/environment:isolated",),
).changes(python_path, lambda _: os.path.realpath(sys.executable))

BARE = Defect(
    "python-bare", "The environment is there, its packages are not.", checks=("environment/environment:packages",)
)


@BARE.wraps(python_path)
def empty_environment(_: PythonPath, /, settings: Settings) -> str:
    """Return the interpreter of a virtual environment without packages, which is made at the first call."""
    folder = settings.run_dir / "bare"
    if not folder.exists():
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True, timeout=30)
    return str(folder / "bin" / "python")
