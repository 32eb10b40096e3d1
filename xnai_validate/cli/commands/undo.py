"""`xnai-validate undo`: revert the faults that a run has left in force."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated

import typer

from xnai_validate import registry
from xnai_validate.cli.terminal.command_help import Command, command_app
from xnai_validate.cli.terminal.console import print_out
from xnai_validate.engine import Repaired, SystemClock, UndoFolder, UndoRecord, repair, state_dir
from xnai_validate.errors import ConfigError
from xnai_validate.model.results.verdict import Exit
from xnai_validate.model.suggestions import did_you_mean
from xnai_validate.model.text import printable

app = command_app()


@app.command(cls=Command)
def undo(
    list_: Annotated[bool, typer.Option("--list", help="Only show the faults that may be in force.")] = False,
    run: Annotated[str | None, typer.Option(metavar="ID", help="Revert only the faults of this run.")] = None,
    overdue: Annotated[
        bool, typer.Option("--overdue", help="Revert only faults past their time limit, even if their run is alive.")
    ] = False,
    forget: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID", help="Drop this record without reverting the fault: its target is gone (repeatable)."
        ),
    ] = None,
) -> None:
    """Revert the faults that a run has left in force, and verify that. Exits 4 if one may still be in force."""
    if forget:
        code = _forget(tuple(forget))
    elif list_:
        code = _list()
    else:
        code = _undo(run, overdue)
    raise typer.Exit(int(code))


def _list() -> Exit:
    """Print the faults that may be in force, oldest first."""
    records = UndoFolder.below(state_dir()).all()
    for record in records:
        if isinstance(record, UndoRecord):
            age_s = max(0.0, time.time() - record.recorded_at)
            owner = f"held by process {record.owner.pid}" if record.owned else "left behind"
            target = record.target.name if record.target else "-"
            _print_line(f"{record.id}  {record.fault}  {target}  {age_s:.0f} s ago, {owner}")
            _print_line(f"  {record.sentence}")
        else:
            _print_line(f"{record.id}  unreadable: {record.why}")
    if not records:
        _print_line("no fault is in force")
    return Exit.NOT_UNDONE if records else Exit.PASSED


def _undo(run: str | None, overdue: bool) -> Exit:
    """Revert the faults, last first, and print the result of each."""
    repaired = asyncio.run(
        repair(state_dir(), registry.FAULTS.get, SystemClock(), _print_result, run=run, overdue=overdue)
    )
    if not repaired:
        _print_line("no fault is in force")
    failed = [result.id for result in repaired if not result.proven]
    if failed:
        _print_line(
            f"{len(failed)} may still be in force; if the target is gone: xnai-validate undo --forget {failed[0]}"
        )
    return Exit.NOT_UNDONE if failed else Exit.PASSED


def _print_result(result: Repaired) -> None:
    """Print whether a fault was reverted, and if not, why."""
    _print_line(f"{'reverted, verified' if result.proven else 'NOT REVERTED'}: {result.sentence}")
    if result.why:
        _print_line(f"  {result.why}")


def _forget(ids: tuple[str, ...]) -> Exit:
    """Drop records. Raises ConfigError for an unknown one, and for one whose run is alive."""
    folder = UndoFolder.below(state_dir())
    for id_ in ids:
        if id_ not in folder.ids():
            raise ConfigError(f"no fault {id_} is recorded", hint=did_you_mean(id_, folder.ids()))
        record = folder.get(id_)
        if isinstance(record, UndoRecord) and record.owned:
            raise ConfigError(f"{id_} is held by process {record.owner.pid}, which will revert it")
        folder.remove(id_)
        _print_line(f"forgotten: {record.sentence if isinstance(record, UndoRecord) else id_}")
    return Exit.PASSED


def _print_line(text: str) -> None:
    """Print a line to stdout."""
    print_out(f"{printable(text)}\n")
