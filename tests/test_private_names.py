"""No private name of a library is used: the next release of it may rename what begins with an underscore."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from functools import cache

import pytest
from redis.asyncio import Connection

from tests.test_floors import PACKAGE, ROOT, is_ours, modules

DOCUMENTED = {"_replace", "_asdict", "_fields", "_make", "_field_defaults", "_exit"}
"""Names of the standard library that are documented in spite of their underscore: of named tuples, and `os._exit`."""
ACCESSORS = {"getattr", "setattr", "hasattr", "delattr"}


def is_private(name: str) -> bool:
    """Whether a name is private by convention: an underscore at its beginning and none at its end."""
    return name.startswith("_") and not name.endswith("_")


def own_names(tree: ast.AST) -> set[str]:
    """The private names that a file defines: functions, classes, class variables and attributes of `self`."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and is_own(node.value):
            names.add(node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names.add(node.value)  # in `__slots__`
    return names


def is_own(node: ast.AST) -> bool:
    """Whether an expression is `self`, `cls` or `super()`."""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id == "super"
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


def private_uses(source: str) -> Iterator[str]:
    """Each use of a private name that the file does not define itself, as `line: what`."""
    tree = ast.parse(source)
    own = own_names(tree) | DOCUMENTED
    for node in sorted(ast.walk(tree), key=lambda node: getattr(node, "lineno", 0)):
        if isinstance(node, ast.Import):
            wrong = [alias.name for alias in node.names if not is_ours(alias.name) and private_part(alias.name)]
        elif isinstance(node, ast.ImportFrom) and not is_ours(node.module or ""):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            wrong = [name for name in names if private_part(name) and not name.startswith("__future__.")]
        elif isinstance(node, ast.Attribute) and is_private(node.attr) and not is_own(node.value):
            wrong = [] if node.attr in own else [ast.unparse(node)]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ACCESSORS:
            named = node.args[1] if len(node.args) > 1 else None
            text = named.value if isinstance(named, ast.Constant) else ""
            wrong = [ast.unparse(node)] if isinstance(text, str) and is_private(text) else []
        else:
            continue
        yield from (f"{node.lineno}: {what}" for what in wrong)


def private_part(dotted: str) -> bool:
    """Whether any part of a dotted name is private."""
    return any(is_private(part) for part in dotted.split("."))


def inherited_names(found: type) -> set[str]:
    """The private names of the classes of libraries that a class is derived from."""
    bases = [base for base in found.__mro__[1:] if not is_ours(base.__module__) and base is not object]
    return set().union(*map(private_names, bases)) - DOCUMENTED


@cache
def private_names(base: type) -> frozenset[str]:
    """The private attributes of a class, and those that its methods have of `self`."""
    try:
        used = re.findall(r"\bself\.(_[a-z]\w*)", inspect.getsource(base))
    except (OSError, TypeError):  # written in C
        used = []
    return frozenset((*filter(is_private, vars(base)), *used))


def inherited_uses(found: type) -> list[str]:
    """The private names of its libraries' classes that a class uses as attributes of `self` or defines as methods."""
    tree = ast.parse(inspect.cleandoc("\n" + inspect.getsource(found)))
    used = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and is_private(node.name):
            used.add(node.name)
        if isinstance(node, ast.Attribute) and is_private(node.attr) and is_own(node.value):
            used.add(node.attr)
    return sorted(used & inherited_names(found))


@pytest.mark.parametrize("name", sorted(modules()))
def test_a_file_uses_no_private_name_of_a_library(name: str) -> None:
    """Neither by import, nor as an attribute of what is not its own, nor spelled out for `getattr`."""
    path = modules()[name]
    assert [f"{path.relative_to(ROOT)}:{use}" for use in private_uses(path.read_text(encoding="utf-8"))] == []


def test_derived_classes_use_no_private_name_of_their_bases() -> None:
    """A class that is derived from one of a library neither uses nor hides a private attribute of it."""
    wrong, seen = [], 0
    for name in sorted(modules().keys() - {"__main__"}):  # which runs the command
        module = importlib.import_module(f"{PACKAGE}.{name}".removesuffix(".__init__"))
        for found in vars(module).values():
            if isinstance(found, type) and found.__module__ == module.__name__ and inherited_names(found):
                seen += 1
                wrong += [f"{found.__module__}.{found.__qualname__}: {each}" for each in inherited_uses(found)]
    assert wrong == []
    assert seen > 5, "no class was found that is derived from one of a library"


class Intruder(Connection):
    """Reaches into what it is derived from."""

    def _close(self) -> None:
        self._own = self._writer


def test_the_reader_of_classes_sees_what_it_should() -> None:
    """A private method that is overridden and a private attribute that is used are seen; own ones are passed over."""
    assert inherited_uses(Intruder) == ["_close", "_writer"]


def test_the_reader_of_files_sees_what_it_should() -> None:
    """Private modules, names, attributes and accessors are seen; own ones and documented ones are passed over."""
    sample = (
        "import redis._parsers\n"
        "from psutil import _ntuples\n"
        "from redis.asyncio.connection import Connection\n"
        "import os\n"
        "class Link(Connection):\n"
        "    def __init__(self, other):\n"
        "        self._own = other._own\n"
        "        other._reader.read()\n"
        "        getattr(other, '_writer')\n"
        "        os._exit(other.__class__)\n"
    )
    assert list(private_uses(sample)) == [
        "1: redis._parsers",
        "2: psutil._ntuples",
        "8: other._reader",
        "9: getattr(other, '_writer')",
    ]
