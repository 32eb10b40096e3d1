"""The default times fit together, and follow the stack: held by a stack with a real one's times, divided by twenty."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.tool import report, tool
from xnai_validate.demo.processes.stack import EmbeddedStack

SCALE = 20
OWN = ("alerts", "errors", "recovery", "health", "slow_line", "restart_s", "settle", "settle_short")
"""Vars in which the embedded stack has times of its own; here those of the profile count."""
ONLY = (
    *("alerts/*", "dependencies/cascade:*", "breakers/*"),
    # All of the table of health; the check beside it is about the speed of the machine.
    *("health/truth:no*", "health/truth:recovers", "health/truth:status-follows", "health/truth:always-answers"),
)
REAL_HOLD_S = 40.0
"""How long an experiment of `dependencies/cascade` holds its fault on a stack with real times."""


@pytest.mark.prove
def test_the_default_times_fit_a_stack_of_a_twentieth(tmp_path: Path) -> None:
    """Alerts, health, cascades and breakers pass with the times that follow from the stack's own, and in less than half
    of the time that they take on a real one: nothing waits for a fixed time, and no wait cuts another one short."""
    with EmbeddedStack.start(layout="A", scale=SCALE) as stack:
        described = stack.description
        vars_ = {name: value for name, value in described["vars"].items() if name not in OWN}
        alerts = described["vars"]["alerts"]
        assert isinstance(alerts, dict)
        stack_file, out = tmp_path / "stack.json", tmp_path / "report.json"
        described["vars"] = {**vars_, "alerts": {"listen": alerts["listen"]}}
        stack_file.write_text(json.dumps(described), encoding="utf-8")
        only = [word for glob in ONLY for word in ("--only", glob)]
        options = ("--stack", str(stack_file), "--allow", "disruptive", "-o", str(out))
        done = tool(tmp_path, "run", "phase4", *options, *only, timeout=390)
    assert done.code == 0, done.stdout
    checks = report(out).checks
    assert {str(check.status) for check in checks} == {"pass"}
    held = [check.elapsed_ms / 1000 for check in checks if check.id.startswith("dependencies/cascade:")]
    assert len(held) >= 6
    assert max(held) < REAL_HOLD_S / 2
