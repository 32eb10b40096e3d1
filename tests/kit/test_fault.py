"""A fault is declared by its annotations and its docstring."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kit.elsewhere import Declared, EmptyUndo, Idle, NoParams
from xnai_validate.kit import FAULT_MARK, Fault, FaultContext, fault


@pytest.mark.parametrize("wrong", ["params", "return", "doc"])
def test_a_declaration_without_its_parts_is_refused(wrong: str) -> None:
    """Params and documentation are read from annotations and the docstring: a fault without them is refused."""

    async def prepare(self: Any, params: NoParams, ctx: FaultContext) -> EmptyUndo:
        return EmptyUndo()

    prepare.__annotations__.pop(wrong, None)
    more = {"prepare": prepare, "__doc__": None if wrong == "doc" else "Do nothing."}
    with pytest.raises(TypeError, match=r"other\.idle"):
        fault("other.idle", limit_s=1)(type("Idle", (Idle,), more))


def test_the_decorator_leaves_the_class_as_it_is() -> None:
    """The decorator returns the class itself, with the declared fault as an attribute."""
    found = getattr(Declared, FAULT_MARK)
    assert Declared is Idle
    assert isinstance(found, Fault)
    assert found.methods.describe(NoParams(), "nobody") == "nobody notices nothing"
