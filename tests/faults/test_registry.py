"""Faults are found by name, loaded lazily, and may come from other packages."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from typing import Any

import pytest

from xnai_validate import registry
from xnai_validate.errors import RegistryError
from xnai_validate.kit import FAULT_MARK, ActiveFault, Fault, FaultContext, JsonValue, Params, Undo, fault


class NoParams(Params):
    """Nothing to choose."""


class EmptyUndo(Undo):
    """Nothing to remember."""


class Idle:
    """Do nothing at all."""

    def describe(self, params: NoParams, target: str) -> str:
        return f"{target} notices nothing"

    async def prepare(self, params: NoParams, ctx: FaultContext) -> EmptyUndo:
        return EmptyUndo()

    async def inject(self, params: NoParams, undo: EmptyUndo, ctx: FaultContext) -> ActiveFault | None:
        return None

    async def revert(self, undo: EmptyUndo, ctx: FaultContext) -> None:
        pass

    async def fingerprint(self, undo: EmptyUndo, ctx: FaultContext) -> JsonValue:
        return None


Declared = fault("elsewhere.idle", limit_s=1)(Idle)


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """The registry is as it is at the start of a program."""
    yield
    registry.FAULTS.forget()


def provided(monkeypatch: pytest.MonkeyPatch, family: str) -> None:
    entry = EntryPoint(family, __name__, registry.FAULTS.group)
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


@pytest.mark.parametrize("wrong", ["params", "return", "doc"])
def test_a_declaration_without_its_parts_is_refused(wrong: str) -> None:
    """Annotations and the docstring are what everything else is made of."""

    async def prepare(self: Any, params: NoParams, ctx: FaultContext) -> EmptyUndo:
        return EmptyUndo()

    prepare.__annotations__.pop(wrong, None)
    more = {"prepare": prepare, "__doc__": None if wrong == "doc" else "Do nothing."}
    with pytest.raises(TypeError, match=r"other\.idle"):
        fault("other.idle", limit_s=1)(type("Idle", (Idle,), more))


def test_the_decorator_leaves_the_class_as_it_is() -> None:
    """What was declared is found on it."""
    found = getattr(Declared, FAULT_MARK)
    assert Declared is Idle
    assert isinstance(found, Fault)
    assert found.methods.describe(NoParams(), "nobody") == "nobody notices nothing"
