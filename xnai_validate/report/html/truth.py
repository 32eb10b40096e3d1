"""The truth table of health: what a report claimed of each component in each situation, and what was so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue

from xnai_validate.model.json import JsonObject
from xnai_validate.model.results.report import CheckResult
from xnai_validate.model.units import format_ms

SHOWN = 24
"""Situations, and components, that are shown; the JSON report has all."""
Tone = Literal["pass", "noticed", "fail", "unknown"]


@dataclass(frozen=True, slots=True)
class Cell:
    """A component in a situation: `up`, `down`, or how the report was wrong about it."""

    tone: Tone
    word: str
    detail: str = ""
    """How long the report took to notice, and to notice the end."""


@dataclass(frozen=True, slots=True)
class TruthTable:
    """The situations as columns, the components as rows."""

    check: CheckResult
    situations: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]


def truth_tables(checks: Iterable[CheckResult]) -> list[TruthTable]:
    """Return the truth tables of a run, those with the most situations first; one that several checks share, once."""
    return sorted(_truth_tables(checks), key=lambda table: -len(table.situations))


def _truth_tables(checks: Iterable[CheckResult]) -> Iterator[TruthTable]:
    """Yield the truth table of each check that measured one; equal tables once."""
    seen: list[JsonValue] = []
    for check in checks:
        cells = check.facts.get("cells")
        if not isinstance(cells, list) or cells in seen:
            continue
        seen.append(cells)
        known = [cell for cell in cells if isinstance(cell, dict) and "situation" in cell]
        if known:
            yield _make_table(check, known)


def _make_table(check: CheckResult, cells: list[JsonObject]) -> TruthTable:
    """Make the table of a check: components by situations."""
    situations = list(dict.fromkeys(str(cell.get("situation")) for cell in cells))[:SHOWN]
    components = list(dict.fromkeys(str(cell.get("component")) for cell in cells))[:SHOWN]
    placed = {(str(cell.get("component")), str(cell.get("situation"))): cell for cell in cells}
    rows = tuple(
        (component, tuple(_make_cell(placed.get((component, situation))) for situation in situations))
        for component in components
    )
    return TruthTable(check, tuple(situations), rows)


def _make_cell(cell: JsonObject | None) -> Cell:
    """Return the cell for what was reported of a component and what was true."""
    if cell is None or cell.get("true") is None:
        return Cell("unknown", "not probed")
    true, claimed = cell["true"], cell.get("claimed")
    word = "up" if true else "down"
    if claimed is None:
        return Cell("unknown", f"{word}, not reported")
    if claimed is not true:
        return Cell("fail", f"{word}, reported {'up' if claimed else 'down'}")
    if cell.get("claimed_after") is False or cell.get("true_after") is False:
        return Cell("fail", word, "not up again" if cell.get("true_after") is False else "still reported down")
    if true:
        return Cell("pass", word)
    times = (("noticed after", cell.get("detected_ms")), ("up again after", cell.get("recovered_ms")))
    detail = ", ".join(f"{name} {format_ms(ms)}" for name, ms in times if isinstance(ms, int | float))
    return Cell("noticed", word, detail)
