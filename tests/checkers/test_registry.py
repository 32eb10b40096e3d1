"""The registry finds every kind in the module of its name, and imports no other to get one."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys

import pytest

from xnai_validate import checkers, registry
from xnai_validate.errors import RegistryError
from xnai_validate.kit import MARK, Checker

PACKAGES = [module.name for module in pkgutil.iter_modules(checkers.__path__) if module.ispkg]


@pytest.mark.parametrize("family", PACKAGES)
def test_a_package_names_all_its_kinds(family: str) -> None:
    """A checker in a module that the package does not name would never be found."""
    package = importlib.import_module(f"{checkers.__name__}.{family}")
    there = set()
    for module in pkgutil.iter_modules(package.__path__):
        if module.name.endswith("_child"):  # the program of a process of its own
            continue
        values = vars(importlib.import_module(f"{package.__name__}.{module.name}")).values()
        there |= {one.kind for value in values if isinstance(one := getattr(value, MARK, None), Checker)}
    assert there == {f"{family}.{name}" for name in package.KINDS} == set(registry.load(family))
    assert all(registry.get(kind) is registry.load(family)[kind] for kind in there)


def test_one_kind_is_had_without_the_others() -> None:
    """Who only asks over HTTP does not wait for what would make up requests."""
    code = """
import sys
from xnai_validate import registry
registry.get("http.request")
print(sorted(name for name in sys.modules if name.startswith("xnai_validate.checkers.http.")))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert "xnai_validate.checkers.http.request" in done.stdout
    assert "contract" not in done.stdout
    assert "openapi" not in done.stdout


def test_an_unknown_kind_is_told_with_the_nearest() -> None:
    """Of its family where that is known, else of all."""
    with pytest.raises(RegistryError, match=r'unknown kind of check "http\.requets"') as told:
        registry.get("http.requets")
    assert "http.request" in str(told.value.hint)
    with pytest.raises(RegistryError) as told:
        registry.get("htpp.request")
    assert "http.request" in str(told.value.hint)
