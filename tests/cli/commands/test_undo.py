"""`undo`: without a fault active; faults of killed runs are undone in `tests/faults`."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Place


@pytest.mark.parametrize("args", [(), ("--list",), ("--overdue",), ("--run", "20260101T000000-000000")])
def test_without_a_fault_it_is_0(place: Place, args: tuple[str, ...]) -> None:
    """It prints that no fault is active."""
    result = place.invoke("undo", *args)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "no fault is in force\n", "")


def test_a_record_that_does_not_exist_cannot_be_forgotten(place: Place) -> None:
    """An unknown id is an error."""
    result = place.invoke("undo", "--forget", "nosuch")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "no fault nosuch is recorded" in result.stderr
