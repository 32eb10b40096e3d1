"""The matrix of defects and checks, as text and as JSON."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Generator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from xnai_validate.cli import console
from xnai_validate.cli.proof import Proof, Trial, Tried, carry_out, defect_trials, healthy_trials, selected
from xnai_validate.errors import ConfigError
from xnai_validate.model.results.verdict import Exit
from xnai_validate.model.suggestions import did_you_mean
from xnai_validate.model.text import printable


def prove(names: tuple[str, ...], profile: str, *, full: bool, jobs: int, output: Path | None) -> int:
    """Make the proof, print its matrix and return the exit code: 0 where nothing is to complain of, else 1."""
    defects = selected(names)
    known = {one.name for one in selected(())}
    for name in names:
        if name not in known:
            raise ConfigError(f'unknown defect "{name}"', hint=did_you_mean(name, known))
    healthy = [] if names else healthy_trials()
    broken = defect_trials(defects, full=full)
    tried: list[Tried] = []
    with closing(_carried_out(healthy, broken, profile, jobs)) as trials:
        for number, one in enumerate(trials, 1):
            tried.append(one)
            console.say(f"[{number}/{len(healthy) + len(broken)}] {_line(one)}")
    # What many stacks at a time have blurred is tried once more by itself, and said.
    with closing(carry_out([one.trial for one in tried if one.missed], profile, 1)) as trials:
        for one in trials:
            tried = [replace(one, again=True) if before.trial == one.trial else before for before in tried]
            console.say(f"[again] {_line(one)}")
    proof = Proof(
        tuple(one for one in tried if one.trial.defect is None),
        tuple(sorted((one for one in tried if one.trial.defect), key=lambda one: one.trial.name)),
        tuple(one.name for one in defects if not one.checks),
    )
    if output is not None:
        _write(output, proof)
    complaints = tuple(proof.complaints())
    console.print_out(_text(proof, complaints))
    return int(Exit.FAILED if complaints else Exit.PASSED)


def _carried_out(healthy: list[Trial], broken: list[Trial], profile: str, jobs: int) -> Generator[Tried, None, None]:
    """Healthy stacks are held to their times, so they have the machine to themselves; the broken ones mostly wait."""
    yield from carry_out(healthy, profile, min(jobs, 2))
    yield from carry_out(broken, profile, jobs)


def _line(tried: Tried) -> str:
    if tried.broke:
        return f"{tried.trial.name}: {printable(tried.broke)}"
    if tried.trial.defect is None:
        return f"{tried.trial.name}: {len(tried.with_status('pass'))} passed, {len(tried.killed)} failed"  # type: ignore[arg-type]
    missed = f", missed by {', '.join(tried.survived)}" if tried.survived else ""
    return f"{tried.trial.name}: caught by {len(tried.killed)}{missed}"


def _text(proof: Proof, complaints: tuple[str, ...]) -> str:
    lines = ["Defects and the checks that fail under them", ""]
    for tried in proof.broken:
        lines.append(f"  {tried.trial.name}")
        lines += textwrap.wrap(
            ", ".join(tried.killed) or "nothing fails", 96, initial_indent=" " * 6, subsequent_indent=" " * 6
        )
    if proof.healthy:
        lines += ["", "Checks and how many defects fail them", ""]
        killers = proof.killers
        width = max(map(len, killers), default=0)
        for id_, defects in killers.items():
            shown = ", ".join(defects[:3]) + (f" and {len(defects) - 3} more" if len(defects) > 3 else "")
            lines.append(f"  {id_:<{width}}  {len(defects):>3}  {shown}")
    caught = sum(bool(tried.killed) for tried in proof.broken)
    by = f" by {len(proof.killers)} checks" if proof.healthy else ""
    lines += ["", f"{caught} of {len(proof.broken)} defects are caught{by}"]
    late = sum(tried.again and not tried.missed for tried in proof.broken)
    if late:
        lines.append(f"{late} of them only at a second try, by itself")
    if complaints:
        lines += ["", f"Not proven: {len(complaints)}", *(f"  {printable(text)}" for text in complaints)]
    elif proof.healthy:
        lines.append("every check passes on the healthy stack and fails under a defect")
    return "\n".join(lines) + "\n"


def _write(path: Path, proof: Proof) -> None:
    matrix = {
        "healthy": {one.trial.layout: {id_: str(s) for id_, s in one.statuses.items()} for one in proof.healthy},
        "defects": {
            str(one.trial.defect): {
                "layout": one.trial.layout,
                "killed": one.killed,
                "survived": one.survived,
                "again": one.again,
            }
            for one in proof.broken
        },
    }
    aside = path.with_name(f".{path.name}.tmp")
    aside.write_text(json.dumps(matrix, indent=2) + "\n", encoding="utf-8")
    aside.replace(path)
