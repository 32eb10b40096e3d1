"""The registry finds kinds and faults in the module of their name, imports no other, and takes other packages'."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint

import pytest

from tests.kit import elsewhere
from tests.kit.elsewhere import NoParams
from xnai_validate import checkers, registry
from xnai_validate.errors import RegistryError
from xnai_validate.kit import MARK, Checker

FAMILIES = [module.name for module in pkgutil.iter_modules(checkers.__path__) if not module.name.startswith("_")]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_module_is_a_kind_or_private(family: str) -> None:
    """A checker in a module of another name, a private one or an inner folder would never be found."""
    package = importlib.import_module(f"{checkers.__name__}.{family}")
    declared = set()
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        path = module.name
        if path.endswith("_child"):  # the program of a process of its own
            continue
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


def test_an_unknown_name_without_near_ones_lists_what_is_known() -> None:
    """The kinds of the family, or the families."""
    with pytest.raises(RegistryError) as caught:
        registry.CHECKERS.get("dns.xyz")
    assert caught.value.hint == "known: dns.resolve"
    with pytest.raises(RegistryError) as caught:
        registry.CHECKERS.get("ftp.get")
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("known families: alert, ")


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """The registry is as it is at the start of a program."""
    yield
    registry.FAULTS.forget()


def provided(monkeypatch: pytest.MonkeyPatch, family: str) -> None:
    entry = EntryPoint(family, elsewhere.__name__, registry.FAULTS.group)
    monkeypatch.setattr(registry.FAULTS, "entry_points", lambda: (entry,))
    registry.FAULTS.forget()


def test_another_package_adds_a_family(monkeypatch: pytest.MonkeyPatch) -> None:
    """Through the entry point group `xnai_validate.faults`."""
    provided(monkeypatch, "elsewhere")
    found = registry.FAULTS.get("elsewhere.idle")
    assert (found.title, found.limit_s, found.params) == ("Do nothing at all.", 1, NoParams)
    assert "elsewhere.idle" in registry.FAULTS.names()


def test_a_clash_names_both(monkeypatch: pytest.MonkeyPatch) -> None:
    """A family that is there already is not replaced in silence."""
    provided(monkeypatch, "redis")
    with pytest.raises(
        RegistryError,
        match=r'"redis" of .*\.faults is provided twice: by .*\.faults\.redis and by tests',
    ):
        registry.FAULTS.names()


def test_a_fault_of_another_family_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a module declares is of its own family."""
    provided(monkeypatch, "other")
    with pytest.raises(RegistryError, match=r"declares elsewhere\.idle, which is not of its family other"):
        registry.FAULTS.load("other")


def test_an_unknown_fault_gets_the_nearest() -> None:
    """Of a family that there is, and of one that there is not."""
    for name, hint in (("redis.puase", "redis.pause"), ("reids.pause", "redis.pause")):
        with pytest.raises(RegistryError) as caught:
            registry.FAULTS.get(name)
        assert hint in (caught.value.hint or "")


def test_one_family_loads_no_other() -> None:
    """Nor does it load what only another needs."""
    code = "import sys; from xnai_validate import registry; registry.FAULTS.get('disk.full'); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    loaded = done.stdout.split()
    assert "xnai_validate.faults.disk.full" in loaded
    assert not {"redis", "httpx", "psutil", "xnai_validate.faults.redis"} & set(loaded)
