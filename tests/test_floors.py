"""Who may import whom: the floors of the package, held by reading every import, those inside functions too."""

from __future__ import annotations

import ast
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import xnai_validate

ROOT = Path(xnai_validate.__file__).parent
PACKAGE = ROOT.name
TESTS = ROOT.parent / "tests"

MAY_IMPORT: dict[str, frozenset[str]] = {
    "__init__": frozenset(),
    "__main__": frozenset({"cli"}),
    "api": frozenset({"cli", "config", "engine", "plan", "model", "errors"}),
    "pytest_plugin": frozenset({"api", "report", "sharding", "plan", "model"}),
    "errors": frozenset(),
    "atomic_write": frozenset(),
    "opening": frozenset(),
    "model": frozenset({"errors"}),
    "kit": frozenset({"model", "errors"}),
    "wire": frozenset({"model", "errors"}),
    "plan": frozenset({"kit", "model", "errors"}),
    "durations": frozenset({"plan", "kit", "model"}),
    "sharding": frozenset({"durations", "plan", "model"}),
    "registry": frozenset({"kit", "model", "errors", "checkers/__init__", "faults/__init__"}),
    "schema": frozenset({"kit", "model", "errors"}),
    "checkers": frozenset({"kit", "wire"}),
    "faults": frozenset({"kit", "wire"}),
    # From the protocols it takes the logs of targets that fail: what explains any check is not a checker's.
    "engine": frozenset({"opening", "plan", "kit", "wire", "model", "errors"}),
    "config": frozenset({"opening", "registry", "schema", "plan", "durations", "kit", "wire", "model", "errors"}),
    "report": frozenset({"model", "errors"}),
    "baseline": frozenset({"atomic_write", "opening", "model", "errors"}),
    "history": frozenset({"opening", "model", "errors"}),
    "telemetry": frozenset({"model"}),
    "demo": frozenset(),
    "importing": frozenset({"config", "wire", "model", "errors"}),
    # Between the floors 4 and 5: it divides the loads of a run, and is chosen by the command line.
    "workers": frozenset({"checkers", "engine", "registry", "plan", "kit", "model", "errors"}),
    "cli": frozenset(
        {
            "workers",
            "atomic_write",
            "opening",
            "config",
            "engine",
            "report",
            "baseline",
            "history",
            "telemetry",
            "importing",
            "registry",
            "schema",
            "plan",
            "durations",
            "sharding",
            "kit",
            "model",
            "errors",
            "demo",
        }
    ),
}
"""Room -> the rooms it may import from, besides itself and `__init__`, which holds the version and imports nothing.

A room is a folder or a module of the package. Checkers and faults reach the lower floors by `kit` and `wire` alone.
"""

LIBRARIES: dict[str, frozenset[str]] = {
    "errors": frozenset(),
    "model": frozenset({"pydantic", "pydantic_core", "annotated_types", "jsonpath_rfc9535"}),
    "plan": frozenset(),
    "registry": frozenset(),
    "engine": frozenset({"psutil"}),
    "baseline": frozenset({"pydantic", "pydantic_core"}),
}
"""Room -> the libraries it may import, where that is limited."""


@cache
def modules() -> dict[str, Path]:
    """Dotted name below the package -> file."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts)] = path
    return found


@cache
def imports(path: Path) -> tuple[str, ...]:
    """Every module that a file imports, wherever in it; `from a import b` names `a.b` where that is a module."""
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            base = node.module or ""
            found += [f"{base}.{alias.name}" if is_module(f"{base}.{alias.name}") else base for alias in node.names]
    return tuple(found)


def is_module(name: str) -> bool:
    """Whether a dotted name is a module or package of ours."""
    if not name.startswith(f"{PACKAGE}."):
        return False
    path = ROOT.joinpath(*name.split(".")[1:])
    return path.is_dir() or path.with_suffix(".py").is_file()


def room(dotted: str) -> str:
    """The room of a module: `engine` of `engine.attempt`, `kit` of `kit`."""
    return dotted.partition(".")[0]


def ours(path: Path) -> list[str]:
    """The imports within the package, without its name: `model.rules`, `checkers`."""
    return [name.removeprefix(PACKAGE).lstrip(".") or "__init__" for name in imports(path) if is_ours(name)]


def is_ours(name: str) -> bool:
    """Whether a module is of the package."""
    return name == PACKAGE or name.startswith(f"{PACKAGE}.")


def test_every_room_is_known() -> None:
    """A new folder or module at the top has its floor written down here."""
    assert {room(name) for name in modules()} <= set(MAY_IMPORT)
    assert {"errors", "kit.checker", "checkers.http.request", "cli.app"} <= set(modules()), "the package was not found"


@pytest.mark.parametrize("of", sorted(MAY_IMPORT))
def test_nothing_imports_upwards(of: str) -> None:
    """Each room imports from the floors below it only, and siblings do not import one another."""
    wrong = []
    for name, path in modules().items():
        if room(name) != of:
            continue
        for target in ours(path):
            # The folder itself has its path; what lies in it is reached by name, at run time.
            known = f"{target}/__init__" if target in ("checkers", "faults") else room(target)
            if room(target) != of and known != "__init__" and known not in MAY_IMPORT[of]:
                wrong.append(f"{name} imports {target}")
    assert wrong == []


@pytest.mark.parametrize("of", ["checkers", "faults"])
def test_families_do_not_import_each_other(of: str) -> None:
    """A family uses its own modules and private ones (`_name`) of its floor, never another family."""
    wrong = []
    for name, path in modules().items():
        if room(name) != of:
            continue
        for target in ours(path):
            parts, own = target.split("."), name.split(".")
            if parts[0] == of and len(parts) > 1 and parts[1] != own[1] and not parts[1].startswith("_"):
                wrong.append(f"{name} imports {target}")
    assert wrong == []


def test_no_files_import_each_other() -> None:
    """There is no circle of imports between files, not even for type checkers alone or inside functions."""
    imported = {name: set(map(module_name, ours(path))) & set(map(module_name, modules())) for name, path in files()}
    order = TopologicalSorter({name: targets - {name} for name, targets in imported.items()})
    try:
        order.prepare()
    except CycleError as error:
        raise AssertionError(f"files import each other: {' <- '.join(error.args[1])}") from None


def files() -> list[tuple[str, Path]]:
    """Name -> file of every module."""
    return [(module_name(name), path) for name, path in modules().items()]


def module_name(dotted: str) -> str:
    """The name by which a module is imported: `engine` of `engine.__init__`."""
    return dotted.removesuffix(".__init__")


def test_only_the_command_imports_the_embedded_stack() -> None:
    """Within the package nothing but `cli` imports `demo`, for a stack is a stack."""
    rooms = {room(name) for name, path in modules().items() if "demo" in map(room, ours(path))}
    assert rooms - {"demo"} <= {"cli"}


@pytest.mark.parametrize("of", sorted(LIBRARIES))
def test_the_lower_floors_use_few_libraries(of: str) -> None:
    """What everything stands on stays light: the standard library and the few that are named here."""
    wrong = []
    for name, path in modules().items():
        if room(name) != of:
            continue
        for target in imports(path):
            top = target.partition(".")[0]
            if top != PACKAGE and top not in sys.stdlib_module_names and top not in LIBRARIES[of]:
                wrong.append(f"{name} imports {target}")
    assert wrong == []


def test_the_reader_of_imports_sees_what_it_should(tmp_path: Path) -> None:
    """Imports inside functions, of submodules and under another name are all seen."""
    sample = tmp_path / "sample.py"
    sample.write_text(
        "import os.path as p\n"
        "def f():\n"
        "    from xnai_validate.engine.events import journal\n"
        "    from xnai_validate.model.judging.rules import Rule\n"
        "    import xnai_validate.demo\n"
    )
    assert ours(sample) == ["engine.events.journal", "model.judging.rules", "demo"]
    assert imports(sample)[0] == "os.path"
