"""A run in a process of its own that ends itself at a moment in the life of a fault.

`tests.forking` forks it with one argument: JSON with `state`, `run`, `fault`, `target`, `params`, and `kill`: the
moment at which it kills itself, or null. It prints every moment as it comes, and at the end the exit code of its
report and the reason of its check.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

from tests.engine.plans import declared, make, plan_of
from tests.faults import brief
from xnai_validate import registry
from xnai_validate.engine import Engine, Memory, SystemClock, signals
from xnai_validate.kit import FROM_FILE, Context, Facts, Params, Target, Tls, checker
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.plan import Candidate, PlannedFault, PlannedTarget


def print_line(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class Hold(Params):
    """How long."""

    hold_s: float
    kill: bool


class Held(Facts):
    """It was held."""

    held: bool


@checker("hold.on", target=False, expect={"held": True})
async def hold_on(params: Hold, ctx: Context) -> Held:
    """Measure nothing for a while."""
    print_line("held")
    if params.kill:
        os.kill(os.getpid(), signal.SIGKILL)
    await ctx.clock.sleep(params.hold_s)
    return Held(held=True)


def target_of(document: dict[str, Any] | None) -> Target | None:
    """The target of its JSON."""
    if document is None:
        return None
    return Target(**{**document, "tls": Tls(**document["tls"])})


async def run(settings: dict[str, Any]) -> int:
    """Run one check under the fault."""
    brief.provide()
    fault, target = registry.FAULTS.get(settings["fault"]), target_of(settings["target"])
    params = fault.params.model_validate(settings["params"], context=FROM_FILE)
    under = (PlannedFault(fault, params, target.name if target else None),)
    hold = Hold(hold_s=settings.get("hold_s", 0.05), kill=settings["kill"] == "held")
    check = make("it", declared(hold_on), params=hold, rules=(), disruptive=True, timeout_s=300.0, under=under)
    plan = plan_of(check)
    if target is not None:
        plan = type(plan)(
            plan.title, plan.profiles, plan.checks, {target.name: PlannedTarget(target.name, (Candidate(target),))}
        )

    def on_step(step: str, undo: str) -> None:
        print_line(step)
        if step == settings["kill"]:
            os.kill(os.getpid(), signal.SIGKILL)

    state = Path(settings["state"])
    if settings.get("disk_full"):
        # What the record is written to first, so that its bytes find no room.
        (state / "undo").mkdir(parents=True)
        (state / "undo" / f".{settings['run']}.1.json.{os.getpid()}").symlink_to("/dev/full")
    calm = Memory(host_percent=10.0, own_mib=40.0)
    engine = Engine(
        plan,
        run_id=settings["run"],
        version="0",
        host={},
        state=state,
        sample=lambda: calm,
        clock=SystemClock(),
        on_step=on_step,
        repair=settings.get("repair"),
    )
    events = []
    async with signals(engine), engine.run() as stream:
        async for event in stream:
            events.append(event)
    report = build_report(events)
    print_line(f"exit {report.exit_code}")
    print_line(f"reason {report.checks[0].reason}")
    return report.exit_code


def main() -> NoReturn:
    """Run what the arguments describe and exit with the code of its report."""
    sys.exit(asyncio.run(run(json.loads(sys.argv[1]))))
