"""The tools that are measured beside ours, and where they are found.

Every Python tool is had as a user has it: installed by pip, ours as a wheel built from this checkout, so that pip has
compiled the bytecode of all of them; each in a virtual environment of its own, so that none loads the plugins of
another: below `.venv-bench`, or below the folder that `XNAI_BENCH_ENVIRONMENTS` names. `check_http` is Debian's, of the
package monitoring-plugins-basic: it is used where it is installed, or unpacked without installing it::

    apt-get download monitoring-plugins-basic
    dpkg -x monitoring-plugins-basic_*.deb .venv-bench/deb
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BENCH = Path(os.environ.get("XNAI_BENCH_ENVIRONMENTS") or ROOT / ".venv-bench")
PYTEST = ("pytest", "httpx")
CHAOS = ("chaostoolkit",)
TAVERN = ("pytest<9", "tavern")
"""tavern 3 does not run on pytest 9."""
_PLUGINS = ("/usr/lib/nagios/plugins", "/usr/lib/monitoring-plugins", str(BENCH / "deb/usr/lib/nagios/plugins"))


@dataclass(frozen=True, slots=True)
class Installed:
    """A virtual environment with one tool in it."""

    folder: Path

    @property
    def python(self) -> str:
        """Its interpreter."""
        return str(self.folder / "bin/python")

    @property
    def ours(self) -> str:
        """The start script of our tool, as pip wrote it."""
        return str(self.folder / "bin/xnai-validate")

    def version(self, package: str) -> str:
        """The version of a package in it."""
        code = f"import importlib.metadata as m; print(m.version({package!r}))"
        return subprocess.run([self.python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def our_tool() -> Installed:
    """Our tool, built from the checkout as it stands now and installed. Raises CalledProcessError."""
    found = Installed(BENCH / "xnai-validate")
    sys.stderr.write(f"building and installing xnai-validate into {found.folder}\n")
    _make(found)
    pip = [found.python, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    built = found.folder / "wheel"
    shutil.rmtree(built, ignore_errors=True)
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", str(built), str(ROOT)], check=True)
    (wheel,) = built.glob("*.whl")
    # Later only our own package is installed again: its version stays the same when its content changes.
    subprocess.run([*pip, "install", f"{wheel}[load,fast,distributed]"], check=True)
    subprocess.run([*pip, "install", "--no-deps", "--force-reinstall", str(wheel)], check=True)
    return found


def other_tool(name: str, packages: tuple[str, ...]) -> Installed | None:
    """A tool from the package index; None, with a word on stderr, where it cannot be installed."""
    found = Installed(BENCH / name)
    done = found.folder / ".installed"
    listed = "\n".join(packages)
    if done.is_file() and done.read_text(encoding="utf-8") == listed:
        return found
    sys.stderr.write(f"installing {', '.join(packages)} into {found.folder}\n")
    try:
        _make(found)
        pip = [found.python, "-m", "pip", "--disable-pip-version-check", "--quiet", "install", *packages]
        subprocess.run(pip, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        sys.stderr.write(f"not installed, so not measured: {name} ({error})\n")
        return None
    done.write_text(listed, encoding="utf-8")
    return found


def npm_tool(name: str) -> str | None:
    """Install a tool from the npm registry; return the path of its command, None if it cannot be installed."""
    folder = BENCH / name
    command = folder / "node_modules/.bin" / name
    if command.exists():
        return str(command)
    sys.stderr.write(f"installing {name} into {folder}\n")
    folder.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", name], check=True, cwd=folder)
    except (OSError, subprocess.CalledProcessError) as error:
        sys.stderr.write(f"not installed, so not measured: {name} ({error})\n")
        return None
    return str(command)


def _make(venv: Installed) -> None:
    """Create the environment if it does not exist, with the pip of today: older ones wrote slower start scripts."""
    if not Path(venv.python).exists():
        subprocess.run([sys.executable, "-m", "venv", str(venv.folder)], check=True)
        pip = [venv.python, "-m", "pip", "--disable-pip-version-check", "--quiet", "install", "--upgrade", "pip"]
        subprocess.run(pip, check=True)


def check_http() -> str | None:
    """The path of `check_http`; None where it is not installed."""
    for folder in _PLUGINS:
        found = shutil.which("check_http", path=folder)
        if found:
            return found
    return shutil.which("check_http")
