"""The matrix of defects and checks, as text and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

from xnai_validate.atomic_write import atomic_write
from xnai_validate.cli.proving.proof import Proof
from xnai_validate.errors import ConfigError
from xnai_validate.report.lists import listed
from xnai_validate.report.terminal.page import Page, Span

SHOWN = 3
"""Defects that are named for a check; the others are counted."""


def append_matrix(page: Page, proof: Proof, complaints: tuple[str, ...]) -> None:
    """Append which checks each defect fails, how many defects fail each check, and what is not proven."""
    page.rule("Defects and the checks that fail under them")
    for result in proof.broken:
        page.text(result.trial.name, indent=2, style="bold")
        page.text(listed(result.killed, most=len(result.killed)) or "no check fails", indent=6)
    if proof.healthy:
        page.rule("Checks and how many defects fail them")
        page.table([_check_row(id_, defects) for id_, defects in proof.killers.items()], numeric=(1,), indent=2)
    caught = sum(bool(result.killed) for result in proof.broken)
    by = f" by {len(proof.killers)} checks" if proof.healthy else ""
    page.blank()
    page.text(f"{caught} of {len(proof.broken)} defects are caught{by}")
    late = sum(result.again and not result.missed for result in proof.broken)
    if late:
        page.text(f"{late} of them only at a second try, by itself")
    for result in proof.healthy:
        if result.again:
            page.text(f"{result.trial.name}: checks that did not pass beside other trials were tried again alone")
    if complaints:
        page.rule(f"Not proven: {len(complaints)}", "bold red")
        for complaint in complaints:
            page.text(complaint, indent=2)
    elif proof.healthy:
        page.text("every check passes on the healthy stack and fails under a defect", style="bold green")


def _check_row(check_id: str, defects: list[str]) -> list[Span]:
    """Return the row of a check: how many defects it catches, and which."""
    names = ", ".join(defects[:SHOWN])
    more = f" and {len(defects) - SHOWN} more" if len(defects) > SHOWN else ""
    return [(check_id, ""), (str(len(defects)), "bold"), (names + more, "")]


def write_matrix(path: Path, proof: Proof) -> None:
    """Write the matrix as JSON. Raises ConfigError if the file cannot be written."""
    matrix = {
        "healthy": {
            result.trial.layout: {id_: str(status) for id_, status in result.statuses.items()}
            for result in proof.healthy
        },
        "defects": {
            str(result.trial.defect): {
                "layout": result.trial.layout,
                "killed": result.killed,
                "survived": result.survived,
                "again": result.again,
            }
            for result in proof.broken
        },
    }
    try:
        atomic_write(path, (json.dumps(matrix, indent=2) + "\n",))
    except OSError as error:
        raise ConfigError(f"the matrix cannot be written to {path}: {error.strerror or error}") from None
