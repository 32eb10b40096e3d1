"""A run in a process of its own, to be sent signals: `python -m tests.engine.process STATE RUN_ID [TAKES_S]`.

Prints each event's name as it happens, and at the end the exit code of the report.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.engine.plans import Stage, declared, engine_of, make, plan_of, scripted
from xnai_validate.engine import SystemClock, signals
from xnai_validate.kit import Context, Facts, Params, checker
from xnai_validate.model.results.report_builder import build_report

STUCK_S = 300.0


def print_line(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class NoParams(Params):
    """No parameters."""


class Opened(Facts):
    """Something was opened."""

    opened: bool


@asynccontextmanager
async def stuck() -> AsyncIterator[bool]:
    """A resource that does not want to close."""
    try:
        yield True
    finally:
        print_line("closing")
        await asyncio.sleep(STUCK_S)


@checker("stuck.open", target=False)
async def open_stuck(params: NoParams, ctx: Context) -> Opened:
    """Open a resource that does not want to close."""
    return Opened(opened=await ctx.shared("stuck", stuck))


async def main(state: str, run_id: str, takes_s: float, with_stuck: bool) -> int:
    """Run two quick checks and a slow one."""
    by = scripted(Stage())
    checks = [make("a", by), make("b", by, script={"text": "seen"})]
    if with_stuck:
        checks.append(make("stuck", declared(open_stuck), rules=()))
    checks.append(make("slow", by, script={"takes_s": takes_s}, timeout_s=600.0, needs=("b",)))
    engine = engine_of(plan_of(*checks), Path(state), SystemClock(), run_id=run_id)
    seen = []
    async with signals(engine), engine.run() as events:
        async for event in events:
            seen.append(event)
            print_line(f"{event.event} {getattr(event, 'id', '')}")
    return build_report(seen).exit_code


if __name__ == "__main__":
    code = asyncio.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3]), "stuck" in sys.argv[4:]))
    print_line(f"exit {code}")
    sys.exit(code)
