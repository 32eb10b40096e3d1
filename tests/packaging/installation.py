"""Installing the wheel into a fresh environment, with the newest or with the lowest declared dependencies."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

import uv
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.packaging.interpreters import ROOT

Versions = Literal["newest", "lowest"]
"""Which versions of the dependencies are installed: those of today, or the lower bounds of pyproject.toml."""


@dataclass(frozen=True, slots=True)
class Installed:
    """The outcome of a command of an installed package."""

    code: int
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment with the package in it, and a folder for what its runs leave behind."""

    folder: Path
    python_version: str

    @property
    def site_packages(self) -> Path:
        """The folder of the installed packages."""
        return self.folder / "lib" / f"python{self.python_version}" / "site-packages"

    def program(self, name: str) -> Path:
        """Return the path of a program of the environment."""
        return self.folder / "bin" / name

    def variables(self, home: Path) -> dict[str, str]:
        """Return the environment variables of a program that runs in `home`: no setting of this process."""
        others = ("XNAI_", "PYTHON", "PYTEST_", "VIRTUAL_")
        kept = {name: text for name, text in os.environ.items() if not name.startswith(others)}
        return {**kept, "XNAI_VALIDATE_STATE": str(home / "state"), "NO_COLOR": "1"}

    def tool(
        self, home: Path, *arguments: str, environ: Mapping[str, str] | None = None, timeout_s: float = 300
    ) -> Installed:
        """Run the installed xnai-validate to its end, in `home`."""
        return self.run(home, "xnai-validate", *arguments, environ=environ, timeout_s=timeout_s)

    def run(
        self,
        home: Path,
        program: str,
        *arguments: str,
        environ: Mapping[str, str] | None = None,
        timeout_s: float = 300,
    ) -> Installed:
        """Run a program of the environment to its end, in `home`."""
        done = subprocess.run(
            [self.program(program), *arguments],
            capture_output=True,
            text=True,
            timeout=timeout_s,
            env={**self.variables(home), **(environ or {})},
            cwd=home,
            check=False,
        )
        return Installed(done.returncode, done.stdout, done.stderr)

    def versions(self) -> dict[str, Version]:
        """Return the version of each installed distribution, by its normalized name."""
        found = metadata.distributions(path=[str(self.site_packages)])
        return {canonicalize_name(each.name): Version(each.version) for each in found}


def build_wheel(folder: Path) -> Path:
    """Build the wheel of this checkout."""
    run_uv("build", "--wheel", "--out-dir", folder, ROOT)
    (wheel,) = folder.glob("*.whl")
    return wheel


def install(wheel: Path, python: Path, folder: Path, versions: Versions, extras: Sequence[str]) -> None:
    """Install the wheel into a new environment in `folder`, as wheels alone: nothing is compiled on the way."""
    run_uv("venv", "--python", python, folder)
    pip: list[str | Path] = ["pip", "install", "--python", folder / "bin" / "python", "--only-binary", ":all:"]
    if versions == "lowest":
        names = [f"--extra={extra}" for extra in extras]
        run_uv(*pip, "--resolution", "lowest-direct", "--requirements", ROOT / "pyproject.toml", *names)
    run_uv(*pip, f"{wheel}[{','.join(extras)}]" if extras else wheel)


def run_uv(*arguments: str | Path) -> None:
    """Run uv; what it writes is shown where it fails."""
    done = subprocess.run([uv.find_uv_bin(), *arguments], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def declared(wheel: Path, python_version: str, extras: Sequence[str]) -> Iterator[Requirement]:
    """Yield the requirements in the metadata of the wheel that hold for a Python and for the extras.

    An extra that names other extras of the package is followed.
    """
    (distribution,) = metadata.distributions(path=[str(wheel)])
    lines = [Requirement(line) for line in distribution.requires or []]
    extras_left, done = list(extras), set[str]()
    yield from (line for line in lines if _holds(line, python_version, ""))
    while extras_left:
        extra = extras_left.pop()
        if extra in done:
            continue
        done.add(extra)
        for line in lines:
            if _holds(line, python_version, extra) and not _holds(line, python_version, ""):
                if line.name == distribution.name:
                    extras_left += line.extras
                else:
                    yield line


def _holds(requirement: Requirement, python_version: str, extra: str) -> bool:
    environment = {"python_version": python_version, "extra": extra}
    return requirement.marker is None or requirement.marker.evaluate(environment)


def lower_bound(requirement: Requirement) -> Version:
    """Return the version of `>=`. Raises ValueError where a requirement has none."""
    (bound,) = [Version(each.version) for each in requirement.specifier if each.operator == ">="]
    return bound
