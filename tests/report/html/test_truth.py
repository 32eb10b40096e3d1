"""The truth table of health."""

from __future__ import annotations

import pytest

from tests.report.pictured import CELLS, cell, pictured
from tests.report.runs import Script
from xnai_validate.model.json import JsonObject
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.report.html.truth import Cell, truth_tables


def table_of(*cells: JsonObject) -> list[list[Cell]]:
    """The cells of the table of a check, row by row."""
    script = Script("Truth", "x")
    script.check("health/truth:green", "T", kind="health.truth", facts={"cells": [*cells]})
    [table] = truth_tables(build_report(script.events()).checks)
    return [list(row) for _, row in table.rows]


def test_situations_are_columns_and_components_are_rows() -> None:
    """Each in the order in which they were tried."""
    [table] = truth_tables(build_report(pictured()).checks)
    assert table.situations == ("as it is", "without the model", "without Redis")
    assert [name for name, _ in table.rows] == ["llm", "redis"]
    assert [cell.tone for _, cells in table.rows for cell in cells] == [
        "pass", "noticed", "unknown",
        "pass", "fail", "fail",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (cell("s", "c"), Cell("pass", "up")),
        (cell("s", "c", claimed=False, true=False, detected_ms=1200.0, recovered_ms=340.0),
         Cell("noticed", "down", "noticed after 1.20 s, up again after 340 ms")),
        (cell("s", "c", true=False), Cell("fail", "down, reported up")),
        (cell("s", "c", claimed=False), Cell("fail", "up, reported down")),
        (cell("s", "c", claimed=False, true=False, claimed_after=False), Cell("fail", "down", "still reported down")),
        (cell("s", "c", claimed=False, true=False, true_after=False), Cell("fail", "down", "not up again")),
        (cell("s", "c", claimed=None), Cell("unknown", "up, not reported")),
        (cell("s", "c", true=None), Cell("unknown", "not probed")),
    ],
)  # fmt: skip
def test_a_cell_names_what_was_so_and_what_was_reported(row: JsonObject, expected: Cell) -> None:
    """A report that is right needs one word; one that is wrong needs both."""
    assert table_of(row) == [[expected]]


def test_the_table_with_the_most_situations_comes_first_and_a_shared_one_once() -> None:
    """Seven checks judge one table; a short one about the stack as it is comes after it."""
    script = Script("Truth", "x")
    script.check("health/truth:short", "T", kind="health.truth", facts={"cells": [CELLS[0]]})
    for number in range(3):
        script.check(f"health/truth:n{number}", "T", kind="health.truth", facts={"cells": [*CELLS]})
    script.check("health/truth:none", "T", kind="health.truth", facts={"cells": []})
    tables = truth_tables(build_report(script.events()).checks)
    assert [table.check.id for table in tables] == ["health/truth:n0", "health/truth:short"]
