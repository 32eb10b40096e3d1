"""The default times fit together, and follow the stack: held by a stack with a real one's times, divided by twenty."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.e2e.tool import report, tool
from xnai_validate.demo.processes.stack import EmbeddedStack

SCALE = 20
OWN = ("errors", "recovery", "health", "slow_line", "restart_s", "settle", "settle_short")
"""Vars in which the embedded stack has times of its own; here those of the profile count."""
ONLY = (
    *("alerts/*", "dependencies/cascade:*", "breakers/*"),
    # All of the table of health; the check beside it is about the speed of the machine.
    *("health/truth:no*", "health/truth:recovers", "health/truth:status-follows", "health/truth:always-answers"),
)
PASSED = {"alerts": 8, "breakers": 20, "health": 5, "dependencies": 6}
"""Category -> how many checks pass at least; the others are skipped, for none may fail."""
REAL_HOLD_S = 40.0
"""How long an experiment of `dependencies/cascade` holds its fault on a stack with real times."""


@pytest.mark.prove
def test_the_default_times_fit_a_stack_of_a_twentieth(tmp_path: Path) -> None:
    """Alerts, health, cascades and breakers pass with the times that follow from the stack's own, and in less than half
    of the time that they take on a real one: nothing waits for a fixed time, and no wait cuts another one short."""
    with EmbeddedStack.start(layout="A", scale=SCALE) as stack:
        described = stack.description
        described["vars"] = {name: value for name, value in described["vars"].items() if name not in OWN}
        stack_file, out = tmp_path / "stack.json", tmp_path / "report.json"
        stack_file.write_text(json.dumps(described), encoding="utf-8")
        only = [word for glob in ONLY for word in ("--only", glob)]
        options = ("--stack", str(stack_file), "--allow", "disruptive", "-o", str(out))
        done = tool(tmp_path, "run", "phase4", *options, *only, timeout=390)
    assert done.code == 0, done.stdout
    checks = report(out).checks
    passed = Counter(check.category for check in checks if str(check.status) == "pass")
    assert all(passed[category] >= least for category, least in PASSED.items()), passed
    held = [check.elapsed_ms / 1000 for check in checks if check.id.startswith("dependencies/cascade:")]
    assert len(held) >= 6
    assert max(held) < REAL_HOLD_S / 2
