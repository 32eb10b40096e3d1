"""A run against a host without a stack."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.tool import report, tool

DEAD = "http://127.0.0.1:9"
"""The discard port: no server listens there."""


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, str, str, Path]:
    """One run of phase 4.1 with every target pointing at a closed port."""
    home = tmp_path_factory.mktemp("dead")
    targets = [
        argument
        for name in ("api", "gateway", "metrics", "llm", "ui", "docs", "vikunja", "voice")
        for argument in ("--target", f"{name}={DEAD}")
    ]
    out = home / "report.json"
    done = tool(
        home, "run", "phase4.1", *targets, "--target", "redis=redis://127.0.0.1:9/0", "-o", str(out), timeout=120
    )
    return done.code, done.stdout, done.stderr, out


def test_exit_1_and_a_few_root_causes(ended: tuple[int, str, str, Path]) -> None:
    """A dead stack fails with few causes; everything that needs them is blocked, not failed."""
    code, _, _, out = ended
    assert code == 1
    checks = report(out).checks
    failed = [check for check in checks if check.status == "fail"]
    blocked = [check for check in checks if check.blocked_by]
    assert 1 <= len(failed) <= 15, [check.id for check in failed]
    assert len(blocked) > 2 * len(failed)
    assert {check.blocked_by for check in blocked} <= {check.id for check in failed}
    assert not [check.id for check in checks if check.status in ("pass", "flaky", "warn") and check.target]


def test_no_traceback(ended: tuple[int, str, str, Path]) -> None:
    """The reader sees sentences, never a traceback."""
    _, stdout, stderr, _ = ended
    assert "Traceback" not in stdout + stderr
    assert "refused" in stdout
