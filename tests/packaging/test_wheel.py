"""The wheel works on every Python that is found, with the versions of today and with the lowest declared ones.

The running Python belongs to the quick tests; the others, and the embedded stack, to `make test-pythons`.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from tests.packaging.installation import Environment, Versions, build_wheel, declared, install, lower_bound
from tests.packaging.interpreters import RUNNING, interpreters
from tests.packaging.server import json_server

HOME = Path(__file__).parent / "home"
EXPECTED = {
    "paths": "pass",
    "texts": "pass",
    "wrong-value": "fail",
    "wrong-list": "fail",
    "document": "pass",
    "generated": "pass",
    "samples": "pass",
    "load": "pass",
}
VERSIONS: tuple[Versions, ...] = ("newest", "lowest")
EVERY = [(python, versions) for python in interpreters() for versions in VERSIONS]
CASES = [
    pytest.param(python, versions, id=f"{python}-{versions}", marks=[] if python == RUNNING else [pytest.mark.extra])
    for python, versions in EVERY
]

PYTHONS = [pytest.param(case.values[0], marks=case.marks) for case in CASES[::2]]

Installer = Callable[[str, Versions, tuple[str, ...]], Environment]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installer:
    """Install the wheel: Python, versions and extras -> environment, each made once."""

    @cache
    def make(python: str, versions: Versions, extras: tuple[str, ...]) -> Environment:
        folder = tmp_path_factory.mktemp(f"{python}-{versions}")
        install(wheel, interpreters()[python], folder, versions, extras)
        return Environment(folder, python)

    return make


def test_the_running_python_is_among_those_tested() -> None:
    """A search that finds no Python, or not this one, would make every other test here pass by absence."""
    assert RUNNING in interpreters()


@pytest.mark.parametrize(("python", "versions"), CASES)
def test_the_commands_without_a_stack_work(
    installed: Installer, python: str, versions: Versions, tmp_path: Path
) -> None:
    """`--version`, `list`, and `lint` of all that is bundled end with 0 and write no error."""
    environment = installed(python, versions, ("all",))
    for arguments in (["--version"], ["list"], ["list", "kinds"], ["lint"]):
        done = environment.tool(tmp_path, *arguments)
        assert done.code == 0, (arguments, done.stdout, done.stderr)
        assert done.stdout
        assert not done.stderr


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("arguments", [("run", "preflight", "--demo"), ("demo",), ("prove",)])
def test_the_embedded_stack_names_its_extra(
    installed: Installer, python: str, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    """With `all` and without `demo`, nothing is started; the error has the command that installs what is missing."""
    done = installed(python, "newest", ("all",)).tool(tmp_path, *arguments)
    assert done.code == 2, done.stdout + done.stderr
    assert "fastapi" in done.stderr
    assert "pip install 'xnai-validate[demo]'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("python", "versions"), CASES)
def test_rules_are_judged(installed: Installer, python: str, versions: Versions, tmp_path: Path) -> None:
    """Rules with JSONPath, lengths, patterns and schemas hold or fail as they read, against a real server."""
    environment = installed(python, versions, ("all",))
    out = tmp_path / "report.json"
    with json_server() as url:
        done = environment.tool(
            tmp_path, "run", "installed", f"--path={HOME}", f"--target=api={url}", f"--output={out}"
        )
    assert done.code == 1, done.stdout + done.stderr
    checks = json.loads(out.read_text(encoding="utf-8"))["checks"]
    statuses = {check["id"].partition(":")[2]: check["status"] for check in checks}
    assert statuses == EXPECTED, [check["reason"] for check in checks]


@pytest.mark.parametrize("python", PYTHONS)
def test_the_sources_compile_without_a_warning(installed: Installer, python: str) -> None:
    """A syntax that a later Python warns of is an error of that release some years on."""
    environment = installed(python, "newest", ("all",))
    program = environment.program("python")
    package = environment.site_packages / "xnai_validate"
    done = subprocess.run(
        [program, "-W", "error", "-m", "compileall", "-q", "-f", package], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("python", PYTHONS)
def test_the_lowest_versions_are_the_declared_ones(installed: Installer, wheel: Path, python: str) -> None:
    """Each lower bound can be installed as it is declared, so the tests of the lowest versions are about these."""
    found = installed(python, "lowest", ("all",)).versions()
    differing = {
        str(requirement): str(found[canonicalize_name(requirement.name)])
        for requirement in declared(wheel, python, ["all"])
        if found[canonicalize_name(requirement.name)] != lower_bound(requirement)
    }
    assert differing == {}


@pytest.mark.extra
@pytest.mark.parametrize(("python", "versions"), EVERY)
def test_preflight_passes_on_the_embedded_stack(
    installed: Installer, wheel: Path, python: str, versions: Versions, tmp_path: Path
) -> None:
    """With the extras `demo` and `fast`, the embedded stack starts with a real Redis, and all of preflight passes."""
    environment = installed(python, versions, ("all", "demo", "fast"))
    if versions == "lowest":
        found = environment.versions()
        for requirement in declared(wheel, python, ["all", "demo", "fast"]):
            assert found[canonicalize_name(requirement.name)] == lower_bound(requirement), requirement
    out = tmp_path / "report.json"
    done = environment.tool(tmp_path, "run", "preflight", "--demo", f"--output={out}")
    assert done.code == 0, done.stdout + done.stderr
    summary = json.loads(out.read_text(encoding="utf-8"))["summary"]
    assert summary["pass"] >= 10
    assert summary["fail"] == summary["error"] == 0
