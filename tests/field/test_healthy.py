"""The bundled checks find nothing wrong with a healthy stack of another make."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.field.running import validate

pytestmark = pytest.mark.alone  # the times of a twentieth are short


@pytest.mark.parametrize("layout", ["A", "B"])
@pytest.mark.parametrize(
    "profile",
    [
        "preflight",
        *(
            pytest.param(f"phase4.{number}", marks=[pytest.mark.prove, pytest.mark.timeout(1300)])
            for number in range(1, 5)
        ),
    ],
)
def test_a_healthy_stack_passes(layout: str, profile: str, tmp_path: Path) -> None:
    """No check fails, is flaky or cannot be judged, every fault is undone, and no criterion is missed."""
    run, report = validate(layout, profile, tmp_path)
    reasons = [
        f"{check['status']} {check['id']}: {check['reason']}"
        for check in report["checks"]
        if check["status"] in {"fail", "error", "flaky"}
    ]
    reasons += [f"criterion {entry['name']}" for entry in report["criteria"] if entry["met"] is False]
    assert (reasons, run.returncode) == ([], 0), run.stdout + run.stderr
