"""Errors as the user gets them."""

from __future__ import annotations

import pytest
from pydantic_core import SchemaError, SchemaValidator, core_schema

from xnai_validate.cli.terminal.error_exit import report_error


def test_an_interrupt_while_a_model_is_built_is_an_interrupt(capsys: pytest.CaptureFixture[str]) -> None:
    """Pydantic makes a SchemaError of it; the user pressed Ctrl-C, and no part of the tool broke."""
    assert report_error(SchemaError('Error building "model" validator:\n  KeyboardInterrupt: ')) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_a_schema_that_is_wrong_is_a_fault_of_the_tool(capsys: pytest.CaptureFixture[str]) -> None:
    """Other errors of that type stay what they are."""
    schema = core_schema.model_field(core_schema.int_schema())
    with pytest.raises(SchemaError) as caught:
        SchemaValidator(schema)  # wrong on purpose
    assert report_error(caught.value) == 3
    assert "itself broke" in capsys.readouterr().err
