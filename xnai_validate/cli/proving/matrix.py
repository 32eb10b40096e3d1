"""The matrix of defects and checks, as text and as JSON."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from pathlib import Path

from xnai_validate.cli.atomic_write import atomic_write
from xnai_validate.cli.proving.proof import Proof
from xnai_validate.errors import ConfigError
from xnai_validate.model.text import printable

WIDTH = 96


def text_of(proof: Proof, complaints: tuple[str, ...]) -> str:
    """Return the matrix as text."""
    lines = ["Defects and the checks that fail under them", ""]
    for result in proof.broken:
        lines.append(f"  {result.trial.name}")
        ids = ", ".join(result.killed) or "no check fails"
        lines += textwrap.wrap(ids, WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 6)
    if proof.healthy:
        lines += ["", "Checks and how many defects fail them", "", *_by_check(proof.killers)]
    caught = sum(bool(result.killed) for result in proof.broken)
    by = f" by {len(proof.killers)} checks" if proof.healthy else ""
    lines += ["", f"{caught} of {len(proof.broken)} defects are caught{by}"]
    late = sum(result.again and not result.missed for result in proof.broken)
    if late:
        lines.append(f"{late} of them only at a second try, by itself")
    if complaints:
        lines += ["", f"Not proven: {len(complaints)}", *(f"  {printable(text)}" for text in complaints)]
    elif proof.healthy:
        lines.append("every check passes on the healthy stack and fails under a defect")
    return "\n".join(lines) + "\n"


def _by_check(killers: dict[str, list[str]]) -> Iterator[str]:
    width = max(map(len, killers), default=0)
    for id_, defects in killers.items():
        shown = ", ".join(defects[:3]) + (f" and {len(defects) - 3} more" if len(defects) > 3 else "")
        yield f"  {id_:<{width}}  {len(defects):>3}  {shown}"


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
