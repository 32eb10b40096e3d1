"""The tools that are measured beside ours, and where they are found.

Python tools live in `.venv-bench`, made and filled at the first run. `check_http` is Debian's, of the package
monitoring-plugins-basic: it is used where it is installed, or unpacked without installing it::

    apt-get download monitoring-plugins-basic
    dpkg -x monitoring-plugins-basic_*.deb .venv-bench/deb
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BENCH_VENV = ROOT / ".venv-bench"
PACKAGES = ("pytest<9", "httpx", "tavern")
"""tavern 3 does not run on pytest 9."""
MODULES = ("pytest", "httpx", "tavern")
OURS = Path(sys.executable).parent / "xnai-validate"
_PLUGINS = ("/usr/lib/nagios/plugins", "/usr/lib/monitoring-plugins", str(BENCH_VENV / "deb/usr/lib/nagios/plugins"))


def bench_python() -> Path | None:
    """The Python of `.venv-bench` with the tools in it; None, with a word on stderr, where they cannot be installed."""
    python = BENCH_VENV / "bin/python"
    if not _has_tools(python):
        sys.stderr.write(f"installing {', '.join(PACKAGES)} into {BENCH_VENV.name}\n")
        try:
            subprocess.run([sys.executable, "-m", "venv", str(BENCH_VENV)], check=True)
            pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--quiet", "install", *PACKAGES]
            subprocess.run(pip, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            sys.stderr.write(f"not installed, so not measured: {', '.join(PACKAGES)} ({error})\n")
            return None
    return python


def _has_tools(python: Path) -> bool:
    code = f"import {', '.join(MODULES)}; assert int(pytest.__version__.split('.')[0]) < 9"
    asked = [str(python), "-c", code]
    return python.exists() and subprocess.run(asked, check=False, capture_output=True).returncode == 0


def check_http() -> str | None:
    """The path of `check_http`; None where it is not installed."""
    for folder in _PLUGINS:
        found = shutil.which("check_http", path=folder)
        if found:
            return found
    return shutil.which("check_http")
