"""Breakers in a run as users start it: what checks share, what must be allowed, and a state file left in order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.checkers.breaker import reference
from tests.checkers.breaker.promises import params
from tests.checkers.breaker.server import Stack, stack, stored
from tests.e2e.tool import Ended, report, tool
from xnai_validate.kit import Target
from xnai_validate.model.results.report import CheckResult

PROFILE = {"title": "Breakers", "suites": ["trial/*"], "targets": {"api": {}, "redis": {}}}


ONE_DRIVE = 1 + reference.FAILURES + reference.SUCCESSES + 2
"""Calls that a cycle lets through: one to begin with, those that open and close it, and a failure that it forgives."""


def run(home: Path, running: Stack, *arguments: str, attempts: int = 1, **checks: dict[str, Any]) -> Ended:
    """Run checks (`id={kind, with}`) against a stack; the JSON report is `out.json`."""
    targets = {target.name: {"url": target.url} for target in (running.workers[0], running.redis)}
    targets["redis"]["password_env"] = "SECRET_OF_TESTS"
    entries = [
        {"id": name, "title": name, **check, "target": "api", "retry": {"attempts": attempts}}
        for name, check in checks.items()
    ]
    for path, document in (
        ("profiles/trial.yaml", PROFILE | {"targets": targets}),
        ("checks/trial/all.yaml", {"title": "All", "checks": entries}),
    ):
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_text(yaml.safe_dump(document), encoding="utf-8")
    env = {"SECRET_OF_TESTS": running.redis.password or ""}
    return tool(home, "run", "trial", "-q", "-o", "out.json", *arguments, env=env)


def found(home: Path) -> dict[str, CheckResult]:
    """The checks of the report, by the end of their id."""
    return {check.id.rpartition(":")[2]: check for check in report(home / "out.json").checks}


def test_three_checks_cost_one_drive(redis: Target, tmp_path: Path) -> None:
    """Cycle, refusal and state of a breaker are judged from one drive, at the time of the first of them."""
    with stack(redis) as running:
        settings = params(running)
        cycle, refusal, state = (
            {"kind": f"breaker.{kind}", "with": settings} for kind in ("cycle", "refusal", "state")
        )
        state["expect"] = {"present": True}
        ended = run(tmp_path, running, cycle=cycle, refusal=refusal, state=state)
        assert ended.code == 0, ended.stdout + ended.stderr
        assert stored(redis, running.key)[0]["total_calls"] == ONE_DRIVE
    checks = found(tmp_path)
    assert {check.status.value for check in checks.values()} == {"pass"}
    assert checks["refusal"].facts["refused"] == checks["cycle"].facts["refused"]


def test_a_retried_check_is_measured_anew(redis: Target, tmp_path: Path) -> None:
    """A second attempt drives the breaker once more, whatever the first one kept."""
    with stack(redis, reference.NoRetryAfter) as running:
        check = {"kind": "breaker.refusal", "with": params(running), "expect": {"retry_after_missing": 0}}
        ended = run(tmp_path, running, attempts=2, again=check)
        assert ended.code == 1, ended.stdout + ended.stderr
        calls = stored(redis, running.key)[0]["total_calls"]
    again = found(tmp_path)["again"]
    assert (again.attempts, again.status.value) == (2, "fail")
    assert calls == 2 * ONE_DRIVE


def test_a_planted_state_must_be_allowed(redis: Target, tmp_path: Path) -> None:
    """What writes into the stack's Redis is skipped unless it is allowed; then it is reverted, provably."""
    with stack(redis) as running:
        planted = {"key": running.key, "fields": {"state": "open"}, "now": ["last_failure_time"]}
        trip = {"planted": {"fault": "redis.plant", "target": "redis", "with": planted}}
        check = {"kind": "breaker.cycle", "with": params(running, trip=trip)}
        ended = run(tmp_path, running, planted=check)
        assert ended.code == 0, ended.stdout + ended.stderr
        assert found(tmp_path)["planted"].status.value == "skip"
        ended = run(tmp_path, running, "--allow", "disruptive", planted=check)
    assert ended.code == 0, ended.stdout + ended.stderr
    assert [fault.proven for fault in report(tmp_path / "out.json").faults] == [True]
    assert found(tmp_path)["planted"].facts["driven"] is False
