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

FAMILIES = [module.name for module in pkgutil.iter_modules(checkers.__path__) if not module.name.startswith("_")]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_module_is_a_kind_or_private(family: str) -> None:
    """A checker in a module of another name, or in a private one, would never be found."""
    package = importlib.import_module(f"{checkers.__name__}.{family}")
    declared = set()
    for module in pkgutil.iter_modules(package.__path__):
        if module.name.endswith("_child"):  # the program of a process of its own
            continue
        path = f"{package.__name__}.{module.name}"
        for value in vars(importlib.import_module(path)).values():
            checker = getattr(value, MARK, None)
            if isinstance(checker, Checker) and value.__module__ == path:
                declared.add(checker.kind)
    assert declared == set(registry.CHECKERS.load(family))
    assert all(registry.CHECKERS.get(kind) is registry.CHECKERS.load(family)[kind] for kind in declared)


def test_one_kind_is_had_without_the_others() -> None:
    """Who only asks over HTTP does not wait for what would make up requests."""
    code = """
import sys
from xnai_validate import registry
registry.CHECKERS.get("http.request")
print(sorted(name for name in sys.modules if name.startswith("xnai_validate.checkers.http.")))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert "xnai_validate.checkers.http.request" in done.stdout
    assert "contract" not in done.stdout
    assert "openapi" not in done.stdout


def test_an_unknown_kind_is_reported_with_the_nearest() -> None:
    """Of its family where that is known, else of all."""
    with pytest.raises(RegistryError, match=r'unknown kind of check "http\.requets"') as caught:
        registry.CHECKERS.get("http.requets")
    assert "http.request" in str(caught.value.hint)
    with pytest.raises(RegistryError) as caught:
        registry.CHECKERS.get("htpp.request")
    assert "http.request" in str(caught.value.hint)
